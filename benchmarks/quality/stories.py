"""Measure `same_story_threshold`: right and wrong drops among pairs of articles that are 0.5 to 0.8 similar.

    python -m benchmarks.quality.stories FOLDER [--seed 1]

Made pairs are a clean article and a version of it, changed until the two are as similar as drawn. Versions of the same
story have other words, fewer paragraphs, or new ones without names and numbers; versions with other facts have other
numbers or names, or a "not". Real pairs are press releases of known similarity. Their dates
and senders tell what they are: releases of one day or two tell one story, and releases of a sender more than 60 days
apart tell other facts. Others are left out.

All pairs go through the whole pipeline. A drop below the threshold of near-duplicates is *right* if the article and its
twin are a pair of the same story, and *wrong* if they are any other pair.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.json_lines import read_rows
from benchmarks.quality import corpora
from benchmarks.quality.corpora import Article
from benchmarks.quality.score import jaccard, shingles
from benchmarks.quality.stored import store_results
from benchmarks.quality.versions import SENTENCE_WORDS, invent, vocabulary
from dedup import Settings, clean_articles
from dedup.match.same_form import NEGATIONS
from dedup.match.same_story import SAME_STORY_EVIDENCE

THRESHOLDS = (0.6, 0.65, 0.7, 0.75)
SIMILAR = (0.55, 0.8)  # of made pairs
ARTICLES = 90  # clean articles of each corpus
MADE_FROM = ("pages", "wikipedia_multilingual", "senate_releases")
RELEASES, PAIRS = "senate_releases.jsonl.gz", "senate_releases.silver_pairs.jsonl.gz"
SAME_DAYS, OTHER_DAYS = 1, 60  # between two releases of one story at most, and of two stories at least
EDITS, ATTEMPTS = 2, 40  # changes between two looks at the similarity, and the most looks
REAL_SAME, REAL_OTHER = "releases of one day or two", "releases of a sender, 60 days apart"
_WORD = re.compile(r"[^\W\d_]+")


class StoryPair(NamedTuple):
    """Two texts, how similar they are, the kind of pair, and whether they tell the same story."""

    texts: tuple[str, str]
    similarity: float
    kind: str
    is_same: bool


Edit = Callable[[list[str], random.Random], None]  # changes one thing of an article's paragraphs


def _reword(body: list[str], rng: random.Random) -> None:
    """Put another word of the article in the place of one in lower case."""
    place = rng.randrange(len(body))
    known = [word for word in vocabulary(body).others if word.lower() not in NEGATIONS]
    spans = [match.span() for match in _WORD.finditer(body[place])]
    spans = [span for span in spans if body[place][slice(*span)] in known]
    if spans:
        start, stop = rng.choice(spans)
        body[place] = body[place][:start] + rng.choice(known) + body[place][stop:]


def _shorten(body: list[str], rng: random.Random) -> None:
    """Remove the last paragraph, or the end of it."""
    if rng.random() < 0.5 and len(body) > 2:
        body.pop()
    else:
        words = body[-1].split(" ")
        body[-1] = " ".join(words[: -max(1, len(words) // 4)]) or body[-1]


def _add(body: list[str], rng: random.Random) -> None:
    """Add a paragraph of the article's own words, without names and numbers."""
    known = vocabulary(body)
    body.insert(rng.randrange(1, len(body) + 1), invent(known._replace(names=known.others), SENTENCE_WORDS, ".", rng))


def _other_word(is_chosen: Callable[[str], bool]) -> Edit:
    """Return an edit that puts another word in the place of one of the chosen ones."""

    def edit(body: list[str], rng: random.Random) -> None:
        known = vocabulary(body)
        places = [
            (place, match.span())
            for place, text in enumerate(body)
            for match in re.finditer(r"\w+", text)
            if is_chosen(match[0]) and match.start()
        ]
        if places:
            place, (start, stop) = rng.choice(places)
            text = body[place]
            word = text[start:stop]
            if word[0].isdigit():
                other = "".join(str(rng.randint(1, 9)) for _ in word)
            else:
                other = rng.choice(known.names) if known.names else word
            body[place] = text[:start] + other + text[stop:]

    return edit


def _negate(body: list[str], rng: random.Random) -> None:
    """Put "not" between two words of an English paragraph."""
    places = [place for place, text in enumerate(body) if " the " in text]
    if places:
        place = rng.choice(places)
        words = body[place].split(" ")
        words.insert(rng.randrange(1, len(words)), "not")
        body[place] = " ".join(words)


def _leave(body: list[str], rng: random.Random) -> None:
    """Change nothing."""


class StoryKind(NamedTuple):
    """How versions of a kind are made: by one edit at first, and others until they are as similar as drawn."""

    first: Edit
    edit: Edit
    is_same: bool


_OTHER_NUMBER = _other_word(lambda word: word[0].isdigit())
_OTHER_NAME = _other_word(lambda word: word[0].isupper() and len(word) > 3)
KINDS = {
    "other words": StoryKind(_leave, _reword, is_same=True),
    "cut off": StoryKind(_leave, _shorten, is_same=True),
    "paragraphs added": StoryKind(_leave, _add, is_same=True),
    "other words and paragraphs added": StoryKind(_add, _reword, is_same=True),
    "other numbers": StoryKind(_leave, _OTHER_NUMBER, is_same=False),
    "other names": StoryKind(_leave, _OTHER_NAME, is_same=False),
    "other words and one other name": StoryKind(_OTHER_NAME, _reword, is_same=False),
    "other words and one other number": StoryKind(_OTHER_NUMBER, _reword, is_same=False),
    "other words and a “not”": StoryKind(_negate, _reword, is_same=False),
}


def make_pairs(articles: Sequence[Article], seed: int) -> list[StoryPair]:
    """Return pairs of each kind from clean articles, each article in one pair."""
    pairs = []
    kinds = list(KINDS)
    for number, article in enumerate(articles):
        kind = kinds[number % len(kinds)]
        made = KINDS[kind]
        rng = random.Random(f"{seed} {article.id}")
        target, own = rng.uniform(*SIMILAR), shingles("\n".join(article.body))
        body = list(article.body)
        made.first(body, rng)
        if made.first is not _leave and body == article.body:
            continue  # it has no such word
        similarity = 1.0
        for _ in range(ATTEMPTS):
            for _ in range(EDITS):
                made.edit(body, rng)
            similarity = jaccard(own, shingles("\n".join(body)))
            if similarity <= target:
                break
        if SIMILAR[0] - 0.05 <= similarity < SIMILAR[1]:
            pairs.append(StoryPair(("\n\n".join(article.body), "\n\n".join(body)), similarity, kind, made.is_same))
    return pairs


def real_pairs(folder: Path) -> list[StoryPair]:
    """Return the pairs of press releases below the threshold of which dates and senders say what they are."""
    known = [row for row in read_rows(folder / PAIRS) if row["jaccard"] < SIMILAR[1]]
    wanted = {row[side] for row in known for side in "ab"}
    rows = {row["id"]: row for row in read_rows(folder / RELEASES) if row["id"] in wanted}
    pairs = []
    for row in known:
        first, second = rows[row["a"]], rows[row["b"]]
        dates = _date_of(first["id"]), _date_of(second["id"])
        if not (dates[0] and dates[1]):
            continue
        days = abs((dates[0] - dates[1]).days)
        is_same = days <= SAME_DAYS
        if is_same or (days > OTHER_DAYS and first["source"] == second["source"]):
            kind = REAL_SAME if is_same else REAL_OTHER
            pairs.append(StoryPair((first["text"], second["text"]), row["jaccard"], kind, is_same))
    return pairs


def _date_of(name: str) -> date | None:
    """Return the date in the name of a release, if it has one.

    >>> _date_of("Reed/13Sep2006Reed9.txt")
    datetime.date(2006, 9, 13)
    """
    match = re.search(r"/(\d+)([A-Z][a-z]{2})(\d{4})", name)
    return datetime.strptime("".join(match.groups()), "%d%b%Y").date() if match else None  # noqa: DTZ007


def measure(pairs: Sequence[StoryPair], threshold: float) -> dict[str, list[int]]:
    """Return of each kind of pair: pairs of this similarity, and those of which one is dropped as the same story."""
    texts = list(dict.fromkeys(text for pair in pairs for text in pair.texts))
    number_of = {text: number for number, text in enumerate(texts)}
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    findings = clean_articles(rows, Settings(same_story_threshold=threshold)).findings
    dropped = {
        frozenset((finding.record, finding.twin_record))
        for finding in findings
        if finding.action == "drop" and finding.evidence == SAME_STORY_EVIDENCE
    }
    counts: dict[str, list[int]] = {}
    told = set()
    for pair in pairs:
        numbers = frozenset(number_of[text] for text in pair.texts)
        if pair.similarity >= threshold:
            count = counts.setdefault(pair.kind, [0, 0])
            count[0] += 1
            count[1] += numbers in dropped
            told.add(numbers)
    counts["no known pair"] = [0, len(dropped - told)]
    return counts


def collect_pairs(folder: Path, seed: int) -> list[StoryPair]:
    """Return all pairs that the corpora of a folder give."""
    pairs = real_pairs(folder) if (folder / PAIRS).exists() else []
    for name in MADE_FROM:
        pairs += make_pairs(corpora.clean(folder / f"{name}.jsonl.gz", ARTICLES, seed), seed)
    return pairs


def table(pairs: Sequence[StoryPair]) -> dict[str, Any]:
    """Return the counts of each threshold, and which kinds of pairs tell the same story."""
    same = sorted({pair.kind for pair in pairs if pair.is_same})
    return {"same": same, "rows": [[threshold, measure(pairs, threshold)] for threshold in THRESHOLDS]}


def main() -> None:
    """Measure the pairs of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results = table(collect_pairs(options.folder, options.seed))
    print(*results["rows"], sep="\n")
    store_results({"stories": results})


if __name__ == "__main__":
    main()
