"""Made corpora match their truth, dedup finds their repeats, and tables show all committed figures."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from conftest import ROOT, read_jsonl

import dedup
from dedup.match.boilerplate import AT_END, WAYS

sys.path.insert(0, str(ROOT))

from benchmarks import (
    contenders,
    environments,
    generate,
    judging,
    markdown_tables,
    plots,
    processes,
    stored_results,
    table,
    whole_job,
)
from benchmarks.corpora import copies, flaws
from benchmarks.corpora.build import KINDS

MEGABYTE = 1_000_000


class Corpus:
    """A made corpus, read back."""

    def __init__(self, path):
        self.path = path
        self.rows = {row["id"]: row for row in read_jsonl(path)}
        self.truth = read_jsonl(generate.truth_path(path))

    def truths(self, kind):
        return [row for row in self.truth if row["kind"] == kind]


@pytest.fixture(scope="session", params=sorted(KINDS))
def made(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / f"{request.param}.jsonl"
    generate.generate(request.param, MEGABYTE, 1, path)
    return Corpus(path)


@pytest.fixture(scope="session")
def cleaned(made):
    """A made corpus, cleaned."""
    out = made.path.with_suffix("")
    dedup.clean(made.path, out)
    kept = {row["id"]: row["text"] for row in read_jsonl(out / "articles.jsonl")}
    return made, kept, read_jsonl(out / "provenance.jsonl")


def paragraphs(text):
    return text.split("\n\n") if "\n\n" in text else text.split("\n")


def plain_similarity(one, two):
    words = [re.findall(r"\w+", text.lower()) for text in (one, two)]
    sets = [{tuple(tokens[at : at + 5]) for at in range(len(tokens) - 4)} for tokens in words]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def repaired(row):
    return dedup.repair(row["text"])[0]


def test_equal_seeds_give_equal_corpora_and_other_seeds_do_not(made, tmp_path):
    again, other = tmp_path / "again.jsonl", tmp_path / "other.jsonl"
    generate.generate(made.path.stem, MEGABYTE, 1, again)
    generate.generate(made.path.stem, MEGABYTE // 10, 2, other)
    assert again.read_bytes() == made.path.read_bytes()
    assert generate.truth_path(again).read_bytes() == generate.truth_path(made.path).read_bytes()
    assert not made.path.read_bytes().startswith(other.read_bytes()[:1000])


def test_a_corpus_has_the_requested_size(made):
    assert abs(made.path.stat().st_size - MEGABYTE) <= 0.05 * MEGABYTE


@pytest.mark.parametrize(("text", "count"), [("10MB", 10_000_000), ("1.5 gb", 1_500_000_000), ("7", 7)])
def test_sizes_are_parsed(text, count):
    assert generate.parse_size(text) == count


def test_a_text_that_is_not_a_size_is_rejected():
    with pytest.raises(Exception, match="is not a size"):
        generate.parse_size("many")


def test_doubled_bodies_repeat_the_paragraphs_that_the_truth_states(made):
    doubles = made.truths("doubled")
    assert doubles
    for row in doubles:
        parts = paragraphs(made.rows[row["id"]]["text"])
        one, two = (parts[start:stop] for start, stop in (row["paragraphs"], row["again"]))
        assert len(one) == len(two) > 2
        if row["way"] == "edited":
            assert one != two
            assert 0.8 < row["similarity"] < 1
        else:
            assert one == two


def test_copies_have_the_similarity_that_the_truth_states(made):
    assert made.truths("copy")
    for row in made.truths("copy"):
        if made.path.stem == "multilingual" and row["similarity"] < 1:
            continue  # repair of letters may move a word border in some scripts
        value = plain_similarity(repaired(made.rows[row["id"]]), repaired(made.rows[row["of"]]))
        assert value == pytest.approx(row["similarity"], abs=0.005)
        assert copies.similarity_class(row["similarity"]) == row["class"]


def test_texts_contain_the_mojibake_that_the_truth_states(made):
    for row in made.truths("mojibake"):
        assert row["seen"] in made.rows[row["id"]]["text"]
        assert row["seen"] == flaws.mojibake(row["meant"], row["layers"]) != row["meant"]


def test_a_quarter_of_the_hard_corpus_has_mojibake(tmp_path):
    path = tmp_path / "hard.jsonl"
    count = generate.generate("hard", MEGABYTE, 3, path)
    mojibake = [row for row in read_jsonl(generate.truth_path(path)) if row["kind"] == "mojibake"]
    assert 0.18 < len(mojibake) / count < 0.32


def test_lines_of_hosts_are_in_as_many_articles_as_the_truth_states(made):
    texts = [dedup.repair(row["text"])[0] for row in made.rows.values()]
    for row in made.truths("boilerplate"):
        words = re.findall(r"\w+", row["line"])
        count = sum(re.search(r"\W+".join(words), text) is not None for text in texts)
        assert count == row["articles"]


def test_only_copies_are_near_duplicates(made, tmp_path):
    joined = judging.find_pairs(made.path, tmp_path)
    family = {row["id"]: row["of"] for row in made.truths("copy")}
    for one, two, value in joined.pairs:
        pair = {joined.ids[one], joined.ids[two]}
        assert len({family.get(name, name) for name in pair}) == 1
        row = next((row for row in made.truths("copy") if {row["id"], row["of"]} == pair), None)
        assert row is None or value == pytest.approx(row["similarity"], abs=0.005)
    stated = {(row["of"], row["id"]) for row in made.truths("copy") if row["similarity"] > judging.JUSTIFIED + 0.01}
    if made.path.stem != "multilingual":
        assert stated <= {(joined.ids[one], joined.ids[two]) for one, two, _ in joined.pairs}


@pytest.mark.slow
def test_one_side_of_each_copy_is_dropped_and_nothing_else_where_whole_texts_are_compared(made, tmp_path):
    dedup.clean(made.path, tmp_path / "out", dedup.Settings(rules={"boilerplate": "off"}))
    kept = {row["id"] for row in read_jsonl(tmp_path / "out" / "articles.jsonl")}
    judged = judging.judge(judging.find_pairs(made.path, tmp_path), kept)
    assert judged["pairs"] >= 2
    assert judged["missed"] == judged["false drops"] == 0


@pytest.mark.slow
def test_doubled_bodies_are_found(cleaned):
    made, kept, findings = cleaned
    found = {row["article"] for row in findings if row["rule"] == "repeated-block" and row["action"] == "drop"}
    stated = {row["id"] for row in made.truths("doubled") if row["id"] in kept}
    assert stated
    assert stated <= found


def test_mojibake_is_repaired(cleaned):
    made, kept, _ = cleaned
    if made.path.stem == "multilingual":
        pytest.skip("the letters whose mojibake can be undone differ between languages")
    for row in made.truths("mojibake"):
        if row["id"] in kept:
            assert row["meant"] in kept[row["id"]]


def test_frequent_lines_of_hosts_are_found_as_boilerplate(cleaned):
    made, kept, findings = cleaned
    found = {row["original"].strip() for row in findings if (row["rule"], row["action"]) == ("boilerplate", "drop")}
    if made.path.stem != "english":
        pytest.skip("a line within a long one is no paragraph; with many languages hosts have too few articles")
    for row in made.truths("boilerplate"):
        texts = [text["text"] for name, text in made.rows.items() if name in kept and row["host"] in text["url"]]
        count = sum(row["line"] in text for text in texts)
        at_end = next(way for way in WAYS if way.where == AT_END and way.sentences)  # which these lines may be
        if count > at_end.articles and count > at_end.share * len(texts):
            assert row["line"] in found


@pytest.mark.data
def test_the_join_finds_the_pairs_that_another_join_found(data_file, data_rows, tmp_path):
    part = whole_job.beginning_of(data_file("senate_releases"), 4 * MEGABYTE, tmp_path)
    joined = judging.find_pairs(part, tmp_path)
    values = {frozenset((joined.ids[one], joined.ids[two])): value for one, two, value in joined.pairs}
    silver = {frozenset((row["a"], row["b"])): row["jaccard"] for row in data_rows("senate_releases.silver_pairs")}
    inside = {pair: value for pair, value in silver.items() if pair <= set(joined.ids) and value >= 0.8}
    assert len(inside) > 3
    assert all(values[pair] == pytest.approx(value, abs=0.0001) for pair, value in inside.items())
    assert {value for pair, value in values.items() if value >= 0.8 and pair not in silver} <= {1.0}  # no silver pairs


def test_kept_articles_are_judged_by_missed_pairs_and_false_drops():
    pairs = judging.Pairs(["a", "b", "c", "d"], [(0, 1, 0.9), (1, 2, 0.795)])
    assert judging.judge(pairs, ["a", "b", "c", "d"])["missed"] == 1
    judged = judging.judge(pairs, ["a", "c"])
    assert (judged["recall"], judged["dropped"], judged["false drops"]) == (1, 2, 1)  # d resembles nothing


def test_a_command_is_measured_with_all_its_processes(tmp_path):
    child = "import time; data = bytearray(b'a') * 60_000_000; time.sleep(0.6)"
    children = f"[subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in 'ab']"
    parent = f"import subprocess, sys; [process.wait() for process in {children}]"
    done = processes.measure_command([sys.executable, "-c", parent], tmp_path)
    assert done.status == 0
    assert done.seconds > 0.5
    assert 60 < done.largest < 100
    assert done.together > 120


def test_a_failing_command_is_reported_in_one_line(tmp_path, capsys):
    done = processes.measure_command([sys.executable, "-c", "raise SystemExit('no such file')"], tmp_path)
    assert contenders.report_failure("peer", done)
    assert capsys.readouterr().err == "peer: skipped, it ended with status 1: no such file\n"


def test_every_peer_has_a_script_and_pinned_requirements():
    scripts = {path.stem for path in environments.PEERS.glob("*.py")} - {"protocol"}
    assert scripts == set(environments.PEER_NAMES)
    assert set(contenders.DESCRIPTIONS) == scripts | {contenders.DEDUP}
    for name in environments.PEER_NAMES:
        for line in (environments.PEERS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or re.fullmatch(r"[\w-]+==[\w.]+", line)


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_is_reported_in_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "none.txt").write_text("not a requirement at all\n", encoding="utf-8")
    monkeypatch.setattr(environments, "PEERS", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "made")
    assert environments.interpreter_of("none") is None
    assert "none: skipped" in capsys.readouterr().err


MACHINE = {
    "processor": "one",
    "cores": 2,
    "memory GB": 8.0,
    "kernel": "Linux 6.1",
    "python": "3.11.7",
    "dedup": "0.1.0",
    "libraries": {"numpy": "2.4"},
}
CONTENDER = {"seconds": 2.5, "times ours": 1.0, "MB/s": 8.0, "largest process MB": 300, "all processes MB": 1400}
FIGURES = {
    "whole_job": {
        "corpora": {
            "hard 20 MB": {
                "megabytes": 20.0,
                "articles": 4500,
                "runs": 3,
                "contenders": {
                    "dedup": CONTENDER | {"recall": 1.0, "false drops": 0},
                    "plain_paragraphs": CONTENDER | {"seconds": 100.0, "times ours": 40.0},
                },
            },
            "hard 80 MB": {
                "megabytes": 80.0,
                "articles": 18000,
                "runs": 3,
                "contenders": {"dedup": CONTENDER | {"seconds": 7.5, "recall": 0.5, "false drops": 3}},
            },
            "english 20 MB": {
                "megabytes": 20.0,
                "articles": 4600,
                "runs": 3,
                "contenders": {"dedup": CONTENDER | {"seconds": 1.25, "recall": 1.0, "false drops": 0}},
            },
        }
    },
    "articles": {"one": {"megabytes": 10.0, "verified": True}, "two": {"megabytes": 9.5, "pairs": 7, "verified": True}},
    "growth": {
        "kind": "hard",
        "runs": 1,
        "options": ["--memory", "4G"],
        "sizes": [dict.fromkeys(table.GROWTH_COLUMNS, 10.0), dict.fromkeys(table.GROWTH_COLUMNS, 20.0)],
        "exponents": {"seconds": 1.01},
    },
    "stages": {"hard": {"megabytes": 10.0, "one process": {"clean": 9.5}, "all cores": {"clean": 18.0}}},
    "view": {
        "articles": 1000,
        "findings": 9_999,
        "MB": 5,
        "address": 1.25,
        "read": 3.5,
        "read CPU": 2.25,
        "pages": {"findings": {"paint": 0.135, "CPU": 0.07}},
    },
    "startup": {"dedup --help": {"seconds": 0.09, "largest process MB": 30}},
}
RESULTS = {name: {"machine": MACHINE, "figures": figures} for name, figures in FIGURES.items()}


def test_tables_show_every_figure():
    page = "\n".join(table.page_sections(RESULTS).values())
    assert (
        "| plain paragraphs | ftfy and datasketch: near-duplicate paragraphs | 100.0 | 40.0 | 300 | 1,400 |  |  |"
        in page
    )
    assert page.index("plain paragraphs") < page.index("**dedup**")
    assert "| `two` | 9.5 | yes | 7 |" in page
    assert "| clean | all cores | 18.0 |" in page
    assert "Corpora of the kind `hard`, one run of each with `--memory 4G`." in page
    assert "Exponents of growth (1 is linear): seconds 1.01." in page
    assert "| `dedup --help` | 0.09 | 30 |" in page
    assert "2 cores of one, 8 GB, Linux 6.1, Python 3.11.7, numpy 2.4" in page
    for line in page.split("\n"):
        assert not line.startswith("|") or line.endswith("|")


def test_the_readme_has_one_table_that_says_which_tools_were_not_run():
    section = table.readme_section(RESULTS["whole_job"])
    description = contenders.DESCRIPTIONS["plain_paragraphs"]
    assert "| 20 MB: seconds | 80 MB: seconds |" in section
    assert f"| plain paragraphs | {description} | 100.0 | not run | 1,400 |  |  |" in section
    assert f"| **dedup** | {contenders.DESCRIPTIONS['dedup']} | 2.5 | 7.5 | 1,400 | 1 | 0 |" in section
    assert section.count("| tool |") == 1
    assert "english" not in section
    assert "4,500 articles (20 MB) and 18,000 articles (80 MB)" in section


def test_a_section_is_replaced_between_its_marks():
    page = f"# A\n\n{markdown_tables.section('a', 'b.py', 'old')}\n\nmore\n"
    replaced = markdown_tables.replace_section(page, "a", "b.py", "new")
    assert replaced == f"# A\n\n{markdown_tables.section('a', 'b.py', 'new')}\n\nmore\n"
    with pytest.raises(ValueError, match="has no section"):
        markdown_tables.replace_section("# A\n", "a", "b.py", "new")


def test_equal_figures_give_equal_plots(tmp_path):
    pytest.importorskip("matplotlib")
    one, two = (plots.draw_plots(RESULTS, tmp_path / name) for name in "ab")
    assert [path.name for path in one] == ["whole_job.svg", "growth.svg"]
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert b"<dc:date>" not in first.read_bytes()


@pytest.mark.parametrize("name", sorted(table.SECTIONS))
def test_committed_figures_have_what_tables_need(name):
    stored = stored_results.load_results(name)
    if stored is None:
        pytest.skip("not measured yet")
    assert set(stored["machine"]) == set(MACHINE)
    assert table.page_sections({name: stored})[name]
    if name == "whole_job":
        for corpus in stored["figures"]["corpora"].values():
            assert set(CONTENDER) <= set.intersection(*(set(row) for row in corpus["contenders"].values()))
            assert {"recall", "false drops"} <= set(corpus["contenders"]["dedup"])


def test_the_generator_is_a_command(tmp_path):
    out = tmp_path / "made.jsonl"
    command = [sys.executable, "-m", "benchmarks.generate", "--kind", "english", "--size", "100KB", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\d+ articles in .*\n", done.stderr)
    assert len(out.read_text(encoding="utf-8").splitlines()) == int(done.stderr.split()[0])
