"""Spark tasks that work part by part give the same pairs as one search over everything; these tests need no Spark."""

from __future__ import annotations

import json
import os
import random

import numpy as np
import pyarrow as pa
import pytest
from helpers.input_files import every_file, read_files

from dedup import InputError, Settings
from dedup.fingerprint.shingles import key_shingles
from dedup.match.buckets import Buckets
from dedup.match.container_candidates import SHARED_MINIMIZERS, find_candidates, index_minimizers
from dedup.read.inputs import find_inputs
from dedup.spark.listing import _local_file, list_inputs
from dedup.spark.match_contained import _find_visits_task
from dedup.spark.partitioned_pairs import _compare_parts_task, visit_columns
from dedup.spark.prepare import RECORD_BITS, _read_file

BOTH_BACKENDS = pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
N = 3


def batches_of(rows, columns, source):
    """Yield `rows` in batches of random size; `columns` is a list of names, or their types by name."""
    names = list(columns)
    kinds = dict.fromkeys(columns) if isinstance(columns, list) else columns
    while rows:
        count = source.randint(1, 40)
        arrays = [pa.array([row[at] for row in rows[:count]], kinds[name]) for at, name in enumerate(names)]
        yield pa.RecordBatch.from_arrays(arrays, names)
        rows = rows[count:]


@BOTH_BACKENDS
@pytest.mark.parametrize("seed", range(12))
def test_parts_have_the_candidates_that_the_local_engine_has(seed, compiled):
    source = random.Random(seed)
    width = 60 if seed % 2 else 2000
    articles = [
        sorted({source.randrange(width) for _ in range(source.randrange(20))}) for _ in range(source.randint(2, 700))
    ]
    holders = np.bincount([value for article in articles for value in article], minlength=width)
    articles = [[value for value in article if holders[value] > 1] for article in articles]
    totals = np.array([len(article) + source.randrange(5) for article in articles])
    borders = np.cumsum([0, *map(len, articles)])
    values = np.array([value for article in articles for value in article], np.int64)
    index = index_minimizers(Buckets(values, borders), totals, holders, compiled=False)
    pairs = find_candidates(index, compiled=False)
    expected = list(zip(pairs.ones.tolist(), pairs.others.tolist(), pairs.ranks().tolist(), strict=True))

    rows, parts = [], 3
    for article, minimizers in enumerate(articles):
        least = max(1, int(SHARED_MINIMIZERS * totals[article]))
        rarest = sorted(minimizers, key=lambda value: (holders[value], value))[: max(len(minimizers) - least + 1, 0)]
        rows += [(article % parts, value, article, article // 4, True) for value in rarest]
    searched = {row[:2] for row in rows}
    for article, minimizers in enumerate(articles):
        visited = [(part, value) for value in minimizers for part in range(parts) if (part, value) in searched]
        rows += [(part, value, article, article // 4, False) for part, value in visited]
    source.shuffle(rows)
    rows.sort(key=lambda row: row[0])
    batches = batches_of(rows, ["part", "v", "aid", "r", "searched"], source)
    visits = [row for batch in _find_visits_task(batches, compiled=compiled) for row in batch.to_pylist()]
    found = [
        (member, row["id"], rank)
        for row in visits
        if row["members"] is not None
        for member, rank in zip(row["members"], row["tags"], strict=True)
    ]
    assert sorted(found) == sorted(expected)
    members = {(row["part"], row["id"]) for row in visits if row["members"] is None}
    assert members == {(article % parts, article) for article, _, _ in expected}
    assert all(member % parts == row["part"] for row in visits for member in row["members"] or ())


@BOTH_BACKENDS
@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_pairs_compared_in_parts_share_what_their_sets_share(monkeypatch, compiled, at_once):
    monkeypatch.setattr("dedup.spark.partitioned_pairs._MOST_PAIRS", at_once)
    source = random.Random(5)
    words = [f"w{number}" for number in range(6)]
    keys = [" ".join(source.choices(words, k=source.randrange(30))).encode() for _ in range(200)]
    tags = {tuple(source.sample(range(200), 2)): source.randrange(32) for _ in range(900)}
    rows = []
    for part in (0, 2, 3):  # part 1 is left out: its members are compared with nothing
        members_of = {}
        for (member, visitor), tag in tags.items():
            if member % 4 == part:
                members_of.setdefault(visitor, []).append((member, tag))
        members = {member for pairs in members_of.values() for member, _ in pairs}
        rows += [(part, member, None, None, keys[member]) for member in members]
        rows += [
            (part, visitor, [member for member, _ in pairs], [tag for _, tag in pairs], keys[visitor])
            for visitor, pairs in members_of.items()
        ]
    columns = {**visit_columns(pa.int64()), "key": pa.binary()}
    kinds = dict.fromkeys(("x", "y", "tag", "common", "size_x", "size_y"), pa.int64())
    batches = _compare_parts_task(batches_of(rows, columns, source), kinds, N, 0.5, compiled=compiled)
    found = {(row["x"], row["y"]): row for batch in batches for row in batch.to_pylist()}
    shingles = [key_shingles(key, N) for key in keys]
    for (member, visitor), tag in tags.items():
        if member % 4 == 1:
            continue
        common = len(shingles[member] & shingles[visitor])
        row = found.pop((member, visitor), None)
        if row is None:
            assert common < 0.5 * len(shingles[member])
        else:
            sizes = len(shingles[member]), len(shingles[visitor])
            assert (row["tag"], row["common"], row["size_x"], row["size_y"]) == (tag, common, *sizes)
    assert not found


def test_a_task_reads_every_format_as_the_local_engine_does(tmp_path):
    rows = [{"id": str(number), "text": f"Article {number}."} for number in range(9)]
    for name, data in every_file(rows, tmp_path).items():
        path = tmp_path / name
        path.write_bytes(data)
        expected, reader = read_files(path)
        file = _local_file(3, find_inputs([path]).sources[0])
        task = {**file._asdict(), "content": None if len(data) % 2 else data}
        *batches, last = _read_file(task, Settings())
        records = [row for batch in batches for row in batch.to_pylist()]
        numbers = [row.pop("aid") for row in records]
        assert [{key: _plain(value) for key, value in row.items()} for row in records] == expected, name
        assert numbers == list(range(3 << RECORD_BITS, (3 << RECORD_BITS) + len(rows))), name
        summary = json.loads(last.to_pylist()[0]["data"])
        assert summary == {"inputs": reader.inputs, "skipped": [], "records": len(rows), "error": None}, name


def _plain(value):
    return bytes(value) if isinstance(value, (bytes, bytearray)) else value


def test_a_task_hands_an_error_of_its_input_to_the_driver(tmp_path):
    (tmp_path / "bare").write_bytes(b"id,text\n1,a\n")
    task = {"file": 0, "name": "bare", "path": str(tmp_path / "bare"), "kind": None, "table": None, "forced": False}

    [last] = _read_file({**task, "host": None, "content": None}, Settings())
    assert "its first bytes do not show its format" in json.loads(last.to_pylist()[0]["data"])["error"]


def test_spark_refuses_a_pipe_in_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match="Spark cannot read a pipe; write it to a file that all workers can read"):
        list_inputs(None, [tmp_path / "pipe.jsonl"], tmp_path / "out")
