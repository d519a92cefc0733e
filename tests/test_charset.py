"""Charsets: texts that are not UTF-8 are read right and restored exactly, and broken UTF-8 is not one of them."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.read.charset import CHARSETS, decode_exactly, guess_charset, is_broken_utf8

WESTERN = ("cp1252", "iso8859-1", "iso8859-15")
CENTRAL = ("cp1250", "iso8859-2")
CYRILLIC = ("cp1251", "koi8-r", "iso8859-5", "mac-cyrillic", "cp866")
JAPANESE = ("shift_jis", "cp932", "euc_jp")
CHINESE = ("gb18030", "gbk")

# A few sentences of news, as papers of these countries write them, and the charsets that hold them.
SENTENCES = [
    ("French", "Le maire a été réélu dimanche à l'issue d'une soirée très serrée, où chaque voix a compté.", WESTERN),
    ("German", "Die Brücke über die Weser bleibt für Fußgänger geöffnet, während Autos Umwege fahren müssen.", WESTERN),
    ("Spanish", "El año pasado la región sufrió la peor sequía en décadas, según informó el ministerio.", WESTERN),
    ("Swedish", "Polisen söker vittnen till händelsen på torget, där två män skadades på lördagskvällen.", WESTERN),
    ("English", "Officials said the fund “is not at risk” — and that’s where the matter rests, for now.", ("cp1252",)),
    ("Mac", "Le maire a été réélu dimanche à l’issue d’une soirée où chaque voix a compté.", ("mac-roman",)),
    ("Polish", "Prezydent podpisał ustawę, która wejdzie w życie od przyszłego miesiąca.",
     CENTRAL),
    ("Czech", "Příští týden začne oprava mostu přes řeku, silničáři upozorňují řidiče na objížďky.", CENTRAL),
    ("Hungarian", "A kormány szerint a jövő évi költségvetés több pénzt ad az egészségügyre és az őszi munkákra.",
     CENTRAL),
    ("Russian", "Президент подписал закон, который вступит в силу в следующем месяце.", CYRILLIC),
    ("Ukrainian", "Уряд ухвалив рішення про підвищення мінімальної заробітної плати.",
     ("cp1251", "koi8-u")),
    ("Greek", "Η κυβέρνηση ανακοίνωσε χθες νέα μέτρα για την αντιμετώπιση της κρίσης εδώ.", ("cp1253", "iso8859-7")),
    ("Turkish", "Başkan dün yaptığı açıklamada yeni köprünün gelecek yıl açılacağını söyledi.",
     ("cp1254", "iso8859-9")),
    ("Hebrew", "ראש הממשלה הודיע אתמול על תוכנית חדשה לשיפור התחבורה הציבורית בערים הגדולות.", ("cp1255",)),
    ("Arabic", "أعلنت الحكومة أمس عن خطة جديدة لتحسين وسائل النقل العام في المدن الكبرى.", ("cp1256", "iso8859-6")),
    ("Lithuanian", "Vyriausybė vakar pranešė apie naują planą, kaip pagerinti viešąjį transportą didžiuosiuose "
     "miestuose.",
     ("cp1257", "iso8859-13")),
    ("Thai", "รัฐบาลประกาศแผนใหม่เพื่อปรับปรุงระบบขนส่งสาธารณะในเมืองใหญ่เมื่อวานนี้", ("cp874", "tis-620")),
    ("Japanese", "政府は昨日、大都市の公共交通を改善するための新しい計画を発表しました。", JAPANESE),
    ("Chinese", "政府昨天宣布了一项改善大城市公共交通的新计划，市民对此表示欢迎。", CHINESE),
    ("Taiwanese", "政府昨天宣布了一項改善大城市公共交通的新計畫，市民對此表示歡迎。", ("big5", "cp950")),
    ("Korean", "정부는 어제 대도시의 대중교통을 개선하기 위한 새로운 계획을 발표했습니다.", ("euc_kr", "cp949")),
]  # fmt: skip
CASES = [(label, text, charset) for label, text, charsets in SENTENCES for charset in charsets]


@pytest.mark.parametrize(("label", "text", "charset"), CASES)
def test_a_sentence_in_a_legacy_charset_is_read_right(label, text, charset):
    data = text.encode(charset)
    assert data.decode(guess_charset(data)) == text, label


@pytest.mark.parametrize(("label", "text"), [(label, text) for label, text, _ in SENTENCES])
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_and_without_a_byte_order_mark(label, text, charset):
    for start in ("", "\ufeff"):
        data = f"{start}{text}\n".encode(charset)
        assert guess_charset(data) == charset, label


@pytest.mark.parametrize("charset", ["utf-32-le", "utf-32-be"])
def test_utf32_is_read_by_its_byte_order_mark(charset):
    assert guess_charset("\ufeffOne.".encode(charset)) == charset


@pytest.mark.parametrize(("label", "text"), [(label, text) for label, text, _ in SENTENCES if label != "English"])
def test_broken_utf8_is_no_legacy_charset(label, text):
    data = text.encode()
    first = next(place for place, byte in enumerate(data) if byte > 0x7F)
    for broken in (data[:20] + b"\xe9" + data[20:], data[first + 1 :], data + b"\xe2\x80", data + b"\xff"):
        assert is_broken_utf8(broken), label
        assert guess_charset(broken) is None, label


@pytest.mark.parametrize(
    ("label", "data"),
    [
        ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4),
        ("half a character of UTF-16", codecs.BOM_UTF16_LE + b"a\0b"),
        ("bytes of all values", bytes(range(256))),
        ("control characters", b"\xe9\x01\x02\x03\x04\x05"),
    ],
)
def test_binary_data_has_no_charset(label, data):
    assert guess_charset(data) is None, label


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary(max_size=40).filter(lambda data: not is_utf8(data)))
@example(b"\xff\xfe")
@example(b"\xfe\xff\xd8\x00")
@example(b"\x80")
@example("naïve".encode("cp1252"))
def test_a_guessed_charset_gives_back_the_same_bytes(data):
    charset = guess_charset(data)
    if charset is not None:
        assert data.decode(charset).encode(charset) == data
        assert decode_exactly(data, charset) is not None


def test_every_charset_that_is_guessed_is_a_codec_of_python():
    for charset in CHARSETS:
        assert codecs.lookup(charset)
