"""Articles that have passages of a test set are found, item by item, and can be taken out of a training corpus."""

from __future__ import annotations

import json

import pytest
from helpers.command import run_dedup
from helpers.outputs import write_sealed_run
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.inspect.verify import verify
from dedup.match.known_passages import covered_words

QUESTION = (
    "Which river did the expedition of 1871 cross before it reached the northern plateau, "
    "and who of its members wrote the letter that the museum keeps today?"
)
FILLER = " ".join(f"filler{number}" for number in range(60))
OTHER = " ".join(f"other{number}" for number in range(60))


def found(articles, items, **options):
    chosen = dedup.Settings(rules={"known-passage": options.pop("action", "drop")}, **options)
    result = dedup.clean_articles(
        [{"id": str(n), "text": text} for n, text in enumerate(articles)], chosen, against=items
    )
    return [finding for finding in result.findings if finding.rule == "known-passage"], result


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (QUESTION, True),
        (QUESTION.upper().replace(",", " --"), True),  # written in another way
        (f"{FILLER} {QUESTION} {OTHER}", True),
        (f"{FILLER}\n\n{QUESTION.replace('plateau, ', 'plateau,' + chr(10) * 2)}\n\n{OTHER}", True),  # over a border
        (f"{FILLER} {' '.join(QUESTION.split()[:16])}", True),  # more than half of it
        (f"{FILLER} {' '.join(QUESTION.split()[:12])}", False),  # a run that is too short
        (" ".join(reversed(QUESTION.split())), False),
        (FILLER, False),
    ],
)
def test_a_page_with_a_passage_of_an_item_is_found(text, is_found):
    findings, result = found([text, OTHER], [{"id": "q", "text": QUESTION}])
    assert [(one.article, one.twin, one.twin_source) for one in findings] == [("0", "q", "against/-")] * is_found
    assert len(result.articles) == 2 - is_found


def test_an_item_of_few_words_is_found_as_a_whole_and_one_of_very_few_is_not():
    items = [
        {"id": "short", "text": "The capital of the old province was moved twice"},
        {"id": "tiny", "text": "in 1945"},
    ]
    findings, _ = found(
        [f"{FILLER} the capital of the old province was moved twice in 1945", f"{OTHER} in 1945"], items
    )
    assert [(one.article, one.twin) for one in findings] == [("0", "short")]


def test_the_rule_is_off_by_default_and_can_flag():
    rows = [{"text": f"{FILLER} {QUESTION}"}]
    assert dedup.clean_articles(rows, against=[{"text": QUESTION}]).findings == []
    findings, result = found([rows[0]["text"]], [{"text": QUESTION}], action="flag")
    assert ([one.action for one in findings], len(result.articles)) == (["flag"], 1)


def test_an_article_that_goes_is_nobodys_twin():
    copied = f"{FILLER} {QUESTION}"
    shorter = f"{FILLER} {' '.join(QUESTION.split()[:9])}"  # a near-duplicate without a passage
    chosen = dedup.Settings(rules={"known-passage": "drop"}, threshold=0.5)
    rows = [{"id": "copied", "text": copied}, {"id": "shorter", "text": shorter}]
    assert [row["provenance"]["twin"] for row in dedup.clean_articles(rows, dedup.Settings(threshold=0.5)).dropped] == [
        "copied"
    ]
    result = dedup.clean_articles(rows, chosen, against=[{"text": QUESTION}])
    assert [row["id"] for row in result.articles] == ["shorter"]


words = st.lists(st.sampled_from("abcd"), min_size=1, max_size=14)


@given(words, words, st.integers(1, 5))
def test_covered_words_are_those_of_runs_that_the_text_has(item, text, n):
    n = min(n, len(item))
    joined = f" {' '.join(text)} "
    expected = [
        any(
            f" {' '.join(item[start : start + n])} " in joined
            for start in range(max(0, place - n + 1), min(place, len(item) - n) + 1)
        )
        for place in range(len(item))
    ]
    assert covered_words(item, text, n) == expected


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=5, max_size=12).map(" ".join), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_the_report_of_each_item_equals_a_plain_count(texts):
    half = max(1, len(texts) // 2)
    items, articles = texts[:half], texts[half:] or ["a b c a b c"]
    findings, _ = found(articles, [{"text": item} for item in items], passage_words=4, passage_share=0.6)
    shares = [
        [sum(covered_words(item.split(), article.split(), 4)) / len(item.split()) for item in items]
        for article in articles
    ]
    expected = {number: max(of_items) for number, of_items in enumerate(shares) if max(of_items) >= 0.6}
    assert {one.record: one.evidence for one in findings} == {
        number: f"{share:.1%} of that stands here" for number, share in expected.items()
    }
    assert all(shares[one.record].index(max(shares[one.record])) == one.twin_record for one in findings)


@pytest.fixture
def cleaned(tmp_path):
    train = [QUESTION, f"{FILLER} {' '.join(QUESTION.split()[:14])}", OTHER]
    for name, texts in (("train", train), ("test", [QUESTION, "An item of the test set that is nowhere at all"])):
        rows = (json.dumps({"id": f"{name}-{n}", "text": text}) for n, text in enumerate(texts))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    options = "--rule known-passage=drop --passage-share 0.7"
    finished = run_dedup(
        f"dedup clean {tmp_path}/train.jsonl --against {tmp_path}/test.jsonl {options} -o {tmp_path}/out"
    )
    assert finished.status == 0, finished.stderr
    return tmp_path, finished.stderr


def test_the_output_says_for_each_item_where_and_how_much_of_it_was_found(cleaned):
    folder, summary = cleaned
    rows = [json.loads(line) for line in (folder / "out" / "known_items.jsonl").read_text().splitlines()]
    assert rows == [
        {
            "item": "test-0",
            "source": "against/test.jsonl",
            "record": 0,
            "words": 27,
            "share": 1.0,
            "articles": 2,
            "found_in": [
                {"article": "train-0", "source": "train.jsonl", "record": 0, "share": 1.0},
                {"article": "train-1", "source": "train.jsonl", "record": 1, "share": 0.5185},
            ],
        },
        {
            "item": "test-1",
            "source": "against/test.jsonl",
            "record": 1,
            "words": 11,
            "share": 0.0,
            "articles": 0,
            "found_in": [],
        },
    ]
    assert "Known articles found by their passages: 1 of 2 in part, 1 of them by 70% or more" in summary
    assert "train-0 (train.jsonl#0)" in summary


def test_verify_proves_the_passages(cleaned):
    folder, _ = cleaned
    assert verify(folder / "out").mismatches == []
    for name in ("dropped", "provenance"):
        path = folder / "out" / f"{name}.jsonl"
        path.write_text(path.read_text().replace("100.0% of that", "90.0% of that"))
    write_sealed_run(folder / "out", json.loads((folder / "out" / "run.json").read_text()))
    assert [mismatch.what.rpartition(": ")[2] for mismatch in verify(folder / "out").mismatches] == [
        "it has 100.0% of the words of 'test-0', in passages"
    ]


@pytest.mark.parametrize("options", ["--passage-words 2", "--passage-share 0", "--passage-words many"])
def test_wrong_settings_are_one_line(tmp_path, options):
    finished = run_dedup(f"dedup clean {tmp_path} {options} -o {tmp_path}/out")
    assert (finished.status, len(finished.stderr.strip().splitlines()) <= 4) == (2, True)
