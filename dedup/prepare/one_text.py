"""The levels below the corpus for one text: repair, page furniture, paragraphs, repeats.

`dedup.prepare.batch` computes the same for a batch at once. `dedup.inspect` uses this module to verify and to explain
an output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dedup.findings import DROP, FLAG, Finding, compose
from dedup.prepare.own_prose import SITE_LINES, are_beside_prose
from dedup.repairs.page_furniture import find_page_furniture
from dedup.repairs.repair import repair_each
from dedup.repeats.detect import detect_repeats
from dedup.repeats.split_paragraphs import Repeat
from dedup.segment.facts import fact_marks
from dedup.segment.paragraphs import paragraphs, removal_spans
from dedup.segment.words import comparison_key, weighted_word_count
from dedup.settings import Settings
from dedup.site_text.line_forms import form_of

TWIN_IN_BLOCK, TWIN_ALONE = 1, 2  # roles of a paragraph as a twin: see `twin_roles`


class AnalyzedText(NamedTuple):
    """The results of the levels below the corpus for one text.

    Attributes:
        text: the text after the rules of the text level.
        findings: the findings of the text level, with spans in the raw text.
        spans: the spans in `text` of its paragraphs, or of their parts where only a part of one repeats.
        keys: the comparison keys of these spans.
        repeats: the repeats among them.
    """

    text: str
    findings: list[Finding]
    spans: Sequence[tuple[int, int]]
    keys: Sequence[str]
    repeats: list[Repeat]


def analyze_text(raw: str, settings: Settings) -> AnalyzedText:
    """Return the results of the levels below the corpus for one raw text."""
    return analyze_repaired(*repair_text(raw, settings), settings)


def analyze_repaired(text: str, findings: list[Finding], settings: Settings) -> AnalyzedText:
    """Return the results of the levels below the corpus for a repaired `text`; `findings` are its repairs."""
    spans = paragraphs(text)
    keys = [comparison_key(text[start:stop]) for start, stop in spans]
    return AnalyzedText(text, findings, *detect_repeats(text, spans, keys, settings))


def repair_text(raw: str, settings: Settings) -> tuple[str, list[Finding]]:
    """Return `raw` after the rules of the text level, and their findings."""
    text, findings = repair_each(raw, settings)
    return remove_page_furniture(raw, text, findings, settings)


def remove_page_furniture(
    raw: str, text: str, findings: list[Finding], settings: Settings, known: Mapping[int, str] | None = None
) -> tuple[str, list[Finding]]:
    """Return the repaired `text` without its page furniture, and all findings, with spans in `raw`.

    `findings` are those that led from `raw` to `text`. `known` gives the kinds of the lines of `text`, by line number,
    if `dedup.repairs.page_furniture.line_kinds` has already found them.
    """
    lines = find_page_furniture(text, settings, known)
    if lines:
        findings = compose(raw, findings, lines)
        text = cut_spans(text, [(line.start, line.stop) for line in lines if line.action != FLAG])
    return text, findings


def dropped_runs(repeats: Sequence[Repeat], settings: Settings) -> list[tuple[int, int]]:
    """Return the runs of paragraphs, ``(first, last)``, that the rules within an article drop, ascending."""
    return sorted((repeat.first, repeat.last) for repeat in repeats if settings.rules[repeat.rule] == DROP)


def twin_roles(repeats: Sequence[Repeat], settings: Settings) -> dict[int, int]:
    """Return the roles of the paragraphs that are twins of dropped ones, by paragraph number.

    `TWIN_IN_BLOCK` is a paragraph of a run of several that dropped ones repeat. `TWIN_ALONE` is repeated by itself; it
    takes precedence.
    """
    roles: dict[int, int] = {}
    for repeat in repeats:
        if settings.rules[repeat.rule] == DROP:
            role = TWIN_IN_BLOCK if repeat.twin_last > repeat.twin_first else TWIN_ALONE
            for number in range(repeat.twin_first, repeat.twin_last + 1):
                roles[number] = max(roles.get(number, 0), role)
    return roles


def compared_spans(analyzed: AnalyzedText, settings: Settings, site_text: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Return the spans of the paragraphs that articles are compared by, in the repaired text.

    Those of repeats are left out, those of lines that are equal to one of `site_text`, and what is beside the prose of
    a page (`dedup.prepare.own_prose`).
    """
    dropped = {number for first, last in dropped_runs(analyzed.repeats, settings) for number in range(first, last + 1)}
    lines = {(comparison_key(line), tuple(fact_marks(line))) for line in site_text}
    keys = {key for key, _ in lines}

    def is_compared(number: int) -> bool:
        key, (start, stop) = analyzed.keys[number], analyzed.spans[number]
        is_line = key in keys and (key, tuple(fact_marks(analyzed.text[start:stop]))) in lines
        return number not in dropped and not is_line

    compared = [number for number in range(len(analyzed.spans)) if is_compared(number)]
    if len(set(site_text)) >= SITE_LINES:
        left = [number for number in compared if analyzed.keys[number]]
        forms = np.array([form_of(analyzed.text[slice(*analyzed.spans[number])]) for number in left], np.int64)
        sizes = np.array([weighted_word_count(analyzed.keys[number].split()) for number in left], float)
        compared = [
            number for number, is_beside in zip(left, are_beside_prose(forms, sizes), strict=True) if not is_beside
        ]
    return [analyzed.spans[number] for number in compared]


def compared_text(raw: str, settings: Settings, site_text: Sequence[str] = ()) -> str:
    """Return the text that articles are compared by: `raw` repaired, without repeats and the lines `site_text`."""
    return cut_dropped(analyze_text(raw, settings), settings, site_text)


def cut_dropped(analyzed: AnalyzedText, settings: Settings, site_text: Sequence[str] = ()) -> str:
    """Return the repaired text without the paragraphs that `compared_spans` leaves out."""
    compared = set(compared_spans(analyzed, settings, site_text))
    numbers = [number for number, span in enumerate(analyzed.spans) if span not in compared]
    runs = [(number, number) for number in numbers]
    return cut_spans(analyzed.text, removal_spans(analyzed.spans, runs))


def cut_spans(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return `text` without `spans`, which are disjoint and ascending."""
    position = 0
    parts = []
    for start, stop in spans:
        parts.append(text[position:start])
        position = stop
    return "".join((*parts, text[position:]))
