"""Read tables that other libraries hold in memory, and give rows of them back as tables of the same kind.

The tables are data frames of pandas and polars, data sets of ``datasets``, tables of Arrow, and any object that offers
its data through the Arrow PyCapsule interface. Libraries are recognized by the names of their types and imported only
to make new tables. Columns that `dedup` does not write keep their types and values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import InputError
from dedup.read.fields import PROVENANCE_FIELD

_SLICE = 1024  # rows turned into Python objects at once

# Members of the provenance of an article; the last four only if it was dropped.
_PROVENANCE_TYPES = {
    "source": pa.string(),
    "record": pa.int64(),
    "sha256": pa.string(),
    "findings": pa.int64(),
    "rule": pa.string(),
    "twin": pa.string(),
    "similarity": pa.float64(),
    "site_text": pa.list_(pa.int64()),
}
_MEMBERS_OF_KEPT = 4
_STRING_TYPES = (pa.string(), pa.large_string(), pa.string_view())


class Selection(NamedTuple):
    """Rows of a table that go into a result.

    `rows` are their ascending positions. `texts` holds new texts by the name of their column and their place in `rows`;
    other rows keep theirs. `provenance` holds one object per row, without `previous`; those of articles that were
    dropped have more members.
    """

    rows: Sequence[int]
    texts: Mapping[str, Mapping[int, str]]
    provenance: Sequence[Mapping[str, Any]]
    dropped: bool


class Frame(Protocol):
    """A table of articles."""

    kind: str  # for messages
    nan_is_missing: bool

    @property
    def names(self) -> list[str]:
        """The names of the columns."""

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as Python objects that do not depend on the libraries installed."""

    def load(self) -> Frame:
        """Return the table in memory, from which rows can be selected."""

    def select(self, selection: Selection) -> Any:
        """Return rows as a table of the same kind, with their new texts and their provenance."""

    def new(self, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
        """Return a table of the same kind with other rows, whose columns are those of `schema`."""


def frame_of(source: Any) -> Frame | None:
    """Return the table that `source` is, None if it is no table. Raises `InputError` if it cannot be read."""
    libraries = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(source).__mro__}
    if ("pandas", "DataFrame") in libraries:
        return _PandasFrame(source)
    if ("polars", "DataFrame") in libraries:
        return _PolarsFrame(source)
    if ("polars", "LazyFrame") in libraries:
        return _PolarsFrame(source.collect(), lazy=True)
    if ("datasets", "Dataset") in libraries:
        return _DatasetFrame(source)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return _arrow_frame(source)
    return None


def texts_of_column(source: Any) -> list[Any] | None:
    """Return the values of `source` if it is one column of Arrow texts, such as a series; else None."""
    if not (hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")):
        return None
    try:
        column = pa.chunked_array(source) if hasattr(source, "__arrow_c_stream__") else pa.array(source)
    except (pa.ArrowException, TypeError, ValueError):
        return None
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return list(column.to_pylist()) if kind in _STRING_TYPES else None


def _arrow_frame(source: Any) -> Frame | None:
    """Return the table behind an object with the Arrow PyCapsule interface, None if it is a single column."""
    if isinstance(source, pa.Table):
        return _ArrowFrame(source)
    try:
        if hasattr(source, "__arrow_c_stream__"):
            return _ArrowStream(source, pa.RecordBatchReader.from_stream(source))
        return _ArrowFrame(pa.Table.from_batches([pa.record_batch(source)]), is_batch=True)
    except (pa.ArrowException, TypeError, ValueError):
        return None


class _ArrowFrame:
    """A table of Arrow; a batch if `is_batch` is set, or a reader if `is_reader` is."""

    kind = "Arrow table"
    nan_is_missing = False

    def __init__(self, table: pa.Table, *, is_batch: bool = False, is_reader: bool = False) -> None:
        _check_names(self.kind, table.column_names)
        self.table = table
        self.is_batch = is_batch
        self.is_reader = is_reader

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        for batch in self.table.to_batches(max_chunksize=_SLICE):
            yield from _rows_of_batch(batch)

    def load(self) -> Frame:
        return self

    def select(self, selection: Selection) -> Any:
        return self._as_given(select_from_arrow(self.table, selection))

    def new(self, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
        return self._as_given(pa.Table.from_pylist(list(rows), schema))

    def _as_given(self, table: pa.Table) -> Any:
        if self.is_batch:
            batches = table.combine_chunks().to_batches()
            return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
        return table.to_reader() if self.is_reader else table


class _ArrowStream:
    """A stream of Arrow batches, which can be read once."""

    kind = "Arrow stream"
    nan_is_missing = False

    def __init__(self, source: Any, reader: pa.RecordBatchReader) -> None:
        _check_names(self.kind, reader.schema.names)
        self.reader = reader
        self.is_batch = isinstance(source, pa.RecordBatch)
        self.is_reader = isinstance(source, pa.RecordBatchReader)

    @property
    def names(self) -> list[str]:
        return list(self.reader.schema.names)

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        for batch in self.reader:
            for start in range(0, batch.num_rows, _SLICE):
                yield from _rows_of_batch(batch.slice(start, _SLICE))

    def load(self) -> Frame:
        return _ArrowFrame(self.reader.read_all(), is_batch=self.is_batch, is_reader=self.is_reader)

    def select(self, selection: Selection) -> Any:
        raise NotImplementedError  # only of what `load` returns

    def new(self, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
        raise NotImplementedError


class _PandasFrame:
    """A data frame of pandas. Rows keep the labels of their index; the index is no field of an article."""

    kind = "pandas DataFrame"
    nan_is_missing = True

    def __init__(self, frame: Any) -> None:
        if frame.columns.nlevels > 1:
            raise InputError("a DataFrame whose columns have several levels; give it columns with plain names")
        self.labels = {str(label): label for label in frame.columns}
        _check_names(self.kind, [str(label) for label in frame.columns])
        self.frame = frame

    @property
    def names(self) -> list[str]:
        return list(self.labels)

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        names = self.names
        for start in range(0, len(self.frame), _SLICE):
            columns = self.frame.iloc[start : start + _SLICE].to_dict("list").values()
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))

    def load(self) -> Frame:
        return self

    def select(self, selection: Selection) -> Any:
        import pandas as pd  # noqa: PLC0415 - the caller has it

        table = self.frame.iloc[list(selection.rows)].copy()
        for name, texts in selection.texts.items():
            label = self.labels.get(name, name)
            known = list(table[label]) if name in self.labels else [None] * len(table)
            values = pd.Series(_with_texts(known, texts), index=table.index, dtype=object)
            kind = table[label].dtype if name in self.labels else object
            table[label] = values.astype(kind) if pd.api.types.is_string_dtype(kind) else values
        provenance = [dict(members) for members in selection.provenance]
        if PROVENANCE_FIELD in self.labels:
            for members, previous in zip(provenance, table[self.labels[PROVENANCE_FIELD]], strict=True):
                members["previous"] = previous
        table[PROVENANCE_FIELD] = pd.Series(provenance, index=table.index, dtype=object)
        return table

    def new(self, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
        import pandas as pd  # noqa: PLC0415

        kinds = {pa.int64(): "Int64", pa.float64(): "Float64"}
        columns = {
            field.name: pd.Series([row[field.name] for row in rows], dtype=kinds.get(field.type, object))
            for field in schema
        }
        return pd.DataFrame(columns)


class _PolarsFrame:
    """A data frame of polars."""

    kind = "polars DataFrame"
    nan_is_missing = False

    def __init__(self, frame: Any, *, lazy: bool = False) -> None:
        self.frame = frame
        self.lazy = lazy

    @property
    def names(self) -> list[str]:
        return list(self.frame.columns)

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        for part in self.frame.iter_slices(_SLICE):
            yield from part.to_dicts()

    def load(self) -> Frame:
        return self

    def select(self, selection: Selection) -> Any:
        import polars as pl  # noqa: PLC0415 - the caller has it

        table = self.frame[list(selection.rows)]
        for name, texts in selection.texts.items():
            known = table[name].to_list() if name in table.columns else [None] * table.height
            table = table.with_columns(pl.Series(name, _with_texts(known, texts), dtype=pl.String))
        members: Any = pl.from_arrow(_provenance_table(selection))
        if PROVENANCE_FIELD in table.columns:
            members = members.with_columns(table[PROVENANCE_FIELD].alias("previous"))
        return self._as_given(table.with_columns(members.to_struct(PROVENANCE_FIELD)))

    def new(self, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
        import polars as pl  # noqa: PLC0415

        return self._as_given(pl.from_arrow(pa.Table.from_pylist(list(rows), schema)))

    def _as_given(self, frame: Any) -> Any:
        return frame.lazy() if self.lazy else frame


class _DatasetFrame:
    """A data set of the library ``datasets``."""

    kind = "Dataset"
    nan_is_missing = False

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    @property
    def names(self) -> list[str]:
        return list(self.dataset.column_names)

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        for table in self.dataset.with_format("arrow").iter(batch_size=_SLICE):
            for batch in table.to_batches():
                yield from _rows_of_batch(batch)

    def load(self) -> Frame:
        return self

    def select(self, selection: Selection) -> Any:
        import datasets  # noqa: PLC0415 - the caller has it

        table = select_from_arrow(self.dataset.with_format("arrow")[:], selection)
        features = datasets.Features.from_arrow_schema(table.schema.remove_metadata())
        written = {*selection.texts, PROVENANCE_FIELD}
        features.update({name: kind for name, kind in self.dataset.features.items() if name not in written})
        return self._dataset(table.cast(features.arrow_schema), features)

    def new(self, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
        import datasets  # noqa: PLC0415

        return self._dataset(pa.Table.from_pylist(list(rows), schema), datasets.Features.from_arrow_schema(schema))

    def _dataset(self, table: pa.Table, features: Any) -> Any:
        import datasets  # noqa: PLC0415

        info = datasets.DatasetInfo(features=features)
        return datasets.Dataset(datasets.table.InMemoryTable(table), info=info, split=self.dataset.split)


def select_from_arrow(table: pa.Table, selection: Selection) -> pa.Table:
    """Return rows of `table` with their new texts and their provenance; other columns keep their types."""
    chosen = bytearray(table.num_rows)
    for row in selection.rows:
        chosen[row] = 1
    # A filter works chunk by chunk; `take` would join the chunks of a column, which fails above 2 GB of text.
    table = table.filter(pc.cast(pa.array(chosen, pa.uint8()), pa.bool_()))
    for name, texts in selection.texts.items():
        place = table.schema.get_field_index(name)
        known = table.column(place).to_pylist() if place >= 0 else [None] * table.num_rows
        kind = table.schema.field(place).type if place >= 0 else pa.string()
        kind = kind if kind in _STRING_TYPES else pa.string()
        table = _with_column(table, pa.field(name, kind), pa.array(_with_texts(known, texts), kind))
    members = _provenance_table(selection)
    if PROVENANCE_FIELD in table.column_names:
        members = members.append_column("previous", table.column(PROVENANCE_FIELD))
    # The method of a table fails for one without rows in Arrow 20.
    column = pa.chunked_array([batch.to_struct_array() for batch in members.to_batches()], pa.struct(members.schema))
    return _with_column(table, pa.field(PROVENANCE_FIELD, column.type), column)


def _with_column(table: pa.Table, field: pa.Field, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return `table` with a column in place of that of the same name, or after the others."""
    place = table.schema.get_field_index(field.name)
    return table.append_column(field, column) if place < 0 else table.set_column(place, field, column)


def _provenance_table(selection: Selection) -> pa.Table:
    """Return the provenance of the rows as a table with one column per member."""
    names = list(_PROVENANCE_TYPES)[: None if selection.dropped else _MEMBERS_OF_KEPT]
    return pa.Table.from_pylist(
        list(selection.provenance), pa.schema([(name, _PROVENANCE_TYPES[name]) for name in names])
    )


def _with_texts(values: list[Any], texts: Mapping[int, str]) -> list[str | None]:
    """Return `values` with the texts at their places; what is no text, such as a list of paragraphs, becomes None."""
    return [texts.get(place, value if isinstance(value, str) else None) for place, value in enumerate(values)]


def _rows_of_batch(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield the rows of an Arrow batch as dicts."""
    names = batch.schema.names
    for values in zip(*map(_values_of_column, batch.columns), strict=True):
        yield dict(zip(names, values, strict=True))


def _values_of_column(column: pa.Array) -> list[Any]:
    """Return the values of a column as Python objects.

    A time with nanoseconds becomes text, since Python has none. Arrow would return one of pandas if that is installed.
    """
    if not pa.types.is_timestamp(column.type) or column.type.unit != "ns":
        return list(column.to_pylist())
    counts = column.cast(pa.int64()).to_pylist()
    microseconds = pa.array([count and count // 1000 for count in counts], pa.timestamp("us", column.type.tz))
    return [
        moment if not count or count % 1000 == 0 else _with_nanoseconds(moment, count % 1000)
        for moment, count in zip(microseconds.to_pylist(), counts, strict=True)
    ]


def _with_nanoseconds(moment: datetime, nanoseconds: int) -> str:
    """Return `moment` in ISO 8601 with three more digits."""
    text = moment.isoformat(timespec="microseconds")
    end = text.index(".") + 7
    return f"{text[:end]}{nanoseconds:03d}{text[end:]}"


def _check_names(kind: str, names: Iterable[str]) -> None:
    """Raise `InputError` if two columns have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{kind}: two columns are called {name!r}; rename one of them")
        seen.add(name)
