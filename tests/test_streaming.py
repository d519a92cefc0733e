"""Cleaning articles one after the other: equal results, no reading ahead, and an event loop that goes on."""

from __future__ import annotations

import asyncio
import itertools
import threading

import pytest
from helpers.news import news
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import InputError, Settings, SettingsError, streaming
from dedup.kernels import backend
from dedup.rules import CORPUS, OFF, RULES

ROWS = news(count=20)
SINGLE = [rule for rule in RULES if rule.level != CORPUS]

PIECES = st.sampled_from(
    ["caf\u00c3\u00a9", " ", "\n\n", "\u00a0", "&amp;", "\r\n", "Share on Facebook", "\ud800", "\x00", ROWS[3]["text"]]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=6).map("".join)
ARTICLES = st.lists(
    st.fixed_dictionaries(
        {"text": st.one_of(TEXTS, st.none(), st.floats())}, optional={"id": st.one_of(st.integers(), st.text())}
    ),
    max_size=6,
)
SETTINGS = st.fixed_dictionaries({rule.name: st.sampled_from(rule.actions) for rule in SINGLE}).map(
    lambda rules: Settings(profile="streaming", rules=rules)
)


@given(ARTICLES, SETTINGS, st.integers(1, 4))
@settings(max_examples=60)
def test_streaming_equals_cleaning_article_by_article(articles, chosen, size):
    result = dedup.clean_articles(articles, chosen)
    streamed = list(dedup.iter_clean(iter(articles), chosen, batch_size=size))
    assert [cleaned.article for cleaned in streamed if cleaned.state == "kept"] == result.articles
    assert [finding for cleaned in streamed for finding in cleaned.findings] == result.findings
    assert [cleaned.error for cleaned in streamed if cleaned.error] == [row["error"] for row in result.quarantine]
    assert len(streamed) == len(articles)


def test_the_profile_switches_off_what_must_see_the_corpus():
    chosen = Settings(profile="streaming")
    assert {name for name, action in chosen.rules.items() if action == OFF} == {
        rule.name for rule in RULES if rule.level == CORPUS or rule.default == OFF
    }
    assert list(dedup.iter_clean(ROWS)) == list(dedup.iter_clean(ROWS, chosen))


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.level == CORPUS])
def test_a_rule_that_must_see_the_corpus_is_refused(rule):
    for function in (dedup.iter_clean, dedup.aiter_clean):
        with pytest.raises(SettingsError, match=f"{rule} must see all articles"):
            function(ROWS, Settings(profile="streaming", rules={rule: "flag"}))


def endless(seen):
    for number in itertools.count():
        seen.append(number)
        yield {"id": number, "text": f"caf\u00c3\u00a9 {number}"}


def test_an_endless_generator_is_not_read_ahead():
    seen = []
    cleaned = dedup.iter_clean(endless(seen))
    assert seen == []
    for number, result in zip(range(5), cleaned, strict=False):
        assert (result.article["id"], result.article["text"]) == (number, f"café {number}")
        assert len(seen) == number + 1
    seen = []
    assert next(dedup.iter_clean(endless(seen), batch_size=3)).article["id"] == 0
    assert seen == [0, 1, 2]


def test_wrong_articles_are_refused_when_they_come():
    cleaned = dedup.iter_clean(iter([{"text": "One."}, 5]))
    assert next(cleaned).article["text"] == "One."
    with pytest.raises(InputError, match="article 1: an int"):
        next(cleaned)


def test_compiled_code_is_loaded_only_for_much_text(monkeypatch):
    asked = []

    def load(*, compiled):
        asked.append(compiled)
        return backend.load_backend(compiled=False)

    monkeypatch.setattr("dedup.streaming.load_backend", load)
    monkeypatch.setattr("dedup.streaming.SMALL_BYTES", 2000)
    list(dedup.iter_clean(["word " * 100] * 6, batch_size=1))
    assert asked[0] is False
    assert asked[-1] is True


def test_articles_of_a_file_are_streamed(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_text('{"text": "caf\\u00c3\\u00a9", "n": 1.0}\nbroken\n', encoding="utf-8")
    first, second = dedup.iter_clean(path)
    assert (first.article["text"], first.article["provenance"]["source"]) == ("café", "news.jsonl")
    assert (second.state, second.article["raw"]) == ("quarantined", "broken")


async def collect(articles, *args, **options):
    return [cleaned async for cleaned in dedup.aiter_clean(articles, *args, **options)]


async def in_turn(rows):
    for row in rows:
        await asyncio.sleep(0)
        yield row


@pytest.mark.parametrize("size", [None, 1, 3, 100])
def test_asynchronous_streaming_gives_the_same(size):
    expected = list(dedup.iter_clean(ROWS))
    for articles in (in_turn(ROWS), iter(ROWS), ROWS):
        assert asyncio.run(collect(articles, batch_size=size)) == expected
    texts = [row["text"] for row in ROWS]
    assert [cleaned.article["text"] for cleaned in asyncio.run(collect(in_turn(texts), batch_size=size))] == [
        cleaned.article["text"] for cleaned in expected
    ]
    assert asyncio.run(collect(in_turn([]))) == []


def test_the_event_loop_neither_reads_nor_cleans(monkeypatch):
    threads = set()

    def reading():
        threads.add(threading.current_thread())
        yield from ROWS[:2]

    original = streaming.prepare_or_quarantine

    def prepare(*args):
        threads.add(threading.current_thread())
        return original(*args)

    monkeypatch.setattr(streaming, "prepare_or_quarantine", prepare)
    asyncio.run(collect(reading()))
    asyncio.run(collect(in_turn(ROWS[:2])))
    assert threads
    assert threading.main_thread() not in threads


def test_an_endless_asynchronous_source_is_not_read_ahead():
    seen = []

    async def endless_source():
        for row in endless(seen):
            yield row

    async def take_three():
        cleaned = dedup.aiter_clean(endless_source())
        return [(await anext(cleaned)).article["id"] for _ in range(3)]

    assert asyncio.run(take_three()) == [0, 1, 2]
    assert seen == [0, 1, 2]
