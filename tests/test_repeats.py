"""The rules within one article: which copies are dropped, which repeats stay, and what always holds."""

from __future__ import annotations

import itertools
import random
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SMALL, Rows
from helpers.timing import assert_takes_at_most
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import clean
from dedup.fingerprint.similarity import similarity_in_order
from dedup.inspect.verify import verify
from dedup.kernels import compiled
from dedup.repeats.article import ArticleParagraphs
from dedup.repeats.detect import BLOCK_RULE, detect_repeats
from dedup.repeats.names import _differing, _marks
from dedup.repeats.single_paragraphs import PARAGRAPH_RULE
from dedup.repeats.split_paragraphs import Repeat, SplitArticle
from dedup.segment.paragraphs import paragraphs, removal_spans
from dedup.segment.word_offsets import word_starts
from dedup.segment.words import comparison_key, words
from dedup.settings import PARAGRAPH_SHINGLE, Settings


def pieces_of(text: str, **options: Any) -> SplitArticle:
    spans = paragraphs(text)
    return detect_repeats(text, spans, [comparison_key(text[slice(*span)]) for span in spans], Settings(**options))


def find(text: str, **options: Any) -> list[Repeat]:
    return pieces_of(text, **options).repeats


def cleaned(text: str, **options: Any) -> str:
    """Return a text without its repeated blocks."""
    pieces = pieces_of(text, **options)
    position, left = 0, ""
    runs = [(row.first, row.last) for row in pieces.repeats if row.rule == BLOCK_RULE]
    for start, stop in removal_spans(pieces.spans, runs):
        left += text[position:start]
        position = stop
    return left + text[position:]


def indices(found: list[Repeat], rule: str) -> list[int]:
    return [index for row in found if row.rule == rule for index in range(row.first, row.last + 1)]


def dropped(pieces: list[str], joint: str = "\n\n") -> list[int]:
    text = joint.join(pieces)
    assert len(paragraphs(text)) == len(pieces)
    return indices(find(text), BLOCK_RULE)


def flagged(pieces: list[str]) -> list[int]:
    return indices(find("\n\n".join(pieces)), PARAGRAPH_RULE)


def sentences(seed: int, count: int, low: int = 12, high: int = 30) -> list[str]:
    """Return paragraphs of invented words; two of them hardly ever share a shingle."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word() -> str:
        return "".join(rng.choices(letters, k=rng.randint(3, 9)))

    return [" ".join(word() for _ in range(rng.randint(low, high))).capitalize() + "." for _ in range(count)]


A, B, C, D, E, F, G, H = BODY = sentences(1, 8, 15, 30)
LONG, OTHER = sentences(2, 2, 45, 60)


def edited(text: str, place: int = 6, word: str = "perhaps") -> str:
    words = text.split()
    words[place] = word
    return " ".join(words)


# label, paragraphs, indices that a block drops
DOUBLED = [
    ("the whole body twice", BODY * 2, list(range(8, 16))),
    ("three copies", BODY * 3, list(range(8, 24))),
    ("thirty copies", BODY * 30, list(range(8, 240))),
    ("the second copy misses a paragraph", [*BODY, *BODY[:3], *BODY[4:]], list(range(8, 15))),
    ("the first copy misses a paragraph", [*BODY[:3], *BODY[4:], *BODY], [0, 1, 2, 3, 4, 5, 6]),
    ("a prefix before the whole", [*BODY[:4], *BODY], [4, 5, 6, 7]),
    ("a truncated copy, then the whole", [*BODY[:5], F[:60] + "...", *BODY], [0, 1, 2, 3, 4, 5]),
    ("the whole, then a truncated copy", [*BODY, *BODY[:7], H[:60] + "..."], list(range(8, 16))),
    ("A A B B", [piece for piece in BODY for _ in range(2)], list(range(1, 16, 2))),
    ("captions twice inside an article", [LONG, A, A, B, B, C, C, OTHER], [2, 4, 6]),
    ("A A A B B B", [A, A, A, B, B, B, C, C, C], [1, 2, 4, 5, 7, 8]),
    ("short ones go with the block", ["Title", A, "Q.", B, C, "Title", A, "Q.", B, C], [5, 6, 7, 8, 9]),
    ("separators go with the block", [A, "* * *", B, C, A, "* * *", B, C], [4, 5, 6, 7]),
    ("a heading between the copies", [*BODY, "Read more", *BODY], list(range(9, 17))),
    ("advertisements inside the copy", [*BODY, *BODY[:3], "Advertisement", *BODY[3:]], [8, 9, 10, *range(12, 17)]),
    ("one long paragraph twice", [LONG, LONG], [1]),
    ("one long paragraph twice, and a heading", [LONG, "Read more", LONG], [2]),
    ("two paragraphs twice", [A, B, A, B], [2, 3]),
    ("a few words edited in each", [LONG, OTHER, edited(LONG), edited(OTHER)], [0, 1]),
    ("other punctuation and case", [*BODY, *(piece.upper().replace(".", "!") for piece in BODY)], list(range(8, 16))),
    ("a paragraph that ends in a question twice", [f"{LONG} {OTHER[:-1]}?"] * 2, [1]),
    ("heading and lede before the whole", ["Title", "By Ann Moss", B, "Title", "By Ann Moss", B, A, C, D], [3, 4, 5]),
    ("some paragraphs first, then the whole", [*BODY[2:5], "Title", *BODY], [0, 1, 2]),
    ("the whole, then some paragraphs", ["Title", *BODY, *BODY[2:5]], [9, 10, 11]),
    ("the second copy misses the end", [*BODY, *BODY[:6]], list(range(8, 14))),
    ("a summary of whole paragraphs", [A, C, E, G, *BODY], [0, 1, 2, 3]),
    ("Chinese", ["北京市政府周二宣布将于明年开始扩建地铁网络新增三条线路方便郊区居民出行" * 2 + "。"] * 2, [1]),
]


@pytest.mark.parametrize(("label", "pieces", "expected"), DOUBLED, ids=[case[0] for case in DOUBLED])
@pytest.mark.parametrize("joint", ["\n\n", "\n"], ids=["blank lines", "no blank line"])
def test_a_doubled_body_is_dropped_once(label: str, pieces: list[str], expected: list[int], joint: str) -> None:
    assert dropped(pieces, joint) == expected, label


SHORT = sentences(7, 14, 10, 11)  # one other word in each leaves a Jaccard similarity of about a half


def test_a_body_with_another_word_in_each_short_paragraph_is_dropped_once_and_verified(tmp_path: Path) -> None:
    text = "\n\n".join([*SHORT, *(edited(piece, 4) for piece in SHORT)])
    (row,) = find(text)
    assert (row.first, row.last, row.evidence) == (0, 13, "paragraphs 15-28 again, edited")
    assert row.similarity < 0.6
    clean([{"text": text}], tmp_path / "out")
    assert verify(tmp_path / "out").mismatches == []


def test_of_two_releases_that_run_into_each_other_both_amounts_stay() -> None:
    left = cleaned((SMALL / "two_grants.txt").read_text())
    assert "Massillon Fire Department will receive $70,065" in left
    assert "Norwich Township Fire Department serving Hilliard will receive $55,706" in left


QUESTION = "What would you say to the people who are still waiting for an answer?"
CHORUS = ["Oh the river runs on", "and the morning is gone", "I am waiting for you", "till the winter is through"]
DAY = ["8:00 Breakfast", "9:30 Workshop in the small hall", "12:30 Lunch", "14:00 Free time", "19:00 Dinner"]

STAYS = [
    ("nothing repeats", BODY),
    ("interview questions asked again", [QUESTION, A, "And then?", B, QUESTION, C, "And then?", D, QUESTION, E]),
    ("Q. and A.", [piece for answer in BODY for piece in ("Q.", answer, "A.")]),
    (
        "speaker labels",
        [p for pair in zip(BODY[::2], BODY[1::2], strict=True) for p in ("MOORE:", pair[0], "LI:", pair[1])],
    ),
    ("a refrain between verses", [A, " ".join(CHORUS), B, " ".join(CHORUS), C, " ".join(CHORUS)]),
    ("lyrics line by line", ["Down by the mill", *CHORUS, "Up on the hill", *CHORUS, "All things are still", *CHORUS]),
    ("a chorus sung twice at the end", ["Down by the mill", *CHORUS, *CHORUS]),
    ("a line sung again and again", [A, *["Let it be, let it be, oh let it be"] * 8, B]),
    (
        "table rows",
        ["Team 12 10 0 2 30", "0 0 0 0 0 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0 0 0 0", "Team 12 10 0 2 30"] * 3,
    ),
    (
        "table headers",
        ["Year Won Lost Drawn", "1998 3 4 5", "Year Won Lost Drawn", "1999 6 1 2", "Year Won Lost Drawn"],
    ),
    ("separators", [A, "***", B, "***", C, "***", D]),
    (
        "recipes",
        [A, "4 oz sugar", "8 oz flour", "1 pinch of salt", B, "8 oz sugar", "4 oz flour", "1 pinch of salt", C],
    ),
    (
        "a week of meals",
        [p for d in range(7) for p in (f"Day {d + 1}", "Oats with milk and berries", f"Soup no. {d}", "Tea")],
    ),
    ("a week of equal days", [p for day in ("Monday", "Tuesday", "Friday", "Saturday") for p in (day, *DAY)]),
    ("speech quoted again", [f"“{A}”", B, C, D, f"“{A}”", E, F]),
    ("two paragraphs quoted again far off", [A, B, C, D, E, F, G, H, A, B]),
    ("headings that recur", [p for text in BODY for p in ("Background and what happened before", text)]),
    ("one short paragraph twice", [C, A, A, D]),
    ("list items that differ in one number", [f"{number} {LONG}" for number in (3, 4, 5, 6)]),
    ("list items that differ in one name", [f"In {name} {LONG}" for name in ("Ohio", "Utah", "Iowa", "Maine")]),
    ("names that open a sentence", [f"{name} {LONG} {OTHER}" for name in ("Alice", "Robert", "Maria")]),
    ("names in quotes", [f'{text} Schedule "{letter}"' for letter in "AB" for text in (LONG, OTHER)]),
    ("clauses with letters", [f"({letter}) {text.lower()}" for letter in "abc" for text in (LONG, OTHER)]),
    ("names that change places", [f"{LONG} Smith beat Jones.", f"{LONG} Jones beat Smith."]),
    ("legal clauses that differ in one word", [A, edited(LONG, 9, "commercial"), edited(LONG, 9, "private"), B]),
    (
        "Chinese clauses that differ in one numeral",
        [A, *(f"第{n}条" + "本合同自双方签字之日起生效并长期有效" * 4 for n in "一二三"), B],
    ),
    ("many clauses that differ in one word", [A, *(edited(LONG, 9, w) for w in ("sale", "loan", "gift", "rent")), B]),
    ("two persons, told in the same words", [f"{name} {LONG} {OTHER} {LONG[::-1]}" for name in ("Alice", "Robert")]),
    ("days that share half their lines", [p for t in BODY[4:6] for p in (A, t + " " + D, B, t[::-1] + " " + E, C)]),
    ("two copies of some lines, little in common", [A, D, E, B, F, G, C, H, A, LONG, B, OTHER, LONG[9:], C]),
    ("nothing at all", []),
    ("empty keys", ["***", "---", "***", "---"]),
]


@pytest.mark.parametrize(("label", "pieces"), STAYS, ids=[case[0] for case in STAYS])
@pytest.mark.parametrize("joint", ["\n\n", "\n"], ids=["blank lines", "no blank line"])
def test_real_text_stays(label: str, pieces: list[str], joint: str) -> None:
    assert dropped(pieces, joint) == [], label


def test_paragraphs_repeated_alone_are_reported() -> None:
    assert flagged([QUESTION, A, QUESTION, B]) == [2]
    assert flagged([C, A, A, D]) == [2]
    assert flagged([LONG, A, edited(LONG), B]) == [2]


def test_short_lines_repeated_alone_are_not_reported() -> None:
    assert flagged(["Q.", A, "Q.", B, "MOORE:", C, "MOORE:", "***", D, "***"]) == []


def test_a_rule_that_is_off_finds_nothing() -> None:
    text = "\n\n".join([*BODY, QUESTION, *BODY, QUESTION, A])
    assert {row.rule for row in find(text, rules={BLOCK_RULE: "off"})} == {PARAGRAPH_RULE}
    assert {row.rule for row in find(text, rules={PARAGRAPH_RULE: "off"})} == {BLOCK_RULE}
    assert find(text, rules={BLOCK_RULE: "off", PARAGRAPH_RULE: "off"}) == []


def test_a_threshold_of_one_drops_equal_sets_only() -> None:
    pieces = [*BODY, *(edited(piece) for piece in BODY[:4]), *BODY[4:]]
    text = "\n\n".join(pieces)
    assert indices(find(text, paragraph_threshold=1.0), BLOCK_RULE) == [12, 13, 14, 15]
    assert indices(find(text, paragraph_threshold=0.8), BLOCK_RULE) == list(range(8))


def test_the_first_sample_has_its_body_twice() -> None:
    text = next((ROOT / "corpus").glob("000_*.txt")).read_text(encoding="utf-8")
    spans = paragraphs(text)
    twin = spans[4][0], spans[21][1]
    assert find(text) == [Repeat(BLOCK_RULE, 22, 39, 4, 21, *twin, 1.0, "paragraphs 5-22 again")]


def test_the_second_sample_repeats_nothing() -> None:
    assert find(next((ROOT / "corpus").glob("002_*.txt")).read_text(encoding="utf-8")) == []


BODIES = st.builds(sentences, st.integers(0, 10**6), st.integers(2, 12), st.just(10), st.just(40))


@given(BODIES, st.integers(2, 6), st.sampled_from(["\n", "\n\n"]))
@settings(max_examples=60, deadline=None)
def test_any_body_of_enough_words_is_found_doubled(body: list[str], copies: int, joint: str) -> None:
    body = [*body, LONG]
    assert dropped(body * copies, joint) == list(range(len(body), copies * len(body)))


@given(BODIES)
@settings(max_examples=40, deadline=None)
def test_paragraphs_that_share_nothing_are_not_repeats(body: list[str]) -> None:
    assert find("\n\n".join(body)) == []


# Few paragraphs, repeated, shortened and edited at random, between texts of the same kind.
STOCK = [*BODY, LONG, OTHER, QUESTION, "Q.", "***", *CHORUS, *(piece[:50] for piece in BODY), *map(edited, BODY)]
MESSES = st.lists(st.integers(0, len(STOCK) - 1), max_size=40).map(lambda picks: [STOCK[pick] for pick in picks])
TILES = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 8)), max_size=8).map(
    lambda tiles: [piece for start, size in tiles for piece in [*BODY, *map(edited, BODY)][start : start + size]]
)


@pytest.mark.slow
@given(MESSES | TILES, st.sampled_from([0.5, 0.8, 1.0]), st.sampled_from(["\n\n", "\n", " "]))
@settings(max_examples=300, deadline=None)
def test_repeats_are_disjoint_ordered_justified_and_their_twins_stay(
    pieces: list[str], threshold: float, joint: str
) -> None:
    check_repeats(joint.join(pieces), threshold)


def check_repeats(text: str, threshold: float) -> None:
    """Check that repeats are disjoint, in order and as similar as they say, and that their twins stay."""
    spans, keys, found = pieces_of(text, paragraph_threshold=threshold)
    assert words(" ".join(text[start:stop] for start, stop in spans)) == words(text)
    assert list(keys) == [comparison_key(text[slice(*span)]) for span in spans]
    gone = [index for row in found for index in range(row.first, row.last + 1)]
    assert gone == sorted(set(gone))
    for row in found:
        inside = [at for at, (start, stop) in enumerate(spans) if start < row.twin_stop and row.twin_start < stop]
        assert inside == list(range(row.twin_first, row.twin_last + 1))
        assert set(inside).isdisjoint(gone)
        drop = " ".join(keys[row.first : row.last + 1]).split()
        twin = comparison_key(text[row.twin_start : row.twin_stop]).split()
        assert row.similarity == plain_similarity(drop, twin)
        is_edited = row.similarity < threshold
        assert is_edited == (row.evidence or "").endswith(", edited")
        if is_edited:
            assert plain_similarity_in_order(drop, twin) >= threshold


def plain_similarity_in_order(first: list[str], second: list[str]) -> float:
    """Return the similarity by the textbook table of longest common subsequences."""
    row = [0] * (len(second) + 1)
    for word in first:
        above = row
        row = [0]
        for place, other in enumerate(second):
            row.append(above[place] + 1 if word == other else max(above[place + 1], row[place]))
    return row[-1] / max(1, len(first) + len(second) - row[-1])


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abcd")))
def test_similarity_in_order_is_that_of_the_longest_common_subsequence(first: list[str], second: list[str]) -> None:
    assert similarity_in_order(first, second) == plain_similarity_in_order(first, second)


def plain_similarity(first: list[str], second: list[str]) -> float:
    def cut(words: list[str]) -> set[tuple[str, ...]]:
        size = min(PARAGRAPH_SHINGLE, len(words))
        return {tuple(words[place : place + size]) for place in range(len(words) - size + 1)}

    return len(cut(first) & cut(second)) / len(cut(first) | cut(second))


EQUAL_TILES = st.lists(st.tuples(st.integers(0, 14), st.integers(1, 8)), max_size=2).map(
    lambda tiles: [piece for start, size in tiles for piece in [*BODY, LONG, QUESTION, *CHORUS][start : start + size]]
)


@given(EQUAL_TILES)
@settings(max_examples=300, deadline=None)
def test_a_text_without_its_blocks_has_no_further_block(pieces: list[str]) -> None:
    gone = set(dropped(pieces))
    assert dropped([piece for index, piece in enumerate(pieces) if index not in gone]) == []


@given(MESSES | TILES)
@settings(max_examples=100, deadline=None)
def test_no_wording_is_lost(pieces: list[str]) -> None:
    gone = set(dropped(pieces))
    left = {comparison_key(piece) for index, piece in enumerate(pieces) if index not in gone}
    bags = [sorted(key.split()) for key in left]
    for index in gone:
        key = comparison_key(pieces[index])
        near = any(len(set(bag) & set(key.split())) >= len(set(key.split())) - 2 for bag in bags)
        assert key in left or any(other.startswith(key) for other in left) or near


HOSTILE = {
    "equal short lines": ["buy now"] * 10_000,
    "equal long lines": ["please buy our product now at this store today friends or never again"] * 10_000,
    "lines that differ in a number": [
        f"please buy our product {n} now at this store today friends" for n in range(10_000)
    ],
    "lines that differ in a word": [
        f"please buy our {''.join(letters)} now at this store today friends or never again"
        for letters in itertools.islice(itertools.product("abcdefghij", repeat=4), 10_000)
    ],
    "two lines in turn": ["buy now", "pay later"] * 5_000,
    "lines drawn from few": random.Random(1).choices(["a b c d e", "f g h i j", "k l m n o"], k=10_000),
    "long lines drawn from few": random.Random(1).choices(BODY, k=10_000),
    "every line a beginning of the next": [" ".join(["word"] * n) for n in range(300)],
    "one line of many words": ["word " * 100_000] * 2,
}


@pytest.mark.slow
@pytest.mark.parametrize("label", HOSTILE)
def test_work_is_bounded_on_hostile_input(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    purses: list[tuple[ArticleParagraphs, int]] = []
    original = ArticleParagraphs.__init__

    def remember(self: ArticleParagraphs, *arguments: Any) -> None:
        original(self, *arguments)
        purses.append((self, self.purse))

    monkeypatch.setattr(ArticleParagraphs, "__init__", remember)
    text = "\n".join(HOSTILE[label])
    spans = paragraphs(text)
    keys = [comparison_key(text[slice(*span)]) for span in spans]
    search = partial(detect_repeats, text, spans, keys, Settings(), backend=compiled)
    assert_takes_at_most(60, search)  # up to ten seconds; quadratic work takes many minutes
    assert purses
    for article, purse in purses:
        assert article.purse > -0.5 * purse


@pytest.mark.slow
@pytest.mark.data
def test_encyclopedia_articles_lose_nothing(data_rows: Rows) -> None:
    for row in data_rows("wikipedia_multilingual"):
        assert indices(find(row["text"]), BLOCK_RULE) == []


CHORUS_LINES = """\
Oh the river runs down to the wide open sea
and it carries my heart and it carries me
and the night keeps singing along with the rain
till the morning comes back to the valley again
so come walk along with me over the hill
where the lanterns are burning and the water is still
oh the river runs down to the sea"""
ANSWER = (
    "I have always said that I believe in the people of this town and what they can do when they work together, "
    "and I am going to keep saying that for as long as I am able to stand up in public and say it."
)
MEALS = [
    "Breakfast: oatmeal with blueberries, two boiled eggs, a glass of orange juice and black coffee or tea.",
    "Lunch: grilled chicken salad with tomatoes, olives and feta, and a slice of wholemeal bread with butter.",
    "Dinner: baked salmon with steamed broccoli, brown rice and lemon, and a bowl of fresh fruit for dessert.",
]
VERSES = [f"Verse {n} begins with a word about number {n * 37}\nand then it goes on for a line {n}" for n in range(4)]
QUESTIONS = [f"Do you support the {what} that the council proposed?" for what in ("bridge", "mill", "fares", "school")]


@pytest.mark.parametrize(
    ("label", "pieces"),
    [
        ("refrain", [VERSES[1], CHORUS_LINES, VERSES[2], CHORUS_LINES, VERSES[3], CHORUS_LINES, CHORUS_LINES]),
        ("two refrains", [VERSES[1], CHORUS_LINES, VERSES[2], CHORUS_LINES]),
        ("one answer to many questions", [piece for question in QUESTIONS for piece in (question, ANSWER)]),
        ("one answer to two questions", [piece for question in QUESTIONS[:2] for piece in (question, ANSWER)]),
        ("equal days", [piece for day in ("Monday", "Tuesday", "Wednesday") for piece in (day, *MEALS)]),
    ],
)
def test_long_passages_under_changing_headings_stay(label: str, pieces: list[str]) -> None:
    assert dropped(pieces) == [], label


def wrapped(pieces: list[str], width: int = 76) -> str:
    return "\n".join(textwrap.fill(piece, width) for piece in pieces)


BLANK, LINES, SPACE = "\n\n".join(BODY), "\n".join(BODY), " ".join(BODY)
LETTER = [f"{one} {two} {three}" for one, two, three in (sentences(seed, 3) for seed in range(20, 26))]
FIRST = [text.split(". ")[0] + "." for text in LETTER]  # the first sentence of each
SECOND = [text.split(". ")[1] + "." for text in LETTER]
ARTICLE = "\n\n".join(LETTER)
IN_LINE = " ".join(LETTER)
INSIDE = edited(edited(IN_LINE, 70, "nearly"), 200, "again")
BARE = IN_LINE.lower().replace(".", "")
UNCHANGED = f"{BARE} nobody was killed {edited(BARE, 60)}"
AGAIN = edited(edited(IN_LINE, 70, "nearly"), len(IN_LINE.split()) - 2, "again")
AGAIN = edited(AGAIN, 0, AGAIN.split()[1].capitalize())

# label, text, what stays
LAID_OUT = [
    ("then in lines", f"{BLANK}\n\n{LINES}", BLANK),
    ("lines first", f"{LINES}\n\n{BLANK}", LINES),
    ("then in one paragraph", f"{BLANK}\n\n{SPACE}", BLANK),
    ("one paragraph first", f"{SPACE}\n\n{BLANK}", SPACE),
    ("then hard-wrapped", f"{BLANK}\n\n{wrapped(BODY)}", BLANK),
    ("hard-wrapped first, no blank line", f"{wrapped(BODY)}\n{LINES}", wrapped(BODY)),
    ("lines, then hard-wrapped", f"{LINES}\n{wrapped(BODY, 72)}", LINES),
    ("wrapped in two widths", f"{wrapped(BODY, 72)}\n\n{wrapped(BODY, 80)}", wrapped(BODY, 72)),
    ("twice in one line", f"{SPACE} {SPACE}", SPACE),
    ("three times in one line", f"{SPACE} {SPACE} {SPACE}", SPACE),
    ("twice in one line with no full stop", f"{SPACE[:-1]} {SPACE[:-1]}", SPACE[:-1]),
    ("twice in one line of an article", f"{LETTER[0]}\n\n{SPACE} {SPACE}\n\n{LETTER[1]}", None),
    ("twice in one line, edited at its ends", f"{IN_LINE} {AGAIN}", AGAIN),
    ("twice in one line, the first one edited", f"{AGAIN} {IN_LINE}", IN_LINE),
    ("in one line each, edited", f"{IN_LINE}\n{INSIDE}", INSIDE),
    ("one edited word, and words between", f"{BARE} nobody was killed {edited(BARE, 60)}", UNCHANGED),
    ("twice in one line, and words between", f"{IN_LINE} Nobody was killed. {INSIDE}", f"Nobody was killed. {INSIDE}"),
    ("title, then twice in one line", f"Title\n\n{SPACE} {SPACE}", f"Title\n\n{SPACE}"),
    ("a heading between", f"{BLANK}\n\nRead more\n\n{SPACE}", f"{BLANK}\n\nRead more"),
    ("cut in one paragraph, then whole", f"{SPACE[:1000]}...\n\n{BLANK}", BLANK),
    ("whole, then cut in one paragraph", f"{BLANK}\n\n{SPACE[:1000]}...", BLANK),
    ("sentences first", "\n\n".join([*FIRST[:4], ARTICLE]), ARTICLE),
    ("marked sentences first", "\n\n".join([*(f"- {text}" for text in SECOND[1:5]), ARTICLE]), ARTICLE),
    ("a list of sentences first", "\n".join(f"• {text}" for text in SECOND[1:5]) + "\n\n" + ARTICLE, ARTICLE),
    ("sentences last", "\n\n".join([ARTICLE, *(f"* {text}" for text in SECOND[:3])]), ARTICLE),
    ("sentences last, out of order", "\n\n".join([ARTICLE, SECOND[4], FIRST[1], SECOND[2]]), ARTICLE),
    (
        "a list of sentences under a title",
        "\n\n".join(["Title", "Key points:\n" + "\n".join(f"- {text}" for text in FIRST[1:4]), ARTICLE]),
        f"Title\n\nKey points:\n\n{ARTICLE}",
    ),
    ("Chinese in one line", "北京市政府周二宣布将于明年开始扩建地铁网络新增三条线路方便郊区居民出行。" * 2, None),
]


@pytest.mark.parametrize(("label", "text", "expected"), LAID_OUT, ids=[case[0] for case in LAID_OUT])
def test_a_copy_in_another_layout_is_dropped(label: str, text: str, expected: str | None) -> None:
    if label == "Chinese in one line":
        text = "".join(dict.fromkeys(text.split("。"))) + "。因此市民们都在热烈讨论这个消息并且期待新线路早日开通运营。"
        text, expected = text * 2, text
    elif expected is None:
        expected = f"{LETTER[0]}\n\n{SPACE}\n\n{LETTER[1]}"
    assert cleaned(text) == expected
    assert cleaned(expected) == expected


SPEECH = [f"{text} {more}" for text, more in zip(LETTER[1:4], sentences(30, 3), strict=True)]
VERSE = "Oh the river runs on\nand the morning is gone\nI am waiting for you\ntill the winter is through"
ASKED = [f"How does {text[0].lower()}{text[1:-1]}?" for text in sentences(40, 5)]
STAYS_LAID_OUT = [
    ("a letter quoted, then printed", [f"She wrote: {LETTER[0]}", *BODY, "Dear friend,", f"Thanks. {LETTER[0]} Yours"]),
    (
        "a speech quoted, then printed",
        [BODY[0], f"He said: {SPEECH[0]}", SPEECH[1], *BODY[1:], f"Sir, {SPEECH[0]}", *SPEECH[1:]],
    ),
    ("highlights, then the speech", [BODY[0], "Highlights:", LETTER[1], LETTER[3], *BODY[1:], *LETTER]),
    ("a sentence as a pull quote", [*LETTER[:3], SECOND[1], *LETTER[3:]]),
    ("a pull quote at the top", [SECOND[1], *LETTER]),
    ("two sentences at the top", [SECOND[1], FIRST[3], *LETTER]),
    ("three sentences in the middle", [*LETTER[:4], FIRST[0], SECOND[1], FIRST[2], *BODY, *LETTER[4:]]),
    (
        "questions at the top and over the answers",
        [*ASKED, *(p for pair in zip(ASKED, LETTER, strict=False) for p in pair)],
    ),
    (
        "contents and headings",
        [
            "Where it all began",
            "What came of it later",
            "How it will end",
            LETTER[0],
            "Where it all began",
            *LETTER[1:3],
            "What came of it later",
            LETTER[3],
            "How it will end",
            LETTER[4],
        ],
    ),
    ("a chorus twice in one stanza", [A, f"{VERSE}\n{VERSE}", B, C]),
    ("clauses for two parties", [A, f"As to the author, {LETTER[0]}", f"As to the public, {LETTER[0]}", B]),
    ("a sentence said by two", [f"{A} {LONG}", *BODY[1:5], f"{B} {LONG}", *BODY[5:]]),
    (
        "ingredients and steps",
        [
            "200 g of flour",
            "2 eggs and a pinch of salt",
            "1 l of milk",
            f"Take 200 g of flour. {A}",
            f"Beat 2 eggs and a pinch of salt. {B}",
            f"Add 1 l of milk. {C}",
        ],
    ),
    (
        "letters to three people",
        [
            p
            for name in ("Ann", "Bob", "Eve")
            for p in (f"Dear {name},", *BODY[:2], sentences(len(name) + ord(name[0]), 1, 50, 60)[0])
        ],
    ),
]


@pytest.mark.parametrize(("label", "pieces"), STAYS_LAID_OUT, ids=[case[0] for case in STAYS_LAID_OUT])
@pytest.mark.parametrize("joint", ["\n\n", "\n"], ids=["blank lines", "no blank line"])
def test_quoted_parts_stay(label: str, pieces: list[str], joint: str) -> None:
    text = joint.join(pieces)
    assert cleaned(text) == text, label


PARTS = st.lists(
    st.tuples(st.integers(0, len(STOCK) - 1), st.sampled_from(["\n\n", "\n", " ", " "])), min_size=1, max_size=40
)
LAYOUTS = st.tuples(BODIES, st.lists(st.sampled_from(["\n\n", "\n", " "]), min_size=2, max_size=3))


@given(PARTS, st.sampled_from([0.5, 0.8, 1.0]))
@settings(max_examples=300, deadline=None)
def test_twins_stay_and_similarities_are_right_in_any_layout(parts: list[tuple[int, str]], threshold: float) -> None:
    check_repeats("".join(STOCK[pick] + joint for pick, joint in parts), threshold)


@given(LAYOUTS)
@settings(max_examples=100, deadline=None)
def test_any_body_is_found_doubled_in_any_layout(layout: tuple[list[str], list[str]]) -> None:
    body, joints = layout
    body = [*body, LONG]
    text = "\n\n".join(joint.join(body) for joint in joints)
    assert words(cleaned(text)) == words(" ".join(body))


SPOKEN = st.text(st.sampled_from("abC é’“-.!\n1½京都ไทยＡİß\u0301ﾞﾊ한ᄒ"), max_size=30)


@given(SPOKEN | st.text(max_size=20), st.text(max_size=20))
def test_word_starts_hold_wherever_a_text_is_cut_between_words(before: str, behind: str) -> None:
    text = f"{before} {behind}"
    starts, unsure = word_starts(text)
    sure = len(text) if not len(unsure) else int(unsure[0])
    for stop in range(sure):
        if not text[stop].isalnum():
            assert len(words(text[:stop])) == (starts < stop).sum()


PHRASES = st.lists(
    st.sampled_from(["Ann", "met.", "the", "Bo", "so", "“The", "(b)", "京都", "—", "x-Ray", ""]), max_size=14
)


@given(PHRASES, PHRASES, PHRASES, PHRASES, st.sampled_from([" ", "\n", ". "]))
def test_names_may_be_compared_only_where_two_paragraphs_differ(
    head: list[str], one: list[str], two: list[str], tail: list[str], joint: str
) -> None:
    whole = [joint.join([*head, *middle, *tail]) for middle in (one, two)]
    cut = _differing(*whole)
    assert (_marks(cut[0]) == _marks(cut[1])) == (_marks(whole[0]) == _marks(whole[1]))


def test_paragraphs_of_the_same_words_are_told_apart_by_marks_without_a_number() -> None:
    course = "Learn to write good programs in {} within a few weeks, at home and in the evening."
    pieces = [
        "Our courses",
        course.format("C++"),
        "Fees are due.",
        course.format("C#"),
        "Ask us.",
        course.format("C++"),
    ]
    [repeat] = find("\n\n".join(pieces))
    assert (repeat.rule, repeat.first, repeat.twin_first) == (PARAGRAPH_RULE, 5, 1)
