"""Read one article of an output with the twin of one of its findings, and lay both out for a page."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.errors import FindingError
from dedup.findings import Finding
from dedup.inspect.article_rows import Article
from dedup.inspect.names import twin_key
from dedup.inspect.output import Output
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SiteTextRow
from dedup.report.sampled_output import SampledOutput
from dedup.view.pieces import SLICE, TextMark, TextSlice, differing_marks, marks_of, slice_text


class ArticleReader:
    """The articles of an output by their keys, and its lines of site text."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._sampled = SampledOutput(output)
        self.site_text: list[SiteTextRow] = list(output.site_text())
        self._names = list(output.sources)

    def read(self, source_number: int, record: int) -> Article | None:
        """Return the article of a record, with its findings; None if there is none."""
        return self._find((self._names[source_number], record))

    def twin_of(self, finding: Finding) -> Article | None:
        """Return the article that a finding repeats; None if it repeats none."""
        key = twin_key(finding)
        return None if key is None else self._find(key)

    def line_of(self, rule: str, row: int | None) -> SiteTextRow | None:
        """Return the line of site text that a finding of `rule` repeats, by its number; None if it repeats none."""
        if rule != BOILERPLATE or row is None or not 0 <= row < len(self.site_text):
            return None
        return self.site_text[row]

    def _find(self, key: tuple[str, int]) -> Article | None:
        if self._sampled.is_out_of_reach(key):  # in a compressed table, which has to be read up to it
            return self.output.articles_by_key([key]).get(key)
        return self._sampled.find([key], limit=False).get(key)


class ShownPair(NamedTuple):
    """An article beside the twin of one of its findings, which may be missing, each a slice of its raw text.

    `chosen` is the place of that finding; `raw` is the whole raw text of the article.
    """

    article: Article
    raw: str
    text: TextSlice
    chosen: int | None
    twin: Article | None
    twin_text: TextSlice | None
    line: SiteTextRow | None


def show_pair(
    reader: ArticleReader, article: Article, chosen: int | None, start: int | None, twin_start: int | None
) -> ShownPair:
    """Return an article beside the twin of its finding `chosen`, by default the first that has one.

    The slices begin at `start` and `twin_start`, by default so that the finding and what it repeats are in them.
    """
    raw = raw_or_text(article)
    findings = article.findings
    if chosen is None or not 0 <= chosen < len(findings):
        chosen = next((place for place, each in enumerate(findings) if each.twin is not None), 0 if findings else None)
    marks = marks_of(findings, len(raw)) if article.kept or raw == article.text else []
    twin: Article | None = None
    twin_text: TextSlice | None = None
    line: SiteTextRow | None = None
    if chosen is not None:
        finding = findings[chosen]
        line = reader.line_of(finding.rule, finding.twin_record)
        twin = reader.twin_of(finding)
        start = _slice_start(finding.start) if start is None else start
        if twin is not None and finding.twin_start is not None and finding.twin_stop is not None:
            twin_raw = raw_or_text(twin)
            span = finding.twin_start, finding.twin_stop
            here, there = differing_marks(raw, (finding.start, finding.stop), twin_raw, span)
            marks += here
            twin_marks = [TextMark(*span, "twin"), *there] if span != (0, len(twin_raw)) else there
            twin_start = _slice_start(span[0]) if twin_start is None else twin_start
            twin_text = slice_text(twin_raw, twin_start, twin_marks)
    return ShownPair(article, raw, slice_text(raw, start or 0, marks, findings), chosen, twin, twin_text, line)


def _slice_start(place: int) -> int:
    """Return where the slice with this place of a text begins."""
    return place // SLICE * SLICE


def raw_or_text(article: Article) -> str:
    """Return the raw text of an article; its text as it is if the findings do not lead back to the raw text."""
    try:
        return article.raw
    except FindingError:
        return article.text


def article_fields(article: Article, shown: int = 300) -> list[tuple[str, str]]:
    """Return the fields of an article but for its text, as text, each shortened to `shown` characters."""
    fields: list[tuple[str, Any]] = [
        (name, bytes(value)) for name, value in article.fields.items() if name != article.text_field
    ]
    return [(name[:shown], value[: 4 * shown].decode("utf-8", "replace")[:shown]) for name, value in fields]
