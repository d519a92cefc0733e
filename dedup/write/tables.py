"""From outcomes to files: complete or absent.

All work happens in a hidden folder beside the destination; the finished folder is renamed into place as the last
step. What exists is replaced only if asked for, and only if it is an output of ours. Lines are encoded where the
outcomes are made, so that processes exchange bytes.
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
from dedup.read import fields as record_fields
from dedup.read.fields import PROVENANCE
from dedup.write.report import Tally

ARTICLES, DROPPED, FINDINGS, QUARANTINE = "articles", "dropped", "provenance", "quarantine"
TABLES = (ARTICLES, DROPPED, FINDINGS, QUARANTINE)
LOG_FILE = "run.log.json"
ENDINGS = {"none": "", "gz": ".gz", "zst": ".zst"}
_GZIP_LEVEL = 6


# A finding as an object of JSON, which the encoder makes in a tenth of the time that a dict takes.
_FindingRow = msgspec.defstruct("_FindingRow", Finding._fields)
_ENCODER = msgspec.json.Encoder()


class OutputChunk(NamedTuple):
    """Lines of the four tables for one run of records, and their tally."""

    articles: bytes
    dropped: bytes
    provenance: bytes
    quarantine: bytes
    tally: Tally


def encode_tables(outcomes: Iterable[Outcome]) -> OutputChunk:
    """The output lines of `outcomes`, in their order."""
    tables: dict[str, list[bytes]] = {name: [] for name in (ARTICLES, DROPPED, QUARANTINE)}
    findings: list[Finding] = []
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
        if outcome.error is not None:
            tables[QUARANTINE].append(record_fields.to_json_bytes(quarantine_row(outcome)))
            continue
        table = DROPPED if outcome.dropped else ARTICLES
        tables[table].append(_article_line(outcome))
        findings += outcome.findings
    joined = {name: b"\n".join((*rows, b"")) for name, rows in tables.items()}
    return OutputChunk(**joined, provenance=finding_lines(findings), tally=tally)


def provenance_object(outcome: Outcome) -> dict[str, Any]:
    """The `provenance_object` object of an article, kept or dropped."""
    made: dict[str, Any] = {
        "source": outcome.source,
        "record": outcome.record,
        "sha256": sha256(encode_utf8(outcome.raw)).hexdigest(),
        "findings": len(outcome.findings),
    }
    if outcome.dropped:
        made["rule"] = outcome.dropped.rule
        made["twin"] = outcome.dropped.twin.article
        made["similarity"] = outcome.dropped.similarity
    return made


def quarantine_row(outcome: Outcome) -> dict[str, Any]:
    """One row of the quarantine table."""
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
    """Lines of the provenance table."""
    try:
        return _ENCODER.encode_lines(starmap(_FindingRow, findings))
    except UnicodeEncodeError:  # a lone surrogate
        return b"".join(record_fields.to_json_bytes(finding._asdict()) + b"\n" for finding in findings)


def _article_line(outcome: Outcome) -> bytes:
    found = record_fields.parse_fields(outcome.fields)
    found[outcome.text_field] = record_fields.to_json(outcome.raw if outcome.dropped else outcome.cleaned)
    made = provenance_object(outcome)
    if PROVENANCE in found:
        made["previous"] = found[PROVENANCE]
    found[PROVENANCE] = record_fields.to_json(made)
    return record_fields.join_fields(found)


class Writer:
    """The four tables of an output, open for appending."""

    def __init__(self, folder: Path, compress: str) -> None:
        self.folder = folder
        self.compress = compress
        self.files: dict[str, BinaryIO] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        for name in TABLES:
            path = self.folder / f"{name}.jsonl{ENDINGS[self.compress]}"
            self.files[name] = self.stack.enter_context(_open(path, self.compress))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def write(self, chunk: OutputChunk) -> None:
        """Appends a chunk to the tables."""
        for name in TABLES:
            data: bytes = getattr(chunk, name)
            if data:
                self.files[name].write(data)


@contextmanager
def _open(path: Path, compress: str) -> Iterator[BinaryIO]:
    """`path` for writing; the same bytes written give the same file, so no time and no name go into a header."""
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
    """`value` as indented JSON."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
