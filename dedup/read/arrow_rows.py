"""Read Parquet files and Arrow files of any schema: each row becomes a JSON object.

A value keeps what it says: dates and times become ISO 8601, decimals and floats keep their digits, bytes become text if
they are UTF-8 and base64 otherwise, a map becomes an object. JSON has no NaN, so it becomes null; infinity becomes
``1e999``, which JSON readers take for it. A table that this package wrote gives the rows that it would have written to
JSON Lines.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

from dedup.arrays import decode_utf8
from dedup.read.article_tables import fields_from_parquet
from dedup.read.fields import PROVENANCE_FIELD, join_fields, to_json_bytes
from dedup.read.formats import ARROW, INPUT_FORMATS, PARQUET
from dedup.read.json_errors import BadRecordError
from dedup.read.json_lines import FileRow
from dedup.read.streams import damage_error

_BATCH_ROWS = 256  # articles are long
_STREAM_END = b"\xff\xff\xff\xff\0\0\0\0"
_INFINITY = msgspec.Raw(b"1e999")


def read_table_file(path: Path, kind: str) -> Iterator[FileRow]:
    """Yield each row of the Parquet or Arrow file at `path`, with its number; what is damaged ends in an error."""
    record = 0
    try:
        with path.open("rb") as file:
            for batch in _batches(file, kind):
                for data in json_rows(batch):
                    yield record, data, None, None
                    record += 1
    except BadRecordError as error:
        yield record, b"", str(error), None
    except (OSError, EOFError, pa.ArrowException, ValueError, NotImplementedError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        if record or isinstance(error, EOFError):
            yield record, b"", damage_error(OSError(message)), None
        else:
            yield 0, b"", f"not {INPUT_FORMATS[kind].title}, or damaged ({message.rstrip('.')}); write it again", None


def _batches(file: Any, kind: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an open file in small batches."""
    if kind == PARQUET:
        with pq.ParquetFile(file) as table:
            yield from table.iter_batches(_BATCH_ROWS)
        return
    assert kind == ARROW
    head = file.read(8)
    file.seek(0)
    if head.startswith(b"FEA1"):
        from pyarrow import feather  # noqa: PLC0415 - rarely used

        batches: Iterable[pa.RecordBatch] = feather.read_table(file).to_batches()
    elif head.startswith(b"ARROW1"):
        reader = pa.ipc.open_file(file)
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        batches = _stream_batches(file)
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            yield batch.slice(start, _BATCH_ROWS)


def _stream_batches(file: Any) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a stream. Raises `EOFError` if it has no end mark, which Arrow does not require."""
    yield from pa.ipc.open_stream(file)
    end = file.tell()
    file.seek(max(0, end - len(_STREAM_END)))
    if file.read(len(_STREAM_END)) != _STREAM_END:
        raise EOFError(f"the stream ends without its end mark, at byte {end:,}")


def json_rows(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Yield the rows of `batch` as JSON objects.

    >>> list(json_rows(pa.record_batch({"a": ["x", None], "n": [1, 2]})))
    [b'{"a":"x","n":1}', b'{"a":null,"n":2}']
    """
    if is_article_table(batch.schema):
        yield from map(join_fields, fields_from_parquet(batch))
        return
    names = list(batch.schema.names)
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise BadRecordError(f"{names.count(repeated)} columns are called {repeated!r}; give each its own name")
    columns = [json_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield to_json_bytes(dict(zip(names, values, strict=True)))


def is_article_table(schema: pa.Schema) -> bool:
    """Return True if a table of this schema is one of articles that this package wrote."""
    if PROVENANCE_FIELD not in schema.names:
        return False
    kind = schema.field(PROVENANCE_FIELD).type
    members = {member.name for member in kind} if pa.types.is_struct(kind) else set()
    return {"source", "record", "sha256", "findings", "fields", "previous"} <= members


def json_values(array: pa.Array) -> list[Any]:
    """Return the values of a column as values that `to_json_bytes` encodes."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return [None if value is None else str(UUID(bytes=value)) for value in array.storage.to_pylist()]
        return json_values(array.storage)
    for applies, convert in _CONVERSIONS:
        if applies(kind):
            return convert(array)
    return [_plain(value) for value in array.to_pylist()]


def _texts(array: pa.Array) -> list[Any]:
    # Arrow's own conversion fails on texts with lone surrogates.
    return [None if value is None else decode_utf8(value) for value in array.cast(pa.large_binary()).to_pylist()]


def _binaries(array: pa.Array) -> list[Any]:
    return [None if value is None else bytes_as_text(value) for value in array.to_pylist()]


def bytes_as_text(value: bytes) -> str:
    r"""Return bytes as text: decoded if they are UTF-8, else in base64.

    >>> bytes_as_text(b"news"), bytes_as_text(b"\xff")
    ('news', '/w==')
    """
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


def float_value(value: float) -> Any:
    """Return a float as a value that can be encoded: NaN as null, infinity as a number too large for a float."""
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else _INFINITY if value > 0 else msgspec.Raw(b"-" + bytes(_INFINITY))


def _floats(array: pa.Array) -> list[Any]:
    return [None if value is None else float_value(value) for value in array.to_pylist()]


def _short_floats(array: pa.Array) -> list[Any]:
    """Return floats of 16 or 32 bits with as few digits as tell them apart: 0.1, not 0.10000000149011612."""
    shown = array.cast(pa.float32()).cast(pa.string()).to_pylist()
    values = array.to_pylist()
    return [
        None if value is None else float_value(float(text) if math.isfinite(value) else value)
        for value, text in zip(values, shown, strict=True)
    ]


def _decimals(array: pa.Array) -> list[Any]:
    return [None if value is None else msgspec.Raw(f"{value:f}".encode()) for value in array.to_pylist()]


def _times(array: pa.Array) -> list[Any]:
    """Return dates, times and timestamps as ISO 8601, with all digits of the second that are not zero."""
    shown = pc.replace_substring(_in_utc(array).cast(pa.string()), " ", "T", max_replacements=1)
    shown = pc.replace_substring_regex(shown, r"(\.\d*?)0+(Z?)$", r"\1\2")
    return list(pc.replace_substring_regex(shown, r"\.(Z?)$", r"\1").to_pylist())


def _in_utc(array: pa.Array) -> pa.Array:
    """Return timestamps of any zone as those of UTC, which needs no database of zones."""
    if pa.types.is_timestamp(array.type) and array.type.tz:
        return array.cast(pa.timestamp(array.type.unit, "UTC"))
    return array


def _structs(array: pa.Array) -> list[Any]:
    names = [field.name for field in array.type]
    columns = [json_values(column) for column in array.flatten()]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(array))
    valid = array.is_valid().to_pylist()
    return [dict(zip(names, row, strict=True)) if there else None for row, there in zip(rows, valid, strict=True)]


def _lists(array: pa.Array) -> list[Any]:
    values = iter(json_values(array.flatten()))
    sizes = pc.list_value_length(array).to_pylist()
    return [None if size is None else [next(values) for _ in range(size)] for size in sizes]


def _maps(array: pa.Array) -> list[Any]:
    """Return maps as objects; as lists of pairs if a key occurs twice."""
    entry = pa.struct([pa.field("key", array.type.key_type), pa.field("value", array.type.item_type)])
    rows: list[Any] = []
    for pairs in _lists(array.cast(pa.list_(entry))):
        if pairs is None:
            rows.append(None)
            continue
        keys = [key if isinstance(key, str) else to_json_bytes(key).decode() for key in (pair["key"] for pair in pairs)]
        values = [pair["value"] for pair in pairs]
        unique = len(set(keys)) == len(keys)
        rows.append(
            dict(zip(keys, values, strict=True)) if unique else [list(pair) for pair in zip(keys, values, strict=True)]
        )
    return rows


def _dictionary_decoded(array: pa.Array) -> list[Any]:
    return json_values(array.dictionary_decode())


def _runs_decoded(array: pa.Array) -> list[Any]:
    return json_values(pc.run_end_decode(array))


def _int_counts(array: pa.Array) -> list[Any]:
    return list(array.cast(pa.int64()).to_pylist())


def _plain(value: Any) -> Any:
    """Return a value of a rare type, such as a union, as one of JSON."""
    if isinstance(value, float):
        return float_value(value)
    if isinstance(value, bytes):
        return bytes_as_text(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_TYPES = pa.types
_CONVERSIONS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[Any]]], ...] = (
    (lambda kind: _TYPES.is_string(kind) or _TYPES.is_large_string(kind) or _TYPES.is_string_view(kind), _texts),
    (lambda kind: _TYPES.is_boolean(kind) or _TYPES.is_integer(kind), lambda array: list(array.to_pylist())),
    (_TYPES.is_float64, _floats),
    (_TYPES.is_floating, _short_floats),
    (_TYPES.is_decimal, _decimals),
    (_TYPES.is_duration, _int_counts),
    (_TYPES.is_interval, lambda array: list(map(_plain, array.to_pylist()))),
    (_TYPES.is_temporal, _times),
    (_TYPES.is_struct, _structs),
    (_TYPES.is_map, _maps),
    (lambda kind: _TYPES.is_list(kind) or _TYPES.is_large_list(kind) or _TYPES.is_fixed_size_list(kind), _lists),
    (_TYPES.is_dictionary, _dictionary_decoded),
    (_TYPES.is_run_end_encoded, _runs_decoded),
    (
        lambda kind: (
            _TYPES.is_binary(kind)
            or _TYPES.is_large_binary(kind)
            or _TYPES.is_fixed_size_binary(kind)
            or _TYPES.is_binary_view(kind)
        ),
        _binaries,
    ),
)
