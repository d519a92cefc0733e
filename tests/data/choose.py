"""Choose the small corpora of this folder from the large ones, and join them exactly: `choose.py FOLDER`.

`FOLDER` holds `NAME.jsonl.gz` and `NAME.silver_pairs.jsonl.gz`. The choice takes both sides of pairs spread evenly over
similarities around the threshold, groups of equal texts, and ordinary articles spread evenly over the corpus. The pairs
come from a plain join over every shared 5-gram, which knows nothing of `dedup`, and must equal the given ones.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
Row = dict[str, Any]


class Choice(NamedTuple):
    """How many of what are taken, and up to which length of text in characters."""

    near: int  # pairs with Jaccard 0.7 to 0.9
    alike: int  # pairs above
    ordinary: int  # articles
    longest: int


CHOICES = {"senate_releases": Choice(90, 30, 320, 6000), "license_texts": Choice(60, 20, 200, 5000)}


def main(folder: Path) -> None:
    """Write both corpora with their pairs, and print their sizes."""
    for name, choice in CHOICES.items():
        rows = read(folder / f"{name}.jsonl.gz")
        silver = read(folder / f"{name}.silver_pairs.jsonl.gz")
        ids = chosen(rows, silver, choice)
        rows = [row for row in rows if row["id"] in ids]
        pairs = join(rows)
        check(rows, pairs, silver)
        write(HERE / f"{name}.jsonl.gz", rows)
        write(HERE / f"{name}.silver_pairs.jsonl.gz", pairs)
        print(
            f"{name}: {len(rows)} articles, {sum(len(row['text'].encode()) for row in rows):,} bytes of text, "
            f"{len(pairs)} pairs, {sum(pair['jaccard'] >= 0.8 for pair in pairs)} of 0.8 or more"
        )


def chosen(rows: list[Row], silver: list[Row], choice: Choice) -> set[str]:
    """Return the ids of the articles to take."""
    short = {row["id"] for row in rows if len(row["text"]) <= choice.longest}
    pairs = [pair for pair in silver if {pair["a"], pair["b"]} <= short]
    pairs.sort(key=lambda pair: (pair["jaccard"], pair["a"], pair["b"]))
    near = [pair for pair in pairs if 0.7 <= pair["jaccard"] < 0.9]
    alike = [pair for pair in pairs if pair["jaccard"] >= 0.9]
    taken = spread(near, choice.near) + spread(alike, choice.alike)
    ids = {pair[side] for pair in taken for side in "ab"}
    ids.update(row["id"] for row in spread([row for row in rows if row["id"] in short], choice.ordinary))
    equal = defaultdict(list)
    for row in rows:
        if row["id"] in short:
            equal[row["text"]].append(row["id"])
    groups = [group[:3] for group in equal.values() if len(group) > 1]
    return ids.union(*spread(groups, 5))


def spread(values: list[Any], count: int) -> list[Any]:
    """Return `count` of `values` at equal distances."""
    return [values[number * len(values) // count] for number in range(min(count, len(values)))]


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Return the word 5-grams of `text`, none for fewer than 20 words."""
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + 5]) for at in range(len(words) - 4) if len(words) >= 20)


def join(rows: list[Row]) -> list[Row]:
    """Return all pairs with Jaccard >= 0.5, one article standing for all with an identical set of 5-grams."""
    ids: dict[frozenset[tuple[str, ...]], str] = {}
    for row in rows:
        if grams := shingles(row["text"]):
            ids.setdefault(grams, row["id"])
    sets = list(ids)
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    pairs = []
    for number, grams in enumerate(sets):
        shared: Counter[int] = Counter()
        for gram in grams:
            shared.update(holders[gram])
            holders[gram].append(number)
        for other, common in sorted(shared.items()):
            jaccard = common / (len(grams) + len(sets[other]) - common)
            if jaccard >= 0.5:
                pairs.append({"a": ids[sets[other]], "b": ids[grams], "jaccard": round(jaccard, 4)})
    return pairs


def check(rows: list[Row], pairs: list[Row], silver: list[Row]) -> None:
    """Raise where `pairs` are not the given ones; of equal sets the given ones may name another article."""
    by_id = {row["id"]: shingles(row["text"]) for row in rows}
    ours = {frozenset((by_id[pair["a"]], by_id[pair["b"]])): pair["jaccard"] for pair in pairs}
    theirs = {
        frozenset((by_id[pair["a"]], by_id[pair["b"]])): pair["jaccard"]
        for pair in silver
        if pair["a"] in by_id and pair["b"] in by_id
    }
    missing = theirs.keys() - ours.keys()
    differing = [pair for pair in theirs.keys() & ours.keys() if abs(theirs[pair] - ours[pair]) > 0.0001]
    if missing or differing:
        raise SystemExit(f"{len(missing)} given pairs are missing, {len(differing)} have another similarity")
    print(f"{len(theirs)} given pairs agree, {len(ours) - len(theirs)} are of articles that the given ones left out")


def read(path: Path) -> list[Row]:
    """Return the rows of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write(path: Path, rows: list[Row]) -> None:
    """Write `rows` so that equal rows give equal bytes."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
