"""Put the texts of findings side by side: what was removed and its twin, a repair before and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dedup.errors import FindingError
from dedup.findings import FIX, Finding
from dedup.inspect.article_rows import Article
from dedup.inspect.names import RecordKey, record_name, twin_key
from dedup.inspect.word_diff import CONTEXT, DIFFERS, OMITTED, TextPiece, diff_words
from dedup.repairs.equal_fixes import is_run
from dedup.report.gather import Known, repair_kind
from dedup.report.page import Example, NamedArticle, RepairRow

_BEGINNING = 160  # characters of a text that stand for it
_SPAN_CONTEXT = 120  # characters shown before and after a span
_CHANGE_AROUND = 40  # the same for a repair
_CHANGE_SHOWN = 120  # characters of a repair
_FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)


def day_name(day: int | None) -> str | None:
    """Return a day since 1970 as text in ISO 8601.

    >>> day_name(365)
    '1971-01-01'
    """
    try:
        return None if day is None else (_FIRST_DAY + timedelta(days=day)).date().isoformat()
    except OverflowError:
        return None


def member(key: RecordKey, known: Known | None) -> NamedArticle:
    """Return an article by name; `known` is None if it was not read."""
    place = record_name(*key)
    if known is None:
        return NamedArticle(name=place, place=place, source=key[0])
    return NamedArticle(name=known.id, place=place, source=known.source, day=day_name(known.day))


def raw_of(article: Article) -> str:
    """Return the raw text of an article; its text as it is if the findings do not lead back to the raw text."""
    try:
        return article.raw
    except FindingError:
        return article.text


def beginning_of(text: str) -> str:
    r"""Return the first words of a text, in one line.

    >>> beginning_of("One.\n\nTwo.")
    'One. Two.'
    """
    words = " ".join(text[: 2 * _BEGINNING].split())
    return words if len(words) <= _BEGINNING else words[:_BEGINNING].rpartition(" ")[0] or words[:_BEGINNING]


def example_of(
    finding: Finding,
    choice: str,
    article: Article,
    twin: Article | None,
    known: tuple[NamedArticle, NamedArticle | None],
) -> Example:
    """Return a finding in `article` with its twin beside it; `known` are both articles by name."""
    raw = raw_of(article)
    span = raw[finding.start : finding.stop]
    if twin is not None and finding.twin_start is not None and finding.twin_stop is not None:
        twin_raw = raw_of(twin)
        words = diff_words(span, twin_raw[finding.twin_start : finding.twin_stop])
        text, twin_text = words.before, _with_context(words.after, twin_raw, finding.twin_start, finding.twin_stop)
    else:
        text, twin_text = diff_words(span, span).before, ()
    return Example(
        rule=finding.rule,
        action=finding.action,
        choice=choice,
        article=known[0],
        twin=known[1],
        similarity=finding.similarity,
        evidence=finding.evidence,
        text=_with_context(text, raw, finding.start, finding.stop),
        twin_text=twin_text,
    )


def _with_context(
    pieces: tuple[TextPiece, ...], text: str, start: int, stop: int, size: int = _SPAN_CONTEXT
) -> tuple[TextPiece, ...]:
    """Return the pieces of a span with a few characters of the text before and after it."""
    before, after = text[max(0, start - size) : start], text[stop : stop + size]
    if start > size:  # begin and end with a whole word, if there is one
        before = "… " + (before.partition(" ")[2] or before)
    if stop + size < len(text):
        after = (after.rpartition(" ")[0] or after) + " …"
    around = TextPiece(CONTEXT, before), TextPiece(CONTEXT, after)
    return tuple(piece for piece in (around[0], *pieces, around[1]) if piece.text)


def repair_of(finding: Finding, article: Article | None, count: int, articles: int) -> RepairRow:
    """Return a kind of repair with one of its findings, before and after, and the text around it."""
    old, new = finding.original or "", finding.replacement or ""
    if is_run(finding):  # the text between the fixes does not change
        words = diff_words(old[:_CHANGE_SHOWN], new[:_CHANGE_SHOWN], context=4)
        before, after = words.before, words.after
    else:
        before, after = _change(old), _change(new)
    if article is not None and finding.action == FIX:
        raw = raw_of(article)
        before = _with_context(before, raw, finding.start, finding.stop, _CHANGE_AROUND)
        after = _with_context(after, raw, finding.start, finding.stop, _CHANGE_AROUND)
    return RepairRow(
        rule=finding.rule,
        kind=repair_kind(finding),
        count=count,
        articles=articles,
        before=before,
        after=after,
        where=record_name(finding.source, finding.record),
    )


def _change(text: str) -> tuple[TextPiece, ...]:
    """Return the text of a change, and its beginning if it is long."""
    shown = [TextPiece(DIFFERS, text[:_CHANGE_SHOWN])]
    if len(text) > _CHANGE_SHOWN:
        shown.append(TextPiece(OMITTED, f" [… {len(text) - _CHANGE_SHOWN:,} more characters]"))
    return tuple(shown)


def twin_keys(findings: list[Finding]) -> set[RecordKey]:
    """Return the keys of the articles of `findings` and of their twins."""
    keys = {(finding.source, finding.record) for finding in findings}
    return keys | {key for key in map(twin_key, findings) if key is not None}
