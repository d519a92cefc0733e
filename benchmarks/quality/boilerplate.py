"""Planted lines: boilerplate of hosts, and paragraphs that several articles share without being boilerplate.

Clean articles are given to hosts of 100, 20 and 5 articles. Each host prints its own lines (with its name in them) in
5, 20, 60 or 100 % of its articles, in several languages; other lines are the same on all hosts. Background paragraphs
and quotations of clean articles that are not in use are planted too: these are content, and may be flagged as shared,
never dropped. The first copy of a line in the corpus stays by design, so lines are scored against all copies but one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from dedup import Settings
from dedup.segment import comparison_key, words
from quality.corpora import Article
from quality.score import Made, Piece, Score, covered, edits, joined

SIZES = (100, 20, 5, 20, 5, 20, 5, 20, 5)  # of hosts, in turns
FREQUENCIES = (0.05, 0.2, 0.6, 1.0)
LINES_EACH = 3  # lines of a host for each frequency
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

# Language, place, and the line with the host's name in it.
OWN: tuple[tuple[str, str, str], ...] = (
    ("en", "end", "Sign up for the {host} newsletter and get the day's top stories in your inbox every morning"),
    ("en", "middle", "{host} needs your support. Subscribe today."),
    ("en", "end", "© 2021 {host}. All rights reserved."),
    ("en", "end", "Copyright 2021 {host}. This material may not be published, broadcast, rewritten or redistributed."),
    ("en", "end", "Contact the newsroom of {host}: news@example.com or 555-0142"),
    ("en", "end", "Follow {host} on Facebook and Twitter"),
    ("en", "middle", "Story continues below this message from {host}"),
    ("de", "end", "Abonnieren Sie den Newsletter von {host} und verpassen Sie keine Nachricht mehr"),
    ("de", "end", "Alle Rechte vorbehalten. © {host}"),
    ("fr", "end", "Inscrivez-vous à la lettre d'information de {host} pour ne rien manquer de l'actualité"),
    ("es", "end", "Suscríbase al boletín de {host} y reciba cada mañana las noticias más importantes del día"),
    ("ru", "end", "Подписывайтесь на {host} в социальных сетях, чтобы не пропустить самое важное"),
    ("ru", "end", "При использовании материалов ссылка на {host} обязательна"),
    ("ar", "end", "جميع الحقوق محفوظة لصحيفة {host} ولا يجوز إعادة النشر دون إذن"),
    ("ja", "end", "{host}の記事・写真・図表などの無断転載を禁じます。すべての著作権は{host}に帰属します。"),
    ("ja", "end", "{host}のメールマガジンに登録する"),
    ("zh", "end", "版权所有 {host} 未经书面授权,禁止以任何形式转载、摘编或建立镜像。违者将依法追究责任。"),
    ("zh", "end", "责任编辑:{host}新闻中心"),
    ("th", "end", "ติดตามข่าวสารล่าสุดจาก {host} ได้ทุกวันทางเฟซบุ๊กและทวิตเตอร์"),
)
COMMON: tuple[tuple[str, str, str], ...] = (
    ("en", "start", "Share this article with your friends"),
    ("en", "middle", "Story continues below advertisement"),
    ("de", "middle", "Lesen Sie weiter auf der nächsten Seite"),
    ("fr", "end", "Partagez cet article sur les réseaux sociaux"),
)
PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}


class Line(NamedTuple):
    """One planted text: what kind it is, where it is printed, and how often."""

    key: str
    kind: str  # "own", "common", "background", "quotation in a host", "quotation anywhere"
    language: str
    size: int  # articles of the host
    share: float  # of them that print it; 0 where the number of copies is drawn
    text: str
    copies: int


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

    def put(line: Line, into: Sequence[int], place: float | None = None) -> None:
        lines[line.key] = line
        for article in into:
            at = rng.uniform(0.2, 0.8) if place is None else place
            bodies[article].insert(round(at * len(bodies[article])), Piece(line.text, line.key))

    for number, group in enumerate(groups):
        for share in FREQUENCIES:
            for language, place, text in rng.sample(OWN, LINES_EACH):
                into = rng.sample(group, round(share * len(group)))
                own = text.format(host=f"{_HOSTS[number % len(_HOSTS)]} {number}")
                key = f"own {number} {share} {text}"
                # a line that a host already prints at another frequency would no longer have this one
                if into and own not in {line.text for line in lines.values()}:
                    put(Line(key, "own", language, len(group), share, own, len(into)), into, PLACES[place])
    for share, (language, place, text) in zip(FREQUENCIES, COMMON, strict=True):
        into = [article for group in groups for article in rng.sample(group, round(share * len(group)))]
        put(Line(f"common {text}", "common", language, 0, share, text, len(into)), into, PLACES[place])
    spares = [text for article in spare for text in article.body]
    rng.shuffle(spares)
    long = [text for text in spares if BACKGROUND_WORDS[0] <= len(words(text)) <= BACKGROUND_WORDS[1]]
    for number, group in enumerate(groups):
        for _ in range(BACKGROUNDS if len(group) >= 20 and len(long) >= BACKGROUNDS else 0):
            copies = rng.randint(3, min(30, len(group)))
            line = Line(f"background {number} {len(long)}", "background", "", len(group), 0, long.pop(), copies)
            put(line, rng.sample(group, copies))
    _quotations(groups, [text for text in spares if text not in {one.text for one in lines.values()}], rng, put)
    made = [joined(article.id, body, "\n\n") for article, body in zip(articles, bodies, strict=True)]
    hosts = {article: f"host{number}.example" for number, group in enumerate(groups) for article in group}
    return Planted(made, [hosts[at] for at in range(len(made))], lines)


def _quotations(groups: Sequence[Sequence[int]], spares: Sequence[str], rng: random.Random, put: object) -> None:
    assert callable(put)
    short = [text for text in spares if QUOTE_WORDS[0] <= len(words(text)) <= QUOTE_WORDS[1]]
    everywhere = [article for group in groups for article in group]
    for number, text in enumerate(short[:QUOTES]):
        inside = number % 2 == 0
        pool = rng.choice([group for group in groups if len(group) >= 6] or groups) if inside else everywhere
        copies = rng.randint(2, min(6, len(pool)))
        kind = "quotation in a host" if inside else "quotation anywhere"
        line = Line(f"quotation {number}", kind, "", len(pool), 0, f"“{text}”", copies)
        put(line, rng.sample(list(pool), copies))


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
