"""Articles built from prose, host, repeats, layout and flaws; and for each repeat a row of truth about it.

Every row of truth is measured on the text as written, before a wrong code page spoils it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from benchmarks.corpora import copies, flaws, hosts, prose
from benchmarks.corpora.words import LANGUAGES, Language, language

Row = dict[str, Any]

BATCH = 200  # articles made at once
RESERVOIR = 256  # articles that may still be copied, drawn uniformly from all before
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_ENTITIES = str.maketrans({"&": "&amp;", "’": "&#8217;", "“": "&ldquo;", "”": "&rdquo;"})
_LEAST_DOUBLED = 6  # fewest paragraphs of a body that is doubled
_TWO_LAYERS = 0.1  # share of the texts with mojibake that have two layers of it


class Kind(NamedTuple):
    """A kind of corpus: its languages and layouts, and the shares of its articles with each repeat or flaw."""

    languages: tuple[str, ...]
    copied: float  # followed, at some point, by a copy
    doubled: float
    mojibake: float
    entities: float
    misread: bool
    straight: float  # share of the hosts that set straight quotes
    layouts: tuple[tuple[flaws.Layout, float], ...]


# The shares are chosen, not measured, except the quarter of articles with mojibake, which real press releases have.
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
_DECODABLE = {"en", "de", "es", "fr"}  # their mojibake from Windows-1252 can be undone


class Original(NamedTuple):
    """An article that may be copied."""

    id: str
    body: list[str]
    text: str  # as written, before a wrong code page
    host: hosts.Host
    language: Language


class BuiltArticle(NamedTuple):
    """One article and the truth about it."""

    article: Row
    truth: list[Row]


class Builder:
    """A builder of the articles of one corpus; equal kinds and seeds give equal articles."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind = KINDS[kind]
        self.seed = seed
        self.draw = random.Random(f"{kind} {seed}")
        self.languages = [language(name) for name in self.kind.languages]
        self.words = [form.strip() for form in language("en").forms[50:5000]]
        plain = [word for word in self.words if word.isalpha() and word.isascii() and len(word) > 3]
        self.hosts = hosts.make_hosts(plain, self.draw, self.kind.straight)
        self.host_weights = hosts.host_weights()
        self.reservoir: list[Original] = []
        self.offered = 0
        self.article_count = 0
        self.lines: Counter[tuple[str, str]] = Counter()

    def articles(self) -> Iterator[BuiltArticle]:
        """Yield articles without end, in the order of the corpus."""
        batch = 0
        while True:
            current = self.languages[batch % len(self.languages)]
            for body in prose.make_articles(
                current, np.random.default_rng([self.seed, batch]), BATCH, misread=self.kind.misread
            ):
                yield self._new_article(current, body)
                if self.reservoir and self.draw.random() < self.kind.copied:
                    yield self._copy(self.draw.choice(self.reservoir))
            batch += 1

    def boilerplate(self) -> list[Row]:
        """Return the truth about the lines of hosts: in how many articles so far each is printed."""
        return [
            {"kind": "boilerplate", "host": host, "line": line, "articles": count}
            for (host, line), count in sorted(self.lines.items())
        ]

    def _new_article(self, article_language: Language, body: list[str]) -> BuiltArticle:
        host = self._draw_host()
        if host.straight:
            body = [_straight_quotes(paragraph) for paragraph in body]
        if self.draw.random() < self.kind.doubled and len(body) >= _LEAST_DOUBLED:
            return self._doubled(article_language, body, host)
        text = self._draw_layout()([*body, *self._host_lines(host)], self.draw)
        if self.draw.random() < self.kind.entities:
            return self._finish(article_language, body[0], text.translate(_ENTITIES), host, [])
        built = self._finish(article_language, body[0], text, host, [])
        self._offer(Original(built.article["id"], body, text, host, article_language))
        return built

    def _doubled(self, article_language: Language, body: list[str], host: hosts.Host) -> BuiltArticle:
        """Return an article with a body that is printed twice, as a whole or in part."""
        way, first, again = copies.doubled(body, self.words, self.draw)
        columns = self._draw_layout() is flaws.column
        if columns:
            body, again = ([flaws.broken_lines(paragraph) for paragraph in part] for part in (body, again))
        start = body.index(flaws.broken_lines(first[0]) if columns else first[0])
        text = ("\n\n" if columns or self.draw.random() < 0.5 else "\n").join([*body, *again, *self._host_lines(host)])
        value = copies.similarity(*(copies.shingles("\n".join(part)) for part in (first, again)))
        truth = {
            "kind": "doubled",
            "way": way,
            "paragraphs": [start, start + len(again)],
            "again": [len(body), len(body) + len(again)],
            "similarity": round(value, 6),
        }
        return self._finish(article_language, body[0], text, host, [truth])

    def _copy(self, original: Original) -> BuiltArticle:
        """Return a copy of an article, by another host or by the same one again."""
        name, target = copies.draw_aim(self.draw)
        if name == copies.IDENTICAL:
            host, body, text = original.host, original.body, original.text
            self.lines.update((host.name, line.text) for line in host.lines if line.text in text)
        else:
            host = self._draw_host()
            body = copies.edited(original.body, target, self.words, self.draw)
            text = self._draw_layout()([*body, *self._host_lines(host)], self.draw)
        value = copies.similarity(copies.shingles(text), copies.shingles(original.text))
        truth = {
            "kind": "copy",
            "of": original.id,
            "class": copies.similarity_class(value),
            "similarity": round(value, 6),
        }
        return self._finish(original.language, body[0], text, host, [truth])

    def _finish(
        self, article_language: Language, first: str, text: str, host: hosts.Host, truth: list[Row]
    ) -> BuiltArticle:
        """Return the row of an article and the truth about it; the text may get mojibake here."""
        name = f"{self.article_count:09d}"
        if article_language.name in _DECODABLE and self.draw.random() < self.kind.mojibake:
            meant = next((word for word in text.split() if not word.isascii()), None)
            if meant:
                layers = 2 if self.draw.random() < _TWO_LAYERS else 1
                text, seen = flaws.mojibake(text, layers), flaws.mojibake(meant, layers)
                truth = [*truth, {"kind": "mojibake", "layers": layers, "meant": meant, "seen": seen}]
        self.article_count += 1
        date = _EPOCH + timedelta(minutes=self.article_count)
        article = {
            "id": name,
            "url": f"https://{host.name}/{date:%Y/%m/%d}/{name}",
            "date": date.isoformat(),
            "title": " ".join(first.split()[:8]),
            "lang": article_language.name,
            "text": text,
        }
        return BuiltArticle(article, [{"id": name} | row for row in truth])

    def _draw_host(self) -> hosts.Host:
        [host] = self.draw.choices(self.hosts, self.host_weights)
        return host

    def _host_lines(self, host: hosts.Host) -> list[str]:
        """Draw the lines of a host that one of its articles prints, and count them."""
        texts = [line.text for line in host.lines if self.draw.random() < line.share]
        self.lines.update((host.name, text) for text in texts)
        return texts

    def _draw_layout(self) -> flaws.Layout:
        [(layout, _)] = self.draw.choices(self.kind.layouts, [share for _, share in self.kind.layouts])
        return layout

    def _offer(self, original: Original) -> None:
        """Put an article into the reservoir so that all so far have the same chance (Vitter's algorithm R)."""
        self.offered += 1
        if len(self.reservoir) < RESERVOIR:
            self.reservoir.append(original)
        elif (place := self.draw.randrange(self.offered)) < RESERVOIR:
            self.reservoir[place] = original


def _straight_quotes(text: str) -> str:
    """Return `text` with straight quotes."""
    return text.replace("’", "'").replace("“", '"').replace("”", '"')
