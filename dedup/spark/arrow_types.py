"""Convert Arrow columns to the types that Spark has, and back.

Spark has no unsigned integers, no large types and no types of fixed size. Conversion changes the type only: values stay
the same, and an unsigned integer of 64 bits keeps its bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64

_SQL_NAMES = {"int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "bool": "boolean"}


def spark_type(kind: pa.DataType) -> pa.DataType:
    """Return the Arrow type in which Spark holds values of `kind`."""
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, spark_type(field.type)) for field in kind])
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(spark_type(kind.value_type))
    if pa.types.is_unsigned_integer(kind):
        return pa.int64()
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_large_binary(kind):
        return pa.binary()
    return pa.string() if pa.types.is_large_string(kind) else kind


def sql_type(kind: pa.DataType) -> str:
    """Return the name in Spark's SQL of `kind`, a type that Spark has.

    >>> sql_type(pa.list_(pa.int64()))
    'array<bigint>'
    """
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{sql_type(field.type)}' for field in kind)}>"
    if pa.types.is_list(kind):
        return f"array<{sql_type(kind.value_type)}>"
    name = str(kind)
    return _SQL_NAMES.get(name, name)


def sql_schema(columns: Mapping[str, pa.DataType]) -> str:
    """Return the schema of a table in Spark's SQL, given the type of each column by name.

    >>> sql_schema({"aid": pa.int64(), "key": pa.large_binary()})
    '`aid` bigint, `key` binary'
    """
    return ", ".join(f"`{name}` {sql_type(spark_type(kind))}" for name, kind in columns.items())


def cast_bits(column: Any, kind: pa.DataType) -> Any:
    """Return the Arrow array `column` as `kind`; integers keep their bits, even where the sign changes."""
    return column if column.type == kind else column.cast(kind, safe=False)


def spark_batch(columns: Mapping[str, Any], kinds: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """Return a record batch for Spark with the columns of `kinds`, in its order.

    `columns` holds an Arrow array, or a list of values, for each name in `kinds`; all of one length.
    """
    arrays = []
    for name, kind in kinds.items():
        values = columns[name]
        array = values if isinstance(values, pa.Array) else pa.array(values, spark_type(kind))
        arrays.append(cast_bits(array, spark_type(kind)))
    return pa.RecordBatch.from_arrays(arrays, list(kinds))


def flatten_lists(column: pa.ListArray) -> tuple[Any, I64]:
    """Return the values of a list column, and the borders between rows: int64 [rows + 1]."""
    borders = np.asarray(column.offsets, np.int64)
    return column.flatten(), borders - borders[0]
