"""Put clean articles into the frames of made-up sites, in ten languages, with the truth of each line.

The frames are unkind. Teasers are the headlines of other articles of the host, some with the opening of their text, and
rotate. Boxes stand between paragraphs, have sentences of up to 60 words, and lists are printed twice. And what recurs
is not always the site's: hosts of interviews ask the same questions again and again, reports state the same fact,
background recurs, a story is printed again with a new paragraph, and one host prints an article on most of its pages.
Some articles are on the pages of two hosts.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.quality.corpora import Article
from benchmarks.quality.pages import ARTICLE_LINE, NO_LINE, SITE_LINE

SIZES = (3, 1, 9, 30, 2, 60, 3, 12, 4, 120, 6, 3, 20, 300)  # pages of the hosts of a language, while articles last
# What recurs among the articles of a host, or how little of a frame it has.
KINDS = ("plain", "interviews", "reports", "updates", "copies", "background", "clean")
COPIED = 0.15  # share of the pages of a language that have an article of another host
FACT_SHARE = 0.1  # share of the reports of a host that state the fact, at least two
COPY_SHARE = 2 / 3  # share of the pages of a host of copies that have the one article
UPDATE_SHARE = 1 / 3  # share of the pages that are an update of the page before
BACKGROUND_SHARE = 0.25
HEADLINE_CHARACTERS, HEADLINE_WORDS = (10, 24), (4, 11)
_NAMES = ("Dana Holm", "Piotr Zając", "T. Okafor", "M. Ferri", "Lin Hao", "E. Brandt", "N. Vassou", "Y. Mori")
_UNSPACED = ("zh", "ja")

Line = tuple[str, int]  # its text, and whose it is


class FramedPage(NamedTuple):
    """A page: its host, the kind of host, its lines, whose each line is, and the number of its article.

    Pages with the article of an earlier page, or an update of it, have its number.
    """

    host: str
    kind: str
    lines: list[str]
    truth: list[int]
    article: int


@cache
def site_frames() -> dict[str, Any]:
    """Return the words of frames by language."""
    return tomllib.loads((Path(__file__).parent / "site_frames.toml").read_text(encoding="utf-8"))


def frame_articles(
    articles: Mapping[str, Sequence[Article]], sizes: Sequence[int] = SIZES, seed: int = 1
) -> list[FramedPage]:
    """Return the pages of hosts of `sizes`, as many as there are articles of each language."""
    numbers = count()
    pages: list[FramedPage] = []
    for place, (language, texts) in enumerate(sorted(articles.items())):
        if language in site_frames():
            rng = random.Random(f"{language} {seed}")
            pages += chain.from_iterable(_hosts_of_language(language, place, texts, sizes, numbers, rng))
    return pages


def _hosts_of_language(
    language: str,
    place: int,
    articles: Sequence[Article],
    sizes: Sequence[int],
    numbers: Iterator[int],
    rng: random.Random,
) -> Iterator[list[FramedPage]]:
    """Yield the pages of each host of a language; `place` is its place among the languages."""
    numbered = [(next(numbers), article) for article in articles]
    first = 0
    given: list[tuple[int, Article]] = []  # articles of earlier hosts
    for row, size in enumerate(sizes):
        own = numbered[first : first + size]
        first += size
        if len(own) < size:
            continue
        kind = KINDS[(place + row) % len(KINDS)]
        chosen = [
            rng.choice(given) if given and kind not in ("updates", "copies") and rng.random() < COPIED else article
            for article in own
        ]
        given += own
        yield _Host(language, f"{language}{row}.example", kind, chosen, rng).pages()


class _Host:
    """A host: what its pages have in common, and its articles."""

    def __init__(
        self, language: str, name: str, kind: str, articles: Sequence[tuple[int, Article]], rng: random.Random
    ) -> None:
        self.name, self.kind, self.rng = name, kind, rng
        self.frame = site_frames()[language]
        self.is_spaced = language not in _UNSPACED
        self.site = f"{name.split('.', maxsplit=1)[0].capitalize()} Courier"
        self.numbers = [number for number, _ in articles]
        self.bodies = [list(article.body) for _, article in articles]
        self._repeat_articles()
        self.titles = [self._headline(body) for body in self.bodies]
        self.openings = [body[0] for body in self.bodies]
        self.background = self.bodies[0][len(self.bodies[0]) // 2]
        self.menu = self._menu()
        self.above = rng.sample(self.frame["above"], rng.randint(1, 2))
        self.counters = rng.sample(self.frame["counters"], rng.randint(0, 3))
        self.inside = rng.sample(self.frame["inside"], rng.randint(0, 2))
        self.related = rng.sample(self.frame["related"], 2)
        self.is_listed_twice = rng.random() < 0.4
        self.has_leads = rng.random() < 0.5
        self.has_link, self.has_form, self.has_cookies, self.has_newsletter, self.has_top = (
            rng.random() < chance for chance in (0.4, 0.5, 0.5, 0.6, 0.6)
        )
        self.notes = rng.sample([*self.frame["share"], *self.frame["inside"][1:3], *self.frame["footer"]], 3)
        self.note_shares = [rng.choice((0.15, 0.3, 0.6, 1.0)) for _ in self.notes]

    def _repeat_articles(self) -> None:
        """Print the first article on most pages of a host of copies, and updates of some on a host of updates."""
        for place in range(1, len(self.bodies)):
            if self.kind == "copies" and place < COPY_SHARE * len(self.bodies):
                self.numbers[place], self.bodies[place] = self.numbers[0], self.bodies[0]
            elif self.kind == "updates" and place % round(1 / UPDATE_SHARE) == 1:
                added = self.bodies[place][0]
                self.numbers[place] = self.numbers[place - 1]
                self.bodies[place] = [added, *self.bodies[place - 1][1:]]

    def _menu(self) -> list[str]:
        """Return the menu, one entry a line or all in one."""
        entries = self.rng.sample(self.frame["menu"], self.rng.randint(8, 18))
        return [" | ".join(entries)] if self.rng.random() < 0.25 else entries

    def _headline(self, body: Sequence[str]) -> str:
        """Return the beginning of a paragraph as a headline."""
        text = body[self.rng.randrange(min(2, len(body)))]
        if not self.is_spaced:
            return text[: self.rng.randint(*HEADLINE_CHARACTERS)].rstrip("。，、")
        return " ".join(text.split()[: self.rng.randint(*HEADLINE_WORDS)]).rstrip(".,;:!?")

    def pages(self) -> list[FramedPage]:
        """Return the pages of the host."""
        self.facts = set(self.rng.sample(range(len(self.bodies)), self._fact_count()))
        return [self._page(place) for place in range(len(self.bodies))]

    def _fact_count(self) -> int:
        return min(len(self.bodies), max(2, round(FACT_SHARE * len(self.bodies)))) if self.kind == "reports" else 0

    def _page(self, place: int) -> FramedPage:
        """Return the page of an article."""
        parts = [*self._article(place)]
        if self.kind == "clean":
            drawn = zip(self.notes, self.note_shares, strict=True)
            parts += [(note, SITE_LINE) for note, share in drawn if self.rng.random() < share]
        else:
            parts = [*self._above(place), *parts, *self._behind(place)]
        return FramedPage(
            self.name,
            self.kind,
            [line for line, _ in parts],
            [owner for _, owner in parts],
            self.numbers[place],
        )

    def _above(self, place: int) -> Iterator[Line]:
        """Yield the lines above the text of an article, with its title."""
        rng, frame, title = self.rng, self.frame, self.titles[place]
        if rng.random() < 0.6:
            yield f"{title} - {self.site}", NO_LINE  # has the title of the article, and the name of the site
        section = rng.choice(frame["sections"])
        for line in [*self.menu, *frame["account"][:4], self._date(), *self._teasers(place, rng.randint(0, 3))]:
            yield line, SITE_LINE
        yield f"{self.menu[0].split(' | ')[0]} > {section}", SITE_LINE
        yield title, ARTICLE_LINE
        yield frame["byline"].format(name=rng.choice(_NAMES)), NO_LINE  # some want it, others do not
        for line in [*self.above, *self.counters]:
            yield line.format(date=self._date(), n=rng.randint(0, 400)), SITE_LINE
        if self.has_link:
            yield frame["link"].format(site=self.site, title=title), SITE_LINE
        for line in frame["share"]:
            yield line, SITE_LINE

    def _article(self, place: int) -> Iterator[Line]:
        """Yield the text of an article, with lines of the site between its paragraphs."""
        rng, body = self.rng, self.bodies[place]
        for number, paragraph in enumerate(body):
            if self.kind == "interviews" and number and (number == len(body) - 1 or rng.random() < 0.5):
                yield rng.choice(self.frame["questions"]), ARTICLE_LINE
            yield paragraph, ARTICLE_LINE
            if place in self.facts and number == len(body) // 2:
                yield self.frame["fact"], ARTICLE_LINE
            if self.kind == "background" and number == 1 and rng.random() < BACKGROUND_SHARE:
                yield self.background, ARTICLE_LINE
            if self.kind != "clean" and number < len(body) - 1 and rng.random() < 0.2:
                for line in self.inside:
                    teaser = rng.choice(self.titles)
                    yield line.format(title=teaser, section=rng.choice(self.frame["sections"])), SITE_LINE

    def _behind(self, place: int) -> Iterator[Line]:
        """Yield the lines behind an article: boxes, teasers, lists, a form, the footer."""
        rng, frame = self.rng, self.frame
        lines: list[str] = [frame["newsletter"]] if self.has_newsletter else []
        teasers = self._teasers(place, rng.randint(3, 8))
        lists = [self.related[0], *teasers, self.related[1]]
        lists += [f"{number}. {title}" for number, title in enumerate(self._teasers(place, 5), 1)]
        lines += lists
        if self.has_form:
            lines += frame["form"]
        if self.is_listed_twice:
            lines += lists[: len(teasers) + 1]
        if self.has_cookies:
            lines.append(frame["cookies"])
        lines += [*frame["footer"], frame["copyright"].format(site=self.site)]
        return ((line, SITE_LINE) for line in lines)

    def _teasers(self, place: int, count: int) -> list[str]:
        """Return teasers of at most `count` other articles, some with a date, or the opening of the text cut off."""
        rng = self.rng
        others = [other for other in range(len(self.titles)) if self.numbers[other] != self.numbers[place]]
        lines = []
        for other in rng.sample(others, min(count, len(others))):
            lines.append(self.titles[other])
            if self.has_leads and rng.random() < 0.4:
                lines.append(self.openings[other][: rng.randint(60, 160)].rstrip() + "…")
            if rng.random() < 0.2:
                lines.append(self._date())
        return lines

    def _date(self) -> str:
        rng, frame = self.rng, self.frame
        date: str = frame["date"].format(
            day=rng.randint(1, 28), month=rng.choice(frame["months"]), year=rng.randint(2018, 2021)
        )
        return date
