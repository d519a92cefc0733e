"""The screens of raw texts: whatever they leave out, neither repair nor the search for page furniture changes."""

import re
import sys
import unicodedata
from inspect import unwrap
from unittest.mock import patch

import numpy as np
import pytest
from conftest import SMALL
from ftfy.badness import BADNESS_RE, is_bad
from helpers.furniture_lines import LINES, PROSE
from helpers.repair_texts import EVERYTHING, PIECES, TEXTS, oracle
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, pack
from dedup.kernels import page_furniture_lines
from dedup.kernels import repair_screen as compiled
from dedup.kernels.encoding_lines import find_suspect_lines
from dedup.repairs import encoding, screen
from dedup.repairs import ftfy_patterns as badness
from dedup.repairs import page_furniture as furniture
from dedup.repairs.code_ranges import LETTERS_END, NOT_ASCII
from dedup.repairs.pattern_prefixes import beginnings
from dedup.repairs.regex_tree import read_sequences
from dedup.repairs.repair import RepairState, repair, repair_each
from dedup.repairs.typography import repair_typography
from dedup.repairs.whitespace import repair_whitespace
from dedup.settings import Settings

SCREENS = [pytest.param(module.rules_that_may_apply, id=module.__name__) for module in (screen, compiled)]


def some_of(ranges):
    """Return a few characters of `ranges`: the borders of the first ones."""
    return sorted({chr(code) for first, last in ranges[:40] for code in (first, last)})


# Text in which ftfy's pattern is likely to match, or just not to.
NEAR_BAD = st.lists(
    st.one_of(
        st.sampled_from(badness.suspect_sequences()).flatmap(
            lambda sequence: st.tuples(*(st.sampled_from(some_of(chars.ranges)) for chars in sequence)).map("".join)
        ),
        st.sampled_from([c for one in badness.suspect_sequences() for chars in one for c in some_of(chars.ranges)]),
        st.sampled_from("aZ 5.,(?$_\n&;'é’—жωक中"),
    ),
    max_size=6,
).map("".join)


def bits(suspects, *texts):
    return suspects(*pack([encode_utf8(text) for text in texts])).tolist()


def test_the_installed_ftfy_is_understood():
    assert len(badness.bad_sequences()) > 30
    assert badness.bad_sequences() == read_sequences(BADNESS_RE.pattern, BADNESS_RE.flags)
    assert len(compiled.tables().masks) < 256
    assert compiled.tables().last.all()


@given(st.one_of(NEAR_BAD, TEXTS, st.text()))
def test_the_sequences_match_where_the_pattern_of_ftfy_does(text):
    found = badness.any_of(badness.bad_sequences()).search(text)
    assert badness.is_bad(text) == is_bad(text)
    if is_bad(text):
        assert found
    elif found:  # only what ftfy looks for at the start of a line
        assert any(is_bad(text[at:]) for at in range(1, len(text)))


def test_there_are_no_letters_and_spaces_beyond_those_known():
    assert not re.search(r"[\w\s]", "".join(map(chr, range(LETTERS_END, sys.maxunicode + 1))))


def test_each_alternative_of_the_pattern_of_ftfy_is_a_sequence():
    search = badness.any_of(badness.bad_sequences()).search
    for sequence in badness.bad_sequences():
        for at, chars in enumerate(sequence):
            for character in some_of(chars.ranges):
                text = "".join(
                    character if at == place else chr(one.ranges[0][0]) for place, one in enumerate(sequence)
                )
                assert search(text)
                assert is_bad(text)


@pytest.mark.parametrize("pattern", ["a(?=b)", "a+", "a{2}", "(?<!a)b", "a$", r"\d", "ascii"])
def test_a_pattern_of_another_kind_makes_all_text_beyond_ascii_suspect(monkeypatch, pattern):
    monkeypatch.setattr(badness, "BADNESS_RE", re.compile(pattern))
    assert badness.bad_sequences.__wrapped__() == ((NOT_ASCII,),)


def test_a_pattern_too_long_to_compile_makes_all_text_beyond_ascii_suspect(monkeypatch):
    pattern = "|".join(chr(code) + "é" for code in range(0x400, 0x480))
    monkeypatch.setattr(compiled, "suspect_sequences", lambda: read_sequences(pattern, 0))
    tables = unwrap(compiled.tables)()
    assert all(tables.flags[tables.classes[code]] & screen.ENCODING for code in (0x80, 0xE9, 0x4E00, 0x10FFFF))
    assert not tables.flags[tables.classes[65]]


def test_every_character_that_nfc_changes_or_joins_is_suspect():
    search = badness.suspect_pattern().search
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.normalize("NFC", character) != character:
            assert search(character), hex(code)
        apart = unicodedata.normalize("NFD", character)
        for at in range(1, len(apart)):
            text = unicodedata.normalize("NFC", apart[:at]) + apart[at:]
            assert search(text) or unicodedata.normalize("NFC", text) == text, hex(code)


def test_all_marks_that_nfc_sorts_are_suspect_in_pairs():
    search = badness.suspect_pattern().search
    one_of_each = {unicodedata.combining(chr(code)): chr(code) for code in range(sys.maxunicode + 1)}
    del one_of_each[0]
    for order, mark in one_of_each.items():
        for earlier, other in one_of_each.items():
            assert search(f"x{other}{mark}") or earlier <= order


COMBINING = st.lists(
    st.one_of(
        st.sampled_from("aeouAÄéкёक़डल\u1100가각\u0e01\u0e81\u05d0ابيو\u09c7\u1025 "),
        st.sampled_from(
            "\u0300\u0301\u0308\u0323\u0327\u0338\u093c\u094d\u09be\u09d7\u1161\u11a8\u0653\u0651\u064e\u0e38"
        ),
        st.sampled_from("\u0e48\u0eb8\u0ec8\u05b0\u05bc\u102e\u3099\u0345\u0f71\u0f74\U00011099\U000110ba\U0001d165"),
    ),
    max_size=6,
).map("".join)


@given(COMBINING)
def test_text_that_is_not_suspect_is_in_nfc(text):
    if not badness.suspect_pattern().search(text):
        assert unicodedata.is_normalized("NFC", text)


@given(st.one_of(NEAR_BAD, COMBINING, TEXTS, st.lists(st.one_of(NEAR_BAD, TEXTS)).map("".join)))
@example("\ufeffÃ x")
@example("a\n\u00c3 x")
def test_a_rule_finds_nothing_where_its_bit_is_not_set(text):
    [plain] = bits(screen.rules_that_may_apply, text)
    assert bits(compiled.rules_that_may_apply, text) == [plain]
    if not plain & screen.ENCODING:
        assert encoding.repair_encoding(text, unescape="<" not in text) == []
        assert oracle(text) == text
    if not plain & screen.WHITESPACE:
        assert repair_whitespace(text) == []
    if not plain & screen.TYPOGRAPHY:
        assert repair_typography(text) == []
    if not plain:
        assert repair(text, EVERYTHING) == (text, [])
    if not plain & (screen.ENCODING | screen.WHITESPACE):
        assert repair(text, Settings()) == (text, [])


@given(st.lists(st.one_of(TEXTS, NEAR_BAD, st.text())))
def test_each_text_is_judged_by_itself(texts):
    expected = [bit for text in texts for bit in bits(screen.rules_that_may_apply, text)]
    assert bits(screen.rules_that_may_apply, *texts) == bits(compiled.rules_that_may_apply, *texts) == expected


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_bytes_that_are_no_text_do_no_harm(one, other):
    data = np.frombuffer(one + other, np.uint8)
    assert len(compiled.rules_that_may_apply(data, np.array([0, len(one), len(data)]))) == 2


@pytest.mark.parametrize("suspects", SCREENS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("Plain text\n\nwith  spaces\n", 0),
        ("“It’s”, he said: déjà vu. Ça va? Über “ça”.", 4),
        ("ภาษาไทยน้ำกู้ हड़ताल мы ёж 中文。\u3000中", 4),
        ("AT&T; &;", 1),
        ("AT&T and &c.; R&D", 0),
        ("<p>&amp;", 8),
        ("a \nb", 2),
        ("a\t\nb", 2),
        ("a\n\n\nb", 2),
        ("\na", 2),
        ("a\n\n", 2),
        ("a ", 2),
        ("a\r\nb", 3),
        ("a\u2003b", 0),
        ("a\u2003\nb", 2),
        ("a\u2003", 2),
        ("10\u00a0000", 2),
        ("\ufeffa", 2),
        ("cafÃ©", 1),
        ("a\x01", 1),
        ("\ud83d", 1),
        ("e\u0301", 1),
        ("ﬁne", 4),
        ("a<br>b", 8),
        ("a < b", 0),
    ],
)
def test_known_texts(suspects, text, expected):
    assert bits(suspects, text) == [expected]


@pytest.mark.parametrize("piece", PIECES)
def test_pieces_that_repair_changes_are_suspect(piece):
    for text in (piece, f"word{piece}word", f"word {piece}"):
        if repair(text, EVERYTHING)[0] != text:
            assert bits(compiled.rules_that_may_apply, text) != [0]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(lambda read: read("wikipedia_multilingual"), marks=pytest.mark.data, id="wikipedia_multilingual"),
        pytest.param(lambda read: read.read(SMALL / "license_texts.jsonl.gz"), id="license_texts"),
    ],
)
def test_both_screens_agree_on_articles(data_rows, rows):
    texts = [row["text"] for row in rows(data_rows)][:500]
    assert bits(screen.rules_that_may_apply, *texts) == bits(compiled.rules_that_may_apply, *texts)


def alternatives(pattern):
    """Return the alternatives of `pattern` itself, not those within its groups."""
    depth = 0
    found = [""]
    for token in re.findall(r"\\.|\[(?:\\.|[^\]])*\]|.", pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and not depth:
            found.append("")
        else:
            found[-1] += token
    return found


ALTERNATIVES = [part for _, pattern in furniture._furniture_patterns() for part in alternatives(pattern)]


def test_prefixes_are_used_only_after_many_lines(monkeypatch):
    monkeypatch.setattr(furniture, "_lines_seen", 0)
    asked = []
    monkeypatch.setattr(furniture, "may_match", asked.append)
    assert furniture.line_kinds("No such line.\n" * furniture.BEGINNINGS_FROM) == {}
    assert not asked
    assert furniture.line_kinds("No such line.\n") == {}
    assert asked == ["no such line."]


@given(st.sampled_from(ALTERNATIVES).flatmap(lambda part: st.from_regex(part, fullmatch=True)))
def test_a_match_of_a_pattern_has_one_of_its_prefixes(words):
    assert furniture.may_match(words)


DECORATED = st.tuples(
    st.sampled_from(("", "  ", "» ", "\t* ", "\u00a0—\x1f", "…")),
    st.one_of(
        st.sampled_from(ALTERNATIVES).flatmap(lambda part: st.from_regex(part, fullmatch=True)),
        st.sampled_from([line for _, line in LINES]),
        st.sampled_from(PROSE),
        st.text(max_size=12),
        st.sampled_from("ΣİA٣5"),
    ),
    st.sampled_from(("", "...", " ... ", "....", " »", "!\u2003", "\n", "\r\n\n")),
).map(lambda parts: parts[0] + (parts[1].upper() if len(parts[0]) == 2 else parts[1].replace(" ", "  ")) + parts[2])


@given(st.lists(DECORATED, max_size=4).map("".join))
@example("ΣHARE")
@example("İ" * 5)
def test_compiled_code_finds_the_lines_of_furniture_that_patterns_find(text):
    with patch.object(furniture, "BEGINNINGS_FROM", 0):
        [plain] = screen.find_furniture_lines(*pack([encode_utf8(text)])).values() or [{}]
        [quick] = page_furniture_lines.find_furniture_lines(*pack([encode_utf8(text)])).values() or [{}]
        found = furniture.find_page_furniture(text, Settings())
    with patch.object(furniture, "BEGINNINGS_FROM", sys.maxsize):
        assert furniture.find_page_furniture(text, Settings()) == found
    assert quick == plain
    assert furniture.find_page_furniture(text, Settings(), quick) == found


@pytest.mark.parametrize("lines_of", [screen.find_furniture_lines, page_furniture_lines.find_furniture_lines])
def test_furniture_is_searched_in_each_text_by_itself(lines_of):
    texts = [
        "One.\nTwo.",
        "One.\n» Share this\n",
        "",
        "Share",
        "Shy as a mouse.\n\n",
        "\n\n12 Comments",
    ]
    with patch.object(furniture, "BEGINNINGS_FROM", 0):
        found = lines_of(*pack([encode_utf8(text) for text in texts]))
    assert found == {1: {1: "share bar"}, 3: {0: "share bar"}, 5: {2: "comment counter"}}


def test_beginnings_change_with_the_patterns(monkeypatch):
    assert furniture.line_beginnings.__wrapped__() == furniture.line_beginnings()
    monkeypatch.setattr(furniture, "_furniture_patterns", lambda: (("advertisement", "zzz more"),))
    assert furniture.line_beginnings.__wrapped__() == {"zzz more": (8, 8)}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ab", {"ab\n": (2, 2)}),
        ("a|b{2}", {"a\n": (1, 1), "bb\n": (2, 2)}),
        ("(?=x)a.?", {"a": (1, 2), "a\n": (1, 2)}),
        ("[ab]c?", {"a\n": (1, 2), "ac\n": (1, 2), "b\n": (1, 2), "bc\n": (1, 2)}),
        (r"\d{2,3}", {"00\n": (2, 3), "000\n": (2, 3)}),
        ("٣", {"0\n": (1, 1)}),
        (r"a\w{1,20}", {"a": (2, 21)}),
        ("[^b]", {"": (1, 1)}),
        ("abcdefghij", {"abcdefgh": (10, 10)}),
    ],
)
def test_beginnings_of_small_patterns(pattern, expected):
    assert beginnings(pattern) == expected


# Lines of mojibake: what other programs made of them, or nearly.
MISTAKEN = st.builds(
    lambda text, name, odd: text.encode("utf-8", "surrogatepass").decode(name, "replace") + odd,
    st.text("aé ’“”—ñüßжя中ก😀\u00a0\u0301\n", max_size=12),
    st.sampled_from([*encoding.PLAIN_ENCODINGS, "sloppy-windows-1251", "macroman"]),
    st.sampled_from(["", "", "\n", "é", "’", "\u0301", "\x1a", "\ufffd", "í", "&amp;", "\x85", "\r", "Ã "]),
)


@given(st.one_of(TEXTS, MISTAKEN, st.text("ab .&;\t\n\r\x0c", max_size=30), st.lists(MISTAKEN).map("".join)))
@example("a & \nmp; b\n\n\n\n&amp ;\n")
@example("caf\u00c3\u00a9 \u00e2\u20ac\u0153no\u00e2\u20ac\u009d\u00c3\u00a9\n\u00c3\u0192\u00c2\u00a9")
def test_repairing_suspect_texts_round_by_round_equals_repair(text):
    for rules in ({}, {"typography": "fix"}, {"whitespace": "flag"}):
        settings = Settings(rules=rules)
        state = RepairState(text, settings)
        again = True
        while again:
            packed = pack([encode_utf8(state.text)])
            [own] = compiled.rules_that_may_apply(*packed)
            [known] = find_suspect_lines(*packed).by_text(1)
            again = bool(own) and state.round(own, known)
        assert (state.text, state.findings) == repair_each(text, settings)


@given(st.lists(st.one_of(NEAR_BAD, TEXTS, MISTAKEN, st.text("ab<&;\n\r", max_size=20)), max_size=4))
@example(["", "a\nb", "<\n&amp;", "&amp;\n\n\u00c3\u00a9"])
@example(["\u00ef\u00bb\u00bfcaf\u00c3\u00a9"])
def test_known_lines_give_the_findings_of_the_encoding_rule(texts):
    packed = pack([encode_utf8(text) for text in texts])
    told, plain = find_suspect_lines(*packed), screen.find_suspect_lines(*packed)
    left = [row for row in plain.lines.tolist() if row not in told.lines.tolist()]
    assert sorted(told.lines.tolist() + left) == plain.lines.tolist()
    for text, known, every in zip(texts, told.by_text(len(texts)), plain.by_text(len(texts)), strict=True):
        unescape = "<" not in text
        expected = encoding.repair_encoding(text, unescape=unescape)
        assert encoding.repair_encoding(text, unescape=unescape, known=known) == expected
        assert encoding.repair_encoding(text, unescape=unescape, known=every) == expected
    for row, start, stop, *_ in told.fixes.tolist():
        assert any(row == one and first <= start < stop <= last for one, first, last in left)


def test_plain_mojibake_is_repaired_without_ftfy():
    seen = [
        "caf\u00c3\u00a9 \u00e2\u20ac\u0153no\u00e2\u20ac\u009d\n",
        "\u00d0\u00bf\u00d1\u20ac\u00d0\u00b8",
        "Plain.",
    ]
    told = find_suspect_lines(*pack([encode_utf8(text) for text in seen]))
    sloppy = "encode sloppy-windows-1252, decode utf-8"
    assert not len(told.lines)
    assert [known.fixes for known in told.by_text(3)] == [
        [(start, stop, new, sloppy) for start, stop, new in ((3, 5, "é"), (6, 9, "“"), (11, 14, "”"))],
        [(0, 6, "при", sloppy)],
        [],
    ]


def test_there_is_room_for_many_lines_and_fixes():
    texts = ["\u00c3\u00a9 x\n&amp;\n" * 20_000]
    told = find_suspect_lines(*pack([encode_utf8(text) for text in texts]))
    assert len(told.lines) == len(told.fixes) == 20_000
    assert told.replacements == "é".encode() * 20_000
