"""Reads `t.csv`, `t.jsonl` and `t.parquet` of a folder with pandas, Polars, DuckDB and PyArrow, and compares what they find."""

import json
import os
import sys

import duckdb
import pandas
import polars
import pyarrow.parquet

os.chdir(sys.argv[1])

LABEL, SCORE, OK, TAGS = (f"shown.given.{name}" for name in ("label", "score", "ok", "tags"))
LABELS, SCORES, OKS, COUNTS = ["=1+1", None, None], [1.0, 0.25, None], [True, False, None], [2, 0, None]
TEXTS = ['one, "two"\nthree', "", "no answer"]


def nothing(values):
    """Each library has its own way to say that there is no value."""
    return [None if value is None or value is pandas.NA or value != value else value for value in values]


def check(label, column):
    assert nothing(column("item")) == ["a", "b", "c"], (label, column("item"))
    assert nothing(column("input.text")) == TEXTS, (label, column("input.text"))
    assert nothing(column(LABEL)) == LABELS, (label, column(LABEL))
    assert nothing(column(SCORE)) == SCORES, (label, column(SCORE))
    assert nothing(column(OK)) == OKS, (label, column(OK))


def lengths(column):
    """Lists are JSON text."""
    return [None if text is None else len(json.loads(text)) for text in nothing(column(TAGS))]


table = pyarrow.parquet.read_table("t.parquet")
types = {field.name: str(field.type) for field in table.schema}
assert (types[SCORE], types[OK], types[LABEL], types["input.count"]) == ("double", "bool", "string", "int64"), types
check("pyarrow", lambda name: table[name].to_pylist())
assert table["input.count"].to_pylist() == [9007199254740993, 2, None]

frame = pandas.read_parquet("t.parquet")
check("pandas, Parquet", lambda name: frame[name].tolist())
assert lengths(lambda name: frame[name].tolist()) == COUNTS
frame = pandas.read_csv("t.csv", keep_default_na=False, na_values={LABEL: [""], SCORE: [""], OK: [""], TAGS: [""]})
check("pandas, CSV", lambda name: frame[name].tolist())
frame = pandas.read_json("t.jsonl", lines=True)
check("pandas, JSON lines", lambda name: frame[name].tolist())
assert frame[TAGS][0] == ["x", "y"]

frame = polars.read_parquet("t.parquet")
check("Polars, Parquet", lambda name: frame[name].to_list())
assert (frame.schema[SCORE], frame.schema[OK]) == (polars.Float64, polars.Boolean)
frame = polars.read_csv("t.csv")
check("Polars, CSV", lambda name: frame[name].to_list())
frame = polars.read_ndjson("t.jsonl")
check("Polars, JSON lines", lambda name: frame[name].to_list())

for file in ("'t.parquet'", "read_csv('t.csv', allow_quoted_nulls = false)", "'t.jsonl'"):
    rows = duckdb.sql(f"SELECT * FROM {file}")
    values = dict(zip(rows.columns, zip(*rows.fetchall())))
    check(f"DuckDB, {file}", lambda name: list(values[name]))
mean = duckdb.sql(f"""SELECT avg("{SCORE}") FROM 't.parquet' WHERE "{OK}" IS NOT NULL""").fetchall()
assert mean == [(0.625,)], mean
