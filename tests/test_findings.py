"""Properties of findings: `apply`, `revert`, `compose` and `Offsets` for any text and any edits."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import FindingError
from dedup.findings import DROP, FIX, FLAG, Finding, Offsets, apply, compose, fix, revert

# Every kind of character that can cause wrong offsets: surrogates, combining marks, line ends, astral, mojibake.
ODD = "ab \n\r\t\u00e9e\u0301\u0323\u00c3\u00a9\u200d\u200b\ufeff\ud83d\udca9\U0001f4a9\u4e2d\u0e01"
TEXTS = st.text(st.one_of(st.sampled_from(ODD), st.characters()), max_size=40)


@st.composite
def edits_of(draw, text, *, flags=True):
    """Draw disjoint fixes and drops of `text` in order, insertions included."""
    bounds = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    edits = []
    for start, stop in zip(bounds[::2], bounds[1::2], strict=False):
        if edits and edits[-1].start == edits[-1].stop == start:
            continue  # two insertions at one offset have no order
        replacement = draw(st.text(st.sampled_from(ODD), max_size=4))
        if draw(st.booleans()) and replacement != text[start:stop]:
            edits.append(fix("encoding", text, start, stop, replacement))
        elif start < stop:
            edits.append(
                Finding(
                    rule="boilerplate", action=DROP, start=start, stop=stop, original=text[start:stop], replacement=""
                )
            )
    if flags:
        for _ in range(draw(st.integers(0, 2))):
            start = draw(st.integers(0, len(text)))
            edits.append(
                Finding(rule="shared-paragraph", action=FLAG, start=start, stop=draw(st.integers(start, len(text))))
            )
    return sorted(edits, key=lambda finding: (finding.start, finding.stop))


@st.composite
def text_and_edits(draw):
    text = draw(TEXTS)
    return text, draw(edits_of(text))


@st.composite
def text_and_two_layers(draw):
    text = draw(TEXTS)
    first = draw(edits_of(text))
    return text, first, draw(edits_of(apply(text, first)))


def plain_apply(text, findings):
    """Apply `findings` from right to left, one slice at a time: the definition."""
    for finding in sorted((f for f in findings if f.action != FLAG), key=lambda f: (f.start, f.stop), reverse=True):
        text = text[: finding.start] + finding.replacement + text[finding.stop :]
    return text


def changes(findings):
    return [finding for finding in findings if finding.action != FLAG]


@pytest.mark.slow
@given(text_and_edits())
def test_reverting_applied_findings_returns_the_raw_text(case):
    text, findings = case
    assert apply(text, findings) == plain_apply(text, findings)
    assert revert(apply(text, findings), findings) == text


@given(text_and_edits(), st.randoms())
def test_the_order_and_the_type_of_findings_do_not_matter(case, rng: random.Random):
    text, findings = case
    cleaned = apply(text, findings)
    shuffled = list(findings)
    rng.shuffle(shuffled)
    rows = [{**finding._asdict(), "another field": 1} for finding in shuffled]
    sparse = [{name: value for name, value in row.items() if value is not None} for row in rows]
    for form in (shuffled, iter(shuffled), rows, sparse):
        assert apply(text, form) == cleaned
    for form in (shuffled, iter(shuffled), rows, sparse):
        assert revert(cleaned, form) == text


@given(text_and_edits())
def test_flags_change_nothing(case):
    text, findings = case
    assert apply(text, findings) == apply(text, changes(findings))
    assert apply(text, [finding for finding in findings if finding.action == FLAG]) == text


@given(text_and_two_layers())
def test_composed_findings_equal_both_layers_in_turn(case):
    raw, first, second = case
    middle = apply(raw, first)
    composed = compose(raw, first, second)
    assert apply(raw, composed) == apply(middle, second)
    assert revert(apply(middle, second), composed) == raw


@given(text_and_two_layers())
def test_composed_findings_are_sorted_and_disjoint_and_keep_every_flag(case):
    raw, first, second = case
    composed = compose(raw, first, second)
    assert [f.start for f in composed] == sorted(f.start for f in composed)
    done = changes(composed)
    assert all(left.stop <= right.start for left, right in pairwise(done))
    assert all(finding.original == raw[finding.start : finding.stop] != finding.replacement for finding in done)
    flags = [finding for finding in (*first, *second) if finding.action == FLAG]
    assert len(composed) - len(done) == len(flags)
    assert all(0 <= finding.start <= finding.stop <= len(raw) for finding in composed)


@given(TEXTS, st.data())
def test_any_number_of_layers_can_be_composed(raw, data):
    findings: list[Finding] = []
    current = raw
    for _ in range(4):
        layer = data.draw(edits_of(current, flags=False))
        findings = compose(raw, findings, layer)
        current = apply(current, layer)
    assert apply(raw, findings) == current
    assert revert(current, findings) == raw


@given(text_and_edits(), st.data())
def test_a_widened_span_holds_everything_that_its_text_was_made_from(case, data):
    raw, findings = case
    done = changes(findings)
    edited = apply(raw, done)
    start = data.draw(st.integers(0, len(edited)))
    stop = data.draw(st.integers(start, len(edited)))
    raw_start, raw_stop = Offsets(done).widen(start, stop)
    assert 0 <= raw_start <= raw_stop <= len(raw)
    if start < stop:
        inside = [f for f in done if raw_start <= f.start and f.stop <= raw_stop]
        outside = [f for f in done if f not in inside]
        # No edit crosses the border, and the edits inside produce a text that contains the span's text.
        assert all(f.stop <= raw_start or f.start >= raw_stop for f in outside)
        moved = [f._replace(start=f.start - raw_start, stop=f.stop - raw_start) for f in inside]
        assert edited[start:stop] in apply(raw[raw_start:raw_stop], moved)


@pytest.mark.parametrize(
    ("raw", "findings"),
    [
        pytest.param(
            "abcdef", [fix("encoding", "abcdef", 0, 3, "x"), fix("encoding", "abcdef", 2, 4, "y")], id="overlap"
        ),
        pytest.param("abXdef", [fix("encoding", "abcdef", 1, 3, "x")], id="another text"),
        pytest.param("ab", [fix("encoding", "abcdef", 1, 3, "x")], id="beyond the end"),
        pytest.param("ab", [fix("encoding", "abcdef", 4, 4, "x")], id="insertion beyond the end"),
        pytest.param("ab", [Finding(action=FIX, start=0, stop=1, original="a")], id="no replacement"),
        pytest.param("ab", [Finding(action=DROP, start=0, stop=1, replacement="")], id="no original"),
        pytest.param("ab", [Finding(action=FIX, start=0, stop=2, original="a", replacement="")], id="wrong measure"),
        pytest.param("ab", [Finding(action=FIX, start=-1, stop=0, original="a", replacement="")], id="negative"),
        pytest.param("ab", [Finding(action=FIX, start=1, stop=0, original="", replacement="")], id="backwards"),
    ],
)
def test_findings_that_do_not_fit_the_raw_text_are_refused(raw, findings):
    with pytest.raises(FindingError, match=r"^span -?\d+--?\d+: "):
        apply(raw, findings)


@pytest.mark.parametrize(
    ("cleaned", "findings"),
    [
        pytest.param("aYc", [fix("encoding", "abc", 1, 2, "x")], id="changed since"),
        pytest.param("a", [fix("encoding", "abc", 1, 2, "x")], id="too short"),
        pytest.param("a", [fix("encoding", "abc", 2, 3, "")], id="ends before an insertion of nothing"),
        pytest.param("xy", [fix("encoding", "abcdef", 0, 3, "x"), fix("encoding", "abcdef", 2, 6, "y")], id="overlap"),
    ],
)
def test_findings_that_do_not_fit_the_cleaned_text_are_refused(cleaned, findings):
    with pytest.raises(FindingError, match=r"^span \d+-\d+: "):
        revert(cleaned, findings)


def test_an_edit_inside_an_earlier_replacement_becomes_one_finding_under_the_earlier_rule():
    raw, middle = "a&copy;&shy;&copy;b", "a\u00a9\u00ad\u00a9b"
    first = fix("encoding", raw, 1, 18, middle[1:4], "unescape_html")
    second = fix("whitespace", middle, 2, 3, "")
    assert compose(raw, [first], [second]) == [fix("encoding", raw, 1, 18, "\u00a9\u00a9", "unescape_html")]


def test_an_edit_at_the_end_of_an_earlier_replacement_stays_a_separate_finding():
    raw, middle = "a&copy;&shy;b", "a\u00a9\u00adb"
    first = fix("encoding", raw, 1, 12, middle[1:3])
    composed = compose(raw, [first], [fix("whitespace", middle, 2, 3, " ")])
    assert [(f.rule, f.start, f.stop, f.replacement) for f in composed] == [
        ("encoding", 1, 12, "\u00a9"),
        ("whitespace", 12, 12, " "),
    ]


def test_a_drop_replaces_the_fixes_inside_it():
    raw = "x caf\u00c3\u00a9 y"
    middle = "x caf\u00e9 y"
    drop = Finding(rule="boilerplate", action=DROP, start=2, stop=7, original=middle[2:7], replacement="")
    assert compose(raw, [fix("encoding", raw, 5, 7, "\u00e9")], [drop]) == [
        drop._replace(stop=8, original=raw[2:8]),
    ]


def test_the_first_layer_gets_its_originals_from_the_raw_text():
    assert compose("one  two", [], [Finding(action="drop", start=3, stop=5, replacement="")])[0].original == "  "
