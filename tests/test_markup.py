"""Leftover tags are found and removed; code, formulas, addresses and texts about tags stay."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.engines.local import LocalEngine
from dedup.findings import apply, revert
from dedup.kernels import reference
from dedup.read.pages import is_page
from dedup.repairs.markup import markup_length, repair_markup
from dedup.repairs.repair import repair
from dedup.settings import Settings

FIXES = Settings(rules={"markup": "fix"})

REMOVED = [
    ("paragraphs", "<p>One.</p>\n<p>Two.</p>", "One.\n\nTwo.\n"),
    ("paragraphs without line ends", "<p>One.</p><p>Two.</p>", "One.\n\nTwo.\n"),
    ("a line break", "One.<br>Two.<br />Three.", "One.\nTwo.\nThree."),
    ("a line break before a line end", "One.<br>\nTwo.", "One.\nTwo."),
    ("capitals and attributes", '<DIV CLASS="a b" id=x hidden>One.</DIV>', "One.\n"),
    ("inline tags", 'The <b>red</b> <a href="https://a.example/?b=<c>">fox</a>', "The red fox"),
    ("a list", "Two:<ul><li>one</li><li>two</li></ul>", "Two:\n\none\ntwo\n"),
    ("headings", "<h2>News</h2>It rains.", "News\nIt rains."),
    ("cells", "<table><tr><td>a</td><td>b</td></tr></table>", " a b\n"),
    ("a script", 'One.<script type="text/javascript">if (a < b) { go("<p>"); }</script> Two.', "One. Two."),
    ("styles and comments", "<style>p > a {}</style>One.<!-- <p>note</p> --> Two.", "One. Two."),
    ("a document", "<!DOCTYPE html>\n<html><body><p>One.</p></body></html>", "One.\n"),
    ("an entity", "<p>Fish &amp; chips</p>", "Fish & chips\n"),
    ("an image", 'One <img src="a.png" alt="A"> two.', "One  two."),
    ("an unclosed paragraph", "One.\n<p>Two.", "One.\n\nTwo."),
    ("letters of every script", "<p>中文<br>العربية</p>", "中文\nالعربية\n"),
]

KEPT = [
    ("a comparison", "if a < b and c > d, or a <b and c> d"),
    ("a heart", "I <3 you"),
    ("an address", "Write to Ann <ann@a.example>, or <a@b>."),
    ("an address of the web", "See <https://a.example/p>."),
    ("generics", "List<int>, Map<String, List<B>>, vector<i> and Set<a>"),
    ("a program", "for (i = 0; i<b; i++) { a<b>c; }"),
    ("a header", "#include <map>\n#include <time.h>"),
    ("talk", "The <p> tag and the <b> element begin a paragraph; use <br> to break a line."),
    ("talk in another language", "Das <b>-Tag macht fett, und ein <br> bricht um."),
    ("talk in quotes", 'Type "<p>" and then "</p>".'),
    ("code in back quotes", "Write `<p>One</p>` or:\n```\n<div>\n<p>a</p>\n</div>\n```\n"),
    ("a string of a program", 'element.innerHTML = "<p>One</p>";'),
    ("a call", "print('<b>' + name + '</b>')"),
    ("XML", "<note><to>Ann</to><from>Bob</from><body>Hi</body></note>"),
    ("XML with a declaration", '<?xml version="1.0"?>\n<p><title>A</title></p>'),
    ("a placeholder", "Copyright <year> <owner>"),
    ("an open tag", "The <b of the set"),
    ("a lonely inline tag", "Both <i> and <u> are vectors"),
    ("a form's list of tags", 'Allowed: <a href="" title=""> <abbr title=""> <b> <cite> <code> <em>'),
    ("a script that is mentioned", "It is in the <script> tag of a page, which ends in </script> as usual."),
    ("arrows", "a <- b -> c <-> d <!> e"),
]


@pytest.mark.parametrize(("text", "cleaned"), [case[1:] for case in REMOVED], ids=[case[0] for case in REMOVED])
def test_leftover_markup_is_removed(text, cleaned):
    assert repair(text, FIXES)[0] == cleaned
    assert repair(cleaned, FIXES)[0] == cleaned


@pytest.mark.parametrize("text", [case[1] for case in KEPT], ids=[case[0] for case in KEPT])
def test_what_only_looks_like_markup_stays(text):
    assert repair_markup(text) == []
    assert markup_length(text) == 0


TAGS = ["<p>", "</p>", "<br>", "<br/>", '<a href="x">', "</a>", "<script>", "</script>", "<!--", "-->", "<b>", "</b>"]
OTHERS = ["<", "`", "```", "\n", " ", "word", "&amp;", "&lt;b&gt;", "<li>", '"', "<!DOCTYPE html>", "<x>", "</x>", "é"]
PIECES = st.sampled_from([*TAGS, *OTHERS])
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text("<>/!-pbraie \n\"'=&;", max_size=30)


@given(TEXTS)
@example("<p>One<br></p>")
@example("<<b>p>")
def test_markup_can_be_put_back(text):
    findings = repair_markup(text)
    assert revert(apply(text, findings), findings) == text
    cleaned, findings = repair(text, FIXES)
    assert revert(cleaned, findings) == text


@given(TEXTS)
@example("<p>&lt;p&gt;</p>")
@example("&lt;b&gt;a&lt;/b&gt; &amp;lt;")
def test_a_cleaned_text_has_no_markup_to_remove(text):
    cleaned, _ = repair(text, FIXES)
    assert repair(cleaned, FIXES) == (cleaned, [])


@given(st.text().filter(lambda text: "<" not in text))
def test_a_text_without_less_than_has_no_markup(text):
    assert repair_markup(text) == []


@pytest.mark.slow
@given(st.lists(TEXTS.filter(lambda text: not is_page(text)), max_size=4))  # the text of a page is extracted
def test_a_batch_gives_the_findings_of_each_text(texts):
    for settings in (Settings(), FIXES):
        result = dedup.clean_articles(texts, settings)
        for text, row in zip(texts, sorted(result.articles, key=lambda row: row["provenance"]["record"]), strict=False):
            assert row["provenance"]["sha256"]
            expected = [finding[3:9] for finding in repair(text, settings)[1] if finding.rule == "markup"]
            if len(result.articles) == len(texts):
                found = [f for f in result.findings if f.record == row["provenance"]["record"] and f.rule == "markup"]
                assert [finding[3:9] for finding in found] == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["<p ", "<script>", "<!--", '<a href="', "<b>", "<p>a</p>", "</a>", "`<p>", "<a b=c "]
)
def test_the_time_is_linear(piece):
    times = []
    for count in (5_000, 40_000):  # eight times as long, and 64 times if it were quadratic
        text = piece * count
        start = time.process_time()
        repair_markup(text)
        times.append(time.process_time() - start)
    assert times[1] < 32 * max(times[0], 0.02)


def test_a_copy_with_tags_is_not_the_longest(tmp_path):
    words = " ".join(f"word{number}" for number in range(200))
    articles = [
        {"id": "dirty", "text": f'<p class="story"><span style="color:red">{words}</span></p><br><br>'},
        {"id": "clean", "text": f"{words} end"},
    ]
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
    for action in ("flag", "fix", "off"):
        settings = Settings(rules={"markup": action})
        report = dedup.clean(path, tmp_path / action, settings, engine=LocalEngine(jobs=1))
        kept = (tmp_path / action / "articles.jsonl").read_text(encoding="utf-8")
        assert report.counts["kept"] == 1
        assert json.loads(kept)["id"] == "clean"


def test_the_length_is_that_of_the_compared_prose():
    body = "\n\n".join(f"Paragraph {n} has a number of words that no other has, {n * 7}." for n in range(6))
    for text, length in ((f"{body}<br>", len(body)), (f"{body}\n\n{body}", len(body)), (body, len(body))):
        line = json.dumps({"text": text}).encode()
        batch = dedup.read.objects.record_batch([dedup.read.objects.JsonRecord(line, None)], 0)
        assert dedup.prepare.batch.prepare(batch, Settings(), reference)["length"].to_pylist() == [length]


@pytest.mark.slow
def test_the_command_line_removes_markup_and_restores_it(tmp_path):
    page = "<p>The bridge is <b>open</b>.</p><p>It is 40 m long &amp; red.</p>"
    source = tmp_path / "a.txt"
    source.write_text(page, encoding="utf-8")

    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "dedup", *arguments], capture_output=True, text=True, check=False)

    done = run("clean", str(source), "-o", str(tmp_path / "out"), "--rule", "markup=fix")
    assert done.returncode == 0, done.stderr
    article = json.loads((tmp_path / "out" / "articles.jsonl").read_text(encoding="utf-8"))
    assert article["text"] == "The bridge is open.\n\nIt is 40 m long & red.\n"
    assert run("verify", str(tmp_path / "out")).returncode == 0
    assert run("restore", str(tmp_path / "out"), "-o", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back" / "a.txt").read_text(encoding="utf-8") == page


def test_a_tag_whose_line_end_is_removed_as_white_space_is_a_finding_of_markup():
    raw = "<div>\n<p>The bridge is open.</p>\n\n<p>It is 40 m long.&nbsp;Good.</p>\n\n</div>\n"
    cleaned, findings = repair(raw, Settings(rules={"markup": "fix"}))
    assert cleaned == "The bridge is open.\n\nIt is 40 m long. Good.\n"
    assert (apply(raw, findings), revert(cleaned, findings)) == (cleaned, raw)
    changes = [(finding.rule, finding.original, finding.replacement, finding.evidence) for finding in findings]
    assert changes == [
        ("markup", "<div>\n<p>", "", "tag div, tag p"),
        ("markup", "</p>", "\n", "tag p"),
        ("markup", "\n<p>", "", "tag p"),
        ("whitespace", "&nbsp;", " ", "no-break space"),
        ("markup", "</p>", "\n", "tag p"),
        ("markup", "\n\n</div>\n", "", "tag div"),
    ]
