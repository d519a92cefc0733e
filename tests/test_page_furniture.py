"""Page furniture: the lines that are found, sentences that must not be, and the text that is left after a drop."""

import re

import pytest
from helpers.furniture_lines import LINES, PROSE
from helpers.timing import assert_linear, assert_takes_at_most
from hypothesis import given
from hypothesis import strategies as st

from dedup.findings import apply, revert
from dedup.repairs.page_furniture import MAX_FURNITURE_LINE, _furniture_patterns, find_page_furniture, line_kind
from dedup.repairs.whitespace import repair_whitespace
from dedup.settings import Settings

DROP = Settings(rules={"page-furniture": "drop"})


@pytest.mark.parametrize(("expected", "line"), LINES)
def test_a_line_of_furniture_has_its_kind(expected, line):
    assert line_kind(line) == expected
    assert line_kind(f"  {line.upper()} ") == expected or line.lower() != line.upper().lower()


@pytest.mark.parametrize("line", PROSE)
def test_prose_is_not_furniture(line):
    assert line_kind(line) is None


def test_a_flag_spans_the_line_and_changes_nothing():
    text = "One.\n  Share on Facebook \nTwo.\n"
    [flag] = find_page_furniture(text, Settings())
    assert (flag.rule, flag.action, flag.evidence) == ("page-furniture", "flag", "share bar")
    assert text[flag.start : flag.stop] == "  Share on Facebook "
    assert apply(text, [flag]) == text
    assert find_page_furniture(text, Settings(rules={"page-furniture": "off"})) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("One.\nShare\nTwo.\n", "One.\nTwo.\n"),
        ("One.\n\nShare\n\nTwo.\n", "One.\n\nTwo.\n"),
        ("One.\n\nShare\nTwo.\n", "One.\n\nTwo.\n"),
        ("One.\n\nShare\n\n12 Comments\n\nTwo.", "One.\n\nTwo."),
        ("Share\n\nOne.", "One."),
        ("One.\n\nShare", "One.\n"),
        ("One.\n\nShare\n\n12 Comments\n", "One.\n"),
        ("One.\nShare\n\n12 Comments", "One.\n"),
        ("Share\n\n12 Comments\n", ""),
        ("Share", ""),
    ],
)
def test_a_drop_leaves_the_rest_separated_as_before(text, left):
    findings = find_page_furniture(text, DROP)
    cleaned = apply(text, findings)
    assert cleaned == left
    assert revert(cleaned, findings) == text
    assert all(f.action == "drop" and f.replacement == "" for f in findings)


BLOCKS = st.lists(st.sampled_from(["One.", "Two words.", "Share", "12 Comments", "", "\n"]), max_size=10).map("\n".join)


@given(BLOCKS)
def test_after_a_drop_nothing_is_left_to_drop_or_to_fix(raw):
    text = apply(raw, repair_whitespace(raw))
    findings = find_page_furniture(text, DROP)
    cleaned = apply(text, findings)
    assert revert(cleaned, findings) == text
    assert find_page_furniture(cleaned, DROP) == []
    assert repair_whitespace(cleaned) == []
    assert [line for line in cleaned.split("\n") if line] == [
        line for line in text.split("\n") if line and not line_kind(line)
    ]
    assert [f.evidence for f in findings] == [f.evidence for f in find_page_furniture(text, Settings())]


def test_every_pattern_is_bounded_lower_case_and_without_groups():
    for name, pattern in _furniture_patterns():
        bare = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", pattern)
        assert not re.search(r"[*+]|\{\d*,\}", bare), name
        assert "(" not in re.sub(r"\(\?(?::|=)", "", bare), name
        assert pattern.replace("\\S", "").replace("\\W", "") == pattern.lower(), name
        assert not re.search("<[a-z]+>", pattern), name
        assert not re.search(r"\|\||\(\?:\)", bare), name


@pytest.mark.parametrize(
    "unit",
    [
        "share ",
        "facebook and ",
        "read more: ",
        "sign up for our ",
        "12",
        "we use cookies ",
        "get the ",
        "a' ",
        "分享",
        "(",
    ],
)
def test_no_line_takes_long(unit):
    line = (unit * MAX_FURNITURE_LINE)[: MAX_FURNITURE_LINE - 1] + "\x01"
    assert_takes_at_most(1, lambda: [line_kind.__wrapped__(line) for _ in range(100)])  # 10 ms a line, none cached


def test_many_lines_of_furniture_take_linear_time():
    def remove(count):
        text = "Share\n\n" * count
        assert apply(text, find_page_furniture(text, DROP)) == ""

    assert_linear(remove, 5_000)


@pytest.mark.data
def test_encyclopedia_articles_in_twelve_languages_hold_no_furniture(data_rows):
    assert [
        line for row in data_rows("wikipedia_multilingual") for line in find_page_furniture(row["text"], Settings())
    ] == []


@pytest.mark.data
def test_press_releases_hold_almost_no_furniture(data_rows):
    found = [
        row["text"][line.start : line.stop].strip()
        for row in data_rows("senate_releases")
        for line in find_page_furniture(row["text"], Settings())
    ]
    assert sorted(found) == ["* Photo Gallery", "More News", "More News", "Related Links", "Related Topics:"]
