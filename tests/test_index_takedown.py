"""A removed article leaves no text in an index, neither its own nor what was taken out of it as site text."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

import dedup
from dedup.index.upkeep import compact_index, index_stats, remove_articles, verify_index

NAME = "Written by Joan Q. Sample of 12 Mill Lane"
MENU = "Home of the daily news"


def pages(numbers, *lines):
    return [
        {
            "id": f"p{number}",
            "url": f"https://a.test/{number}",
            "text": "\n\n".join([*lines, " ".join(f"word{number}x{place}" for place in range(40))]),
        }
        for number in numbers
    ]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts_in(folder):
    """Return the contents of all files of an index as one string."""
    return str([pq.read_table(path).to_pylist() for path in sorted(folder.rglob("*.parquet"))])


@pytest.mark.parametrize("is_compact", [False, True])
def test_a_line_goes_with_the_last_article_that_has_it(tmp_path, is_compact):
    seen = tmp_path / "seen"
    dedup.clean(write(tmp_path / "a.jsonl", pages(range(6), NAME, MENU)), tmp_path / "one", index=seen)
    dedup.clean(write(tmp_path / "b.jsonl", pages(range(6, 9), MENU, NAME)), tmp_path / "two", index=seen)
    dedup.clean(write(tmp_path / "c.jsonl", pages(range(9, 10), MENU)), tmp_path / "three", index=seen)
    if is_compact:
        compact_index(seen)
    assert index_stats(seen)["site_text"] == 2
    assert remove_articles(seen, [f"p{number}" for number in range(8)]) == 8
    assert (index_stats(seen)["site_text"], NAME in texts_in(seen)) == (2, True)
    assert remove_articles(seen, ["p8"]) == 1
    assert (index_stats(seen)["site_text"], NAME in texts_in(seen), MENU in texts_in(seen)) == (1, False, True)
    assert verify_index(seen) == []
    dedup.clean(pages([20], NAME, MENU), tmp_path / "four", index=seen)
    article = json.loads((tmp_path / "four" / "articles.jsonl").read_text())
    assert (NAME in article["text"], MENU in article["text"]) == (True, False)
    assert remove_articles(seen, ["index/3", "index/4"]) == 2
    assert (index_stats(seen)["site_text"], MENU in texts_in(seen)) == (0, False)


def test_a_line_that_no_removed_article_has_stays(tmp_path):
    seen = tmp_path / "seen"
    dedup.clean(write(tmp_path / "a.jsonl", pages(range(6), MENU)), tmp_path / "one", index=seen)
    dedup.clean(write(tmp_path / "b.jsonl", pages([7])), tmp_path / "two", index=seen)
    segments = {path.name for path in seen.glob("run-*")}
    assert remove_articles(seen, ["p7"]) == 1
    assert index_stats(seen)["site_text"] == 1
    assert {path.name for path in seen.glob("run-*")} > segments - {"run-000002"}
