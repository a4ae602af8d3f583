"""Tables of one small pool, as people write them; the test beside this folder reads all of them as the same pool.

    python3 -m venv v && v/bin/pip install numpy pandas pyarrow polars duckdb fastparquet && v/bin/python make.py

Written with numpy 2.4.6, pandas 3.1.1, pyarrow 26.0.1, polars 2.1.0, duckdb 2.0.1, fastparquet 2026.9.0.
Logits are eighths between -8 and 8, so that every type and three decimals hold them exactly.
"""

import decimal
import gzip
import shutil
from pathlib import Path

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

M, N, C = 4, 6, 3
NAMES = np.array(["cat", "dog", "emu"])
here = Path(__file__).parent / "taken"
shutil.rmtree(here, ignore_errors=True)
here.mkdir()

g = np.random.default_rng(0)
labels = np.array([0, 1, 2, 2, 1, 0])
half = [g.permutation(N) < N // 2 for _ in range(M // 2)]
member = np.array([row for h in half for row in (h, ~h)])
logits = g.integers(-64, 65, (M, N, C)) / 8
for name, array in [("logits", logits.astype("<f4")), ("labels", labels.astype("|u1")), ("membership", member)]:
    np.save(here.parent / f"{name}.npy", array)

plain = pd.DataFrame(
    {
        "model": np.repeat(np.arange(M), N),
        "example": np.tile(np.arange(N), M),
        "member": member.ravel().astype(int),
        "label": np.tile(labels, M),
        **{f"logit_{k}": logits[..., k].ravel() for k in range(C)},
    }
)
single = [f"logit_{k}" for k in range(C)]
flat = logits.reshape(-1, C)
lists = plain.drop(columns=single).assign(logits=flat.tolist())


def csv(name, frame, **options):
    frame.to_csv(here / name, **{"index": False, **options})


# Codecs and pages of Parquet.
table = pa.Table.from_pandas(plain, preserve_index=False)
for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    pq.write_table(table, here / f"pyarrow_{codec}.parquet", compression=codec)
pq.write_table(table, here / "pyarrow_v2.parquet", data_page_version="2.0", version="2.6", use_dictionary=False)
pq.write_table(table, here / "pyarrow_groups.parquet", row_group_size=5)
pq.write_table(
    table,
    here / "pyarrow_split.parquet",
    use_dictionary=False,
    column_encoding={name: "BYTE_STREAM_SPLIT" for name in single} | {"model": "DELTA_BINARY_PACKED"},
)
plain.to_parquet(here / "pandas.parquet")
frame = pl.from_pandas(plain)
frame.write_parquet(here / "polars.parquet")
frame.write_parquet(here / "polars_lz4.parquet", compression="lz4")
fastparquet.write(str(here / "fastparquet.parquet"), plain)
duckdb.sql(f"copy (select * from plain) to '{here}/duckdb.parquet'")
duckdb.sql(f"copy (select * from plain) to '{here}/duckdb_zstd.parquet' (codec zstd)")

# Arrow IPC and Feather.
for codec in ["uncompressed", "lz4", "zstd"]:
    pa.feather.write_feather(table, here / f"pyarrow_{codec}.feather", compression=codec)
    frame.write_ipc(here / f"polars_{codec}.arrow", compression=codec)
plain.to_feather(here / "pandas.feather")
frame.write_ipc_stream(here / "polars_stream.arrow")
with pa.ipc.new_stream(here / "pyarrow_stream.arrows", table.schema) as out:
    for batch in table.to_batches(max_chunksize=7):
        out.write_batch(batch)

# Text.
csv("pandas.csv", plain)
csv("pandas_index.csv", plain, index=True)
csv("pandas_read_again.csv", plain.reset_index().rename(columns={"index": "Unnamed: 0"}))
csv("pandas_semicolon.csv", plain, sep=";", decimal=",")
csv("pandas_tab.tsv", plain, sep="\t")
csv("pandas_excel.csv", plain, sep=";", encoding="utf-8-sig", lineterminator="\r\n")
csv("pandas_quoted.csv", plain, quoting=1)
csv("pandas.csv.gz", plain, compression={"method": "gzip", "mtime": 1})
frame.write_csv(here / "polars.csv")
pa.csv.write_csv(table, here / "pyarrow.csv")
duckdb.sql(f"copy (select * from plain) to '{here}/duckdb.csv'")
(here / "gzipped_without_its_ending.csv").write_bytes(gzip.compress((here / "pandas.csv").read_bytes(), mtime=1))

# Types.
plain.astype({**{name: "float16" for name in single}, "model": "int8", "example": "uint16"}).to_parquet(
    here / "half.parquet"
)
plain.astype({name: "float32" for name in single}).to_parquet(here / "single.parquet")
types = {"model": pa.uint8(), "example": pa.uint64(), "member": pa.bool_(), "label": pa.int16()}
small = pa.Table.from_arrays(
    [
        pa.array(plain[name].astype(bool) if name == "member" else plain[name]).cast(types[name])
        if name in types
        else pa.array([decimal.Decimal(str(v)) for v in plain[name]], pa.decimal128(9, 3))
        for name in plain
    ],
    names=list(plain),
)
pq.write_table(small, here / "decimal.parquet")
pq.write_table(small, here / "decimal_integers.parquet", store_decimal_as_integer=True)
pa.feather.write_feather(small, here / "decimal.feather")
text = plain.assign(
    model=[f"seed{9 + m}" for m in plain.model],
    example=[f"img_{98 + i:03}.png" for i in plain.example],
    member=np.where(plain.member == 1, "member", "non-member"),
    label=NAMES[plain.label],
)
csv("text.csv", text)
csv("text_shuffled.csv", text.sample(frac=1, random_state=3))
text.to_parquet(here / "text.parquet")
categories = text.astype({name: "category" for name in ["model", "example", "member", "label"]})
categories.to_parquet(here / "category.parquet")
categories.to_feather(here / "category.feather")
large = [("model", pa.large_string()), ("example", pa.large_string()), ("member", pa.string_view())]
views = pa.Table.from_pandas(text, preserve_index=False)
for name, kind in large:
    views = views.set_column(views.schema.get_field_index(name), name, views[name].cast(kind))
pa.feather.write_feather(views, here / "views.feather")
polars_text = pl.from_pandas(text).with_columns(pl.col("model", "label").cast(pl.Categorical))
polars_text.write_ipc(here / "polars_text.arrow")
polars_text.write_parquet(here / "polars_text.parquet")
csv("class_names.csv", text.rename(columns={f"logit_{k}": f"logit_{NAMES[k]}" for k in range(C)}))

# Lists.
rest = {name: plain[name] for name in ["model", "example", "member", "label"]}
fixed = pa.array(flat.tolist(), pa.list_(pa.float32(), C))
for name, column in [
    ("list", pa.array(flat.tolist(), pa.list_(pa.float32()))),
    ("large_list", pa.array(flat.tolist(), pa.large_list(pa.float64()))),
    ("fixed_list", fixed),
    ("half_list", pa.array(flat.astype(np.float16).tolist(), pa.list_(pa.float16()))),
]:
    with_list = pa.table({**rest, "logits": column})
    pq.write_table(with_list, here / f"{name}.parquet", row_group_size=10)
    pa.feather.write_feather(with_list, here / f"{name}.feather")
lists.to_parquet(here / "pandas_list.parquet")
polars_list = pl.from_pandas(plain[list(rest)]).with_columns(logits=pl.Series(flat.tolist()))
polars_list.write_parquet(here / "polars_list.parquet")
polars_list.with_columns(pl.col("logits").list.to_array(C)).write_ipc(here / "polars_array.arrow")
csv("list.csv", lists)
csv("list_of_arrays.csv", lists.assign(logits=list(flat)))
csv("list_of_scalars.csv", lists.assign(logits=[list(row) for row in flat.astype(np.float32)]))
duckdb.sql(f"copy (select * from lists) to '{here}/duckdb_list.parquet'")

# What nobody asked for.
extra = plain.assign(
    day=pd.Timestamp("2026-01-01"),
    when=pd.to_datetime("2026-01-01").date(),
    path=[f"/data/{i}.png" for i in range(len(plain))],
    tags=[["a", "b"]] * len(plain),
    box=[[1, 2]] * len(plain),
    nothing=None,
)
extra.to_parquet(here / "extra.parquet")
extra.to_feather(here / "extra.feather")
extra.index = pd.Index(np.roll(np.arange(len(extra)), 1))
extra.to_parquet(here / "extra_index.parquet")
csv("extra.csv", extra)

# Names of columns.
names = [
    ("Model_ID", "IDX", "is_member", "target", "logit{}"),
    ("seed", "example_id", "In_Train", "y", "logits_{}"),
    ("run", "index", "membership", "true_label", "logit_{:02}"),
    ("Model", "Id", "train", "Label", "Logit.{}"),
    ("model", "sample", "member", "label", "log_prob_{}"),
]
for k, (*four, per_class) in enumerate(names):
    given = plain
    if per_class.startswith("log_prob"):
        shifted = flat - np.log(np.exp(flat).sum(1, keepdims=True))
        given = plain.assign(**{name: shifted[:, c] for c, name in enumerate(single)})
    csv(f"names_{k}.csv", given.set_axis([*four, *[per_class.format(c) for c in range(C)]], axis=1))
chances = np.exp(flat) / np.exp(flat).sum(1, keepdims=True)
for k, per_class in enumerate(["probability_{}", "prob_{}", "probs_{}", "p_{}", "proba_{}", "P{}"]):
    csv(f"probabilities_{k}.csv", plain[list(rest)].assign(**{per_class.format(c): chances[:, c] for c in range(C)}))
for name in ["probabilities", "proba"]:
    plain[list(rest)].assign(**{name: chances.tolist()}).to_parquet(here / f"{name}.parquet")

# Words of membership.
words = {
    "bool": member.ravel(),
    "train": np.where(member.ravel(), "train", "test"),
    "yes": np.where(member.ravel(), "Yes", "No"),
    "in": np.where(member.ravel(), "IN", "OUT"),
    "sign": np.where(member.ravel(), 1, -1),
    "float": member.ravel().astype(float),
}
for name, column in words.items():
    csv(f"member_{name}.csv", plain.assign(member=column))
csv("split.csv", plain.drop(columns="member").assign(split=words["train"]))
