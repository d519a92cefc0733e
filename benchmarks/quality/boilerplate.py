"""Planted lines: boilerplate of hosts, and paragraphs that several articles share without being boilerplate.

Clean articles are given to hosts of 100, 20 and 5 articles. Each host prints its own lines (with its name in them) in
5, 20, 60 or 100 % of its articles, at their start, at their end, in their middle or anywhere, in several languages:
from "Follow us" to the blurb of a newsletter; other lines are the same on all hosts. What must stay is planted too:
background paragraphs and quotations of clean articles that are not in use, with and without quotation marks, headings,
and short sentences that come again and again. These are content, and may be flagged as shared, never dropped. The
first copy of a line in the corpus stays by design, so lines are scored against all copies but one.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from dedup import Settings
from dedup.match.boilerplate import ANYWHERE, AT_EDGE, WAYS
from dedup.segment.words import comparison_key, weighted_word_count, words
from quality.corpora import Article
from quality.score import Made, Piece, Score, covered, edits, joined

SIZES = (100, 20, 5, 20, 5, 20, 5, 20, 5)  # of hosts, in turns
FREQUENCIES = (0.05, 0.2, 0.6, 1.0)
LINES_EACH = 3  # lines of a host for each frequency
_SPEAKERS = ("Ann Moss", "the minister", "a spokesman")
BACKGROUND_WORDS = (30, 80)
QUOTE_WORDS = (8, 40)
BACKGROUNDS = 2  # of each host of 20 or more
QUOTES = 40  # of a corpus: half inside one host, half anywhere
_HOSTS = (
    "Northern Courier",
    "Harbour Times",
    "Der Talbote",
    "La Voz del Valle",
    "Le Matin du Sud",
    "東西新報",
    "Вестник",
)

PLACES: dict[str, tuple[float, float]] = {
    "start": (0.0, 0.0),
    "middle": (0.5, 0.5),
    "end": (1.0, 1.0),
    "anywhere": (0.1, 0.9),
}
_DATA = tomllib.loads(Path(__file__).with_name("planted_lines.toml").read_text(encoding="utf-8"))
OWN = [(line["language"], line["place"], line["text"]) for line in _DATA["own"]]
COMMON = [(line["language"], line["place"], line["text"]) for line in _DATA["common"]]
HEADINGS: list[str] = _DATA["headings"]
SENTENCES: list[str] = _DATA["sentences"]


class Line(NamedTuple):
    """One planted text: what kind it is, where it is printed, and how often."""

    key: str
    kind: str  # "own", "common", and of content: "background", "quotation ...", "heading", "sentence"
    language: str
    size: int  # articles of the host
    share: float  # of them that print it; 0 where the number of copies is drawn
    text: str
    copies: int
    place: str = "anywhere"

    @property
    def asked_for(self) -> bool:
        """Whether the line is in as many articles as the rule wants for its length and place; hosts are known."""
        return any(
            weighted_word_count(words(self.text)) <= way.words
            and self.copies >= way.articles
            and self.share >= way.share
            and (way.where == ANYWHERE or self.place == "end" or (way.where == AT_EDGE and self.place == "start"))
            for way in WAYS
        )


class Planted(NamedTuple):
    """A made corpus: articles, the host of each, and what was planted."""

    articles: list[Made]
    hosts: list[str]
    lines: dict[str, Line]


class LineScore(NamedTuple):
    """Characters of one planted line: all its copies but one, and of these dropped, and flagged as shared."""

    line: Line
    characters: int
    dropped: int
    flagged: int


def plant(articles: Sequence[Article], spare: Sequence[Article], seed: int) -> Planted:
    """A corpus of `articles` with lines planted; background and quotations come from `spare`."""
    rng = random.Random(seed)
    groups = _groups(len(articles))
    bodies = [[Piece(text, None) for text in article.body] for article in articles]
    lines: dict[str, Line] = {}

    def put(line: Line, into: Sequence[int], places: tuple[float, float]) -> None:
        lines[line.key] = line
        for article in into:
            bodies[article].insert(round(rng.uniform(*places) * len(bodies[article])), Piece(line.text, line.key))

    # what is part of the articles first, so that it stands inside them and not among the lines around them
    spares = [text for article in spare for text in article.body]
    rng.shuffle(spares)
    long = [text for text in spares if BACKGROUND_WORDS[0] <= len(words(text)) <= BACKGROUND_WORDS[1]]
    for number, group in enumerate(groups):
        for _ in range(BACKGROUNDS if len(group) >= 20 and len(long) >= BACKGROUNDS else 0):
            copies = rng.randint(3, min(30, len(group)))
            line = Line(f"background {number} {len(long)}", "background", "", len(group), 0, long.pop(), copies)
            put(line, rng.sample(group, copies), (0.2, 1.0))
    _quotations(groups, [text for text in spares if text not in {one.text for one in lines.values()}], rng, put)
    _recurring(groups, rng, put)
    for number, group in enumerate(groups):
        for share in FREQUENCIES:
            for language, place, text in rng.sample(OWN, LINES_EACH):
                into = rng.sample(group, round(share * len(group)))
                own = text.format(host=f"{_HOSTS[number % len(_HOSTS)]} {number}")
                key = f"own {number} {share} {text}"
                # a line that a host already prints at another frequency would no longer have this one
                if into and own not in {line.text for line in lines.values()}:
                    put(Line(key, "own", language, len(group), share, own, len(into), place), into, PLACES[place])
    for share, (language, place, text) in zip(FREQUENCIES, COMMON, strict=True):
        into = [article for group in groups for article in rng.sample(group, round(share * len(group)))]
        put(Line(f"common {text}", "common", language, 0, share, text, len(into), place), into, PLACES[place])
    made = [joined(article.id, body, "\n\n") for article, body in zip(articles, bodies, strict=True)]
    hosts = {article: f"host{number}.example" for number, group in enumerate(groups) for article in group}
    return Planted(made, [hosts[at] for at in range(len(made))], lines)


Put = Callable[[Line, Sequence[int], tuple[float, float]], None]


def _quotations(groups: Sequence[Sequence[int]], spares: Sequence[str], rng: random.Random, put: Put) -> None:
    """Quotations in 2 to 6 articles, of one host or any: in marks, in marks with a speaker, or without marks."""
    short = [text for text in spares if QUOTE_WORDS[0] <= len(words(text)) <= QUOTE_WORDS[1]]
    everywhere = [article for group in groups for article in group]
    for number, text in enumerate(short[:QUOTES]):
        inside = number % 2 == 0
        pool = rng.choice(groups) if inside else everywhere
        copies = rng.randint(2, min(6, len(pool)))
        said = (f"“{text}”", text, f"“{text}” said {_SPEAKERS[number % len(_SPEAKERS)]}.")[number // 2 % 3]
        kind = ("quotation" if said != text else "quotation without marks") + (" in a host" if inside else " anywhere")
        line = Line(f"quotation {number}", kind, "", len(pool), 0, said, copies)
        put(line, rng.sample(list(pool), copies), (0.0, 1.0))


def _recurring(groups: Sequence[Sequence[int]], rng: random.Random, put: Put) -> None:
    """Headings in up to a tenth of the articles of a large host, and short sentences in 2 to 6 of any of 20."""
    for number, group in enumerate(group for group in groups if len(group) >= 20):
        for kind, texts, most in (("heading", HEADINGS, max(3, len(group) // 10)), ("sentence", SENTENCES, 6)):
            for text in rng.sample(texts, 2):
                copies = rng.randint(2, most)
                line = Line(f"{kind} {number} {text}", kind, "", len(group), 0, text, copies)
                put(line, rng.sample(list(group), copies), (0.0, 0.9))


def _groups(count: int) -> list[list[int]]:
    """The articles of each host: runs of the sizes, in turns, as long as they last."""
    groups: list[list[int]] = []
    start = turn = 0
    while start < count:
        size = SIZES[turn % len(SIZES)]
        groups.append(list(range(start, min(start + size, count))))
        start += size
        turn += 1
    return groups


def run(planted: Planted, settings: Settings, *, hosts: bool) -> tuple[list[LineScore], Score]:
    """What the whole pipeline drops of each planted line, and of the real text; `hosts`: whether it is told them."""
    rows = [
        {"id": made.id, "text": made.text, **({"source": host} if hosts else {})}
        for made, host in zip(planted.articles, planted.hosts, strict=True)
    ]
    drops, flags = edits(rows, settings)
    dropped = dict.fromkeys(planted.lines, 0)
    flagged = dict.fromkeys(planted.lines, 0)
    real = lost = 0
    for at, made in enumerate(planted.articles):
        gone = covered(made.spans, drops.get(at, ()))
        told = covered(made.spans, flags.get(at, ()), "shared-paragraph")
        for piece, out, shared in zip(made.pieces, gone, told, strict=True):
            if piece.unit is None:
                real += len(piece.text)
                lost += out
            else:
                dropped[str(piece.unit)] += out
                flagged[str(piece.unit)] += shared
    copies = {key: (line.copies - 1) * len(line.text) for key, line in planted.lines.items()}
    scores = [
        LineScore(line, copies[key], dropped[key], min(flagged[key], copies[key]))
        for key, line in planted.lines.items()
        if line.copies > 1
    ]
    return scores, Score(0, 0, real, lost)


def consistent(planted: Planted) -> bool:
    """Whether each planted text stands where the truth says, as often as it says, and nothing else has its words."""
    counts = dict.fromkeys(planted.lines, 0)
    keys = {comparison_key(line.text) for line in planted.lines.values()}
    for made in planted.articles:
        for piece, (start, stop) in zip(made.pieces, made.spans, strict=True):
            if made.text[start:stop] != piece.text or (piece.unit is None and comparison_key(piece.text) in keys):
                return False
            if piece.unit is not None:
                counts[str(piece.unit)] += 1
    return counts == {key: line.copies for key, line in planted.lines.items()}
