"""Compare each duplicate of an output with its twin.

Similarities are recomputed from the raw texts by the plain definitions, without compiled code, so that an error in the
compiled code cannot confirm itself.
"""

from __future__ import annotations

import math
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from itertools import accumulate
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from dedup.arrays import decode_utf8, encode_utf8
from dedup.errors import FindingError
from dedup.findings import DROP, Finding, Offsets, apply, first_evidence
from dedup.fingerprint.similarity import containment, jaccard, similarity_in_order
from dedup.inspect.names import RecordKey, finding_name, record_name, twin_key
from dedup.inspect.output import Mismatch, Output
from dedup.inspect.stored_twins import (
    StoredTwin,
    ignore_mismatch,
    lines_left_out,
    store_known_twins,
    store_twins,
    title_of_article,
)
from dedup.inspect.verify_site_text import line_problems, place_problem, row_of
from dedup.match.contained import CONTAINED_SHARE
from dedup.match.form_texts import FormTexts
from dedup.match.known_passages import covered_words, passage_evidence
from dedup.match.policy import (
    ARTICLE_MATCH_RULES,
    BOILERPLATE,
    CONTAINED,
    KNOWN_PASSAGE,
    NEAR_DUPLICATE,
    SHARED_PARAGRAPH,
    is_guarded,
)
from dedup.match.same_form import OTHER_TITLES_EVIDENCE, find_copy, form_evidence
from dedup.match.same_story import SAME_STORY_EVIDENCE, find_same_story
from dedup.match.site_text import SiteTextRow
from dedup.prepare.one_text import AnalyzedText, analyze_text, compared_spans, cut_dropped
from dedup.repairs.notices import own_paragraph_count
from dedup.segment.facts import Mark, fact_marks, fact_marks_and_digits
from dedup.segment.words import comparison_key
from dedup.settings import ARTICLE_SHINGLE, PARAGRAPH_SHINGLE, Settings

# The least similarity of the rules that drop whole articles; None: the setting `threshold`. The drops of
# contained-article and known-passage are justified by what one has of the other, whatever the similarity.
_ARTICLE_RULES = {
    "duplicate-article": 1.0,
    "near-duplicate-article": None,
    "contained-article": 0.0,
    "known-passage": 0.0,
}

_CACHED_TWINS = 64
_BATCH_CHARACTERS = 1 << 18  # in the articles of one task, which takes about half a second

_Task = TypeVar("_Task")
_Answer = TypeVar("_Answer")


class TaskMapper(Protocol):
    """The workers that compare texts, such as `dedup.engines.local.Workers`."""

    def map(self, task: Callable[[_Task], _Answer], items: Iterable[_Task]) -> Iterator[_Answer]:
        """Yield ``task(item)`` for each item, in order."""


class _Duplicate(NamedTuple):
    """An article with findings that name a twin: its raw text, and each finding with its twin, None if not there.

    `site_text` are the lines that it was compared without, and `first_lines` those that have their first place in it.
    """

    where: str
    key: RecordKey
    raw: str
    title: str | None
    site_text: tuple[str, ...]
    first_lines: list[SiteTextRow]
    findings: list[tuple[Finding, StoredTwin | SiteTextRow | None]]


def check_twins(
    output: Output, twins: set[RecordKey], site_text: Sequence[SiteTextRow], workers: TaskMapper | None = None
) -> Iterator[Mismatch]:
    """Yield the mismatches between findings that name a twin and the text of that twin.

    `twins` are the keys of all articles that are twins, `site_text` the lines that are. Without `workers`, this process
    compares all texts.
    """
    with tempfile.TemporaryDirectory(prefix="dedup-") as folder:
        file = Path(folder) / "twins"
        stored = store_twins(output, twins, site_text, file)
        known, problems = store_known_twins(output, twins, file)
        stored |= known
        yield from dict.fromkeys(problems.values())
        task = partial(_check_duplicates, settings=output.settings, file=file)
        batches = _duplicates(output, stored, site_text, problems.keys())
        for mismatches in workers.map(task, batches) if workers else map(task, batches):
            yield from mismatches


def _duplicates(
    output: Output,
    stored: dict[RecordKey, StoredTwin],
    rows: Sequence[SiteTextRow],
    unchecked: Collection[RecordKey | None],
) -> Iterator[list[_Duplicate]]:
    """Yield the articles with findings that name twins, in batches of about `_BATCH_CHARACTERS`.

    Findings with a twin in `unchecked` are left out.
    """
    lines_at: dict[RecordKey, list[SiteTextRow]] = {}
    for row in rows:
        lines_at.setdefault((row.source, row.record), []).append(row)
    batch: list[_Duplicate] = []
    size = 0
    for article in output.articles(ignore_mismatch):
        findings = [finding for finding in article.findings if finding.twin_source is not None]
        findings = [finding for finding in findings if twin_key(finding) not in unchecked]
        if not findings and article.key not in lines_at:
            continue
        try:
            raw = article.raw
        except FindingError:  # the check of the article reports it
            continue
        twins = [_twin_of_finding(finding, stored, rows) for finding in findings]
        lines = lines_left_out(article, rows), lines_at.pop(article.key, [])
        batch.append(
            _Duplicate(
                article.where,
                article.key,
                raw,
                title_of_article(article),
                *lines,
                list(zip(findings, twins, strict=True)),
            )
        )
        size += len(raw)
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    for key, lines_of_place in lines_at.items():  # of no article
        batch.append(_Duplicate(record_name(*key), key, "", None, (), lines_of_place, []))
    yield batch


def _twin_of_finding(
    finding: Finding, stored: dict[RecordKey, StoredTwin], rows: Sequence[SiteTextRow]
) -> StoredTwin | SiteTextRow | None:
    """Return the article or the line of site text that a finding repeats, None if it is not there."""
    if finding.rule == BOILERPLATE:
        return row_of(finding, rows)
    key = twin_key(finding)
    return None if key is None else stored.get(key)


def _check_duplicates(duplicates: list[_Duplicate], settings: Settings, file: Path) -> list[Mismatch]:
    """Return the mismatches between articles and the twins that their findings name."""
    with file.open("rb") as texts:

        @lru_cache(_CACHED_TWINS)
        def text_of(offset: int, size: int, site_text: tuple[str, ...], title: str | None) -> _ComparedText:
            texts.seek(offset)
            return _ComparedText(decode_utf8(texts.read(size)), settings, site_text, title)

        mismatches = []
        for where, key, raw, title, site_text, first_lines, findings in duplicates:
            text = _ComparedText(raw, settings, site_text, title)
            wrong_places = (place_problem(text.repaired(row.start, row.stop), row) for row in first_lines)
            mismatches += [Mismatch(where, problem) for problem in wrong_places if problem]
            for finding, twin in findings:
                if twin is None:
                    problems = iter((f"{_twin_description(finding)} is not there",))
                elif isinstance(twin, SiteTextRow):
                    problems = line_problems(finding, text.repaired(finding.start, finding.stop), twin)
                else:
                    is_same = (finding.twin_source, finding.twin_record) == key
                    other = text if is_same else text_of(twin.offset, twin.size, twin.site_text, twin.title)
                    problems = _twin_problems(finding, text, twin, other)
                mismatches += [Mismatch(where, f"{finding_name(finding)}: {problem}") for problem in problems]
    return mismatches


class _OrderedEdits:
    """Findings by their start, so that those that touch a span are found without looking at all others."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = sorted(findings, key=attrgetter("start"))
        self._latest_stops = list(accumulate((finding.stop for finding in self._findings), max))

    def inside(self, start: int, stop: int) -> list[Finding]:
        """Return the findings that have a character in ``start:stop``, or are between two of its characters."""
        first = bisect_right(self._latest_stops, start)
        last = bisect_left(self._findings, stop, first, key=attrgetter("start"))
        return [finding for finding in self._findings[first:last] if finding.stop > start]


class _ComparedText:
    """A raw text and what `dedup` compares of it, without the lines `site_text`, computed on first use."""

    def __init__(self, raw: str, settings: Settings, site_text: Sequence[str], title: str | None) -> None:
        self.raw = raw
        self.title = title
        self.settings = settings
        self.site_text = site_text

    @cached_property
    def key(self) -> bytes:
        """Return the key by which articles are compared."""
        return encode_utf8(comparison_key(self.compared))

    @cached_property
    def own_key(self) -> bytes:
        """Return the key without the notices at the end of the text."""
        spans = compared_spans(self.analysis, self.settings, self.site_text)
        keys = [(text, comparison_key(text)) for text in (self.analysis.text[start:stop] for start, stop in spans)]
        spoken = [(text, key) for text, key in keys if key]
        count = own_paragraph_count([text for text, _ in spoken])
        return encode_utf8(" ".join(key for _, key in spoken[:count]))

    @cached_property
    def compared(self) -> str:
        """Return the text that articles are compared by."""
        return cut_dropped(self.analysis, self.settings, self.site_text)

    @cached_property
    def facts(self) -> list[Mark]:
        """Return the facts by which articles of equal keys are told apart."""
        marks: list[Mark] = []
        digits = 0  # in the paragraphs before
        for start, stop in compared_spans(self.analysis, self.settings, self.site_text):
            of_paragraph, count = fact_marks_and_digits(self.analysis.text[start:stop])
            marks += (mark._replace(place=mark.place + digits) for mark in of_paragraph)
            digits += count
        return marks

    @cached_property
    def analysis(self) -> AnalyzedText:
        """Return the text level by level."""
        return analyze_text(self.raw, self.settings)

    @cached_property
    def paragraphs(self) -> list[tuple[int, int, str]]:
        """Return the repaired text of each paragraph with its span in the raw text; starts and stops both ascend."""
        offsets = Offsets(self.analysis.findings)
        return [(*offsets.widen(start, stop), self.analysis.text[start:stop]) for start, stop in self.analysis.spans]

    @cached_property
    def edits(self) -> _OrderedEdits:
        """Return the findings of the text level."""
        return _OrderedEdits(self.analysis.findings)

    def repaired(self, start: int, stop: int) -> str | None:
        """Return the repaired paragraphs, or parts of paragraphs, in a span of the raw text.

        None means that a repair crosses a border of the span, so that the text compared is not certain.
        """
        parts = []
        first_place = bisect_right(self.paragraphs, start, key=itemgetter(1))
        for place in range(first_place, len(self.paragraphs)):
            first, last, text = self.paragraphs[place]
            if first >= stop:
                break
            low, high = max(start, first), min(stop, last)
            if low >= high:
                continue
            part = text if (low, high) == (first, last) else self._repaired_part(low, high)
            if part is None:
                return None
            parts.append(part)
        return "\n\n".join(parts)

    def _repaired_part(self, start: int, stop: int) -> str | None:
        edits = self.edits.inside(start, stop)
        if any(edit.start < start or stop < edit.stop for edit in edits):
            return None
        moved = [edit._replace(start=edit.start - start, stop=edit.stop - start) for edit in edits]
        return apply(self.raw[start:stop], moved)


def _twin_problems(finding: Finding, text: _ComparedText, stored: StoredTwin, twin: _ComparedText) -> Iterator[str]:
    """Yield what is wrong with the twin that a finding in `text` names."""
    name = _twin_description(finding)
    if not stored.kept:
        yield f"{name} is dropped itself"
    if stored.article != finding.twin:
        yield f"{name} is named {stored.article!r}"
    start, stop = finding.twin_start, finding.twin_stop
    if start is None or stop is None or not 0 <= start <= stop <= len(twin.raw):
        yield f"{name} is {len(twin.raw)} characters long, its span is {start}-{stop}"
        return
    if finding.action == DROP and any(first <= start < stop <= last for first, last in stored.drops):
        yield f"{name} was dropped there"
    settings = text.settings
    if finding.rule in _ARTICLE_RULES:
        key, other = text.key, twin.key
        if finding.rule == ARTICLE_MATCH_RULES[CONTAINED]:
            key, other = text.own_key, twin.own_key
            if containment(key, other, ARTICLE_SHINGLE) < CONTAINED_SHARE:
                yield f"{finding.twin!r} contains less than {CONTAINED_SHARE:.0%} of it"
        yield from _fact_problems(finding, text, twin)
        yield from _similarity_problems(finding, key, other, ARTICLE_SHINGLE, settings)
        return
    span, twin_span = text.repaired(finding.start, finding.stop), twin.repaired(start, stop)
    if span is not None and twin_span is not None:
        keys = comparison_key(span), comparison_key(twin_span)
        if finding.rule == SHARED_PARAGRAPH and keys[0] == keys[1] and fact_marks(span) != fact_marks(twin_span):
            yield f"{finding.twin!r} has the same words and other facts"
        yield from _similarity_problems(
            finding, encode_utf8(keys[0]), encode_utf8(keys[1]), PARAGRAPH_SHINGLE, settings
        )


def _fact_problems(finding: Finding, text: _ComparedText, twin: _ComparedText) -> Iterator[str]:
    """Yield what is wrong with a match of two articles that have other facts, or with one of their passages."""
    if finding.rule == ARTICLE_MATCH_RULES[KNOWN_PASSAGE]:
        item, words = (decode_utf8(of.key).split(" ") for of in (twin, text))
        share = sum(covered_words(item, words, text.settings.passage_words)) / len(item)
        if share < text.settings.passage_share or first_evidence(finding) != passage_evidence(share):
            yield f"it has {share:.1%} of the words of {finding.twin!r}, in passages"
        return
    if finding.rule != ARTICLE_MATCH_RULES[NEAR_DUPLICATE]:
        if text.key == twin.key and text.facts != twin.facts:
            yield f"{finding.twin!r} has the same words and other facts"
        return
    if not is_guarded(text.settings):
        return
    stated = first_evidence(finding)
    is_told_by_title = (stated or "").startswith(OTHER_TITLES_EVIDENCE)
    if is_told_by_title and (text.title is None or twin.title is None):
        return  # the output has no titles
    texts = FormTexts(compiled=False)
    one, other = texts.add([text.compared, twin.compared], [text.title, twin.title])
    if stated == SAME_STORY_EVIDENCE:
        if find_same_story(texts, one, np.array([other])) < 0:
            yield f"compared with {finding.twin!r}, it is not the same story"
        return
    evidence = form_evidence(texts, one, other) if find_copy(texts, one, np.array([other])) < 0 else None
    if evidence != stated:
        expected = "a copy" if evidence is None else evidence
        yield f"compared with {finding.twin!r}, it is {expected}"


def _similarity_problems(finding: Finding, key: bytes, other: bytes, n: int, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the similarity of a finding, from the keys of the two texts and the shingle size `n`."""
    exact = jaccard(key, other, n)
    least = _least_similarity(finding, settings)
    if finding.similarity is None or not math.isclose(exact, finding.similarity, rel_tol=1e-9):
        yield f"its similarity to {finding.twin!r} is {exact}, not {finding.similarity}"
    elif exact < least and not (
        # A word edited in each paragraph of a version changes many of its shingles, and few of its words.
        finding.rule == "repeated-block"
        and similarity_in_order(decode_utf8(key).split(), decode_utf8(other).split()) >= least
    ):
        yield f"its similarity to {finding.twin!r} is {exact}, below the threshold {least}"


def _least_similarity(finding: Finding, settings: Settings) -> float:
    """Return the similarity that a finding must reach."""
    if first_evidence(finding) == SAME_STORY_EVIDENCE:
        return settings.least_article_similarity
    if finding.rule in _ARTICLE_RULES:
        least = _ARTICLE_RULES[finding.rule]
        return settings.threshold if least is None else least
    return settings.paragraph_threshold


def _twin_description(finding: Finding) -> str:
    """Return the name of a finding's twin in messages."""
    return f"its twin {finding.twin!r} ({record_name(finding.twin_source, finding.twin_record)})"
