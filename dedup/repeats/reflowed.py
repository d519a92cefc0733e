"""Find text that an article repeats with other line breaks: runs of sentences, and sentences as bullets.

Only words that repeat exactly count, and only whole units (`dedup.repeats.units`) are dropped. Matches that follow each
other in both copies, except for whole units that only one copy has, are a chain. A chain is judged by the amount of
prose in it, the unmatched rest of both copies, and the distance between the copies. Lines in a row at an end of the
article that each repeat a line from elsewhere are a summary. Of two copies, the one is dropped of which more can be
dropped, else the later one. The twin of a dropped word is followed to the word that stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from dedup.fingerprint.self_matches import RUN_WORDS
from dedup.repeats.article import PROSE, ArticleParagraphs, Match
from dedup.repeats.drop_plan import Drops, is_prose
from dedup.repeats.headings import are_built_alike
from dedup.repeats.split_paragraphs import ReflowedRepeat
from dedup.repeats.summaries import drop_summaries
from dedup.repeats.thresholds import (
    APART,
    APART_SHARE,
    BLOCK_WORDS,
    DENSE,
    FAR_PARAGRAPHS,
    FAR_WORDS,
    SPARSE,
    WHOLE,
    WHOLE_NEEDS,
)
from dedup.repeats.units import Units, count_equal_before, units_may_repeat
from dedup.segment.words import weighted_word_count

LEAST = 12  # repeated runs of words below which nothing here can be found: three bullets of ten words have 18
# Measured on 390 clean articles laid out in the ways of benchmarks/quality/layouts.py, and on 24,000 press releases
# as they are. With lines instead of sentences as what a copy begins and ends with, and with no regard for what is left
# over, 50 releases lost 0.19 % of all characters, most of it letters and speeches that are quoted and then printed.
# The next five are for a copy anywhere else than at once behind its twin, if it has less prose than `FAR_WORDS` in
# `FAR_PARAGRAPHS`.
SOME_WORDS = 100  # all words, not only of prose; with 80 a release loses passages of a speech that it has quoted
SOME_PARAGRAPHS = 5  # all paragraphs, headings counted, if three are prose; with two, signatures of letters go
SOME_STATED = 80  # words in sentences that do instead of the three paragraphs of prose
EDGE_WORDS, EDGE_PARAGRAPHS = 40, 3  # words and paragraphs, if the copy ends the article or its twin opens it
STATED = 30  # words of it in sentences: lines of verse and of tables have no end
GAP_WORDS = 100  # words of either copy that a chain may skip
SLIDE = 12  # words by which the border of such a gap may be moved
SOLID = 0.95  # `SPARSE` for copies that do not follow each other: highlights of a speech are its paragraphs with gaps
MOST_BEFORE = 50  # words by which a match may begin earlier than it is found: its borders slide, or it is a line
SPLITS = 8  # times that a chain which does not count is cut in two


class Chain(NamedTuple):
    """Matches in order, and the spans of the copy and of the source, in words."""

    links: list[Match]
    copy: tuple[int, int]
    source: tuple[int, int]


def reflowed_repeats(
    article: ArticleParagraphs, alive: Sequence[int], needed: set[int], threshold: float
) -> tuple[list[ReflowedRepeat], frozenset[int]]:
    """Return the reflowed copies among the paragraphs `alive`, and the paragraphs that hindered further ones.

    Paragraphs that are `needed` as twins stay; such a paragraph hinders if it would have been dropped.
    """
    sequence = Units(article, alive)
    found = [_align_with_units(sequence, match) for match in article.self_matches(alive).matches]
    drops = Drops(sequence, needed)
    waiting = [(chain, 0) for chain in reversed(list(_chains(sequence, found)))]
    while waiting and article.purse > 0:
        chain, depth = waiting.pop()
        if _is_reprint(drops, chain, found):
            _drop_chain(drops, chain)
        elif len(chain.links) > 1 and depth < SPLITS:
            waiting += [(part, depth + 1) for part in reversed(_split_at_widest_gap(chain))]
    drop_summaries(drops, found)
    return list(drops.repeats(threshold)), frozenset(drops.hindered)


def enough_repeats(article: ArticleParagraphs, alive: Sequence[int]) -> bool:
    """Return True if enough of the paragraphs `alive` repeats for anything to be found here."""
    # Of all of them together it is known already that enough runs repeat.
    if len(alive) < len(article.keys) and article.self_matches(alive).runs < LEAST:
        return False
    count = sum(len(article.words[index]) for index in alive)
    return count - RUN_WORDS + 1 > LEAST and (_parts_may_go(article, alive) or units_may_repeat(article, alive))


def may_hold_prose(article: ArticleParagraphs, alive: Sequence[int]) -> bool:
    """Return True if matches may hold enough prose for a chain, or for a summary, which needs more.

    They may begin some words earlier than they are found, and end with a word that is cut short.
    """
    numbers = article.numbers_of(alive).tolist()
    found = [
        match.length + count_equal_before(numbers, match, MOST_BEFORE) + 1
        for match in article.self_matches(alive).matches
    ]
    return sum(length for length in found if length >= PROSE) >= BLOCK_WORDS * WHOLE_NEEDS


def _parts_may_go(article: ArticleParagraphs, alive: Sequence[int]) -> bool:
    """Return True if a match touches its source or ends in a word cut short; else only whole units are dropped."""
    told = [word for index in alive for word in article.words[index]]
    for match in article.self_matches(alive).matches:
        ends = match.source + match.length, match.copy + match.length
        if match.length >= BLOCK_WORDS and ends[0] >= match.copy:
            return True
        if ends[1] < len(told) and count_equal_before(told, match, MOST_BEFORE) + match.length + 1 >= PROSE:
            one, two = (told[end] for end in ends)
            if one.startswith(two) or two.startswith(one):
                return True
    return False


def _align_with_units(sequence: Units, match: Match) -> Match:
    """Return a match moved so that units start with it on both sides, where that is possible.

    A match before it may have taken its first words. A match that touches or overlaps its source holds a few words
    further on as well: in “c a b c a b c”, “a b c” repeats. A short overlap with the source is cut off.
    """
    copy, source, length = match
    ahead = range(max(0, source + length - copy) + 1)
    behind = range(-1, -1 - sequence.behind(match, SLIDE), -1)
    for step in (*ahead, *behind):
        if {source + step, copy + step} <= sequence.starts:
            copy, source, length = copy + step, source + step, length - step
            break
    else:
        touches = source + length >= copy and sequence.size(copy, copy + length) >= BLOCK_WORDS
        if touches and source in sequence.starts:
            sequence.cut(copy)
    if 0 < source + length - copy < RUN_WORDS:
        length = copy - source
    return Match(copy, source, length)


def _chains(sequence: Units, found: Sequence[Match]) -> Iterator[Chain]:
    links: list[Match] = []
    for match in found:
        joined = _join(sequence, links[-1], match) if links else None
        if joined:
            links[-1:] = joined
        else:
            yield from _split_off_ends(links)
            links = [match]
    yield from _split_off_ends(links)


def _split_off_ends(links: list[Match]) -> Iterator[Chain]:
    """Yield the links as a chain, without an end that is shorter than its difference in gaps from the rest.

    Such an end is a chain of its own: a sentence that was quoted before is no part of what is printed twice behind it.
    """
    first, last = 0, len(links)
    lengths = [0, *accumulate(link.length for link in links)]
    for place, (before, link) in enumerate(pairwise(links), 1):
        gaps = link.copy - before.copy - before.length, link.source - before.source - before.length
        step = abs(gaps[0] - gaps[1]) if min(gaps) > 0 else 0
        if lengths[place] < step:
            first = place
        if lengths[-1] - lengths[place] < step and last == len(links):
            last = place
    for part in (links[:first], links[first:last], links[max(first, last) :]):
        if part:
            yield _chain_of(part)


def _chain_of(links: list[Match]) -> Chain:
    first, last = links[0], links[-1]
    return Chain(links, (first.copy, last.copy + last.length), (first.source, last.source + last.length))


def _split_at_widest_gap(chain: Chain) -> list[Chain]:
    """Return the two parts of a chain on both sides of its widest gap."""

    def gap(place: int) -> int:
        before, link = chain.links[place - 1 : place + 1]
        return link.copy - before.copy + link.source - before.source - 2 * before.length

    place = max(range(1, len(chain.links)), key=gap)
    return [_chain_of(chain.links[:place]), _chain_of(chain.links[place:])]


def _join(sequence: Units, before: Match, match: Match) -> list[Match] | None:
    """Return two matches as links of one chain, if only whole units are between them; the border may slide."""
    told = sequence.words
    back = 0
    while True:
        copy, source = match.copy - back, match.source - back
        gaps = copy - before.copy - before.length, source - before.source - before.length
        shorter = max(0, -min(gaps))
        if max(gaps) + shorter > GAP_WORDS or shorter >= before.length:
            pass
        elif copy in sequence.starts and source in sequence.starts:
            ends = before.copy + before.length - shorter, before.source + before.length - shorter
            whole = sequence.holds(copy, match.length + back) and sequence.holds(source, match.length + back)
            if whole and ends[0] in sequence.starts and ends[1] in sequence.starts:
                return [before._replace(length=before.length - shorter), Match(copy, source, match.length + back)]
        back += 1
        copy, source = match.copy - back, match.source - back
        if back > SLIDE or source <= before.source or copy <= before.copy or told[copy] != told[source]:
            return None


def _droppable(sequence: Units, chain: Chain, side: int) -> list[tuple[range, int]]:
    """Return the units that may be dropped on one side of a chain, with the distance to their twins."""
    told = []
    for link in chain.links:
        stop = link[side] + link.length + _cut_short(sequence, link, side)
        told.append((_without_scraps(sequence, sequence.units_in(link[side], stop)), link[1 - side] - link[side]))
    return told


def _without_scraps(sequence: Units, units: range) -> range:
    """Return the units without a few words at either end whose paragraph goes on, as “Sen.” of a next sentence."""
    first, last = units.start, units.stop
    inside = first
    while inside < last and not sequence.opens(inside):
        inside += 1
    if sequence.borders[inside] - sequence.borders[first] < RUN_WORDS:
        first = inside
    inside = last
    while inside > first and inside < len(sequence.units) and not sequence.opens(inside):
        inside -= 1
    if sequence.borders[last] - sequence.borders[inside] < RUN_WORDS:
        last = inside
    return range(first, max(first, last))


def _cut_short(sequence: Units, link: Match, side: int) -> bool:
    """Return True if a match ends in a word cut short on this side, at the end of a unit."""
    place, other = link[side] + link.length, link[1 - side] + link.length
    told = sequence.words
    if place + 1 not in sequence.starts or other >= len(told):
        return False
    unit = sequence.unit_at(place)
    if sequence.borders[unit] == place and sequence.units[unit].line != sequence.units[max(0, unit - 1)].line:
        return False
    return len(told[place]) < len(told[other]) and told[other].startswith(told[place])


def _size_of(sequence: Units, told: list[tuple[range, int]]) -> float:
    return sum(
        sequence.size(sequence.borders[units.start], sequence.borders[units.stop]) for units, _ in told if len(units)
    )


def _is_reprint(drops: Drops, chain: Chain, found: Sequence[Match]) -> bool:
    """Return True if a chain is a text printed again."""
    sequence = drops.sequence
    sequence.article.purse -= chain.copy[1] - chain.copy[0]
    spans = [sequence.size(*chain.copy), sequence.size(*chain.source)]
    matched = sum(sequence.size(link.copy, link.copy + link.length) for link in chain.links)
    shares = sorted(matched / span for span in spans)
    sides = [_droppable(sequence, chain, side) for side in (0, 1)]
    if (
        shares[0] < SPARSE
        or shares[1] < DENSE
        or not all(any(map(len, (units for units, _ in side))) for side in sides)
    ):
        return False
    prose = max(_prose_words(drops, side) for side in sides)
    if prose < BLOCK_WORDS * WHOLE_NEEDS:
        return False
    if are_built_alike(sequence.head(chain.source[0]), sequence.head(chain.copy[0])):
        return False
    between = drops.left(chain.source[1], chain.copy[0])
    whole = 2 * matched / drops.left(0, len(sequence.words))
    (copy_opens, copy_ends), (source_opens, source_ends) = (
        _meets_lines(sequence, chain, sides, side) for side in (0, 1)
    )
    outer = source_opens and (copy_ends or (copy_opens and source_ends))
    other_lines = _other_lines(sequence, sides)
    if other_lines and (
        (whole >= WHOLE and (outer or prose >= FAR_WORDS))
        or (outer and prose >= BLOCK_WORDS and between <= max(APART, APART_SHARE * prose))
        or _touches(sequence, chain, sides, prose)
    ):
        return True
    clean = source_opens and copy_ends and copy_opens and source_ends
    return (
        clean
        and shares[0] >= SOLID
        and not _has_third_copy(sequence, chain, found)
        and _is_far(sequence, chain, sides, prose)
    )


def _touches(sequence: Units, chain: Chain, sides: list[list[tuple[range, int]]], prose: float) -> bool:
    """Return True if a text is followed by itself; then it does not matter where in it a copy begins."""
    if len(chain.links) > 1 or chain.source[1] < chain.copy[0]:
        return False
    size, stated = sequence.size(*chain.copy), max(_sentence_words(sequence, side) for side in sides)
    return size >= BLOCK_WORDS and (prose >= BLOCK_WORDS or stated >= BLOCK_WORDS * WHOLE_NEEDS)


def _is_far(sequence: Units, chain: Chain, sides: list[list[tuple[range, int]]], prose: float) -> bool:
    """Return True if a chain is enough where its copies are apart."""
    count = max(_count_prose_paragraphs(sequence, side) for side in sides)
    size, held = max(_words_and_paragraphs(sequence, side) for side in sides)
    stated = max(_sentence_words(sequence, side) for side in sides)
    if prose >= FAR_WORDS and count >= FAR_PARAGRAPHS:
        return True
    if stated < STATED:
        return False
    if (count >= EDGE_PARAGRAPHS or stated >= SOME_STATED) and held >= SOME_PARAGRAPHS and size >= SOME_WORDS:
        return True
    ends = sequence.size(0, chain.source[0]) < PROSE or sequence.size(chain.copy[1], len(sequence.words)) < PROSE
    return ends and size >= EDGE_WORDS and (count >= EDGE_PARAGRAPHS or held > EDGE_PARAGRAPHS)


def _other_lines(sequence: Units, sides: list[list[tuple[range, int]]]) -> bool:
    """Return True if the paragraphs of the two sides differ; else `dedup.repeats.blocks` has judged them."""
    article = sequence.article
    told = []
    for side in sides:
        units = [unit for units, _ in side for unit in units]
        told.append(list(dict.fromkeys(sequence.units[unit].paragraph for unit in units)))
        held: dict[int, float] = dict.fromkeys(told[-1], 0)
        for unit in units:
            held[sequence.units[unit].paragraph] += sequence.borders[unit + 1] - sequence.borders[unit]
        if any(held[number] < len(article.words[number]) for number in told[-1]):
            return True
    return [article.ids[number] for number in told[0]] != [article.ids[number] for number in told[1]]


def _prose_words(drops: Drops, side: list[tuple[range, int]]) -> float:
    """Return the words in units of prose on one side; equal units count once."""
    total = 0.0
    for told in {tuple(drops.sequence.words_of(unit)) for units, _ in side for unit in units}:
        if told not in drops.prose:
            drops.prose[told] = weighted_word_count(told) if is_prose(told) else 0.0
        total += drops.prose[told]
    return total


def _words_and_paragraphs(sequence: Units, side: list[tuple[range, int]]) -> tuple[float, int]:
    """Return the words of a side, and its paragraphs with words; lines of one sentence count as one paragraph."""
    borders = sequence.borders
    units = [unit for units, _ in side for unit in units if borders[unit] < borders[unit + 1]]
    size = sum(sequence.size(borders[unit], borders[unit + 1]) for unit in units)
    return size, len({sequence.units[unit].paragraph for unit in units if not (unit and sequence.goes_on(unit - 1))})


def _sentence_words(sequence: Units, side: list[tuple[range, int]]) -> float:
    """Return the words in sentences of prose on one side; lines that one sentence goes on over count together."""
    borders = sequence.borders
    total = row = 0.0
    for units, _ in side:
        for unit in units:
            row += sequence.size(borders[unit], borders[unit + 1])
            if unit + 1 in units and sequence.goes_on(unit):
                continue
            if row >= PROSE and (sequence.is_sentence(unit) or sequence.goes_on(unit)):
                total += row
            row = 0.0
    return total


def _count_prose_paragraphs(sequence: Units, side: list[tuple[range, int]]) -> int:
    """Return how many paragraphs of a side have a unit of prose."""
    borders = sequence.borders
    return len(
        {
            sequence.units[unit].paragraph
            for units, _ in side
            for unit in units
            if sequence.size(borders[unit], borders[unit + 1]) >= PROSE and not (unit and sequence.goes_on(unit - 1))
        }
    )


def _meets_lines(sequence: Units, chain: Chain, sides: list[list[tuple[range, int]]], side: int) -> tuple[bool, bool]:
    """Return whether one side of a chain begins at a line and a sentence, and whether it ends with them."""
    units = [unit for told, _ in sides[side] for unit in told]
    first, last = units[0], units[-1]
    start, stop = chain.links[0][side], chain.links[-1][side] + chain.links[-1].length
    all_, borders = sequence.units, sequence.borders
    opens = sequence.opens(first) or (all_[first - 1].line != all_[first].line and sequence.is_sentence(first - 1))
    ends = last == len(all_) - 1 or sequence.opens(last + 1)
    ends = ends or (all_[last + 1].line != all_[last].line and sequence.is_sentence(last))
    return opens and borders[first] - start < RUN_WORDS, ends and stop - borders[last + 1] < RUN_WORDS


def _has_third_copy(sequence: Units, chain: Chain, found: Sequence[Match]) -> bool:
    """Return True if the source of a chain is printed a third time."""
    start, stop = chain.source
    sequence.article.purse -= len(found)
    again = (min(stop, one.source + one.length) - max(start, one.source) for one in found if one not in chain.links)
    return any(2 * common > stop - start for common in again)


def _drop_chain(drops: Drops, chain: Chain) -> None:
    """Drop the side of a chain of which more can be dropped.

    If that is equal, drop the side that leaves less; else the one of whole lines; else the later one.

    A side that opens the article, with more text behind the other side, is a summary or a prefix and is dropped.
    """
    sequence = drops.sequence
    sides = [_droppable(sequence, chain, side) for side in (0, 1)]
    copy, source = (
        (
            _size_of(sequence, sides[side]),
            -sequence.size(*chain[1 + side]),
            all(_meets_lines(sequence, chain, sides, side)),
        )
        for side in (0, 1)
    )
    overlap = chain.source[1] > chain.copy[0]
    opens = sequence.size(0, chain.source[0]) < PROSE <= sequence.size(chain.copy[1], len(sequence.words))
    for units, shift in sides[(source > copy or (opens and source == copy)) and not overlap]:
        drops.drop(units, shift)
