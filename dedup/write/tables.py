"""Encode outcomes and site text as lines of the tables.

The process that makes the outcomes also encodes them, so that processes exchange bytes, not objects.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from dedup.arrays import encode_utf8
from dedup.decide.outcomes import Outcome
from dedup.findings import Finding
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import ARTICLES, DROPPED, QUARANTINE
from dedup.read.article_texts import put_raw_text, put_text
from dedup.read.field_paths import parse_path
from dedup.read.fields import PROVENANCE_FIELD, Fields, from_json, join_fields, parse_fields, to_json, to_json_bytes
from dedup.write.report import Tally

# The encoder writes a struct as a JSON object in a tenth of the time that it takes for a dict.
_FindingRow = msgspec.defstruct("_FindingRow", Finding._fields)
_FINDING_ENCODER = msgspec.json.Encoder()


class OutputChunk(NamedTuple):
    """Lines of the tables for a number of consecutive records, and their tally; or lines of site text.

    Each line ends with a line feed.
    """

    articles: bytes
    dropped: bytes
    provenance: bytes
    quarantine: bytes
    site_text: bytes
    tally: Tally


def encode_tables(outcomes: Iterable[Outcome], output_fields: Collection[str] | None = None) -> OutputChunk:
    """Return the output lines of `outcomes`, in their order; `output_fields` is the setting of that name."""
    lines: dict[str, list[bytes]] = {name: [] for name in (ARTICLES, DROPPED, QUARANTINE)}
    findings: list[Finding] = []
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
        if outcome.error is not None:
            lines[QUARANTINE].append(to_json_bytes(quarantine_row(outcome)))
            continue
        table = DROPPED if outcome.dropped else ARTICLES
        if output_fields is None or outcome.dropped:
            lines[table].append(_article_line(outcome))
        else:
            fields = chosen_fields(outcome, output_fields)
            tally.output_fields.update(name for name in output_fields if name in fields)
            lines[table].append(_line_of_fields(outcome, fields, {"id": outcome.id}))
        findings += outcome.findings
    joined = {name: b"\n".join((*rows, b"")) for name, rows in lines.items()}
    return OutputChunk(**joined, provenance=finding_lines(findings), site_text=b"", tally=tally)


def site_text_chunk(rows: Iterable[SiteTextRow]) -> OutputChunk:
    """Return rows of the table of site text as a chunk without records."""
    return OutputChunk(b"", b"", b"", b"", encode_site_text(rows), Tally())


def encode_site_text(rows: Iterable[SiteTextRow]) -> bytes:
    """Return the lines of the table of site text."""
    return b"".join(to_json_bytes(row._asdict()) + b"\n" for row in rows)


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
        if outcome.site_text:  # of an article that stays, its findings say so
            provenance["site_text"] = list(outcome.site_text)
    if outcome.charset:
        provenance["charset"] = outcome.charset
    if outcome.page:
        provenance |= {name: from_json(value) for name, value in parse_fields(outcome.page).items()}
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


def chosen_fields(outcome: Outcome, output_fields: Collection[str]) -> Fields:
    """Return the fields of an article in `output_fields`, and its text, in their own order."""
    fields = parse_fields(outcome.fields)
    name = outcome.text_field if outcome.text_field in fields else str(parse_path(outcome.text_field)[0])
    return {field: value for field, value in fields.items() if field in output_fields or field == name}


def _article_line(outcome: Outcome) -> bytes:
    return _line_of_fields(outcome, parse_fields(outcome.fields), {})


def _line_of_fields(outcome: Outcome, fields: Fields, more: dict[str, Any]) -> bytes:
    """Return a line of an article table; `more` goes into `provenance`."""
    provenance = {**provenance_object(outcome), **more}
    if outcome.dropped:
        put_raw_text(fields, outcome.text_field, outcome.raw)
    else:
        provenance |= put_text(fields, outcome.text_field, outcome.cleaned)
    if PROVENANCE_FIELD in fields:
        provenance["previous"] = fields[PROVENANCE_FIELD]
    fields[PROVENANCE_FIELD] = to_json(provenance)
    return join_fields(fields)


def write_json_lines(path: Path, rows: Iterable[object]) -> None:
    """Write `rows` to `path` as lines of JSON."""
    with path.open("wb") as file:
        file.writelines(to_json_bytes(row) + b"\n" for row in rows)
