"""Boilerplate and shared paragraphs: which lines are dropped, which stay, and that counts equal their definition."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import Settings
from dedup.match.boilerplate import (
    ANYWHERE,
    AT_END,
    BEYOND,
    BEYOND_FROM,
    FEWEST_ARTICLES,
    FEWEST_WORDS,
    MOST_WORDS,
    PLACED,
    SHORT_WORDS,
    STACKED,
    WAYS,
    Lines,
    find_boilerplate,
)
from dedup.match.boilerplate_text import field_of, is_quotation

_LETTERS = "bcdfghjklmnprstvwz"


def prose(seed, words=30):
    """Return a made-up paragraph, the same for the same seed."""
    rng = random.Random(seed)
    told = ["".join(rng.choice(_LETTERS) + rng.choice("aeiou") for _ in range(3)) for _ in range(words)]
    return " ".join(told).capitalize() + "."


def articles(count, paragraphs=8, host="x.example"):
    """Return articles of a host as lists of paragraphs; nothing in them repeats."""
    return [[prose(f"{host} {number} {at}") for at in range(paragraphs)] for number in range(count)]


def rows(bodies, host="x.example"):
    source = {"url": f"https://{host}/a"} if host else {}
    return [{"text": "\n\n".join(body), **source} for body in bodies]


def found(given_rows, rule="boilerplate", **options):
    """Return the findings of a rule, by the text of their paragraph."""
    told = {}
    for one in dedup.clean_articles(given_rows, Settings(**options)).findings:
        if one.rule == rule:
            text = given_rows[one.record]["text"][one.start : one.stop]
            told.setdefault(text.strip(), []).append(one)
    return told


def sprinkled(bodies, text, copies, seed=1, at=None):
    """Return `bodies` with `text` put into `copies` of them, anywhere inside or at the place `at`."""
    rng = random.Random(f"{text} {seed}")
    for number in rng.sample(range(len(bodies)), copies):
        body = bodies[number]
        body.insert(rng.randint(1, len(body) - 1) if at is None else at % (len(body) + 1), text)
    return bodies


LINES = [
    ("English", "Sign up for our newsletter"),
    ("English, long", "Sign up for our newsletter and get the stories of the day in your inbox every single morning"),
    ("copyright", "© 2024 Example. All rights reserved."),
    ("German", "Folgen Sie uns auf Facebook und Instagram"),
    ("French", "Inscrivez-vous à notre lettre d'information"),
    ("Spanish", "Suscríbase a nuestro boletín y reciba las noticias del día"),
    ("Russian", "Подпишитесь на нашу рассылку, чтобы получать свежие новости"),
    ("Arabic", "اشترك في نشرتنا الإخبارية لتصلك آخر الأخبار كل صباح"),
    ("Chinese", "版权所有 未经书面授权,禁止以任何形式转载、摘编或建立镜像。违者将依法追究责任。"),
    ("Japanese", "最新のニュースをお届けするメールマガジンに今すぐご登録ください"),
    ("Thai", "สมัครรับจดหมายข่าวของเราเพื่อรับข่าวสารล่าสุดทุกวัน"),
]


@pytest.mark.parametrize(("language", "line"), LINES, ids=[language for language, _ in LINES])
@pytest.mark.parametrize("host", ["x.example", None])
def test_a_line_at_the_end_of_some_articles_is_dropped_from_all(language, line, host):
    given_rows = rows(sprinkled(articles(40), line, 6, at=-1), host)
    [(text, findings)] = found(given_rows).items()
    holders = [number for number, row in enumerate(given_rows) if line in row["text"]]
    assert (text, [one.record for one in findings]) == (line, holders), language
    assert {(one.twin, one.twin_source, one.twin_record) for one in findings} == {(host or "", "site_text.jsonl", 0)}
    where = " of x.example" if host else ""
    assert {one.evidence for one in findings} == {f"in 6 of 40 articles{where}, at the end of 6"}


def test_a_line_between_paragraphs_is_dropped_if_many_articles_have_it():
    line = "Story continues below advertisement"
    assert len(found(rows(sprinkled(articles(40), line, 16)))[line]) == 16
    assert not found(rows(sprinkled(articles(40), line, 6)))


def test_all_lines_of_a_stack_are_dropped():
    bodies = articles(30)
    stack = ["Follow us on Facebook", prose("a notice of the law", 40), "Send us a tip", "All rights reserved"]
    for number, body in enumerate(bodies):
        body.extend(stack if number % 2 else stack[1:])
    assert set(found(rows(bodies))) == set(stack)


def test_a_line_of_a_very_small_host_is_dropped_at_the_end_only():
    line = "More about the Valley Voice"
    assert len(found(rows(sprinkled(articles(5), line, 3, at=-1)))[line]) == 3
    assert not found(rows(sprinkled(articles(5), line, 3, at=4)))


def test_a_line_of_many_hosts_is_counted_over_the_corpus():
    line = "Get the news on your phone with our app"
    given_rows = []
    for host in range(30):
        body = articles(2, host=f"h{host}.example")
        given_rows += rows(sprinkled(body, line, 1, at=-1), f"h{host}.example")
    assert {one.evidence for one in found(given_rows)[line]} == {"in 30 of 60 articles, at the end of 30"}


@pytest.mark.parametrize("copies", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("words", [8, 18, 40])
@pytest.mark.parametrize("marks", ["{}", "“{}”", '"{}" said Ann Moss.', "「{}」", "„{}“, sagte er."])
@pytest.mark.parametrize("host", ["x.example", None])
def test_a_quotation_stays_and_is_shared(copies, words, marks, host):
    text = marks.format(prose("said", words))
    given_rows = rows(sprinkled(articles(20), text, copies), host)
    assert not found(given_rows)
    assert len(found(given_rows, "shared-paragraph")[text]) == copies - 1


def test_a_quotation_stays_even_at_the_end_of_many():
    text = "“We have said all there is to say about it,” a spokesman wrote."
    assert not found(rows(sprinkled(articles(20), text, 12, at=-1)))


@pytest.mark.parametrize("words", [30, 50, 80])
@pytest.mark.parametrize("at", [None, 2, -1])
def test_background_stays_and_is_shared(words, at):
    text = prose("background", words)
    given_rows = rows(sprinkled(articles(40), text, 15, at=at))
    marked = found(given_rows)
    assert {one.action for findings in marked.values() for one in findings} <= {"flag"}
    if (words, at) != (30, -1):  # the last paragraph of many may be the site's
        assert not marked
        assert len(found(given_rows, "shared-paragraph")[text]) == 14


@pytest.mark.parametrize(
    "line", ["What we know", "Analysis:", "He declined to comment.", "ما نعرفه حتى الآن", "事件背景"]
)
def test_headings_and_short_sentences_that_recur_stay(line):
    assert not found(rows(sprinkled(articles(100), line, 9)))


def test_paragraphs_that_versions_of_one_report_share_stay():
    shared = [prose(f"report {number}", 30 if number % 2 else 12) for number in range(6)]
    versions = [[prose(f"lead {number} {at}", 60) for at in range(3)] + shared for number in range(8)]
    given_rows = rows([*versions, *articles(30)])
    assert not found(given_rows)
    assert len(found(given_rows, "shared-paragraph")) == len(shared)


def test_a_contact_that_changes_stays_and_one_that_never_changes_is_dropped():
    bodies = articles(30)
    for number, body in enumerate(bodies):
        body.append(f"Contact: {('Ann Moss', 'Tom Ash', 'Jo Bell')[number % 3]}, 202/224-552{number % 3}")
    assert not found(rows(bodies))
    same = [[*body[:-1], "Contact: Ann Moss, 202/224-5521"] for body in bodies]
    assert len(found(rows(same))["Contact: Ann Moss, 202/224-5521"]) == 30


def test_a_year_that_changes_is_no_field():
    assert field_of("© 2019-2024 Example. All rights reserved.") is None
    bodies = articles(40)
    for number, body in enumerate(bodies):
        body.append(f"Copyright: {2023 + number % 2} The Example")
    assert set(found(rows(bodies))) == {"Copyright: 2023 The Example", "Copyright: 2024 The Example"}


def test_articles_of_two_paragraphs_lose_their_last_line_too():
    line = "Sign up for our newsletter"
    assert len(found(rows(sprinkled(articles(40, paragraphs=2), line, 10, at=-1)))[line]) == 10


def test_a_line_that_is_boilerplate_of_one_host_only_is_shared_in_the_other():
    line = "The Valley Voice has told the news of the valley since 1904."
    given_rows = rows(sprinkled(articles(20), line, 10, at=-1))
    given_rows += rows(sprinkled(articles(100, host="y.example"), line, 3), "y.example")
    assert {one.record < 20 for one in found(given_rows)[line]} == {True}
    assert [one.record >= 20 for one in found(given_rows, "shared-paragraph")[line]] == [True, True]


@pytest.mark.parametrize("character", ["“", "„", '"', "«", "a:", "1 ", "a@", "* "])
def test_a_line_of_a_million_characters_is_read_quickly(character):
    is_quotation(character * 10**6)
    field_of(character * 10**6)


class Host:
    """The articles of one host, with the definition of each count."""

    def __init__(self, bodies, articles_of):
        self.bodies = bodies
        self.articles = articles_of
        holders = {}
        for article in articles_of:
            for key, size in bodies[article]:
                if FEWEST_WORDS <= size <= MOST_WORDS:
                    holders.setdefault(key, set()).add(article)
        self.holders = {key: ones for key, ones in holders.items() if len(ones) >= FEWEST_ARTICLES}

    def is_prose(self, article, paragraph):
        """Return True if a paragraph is long, and no notice of most articles unless its article is a version."""
        long = [key for key, size in self.bodies[article] if size > SHORT_WORDS]
        if paragraph[1] <= SHORT_WORDS:
            return False
        version = 2 * sum(key in self.holders for key in long) > len(long)
        return version or len(self.holders.get(paragraph[0], ())) < STACKED * len(self.articles)

    def is_own(self, article, paragraph):
        """Return True if a paragraph is the article's own rather than around it."""
        return paragraph[0] not in self.holders or self.is_prose(article, paragraph)

    def context(self, article, place):
        """Return the nearest prose before a place, else behind it."""
        body = self.bodies[article]
        for at in (*range(place - 1, -1, -1), *range(place + 1, len(body))):
            if self.is_prose(article, body[at]):
                return body[at][0]
        return ("alone", article)

    def evidence(self, key, name):
        """Return the places of a line and its evidence, if it is boilerplate."""
        ones = self.holders[key]
        texts, start, end = set(), set(), set()
        places = [(a, p) for a in sorted(ones) for p, (k, _) in enumerate(self.bodies[a]) if k == key]
        for article, place in places:
            mine = [self.is_own(article, paragraph) for paragraph in self.bodies[article]]
            beyond = BEYOND if sum(mine) >= BEYOND_FROM else 0
            texts.add(self.context(article, place))
            if any(mine) and sum(mine[:place]) <= beyond:
                start.add(article)
            if any(mine) and sum(mine[place + 1 :]) <= beyond:
                end.add(article)
        size = dict(self.bodies[places[0][0]])[key]
        at_end, at_start = len(end) >= PLACED * len(ones), len(start) >= PLACED * len(ones)
        if not any(
            size <= way.words
            and (way.where == ANYWHERE or at_end or (way.where != AT_END and at_start))
            and len(texts) >= way.articles
            and len(ones) >= way.share * len(self.articles)
            for way in WAYS
        ):
            return [], None
        told = f"in {len(ones)} of {len(self.articles)} articles{name}"
        told += f", after {len(texts)} different texts" if len(texts) < len(ones) else ""
        if at_end or at_start:
            told += f", at the {'end' if len(end) >= len(start) else 'start'} of {max(len(end), len(start))}"
        return places, told


def counted(bodies, hosts):
    """Return ``{(article, place): evidence}`` of boilerplate, by the definition.

    A paragraph is ``(key, size)``; hosts are numbered.
    """
    told = {}
    every = [(list(range(len(bodies))), "")] if len(set(hosts)) > 1 else []
    for articles_of, name in [*every, *(([a for a, h in enumerate(hosts) if h == n], f" of h{n}") for n in set(hosts))]:
        host = Host(bodies, articles_of)
        for key in host.holders:
            places, evidence = host.evidence(key, name)
            told |= dict.fromkeys(places, evidence)
    return {at: evidence for at, evidence in told.items() if evidence}


@given(
    st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 11), max_size=6)), min_size=1, max_size=30),
    st.integers(0, 4),
)
def test_counts_of_lines_equal_their_definition(drawn, unique):
    sizes = {key: (3, 12, 22, 25, 30, 50, 70, 1)[key % 8] for key in range(12)}
    bodies, fresh = [], iter(range(100, 10**6))
    for _, keys in drawn:
        body = [(key, sizes[key]) for key in keys]
        for number in range(unique):
            body.insert(2 * number, (next(fresh), 30))
        bodies.append(body)
    hosts = [host for host, _ in drawn]
    flat = [(article, *paragraph) for article, body in enumerate(bodies) for paragraph in body]
    if not flat:
        return
    columns = [np.array(column, np.int64) for column in zip(*flat, strict=True)]
    lines = Lines(
        articles=columns[0],
        keys=np.unique(columns[1], return_inverse=True)[1].astype(np.int64),
        sizes=columns[2].astype(np.float32),
        present=np.ones(len(flat), bool),
        looks_own=np.zeros(len(flat), bool),
        of_reports=np.zeros(len(flat), bool),
        marked=np.zeros(len(flat), bool),
        hosts=np.array(hosts, np.int64),
        totals=np.bincount(hosts, minlength=3).astype(np.int64),
    )
    whole = lines._replace(hosts=np.zeros_like(lines.hosts), totals=lines.totals.sum(keepdims=True))
    told = {}
    for scope, names in ((whole, [None]), (lines, ["h0", "h1", "h2"]))[len(set(hosts)) == 1 :]:
        found_rows, evidence, _ = find_boilerplate(scope, names, lambda wanted: ["a line"] * len(wanted))
        told |= zip(found_rows.tolist(), evidence.to_list(), strict=True)
    places = [(article, place) for article, body in enumerate(bodies) for place in range(len(body))]
    assert {places[row]: evidence for row, evidence in told.items()} == counted(bodies, hosts)
