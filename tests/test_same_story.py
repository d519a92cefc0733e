"""Lightly edited articles of one story are dropped below the threshold of near-duplicates, if the user wants that."""

from __future__ import annotations

import json

import pytest
from helpers.form_pairs import tell_same_story
from helpers.oracle import jaccard

from dedup import Settings, clean, clean_articles, verify
from dedup.errors import SettingsError

STORY = (
    "The council of the harbour town voted on Monday to repair the old sea wall before the winter storms come back. "
    "Work will begin in 14 days and is to cost 3.2 million euros, said Mayor Anna Lindqvist, who has asked for the "
    "money since last year. The wall was built when the fishing fleet was still large, and it has not been repaired "
    "for a long time. People who live behind it were told to keep sandbags ready until the work is done. The engineers "
    "of Porvoo Marine found cracks in the lower part, where the water reaches at high tide, and they warned that "
    "another hard winter could break it. Shops near the quay will stay open while the machines are there."
)
EDITED = (
    STORY.replace("voted on Monday", "decided on Monday")
    .replace("still large, and it has", "much bigger, and it has")
    .replace("were told to keep", "have been told to keep")
    .replace("another hard winter could", "one more winter could")
)
OTHERS = {
    "another name": ("Anna Lindqvist", "Petra Salonen"),
    "a name more": ("People who live", "Many in the street of Aleksander Berg who live"),
    "another number": ("in 14 days", "in 16 days"),
    "another amount": ("3.2 million", "2.3 million"),
    "a number more": ("People who live", "The 40 people who live"),
    "a negation": ("Shops near the quay will stay", "Shops near the quay will not stay"),
}
ARABIC = (
    "أعلنت إدارة المدينة أن أعمال إصلاح السور القديم ستبدأ قبل عودة العواصف في الشتاء المقبل إلى الميناء الكبير "
    "وأكدت أن أموال الإصلاح متوفرة منذ أشهر وأن أهالي المنطقة سيبقون في أماكنهم إلى أن تنتهى الأعمال كلها "
    "وكانت الأمواج قد أضرت أجزاء السور في الأعوام الأخيرة حتى خشي الأهالي أن تدخل المياه إلى أحيائهم مرة أخرى "
    "وقال أحد المهندسين إن الأساس ما زال قويا وإن أكثر الأضرار في الأجزاء العليا التي أقيمت بعد البناء الأول "
    "وستبقى المحلات القريبة من الميناء مفتوحة طوال المدة كما ستبقى الطريق إلى المدرسة مفتوحة أمام الأطفال"
)
FOLDED = ARABIC.translate(str.maketrans("أإى", "ااي"))


def rule_rows(first, second, **chosen):
    rows = [{"id": "a", "text": first}, {"id": "b", "text": second}]
    findings = clean_articles(rows, Settings(keep="first", **chosen)).findings
    return [(row.action, row.evidence) for row in findings if row.rule == "near-duplicate-article"]


def test_a_lightly_edited_story_is_dropped_only_with_the_setting():
    assert 0.6 <= jaccard(STORY, EDITED, 5) < 0.8
    assert rule_rows(STORY, EDITED) == []
    assert rule_rows(STORY, EDITED, same_story_threshold=0.6) == [("drop", "same story: names and numbers agree")]
    assert rule_rows(STORY, EDITED, same_story_threshold=0.79) == []


@pytest.mark.parametrize("name", OTHERS)
def test_other_facts_are_another_story(name):
    old, new = OTHERS[name]
    assert old in EDITED
    for first, second in ((STORY, EDITED.replace(old, new)), (EDITED.replace(old, new), STORY)):
        assert not tell_same_story(first, second)
        assert rule_rows(first, second, same_story_threshold=0.5) == []


def test_a_story_needs_enough_equal_words():
    assert not tell_same_story(STORY[:250], EDITED[:250])


def test_arabic_spellings_of_one_word_are_equal():
    assert jaccard(ARABIC, FOLDED, 5) < 0.6
    assert rule_rows(ARABIC, FOLDED) == []
    assert rule_rows(ARABIC, FOLDED, same_story_threshold=0.01) == [("drop", "same story: names and numbers agree")]


def test_the_match_that_drops_an_article_is_the_most_similar_copy():
    middle = STORY.replace("voted on Monday to repair", "decided on Monday to mend")
    rows = [{"id": name, "text": text} for name, text in zip("abc", (STORY, EDITED, middle), strict=True)]
    result = clean_articles(rows, Settings(keep="first", same_story_threshold=0.6))
    assert {row.article: row.twin for row in result.findings if row.action == "drop"} == {"b": "a", "c": "a"}
    assert {row.article: row.evidence for row in result.findings if row.action == "drop"}["c"] is None


def test_verify_judges_the_story_again(tmp_path):
    rows = [{"id": "a", "text": STORY}, {"id": "b", "text": EDITED}, {"id": "c", "text": ARABIC}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    clean([tmp_path / "rows.jsonl"], tmp_path / "out", Settings(keep="first", same_story_threshold=0.6))
    assert verify(tmp_path / "out").mismatches == []


def test_the_lower_threshold_must_be_lower():
    with pytest.raises(SettingsError, match=r"`same_story_threshold=0.9`: not below the threshold 0.8"):
        Settings(same_story_threshold=0.9)
