"""Read the articles to clean, and those of other corpora that they are compared with: the *known* articles.

Sources of known articles begin with ``against/``, so that a twin's source says in which corpus it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.errors import InputError
from dedup.read.formats import STDIN
from dedup.read.hosts import hosts_of_files
from dedup.read.inputs import InputFiles, find_inputs
from dedup.read.objects import GivenArticles, ObjectReader
from dedup.read.records import BATCH_BYTES, RECORD_SCHEMA, RecordReader
from dedup.read.remote import is_address
from dedup.read.selection import RecordSource
from dedup.runtime.paths import path_from
from dedup.settings import Settings

AGAINST = "against/"  # begins the source of a known article
INDEX = "index/"  # begins that of one from an index; then comes the number of the run that has added it

Given = list[str | Path] | GivenArticles


class KnownRecords:
    """The records of other corpora, as `reader` gives them, with sources that begin with `AGAINST`.

    `paths` are the files and folders that were given, none for articles in memory.
    """

    def __init__(self, reader: RecordSource, paths: Sequence[str | Path] = ()) -> None:
        self.reader = reader
        self.paths = paths

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """An entry for each source, after the iteration."""
        return [{**entry, "source": f"{AGAINST}{entry['source']}"} for entry in self.reader.inputs]

    @property
    def total_bytes(self) -> int | None:
        """The bytes that will be read, None if that is not known."""
        return self.reader.total_bytes

    def fresh_bytes(self) -> int:
        """Return the number of bytes read since the last call."""
        return self.reader.fresh_bytes()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        place = RECORD_SCHEMA.get_field_index("source")
        for batch in self.reader:
            names = [f"{AGAINST}{name}" for name in batch.column(place).to_pylist()]
            yield batch.set_column(place, RECORD_SCHEMA.field(place), pa.array(names, pa.string()))

    @property
    def summary(self) -> KnownInputs:
        """The paths and sources that were read, complete after the iteration."""
        return KnownInputs(self.paths, self.inputs)


class KnownInputs(NamedTuple):
    """Inputs of the known articles: the given `paths`, none for articles in memory, and all sources."""

    paths: Sequence[str | Path]
    inputs: Sequence[dict[str, Any]]

    def run_entry(self, out: Path | None) -> dict[str, Any]:
        """Return what ``run.json`` says: the given paths, as they lead there from the folder `out`, and all sources.

        So equal runs have equal paths, and a folder of corpora can move as a whole.
        """
        given = [name if is_address(name) or out is None else path_from(out, name) for name in map(str, self.paths)]
        return {"given": given, "inputs": list(self.inputs)}


def open_records(
    source: Given,
    against: Given | None,
    settings: Settings,
    batch_bytes: int,
    first_batch_bytes: Sequence[int],
    ignore: Path | None,
) -> tuple[RecordReader | ObjectReader, KnownRecords | None]:
    """Return the reader of the articles to clean, of files or of Python objects, and that of the known articles.

    `ignore` is the output to be written, which is not read. The first batches of the articles to clean have
    `first_batch_bytes`, all others `batch_bytes`. Where both are files, those without a host get the one that
    they have in one run over all files.
    """
    sizes: dict[str, Any] = {"batch_bytes": batch_bytes, "first_batch_bytes": first_batch_bytes}
    if isinstance(source, GivenArticles):
        known = None if against is None else open_known(against, settings, batch_bytes, ignore)
        return ObjectReader(source, settings, **sizes), known
    files = find_inputs(source, **_file_choices(settings, ignore))
    if against is None or isinstance(against, GivenArticles):
        known = None if against is None else open_known(against, settings, batch_bytes, ignore)
        return RecordReader(files, settings, **sizes), known
    others = find_known(against, settings, ignore)
    sources = [*files.sources, *others.sources]
    hosts = hosts_of_files([file.name for file in sources])
    named = [file._replace(host=host) for file, host in zip(sources, hosts, strict=True)]
    count = len(files.sources)
    records = RecordReader(files._replace(sources=named[:count]), settings, **sizes)
    known_records = RecordReader(others._replace(sources=named[count:]), settings, batch_bytes=batch_bytes)
    return records, KnownRecords(known_records, against)


def open_known(
    against: Given, settings: Settings, batch_bytes: int = BATCH_BYTES, ignore: Path | None = None
) -> KnownRecords:
    """Return the reader of known articles, of files or of Python objects."""
    if isinstance(against, GivenArticles):
        return KnownRecords(ObjectReader(against, settings, batch_bytes=batch_bytes))
    files = find_known(against, settings, ignore)
    return KnownRecords(RecordReader(files, settings, batch_bytes=batch_bytes), against)


def find_known(paths: Sequence[str | Path], settings: Settings, ignore: Path | None = None) -> InputFiles:
    """Return the files of known articles that `paths` refer to. Raises `InputError` as `find_inputs` does."""
    check_known_paths(paths)
    return find_inputs(paths, **_file_choices(settings, ignore))


def check_known_paths(paths: Sequence[Any]) -> None:
    """Raise `InputError` if standard input is among the paths of known articles."""
    if any(str(path) == STDIN for path in paths):
        raise InputError("`against`: standard input is for the articles to clean; name files or folders")


def _file_choices(settings: Settings, ignore: Path | None) -> dict[str, Any]:
    """Return what `find_inputs` takes besides paths."""
    return {"input_format": settings.input_format, "ignore": ignore}


def check_sources(inputs: Sequence[dict[str, Any]], known_inputs: Sequence[dict[str, Any]]) -> None:
    """Raise `InputError` if an input has the source of a known article: twins are named by their source."""
    clash = {entry["source"] for entry in inputs} & {entry["source"] for entry in known_inputs}
    if clash:
        raise InputError(f"{min(clash)}: an input and a file of `against` would have this name; rename the folder")
