"""Pages are compared by their prose: teasers and boxes that are on few pages keep no copies apart."""

from __future__ import annotations

import json
import random

import numpy as np
import pyarrow as pa
import pytest

import dedup
from dedup import Settings
from dedup.kernels.backend import load_backend
from dedup.prepare.batch import prepare
from dedup.prepare.compared_texts import compared_texts
from dedup.prepare.one_text import compared_text
from dedup.prepare.own_prose import are_beside_prose
from dedup.prepare.site_text import SITE_TEXT_SCHEMA_OF_BATCH, take_out_site_text
from dedup.read.objects import JsonRecord, record_batch
from dedup.segment.words import weighted_word_count
from dedup.site_text.line_forms import form_of

MENU = ["Home", "Local news", "Weather", "Contact us", "Log in", "About this site"]
_SYLLABLES = [first + last for first in "bdfgklmnprst" for last in "aeiou"]


def words(rng, count):
    """Return made-up words."""
    return " ".join("".join(rng.choices(_SYLLABLES, k=3)) for _ in range(count))


def sentence(rng):
    """Return a paragraph of prose."""
    return f"{words(rng, 24).capitalize()}."


def page(rng, body, teasers=12):
    """Return a page: the menu, the article, and teasers that are on no other page."""
    return "\n".join([*MENU[:4], *body, *(words(rng, 7).capitalize() for _ in range(teasers)), *MENU[4:]])


def pages_of_two_hosts(bodies, rng):
    """Return eight pages of each of two hosts; the article of the first page is on both."""
    return [
        {"id": f"{host}{number}", "url": f"https://{host}.example/{number}", "text": page(rng, bodies[host, number])}
        for host in "ab"
        for number in range(8)
    ]


def test_an_article_on_two_hosts_with_other_teasers_is_found_and_no_other_is_merged():
    rng = random.Random(1)
    bodies = {(host, number): [sentence(rng) for _ in range(5)] for host in "ab" for number in range(8)}
    bodies["b", 3] = bodies["a", 5]
    result = dedup.clean_articles(pages_of_two_hosts(bodies, rng), Settings(keep="first"))
    assert [row["id"] for row in result.dropped] == ["b3"]
    [finding] = [each for each in result.findings if each.rule.endswith("-article") and each.action == "drop"]
    assert finding.twin == "a5"


def test_articles_of_one_sentence_over_other_tables_are_not_merged():
    rng = random.Random(2)
    intro = sentence(rng)
    bodies = {
        (host, number): [intro, sentence(rng), *(words(rng, 8) for _ in range(40))]
        for host in "ab"
        for number in range(8)
    }
    bodies["b", 3] = [*bodies["a", 5][:2], *bodies["b", 3][2:]]
    result = dedup.clean_articles(pages_of_two_hosts(bodies, rng), Settings(keep="first"))
    assert not result.dropped


def lines_of(texts):
    """Return the forms and sizes of lines."""
    return np.array([form_of(text) for text in texts], np.int64), np.array(
        [weighted_word_count(text.lower().rstrip(".").split()) for text in texts]
    )


def test_only_pages_with_enough_prose_are_compared_by_it():
    rng = random.Random(3)
    prose, teasers = [sentence(rng), sentence(rng)], [words(rng, 12) for _ in range(12)]
    assert are_beside_prose(*lines_of([*prose, *teasers])).tolist() == [False, False] + [True] * 12
    assert not are_beside_prose(*lines_of([prose[0], *teasers])).any()  # 24 words of prose
    assert not are_beside_prose(*lines_of([*prose, *teasers, *teasers])).any()  # less than a quarter
    assert not are_beside_prose(*lines_of([])).any()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("count", [3, 4])
def test_a_batch_is_compared_by_the_texts_that_the_plain_definition_gives(compiled, count):
    backend, chosen = load_backend(compiled=compiled), Settings(profile="corpus")
    rng = random.Random(4)
    body = [sentence(rng) for _ in range(4)]
    texts = [page(rng, [*body, "* * *", *body]), page(rng, [sentence(rng)]), "No page at all."]
    batch = prepare(
        record_batch([JsonRecord(json.dumps({"text": text}).encode(), None) for text in texts], 0), chosen, backend
    )
    lines = [
        {"row": row, "paragraph": number, "line": number, "host": None, "size": 1, "action": "drop", "evidence": ""}
        for row in (0, 1)
        for number in range(count)
    ]
    cleared = take_out_site_text(batch, pa.RecordBatch.from_pylist(lines, SITE_TEXT_SCHEMA_OF_BATCH), chosen, backend)
    site_text = MENU[:count]
    expected = [compared_text(text, chosen, site_text) for text in texts[:2]] + texts[2:]
    given = list(compared_texts(cleared, chosen.rules))
    assert [text.split() for text in given] == [text.split() for text in expected]
    assert (MENU[-1] in given[0]) == (count < 4)
    assert MENU[-1] in given[1]
    for text, key, size in zip(given, *(cleared.column(name).to_pylist() for name in ("key", "words")), strict=True):
        plain = prepare(record_batch([JsonRecord(json.dumps({"text": text}).encode(), None)], 0), chosen, backend)
        assert (key, size) == (plain.column("key")[0].as_py(), plain.column("words")[0].as_py())
