"""Planted lines: boilerplate of hosts, and paragraphs that several articles share without being boilerplate.

Clean articles are assigned to hosts of 100, 20 and 5 articles. Each host prints its own lines, with its name in them,
in 5, 20, 60 or 100 % of its articles: at their start, at their end, in their middle or anywhere. The lines are in
several languages, from "Follow us" to the blurb of a newsletter. Other lines are the same on all hosts.

Content that must stay is planted too: background paragraphs and quotations from clean articles that are not in use,
with and without quotation marks, headings, and short recurring sentences. These may be flagged as shared, but never
dropped. Lines of a host are scored on all copies. Content is scored on all copies but one, since of a shared paragraph
the first copy is not flagged.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.quality.corpora import Article
from benchmarks.quality.score import Made, Piece, Score, covered, edits, joined
from dedup import Settings
from dedup.arrays import encode_utf8
from dedup.fingerprint.shingles import word_hash
from dedup.match.boilerplate import ANYWHERE, AT_EDGE, WAYS
from dedup.segment.words import comparison_key, weighted_word_count, words
from dedup.site_text.counts import are_of_reports
from dedup.site_text.line_forms import form_of, pack_member
from dedup.site_text.site_words import count_site_words

SIZES = (100, 20, 5, 20, 5, 20, 5, 20, 5)  # articles of each host; repeats
FREQUENCIES = (0.05, 0.2, 0.6, 1.0)
LINES_EACH = 3  # of a host, at each frequency
_SPEAKERS = ("Ann Moss", "the minister", "a spokesman")
BACKGROUND_WORDS = (30, 80)
QUOTE_WORDS = (8, 40)
BACKGROUNDS = 2  # in each host of 20 articles or more
QUOTES = 40  # in a corpus: half within one host, half anywhere
_HOSTS = (
    "Northern Courier",
    "Harbour Times",
    "Der Talbote",
    "La Voz del Valle",
    "Le Matin du Sud",
    "東西新報",
    "Вестник",
)

HOST_KINDS = ("own", "common")
FLAG_RULES = ("shared-paragraph", "boilerplate")

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


def _is_of_reports(text: str) -> bool:
    """Return True if a line may be a sentence of reports."""
    hashes = [word_hash(encode_utf8(word)) for word in words(text)]
    return bool(are_of_reports(np.array([form_of(text) + pack_member("site_words", count_site_words(hashes))]))[0])


class Line(NamedTuple):
    """One planted text: its kind, where it is printed, and how often."""

    key: str
    kind: str  # boilerplate: "own", "common"; content: "background", "quotation ...", "heading", "sentence"
    language: str
    size: int  # articles of the host
    share: float  # of these articles that print it; 0 if the number of copies is drawn instead
    text: str
    copies: int
    place: str = "anywhere"

    @property
    def is_boilerplate(self) -> bool:
        """Return True if the line is in as many articles as the rule requires for its length and place; hosts known."""
        return any(
            weighted_word_count(words(self.text)) <= way.words
            and self.copies >= way.articles
            and self.share >= way.share
            and (way.where == ANYWHERE or self.place == "end" or (way.where == AT_EDGE and self.place == "start"))
            and (way.sentences or self.place not in ("start", "end") or not _is_of_reports(self.text))
            for way in WAYS
        )


class Planted(NamedTuple):
    """A made corpus: articles, the host of each, and the planted lines by key."""

    articles: list[Made]
    hosts: list[str]
    lines: dict[str, Line]


class LineScore(NamedTuple):
    """Characters of one planted line: those of the copies that count, those dropped, and those flagged."""

    line: Line
    characters: int
    dropped: int
    flagged: int


def plant(articles: Sequence[Article], spare: Sequence[Article], seed: int) -> Planted:
    """Return a corpus of `articles` with planted lines; background and quotations come from `spare`."""
    rng = random.Random(seed)
    groups = _groups(len(articles))
    bodies = [[Piece(text, None) for text in article.body] for article in articles]
    lines: dict[str, Line] = {}

    def put(line: Line, into: Sequence[int], places: tuple[float, float]) -> None:
        lines[line.key] = line
        for article in into:
            bodies[article].insert(round(rng.uniform(*places) * len(bodies[article])), Piece(line.text, line.key))

    # Content goes first, so that it is inside the articles and not among the lines around them.
    spares = [text for article in spare for text in article.body]
    rng.shuffle(spares)
    long = [text for text in spares if BACKGROUND_WORDS[0] <= len(words(text)) <= BACKGROUND_WORDS[1]]
    for number, group in enumerate(groups):
        for _ in range(BACKGROUNDS if len(group) >= 20 and len(long) >= BACKGROUNDS else 0):
            copies = rng.randint(3, min(30, len(group)))
            line = Line(f"background {number} {len(long)}", "background", "", len(group), 0, long.pop(), copies)
            put(line, rng.sample(group, copies), (0.2, 1.0))
    _quotations(groups, [text for text in spares if text not in {line.text for line in lines.values()}], rng, put)
    _recurring(groups, rng, put)
    for number, group in enumerate(groups):
        for share in FREQUENCIES:
            for language, place, text in rng.sample(OWN, LINES_EACH):
                into = rng.sample(group, round(share * len(group)))
                printed = text.format(host=f"{_HOSTS[number % len(_HOSTS)]} {number}")
                key = f"own {number} {share} {text}"
                # A line that the host already prints at another frequency would no longer have this one.
                if into and printed not in {line.text for line in lines.values()}:
                    put(Line(key, "own", language, len(group), share, printed, len(into), place), into, PLACES[place])
    for share, (language, place, text) in zip(FREQUENCIES, COMMON, strict=True):
        into = [article for group in groups for article in rng.sample(group, round(share * len(group)))]
        put(Line(f"common {text}", "common", language, 0, share, text, len(into), place), into, PLACES[place])
    made = [joined(article.id, body, "\n\n") for article, body in zip(articles, bodies, strict=True)]
    hosts = {article: f"host{number}.example" for number, group in enumerate(groups) for article in group}
    return Planted(made, [hosts[at] for at in range(len(made))], lines)


Put = Callable[[Line, Sequence[int], tuple[float, float]], None]


def _quotations(groups: Sequence[Sequence[int]], spares: Sequence[str], rng: random.Random, put: Put) -> None:
    """Plant quotations in 2 to 6 articles, of one host or any: in marks, in marks with a speaker, or without marks."""
    short = [text for text in spares if QUOTE_WORDS[0] <= len(words(text)) <= QUOTE_WORDS[1]]
    everywhere = [article for group in groups for article in group]
    for number, text in enumerate(short[:QUOTES]):
        in_host = number % 2 == 0
        pool = rng.choice(groups) if in_host else everywhere
        copies = rng.randint(2, min(6, len(pool)))
        quotation = (f"“{text}”", text, f"“{text}” said {_SPEAKERS[number % len(_SPEAKERS)]}.")[number // 2 % 3]
        kind = "quotation" if quotation != text else "quotation without marks"
        kind += " in a host" if in_host else " anywhere"
        line = Line(f"quotation {number}", kind, "", len(pool), 0, quotation, copies)
        put(line, rng.sample(list(pool), copies), (0.0, 1.0))


def _recurring(groups: Sequence[Sequence[int]], rng: random.Random, put: Put) -> None:
    """Plant headings and short sentences in the articles of each host of 20 or more.

    A heading goes into 2 articles to a tenth of them (at least 3), a sentence into 2 to 6.
    """
    for number, group in enumerate(group for group in groups if len(group) >= 20):
        for kind, texts, most in (("heading", HEADINGS, max(3, len(group) // 10)), ("sentence", SENTENCES, 6)):
            for text in rng.sample(texts, 2):
                copies = rng.randint(2, most)
                line = Line(f"{kind} {number} {text}", kind, "", len(group), 0, text, copies)
                put(line, rng.sample(list(group), copies), (0.0, 0.9))


def _groups(count: int) -> list[list[int]]:
    """Return the numbers of the articles of each host: runs of the lengths in `SIZES`, repeated."""
    groups: list[list[int]] = []
    start = turn = 0
    while start < count:
        size = SIZES[turn % len(SIZES)]
        groups.append(list(range(start, min(start + size, count))))
        start += size
        turn += 1
    return groups


def run(planted: Planted, settings: Settings, *, hosts: bool) -> tuple[list[LineScore], Score]:
    """Run the whole pipeline; return the score of each planted line, and that of the real text.

    `hosts` says whether the articles name their hosts.
    """
    rows = [
        {"id": made.id, "text": made.text, **({"source": host} if hosts else {})}
        for made, host in zip(planted.articles, planted.hosts, strict=True)
    ]
    drops, flags = edits(rows, settings)
    dropped = dict.fromkeys(planted.lines, 0)
    flagged = dict.fromkeys(planted.lines, 0)
    real = lost = 0
    for at, made in enumerate(planted.articles):
        covered_by_drops = covered(made.spans, drops.get(at, ()))
        covered_by_flags = map(max, *(covered(made.spans, flags.get(at, ()), rule) for rule in FLAG_RULES))
        for piece, out, shared in zip(made.pieces, covered_by_drops, covered_by_flags, strict=True):
            if piece.unit is None:
                real += len(piece.text)
                lost += out
            else:
                dropped[str(piece.unit)] += out
                flagged[str(piece.unit)] += shared
    copies = {
        key: (line.copies - (line.kind not in HOST_KINDS)) * len(line.text) for key, line in planted.lines.items()
    }
    scores = [
        LineScore(line, copies[key], dropped[key], min(flagged[key], copies[key]))
        for key, line in planted.lines.items()
        if line.copies > 1
    ]
    return scores, Score(0, 0, real, lost)


def consistent(planted: Planted) -> bool:
    """Return True if each planted text is where the truth says and as often, and no other piece has its words."""
    counts = dict.fromkeys(planted.lines, 0)
    keys = {comparison_key(line.text) for line in planted.lines.values()}
    for made in planted.articles:
        for piece, (start, stop) in zip(made.pieces, made.spans, strict=True):
            if made.text[start:stop] != piece.text or (piece.unit is None and comparison_key(piece.text) in keys):
                return False
            if piece.unit is not None:
                counts[str(piece.unit)] += 1
    return counts == {key: line.copies for key, line in planted.lines.items()}
