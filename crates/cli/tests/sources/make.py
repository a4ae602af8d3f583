"""Outputs as real libraries write them, what must come of each, and the table of them in the book.

    python3 -m venv v && v/bin/pip install -r requirements.txt && v/bin/python make.py

R comes from Debian (r-base-core, r-cran-reticulate), Spark needs a Java runtime. The same files come out at each run, but for what a
library writes of itself: times and random names.
"""

import json
import sys

import arrays
import folders
import rows
import tables
from rows import HERE


STEPS = [
    arrays.numpy_rows,
    arrays.torch_rows,
    arrays.jax_rows,
    arrays.tensorflow_rows,
    arrays.sklearn_rows,
    arrays.boosting_rows,
    tables.pandas_rows,
    tables.polars_rows,
    tables.pyarrow_rows,
    tables.duckdb_rows,
    tables.fastparquet_rows,
    tables.spark_rows,
    tables.r_rows,
    tables.hugging_face_rows,
    folders.mi_lira_rows,
    folders.lira_pytorch_rows,
    folders.lira_analysis_rows,
    folders.privacy_meter_rows,
    folders.leak_pro_rows,
    folders.tf_privacy_rows,
    folders.train_pool_rows,
    folders.art_rows,
    folders.mialibrary_rows,
]


BOOK = HERE.parents[3] / "book" / "inputs.md"
BEGIN, END = "<!-- sources: written by crates/cli/tests/sources/make.py -->\n", "<!-- end of sources -->"


def line(row):
    """A row of the table in the book."""
    origin = "" if row["source"] == "library" else f" ({row['source']})"
    result = {"taken": "taken", "refused": f"refused: {row.get('why')}", "wrong": f"not yet: {row.get('reason')}"}[row["result"]]
    call, form = (text.replace("|", "\\|").replace("`", "'") for text in (row["call"], row["format"]))
    return f"| {row['tool']} {row['version']}{origin} | `{call}` | `{form}` | {result} |"


def table(all_rows):
    """Into the book, between its two marks."""
    tested = [r for r in all_rows if r["result"] != "wrong"]
    taken = sum(r["result"] == "taken" for r in tested)
    tools = len({r["tool"] for r in all_rows})
    head = [
        f"{len(tested)} rows of {tools} tools: {taken} are taken, {len(tested) - taken} refused.",
        "",
        "| tool and version | call | format | |",
        "|---|---|---|---|",
    ]
    before, rest = BOOK.read_text().split(BEGIN)
    after = rest.split(END)[1]
    BOOK.write_text(before + BEGIN + "\n".join([*head, *map(line, all_rows)]) + "\n" + END + after)


def main(only):
    rows.shared()
    for step in STEPS:
        if not only or step.__name__ in only:
            step()
    (HERE / "manifest.json").write_text(json.dumps(rows.ROWS, indent=1) + "\n")
    if not only:
        table(rows.ROWS)
    print(len(rows.ROWS), "rows")


if __name__ == "__main__":
    main(sys.argv[1:])
