"""Lines that are too long to be repaired at once: cut where no character is cut in two."""

import random

import pytest
from ftfy.chardata import CHARMAP_ENCODINGS
from helpers.timing import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from dedup.findings import apply, revert
from dedup.repairs import long_lines as module
from dedup.repairs.encoding import repair_encoding
from dedup.repairs.long_lines import MAX_LINE, pieces_of_line, safe_cut
from dedup.repairs.repair import repair

# Text without a space between two letters of ASCII, in several scripts and forms.
UNITS = {
    "Russian": "Правительство сообщило о новых мерах, ",
    "Chinese": "政府周三宣布了一项支持企业的新措施，",
    "Korean": "정부는수요일새로운조치를발표했다힣",
    "Japanese": "政府は水曜日に措置を発表した。",
    "Greek": "Η κυβέρνηση ανακοίνωσε μέτρα ",
    "French": "l’été à Besançon où œuvre « ",
    "emoji": "😀👍🏽é",
}


def misdecoded(text, charmap, layers):
    """Return `text` decoded in the wrong encoding, `layers` times; None where that is impossible."""
    try:
        for _ in range(layers):
            text = text.encode().decode(charmap)
    except UnicodeDecodeError:
        return None
    return text.replace("\r", "").replace("\n", "")


def encoding_repaired(text):
    return apply(text, repair_encoding(text, unescape=True))


CASES = [
    (name, charmap, layers, unit.replace(" ", ""))
    for name, text in UNITS.items()
    for charmap in CHARMAP_ENCODINGS
    for layers in (1, 2, 3)
    if (unit := misdecoded(text, charmap, layers)) and (layers < 3 or charmap in {"latin-1", "macroman"})
]


@pytest.fixture
def short_pieces(monkeypatch):
    """Cut lines already at some thousand characters, so that a case takes no time."""
    monkeypatch.setattr(module, "MAX_LINE", 3_000)
    monkeypatch.setattr(module, "_NEAR_LIMIT", 400)


@pytest.mark.usefixtures("short_pieces")
@pytest.mark.parametrize("unit", [case[3] for case in CASES], ids=[f"{n}, {c}, {k} deep" for n, c, k, _ in CASES])
def test_a_long_line_of_copies_is_repaired_like_each_copy(unit):
    """Of mojibake alone, and beside a character that no encoding has, which ftfy repairs sequence by sequence."""
    for copy, least in ((unit, 1), (f"{unit}\u0e01", 2)):
        fixed = encoding_repaired(copy)
        count = 10_000 // len(copy)
        if encoding_repaired(copy * least) == fixed * least:  # ftfy itself may see copies side by side differently
            assert encoding_repaired(copy * count) == fixed * count


@pytest.mark.parametrize("name", ["Russian", "Chinese", "Korean"])
def test_no_text_is_lost_from_a_long_line_of_mojibake(name):
    text = UNITS[name].replace(" ", "") * 4_000
    raw = misdecoded(text, "latin-1", 1)
    assert len(raw) > 2 * MAX_LINE
    cleaned, findings = repair(raw)
    assert cleaned == text
    assert revert(cleaned, findings) == raw


@pytest.mark.parametrize("filler", ["x", "é", "中", "Ð´"])
@pytest.mark.parametrize("part", ["\r\n", "é&amp;é", "é&#55357;&#56832;é", "e\u0301", "Ã©", "a\x0bb", "\ud83d\ude00"])
def test_nothing_is_cut_in_two_wherever_the_limit_is(short_pieces, filler, part):  # noqa: ARG001 - used by its effect
    expected = encoding_repaired(f"{filler * 20}{part}{filler * 20}")
    head, tail = encoding_repaired(filler * 20), encoding_repaired(filler * 20)
    assert expected.startswith(head)
    for before in range(2_900, 3_010):
        count = before // len(filler)
        line = f"{filler * count}{part}{filler * 400}"
        cleaned = encoding_repaired(line)
        middle = expected.removeprefix(head).removesuffix(tail)
        assert middle in cleaned
        assert len(cleaned) == (count + 400) * len(head) // 20 + len(middle)


@given(st.text("aÐ´é中힣&;#1\r\u0301 ", min_size=2, max_size=40), st.integers(1, 40))
def test_a_cut_is_inside_the_text(text, limit):
    limit = min(limit, len(text))
    assert 1 <= safe_cut(text, limit) <= limit


@pytest.mark.usefixtures("short_pieces")
@given(st.text("aÐ´é中힣&;#1 \ufeff", max_size=30), st.integers(1, 900))
def test_the_pieces_of_a_line_follow_each_other(text, count):
    line = text * count
    pieces = list(pieces_of_line(line, 0, len(line)))
    assert "".join(line[start:stop] for start, stop in pieces) == line.replace("\ufeff", "")
    assert all(0 < stop - start <= module.MAX_LINE for start, stop in pieces)


def test_a_line_is_cut_between_words_where_there_are_any():
    rng = random.Random(3)
    line = " ".join("".join(rng.choices("abcdé", k=5)) + "x" for _ in range(20_000))
    assert all(line[start - 1] == " " for start, _ in list(pieces_of_line(line, 0, len(line)))[1:])


@pytest.mark.parametrize("unit", ["Ð´", "ä½ ", "ä½\xa0å¥½", "ж", "é", "中", "ÃŸ°", "ÃŸ°ж", "&#1076;"])
def test_cutting_takes_linear_time(unit):
    def check(size):
        line = unit * (size // len(unit))
        assert sum(stop - start for start, stop in pieces_of_line(line, 0, len(line))) == len(line)

    assert_linear(check, 200_000, allowed=3)
