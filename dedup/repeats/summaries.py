"""Find summaries: lists of sentences at the start or end of an article that repeat sentences from elsewhere in it.

Lines in a row at an end of the article are a summary if each repeats a whole sentence or line from elsewhere. They must
be different statements, and a choice from the article rather than a passage of it. The list is dropped, and the text
elsewhere stays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from dedup.arrays import I64
from dedup.repeats.article import PROSE, ArticleParagraphs, is_varied
from dedup.repeats.drop_plan import DropPlan
from dedup.repeats.units import Units
from dedup.segment.words import weighted_word_count

SUMMARY = 3  # statements in a row
SUMMARY_PROSE = 2  # of them prose; with 3 recall of sentences as paragraphs falls from 0.994 to 0.965 on releases
SUMMARY_WORDS = 30  # words in them
SUMMARY_LINE = 50  # words in one of them at most
SUMMARY_EDGE = 3  # lines before or behind the row
JUMP_WORDS = 5  # words between two of them elsewhere that are no advertisement
JUMPS = 1 / 2  # share of the neighbours that stand apart elsewhere: a choice from the article
PRINTS = 2  # times that such a line may stand in the article as a line


def drop_summaries(plan: DropPlan, units: Units, runs: I64) -> None:
    """Drop lines in a row, at an end of the article, that each repeat whole units from elsewhere."""
    lines = _lines_with_words(units)
    twins = _distances_to_twins(units, lines, runs)
    often = Counter[tuple[str, ...]]()
    for row in _candidate_rows(plan, units, lines, twins):
        often = often or Counter(_line_words(units, line) for line in lines)
        if all(often[_line_words(units, lines[line])] <= PRINTS for line in row):
            _drop_summary(plan, units, lines, row, twins)


def may_hold_summary(article: ArticleParagraphs) -> bool:
    """Return True if enough words near an end of an article repeat, at different distances, for a summary."""
    runs, sizes, borders = article.runs, article.sizes, sorted(set(article.borders))
    if article.text.count("\n") + 1 < SUMMARY:
        return False
    edge = SUMMARY_EDGE + SUMMARY
    ends = borders[min(edge, len(borders) - 1)], borders[max(0, len(borders) - 1 - edge)]
    sides = runs[:, :2]
    runs = runs[((sides < ends[0]) | (sides + runs[:, 2:] > ends[1])).any(axis=1)]
    distances = runs[:, 0] - runs[:, 1]
    if (distances == distances[:1]).all():
        return False
    return float((sizes[runs[:, 0] + runs[:, 2]] - sizes[runs[:, 0]]).sum()) >= SUMMARY_WORDS


def has_repeated_edge(units: Units, runs: I64) -> bool:
    """Return True if lines in a row, near an end of an article, are each within a run: enough of them for a summary."""
    has_words = units.rows.words > 0
    lines = units.rows.lines[has_words]
    is_first = np.append(True, lines[1:] != lines[:-1])
    starts = units.border_array[:-1][has_words][is_first]
    stops = np.append(starts[1:], units.borders[-1])
    edge = SUMMARY_EDGE + SUMMARY
    for ends in (slice(0, edge), slice(-edge, None)):
        start, stop = starts[ends, None, None], stops[ends, None, None]
        is_inside = ((runs[:, :2] <= start) & (stop <= runs[:, :2] + runs[:, 2:])).any(axis=(1, 2))
        if np.convolve(is_inside, np.ones(SUMMARY)).max() >= SUMMARY:
            return True
    return False


def _is_prose(words: Sequence[str]) -> bool:
    """Return True if words are enough and varied enough to be evidence."""
    return weighted_word_count(words) >= PROSE and is_varied(words)


def _lines_with_words(units: Units) -> list[tuple[int, int]]:
    """Return the first and the last unit of each line that has words."""
    borders = units.borders
    lines: list[tuple[int, int]] = []
    for number, line in enumerate(units.lines):
        if borders[number] == borders[number + 1]:
            continue
        if lines and units.lines[lines[-1][0]] == line:
            lines[-1] = lines[-1][0], number
        else:
            lines.append((number, number))
    return lines


def _distances_to_twins(units: Units, lines: list[tuple[int, int]], runs: I64) -> dict[int, int]:
    """Return for each line that is repeated elsewhere as whole units the distance to it, in words."""
    begins = [units.borders[first] for first, _ in lines]
    twins: dict[int, int] = {}
    for copy, source, length in runs.tolist():
        for place, other in ((copy, source), (source, copy)):
            for line in range(bisect_left(begins, place), len(lines)):
                start, stop = _line_span(units, lines[line])
                if stop > place + length:
                    break
                if {start + other - place, stop + other - place} <= units.starts:
                    twins.setdefault(line, other - place)
    return twins


def _line_words(units: Units, line: tuple[int, int]) -> tuple[str, ...]:
    return tuple(units.words[slice(*_line_span(units, line))])


def _line_span(units: Units, line: tuple[int, int]) -> tuple[int, int]:
    return units.borders[line[0]], units.borders[line[1] + 1]


def _candidate_rows(
    plan: DropPlan, units: Units, lines: list[tuple[int, int]], twins: dict[int, int]
) -> Iterator[list[int]]:
    """Yield lines in a row at an end of the article that are repeated outside of the row."""
    borders = units.borders
    orders = range(min(SUMMARY_EDGE + 1, len(lines))), range(len(lines) - 1, max(-1, len(lines) - 2 - SUMMARY_EDGE), -1)
    for order in orders:
        for begin in order:
            row: list[int] = []
            line = begin
            while line in twins and _may_be_bullet(plan, units, lines[line]):
                start = borders[lines[line][0]] + twins[line]
                stop = borders[lines[line][1] + 1] + twins[line]
                ends = sorted((borders[lines[begin][0]], borders[lines[line][0]]))
                if stop > ends[0] and start < max(ends[1], borders[lines[begin][1] + 1]):
                    break
                row.append(line)
                line += order.step
            goes_on = line in twins and row and twins[line] == twins[row[-1]]
            if len(row) >= SUMMARY and not goes_on:
                yield sorted(row)
                break


def _may_be_bullet(plan: DropPlan, units: Units, line: tuple[int, int]) -> bool:
    first, last = line
    return (
        not any(plan.kept[units.ids[unit]] for unit in range(first, last + 1))
        and units.size(units.borders[first], units.borders[last + 1]) <= SUMMARY_LINE
    )


def _asks(units: Units, unit: int) -> bool:
    """Return True if a unit is a question, or a line that goes on to the end of one."""
    while units.goes_on(unit):
        unit += 1
    return units.asks(unit)


def _drop_summary(
    plan: DropPlan, units: Units, lines: list[tuple[int, int]], row: list[int], twins: dict[int, int]
) -> None:
    told = [_line_words(units, lines[line]) for line in row]
    jumps = sum(abs(twins[line] - twins[before]) >= JUMP_WORDS for before, line in pairwise(row))
    if len(set(told)) < len(row) or jumps < JUMPS * (len(row) - 1):
        return  # lines that repeat within the list, or a passage of the article
    stated = [words for words, line in zip(told, row, strict=True) if not _asks(units, lines[line][1])]
    if sum(map(_is_prose, stated)) < SUMMARY_PROSE:
        return
    if sum(map(weighted_word_count, stated)) < SUMMARY_WORDS or len({twins[line] for line in row}) == 1:
        return
    for line in row:
        first, last = lines[line]
        own = np.arange(units.borders[first], units.borders[last + 1])
        members = [units.ids[unit] for unit in range(first, last + 1)]
        if not any(plan.kept[member] for member in members):
            plan.add(members, units.places[own], units.places[own + twins[line]])
