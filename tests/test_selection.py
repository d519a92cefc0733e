"""Reading a part of the records: the first ones, or a sample that depends on nothing but the records."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup import LocalEngine, Settings, SettingsError, SparkEngine, clean, clean_articles, preview
from dedup.read.inputs import find_inputs
from dedup.read.records import RecordReader
from dedup.read.selection import SelectedRecords, record_hashes


def write_files(folder: Path, counts: list[int]) -> list[tuple[str, int]]:
    """Write a file for each count, with that many records, and return the key of each record."""
    keys = []
    for number, count in enumerate(counts):
        lines = [f'{{"text": "{number} {record} {"x" * (record % 7 * 10)}"}}\n' for record in range(count)]
        (folder / f"{number}.jsonl").write_text("".join(lines))
        keys += [(f"{number}.jsonl", record) for record in range(count)]
    return keys


def selected(folder: Path, work: Path, batch_bytes: int, **chosen: int | None) -> SelectedRecords:
    reader = RecordReader(find_inputs([folder]), batch_bytes=batch_bytes)
    return SelectedRecords(reader, **{"limit": None, "sample": None, "seed": 1, "work": work, **chosen})


def keys_of(records: SelectedRecords) -> list[tuple[str, int]]:
    table = pa.Table.from_batches(list(records))
    return list(zip(table["source"].to_pylist(), table["record"].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A counter of new folders, since one test makes many."""
    return lambda: tmp_path_factory.mktemp("records")


counts = st.lists(st.integers(0, 12), min_size=1, max_size=4)
numbers = st.none() | st.integers(1, 30)


@hypothesis_settings(max_examples=60, deadline=None)
@given(counts, numbers, numbers, st.integers(-3, 3), st.sampled_from([1, 60, 400, 1 << 20]))
def test_a_selection_is_the_same_whatever_the_batches(folders, counts, limit, sample, seed, batch_bytes):
    folder, work = folders(), folders()
    keys = write_files(folder, counts)
    records = selected(folder, work, batch_bytes, limit=limit, sample=sample, seed=seed)

    first = keys[:limit]
    hashes = [int(record_hashes([source], np.array([record], np.uint64), seed)[0]) for source, record in first]
    chosen = sorted(range(len(first)), key=lambda place: (hashes[place], place))[:sample]
    assert keys_of(records) == [first[place] for place in sorted(chosen)], "in input order"

    assert len(records.sizes) >= 1
    assert records.fresh_bytes() == sum(records.sizes)
    whole = {entry["source"]: entry for entry in _all_inputs(folder)}
    if limit is None or limit > len(keys):
        assert records.inputs == list(whole.values())
    else:
        last = first[-1][0]
        names = list(whole)[: list(whole).index(last) + 1]
        assert [entry["source"] for entry in records.inputs] == names
        assert records.inputs[:-1] == [whole[name] for name in names[:-1]]
        assert records.inputs[-1] == {"source": last, "bytes": None, "sha256": None}


def _all_inputs(folder: Path) -> list[dict[str, object]]:
    reader = RecordReader(find_inputs([folder]))
    assert list(reader)
    return reader.inputs


def test_a_larger_sample_contains_a_smaller_one_and_another_seed_differs(tmp_path):
    (tmp_path / "in").mkdir()
    write_files(tmp_path / "in", [300, 200])
    samples = [keys_of(selected(tmp_path / "in", tmp_path, 1 << 12, sample=size)) for size in (5, 50, 499, 500, 9999)]
    for smaller, larger in pairwise(samples):
        assert set(smaller) <= set(larger)
    assert [len(sample) for sample in samples] == [5, 50, 499, 500, 500]
    assert keys_of(selected(tmp_path / "in", tmp_path, 1 << 12, sample=50, seed=2)) != samples[1]


def test_every_record_is_as_likely_as_any_other():
    chosen = np.zeros(200)
    for seed in range(300):
        hashes = record_hashes(["a.jsonl"] * 100 + ["b.jsonl"] * 100, np.arange(200, dtype=np.uint64) % 100, seed)
        chosen[np.argsort(hashes)[:20]] += 1
    assert chosen.sum() == 6000
    assert chosen.min() > 10  # expected 30, standard deviation 5.2
    assert chosen.max() < 55


def test_candidates_that_cannot_be_chosen_are_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("dedup.read.selection._SPARE", 4)
    (tmp_path / "in").mkdir()
    keys = write_files(tmp_path / "in", [2000])
    sample = keys_of(selected(tmp_path / "in", tmp_path, 1 << 10, sample=10))
    with pa.OSFile(str(tmp_path / "sample.arrow")) as file:
        written = pa.ipc.open_stream(file).read_all().num_rows
    assert 10 <= written < 500
    hashes = record_hashes(["0.jsonl"] * 2000, np.arange(2000, dtype=np.uint64), 1)
    assert sample == [keys[place] for place in sorted(np.argsort(hashes)[:10])]


# whole jobs


@pytest.fixture
def source(tmp_path):
    lines = [
        {"id": n, "text": f"Article {n} is about the bridge, caf\u00c3\u00a9 number {n} and {n * n}."}
        for n in range(40)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "a.jsonl"


def test_a_limit_gives_what_the_first_records_alone_give(source, tmp_path):
    report = clean(source, tmp_path / "out", Settings(limit=7))
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "a.jsonl").write_text("".join(source.read_text().splitlines(keepends=True)[:7]))
    clean(tmp_path / "cut" / "a.jsonl", tmp_path / "whole")
    for table in ("articles", "dropped", "provenance", "quarantine"):
        assert (tmp_path / "out" / f"{table}.jsonl").read_bytes() == (
            tmp_path / "whole" / f"{table}.jsonl"
        ).read_bytes()
    assert report.counts["records"] == 7
    run = json.loads((tmp_path / "out" / "run.json").read_bytes())
    assert run["settings"]["limit"] == 7
    assert run["inputs"] == [{"source": "a.jsonl", "bytes": None, "sha256": None}]


@pytest.mark.parametrize("settings", [Settings(sample=9, seed=3), Settings(limit=20), Settings(limit=20, sample=9)])
def test_equal_selections_give_equal_bytes(source, tmp_path, settings):
    clean(source, tmp_path / "one", settings, engine=LocalEngine(jobs=1, memory=64 << 20))
    clean(source, tmp_path / "two", settings, engine=LocalEngine(jobs=2))
    for path in (tmp_path / "one").iterdir():
        if path.name != "run.log.json":
            assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_preview_is_the_report_of_a_run_and_writes_nothing(source, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    seen = preview(source, Settings(sample=9))
    assert sorted(tmp_path.rglob("*")) == before
    assert seen.out is None
    assert seen.summary() == clean(source, tmp_path / "out", Settings(sample=9)).summary()
    assert seen.counts["records"] == 9


def test_what_cannot_select_says_so(source, tmp_path):
    for settings in (Settings(limit=1), Settings(sample=1)):
        with pytest.raises(SettingsError, match="choose records of files; give a part of the articles"):
            clean_articles([{"text": "one"}], settings)
        with pytest.raises(SettingsError, match="work with the local engine only"):
            clean(source, tmp_path / "out", settings, engine=SparkEngine())
    assert not (tmp_path / "out").exists()
