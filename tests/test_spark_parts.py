"""What tasks of the Spark engine do with parts of pairs; no Spark is needed to try it."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from dedup.fingerprint.shingles import key_shingles
from dedup.match.buckets import Buckets
from dedup.match.container_candidates import SHARED_MINIMIZERS, find_candidates, index_minimizers
from dedup.spark.match_contained import _parts
from dedup.spark.partitioned_pairs import _compared, visits

BOTH = pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
N = 3


def batches_of(rows, columns, source):
    """`rows` in batches that end anywhere."""
    while rows:
        count = source.randint(1, 40)
        names = columns if isinstance(columns, list) else list(columns)
        arrays = [
            pa.array([row[at] for row in rows[:count]], columns[name] if isinstance(columns, dict) else None)
            for at, name in enumerate(names)
        ]
        yield pa.RecordBatch.from_arrays(arrays, names)
        rows = rows[count:]


@BOTH
@pytest.mark.parametrize("seed", range(12))
def test_parts_have_the_candidates_that_the_local_engine_has(seed, compiled):
    source = random.Random(seed)
    width = 60 if seed % 2 else 2000
    texts = [
        sorted({source.randrange(width) for _ in range(source.randrange(20))}) for _ in range(source.randint(2, 700))
    ]
    held = np.bincount([value for text in texts for value in text], minlength=width)
    texts = [[value for value in text if held[value] > 1] for text in texts]
    totals = np.array([len(text) + source.randrange(5) for text in texts])
    borders = np.cumsum([0, *map(len, texts)])
    values = np.array([value for text in texts for value in text], np.int64)
    index = index_minimizers(Buckets(values, borders), totals, held, compiled=False)
    pairs = find_candidates(index, compiled=False)
    seen: dict[int, int] = {}
    expected = []
    for one, other in zip(pairs.ones.tolist(), pairs.others.tolist(), strict=True):
        expected.append((one, other, seen.get(one, 0)))
        seen[one] = seen.get(one, 0) + 1

    rows, parts = [], 3
    for place, text in enumerate(texts):
        least = max(1, int(SHARED_MINIMIZERS * totals[place]))
        rarest = sorted(text, key=lambda value: (held[value], value))[: max(len(text) - least + 1, 0)]
        rows += [(place % parts, value, place, place // 4, True) for value in rarest]
    asked = {row[:2] for row in rows}
    for place, text in enumerate(texts):
        rows += [
            (part, value, place, place // 4, False) for value in text for part in range(parts) if (part, value) in asked
        ]
    source.shuffle(rows)
    rows.sort(key=lambda row: row[0])
    given = batches_of(rows, ["part", "v", "aid", "r", "asks"], source)
    told = [row for made in _parts(given, compiled=compiled) for row in made.to_pylist()]
    found = [
        (one, row["id"], place)
        for row in told
        if row["homes"] is not None
        for one, place in zip(row["homes"], row["places"], strict=True)
    ]
    assert sorted(found) == sorted(expected)
    homes = {(row["part"], row["id"]) for row in told if row["homes"] is None}
    assert homes == {(one % parts, one) for one, _, _ in expected}
    assert all(one % parts == row["part"] for row in told for one in row["homes"] or ())


@BOTH
@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_pairs_of_a_part_share_what_their_sets_share(monkeypatch, compiled, at_once):
    monkeypatch.setattr("dedup.spark.partitioned_pairs._PAIRS_AT_ONCE", at_once)
    source = random.Random(5)
    words = [f"w{number}" for number in range(6)]
    keys = [" ".join(source.choices(words, k=source.randrange(30))).encode() for _ in range(200)]
    pairs = {(one, other): source.randrange(32) for one, other in (source.sample(range(200), 2) for _ in range(900))}
    rows = []
    for part in (0, 2, 3):
        mine = [(one, other, place) for (one, other), place in pairs.items() if one % 4 == part]
        rows += [(part, one, None, None, keys[one]) for one in {one for one, _, _ in mine}]
        for visitor in {other for _, other, _ in mine}:
            lists = zip(*((one, place) for one, other, place in mine if other == visitor), strict=True)
            rows.append((part, visitor, *map(list, lists), keys[visitor]))
    columns = {**visits(pa.int64()), "key": pa.binary()}
    kinds = dict.fromkeys(("x", "y", "place", "common", "sx", "sy"), pa.int64())
    made = _compared(batches_of(rows, columns, source), kinds, N, 0.5, compiled=compiled)
    found = {(row["x"], row["y"]): row for one in made for row in one.to_pylist()}
    shingles = [key_shingles(key, N) for key in keys]
    for (one, other), place in pairs.items():
        if one % 4 == 1:
            continue
        common = len(shingles[one] & shingles[other])
        row = found.pop((one, other), None)
        if row is None:
            assert common < 0.5 * len(shingles[one])
        else:
            sizes = len(shingles[one]), len(shingles[other])
            assert (row["place"], row["common"], row["sx"], row["sy"]) == (place, common, *sizes)
    assert not found
