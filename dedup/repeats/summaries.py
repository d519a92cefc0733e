"""Find summaries: lists of sentences at the start or end of an article that repeat sentences from elsewhere in it.

Lines in a row at an end of the article are a summary if each repeats a whole sentence or line from elsewhere. They must
be different statements, and a choice from the article rather than a passage of it. The list is dropped, and the text
elsewhere stays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from dedup.repeats.article import PROSE, Match
from dedup.repeats.drop_plan import Drops, is_prose
from dedup.repeats.units import Units
from dedup.segment.words import weighted_word_count

# As in `dedup.repeats.blocks` for whole paragraphs (`BULLETS` and others), but for what counts as evidence.
SUMMARY = 3  # statements in a row
SUMMARY_PROSE = 2  # of them prose; with 3 recall of sentences as paragraphs falls from 0.994 to 0.965 on releases
SUMMARY_WORDS = 30  # words in them
SUMMARY_LINE = 50  # words in one of them at most
SUMMARY_EDGE = 3  # lines before or behind the row
PRINTS = 2  # times that such a line may stand in the article as a line


def drop_summaries(drops: Drops, found: Sequence[Match]) -> None:
    """Drop lines in a row, at an end of the article, that each repeat whole units from elsewhere."""
    sequence = drops.sequence
    lines = _lines_with_words(sequence)
    twins = _distances_to_twins(sequence, lines, found)
    often = Counter[tuple[str, ...]]()
    for row in _candidate_rows(drops, lines, twins):
        often = often or Counter(_line_words(sequence, line) for line in lines)
        if all(often[_line_words(sequence, lines[line])] <= PRINTS for line in row):
            _drop_summary(drops, lines, row, twins)


def _lines_with_words(sequence: Units) -> list[tuple[int, int]]:
    """Return the first and the last unit of each line that has words."""
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


def _distances_to_twins(sequence: Units, lines: list[tuple[int, int]], found: Sequence[Match]) -> dict[int, int]:
    """Return for each line that is repeated elsewhere as whole units the distance to it, in words."""
    borders, starts = sequence.borders, sequence.starts
    begins = [borders[first] for first, _ in lines]
    twins: dict[int, int] = {}
    for match in found:
        back = sequence.behind(match, SUMMARY_LINE)
        for place, other in ((match.copy, match.source), (match.source, match.copy)):
            for line in range(bisect_left(begins, place - back), len(lines)):
                start, stop = _line_span(sequence, lines[line])
                if stop > place + match.length:
                    break
                if {start + other - place, stop + other - place} <= starts:
                    twins.setdefault(line, other - place)
    return twins


def _line_words(sequence: Units, line: tuple[int, int]) -> tuple[str, ...]:
    return tuple(sequence.words[slice(*_line_span(sequence, line))])


def _line_span(sequence: Units, line: tuple[int, int]) -> tuple[int, int]:
    return sequence.borders[line[0]], sequence.borders[line[1] + 1]


def _candidate_rows(drops: Drops, lines: list[tuple[int, int]], twins: dict[int, int]) -> Iterator[list[int]]:
    """Yield lines in a row at an end of the article that are repeated outside of the row."""
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
    """Return True if a unit is a question, or a line that goes on to the end of one."""
    while sequence.goes_on(unit):
        unit += 1
    return sequence.asks(unit)


def _drop_summary(drops: Drops, lines: list[tuple[int, int]], row: list[int], twins: dict[int, int]) -> None:
    sequence = drops.sequence
    borders = sequence.borders
    told = [_line_words(sequence, lines[line]) for line in row]
    if len(set(told)) < len(row) or 2 * len({twins[line] for line in row}) < len(row):
        return  # lines that repeat within the list, or a passage of the article
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
