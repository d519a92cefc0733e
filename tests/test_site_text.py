"""The model of site text: forms equal their definition, counts add up in any order, scores depend on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.arrays import encode_utf8, offsets_of, pack
from dedup.fingerprint.shingles import hash_words, word_hash
from dedup.kernels import compiled, reference
from dedup.segment.words import comparison_key
from dedup.site_text.counts import (
    NO_HOST,
    SiteLines,
    add_tallies,
    core_of_articles,
    count_lines,
    counts_of,
    first_of_copies,
    tally_lines,
)
from dedup.site_text.evidence import evidence_of_line
from dedup.site_text.line_forms import FORM_BITS, FRAME_WORDS, form_member, form_of
from dedup.site_text.score import DROP_SCORE, FLAG_SCORE, NEVER, score_lines

SIGNS = 'aB Éя中7.!?…。？:,|"“”)(@-–/\n\t 　ß'
WORDS_OF_SITES = ("subscribe", "sign", "up", "read", "more", "read more", "Все права защищены", "本站", "転載", "a")
LINES = st.text(SIGNS, max_size=30) | st.lists(st.sampled_from(WORDS_OF_SITES), max_size=6).map(" ".join)


def forms(texts, titles=None, backend=reference):
    """Return the segments of texts and the forms of their lines."""
    packed = pack(list(map(encode_utf8, texts)))
    segments = backend.segment_batch(*packed)
    hashes = backend.word_hashes(segments.keys, segments.key_offsets)
    keys = [encode_utf8(comparison_key(title)) for title in titles or [""] * len(texts)]
    return segments, backend.line_forms(*packed, segments, hashes, *hash_words(keys))


def site_lines(texts, hosts):
    """Return the lines of `texts` whose hosts have the names `hosts`, None for an unknown one."""
    segments, found = forms(texts)
    names = sorted({host for host in hosts if host})
    keys = [
        word_hash(segments.keys[start:stop].tobytes()) >> 1
        for start, stop in zip(segments.key_starts, segments.key_stops, strict=True)
    ]
    lines = SiteLines(
        borders=segments.borders,
        hosts=np.array([names.index(host) if host else NO_HOST for host in hosts], np.int64),
        counted=np.ones(len(texts), bool),
        keys=np.array(keys, np.int64),
        words=segments.words,
        sizes=segments.sizes,
        forms=found.forms,
        frames=found.frames,
    )
    return lines._replace(counted=first_of_copies(lines.hosts, core_of_articles(lines)))


def chosen(lines, articles):
    """Return the lines of some articles, in the order of `articles`."""
    rows = [row for article in articles for row in range(lines.borders[article], lines.borders[article + 1])]
    per_line = {name: getattr(lines, name)[rows] for name in ("keys", "words", "sizes", "forms", "frames")}
    return SiteLines(
        borders=offsets_of(np.diff(lines.borders)[articles]),
        hosts=lines.hosts[articles],
        counted=lines.counted[articles],
        **per_line,
    )


@given(st.lists(st.tuples(LINES, st.lists(LINES, max_size=6)), max_size=4))
def test_the_compiled_forms_equal_their_definition(articles):
    texts, titles = ["\n".join(lines) for _, lines in articles], [title for title, _ in articles]
    (_, expected), (_, got) = forms(texts, titles), forms(texts, titles, compiled)
    for name in FORM_BITS:
        assert form_member(expected.forms, name).tolist() == form_member(got.forms, name).tolist(), name
    assert expected.frames.tolist() == got.frames.tolist()


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("Published 3 May 2020 11:40", "Published 14 June 2021 9:05", True),
        ("12 comments", "3 comments", True),
        ("Veröffentlicht am 3. März 2020", "Veröffentlicht am 12. Juli 2021", True),
        ("12 comments", "12 replies", False),
        ("Ann May wrote this", "Ann June wrote this", False),
    ],
)
def test_lines_that_differ_in_numbers_and_dates_have_one_frame(first, second, is_same):
    _, found = forms([f"A title\n{first}", f"A title\n{second}"])
    assert (found.frames[1] == found.frames[3]) == is_same


def test_the_title_of_an_article_is_folded_in_frames():
    texts = [
        "Mayor opens a new bridge\nLink to this story at The Bee: Mayor opens a new bridge",
        "Fire in the old mill\nLink to this story at The Bee: Fire in the old mill",
    ]
    _, found = forms(texts)
    assert found.frames[1] == found.frames[3] != 0 == found.frames[0]
    assert form_member(found.forms, "is_title").tolist() == [1, 0, 1, 0]


def test_a_title_field_counts_as_the_title():
    _, found = forms(["A first line\nMayor opens a bridge\nText"], ["Mayor Opens a Bridge"])
    assert form_member(found.forms, "is_title").tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("Sign up for our newsletter", 3),
        ("He saw a sign up on the hill.", 1),
        ("El tráfico seguirá cortado hasta nuevo aviso.", 0),
        ("© 2020 Вестник. Все права защищены.", 1),
        ("本站版权所有", 1),
        ("The minister declined to comment.", 0),
        ("There is no more to read " + "at all " * FRAME_WORDS + "subscribe", 0),
    ],
)
def test_words_and_pairs_of_words_of_sites_are_counted(line, count):
    _, found = forms([line], backend=compiled)
    assert form_member(found.forms, "site_words").tolist() == [count]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("He left at nine.", {"last": 5, "ends": 1, "capitals": 3}),
        ("“We are ready,” said Ann.", {"is_quoted": 1, "quotes": 2}),
        ("Home | News | Sport", {"separators": 2, "capitals": 9}),
        ("Mail us: desk@bee.example", {"has_at": 1}),
        ("3/5/2020 11:40", {"has_time": 1, "digits": 11}),
        ("她走了。他没有。", {"ends": 2}),
    ],
)
def test_a_form_says_what_a_line_looks_like(text, members):
    form = np.array([form_of(text)])
    assert {name: int(form_member(form, name)[0]) for name in members} == members


WORDS = st.sampled_from(["Home", "News of the day", "Share", "A long sentence that tells what the mayor said today."])
CORPUS = st.lists(
    st.tuples(st.sampled_from(["a.example", "b.example", None]), st.lists(WORDS, min_size=1, max_size=5)),
    min_size=1,
    max_size=8,
)


@given(CORPUS, st.randoms(use_true_random=False))
def test_counts_depend_neither_on_order_nor_on_partitions(corpus, rng):
    lines = site_lines(["\n".join(body) for _, body in corpus], [host for host, _ in corpus])
    everything = tally_lines(lines)
    order = list(range(len(corpus)))
    rng.shuffle(order)
    cut = rng.randint(0, len(order))
    parts = [tally_lines(chosen(lines, part)) for part in (order[:cut], order[cut:])]
    for added in (add_tallies(*parts), add_tallies(*reversed(parts))):
        assert added.ids.tolist() == everything.ids.tolist()
        assert added.values.tolist() == everything.values.tolist()


@given(CORPUS)
def test_a_score_depends_on_the_article_and_its_counts_alone(corpus):
    lines = site_lines(["\n".join(body) for _, body in corpus], [host for host, _ in corpus])
    tallies = tally_lines(lines)
    together = score_lines(lines, counts_of(lines, tallies)).tolist()
    single = []
    for article in range(len(corpus)):
        part = chosen(lines, [article])
        single += score_lines(part, counts_of(part, tallies)).tolist()
    assert together == single


def sentence(seed, words=24):
    """Return a made-up sentence, the same for the same seed."""
    rng = np.random.default_rng(seed)
    letters = list("bcdfgklmnprst")
    made = ["".join(rng.choice(letters) + rng.choice(list("aeiou")) for _ in range(3)) for _ in range(words)]
    return " ".join(made).capitalize().replace(" ", ", ", 1) + "."


def pages(count, around, start=0):
    """Return pages of `count` articles; `around` gives the lines before the text and behind it."""
    texts = []
    for number in range(start, start + count):
        body = [sentence(number * 10), *(sentence(number * 10 + at) for at in range(1, 5))]
        before, behind = around(number, body)
        texts.append("\n".join([*before, *body, *behind]))
    return texts


MENU = ["Home", "News", "Sport", "Weather", "Contact us", "About us"]
FOOTER = ["Share on Facebook", "Sign up for our newsletter", "Privacy policy | Terms of use", "All rights reserved"]


def scored(texts, host="bee.example"):
    """Return the scores of the lines of each of `texts`, by their words."""
    lines = site_lines(texts, [host] * len(texts))
    scores = score_lines(lines, count_lines(lines))
    words = [line for text in texts for line in text.split("\n")]
    result = {}
    for line, score in zip(words, scores.tolist(), strict=True):
        result.setdefault(line, []).append(score)
    return result


@pytest.mark.parametrize("count", [4, 10, 40])
def test_menus_and_footers_are_site_text_and_prose_is_not(count):
    scores = scored(pages(count, lambda *_: (MENU, FOOTER)))
    assert all(score >= DROP_SCORE for line in MENU + FOOTER for score in scores[line])
    assert all(score < FLAG_SCORE for line, found in scores.items() if line not in MENU + FOOTER for score in found)


def test_counters_and_dates_of_changing_content_are_site_text():
    def around(number, _):
        return [*MENU, f"Published {number % 28 + 1} May 2020 11:40"], [f"{number} comments", *FOOTER]

    scores = scored(pages(30, around))
    changing = [line for line in scores if line.startswith("Published") or line.endswith(" comments")]
    assert all(score >= FLAG_SCORE for line in changing for score in scores[line])


@pytest.mark.parametrize("host", ["bee.example", None])
def test_small_and_unknown_hosts_are_not_judged(host):
    texts = pages(2 if host else 30, lambda *_: (MENU, FOOTER))
    assert {score for found in scored(texts, host).values() for score in found} == {NEVER}


def test_nothing_is_site_text_where_nothing_recurs():
    assert {score for found in scored(pages(30, lambda *_: ([], []))).values() for score in found} == {NEVER}


def test_two_copies_of_an_article_do_not_make_its_text_the_sites():
    texts = pages(3, lambda *_: (MENU, FOOTER))
    scores = scored([*texts, texts[0]])
    assert all(score < FLAG_SCORE for line in texts[0].split("\n")[6:11] for score in scores[line])


def inside(count, line_of):
    """Return pages without a frame, with a line between the second paragraph and the third."""
    texts = []
    for number in range(count):
        body = [sentence(number * 10 + at) for at in range(6)]
        line = line_of(number)
        texts.append("\n".join(body[:3] + ([line] if line else []) + body[3:]))
    return texts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "every"),
    [
        ("No injuries were reported.", 10),
        ("No arrests have been made.", 10),
        ("What are you reading at the moment?", 2),
        ("“We have said all there is to say about it,” a spokesman wrote.", 4),
        (sentence(99, 40), 6),
    ],
)
def test_a_fact_a_question_and_a_quotation_inside_a_text_stay(line, every):
    scores = scored(inside(60, lambda number: None if number % every else line))
    assert max(scores[line]) < FLAG_SCORE
    scores = scored(["\n".join([*MENU, text, *FOOTER]) for text in inside(60, lambda at: None if at % every else line)])
    assert max(scores[line]) < FLAG_SCORE


def test_a_quotation_is_never_dropped():
    quotation = "“We have said all there is to say about it,” a spokesman wrote."
    scores = scored(pages(20, lambda *_: (MENU, [quotation, *FOOTER])))
    assert max(scores[quotation]) < DROP_SCORE


def test_the_headline_of_an_article_stays_on_its_own_page_though_others_tease_it():
    headlines = [" ".join(sentence(number * 7 + 1000, 6).rstrip(".").split()) for number in range(20)]

    def around(number, _):
        others = [headlines[(number + step) % 20] for step in (1, 2, 3, 5, 8)]
        return [*MENU, headlines[number]], ["Related stories", *others, *FOOTER]

    texts = pages(20, around)
    lines = site_lines(texts, ["bee.example"] * 20)
    scores = score_lines(lines, count_lines(lines))
    opening = [int(lines.borders[article]) + len(MENU) for article in range(20)]
    assert max(scores[opening]) < DROP_SCORE
    teasers = [at + 6 + step for at in opening for step in range(1, 5)]
    assert min(scores[teasers]) >= FLAG_SCORE


def test_the_title_of_an_article_is_counted_where_another_page_has_it():
    texts = [f"{sentence(number, 6)}\n{sentence(number + 50)}" for number in range(3)]
    texts[2] += f"\n{sentence(0, 6)}"
    counts = count_lines(site_lines(texts, ["bee.example"] * 3))
    assert counts.titles.tolist() == [1, 0, 1, 0, 1, 0, 1]
    assert counts.articles.tolist() == [2, 1, 1, 1, 1, 1, 2]


def test_the_evidence_names_counts_and_place():
    lines = site_lines(pages(4, lambda *_: (MENU, FOOTER)), ["bee.example"] * 4)
    counts = count_lines(lines)
    assert evidence_of_line(counts, 0, "bee.example") == "in 4 of 4 articles of bee.example, near the start"
