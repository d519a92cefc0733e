"""Arrow columns as Spark takes them, and back: it has no unsigned integers, no large types and none of fixed size.

Values change their type only; an unsigned integer of 64 bits keeps its bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def storable(kind: pa.DataType) -> pa.DataType:
    """The type that Spark has for `kind`."""
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, storable(field.type)) for field in kind])
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(storable(kind.value_type))
    if pa.types.is_unsigned_integer(kind):
        return pa.int64()
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_large_binary(kind):
        return pa.binary()
    return pa.string() if pa.types.is_large_string(kind) else kind


_NAMES = {"int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "bool": "boolean"}


def ddl(kind: pa.DataType) -> str:
    """The name of a storable type in Spark's SQL."""
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{ddl(field.type)}' for field in kind)}>"
    if pa.types.is_list(kind):
        return f"array<{ddl(kind.value_type)}>"
    name = str(kind)
    return _NAMES.get(name, name)


def ddl_of(columns: Mapping[str, pa.DataType]) -> str:
    """The columns of a table in Spark's SQL."""
    return ", ".join(f"`{name}` {ddl(storable(kind))}" for name, kind in columns.items())


def cast(column: Any, kind: pa.DataType) -> Any:
    """`column` as `kind`, bits kept."""
    return column if column.type == kind else column.cast(kind, safe=False)


def batch_of(columns: Mapping[str, Any], kinds: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    """A batch for Spark of arrays, or lists of values, by name; in the order of `kinds`."""
    arrays = []
    for name, kind in kinds.items():
        values = columns[name]
        array = values if isinstance(values, pa.Array) else pa.array(values, storable(kind))
        arrays.append(cast(array, storable(kind)))
    return pa.RecordBatch.from_arrays(arrays, list(kinds))
