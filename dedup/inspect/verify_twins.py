"""Compare each duplicate of an output with its twin.

Similarities are recomputed from the raw texts by the plain definitions, without compiled code, so that an error in the
compiled code cannot confirm itself.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from dedup.arrays import decode_utf8, encode_utf8
from dedup.findings import DROP, Finding, first_evidence
from dedup.fingerprint.similarity import containment, jaccard, similarity_in_order
from dedup.inspect.article_rows import Mismatch
from dedup.inspect.compared_texts import ComparedText, TextGroup
from dedup.inspect.names import RecordKey, finding_name, record_name, twin_key
from dedup.inspect.output import Output
from dedup.inspect.stored_twins import Duplicate, StoredTwin, TwinFolder, store_known_twins
from dedup.inspect.verify_articles import CheckedArticles, TaskMapper
from dedup.inspect.verify_site_text import line_problems, place_problem, row_of
from dedup.kernels.backend import load_backend
from dedup.match.contained import CONTAINED_SHARE
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
from dedup.segment.facts import fact_marks
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

_COMPARED_BYTES = 1 << 20  # of texts that are compared in one batch; a single duplicate and its twins may have more


class _TwinTask(NamedTuple):
    """A batch of duplicates, the places of their twins, and the twins that cannot be checked."""

    batch: int
    twins: dict[RecordKey, StoredTwin]
    unchecked: set[RecordKey]


class _Comparison(NamedTuple):
    """A finding of `text`, and its twin: an article and its text, a line of site text, or None if it is missing."""

    finding: Finding
    text: ComparedText
    twin: StoredTwin | SiteTextRow | None
    other: ComparedText | None


def check_twins(
    output: Output,
    checked: CheckedArticles,
    site_text: Sequence[SiteTextRow],
    folder: TwinFolder,
    workers: TaskMapper | None = None,
) -> Iterator[Mismatch]:
    """Yield the mismatches between findings that name a twin and the text of that twin.

    `checked` has the places of the texts in `folder`, and `site_text` are the lines that are twins. Without `workers`,
    this process compares all texts.
    """
    named = set().union(*checked.named.values())
    known, problems = store_known_twins(output, named, folder)
    yield from dict.fromkeys(problems.values())
    stored = checked.stored | known
    compiled = workers is not None and workers.compiled
    task = partial(_check_duplicates, settings=output.settings, folder=folder, compiled=compiled)
    tasks = (
        _TwinTask(batch, {key: stored[key] for key in keys if key in stored}, keys & problems.keys())
        for batch, keys in checked.named.items()
    )
    for mismatches in workers.map(task, tasks) if workers else map(task, tasks):
        yield from mismatches
    for number, row in enumerate(site_text):
        if number not in checked.placed_lines:
            problem = place_problem("", row)  # of no article
            if problem:
                yield Mismatch(record_name(row.source, row.record), problem)


def _check_duplicates(task: _TwinTask, settings: Settings, folder: TwinFolder, *, compiled: bool) -> list[Mismatch]:
    """Return the mismatches between articles and the twins that their findings name."""
    backend = load_backend(compiled=compiled)
    rows = folder.site_text()
    mismatches: list[Mismatch] = []
    for duplicates in _duplicate_groups(folder.duplicates(task.batch), task.twins):
        texts = TextGroup(settings, rows, folder, backend)
        compared = []
        for duplicate in duplicates:
            text = texts.of_duplicate(duplicate)
            compared.append((duplicate, text, list(_comparisons(duplicate, text, texts, task))))
        comparisons = [comparison for _, _, of_duplicate in compared for comparison in of_duplicate]
        placed = [text for duplicate, text, _ in compared if duplicate.first_lines]
        texts.analyze(*_texts_to_analyze(comparisons, placed))
        for duplicate, text, of_duplicate in compared:
            lines = [rows[line] for line in duplicate.first_lines]
            wrong_places = (place_problem(text.repaired(row.start, row.stop), row) for row in lines)
            mismatches += [Mismatch(duplicate.where, problem) for problem in wrong_places if problem]
            for comparison in of_duplicate:
                name = finding_name(comparison.finding)
                problems = _comparison_problems(comparison, texts)
                mismatches += [Mismatch(duplicate.where, f"{name}: {problem}") for problem in problems]
    return mismatches


def _duplicate_groups(duplicates: list[Duplicate], twins: dict[RecordKey, StoredTwin]) -> Iterator[list[Duplicate]]:
    """Yield groups of duplicates to compare at once; with their twins, each has about `_COMPARED_BYTES`."""
    group: list[Duplicate] = []
    size = 0
    for duplicate in duplicates:
        keys = set(map(twin_key, duplicate.findings))
        added = len(duplicate.raw) + sum(twins[key].size for key in keys if key is not None and key in twins)
        if group and size + added > _COMPARED_BYTES:
            yield group
            group, size = [], 0
        group.append(duplicate)
        size += added
    yield group


def _comparisons(duplicate: Duplicate, text: ComparedText, texts: TextGroup, task: _TwinTask) -> Iterator[_Comparison]:
    """Yield the comparisons for the findings of a duplicate, except for twins that cannot be checked."""
    for finding in duplicate.findings:
        key = twin_key(finding)
        if key is None:
            yield _Comparison(finding, text, row_of(finding, texts.rows) if finding.rule == BOILERPLATE else None, None)
        elif key not in task.unchecked:
            twin = task.twins.get(key)
            is_same = key == (duplicate.source, duplicate.record)
            other = text if is_same else None if twin is None else texts.of_twin(twin)
            yield _Comparison(finding, text, twin, other)


def _comparison_problems(comparison: _Comparison, texts: TextGroup) -> Iterator[str]:
    """Yield what is wrong with a finding that names a twin."""
    finding, text, twin, other = comparison
    if isinstance(twin, SiteTextRow):
        yield from line_problems(finding, text.repaired(finding.start, finding.stop), twin)
    elif twin is None or other is None:
        yield f"{_twin_description(finding)} is not there"
    else:
        yield from _twin_problems(finding, text, twin, other, texts)


def _texts_to_analyze(
    comparisons: Iterable[_Comparison], placed: Iterable[ComparedText]
) -> tuple[Collection[ComparedText], Collection[ComparedText]]:
    """Return the texts to repair, which include `placed`, and the texts to compare as a whole."""
    repaired: dict[ComparedText, None] = dict.fromkeys(placed)
    whole: dict[ComparedText, None] = {}
    for finding, text, twin, other in comparisons:
        if isinstance(twin, SiteTextRow):
            repaired[text] = None
        elif other is not None and not _are_copies(finding, text, other):
            repaired |= {text: None, other: None}
            if finding.rule in _ARTICLE_RULES:
                whole |= {text: None, other: None}
    return repaired.keys(), whole.keys()


def _are_copies(finding: Finding, text: ComparedText, twin: ComparedText) -> bool:
    """Return True if a finding calls two texts duplicates, and they are equal without any repair."""
    return finding.rule == "duplicate-article" and text.raw == twin.raw and text.site_text == twin.site_text


def _twin_problems(
    finding: Finding, text: ComparedText, stored: StoredTwin, twin: ComparedText, texts: TextGroup
) -> Iterator[str]:
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
    if finding.rule in _ARTICLE_RULES:
        for span, whole in (((finding.start, finding.stop), text.raw), ((start, stop), twin.raw)):
            if span != (0, len(whole)):
                yield f"{name}: both are whole articles, but a span is {span[0]}-{span[1]} of {len(whole)} characters"
    # A whole article may repeat one of which the only paragraph repeats a third: each of the two drops has its twin.
    is_of_paragraph = finding.action == DROP and finding.rule not in _ARTICLE_RULES
    if is_of_paragraph and any(first <= start < stop <= last for first, last in stored.drops):
        yield f"{name} was dropped there"
    if _are_copies(finding, text, twin):
        yield from _similarity_problems(finding, b"", b"", ARTICLE_SHINGLE, text.settings)  # of equal keys
    elif finding.rule in _ARTICLE_RULES:
        yield from _whole_problems(finding, text, twin, texts)
    else:
        yield from _part_problems(finding, text.repaired(finding.start, finding.stop), twin.repaired(start, stop), text)


def _whole_problems(finding: Finding, text: ComparedText, twin: ComparedText, texts: TextGroup) -> Iterator[str]:
    """Yield what is wrong with a finding that compares whole articles."""
    key, other = text.key, twin.key
    if finding.rule == ARTICLE_MATCH_RULES[CONTAINED]:
        key, other = text.own_key, twin.own_key
        if containment(key, other, ARTICLE_SHINGLE) < CONTAINED_SHARE:
            yield f"{finding.twin!r} contains less than {CONTAINED_SHARE:.0%} of it"
    yield from _fact_problems(finding, text, twin, texts)
    yield from _similarity_problems(finding, key, other, ARTICLE_SHINGLE, text.settings)


def _part_problems(finding: Finding, span: str | None, twin_span: str | None, text: ComparedText) -> Iterator[str]:
    """Yield what is wrong with a finding about parts of articles; a repaired part is None if it is uncertain."""
    if span is None or twin_span is None:
        return
    if span == twin_span:
        keys = "", ""  # equal ones, and equal facts
    else:
        keys = comparison_key(span), comparison_key(twin_span)
        if finding.rule == SHARED_PARAGRAPH and keys[0] == keys[1] and fact_marks(span) != fact_marks(twin_span):
            yield f"{finding.twin!r} has the same words and other facts"
    encoded = encode_utf8(keys[0]), encode_utf8(keys[1])
    yield from _similarity_problems(finding, *encoded, PARAGRAPH_SHINGLE, text.settings)


def _fact_problems(finding: Finding, text: ComparedText, twin: ComparedText, texts: TextGroup) -> Iterator[str]:
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
    forms, one, other = texts.forms, texts.form_of(text), texts.form_of(twin)
    if stated == SAME_STORY_EVIDENCE:
        if find_same_story(forms, one, np.array([other])) < 0:
            yield f"compared with {finding.twin!r}, it is not the same story"
        return
    evidence = form_evidence(forms, one, other) if find_copy(forms, one, np.array([other])) < 0 else None
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
