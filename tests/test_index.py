"""An index of the articles that stayed gives later runs what one run over all articles gives them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import read_jsonl
from helpers.command import run_dedup
from helpers.made_pages import made_pages
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.decide.outcomes import outcomes
from dedup.engines.local import Workers
from dedup.errors import IndexFolderError
from dedup.fingerprint.prefix_hashes import ordered_shingles, prefix_hashes
from dedup.index.manifest import read_manifest
from dedup.index.segments import SegmentReader
from dedup.index.session import IndexSession, index_session
from dedup.index.stored_articles import prepare_stored, stored_articles
from dedup.index.tiers import merge_small_segments
from dedup.index.upkeep import compact_index, index_stats, merge_index, remove_articles, verify_index
from dedup.inspect.verify import verify
from dedup.kernels import compiled, reference
from dedup.pipeline import decide
from dedup.prepare.batch import prepare
from dedup.prepare.corpus import Corpus
from dedup.prepare.site_text import SITE_TEXT_SCHEMA_OF_BATCH, take_out_site_text
from dedup.read.fields import to_json_bytes
from dedup.read.objects import JsonRecord, record_batch
from dedup.runtime.progress import StageTimer
from dedup.settings import Settings
from dedup.write.replacement import FileOperations
from dedup.write.seal import sealed_json

COMPARED = ("key", "digest", "words", "buckets", "own_words", "own_key", "minimizers", "paragraph_buckets")
MEMBERS = ("start", "stop", "raw_start", "raw_stop", "key_start", "key_stop", "words", "digest")
PIECES = st.sampled_from(
    [
        "One, two.",
        "It fell by -2 %.",
        "caf\u00c3\u00a9 \u00a0 au lait",
        "a line\nand\u0301 another",
        "\u0301x y",
        "",
        "人民日報 報導",
        "<b>x</b>",
    ]
)


@st.composite
def raw_texts(draw):
    parts = draw(st.lists(PIECES | st.text(max_size=12), min_size=1, max_size=8))
    parts += draw(st.sampled_from([[], parts, [f"{parts[0]} and five more words here again"] * 2]))
    return draw(st.sampled_from(["\n\n", "\n", "\n \n"])).join(parts)


def batch_of(texts, chosen):
    records = [JsonRecord(to_json_bytes({"id": str(n), "text": text}), None) for n, text in enumerate(texts)]
    return prepare(record_batch(records, 0), chosen)


@given(st.lists(raw_texts(), min_size=1, max_size=4), st.data())
@settings(max_examples=40, deadline=None)
def test_a_stored_article_is_prepared_again_as_it_was(texts, data):
    chosen = Settings(rules={"repeated-paragraph": "drop"})
    batch = batch_of(texts, chosen)
    batch = batch.filter(batch.column("error").is_null())
    counts = batch.column("paragraphs").value_lengths().to_pylist()
    lines = [
        {"row": row, "paragraph": number, "line": 0, "host": None, "size": 0, "action": "drop", "evidence": None}
        for row, count in enumerate(counts)
        for number in range(count)
        if data.draw(st.integers(0, 4)) == 0
    ]
    if lines:
        batch = take_out_site_text(batch, pa.RecordBatch.from_pylist(lines, SITE_TEXT_SCHEMA_OF_BATCH), chosen)
    stored = stored_articles(batch, np.ones(batch.num_rows, bool), np.ones(sum(counts), bool), chosen)
    for backend in (reference, compiled):
        again = prepare_stored(stored, chosen, backend)
        assert again.schema == batch.schema
        for name in COMPARED:
            assert again.column(name).to_pylist() == batch.column(name).to_pylist(), name
        ours, theirs = (one.column("paragraphs").flatten() for one in (again, batch))
        for name in MEMBERS:
            assert ours.field(name).to_pylist() == theirs.field(name).to_pylist(), name


@given(st.data(), st.sampled_from([0.05, 0.3, 0.5, 0.8, 0.95, 1.0]))
@settings(max_examples=100, deadline=None)
def test_similar_paragraphs_always_share_one_of_their_rarest_shingles(data, threshold):
    word = st.integers(0, 12)
    first = data.draw(st.lists(word, min_size=3, max_size=25))
    second = list(first)
    for _ in range(data.draw(st.integers(0, 3))):
        second[data.draw(st.integers(0, len(second) - 1))] = data.draw(word)
    second += data.draw(st.lists(word, max_size=4))
    sets = [{tuple(text[at : at + 3]) for at in range(len(text) - 2)} for text in (first, second)]
    hashes = np.array(first + second, np.uint64) + np.uint64(1)
    lengths = np.array(first + second, np.int64) % 5 + 1
    ordered = ordered_shingles(hashes, lengths, np.array([0, len(first), len(first) + len(second)]), 3)
    assert np.diff(ordered.borders).tolist() == list(map(len, sets))
    stored_of, stored, _ = prefix_hashes(ordered, threshold, for_lookup=False)
    wanted_by, wanted, needs = prefix_hashes(ordered, threshold, for_lookup=True)
    if len(sets[0] & sets[1]) / len(sets[0] | sets[1]) >= threshold:
        for one, other in ((0, 1), (1, 0)):
            kept = set(stored[stored_of == other].tolist())
            pairs = zip(wanted[wanted_by == one].tolist(), needs[wanted_by == one].tolist(), strict=True)
            hits = [need for value, need in pairs if value in kept]
            assert any(hits.count(need) >= need for need in hits)


WORDS = [f"w{number}" for number in range(30)]
paragraph_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)


@st.composite
def growing_corpora(draw):
    pool = draw(st.lists(paragraph_texts, min_size=1, max_size=5))
    rows = []
    for _ in range(draw(st.integers(2, 9))):
        parts = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
        parts = [part + draw(st.sampled_from(["", "", " w1", " and 5 more"])) for part in parts]
        rows.append(
            {"id": str(len(rows)), "title": draw(st.sampled_from([None, "One", "Two"])), "text": "\n\n".join(parts)}
        )
    borders = sorted(draw(st.sets(st.integers(1, len(rows) - 1), max_size=3)))
    return [rows[start:stop] for start, stop in zip([0, *borders], [*borders, len(rows)], strict=True)]


def prepared(rows, first, chosen):
    records = [JsonRecord(to_json_bytes(row), None) for row in rows]
    return Corpus([prepare(record_batch(records, first), chosen)])


def found_in(corpus, chosen, session=None):
    """The findings and the texts that are left, by record; twins are named by their record alone."""
    verdicts, _ = decide(corpus, chosen, Workers(compiled=False), StageTimer(), index=session)
    return {
        outcome.record: (outcome.cleaned, [finding._replace(twin_source=None) for finding in outcome.findings])
        for number, batch in verdicts.corpus.new_batches()
        for outcome in outcomes(batch, verdicts.of(number), chosen)
    }


def run_on(folder, rows, first, chosen):
    with index_session(folder, chosen) as session:
        found = found_in(prepared(rows, first, chosen), chosen, session)
        session.writer.replace(
            session.writer.manifest._replace(
                runs=session.run, segments=(*session.writer.manifest.segments, session._added)
            )
        )
        merge_small_segments(session.writer, chosen, reference)
    return found


BATCHED_RULES = [
    {},
    {"shared-paragraph": "drop", "repeated-paragraph": "drop", "near-duplicate-article": "flag"},
    {"near-duplicate-article": "flag"},
    {"near-duplicate-article": "off", "duplicate-article": "flag"},
]


@pytest.mark.slow
@pytest.mark.parametrize("rules", BATCHED_RULES, ids=str)
@given(batches=growing_corpora())
@settings(max_examples=8, deadline=None)
def test_batches_give_what_one_run_over_the_whole_gives(rules, batches):
    chosen = Settings(keep="first", rules={"boilerplate": "off", "contained-article": "off", **rules})
    whole = found_in(prepared([row for batch in batches for row in batch], 0, chosen), chosen)
    found, first = {}, 0
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.index.tiers.FAN_OUT", 2)  # so that small corpora have merged segments
        for rows in batches:
            found |= run_on(Path(folder), rows, first, chosen)
            first += len(rows)
    assert found == whole


def story(number):
    return " ".join(f"word{number}x{place}" for place in range(40))


def write(path, rows):
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    return path


@pytest.fixture
def grown(tmp_path):
    """An index of a first run, and the articles of a second: a copy, one that shares a paragraph, and another."""
    shared = "The council of the town met on Monday to speak about the new bridge."
    old = [{"id": f"old-{number}", "text": story(number)} for number in range(3)]
    old[0]["text"] += f"\n\n{shared}"
    new = [
        {"id": "copy", "text": old[1]["text"] + " and more"},
        {"id": "shares", "text": f"{story(7)}\n\n{shared}"},
        {"id": "other", "text": story(8)},
    ]
    write(tmp_path / "new.jsonl", new)
    dedup.clean(write(tmp_path / "old.jsonl", old), tmp_path / "first", index=tmp_path / "seen")
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_twins_in_an_index_are_named_explained_and_proved(grown):
    finished = run_dedup(f"dedup clean {grown}/new.jsonl --index {grown}/seen -o {grown}/out -q")
    assert (finished.status, finished.stderr) == (0, "")
    (dropped,) = lines(grown / "out" / "dropped.jsonl")
    assert (dropped["id"], dropped["provenance"]["twin"]) == ("copy", "old-1")
    found = {row["rule"]: row for row in lines(grown / "out" / "provenance.jsonl")}
    assert found["near-duplicate-article"]["twin_source"] == "index/1/old.jsonl"
    assert (found["shared-paragraph"]["twin"], found["shared-paragraph"]["twin_start"]) == ("old-0", len(story(0)) + 2)
    assert verify(grown / "out").mismatches == []
    assert run_dedup(f"dedup explain {grown}/out copy").stdout.count("word1x0 word1x1") == 2
    assert verify_index(grown / "seen") == []
    numbers = index_stats(grown / "seen")
    assert (numbers["runs"], numbers["segments"], numbers["articles"]) == (2, 2, 5)
    remove_articles(grown / "seen", ["old-1"])
    assert [mismatch.what.rpartition(": ")[2] for mismatch in verify(grown / "out").mismatches] == [
        "its twin 'old-1' (index/1/old.jsonl#1) is not there"
    ]
    shutil.rmtree(grown / "seen")
    (mismatch,) = verify(grown / "out").mismatches
    assert "2 twins cannot be checked: the index of the known articles cannot be read" in mismatch.what


def test_a_removed_article_is_gone_and_its_duplicates_can_stay(grown):
    assert run_dedup(f"dedup index remove {grown}/seen old-1 old.jsonl#2").stderr == "removed 1 article\n"
    assert run_dedup(f"dedup index remove {grown}/seen index/1/old.jsonl#2 -q").status == 0
    assert run_dedup(f"dedup index remove {grown}/seen old-1").status == 1
    assert index_stats(grown / "seen")["articles"] == 1
    assert verify_index(grown / "seen") == []
    report = dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    assert report.counts["kept"] == 3


def test_a_run_is_not_repeated_over_its_own_index_until_its_articles_are_removed(grown):
    command = f"dedup clean {grown}/old.jsonl --index {grown}/seen -o {grown}/first --force -q"
    before = {path: path.read_bytes() for path in (grown / "first").iterdir()}
    finished = run_dedup(command)
    assert finished.status == 2
    assert finished.stderr == (
        f"dedup: error: {grown}/first: its articles, of old.jsonl, are in {grown}/seen as run 1, and would be dropped "
        f"as duplicates of themselves; first run dedup index remove {grown}/seen index/1, or name another output, "
        "which gets the new articles\n"
    )
    assert {path: path.read_bytes() for path in (grown / "first").iterdir()} == before
    assert index_stats(grown / "seen")["runs"] == 1
    assert run_dedup(f"dedup clean {grown}/new.jsonl --index {grown}/seen -o {grown}/second -q").status == 0
    compact_index(grown / "seen")  # which merges the segments of both runs
    assert run_dedup(command).status == 2
    assert run_dedup(f"dedup index remove {grown}/seen index/1").stderr == "removed 3 articles\n"
    assert (index_stats(grown / "seen")["articles"], verify_index(grown / "seen")) == (2, [])
    assert run_dedup(command).status == 0
    assert [row["id"] for row in lines(grown / "first" / "articles.jsonl")] == ["old-0", "old-1", "old-2"]
    assert run_dedup(f"dedup index remove {grown}/seen index/1").status == 1


def test_a_run_over_an_input_that_has_grown_does_not_replace_its_own_output(grown):
    old = grown / "old.jsonl"
    old.write_text(old.read_text() + json.dumps({"id": "old-3", "text": story(3)}) + "\n")
    with pytest.raises(IndexFolderError, match=r"first: its articles, of old\.jsonl, are in .*; first run dedup index"):
        dedup.clean([old, grown / "new.jsonl"], grown / "first", index=grown / "seen", force=True)
    assert len(lines(grown / "first" / "articles.jsonl")) == 3
    assert dedup.clean(old, grown / "more", index=grown / "seen").counts["kept"] == 1


def test_a_removed_run_leaves_nothing_in_the_index(grown):
    dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    before = index_stats(grown / "seen")
    assert [remove_articles(grown / "seen", ["index/2"]) for _ in range(2)] == [2, 0]
    dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen", force=True)
    assert index_stats(grown / "seen") == {**before, "runs": 3}


def test_an_output_in_an_index_may_be_replaced_by_another_batch(grown):
    """An output that is consumed, and then replaced by the next batch, and one whose run has kept nothing."""
    old, new = grown / "old.jsonl", grown / "new.jsonl"
    assert dedup.clean(new, grown / "first", index=grown / "seen", force=True).counts["kept"] == 2
    assert dedup.clean(old, grown / "first", index=grown / "seen", force=True).counts["kept"] == 0
    assert dedup.clean(old, grown / "first", index=grown / "seen", force=True).counts["kept"] == 0
    assert dedup.clean([old, new], grown / "first", index=grown / "seen", force=True).counts["kept"] == 0
    assert dedup.clean(old, grown / "second").counts["kept"] == 3
    assert dedup.clean(old, grown / "second", index=grown / "other", force=True).counts["kept"] == 3  # not in that one
    with pytest.raises(IndexFolderError, match=r"second: its articles, of old\.jsonl, are in .*other as run 1"):
        dedup.clean(old, grown / "second", index=grown / "other", force=True)


def test_commands_say_what_they_did_to_an_index(grown):
    assert run_dedup(f"dedup index compact {grown}/seen").stderr == "nothing to do: the index has 1 segment\n"
    assert run_dedup(f"dedup index stats {grown}/seen").stdout.startswith("3 articles of 1 run in 1 segment, 0 lines")
    dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    before = index_stats(grown / "seen")["bytes"]
    finished = run_dedup(f"dedup index compact {grown}/seen")
    after = index_stats(grown / "seen")["bytes"]
    assert finished.stderr == f"made one segment of 2: {before:,} bytes before, {after:,} now\n"
    assert run_dedup(f"dedup index compact {grown}/seen -q").stderr == ""


def test_indexes_are_merged_as_if_the_second_had_come_later(grown):
    dedup.clean(grown / "new.jsonl", grown / "apart", index=grown / "other")
    assert run_dedup(f"dedup index merge {grown}/seen {grown}/other").stderr == "added 2 articles\n"
    assert verify_index(grown / "seen") == []
    compact_index(grown / "seen")
    numbers = index_stats(grown / "seen")
    assert (numbers["segments"], numbers["articles"]) == (1, 5)
    again = dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    assert again.counts["kept"] == 0
    twins = {row["id"]: row["provenance"]["twin"] for row in lines(grown / "out" / "dropped.jsonl")}
    assert twins == {"copy": "old-1", "shares": "shares", "other": "other"}
    assert verify(grown / "out").mismatches == []
    with pytest.raises(IndexFolderError, match="cannot be merged with itself"):
        merge_index(grown / "seen", grown / "seen")


def test_site_text_is_remembered(tmp_path):
    menu = ["Home of the daily news", "Sports and the weather", "Letters to the editor", "All of our puzzles"]
    pages = [{"url": f"https://a.test/{number}", "text": "\n\n".join([story(number), *menu])} for number in range(6)]
    write(tmp_path / "one.jsonl", pages[:5])
    write(tmp_path / "two.jsonl", pages[5:])
    dedup.clean(tmp_path / "one.jsonl", tmp_path / "first", index=tmp_path / "seen")
    assert index_stats(tmp_path / "seen")["site_text"] == 4
    dedup.clean(tmp_path / "two.jsonl", tmp_path / "second", index=tmp_path / "seen")
    (article,) = lines(tmp_path / "second" / "articles.jsonl")
    assert article["text"] == story(5)
    assert {row["evidence"] for row in lines(tmp_path / "second" / "provenance.jsonl")} == {
        "in 5 of 5 earlier articles"
    }
    assert verify(tmp_path / "second").mismatches == []
    alone = dedup.clean(tmp_path / "two.jsonl", tmp_path / "alone")
    assert "boilerplate" not in alone.rules()


def test_site_text_that_is_only_flagged_is_compared_with_no_paragraph(tmp_path):
    line = "Sign up for our daily newsletter to read more stories like this one"
    pages = [{"url": f"https://a.test/{number}", "text": f"{story(number)}\n\n{line}"} for number in range(6)]
    write(tmp_path / "one.jsonl", pages[5:])  # a candidate, so that its articles are read
    write(tmp_path / "two.jsonl", pages)
    chosen = Settings(rules={"boilerplate": "flag"})
    dedup.clean(tmp_path / "one.jsonl", tmp_path / "first", chosen, index=tmp_path / "seen")
    found = dedup.clean(tmp_path / "two.jsonl", tmp_path / "second", chosen, index=tmp_path / "seen").rules()
    assert dedup.clean(tmp_path / "two.jsonl", tmp_path / "alone", chosen).rules().keys() == {"boilerplate"}
    assert found.keys() == {"boilerplate", "duplicate-article"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"threshold": 0.7}, "this index was made with threshold 0.8, not 0.7"),
        ({"rules": {"shared-paragraph": "drop"}}, "made with the rule shared-paragraph flag, not drop"),
    ],
)
def test_an_index_refuses_other_settings(grown, options, problem):
    with pytest.raises(IndexFolderError, match=problem):
        dedup.clean(grown / "new.jsonl", grown / "out", dedup.Settings(**options), index=grown / "seen")
    assert not (grown / "out").exists()


def test_an_index_refuses_another_scheme_of_hashes(grown):
    path = grown / "seen" / "index.json"
    contents = json.loads(path.read_text().replace("affine32", "other"))
    path.write_bytes(sealed_json({name: value for name, value in contents.items() if name != "sha256"}))
    with pytest.raises(IndexFolderError, match="made with signature other, not affine32"):
        dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")


@pytest.mark.parametrize("command", ["stats", "verify", "compact", "remove {} x", "merge {} {}"])
def test_a_folder_that_is_no_index_is_one_line(tmp_path, command):
    (tmp_path / "file").touch()
    command = command if "{}" in command else f"{command} {{}}"
    for folder in (tmp_path, tmp_path / "nowhere"):
        finished = run_dedup(f"dedup index {command.format(folder, folder)}")
        assert (finished.status, len(finished.stderr.strip().splitlines())) == (2, 1)
    finished = run_dedup(f"dedup clean {tmp_path}/file --index {tmp_path} -o {tmp_path}-out")
    assert (finished.status, "is no index of dedup" in finished.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_damaged_index_is_found(grown):
    (segment,) = (grown / "seen").glob("run-*")
    for name in ("articles.parquet", "postings.parquet"):
        data = (segment / name).read_bytes()
        (segment / name).write_bytes(data[:40] + b"x" + data[41:])
        assert any(name in problem for problem in verify_index(grown / "seen"))
        (segment / name).unlink()
    with pytest.raises(IndexFolderError, match=r"postings\.parquet: cannot be read"):
        dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")


def test_a_second_writer_waits_for_nobody(grown):
    with (
        index_session(grown / "seen", Settings()),
        pytest.raises(IndexFolderError, match=r"is being written by process \d+ on .* since"),
    ):
        dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    assert index_stats(grown / "seen")["runs"] == 1  # a reader needs no lock


def test_an_index_needs_an_output_folder(grown):
    for options, problem in (
        ("-o -", "takes effect together with an output folder; name one for --out"),
        ("--dry-run", "takes effect together with an output, and --dry-run writes none; leave one out"),
        ("-o out --dry-run", "takes effect together with an output, and --dry-run writes none; leave one out"),
    ):
        finished = run_dedup(f"dedup clean {grown}/new.jsonl --index {grown}/seen {options}")
        assert (finished.status, problem in finished.stderr) == (2, True)


def test_a_run_that_fails_leaves_the_index_as_it_was(grown, monkeypatch):
    def fail(*_args):
        raise OSError(28, "No space left on device")

    before = {path.name for path in (grown / "seen").iterdir()}
    monkeypatch.setattr("dedup.write.destination.put_in_place", fail)
    with pytest.raises(dedup.OutputError):
        dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    monkeypatch.undo()
    assert index_stats(grown / "seen")["runs"] == 1
    dedup.clean(grown / "new.jsonl", grown / "out", index=grown / "seen")
    assert index_stats(grown / "seen")["runs"] == 2
    assert {path.name for path in (grown / "seen").iterdir()} == before | {"run-000002"}


def run_killed(folder, step):
    """Run the second job in a process that is killed before its change number `step` of the disk; True if it was."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    count = 0

    def counted(function):
        def change(*args, **options):
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return change

    try:
        original = IndexSession.stage

        def stage(*args):
            for owner, names in ((Path, ("replace", "rename", "unlink")), (FileOperations, ("rename", "exchange"))):
                for name in names:
                    setattr(owner, name, counted(getattr(owner, name)))
            original(*args)

        IndexSession.stage = stage
        dedup.clean(folder / "new.jsonl", folder / "out", index=folder / "seen", force=True)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the child must end here
        os._exit(1)


@pytest.mark.slow
def test_a_killed_run_leaves_output_and_index_both_old_or_both_new(grown):
    expected = None
    for step in range(1, 30):
        folder = grown / str(step)
        folder.mkdir()
        shutil.copy(grown / "new.jsonl", folder)
        shutil.copytree(grown / "seen", folder / "seen")
        was_killed = run_killed(folder, step)
        is_new = (folder / "out").exists()
        assert index_stats(folder / "seen")["runs"] == 1 + is_new, step  # before anything is put in order
        with index_session(folder / "seen", Settings()) as session:
            assert session.writer.manifest.runs == 1 + is_new, step
        assert index_stats(folder / "seen")["runs"] == 1 + is_new, step
        assert verify_index(folder / "seen") == []
        if is_new:  # the output of the killed run is complete
            with pytest.raises(IndexFolderError, match=r"out: its articles, of new\.jsonl, are in"):
                dedup.clean(folder / "new.jsonl", folder / "out", index=folder / "seen", force=True)
        else:
            dedup.clean(folder / "new.jsonl", folder / "out", index=folder / "seen", force=True)
        segments = sorted(path.name for path in (folder / "seen").glob("run-*"))
        found = (folder / "out" / "run.json").read_bytes(), index_stats(folder / "seen"), segments
        assert found == (expected or found), step
        expected = found
        if not was_killed:
            break
    assert 4 < step < 29


def test_a_line_that_is_only_flagged_is_not_site_text_for_later_runs(tmp_path):
    rows = made_pages((9,))
    dedup.clean(rows, tmp_path / "out", index=tmp_path / "seen")
    table = read_jsonl(tmp_path / "out" / "site_text.jsonl")
    flagged = {row["text"] for row in table if not row["dropped"]}
    assert flagged
    [segment] = read_manifest(tmp_path / "seen").segments
    stored = {row["text"] for row in SegmentReader(tmp_path / "seen", segment).lines()}
    assert stored == {row["text"] for row in table if row["dropped"]}
    later = {**rows[0], "id": "later", "text": "\n".join([*sorted(flagged)[:2], "The bridge was opened on Monday."])}
    dedup.clean([later], tmp_path / "later", index=tmp_path / "seen")
    assert not [row for row in read_jsonl(tmp_path / "later" / "provenance.jsonl") if row["rule"] == "boilerplate"]


@pytest.mark.parametrize(("out", "index"), [("seen/out", "seen"), ("out", "out/seen"), ("out", "out")])
def test_an_output_and_an_index_are_folders_apart(tmp_path, out, index):
    with pytest.raises(IndexFolderError, match="neither inside the other"):
        dedup.clean([{"text": "A text."}], tmp_path / out, index=tmp_path / index)
    assert list(tmp_path.iterdir()) == []
