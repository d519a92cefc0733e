"""Count the items of a test set that the rule known-passage finds in a corpus: planted ones and false positives.

    python benchmarks/known_passages.py CORPUS ITEMS WORK

CORPUS and ITEMS are files that `dedup` reads, JSON Lines with a field `text`. From ITEMS, 1,000 sentences of 15 to 40
words are taken, with a seed. Each of four hundred of them is put into an article of CORPUS: a hundred as they are, a
hundred with one word replaced, a hundred with three, a hundred with the second half alone. The others are in none, so
far as is known. Prints a table.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import dedup

SEED = 1
ITEMS = 1_000
PLANTED = ("as it is", "one word replaced", "three words replaced", "its second half")
OF_EACH = 100


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a file of JSON lines, which may be compressed."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            text = json.loads(line).get("text")
            if text:
                yield text


def choose_items(path: Path, chance: random.Random) -> list[str]:
    """Return different sentences of 15 to 40 words."""
    sentences = {
        sentence
        for text in texts_of(path)
        for line in text.splitlines()
        for sentence in re.split(r"(?<=[.!?]) ", line)
        if 15 <= len(sentence.split()) <= 40
    }
    return chance.sample(sorted(sentences), ITEMS)


def planted_text(item: str, how: str, chance: random.Random) -> str:
    """Return what of an item is put into an article."""
    words = item.split()
    if how == "its second half":
        return " ".join(words[len(words) // 2 :])
    for place in chance.sample(range(len(words)), {"as it is": 0, "one word replaced": 1}.get(how, 3)):
        words[place] = f"other{place}"
    return " ".join(words)


def main(corpus: Path, source: Path, work: Path) -> None:
    """Plant items, run the rule, and print what was found of each kind."""
    chance = random.Random(SEED)
    items = choose_items(source, chance)
    articles = list(texts_of(corpus))
    kinds = [how for how in PLANTED for _ in range(OF_EACH)]
    places = chance.sample(range(len(articles)), len(kinds))
    for item, how, place in zip(items, kinds, places, strict=False):
        articles[place] = f"{articles[place]}\n\nAs one reader wrote, {planted_text(item, how, chance)} so it was."
    work.mkdir(exist_ok=True)
    for name, texts in (("items", items), ("corpus", articles)):
        lines = (json.dumps({"id": str(number), "text": text}) for number, text in enumerate(texts))
        (work / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    settings = dedup.Settings(rules={"known-passage": "drop"})
    report = dedup.clean(work / "corpus.jsonl", work / "out", settings, against=work / "items.jsonl", force=True)
    rows = [json.loads(line) for line in (work / "out" / "known_items.jsonl").read_text().splitlines()]
    print(f"{len(articles):,} articles, {report.seconds['match articles']:.1f} s to match articles")
    print("| put into an article | items | found | found in part |\n|---|---|---|---|")
    kinds += ["not at all"] * (ITEMS - len(kinds))
    for how in dict.fromkeys(kinds):
        shares = [row["share"] for row, kind in zip(rows, kinds, strict=True) if kind == how]
        found = sum(share >= settings.passage_share for share in shares)
        print(f"| {how} | {len(shares):,} | {found:,} | {sum(share > 0 for share in shares) - found:,} |")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
