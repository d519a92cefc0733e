"""Syndicated copies: which copies of an article go, and whether anything goes that is no copy.

Every clean article gets a front (headline, byline, dateline) and one copy per variant; all articles and the copies of
one variant go through `dedup.clean_articles` together, so every other article is a different report. The similarity of
a pair is worked out here, from sets of words, on what the copy says before its text is spoiled.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import ftfy.bad_codecs  # noqa: F401 - knows Windows-1252 as it is really used

from dedup import Settings, clean_articles
from quality.corpora import Article
from quality.score import jaccard, shingles

BINS = (0.0, 0.5, 0.7, 0.78, 0.8, 0.82, 0.9, 1.0)  # of similarity; the last holds pairs of equal words
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
    """What a copy says (its text before mojibake), and the text in which it comes."""

    said: str
    text: str


class Pair(NamedTuple):
    """An article and its copy: how similar they are, and whether one of them went."""

    similarity: float
    dropped: bool


class Run(NamedTuple):
    """What came of one variant: its pairs, all articles dropped, and those dropped without a reason."""

    pairs: list[Pair]
    dropped: int
    false: int


def front(rng: random.Random, other: Sequence[str] = ("", "", "")) -> list[str]:
    """A headline, a byline and a dateline that goes before the first sentence; none of them as in `other`."""
    lines = (
        _HEADLINES,
        [f"By {name}" for name in _NAMES],
        [f"{city} ({agency}) — " for city in _CITIES for agency in _AGENCIES],
    )
    return [
        rng.choice([line for line in told if line != not_this]) for told, not_this in zip(lines, other, strict=True)
    ]


def page(head: Sequence[str], body: Sequence[str]) -> str:
    """The article as one text."""
    return "\n\n".join([head[0], head[1], head[2] + body[0], *body[1:]])


Maker = Callable[[list[str], list[str], random.Random], str | Copy]


def _edited(share: float) -> Maker:
    """A copy with this share of its words replaced by other words of the article."""

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
    def copy(head: list[str], body: list[str], _: random.Random) -> str:
        text = page(head, body)
        return text[: int(share * len(text))].rstrip() + " …"

    return copy


def _spelled(spell: Callable[[str], str]) -> Maker:
    return lambda head, body, _: spell(page(head, body))


def _mojibake(text: str) -> str:
    r"""The text, with curly quotes, as UTF-8 read as Windows-1252.

    >>> _mojibake("It's")
    'Itâ€™s'
    """
    return text.translate(_CURLY).encode("utf-8").decode("sloppy-windows-1252")


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
    """All articles with a front, then the copy of each, in the same order."""
    originals, copies = [], []
    for name, body in articles:
        head = front(random.Random(f"{seed} {name}"))
        text = page(head, body)
        originals.append(Copy(text, text))
        made = MAKERS[label](head, body, random.Random(f"{seed} {name} {label}"))
        copies.append(made if isinstance(made, Copy) else Copy(made, made))
    return originals + copies


def run(articles: Sequence[Article], label: str, seed: int, settings: Settings) -> Run:
    """What the whole pipeline does to the articles and their copies."""
    made = make(articles, label, seed)
    sets = [shingles(one.said) for one in made]
    count = len(articles)
    found = clean_articles([{"id": str(at), "text": one.text} for at, one in enumerate(made)], settings).findings
    twins = {
        one.record: one.twin_record
        for one in found
        if one.action == "drop" and one.rule in {"duplicate-article", "near-duplicate-article"}
    }
    false = sum(
        twin is None or twin in twins or jaccard(sets[record], sets[twin]) < settings.threshold
        for record, twin in twins.items()
    )
    pairs = [Pair(jaccard(sets[at], sets[count + at]), at in twins or count + at in twins) for at in range(count)]
    return Run(pairs, len(twins), false)
