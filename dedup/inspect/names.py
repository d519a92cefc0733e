"""Identify records and twins, and name records and findings in messages."""

from __future__ import annotations

from dedup.findings import Finding
from dedup.match.policy import BOILERPLATE

RecordKey = tuple[str, int]  # source and record number: the identity of an article, since ids may repeat


def record_name(source: str | None, record: int | None) -> str:
    """Return the name of a record.

    >>> record_name("news.jsonl", 12)
    'news.jsonl#12'
    """
    return f"{source}#{record}"


def named_with_place(name: str | None, source: str | None, record: int | None) -> str:
    """Return the id of an article and where it is, once if they are equal.

    >>> named_with_place("wire-1", "wire.jsonl", 0), named_with_place("a.jsonl#3", "a.jsonl", 3)
    ('wire-1 (wire.jsonl#0)', 'a.jsonl#3')
    """
    place = record_name(source, record)
    return place if name in {None, "", place} else f"{name} ({place})"


def finding_name(finding: Finding) -> str:
    """Return the name of a finding within its article.

    >>> finding_name(Finding(rule="whitespace", start=3, stop=5))
    'whitespace at 3-5'
    """
    return f"{finding.rule} at {finding.start}-{finding.stop}"


def twin_key(finding: Finding) -> RecordKey | None:
    """Return the source and record number of the article that a finding repeats, None if it repeats none.

    The twin of a line of site text is no article, but a row of the table of site text.
    """
    if finding.rule == BOILERPLATE or finding.twin_source is None or finding.twin_record is None:
        return None
    return finding.twin_source, finding.twin_record
