"""Clean articles out of any corpus: the real text that copies and lines are put into.

Clean means: as `dedup.repair` leaves it, nothing repeats within the article, not even a sentence, no paragraph stands
in two articles or is much like what stands in another, and no two articles share many runs of words. So whatever is
dropped of a made article beyond what was put in is a mistake. An article with few paragraphs is cut into paragraphs of
some sentences each; that gives scripts without spaces and corpora without line breaks their place.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dedup import Settings, repair
from dedup.repeats.detect import find_repeats
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key, words

PARAGRAPHS = (5, 60)  # fewest and most of an article
WORDS = 120  # fewest of an article
SENTENCES_WORDS = 45  # words from which a row of sentences is a paragraph
SAID_WORDS = 6  # words of a sentence from which it may stand once only
ALIKE = 0.3  # share of its runs of five words that an article, or a paragraph, may have in common with others
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")


class Article(NamedTuple):
    """One clean article: its paragraphs, each on one line."""

    id: str
    body: list[str]


def corpora(folder: Path) -> list[Path]:
    """The files of articles in a folder, by name; a file of known pairs beside a corpus is none."""
    return sorted(path for path in folder.glob("*.jsonl*") if "silver" not in path.name and any(rows(path)))


def name(path: Path) -> str:
    """What a corpus is called in tables."""
    return path.name.split(".")[0]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines, plain or gzipped, that have an id and a text."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "id" in row and isinstance(row.get("text"), str):
                yield row


def clean(path: Path, count: int, seed: int) -> list[Article]:
    """At most `count` clean articles of a corpus, drawn with `seed`; where languages are told, in turns."""
    settings = Settings()
    found: list[Article] = []
    seen: set[str] = set()
    holders: dict[tuple[str, ...], int] = {}  # run of words -> article
    for row in _drawn(list(rows(path)), seed):
        if len(found) == count:
            break
        body = _body(str(repair(row["text"], settings)[0]))
        keys = [comparison_key(paragraph) for paragraph in body]
        fresh = [place for place, key in enumerate(keys) if key and key not in seen and _held(key, holders) <= ALIKE]
        body, keys = [body[place] for place in fresh], [keys[place] for place in fresh]
        tokens = " ".join(keys).split()
        if not PARAGRAPHS[0] <= len(body) <= PARAGRAPHS[1] or len(tokens) < WORDS or len(set(keys)) < len(keys):
            continue
        if _says_again(body):
            continue
        text = "\n".join(body)
        runs = _runs(tokens)
        shared = Counter(holders[run] for run in runs if run in holders)
        if shared and max(shared.values()) > ALIKE * len(runs):
            continue
        if repair(text, settings)[0] != text or find_repeats(text, paragraphs(text), keys, settings).repeats:
            continue
        holders.update(dict.fromkeys(runs, len(found)))
        seen.update(keys)
        found.append(Article(str(row["id"]), body))
    return found


def _says_again(body: list[str]) -> bool:
    """Whether a sentence stands twice: of a copy of it nobody could say which one was put in."""
    told = [tuple(words(sentence)) for paragraph in body for sentence in _SENTENCE.split(paragraph)]
    told = [sentence for sentence in told if len(sentence) >= SAID_WORDS]
    return len(set(told)) < len(told)


def _runs(tokens: list[str]) -> set[tuple[str, ...]]:
    return set(zip(*(tokens[at:] for at in range(5)), strict=False))


def _held(key: str, holders: dict[tuple[str, ...], int]) -> float:
    """The share of the runs of words of a paragraph that the articles taken so far have."""
    runs = _runs(key.split())
    return sum(run in holders for run in runs) / len(runs) if runs else 0.0


def _drawn(given: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """The rows in random order, one of each language after the other."""
    random.Random(seed).shuffle(given)
    turns: Counter[str] = Counter()
    order = []
    for row in given:
        language = str(row.get("lang"))
        turns[language] += 1
        order.append(turns[language])
    return [given[place] for place in sorted(range(len(given)), key=order.__getitem__)]


def _body(text: str) -> list[str]:
    """The paragraphs of a text; rows of its sentences, where those are few."""
    body = [" ".join(text[start:stop].split()) for start, stop in paragraphs(text)]
    if len(body) >= PARAGRAPHS[0]:
        return body
    rows_: list[str] = []
    for sentence in _SENTENCE.split(" ".join(body)):
        if rows_ and len(words(rows_[-1])) < SENTENCES_WORDS:
            rows_[-1] += ("" if rows_[-1][-1:] in "。！？" else " ") + sentence
        elif sentence:
            rows_.append(sentence)
    return rows_
