"""Refuse chains that cannot be two versions, before they are aligned, which takes long.

Each screen compares a bound of what `dedup.repeats.judgement` measures with what it asks for. So it refuses only what
the judgement would refuse: most chains are a phrase, or the short lines of a menu.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from dedup.arrays import I64, Floats
from dedup.fingerprint.self_alignment import FINE_WORDS
from dedup.repeats.article import PROSE, ArticleParagraphs
from dedup.repeats.chains import Run, chain_size, trim_stray_links
from dedup.repeats.judgement import (
    APART_LONE,
    CHOSEN,
    DENSE,
    DENSE_MANY,
    ENOUGH,
    LINES,
    LINES_WHOLE_WORDS,
    SPARSE,
    TEASER,
)
from dedup.repeats.units import WRAPPED
from dedup.repeats.versions import MATCHED
from dedup.repeats.vetoes import WHOLE


class ChainScreen:
    """The screens of the chains of one article, over the words that stay.

    `sizes` are the weights of these words, summed up, and `places` their numbers in the article: float64 [words + 1]
    and int64 [words].
    """

    def __init__(self, article: ArticleParagraphs, sizes: Floats, places: I64) -> None:
        self.article = article
        self.sizes = sizes
        self.places = places
        self.borders: Sequence[int] = article.borders  # of paragraphs, in words that stay
        if len(places) != article.borders[-1]:
            self.borders = np.searchsorted(places, article.borders).tolist()
        self.total = float(sizes[-1])

    @cached_property
    def _prose(self) -> Floats:
        """The weights of the paragraphs that may be prose, summed up: float64 [paragraphs + 1]."""
        spans = np.array(self.article.spans, np.int64).reshape(-1, 2)
        paragraph_sizes = np.diff(self.sizes[self.borders])
        is_wrapped = np.diff(spans, axis=1)[:, 0] >= WRAPPED
        may_be_prose = (paragraph_sizes >= PROSE) | is_wrapped
        may_be_prose[1:] |= is_wrapped[:-1]  # the next line may go on with the sentence
        return np.concatenate([[0.0], np.cumsum(paragraph_sizes * may_be_prose)])

    def may_be_versions(self, links: Sequence[Run]) -> bool:
        """Return False if the judgement would refuse a chain, as it is and in parts."""
        return self.may_be_candidate(links) and self.may_be_enough(links)

    def may_be_candidate(self, links: Sequence[Run]) -> bool:
        """Return False if a chain within one line cannot be a version.

        Its words are no equal passage behind its source then; see `dedup.repeats.judgement`.
        """
        first, last = links[0], links[-1]
        stop = last.source + last.length
        if not self.article.are_on_one_line(int(self.places[first.source]), int(self.places[stop - 1])):
            return True
        size = chain_size(links, self.sizes)
        if not first.source or 2 * size >= WHOLE * MATCHED * self.total:
            return True
        between = self._size(min(stop, first.copy), first.copy)
        return len(links) == 1 and size >= ENOUGH / 2 and between <= APART_LONE

    def may_be_enough(self, links: Sequence[Run]) -> bool:
        """Return False if the paragraphs of the source of a chain, and so of its parts, hold too little prose."""
        first, last = links[0], links[-1]
        stop = max(link.source + link.length for link in links)
        if stop > first.copy:  # the versions may run into each other
            begin, end = self._paragraph(first.source), self._paragraph(last.copy + last.length - 1)
            end = min(end + 1, len(self.borders) - 2)
            return float(self._prose[end + 1] - self._prose[begin]) >= TEASER or self._may_be_list(begin, end)
        begin, end = self._paragraph(first.source), self._paragraph(stop - 1)
        if stop == self.borders[end + 1] and self._is_cut(last):
            end = self._paragraph(stop)
        size = self._size(self.borders[begin], self.borders[end + 1])
        prose = float(self._prose[end + 1] - self._prose[begin])
        opens = self._size(0, self.borders[begin]) <= 0
        if opens or 2 * size >= WHOLE * self.total:
            return prose >= TEASER or self._may_be_list(begin, end)
        return prose >= ENOUGH or (self._may_be_list(begin, end) and self._may_touch(links))

    def _may_be_list(self, begin: int, end: int) -> bool:
        """Return False if the paragraphs ``begin..end`` are too short, or too few of them differ, for a list."""
        size = self._size(self.borders[begin], self.borders[end + 1])
        return size >= LINES_WHOLE_WORDS and self._list_ends[begin] <= end + 1

    @cached_property
    def _list_ends(self) -> list[int]:
        """For each paragraph, the end of the shortest part from it on that can have `LINES` different lines.

        A line has at least one word, so a part never has more different lines than its different paragraphs have words.
        If there is no such part, the end is beyond the last paragraph.
        """
        keys = self.article.keys
        ends: list[int] = []
        inside: Counter[str] = Counter()
        words = end = 0
        for begin, key in enumerate(keys):
            while words < LINES and end < len(keys):
                inside[keys[end]] += 1
                words += self.article.word_count(end) if inside[keys[end]] == 1 else 0
                end += 1
            ends.append(end if words >= LINES else len(keys) + 1)
            inside[key] -= 1
            words -= self.article.word_count(begin) if not inside[key] else 0
        return ends

    def may_be_dense(self, links: Sequence[Run]) -> bool:
        """Return False if too few words of the versions that a chain makes can be matched; its parts may be denser."""
        links = trim_stray_links(links, self.sizes)
        first, last = links[0], links[-1]
        copy_stop, source_stop = last.copy + last.length, last.source + last.length
        ends = [self._room_before(first.copy), self._room_behind(copy_stop - 1)]
        others = [self._room_before(first.source), self._room_behind(source_stop - 1)]
        around = sum(map(min, ends, others)) + 1  # and a word that is cut short
        aligned = around  # a bound of the words that are aligned one by one
        for before, link in pairwise(links):
            gaps = (before.copy + before.length, link.copy), (before.source + before.length, link.source)
            if max(stop - start for start, stop in gaps) <= FINE_WORDS:
                aligned += min(self._size(*gap) for gap in gaps)
        if source_stop > first.copy:
            covered = self._covered(links) + 2 * aligned
            return covered >= DENSE_MANY * self._size(first.source, copy_stop)
        matched = chain_size(links, self.sizes) + aligned
        shares = [
            matched / (self._size(start, stop) + around)
            for start, stop in ((first.copy, copy_stop), (first.source, source_stop))
        ]
        if max(shares) < DENSE or self._may_touch(links):
            return max(shares) >= DENSE
        edges = self._size(0, first.source), self._size(copy_stop, len(self.places))
        return min(shares) >= (CHOSEN if min(edges) < PROSE + FINE_WORDS else SPARSE)

    def _covered(self, links: Sequence[Run]) -> float:
        """Return the weight of the words in the runs of a chain, and of those between copies and later sources."""
        spans = sorted(
            [(link.copy, link.copy + link.length) for link in links]
            + [(link.source, link.source + link.length) for link in links]
            + [(before.copy + before.length, link.source) for before, link in pairwise(links)]
        )
        covered, reached = 0.0, 0
        for start, stop in spans:
            if stop > max(start, reached):
                covered += self._size(max(start, reached), stop)
                reached = stop
        return covered

    def _may_touch(self, links: Sequence[Run]) -> bool:
        """Return True if nothing may be left between the versions when the words around the chain are aligned."""
        first, last = links[0], links[-1]
        stop = last.source + last.length
        most = min(FINE_WORDS, self.borders[self._paragraph(stop - 1) + 1] - stop) + 1
        most += min(FINE_WORDS, first.copy - self.borders[self._paragraph(first.copy)])
        return first.copy <= stop + most

    def _is_cut(self, last: Run) -> bool:
        """Return True if of the words behind a chain one begins with the other."""
        copy, source = last.copy + last.length, last.source + last.length
        if max(copy, source) >= len(self.places):
            return False
        words = self.article.all_words
        one, two = (words[int(self.places[place])] for place in (copy, source))
        return one != two and (one.startswith(two) or two.startswith(one))

    def _room_before(self, word: int) -> float:
        """Return a bound of the weight of the words before a word that are aligned."""
        return min(FINE_WORDS, self._size(self.borders[self._paragraph(word)], word))

    def _room_behind(self, word: int) -> float:
        """Return a bound of the weight of the words behind a word that are aligned."""
        return min(FINE_WORDS, self._size(word + 1, self.borders[self._paragraph(word) + 1]))

    def _paragraph(self, word: int) -> int:
        """Return the paragraph that a word is in."""
        return bisect_right(self.borders, word) - 1

    def _size(self, start: int, stop: int) -> float:
        """Return the weight of the words `start:stop`."""
        return float(self.sizes[stop] - self.sizes[start])
