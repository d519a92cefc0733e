"""Page furniture: the lines it knows, the sentences it must leave alone, and what a drop leaves behind."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing import assert_linear, assert_takes_at_most

from dedup.findings import apply, revert
from dedup.furniture import LINE_AT_MOST, _table, furniture, kind
from dedup.settings import Settings
from dedup.whitespace import whitespace

DROP = Settings(rules={"page-furniture": "drop"})

LINES = [
    ("share bar", "Share"),
    ("share bar", "Share on Facebook"),
    ("share bar", "SHARE THIS ARTICLE"),
    ("share bar", "Click to share on Twitter (Opens in new window)"),
    ("share bar", "Facebook Twitter WhatsApp Email"),
    ("share bar", "Print | Email"),
    ("share bar", "1,204 shares"),
    ("share bar", "Artikel drucken"),
    ("share bar", "Auf Facebook teilen"),
    ("share bar", "Partager sur Twitter"),
    ("share bar", "Compartir en WhatsApp"),
    ("share bar", "Condividi su Facebook"),
    ("share bar", "Compartilhe no WhatsApp"),
    ("share bar", "Deel dit artikel"),
    ("share bar", "Udostępnij"),
    ("share bar", "Поделиться в Telegram"),
    ("share bar", "分享到微信"),
    ("share bar", "この記事をシェアする"),
    ("share bar", "شارك على فيسبوك"),
    ("comment counter", "12 Comments"),
    ("comment counter", "Comments (3)"),
    ("comment counter", "Leave a comment"),
    ("comment counter", "3 Responses to “The Long Winter”"),
    ("comment counter", "Kommentare (12)"),
    ("comment counter", "5 commentaires"),
    ("comment counter", "27 комментариев"),
    ("comment counter", "コメントを書く"),
    ("read more", "Read more: Ten ways to save on heating"),
    ("read more", "READ MORE >"),
    ("read more", "» Continue reading the main story"),
    ("read more", "Story continues below advertisement"),
    ("read more", "Article continues after video"),
    ("read more", "Related Articles"),
    ("read more", "You might also like"),
    ("read more", "Most popular"),
    ("read more", "Lesen Sie auch: Was jetzt wichtig wird"),
    ("read more", "À lire aussi : La crise en dix dates"),
    ("read more", "Te puede interesar: Las claves del acuerdo"),
    ("read more", "Leggi anche: Tutte le date"),
    ("read more", "Leia mais"),
    ("read more", "Lees ook: Dit is er aan de hand"),
    ("read more", "Czytaj też: Co dalej"),
    ("read more", "Читайте также: Что дальше"),
    ("read more", "相关阅读"),
    ("read more", "続きを読む"),
    ("read more", "اقرأ أيضا: ماذا بعد"),
    ("advertisement", "Advertisement"),
    ("advertisement", "- ADVERTISEMENT -"),
    ("advertisement", "Scroll to continue"),
    ("advertisement", "Anzeige"),
    ("advertisement", "Publicité"),
    ("advertisement", "Реклама"),
    ("advertisement", "广告"),
    ("advertisement", "إعلان"),
    ("newsletter sign-up", "Sign up for our newsletter"),
    ("newsletter sign-up", "Sign up for the Morning Briefing newsletter"),
    ("newsletter sign-up", "Get the latest headlines delivered to your inbox every morning"),
    ("newsletter sign-up", "By signing up, you agree to our Terms of Use and our data practices."),
    ("newsletter sign-up", "Melden Sie sich für unseren Newsletter an"),
    ("newsletter sign-up", "Inscrivez-vous à notre newsletter"),
    ("newsletter sign-up", "Suscríbete a nuestro boletín"),
    ("newsletter sign-up", "メルマガ登録はこちら"),
    ("cookie notice", "This website uses cookies to improve your experience."),
    ("cookie notice", "We use cookies and similar technologies to understand how you use our site."),
    ("cookie notice", "Accept all cookies"),
    ("cookie notice", "Diese Website verwendet Cookies, um Inhalte zu personalisieren."),
    ("cookie notice", "En poursuivant votre navigation, vous acceptez l’utilisation de cookies."),
    ("follow us", "Follow us on Twitter"),
    ("follow us", "Follow us on X"),
    ("follow us", "Like us on Facebook and Instagram"),
    ("follow us", "Folgen Sie uns auf Facebook"),
    ("follow us", "Suivez-nous sur Instagram"),
    ("follow us", "Síguenos en Facebook"),
    ("follow us", "Подписывайтесь на нас в Telegram"),
    ("photo gallery", "Photo gallery"),
    ("photo gallery", "Image 3 of 12"),
    ("photo gallery", "Bildergalerie"),
    ("photo gallery", "写真を拡大"),
    ("subscription notice", "Already a subscriber? Sign in"),
    ("subscription notice", "5 min read"),
    ("subscription notice", "Réservé aux abonnés"),
]  # fmt: skip

PROSE = [
    "",
    " ",
    "He told them to share on Facebook what they had seen.",
    "“Share,” she said.",
    "The two comments were read aloud in court.",
    "Comment is free, but facts are sacred.",
    "12 replies to the letter were received by the minister.",
    "Read more books, the minister told pupils.",
    "Related species live in the Andes",
    "We use cookies from the shop next door for the crust.",
    "Sponsored by Senator Murkowski, the resolution states, in part:",
    "The advertisement was withdrawn",
    "Follow the river to the sea",
    "Sign up or go home",
    "Most popular among them was a waltz",
    "More than 200 people were hurt",
    "Print journalism is not dead",
    "Watch your step",
    "I agree",
    "Close",
    "X X X",
    "1/2",
    "Terms and Conditions",
    "Deel",
    "Strecke",
    "Galerie",
    "Der Artikel wurde geteilt, gelobt und gedruckt",
    "Partager ne suffit pas",
    "Recevoir ses amis chaque semaine",
    "Además: el informe",
    "Er folgte uns auf die Brücke",
    "تابع الرئيس حديثه",
    "分享会在北京举行",
    "広告業界の動向",
    "関連する法律",
    "Read more: " + "a" * LINE_AT_MOST,
]


@pytest.mark.parametrize(("expected", "line"), LINES)
def test_furniture_is_known_by_its_kind(expected, line):
    assert kind(line) == expected
    assert kind(f"  {line.upper()} ") == expected or line.lower() != line.upper().lower()


@pytest.mark.parametrize("line", PROSE)
def test_prose_is_not_furniture(line):
    assert kind(line) is None


def test_a_flag_spans_the_line_and_changes_nothing():
    text = "One.\n  Share on Facebook \nTwo.\n"
    [flag] = furniture(text, Settings())
    assert (flag.rule, flag.action, flag.evidence) == ("page-furniture", "flag", "share bar")
    assert text[flag.start : flag.stop] == "  Share on Facebook "
    assert apply(text, [flag]) == text
    assert furniture(text, Settings(rules={"page-furniture": "off"})) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("One.\nShare\nTwo.\n", "One.\nTwo.\n"),
        ("One.\n\nShare\n\nTwo.\n", "One.\n\nTwo.\n"),
        ("One.\n\nShare\nTwo.\n", "One.\n\nTwo.\n"),
        ("One.\n\nShare\n\n12 Comments\n\nTwo.", "One.\n\nTwo."),
        ("Share\n\nOne.", "One."),
        ("One.\n\nShare", "One.\n"),
        ("One.\n\nShare\n\n12 Comments\n", "One.\n"),
        ("One.\nShare\n\n12 Comments", "One.\n"),
        ("Share\n\n12 Comments\n", ""),
        ("Share", ""),
    ],
)
def test_a_drop_leaves_the_rest_separated_as_before(text, left):
    findings = furniture(text, DROP)
    cleaned = apply(text, findings)
    assert cleaned == left
    assert revert(cleaned, findings) == text
    assert all(f.action == "drop" and f.replacement == "" for f in findings)


BLOCKS = st.lists(st.sampled_from(["One.", "Two words.", "Share", "12 Comments", "", "\n"]), max_size=10).map("\n".join)


@given(BLOCKS)
def test_after_a_drop_nothing_is_left_to_drop_or_to_fix(raw):
    text = apply(raw, whitespace(raw))
    findings = furniture(text, DROP)
    cleaned = apply(text, findings)
    assert revert(cleaned, findings) == text
    assert furniture(cleaned, DROP) == []
    assert whitespace(cleaned) == []
    assert [line for line in cleaned.split("\n") if line] == [
        line for line in text.split("\n") if line and not kind(line)
    ]
    assert [f.evidence for f in findings] == [f.evidence for f in furniture(text, Settings())]


def test_every_pattern_is_bounded_lower_case_and_without_groups():
    for name, pattern in _table():
        bare = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", pattern)
        assert not re.search(r"[*+]|\{\d*,\}", bare), name
        assert "(" not in re.sub(r"\(\?(?::|=)", "", bare), name
        assert pattern.replace("\\S", "").replace("\\W", "") == pattern.lower(), name
        assert not re.search("<[a-z]+>", pattern), name
        assert not re.search(r"\|\||\(\?:\)", bare), name


@pytest.mark.parametrize(
    "unit",
    [
        "share ",
        "facebook and ",
        "read more: ",
        "sign up for our ",
        "12",
        "we use cookies ",
        "get the ",
        "a' ",
        "分享",
        "(",
    ],
)
def test_no_line_takes_long(unit):
    line = (unit * LINE_AT_MOST)[: LINE_AT_MOST - 1] + "\x01"
    assert_takes_at_most(1, lambda: [kind.__wrapped__(line) for _ in range(100)])  # 10 ms a line, none remembered


def test_many_lines_of_furniture_take_linear_time():
    def remove(count):
        text = "Share\n\n" * count
        assert apply(text, furniture(text, DROP)) == ""

    assert_linear(remove, 5_000)


@pytest.mark.data
def test_encyclopedia_articles_in_twelve_languages_hold_no_furniture(data_rows):
    assert [line for row in data_rows("wikipedia_multilingual") for line in furniture(row["text"], Settings())] == []


@pytest.mark.data
def test_press_releases_hold_next_to_none(data_rows):
    found = [
        row["text"][line.start : line.stop].strip()
        for row in data_rows("senate_releases")
        for line in furniture(row["text"], Settings())
    ]
    assert sorted(found) == ["* Photo Gallery", "More News", "More News", "Related Links", "Related Topics:"]
