"""Doubled bodies whose copies differ in layout: other line breaks, sentences as bullets, two copies in one paragraph.

What is between two pieces is part of a layout: a blank line, a line end, a space, or the mark of a bullet. `JOINT`
stands in it for the joint that the article is made with.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from dedup.segment.words import is_unspaced, weighted_word_count, words
from quality.score import Made, Piece

WIDTHS = (72, 76, 80)
MARKS = ("- ", "• ", "* ")
NARROW = 36  # letters of a line, where words have no spaces between them
PART_WORDS = 60  # words of a part of the article that is printed again
BULLET = (8, 40)  # words of a sentence that makes a bullet
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")

JOINT = "\0"
Laid = list[tuple[str, Piece]]
Layout = Callable[[list[str], random.Random], Laid]


def put_together(name: str, laid: Laid, joint: str) -> Made:
    r"""The article of pieces, each with what stands before it; before the first that is left out but for a mark.

    >>> put_together("a", [(JOINT, Piece("One.", 0)), (JOINT + "- ", Piece("Two.", 1))], "\n\n").text
    'One.\n\n- Two.'
    """
    text = ""
    spans = []
    for before, piece in laid:
        gap = before.replace(JOINT, joint)
        text += gap if text else gap.lstrip()
        spans.append((len(text), len(text) + len(piece.text)))
        text += piece.text
    return Made(name, text, [piece for _, piece in laid], spans)


def _units(body: Sequence[str], between: str = JOINT, before: str = JOINT) -> Laid:
    return [(between if unit else before, Piece(text, unit)) for unit, text in enumerate(body)]


def enough(pieces: Iterable[Piece]) -> bool:
    """Whether pieces are a text to be found where the article does not go on with it: a list of names is not."""
    return sum(weighted_word_count(words(piece.text)) for piece in pieces) >= PART_WORDS


def _blank(body: Sequence[str]) -> str:
    """What joins sentences into one paragraph."""
    return " " if _spaced(body) else ""


def _spaced(body: Sequence[str]) -> bool:
    return not any("。" in text for text in body)


def _wrapped(body: Sequence[str], rng: random.Random) -> list[str]:
    width = rng.choice(WIDTHS)
    if _spaced(body):
        return [textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False) for text in body]
    return ["\n".join(_rows(text)) for text in body]


def _rows(text: str) -> Iterator[str]:
    """A text without spaces in rows, broken before letters that are words by themselves."""
    start = 0
    for at in range(len(text)):
        if at - start >= NARROW and is_unspaced(text[at]):
            yield text[start:at]
            start = at
    yield text[start:]


def _again_in_lines(body: list[str], _: random.Random) -> Laid:
    return _units(body) + _units(body, "\n")


def _lines_first(body: list[str], _: random.Random) -> Laid:
    return _units(body, "\n") + _units(body)


def _again_in_one_paragraph(body: list[str], _: random.Random) -> Laid:
    return _units(body) + _units(body, _blank(body))


def _one_paragraph_first(body: list[str], _: random.Random) -> Laid:
    return _units(body, _blank(body)) + _units(body)


def _again_hard_wrapped(body: list[str], rng: random.Random) -> Laid:
    return _units(body) + _units(_wrapped(body, rng), "\n")


def _hard_wrapped_first(body: list[str], rng: random.Random) -> Laid:
    return _units(_wrapped(body, rng), "\n") + _units(body)


def _again_wrapped_in_paragraphs(body: list[str], rng: random.Random) -> Laid:
    return _units(body) + _units(_wrapped(body, rng))


def _twice_in_one_paragraph(body: list[str], _: random.Random) -> Laid:
    return _units(body, _blank(body)) + _units(body, _blank(body), _blank(body))


def _some_twice_inside(body: list[str], rng: random.Random) -> Laid:
    """Three paragraphs of the article as one, and again in the same line."""
    start = rng.randrange(len(body) - 3)
    blank = _blank(body)
    inside = [(blank if at else JOINT, Piece(body[start + at], start + at)) for at in range(3)]
    if not enough(piece for _, piece in inside):
        return []
    again = [(blank, piece) for _, piece in inside]
    units = _units(body)
    return [*units[:start], *inside, *again, *units[start + 3 :]]


def _truncated_in_one_paragraph(body: list[str], rng: random.Random) -> Laid:
    """The beginning in one paragraph, cut in a sentence, then the whole."""
    kept = rng.randint(max(3, len(body) // 2), len(body))
    copy = _units(body[:kept], _blank(body))
    before, last = copy[-1]
    text = last.text[: max(1, int(len(last.text) * rng.uniform(0.3, 0.9)))].rstrip() + "..."
    return [*copy[:-1], (before, Piece(text, last.unit, whole=False)), *_units(body)]


def _elsewhere(body: list[str], rng: random.Random) -> Laid:
    """A run of six paragraphs again, in another place of the article."""
    if len(body) < 9:
        return []
    start = rng.randrange(len(body) - 5)
    if not enough(piece for _, piece in _units(body[start : start + 6])):
        return []
    place = rng.choice([at for at in range(len(body) + 1) if at <= start or at >= start + 6])
    units = _units(body)
    return [*units[:place], *units[start : start + 6], *units[place:]]


def _sentences(body: list[str]) -> list[tuple[int, str]]:
    """Sentences that are a part of a longer paragraph, with the number of the paragraph."""
    found = []
    for number, text in enumerate(body):
        parts = [part.strip() for part in _SENTENCE.split(text)]
        if len(parts) > 1:
            found += [(number, part) for part in parts if BULLET[0] <= len(words(part)) <= BULLET[1]]
    once = [part for _, part in found]
    return [(number, part) for number, part in found if once.count(part) == 1 and body[number].count(part) == 1]


def _bullets(body: list[str], rng: random.Random, between: str, mark: str) -> tuple[Laid, Laid]:
    """Three to six sentences, each of another paragraph, as bullets; and the body with these as pieces of their own."""
    by_paragraph: dict[int, list[str]] = {}
    for number, part in _sentences(body):
        by_paragraph.setdefault(number, []).append(part)
    if len(by_paragraph) < 3:
        return [], []
    chosen = sorted(rng.sample(sorted(by_paragraph), min(len(by_paragraph), rng.randint(3, 6))))
    picked = {number: rng.choice(by_paragraph[number]) for number in chosen}
    bullets: Laid = [
        ((between if at else JOINT) + mark, Piece(picked[number], f"sentence {number}"))
        for at, number in enumerate(chosen)
    ]
    laid: Laid = []
    for number, text in enumerate(body):
        if number not in picked:
            laid.append((JOINT, Piece(text, number)))
            continue
        at = text.index(picked[number])
        parts = [
            (text[:at], f"before {number}"),
            (picked[number], f"sentence {number}"),
            (text[at + len(picked[number]) :], f"behind {number}"),
        ]
        full = [Piece(part, unit) for part, unit in parts if part]
        laid += [("" if place else JOINT, piece) for place, piece in enumerate(full)]
    return bullets, laid


def _bullets_at(place: str, between: str, marks: Sequence[str]) -> Layout:
    def layout(body: list[str], rng: random.Random) -> Laid:
        bullets, laid = _bullets(body, rng, between, rng.choice(marks))
        if place == "end":
            return laid + bullets
        return bullets + laid if place == "start" else laid[:1] + bullets + laid[1:]

    return layout


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
