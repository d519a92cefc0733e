"""Articles put together: prose, host, repeats, layout, flaws; and for each repeat a row of what is true of it.

Every row of truth was measured on the text that was written, before its code page was mistaken.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from corpora import copies, flaws, hosts, prose
from corpora.words import LANGUAGES, Language, language

Row = dict[str, Any]

BATCH = 200  # articles made at once
RESERVOIR = 256  # articles that may still be copied, drawn evenly from all before
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_ENTITIES = str.maketrans({"&": "&amp;", "’": "&#8217;", "“": "&ldquo;", "”": "&rdquo;"})
_STRAIGHT = str.maketrans("’“”", '\'""')
_LEAST_DOUBLED = 6  # paragraphs of a body that stands twice
_TWICE = 0.1  # of the mistaken texts, mistaken twice


class Kind(NamedTuple):
    """What a corpus is like: shares of its articles."""

    languages: tuple[str, ...]
    copied: float  # followed, at some time, by a copy
    doubled: float
    mojibake: float
    entities: float
    misread: bool
    straight: float  # of the hosts, which set straight quotes
    layouts: tuple[tuple[flaws.Layout, float], ...]


# The shares are chosen, not measured, but for the quarter of documents with mojibake, which real press releases have.
KINDS = {
    "english": Kind(("en",), 0.04, 0.01, 0.0, 0.0, misread=False, straight=0.4, layouts=((flaws.blocks, 1.0),)),
    "hard": Kind(
        ("en",),
        copied=0.06,
        doubled=0.04,
        mojibake=0.25,
        entities=0.02,
        misread=True,
        straight=0.0,
        layouts=((flaws.column, 0.45), (flaws.spread, 0.3), (flaws.lines, 0.25)),
    ),
    "multilingual": Kind(
        LANGUAGES,
        copied=0.04,
        doubled=0.01,
        mojibake=0.03,
        entities=0.0,
        misread=False,
        straight=0.4,
        layouts=((flaws.blocks, 0.7), (flaws.lines, 0.3)),
    ),
}
_DECODABLE = {"en", "de", "es", "fr"}  # mistaken for Windows-1252, they can be told from what was meant


class Original(NamedTuple):
    """An article that may be copied."""

    id: str
    body: list[str]
    text: str  # as written, before its code page was mistaken
    host: hosts.Host
    said: Language


class Made(NamedTuple):
    """One article and what is true of it."""

    article: Row
    truth: list[Row]


class Builder:
    """Makes the articles of one corpus; the same for the same kind and seed."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind = KINDS[kind]
        self.seed = seed
        self.draw = random.Random(f"{kind} {seed}")
        self.languages = [language(name) for name in self.kind.languages]
        self.words = [form.strip() for form in language("en").forms[50:5000]]
        plain = [word for word in self.words if word.isalpha() and word.isascii() and len(word) > 3]
        self.hosts = hosts.hosts(plain, self.draw, self.kind.straight)
        self.shares = hosts.shares()
        self.reservoir: list[Original] = []
        self.offered = 0
        self.made = 0
        self.lines: Counter[tuple[str, str]] = Counter()

    def articles(self) -> Iterator[Made]:
        """Articles without end, in the order of the corpus."""
        batch = 0
        while True:
            said = self.languages[batch % len(self.languages)]
            for body in prose.articles(
                said, np.random.default_rng([self.seed, batch]), BATCH, misread=self.kind.misread
            ):
                yield self._article(said, body)
                if self.reservoir and self.draw.random() < self.kind.copied:
                    yield self._copy(self.draw.choice(self.reservoir))
            batch += 1

    def boilerplate(self) -> list[Row]:
        """What is true of the lines of hosts."""
        return [
            {"kind": "boilerplate", "host": host, "line": line, "articles": count}
            for (host, line), count in sorted(self.lines.items())
        ]

    def _article(self, said: Language, body: list[str]) -> Made:
        host = self._host()
        if host.straight:
            body = [_straight(paragraph) for paragraph in body]
        if self.draw.random() < self.kind.doubled and len(body) >= _LEAST_DOUBLED:
            return self._doubled(said, body, host)
        text = self._layout()([*body, *self._below(host)], self.draw)
        if self.draw.random() < self.kind.entities:
            return self._written(said, body[0], text.translate(_ENTITIES), host, [])
        made = self._written(said, body[0], text, host, [])
        self._offer(Original(made.article["id"], body, text, host, said))
        return made

    def _doubled(self, said: Language, body: list[str], host: hosts.Host) -> Made:
        """An article whose body, or a part of it, stands twice."""
        way, first, again = copies.doubled(body, self.words, self.draw)
        columns = self._layout() is flaws.column
        if columns:
            body, again = ([flaws.broken_lines(paragraph) for paragraph in part] for part in (body, again))
        start = body.index(flaws.broken_lines(first[0]) if columns else first[0])
        text = ("\n\n" if columns or self.draw.random() < 0.5 else "\n").join([*body, *again, *self._below(host)])
        value = copies.similarity(*(copies.shingles("\n".join(part)) for part in (first, again)))
        truth = {
            "kind": "doubled",
            "way": way,
            "paragraphs": [start, start + len(again)],
            "again": [len(body), len(body) + len(again)],
            "similarity": round(value, 6),
        }
        return self._written(said, body[0], text, host, [truth])

    def _copy(self, original: Original) -> Made:
        """An article that another paper, or the same one again, has from elsewhere."""
        name, target = copies.aim(self.draw)
        if name == copies.IDENTICAL:
            host, body, text = original.host, original.body, original.text
            self.lines.update((host.name, line.text) for line in host.lines if line.text in text)
        else:
            host = self._host()
            body = copies.edited(original.body, target, self.words, self.draw)
            text = self._layout()([*body, *self._below(host)], self.draw)
        value = copies.similarity(copies.shingles(text), copies.shingles(original.text))
        truth = {
            "kind": "copy",
            "of": original.id,
            "class": copies.similarity_class(value),
            "similarity": round(value, 6),
        }
        return self._written(original.said, body[0], text, host, [truth])

    def _written(self, said: Language, first: str, text: str, host: hosts.Host, truth: list[Row]) -> Made:
        """The row of an article, and what is true of it."""
        name = f"{self.made:09d}"
        if said.name in _DECODABLE and self.draw.random() < self.kind.mojibake:
            meant = next((word for word in text.split() if not word.isascii()), None)
            if meant:
                layers = 2 if self.draw.random() < _TWICE else 1
                text, seen = flaws.mojibake(text, layers), flaws.mojibake(meant, layers)
                truth = [*truth, {"kind": "mojibake", "layers": layers, "meant": meant, "seen": seen}]
        self.made += 1
        date = _EPOCH + timedelta(minutes=self.made)
        article = {
            "id": name,
            "url": f"https://{host.name}/{date:%Y/%m/%d}/{name}",
            "date": date.isoformat(),
            "title": " ".join(first.split()[:8]),
            "lang": said.name,
            "text": text,
        }
        return Made(article, [{"id": name} | row for row in truth])

    def _host(self) -> hosts.Host:
        [host] = self.draw.choices(self.hosts, self.shares)
        return host

    def _below(self, host: hosts.Host) -> list[str]:
        """The lines of a host that one article of it gets."""
        told = [line.text for line in host.lines if self.draw.random() < line.share]
        self.lines.update((host.name, line) for line in told)
        return told

    def _layout(self) -> flaws.Layout:
        [(layout, _)] = self.draw.choices(self.kind.layouts, [share for _, share in self.kind.layouts])
        return layout

    def _offer(self, original: Original) -> None:
        """Keeps an article in the reservoir, so that all before it had the same chance (Vitter's algorithm R)."""
        self.offered += 1
        if len(self.reservoir) < RESERVOIR:
            self.reservoir.append(original)
        elif (place := self.draw.randrange(self.offered)) < RESERVOIR:
            self.reservoir[place] = original


def _straight(text: str) -> str:
    """`text` with straight quotes."""
    return text.replace("’", "'").replace("“", '"').replace("”", '"')
