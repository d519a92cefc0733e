"""Read articles that are Python objects: mappings, texts, or the rows of a table in memory.

They become the same records as the lines of a file of JSON lines on standard input: their source is ``-``, their record
number is their position. `source_of` says what an object given as input is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import pyarrow as pa

from dedup.errors import InputError
from dedup.read.formats import JSON_LINES, STDIN
from dedup.read.frames import Frame, frame_of, texts_of_column
from dedup.read.json_rows import has_text, is_missing, json_line, lenient_json_line, no_text_error, type_name
from dedup.read.records import BATCH_BYTES, BATCH_RECORDS, RECORD_SCHEMA
from dedup.settings import Settings

_TEXT = "text"  # the field of an article that is given as a string
_ROWS_CHECKED = 1000  # of a table, for a text
_COLUMNS_SHOWN = 12
_SOURCE_HELP = "give paths, dicts such as {'text': ...}, or a table (pandas, polars, Arrow, datasets)"
_NAME_BYTES = 255  # of a file: more than any file system takes
_TEXT_SHOWN = 40  # characters of a text in a message

Row = Mapping[Any, Any]


class ArrowStreamData(Protocol):
    """Data that gives itself as a stream of Arrow batches, such as a data frame."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule with the stream."""


class ArrowArrayData(Protocol):
    """Data that gives itself as one Arrow array, such as a record batch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Return capsules with schema and array."""


ArrowData = ArrowStreamData | ArrowArrayData


class GivenArticles(NamedTuple):
    """Articles that were given as objects: an iterator over them, and the table that they are rows of, if any.

    `texts` is True if strings were given, each of them an article.
    """

    rows: Iterator[Any]
    frame: Frame | None = None
    texts: bool = False

    def mappings(self, settings: Settings) -> Iterator[Row]:
        """Yield the articles as mappings. Raises `InputError` for anything else, and for a table without texts."""
        if self.frame is not None:
            return _checked_rows(self.frame, settings)
        return (self.mapping(row, place, settings) for place, row in enumerate(self.rows))

    def mapping(self, item: Any, place: int, settings: Settings) -> Row:
        """Return the article at `place` as a mapping. Raises `InputError` if `item` is no article."""
        return _as_mapping(item, place, (settings.text_field or _TEXT) if self.texts else None)


def paths_among(*sources: Any) -> list[str | Path]:
    """Return the paths among `sources`, each a path, a list of paths, None, or articles, which have none."""
    lists = [source if isinstance(source, list) else [source] for source in sources]
    return [place for each in lists for place in each if isinstance(place, (str, Path))]


def source_of(source: Any, *, strings: Literal["paths", "articles"] = "paths") -> list[str | Path] | GivenArticles:
    """Return the paths that `source` gives, or its articles. Raises `InputError` if it is neither.

    A single string is a path. `strings` says what the strings of an iterable are. Only the first item of an iterator
    is read.
    """
    if isinstance(source, GivenArticles):
        return source
    if isinstance(source, (str, Path)):
        return [_as_path(source)]
    frame = frame_of(source)
    if frame is not None:
        return GivenArticles(iter(()), frame)
    column = texts_of_column(source)
    if column is not None:
        return GivenArticles(iter(column), texts=True)
    items = _items(source)
    first = list(islice(items, 1))
    together = chain(first, items)
    if not first:
        return [] if strings == "paths" and not isinstance(source, Iterator) else GivenArticles(together)
    if isinstance(first[0], Path) or (isinstance(first[0], str) and strings == "paths"):
        return _all_paths(together)
    return GivenArticles(together, texts=isinstance(first[0], str))


def _as_path(source: str | Path, strings: str = "a single string is a path", instead: str = "[text]") -> str | Path:
    """Return `source`, a path or an address. Raises `InputError` if it can only be a text.

    The error says what `strings` are here, and what to give `instead`.
    """
    name = str(source)
    too_long = "://" not in name and any(len(part.encode(errors="replace")) > _NAME_BYTES for part in name.split("/"))
    if too_long or not {"\n", "\0"}.isdisjoint(name):
        raise InputError(f"source: {strings}, and {name[:_TEXT_SHOWN]!r}… is none; for a text give {instead}")
    return source


def _items(source: Any) -> Iterator[Any]:
    """Return an iterator over the items of `source`. Raises `InputError` if it is no iterable of articles."""
    if isinstance(source, Mapping):
        if type(source).__module__.startswith("datasets"):
            part = next(iter(source), "train")
            raise InputError(f"source: a {type(source).__name__} holds several data sets; give one: source[{part!r}]")
        raise InputError("source: a dict is a single article; give a list of dicts: [article]")
    if isinstance(source, (bytes, bytearray, memoryview)):
        raise InputError("source: bytes are neither a path nor articles; decode them, and give [text]")
    if hasattr(source, "read"):
        raise InputError("source: an open file; give its path, or '-' for standard input")
    if hasattr(source, "__aiter__"):
        raise InputError("source: an asynchronous iterable; give it to dedup.aiter_clean")
    try:
        return iter(source)
    except TypeError:
        raise InputError(f"source: cannot read {type_name(source)}; {_SOURCE_HELP}") from None


def _all_paths(items: Iterable[Any]) -> list[str | Path]:
    """Return `items` as paths. Raises `InputError` if one of them is none."""
    paths = []
    for place, item in enumerate(items):
        if not isinstance(item, (str, Path)):
            raise InputError(f"source: item {place} is {type_name(item)} among paths; give one kind of thing")
        paths.append(_as_path(item, "the strings of a list are paths", "{'text': text}"))
    return paths


def _as_mapping(item: Any, place: int, text_field: str | None) -> Row:
    """Return an article as a mapping; a string becomes its `text_field`, if strings were given. Raises `InputError`."""
    if isinstance(item, Mapping):
        return item
    kind = type_name(item)
    if text_field is not None:
        if isinstance(item, str):
            return {text_field: str.__str__(item)}
        raise InputError(f"article {place}: {kind} among strings; give one kind of thing")
    if hasattr(item, "keys") and hasattr(item, "__getitem__"):  # such as a row of sqlite3
        return {name: item[name] for name in item.keys()}  # noqa: SIM118 - no mapping, so iterating gives values
    if hasattr(item, "_asdict"):
        raise InputError(f"article {place}: {kind} is no dict; give article._asdict()")
    if hasattr(item, "__dataclass_fields__"):
        raise InputError(f"article {place}: {kind} is no dict; give dataclasses.asdict(article)")
    raise InputError(f"article {place}: {kind} is no article; give dicts such as {{'text': ...}}")


def _checked_rows(frame: Frame, settings: Settings) -> Iterator[Row]:
    """Yield the rows of a table. Raises `InputError` if there are none, or if the first of them have no text."""
    rest = frame.iter_rows()
    first = list(islice(rest, _ROWS_CHECKED))
    if not first:
        raise InputError(f"a {frame.kind} without rows; give one with articles")
    if not any(has_text(row, settings) for row in first):
        shown = ", ".join(frame.names[:_COLUMNS_SHOWN]) + (", …" if len(frame.names) > _COLUMNS_SHOWN else "")
        chosen = f"in {settings.text_field!r}" if settings.text_field else "that can be guessed"
        raise InputError(
            f"a {frame.kind} without a text {chosen}; of its columns ({shown}), name one with `text_field`"
        )
    return chain(first, rest)


class ObjectReader:
    """A reader of articles that are Python objects; iterating yields record batches of `RECORD_SCHEMA`.

    It has the attributes of `dedup.read.records.RecordReader`. Size and SHA-256 of its only input are those of the
    articles as lines of JSON. Raises `InputError` for an object that is no article.
    """

    def __init__(
        self,
        given: GivenArticles,
        settings: Settings,
        *,
        batch_bytes: int = BATCH_BYTES,
        first_batch_bytes: Sequence[int] = (),
    ) -> None:
        self.batch_bytes = batch_bytes
        self._limits = chain(first_batch_bytes, repeat(batch_bytes))
        self.inputs: list[dict[str, str | int]] = []
        self.sizes: list[int] = []
        self.skipped: list[str] = []
        self._hash = hashlib.sha256()
        self._size = 0
        self._reported = 0
        self._encoder = RowEncoder(given, settings)
        self._batches = self._encode(given.mappings(settings))
        self._first = list(islice(self._batches, 1))  # wrong objects are found before any work

    @property
    def total_bytes(self) -> int | None:
        """The size of all articles as lines of JSON in bytes; None if they are more than one batch."""
        return self._size if self.inputs else None

    @property
    def estimated_bytes(self) -> int | None:
        """The same as `total_bytes`."""
        return self.total_bytes

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""
        reported, self._reported = self._reported, self._size
        return self._size - reported

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return chain(self._first, self._batches)

    def _encode(self, rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
        """Yield the batches of records. Raises `InputError` if there is not a single one."""
        records: list[JsonRecord] = []
        count = size = 0
        limit = next(self._limits)
        for row in rows:
            record = self._encoder.whole(row, count)
            records.append(record)
            count += 1
            size += len(record.data)
            self._size += len(record.data) + 1
            self._hash.update(record.data)
            self._hash.update(b"\n")
            if size >= limit or len(records) == BATCH_RECORDS:
                self.sizes.append(size)
                yield record_batch(records, count - len(records))
                records, size, limit = [], 0, next(self._limits)
        if not count:
            raise InputError(f"source: no articles in it; {_SOURCE_HELP}")
        self.inputs.append({"source": STDIN, "bytes": self._size, "sha256": self._hash.hexdigest()})
        if records:
            self.sizes.append(size)
            yield record_batch(records, count - len(records))


class JsonRecord(NamedTuple):
    """An article as a line of JSON, and the reason if it cannot be an article."""

    data: bytes
    error: str | None


class RowEncoder:
    """An encoder of articles as records. In the rows of pandas, NaN means that a value is missing."""

    def __init__(self, given: GivenArticles, settings: Settings) -> None:
        self.settings = settings
        self.nan_is_missing = given.frame is not None and given.frame.nan_is_missing

    def whole(self, row: Row, place: int) -> JsonRecord:
        """Return the article at `place` with all its values. Raises `InputError` if JSON cannot hold one of them."""
        row = self._present(row)
        return JsonRecord(json_line(row, f"article {place}"), no_text_error(row, self.settings))

    def readable(self, row: Row) -> JsonRecord:
        """Return an article with all that JSON can hold: enough to read text, id, date and source."""
        row = self._present(row)
        return JsonRecord(lenient_json_line(row), no_text_error(row, self.settings))

    def raw(self, row: Row) -> bytes:
        """Return an article as the quarantine shows it."""
        return lenient_json_line(self._present(row), allow_nan=True)

    def _present(self, row: Row) -> Row:
        if not self.nan_is_missing:
            return row
        return {name: None if is_missing(value) else value for name, value in row.items()}


def record_batch(records: Sequence[JsonRecord], first: int) -> pa.RecordBatch:
    """Return `records` with the schema `RECORD_SCHEMA`, numbered from `first` on."""
    count = len(records)
    columns: dict[str, Iterable[Any]] = {
        "source": [STDIN] * count,
        "kind": [JSON_LINES] * count,
        "record": range(first, first + count),
        "data": [record.data for record in records],
        "error": [record.error for record in records],
    }
    arrays = [pa.array(columns.get(field.name, [None] * count), field.type) for field in RECORD_SCHEMA]
    return pa.record_batch(arrays, schema=RECORD_SCHEMA)
