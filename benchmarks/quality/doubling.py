"""Doubled bodies: how much of a text that a page prints twice is found, and how much real text is lost.

Each variant is one way of doubling that crawled pages show. The whole pipeline runs over the made articles of a variant
at once (`dedup.clean_articles`, every rule at its default). Sweeps score `dedup.repeats` alone, which is what decides.
Advertisements between the copies count neither as found nor as lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from benchmarks.quality.corpora import Article
from benchmarks.quality.layouts import JOINT, LAYOUTS, Layout, SeparatedPieces, assemble, has_enough_words
from benchmarks.quality.score import Made, Piece, Score, edits, symmetrical
from benchmarks.quality.versions import VERSIONS
from dedup import Settings
from dedup.repeats.detect import BLOCK_RULE, detect_repeats
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, words

NOISE = ("Read more", "Advertisement", "Story continues below", "Related: what to know about the week ahead")
JOINTS = {"": "\n\n", ", lines": "\n"}
_FILLER = ("however", "then", "nearly", "quietly", "again", "perhaps", "merely", "often")

Variant = Callable[[list[str], random.Random], list[Piece]]
Cut = tuple[list[tuple[int, int]], list[str]]  # spans of paragraphs, and their comparison keys


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
    """Return a truncated copy of a piece."""
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
    """Return the text with one lower-case word replaced, left out or added; unchanged if it has none."""
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
    """Repeat a run of five paragraphs at the end."""
    start = rng.randrange(len(body) - 4)
    part = _units(body)[start : start + 5]
    return _units(body) + part if has_enough_words(part) else []


def _bullets(body: list[str], rng: random.Random) -> list[Piece]:
    """Put four paragraphs of the body before it, as a summary."""
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


# The labels are keys of results.json and seeds of the random choices; `labels` has the names on the page.
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


def _as_layout(variant: Variant) -> Layout:
    """Return a variant of whole paragraphs as a layout."""

    def layout(body: list[str], rng: random.Random) -> SeparatedPieces:
        return [(JOINT, piece) for piece in variant(body, rng)]

    return layout


VARIANTS: dict[str, Layout] = {
    **{label: _as_layout(variant) for label, variant in WHOLE.items()},
    **LAYOUTS,
    **VERSIONS,
}
# Variants with copies that are not exact.
EDITED = (
    "one word edited",
    "half of them edited",
    "any word edited",
    "half of them, any word edited",
    "one line each, any word edited",
    "one line, any word edited",
    "updated version",
    "updated inside",
)
TEASER = "teaser"
THIRTY_COPIES = "thirty copies"  # takes as long as all the others together


def make(articles: Sequence[Article], label: str, joint: str, seed: int) -> list[Made]:
    """Return the articles doubled in one way, without those that the variant does not fit."""
    doubled = []
    for name, body in articles:
        pieces = VARIANTS[label](body, random.Random(f"{seed} {name} {label}"))
        if pieces:
            doubled.append(assemble(name, pieces, joint))
    return [made for made in doubled if label not in WHOLE or paragraphs(made.text) == made.spans]


def through_pipeline(articles: Sequence[Made], settings: Settings) -> list[Score]:
    """Return the score of the whole pipeline on each article, all rules together."""
    drops, flags = edits([{"id": made.id, "text": made.text} for made in articles], settings)
    return [symmetrical(made, drops.get(at, ()), flags.get(at, ())) for at, made in enumerate(articles)]


def through_blocks(articles: Sequence[Made], cuts: Sequence[Cut], settings: Settings) -> list[Score]:
    """Return the score of `repeated-block` alone on each article.

    `cuts` are the paragraphs of each article from `cut`, which sweeps compute once for many settings.
    """
    scores = []
    for made, (spans, keys) in zip(articles, cuts, strict=True):
        pieces = detect_repeats(made.text, spans, keys, settings)
        drops = [
            (pieces.spans[repeat.first][0], pieces.spans[repeat.last][1], repeat.rule)
            for repeat in pieces.repeats
            if repeat.rule == BLOCK_RULE
        ]
        scores.append(symmetrical(made, drops))
    return scores


def cut(articles: Sequence[Made]) -> list[Cut]:
    """Return the paragraphs of each article, and their comparison keys."""
    cuts = []
    cache: dict[str, str] = {}
    for made in articles:
        spans = paragraphs(made.text)
        texts = [made.text[start:stop] for start, stop in spans]
        cache.update({text: comparison_key(text) for text in texts if text not in cache})
        cuts.append((spans, [cache[text] for text in texts]))
    return cuts
