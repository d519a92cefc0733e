"""Choosing a threshold: the arithmetic, what is asked, and the command from questions to answer."""

from __future__ import annotations

import json
import math
import os
import pty
import random
import select
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from conftest import read_jsonl, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from dedup import Settings
from dedup.engines.local import LocalEngine
from dedup.errors import InputError, SettingsError
from dedup.fingerprint.minhash import bands, buckets, minhash_signatures
from dedup.fingerprint.shingles import hash_words
from dedup.fingerprint.similarity import jaccard
from dedup.kernels import reference
from dedup.tune.candidate_pairs import meetings, pairs_within
from dedup.tune.estimates import Bin, choose, estimate, share_same, wilson
from dedup.tune.labels import Label, append, load_labels
from dedup.tune.prompt import PROMPT, SHOWN, side_by_side
from dedup.tune.sampling import bin_numbers, draws, edges, sample
from dedup.tune.survey import Asked, survey, window

DEDUP = (sys.executable, "-m", "dedup")

# Wilson's interval

# same, labels, lower and upper limit: Newcombe, Two-sided confidence intervals for the single proportion (1998)
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("same", "labels", "low", "high"), NEWCOMBE)
def test_wilson_gives_the_published_limits(same, labels, low, high):
    found = wilson(same / labels, labels)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1e4), st.floats(1, 100))
def test_wilson_rises_with_the_share_and_narrows_with_labels(one, two, labels, more):
    low, high = sorted((one, two))
    less, greater = wilson(low, labels), wilson(high, labels)
    assert 0 <= less.low <= less.value <= less.high <= 1
    assert less.low <= greater.low + 1e-12
    assert less.high <= greater.high + 1e-12
    narrow = wilson(low, labels * more)
    assert narrow.low >= less.low - 1e-12
    assert narrow.high <= less.high + 1e-12


# estimates


@st.composite
def filled_bins(draw, least=0):
    borders = edges((0.6, 0.95))
    found = []
    for low, high in pairwise(borders):
        pairs = draw(st.integers(least, 500))
        labels = draw(st.integers(least, pairs))
        found.append(Bin(low, high, pairs, labels, draw(st.integers(0, labels))))
    return found


@given(filled_bins(least=1), st.integers(0, 6))
def test_estimates_are_those_of_a_plain_computation(bins, number):
    threshold = bins[number].low
    found = estimate(bins, threshold)
    same = [one.pairs * one.same / one.labels for one in bins]
    pairs = sum(one.pairs for one in bins[number:])
    assert found.pairs == pairs
    assert found.labels == sum(one.labels for one in bins[number:])
    assert math.isclose(found.precision.value, sum(same[number:]) / pairs, abs_tol=1e-12)
    if sum(same):
        assert math.isclose(found.recall.value, sum(same[number:]) / sum(same), abs_tol=1e-12)
    for interval in (found.precision, found.recall):
        assert -1e-12 <= interval.low <= interval.value + 1e-9
        assert interval.value <= interval.high + 1e-9 <= 1 + 2e-9


@given(filled_bins())
def test_estimates_say_nothing_where_nothing_was_answered(bins):
    for number, one in enumerate(bins):
        found = estimate(bins, one.low)
        assert (found.precision is None) == (not any(one.labels for one in bins[number:]))


@given(st.integers(1, 50), st.integers(1, 6), st.data())
def test_evenly_labelled_bins_of_one_share_give_wilsons_interval(labels, count, data):
    same = data.draw(st.integers(0, labels))
    bins = [Bin(number / 10, (number + 1) / 10, 1e9, labels, same) for number in range(count)]
    found, effective = share_same(bins)
    plain = wilson(same / labels, labels * count)
    assert math.isclose(effective, labels * count, rel_tol=1e-6)
    assert all(math.isclose(one, two, abs_tol=1e-6) for one, two in zip(found, plain, strict=True))


def test_all_labelled_is_all_known():
    found, effective = share_same([Bin(0.8, 0.85, 8, 8, 6), Bin(0.85, 0.9, 2, 2, 2)])
    assert found == (0.8, 0.8, 0.8)
    assert effective == math.inf


def test_a_bin_without_labels_widens_the_interval_by_its_share():
    found, _ = share_same([Bin(0.8, 0.85, 50, 50, 50), Bin(0.85, 0.9, 50, 0, 0)])
    assert (found.low, found.high) == (0.5, 1.0)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = random.Random(7)
    held = [(0.6, 4000), (0.75, 1500), (0.95, 900), (1.0, 300)]  # share of same pairs, pairs
    truth = sum(share * pairs for share, pairs in held) / sum(pairs for _, pairs in held)
    hits = 0
    for _ in range(400):
        bins = [
            Bin(at, at, pairs, 12, sum(rng.random() < share for _ in range(12)))
            for at, (share, pairs) in enumerate(held)
        ]
        found, _ = share_same(bins)
        hits += found.low <= truth <= found.high
    assert hits >= 0.93 * 400


# the choice


@given(filled_bins(), st.floats(0.5, 0.99))
def test_the_lowest_threshold_that_is_sure_is_chosen(bins, precision):
    estimates = [estimate(bins, one.low) for one in bins]
    choice = choose(estimates, precision, sum(one.labels for one in bins))
    told = [one for one in estimates if one.precision]
    sure = [one.threshold for one in told if one.precision.low >= precision]
    if not told:
        assert choice is None
    elif sure:
        assert choice == (min(sure), True, 0)
    else:
        best = max(one.precision.low for one in told)
        assert not choice.reached
        assert best == next(one.precision.low for one in told if one.threshold == choice.threshold)


def test_as_many_more_labels_are_asked_for_as_settle_it():
    few = [Bin(0.8, 0.85, 1e9, 20, 20)]
    choice = choose([estimate(few, 0.8)], 0.95, 20)
    assert choice == (0.8, False, 53)  # 73 of 73 have a lower limit of 0.95
    enough = [Bin(0.8, 0.85, 1e9, 73, 73)]
    assert choose([estimate(enough, 0.8)], 0.95, 73).reached
    assert choose([estimate([Bin(0.8, 0.85, 1e9, 20, 15)], 0.8)], 0.95, 20).more is None


# the sample


def test_bins_lie_on_the_grid_and_hold_their_lower_border():
    assert edges((0.6, 0.95)) == [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    assert edges((0.81, 0.83)) == [0.81, 0.83]
    assert bin_numbers(np.array([0.6, 4 / 5, 0.7999, 0.95]), edges((0.6, 0.95))).tolist() == [0, 4, 3, 6]


def _population(rng, count):
    marks = rng.integers(0, 1 << 63, (2, count)).astype(np.uint64)
    return marks, rng.integers(0, 5, count), rng.choice([1.0, 2.5, 40.0], count), rng.random(count) < 0.2


@given(st.integers(0, 60), st.integers(0, 30), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_sample_does_not_depend_on_the_order_of_pairs(size, count, seed, shuffler):
    (ones, twos), bins, weights, labelled = _population(np.random.default_rng(size), size)
    counts = np.bincount(bins[labelled], minlength=5).tolist()
    chosen = sample(bins, weights, draws(ones, twos, seed), labelled, counts, count)
    order = np.array(shuffler.sample(range(size), size), np.int64)
    again = sample(bins[order], weights[order], draws(twos[order], ones[order], seed), labelled[order], counts, count)
    assert order[again].tolist() == chosen.tolist()
    assert len(set(chosen.tolist())) == len(chosen) == min(count, int((~labelled).sum()))
    assert not labelled[chosen].any()


@given(st.integers(1, 80), st.integers(0, 30))
def test_a_larger_sample_holds_the_smaller_and_bins_are_filled_evenly(size, count):
    (ones, twos), bins, weights, labelled = _population(np.random.default_rng(size), size)
    drawn = draws(ones, twos, 1)
    labelled[:] = False
    small, large = (set(sample(bins, weights, drawn, labelled, [0] * 5, n).tolist()) for n in (count, count + 1))
    assert small <= large
    taken = np.bincount(bins[sorted(small)], minlength=5) if small else np.zeros(5, int)
    held = np.bincount(bins, minlength=5)
    assert all(taken[one] >= taken.max() - 1 for one in range(5) if taken[one] < held[one])


def test_pairs_that_stand_for_more_are_drawn_more_often():
    weights = np.array([1.0] * 50 + [9.0] * 50)
    rng = np.random.default_rng(3)
    heavy = 0
    for seed in range(200):
        ones, twos = rng.integers(0, 1 << 63, (2, 100)).astype(np.uint64)
        chosen = sample(np.zeros(100, np.int64), weights, draws(ones, twos, seed), np.zeros(100, bool), [0], 5)
        heavy += int((chosen >= 50).sum())
    assert 0.85 < heavy / 1000 < 0.93


# pairs


def _keys(seed, count):
    rng = random.Random(seed)
    base = [f"w{number}" for number in range(40)]
    made = {tuple(base)}
    while len(made) < count:
        words = list(base)
        for _ in range(rng.randrange(6)):
            words[rng.randrange(40)] = f"x{rng.randrange(1000)}"
        made.add(tuple(words))
    return [" ".join(words).encode() for words in sorted(made)]


@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_of_the_window_are_found_with_their_exact_similarity(seed):
    keys = _keys(seed, 30)
    marks = np.arange(30, dtype=np.uint64)
    hashes, ends = hash_words(keys)
    made = buckets(minhash_signatures(hashes, ends[:-1], ends[1:], 3), *bands(0.5))
    found = pairs_within(made, marks, lambda at: [keys[n] for n in at], 3, (0.5, 0.9), reference)
    every = {(i, j): jaccard(keys[i], keys[j], 3) for i in range(30) for j in range(i + 1, 30)}
    wanted = {pair: value for pair, value in every.items() if 0.5 <= value <= 0.9}
    assert (
        dict(zip(zip(found.ones.tolist(), found.twos.tolist(), strict=True), found.similarities, strict=True)) == wanted
    )
    assert (found.weights == 1).all()


def test_a_huge_bucket_is_sampled_and_its_pairs_stand_for_all():
    count, bands_ = 600, 3
    made = np.zeros((count, bands_), np.uint32)
    marks = np.random.default_rng(1).integers(0, 1 << 63, count).astype(np.uint64)
    codes, sizes, neighbours = meetings(made, marks, at_most=10_000)
    assert (sizes == count).all()
    assert neighbours == 4
    assert len(codes) <= count * neighbours * bands_
    keys = [b"a b c d"] * count
    found = pairs_within(made, marks, lambda at: [keys[n] for n in at], 2, (0.5, 1.0), reference)
    assert len(found.ones) <= count * 32 * bands_
    assert math.isclose(found.weights.sum(), count * (count - 1) / 2, rel_tol=0.02)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=90), st.randoms(use_true_random=False))
def test_meetings_do_not_depend_on_the_order_of_texts(values, shuffler):
    made = np.array([values, values[::-1]], np.uint32).T
    marks = np.random.default_rng(0).integers(0, 1 << 63, len(values)).astype(np.uint64)
    order = np.array(shuffler.sample(range(len(values)), len(values)))
    pairs = []
    for at in (np.arange(len(values)), order):
        codes, _, _ = meetings(made[at], marks[at], at_most=200)
        pairs.append({frozenset((int(at[code // len(at)]), int(at[code % len(at)]))) for code in codes})
    assert pairs[0] == pairs[1]
    assert all(len(pair) == 2 for pair in pairs[0])


# labels and questions


def test_labels_are_read_back_and_the_later_counts(tmp_path):
    path = tmp_path / "labels.jsonl"
    first = Label(("bb", "aa"), ("x#1", "y\ud800#2"), 0.75, "same", 5)
    append(path, first)
    path.write_bytes(path.read_bytes().rstrip())  # as an editor may leave it
    append(path, first._replace(answer="different", texts=("aa", "bb")))
    append(path, first._replace(shingle=3))
    assert {key: label.answer for key, label in load_labels(path).items()} == {
        ("aa", "bb", 5): "different",
        ("aa", "bb", 3): "same",
    }


@pytest.mark.parametrize(
    "line",
    [
        "{torn",
        "[]",
        "3",
        '{"texts": ["a", "b"]}',
        '{"texts": "ab", "articles": "ab", "similarity": 2, "answer": "same", "shingle": 5}',
    ],
)
def test_what_is_no_label_is_told_by_its_line(tmp_path, line):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=r"labels\.jsonl:2: not a label"):
        load_labels(path)


def test_the_window_must_be_one():
    assert window(0.1, None, None) == (0.05, 0.25)
    for low, high in ((0.9, 0.5), (0.0, 0.5), (0.5, 1.1), (0.7, 0.7), (math.nan, 1.0)):
        with pytest.raises(SettingsError, match="no window"):
            window(0.8, low, high)


@given(
    st.lists(st.sampled_from(["a", "b", "c", "D,", "北京", "“e”", "é"]), max_size=400),
    st.randoms(use_true_random=False),
)
def test_what_is_shown_is_marked_where_it_differs_and_bounded(words, rng):
    other = [word for word in words if rng.random() < 0.9]
    for runs in side_by_side(" ".join(words), " ".join(other)):
        assert sum(len(run.words) for run in runs) <= SHOWN + 1
    one, two = side_by_side(" ".join(words), " ".join(words))
    assert one == two
    assert all(run.common for run in one)


def test_differences_far_into_a_long_text_are_shown():
    words = [f"w{number}" for number in range(1000)]
    changed = [*words[:900], "CHANGED", *words[901:]]
    one, two = side_by_side(" ".join(words), " ".join(changed))
    assert [run.words for run in one if not run.common] == [["w900"]]
    assert [run.words for run in two if not run.common] == [["CHANGED"]]
    assert sum(len(run.words) for run in one) < 40


# the command


def _made(groups=60):
    """Pairs of articles with one to four words changed: similarity 0.90, 0.81, 0.73 or 0.66."""
    rng = random.Random(5)
    articles = []
    for group in range(groups):
        words = [f"g{group}w{rng.randrange(10**6)}" for _ in range(100)]
        changed = list(words)
        for number in range(group % 4 + 1):
            changed[20 * number + 10] = f"changed{rng.randrange(10**6)}"
        articles += [{"id": f"{group}a", "text": " ".join(words)}, {"id": f"{group}b", "text": " ".join(changed)}]
    return articles


def _same(label):
    """The truth about a pair of `_made`: one or two changed words make no other article."""
    one, two = (int(article.split("#")[1]) // 2 for article in label["articles"])
    assert one == two
    return one % 4 < 2


def tune(folder, *args, answers="", status=0):
    """A finished ``dedup tune``, its labels in `folder`."""
    done = subprocess.run(
        [*DEDUP, "tune", *map(str, args)],
        input=answers,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        check=False,
        env={name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR"}},
    )
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A folder with a made corpus, and all its pairs as they were asked, each passed over."""
    folder = tmp_path_factory.mktemp("tune")
    write_jsonl(folder / "made.jsonl", _made())
    tune(folder, "made.jsonl", "--pairs", 99, "--labels", "skipped.jsonl", answers="s\n" * 99, status=2)
    return folder, read_jsonl(folder / "skipped.jsonl")


def test_true_answers_lead_to_the_true_threshold(asked):
    folder, pairs = asked
    assert len(pairs) == 60
    answers = "".join("y\n" if _same(pair) else "n\n" for pair in pairs)
    done = tune(folder, "made.jsonl", "--pairs", 99, "--labels", "all.jsonl", "--json", answers=answers)
    found = json.loads(done.stdout)
    assert found["choice"] == {"threshold": 0.75, "reached": True, "more": 0}
    assert (found["labels"], found["skipped"], found["window"]) == (60, 0, [0.6, 0.95])
    assert [one["pairs"] for one in found["bins"]] == [0, 15, 15, 0, 15, 0, 15]
    told = {one["threshold"]: one for one in found["thresholds"]}
    assert told[0.6]["precision"] == {"value": 0.5, "low": 0.5, "high": 0.5}  # every pair is labelled
    assert told[0.8]["precision"]["value"] == told[0.8]["recall"]["value"] == 1.0
    assert told[0.85]["recall"]["value"] == 0.5
    again = tune(folder, "made.jsonl", "--pairs", 99, "--labels", "all.jsonl", "--json")
    assert PROMPT not in again.stderr, "no pair is asked about twice"
    assert again.stdout == done.stdout
    report = tune(folder, "made.jsonl", "--report", "--labels", "all.jsonl")
    assert "Take 0.75: the lowest threshold whose precision is 0.95 or more" in report.stdout
    assert report.stderr == ""


def test_few_answers_are_kept_and_said_to_be_few(asked):
    folder, _ = asked
    tune(folder, "made.jsonl", "--pairs", 12, "--labels", "twelve.jsonl", answers="s\n" * 12, status=2)
    pairs = read_jsonl(folder / "twelve.jsonl")
    answers = "".join("Y\n" if _same(pair) else "what?\nn\n" for pair in pairs)
    done = tune(folder, "made.jsonl", "--pairs", 12, "--labels", "few.jsonl", answers=answers)
    assert "too few labels" in done.stdout
    assert done.stderr.count("of 12") == 12
    labels = read_jsonl(folder / "few.jsonl")
    assert len(labels) == 12
    assert all(label["answer"] == ("same" if _same(label) else "different") for label in labels)
    assert not any(f"{label['similarity']:.2f}" in done.stderr for label in labels), "similarity is not told"
    tune(folder, "made.jsonl", "--pairs", 2, "--labels", "few.jsonl", answers="q\n")
    assert len(read_jsonl(folder / "few.jsonl")) == 12
    tune(folder, "made.jsonl", "--pairs", 2, "--labels", "few.jsonl", answers="s\ny\n")
    labels = read_jsonl(folder / "few.jsonl")
    assert len({tuple(sorted(label["texts"])) for label in labels}) == 14


def test_the_same_pairs_are_asked_whatever_the_order_and_jobs(asked):
    folder, pairs = asked
    turned = [article for article in _made()[::-1] for _ in range(2)]  # backwards, and every article twice
    write_jsonl(folder / "turned.jsonl", turned)
    done = tune(
        folder,
        "turned.jsonl",
        "--pairs",
        99,
        "--jobs",
        2,
        "--labels",
        "turned.jsonl.labels",
        answers="s\n" * 99,
        status=2,
    )
    assert PROMPT in done.stderr
    again = read_jsonl(folder / "turned.jsonl.labels")
    assert [(pair["texts"], pair["similarity"]) for pair in again] == [
        (pair["texts"], pair["similarity"]) for pair in pairs
    ]
    tune(folder, "made.jsonl", "--pairs", 99, "--seed", 2, "--labels", "seed.jsonl", answers="s\n" * 99, status=2)
    assert [pair["texts"] for pair in read_jsonl(folder / "seed.jsonl")] != [pair["texts"] for pair in pairs]


def test_paragraphs_are_asked_about_too(tmp_path):
    articles = _made(8)
    for number, article in enumerate(articles):
        filler = " ".join(f"own{number}n{at}" for at in range(200))
        article["text"] = f"{filler}\n\n{article['text']}\n\nshort one"
    write_jsonl(tmp_path / "made.jsonl", articles)
    tune(tmp_path, "made.jsonl", "--paragraphs", answers="y\n" * 20)
    labels = read_jsonl(tmp_path / "dedup-labels.jsonl")
    assert {label["shingle"] for label in labels} == {3}
    assert len(labels) == 8
    for label in labels:
        for place in label["articles"]:
            record, span = place.split("#")[1].split(":")
            start, stop = map(int, span.split("-"))
            assert articles[int(record)]["text"][start:stop].startswith(f"g{int(record) // 2}w")
    assert (
        "no pair of these articles is labelled yet"
        in tune(tmp_path, "made.jsonl", "--report", "--from", 0.05, status=2).stderr
    )


ERRORS = [
    ("no pairs", ["made.jsonl", "--from", "0.1", "--to", "0.2"], "no two articles that differ are 0.1 to 0.2 similar"),
    ("no window", ["made.jsonl", "--from", "0.9", "--to", "0.2"], "--from 0.9 --to 0.2: no window"),
    ("no labels", ["made.jsonl", "--report", "--labels", "none.jsonl"], "run dedup tune without --report"),
    ("no label", ["made.jsonl", "--labels", "made.jsonl"], "made.jsonl:1: not a label; remove the line"),
    ("no folder", ["made.jsonl", "--labels", "none/labels.jsonl"], "there is no such folder"),
    ("no file", ["made.jsonl", "--labels", "."], "name another file with --labels"),
    ("answers and articles", ["-"], "standard input is where answers come from"),
    ("no precision", ["made.jsonl", "--precision", "1"], "1.0 is not in the range"),
]


@pytest.mark.parametrize(("args", "told"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_an_error_is_one_line(asked, args, told):
    done = tune(asked[0], *args, answers="y\n", status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("dedup: error: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr


def test_on_a_terminal_it_prompts_and_takes_a_key_and_enter(asked):
    folder = asked[0]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*DEDUP, "tune", "made.jsonl", "--labels", "pty.jsonl"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    answers = [b"y\n", b"n\n", b"q\n"]
    prompts = 0
    while select.select([ours], [], [], 60)[0]:
        try:
            block = os.read(ours, 4096)
        except OSError:  # the terminal is closed
            break
        if not block:
            break
        shown += block
        while shown.count(PROMPT.encode()) > prompts:
            os.write(ours, answers[prompts])
            prompts += 1
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    assert prompts == 3
    assert [label["answer"] for label in read_jsonl(folder / "pty.jsonl")] == ["same", "different"]
    assert "threshold" in shown.decode()
    assert "\x1b[1;31m" in shown.decode(), "words that differ stand out"


def test_paragraphs_asked_about_are_those_that_clean_compares(tmp_path):
    """Of a line that is boilerplate of one host, the copies of another host are compared, and no others."""
    rng = random.Random(4)

    def prose():
        return " ".join("".join(rng.choices("abcdefghijk", k=6)) for _ in range(60)) + "."

    line = "Sign up for our weekly newsletter and never miss a story from us"
    near = line.replace("weekly", "daily")
    rows = [{"site": "a.example", "text": f"{prose()}\n\n{prose()}\n\n{line}"} for _ in range(12)]
    others = [[prose(), prose(), prose()] for _ in range(80)]
    for at, other in enumerate((line, line, near)):
        others[at][1:1] = [other]
    rows += [{"site": "b.example", "text": "\n\n".join(texts)} for texts in others]
    path = tmp_path / "in.jsonl"
    write_jsonl(path, [{"id": str(at)} | row for at, row in enumerate(rows)])
    found = survey([str(path)], Settings(), Asked((0.5, 0.99), paragraphs=True), [], LocalEngine(jobs=1))
    (question,) = found.questions
    assert sorted(question.texts) == sorted((line, near))
    assert all(int(where.split("#")[1].split(":")[0]) >= 12 for where in question.articles)
