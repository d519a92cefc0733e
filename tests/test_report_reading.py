"""A report reads a bounded part of an output, of any format: whole runs of articles, each with all its findings."""

from __future__ import annotations

import pytest
from helpers.crawls import clean_crawl, crawl_rows
from helpers.news import news
from helpers.outputs import LAYOUTS

from dedup.errors import OutputError
from dedup.inspect.output import open_output
from dedup.report import blocks
from dedup.report.build import report_on_run
from dedup.report.sampled_output import SampledOutput, every_nth

ROWS = [*news(count=700), *crawl_rows()]


@pytest.fixture(scope="module", params=[*LAYOUTS, ("jsonl", "none", 20_000), ("parquet", "zst", 50_000)])
def out(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    form, compress, *shard_size = request.param
    return clean_crawl(folder, ROWS, format=form, compress=compress, shard_size=[*shard_size, None][0])


@pytest.mark.slow
def test_a_small_output_is_read_as_a_whole(out):
    output = open_output(out)
    sample = SampledOutput(output)
    assert sample.is_whole
    assert list(sample.articles()) == list(output.articles())


def test_of_a_large_output_a_share_is_read_in_runs_that_the_seed_chooses(out):
    output = open_output(out)
    everything = {article.key: article for article in output.articles()}
    read = []
    for seed in (1, 1, 2):
        sample = SampledOutput(output, seed, cost=2_500_000)
        assert not sample.is_whole
        articles = list(sample.articles())
        assert all(everything[article.key] == article for article in articles)
        assert [article.key for article in articles] == sorted(
            {article.key for article in articles}, key=place_of(output)
        )
        read.append([article.key for article in articles])
    assert read[0] == read[1]
    if output.files.format != "csv":  # a few blocks of rows only
        assert read[0] != read[2]
    assert 0 < len(read[0]) < len(everything)


def place_of(output):
    return lambda key: (output.sources[key[0]].number, key[1])


def test_single_articles_are_found_with_their_findings(out):
    output = open_output(out)
    everything = {article.key: article for article in output.articles()}
    sample = SampledOutput(output, cost=1)
    wanted = list(everything)[::37]
    found = sample.find([*wanted, ("crawl.jsonl", 999_999), ("elsewhere.jsonl", 0)])
    assert found == {key: everything[key] for key in wanted if key in found}
    assert len(found) == len(wanted)
    assert all(not article.findings for article in sample.find(wanted, findings=False).values())


@pytest.mark.slow
def test_every_layout_has_the_same_report(out, tmp_path):
    expected = report_on_run(clean_crawl(tmp_path, ROWS))
    page = report_on_run(out)
    for name in expected.__dataclass_fields__:
        if name not in {"settings", "digest"}:
            assert getattr(page, name) == getattr(expected, name), name


def test_compressed_tables_are_read_up_to_a_limit(tmp_path, monkeypatch):
    out = clean_crawl(tmp_path, ROWS, compress="gz")
    monkeypatch.setattr(blocks, "PREFIX_BYTES", 300_000)
    output = open_output(out)
    sample = SampledOutput(output)
    assert sample.is_beginning
    articles = list(sample.articles())
    everything = list(output.articles())
    assert articles == everything[: len(articles)]
    assert 0 < len(articles) < len(everything)
    assert sample.is_out_of_reach(everything[-1].key)
    page = report_on_run(out)
    assert not page.part.is_whole
    assert page.part.read == len(articles)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_table_that_is_missing_or_damaged_is_named_in_one_line(tmp_path, form):
    out = clean_crawl(tmp_path, crawl_rows(), format=form)
    path = out / f"dropped.{form}"
    path.write_bytes(b"x" + path.read_bytes()[:-20])
    with pytest.raises(OutputError, match=f"dropped.{form}: cannot be read"):
        report_on_run(out)
    path.unlink()
    with pytest.raises(OutputError, match=f"dropped.{form}: no such file"):
        report_on_run(out)


def test_items_are_chosen_evenly():
    assert every_nth(list(range(10)), 3) == [0, 4, 8]
    assert every_nth([], 3) == []
