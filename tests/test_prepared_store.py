"""Prepared batches as files, and the corpus that reads them back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dedup import DedupError, Settings
from dedup.engines.local import LocalEngine
from dedup.errors import WorkFileError
from dedup.preparation import prepare_articles
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import BatchOrigin, load_batch, read_origin, store_batch
from dedup.runtime.progress import StageTimer
from dedup.runtime.versions import program_version

BATCH = pa.record_batch({"record": [0, 1, 2], "key": pa.array([b"a b", b"", b"c d e"], pa.large_binary())})
ORIGIN = BatchOrigin("settings", "1.0", 4 << 20, "a.jsonl#0", "a.jsonl#2", "digest")


@pytest.fixture
def stored(tmp_path):
    return store_batch(BATCH, tmp_path / "00000000.arrow", ORIGIN)


def test_a_stored_batch_is_read_back_unchanged_with_its_origin(stored):
    assert load_batch(stored).equals(BATCH, check_metadata=True)
    assert load_batch(stored, ["key"]).schema.names == ["key"]
    assert read_origin(stored) == ORIGIN
    assert list(stored.parent.iterdir()) == [stored]


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_changed_byte_in_a_stored_batch_is_an_error_of_one_line(stored, place):
    data = bytearray(stored.read_bytes())
    data[place] ^= 1
    stored.write_bytes(data)
    with pytest.raises(WorkFileError, match="damaged") as caught:
        Corpus([stored])
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, DedupError)


def test_a_missing_file_of_a_stored_batch_is_an_error_of_one_line(stored):
    stored.unlink()
    with pytest.raises(WorkFileError, match="missing or empty; start the run again") as caught:
        read_origin(stored)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [-1, 20, 0])
def test_a_truncated_file_of_a_stored_batch_is_an_error(stored, size):
    stored.write_bytes(stored.read_bytes()[:size])
    with pytest.raises(WorkFileError):
        Corpus([stored])


def test_the_stored_batches_of_a_run_name_its_settings_and_records(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("one", "two"):
        (source / f"{name}.jsonl").write_text("".join(f'{{"text": "{name} {n}"}}\n' for n in range(3)))
    chosen = Settings(keep="first")
    origins = []
    for work in ("first", "second"):
        (tmp_path / work).mkdir()
        _, _, corpus, _ = prepare_articles(str(source), chosen, LocalEngine(jobs=1), StageTimer(None), tmp_path / work)
        origins.append([read_origin(path) for path in corpus.prepared_batches])
    assert origins[0] == origins[1]
    first, last = origins[0][0], origins[0][-1]
    assert (first.settings, first.version) == (chosen.digest, program_version())
    assert (first.first, last.last) == ("one.jsonl#0", "two.jsonl#2")
    (source / "two.jsonl").write_text('{"text": "other"}\n')
    (tmp_path / "third").mkdir()
    _, _, corpus, _ = prepare_articles(str(source), chosen, LocalEngine(jobs=1), StageTimer(None), tmp_path / "third")
    assert read_origin(corpus.prepared_batches[-1]).sha256 != last.sha256


def test_keys_are_returned_in_the_requested_order_from_all_batches(stored):
    corpus = Corpus([stored, BATCH.slice(1)])
    assert corpus.read_keys(corpus.starts[[0]]) == [b"a b"]

    rows = np.array([4, 0, 2, 0, 1])
    assert corpus.read_keys(rows) == [b"c d e", b"a b", b"c d e", b"a b", b""]
    assert corpus.read_paragraph_keys(rows[:3], np.array([2, 0, 0]), np.array([5, 1, 3])) == [b"d e", b"a", b"c d"]
    assert KeyReader(corpus, rows).of(np.array([2, 1])) == [b"c d e", b"a b"]
