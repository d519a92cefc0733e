"""Whole parts of a truncated or damaged archive are read, and an error says where the rest begins."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
from collections import Counter
from importlib.util import find_spec

import pyarrow as pa
import pytest
from helpers.input_files import http_response, read_files, tarred, warc_record
from hypothesis import given
from hypothesis import strategies as st

from dedup.read.compression import decompressed
from dedup.read.streams import ByteStream
from dedup.read.warc_boundaries import split_records
from dedup.read.warc_records import read_warc

needs_warc = pytest.mark.skipif(find_spec("warcio") is None, reason="warcio, of the extra warc, is missing")


def stream_of(data, block=1 << 16):
    source = io.BytesIO(data)
    return ByteStream(lambda size: source.read(min(size, block)))


def assert_one_readable_line(error):
    """Assert that an error is one short line without control characters, internal names and empty parentheses."""
    assert error.isprintable(), error
    assert len(error) < 300, error
    assert not re.search(r"NoneType|object has no|index-sized|<ZipInfo|\(\)|Error\b", error), error


# Web archives

PAGE = b"<html><body><p>Page %d of the archive.</p></body></html>"
RECORDS = [
    warc_record("warcinfo", b"software: test", 0),
    warc_record("response", http_response(PAGE % 1), 1),
    warc_record("request", b"GET / HTTP/1.1\r\n\r\n", 2),
    warc_record("response", http_response(PAGE % 3), 3),
    warc_record("response", http_response(PAGE % 4), 4),
]
PAGES = [1, 3, 4]  # the numbers of the records that are pages


def read_pages(data, *, block=1 << 16, **options):
    """Return the pages of a web archive that are read, and the errors."""
    rows = list(read_warc(decompressed(stream_of(data, block)), Counter(), **options))
    assert [row[0] for row in rows] == list(range(len(rows)))
    for row in rows:
        if row[2]:
            assert_one_readable_line(row[2])
    return [row[1].partition(b"\n")[2] for row in rows if not row[2]], [row[2] for row in rows if row[2]]


@pytest.mark.fault(
    "a web archive cut at every byte", "all whole records are read, and the error says at which byte the rest begins"
)
@needs_warc
def test_a_web_archive_cut_at_any_byte_gives_its_whole_pages_and_an_error():
    whole = b"".join(RECORDS)
    ends = [len(b"".join(RECORDS[: count + 1])) for count in range(len(RECORDS))]
    for cut in range(1, len(whole)):
        pages, errors = read_pages(whole[:cut])
        assert pages == [PAGE % number for number in PAGES if ends[number] - 4 <= cut], cut  # two line ends follow
        assert len(errors) == (not any(end - 4 <= cut <= end for end in ends)), cut
        assert all(re.search(r"byte \d", error) for error in errors)


@pytest.mark.fault(
    "a compressed web archive cut at every byte",
    "all whole records are read, and the error says at which byte the rest begins",
)
@needs_warc
@pytest.mark.parametrize("records", [1, len(RECORDS)])
def test_a_compressed_web_archive_cut_at_any_byte_gives_its_whole_pages_and_an_error(records):
    groups = [RECORDS[start : start + records] for start in range(0, len(RECORDS), records)]
    members = [gzip.compress(b"".join(group), mtime=0) for group in groups]
    ends = [len(b"".join(members[: count + 1])) for count in range(len(members))]
    for cut in range(2, len(b"".join(members))):
        pages, errors = read_pages(b"".join(members)[:cut])
        assert pages == [PAGE % number for number in PAGES][: len(pages)]
        assert len(pages) >= sum(ends[number // records] <= cut for number in PAGES), cut
        assert len(errors) == (cut not in ends), cut
        assert all(re.search(r"byte \d", error) for error in errors)


@needs_warc
@pytest.mark.parametrize("cut", [25, 40, 250, -10, -60])
def test_a_truncated_web_archive_is_no_empty_file(tmp_path, cut):
    for name, data in (("a.warc", b"".join(RECORDS)), ("b.warc.gz", gzip.compress(b"".join(RECORDS), mtime=0))):
        (tmp_path / name).write_bytes(data[:cut])
        records, _ = read_files(tmp_path / name)
        assert [bool(row["error"]) for row in records] == [False] * (len(records) - 1) + [True]


PARTS = b"".join(RECORDS[:2]), RECORDS[3], RECORDS[4]
LENGTH = re.search(rb"Content-Length: \d+", RECORDS[3])[0]


def with_length(line):
    """Return the archive with another line in place of the length of record 3."""
    return PARTS[0] + RECORDS[3].replace(LENGTH, line, 1) + PARTS[2]


DAMAGED_ARCHIVES = [  # label, archive, pages that are read, what the errors say
    ("other bytes between records", b"garbage\r\n".join(PARTS), [1, 3, 4], ["'garbage", "'garbage"]),
    ("NULs between records", bytes(50).join(PARTS), [1, 3, 4], [r"begins here: '\x00\x00", r"'\x00"]),
    ("other bytes at the end", b"".join(PARTS) + b"garbage" * 50, [1, 3, 4], ["and has 350 bytes"]),
    ("megabytes between records", (b"\xffnoise\x1b[31m" * 300_000).join(PARTS), [1, 3, 4], ["has 3,300,000 bytes"] * 2),
    ("no length", with_length(b"X: 1"), [1, 4], ["no Content-Length"]),
    ("negative length", with_length(b"Content-Length: -5"), [1, 4], ["the Content-Length '-5'"]),
    ("no number", with_length(b"Content-Length: \x00\x1b"), [1, 4], [r"'\x00\x1b'"]),
    ("length of 5,000 digits", with_length(b"Content-Length: " + b"9" * 5000), [1, 4], ["'999"]),
    ("length of 20 digits", with_length(b"Content-Length: " + b"9" * 20), [1, 4], ["'999"]),
    ("length beyond the end", with_length(LENGTH + b"000"), [1, 4], ["reaches into another"]),
    ("length into the next", with_length(b"Content-Length: 250"), [1, 4], ["reaches into another"]),
    ("no address", b"".join(PARTS).replace(b"WARC-Target-URI", b"X", 2), [3, 4], ["no WARC-Target-URI"]),
    ("no type", b"".join(PARTS).replace(b"WARC-Type", b"X", 1), [1, 3, 4], ["no WARC-Type"]),
    ("a header without end", RECORDS[0][:60] + b"\r\n" + PARTS[1], [3], ["header of this record does not end"]),
    ("another version", b"WARC/9.9\r\n\r\n" + PARTS[1], [3], [r"'WARC/9.9\r\n"]),
    ("only a version", b"WARC/1.0\r\n", [], ["ends inside the header"]),
    ("a part of a version", PARTS[1] + b"WAR", [3], ["ends inside the header"]),
    ("the last line ends are missing", b"".join(PARTS)[:-4], [1, 3, 4], []),
    ("single line ends", b"".join(part[:-4] + b"\n" for part in PARTS), [1, 3, 4], []),
    (
        "a page about web archives",
        warc_record("response", http_response(b"<html>\nWARC/1.0\nWARC-Type: x"), 1),
        None,
        [],
    ),
]


@pytest.mark.fault(
    "wrong lengths, missing fields and other bytes in a web archive",
    "all whole records are read, and the errors say at which byte the others begin",
)
@needs_warc
@pytest.mark.parametrize(
    ("data", "numbers", "said"), [c[1:] for c in DAMAGED_ARCHIVES], ids=[c[0] for c in DAMAGED_ARCHIVES]
)
@pytest.mark.parametrize("block", [7, 1 << 20])
def test_records_around_damage_in_a_web_archive_are_read(data, numbers, said, block):
    pages, errors = read_pages(data, block=max(block, len(data) >> 12))
    assert numbers is None or pages == [PAGE % number for number in numbers]
    assert len(errors) == len(said)
    for error, words in zip(errors, said, strict=True):
        assert words in error


@needs_warc
def test_a_page_above_the_limit_is_kept_in_part():
    large = warc_record("response", http_response(b"<html>" + b"x" * 300_000), 7)
    bomb = gzip.compress(b"<html>" + bytes(5_000_000))
    bomb = warc_record("response", http_response(bomb, more="Content-Encoding: gzip\r\n"), 8)
    image = warc_record("response", http_response(bytes(300_000), kind="image/png"), 9)
    pages, errors = read_pages(large + bomb + image + RECORDS[1], most=100_000)
    assert pages == [PAGE % 1]
    assert len(errors) == 2
    assert all(error.startswith("longer than 100,000 bytes") for error in errors)


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"WARC/1.0\r\n", b"WARC/1.0\r\n\r\n", b"\r\n"]), max_size=6),
    st.integers(1, 60),
)
def test_every_byte_of_a_web_archive_is_in_a_part_or_a_line_end(pieces, block):
    data = b"".join(RECORDS[1:2] + [piece for piece in pieces for piece in (piece, RECORDS[3])])
    at = 0
    contents = []
    for part in split_records(stream_of(data, block), 1 << 20):
        assert not data[at : part.start].strip(b"\r\n")
        at = part.start + len(part.header) + part.size
        contents.append(part.content)
        assert data[part.start : at] == part.header + part.content
    assert not data[at:].strip(b"\r\n")
    assert contents[0].endswith(PAGE % 1)


# Zip archives

MEMBERS = {
    f"{name}.jsonl": b"".join(b'{"text": "Record %d of %s."}\n' % (number, name.encode()) for number in range(9))
    for name in ("b", "a", "c")
}
STORED = zipfile.ZIP_STORED


class Pipe(io.RawIOBase):
    """A file that cannot seek, into which zipfile writes sizes behind the members."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def zip_of(method, *, sizes_follow=False, large=False, members=MEMBERS):
    sink = Pipe() if sizes_follow else io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in members.items():
            with archive.open(name, "w", force_zip64=large) as member:
                member.write(data)
    return sink.data if sizes_follow else sink.getvalue()


def without_signatures(data):
    return data.replace(b"PK\x07\x08", b"")


ZIPS = {
    "deflated": zip_of(zipfile.ZIP_DEFLATED),
    "deflated, sizes follow": zip_of(zipfile.ZIP_DEFLATED, sizes_follow=True),
    "deflated, large sizes follow": zip_of(zipfile.ZIP_DEFLATED, sizes_follow=True, large=True),
    "deflated, sizes follow without a signature": without_signatures(zip_of(zipfile.ZIP_DEFLATED, sizes_follow=True)),
    "stored": zip_of(STORED),
    "stored, large sizes": zip_of(STORED, large=True),
    "stored, sizes follow": zip_of(STORED, sizes_follow=True),
    "bzip2": zip_of(zipfile.ZIP_BZIP2),
    "lzma, sizes follow": zip_of(zipfile.ZIP_LZMA, sizes_follow=True),
}


def read_members(path, data):
    """Return the lines that are read of each member, and the errors."""
    path.write_bytes(data)
    records, _ = read_files(path)
    lines = dict.fromkeys(MEMBERS, b"")
    for row in records:
        if not row["error"]:
            lines[row["source"].removeprefix(f"{path.name}/")] += row["data"] + b"\n"
        else:
            assert_one_readable_line(row["error"])
            assert re.search(r"byte \d", row["error"]), row["error"]
    return lines, [row["error"] for row in records if row["error"]]


@pytest.mark.fault(
    "zip archives of four methods, with sizes before or behind the members, cut at hundreds of bytes",
    "all before the cut is read, and the error says at which byte it is",
)
@pytest.mark.parametrize("kind", ZIPS)
def test_a_zip_archive_cut_anywhere_gives_its_whole_members_and_an_error(tmp_path, kind):
    data = ZIPS[kind]
    list_start = data.index(b"PK\x01\x02")
    starts = [match.start() for match in re.finditer(rb"PK\x03\x04", data)]
    ends = dict(zip(MEMBERS, [*starts[1:], list_start], strict=True))
    near = {end + step for end in (*ends.values(), len(data)) for step in range(-26, 3)}
    for cut in sorted(near.union(range(31, len(data), 5)) & set(range(31, len(data)))):
        lines, errors = read_members(tmp_path / "z.zip", data[:cut])
        assert errors, cut
        for name, content in MEMBERS.items():
            assert content.startswith(lines[name])
            assert lines[name] == content or ends[name] > cut, (cut, name)
    assert read_members(tmp_path / "z.zip", data) == (MEMBERS, []) or "without" in kind


def test_what_is_before_the_cut_in_a_member_is_read(tmp_path):
    content = b"".join(b'{"text": "%d"}\n' % (number * 7919 % 100_003) for number in range(20_000))
    for method in (STORED, zipfile.ZIP_DEFLATED):
        data = zip_of(method, members={"a.jsonl": content})
        lines, errors = read_members(tmp_path / "z.zip", data[: len(data) // 2])
        assert len(lines["a.jsonl"]) > 0.48 * len(content)
        assert [f"byte {len(data) // 2:,}" in error for error in errors] == [True, True]
        damaged = bytearray(data)
        damaged[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
        lines, errors = read_members(tmp_path / "z.zip", bytes(damaged))
        assert len(lines["a.jsonl"]) > 0.47 * len(content)
        assert errors


def with_flag(data):
    """Return a zip archive whose members say that they are encrypted."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(signature), data):
            changed[match.start() + offset] |= 1
    return bytes(changed)


def with_method(data, method):
    """Return a zip archive whose members say that they are compressed in another way."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        for match in re.finditer(re.escape(signature), data):
            struct.pack_into("<H", changed, match.start() + offset, method)
    return bytes(changed)


@pytest.mark.parametrize(
    ("change", "said"),
    [(with_flag, "it is encrypted; unpack it"), (lambda data: with_method(data, 9), "compressed by method 9; unpack")],
)
@pytest.mark.parametrize("cut", [0, 30])
def test_a_member_that_cannot_be_unpacked_says_what_to_do(tmp_path, change, said, cut):
    data = change(ZIPS["deflated"])
    (tmp_path / "z.zip").write_bytes(data[: len(data) - cut])
    records, _ = read_files(tmp_path / "z.zip")
    assert [said in row["error"] for row in records] == [True] * 3 + [False] * (cut > 0)
    for row in records:
        assert_one_readable_line(row["error"])


def test_members_around_damage_in_a_zip_archive_without_its_list_are_read(tmp_path):
    data = bytearray(ZIPS["deflated"][:-30])
    second = data.index(b"PK\x03\x04", 1)
    data[second : second + 4] = b"\0\0\0\0"
    lines, errors = read_members(tmp_path / "z.zip", bytes(data))
    assert [bool(content) for content in lines.values()] == [True, False, True]
    assert len(errors) == 1


# Tar archives


@pytest.mark.fault(
    "tar archives cut at hundreds of bytes", "all before the cut is read, and the error says at which byte it is"
)
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_archive_cut_anywhere_gives_its_whole_members_and_an_error(tmp_path, mode):
    data = tarred(MEMBERS, mode)
    for cut in range(600 if mode == "w" else 200, 5000 if mode == "w" else len(data), 61 if mode == "w" else 7):
        lines, errors = read_members(tmp_path / "t.tar", data[:cut])
        assert len(errors) == 1, cut
        for number, (name, content) in enumerate(MEMBERS.items()):
            assert content.startswith(lines[name])
            assert mode != "w" or cut < 1024 * (number + 1) or lines[name] == content, cut


@pytest.mark.fault("a damaged header in a tar archive", "one member is named, all others are read")
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_header_in_a_tar_archive_hides_one_member(tmp_path, number):
    data = bytearray(tarred(MEMBERS))
    data[1024 * number + 100] ^= 0xFF
    lines, [error] = read_members(tmp_path / "t.tar", bytes(data))
    assert [name for name in MEMBERS if not lines[name]] == [list(MEMBERS)[number]]
    assert f"the header of a member is damaged, at byte {1024 * number:,}" in error


# Streams of Arrow


@pytest.mark.fault("a stream of Arrow cut at every byte", "all whole batches are read, and there is an error")
def test_a_stream_of_arrow_cut_at_any_byte_has_an_error(tmp_path):
    table = pa.table({"text": [f"Record {number}." for number in range(3)]})
    sink = io.BytesIO()
    ends = []
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=1):
            writer.write_batch(batch)
            ends.append(sink.tell())
    data = sink.getvalue()
    for cut in range(8, len(data)):
        (tmp_path / "a.arrows").write_bytes(data[:cut])
        records, _ = read_files(tmp_path / "a.arrows")
        whole = sum(end <= cut for end in ends)
        assert [bool(row["error"]) for row in records] == [False] * whole + [True], cut
        assert_one_readable_line(records[-1]["error"])


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize("rest", [b"", b"more bytes"])
def test_a_whole_stream_of_arrow_has_no_error(tmp_path, rows, rest):
    table = pa.table({"text": pa.array(["x"] * rows, pa.string())})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "a.arrows").write_bytes(sink.getvalue() + rest)
    records, _ = read_files(tmp_path / "a.arrows")
    assert [row["error"] for row in records] == [None] * rows
