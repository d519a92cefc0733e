"""HTML pages, in files, records and web archives, are read through trafilatura."""

import gzip
import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from helpers.input_files import http_response, warc_record

import dedup
from dedup.engines.local import LocalEngine
from dedup.read.pages import decode_page
from dedup.settings import Settings

needs_html = pytest.mark.skipif(find_spec("trafilatura") is None, reason="trafilatura, of the extra html, is missing")
needs_warc = pytest.mark.skipif(
    find_spec("trafilatura") is None or find_spec("warcio") is None, reason="warcio, of the extra warc, is missing"
)

SENTENCES = [
    f"The {place} bridge was closed for {number} weeks, and its {number + 3} piers were repaired by the town itself."
    for number, place in enumerate(["Alder", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak"], 2)
]
TEXT = "\n".join(SENTENCES)


def page(sentences=SENTENCES, title="The bridges are open", head=""):
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("News", "Sport", "Weather"))
    body = "".join(f"<p>{sentence}</p>" for sentence in sentences)
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{title}</title>{head}</head>'
        f"<body><nav><ul>{links}</ul></nav><main><article><h1>{title}</h1>{body}</article></main>"
        "<footer>Copyright</footer></body></html>"
    )


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "dedup", *map(str, arguments)], capture_output=True, check=False)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def clean(source, out, **settings):
    return dedup.clean(source, out, Settings(**settings), engine=LocalEngine(jobs=1))


@pytest.mark.slow
@needs_html
def test_a_page_becomes_an_article_with_its_metadata(tmp_path):
    head = '<link rel="canonical" href="https://news.paper.example/bridges"><meta name="author" content="Ann Lee">'
    html = page(head=head + '<meta property="article:published_time" content="2020-03-04T10:00:00Z">')
    source = tmp_path / "in" / "2020" / "bridges.html"
    source.parent.mkdir(parents=True)
    source.write_text(html, encoding="utf-8")
    done = run("clean", tmp_path / "in", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    [article] = rows(tmp_path / "out" / "articles.jsonl")
    for sentence in SENTENCES:
        assert sentence in article["text"]
    assert "Weather" not in article["text"]
    assert article["id"] == "2020/bridges"
    assert (article["title"], article["author"], article["date"]) == ("The bridges are open", "Ann Lee", "2020-03-04")
    provenance = article["provenance"]
    assert provenance["extracted_from"] == "html"
    assert provenance["url"] == article["url"] == "https://news.paper.example/bridges"
    assert provenance["html_sha256"] == hashlib.sha256(html.encode()).hexdigest()
    assert run("verify", tmp_path / "out").returncode == 0
    done = run("restore", tmp_path / "out", "-o", tmp_path / "back")
    assert done.returncode == 0
    assert b"extracted from HTML 1" in done.stderr
    [restored] = rows(tmp_path / "back" / "2020" / "bridges.html.jsonl")
    assert hashlib.sha256(restored["text"].encode()).hexdigest() == provenance["sha256"]


@needs_html
def test_the_text_is_what_trafilatura_extracts(tmp_path):
    trafilatura = pytest.importorskip("trafilatura")
    (tmp_path / "a.htm").write_text(page(), encoding="utf-8")
    clean(tmp_path / "a.htm", tmp_path / "out", profile="lossless")
    [article] = rows(tmp_path / "out" / "articles.jsonl")
    assert article["text"] == trafilatura.extract(page())


@needs_html
def test_records_with_html_get_a_text(tmp_path):
    records = [
        {"id": 1, "html": page(), "url": "https://a.example/1"},
        {"id": 2, "text": page([sentence.replace("bridge", "mill") for sentence in SENTENCES])},
        {"id": 3, "text": "A text of its own.", "html": page()},
        {"id": 4, "text": "", "raw_html": page([sentence.replace("bridge", "road") for sentence in SENTENCES])},
        {"id": 5, "html": "<html><body></body></html>"},
        {"id": 6, "text": "<p>Only a part of a page, with tags.</p>"},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    clean(path, tmp_path / "out")
    articles = {row["id"]: row for row in rows(tmp_path / "out" / "articles.jsonl")}
    assert sorted(articles) == [1, 2, 3, 4, 6]
    assert SENTENCES[0] in articles[1]["text"]
    assert articles[1]["html"] == page()
    assert articles[1]["provenance"]["url"] == "https://a.example/1"
    assert "Alder mill" in articles[2]["text"]
    assert "<p>" not in articles[2]["text"]
    assert articles[3]["text"] == "A text of its own."
    assert "extracted_from" not in articles[3]["provenance"]
    assert "Alder road" in articles[4]["text"]
    assert articles[6]["text"] == records[5]["text"]
    [bad] = rows(tmp_path / "out" / "quarantine.jsonl")
    assert bad["record"] == 4
    assert bad["error"].startswith("no article in this page")
    assert dedup.verify(tmp_path / "out").mismatches == []
    in_memory = dedup.clean_articles(records)
    assert [row["text"] for row in in_memory.articles] == [articles[number]["text"] for number in (1, 2, 3, 4, 6)]
    assert in_memory.articles[0]["provenance"]["extracted_from"] == "html"


@needs_html
@pytest.mark.parametrize("output_format", ["parquet", "csv"])
def test_other_output_formats_keep_what_is_known_of_a_page(tmp_path, output_format):
    (tmp_path / "a.html").write_text(page(), encoding="utf-8")
    clean(tmp_path / "a.html", tmp_path / "out", format=output_format)
    assert dedup.verify(tmp_path / "out").mismatches == []
    dedup.restore(tmp_path / "out", tmp_path / "back")
    [restored] = rows(tmp_path / "back" / "a.html.jsonl")
    assert restored["title"] == "The bridges are open"


@needs_html
def test_a_page_without_text_goes_to_quarantine(tmp_path):
    (tmp_path / "a.html").write_text(page(), encoding="utf-8")
    (tmp_path / "b.html").write_text("<html><body><script>go()</script></body></html>", encoding="utf-8")
    report = clean([tmp_path / "a.html", tmp_path / "b.html"], tmp_path / "out")
    assert report.counts["kept"] == 1
    [bad] = rows(tmp_path / "out" / "quarantine.jsonl")
    assert bad["source"] == "b.html"
    assert bad["raw"].startswith("<html>")


@needs_html
def test_many_processes_give_the_same_bytes(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        sentences = [sentence.replace("weeks", f"weeks and {number} days") for sentence in SENTENCES]
        (folder / f"{number}.html").write_text(page(sentences), encoding="utf-8")
    outputs = []
    for jobs in (1, 2):
        dedup.clean(folder, tmp_path / str(jobs), engine=LocalEngine(jobs=jobs))
        outputs.append([(tmp_path / str(jobs) / name).read_bytes() for name in ("articles.jsonl", "dropped.jsonl")])
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("<p>é</p>".encode(), None, "<p>é</p>"),
        ('<meta charset="windows-1251">Ж'.encode("cp1251"), None, '<meta charset="windows-1251">Ж'),
        ('<meta http-equiv="a" content="text/html; charset=gb2312">中'.encode("gb18030"), None, "中"),
        ("ą".encode("iso-8859-2"), "iso-8859-2", "ą"),
        ("“a”".encode("cp1252"), "ISO-8859-1", "“a”"),
        ("<p>é</p>".encode("utf-16"), "iso-8859-1", "<p>é</p>"),
        ('<meta charset="no such">é'.encode(), None, "é"),
        ('<meta charset="utf-8">é'.encode() + b"\xff" + "ü".encode(), None, "é\ufffdü"),
    ],
)
def test_pages_are_decoded_as_browsers_do(data, charset, text):
    assert decode_page(data, charset).endswith(text)


@pytest.mark.parametrize("name", ["a.html", "a.warc.gz"])
def test_a_missing_extra_is_an_error_of_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"WARC/1.0\r\n" if "warc" in name else page().encode())
    hide = (
        "import sys, importlib.util as util; real = util.find_spec; "
        "util.find_spec = lambda name, *rest: None if name in {'trafilatura', 'warcio'} else real(name, *rest); "
        "from dedup.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", hide, "clean", str(tmp_path / name), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install '.[" in done.stderr


def variant(word):
    return page([sentence.replace("bridge", word) for sentence in SENTENCES])


ARCHIVE = [
    warc_record("warcinfo", b"software: test", 0),
    warc_record("request", b"GET / HTTP/1.1\r\n\r\n", 1),
    warc_record("response", http_response(variant("bridge").encode()), 2, "https://a.example/2"),
    warc_record("response", http_response(b"gone", "404 Not Found"), 3),
    warc_record("response", http_response(b"\x89PNG", kind="image/png"), 4),
    warc_record("response", http_response(variant("café").encode("cp1252"), kind="text/html; charset=ISO-8859-1"), 5),
    warc_record(
        "response", http_response(gzip.compress(variant("mill").encode()), more="Content-Encoding: gzip\r\n"), 6
    ),
    warc_record("response", http_response(b"<html><body></body></html>"), 7),
]


@needs_warc
@pytest.mark.parametrize("pack", ["plain", "whole", "records"])
def test_pages_of_a_web_archive_become_articles(tmp_path, pack):
    whole = b"".join(ARCHIVE)
    data = {"plain": whole, "whole": gzip.compress(whole), "records": b"".join(map(gzip.compress, ARCHIVE))}[pack]
    path = tmp_path / ("crawl.warc" if pack == "plain" else "crawl.warc.gz")
    path.write_bytes(data)
    done = run("clean", path, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    articles = rows(tmp_path / "out" / "articles.jsonl")
    assert [article["id"] for article in articles] == ["<urn:uuid:2>", "<urn:uuid:5>", "<urn:uuid:6>"]
    first = articles[0]
    assert (first["url"], first["date"]) == ("https://a.example/2", "2020-01-02T03:04:05Z")
    assert first["provenance"]["url"] == "https://a.example/2"
    assert first["provenance"]["warc_record"] == "<urn:uuid:2>"
    assert first["provenance"]["html_sha256"] == hashlib.sha256(variant("bridge").encode()).hexdigest()
    assert "Alder café was" in articles[1]["text"]
    assert "Alder mill was" in articles[2]["text"]
    [bad] = rows(tmp_path / "out" / "quarantine.jsonl")
    assert bad["error"].startswith("no article in this page")
    [entry] = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert entry["skipped"] == {"request": 1, "response that is no page": 2, "warcinfo": 1}
    assert run("verify", tmp_path / "out").returncode == 0
    assert run("restore", tmp_path / "out", "-o", tmp_path / "back").returncode == 0


@needs_warc
@pytest.mark.parametrize("cut", [30, 700, -1, -2])
def test_what_stands_before_a_truncation_is_read(tmp_path, cut):
    whole = b"".join(ARCHIVE[:3]) + ARCHIVE[5]
    damaged = {
        -1: whole + b"garbage\r\n\r\n" + ARCHIVE[6],
        -2: b"".join(map(gzip.compress, [*ARCHIVE[:3], ARCHIVE[5]]))[:-40],
    }.get(cut, whole[:-cut])
    path = tmp_path / "crawl.warc"
    path.write_bytes(damaged)
    report = clean(path, tmp_path / "out")
    assert report.counts["kept"] == (3 if cut == -1 else 1)  # what follows other bytes is read, too
    [bad] = rows(tmp_path / "out" / "quarantine.jsonl")
    assert bad["error"].endswith("fetch it again")


@needs_warc
def test_an_archive_is_known_by_its_first_bytes(tmp_path):
    path = tmp_path / "crawl"
    path.write_bytes(b"".join(ARCHIVE[:3]))
    assert clean(path, tmp_path / "out").counts["kept"] == 1


@needs_warc
def test_a_response_that_is_not_http_goes_to_quarantine(tmp_path):
    path = tmp_path / "crawl.warc"
    path.write_bytes(b"".join(ARCHIVE[:3]) + warc_record("response", b"\x00\x01 binary", 9))
    clean(path, tmp_path / "out")
    [bad] = rows(tmp_path / "out" / "quarantine.jsonl")
    assert bad["error"].startswith("this response is not HTTP")
