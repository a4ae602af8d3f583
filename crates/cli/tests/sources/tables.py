"""Tables: pandas, Polars, PyArrow, DuckDB, fastparquet, Spark, R, Hugging Face."""

import os
import pickle
import re
import subprocess

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet as pq

import world as w
from arrays import CODE, K, P, PHI, Y, Z, of
from rows import HERE, Tool, given, version
from world import C, M, N

SINGLE = [f"logit_{k}" for k in range(C)]
FLAT = Z.reshape(-1, C)
KEYS = {
    "model": np.repeat(np.arange(M), N),
    "example": np.tile(np.arange(N), M),
    "member": K.ravel().astype(int),
    "label": np.tile(Y, M),
}
LONG = pd.DataFrame({**KEYS, **{name: FLAT[:, k] for k, name in enumerate(SINGLE)}})
LISTS = pd.DataFrame({**KEYS, "logits": FLAT.tolist()})
CLASSES = np.array(["cat", "dog", "emu"])


def taker(t):
    """Adds a row of a table that is taken."""
    at = of(t)

    def take(name, call, form, write, phi=PHI):
        path, file = at(name)
        write(path)
        t.taken(call, form, ["--table", file], phi)

    return take


def pandas_rows():
    t = Tool("pandas", version("pandas"))
    take = taker(t)
    take("plain.csv", "df.to_csv(index=False)", ".csv", lambda f: LONG.to_csv(f, index=False))
    take("index.csv", "df.to_csv()", ".csv with row numbers", LONG.to_csv)
    take("semicolon.csv", "df.to_csv(sep=';', decimal=',')", ".csv", lambda f: LONG.to_csv(f, sep=";", decimal=",", index=False))
    take("plain.csv.gz", "df.to_csv('....csv.gz')", ".csv.gz", lambda f: LONG.to_csv(f, index=False, compression={"method": "gzip", "mtime": 1}))
    take("plain.parquet", "df.to_parquet()", ".parquet", LONG.to_parquet)
    take("index.parquet", "df.set_index(['model', 'example']).to_parquet()", ".parquet", lambda f: LONG.set_index(["model", "example"]).to_parquet(f))
    take("shuffled.parquet", "df.sample(frac=1).to_parquet()", ".parquet with __index_level_0__", lambda f: LONG.sample(frac=1, random_state=1).to_parquet(f))
    take("plain.feather", "df.to_feather()", ".feather", LONG.to_feather)
    take("lists.parquet", "df.to_parquet(), a column `logits` of lists", ".parquet", LISTS.to_parquet)
    nullable = LONG.convert_dtypes()
    take("nullable.parquet", "df.convert_dtypes().to_parquet()", ".parquet", nullable.to_parquet)
    words = LONG.assign(model=[f"seed{m + 5}" for m in LONG.model], member=np.where(LONG.member == 1, "train", "test"), label=CLASSES[LONG.label])
    words = words.rename(columns={**{f"logit_{k}": f"logit_{CLASSES[k]}" for k in range(C)}, "member": "split"})
    take("words.csv", "df.to_csv(index=False), text in every column but the outputs", ".csv", lambda f: words.to_csv(f, index=False))
    category = words.astype({"model": "category", "split": "category", "label": "category"})
    take("category.parquet", "df.astype('category').to_parquet()", ".parquet", category.to_parquet)
    one = LONG.drop(columns=SINGLE).assign(phi=PHI.ravel())
    take("phi.csv", "df.to_csv(index=False), a column phi", ".csv", lambda f: one.to_csv(f, index=False))
    p = pd.DataFrame({**KEYS, **{f"prob_{k}": P[..., k].ravel() for k in range(C)}})
    take("prob.parquet", "df.to_parquet(), columns prob_0 to prob_2", ".parquet", p.to_parquet, w.phi_of_probabilities(P, Y))
    path, file = of(t)("wide.csv")
    wide = pd.DataFrame(PHI.T, columns=[f"model_{m}" for m in range(M)]).assign(label=Y)
    wide.round(3).to_csv(path, index_label="example")
    t.refused("df.pivot(...).to_csv(), a column per model", "wide .csv", ["--table", file], "has no outputs", "a column is a model, or a class; who was trained on what stands nowhere")
    path, file = of(t)("frame.pkl")
    LONG.astype("float16").to_pickle(path)
    t.refused("df.to_pickle()", "pickle", ["--table", file], "pickle", CODE)
    path, file = of(t)("both.csv")
    LONG.assign(loss=0.5).head(40).to_csv(path, index=False)
    t.refused("df.to_csv(), with logits and a loss", ".csv", ["--table", file], "several kinds of outputs", "the outputs are the logits, or the losses")


def polars_rows():
    import polars as pl

    t = Tool("Polars", version("polars"))
    take = taker(t)
    frame = pl.from_pandas(LONG)
    take("plain.csv", "df.write_csv()", ".csv", frame.write_csv)
    take("plain.parquet", "df.write_parquet()", ".parquet, zstd", frame.write_parquet)
    for codec in ["lz4", "snappy", "gzip", "brotli", "uncompressed"]:
        take(f"{codec}.parquet", f"df.write_parquet(compression='{codec}')", f".parquet, {codec}", lambda f, codec=codec: frame.write_parquet(f, compression=codec))
    take("plain.arrow", "df.write_ipc()", ".arrow", frame.write_ipc)
    take("zstd.arrow", "df.write_ipc(compression='zstd')", ".arrow, zstd", lambda f: frame.write_ipc(f, compression="zstd"))
    take("stream.arrow", "df.write_ipc_stream()", ".arrow stream", frame.write_ipc_stream)
    lists = frame.with_columns(logits=pl.concat_list(SINGLE)).drop(SINGLE)
    take("lists.parquet", "df.with_columns(pl.concat_list(...)).write_parquet()", ".parquet", lists.write_parquet)
    take("array.arrow", "a column pl.Array(pl.Float32, 3), df.write_ipc()", ".arrow", lists.with_columns(pl.col("logits").cast(pl.Array(pl.Float32, C))).write_ipc)
    text = frame.with_columns(pl.lit("seed_").add(pl.col("model").cast(pl.String)).cast(pl.Categorical).alias("model"), pl.col("member").cast(pl.Boolean))
    take("categorical.parquet", "categorical models, boolean members, df.write_parquet()", ".parquet", text.write_parquet)


def pyarrow_rows():
    t = Tool("PyArrow", version("pyarrow"))
    take = taker(t)
    table = pa.Table.from_pandas(LONG, preserve_index=False)
    for codec in ["snappy", "gzip", "brotli", "zstd", "lz4"]:
        take(f"{codec}.parquet", f"pq.write_table(compression='{codec}')", f".parquet, {codec}", lambda f, codec=codec: pq.write_table(table, f, compression=codec))
    take("version1.parquet", "pq.write_table(version='1.0', data_page_version='2.0', row_group_size=100)", ".parquet", lambda f: pq.write_table(table, f, version="1.0", data_page_version="2.0", row_group_size=100))
    half = table.cast(pa.schema([(name, pa.float16() if name in SINGLE else pa.int32()) for name in table.column_names]))
    take("half.parquet", "pq.write_table of float16", ".parquet", lambda f: pq.write_table(half, f))
    decimal = table.cast(pa.schema([(name, pa.decimal128(9, 3) if name in SINGLE else pa.int64()) for name in table.column_names]))
    take("decimal.parquet", "pq.write_table of decimal128(9, 3)", ".parquet", lambda f: pq.write_table(decimal, f))
    take("plain.feather", "feather.write_feather()", ".feather, lz4", lambda f: pa.feather.write_feather(table, f))
    take("plain.csv", "csv.write_csv()", ".csv", lambda f: pa.csv.write_csv(table, f))

    def stream(f):
        with pa.ipc.new_stream(f, table.schema) as out:
            for batch in table.to_batches(max_chunksize=100):
                out.write_batch(batch)

    take("stream.arrows", "ipc.new_stream(...).write_batch()", ".arrows", stream)
    take("parts", "dataset.write_dataset(format='parquet', max_rows_per_file=100)", "folder of .parquet", lambda f: pa.dataset.write_dataset(table, f, format="parquet", max_rows_per_file=100, max_rows_per_group=100))
    large = pa.table({**{k: table[k] for k in KEYS}, "logits": pa.array(FLAT.tolist(), pa.large_list(pa.float32()))})
    take("large_list.parquet", "pq.write_table of large_list<float>", ".parquet", lambda f: pq.write_table(large, f))


def duckdb_rows():
    import duckdb

    t = Tool("DuckDB", version("duckdb"))
    take = taker(t)
    base = duckdb.connect()
    base.register("t", LONG)
    base.register("lists", LISTS)

    def copy(options, source="t"):
        return lambda f: base.execute(f"copy (select * from {source}) to '{f}' {options}")

    take("plain.csv", "COPY t TO 't.csv'", ".csv", copy(""))
    take("pipe.csv", "COPY t TO 't.csv' (DELIMITER ';')", ".csv", copy("(delimiter ';')"))
    take("plain.parquet", "COPY t TO 't.parquet'", ".parquet, snappy", copy(""))
    take("zstd.parquet", "COPY t TO 't.parquet' (CODEC zstd)", ".parquet, zstd", copy("(codec zstd)"))
    take("lists.parquet", "COPY of a column DOUBLE[]", ".parquet", copy("", "lists"))
    take("zipped.csv.gz", "COPY t TO 't.csv.gz'", ".csv.gz", copy(""))


def fastparquet_rows():
    import fastparquet

    t = Tool("fastparquet", version("fastparquet"))
    take = taker(t)
    take("plain.parquet", "fastparquet.write(file, df)", ".parquet", lambda f: fastparquet.write(str(f), LONG))
    for codec in ["GZIP", "ZSTD", "SNAPPY", "LZ4"]:
        take(f"{codec.lower()}.parquet", f"fastparquet.write(file, df, compression='{codec}')", f".parquet, {codec.lower()}", lambda f, codec=codec: fastparquet.write(str(f), LONG, compression=codec))
    take("text.parquet", "fastparquet.write(file, df), text models and words of membership", ".parquet", lambda f: fastparquet.write(str(f), LONG.assign(model=[f"m{m}" for m in LONG.model], member=np.where(LONG.member == 1, "in", "out"))))


def settled(folder):
    """Random names of parts as fixed ones."""
    for path in sorted(folder.iterdir()):
        path.rename(folder / re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "0" * 8, path.name))


def spark_rows():
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    t = Tool("Spark", version("pyspark"))
    take = taker(t)
    os.environ.setdefault("PYSPARK_PYTHON", "python3")
    quiet = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
    spark = quiet.config("spark.driver.memory", "1g").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.createDataFrame([tuple(r) for r in LONG.astype(object).itertuples(index=False)], "model int, example int, member int, label int, logit_0 double, logit_1 double, logit_2 double")

    def write(out):
        def writing(folder):
            out(str(folder))
            settled(folder)

        return writing

    take("plain", "df.write.parquet(folder)", "folder of .snappy.parquet", write(lambda f: frame.coalesce(1).write.parquet(f)))
    take("parts", "df.repartition(2).write.parquet(folder)", "folder of .snappy.parquet", write(lambda f: frame.repartition(2).write.parquet(f)))
    take("zstd", "df.write.option('compression', 'zstd').parquet(folder)", "folder of .zstd.parquet", write(lambda f: frame.coalesce(1).write.option("compression", "zstd").parquet(f)))
    path, file = of(t)("csv")
    write(lambda f: frame.coalesce(1).write.csv(f, header=True))(path)
    t.taken("df.write.csv(folder, header=True)", "folder of .csv", ["--table", file], PHI)
    part = "part-00000-00000000-c000"
    t.taken("the same, its one part", ".csv", ["--table", f"{file}/{part}.csv"], PHI)
    lists = frame.select("model", "example", "member", "label", F.array(*SINGLE).alias("logits"))
    take("lists", "df.write.parquet(folder), an array column", "folder of .snappy.parquet", write(lambda f: lists.coalesce(1).write.parquet(f)))
    words = frame.withColumn("member", F.when(F.col("member") == 1, "train").otherwise("test"))
    take("words", "df.write.parquet(folder), train and test", "folder of .snappy.parquet", write(lambda f: words.coalesce(1).write.parquet(f)))
    path, file = of(t)("no_header")
    write(lambda f: frame.coalesce(1).write.csv(f))(path)
    t.refused("df.write.csv(folder), its one part", ".csv without names", ["--table", f"{file}/{part}.csv"], "has no line of names", "without names a column of whole numbers is the model, the example, the label or the membership")
    path, file = of(t)("vector")
    write(lambda f: lists.withColumn("logits", array_to_vector("logits")).coalesce(1).write.parquet(f))(path)
    t.refused("df.write.parquet(folder), a vector of spark.ml", "folder of .snappy.parquet", ["--table", file], "vector_to_array", "a vector of spark.ml is a record of four fields: vector_to_array makes it a list")
    spark.stop()


R = r"""
library(data.table)
d <- read.csv("pandas/plain.csv")
dir.create("r", showWarnings = FALSE)
write.csv(d, "r/names.csv")
write.csv(d, "r/plain.csv", row.names = FALSE)
write.csv2(d, "r/comma.csv", row.names = FALSE)
write.table(d, "r/tab.tsv", sep = "\t", row.names = FALSE)
fwrite(d, "r/fwrite.csv")
d$member <- d$member == 1
d$label <- factor(c("cat", "dog", "emu")[d$label + 1])
names(d)[5:7] <- c("logit.cat", "logit.dog", "logit.emu")
write.csv(d, "r/factor.csv", row.names = FALSE)
saveRDS(d, "r/frame.rds")
save(d, file = "r/frame.RData")
library(reticulate)
np <- import("numpy", convert = FALSE)
z <- as.matrix(read.csv("r/plain.csv")[, 5:7])
# Rows are examples within models.
np$save("r/array.npy", aperm(array(z, c(48, 8, 3)), c(2, 1, 3)))
np$save("r/array1.npy", aperm(array(z, c(48, 8, 3)), c(1, 2, 3)))
np$save("r/labels1.npy", matrix(as.integer(read.csv("r/plain.csv")$label[1:48]) + 1L, 48, 1))
np$save("r/labels.npy", as.integer(read.csv("r/plain.csv")$label[1:48]))
np$save("r/member.npy", t(matrix(read.csv("r/plain.csv")$member == 1, 48, 8)))
cat(as.character(getRversion()), as.character(packageVersion("data.table")), as.character(packageVersion("reticulate")), as.character(np[["__version__"]]), sep = " ")
"""


def r_rows():
    """RETICULATE_PYTHON names a Python with NumPy below 2, which Debian's reticulate needs."""
    said = subprocess.run(["Rscript", "-e", R], cwd=HERE, capture_output=True, text=True, check=True)
    base, table, reticulate, numpy = said.stdout.split()[-4:]
    t = Tool("R", base)

    def take(file, call, form):
        t.taken(call, form, ["--table", f"r/{file}"], PHI)

    take("plain.csv", "write.csv(d, row.names = FALSE)", ".csv")
    take("names.csv", "write.csv(d)", ".csv with row names")
    take("comma.csv", "write.csv2(d, row.names = FALSE)", ".csv")
    take("tab.tsv", "write.table(d, sep = '\\t', row.names = FALSE)", ".tsv")
    take("factor.csv", "write.csv(d), factors, TRUE and FALSE, names with a point", ".csv")
    t.refused("saveRDS(d)", ".rds", ["--table", "r/frame.rds"], "readRDS", CODE + ": functions and promises of R")
    t.refused("save(d)", ".RData", ["--table", "r/frame.RData"], "get(load(FILE)[1])", CODE + ": functions and promises of R")
    t.version = f"{base}, data.table {table}"
    take("fwrite.csv", "data.table::fwrite(d)", ".csv")
    t.version = f"{base}, reticulate {reticulate}, NumPy {numpy}"
    t.taken("np$save of an array (models, examples, classes)", ".npy in Fortran order", given("logits", "r/array.npy", labels="r/labels.npy", membership="r/member.npy"), PHI)
    t.taken("np$save of an array (examples, models, classes)", ".npy in Fortran order", given("logits", "r/array1.npy", labels="r/labels.npy", membership="r/member.npy"), PHI)
    t.refused("np$save of labels from 1", "labels", given("logits", "r/array.npy", labels="r/labels1.npy"), "subtract 1 from the labels", "1 is the first class, or the second")


def hugging_face_rows():
    import datasets
    from transformers.trainer_utils import PredictionOutput

    t = Tool("Hugging Face", f"datasets {version('datasets')}", "hugging_face")
    take = taker(t)
    datasets.disable_progress_bars()
    features = datasets.Features({**{k: datasets.Value("int32") for k in ["model", "example"]}, "member": datasets.Value("bool"), "label": datasets.ClassLabel(names=list(CLASSES)), "logits": datasets.List(datasets.Value("float32"))})
    data = datasets.Dataset.from_dict({**{k: v.tolist() for k, v in KEYS.items()}, "member": K.ravel().tolist(), "logits": FLAT.tolist()}, features=features)
    take("lists.parquet", "Dataset.to_parquet(), ClassLabel and a List", ".parquet", data.to_parquet)
    wide = datasets.Dataset.from_pandas(LONG, preserve_index=False)
    take("plain.parquet", "Dataset.from_pandas(df).to_parquet()", ".parquet", wide.to_parquet)
    take("plain.csv", "Dataset.to_csv()", ".csv", wide.to_csv)
    take("lists.csv", "Dataset.to_csv(), a List", ".csv", data.to_csv)
    path, file = of(t)("disk")
    data.save_to_disk(str(path))
    (path / "state.json").write_text(re.sub(r'"_fingerprint": "\w+"', '"_fingerprint": ""', (path / "state.json").read_text()))
    t.taken("Dataset.save_to_disk(), its .arrow file", ".arrow stream", ["--table", f"{file}/data-00000-of-00001.arrow"], PHI)
    t.version = f"transformers {version('transformers')}"
    outputs = [PredictionOutput(predictions=z.astype("<f4"), label_ids=Y, metrics={}) for z in Z]
    path, file = of(t)("predictions.npy")
    np.save(path, np.stack([o.predictions for o in outputs]))
    np.save(t.path("label_ids.npy"), outputs[0].label_ids)
    t.taken("np.save(np.stack([trainer.predict(d).predictions for ...]))", ".npy", given("logits", file, labels="hugging_face/label_ids.npy"), PHI)
    path, file = of(t)("predictions.npz")
    np.savez(path, predictions=np.stack([o.predictions for o in outputs]), label_ids=Y, membership=K)
    t.refused("np.savez(predictions=, label_ids=, membership=)", ".npz", [file], "holds no arrays that are called logits", "`predictions` are logits, or probabilities")
    path, file = of(t)("output.pkl")
    with open(path, "wb") as out:
        pickle.dump(tuple(outputs[0]), out)
    t.refused("pickle.dump(trainer.predict(d))", "pickle", given("logits", file), "pickle.load", CODE)
