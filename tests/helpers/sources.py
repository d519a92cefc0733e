"""Give one set of articles as each kind of Python object that the API takes."""

from __future__ import annotations

import importlib
import sqlite3
from collections import UserDict
from types import MappingProxyType

import pyarrow as pa
import pytest


def library(name):
    """Return an optional library; skip the test where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed")


class Capsule:
    """An object that offers nothing but an Arrow stream."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class ArrayCapsule:
    """An object that offers nothing but one Arrow array."""

    def __init__(self, batch):
        self._batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self._batch.__arrow_c_array__(requested_schema)


def arrow(rows):
    return pa.Table.from_pylist(rows)


def sqlite_rows(rows):
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    names = list(rows[0])
    database.execute(f"create table articles ({', '.join(names)})")
    marks = ", ".join("?" for _ in names)
    database.executemany(f"insert into articles values ({marks})", [tuple(row.values()) for row in rows])
    selected = database.execute("select * from articles").fetchall()
    database.close()
    return selected


def dataset(rows):
    return library("datasets").Dataset.from_list(rows)


def relation(rows):
    table = arrow(rows)
    return library("duckdb").from_arrow(table)


def chunked(rows):
    table = arrow(rows)
    return pa.concat_tables([table.slice(0, 1), table.slice(1)])


# Kinds whose results come back as the same kind; "same" gives their type, and `to_rows` reads one as dicts.
TABLES = {
    "pandas": lambda rows: library("pandas").DataFrame(rows),
    "polars": lambda rows: library("polars").DataFrame(rows),
    "polars lazy": lambda rows: library("polars").LazyFrame(rows),
    "dataset": dataset,
    "dataset with indices": lambda rows: dataset(rows[::-1]).select(range(len(rows) - 1, -1, -1)),
    "arrow table": arrow,
    "arrow table in chunks": chunked,
    "arrow batch": pa.RecordBatch.from_pylist,
    "arrow reader": lambda rows: chunked(rows).to_reader(),
}
KINDS = {
    **TABLES,
    "list": list,
    "tuple": tuple,
    "generator": lambda rows: (row for row in rows),
    "dict values": lambda rows: dict(enumerate(rows)).values(),
    "mapping proxies": lambda rows: [MappingProxyType(row) for row in rows],
    "user dicts": lambda rows: [UserDict(row) for row in rows],
    "rows of sqlite3": sqlite_rows,
    "iterable dataset": lambda rows: dataset(rows).to_iterable_dataset(),
    "duckdb relation": relation,
    "capsule of a stream": lambda rows: Capsule(chunked(rows)),
    "capsule of an array": lambda rows: ArrayCapsule(pa.RecordBatch.from_pylist(rows)),
}


def to_rows(table):
    """Return the rows of a table of any kind as dicts."""
    if hasattr(table, "collect"):  # polars, lazy
        table = table.collect()
    if isinstance(table, pa.RecordBatchReader):
        table = table.read_all()
    if isinstance(table, (pa.Table, pa.RecordBatch)):
        return table.to_pylist()
    if hasattr(table, "to_dicts"):  # polars
        return table.to_dicts()
    if hasattr(table, "iloc"):  # pandas
        return table.astype(object).where(table.notna(), None).to_dict("records")
    return list(table)


def columns_of(table):
    """Return the names of the columns of a table of any kind."""
    if hasattr(table, "collect_schema"):  # polars
        return table.collect_schema().names()
    if hasattr(table, "column_names"):  # datasets, Arrow
        return table.column_names
    return table.schema.names if hasattr(table, "schema") else list(table.columns)
