"""Memory is bounded whatever comes in, and what can be read of a damaged file is read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import LocalEngine, Settings
from dedup.read.compression import decompressed
from dedup.read.delimited import read_rows
from dedup.read.inputs import find_inputs
from dedup.read.json_lines import beginning, read_lines, read_whole
from dedup.read.json_values import read_json_values
from dedup.read.records import RecordReader
from dedup.read.streams import ByteStream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ONE = LocalEngine(jobs=1)
PACKERS = {
    "gz": gzip.compress,
    "zst": zstd.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lz4": lz4.frame.compress,
}
LINES = [json.dumps({"id": n, "text": f"The line of number {n} and its {n * n} words."}).encode() for n in range(3000)]
DATA = b"\n".join([*LINES, b""])


def stream_of(data, block=1 << 16):
    source = io.BytesIO(data)
    return ByteStream(lambda size: source.read(min(size, block)))


def rows_of(tmp_path, name, data, **options):
    """Return the records of one file: record number, data and error."""
    path = tmp_path / name
    path.write_bytes(data)
    batches = list(RecordReader(find_inputs([path]), Settings(**options)))
    return [(row["record"], row["data"], row["error"]) for batch in batches for row in batch.to_pylist()]


# compressed files that are damaged, joined or padded


@pytest.mark.parametrize("name", PACKERS)
def test_members_one_behind_the_other_are_one_file(tmp_path, name):
    pack = PACKERS[name]
    half = len(DATA) // 2
    packed = pack(DATA[:half]) + pack(b"") + pack(DATA[half:])
    assert [row[1] for row in rows_of(tmp_path, f"a.jsonl.{name}", packed)] == LINES


def test_members_of_different_kinds_are_one_file(tmp_path):
    parts = [LINES[start : start + 600] for start in range(0, 3000, 600)]
    packed = b"".join(pack(b"\n".join([*part, b""])) for pack, part in zip(PACKERS.values(), parts, strict=True))
    assert [row[1] for row in rows_of(tmp_path, "a.jsonl", packed)] == LINES


@pytest.mark.fault(
    "other data behind a compressed file of every kind", "all before it is read, and the error says at which byte it is"
)
@pytest.mark.parametrize("name", PACKERS)
def test_what_stands_before_other_data_is_read(tmp_path, name):
    packed = PACKERS[name](DATA)
    *rows, last = rows_of(tmp_path, f"a.jsonl.{name}", packed + b"garbage that is not compressed")
    assert [row[1] for row in rows] == LINES
    assert last[:2] == (3000, b"")
    assert f"from byte {len(packed):,} on it is not compressed" in last[2]


@pytest.mark.parametrize("name", ["gz", "xz"])
def test_zeros_behind_a_member_are_padding(tmp_path, name):
    packed = PACKERS[name](DATA) + bytes(4096)
    assert [row[1] for row in rows_of(tmp_path, f"a.jsonl.{name}", packed)] == LINES
    packed += PACKERS[name](b"more\n")
    assert [row[1] for row in rows_of(tmp_path, f"a.jsonl.{name}", packed)] == [*LINES, b"more"]


@pytest.mark.parametrize("name", ["zst", "lz4"])
@pytest.mark.parametrize("size", [0, 5, 70_000])
def test_skippable_frames_are_skipped(tmp_path, name, size):
    frame = b"\x5a\x2a\x4d\x18" + size.to_bytes(4, "little") + b"x" * size
    packed = frame + frame + PACKERS[name](DATA) + frame
    assert [row[1] for row in rows_of(tmp_path, f"a.jsonl.{name}", packed)] == LINES


@pytest.mark.fault(
    "truncated files of every compression", "all before the damage is read, and the error says at which byte it is"
)
@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_read_up_to_its_end(tmp_path, name, share):
    size = 4096 if name in {"zst", "bz2", "lz4"} else len(DATA)  # they give whole blocks, of up to 900 kB
    packed = b"".join(PACKERS[name](DATA[start : start + size]) for start in range(0, len(DATA), size))
    cut = packed[: int(len(packed) * share)]
    *rows, last = rows_of(tmp_path, f"a.jsonl.{name}", cut)
    assert [row[1] for row in rows] == LINES[: len(rows)]
    assert len(rows) > 3000 * share * 0.9
    assert re.search(rf"ends inside, at byte {len(cut):,}\)", last[2]), last[2]
    assert [*LINES, b""][last[0]].startswith(last[1])


def test_all_that_deflate_gives_before_a_damaged_byte_is_read(tmp_path):
    packed = bytearray(gzip.compress(DATA))
    place = len(packed) // 2
    packed[place : place + 200] = bytes(200)
    *rows, last = rows_of(tmp_path, "a.jsonl.gz", bytes(packed))
    intact = zlib.decompressobj(31).decompress(bytes(packed[:place])).count(b"\n")
    assert len(rows) >= intact - 60, "what 512 compressed bytes hold may be lost"
    assert [row[1] for row in rows[: intact - 60]] == LINES[: intact - 60]
    assert "of the compressed data); fetch it again" in last[2]


@pytest.mark.fault("joined files of every compression", "all is read")
@given(st.lists(st.tuples(st.sampled_from(sorted(PACKERS)), st.binary(max_size=300)), min_size=1), st.integers(1, 99))
def test_any_members_in_any_blocks_give_their_data(members, block):
    packed = b"".join(PACKERS[name](data) for name, data in members)
    stream = decompressed(stream_of(packed, block))
    assert stream.read_all() == b"".join(data for _, data in members)
    assert stream.damage is None


@pytest.mark.fault(
    "changed bytes in compressed files", "all before the damage is read, and the error says at which byte it is"
)
@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=2000), st.data())
def test_changed_bytes_are_damage_and_no_error(name, data, draw):
    packed = bytearray(PACKERS[name](data))
    for _ in range(draw.draw(st.integers(1, 3))):
        packed[draw.draw(st.integers(0, len(packed) - 1))] = draw.draw(st.integers(0, 255))
    decompressed(stream_of(bytes(packed))).read_all()


# records that are too long

LONG = b'{"text": "' + b"\xc3\xa9" * 50_000 + b'"}'


def test_a_line_that_is_too_long_is_cut_and_the_others_are_read():
    rows = list(read_lines(stream_of(LINES[0] + b"\n" + LONG + b"\n" + LINES[1]), None, 1000))
    assert [row[0] for row in rows] == [0, 1, 2]
    assert [row[1] for row in rows if not row[2]] == LINES[:2]
    assert rows[1][2].startswith("longer than 1,000 bytes")
    assert len(rows[1][1]) > 1000
    assert LONG.startswith(rows[1][1])
    assert rows[1][1].decode(), "it ends with a whole character"
    assert [row[2] for row in read_lines(stream_of(LONG), None, len(LONG))] == [None]


def test_a_json_value_that_is_too_long_is_cut_and_the_others_are_read():
    rows = list(read_json_values(stream_of(b"[" + b",\n".join([LINES[0], LONG, LINES[1]]) + b"]", 1 << 18), None, 1000))
    assert [(row[0], row[1]) for row in rows] == [(0, LINES[0]), (1, beginning(LONG)), (2, LINES[1])]
    assert rows[1][2].startswith("longer than 1,000 bytes")


def test_a_row_that_is_too_long_is_cut_and_the_others_are_read():
    data = b"id,text\n1,short\n2," + b"long " * 20_000 + b"\n3,short\n"
    rows = list(read_rows(stream_of(data), "csv", most=1000))
    assert [json.loads(row[1])["id"] for row in rows if not row[2]] == ["1", "3"]
    assert [(row[0], row[2][:24]) for row in rows if row[2]] == [(1, "longer than 1,000 bytes,")]


def test_a_first_row_that_is_too_long_is_one_error():
    rows = list(read_rows(stream_of(b"a," + b"b" * 5000 + b"\nid,text\n1,short\n"), "csv", most=1000))
    assert [bool(row[2]) for row in rows] == [True, False]


def test_a_text_that_is_too_long_is_cut():
    [(_, data, error, _)] = read_whole(stream_of(b"word " * 30_000), 1000)
    assert len(data) == 1 << 16
    assert error.startswith("longer than")


def test_the_limit_is_a_setting(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINES[0] + b"\n" + LONG + b"\n")
    report = dedup.clean(tmp_path / "a.jsonl", tmp_path / "out", Settings(max_record="4K"), engine=ONE)
    assert (report.counts["articles"], report.counts["quarantined"]) == (2 - 1, 1)


# bombs, in processes of their own

READ_ALL = """
import resource, sys
from dedup import Settings
from dedup.read.inputs import find_inputs
from dedup.read.records import RecordReader
import pyarrow
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
before = peak()
rows = errors = 0
for batch in RecordReader(find_inputs([sys.argv[1]]), Settings()):
    rows += batch.num_rows
    errors += batch.num_rows - batch.column("error").null_count
print(rows, errors, int(peak() - before))
"""


def read_in_process(path):
    """Return the numbers of records and errors, and by how many MB reading them raised the peak of memory."""
    if not Path("/proc/self/status").exists():
        pytest.skip("reads the memory of a process from Linux")
    done = subprocess.run([sys.executable, "-c", READ_ALL, path], capture_output=True, text=True, check=True)
    return tuple(map(int, done.stdout.split()))


def packed_zeros(name, megabytes):
    """Return `megabytes` of zeros, compressed."""
    block = bytes(1 << 20)
    sink = io.BytesIO()
    openers = {
        "gz": lambda: gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1),
        "zst": lambda: zstd.ZstdFile(sink, "w"),
        "bz2": lambda: bz2.BZ2File(sink, "w", compresslevel=1),
        "xz": lambda: lzma.LZMAFile(sink, "w", preset=0),  # noqa: SIM115 - closed below
    }
    with openers[name]() as file:
        for _ in range(megabytes):
            file.write(block)
    return sink.getvalue()


@pytest.mark.fault(
    "1.1 GB of zeros in gzip, Zstandard and xz", "quarantine; the peak of memory rises by less than 150 MB"
)
@pytest.mark.slow
@pytest.mark.parametrize("name", ["gz", "zst", "xz"])
def test_a_gigabyte_of_zeros_takes_little_memory(tmp_path, name):
    path = tmp_path / f"bomb.jsonl.{name}"
    path.write_bytes(packed_zeros(name, 1100))
    rows, errors, megabytes = read_in_process(path)
    assert (rows, errors) == (1, 1)
    assert megabytes < 150


@pytest.mark.fault("a zip bomb of 600 MB", "quarantine; the peak of memory rises by less than 150 MB")
@pytest.mark.slow
def test_a_zip_bomb_takes_little_memory(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"{number}.jsonl", "w") as member:
                for _ in range(200):
                    member.write(bytes(1 << 20))
    rows, errors, megabytes = read_in_process(path)
    assert (rows, errors) == (3, 3)
    assert megabytes < 150


@pytest.mark.fault("a line of 1 GB", "quarantine; the peak of memory rises by less than 150 MB")
@pytest.mark.slow
def test_a_long_line_takes_little_memory(tmp_path):
    path = tmp_path / "line.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "')
        for _ in range(1000):
            file.write(b"word " * 200_000)
        file.write(b'"}\n{"text": "next"}\n')
    rows, errors, megabytes = read_in_process(path)
    path.unlink()
    assert (rows, errors) == (2, 1)
    assert megabytes < 150


CLEAN = """
import resource, sys
from dedup.cli import main
try:
    main(["clean", sys.argv[1], "-o", sys.argv[2], "--memory", "100M", "--jobs", "1", "--quiet"])
except SystemExit as end:
    assert not end.code, end.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts the peak of memory in kilobytes")
@pytest.mark.fault("80,000 more tiny records, with `--memory 100M`", "at most 500 bytes of memory for each")
def test_tiny_records_take_little_memory_each(tmp_path):
    peaks = []
    for count in (80_000, 160_000):
        path = tmp_path / f"{count}.jsonl"
        path.write_text("".join(f'{{"id": "{number}", "text": "number {number:x}"}}\n' for number in range(count)))
        command = [sys.executable, "-c", CLEAN, path, tmp_path / f"out-{count}"]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 500 * 80_000


@pytest.mark.slow
def test_a_file_that_expands_too_much_is_read_no_further(monkeypatch, tmp_path):
    monkeypatch.setattr("dedup.read.streams._BOMB_BYTES", 1 << 20)
    lines = DATA + b"\n" * (8 << 20)
    *rows, last = rows_of(tmp_path, "a.jsonl.gz", gzip.compress(lines), max_expansion=50)
    assert [row[1] for row in rows] == LINES
    assert "expands to more than 50 times its size" in last[2]
    assert "max_expansion" in last[2]
    assert len(rows_of(tmp_path, "b.jsonl.gz", gzip.compress(lines))) == 3000


@pytest.mark.fault("an xz file with a dictionary of 512 MB", "one record in quarantine")
def test_an_xz_file_with_a_huge_dictionary_is_an_error(tmp_path):
    filters = [
        {"id": lzma.FILTER_LZMA2, "dict_size": 512 << 20, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3, "nice_len": 16}
    ]
    try:
        packed = lzma.compress(b'{"text": "one"}\n', filters=filters)
    except (MemoryError, lzma.LZMAError):
        pytest.skip("making it needs more memory")
    [(_, _, error)] = rows_of(tmp_path, "a.jsonl.xz", packed)
    assert "emory" in error


@pytest.mark.fault("JSON of up to 200,000 brackets", "one record in quarantine")
@pytest.mark.parametrize("depth", [900, 5_000, 200_000])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_deep_nesting_is_one_bad_record(tmp_path, name, depth):
    deep = b'{"text": "deep", "x": ' + b"[" * depth + b"]" * depth + b"}"
    (tmp_path / name).write_bytes(deep + b'\n{"text": "next"}\n')
    report = dedup.clean(tmp_path / name, tmp_path / "out", Settings(max_bad=1), engine=ONE)
    assert report.counts["articles"] + report.counts["quarantined"] == 2


def test_a_tar_archive_that_is_cut_gives_what_stands_before(tmp_path):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for number in range(3):
            info = tarfile.TarInfo(f"{number}.jsonl")
            info.size = len(DATA)
            archive.addfile(info, io.BytesIO(DATA))
    rows = rows_of(tmp_path, "a.tar.gz", sink.getvalue()[: len(sink.getvalue()) * 2 // 3])
    assert len(rows) > 5000
    assert sum(row[2] is not None for row in rows) == 1
