"""Runs of equal fixes: one finding each, which is undone like any other, and no finding larger than it is worth."""

import re
from ast import literal_eval
from itertools import pairwise

import pytest
from conftest import read_jsonl, write_jsonl
from helpers.repair_texts import PIECES, SETTINGS, TEXTS
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.findings import DROP, FIX, FLAG, Finding, apply, fix, revert
from dedup.repairs.equal_fixes import LEAST_EQUAL, LONGEST_LINE, NEAR_FIXES, is_run, merge_equal_fixes
from dedup.repairs.repair import repair, repair_each
from dedup.settings import Settings

# Text in which equal fixes often follow each other.
RUNS = st.lists(st.tuples(st.sampled_from([*PIECES, "\r\n", "\r", "a ", "“x”"]), st.integers(1, 6)), max_size=8).map(
    lambda parts: "".join(piece * count for piece, count in parts)
)


@given(st.one_of(RUNS, TEXTS), SETTINGS)
@example("a\r\nb\r\nc\r\nd", Settings())
@example("“a” “b” “c”, ’tis ’twas ’twere", Settings(rules={"typography": "fix"}))
def test_a_merged_finding_is_a_fix_like_any_other(raw, settings):
    cleaned, single = repair_each(raw, settings)
    again, merged = repair(raw, settings)
    assert again == cleaned == apply(raw, merged)
    assert revert(cleaned, merged) == raw
    assert all(raw[f.start : f.stop] == f.original for f in merged if f.action == FIX)
    changes = [f for f in merged if f.action != FLAG]
    assert all(one.stop <= two.start for one, two in pairwise(changes))
    assert [f.start for f in merged] == sorted(f.start for f in merged)
    assert [f for f in merged if f.action == FLAG] == [f for f in single if f.action == FLAG]
    assert {f.start for f in merged} <= {f.start for f in single}
    assert merge_equal_fixes(raw, single) == merged
    assert sum(len(f.original) + len(f.replacement) for f in changes) <= sum(
        len(f.original) + len(f.replacement) + 2 * LONGEST_LINE for f in single if f.action != FLAG
    )


@given(st.one_of(RUNS, TEXTS))
def test_the_evidence_of_a_run_says_how_many_fixes_of_which_kind_are_in_it(raw):
    _, single = repair_each(raw)
    for finding in repair(raw)[1]:
        if not is_run(finding):
            assert finding in single
            continue
        inside = [f for f in single if finding.start <= f.start and f.stop <= finding.stop]
        count, old, new = re.match(
            r"([\d,]+) times ('.*?'|\".*?\") -> ('.*?'|\".*?\")(?:: |$)", finding.evidence
        ).groups()
        old, new = literal_eval(old), literal_eval(new)
        assert len(inside) >= LEAST_EQUAL
        assert int(count.replace(",", "")) * len(old) == sum(len(f.original) for f in inside)
        assert all(f.original.replace(old, new) == f.replacement for f in inside if old)


WORDS = "ordinary words of a sentence,"

# (label, raw text, findings, evidence of the first)
CASES = [
    ("CRLF", "one\r\ntwo\r\n\r\nthree\r\n", 1, "4 times '\\r' -> '': fix_line_breaks"),
    ("CR", "one\rtwo\r\rthree\rfour", 1, "4 times '\\r' -> '\\n': fix_line_breaks"),
    ("one more line end in CRLF", "one\r\ntwo\r\nthree\rfour\r\nfive\r\n", 5, None),
    ("long lines", f"{WORDS * 100}\r\n\r\n" * 9 + "end", 1, "18 times"),
    ("two lines", "one\r\ntwo\r\n", 2, None),
    ("a line end that stays", "one\r\ntwo\r\n" + WORDS * 9 + "\n\n" + WORDS * 9 + "three\r\nfour\r\nfive\r\n", 3, None),
    ("strays in a long text", f"{WORDS * 20}\r\n{WORDS * 20}\n" * 9, 9, None),
    ("very far apart", f"{WORDS * 300}\r\n" * 5, 5, None),
    ("quotes", "’" + " it’s".join(["x"] * 9), 1, "9 times '\\u2019' -> \"'\""),
    ("no-break spaces", "10\u00a0000, 20\u00a0000, 30\u00a0000", 1, "3 times '\\xa0' -> ' ': no-break space"),
    ("no-break spaces far apart", f"10\u00a0000{WORDS * 10}" * 5, 5, None),
    ("entities", "R&amp;D, Q&amp;A, AT&amp;T", 1, "3 times 'amp;' -> '': unescape_html"),
    ("other fixes between", "a \r\nb \r\nc \r\n", 6, None),
    ("mojibake", "caf\u00c3\u00a9, caf\u00c3\u00a9, caf\u00c3\u00a9", 1, "3 times '\\xc3\\xa9' -> '\\xe9'"),
]


@pytest.mark.parametrize(("raw", "count", "evidence"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_run_of_equal_fixes_is_one_finding(raw, count, evidence):
    cleaned, findings = repair(raw, Settings(rules={"typography": "fix"}))
    assert len(findings) == count
    assert apply(raw, findings) == cleaned
    if evidence:
        assert findings[0].evidence.startswith(evidence)


def test_only_fixes_of_one_rule_without_twins_are_merged():
    raw = "abc" * 9
    fixes = [fix("encoding", raw, at, at + 1, "x") for at in range(0, 27, 3)]
    others = {
        "another rule": fixes[4]._replace(rule="typography"),
        "a drop": fixes[4]._replace(action=DROP),
        "a twin": fixes[4]._replace(twin="a"),
        "another replacement": fixes[4]._replace(replacement="y"),
    }
    assert len(merge_equal_fixes(raw, fixes)) == 1
    for label, other in others.items():
        merged = merge_equal_fixes(raw, [*fixes[:4], other, *fixes[5:]])
        assert (len(merged), merged[1]) == (3, other), label
    flag = Finding(rule="page-furniture", action=FLAG, start=13, stop=14)
    assert [f.action for f in merge_equal_fixes(raw, [*fixes[:5], flag, *fixes[5:]])] == [FIX, FLAG]
    assert merge_equal_fixes(raw, fixes[: LEAST_EQUAL - 1]) == fixes[: LEAST_EQUAL - 1]


@pytest.mark.parametrize(("gap", "count"), [(NEAR_FIXES, 1), (NEAR_FIXES + 1, 3)])
def test_fixes_are_merged_up_to_a_distance(gap, count):
    raw = ("x" + "-" * gap) * 3
    places = (0, gap + 1, 2 * gap + 2)
    assert len(merge_equal_fixes(raw, [fix("encoding", raw, at, at + 1, "y") for at in places])) == count


def test_clean_records_what_repair_and_clean_articles_find(tmp_path):
    texts = ["one\r\ntwo\r\nthree\r\nfour and five words", "a\u00a0b, c\u00a0d, e\u00a0f, and more words after"]
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    write_jsonl(tmp_path / "in.jsonl", rows)
    report = dedup.clean(tmp_path / "in.jsonl", tmp_path / "out")
    written = read_jsonl(tmp_path / "out" / "provenance.jsonl")
    in_memory = dedup.clean_articles(rows)
    assert [Finding(**row)._replace(source="-") for row in written] == in_memory.findings
    repaired = [finding for text in texts for finding in dedup.repair(text)[1]]
    assert [finding[3:] for finding in repaired] == [finding[3:] for finding in in_memory.findings]
    assert report.rules() == {
        "encoding": {"fix": {"findings": 1, "characters": 3}},  # the three "\r", not the text between
        "whitespace": {"fix": {"findings": 1, "characters": 3}},
    }
