"""Fields of articles: which hold the text, id, date and source; paths; lists of paragraphs; all come back exactly."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from conftest import read_jsonl
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup import LocalEngine, Settings
from dedup.inspect.restore import restore
from dedup.inspect.verify import verify
from dedup.read.article_fields import NoTextError, date_of, field_names, fields_read, host_of, id_of, text_of
from dedup.read.article_texts import original_value, put_text
from dedup.read.dates import parse_date
from dedup.read.field_paths import get_field, parse_path, set_field
from dedup.read.fields import check_keys, from_json, join_fields, parse_fields, to_json
from dedup.read.hosts import hosts_of_files
from dedup.read.json_errors import BadRecordError

PROSE = "The mayor opened the new bridge on Tuesday."
SETTINGS = Settings()


def fields_of(record):
    return parse_fields(json.dumps(record).encode())


@pytest.mark.parametrize(
    ("label", "record", "name"),
    [
        ("today's order", {"articleBody": PROSE, "content": PROSE, "body": PROSE, "text": PROSE}, "text"),
        ("news-please", {"maintext": PROSE, "title": "Bridge", "description": "Short"}, "maintext"),
        ("newspaper and pandas", {"Text": PROSE}, "Text"),
        ("a Scrapy item", {"article_text": PROSE, "url": "http://a/1"}, "article_text"),
        ("trafilatura", {"raw_text": "Mayor", "text": PROSE}, "text"),
        ("CNN/DailyMail", {"article": PROSE, "highlights": "Bridge", "id": "1"}, "article"),
        ("full text of NewsAPI clients", {"full_content": PROSE, "content": ""}, "full_content"),
        ("camel case", {"fullText": PROSE}, "fullText"),
        ("capitals", {"FULLTEXT": PROSE}, "FULLTEXT"),
        ("an empty text hides nothing", {"text": "", "content": PROSE}, "content"),
        ("nor does one of spaces", {"text": " \n", "content": PROSE}, "content"),
        ("nor null, number or object", {"text": None, "body": 3, "content": {}, "articleBody": PROSE}, "articleBody"),
        ("nor an empty list", {"text": [], "body": PROSE}, "body"),
        ("nor a list of objects", {"text": [{"a": 1}], "body": PROSE}, "body"),
        ("if all are blank, the first", {"content": "", "text": " "}, "text"),
        ("exact case before any case", {"Text": PROSE, "content": PROSE}, "content"),
        ("order of names before capitals", {"Fulltext": PROSE, "Text": PROSE}, "Text"),
        ("Elasticsearch", {"_id": "1", "_source": {"text": PROSE}}, "_source.text"),
        ("WordPress", {"content": {"rendered": PROSE, "protected": False}}, "content.rendered"),
        ("feedparser", {"summary": "Short", "content": [{"type": "text/html", "value": PROSE}]}, "content[0].value"),
        ("nested in any case", {"Article": {"Body": PROSE}}, "Article.Body"),
        ("a nested empty one hides nothing", {"article": {"text": "", "body": PROSE}}, "article.body"),
        ("top level before nested", {"article": {"body": PROSE}, "story": PROSE}, "story"),
        ("a name with a dot", {"article.body": PROSE}, None),
        ("no text at all", {"title": "Bridge", "summary": "Short"}, None),
    ],
)
def test_the_text_is_found_in_the_field_that_people_put_it_in(label, record, name):
    if name is None:
        with pytest.raises(NoTextError):
            text_of(fields_of(record), SETTINGS)
    else:
        assert text_of(fields_of(record), SETTINGS)[0] == name, label


@pytest.mark.parametrize(
    ("label", "chosen", "record", "text"),
    [
        ("a path", "article.body", {"article": {"body": PROSE}, "text": "Other"}, PROSE),
        ("an index", "data[0].text", {"data": [{"text": PROSE}]}, PROSE),
        ("an index at the end", "data.parts[1]", {"data": {"parts": ["One.", PROSE]}}, PROSE),
        ("two indexes", "a[0][1]", {"a": [["x", PROSE]]}, PROSE),
        ("a literal name wins", "article.body", {"article.body": PROSE, "article": {"body": "Other"}}, PROSE),
        ("a literal name with brackets", "data[0]", {"data[0]": PROSE, "data": ["Other"]}, PROSE),
        ("a list of paragraphs", "parts", {"parts": ["One.", "Two."]}, "One.\n\nTwo."),
        ("a name that is no path", "a..b", {"a..b": PROSE}, PROSE),
    ],
)
def test_an_option_names_a_field_or_a_path(label, chosen, record, text):
    assert text_of(fields_of(record), Settings(text_field=chosen)) == (chosen, text), label


@pytest.mark.parametrize("chosen", ["article.text", "article[0].body", "data[2].text", "other", "article.body.x"])
def test_an_option_that_leads_nowhere_names_itself_in_the_error(chosen):
    record = {"article": {"body": PROSE}, "data": [{"text": PROSE}], "text": PROSE}
    with pytest.raises(NoTextError) as caught:
        text_of(fields_of(record), Settings(text_field=chosen))
    assert repr(chosen) in str(caught.value)


@pytest.mark.parametrize(
    ("record", "identity"),
    [
        ({"id": 7, "url": "u"}, "7"),
        ({"id": None, "url": "u"}, "u"),
        ({"ID": "a"}, "a"),
        ({"article_id": "a", "link": "l"}, "a"),
        ({"link": "l"}, "l"),
        ({"_id": {"$oid": "5f"}}, "5f"),
        ({"title": "t"}, "x#3"),
    ],
)
def test_the_id_is_found(record, identity):
    assert id_of(fields_of(record), SETTINGS, "x", 3)[1] == identity


@pytest.mark.parametrize(
    ("record", "host"),
    [
        ({"url": "https://www.A.example/x", "source": "Other"}, "a.example"),
        ({"source_domain": "a.example"}, "a.example"),
        ({"source": {"id": None, "name": "The Paper"}}, "the paper"),
        ({"hostname": "a.example", "sitename": "A"}, "a.example"),
        ({"thread": {"site": "a.example"}}, "a.example"),
        ({"url": "", "publisher": "P"}, "p"),
        ({"source": "The Paper", "link": "https://news.paper.co.uk/a?b=c"}, "paper.co.uk"),
        ({"url": "m.paper.com.au/2020/a"}, "paper.com.au"),
        ({"url": "//www.paper.de/a"}, "paper.de"),
        ({"url": "https://one.blogspot.com/a"}, "one.blogspot.com"),
        ({"url": "http://192.168.0.7:8080/a"}, "192.168.0.7"),
        ({"url": "http://[::1]/a"}, "::1"),
        ({"url": "http://localhost/a"}, "localhost"),
        ({"url": "https://co.uk/a"}, "co.uk"),
        ({"url": "https://новости.пример.рф/a"}, "пример.рф"),
        ({"url": "file:///a/b.html"}, "file:///a/b.html"),
        ({"source": "St.Petersburg"}, "st.petersburg"),
        ({}, None),
    ],
)
def test_the_host_is_found(record, host):
    assert host_of(fields_of(record), SETTINGS)[1] == host


@pytest.mark.parametrize(
    ("names", "hosts"),
    [
        (["a.jsonl"], [None]),
        (["a.txt", "b.txt"], [None, None]),
        (["bbc.jsonl", "cnn.jsonl.gz"], ["bbc", "cnn"]),
        (["crawl_2020-01.part3.csv", "crawl_2020-02.part1.csv"], [None, None]),
        (["bbc/2020/03/a.txt", "cnn/2020/03/b.txt.gz", "c.txt"], ["bbc", "cnn", None]),
        (["2020/a.txt", "2021/b.txt"], [None, None]),
        (["-"], [None]),
    ],
)
def test_a_file_or_folder_is_a_host_where_several_are_given(names, hosts):
    assert hosts_of_files(names) == hosts


def test_articles_without_a_source_belong_to_their_folder(tmp_path):
    for site in ("one", "two"):
        for number in range(4):
            path = tmp_path / site / f"2020-0{number}" / "a.txt"
            path.parent.mkdir(parents=True)
            words = " ".join(f"{site}{number}word{place}" for place in range(30))
            path.write_text(f"{words}.\n\nSent to you by the {site} paper\n", encoding="utf-8")
    findings = [found for found in dedup.check(tmp_path, engine=LocalEngine(jobs=1)) if found.rule == "boilerplate"]
    assert sorted({found.evidence.partition(",")[0] for found in findings}) == [
        "in 4 of 4 articles of one",
        "in 4 of 4 articles of two",
    ]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"date": None, "publishedAt": "2024-01-01"}, "publishedAt"),
        ({"date": None}, "date"),
        ({"date_publish": "2024-01-01", "date_download": "2025-01-01"}, "date_publish"),
        ({"webPublicationDate": "2024-01-01"}, "webPublicationDate"),
        ({"PubDate": "2024-01-01"}, "PubDate"),
        ({"date": {"$date": "2024-01-01"}}, "date"),
        ({"title": "2024-01-01"}, None),
    ],
)
def test_the_date_is_found(record, name):
    assert date_of(fields_of(record), SETTINGS)[0] == name


DAY = 86_400_000_000
FIRST_OF_2024 = 19_723 * DAY


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-01", FIRST_OF_2024),
        ("2024-W01-1", FIRST_OF_2024),
        ("January 1, 2024", FIRST_OF_2024),
        ("Jan. 1st, 2024", FIRST_OF_2024),
        ("1 January 2024", FIRST_OF_2024),
        ("Monday, January 1, 2024", FIRST_OF_2024),
        ("1 Jan 2024 10:00 EST", FIRST_OF_2024 + 15 * DAY // 24),
        ("1 Jan 2024 10:00 +0200", FIRST_OF_2024 + 8 * DAY // 24),
        ("Mon, 01 Jan 2024 00:00:00 GMT", FIRST_OF_2024),
        ("January 1, 2024 at 10:00 AM", FIRST_OF_2024 + 10 * DAY // 24),
        ("1 Jan 2024 10:00 XYZ", FIRST_OF_2024 + 10 * DAY // 24),
        ("20240101", FIRST_OF_2024),
        ("20240101T000000Z", FIRST_OF_2024),
        ("2024/01/01", FIRST_OF_2024),
        ("1704067200", FIRST_OF_2024),
        (1704067200, FIRST_OF_2024),
        ("1704067200000", FIRST_OF_2024),
        ("01/02/2024", FIRST_OF_2024 + DAY),
        ("13/01/2024", FIRST_OF_2024 + 12 * DAY),
        ("Posted 3", None),
        ("Tuesday", None),
        ("10:00", None),
        ("January 2024", None),
        ("1 January", None),
        ("2024", None),
        ("yesterday", None),
        ("3 hours ago", None),
        ("", None),
        ("0", None),
        ("99/99/2024", None),
        (True, None),
        ([], None),
        ("9" * 400, None),
    ],
)
def test_a_date_is_read_or_refused(value, expected):
    assert parse_date(value) == expected


def test_day_first_reads_the_day_first():
    assert parse_date("01/02/2024", day_first=True) == FIRST_OF_2024 + 31 * DAY
    assert parse_date("2024-01-02", day_first=True) == FIRST_OF_2024 + DAY


@given(st.text(max_size=30))
def test_no_text_makes_the_dates_fail(text):
    assert parse_date(text) is None or isinstance(parse_date(text), int)


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def paths(value, path):
    """Yield the path of each value inside `value`, whose own path is `path`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        step = f"[{key}]" if isinstance(key, int) else f".{key}"
        yield f"{path}{step}", item
        yield from paths(item, f"{path}{step}")


@given(st.dictionaries(NAMES, VALUES, max_size=3), st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
@example({"a": {"b": [{"c": "x"}, float("nan")], "b.c": 1}}, (" ,\t", " : "))
def test_a_value_at_a_path_is_read_and_replaced_without_touching_other_bytes(record, separators):
    line = json.dumps(record, separators=separators).encode()
    original = join_fields(parse_fields(line))
    for name, value in record.items():
        for path, item in paths(value, name):
            fields = parse_fields(line)
            if path in fields or not parse_path(path) or any(character in path[len(name) :] for character in '"'):
                continue
            found = get_field(fields, path)
            if found is None or json.dumps(from_json(found)) != json.dumps(item):
                continue  # a name with dots or brackets is no step of a path
            set_field(fields, path, to_json("new"))
            assert from_json(get_field(fields, path)) == "new"
            set_field(fields, path, found)
            assert join_fields(fields) == original


@given(st.lists(st.text(max_size=8), max_size=5))
@example(["", "", ""])
@example(["a\n\nb", "\n", ""])
@example([])
def test_a_list_of_paragraphs_comes_back_as_it_was(items):
    assert original_value("\n\n".join(items), [len(item) for item in items]) == items


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_the_check_of_keys_accepts_every_style_of_json(record):
    for options in ({}, {"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}):
        line = json.dumps(record, **options).encode("utf-8", "replace")
        fields = parse_fields(line)
        check_keys(line, fields, len(join_fields(fields)))


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":1,"text":"a","id":2}',
        b'{"id": 1, "text": "a", "id": 1}',
        b'{ "id":1 , "id":2 }',
        b'{"caf\\u00e9":1,"caf\xc3\xa9":2}',
    ],
)
def test_a_key_that_occurs_twice_is_named(line):
    fields = parse_fields(line)
    with pytest.raises(BadRecordError, match=r'duplicate key "(id|café)"'):
        check_keys(line, fields, len(join_fields(fields)))


def test_the_names_are_unique_and_their_paths_can_be_parsed():
    for meaning, lists in field_names().items():
        assert set(lists.first) <= set(lists.names), meaning
        assert len({name.casefold() for name in lists.names}) == len(lists.names) - len(
            [name for name in lists.names if name != name.casefold() and name.casefold() in lists.names]
        ), meaning
        assert all(parse_path(path) for path in lists.paths), meaning


def test_only_fields_that_may_matter_are_read():
    names = ("Text", "meta", "title", "ID", "author", "my.own", "data")
    assert fields_read(names, Settings(date_field="my.own")) == ["Text", "meta", "title", "ID", "my.own", "data"]


LINES = [
    {"id": "a", "article": {"lead": "Kept", "body": PROSE + "  ", "n": 1.0}},
    {"id": "b", "text": [PROSE + " Again.", "", "Two\n\nparts.  "], "tags": ["x"]},
    {"id": "c", "text": [PROSE + " Again.", "", "Two\n\nparts.  "]},
    {"id": "d", "content": "\u200b\u200b", "body": "", "n": float("nan"), "m": -float("inf"), "big": 10**30},
    {"id": "e", "text": "\x00", "body": "\x01"},
    {"id": "f", "Content": "A text of its own, about the harbour. "},
]


@pytest.mark.parametrize("style", [{}, {"separators": (",", ":")}])
def test_paths_lists_and_odd_numbers_are_cleaned_verified_and_restored(tmp_path, style):
    lines = "".join(json.dumps(line, **style) + "\n" for line in LINES)
    (tmp_path / "x.jsonl").write_text(lines, encoding="utf-8")
    out = tmp_path / "out"
    report = dedup.clean(tmp_path / "x.jsonl", out, engine=LocalEngine(jobs=1))
    assert report.counts["quarantined"] == 0
    rows = {row["id"]: row for row in read_jsonl(out / "articles.jsonl") + read_jsonl(out / "dropped.jsonl")}
    assert rows["a"]["article"] == {"lead": "Kept", "body": PROSE, "n": 1.0}
    assert rows["b"]["text"].startswith(PROSE)
    assert rows["c"]["text"] == LINES[2]["text"]  # dropped: untouched
    assert rows["d"]["content"] == ""
    assert rows["e"]["provenance"].get("text_field", "text") == "text"
    assert verify(out).mismatches == []
    restore(out, tmp_path / "again")
    again = (tmp_path / "again" / "x.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.dumps(json.loads(line)) for line in again] == [json.dumps(line) for line in LINES]


def test_a_text_that_is_cleaned_to_nothing_remembers_its_field():
    fields = fields_of({"text": None, "body": "Other"})
    assert put_text(fields, "text", "") == {"text_field": "text"}
    assert put_text(fields_of({"text": None}), "text", "") == {}
    assert put_text(fields_of({"text": [4, 0]}), "text", "One.") == {"paragraphs": [4, 0]}


def test_in_memory_articles_have_nested_and_listed_texts_too():
    given_article = {"id": 1, "article": {"body": "caf\u00c3\u00a9 au lait", "n": object()}}
    result = dedup.clean_articles([given_article, {"Text": ["One line.", "Another."]}])
    assert result.articles[0]["article"]["body"] == "café au lait"
    assert given_article["article"]["body"] == "caf\u00c3\u00a9 au lait"
    assert result.articles[1]["Text"] == "One line.\n\nAnother."


CHARSETS = {"a.txt": "cp1252", "b.txt": "utf-16-le", "c.txt": "cp1251", "d.txt": "utf-8"}
WORDS = {"a.txt": "Le maire a été réélu “dimanche” soir.", "b.txt": "\ufeffLe maire a été réélu.", "d.txt": "Été."}
WORDS["c.txt"] = "Президент подписал закон, который вступит в силу в следующем месяце."


@pytest.mark.parametrize("action", ["fix", "flag", "off"])
def test_texts_in_other_charsets_are_cleaned_verified_and_restored_byte_for_byte(tmp_path, action):
    (tmp_path / "in").mkdir()
    for name, charset in CHARSETS.items():
        (tmp_path / "in" / name).write_bytes(WORDS[name].encode(charset))
    lines = [json.dumps({"id": "j", "text": "Le café est fermé."}, ensure_ascii=False), '{"id":"k","text":"One."}']
    (tmp_path / "in" / "e.jsonl").write_bytes("\n".join(lines).encode("cp1252"))
    out = tmp_path / "out"
    settings = Settings(rules={"encoding": action})
    dedup.clean(tmp_path / "in", out, settings, engine=LocalEngine(jobs=1))
    rows = {row["id"]: row for row in read_jsonl(out / "articles.jsonl")}
    assert rows["a"]["text"].rstrip() == WORDS["a.txt"]
    assert rows["j"]["text"].rstrip() == "Le café est fermé."
    charsets = {name: row["provenance"].get("charset") for name, row in rows.items()}
    assert charsets == {"a": "cp1252", "b": "utf-16-le", "c": "cp1251", "d": None, "j": "cp1252", "k": None}
    notes = [row for row in read_jsonl(out / "provenance.jsonl") if (row["evidence"] or "").startswith("read as")]
    assert {row["evidence"] for row in notes} == (
        set() if action == "off" else {"read as cp1252", "read as utf-16-le", "read as cp1251"}
    )
    assert {row["action"] for row in notes} <= {"flag"}
    assert verify(out).mismatches == []
    restore(out, tmp_path / "again")
    for name in CHARSETS:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "in" / name).read_bytes(), name


def test_dates_that_are_not_understood_are_counted_and_one_is_shown(tmp_path):
    dates = ["January 1, 2024", "soon", None, "", "Posted 3", "2024-01-01", "2024"]
    lines = [json.dumps({"id": number, "text": f"{PROSE} {number}", "date": date}) for number, date in enumerate(dates)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    engine = LocalEngine(jobs=1)
    report = dedup.clean(tmp_path / "x.jsonl", tmp_path / "a", Settings(keep="latest"), engine=engine)
    assert report.summary()["unread_dates"] == {"dates": 3, "example": "soon"}
    report = dedup.clean(tmp_path / "x.jsonl", tmp_path / "b", engine=engine)
    assert "unread_dates" not in report.summary()


@pytest.mark.parametrize(("day_first", "kept"), [(False, "b"), (True, "a")])
def test_keep_by_date_reads_the_usual_forms(day_first, kept):
    story = "The last of the eleven miners trapped since Sunday in the Harlow pit came up alive on Wednesday morning."
    rows = [{"id": "a", "text": story, "date": "02/01/2024"}, {"id": "b", "text": story, "date": "January 15, 2024"}]
    settings = Settings(keep="earliest", day_first=day_first)
    result = dedup.clean_articles(rows, settings)
    assert [row["id"] for row in result.articles] == [kept]


def test_numbers_that_are_not_finite_are_a_column_of_numbers_in_parquet_and_come_back(tmp_path):
    lines = [{"id": "a", "text": PROSE, "n": float("nan")}, {"id": "b", "text": "Another.", "n": 2, "m": -float("inf")}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    dedup.clean(tmp_path / "x.jsonl", out, Settings(format="parquet"), engine=LocalEngine(jobs=1))
    table = pq.read_table(out / "articles.parquet")
    assert (str(table.schema.field("n").type), str(table.schema.field("m").type)) == ("double", "double")
    restore(out, tmp_path / "again")
    again = (tmp_path / "again" / "x.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.dumps(json.loads(line)) for line in again] == [
        json.dumps({**line, "n": float(line["n"])}) for line in lines
    ]
