"""Clean articles from any corpus: the real text into which copies and lines are inserted.

An article is clean if `dedup.repair` leaves it unchanged and nothing repeats within it, not even a sentence. No
paragraph occurs in two articles or resembles one of another, and no two articles share many word 5-grams. So whatever
is dropped from a made article beyond the insertions is a false positive. An article with few paragraphs is split into
paragraphs of some sentences each, so that scripts without spaces and corpora without line breaks are represented.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.json_lines import read_rows
from dedup import Settings, repair
from dedup.repeats.detect import detect_repeats
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, words

PARAGRAPHS = (5, 60)  # minimum and maximum of an article
WORDS = 120  # minimum of an article
PARAGRAPH_WORDS = 45  # words from which a row of sentences is a paragraph
UNIQUE_SENTENCE_WORDS = 6  # words from which a sentence may occur only once
SHARED = 0.3  # share of its word 5-grams that an article, or a paragraph, may have in common with others
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")


class Article(NamedTuple):
    """One clean article: its paragraphs, each on one line."""

    id: str
    body: list[str]


def corpora(folder: Path) -> list[Path]:
    """Return the corpora in a folder, sorted by name, without the files of known pairs beside them."""
    return sorted(path for path in folder.glob("*.jsonl*") if "silver" not in path.name and any(rows(path)))


def name(path: Path) -> str:
    """Return the name of a corpus in tables: that of its file, but `news` for the articles of whole pages."""
    first = path.name.split(".")[0]
    return "news" if first == "pages" else first


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Iterate over the rows of a file of JSON lines, plain or gzipped, that have an id and a text.

    Where a row is a whole page with the text of its article beside it (`gold`), that article is the text.
    """
    for row in read_rows(path):
        if "id" in row and isinstance(row.get("text"), str):
            yield {**row, "text": row["gold"]} if isinstance(row.get("gold"), str) else row


def clean(path: Path, count: int, seed: int) -> list[Article]:
    """Draw at most `count` clean articles of a corpus with `seed`, the languages alternating if rows name them."""
    settings = Settings()
    articles: list[Article] = []
    seen: set[str] = set()  # comparison keys of paragraphs
    holders: dict[tuple[str, ...], int] = {}  # word 5-gram -> article
    for row in _shuffle_by_language(list(rows(path)), seed):
        if len(articles) == count:
            break
        body = _split_body(str(repair(row["text"], settings)[0]))
        keys = [comparison_key(paragraph) for paragraph in body]
        fresh = [
            place for place, key in enumerate(keys) if key and key not in seen and _shared_part(key, holders) <= SHARED
        ]
        body, keys = [body[place] for place in fresh], [keys[place] for place in fresh]
        tokens = " ".join(keys).split()
        if not PARAGRAPHS[0] <= len(body) <= PARAGRAPHS[1] or len(tokens) < WORDS or len(set(keys)) < len(keys):
            continue
        if _repeats_sentence(body):
            continue
        text = "\n".join(body)
        grams = _grams(tokens)
        shared = Counter(holders[gram] for gram in grams if gram in holders)
        if shared and max(shared.values()) > SHARED * len(grams):
            continue
        if repair(text, settings)[0] != text or detect_repeats(text, paragraphs(text), keys, settings).repeats:
            continue
        holders.update(dict.fromkeys(grams, len(articles)))
        seen.update(keys)
        articles.append(Article(str(row["id"]), body))
    return articles


def _repeats_sentence(body: list[str]) -> bool:
    """Return True if a sentence occurs twice: an inserted copy of it could not be told from the original."""
    sentences = [tuple(words(sentence)) for paragraph in body for sentence in _SENTENCE.split(paragraph)]
    sentences = [sentence for sentence in sentences if len(sentence) >= UNIQUE_SENTENCE_WORDS]
    return len(set(sentences)) < len(sentences)


def _grams(tokens: list[str]) -> set[tuple[str, ...]]:
    return set(zip(*(tokens[at:] for at in range(5)), strict=False))


def _shared_part(key: str, holders: dict[tuple[str, ...], int]) -> float:
    """Return the share of the word 5-grams of a paragraph that occur in the articles drawn so far."""
    grams = _grams(key.split())
    return sum(gram in holders for gram in grams) / len(grams) if grams else 0.0


def _shuffle_by_language(unordered: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return the rows in random order, the languages alternating; shuffles the argument."""
    random.Random(seed).shuffle(unordered)
    turns: Counter[str] = Counter()
    order = []
    for row in unordered:
        language = str(row.get("lang"))
        turns[language] += 1
        order.append(turns[language])
    return [unordered[place] for place in sorted(range(len(unordered)), key=order.__getitem__)]


def _split_body(text: str) -> list[str]:
    """Return the paragraphs of a text, or rows of its sentences if it has few paragraphs."""
    body = [" ".join(text[start:stop].split()) for start, stop in paragraphs(text)]
    if len(body) >= PARAGRAPHS[0]:
        return body
    parts: list[str] = []
    for sentence in _SENTENCE.split(" ".join(body)):
        if parts and len(words(parts[-1])) < PARAGRAPH_WORDS:
            parts[-1] += ("" if parts[-1][-1:] in "。！？" else " ") + sentence
        elif sentence:
            parts.append(sentence)
    return parts
