"""Choosing a threshold: the estimates, the questions, and the whole command."""

from __future__ import annotations

import io
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
from rich.console import Console

from dedup import Settings
from dedup.engines.local import LocalEngine
from dedup.errors import InputError, SettingsError
from dedup.fingerprint.minhash import bands, bucket_signatures, minhash_signatures
from dedup.fingerprint.shingles import hash_words
from dedup.fingerprint.similarity import jaccard
from dedup.kernels import reference
from dedup.tune.candidate_pairs import pairs_within, sample_bucket_pairs
from dedup.tune.estimates import Bin, choose_threshold, estimate_threshold, same_share, wilson_interval
from dedup.tune.labels import Label, append, load_labels
from dedup.tune.prompt import MAX_SHOWN_WORDS, PROMPT, side_by_side
from dedup.tune.report import choice_sentence, reckon, show
from dedup.tune.sampling import bin_edges, bin_numbers, pair_draws, sample_pairs
from dedup.tune.survey import Asked, Survey, survey, window

DEDUP = (sys.executable, "-m", "dedup")

# Wilson's interval

# same, labels, lower and upper limit: Newcombe, Two-sided confidence intervals for the single proportion (1998)
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("same", "labels", "low", "high"), NEWCOMBE)
def test_wilson_interval_has_the_published_limits(same, labels, low, high):
    interval = wilson_interval(same / labels, labels)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1e4), st.floats(1, 100))
def test_wilson_interval_rises_with_the_share_and_narrows_with_labels(share, other, labels, more):
    low, high = sorted((share, other))
    less, greater = wilson_interval(low, labels), wilson_interval(high, labels)
    assert 0 <= less.low <= less.value <= less.high <= 1
    assert less.low <= greater.low + 1e-12
    assert less.high <= greater.high + 1e-12
    narrow = wilson_interval(low, labels * more)
    assert narrow.low >= less.low - 1e-12
    assert narrow.high <= less.high + 1e-12


# estimates


@st.composite
def filled_bins(draw, least=0):
    bins = []
    for low, high in pairwise(bin_edges((0.6, 0.95))):
        pairs = draw(st.integers(least, 500))
        labels = draw(st.integers(least, pairs))
        bins.append(Bin(low, high, pairs, labels, draw(st.integers(0, labels))))
    return bins


@given(filled_bins(least=1), st.integers(0, 6))
def test_estimates_equal_those_of_a_plain_computation(bins, number):
    threshold = bins[number].low
    estimate = estimate_threshold(bins, threshold)
    same = [each.pairs * each.same / each.labels for each in bins]
    pairs = sum(each.pairs for each in bins[number:])
    assert estimate.pairs == pairs
    assert estimate.labels == sum(each.labels for each in bins[number:])
    assert math.isclose(estimate.precision.value, sum(same[number:]) / pairs, abs_tol=1e-12)
    if sum(same):
        assert math.isclose(estimate.recall.value, sum(same[number:]) / sum(same), abs_tol=1e-12)
    for interval in (estimate.precision, estimate.recall):
        assert -1e-12 <= interval.low <= interval.value + 1e-9
        assert interval.value <= interval.high + 1e-9 <= 1 + 2e-9


@given(filled_bins())
def test_there_is_no_precision_without_a_label(bins):
    for number, each in enumerate(bins):
        estimate = estimate_threshold(bins, each.low)
        assert (estimate.precision is None) == (not any(each.labels for each in bins[number:]))


@given(st.integers(1, 50), st.integers(1, 6), st.data())
def test_evenly_labelled_bins_with_equal_shares_give_wilsons_interval(labels, count, data):
    same = data.draw(st.integers(0, labels))
    bins = [Bin(number / 10, (number + 1) / 10, 1e9, labels, same) for number in range(count)]
    interval, effective = same_share(bins)
    plain = wilson_interval(same / labels, labels * count)
    assert math.isclose(effective, labels * count, rel_tol=1e-6)
    assert all(math.isclose(value, expected, abs_tol=1e-6) for value, expected in zip(interval, plain, strict=True))


def test_the_share_is_exact_if_every_pair_is_labelled():
    interval, effective = same_share([Bin(0.8, 0.85, 8, 8, 6), Bin(0.85, 0.9, 2, 2, 2)])
    assert interval == (0.8, 0.8, 0.8)
    assert effective == math.inf


def test_limits_leave_room_for_each_pair_without_a_label():
    """The truth is never outside of the limits because of the one pair that nobody answered."""
    for pairs in range(2, 60):
        for same in range(pairs):
            interval, _ = same_share([Bin(0.8, 0.85, pairs, pairs - 1, same)])
            assert interval.low <= same / pairs + 1e-9
            assert interval.high >= (same + 1) / pairs - 1e-9


def test_one_answer_about_the_only_pair_says_little_of_other_articles():
    bins = [
        Bin(low, high, float(low == 0.9), int(low == 0.9), int(low == 0.9))
        for low, high in pairwise(bin_edges((0.6, 0.95)))
    ]
    only = Label(("aa", "bb"), ("x#0", "x#1"), 0.91, "same", 5)
    surveyed = Survey(bin_edges((0.6, 0.95)), [each.pairs for each in bins], 1, {}, [], {})
    result = reckon(surveyed, [only], 0.95)
    assert result.bins == bins
    assert result.choice == (0.9, True, 0)  # not 0.6: no pair speaks for that
    assert result.elsewhere == wilson_interval(1, 1).low
    assert "among these articles" in choice_sentence(result)
    assert "0.21 or more; give more articles" in choice_sentence(result)


def test_a_row_without_labels_shows_no_estimate():
    edges = bin_edges((0.6, 0.8))
    labels = [Label((f"a{n}", "b"), ("x#0", "x#1"), 0.76, answer, 5) for n, answer in enumerate(("same", "different"))]
    console = Console(record=True, width=120, file=io.StringIO())
    show(reckon(Survey(edges, [9.0] * (len(edges) - 1), 36, {}, [], {}), labels, 0.95), "articles", console)
    *without, labelled = (row for row in console.export_text().splitlines() if row.lstrip().startswith("0."))
    assert "0.500" in labelled
    assert [row.split()[4:] for row in without] == [["–"] * 4] * 3


def test_the_similarity_of_a_pair_is_not_taken_from_the_file_of_answers():
    edited = Label(("aa", "bb"), ("x#0", "x#1"), 0.1, "same", 5)
    surveyed = Survey(bin_edges((0.8, 0.95)), [0.0, 1.0, 0.0], 1, {edited.key: 0.86}, [], {})
    assert [each.labels for each in reckon(surveyed, [edited], 0.95).bins] == [0, 1, 0]


def test_a_bin_without_labels_widens_the_interval_by_its_share():
    interval, _ = same_share([Bin(0.8, 0.85, 50, 50, 50), Bin(0.85, 0.9, 50, 0, 0)])
    assert (interval.low, interval.high) == (0.5, 1.0)


def test_95_percent_intervals_contain_the_truth_in_95_percent_of_trials():
    rng = random.Random(7)
    population = [(0.6, 4000), (0.75, 1500), (0.95, 900), (1.0, 300)]  # share of same pairs, pairs
    truth = sum(share * pairs for share, pairs in population) / sum(pairs for _, pairs in population)
    hits = 0
    for _ in range(400):
        bins = [
            Bin(at, at, pairs, 12, sum(rng.random() < share for _ in range(12)))
            for at, (share, pairs) in enumerate(population)
        ]
        interval, _ = same_share(bins)
        hits += interval.low <= truth <= interval.high
    assert hits >= 0.93 * 400


# the choice


def _same_pairs(estimates, threshold):
    """Return the highest of `estimates` that the same pairs reach as `threshold`, its threshold."""
    pairs = next(each.pairs for each in estimates if each.threshold == threshold)
    return max(each.threshold for each in estimates if each.precision and each.pairs == pairs)


@given(filled_bins(), st.floats(0.5, 0.99))
def test_the_lowest_threshold_that_is_certain_is_chosen(bins, precision):
    estimates = [estimate_threshold(bins, each.low) for each in bins]
    choice = choose_threshold(estimates, precision, sum(each.labels for each in bins))
    estimated = [each for each in estimates if each.precision]
    certain = [each.threshold for each in estimated if each.precision.low >= precision]
    if not estimated:
        assert choice is None
    elif certain:
        assert choice == (_same_pairs(estimates, min(certain)), True, 0)
    else:
        best = max(each.precision.low for each in estimated)
        assert not choice.reached
        assert best == next(each.precision.low for each in estimated if each.threshold == choice.threshold)


def test_the_number_of_further_labels_makes_a_threshold_certain():
    few = [Bin(0.8, 0.85, 1e9, 20, 20)]
    choice = choose_threshold([estimate_threshold(few, 0.8)], 0.95, 20)
    assert choice == (0.8, False, 53)  # 73 of 73 have a lower limit of 0.95
    enough = [Bin(0.8, 0.85, 1e9, 73, 73)]
    assert choose_threshold([estimate_threshold(enough, 0.8)], 0.95, 73).reached
    assert choose_threshold([estimate_threshold([Bin(0.8, 0.85, 1e9, 20, 15)], 0.8)], 0.95, 20).more is None


# the sample


def test_bins_lie_on_the_grid_and_include_their_lower_edge():
    assert bin_edges((0.6, 0.95)) == [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    assert bin_edges((0.81, 0.83)) == [0.81, 0.83]
    assert bin_numbers(np.array([0.6, 4 / 5, 0.7999, 0.95]), bin_edges((0.6, 0.95))).tolist() == [0, 4, 3, 6]


def _population(rng, count):
    marks = rng.integers(0, 1 << 63, (2, count)).astype(np.uint64)
    return marks, rng.integers(0, 5, count), rng.choice([1.0, 2.5, 40.0], count), rng.random(count) < 0.2


@given(st.integers(0, 60), st.integers(0, 30), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_sample_does_not_depend_on_the_order_of_pairs(size, count, seed, shuffler):
    (ones, twos), bins, weights, labelled = _population(np.random.default_rng(size), size)
    counts = np.bincount(bins[labelled], minlength=5).tolist()
    chosen = sample_pairs(bins, weights, pair_draws(ones, twos, seed), labelled, counts, count)
    order = np.array(shuffler.sample(range(size), size), np.int64)
    again = sample_pairs(
        bins[order], weights[order], pair_draws(twos[order], ones[order], seed), labelled[order], counts, count
    )
    assert order[again].tolist() == chosen.tolist()
    assert len(set(chosen.tolist())) == len(chosen) == min(count, int((~labelled).sum()))
    assert not labelled[chosen].any()


@given(st.integers(1, 80), st.integers(0, 30))
def test_a_larger_sample_includes_the_smaller_and_bins_are_filled_evenly(size, count):
    (ones, twos), bins, weights, labelled = _population(np.random.default_rng(size), size)
    drawn = pair_draws(ones, twos, 1)
    labelled[:] = False
    small, large = (set(sample_pairs(bins, weights, drawn, labelled, [0] * 5, n).tolist()) for n in (count, count + 1))
    assert small <= large
    sampled = np.bincount(bins[sorted(small)], minlength=5) if small else np.zeros(5, int)
    available = np.bincount(bins, minlength=5)
    assert all(sampled[n] >= sampled.max() - 1 for n in range(5) if sampled[n] < available[n])


def test_pairs_with_larger_weights_are_drawn_more_often():
    weights = np.array([1.0] * 50 + [9.0] * 50)
    rng = np.random.default_rng(3)
    heavy = 0
    for seed in range(200):
        ones, twos = rng.integers(0, 1 << 63, (2, 100)).astype(np.uint64)
        chosen = sample_pairs(
            np.zeros(100, np.int64), weights, pair_draws(ones, twos, seed), np.zeros(100, bool), [0], 5
        )
        heavy += int((chosen >= 50).sum())
    assert 0.85 < heavy / 1000 < 0.93


# pairs


def _keys(seed, count):
    rng = random.Random(seed)
    base = [f"w{number}" for number in range(40)]
    keys = {tuple(base)}
    while len(keys) < count:
        words = list(base)
        for _ in range(rng.randrange(6)):
            words[rng.randrange(40)] = f"x{rng.randrange(1000)}"
        keys.add(tuple(words))
    return [" ".join(words).encode() for words in sorted(keys)]


@pytest.mark.parametrize("seed", range(4))
def test_all_pairs_of_the_window_are_found_with_their_exact_similarity(seed):
    keys = _keys(seed, 30)
    marks = np.arange(30, dtype=np.uint64)
    hashes, ends = hash_words(keys)
    table = bucket_signatures(minhash_signatures(hashes, ends[:-1], ends[1:], 3), *bands(0.5))
    pairs = pairs_within(table, marks, lambda at: [keys[n] for n in at], 3, (0.5, 0.9), reference)
    exact = {(i, j): jaccard(keys[i], keys[j], 3) for i in range(30) for j in range(i + 1, 30)}
    expected = {pair: value for pair, value in exact.items() if 0.5 <= value <= 0.9}
    assert (
        dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.similarities, strict=True))
        == expected
    )
    assert (pairs.weights == 1).all()


def test_a_huge_bucket_is_sampled_and_weights_add_up_to_all_its_pairs():
    count, bands_ = 600, 3
    table = np.zeros((count, bands_), np.uint32)
    marks = np.random.default_rng(1).integers(0, 1 << 63, count).astype(np.uint64)
    codes, sizes, neighbours = sample_bucket_pairs(table, marks, max_pairs=10_000)
    assert (sizes == count).all()
    assert neighbours == 4
    assert len(codes) <= count * neighbours * bands_
    keys = [b"a b c d"] * count
    pairs = pairs_within(table, marks, lambda at: [keys[n] for n in at], 2, (0.5, 1.0), reference)
    assert len(pairs.first) <= count * 32 * bands_
    assert math.isclose(pairs.weights.sum(), count * (count - 1) / 2, rel_tol=0.02)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=90), st.randoms(use_true_random=False))
def test_the_pairs_of_a_bucket_do_not_depend_on_the_order_of_texts(values, shuffler):
    table = np.array([values, values[::-1]], np.uint32).T
    marks = np.random.default_rng(0).integers(0, 1 << 63, len(values)).astype(np.uint64)
    order = np.array(shuffler.sample(range(len(values)), len(values)))
    pairs = []
    for at in (np.arange(len(values)), order):
        codes, _, _ = sample_bucket_pairs(table[at], marks[at], max_pairs=200)
        pairs.append({frozenset((int(at[code // len(at)]), int(at[code % len(at)]))) for code in codes})
    assert pairs[0] == pairs[1]
    assert all(len(pair) == 2 for pair in pairs[0])


def _words(name, count=60):
    return " ".join(f"{name}w{at}" for at in range(count))


# (label, articles, of how many articles and of how many paragraphs there is something to compare)
NO_PAIRS = [
    ("an empty file", [], 0, 0),
    ("one article", [_words(1)], 1, 1),
    ("equal articles", [_words(1)] * 4, 1, 1),
    ("no shared bucket", [_words(at) for at in range(5)], 5, 5),
    ("too short to compare", ["a", "b"], 0, 0),
    ("blank texts", ["", " "], 0, 0),
    ("bad records", [None, 3], 0, 0),
    ("equal paragraphs", ["\n\n".join(map(_words, order)) for order in ((1, 2), (1, 2))], 1, 2),
    ("similar paragraphs of one article", [f"{_words(1)}\n\n{_words(2)}\n\n{_words(1)} x y z"], 1, 3),
]


@pytest.mark.parametrize("paragraphs", [False, True], ids=["articles", "paragraphs"])
@pytest.mark.parametrize(
    ("texts", "articles", "runs"), [case[1:] for case in NO_PAIRS], ids=[case[0] for case in NO_PAIRS]
)
def test_a_corpus_without_a_pair_in_the_window_is_an_error_that_says_so(tmp_path, texts, articles, runs, paragraphs):
    path = tmp_path / "in.jsonl"
    write_jsonl(path, [{"text": text} for text in texts])
    count = runs if paragraphs else articles
    with pytest.raises(InputError, match=rf"in\.jsonl: of {count} to compare, no two .* are 0\.6 to 0\.95 similar"):
        survey([str(path)], Settings(max_bad=1), Asked((0.6, 0.95), paragraphs), [], LocalEngine(jobs=1))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_no_shared_bucket_gives_no_pairs(count):
    table = np.arange(count * 3, dtype=np.uint32).reshape(count, 3)
    pairs = pairs_within(
        table, np.arange(count, dtype=np.uint64), lambda at: [b"a b c"] * len(at), 2, (0.5, 1), reference
    )
    assert [len(column) for column in pairs] == [0, 0, 0, 0]


# labels and questions


def test_labels_are_read_back_and_the_later_one_counts(tmp_path):
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
def test_a_line_that_is_not_a_label_is_reported_by_its_number(tmp_path, line):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=r"labels\.jsonl:2: not a label"):
        load_labels(path)


def test_a_window_that_is_empty_or_outside_0_to_1_is_refused():
    assert window(0.1, None, None) == (0.05, 0.25)
    for low, high in ((0.9, 0.5), (0.0, 0.5), (0.5, 1.1), (0.7, 0.7), (math.nan, 1.0)):
        with pytest.raises(SettingsError, match="no window"):
            window(0.8, low, high)


@given(
    st.lists(st.sampled_from(["a", "b", "c", "D,", "北京", "“e”", "é"]), max_size=400),
    st.randoms(use_true_random=False),
)
def test_shown_texts_are_bounded_and_equal_texts_have_no_differences(words, rng):
    other = [word for word in words if rng.random() < 0.9]
    for runs in side_by_side(" ".join(words), " ".join(other)):
        assert sum(len(run.words) for run in runs) <= MAX_SHOWN_WORDS + 1
    left, right = side_by_side(" ".join(words), " ".join(words))
    assert left == right
    assert all(run.common for run in left)


def test_differences_far_into_a_long_text_are_shown():
    words = [f"w{number}" for number in range(1000)]
    changed = [*words[:900], "CHANGED", *words[901:]]
    left, right = side_by_side(" ".join(words), " ".join(changed))
    assert [run.words for run in left if not run.common] == [["w900"]]
    assert [run.words for run in right if not run.common] == [["CHANGED"]]
    assert sum(len(run.words) for run in left) < 40


# the command


def _article_pairs(groups=60):
    """Return pairs of articles that differ in one to four words: similarity 0.90, 0.81, 0.73 or 0.66."""
    rng = random.Random(5)
    articles = []
    for group in range(groups):
        words = [f"g{group}w{rng.randrange(10**6)}" for _ in range(100)]
        changed = list(words)
        for number in range(group % 4 + 1):
            changed[20 * number + 10] = f"changed{rng.randrange(10**6)}"
        articles += [{"id": f"{group}a", "text": " ".join(words)}, {"id": f"{group}b", "text": " ".join(changed)}]
    return articles


def _is_same(label):
    """Return the correct answer about a pair of `_article_pairs`: with one or two changed words it is the same."""
    group, other_group = (int(article.split("#")[1]) // 2 for article in label["articles"])
    assert group == other_group
    return group % 4 < 2


def tune(folder, *args, answers="", status=0):
    """Run ``dedup tune`` in `folder`, and return the completed process."""
    done = subprocess.run(
        [*DEDUP, "tune", *map(str, args)],
        input=answers,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=600,
        check=False,
        env={name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR"}},
    )
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return a folder with a corpus, and the labels of all its pairs, each of them skipped."""
    folder = tmp_path_factory.mktemp("tune")
    write_jsonl(folder / "made.jsonl", _article_pairs())
    tune(folder, "made.jsonl", "--pairs", 99, "--labels", "skipped.jsonl", answers="s\n" * 99, status=2)
    return folder, read_jsonl(folder / "skipped.jsonl")


@pytest.mark.slow
def test_correct_answers_lead_to_the_correct_threshold(asked):
    folder, pairs = asked
    assert len(pairs) == 60
    answers = "".join("y\n" if _is_same(pair) else "n\n" for pair in pairs)
    done = tune(folder, "made.jsonl", "--pairs", 99, "--labels", "all.jsonl", "--json", answers=answers)
    result = json.loads(done.stdout)
    assert result["choice"] == {"threshold": 0.8, "reached": True, "more": 0}  # no pair is between 0.75 and 0.8
    assert round(result["elsewhere"], 3) == 0.886  # of 30 answers
    assert (result["labels"], result["skipped"], result["window"]) == (60, 0, [0.6, 0.95])
    assert [row["pairs"] for row in result["bins"]] == [0, 15, 15, 0, 15, 0, 15]
    thresholds = {row["threshold"]: row for row in result["thresholds"]}
    assert thresholds[0.6]["precision"] == {"value": 0.5, "low": 0.5, "high": 0.5}  # every pair is labelled
    assert thresholds[0.8]["precision"]["value"] == thresholds[0.8]["recall"]["value"] == 1.0
    assert thresholds[0.85]["recall"]["value"] == 0.5
    again = tune(folder, "made.jsonl", "--pairs", 99, "--labels", "all.jsonl", "--json")
    assert PROMPT not in again.stderr, "no pair is asked about twice"
    assert again.stdout == done.stdout
    report = tune(folder, "made.jsonl", "--report", "--labels", "all.jsonl")
    assert "Take 0.8: the lowest threshold whose precision is 0.95 or more" in report.stdout
    assert report.stderr == ""


@pytest.mark.slow
def test_a_few_answers_are_kept_and_reported_as_too_few(asked):
    folder, _ = asked
    tune(folder, "made.jsonl", "--pairs", 12, "--labels", "twelve.jsonl", answers="s\n" * 12, status=2)
    pairs = read_jsonl(folder / "twelve.jsonl")
    answers = "".join("Y\n" if _is_same(pair) else "what?\nn\n" for pair in pairs)
    done = tune(folder, "made.jsonl", "--pairs", 12, "--labels", "few.jsonl", answers=answers)
    assert "too few labels" in done.stdout
    assert done.stderr.count("of 12") == 12
    labels = read_jsonl(folder / "few.jsonl")
    assert len(labels) == 12
    assert all(label["answer"] == ("same" if _is_same(label) else "different") for label in labels)
    assert not any(f"{label['similarity']:.2f}" in done.stderr for label in labels), "the similarity is not shown"
    tune(folder, "made.jsonl", "--pairs", 2, "--labels", "few.jsonl", answers="q\n")
    assert len(read_jsonl(folder / "few.jsonl")) == 12
    tune(folder, "made.jsonl", "--pairs", 2, "--labels", "few.jsonl", answers="s\ny\n")
    labels = read_jsonl(folder / "few.jsonl")
    assert len({tuple(sorted(label["texts"])) for label in labels}) == 14


@pytest.mark.slow
def test_the_same_pairs_are_asked_for_any_input_order_and_number_of_jobs(asked):
    folder, pairs = asked
    reversed_twice = [
        article for article in _article_pairs()[::-1] for _ in range(2)
    ]  # backwards, and every article twice
    write_jsonl(folder / "turned.jsonl", reversed_twice)
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


@pytest.mark.slow
def test_questions_can_be_about_paragraphs(tmp_path):
    articles = _article_pairs(8)
    for number, article in enumerate(articles):
        filler = " ".join(f"filler{number}n{at}" for at in range(200))
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
    ("no window", ["made.jsonl", "--from", "0.9", "--to", "0.2"], "--from 0.9, --to 0.2: no window"),
    ("no labels", ["made.jsonl", "--report", "--labels", "none.jsonl"], "leave out --report, and answer some"),
    ("no label", ["made.jsonl", "--labels", "made.jsonl"], "made.jsonl:1: not a label; remove the line"),
    ("no folder", ["made.jsonl", "--labels", "none/labels.jsonl"], "there is no such folder"),
    ("no file", ["made.jsonl", "--labels", "."], "name another file with --labels"),
    ("answers and articles", ["-"], "standard input is where answers come from"),
    ("no precision", ["made.jsonl", "--precision", "1"], "1.0 is not in the range"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("args", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_an_error_is_one_line(asked, args, message):
    done = tune(asked[0], *args, answers="y\n", status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("dedup: error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_on_a_terminal_a_key_and_enter_answer_each_question(asked):
    folder = asked[0]
    terminal, child = pty.openpty()
    process = subprocess.Popen(
        [*DEDUP, "tune", "made.jsonl", "--labels", "pty.jsonl"],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(child)
    shown = b""
    answers = [b"y\n", b"n\n", b"q\n"]
    prompts = 0
    while select.select([terminal], [], [], 60)[0]:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # the terminal is closed
            break
        if not block:
            break
        shown += block
        while shown.count(PROMPT.encode()) > prompts:
            os.write(terminal, answers[prompts])
            prompts += 1
    os.close(terminal)
    assert process.wait() == 0, shown.decode()
    assert prompts == 3
    assert [label["answer"] for label in read_jsonl(folder / "pty.jsonl")] == ["same", "different"]
    assert "threshold" in shown.decode()
    assert "\x1b[1;31m" in shown.decode(), "words that differ stand out"


def test_questions_are_about_the_paragraphs_that_clean_compares(tmp_path):
    """A line is boilerplate of one host: only its copies on another host are compared."""
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
    surveyed = survey([str(path)], Settings(max_bad=1), Asked((0.5, 0.99), paragraphs=True), [], LocalEngine(jobs=1))
    (question,) = surveyed.questions
    assert sorted(question.texts) == sorted((line, near))
    assert all(int(where.split("#")[1].split(":")[0]) >= 12 for where in question.articles)
