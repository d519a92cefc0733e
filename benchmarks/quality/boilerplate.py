"""Planted lines: boilerplate of hosts, and paragraphs that several articles share without being boilerplate.

Clean articles are given to hosts of 100, 20 and 5 articles. Each host prints its own lines (with its name in them) in
5, 20, 60 or 100 % of its articles, at their start, at their end, in their middle or anywhere, in several languages:
from "Follow us" to the blurb of a newsletter; other lines are the same on all hosts. What must stay is planted too:
background paragraphs and quotations of clean articles that are not in use, with and without quotation marks, headings,
and short sentences that come again and again. These are content, and may be flagged as shared, never dropped. The
first copy of a line in the corpus stays by design, so lines are scored against all copies but one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dedup import Settings
from dedup.boilerplate import ANYWHERE, AT_EDGE, WAYS
from dedup.segment import comparison_key, size_of, words
from quality.corpora import Article
from quality.score import Made, Piece, Score, covered, edits, joined

SIZES = (100, 20, 5, 20, 5, 20, 5, 20, 5)  # of hosts, in turns
FREQUENCIES = (0.05, 0.2, 0.6, 1.0)
LINES_EACH = 3  # lines of a host for each frequency
_SPEAKERS = ("Ann Moss", "the minister", "a spokesman")
BACKGROUND_WORDS = (30, 80)
QUOTE_WORDS = (8, 40)
BACKGROUNDS = 2  # of each host of 20 or more
QUOTES = 40  # of a corpus: half inside one host, half anywhere
_HOSTS = (
    "Northern Courier",
    "Harbour Times",
    "Der Talbote",
    "La Voz del Valle",
    "Le Matin du Sud",
    "東西新報",
    "Вестник",
)

# Language, place, and the line with the host's name in it.
OWN: tuple[tuple[str, str, str], ...] = (
    ("en", "end", "Sign up for the {host} newsletter and get the day's top stories in your inbox every morning"),
    ("en", "anywhere", "{host} needs your support. Subscribe today."),
    ("en", "end", "© 2024 {host}. All rights reserved."),
    ("en", "end", "Copyright 2024 {host}. This material may not be published, broadcast, rewritten or redistributed."),
    ("en", "end", "Contact the newsroom of {host}: news@example.com or 555-0142"),
    ("en", "end", "Follow {host} on Facebook and Twitter"),
    ("en", "middle", "Story continues below this message from {host}"),
    ("en", "anywhere", "Read the rest of this story after the message from the sponsors of {host}"),
    (
        "en",
        "start",
        "{host} uses cookies to improve your experience, to show you relevant advertising and to count visits. By using "
        "this site you agree to our use of cookies. Find out more in our privacy policy.",
    ),
    (
        "en",
        "end",
        "Every weekday morning the editors of {host} send out what you need to know: the stories of the night, what to "
        "watch today, and one good thing to read. It is free, and you can leave at any time. Sign up here.",
    ),
    ("de", "end", "Abonnieren Sie den Newsletter von {host} und verpassen Sie keine Nachricht mehr"),
    ("de", "end", "© 2024 {host}. Alle Rechte vorbehalten."),
    ("de", "end", "Folgen Sie {host} auf Facebook und Instagram"),
    ("de", "anywhere", "Lesen Sie nach der Anzeige von {host} weiter"),
    (
        "de",
        "start",
        "{host} verwendet Cookies, um Ihnen das bestmögliche Angebot zu machen und die Nutzung der Seite zu messen. Mit "
        "dem Besuch dieser Seite stimmen Sie dem zu. Mehr dazu in der Datenschutzerklärung.",
    ),
    ("fr", "end", "Inscrivez-vous à la lettre d'information de {host} pour ne rien manquer de l'actualité"),
    ("fr", "end", "© 2024 {host}. Tous droits réservés."),
    ("fr", "end", "Suivez {host} sur Facebook et Instagram"),
    ("fr", "anywhere", "La suite de cet article de {host} après la publicité"),
    (
        "fr",
        "end",
        "Chaque matin, la rédaction de {host} choisit pour vous les informations à ne pas manquer, les enquêtes et les "
        "rendez-vous du jour. Gratuite et sans engagement, cette lettre arrive avant sept heures.",
    ),
    ("es", "end", "Suscríbase al boletín de {host} y reciba cada mañana las noticias más importantes del día"),
    ("es", "end", "© 2024 {host}. Todos los derechos reservados."),
    ("es", "end", "Siga a {host} en Facebook y en X"),
    ("es", "anywhere", "La nota continúa después del mensaje de {host}"),
    (
        "es",
        "start",
        "{host} utiliza cookies propias y de terceros para mejorar nuestros servicios y mostrarle publicidad relacionada "
        "con sus preferencias. Si continúa navegando, consideramos que acepta su uso.",
    ),
    ("ru", "end", "Подписывайтесь на {host} в социальных сетях, чтобы не пропустить самое важное"),
    ("ru", "end", "© 2024 {host}. Все права защищены."),
    ("ru", "end", "При использовании материалов ссылка на {host} обязательна"),
    ("ru", "anywhere", "Продолжение материала после сообщения от {host}"),
    (
        "ru",
        "end",
        "Редакция {host} каждое утро собирает главное за сутки: новости, разборы и то, за чем стоит следить сегодня. "
        "Рассылка бесплатная, отписаться от нее можно в любой момент одним нажатием в самом письме.",
    ),
    ("ar", "end", "© 2024 {host}. جميع الحقوق محفوظة."),
    ("ar", "end", "جميع الحقوق محفوظة لصحيفة {host} ولا يجوز إعادة النشر دون إذن"),
    ("ar", "end", "اشترك في النشرة البريدية من {host} لتصلك أهم الأخبار كل صباح"),
    ("ar", "end", "تابعوا {host} على فيسبوك وإنستغرام"),
    ("ar", "anywhere", "تتواصل القصة بعد هذه الرسالة من {host}"),
    (
        "ar",
        "start",
        "يستخدم موقع {host} ملفات تعريف الارتباط لتحسين تجربتك وعرض الإعلانات المناسبة لك وقياس عدد الزيارات. باستمرارك "
        "في تصفح الموقع فإنك توافق على استخدامها وفقا لسياسة الخصوصية الخاصة بنا.",
    ),
    ("ja", "end", "{host}の記事・写真・図表などの無断転載を禁じます。すべての著作権は{host}に帰属します。"),
    ("ja", "end", "© 2024 {host} 無断転載を禁じます"),
    ("ja", "end", "{host}のメールマガジンに登録する"),
    ("ja", "end", "{host}をフェイスブックとインスタグラムでフォローしてください"),
    ("ja", "anywhere", "この下の{host}からのお知らせの後に記事が続きます"),
    (
        "ja",
        "end",
        "{host}編集部が選んだ今朝の重要ニュースと読み物を、毎朝七時にメールでお届けします。登録は無料で、配信の停止はいつでも"
        "メールの中のリンクからお手続きいただけます。",
    ),
    (
        "zh",
        "end",
        "版权所有 {host} 未经书面授权,禁止以任何形式转载、摘编或建立镜像。违者将依法追究责任。",
    ),
    ("zh", "end", "© 2024 {host} 版权所有"),
    ("zh", "end", "责任编辑:{host}新闻中心"),
    ("zh", "end", "关注{host}微信公众号,每天获取最新资讯"),
    ("zh", "anywhere", "广告之后{host}的报道继续"),
    (
        "zh",
        "end",
        "{host}编辑部每天早晨为您精选过去一天的重要新闻、深度报道和当日看点,并通过电子邮件免费发送到您的信箱。您可以随时"
        "点击邮件中的链接取消订阅。",
    ),
    ("th", "end", "ติดตามข่าวสารล่าสุดจาก {host} ได้ทุกวันทางเฟซบุ๊กและทวิตเตอร์"),
    ("th", "end", "© 2024 {host} สงวนลิขสิทธิ์"),
    ("th", "end", "สมัครรับจดหมายข่าวจาก {host} เพื่อรับข่าวสารล่าสุดทุกเช้า"),
    ("th", "anywhere", "อ่านต่อด้านล่างหลังข้อความจาก {host}"),
    (
        "th",
        "start",
        "เว็บไซต์ {host} ใช้คุกกี้เพื่อพัฒนาประสบการณ์การใช้งานของคุณและแสดงโฆษณาที่ตรงกับความสนใจ การใช้งานเว็บไซต์นี้ต่อไปถือว่าคุณยอมรับการใช้คุกกี้ตามนโยบายความเป็นส่วนตัวของเรา",
    ),
)
COMMON: tuple[tuple[str, str, str], ...] = (
    ("en", "end", "Share this article with your friends"),
    ("en", "middle", "Story continues below advertisement"),
    ("de", "anywhere", "Lesen Sie weiter auf der nächsten Seite"),
    ("fr", "end", "Partagez cet article sur les réseaux sociaux"),
)
PLACES: dict[str, tuple[float, float]] = {
    "start": (0.0, 0.0),
    "middle": (0.5, 0.5),
    "end": (1.0, 1.0),
    "anywhere": (0.1, 0.9),
}
# What comes again and again and is part of the article.
HEADINGS = (
    *("What we know", "Analysis:", "What happens next?", "The background", "Why it matters"),
    *("Was bisher bekannt ist", "Ce que l'on sait", "Lo que se sabe", "Что известно", "ما نعرفه حتى الآن"),
    *("これまでに分かっていること", "事件背景", "สิ่งที่เรารู้"),
)
SENTENCES = (
    *("He declined to comment.", "The investigation is continuing.", "No one was injured.", "She agrees."),
    *(
        "Die Ermittlungen dauern an.",
        "L'enquête se poursuit.",
        "La investigación continúa.",
        "Расследование продолжается.",
    ),
    *(
        "ولا يزال التحقيق جاريا.",
        "警察が詳しい原因を調べています。",
        "事故原因正在进一步调查中。",
        "ตำรวจกำลังสอบสวนหาสาเหตุ",
    ),
)


class Line(NamedTuple):
    """One planted text: what kind it is, where it is printed, and how often."""

    key: str
    kind: str  # "own", "common", and of content: "background", "quotation ...", "heading", "sentence"
    language: str
    size: int  # articles of the host
    share: float  # of them that print it; 0 where the number of copies is drawn
    text: str
    copies: int
    place: str = "anywhere"

    @property
    def asked_for(self) -> bool:
        """Whether the line is in as many articles as the rule wants for its length and place; hosts are known."""
        return any(
            size_of(words(self.text)) <= way.words
            and self.copies >= way.articles
            and self.share >= way.share
            and (way.where == ANYWHERE or self.place == "end" or (way.where == AT_EDGE and self.place == "start"))
            for way in WAYS
        )


class Planted(NamedTuple):
    """A made corpus: articles, the host of each, and what was planted."""

    articles: list[Made]
    hosts: list[str]
    lines: dict[str, Line]


class LineScore(NamedTuple):
    """Characters of one planted line: all its copies but one, and of these dropped, and flagged as shared."""

    line: Line
    characters: int
    dropped: int
    flagged: int


def plant(articles: Sequence[Article], spare: Sequence[Article], seed: int) -> Planted:
    """A corpus of `articles` with lines planted; background and quotations come from `spare`."""
    rng = random.Random(seed)
    groups = _groups(len(articles))
    bodies = [[Piece(text, None) for text in article.body] for article in articles]
    lines: dict[str, Line] = {}

    def put(line: Line, into: Sequence[int], places: tuple[float, float]) -> None:
        lines[line.key] = line
        for article in into:
            bodies[article].insert(round(rng.uniform(*places) * len(bodies[article])), Piece(line.text, line.key))

    # what is part of the articles first, so that it stands inside them and not among the lines around them
    spares = [text for article in spare for text in article.body]
    rng.shuffle(spares)
    long = [text for text in spares if BACKGROUND_WORDS[0] <= len(words(text)) <= BACKGROUND_WORDS[1]]
    for number, group in enumerate(groups):
        for _ in range(BACKGROUNDS if len(group) >= 20 and len(long) >= BACKGROUNDS else 0):
            copies = rng.randint(3, min(30, len(group)))
            line = Line(f"background {number} {len(long)}", "background", "", len(group), 0, long.pop(), copies)
            put(line, rng.sample(group, copies), (0.2, 1.0))
    _quotations(groups, [text for text in spares if text not in {one.text for one in lines.values()}], rng, put)
    _recurring(groups, rng, put)
    for number, group in enumerate(groups):
        for share in FREQUENCIES:
            for language, place, text in rng.sample(OWN, LINES_EACH):
                into = rng.sample(group, round(share * len(group)))
                own = text.format(host=f"{_HOSTS[number % len(_HOSTS)]} {number}")
                key = f"own {number} {share} {text}"
                # a line that a host already prints at another frequency would no longer have this one
                if into and own not in {line.text for line in lines.values()}:
                    put(Line(key, "own", language, len(group), share, own, len(into), place), into, PLACES[place])
    for share, (language, place, text) in zip(FREQUENCIES, COMMON, strict=True):
        into = [article for group in groups for article in rng.sample(group, round(share * len(group)))]
        put(Line(f"common {text}", "common", language, 0, share, text, len(into), place), into, PLACES[place])
    made = [joined(article.id, body, "\n\n") for article, body in zip(articles, bodies, strict=True)]
    hosts = {article: f"host{number}.example" for number, group in enumerate(groups) for article in group}
    return Planted(made, [hosts[at] for at in range(len(made))], lines)


Put = Callable[[Line, Sequence[int], tuple[float, float]], None]


def _quotations(groups: Sequence[Sequence[int]], spares: Sequence[str], rng: random.Random, put: Put) -> None:
    """Quotations in 2 to 6 articles, of one host or any: in marks, in marks with a speaker, or without marks."""
    short = [text for text in spares if QUOTE_WORDS[0] <= len(words(text)) <= QUOTE_WORDS[1]]
    everywhere = [article for group in groups for article in group]
    for number, text in enumerate(short[:QUOTES]):
        inside = number % 2 == 0
        pool = rng.choice(groups) if inside else everywhere
        copies = rng.randint(2, min(6, len(pool)))
        said = (f"“{text}”", text, f"“{text}” said {_SPEAKERS[number % len(_SPEAKERS)]}.")[number // 2 % 3]
        kind = ("quotation" if said != text else "quotation without marks") + (" in a host" if inside else " anywhere")
        line = Line(f"quotation {number}", kind, "", len(pool), 0, said, copies)
        put(line, rng.sample(list(pool), copies), (0.0, 1.0))


def _recurring(groups: Sequence[Sequence[int]], rng: random.Random, put: Put) -> None:
    """Headings in up to a tenth of the articles of a large host, and short sentences in 2 to 6 of any of 20."""
    for number, group in enumerate(group for group in groups if len(group) >= 20):
        for kind, texts, most in (("heading", HEADINGS, max(3, len(group) // 10)), ("sentence", SENTENCES, 6)):
            for text in rng.sample(texts, 2):
                copies = rng.randint(2, most)
                line = Line(f"{kind} {number} {text}", kind, "", len(group), 0, text, copies)
                put(line, rng.sample(list(group), copies), (0.0, 0.9))


def _groups(count: int) -> list[list[int]]:
    """The articles of each host: runs of the sizes, in turns, as long as they last."""
    groups: list[list[int]] = []
    start = turn = 0
    while start < count:
        size = SIZES[turn % len(SIZES)]
        groups.append(list(range(start, min(start + size, count))))
        start += size
        turn += 1
    return groups


def run(planted: Planted, settings: Settings, *, hosts: bool) -> tuple[list[LineScore], Score]:
    """What the whole pipeline drops of each planted line, and of the real text; `hosts`: whether it is told them."""
    rows = [
        {"id": made.id, "text": made.text, **({"source": host} if hosts else {})}
        for made, host in zip(planted.articles, planted.hosts, strict=True)
    ]
    drops, flags = edits(rows, settings)
    dropped = dict.fromkeys(planted.lines, 0)
    flagged = dict.fromkeys(planted.lines, 0)
    real = lost = 0
    for at, made in enumerate(planted.articles):
        gone = covered(made.spans, drops.get(at, ()))
        told = covered(made.spans, flags.get(at, ()), "shared-paragraph")
        for piece, out, shared in zip(made.pieces, gone, told, strict=True):
            if piece.unit is None:
                real += len(piece.text)
                lost += out
            else:
                dropped[str(piece.unit)] += out
                flagged[str(piece.unit)] += shared
    copies = {key: (line.copies - 1) * len(line.text) for key, line in planted.lines.items()}
    scores = [
        LineScore(line, copies[key], dropped[key], min(flagged[key], copies[key]))
        for key, line in planted.lines.items()
        if line.copies > 1
    ]
    return scores, Score(0, 0, real, lost)


def consistent(planted: Planted) -> bool:
    """Whether each planted text stands where the truth says, as often as it says, and nothing else has its words."""
    counts = dict.fromkeys(planted.lines, 0)
    keys = {comparison_key(line.text) for line in planted.lines.values()}
    for made in planted.articles:
        for piece, (start, stop) in zip(made.pieces, made.spans, strict=True):
            if made.text[start:stop] != piece.text or (piece.unit is None and comparison_key(piece.text) in keys):
                return False
            if piece.unit is not None:
                counts[str(piece.unit)] += 1
    return counts == {key: line.copies for key, line in planted.lines.items()}
