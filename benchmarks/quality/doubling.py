"""Doubled bodies: what is found of a text that a page prints twice, and what that costs.

Each variant is one way of doubling that crawled pages show. The whole pipeline runs over the made articles of a variant
at once (`dedup.clean_articles`, every rule at its default); sweeps score `dedup.repeats` alone, which is what decides.
Advertisements between the copies are nobody's loss and nobody's find.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from dedup import Settings
from dedup.repeats.blocks import BLOCK_RULE
from dedup.repeats.detect import find_repeats
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, words
from quality.corpora import Article
from quality.layouts import JOINT, LAYOUTS, Laid, Layout, enough, put_together
from quality.score import Made, Piece, Score, edits, symmetrical

NOISE = ("Read more", "Advertisement", "Story continues below", "Related: what to know about the week ahead")
JOINTS = {"": "\n\n", ", lines": "\n"}
_FILLER = ("however", "then", "nearly", "quietly", "again", "perhaps", "merely", "often")

Variant = Callable[[list[str], random.Random], list[Piece]]
Cut = tuple[list[tuple[int, int]], list[str]]


def _units(body: list[str]) -> list[Piece]:
    return [Piece(text, unit) for unit, text in enumerate(body)]


def _twice(body: list[str], _: random.Random) -> list[Piece]:
    return _units(body) * 2


def _paragraph_missing(body: list[str], rng: random.Random) -> list[Piece]:
    copy = _units(body)
    del copy[rng.randrange(len(copy))]
    return _units(body) + copy


def _first_misses_one(body: list[str], rng: random.Random) -> list[Piece]:
    copy = _units(body)
    del copy[rng.randrange(len(copy))]
    return copy + _units(body)


def _prefix_before(body: list[str], rng: random.Random) -> list[Piece]:
    return _units(body)[: rng.randint(3, max(3, len(body) - 1))] + _units(body)


def _truncated_first(body: list[str], rng: random.Random) -> list[Piece]:
    copy = _units(body)[: rng.randint(3, len(body))]
    return [*copy[:-1], _cut(copy[-1], rng), *_units(body)]


def _truncated_last(body: list[str], rng: random.Random) -> list[Piece]:
    copy = _units(body)
    return [*_units(body), *copy[:-1], _cut(copy[-1], rng)]


def _cut(piece: Piece, rng: random.Random) -> Piece:
    text = piece.text[: max(1, int(len(piece.text) * rng.uniform(0.3, 0.9)))].rstrip()
    return Piece(text + "...", piece.unit, whole=False)


def _each_twice(body: list[str], _: random.Random) -> list[Piece]:
    return [piece for piece in _units(body) for _ in range(2)]


def _each_three_times(body: list[str], _: random.Random) -> list[Piece]:
    return [piece for piece in _units(body) for _ in range(3)]


def _three_copies(body: list[str], _: random.Random) -> list[Piece]:
    return _units(body) * 3


def _thirty_copies(body: list[str], _: random.Random) -> list[Piece]:
    return _units(body[:8]) * 30


def _edited(body: list[str], rng: random.Random) -> list[Piece]:
    return _units(body) + [Piece(_edit(text, rng), unit) for unit, text in enumerate(body)]


def _half_edited(body: list[str], rng: random.Random) -> list[Piece]:
    return _units(body) + [Piece(_edit(t, rng) if rng.random() < 0.5 else t, unit) for unit, t in enumerate(body)]


def _edit(text: str, rng: random.Random) -> str:
    """The text with one small word replaced, left out or added; as it is where it has none."""
    tokens = text.split(" ")
    small = [place for place, token in enumerate(tokens) if token.isalpha() and token.islower()]
    if not small:
        return text
    place = rng.choice(small)
    tokens[place : place + 1] = rng.choice(([rng.choice(_FILLER)], [], [tokens[place], rng.choice(_FILLER)]))
    return " ".join(tokens)


def _noise_between(body: list[str], rng: random.Random) -> list[Piece]:
    return [*_units(body), Piece(rng.choice(NOISE), None), *_units(body)]


def _noise_inside(body: list[str], rng: random.Random) -> list[Piece]:
    copy = _units(body)
    for place in sorted(rng.sample(range(len(copy)), 2), reverse=True):
        copy.insert(place, Piece(rng.choice(NOISE), None))
    return _units(body) + copy


def _part_again(body: list[str], rng: random.Random) -> list[Piece]:
    """A run of five paragraphs again at the end."""
    start = rng.randrange(len(body) - 4)
    part = _units(body)[start : start + 5]
    return _units(body) + part if enough(part) else []


def _bullets(body: list[str], rng: random.Random) -> list[Piece]:
    """Four paragraphs of the body as a summary before it."""
    short = [piece for piece in _units(body) if 10 <= len(words(piece.text)) <= 50]
    if len(short) < 4:
        return []
    return [short[place] for place in sorted(rng.sample(range(len(short)), 4))] + _units(body)


def _one_paragraph(body: list[str], _: random.Random) -> list[Piece]:
    long = [text for text in body if len(words(text)) >= 40]
    return [Piece(long[0], 0)] * 2 if long else []


def _one_with_heading(body: list[str], rng: random.Random) -> list[Piece]:
    pieces = _one_paragraph(body, rng)
    return [pieces[0], Piece(rng.choice(NOISE), None), pieces[1]] if pieces else []


def _two_paragraphs(body: list[str], _: random.Random) -> list[Piece]:
    return _units(body[:2]) * 2 if sum(len(words(text)) for text in body[:2]) >= 40 else []


WHOLE: dict[str, Variant] = {
    "twice": _twice,
    "second misses a paragraph": _paragraph_missing,
    "first misses a paragraph": _first_misses_one,
    "prefix before the whole": _prefix_before,
    "truncated, then whole": _truncated_first,
    "whole, then truncated": _truncated_last,
    "A A B B": _each_twice,
    "A A A B B B": _each_three_times,
    "three copies": _three_copies,
    "thirty copies": _thirty_copies,
    "one word edited": _edited,
    "half of them edited": _half_edited,
    "heading or ad between": _noise_between,
    "ads inside the copy": _noise_inside,
    "a part again at the end": _part_again,
    "summary of whole paragraphs": _bullets,
    "one long paragraph": _one_paragraph,
    "one, and a heading": _one_with_heading,
    "two paragraphs": _two_paragraphs,
}


def _laid(variant: Variant) -> Layout:
    """A variant of whole paragraphs as a layout."""

    def layout(body: list[str], rng: random.Random) -> Laid:
        return [(JOINT, piece) for piece in variant(body, rng)]

    return layout


VARIANTS: dict[str, Layout] = {**{label: _laid(variant) for label, variant in WHOLE.items()}, **LAYOUTS}
EDITED = ("one word edited", "half of them edited")  # a repeat of these says nearly, not exactly the same


def make(articles: Sequence[Article], label: str, joint: str, seed: int) -> list[Made]:
    """The articles doubled in one way; those that are no material for it are left out."""
    made = []
    for name, body in articles:
        laid = VARIANTS[label](body, random.Random(f"{seed} {name} {label}"))
        if laid:
            made.append(put_together(name, laid, joint))
    return [one for one in made if label in LAYOUTS or paragraphs(one.text) == one.spans]


def through_pipeline(made: Sequence[Made], settings: Settings) -> list[Score]:
    """What the whole pipeline does to each, all rules together."""
    drops, flags = edits([{"id": one.id, "text": one.text} for one in made], settings)
    return [symmetrical(one, drops.get(at, ()), flags.get(at, ())) for at, one in enumerate(made)]


def through_blocks(made: Sequence[Made], cut: Sequence[Cut], settings: Settings) -> list[Score]:
    """What `repeated-block` alone does to each; `cut` are its paragraphs, since they are wanted often."""
    scores = []
    for one, (spans, keys) in zip(made, cut, strict=True):
        pieces = find_repeats(one.text, spans, keys, settings)
        drops = [
            (pieces.spans[found.first][0], pieces.spans[found.last][1], found.rule)
            for found in pieces.repeats
            if found.rule == BLOCK_RULE
        ]
        scores.append(symmetrical(one, drops))
    return scores


def cut(made: Sequence[Made]) -> list[Cut]:
    """The paragraphs of each article, and their comparison keys."""
    found = []
    known: dict[str, str] = {}
    for one in made:
        spans = paragraphs(one.text)
        texts = [one.text[start:stop] for start, stop in spans]
        known.update({text: comparison_key(text) for text in texts if text not in known})
        found.append((spans, [known[text] for text in texts]))
    return found
