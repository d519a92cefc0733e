"""Articles that are hardly any are flagged, and a paywall's notice does not hide that an opening is one."""

import json
import subprocess
import sys

import pytest

import dedup
from dedup.engines.local import LocalEngine
from dedup.errors import SettingsError
from dedup.kernels import reference
from dedup.kernels.backend import load_backend
from dedup.prepare.batch import prepare
from dedup.read.objects import JsonRecord, record_batch
from dedup.repairs.notices import find_notices, is_notice, own_paragraph_count
from dedup.settings import Settings

ONE = LocalEngine(jobs=1)
PLACES = ["Alder", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak", "Pine", "Rowan"]
SENTENCES = [
    f"The council of {place} voted for {number} new bridges over the river, which will cost {number * 7} million."
    for number, place in enumerate(PLACES, 2)
]


def thin(text, **settings):
    findings = dedup.clean_articles([{"text": text}], Settings(**settings)).findings
    return [finding.evidence for finding in findings if finding.rule == "thin-article"]


NOTICES = [
    ("404", "error page"),
    ("404 Not Found", "error page"),
    ("Page not found. The page you are looking for may have been moved or deleted.", "error page"),
    ("Access Denied\n\nYou don't have permission to access this server.", "error page"),
    ("Checking your browser before accessing the site. Please verify you are human.", "error page"),
    ("Subscribe to continue reading. Already a subscriber? Log in.", "paywall"),
    ("JavaScript is disabled. Please enable JavaScript to use this site.", "script notice"),
    ("Please enable cookies to continue.", "script notice"),
    ("We use cookies to improve your experience. Accept all. Manage cookies.", "cookie notice"),
    ("Seite nicht gefunden\nDie gewünschte Seite existiert nicht mehr.", "error page"),
    ("Wir verwenden Cookies, um die Seite zu verbessern.", "cookie notice"),
    ("Cet article est réservé aux abonnés. Déjà abonné ? Connectez-vous.", "paywall"),
    ("La página que buscas no existe.", "error page"),
    ("Utilizziamo i cookie per migliorare il sito.", "cookie notice"),
    ("Conteúdo exclusivo para assinantes. Já é assinante?", "paywall"),
    ("Страница не найдена", "error page"),
    ("Включите JavaScript в браузере.", "script notice"),
    ("页面不存在", "error page"),
    ("この記事は会員限定です。続きを読むには会員登録が必要です。", "paywall"),
    ("الصفحة غير موجودة", "error page"),
]


@pytest.mark.parametrize(("text", "kind"), NOTICES)
def test_a_notice_in_place_of_an_article_is_thin(text, kind):
    [evidence] = thin(text, min_words=0)
    assert evidence.startswith(f"{kind}: ")


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("***", "no words"),
        ("Rain.", "1 word"),
        ("It rains in Alder.", "4 words"),
    ],
)
def test_an_article_of_few_words_is_thin(text, evidence):
    assert thin(text) == [evidence]


@pytest.mark.parametrize(
    "text",
    [
        "It rains in Alder today.",
        "\n\n".join(SENTENCES[:3]),
        "\n\n".join([*SENTENCES[:3], "Subscribe to continue reading."]),
        "The company fined for cookies said that it would accept the ruling. " + SENTENCES[0],
        "Error 404 is the name of a play that opened in Alder on Monday, about a page that is not found by its reader.",
        "She could not log in, so she never found the page, said her lawyer, and access was denied to her for a month.",
        "JavaScript turned 25 this year. " + " ".join(SENTENCES[:2]),
    ],
)
def test_an_article_is_not_thin(text):
    assert thin(text) == []


def test_the_rule_only_flags():
    with pytest.raises(SettingsError, match="thin-article"):
        Settings(rules={"thin-article": "drop"})
    assert thin("", rules={"thin-article": "off"}) == []
    assert thin("One two three.", min_words=3) == []
    for wrong in (-1, 1.5, True, "5"):
        with pytest.raises(SettingsError, match="min_words"):
            Settings(min_words=wrong)


def test_an_article_of_which_only_site_text_is_left_is_thin():
    line = "Read the Alder Gazette every day of the week"
    rows = [{"id": n, "text": f"{SENTENCES[n]}\n\n{line}", "url": f"https://a.example/{n}"} for n in range(10)]
    rows.append({"id": 10, "text": line, "url": "https://a.example/10"})
    for action in ("drop", "flag"):
        result = dedup.clean_articles(rows, Settings(rules={"boilerplate": action}))
        thin_ones = [finding for finding in result.findings if finding.rule == "thin-article"]
        assert [(finding.article, finding.evidence) for finding in thin_ones] == [("10", "only site text: 1 paragraph")]


OPENING = "\n\n".join(SENTENCES[:3])
CUT = f"{OPENING}\n\nThe council of Larch…\n\nSubscribe to continue reading. Already a subscriber? Log in.\n\n…"


def test_an_opening_that_a_paywall_cuts_is_contained_in_the_whole_report():
    rows = [{"id": "whole", "text": "\n\n".join(SENTENCES)}, {"id": "cut", "text": CUT}]
    [finding] = [found for found in dedup.clean_articles(rows).findings if found.rule == "contained-article"]
    assert (finding.article, finding.twin) == ("cut", "whole")


@pytest.mark.slow
@pytest.mark.parametrize("action", ["flag", "drop"])
def test_the_command_line_finds_and_verifies_it(tmp_path, action):
    rows = [{"id": "cut", "text": CUT}, {"id": "whole", "text": "\n\n".join(SENTENCES)}, {"id": "gone", "text": "404"}]
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def run(*arguments):
        command = [sys.executable, "-m", "dedup", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run("clean", source, "-o", tmp_path / "out", "--rule", f"contained-article={action}", "--min-words", "2")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in (tmp_path / "out" / "provenance.jsonl").read_text("utf-8").splitlines()]
    assert [(row["article"], row["action"]) for row in found if row["rule"] == "contained-article"] == [("cut", action)]
    assert [row["evidence"] for row in found if row["rule"] == "thin-article"] == ["error page: 1 of 1 words"]
    done = run("verify", tmp_path / "out")
    assert done.returncode == 0, done.stdout


def test_notices_are_found_among_many_texts():
    texts = [text for text, _ in NOTICES] + SENTENCES + ["", "…", "Log in.", "Log in. It rains.", CUT]
    assert find_notices(texts) == [number for number, text in enumerate(texts) if is_notice(text)]
    assert own_paragraph_count([]) == 0
    assert own_paragraph_count(["Log in."]) == 1  # a notice alone is compared as it is
    assert own_paragraph_count(["It rains.", "…", "Log in.", "Subscribe."]) == 2


def test_both_backends_prepare_the_same_own_part():
    texts = [CUT, OPENING, "", "Log in.", f"{OPENING}\n\n{OPENING}\n\nSubscribe to continue reading."]
    records = record_batch([JsonRecord(json.dumps({"text": text}).encode(), None) for text in texts], 0)
    plain = prepare(records, Settings(), reference)
    assert prepare(records, Settings(), load_backend(compiled=True)).equals(plain)
    words, own, keys, own_keys = (plain[name].to_pylist() for name in ("words", "own_words", "key", "own_key"))
    assert [before - after for before, after in zip(words, own, strict=True)] == [9, 0, 0, 0, 4]
    assert keys[0][: own_keys[0]].endswith(b" larch")
    assert [len(key[:size].split()) for key, size in zip(keys, own_keys, strict=True)] == own
