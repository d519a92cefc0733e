"""Facts: what a reader sees about numbers and a comparison key hides."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import example, given
from hypothesis import strategies as st

from dedup import Settings, clean_articles
from dedup.arrays import encode_utf8, pack
from dedup.kernels import compiled, reference
from dedup.kernels.facts import fact_characters
from dedup.repeats.article import ArticleParagraphs
from dedup.segment.digests import key_halves, paragraph_digests, text_digests
from dedup.segment.fact_characters import FIRST_UNKNOWN, PLAIN_DIGIT, classify
from dedup.segment.facts import fact_marks, fact_marks_and_digits, facts
from dedup.segment.words import comparison_key, words

PAIRS = json.loads((ROOT / "tests" / "data" / "fact_pairs.json").read_text(encoding="utf-8"))

# Digits, marks and letters, in several forms, and pieces that are long enough for whole blocks to be passed over.
PIECES = [
    *"00123456789",
    *"   \n\n\t.,:'’*_-–−+/~<>=≤±×%‰°′″$€￥#♯♭↑▲…(;?^|abCZ京é",
    *"\u0301½⅟²₂⁻①㎡⒈ﬁ５％．－٣٫٪۵५\ufe0f\u20e3\u200b\u00ad\u00a0™´˚℃\U00031350\U000e0100\ud800\U0001f53a",
    "word ",
    "C++",
    "some plain text without a number ",
    "and more of it, which is longer than several blocks; it ends here. ",
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(), max_size=5)


def ids(cases):
    return [label for label, *_ in cases]


@pytest.mark.parametrize(("label", "first", "second"), PAIRS["differ"], ids=ids(PAIRS["differ"]))
def test_texts_of_equal_words_that_a_reader_tells_apart_have_other_facts(label, first, second):
    assert comparison_key(first) == comparison_key(second), label
    assert fact_marks(first) != fact_marks(second)
    assert facts(first) != facts(second)


@pytest.mark.parametrize(("label", "first", "second"), PAIRS["equal"], ids=ids(PAIRS["equal"]))
def test_texts_that_are_only_written_differently_have_equal_facts(label, first, second):
    assert comparison_key(first) == comparison_key(second), label
    assert fact_marks(first) == fact_marks(second)
    assert facts(first) == facts(second)


def test_the_table_of_pairs_is_large_and_names_each_case_once():
    for cases in PAIRS.values():
        assert len(set(ids(cases))) == len(cases) > 60


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("In 2020, 3 of 4 fell.", ()),
        ("It fell by −2.5 % in 2020", ("-2.5%", "2020")),
        ("US$-5 or −1'204,50 €", ("-5$", "-1'204,50€")),
        ("10⁻² and 10² and H₂O", ("10–^2", "10^2", "2")),
        ("$5 – $7 in 1990–95, 5…7", ("5$–7$", "1990–95", "5…7")),
        ("C++ and C#, 18+", ("c++", "c#", "18+")),
        ("2½ of ≥5", ("2 1/2", "=>5")),
        ("-.5", ("-.5",)),
        ("٣٫٥٪", ("٣.٥%",)),
    ],
)
def test_facts_are_shown_as_numbers_with_their_marks(text, shown):
    assert facts(text) == shown


@given(TEXTS)
@example(["5" * 40, "word " * 20 + "C#", "a" * 17 + "#", "x" * 7 + "c++", "5" + " " * 40 + "%", "%" + " " * 40 + "5"])
@example(["éééééééé 5% éé\n\n٣٫٥ \U00031350+5\n\nword -5", "5.", ".5", "-", "+", "", "\n"])
def test_compiled_marks_equal_their_definition(texts):
    packed = pack(list(map(encode_utf8, texts)))
    segments = reference.segment_batch(*packed)
    expected, found = reference.find_fact_marks(*packed, segments), compiled.find_fact_marks(*packed, segments)
    for name, first, second in zip(expected._fields, expected, found, strict=True):
        assert first.dtype == second.dtype, name
        assert first.tolist() == second.tolist(), name


@pytest.mark.slow
def test_compiled_marks_equal_their_definition_for_every_character():
    texts = [f"x{chr(code)}5 {chr(code)}5{chr(code)}7 c{chr(code)} 5 {chr(code)}" for code in range(FIRST_UNKNOWN)]
    for start in range(0, FIRST_UNKNOWN, 1 << 14):
        packed = pack(list(map(encode_utf8, texts[start : start + (1 << 14)])))
        segments = compiled.segment_batch(*packed)
        for first, second in zip(
            reference.find_fact_marks(*packed, segments), compiled.find_fact_marks(*packed, segments), strict=True
        ):
            assert first.tolist() == second.tolist()


def test_more_marks_than_there_is_room_for_at_first_are_all_found():
    packed = pack([b"-1" * 50_000, b"$5 " * 50_000])
    segments = compiled.segment_batch(*packed)
    marks = compiled.find_fact_marks(*packed, segments)
    assert marks.codes.tolist() == reference.find_fact_marks(*packed, segments).codes.tolist()


def test_the_tables_say_what_the_definition_says():
    tables = fact_characters()
    for code in range(0, FIRST_UNKNOWN, 97):
        assert classify(chr(code)) == (tables.kinds[code], tables.codes[code], tables.digits[code])


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_the_digits_of_a_text_are_those_of_its_key(text):
    assert fact_marks_and_digits(text)[1] == sum(map(str.isdecimal, comparison_key(text)))


def test_every_decimal_digit_is_a_digit_and_every_character_of_a_word_is_in_one():
    for code in range(FIRST_UNKNOWN):
        character = chr(code)
        if character.isdecimal():
            assert classify(character)[::2] == (PLAIN_DIGIT, 1)
        kept = "".join(words(character))
        assert classify(character).digits == sum(map(str.isdecimal, kept)), hex(code)


@given(
    st.lists(st.tuples(st.sampled_from(["5", "2020", "word", "Abc"]), st.sampled_from([" ", ", ", ". ", "; ", ": "])))
)
def test_sentences_with_numbers_have_no_facts(parts):
    assert facts("".join(map("".join, parts))) == ()


@given(TEXTS)
def test_the_digest_of_a_text_does_not_depend_on_its_paragraphs(texts):
    parts = [part for text in texts for part in text.split("\n") if words(part)]
    joined = pack([encode_utf8("\n\n".join(parts)), encode_utf8(" (;) ".join(parts))])
    segments = reference.segment_batch(*joined)
    first, second = text_digests(segments, reference.find_fact_marks(*joined, segments))
    if all(part[0].isalpha() and part[-1].isalpha() for part in parts):
        assert first == second


@given(TEXTS)
def test_digests_are_equal_where_keys_and_marks_are(texts):
    packed = pack(list(map(encode_utf8, texts)))
    segments = reference.segment_batch(*packed)
    digests = paragraph_digests(segments, reference.find_fact_marks(*packed, segments))
    halves = key_halves(np.frombuffer(b"".join(digests), "V16")).tolist()
    known, number = [], 0
    for text, (first, last) in zip(texts, pairwise(segments.borders.tolist()), strict=True):
        for start, stop in zip(segments.starts[first:last], segments.stops[first:last], strict=True):
            key = comparison_key(text[start:stop])
            known.append((key, tuple(fact_marks(text[start:stop])) if key else ()))
            number += 1
    for one in range(number):
        for other in range(one):
            assert (digests[one] == digests[other]) == (known[one] == known[other])
            assert (halves[one] == halves[other]) == (known[one][0] == known[other][0])


LONG = [
    "The index of the exchange closed at {0} on Monday after a quiet session with little trade.",
    "Analysts had expected less of the day, since most markets of the region were closed for a holiday.",
    "The committee meets again in the first week of the next month to decide about the rate of interest.",
    "Traders said that they would wait for the figures of the labour market before they buy more shares.",
]
FORMS = [
    ("+1.2%", "-1.2%"),
    ("$5", "€5"),
    ("-12 million", "12 million"),
    ("<5", ">5"),
    ("5-7", "5/7"),
    ("1,204", "1.204"),
]


def cleaned(texts, **rules):
    chosen = Settings(rules={"contained-article": "drop", **rules})
    return clean_articles(
        [{"id": str(n), "text": text, "url": f"https://x.org/{n}"} for n, text in enumerate(texts)], chosen
    )


def rules_of(result):
    return [finding.rule for finding in result.findings]


def facts_of(form):
    return facts(form)[0] if facts(form) else form.partition(" ")[0]


@pytest.mark.parametrize(("first", "second"), FORMS, ids=str)
def test_an_article_with_other_facts_is_no_duplicate(first, second):
    one, two = ("\n\n".join(LONG).format(form) for form in (first, second))
    assert comparison_key(one) == comparison_key(two)
    assert "duplicate-article" in rules_of(cleaned([one, one.upper()]))
    result = cleaned([one, two, two.upper()], **{"shared-paragraph": "off", "boilerplate": "off"})
    flag, drop = result.findings
    assert (flag.article, flag.twin, flag.rule, flag.action) == ("1", "0", "near-duplicate-article", "flag")
    assert (flag.similarity, flag.evidence) == (1.0, f"same form, other facts: {facts_of(second)}/{facts_of(first)}")
    assert (drop.article, drop.twin, drop.rule) == ("2", "1", "duplicate-article")
    assert [article["text"] for article in result.articles] == [one, two]


def test_a_short_article_with_other_facts_is_no_duplicate():
    texts = ["Index closes at -1.2%", "Index closes at +1.2%", "Index closes at −1.2 %"]
    flag, finding = clean_articles(texts, Settings(keep="first")).findings
    assert (flag.rule, flag.action, flag.record, flag.twin_record) == ("near-duplicate-article", "flag", 1, 0)
    assert (finding.rule, finding.record, finding.twin_record) == ("duplicate-article", 2, 0)


@pytest.mark.parametrize(("first", "second"), FORMS, ids=str)
def test_a_paragraph_with_other_facts_is_not_shared(first, second):
    own = ["Readers of the {} paper had asked for more of this.", "More of it follows in the {} part of our report."]

    def article(name, form):
        return "\n\n".join([own[0].format(name), LONG[0].format(form), own[1].format(name)])

    texts = [article(name, form) for name, form in (("red", first), ("blue", second), ("green", second.upper()))]
    found = [finding for finding in cleaned(texts).findings if finding.rule == "shared-paragraph"]
    assert [(finding.article, finding.twin) for finding in found] == [("2", "1")]


@pytest.mark.parametrize(("first", "second"), FORMS, ids=str)
def test_a_paragraph_with_other_facts_is_not_repeated_in_its_article(first, second):
    def text(*forms):
        named = [LONG[0].format(forms[0]), LONG[1], LONG[0].format(forms[1]), *LONG[2:]]
        return "\n\n".join(["A heading of the day", *named])

    assert "repeated-paragraph" in rules_of(cleaned([text(first, first)]))
    assert rules_of(cleaned([text(first, second)])) == []


def block_text(*forms):
    blocks = ["\n\n".join(LONG).format(form) for form in forms]
    return "\n\n".join([blocks[0], "An interview with somebody else stands here, of some length.", blocks[1]])


def test_a_block_with_equal_facts_is_repeated_in_its_article():
    assert rules_of(cleaned([block_text("+1.2%", "+1.2 %")])) == ["repeated-block"]


def test_of_two_versions_with_other_facts_the_later_stays():
    [article] = cleaned([block_text("+1.2%", "-1.2%")]).articles
    assert "-1.2%" in article["text"]
    assert "+1.2%" not in article["text"]


def test_a_lone_paragraph_with_other_facts_is_no_copy():
    text = "\n\n".join([LONG[0].format("+1.2%"), LONG[0].format("-1.2%")])
    [article] = cleaned([text]).articles
    assert article["text"] == text


def paragraphs_of(*texts):
    keys = list(map(comparison_key, texts))
    spans = [(len("\n\n".join(texts[:n])) + 2 * (n > 0), len("\n\n".join(texts[: n + 1]))) for n in range(len(texts))]
    return ArticleParagraphs("\n\n".join(texts), spans, keys)


@pytest.mark.parametrize(
    ("first", "second", "are_equal", "agree"),
    [
        ("the rate of the bank is now -5 per cent", "the rate of the bank is now −5 per cent", True, True),
        ("the rate of the bank is now -5 per cent", "the rate of the bank is now +5 per cent", False, False),
        ("the rate of the bank is now -5 per cent", "the rate of that bank is now -5 per cent", False, True),
        ("the rate of the bank is now -5 per cent", "the rate of that bank is now 5 per cent", False, False),
        ("the rate of the bank is now 5", "the rate of the bank is now 5% or less", False, False),
        ("the rate of the bank is now $5", "the rate of the bank is now €5", False, False),
    ],
)
def test_paragraphs_of_an_article_are_alike_only_if_their_facts_agree(first, second, are_equal, agree):
    article = paragraphs_of(first, second)
    assert (article.id_of(0) == article.id_of(1)) == are_equal
    assert article.agree(first, second) == agree


def test_lines_of_a_host_with_other_facts_are_counted_apart():
    def article(number, line):
        return "\n\n".join([f"Story {number} tells of the {number * 7} things that nobody else has told.", line])

    line = "Subscribe for {} a month"
    texts = [article(number, line.format("$5" if number % 2 else "€5")) for number in range(20)]
    found = [finding for finding in cleaned(texts).findings if finding.rule == "boilerplate"]
    assert {finding.evidence.partition(" of ")[0] for finding in found} == {"in 10"}
    assert [finding.twin_record for finding in found] == [number % 2 for number in range(20)]
