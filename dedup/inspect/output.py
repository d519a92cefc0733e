"""An output of ``dedup clean``, read back: articles with their findings, one at a time, in input order.

The tables of an output are all sorted by input order, so that articles, dropped articles and findings are
joined by walking through them side by side; no table is ever held in memory. This module refuses to know
what a rule means; it checks only that the tables fit together.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.errors import OutputError, SettingsError
from dedup.findings import DROP, Finding, revert
from dedup.read.fields import (
    PROVENANCE,
    BadRecordError,
    Fields,
    from_json,
    id_of,
    join_fields,
    parse_fields,
    text_of,
    to_json,
)
from dedup.settings import Settings

FORMAT = 1  # of an output; counts up when an older program could no longer read it
RUN = "run.json"
LOG = "run.log.json"
ARTICLES, DROPPED, FINDINGS, QUARANTINE = TABLES = ("articles", "dropped", "provenance", "quarantine")

Key = tuple[str, int]  # source and record: what tells articles apart, since ids may repeat
Order = tuple[int, int]  # place of the source among the inputs, and record
Problem = Callable[[str, str], None]  # is told where and what

_BATCH = 256  # rows of Parquet in memory at a time; articles are long
_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class Article:
    """One article of an output, kept or dropped, with its findings.

    `fields` are the ones that came in, in their order, `previous` provenance included; the text among them is
    `text`: the cleaned text of a kept article, the raw text of a dropped one. `provenance` is what our own
    object says.
    """

    id: str
    source: str
    record: int
    kept: bool
    fields: Fields
    text_field: str
    text: str
    provenance: dict[str, Any]
    findings: list[Finding]

    @property
    def key(self) -> Key:
        """Source and record."""
        return self.source, self.record

    @property
    def where(self) -> str:
        """``source#record``."""
        return f"{self.source}#{self.record}"

    @property
    def raw(self) -> str:
        """The text as it came in. Raises `FindingError` where the findings do not lead back to it."""
        return revert(self.text, self.findings) if self.kept else self.text

    @property
    def cleaned(self) -> str:
        """The text that is left: empty for a dropped article."""
        return self.text if self.kept else ""

    @property
    def dropped_by(self) -> Finding | None:
        """The finding that dropped the whole article."""
        if self.kept:
            return None
        return next((finding for finding in self.findings if finding.action == DROP), None)

    def original(self) -> Fields:
        """The fields as they came in, raw text included."""
        return {**self.fields, self.text_field: to_json(self.raw)} if self.kept else self.fields


_Row = TypeVar("_Row", Article, Finding)


class Quarantined(NamedTuple):
    """One input record that could not be read; `raw` is text, or base64 where `encoding` says so."""

    source: str
    record: int
    error: str
    raw: str
    encoding: str = "utf-8"


def is_text_file(source: str) -> bool:
    """Whether a source is one article of plain text, and not a file of JSON lines.

    >>> is_text_file("2020/taji.txt.gz"), is_text_file("taji.txt.jsonl")
    (True, False)
    """
    return source.lower().removesuffix(".gz").removesuffix(".zst").endswith(".txt")


def table_name(name: str, settings: Settings) -> str:
    """The file name of a table.

    >>> table_name("articles", Settings(compress="zst"))
    'articles.jsonl.zst'
    """
    if settings.format == "parquet":
        return f"{name}.parquet"
    return f"{name}.jsonl" if settings.compress == "none" else f"{name}.jsonl.{settings.compress}"


def open_output(path: str | Path) -> Output:
    """The output in the folder `path`. Raises `OutputError` where it is none, or one this version cannot read."""
    path = Path(path)
    try:
        run = json.loads((path / RUN).read_bytes())
        known = run["dedup"]["format"]
    except (FileNotFoundError, NotADirectoryError):
        raise OutputError(
            f"{path} is not an output of dedup: no {RUN}; give the folder that `dedup clean -o` wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path / RUN}: cannot be read ({error!r}); clean again") from None
    if known != FORMAT:
        raise OutputError(
            f"{path}: written in format {known!r}, this is format {FORMAT}; use the version that wrote it"
        )
    try:
        settings = Settings(**run["settings"])
        sources = {entry["source"]: place for place, entry in enumerate(run["inputs"])}
    except (KeyError, TypeError, SettingsError) as error:
        raise OutputError(f"{path / RUN}: settings or inputs cannot be read ({error}); clean again") from None
    return Output(path, run, settings, sources)


@dataclass(frozen=True)
class Output:
    """An output folder: what ``run.json`` says, and its tables one row at a time."""

    path: Path
    run: dict[str, Any]
    settings: Settings
    sources: dict[str, int]

    def file(self, table: str) -> Path:
        """Where a table is."""
        return self.path / table_name(table, self.settings)

    def articles(self, problem: Problem | None = None) -> Iterator[Article]:
        """Every article, kept and dropped, with its findings, in input order.

        Where the tables do not fit together `problem` is called with the place and what is wrong, and reading
        goes on; without it `OutputError` is raised.
        """
        problem = problem or _stop
        kept = self._lines(ARTICLES, kept=True, problem=problem)
        dropped = self._lines(DROPPED, kept=False, problem=problem)
        findings = iter(self._ordered(self.findings(), FINDINGS, problem))
        waiting = next(findings, None)
        previous: Order = (-1, -1)
        for order, line in merge(kept, dropped, key=lambda pair: pair[0]):
            if order == previous:
                problem(line.where, "stands twice")
            previous = order
            while waiting and waiting[0] < order:
                problem(_where(waiting[1]), "a finding of an article that is not there")
                waiting = next(findings, None)
            while waiting and waiting[0] == order:
                line.findings.append(waiting[1])
                waiting = next(findings, None)
            yield line
        while waiting:
            problem(_where(waiting[1]), "a finding of an article that is not there")
            waiting = next(findings, None)

    def findings(self) -> Iterator[Finding]:
        """Every finding, in the order of the table."""
        path = self.file(FINDINGS)
        defaults = Finding._field_defaults
        for number, row in enumerate(_rows(path)):
            try:
                yield msgspec.convert([row.get(name, defaults[name]) for name in Finding._fields], Finding)
            except msgspec.ValidationError as error:
                raise OutputError(f"{path}: row {number}: not a finding ({error}); clean again") from None

    def quarantined(self) -> Iterator[Quarantined]:
        """Every input record that could not be read, in input order."""
        path = self.file(QUARANTINE)
        for number, row in enumerate(_rows(path)):
            try:
                yield msgspec.convert([row[name] for name in Quarantined._fields], Quarantined)
            except (KeyError, msgspec.ValidationError) as error:
                raise OutputError(f"{path}: row {number}: not a quarantined record ({error}); clean again") from None

    def order(self, row: Article | Finding | Quarantined) -> Order | None:
        """Where a row stands in input order; None where its source is not among the inputs."""
        place = self.sources.get(row.source)
        return None if place is None else (place, row.record)

    def find(self, name: str) -> Iterator[Article]:
        """The articles whose id, or whose ``source#record``, is `name`."""
        return (article for article in self.articles() if name in {article.id, article.where})

    def pick(self, keys: Collection[Key]) -> dict[Key, Article]:
        """The articles of these keys; those that are not there are left out."""
        found: dict[Key, Article] = {}
        if not keys:
            return found
        for article in self.articles():
            if article.key in keys:
                found[article.key] = article
                if len(found) == len(set(keys)):
                    break
        return found

    def _lines(self, table: str, *, kept: bool, problem: Problem) -> Iterator[tuple[Order, Article]]:
        path = self.file(table)
        articles = (self._article(path, number, line, kept=kept) for number, line in enumerate(_objects(path)))
        return self._ordered(articles, table, problem)

    def _article(self, path: Path, number: int, line: Fields, *, kept: bool) -> Article:
        try:
            fields = dict(line)
            ours = parse_fields(bytes(fields.pop(PROVENANCE)))
            if "previous" in ours:  # one came in: it goes back to its place
                fields = {**line, PROVENANCE: ours.pop("previous")}
            provenance = {key: from_json(value) for key, value in ours.items()}
            source, record = msgspec.convert([provenance["source"], provenance["record"]], tuple[str, int])
            settings = self.settings
            if is_text_file(source):
                text_field, name, text = "text", str(from_json(fields["id"])), str(from_json(fields["text"]))
            else:
                text_field, text = text_of(fields, settings)
                _, name = id_of(fields, settings, source, record)
        except (KeyError, ValueError) as error:
            raise OutputError(f"{path}: row {number}: not an article of ours ({error}); clean again") from None
        return Article(name, source, record, kept, fields, text_field, text, provenance, [])

    def _ordered(self, rows: Iterable[_Row], table: str, problem: Problem) -> Iterator[tuple[Order, _Row]]:
        """Each row with its place in input order; rows out of order or of no known input are told of."""
        previous = (-1, -1)
        for row in rows:
            order = self.order(row)
            if order is None:
                problem(_where(row), f"{table}: its source is not among the inputs of {RUN}")
                continue
            if order < previous:
                problem(_where(row), f"{table}: stands out of input order")
            previous = order
            yield order, row


def _where(row: Article | Finding) -> str:
    return f"{row.source}#{row.record}"


def _stop(where: str, what: str) -> None:
    raise OutputError(f"{where}: {what}; the output was changed since: see dedup verify")


def _objects(path: Path) -> Iterator[Fields]:
    """The objects of a table with their own fields: values stay JSON, whatever the table is kept in."""
    if path.suffix == ".parquet":
        yield from _unfolded(path)
        return
    for number, line in enumerate(_lines(path)):
        try:
            yield parse_fields(line)
        except BadRecordError as error:
            raise OutputError(f"{path}: row {number}: {error}; clean again") from None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table with known columns, as plain values."""
    if path.suffix == ".parquet":
        for batch in _batches(path):
            yield from _dicts(batch.schema.names, batch.columns)
        return
    for number, line in enumerate(_lines(path)):
        try:
            row = from_json(line)
        except ValueError as error:
            raise OutputError(f"{path}: row {number}: not JSON ({error}); clean again") from None
        if not isinstance(row, dict):
            raise OutputError(f"{path}: row {number}: not a JSON object; clean again")
        yield row


def _lines(path: Path) -> Iterator[bytes]:
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    try:
        with path.open("rb") as file, pa.input_stream(file, compression=codec) as stream:
            yield from io.BufferedReader(stream, _BUFFER)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with path.open("rb") as file, pq.ParquetFile(file) as table:
            yield from table.iter_batches(_BATCH)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> OutputError:
    if isinstance(error, FileNotFoundError):
        return OutputError(f"{path}: no such file; an output keeps all its tables together, clean again")
    return OutputError(f"{path}: cannot be read ({str(error).splitlines()[0]}); clean again")


def _unfolded(path: Path) -> Iterator[Fields]:
    """Rows of Parquet as the objects of the JSON lines they stand for: present fields only, in their order."""
    for batch in _batches(path):
        names = batch.schema.names
        is_json = {field.name for field in batch.schema if (field.metadata or {}).get(b"json") == b"1"}
        for row in _dicts(names, batch.columns):
            ours = row.pop(PROVENANCE)
            present, previous = ours.pop("fields"), ours.pop("previous")
            fields = {
                name: _json(row[name]) if name in is_json else to_json(row[name]) for name in present if name in row
            }
            if PROVENANCE in present:
                ours["previous"] = _json(previous)
            value = msgspec.Raw(join_fields({name: to_json(value) for name, value in ours.items()}))
            placed = {name: value if name == PROVENANCE else fields[name] for name in present}
            yield {**placed, PROVENANCE: value}


def _json(text: str | None) -> msgspec.Raw:
    return msgspec.Raw((text or "null").encode("utf-8"))


def _dicts(names: Iterable[str], columns: Iterable[pa.Array]) -> Iterator[dict[str, Any]]:
    names = list(names)
    for values in zip(*map(_values, columns), strict=True):
        yield dict(zip(names, values, strict=True))


def _values(array: pa.Array) -> list[Any]:
    """Python values of a column; texts with lone surrogates, which Arrow cannot give, included."""
    kind = array.type
    if pa.types.is_struct(kind):
        return list(_dicts([field.name for field in kind], array.flatten()))
    if pa.types.is_list(kind):
        values = iter(_values(array.flatten()))
        sizes = array.value_lengths().to_pylist()
        return [None if size is None else [next(values) for _ in range(size)] for size in sizes]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        binary = array.cast(pa.binary() if pa.types.is_string(kind) else pa.large_binary())
        return [None if value is None else value.decode("utf-8", "surrogatepass") for value in binary.to_pylist()]
    return array.to_pylist()  # type: ignore[no-any-return]
