"""Sentences of an article that stand again as a list: a summary at its start or its end.

Lines in a row at an end of the article that each stand again elsewhere, as whole sentences or lines, are a summary: if
they are different statements, and a choice from the article rather than a passage of it. What goes is the list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from dedup.repeats.article import PROSE, Match
from dedup.repeats.drop_plan import Drops, is_prose
from dedup.repeats.units import Units
from dedup.segment.words import weighted_word_count

# As in `dedup.repeats.detect` for paragraphs that stand again whole, but for what counts as evidence.
SUMMARY = 3  # statements in a row
SUMMARY_PROSE = 2  # of them prose; with 3 recall of sentences as paragraphs falls from 0.994 to 0.965 on releases
SUMMARY_WORDS = 30  # words in them
SUMMARY_LINE = 50  # words in one of them at most
SUMMARY_EDGE = 3  # lines before or behind the row
PRINTS = 2  # times that such a line may stand in the article as a line


def summaries(drops: Drops, found: Sequence[Match]) -> None:
    """Drops lines in a row, at an end of the article, each of which stands again elsewhere as whole units."""
    sequence = drops.sequence
    lines = _lines(sequence)
    twins = _twins(sequence, lines, found)
    often = Counter[tuple[str, ...]]()
    for row in _rows(drops, lines, twins):
        often = often or Counter(_told(sequence, line) for line in lines)
        if all(often[_told(sequence, lines[line])] <= PRINTS for line in row):
            _summary(drops, lines, row, twins)


def _lines(sequence: Units) -> list[tuple[int, int]]:
    """The first and the last unit of each line that has words."""
    borders, units = sequence.borders, sequence.units
    lines: list[tuple[int, int]] = []
    for number, unit in enumerate(units):
        if borders[number] == borders[number + 1]:
            continue
        if lines and units[lines[-1][0]].line == unit.line:
            lines[-1] = lines[-1][0], number
        else:
            lines.append((number, number))
    return lines


def _twins(sequence: Units, lines: list[tuple[int, int]], found: Sequence[Match]) -> dict[int, int]:
    """Of each line that stands again elsewhere as whole units, the way to there, in words."""
    borders, starts = sequence.borders, sequence.starts
    begins = [borders[first] for first, _ in lines]
    twins: dict[int, int] = {}
    for match in found:
        back = sequence.behind(match, SUMMARY_LINE)
        for place, other in ((match.copy, match.source), (match.source, match.copy)):
            for line in range(bisect_left(begins, place - back), len(lines)):
                start, stop = _words_of(sequence, lines[line])
                if stop > place + match.length:
                    break
                if {start + other - place, stop + other - place} <= starts:
                    twins.setdefault(line, other - place)
    return twins


def _told(sequence: Units, line: tuple[int, int]) -> tuple[str, ...]:
    return tuple(sequence.words[slice(*_words_of(sequence, line))])


def _words_of(sequence: Units, line: tuple[int, int]) -> tuple[int, int]:
    return sequence.borders[line[0]], sequence.borders[line[1] + 1]


def _rows(drops: Drops, lines: list[tuple[int, int]], twins: dict[int, int]) -> Iterator[list[int]]:
    """Lines in a row at an end of the article that stand again outside of the row."""
    borders = drops.sequence.borders
    orders = range(min(SUMMARY_EDGE + 1, len(lines))), range(len(lines) - 1, max(-1, len(lines) - 2 - SUMMARY_EDGE), -1)
    for order in orders:
        for begin in order:
            row: list[int] = []
            line = begin
            while line in twins and _may_be_bullet(drops, lines[line]):
                start = borders[lines[line][0]] + twins[line]
                stop = borders[lines[line][1] + 1] + twins[line]
                ends = sorted((borders[lines[begin][0]], borders[lines[line][0]]))
                if stop > ends[0] and start < max(ends[1], borders[lines[begin][1] + 1]):
                    break
                row.append(line)
                line += order.step
            if len(row) >= SUMMARY:
                yield sorted(row)
                break


def _may_be_bullet(drops: Drops, line: tuple[int, int]) -> bool:
    sequence = drops.sequence
    first, last = line
    return (
        not any(drops.kept[unit] or unit in drops.stays for unit in range(first, last + 1))
        and sequence.size(sequence.borders[first], sequence.borders[last + 1]) <= SUMMARY_LINE
    )


def _asks(sequence: Units, unit: int) -> bool:
    """Whether a unit is a question, or a line that goes on to the end of one."""
    while sequence.goes_on(unit):
        unit += 1
    return sequence.asks(unit)


def _summary(drops: Drops, lines: list[tuple[int, int]], row: list[int], twins: dict[int, int]) -> None:
    sequence = drops.sequence
    borders = sequence.borders
    told = [_told(sequence, lines[line]) for line in row]
    if len(set(told)) < len(row) or 2 * len({twins[line] for line in row}) < len(row):
        return  # lines sung or printed again and again, or what is no choice but a passage
    stated = [words for words, line in zip(told, row, strict=True) if not _asks(sequence, lines[line][1])]
    if sum(map(is_prose, stated)) < SUMMARY_PROSE:
        return
    if sum(map(weighted_word_count, stated)) < SUMMARY_WORDS or len({twins[line] for line in row}) == 1:
        return
    some_gone = any(drops.dropped[lines[line][0]] for line in row)
    for line in row:
        if some_gone and sequence.size(borders[lines[line][0]], borders[lines[line][1] + 1]) < PROSE:
            continue
        drops.drop(range(lines[line][0], lines[line][1] + 1), twins[line])
