"""Make pages: articles inside the frames of sites, in ten languages, with the truth of each line.

The frames are unkind to rules of thumb. Teasers are headlines of other articles of the host, and rotate; boxes hold
sentences of 21 to 60 words; lists of cards are printed twice; lines stand between paragraphs; and sentences ask for
something right behind the text. And
articles repeat on purpose: an interviewer asks the same questions, reports state the same fact, at their end or
anywhere, in most articles of a small host, and sentences and background paragraphs recur in a few.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

SITE, ARTICLE = True, False
HOST_SIZES = (1, 2, 3, 4, 6, 9, 15, 30, 60, 100, 300)  # pages
_SENTENCE = re.compile(r".+?(?:[.!?؟]+[\"”»)]*(?=\s|$)|[。！？]|$)\s*", re.DOTALL)
SMALL_HOST = 9  # pages up to which a fact is in most of them
_FEWEST_CHARACTERS = 12  # of a sentence
_SHARES = (0.1, 0.15, 0.2, 0.3, 0.6, 1.0)
_UNSPACED = ("zh", "ja")
_NAMES = ("Ann Moss", "Jan Kowal", "I. Petrov", "M. Rossi", "L. Wang", "S. Meier", "K. Papas", "R. Sato")


class MadePage(NamedTuple):
    """A page: its host, its language, its lines, and for each of them whether it is the site's."""

    host: str
    language: str
    lines: list[str]
    is_site: list[bool]

    @property
    def text(self) -> str:
        """The lines as the text of a record."""
        return "\n".join(self.lines)


@cache
def _frames() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "page_frames.toml").read_text(encoding="utf-8"))


def make_pages(texts: dict[str, Sequence[str]], sizes: Sequence[int] = HOST_SIZES, seed: int = 1) -> list[MadePage]:
    """Return the pages of one host for each of `sizes` and each language that has `texts`, clean ones, and a frame."""
    pages: list[MadePage] = []
    for language, own in sorted(texts.items()):
        if language in _frames():
            for number, size in enumerate(sizes):
                pages += make_host(language, own, size, f"{language}{number}.example", seed)
    return pages


def make_host(language: str, texts: Sequence[str], size: int, host: str, seed: int = 1) -> list[MadePage]:
    """Return the pages of a host of `size` pages, with articles made of sentences of `texts`."""
    site = _Host(language, texts, size, host, random.Random(f"{host} {size} {seed}"))
    return [site.page(number) for number in range(size)]


class _Host:
    """A host: what its pages have in common, and its articles."""

    def __init__(self, language: str, texts: Sequence[str], size: int, name: str, rng: random.Random) -> None:
        self.language, self.name, self.rng = language, name, rng
        self.frame = _frames()[language]
        self.joiner = "" if language in _UNSPACED else " "
        found = (" ".join(match[0].split()) for text in texts for match in _SENTENCE.finditer(text))
        self.sentences = [sentence for sentence in found if len(sentence) > _FEWEST_CHARACTERS]
        self.site = name.split(".", 1)[0].upper() + " News"
        self.bodies = [[self.prose() for _ in range(rng.randint(3, 9))] for _ in range(size)]
        self.titles = [self.headline(body[0] if rng.random() < 0.3 else self.prose(1, 1)) for body in self.bodies]
        self.menu = rng.sample(self.frame["menu"], rng.randint(6, len(self.frame["menu"])))
        self.changing = rng.sample(self.frame["changing"], rng.randint(1, 3))
        self.boxes = [box.format(site=self.site) for box in rng.sample(self.frame["boxes"], 5)]
        self.asks = rng.sample(self.frame["asks"], rng.choice((0, 1, 2)))
        self.inside = rng.sample(self.frame["inside"], rng.choice((0, 0, 1, 2)) if size > SMALL_HOST else 0)
        self.long_box = self.prose(1, 2)
        self.background_rate = rng.choice((0.02, 0.05, 0.12))
        self.background = [self.prose() for _ in range(3)]
        self.cards = [self.headline(self.prose(1, 1)) for _ in range(rng.randint(3, 6))]
        self.kind = rng.choice(["reports", "interviews", "plain"])
        # Some hosts give clean articles, and print a few lines on some of them.
        self.is_clean = rng.random() < 0.4
        own = [*self.asks, *self.boxes]
        self.added = [(box, rng.choice(_SHARES)) for box in rng.sample(own, rng.randint(1, len(own)))]
        self.repeated = self._repeated(size)

    def _repeated(self, size: int) -> dict[int, list[tuple[str, bool]]]:
        """Return sentences that recur, by the number of the article, and whether each is at the end of the article."""
        rng = self.rng
        chosen: list[tuple[str, int, bool]] = []
        if self.kind == "reports":
            share = rng.uniform(0.5, 1) if size <= SMALL_HOST else rng.uniform(0.05, 0.2)
            facts = rng.sample(self.frame["facts"], rng.choice((1, 1, 2)))
            chosen += [(fact, round(share * size), rng.random() < 0.6) for fact in facts]
        chosen += [(rng.choice(self.sentences), rng.randint(2, 4), rng.random() < 0.3) for _ in range(2)]
        repeated: dict[int, list[tuple[str, bool]]] = {}
        for text, count, is_last in chosen:
            for number in rng.sample(range(size), min(size, count)):
                repeated.setdefault(number, []).append((text, is_last))
        return repeated

    def prose(self, least: int = 2, most: int = 4) -> str:
        """Return a paragraph of `least` to `most` sentences."""
        return self.joiner.join(self.rng.choice(self.sentences) for _ in range(self.rng.randint(least, most)))

    def headline(self, text: str) -> str:
        """Return the beginning of `text` as a headline."""
        if not self.joiner:
            return text[: self.rng.randint(10, 22)].rstrip("。，、")
        return " ".join(text.split()[: self.rng.randint(4, 10)]).rstrip(".,;:!?")

    def page(self, number: int) -> MadePage:
        """Return the page of an article of the host."""
        title = self.titles[number]
        if self.is_clean:
            added = [line for line, share in self.added if self.rng.random() < share]
            article = self._article(number)
            return self._made([(article, ARTICLE), (added, SITE)])
        opening = [f"{title} | {self.site}"] if self.rng.random() < 0.7 else []
        around = self.cards if self.rng.random() < 0.5 else []
        parts: list[tuple[Sequence[str], bool]] = [
            (opening, ARTICLE),
            ([*self.menu, *around], SITE),
            ([title], ARTICLE),
            (self._changing_lines(title), SITE),
            *self._with_lines_inside(self._article(number)),
            (self._boxes_behind(title), SITE),
        ]
        return self._made(parts)

    def _made(self, parts: Sequence[tuple[Sequence[str], bool]]) -> MadePage:
        """Return the page of `parts`, lines that are the site's or the article's."""
        lines = [(line, is_site) for part, is_site in parts for line in part]
        return MadePage(self.name, self.language, [line for line, _ in lines], [is_site for _, is_site in lines])

    def _changing_lines(self, title: str) -> list[str]:
        """Return the lines whose content changes from page to page."""
        rng = self.rng
        values = {"date": _date(rng), "title": title, "site": self.site, "name": rng.choice(_NAMES)}
        return [line.format(rng.randint(0, 300), **values) for line in self.changing]

    def _article(self, number: int) -> list[str]:
        """Return an article: its paragraphs, with questions, sentences and background that recur in others."""
        lines = []
        for place, paragraph in enumerate(self.bodies[number]):
            if self.kind == "interviews" and place and self.rng.random() < 0.6:
                lines.append(self.rng.choice(self.frame["questions"]))
            lines.append(paragraph)
            if self.rng.random() < self.background_rate:
                lines.append(self.rng.choice(self.background))
        for text, is_last in self.repeated.get(number, []):
            lines.insert(len(lines) if is_last else self.rng.randint(1, len(lines)), text)
        return lines

    def _with_lines_inside(self, article: Sequence[str]) -> list[tuple[Sequence[str], bool]]:
        """Return the lines of an article, with lines of the site between some of them."""
        rng = self.rng
        parts: list[tuple[Sequence[str], bool]] = []
        for place, line in enumerate(article):
            if place and rng.random() < 0.25:
                parts.append(([each.format(title=rng.choice(self.titles)) for each in self.inside], SITE))
            parts.append(([line], ARTICLE))
        return parts

    def _boxes_behind(self, title: str) -> list[str]:
        """Return the lines behind an article: buttons, a box of sentences, teasers of others, cards, the footer."""
        rng = self.rng
        lines = [*self.asks, *self.boxes[:3], *([self.long_box] if rng.random() < 0.8 else [])]
        others = [other for other in self.titles if other != title]
        for teaser in rng.sample(others, min(len(others), rng.randint(3, 10))):
            lines += [teaser, *([str(rng.randint(0, 90))] if rng.random() < 0.3 else [])]
        return [*lines, *(self.cards if rng.random() < 0.6 else []), *self.boxes[3:]]


def _date(rng: random.Random) -> str:
    """Return a date as it is written in some country."""
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2012, 2024)
    return rng.choice([f"{day}.{month}.{year}", f"{year}-{month:02}-{day:02}", f"{day}/{month}/{year}"])
