"""Copy the texts of twins to a temporary file, from the output and from the corpora that it was compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dedup.arrays import encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.findings import DROP
from dedup.inspect.known_records import is_known
from dedup.inspect.names import RecordKey, record_name
from dedup.inspect.output import Article, Mismatch, Output
from dedup.inspect.verify_site_text import dropped_site_text
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import KNOWN_TWINS_FILE
from dedup.read.article_fields import title_of


class StoredTwin(NamedTuple):
    """The location of a twin's raw text in the temporary file, in bytes, and facts about its article.

    `drops` are the spans that were dropped from the article, in code points of its raw text. `site_text` are the lines
    of site text that it was compared without; those are not among `drops`, since they are kept apart.
    """

    article: str
    kept: bool
    offset: int
    size: int
    drops: list[tuple[int, int]]
    site_text: tuple[str, ...]
    title: str | None


def store_twins(
    output: Output, keys: set[RecordKey], rows: Sequence[SiteTextRow], file: Path
) -> dict[RecordKey, StoredTwin]:
    """Write the raw texts of twins to `file`, and return where they are."""
    stored: dict[RecordKey, StoredTwin] = {}
    with file.open("wb") as texts:
        for article in output.articles(ignore_mismatch):
            if article.key in keys:
                try:
                    data = encode_utf8(article.raw)
                except FindingError:  # the check of the article reports it
                    data = b""
                drops = [
                    (finding.start, finding.stop)
                    for finding in article.findings
                    if finding.action == DROP and finding.rule != BOILERPLATE
                ]
                lines = lines_left_out(article, rows)
                stored[article.key] = StoredTwin(
                    article.id, article.kept, texts.tell(), len(data), drops, lines, title_of_article(article)
                )
                texts.write(data)
    return stored


def store_known_twins(
    output: Output, keys: set[RecordKey], file: Path
) -> tuple[dict[RecordKey, StoredTwin], dict[RecordKey, Mismatch]]:
    """Append the raw texts of known twins, those in other corpora, to `file`; return where they are.

    Returns the mismatches as well, by the twin that cannot be compared because of it. Where a corpus cannot be read,
    that is one mismatch.
    """
    keys = {key for key in keys if is_known(key)} if output.has_known_twins else set()
    stored: dict[RecordKey, StoredTwin] = {}
    problems: dict[RecordKey, Mismatch] = {}
    rows = {(row.source, row.record): row for row in output.known_twins()} if keys else {}
    for key in sorted(keys - rows.keys()):
        problems[key] = Mismatch(record_name(*key), f"is a twin, and not in {KNOWN_TWINS_FILE}")
    try:
        with file.open("ab") as texts:
            for article in output.known_articles(rows.keys() & keys):
                row, data = rows[article.key], encode_utf8(article.raw)
                if hashlib.sha256(data).hexdigest() != row.sha256:
                    problems[article.key] = Mismatch(article.where, "has another text than when it was compared")
                    continue
                title = title_of_article(article)
                stored[article.key] = StoredTwin(
                    article=article.id,
                    kept=True,
                    offset=texts.tell(),
                    size=len(data),
                    drops=[],
                    site_text=row.site_text,
                    title=title,
                )
                texts.write(data)
    except OutputError as error:
        mismatch = Mismatch(KNOWN_TWINS_FILE, f"{len(keys):,} twins cannot be checked: {error}")
        problems |= dict.fromkeys(keys - stored.keys(), mismatch)
    return stored, problems


def title_of_article(article: Article) -> str | None:
    """Return the title of an article, None if it has none or the output leaves it out."""
    return title_of(article.fields, article.text_field)


def lines_left_out(article: Article, rows: Sequence[SiteTextRow]) -> tuple[str, ...]:
    """Return the lines of site text that an article was compared without."""
    return tuple(rows[line].text for line in dropped_site_text(article) if 0 <= line < len(rows))


def ignore_mismatch(_mismatch: Mismatch) -> None:
    """Ignore a mismatch, because the check of articles reports it."""
