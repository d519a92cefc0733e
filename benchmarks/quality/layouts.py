"""Doubled bodies with copies in another layout: other line breaks, sentences as bullets, two copies in one paragraph.

The separator between two pieces is part of a layout: a blank line, a line end, a space, or the mark of a bullet.
`JOINT` in a separator is a placeholder for the joint with which the article is made.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.quality.score import Made, Piece
from dedup.segment.words import is_unspaced, weighted_word_count, words

WIDTHS = (72, 76, 80)
MARKS = ("- ", "• ", "* ")
NARROW = 36  # letters of a line in a script without spaces
PART_WORDS = 60  # minimum of a part of the article that is repeated
BULLET = (8, 40)  # words of a sentence that can be a bullet, minimum and maximum
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")

JOINT = "\0"
SeparatedPieces = list[tuple[str, Piece]]  # each piece with the separator before it
Layout = Callable[[list[str], random.Random], SeparatedPieces]


def assemble(name: str, pieces: SeparatedPieces, joint: str) -> Made:
    r"""Return the article that the pieces and their separators make.

    Of the separator before the first piece only the mark of a bullet stays.

    >>> assemble("a", [(JOINT, Piece("One.", 0)), (JOINT + "- ", Piece("Two.", 1))], "\n\n").text
    'One.\n\n- Two.'
    """
    text = ""
    spans = []
    for before, piece in pieces:
        gap = before.replace(JOINT, joint)
        text += gap if text else gap.lstrip()
        spans.append((len(text), len(text) + len(piece.text)))
        text += piece.text
    return Made(name, text, [piece for _, piece in pieces], spans)


def units(body: Sequence[str], between: str = JOINT, before: str = JOINT) -> SeparatedPieces:
    """Return one copy of a body, with `before` before it and `between` between its paragraphs."""
    return [(between if unit else before, Piece(text, unit)) for unit, text in enumerate(body)]


def has_enough_words(pieces: Iterable[Piece]) -> bool:
    """Return True if pieces have enough words to be a repeat that dedup should find: a list of names has not."""
    return sum(weighted_word_count(words(piece.text)) for piece in pieces) >= PART_WORDS


def sentence_joint(body: Sequence[str]) -> str:
    """Return what joins sentences into one paragraph: a space, or nothing in a script without spaces."""
    return " " if _has_spaces(body) else ""


def _has_spaces(body: Sequence[str]) -> bool:
    return not any("。" in text for text in body)


def _wrapped(body: Sequence[str], rng: random.Random) -> list[str]:
    """Return the paragraphs hard-wrapped at a common width."""
    width = rng.choice(WIDTHS)
    if _has_spaces(body):
        return [textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False) for text in body]
    return ["\n".join(_narrow_lines(text)) for text in body]


def _narrow_lines(text: str) -> Iterator[str]:
    """Yield the lines of a text without spaces, broken before letters that are words by themselves."""
    start = 0
    for at in range(len(text)):
        if at - start >= NARROW and is_unspaced(text[at]):
            yield text[start:at]
            start = at
    yield text[start:]


def _again_in_lines(body: list[str], _: random.Random) -> SeparatedPieces:
    return units(body) + units(body, "\n")


def _lines_first(body: list[str], _: random.Random) -> SeparatedPieces:
    return units(body, "\n") + units(body)


def _again_in_one_paragraph(body: list[str], _: random.Random) -> SeparatedPieces:
    return units(body) + units(body, sentence_joint(body))


def _one_paragraph_first(body: list[str], _: random.Random) -> SeparatedPieces:
    return units(body, sentence_joint(body)) + units(body)


def _again_hard_wrapped(body: list[str], rng: random.Random) -> SeparatedPieces:
    return units(body) + units(_wrapped(body, rng), "\n")


def _hard_wrapped_first(body: list[str], rng: random.Random) -> SeparatedPieces:
    return units(_wrapped(body, rng), "\n") + units(body)


def _again_wrapped_in_paragraphs(body: list[str], rng: random.Random) -> SeparatedPieces:
    return units(body) + units(_wrapped(body, rng))


def _twice_in_one_paragraph(body: list[str], _: random.Random) -> SeparatedPieces:
    return units(body, sentence_joint(body)) + units(body, sentence_joint(body), sentence_joint(body))


def _some_twice_inside(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Join three paragraphs of the article into one, and repeat them on the same line."""
    start = rng.randrange(len(body) - 3)
    space = sentence_joint(body)
    inside = [(space if at else JOINT, Piece(body[start + at], start + at)) for at in range(3)]
    if not has_enough_words(piece for _, piece in inside):
        return []
    again = [(space, piece) for _, piece in inside]
    whole = units(body)
    return [*whole[:start], *inside, *again, *whole[start + 3 :]]


def _truncated_in_one_paragraph(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Put the beginning into one paragraph, cut within a sentence, before the whole."""
    kept = rng.randint(max(3, len(body) // 2), len(body))
    copy = units(body[:kept], sentence_joint(body))
    before, last = copy[-1]
    text = last.text[: max(1, int(len(last.text) * rng.uniform(0.3, 0.9)))].rstrip() + "..."
    return [*copy[:-1], (before, Piece(text, last.unit, whole=False)), *units(body)]


def _elsewhere(body: list[str], rng: random.Random) -> SeparatedPieces:
    """Repeat a run of six paragraphs in another place of the article."""
    if len(body) < 9:
        return []
    start = rng.randrange(len(body) - 5)
    if not has_enough_words(piece for _, piece in units(body[start : start + 6])):
        return []
    place = rng.choice([at for at in range(len(body) + 1) if at <= start or at >= start + 6])
    whole = units(body)
    return [*whole[:place], *whole[start : start + 6], *whole[place:]]


def _sentences(body: list[str]) -> list[tuple[int, str]]:
    """Return the unique sentences that are a part of a longer paragraph, each with the number of the paragraph."""
    sentences = []
    for number, text in enumerate(body):
        parts = [part.strip() for part in _SENTENCE.split(text)]
        if len(parts) > 1:
            sentences += [(number, part) for part in parts if BULLET[0] <= len(words(part)) <= BULLET[1]]
    texts = [part for _, part in sentences]
    return [(number, part) for number, part in sentences if texts.count(part) == 1 and body[number].count(part) == 1]


def _bullets(body: list[str], rng: random.Random, between: str, mark: str) -> tuple[SeparatedPieces, SeparatedPieces]:
    """Return three to six sentences of different paragraphs as bullets, and the body with these as separate pieces."""
    by_paragraph: dict[int, list[str]] = {}
    for number, part in _sentences(body):
        by_paragraph.setdefault(number, []).append(part)
    if len(by_paragraph) < 3:
        return [], []
    chosen = sorted(rng.sample(sorted(by_paragraph), min(len(by_paragraph), rng.randint(3, 6))))
    picked = {number: rng.choice(by_paragraph[number]) for number in chosen}
    bullets: SeparatedPieces = [
        ((between if at else JOINT) + mark, Piece(picked[number], f"sentence {number}"))
        for at, number in enumerate(chosen)
    ]
    separated: SeparatedPieces = []
    for number, text in enumerate(body):
        if number not in picked:
            separated.append((JOINT, Piece(text, number)))
            continue
        at = text.index(picked[number])
        parts = [
            (text[:at], f"before {number}"),
            (picked[number], f"sentence {number}"),
            (text[at + len(picked[number]) :], f"behind {number}"),
        ]
        full = [Piece(part, unit) for part, unit in parts if part]
        separated += [("" if place else JOINT, piece) for place, piece in enumerate(full)]
    return bullets, separated


def _bullets_at(place: str, between: str, marks: Sequence[str]) -> Layout:
    """Return a layout with a list of sentences at the start or the end of the article."""

    def layout(body: list[str], rng: random.Random) -> SeparatedPieces:
        bullets, separated = _bullets(body, rng, between, rng.choice(marks))
        if place == "end":
            return separated + bullets
        return bullets + separated if place == "start" else separated[:1] + bullets + separated[1:]

    return layout


# The labels are keys of results.json and seeds of the random choices; `labels` has the names on the page.
LAYOUTS: dict[str, Layout] = {
    "again in lines": _again_in_lines,
    "lines first": _lines_first,
    "again in one paragraph": _again_in_one_paragraph,
    "one paragraph first": _one_paragraph_first,
    "again hard-wrapped": _again_hard_wrapped,
    "hard-wrapped first": _hard_wrapped_first,
    "again wrapped in paragraphs": _again_wrapped_in_paragraphs,
    "twice in one paragraph": _twice_in_one_paragraph,
    "some twice inside": _some_twice_inside,
    "truncated in one paragraph first": _truncated_in_one_paragraph,
    "six paragraphs elsewhere": _elsewhere,
    "sentences as bullets first": _bullets_at("start", JOINT, MARKS),
    "sentences as paragraphs first": _bullets_at("start", JOINT, ("",)),
    "sentences as a list first": _bullets_at("start", "\n", MARKS),
    "sentences as bullets last": _bullets_at("end", JOINT, MARKS),
    "sentences as a list last": _bullets_at("end", "\n", MARKS),
}
