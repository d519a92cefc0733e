"""Reading outputs back, in every layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.outputs import (
    CORPUS,
    INPUTS,
    LAYOUTS,
    QUARANTINED,
    InputArticle,
    article_id,
    change_row,
    write_output,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.errors import OutputError
from dedup.findings import fix
from dedup.inspect.article_rows import Article
from dedup.inspect.output import open_output
from dedup.inspect.sources import is_text_file
from dedup.inspect.verify import verify


@pytest.fixture(params=LAYOUTS, ids="-".join)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, request.param)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS)


def test_articles_are_read_with_their_original_fields_in_every_layout(out: Path) -> None:
    articles = list(open_output(out).articles())
    assert [article.key for article in articles] == [expected[:2] for expected in CORPUS]
    for article, expected in zip(articles, CORPUS, strict=True):
        original = {name: json.loads(bytes(value)) for name, value in article.original().items()}
        assert list(original.items()) == list(expected.fields.items())
        assert article.id == article_id(expected)
        assert article.kept is not expected.dropped
        assert article.raw == expected.fields["text"]
        findings = [finding._replace(article="", source="-", record=0) for finding in article.findings]
        assert findings == list(expected.findings)


def test_numbers_keep_their_spelling(plain: Path) -> None:
    article = next(open_output(plain).articles())
    assert bytes(article.fields["n"]) == b"1.0"


def test_a_folder_that_is_not_a_readable_output_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(OutputError, match=r"is not an output of dedup: no run\.json"):
            open_output(path)
    (tmp_path / "run.json").write_text('{"dedup": {"format": 99}}')
    with pytest.raises(OutputError, match="format 99"):
        open_output(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(OutputError, match="cannot be read"):
        open_output(tmp_path)


def test_reading_stops_at_tables_that_do_not_fit_together(plain: Path) -> None:
    change_row("provenance", 0, record=2)(plain)
    with pytest.raises(OutputError, match="see dedup verify"):
        list(open_output(plain).articles())


def test_a_damaged_table_is_reported_in_one_line(tmp_path: Path) -> None:
    out = write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, ("jsonl", "gz"))
    path = out / "articles.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OutputError, match=r"articles\.jsonl\.gz: cannot be read"):
        list(open_output(out).articles())


@pytest.mark.parametrize(
    ("source", "text"),
    [("a.txt", True), ("A.TXT.GZ", True), ("a/b.txt.zst", True), ("-", False), ("a.txt.jsonl", False)],
)
def test_a_text_file_is_recognized_by_its_name(source: str, text: bool) -> None:
    assert is_text_file(source) is text


@st.composite
def edited_articles(draw: st.DrawFn) -> InputArticle:
    raw = draw(st.text(max_size=60))
    places = sorted(draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    findings = tuple(
        fix("encoding", raw, start, stop, draw(st.text(max_size=4)))
        for start, stop in zip(places[::2], places[1::2], strict=False)
    )
    extra = draw(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5), max_size=3))
    return InputArticle("a.jsonl", 0, {**extra, "id": draw(st.text(max_size=5)), "text": raw}, findings)


@given(st.lists(edited_articles(), min_size=1, max_size=4), st.sampled_from(LAYOUTS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_article_is_read_with_its_original_fields(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[InputArticle], layout: tuple[str, str]
) -> None:
    articles = [article._replace(record=number) for number, article in enumerate(drawn)]
    out = write_output(tmp_path_factory.mktemp("any") / "out", articles, layout=layout)
    assert verify(out).mismatches == []

    def original_values(article: Article) -> dict[str, Any]:
        return {name: json.loads(bytes(value)) for name, value in article.original().items()}

    assert list(map(original_values, open_output(out).articles())) == [article.fields for article in articles]
