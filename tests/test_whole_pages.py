"""Whole pages: the truth of made pages, how characters and copies are counted, and a small run of the command."""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks.quality import framed_pages, whole_pages
from benchmarks.quality.corpora import Article
from benchmarks.quality.pages import ARTICLE_LINE, NO_LINE, SITE_LINE
from benchmarks.quality.whole_pages import KnownPage, Outcome

LANGUAGES = sorted(framed_pages.site_frames())


def articles(count, seed=1):
    """Return articles of made-up sentences; nothing in them repeats."""
    rng = random.Random(seed)
    words = [first + last for first in ("ba", "do", "fen", "gri", "lu", "mar") for last in ("dan", "kel", "mo", "rist")]
    return [
        Article(
            str(number),
            [" ".join(rng.choices(words, k=rng.randint(20, 50))).capitalize() + "." for _ in range(rng.randint(4, 7))],
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def pages():
    """Return the pages of hosts of two languages."""
    return framed_pages.frame_articles({"en": articles(40), "ja": articles(40, 2)}, (3, 12, 2, 6, 3, 4, 5))


def test_each_kind_of_host_and_the_same_pages_again(pages):
    assert {page.kind for page in pages} == set(framed_pages.KINDS)
    again = framed_pages.frame_articles({"en": articles(40), "ja": articles(40, 2)}, (3, 12, 2, 6, 3, 4, 5))
    assert pages == again


def test_the_lines_of_the_article_are_its_title_its_paragraphs_and_what_recurs_on_purpose(pages):
    bodies = [article.body for language in (articles(40), articles(40, 2)) for article in language]
    paragraphs = {text for body in bodies for text in body}
    for page in pages:
        frame = framed_pages.site_frames()["ja" if page.host.startswith("ja") else "en"]
        own = [line for line, owner in zip(page.lines, page.truth, strict=True) if owner == ARTICLE_LINE]
        added = {frame["fact"], *frame["questions"]}
        others = [line for line in own if line not in paragraphs and line not in added]
        assert len(others) == (page.kind != "clean")  # the title
        assert all(any(text.startswith(line) for text in paragraphs) for line in others)
        assert page.kind == "updates" or set(bodies[page.article]) <= set(own)
        site = [line for line, owner in zip(page.lines, page.truth, strict=True) if owner == SITE_LINE]
        assert not paragraphs & set(site)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_frame_can_be_filled(language):
    pages = framed_pages.frame_articles({language: articles(60)}, (9, 9, 9, 9, 9, 9, 6))
    assert len(pages) == 60
    text = "\n".join(line for page in pages for line in page.lines)
    assert "{" not in text


def test_some_articles_are_on_two_hosts_and_most_pages_of_a_host_of_copies_have_one(pages):
    hosts = {}
    for page in pages:
        hosts.setdefault(page.article, set()).add(page.host)
    assert any(len(names) > 1 for names in hosts.values())
    of_copies = Counter(page.article for page in pages if page.kind == "copies" and page.host.startswith("ja"))
    assert max(of_copies.values()) > sum(of_copies.values()) / 2


def page(*lines, article=0, host="a.example"):
    """Return a page of lines: the article's in capitals, the site's in lower case, others neither's."""
    truth = [ARTICLE_LINE if line.isupper() else SITE_LINE if line.islower() else NO_LINE for line in lines]
    return KnownPage("", host, "made", list(lines), truth, article)


def tally(pages, outcomes):
    """Return the counts of all pages."""
    return whole_pages.tally_pages(pages, outcomes, lambda _: "all")["all"]


def spans_of(made, *lines):
    """Return the spans of these lines, with their line ends."""
    text = "\n".join(made.lines) + "\n"
    return [(text.index(line), text.index(line) + len(line) + 1) for line in lines]


def test_characters_of_lines_are_removed_flagged_or_lost():
    made = page("home", "NEWS TODAY", "By Ann", "log in")
    outcome = Outcome(spans_of(made, "home", "NEWS TODAY", "By Ann"), spans_of(made, "log in"))
    assert tally([made], [outcome])[:6] == (1, 10, 4, 6, 10, 10)


def test_what_the_page_keeps_elsewhere_is_not_lost():
    made = page("NEWS TODAY", "here is: News today, all of it", "home")
    assert tally([made], [Outcome(spans_of(made, "NEWS TODAY"), [])]).lost == 0
    both = Outcome(spans_of(made, "NEWS TODAY", "here is: News today, all of it"), [])
    assert tally([made], [both]).lost == 10
    half = Outcome([(5, 10)], [])
    assert tally([page("NEWS TODAY")], [half]).lost == 5


def test_pages_of_one_article_but_one_are_copies_and_a_drop_for_another_article_merges():
    made = [page("ONE"), page("ONE"), page("ONE"), page("TWO", article=1), page("TWO AGAIN", article=2)]
    outcomes = [
        Outcome([], [], 2),
        Outcome([], [], 2, is_flag=True),
        Outcome([], []),
        Outcome([], [], 0),
        Outcome([], []),
    ]
    counted = tally(made, outcomes)
    assert counted[6:] == (1, 2, 1, 1)
    unclear = [*made[:3], made[3]._replace(unclear=frozenset({0})), made[4]]
    assert tally(unclear, outcomes).merged == 0
    assert counted.article == len("ONE") * 2 + len("TWO AGAIN")  # pages that are dropped count neither way


def test_copies_are_an_article_in_the_frame_of_another_page():
    made = [
        page(f"menu of {host}", *(f"{host} {number} {'ARTICLE TEXT ' * 60}".upper() for _ in range(1)), "footer")
        ._replace(host=host, article=number + 100 * place)
        for place, host in enumerate(("a.example", "b.example"))
        for number in range(70)
    ]  # fmt: skip
    both = whole_pages.with_copies(made, 1)
    copies = both[len(made) :]
    assert len(copies) == whole_pages.PLANTED_COPIES
    for copy in copies:
        original = next(other for other in made if other.article == copy.article)
        assert copy.lines[1] == original.lines[1]
        assert copy.lines[0] == f"menu of {copy.host}"
    assert (
        0.4
        < sum(copy.host == made[copy.article % 100 + (copy.article >= 100) * 70].host for copy in copies) / 120
        < 0.6
    )


@pytest.mark.slow
def test_the_command_removes_frames_and_keeps_articles(pages):
    known = [
        KnownPage(f"https://{page.host}/{number}", page.host, page.kind, page.lines, page.truth, page.article)
        for number, page in enumerate(pages)
    ]
    result = whole_pages.measure(known, whole_pages.run_command(known))
    figures = result["by size"][-1]
    assert figures["group"] == "3 or more"
    assert figures["removed"] > 0.5
    assert figures["lost"] < 0.02
    assert figures["merged"] == 0
    assert sum(row["pages"] for row in result["by kind"]) == len(pages)
