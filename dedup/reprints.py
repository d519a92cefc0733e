"""What of one article is printed again with other line breaks: whole runs of sentences, and sentences as bullets.

Strategy: only what stands again word for word counts, and only whole units (`dedup.sentences`) go. Matches that follow
each other in both copies, but for whole units that only one of them has, are a chain; a chain counts by how much prose
it holds, how little of either copy is left over, and how near the copies are. Lines in a row at an end of the article
that each stand again elsewhere are a summary. Of two copies the one goes of which more can go, else the later one. What
a dropped word repeats is followed to the word that stays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dedup.chains import PROSE, PROSE_DISTINCT, RUN, Paragraphs, jaccard, shingle_set
from dedup.sentences import Match, Sequence_, matches
from dedup.segment import size_of
from dedup.splits import Reprint

BLOCK_WORDS = 40
WHOLE = 0.9
WHOLE_NEEDS = 0.5
APART = 30
APART_SHARE = 0.5
FAR_WORDS = 100
FAR_PARAGRAPHS = 4
EDGE_WORDS = 50
EDGE_PROSE = 30
FAR2_WORDS = 80
FAR2_PARAGRAPHS = 5
EDGE_PARAGRAPHS = 3
GAP_WORDS = 100
DENSE, SPARSE = 0.8, 0.5
SOLID = 0.95
SUMMARY = 3
SUMMARY_PROSE = 2
SUMMARY_WORDS = 30
SUMMARY_LINE = 50
SUMMARY_EDGE = 3
SPLITS = 8
SLIDE = 12
LEAST = 12


class Chain(NamedTuple):
    """Matches in order, with what each lacks of its last word: a copy that was cut short there."""

    links: list[Match]
    copy: tuple[int, int]
    source: tuple[int, int]


def reprints(
    article: Paragraphs, gone: set[int], needed: set[int], threshold: float
) -> tuple[list[Reprint], frozenset[int]]:
    """What of the paragraphs not `gone` is printed again; those `needed` as twins stay, and which of them hindered."""
    alive = [index for index in range(len(article.keys)) if index not in gone]
    if not _enough(article, alive):
        return [], frozenset()
    sequence = Sequence_(article, alive)
    found = [_settled(sequence, match) for match in matches(sequence)]
    drops = Drops(sequence, needed)
    waiting = [(chain, 0) for chain in reversed(list(_chains(sequence, found)))]
    while waiting and article.purse > 0:
        chain, depth = waiting.pop()
        if _counts(drops, chain, found):
            _drop_chain(drops, chain)
        elif len(chain.links) > 1 and depth < SPLITS:
            waiting += [(part, depth + 1) for part in reversed(_parts(chain))]
    _summaries(drops, found)
    return list(drops.reprints(threshold)), frozenset(drops.hindered)


def _enough(article: Paragraphs, alive: Sequence[int]) -> bool:
    told = [word for index in alive for word in article.words[index]]
    runs = len(told) - RUN + 1
    return runs > LEAST and runs - len(set(zip(*(told[skip:] for skip in range(RUN)), strict=False))) >= LEAST


class Drops:
    """Which units go, and which word each of their words repeats."""

    def __init__(self, sequence: Sequence_, needed: set[int]) -> None:
        self.sequence = sequence
        self.twin_of = [-1] * len(sequence.words)
        self.kept = [unit.paragraph in needed for unit in sequence.units]
        self.dropped = [False] * len(sequence.units)
        self.stays: set[int] = set()  # units that something repeats
        self.hindered: set[int] = set()  # paragraphs that would go, were they not kept

    def drop(self, units: Sequence[int], shift: int) -> None:
        """Drops those of `units` that may go; word n repeats word n + `shift`."""
        borders = self.sequence.borders
        for unit in units:
            if self.kept[unit]:
                self.hindered.add(self.sequence.units[unit].paragraph)
            if self.kept[unit] or self.dropped[unit]:
                continue
            own = range(borders[unit], borders[unit + 1])
            twins = [self.root(word + shift) for word in own]
            if any(twin in own for twin in twins):
                continue
            self.dropped[unit] = True
            for word, twin in zip(own, twins, strict=True):
                self.twin_of[word] = twin
            self.stays.update(map(self.sequence.unit_at, twins))

    def left(self, start: int, stop: int) -> float:
        """The size of what stays of the words `start:stop`."""
        if stop <= start:
            return 0.0
        sequence, borders = self.sequence, self.sequence.borders
        units = range(sequence.unit_at(start), sequence.unit_at(stop - 1) + 1)
        sequence.article.purse -= len(units)
        return sum(
            sequence.size(max(start, borders[unit]), min(stop, borders[unit + 1]))
            for unit in units
            if not self.dropped[unit] and borders[unit] < stop and borders[unit + 1] > start
        )

    def root(self, word: int) -> int:
        """The word that stays for `word`."""
        while self.twin_of[word] >= 0:
            word = self.twin_of[word]
        return word

    def reprints(self, threshold: float) -> Iterator[Reprint]:
        """What goes, as spans: runs of units that a run of words stays for."""
        sequence = self.sequence
        run: list[int] = []
        for unit in (*range(len(sequence.units)), -1):
            if run and not (unit >= 0 and self.dropped[unit] and self._goes_on(run, unit)):
                yield from self._reprint(run, threshold)
                run = []
            if unit >= 0 and self.dropped[unit]:
                run.append(unit)

    def _goes_on(self, run: list[int], unit: int) -> bool:
        borders = self.sequence.borders
        units = self.sequence.units
        if units[run[0]].paragraph != units[unit].paragraph and not self.sequence.opens(run[0]):
            return False
        if borders[unit] == borders[unit + 1] or borders[unit] == borders[run[0]]:  # no words to compare
            return True
        return self.root(borders[unit]) == self.root(borders[unit] - 1) + 1

    def _reprint(self, run: list[int], threshold: float) -> Iterator[Reprint]:
        sequence = self.sequence
        start, stop = sequence.borders[run[0]], sequence.borders[run[-1] + 1]
        twins = [self.root(word) for word in range(start, stop)]
        if not twins or twins[-1] - twins[0] != stop - start - 1:
            return
        own, other = sequence.words[start:stop], sequence.words[twins[0] : twins[-1] + 1]
        similarity = 1.0 if own == other else jaccard(shingle_set(own), shingle_set(other))
        if similarity >= threshold:
            span = sequence.units[run[0]].start, sequence.units[run[-1]].stop
            yield Reprint(*span, *sequence.span(twins[0], twins[-1] + 1), similarity)


def _settled(sequence: Sequence_, match: Match) -> Match:
    """A match that its source touches or runs into, begun where units start: of “c a b c a b c”, “a b c” again."""
    copy, source, length = match
    for ahead in range(source + length - copy + 1):
        if {source + ahead, copy + ahead} <= sequence.starts:
            return Match(copy + ahead, source + ahead, length - ahead)
    if source + length >= copy and source in sequence.starts and sequence.size(copy, copy + length) >= BLOCK_WORDS:
        sequence.cut(copy)
    return match


def _chains(sequence: Sequence_, found: Sequence[Match]) -> Iterator[Chain]:
    links: list[Match] = []
    for match in found:
        joined = _join(sequence, links[-1], match) if links else None
        if joined:
            links[-1:] = joined
        else:
            if links:
                yield _chain(links)
            links = [match]
    if links:
        yield _chain(links)


def _chain(links: list[Match]) -> Chain:
    first, last = links[0], links[-1]
    return Chain(links, (first.copy, last.copy + last.length), (first.source, last.source + last.length))


def _parts(chain: Chain) -> list[Chain]:
    """A chain cut in two at its widest gap."""

    def gap(place: int) -> int:
        before, link = chain.links[place - 1 : place + 1]
        return link.copy - before.copy + link.source - before.source - 2 * before.length

    place = max(range(1, len(chain.links)), key=gap)
    return [_chain(chain.links[:place]), _chain(chain.links[place:])]


def _join(sequence: Sequence_, before: Match, match: Match) -> list[Match] | None:
    """The two as links of one chain, if between them are only whole units; the border may slide."""
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


def _droppable(sequence: Sequence_, chain: Chain, side: int) -> list[tuple[range, int]]:
    """Units that may go on one side of a chain, with the way to their twins."""
    return [
        (
            sequence.units_in(link[side], link[side] + link.length + _cut_short(sequence, link, side)),
            link[1 - side] - link[side],
        )
        for link in chain.links
    ]


def _cut_short(sequence: Sequence_, link: Match, side: int) -> bool:
    """Whether a match ends in a word cut short on this side, at the end of a unit."""
    place, other = link[side] + link.length, link[1 - side] + link.length
    told = sequence.words
    if place + 1 not in sequence.starts or other >= len(told):
        return False
    unit = sequence.unit_at(place)
    if sequence.borders[unit] == place and sequence.units[unit].line != sequence.units[max(0, unit - 1)].line:
        return False
    return len(told[place]) < len(told[other]) and told[other].startswith(told[place])


def _words_in(sequence: Sequence_, told: list[tuple[range, int]]) -> float:
    return sum(
        sequence.size(sequence.borders[units.start], sequence.borders[units.stop]) for units, _ in told if len(units)
    )


def _counts(drops: Drops, chain: Chain, found: Sequence[Match]) -> bool:
    """Whether a chain is a text printed again."""
    sequence = drops.sequence
    sequence.article.purse -= chain.copy[1] - chain.copy[0]
    spans = [sequence.size(*chain.copy), sequence.size(*chain.source)]
    matched = sum(sequence.size(link.copy, link.copy + link.length) for link in chain.links)
    shares = sorted(matched / span for span in spans)
    sides = [_droppable(sequence, chain, side) for side in (0, 1)]
    if shares[0] < SPARSE or shares[1] < DENSE or not all(any(map(len, (units for units, _ in side))) for side in sides):
        return False
    prose = max(_prose(sequence, side) for side in sides)
    if prose < BLOCK_WORDS * WHOLE_NEEDS:
        return False
    between = drops.left(chain.source[1], chain.copy[0])
    whole = 2 * matched / drops.left(0, len(sequence.words))
    (copy_opens, copy_ends), (source_opens, source_ends) = (_clean(sequence, chain, sides, side) for side in (0, 1))
    outer = source_opens and (copy_ends or (copy_opens and source_ends))
    other_lines = _other_lines(sequence, sides)
    if other_lines and whole >= WHOLE and (outer or prose >= FAR_WORDS):
        return True
    if other_lines and outer and prose >= BLOCK_WORDS and between <= max(APART, APART_SHARE * prose):
        return True
    if not (source_opens and copy_ends and copy_opens and source_ends) or _third(sequence, chain, found):
        return False
    count = max(_paragraphs(sequence, side) for side in sides)
    if prose >= FAR_WORDS and count >= FAR_PARAGRAPHS:
        return True
    words, all_ = max(_told(sequence, side) for side in sides)
    edge = sequence.size(chain.copy[1], len(sequence.words)) < PROSE
    told = max(_sentences(sequence, side) for side in sides)
    if shares[0] < SOLID:
        return False
    if edge and words >= EDGE_WORDS and told >= EDGE_PROSE and (count >= EDGE_PARAGRAPHS or all_ > EDGE_PARAGRAPHS):
        return True
    return words >= FAR2_WORDS and all_ >= FAR2_PARAGRAPHS and count >= EDGE_PARAGRAPHS and told >= EDGE_PROSE


def _other_lines(sequence: Sequence_, sides: list[list[tuple[range, int]]]) -> bool:
    """Whether the paragraphs of the two sides differ; where they do not, `dedup.repeats` has judged them."""
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


def _prose(sequence: Sequence_, side: list[tuple[range, int]]) -> float:
    """Words of those units of a side that are prose; what stands in it several times counts once."""
    return sum(map(size_of, filter(_is_prose, {tuple(sequence.words_of(unit)) for units, _ in side for unit in units})))


def _is_prose(words: Sequence[str]) -> bool:
    """Whether words are enough and varied enough to be evidence."""
    distinct = {word for word in words if not any(map(str.isnumeric, word))}
    return size_of(words) >= PROSE and size_of(distinct) >= PROSE_DISTINCT


def _told(sequence: Sequence_, side: list[tuple[range, int]]) -> tuple[float, int]:
    """Words of a side, and how many of its paragraphs have words."""
    borders = sequence.borders
    units = [unit for units, _ in side for unit in units if borders[unit] < borders[unit + 1]]
    size = sum(sequence.size(borders[unit], borders[unit + 1]) for unit in units)
    return size, len({sequence.units[unit].paragraph for unit in units})


def _sentences(sequence: Sequence_, side: list[tuple[range, int]]) -> float:
    """Words of those units of a side that are sentences of prose."""
    borders = sequence.borders
    units = [unit for units, _ in side for unit in units if sequence.is_sentence(unit)]
    sizes = (sequence.size(borders[unit], borders[unit + 1]) for unit in units)
    return sum(size for size in sizes if size >= PROSE)


def _paragraphs(sequence: Sequence_, side: list[tuple[range, int]]) -> int:
    """How many paragraphs of a side have a unit of prose."""
    borders = sequence.borders
    return len(
        {
            sequence.units[unit].paragraph
            for units, _ in side
            for unit in units
            if sequence.size(borders[unit], borders[unit + 1]) >= PROSE
        }
    )


def _clean(
    sequence: Sequence_, chain: Chain, sides: list[list[tuple[range, int]]], side: int
) -> tuple[bool, bool]:
    """Whether one side of a chain begins with a line and a sentence, and whether it ends with them."""
    units = [unit for told, _ in sides[side] for unit in told]
    first, last = units[0], units[-1]
    start, stop = chain.links[0][side], chain.links[-1][side] + chain.links[-1].length
    all_, borders = sequence.units, sequence.borders
    opens = sequence.opens(first) or all_[first - 1].line != all_[first].line and sequence.is_sentence(first - 1)
    ends = last == len(all_) - 1 or sequence.opens(last + 1)
    ends = ends or all_[last + 1].line != all_[last].line and sequence.is_sentence(last)
    return opens and borders[first] - start < RUN, ends and stop - borders[last + 1] < RUN


def _third(sequence: Sequence_, chain: Chain, found: Sequence[Match]) -> bool:
    """Whether what a chain repeats stands a third time."""
    start, stop = chain.source
    sequence.article.purse -= len(found)
    again = (min(stop, one.source + one.length) - max(start, one.source) for one in found if one not in chain.links)
    return any(2 * common > stop - start for common in again)


def _drop_chain(drops: Drops, chain: Chain) -> None:
    """Drops one side of a chain: of which more can go, else which holds less else, or is whole lines, else the later."""
    sequence = drops.sequence
    sides = [_droppable(sequence, chain, side) for side in (0, 1)]
    copy, source = (
        (_words_in(sequence, sides[side]), -sequence.size(*chain[1 + side]), all(_clean(sequence, chain, sides, side)))
        for side in (0, 1)
    )
    overlap = chain.source[1] > chain.copy[0]
    for units, shift in sides[source > copy and not overlap]:
        drops.drop(units, shift)


def _summaries(drops: Drops, found: Sequence[Match]) -> None:
    """Drops lines in a row, at an end of the article, each of which stands again elsewhere as whole units."""
    sequence = drops.sequence
    borders, units = sequence.borders, sequence.units
    lines: list[tuple[int, int]] = []  # first and last unit
    for number, unit in enumerate(units):
        if borders[number] == borders[number + 1]:
            continue
        if lines and units[lines[-1][0]].line == unit.line:
            lines[-1] = lines[-1][0], number
        else:
            lines.append((number, number))
    begins = [borders[first] for first, _ in lines]
    often = Counter(tuple(sequence.words[borders[first] : borders[last + 1]]) for first, last in lines)
    twins: dict[int, int] = {}  # line -> the way to its twin
    for match in found:
        back = _back(sequence, match)
        for place, other in ((match.copy, match.source), (match.source, match.copy)):
            for line in range(bisect_left(begins, place - back), len(lines)):
                first, last = lines[line]
                if borders[last + 1] > place + match.length:
                    break
                shift = other - place
                if borders[first] + shift in sequence.starts and borders[last + 1] + shift in sequence.starts:
                    twins.setdefault(line, shift)
    for row in _rows(drops, lines, twins):
        if all(often[tuple(sequence.words[slice(*_words_of(sequence, lines[line]))])] <= 2 for line in row):
            _summary(drops, lines, row, twins)


def _words_of(sequence: Sequence_, line: tuple[int, int]) -> tuple[int, int]:
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


def _back(sequence: Sequence_, match: Match) -> int:
    """How many words before a match are the same too: what another match before it has taken."""
    told = sequence.words
    back = 0
    while back < min(match.source, SUMMARY_LINE) and told[match.source - back - 1] == told[match.copy - back - 1]:
        back += 1
    return back


def _may_be_bullet(drops: Drops, line: tuple[int, int]) -> bool:
    sequence = drops.sequence
    first, last = line
    return (
        not any(drops.kept[unit] or unit in drops.stays for unit in range(first, last + 1))
        and sequence.size(sequence.borders[first], sequence.borders[last + 1]) <= SUMMARY_LINE
    )


def _summary(drops: Drops, lines: list[tuple[int, int]], row: list[int], twins: dict[int, int]) -> None:
    sequence = drops.sequence
    borders = sequence.borders
    told = [sequence.words[borders[lines[line][0]] : borders[lines[line][1] + 1]] for line in row]
    if len(set(map(tuple, told))) < len(row) or 2 * len({twins[line] for line in row}) < len(row):
        return  # lines sung or printed again and again, or what is no choice but a passage
    stated = [words for words, line in zip(told, row, strict=True) if not sequence.asks(lines[line][1])]
    if len(stated) < SUMMARY or sum(map(_is_prose, stated)) < SUMMARY_PROSE:
        return
    if sum(map(size_of, stated)) < SUMMARY_WORDS or len({twins[line] for line in row}) == 1:
        return
    some_gone = any(drops.dropped[lines[line][0]] for line in row)
    for line in row:
        if some_gone and sequence.size(borders[lines[line][0]], borders[lines[line][1] + 1]) < PROSE:
            continue
        drops.drop(range(lines[line][0], lines[line][1] + 1), twins[line])
