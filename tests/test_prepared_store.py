from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dedup import DedupError, Settings, __version__
from dedup.engines.local import LocalEngine
from dedup.errors import WorkFileError
from dedup.pipeline import prepared
from dedup.prepare.corpus import Corpus, KeyReader
from dedup.prepare.store import BatchOrigin, load_batch, read_origin, store_batch
from dedup.runtime.progress import StageTimer

BATCH = pa.record_batch({"record": [0, 1, 2], "key": pa.array([b"a b", b"", b"c d e"], pa.large_binary())})
MADE = BatchOrigin("settings", "1.0", "a.jsonl#0", "a.jsonl#2", "digest")


@pytest.fixture
def piece(tmp_path):
    return store_batch(BATCH, tmp_path / "00000000.arrow", MADE)


def test_a_piece_comes_back_as_it_was_and_says_what_it_was_made_from(piece):
    assert load_batch(piece).equals(BATCH, check_metadata=True)
    assert load_batch(piece, ["key"]).schema.names == ["key"]
    assert read_origin(piece) == MADE
    assert list(piece.parent.iterdir()) == [piece]


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_piece_with_a_changed_byte_is_refused_in_one_line(piece, place):
    data = bytearray(piece.read_bytes())
    data[place] ^= 1
    piece.write_bytes(data)
    with pytest.raises(WorkFileError, match="damaged") as caught:
        Corpus([piece])
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, DedupError)


def test_a_piece_that_is_gone_is_refused_in_one_line(piece):
    piece.unlink()
    with pytest.raises(WorkFileError, match="gone since it was written; start the run again"):
        read_origin(piece)


@pytest.mark.parametrize("left", [-1, 20, 0])
def test_a_truncated_piece_is_refused(piece, left):
    piece.write_bytes(piece.read_bytes()[:left])
    with pytest.raises(WorkFileError):
        Corpus([piece])


def test_the_pieces_of_a_run_name_its_settings_and_the_records_they_were_made_from(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("one", "two"):
        (source / f"{name}.jsonl").write_text("".join(f'{{"text": "{name} {n}"}}\n' for n in range(3)))
    chosen = Settings(keep="first")
    found = []
    for work in ("first", "second"):
        (tmp_path / work).mkdir()
        _, _, corpus = prepared(str(source), chosen, LocalEngine(jobs=1), StageTimer(None), tmp_path / work)
        found.append([read_origin(piece) for piece in corpus.pieces])
    assert found[0] == found[1]
    first, last = found[0][0], found[0][-1]
    assert (first.settings, first.version) == (chosen.digest, __version__)
    assert (first.first, last.last) == ("one.jsonl#0", "two.jsonl#2")
    (source / "two.jsonl").write_text('{"text": "other"}\n')
    (tmp_path / "third").mkdir()
    _, _, corpus = prepared(str(source), chosen, LocalEngine(jobs=1), StageTimer(None), tmp_path / "third")
    assert read_origin(corpus.pieces[-1]).sha256 != last.sha256


def test_keys_come_in_the_order_asked_for_from_all_pieces(piece):
    corpus = Corpus([piece, BATCH.slice(1)])
    assert corpus.keys(corpus.starts[[0]]) == [b"a b"]

    rows = np.array([4, 0, 2, 0, 1])
    assert corpus.keys(rows) == [b"c d e", b"a b", b"c d e", b"a b", b""]
    assert corpus.paragraph_keys(rows[:3], np.array([2, 0, 0]), np.array([5, 1, 3])) == [b"d e", b"a", b"c d"]
    assert KeyReader(corpus, rows).of(np.array([2, 1])) == [b"c d e", b"a b"]
