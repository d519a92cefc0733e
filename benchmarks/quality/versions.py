"""Doubled bodies with two versions of an article: any word edited, updated, as a teaser, or after related headlines.

The text that only one version has is a unit of its own, so it is lost if it is dropped with its version. New words,
sentences and headlines are made of words of the article, in an order that it does not have, so that they are in its
language and script. In a text written without spaces, letters take the place of words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.quality.layouts import JOINT, Layout, SeparatedPieces, sentence_joint, units
from benchmarks.quality.score import Piece
from dedup.segment.words import comparison_key, has_digit, is_unspaced, weighted_word_count, words

EDITABLE_WORDS = 4  # words from which a paragraph is edited: a shorter one with another word is another paragraph
EDITED_PART = 3  # an updated version has one edited paragraph in so many
TEASER_PARAGRAPHS = 3  # maximum of a teaser
TEASER_WORDS = 12  # minimum of a teaser: a shorter one could be a headline
TEASER_SHARE = 0.6  # share of its last paragraph at which a teaser is cut
ENDS = ("...", "…")
READ_MORE = ("Read more", "Related", "Full story", "See also")
HEADLINE_WORDS, SENTENCE_WORDS = (4, 8), (12, 20)
LETTERS_PER_WORD = 2  # of a script without spaces
ATTEMPTS = 20  # to draw a word that changes the comparison key: another word may fold to the same
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")


class Vocabulary(NamedTuple):
    """The words of an article by kind, in the order of the text, each as often as it occurs."""

    names: list[str]
    others: list[str]
    letters: list[str]  # of a script without spaces


def vocabulary(body: Sequence[str]) -> Vocabulary:
    """Return the words of an article."""
    drawn = Vocabulary([], [], [])
    for text in body:
        for start, stop in _word_spans(text):
            word = text[start:stop]
            if is_unspaced(word[0]):
                drawn.letters.append(word)
            elif not has_digit(word):
                (drawn.names if word[0].isupper() else drawn.others).append(word)
    return drawn


def _word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the span of each word; a letter of a script without spaces is a word."""
    for run in _WORD.finditer(text):
        if not any(map(is_unspaced, run.group())):
            yield run.span()
        else:
            yield from ((at, at + 1) for at in range(*run.span()) if is_unspaced(text[at]))


def change_word(text: str, known: Vocabulary, rng: random.Random) -> str:
    """Return the text with one word changed, any word: a name, a number, another word, or a letter or two.

    A text of fewer than `EDITABLE_WORDS` words stays.
    """
    spans = list(_word_spans(text))
    if weighted_word_count(words(text)) < EDITABLE_WORDS:
        return text
    for _ in range(ATTEMPTS):
        start, stop = rng.choice(spans)
        if is_unspaced(text[start]) and rng.random() < 0.5 and is_unspaced(text[stop : stop + 1] or "."):
            stop += 1
        edited = text[:start] + _other_word(text[start:stop], known, rng) + text[stop:]
        if comparison_key(edited) != comparison_key(text):
            return edited
    return text


def _other_word(word: str, known: Vocabulary, rng: random.Random) -> str:
    """Return another word of the kind of `word`: of the article, or made up if it is a name or a number."""
    if is_unspaced(word[0]):
        return "".join(rng.choice(known.letters) for _ in word)
    if has_digit(word):
        return "".join(str(rng.randint(1, 9)) if letter.isnumeric() else letter for letter in word)
    if not word[0].isupper():
        return rng.choice(known.others or known.names)
    name = rng.choice(known.names or known.others)
    return name if rng.random() < 0.5 else word[: (len(word) + 1) // 2] + name[len(name) // 2 :].lower()


def invent(known: Vocabulary, length: tuple[int, int], end: str, rng: random.Random) -> str:
    """Return a sentence or a headline of the article's own words, in another order; `length` is its words."""
    count = rng.randint(*length)
    others = known.names + known.others
    if len(known.letters) > sum(map(len, others)):
        text = "".join(rng.choice(known.letters) for _ in range(count * LETTERS_PER_WORD))
        return text + end.replace(".", "。")
    text = " ".join(rng.choice(others) for _ in range(count))
    return text[0].upper() + text[1:] + end


def _edited(body: Sequence[str], rng: random.Random, *, share: float = 1) -> list[str]:
    known = vocabulary(body)
    return [change_word(text, known, rng) if rng.random() < share else text for text in body]


def _any_word_edited(body: list[str], rng: random.Random) -> SeparatedPieces:
    return units(body) + units(_edited(body, rng))


def _half_edited(body: list[str], rng: random.Random) -> SeparatedPieces:
    return units(body) + units(_edited(body, rng, share=0.5))


def _separated(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Print the copy after a heading and one to three headlines."""
    known = vocabulary(body)
    lines = [rng.choice(READ_MORE), *(invent(known, HEADLINE_WORDS, "", rng) for _ in range(rng.randint(1, 3)))]
    return [*units(body), *((JOINT, Piece(line, None)) for line in lines), *units(body)]


def _teaser(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Print the opening before the article, cut off within a word or between two."""
    for count in range(rng.randint(1, TEASER_PARAGRAPHS), TEASER_PARAGRAPHS + 1):
        opening = [*body[: count - 1], _cut_off(body[count - 1], rng)]
        if weighted_word_count(words(" ".join(opening))) >= TEASER_WORDS:
            copy = units(opening)
            copy[-1] = (JOINT, copy[-1][1]._replace(whole=False))
            return copy + units(body)
    return []


def _cut_off(text: str, rng: random.Random) -> str:
    at = int(len(text) * TEASER_SHARE)
    if rng.random() < 0.5:
        at = text.rfind(" ", 0, at) if " " in text[:at] else at
    return text[:at].rstrip() + rng.choice(ENDS)


def _one_line_each(body: list[str], _: random.Random) -> SeparatedPieces:
    return units(body, sentence_joint(body)) * 2


def _one_line_each_edited(body: list[str], rng: random.Random) -> SeparatedPieces:
    space = sentence_joint(body)
    return units(body, space) + units(_edited(body, rng), space)


def _one_line_edited(body: list[str], rng: random.Random) -> SeparatedPieces:
    space = sentence_joint(body)
    return units(body, space) + units(_edited(body, rng), space, space)


def _updated(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Print an updated version after the first: one paragraph fewer, a third of them edited, and one added."""
    copy = _update(units(body), rng)
    new = invent(vocabulary(body), SENTENCE_WORDS, ".", rng)
    copy.insert(len(copy) // 2, (JOINT, Piece(new, "new")))
    return units(body) + copy


def _updated_inside(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Print an updated version after the first: the added sentence is within a paragraph of both versions."""
    breaks = [(place, _SENTENCE_BREAK.search(text[:-1])) for place, text in enumerate(body)]
    nearest = sorted((abs(place - len(body) // 2), place, found) for place, found in breaks if found)
    if not nearest:
        return []
    _, place, found = nearest[0]
    first = units(body)
    first[place : place + 1] = [
        (JOINT, Piece(body[place][: found.start()], f"before {place}")),
        (found.group(), Piece(body[place][found.end() :], f"behind {place}")),
    ]
    copy = _update(first, rng)
    new = invent(vocabulary(body), SENTENCE_WORDS, ".", rng)
    copy = [(before, piece._replace(free=isinstance(piece.unit, str))) for before, piece in copy]
    at = next(at for at, (_, piece) in enumerate(copy) if piece.unit == f"behind {place}")
    copy.insert(at, (found.group(), Piece(new, "new")))
    return first + copy


def _update(first: SeparatedPieces, rng: random.Random) -> SeparatedPieces:
    """Return a version without one paragraph, and with a word edited in some; a part of a paragraph stays."""
    known = vocabulary([piece.text for _, piece in first])
    removed = rng.choice([at for at, (_, piece) in enumerate(first) if isinstance(piece.unit, int)])
    edited = rng.sample(range(len(first)), max(1, len(first) // EDITED_PART))
    return [
        (before, piece._replace(text=change_word(piece.text, known, rng)) if at in edited else piece)
        for at, (before, piece) in enumerate(first)
        if at != removed
    ]


# The labels are keys of results.json and seeds of the random choices; `labels` has the names on the page.
VERSIONS: dict[str, Layout] = {
    "any word edited": _any_word_edited,
    "half of them, any word edited": _half_edited,
    "updated version": _updated,
    "updated inside": _updated_inside,
    "teaser": _teaser,
    "separated": _separated,
    "one line each": _one_line_each,
    "one line each, any word edited": _one_line_each_edited,
    "one line, any word edited": _one_line_edited,
}
