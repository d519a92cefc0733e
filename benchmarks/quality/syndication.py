"""Syndicated copies: which copies of an article are dropped, and whether anything else is.

Every clean article gets a front (headline, byline, dateline) and one copy per variant. All articles and the copies of
one variant go through `dedup.clean_articles` together, so every other article is a different report. The similarity of
a pair is computed here, from sets of shingles, on the text of the copy before mojibake.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import ftfy.bad_codecs  # noqa: F401 - registers Windows-1252 as browsers decode it

from benchmarks.quality.corpora import Article
from benchmarks.quality.score import jaccard, shingles
from dedup import Settings, clean_articles

BINS = (0.0, 0.5, 0.7, 0.78, 0.8, 0.82, 0.9, 1.0)  # lower bounds of similarity; 1 means equal words
_CITIES = ("WASHINGTON", "LONDON", "BERLIN", "PARÍS", "МОСКВА", "東京", "الرياض", "ΑΘΗΝΑ", "นิวยอร์ก", "नई दिल्ली")
_AGENCIES = ("Reuters", "AP", "AFP", "dpa", "EFE", "ТАСС", "共同")
_NAMES = ("Maria Lindqvist", "John Abara", "Chloë Fontaine", "Тарас Бондар", "山田 太郎", "Nuno Prado", "Eleni Vakalou")
_HEADLINES = (
    "What we know so far about the decision everyone waited for",
    "Officials say more time is needed",
    "Streit um neue Regeln geht in die nächste Runde",
    "Una jornada que cambia los planes de todos",
    "Чего ждать дальше: главное за день",
    "知っておきたい今日の動き",
)
_TAGS = ("Reporting by the city desk; editing by Ann Moss", "© 2021 The Agency. All rights reserved.", "(END)")
_ADDED = (
    "The newspaper asked the parties named in this report for comment on Thursday afternoon and had received no answer "
    "by the time it went to press; this report will be brought up to date as soon as they reply."
)
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_CURLY = str.maketrans({"'": "’"})


class Copy(NamedTuple):
    """A copy: its text before mojibake, and its text as the pipeline gets it."""

    clean_text: str
    text: str


class Pair(NamedTuple):
    """An article and its copy: how similar they are, and whether one of them was dropped."""

    similarity: float
    dropped: bool


class Run(NamedTuple):
    """The result of one variant: its pairs, the number of articles dropped, and the number of unjustified drops.

    A drop is unjustified if its twin does not stay, or is less similar than the threshold.
    """

    pairs: list[Pair]
    dropped: int
    unjustified: int


def front(rng: random.Random, other: Sequence[str] = ("", "", "")) -> list[str]:
    """Draw a headline, a byline and a dateline before the first sentence, none of them as in `other`."""
    lines = (
        _HEADLINES,
        [f"By {name}" for name in _NAMES],
        [f"{city} ({agency}) — " for city in _CITIES for agency in _AGENCIES],
    )
    return [
        rng.choice([line for line in choices if line != excluded])
        for choices, excluded in zip(lines, other, strict=True)
    ]


def page(head: Sequence[str], body: Sequence[str]) -> str:
    """Return the article as one text."""
    return "\n\n".join([head[0], head[1], head[2] + body[0], *body[1:]])


Maker = Callable[[list[str], list[str], random.Random], str | Copy]


def _edited(share: float) -> Maker:
    """Return a maker of copies with this share of their words replaced by other words of the article."""

    def copy(head: list[str], body: list[str], rng: random.Random) -> str:
        unspaced = sum(paragraph.count(" ") for paragraph in body) * 12 < sum(map(len, body))
        joint = "" if unspaced else " "
        pool = [token for paragraph in body for token in (paragraph if unspaced else paragraph.split(" "))]
        rows = [list(paragraph) if unspaced else paragraph.split(" ") for paragraph in body]
        places = [(row, at) for row, tokens in enumerate(rows) for at in range(len(tokens))]
        for row, at in rng.sample(places, round(share * len(places))):
            rows[row][at] = rng.choice(pool)
        return page(head, [joint.join(tokens) for tokens in rows])

    return copy


def _truncated(share: float) -> Maker:
    """Return a maker of copies that keep this share of their characters."""

    def copy(head: list[str], body: list[str], _: random.Random) -> str:
        text = page(head, body)
        return text[: int(share * len(text))].rstrip() + " …"

    return copy


def _spelled(spell: Callable[[str], str]) -> Maker:
    """Return a maker of copies with the letters that `spell` gives them."""
    return lambda head, body, _: spell(page(head, body))


def _mojibake(text: str) -> str:
    r"""Return the text with curly quotes, encoded as UTF-8 and decoded as Windows-1252.

    >>> _mojibake("It's")
    'Itâ€™s'
    """
    return text.translate(_CURLY).encode("utf-8").decode("sloppy-windows-1252")


# The labels are keys of results.json and seeds of the random choices; `labels` has the names on the page.
MAKERS: dict[str, Maker] = {
    "the same again": lambda head, body, _: page(head, body),
    "another headline": lambda head, body, rng: page([front(rng, head)[0], *head[1:]], body),
    "another byline and dateline": lambda head, body, rng: page([head[0], *front(rng, head)[1:]], body),
    "an agency's tag line": lambda head, body, rng: page(head, [*body, rng.choice(_TAGS)]),
    "all of these": lambda head, body, rng: page(front(rng, head), [*body, rng.choice(_TAGS)]),
    "last two paragraphs swapped": lambda head, body, _: page(head, [*body[:-2], body[-1], body[-2]]),
    "one paragraph cut": lambda head, body, rng: page(head, _without_one(body, rng)),
    "a paragraph added": lambda head, body, _: page(head, [*body, _ADDED]),
    "1 % of words edited": _edited(0.01),
    "2 % of words edited": _edited(0.02),
    "3 % of words edited": _edited(0.03),
    "5 % of words edited": _edited(0.05),
    "mojibake": lambda head, body, _: Copy(page(head, body), _mojibake(page(head, body))),
    "other quotes and spaces": _spelled(lambda text: text.translate(_CURLY).replace(" ", "\u00a0")),
    "capitals": _spelled(str.upper),
    "full width": _spelled(lambda text: text.translate(_WIDE)),
    "truncated to 90 %": _truncated(0.9),
    "truncated to 70 %": _truncated(0.7),
    "truncated to 50 %": _truncated(0.5),
}


def _without_one(body: list[str], rng: random.Random) -> list[str]:
    place = rng.randrange(1, len(body))
    return [*body[:place], *body[place + 1 :]]


def make(articles: Sequence[Article], label: str, seed: int) -> list[Copy]:
    """Return all articles with a front, then the copy of each, in the same order."""
    originals, copies = [], []
    for name, body in articles:
        head = front(random.Random(f"{seed} {name}"))
        text = page(head, body)
        originals.append(Copy(text, text))
        made = MAKERS[label](head, body, random.Random(f"{seed} {name} {label}"))
        copies.append(made if isinstance(made, Copy) else Copy(made, made))
    return originals + copies


def run(articles: Sequence[Article], label: str, seed: int, settings: Settings) -> Run:
    """Run the whole pipeline on the articles and their copies, and return its result."""
    made = make(articles, label, seed)
    sets = [shingles(copy.clean_text) for copy in made]
    count = len(articles)
    findings = clean_articles([{"id": str(at), "text": copy.text} for at, copy in enumerate(made)], settings).findings
    twins = {
        finding.record: finding.twin_record
        for finding in findings
        if finding.action == "drop" and finding.rule in {"duplicate-article", "near-duplicate-article"}
    }
    unjustified = sum(
        twin is None or twin in twins or jaccard(sets[record], sets[twin]) < settings.threshold
        for record, twin in twins.items()
    )
    pairs = [Pair(jaccard(sets[at], sets[count + at]), at in twins or count + at in twins) for at in range(count)]
    return Run(pairs, len(twins), unjustified)
