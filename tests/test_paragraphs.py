"""The spans of paragraphs, and the spans that are removed with them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dedup.segment.paragraphs import paragraphs, removal_spans

LAYOUT = st.text(alphabet="ab \t\n\r\u3000", max_size=60)


@given(LAYOUT)
def test_paragraphs_contain_every_character_that_is_not_blank(text):
    spans = paragraphs(text)
    inside = "".join(text[start:stop] for start, stop in spans)
    assert "".join(inside.split()) == "".join(text.split())
    assert all(span[1] < following[0] for span, following in pairwise(spans))
    assert all(text[start:stop].strip() for start, stop in spans)


@given(LAYOUT)
def test_paragraphs_are_runs_of_lines_or_single_lines(text):
    lines = [line for line in text.split("\n") if line.strip()]
    runs = [run for run in runs_of_lines(text) if run]
    expected = ["\n".join(run) for run in runs] if len(runs) > 1 else lines
    assert [text[start:stop] for start, stop in paragraphs(text)] == expected


def runs_of_lines(text):
    runs = [[]]
    for line in text.split("\n"):
        if line.strip():
            runs[-1].append(line)
        elif runs[-1]:
            runs.append([])
    return runs


@given(LAYOUT, st.data())
def test_removing_paragraphs_leaves_the_others_unchanged(text, data):
    spans = paragraphs(text)
    dropped = sorted(data.draw(st.sets(st.integers(0, max(0, len(spans) - 1)), max_size=len(spans)))) if spans else []
    removed = removal_spans(spans, [(number, number) for number in dropped])
    assert all(span[1] <= following[0] for span, following in pairwise(removed))
    left, position = [], 0
    for start, stop in removed:
        left.append(text[position:start])
        position = stop
    rest = "".join([*left, text[position:]])
    kept = [text[start:stop].split() for number, (start, stop) in enumerate(spans) if number not in dropped]
    assert rest.split() == [word for paragraph in kept for word in paragraph]
    assert "\n\n\n" in text or "\n\n\n" not in rest or any(not line or line.isspace() for line in text.split("\n"))


def test_removing_a_paragraph_removes_one_separator():
    text = "one\n\ntwo\n\nthree\n"
    spans = paragraphs(text)
    for drops, rest in [
        ([(0, 0)], "two\n\nthree\n"),
        ([(1, 1)], "one\n\nthree\n"),
        ([(2, 2)], "one\n\ntwo\n"),
        ([(1, 1), (2, 2)], "one\n"),
        ([(0, 2)], "\n"),
    ]:
        left = text
        for start, stop in reversed(removal_spans(spans, drops)):
            left = left[:start] + left[stop:]
        assert left == rest
