"""Files of JSON values: each element keeps its bytes, and a malformed one takes no other with it."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest
from helpers.input_files import stream_of, values
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.read.json_values import read_json_values
from dedup.read.streams import BLOCK_BYTES, ByteStream

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(["text", "id", 'q"', "\\", "[", "}"]), JSON, max_size=4), max_size=6)
LAYOUTS = st.fixed_dictionaries(
    {"indent": st.sampled_from([None, 0, 1, 4]), "separators": st.sampled_from([None, (",", ":"), (" ,  ", " : ")])}
)


def read(data, block=1 << 20):
    return list(read_json_values(stream_of(data, block)))


def is_json(data):
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def good(rows):
    return [row for row in rows if row[2] is None and is_json(row[1])]


@settings(max_examples=60)
@given(OBJECTS, LAYOUTS, st.booleans(), st.integers(1, 7))
def test_elements_are_those_that_the_standard_library_reads(rows, layout, ascii_only, block):
    data = json.dumps(rows, ensure_ascii=ascii_only, **layout).encode("utf-8", "surrogatepass")
    found = read(data, block)
    assert [row[0] for row in found] == list(range(len(rows)))
    assert [json.loads(row[1]) for row in found] == rows
    assert not any(row[2] or b"\n" in row[1] or b"\r" in row[1] for row in found)


@settings(max_examples=60)
@given(OBJECTS.filter(bool), st.sampled_from(["", " ", "\n", "\r\n\r\n", ","]))
def test_values_may_follow_each_other_without_an_array(rows, between):
    data = between.join(json.dumps(row, indent=1) for row in rows).encode()
    assert values(read(data)) == rows
    assert values(read(json.dumps(rows).encode() * 2)) == rows * 2


@pytest.mark.parametrize(
    "element",
    [
        b'{"n": 1.00, "big": 123456789012345678901234567890, "e": 1e400, "u": "\\u00e9\\ud83d"}',
        b'{"n": NaN, "i": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, /* a } comment */ "b": [2,],}',
        b'{"text": "caf\xe9"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"a": "\\\\", "b": "\\\\\\"]"}',
        b'{"a" "b"}',
        b"[1, [2]]",
        b"null",
        b'"a, ] b"',
        b"-1.5e3",
    ],
)
def test_an_element_keeps_its_bytes_whatever_it_is(element):
    rows = read(b'[{"first": 1}, ' + element + b', {"last": [1]}]')
    assert [row[1] for row in rows] == [b'{"first": 1}', element, b'{"last": [1]}']
    assert [row[2] for row in rows] == [None] * 3


def test_line_breaks_between_tokens_become_spaces_and_those_in_texts_stay():
    [row] = read(b'[{"a":\r\n  [1,\n2],\n"b": "x\\ny", "c": "raw\nbreak"\n}]')
    assert row[1] == b'{"a": [1, 2], "b": "x\\ny", "c": "raw\nbreak" }'
    assert read(b'[{"n": 1\n2}]')[0][1] == b'{"n": 1 2}'  # not 12


BROKEN = {
    "a quote that is not closed": '{"id": 2, "text": "b}',
    "a quote too many": '{"id": 2, "text": "b "quoted" {c"}',
    "a brace that is not closed": '{"id": 2, "text": "b"',
    "a bracket that is not closed": '{"id": 2, "tags": ["x", "text": "b"}',
    "the wrong bracket": '{"id": 2, "tags": ["x"}, "text": "b"]}',
    "a key without its quote": '{"id": 2, text": "b"}',
}


@pytest.mark.parametrize("label", BROKEN)
@pytest.mark.parametrize("between", [", ", ",\n", ",\n  "])
def test_a_malformed_element_is_recorded_and_the_next_ones_are_read(label, between):
    elements = [json.dumps({"id": n, "text": "x" * n, "of": [{"id": n}]}) for n in range(40)]
    elements[2] = BROKEN[label]
    opening = "[" + between.lstrip(", ")
    rows = read((opening + between.join(elements) + "\n]").encode())
    assert [json.loads(row[1])["id"] for row in good(rows)][-37:] == list(range(3, 40)), rows[:5]
    assert [json.loads(row[1])["id"] for row in good(rows)][:2] == [0, 1]
    bad = [row for row in rows if row not in good(rows)]
    assert b"".join(row[1] for row in bad).startswith(b'{"id": 2')
    assert len(bad) <= 2
    assert all(row[2] is None or "not JSON" in row[2] for row in bad)


def test_a_file_that_breaks_off_ends_in_one_error():
    data = json.dumps([{"id": n, "text": "abc"} for n in range(100)]).encode()
    whole = values(read(data))
    for cut in range(1, len(data), 13):
        rows = read(data[:cut])
        assert values(good(rows)) == whole[: len(good(rows))]
        assert [bool(row[2]) for row in rows] == [False] * (len(rows) - 1) + [True], cut
        assert "fetch it again" in rows[-1][2]


@pytest.mark.parametrize(
    "data", [b"<html>404</html>", b"]", b"}", b"}{", b"\x00\x01", b"{", b"[", b'"', b"\\", b'[{"a"', b"[}"]
)
def test_what_is_no_json_ends_in_errors_of_one_line(data):
    rows = read(data)
    assert rows
    assert all("\n" not in (row[2] or "") for row in rows)


@pytest.mark.parametrize("data", [b"", b" \n", b"[]", b"\xef\xbb\xbf[]", b"[ ] [ ]"])
def test_no_elements_are_no_records(data):
    assert read(data) == []


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from([b'{"a":1}', b'"', b"\\", b"{", b"}", b"[", b"]", b",", b" ", b"\n", b"x", b":", b"1"]),
        max_size=30,
    )
)
def test_no_input_raises_or_loses_bytes(parts):
    data = b"".join(parts)
    rows = read(data, 3)
    assert [row[0] for row in rows] == list(range(len(rows)))
    kept = sorted(byte for row in rows for byte in row[1] if byte in b'"\\x1a')
    assert kept == sorted(byte for byte in data if byte in b'"\\x1a')


def made(head, element, count, tail):
    """Return a stream of `count` elements that is never in memory as a whole."""
    parts = iter([head, *[element * 64] * (count // 64), tail])
    rest = b""

    def read_made(size):
        nonlocal rest
        if not rest:
            rest = next(parts, b"")
        data, rest = rest[:size], rest[size:]
        return data

    return ByteStream(read_made)


SEPARABLE = {"good", "every element lacks its brace", "brackets without end"}  # other files are one value up to 64 MB


@pytest.mark.parametrize(
    ("label", "head", "element", "tail"),
    [
        ("good", b"[", b'{"id": 1, "text": "' + b"x" * 4000 + b'"},\n', b"{}]"),
        ("every element lacks its brace", b'[{"id": 0},', b'{"id": 1, "text": "' + b"x" * 4000 + b'",\n', b"{}]"),
        ("no element can be recognized", b"[{", b'"id": 1, "text": "' + b"x" * 4000 + b'",\n', b"]"),
        ("one quote is not closed", b'["', b"x" * 4000, b"]"),
        ("brackets without end", b"", b"[" * 4000, b""),
    ],
)
def test_memory_is_bounded_and_time_is_linear_for_any_file(label, head, element, tail):
    seconds = {}
    for count in (1_024, 4_096):
        tracemalloc.start()
        start = time.process_time()
        rows = sum(1 for _ in read_json_values(made(head, element, count, tail)))
        seconds[count] = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rows >= 1, label
        assert peak < (12 if label in SEPARABLE else 60) * BLOCK_BYTES, (label, peak)
    assert seconds[4_096] < 10 * seconds[1_024] + 0.5, (label, seconds)


def test_an_element_larger_than_a_block_is_read_whole():
    rows = [{"text": "é" * BLOCK_BYTES}, {"n": 1}, {"text": '\\"[' * BLOCK_BYTES}]
    assert values(read(json.dumps(rows, ensure_ascii=False).encode())) == rows
