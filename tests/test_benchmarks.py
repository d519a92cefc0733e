"""Made corpora hold what is said of them, the program finds it, and tables and committed figures are complete."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT, read_jsonl

import dedup
from dedup.match.boilerplate import AT_END, WAYS

sys.path.insert(0, str(ROOT / "benchmarks"))

import contenders
import environments
import generate
import judging
import processes
import table
import whole_job
from corpora import copies, flaws
from corpora.build import KINDS

MEGABYTE = 1_000_000


class Corpus:
    """A made corpus, read back."""

    def __init__(self, path):
        self.path = path
        self.rows = {row["id"]: row for row in read_jsonl(path)}
        self.truth = read_jsonl(generate.truth_path(path))

    def told(self, kind):
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
    sets = [{tuple(told[at : at + 5]) for at in range(len(told) - 4)} for told in words]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def repaired(row):
    return dedup.repair(row["text"])[0]


def test_equal_seeds_give_equal_corpora_and_others_others(made, tmp_path):
    again, other = tmp_path / "again.jsonl", tmp_path / "other.jsonl"
    generate.generate(made.path.stem, MEGABYTE, 1, again)
    generate.generate(made.path.stem, MEGABYTE // 10, 2, other)
    assert again.read_bytes() == made.path.read_bytes()
    assert generate.truth_path(again).read_bytes() == generate.truth_path(made.path).read_bytes()
    assert not made.path.read_bytes().startswith(other.read_bytes()[:1000])


def test_a_corpus_has_the_size_asked_for(made):
    assert abs(made.path.stat().st_size - MEGABYTE) <= 0.05 * MEGABYTE


@pytest.mark.parametrize(("told", "count"), [("10MB", 10_000_000), ("1.5 gb", 1_500_000_000), ("7", 7)])
def test_sizes_are_read(told, count):
    assert generate.size(told) == count


def test_what_is_no_size_is_refused():
    with pytest.raises(Exception, match="is not a size"):
        generate.size("many")


def test_stated_doubles_are_doubled(made):
    doubles = made.told("doubled")
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


def test_stated_copies_are_as_similar_as_stated(made):
    assert made.told("copy")
    for row in made.told("copy"):
        if made.path.stem == "multilingual" and row["similarity"] < 1:
            continue  # what repair does to letters may move a word border in some scripts
        value = plain_similarity(repaired(made.rows[row["id"]]), repaired(made.rows[row["of"]]))
        assert value == pytest.approx(row["similarity"], abs=0.005)
        assert copies.similarity_class(row["similarity"]) == row["class"]


def test_stated_code_page_mistakes_stand_in_the_text(made):
    for row in made.told("mojibake"):
        assert row["seen"] in made.rows[row["id"]]["text"]
        assert row["seen"] == flaws.mojibake(row["meant"], row["layers"]) != row["meant"]


def test_a_quarter_of_the_hard_corpus_is_in_the_wrong_code_page(tmp_path):
    path = tmp_path / "hard.jsonl"
    count = generate.generate("hard", MEGABYTE, 3, path)
    told = [row for row in read_jsonl(generate.truth_path(path)) if row["kind"] == "mojibake"]
    assert 0.18 < len(told) / count < 0.32


def test_stated_lines_stand_in_so_many_articles(made):
    texts = [dedup.repair(row["text"])[0] for row in made.rows.values()]
    for row in made.told("boilerplate"):
        words = re.findall(r"\w+", row["line"])
        found = sum(re.search(r"\W+".join(words), text) is not None for text in texts)
        assert found == row["articles"]


def test_no_two_articles_are_alike_but_those_stated(made, tmp_path):
    found = judging.pairs(made.path, tmp_path)
    family = {row["id"]: row["of"] for row in made.told("copy")}
    for one, two, value in found.pairs:
        assert family.get(found.ids[one], found.ids[one]) == family.get(found.ids[two], found.ids[two])
        row = next((r for r in made.told("copy") if {r["id"], r["of"]} == {found.ids[one], found.ids[two]}), None)
        assert row is None or value == pytest.approx(row["similarity"], abs=0.005)
    stated = {(row["of"], row["id"]) for row in made.told("copy") if row["similarity"] > judging.JUSTIFIED + 0.01}
    if made.path.stem != "multilingual":
        assert stated <= {(found.ids[one], found.ids[two]) for one, two, _ in found.pairs}


def test_of_stated_copies_one_side_goes_and_nothing_else(cleaned, tmp_path):
    made, kept, _ = cleaned
    judged = judging.judge(judging.pairs(made.path, tmp_path), kept)
    assert judged["pairs"] >= 2
    assert judged["missed"] == judged["false drops"] == 0


def test_stated_doubles_are_removed(cleaned):
    made, kept, findings = cleaned
    found = {row["article"] for row in findings if row["rule"] == "repeated-block" and row["action"] == "drop"}
    stated = {row["id"] for row in made.told("doubled") if row["id"] in kept}
    assert stated
    assert stated <= found


def test_stated_code_page_mistakes_are_mended(cleaned):
    made, kept, _ = cleaned
    if made.path.stem == "multilingual":
        pytest.skip("which letters can be told from their mistakes differs between languages")
    for row in made.told("mojibake"):
        if row["id"] in kept:
            assert row["meant"] in kept[row["id"]]


def test_stated_lines_are_found_where_they_are_common(cleaned):
    made, kept, findings = cleaned
    found = {row["original"].strip() for row in findings if row["rule"] == "boilerplate"}
    if made.path.stem != "english":
        pytest.skip("in one long line it is no paragraph; in twelve languages hosts have too few articles")
    for row in made.told("boilerplate"):
        texts = [text["text"] for name, text in made.rows.items() if name in kept and row["host"] in text["url"]]
        having = sum(row["line"] in text for text in texts)
        at_end = next(way for way in WAYS if way.where == AT_END)
        if having > at_end.articles and having > at_end.share * len(texts):
            assert row["line"] in found


@pytest.mark.data
def test_the_join_finds_the_pairs_that_another_join_found(data_file, data_rows, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_job, "CORPORA", tmp_path)
    part = whole_job.slice_of(data_file("senate_releases"), 4 * MEGABYTE)
    found = judging.pairs(part, tmp_path)
    ours = {frozenset((found.ids[one], found.ids[two])): value for one, two, value in found.pairs}
    silver = {frozenset((row["a"], row["b"])): row["jaccard"] for row in data_rows("senate_releases.silver_pairs")}
    inside = {pair: value for pair, value in silver.items() if pair <= set(found.ids) and value >= 0.8}
    assert len(inside) > 3
    assert all(ours[pair] == pytest.approx(value, abs=0.0001) for pair, value in inside.items())
    assert {value for pair, value in ours.items() if value >= 0.8 and pair not in silver} <= {1.0}  # left out there


def test_a_choice_of_articles_is_judged_by_pairs_and_by_what_stays():
    pairs = judging.Pairs(["a", "b", "c", "d"], [(0, 1, 0.9), (1, 2, 0.795)])
    assert judging.judge(pairs, ["a", "b", "c", "d"])["missed"] == 1
    told = judging.judge(pairs, ["a", "c"])
    assert (told["recall"], told["dropped"], told["false drops"]) == (1, 2, 1)  # d is like nothing


def test_a_command_is_measured_with_all_its_processes(tmp_path):
    child = "import time; data = bytearray(b'a') * 60_000_000; time.sleep(0.6)"
    children = f"[subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in 'ab']"
    parent = f"import subprocess, sys; [process.wait() for process in {children}]"
    done = processes.measured([sys.executable, "-c", parent], tmp_path)
    assert done.status == 0
    assert done.seconds > 0.5
    assert 60 < done.largest < 100
    assert done.together > 120


def test_a_failing_command_is_told_in_a_line(tmp_path, capsys):
    done = processes.measured([sys.executable, "-c", "raise SystemExit('no such file')"], tmp_path)
    assert contenders.failed("peer", done)
    assert capsys.readouterr().err == "peer: left out, it ended with status 1: no such file\n"


def test_every_peer_has_a_script_and_pinned_requirements():
    scripts = {path.stem for path in environments.PEERS.glob("*.py")} - {"protocol"}
    assert scripts == set(environments.NAMES)
    assert set(contenders.DOES) == scripts | {contenders.OURS}
    for name in environments.NAMES:
        for line in (environments.PEERS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or re.fullmatch(r"[\w-]+==[\w.]+", line)


def test_a_peer_that_cannot_be_installed_is_told_in_a_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "none.txt").write_text("not a requirement at all\n", encoding="utf-8")
    monkeypatch.setattr(environments, "PEERS", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "made")
    assert environments.python("none") is None
    assert "none: left out" in capsys.readouterr().err


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
            "hard": {
                "megabytes": 20.0,
                "articles": 4500,
                "runs": 3,
                "contenders": {
                    "dedup": CONTENDER | {"recall": 1.0, "false drops": 0},
                    "plain_paragraphs": CONTENDER | {"seconds": 100.0, "times ours": 40.0},
                },
            }
        }
    },
    "articles": {"one": {"megabytes": 10.0, "verified": True}, "two": {"megabytes": 9.5, "pairs": 7, "verified": True}},
    "growth": {
        "sizes": [dict.fromkeys(table.GROWTH_COLUMNS, 10.0), dict.fromkeys(table.GROWTH_COLUMNS, 20.0)],
        "exponents": {"seconds": 1.01},
    },
    "stages": {"hard": {"megabytes": 10.0, "one process": {"clean": 9.5}, "all cores": {"clean": 18.0}}},
    "startup": {"dedup --help": {"seconds": 0.09, "largest process MB": 30}},
}
RESULTS = {name: {"machine": MACHINE, "figures": figures} for name, figures in FIGURES.items()}


def test_tables_show_every_figure():
    page = table.page(RESULTS)
    assert (
        "| plain paragraphs | ftfy + datasketch, near-duplicate paragraphs | 100.0 | 40.0 | 300 | 1,400 |  |  |" in page
    )
    assert page.index("plain paragraphs") < page.index("**dedup**")
    assert "| two | 9.5 | yes | 7 |" in page
    assert "| clean | all cores | 18.0 |" in page
    assert "Exponents of growth (1 is linear): seconds 1.01." in page
    assert "| `dedup --help` | 0.09 | 30 |" in page
    assert "2 cores of one, 8 GB, Linux 6.1, Python 3.11.7, numpy 2.4" in page
    for line in page.split("\n"):
        assert not line.startswith("|") or line.endswith("|")


def test_tables_go_between_their_lines():
    text = f"# A\n\n{table.BEGIN}\nold\n{table.END}\n\nmore\n"
    assert table.within(text, "new\n") == f"# A\n\n{table.BEGIN}\n\nnew\n\n{table.END}\n\nmore\n"
    assert table.within("# A\n", "new\n") == "# A\n"


def test_equal_figures_give_equal_plots(tmp_path):
    pytest.importorskip("matplotlib")
    one, two = (table.plots(RESULTS, tmp_path / name) for name in "ab")
    assert [path.name for path in one] == ["whole_job.svg", "growth.svg"]
    for before, after in zip(one, two, strict=True):
        assert before.read_bytes() == after.read_bytes()
        assert b"<dc:date>" not in before.read_bytes()


@pytest.mark.parametrize("name", sorted(table.SECTIONS))
def test_committed_figures_have_what_tables_need(name):
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    if not path.exists():
        pytest.skip("not measured yet")
    told = json.loads(path.read_text(encoding="utf-8"))
    assert set(told["machine"]) == set(MACHINE)
    assert table.page({name: told})
    if name == "whole_job":
        for corpus in told["figures"]["corpora"].values():
            assert set(CONTENDER) <= set.intersection(*(set(row) for row in corpus["contenders"].values()))
            assert {"recall", "false drops"} <= set(corpus["contenders"]["dedup"])


def test_the_generator_is_a_command(tmp_path):
    out = tmp_path / "made.jsonl"
    command = [sys.executable, "benchmarks/generate.py", "--kind", "english", "--size", "100KB", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\d+ articles in .*\n", done.stderr)
    assert len(out.read_text(encoding="utf-8").splitlines()) == int(done.stderr.split()[0])
