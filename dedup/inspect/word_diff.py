"""Compare two texts word by word, for a person: which words differ, and which are left out because they are equal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from dedup.segment.words import words

Kind = Literal["equal", "differs", "omitted", "context"]

EQUAL: Final = "equal"
DIFFERS: Final = "differs"
OMITTED: Final = "omitted"
CONTEXT: Final = "context"

CHARACTERS_COMPARED = 12_000  # of each text: a long article, and at most 0.1 s
WORDS_COMPARED = 1_200  # of each text between their equal beginnings and ends
EQUAL_WORDS_SHOWN = 24  # shown on either side of a difference
_CHANCE_WORDS = 3  # a run of so many equal words is not one of chance
_WORD = re.compile(r"\s*\S+|\s+\Z")
_CHARACTER = re.compile(r"\s*\S|\s+\Z")


class TextPiece(NamedTuple):
    """A part of a text: equal in both (`same`), in this text only (`differs`), or words between them (`omitted`).

    The text of an omitted part says how many words it has. Parts of kind `context` stand before and after what is
    compared.
    """

    kind: Kind
    text: str


class WordDiff(NamedTuple):
    """Two texts as pieces; `before` and `after` each join to their text, if nothing is omitted."""

    before: tuple[TextPiece, ...]
    after: tuple[TextPiece, ...]


def diff_words(before: str, after: str, *, context: int | None = EQUAL_WORDS_SHOWN) -> WordDiff:
    """Return the words of two texts that differ; of longer runs of equal words, only `context` at each end.

    With `context` None, nothing is omitted. Of texts longer than `CHARACTERS_COMPARED`, the beginning is compared.

    >>> [piece.text for piece in diff_words("the old bridge", "the new bridge").after if piece.kind == DIFFERS]
    [' new']
    """
    sides = _words_of(before), _words_of(after)
    shown: tuple[list[TextPiece], list[TextPiece]] = ([], [])
    blocks = list(_equal_blocks(*([word.strip() for word in parts] for parts in sides)))
    for side, parts in enumerate(sides):
        stop = 0
        for number, block in enumerate(blocks):
            start, size = block[side], block[2]
            if stop < start:
                shown[side].append(TextPiece(DIFFERS, "".join(parts[stop:start])))
            stop = start + size
            if size:
                is_before = block[0] + size < len(sides[0]) or block[1] + size < len(sides[1])
                ends = (number > 0 or block[0] + block[1] > 0, number < len(blocks) - 2 or is_before)
                shown[side].extend(_shortened(parts[start:stop], context, *ends))
    cut = len(before) > CHARACTERS_COMPARED or len(after) > CHARACTERS_COMPARED
    for pieces, text in zip(shown, (before, after), strict=True):
        if cut and len(text) > CHARACTERS_COMPARED:
            pieces.append(TextPiece(OMITTED, f" [… {len(text) - CHARACTERS_COMPARED:,} more characters]"))
    return WordDiff(tuple(shown[0]), tuple(shown[1]))


def replaced_words(before: str, after: str, most: int) -> Iterator[tuple[str, str]]:
    """Yield the words of one text in whose place the other has others, if both are at most `most` words.

    Words at the beginning and the end of a text are in no place that the other has, too.

    >>> list(replaced_words("On 5 May 12 people left.", "Today on 5 May 17 people left.", 3))
    [('12', '17')]
    """
    first, others = ([word.strip() for word in _words_of(text)] for text in (before, after))
    for (a, b, size), (later, other_later, _) in pairwise(_equal_blocks(first, others)):
        old, new = first[a + size : later], others[b + size : other_later]
        if later < len(first) and other_later < len(others) and old and new and max(len(old), len(new)) <= most:
            yield " ".join(old), " ".join(new)


def _words_of(text: str) -> list[str]:
    """Return the words of a text, each with the space before it.

    In scripts written without spaces, each character is a word.
    """
    parts: list[str] = []
    for word in _WORD.findall(text[:CHARACTERS_COMPARED]):
        if word.isascii() or len(words(word)) < 2:
            parts.append(word)
        else:
            parts += _CHARACTER.findall(word)
    return parts


def _equal_blocks(before: list[str], after: list[str]) -> Iterator[tuple[int, int, int]]:
    """Yield start in `before`, start in `after` and length of each run of equal words; the last one is empty.

    Equal beginnings and ends are found first, since the search between them is quadratic in the worst case.
    """
    length = min(len(before), len(after))
    head = next((place for place in range(length) if before[place] != after[place]), length)
    tail = next((place for place in range(length - head) if before[-1 - place] != after[-1 - place]), length - head)
    if head:
        yield 0, 0, head
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(map(len, middle)) <= WORDS_COMPARED:
        for a, b, size in _without_islands(SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks()):
            yield head + a, head + b, size
    if tail:
        yield len(before) - tail, len(after) - tail, tail
    yield len(before), len(after), 0


def _without_islands(blocks: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield the runs of equal words, but for a word or two between longer differences, which are equal by chance.

    The last block is the empty one at the end of both texts.
    """
    a = b = 0  # ends of the run before
    for (start, other, size), (later, other_later, _) in pairwise(blocks):
        gaps = max(start - a, other - b), max(later - start, other_later - other) - size
        if size >= min(*gaps, _CHANCE_WORDS):
            yield start, other, size
            a, b = start + size, other + size


def _shortened(run: list[str], context: int | None, is_after: bool, is_before: bool) -> Iterable[TextPiece]:
    """Return a run of equal words, without those that are far from a difference after or before it."""
    if context is None:
        return [TextPiece(EQUAL, "".join(run))]
    head, tail = context if is_after else context // 2, context if is_before else context // 2
    omitted = len(run) - head - tail
    if omitted <= context:
        return [TextPiece(EQUAL, "".join(run))]
    return [
        TextPiece(EQUAL, "".join(run[:head])),
        TextPiece(OMITTED, f" [… {omitted:,} equal words]"),
        TextPiece(EQUAL, "".join(run[-tail:])),
    ]
