"""Hosts of few pages: sentences that end many reports stay, and what the site says to its readers goes."""

from __future__ import annotations

import random
import tomllib
from itertools import product
from pathlib import Path

import pytest

import dedup

LANGUAGES = tomllib.loads((Path(__file__).parent / "data" / "small_hosts.toml").read_text(encoding="utf-8"))
SIZES = (3, 4, 9)


def body(words, rng):
    """Return the paragraphs of an article, which no other article has."""
    sentences = list(product(words["subjects"], words["predicates"], words["endings"]))
    full_stop = "." if words["joiner"] else "。"
    chosen = iter(rng.sample(sentences, 18))
    paragraphs = range(rng.randint(4, 6))
    return [words["joiner"].join(words["joiner"].join(next(chosen)) + full_stop for _ in range(3)) for _ in paragraphs]


def records(language, *, is_framed):
    """Return the pages of hosts of all sizes, with a fact at the end of the articles or inside."""
    words, rng = LANGUAGES[language], random.Random(language)
    rows = []
    for size, is_last, fact in product(SIZES, (True, False), words["facts"]):
        host = f"{language}{size}{is_last}{words['facts'].index(fact)}.example".lower()
        for number in range(size):
            lines = body(words, rng)
            lines.insert(len(lines) if is_last else rng.randint(1, len(lines) - 1), fact)
            if is_framed:
                lines = [*words["menu"], *lines, words["ask"], *words["rest"]]
            else:
                lines.append(words["ask"])
            rows.append({"id": len(rows), "url": f"https://{host}/{number}", "text": "\n".join(lines), "fact": fact})
    return rows


@pytest.mark.parametrize("is_framed", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_reports_stay_on_small_hosts_and_lines_of_the_site_go(language, is_framed):
    words = LANGUAGES[language]
    rows = records(language, is_framed=is_framed)
    cleaned = dedup.clean_articles(rows).articles
    assert len(cleaned) == len(rows)
    site = {words["ask"], *(words["rest"] + words["menu"] if is_framed else [])}
    for article in cleaned:
        lines = article["text"].split("\n")
        assert article["fact"] in lines, article["url"]
        assert site.isdisjoint(lines), article["url"]


@pytest.mark.parametrize("is_framed", [False, True])
def test_a_fact_that_ends_a_tenth_of_the_reports_stays(is_framed):
    words, rng, fact = LANGUAGES["en"], random.Random(1), "No injuries were reported."
    rows = []
    for number in range(60):
        lines = [*body(words, rng), *([] if number % 10 else [fact])]
        if is_framed:
            lines = [*words["menu"], *lines, words["ask"], *words["rest"]]
        rows.append({"id": number, "url": f"https://crime.example/{number}", "text": "\n".join(lines)})
    cleaned = dedup.clean_articles(rows).articles
    kept = {int(article["id"]) for article in cleaned if fact in article["text"].split("\n")}
    assert kept == set(range(0, 60, 10))
    assert not is_framed or not any(words["ask"] in article["text"] for article in cleaned)


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize(
    "sentence",
    [
        "No injuries were reported.",
        "The minister declined to comment.",
        "Facebook shares fell 3 percent in early trading.",
        "Ein Kommentar der Firma lag nicht vor.",
        "El ministerio no hizo comentarios.",
        "Вход в музей свободный.",
        "Bakanlık yorum yapmadı.",
        "ولم يصدر أي تعليق من الوزارة.",
        "网友对此议论纷纷。",
        "選挙は十八歳から登録できる。",
        "कंपनी के शेयर गिर गए।",
        "Ոստիկանությունը քննում է դեպքը։",
        "ရဲက စုံစမ်းနေသည်။",
    ],
)
def test_a_sentence_that_begins_or_ends_most_reports_of_a_small_host_stays(sentence, place):
    words, rng = LANGUAGES["en"], random.Random(2)
    rows = []
    for number in range(5):
        lines = body(words, rng)
        if number < 3:
            lines = [sentence, *lines] if place == "first" else [*lines, sentence]
        rows.append({"id": number, "url": f"https://small.example/{number}", "text": "\n".join(lines)})
    cleaned = dedup.clean_articles(rows).articles
    assert sum(sentence in article["text"].split("\n") for article in cleaned) == 3
