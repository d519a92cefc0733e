"""How much of a doubled body `dedup.repeats` finds, and what it costs where nothing is doubled.

Makes doubled bodies with known truth out of clean articles, one table row for each way of doubling:

    python benchmarks/quality/doubling.py ARTICLES.jsonl.gz [--articles 400] [--seed 1] [--examples 10]

*recall*: share of the injected characters that blocks drop. *lost*: share of the real characters they drop.
The truth is symmetrical, either copy may go: every unit (a paragraph and its copies) may lose all but one of its
members, as long as one that is not truncated stays; else it counts as lost. *harmed*: articles that lose anything real.
*untouched*: the articles as they are. An article whose own paragraphs repeat is no material for doubling.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from dedup.repeats import BLOCK, PARAGRAPH, Repeat, repeats
from dedup.segment import comparison_key, paragraphs, words
from dedup.settings import Settings


class Piece(NamedTuple):
    """A paragraph of a made article: which unit it is a copy of (None: noise), and how much of it is there."""

    text: str
    unit: int | None
    whole: bool = True  # a truncated copy may be dropped, but may not be the only one left


NOISE = ("Read more", "Advertisement", "Story continues below", "Related: what to know about the week ahead")
_FILLER = ("however", "then", "nearly", "quietly", "again", "perhaps", "merely", "often")


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
    return _units(body) + _units(body)[start : start + 5]


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


VARIANTS: dict[str, Callable[[list[str], random.Random], list[Piece]]] = {
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


class Score(NamedTuple):
    """Characters of one made article."""

    injected: int
    found: int
    real: int
    lost: int


def find(text: str, settings: Settings) -> tuple[list[tuple[int, int]], list[Repeat]]:
    """The spans of the paragraphs and their repeats."""
    spans = paragraphs(text)
    return spans, repeats(text, spans, [comparison_key(text[slice(*span)]) for span in spans], settings)


def score(pieces: list[Piece], joint: str, settings: Settings) -> Score:
    """What blocks drop of a made article, against its truth."""
    spans, found = find(joint.join(piece.text for piece in pieces), settings)
    if len(spans) != len(pieces):
        return Score(0, 0, 0, 0)
    dropped = {index for row in found if row.rule == BLOCK for index in range(row.first, row.last + 1)}
    units: dict[int | str, list[int]] = {}
    for index, piece in enumerate(pieces):
        units.setdefault(piece.text if piece.unit is None else piece.unit, []).append(index)
    injected = hit = real = lost = 0
    for members in units.values():
        sizes = {index: len(pieces[index].text) for index in members}
        gone = [index for index in members if index in dropped]
        full = max(sizes.values())
        real += full
        injected += sum(sizes.values()) - full
        kept = [index for index in members if index not in dropped]
        complete = [index for index in kept if pieces[index].whole]
        hit += min(sum(sizes[index] for index in gone), sum(sizes.values()) - full) if complete else 0
        lost += 0 if complete else full
    return Score(injected, hit, real, lost)


def read(path: Path) -> Iterator[tuple[str, str]]:
    """``(id, text)`` of every article of a JSON Lines file, plain or gzipped."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            row = json.loads(line)
            yield str(row["id"]), row["text"]


def untouched(articles: list[tuple[str, str]], settings: Settings, examples: int) -> None:
    """Prints what would be cut from the articles as they are, and the time taken."""
    total = cut = flagged = harmed = 0
    seconds = 0.0
    shown: list[str] = []
    for name, text in articles:
        spans = paragraphs(text)
        keys = [comparison_key(text[slice(*span)]) for span in spans]
        began = time.perf_counter()
        found = repeats(text, spans, keys, settings)
        seconds += time.perf_counter() - began
        total += len(text)
        sizes = {
            rule: sum(spans[r.last][1] - spans[r.first][0] for r in found if r.rule == rule)
            for rule in (BLOCK, PARAGRAPH)
        }
        cut, flagged, harmed = cut + sizes[BLOCK], flagged + sizes[PARAGRAPH], harmed + bool(sizes[BLOCK])
        shown += [_example(name, text, spans, row) for row in found if row.rule == BLOCK]
    print(
        f"\nuntouched: {len(articles)} articles, {harmed} with a block, "
        f"{cut / max(1, total):.4%} of the characters cut, "
        f"{flagged / max(1, total):.4%} flagged, {seconds / max(1, len(articles)) * 1e6:.0f} µs an article"
    )
    random.Random(1).shuffle(shown)
    for example in shown[:examples]:
        print(example)


def _example(name: str, text: str, spans: list[tuple[int, int]], row: Repeat) -> str:
    def quote(first: int, last: int) -> str:
        raw = " ".join(text[spans[first][0] : spans[last][1]].split())
        return f"{first}-{last}: {raw[:150]} … {raw[-60:]}"

    return (
        f"\n{name}: {row.similarity:.3f} of {len(spans)} paragraphs\n  drop {quote(row.first, row.last)}"
        f"\n  twin {quote(row.twin_first, row.twin_last)}"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--articles", type=int, default=400, help="articles to double, in each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=10, help="drops on untouched articles to print")
    parser.add_argument(
        "--misses", type=int, default=0, help="made articles that are not perfect to print, in each way"
    )
    options = parser.parse_args()
    settings = Settings()
    articles = list(read(options.corpus))
    bodies = []
    for name, text in articles:
        body = [" ".join(text[slice(*span)].split()) for span in paragraphs(text)]
        keys = [comparison_key(paragraph) for paragraph in body]
        clean = len(set(keys)) == len(keys) and all(keys) and not find("\n\n".join(body), settings)[1]
        if len(body) >= 6 and clean:
            bodies.append((name, body))
    random.Random(options.seed).shuffle(bodies)
    print(f"{len(bodies)} articles of 6 paragraphs or more that repeat nothing; {options.articles} taken")
    print(f"\n{'':36}{'recall':>9}{'lost':>10}{'harmed':>9}{'of':>6}")
    for label, make in VARIANTS.items():
        for joint, suffix in (("\n\n", ""), ("\n", ", lines")):
            rows = []
            misses = []
            for name, body in bodies[: options.articles]:
                pieces = make(body, random.Random(f"{options.seed} {name} {label}"))
                row = score(pieces, joint, settings) if pieces else Score(0, 0, 0, 0)
                if row.real:
                    rows.append(row)
                if row.found < row.injected or row.lost:
                    misses.append((name, row))
            injected, found, real, lost = map(sum, zip(*rows, strict=True)) if rows else (0, 0, 0, 0)
            print(
                f"{label + suffix:36}{found / max(1, injected):9.4f}{lost / max(1, real):10.4%}"
                f"{sum(row.lost > 0 for row in rows):9}{len(rows):6}"
            )
            for name, row in misses[: options.misses]:
                print(f"    {name}: {row}")
    untouched(articles, settings, options.examples)


if __name__ == "__main__":
    main()
