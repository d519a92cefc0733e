"""Encode outcomes as lines of the four tables, and append the lines to files.

The process that makes the outcomes also encodes them, so that processes exchange bytes, not objects.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import msgspec
import pyarrow as pa

from dedup.arrays import encode_utf8
from dedup.decide.outcomes import Outcome
from dedup.findings import Finding
from dedup.output_layout import ARTICLES, DROPPED, QUARANTINE, TABLES, table_file_name
from dedup.read.article_texts import put_raw_text, put_text
from dedup.read.fields import PROVENANCE_FIELD, join_fields, parse_fields, to_json, to_json_bytes
from dedup.write.report import Tally

_GZIP_LEVEL = 6

# The encoder writes a struct as a JSON object in a tenth of the time that it takes for a dict.
_FindingRow = msgspec.defstruct("_FindingRow", Finding._fields)
_FINDING_ENCODER = msgspec.json.Encoder()


class OutputChunk(NamedTuple):
    """Lines of the four tables for a number of consecutive records, and their tally.

    Each line ends with a line feed.
    """

    articles: bytes
    dropped: bytes
    provenance: bytes
    quarantine: bytes
    tally: Tally


def encode_tables(outcomes: Iterable[Outcome]) -> OutputChunk:
    """Return the output lines of `outcomes`, in their order."""
    lines: dict[str, list[bytes]] = {name: [] for name in (ARTICLES, DROPPED, QUARANTINE)}
    findings: list[Finding] = []
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
        if outcome.error is not None:
            lines[QUARANTINE].append(to_json_bytes(quarantine_row(outcome)))
            continue
        table = DROPPED if outcome.dropped else ARTICLES
        lines[table].append(_article_line(outcome))
        findings += outcome.findings
    joined = {name: b"\n".join((*rows, b"")) for name, rows in lines.items()}
    return OutputChunk(**joined, provenance=finding_lines(findings), tally=tally)


def provenance_object(outcome: Outcome) -> dict[str, Any]:
    """Return the `provenance` object of an article, kept or dropped."""
    provenance: dict[str, Any] = {
        "source": outcome.source,
        "record": outcome.record,
        "sha256": sha256(encode_utf8(outcome.raw)).hexdigest(),
        "findings": len(outcome.findings),
    }
    if outcome.dropped:
        provenance["rule"] = outcome.dropped.rule
        provenance["twin"] = outcome.dropped.twin.article
        provenance["similarity"] = outcome.dropped.similarity
    if outcome.charset:
        provenance["charset"] = outcome.charset
    return provenance


def quarantine_row(outcome: Outcome) -> dict[str, Any]:
    """Return the row of the quarantine table for a record that could not be read.

    `raw` is the record as text, or base64 if its bytes are not UTF-8; `encoding` says which.
    """
    try:
        raw, encoding = outcome.data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        raw, encoding = b64encode(outcome.data).decode("ascii"), "base64"
    return {
        "source": outcome.source,
        "record": outcome.record,
        "error": outcome.error,
        "raw": raw,
        "encoding": encoding,
    }


def finding_lines(findings: Sequence[Finding]) -> bytes:
    """Return the lines of the provenance table."""
    try:
        return _FINDING_ENCODER.encode_lines(starmap(_FindingRow, findings))
    except UnicodeEncodeError:  # a lone surrogate
        return b"".join(to_json_bytes(finding._asdict()) + b"\n" for finding in findings)


def _article_line(outcome: Outcome) -> bytes:
    fields = parse_fields(outcome.fields)
    provenance = provenance_object(outcome)
    if outcome.dropped:
        put_raw_text(fields, outcome.text_field, outcome.raw)
    else:
        provenance |= put_text(fields, outcome.text_field, outcome.cleaned)
    if PROVENANCE_FIELD in fields:
        provenance["previous"] = fields[PROVENANCE_FIELD]
    fields[PROVENANCE_FIELD] = to_json(provenance)
    return join_fields(fields)


class Writer:
    """The four tables of an output as JSON lines, open for appending.

    `compress` is none, gz or zst.
    """

    def __init__(self, folder: Path, compress: str) -> None:
        self.folder = folder
        self.compress = compress
        self.files: dict[str, BinaryIO] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        for name in TABLES:
            path = self.folder / table_file_name(name, "jsonl", self.compress)
            self.files[name] = self.stack.enter_context(_open_compressed(path, self.compress))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def write(self, chunk: OutputChunk) -> None:
        """Append a chunk to the tables."""
        for name in TABLES:
            data: bytes = getattr(chunk, name)
            if data:
                self.files[name].write(data)


@contextmanager
def _open_compressed(path: Path, compress: str) -> Iterator[BinaryIO]:
    """Open `path` for writing.

    Equal content gives equal files: the header of a gzip file gets no time and no name.
    """
    with path.open("wb") as file:
        if compress == "gz":
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        elif compress == "zst":
            with pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as packed:
                yield packed
        else:
            yield file


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` as indented JSON."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
