"""What a view reads, finds, serves and refuses, without a browser."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from helpers.command import run_dedup
from helpers.crawls import clean_crawl, crawl_rows, hostile_rows
from helpers.outputs import CORPUS, INPUTS, LAYOUTS, QUARANTINED, write_output
from helpers.served import HAS_VIEW, NO_VIEW, served, wait_for
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.view import cpu_seconds, paths_of, write_made_output
from dedup.findings import Finding
from dedup.inspect.output import open_output
from dedup.review.decision_file import read_decisions

if not HAS_VIEW:
    pytest.skip(NO_VIEW, allow_module_level=True)

from dedup.view import queries
from dedup.view.articles import ArticleReader, show_pair
from dedup.view.guard import LARGEST_BODY
from dedup.view.index import ReadingIndex
from dedup.view.pages import marked_controls
from dedup.view.pieces import SLICE, TextMark, slice_text


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return clean_crawl(tmp_path_factory.mktemp("view"), crawl_rows())


@pytest.fixture(scope="module")
def server(out):
    with served(out) as started:
        wait_for(lambda: json.loads(ask(started, "/state")[2])["ready"])
        yield started


@pytest.fixture(scope="module")
def index(out, tmp_path_factory):
    reading = ReadingIndex(open_output(out), tmp_path_factory.mktemp("index"))
    assert reading.wait(60), reading.progress
    yield reading
    reading.close()


def ask(server, path, method="GET", body=None, headers=None, *, token=True):
    """Status, headers and body of an answer; `headers` replace those that a page of the server sends."""
    sent = {"Host": f"127.0.0.1:{server.port}"}
    if token:
        sent["Cookie"] = f"dedup-view-{server.port}={server.token}"
    if method == "POST":
        sent |= {"Origin": server.address, "Content-Type": "application/json"}
    sent = {name: value for name, value in {**sent, **(headers or {})}.items() if value is not None}
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        if method == "POST":
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")


# the index


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(tmp_path, layout):
    output = open_output(write_output(tmp_path / "out", CORPUS, QUARANTINED, INPUTS, layout))
    (tmp_path / "db").mkdir()
    index = ReadingIndex(output, tmp_path / "db")
    assert index.wait(60), index.progress
    articles = list(output.articles())
    with index.cursor() as cursor:
        rows = queries.rows_of(cursor, "SELECT * FROM articles ORDER BY number")
        findings = queries.rows_of(cursor, "SELECT * FROM findings ORDER BY finding")
        assert [(row["record"], row["kept"], row["id"]) for row in rows] == [(a.record, a.kept, a.id) for a in articles]
        assert [row["haystack"] for row in rows] == [article.text.lower() for article in articles]
        expected = [
            (number, f.rule, f.start, place) for number, a in enumerate(articles) for place, f in enumerate(a.findings)
        ]
        assert [(row["number"], row["rule"], row["start"], row["place"]) for row in findings] == expected
        reader = ArticleReader(output)
        for number, article in enumerate(articles):
            assert reader.read(*queries.key_of(cursor, number)) == article
    index.close()


def test_hostile_texts_are_read(tmp_path):
    out = clean_crawl(tmp_path, hostile_rows())
    (tmp_path / "db").mkdir()
    index = ReadingIndex(open_output(out), tmp_path / "db")
    assert index.wait(60), index.progress
    counts = json.loads((out / "run.json").read_text())["counts"]
    with index.cursor() as cursor:
        for table, count in (("articles", counts["articles"]), ("findings", counts["findings"])):
            assert queries.rows_of(cursor, f"SELECT count(*) AS n FROM {table}")[0]["n"] == count
    index.close()


def test_a_damaged_output_is_a_message_and_no_crash(out, tmp_path):
    copy = tmp_path / "out"
    copy.mkdir()
    for path in out.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "provenance.jsonl").write_text("{}\n")
    (tmp_path / "db").mkdir()
    index = ReadingIndex(open_output(copy), tmp_path / "db")
    assert not index.wait(60)
    assert "not a finding" in index.progress.problem
    index.close()


# queries against plain definitions


FILTERS = [
    {}, {"q": "TARN"}, {"q": "tarn wire"}, {"q": '"tarn (wire)"'}, {"q": "morning letter"}, {"q": "no%such_thing'"},
    {"host": "post.example"}, {"host": "-"}, {"state": "dropped"}, {"state": "kept", "q": "tarn"},
    {"from": "2026-03-05", "to": "2026-03-09"}, {"from": "not a date"}, {"rule": "boilerplate"}, {"action": "drop"},
    {"low": "0.9", "high": "0.99"}, {"rule": "nonsense'; DROP TABLE findings; --"}, {"decided": "no"},
    {"decided": "reject"},
]  # fmt: skip


def matches(article, finding, values, host, day):
    text, words = article.text.lower(), values.get("q", "").lower()
    terms = [words.strip('"')] if words.startswith('"') else words.split()
    removed = (finding.original or "")[:300].lower() if finding else article.id.lower()
    return all((
        all(term in text for term in terms) or all(term in removed for term in terms),
        "host" not in values or values["host"] == (host or "-"),
        "state" not in values or values["state"] == ("kept" if article.kept else "dropped"),
        "from" not in values or not values["from"][:1].isdigit() or (day or "") >= values["from"],
        "to" not in values or (day or "9") <= values["to"],
        finding is None or values.get("rule", finding.rule) == finding.rule,
        finding is None or values.get("action", finding.action) == finding.action,
        finding is None or "low" not in values or (finding.similarity or 0) >= float(values["low"]),
        finding is None or "high" not in values or (finding.similarity or 9) <= float(values["high"]),
        values.get("decided") != "reject" or finding is None,
    ))  # fmt: skip


@pytest.mark.parametrize("values", FILTERS, ids=str)
def test_filters_and_facets_count_what_a_plain_reader_counts(out, index, values):
    articles = list(open_output(out).articles())
    fields = [{name: json.loads(bytes(value)) for name, value in a.fields.items() if name != "text"} for a in articles]
    known = [(f["url"].split("/")[2] if "url" in f else None, f.get("date")) for f in fields]
    filters = queries.Filters(values)
    filters = queries.Filters(values, index.hits(filters.terms)) if filters.terms else filters
    with index.cursor() as cursor:
        _, total = queries.list_findings(cursor, filters, 0)
        expected = [
            finding
            for article, (host, day) in zip(articles, known, strict=True)
            for finding in article.findings
            if matches(article, finding, values, host, day)
        ]
        assert total == len(expected)
        if "rule" not in values:
            (rules,) = [facet for facet in queries.facets(cursor, filters, of_findings=True) if facet["name"] == "rule"]
            assert sum(entry["n"] for entry in rules["values"]) == total
        _, found = queries.list_articles(cursor, filters, 0)
        assert found == sum(matches(a, None, values, *place) for a, place in zip(articles, known, strict=True))


def test_groups_are_those_of_the_drops(out, index):
    articles = list(open_output(out).articles())
    sizes = {}
    for article in articles:
        if not article.kept:
            sizes[article.dropped_by.twin] = sizes.get(article.dropped_by.twin, 0) + 1
    with index.cursor() as cursor:
        rows, total = queries.list_groups(cursor, 0)
        assert {row["id"]: row["copies"] for row in rows} == sizes
        assert total == len(sizes)
        assert [row["copies"] for row in rows] == sorted(sizes.values(), reverse=True)
        members, count = queries.members_of(cursor, rows[0]["number"], 0)
        assert len(members) == count == rows[0]["copies"]


# texts


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.sampled_from(["fix", "drop", "flag"]))),
)
def test_pieces_join_to_the_text_and_are_marked_where_findings_are(text, spans):
    marks = [
        TextMark(min(start, len(text)), min(start + size, len(text)), kind, place)
        for place, (start, size, kind) in enumerate(spans)
    ]
    pieces = slice_text(text, 0, marks).pieces
    assert "".join(piece.text for piece in pieces) == text
    at = 0
    for piece in pieces:
        covering = {mark.kind for mark in marks if mark.start <= at and at + len(piece.text) <= mark.stop}
        if piece.text:
            assert piece.kinds >= covering
            assert all(
                any(
                    m.kind == kind
                    and ((m.start < at + len(piece.text) and at < m.stop) or m.start == m.stop == at)  # or an insertion
                    for m in marks
                )
                for kind in piece.kinds
            )
        at += len(piece.text)


def test_a_long_text_is_cut_into_slices_that_follow_each_other():
    text = "".join(chr(97 + number % 26) for number in range(2 * SLICE + 7))
    start, read = 0, ""
    while start is not None:
        part = slice_text(text, start, [TextMark(SLICE - 3, SLICE + 3, "drop", 0)])
        read += "".join(piece.text for piece in part.pieces)
        assert part.before == (None if not start else start - SLICE)
        start = part.after
    assert read == text


def test_a_fix_is_shown_with_what_takes_its_place():
    finding = Finding(rule="encoding", action="fix", start=3, stop=5, original="Ã©", replacement="é")
    pieces = slice_text("cafÃ© au", 0, [TextMark(3, 5, "fix", 0)], [finding]).pieces
    assert [(piece.text, piece.inserted) for piece in pieces] == [("caf", ""), ("Ã©", "é"), (" au", "")]


def test_the_words_that_differ_from_the_twin_are_marked(out):
    output = open_output(out)
    article = next(a for a in output.articles() if not a.kept and a.dropped_by.rule == "near-duplicate-article")
    pair = show_pair(ArticleReader(output), article, None, None, None)
    assert pair.twin.id == article.dropped_by.twin
    assert any("differs" in piece.kinds for piece in (*pair.text.pieces, *pair.twin_text.pieces))


def test_an_invisible_character_is_shown_by_its_name():
    assert str(marked_controls("a<\u202eb")) == 'a&lt;<span class="control">‹U+202E›</span>b'


@given(st.text())
def test_no_control_character_and_no_markup_of_a_text_reaches_a_page(text):
    shown = str(marked_controls(text)).replace('<span class="control">', "").replace("</span>", "")
    assert "<" not in shown
    assert all(
        character in "\n\t" or character.isprintable() or character in "\u200c\u200d" or ord(character) >= 0xE000
        for character in shown
    )


# what is served and refused


def test_pages_need_the_token(server):
    assert ask(server, "/", token=False)[0] == 403
    assert ask(server, "/?token=wrong", token=False)[0] == 403
    status, headers, _ = ask(server, f"/?token={server.token}", token=False)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]
    assert ask(server, "/static/view.js", token=False)[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Host": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_other_hosts_and_origins_are_refused(server, headers):
    assert ask(server, "/", headers=headers)[0] in {400, 403, 421}
    body = {"version": 0, "decision": "accept", "about": "rule", "rule": "boilerplate", "host": "x"}
    assert ask(server, "/decide", "POST", body, headers)[0] in {400, 403, 421}


def test_a_decision_needs_an_origin_json_and_a_small_body(server, out):
    body = {"version": 0, "decision": "accept", "about": "rule", "rule": "boilerplate", "host": "x"}
    assert ask(server, "/decide", "POST", body, {"Origin": None})[0] == 403
    assert ask(server, "/decide", "POST", body, {"Content-Type": "text/plain"})[0] == 415
    assert ask(server, "/decide", "POST", b"x" * (LARGEST_BODY + 1))[0] == 413
    assert ask(server, "/decide", "POST", b"[]")[0] == 400
    assert ask(server, "/decide", "POST", b"{")[0] == 400
    assert ask(server, "/decide", "GET")[0] == 405
    assert not (out / "review.jsonl").exists()


def test_every_answer_has_the_headers_that_forbid_scripts_of_others(server):
    for path in ("/", "/findings", "/state", "/static/view.css", "/nothing"):
        _, headers, _ = ask(server, path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/view.py", "/run.json",
     "/../run.json", "//etc/passwd", "/static//etc/passwd",
      "/article/-1", "/article/x", "/article/99999", "/group/99999"],
)  # fmt: skip
def test_nothing_else_is_served(server, path):
    status, _, body = ask(server, path)
    assert status == 404
    assert "import" not in body
    assert "sha256" not in body


def test_it_listens_on_the_loopback_interface_alone(server):
    with socket.socket() as probe:
        probe.settimeout(2)
        address = next(
            (info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
             if not info[4][0].startswith("127.")), None,
        )  # fmt: skip
        if address is None:
            pytest.skip("this machine has only the loopback interface")
        assert probe.connect_ex((address, server.port)) != 0


@pytest.mark.parametrize(
    "body",
    [
        {}, {"about": "finding"}, {"about": "finding", "number": 0, "place": 999, "decision": "reject"},
        {"about": "finding", "number": 10**12, "place": 0}, {"about": "line", "number": 10**6, "decision": "accept"},
        {"about": "group", "number": "0"}, {"about": "rule", "rule": "nonsense", "host": "x", "decision": "reject"},
        {"about": "rule", "rule": "boilerplate", "host": "", "decision": "reject"},
        {"about": "article", "number": 0, "decision": "prefer"},
        {"about": "finding", "number": 1, "place": 0, "decision": "maybe"}, {"about": None, "number": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_decision_is_an_answer_of_one_line_and_keeps_nothing(server, out, body):
    status, _, text = ask(server, "/decide", "POST", {"version": 0, **body})
    assert status == 400
    assert "\n" not in json.loads(text)["error"]
    assert ask(server, "/decide", "POST", {**body, "version": "x"})[0] == 400
    assert ask(server, "/undo", "POST", {"version": 0, "id": "none"})[0] in {400, 409}
    assert not (out / "review.jsonl").exists() or read_decisions(out / "review.jsonl").rows == []


@pytest.mark.slow
def test_many_requests_at_once_lose_no_decision(tmp_path):
    out = clean_crawl(tmp_path, crawl_rows())
    with served(out) as server:
        wait_for(lambda: json.loads(ask(server, "/state")[2])["ready"])
        bodies = [
            {"version": 0, "decision": "reject", "about": "finding", "number": number, "place": 0}
            for number in range(1, 40)
        ]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda body: ask(server, "/decide", "POST", body)[0], bodies))
    rows = read_decisions(out / "review.jsonl").rows
    assert len(rows) == statuses.count(200) > 20
    assert set(statuses) <= {200, 400}


def test_the_same_thing_decided_twice_from_one_version_is_a_conflict(tmp_path):
    out = clean_crawl(tmp_path, crawl_rows())
    with served(out) as server:
        body = {"decision": "reject", "about": "rule", "rule": "boilerplate", "host": "x"}
        first = json.loads(ask(server, "/decide", "POST", {**body, "version": 0})[2])
        assert ask(server, "/decide", "POST", {**body, "version": 0, "decision": "accept"})[0] == 409
        assert ask(server, "/undo", "POST", {"version": 0, "id": first["id"]})[0] == 409
        assert ask(server, "/undo", "POST", {"version": 1, "id": first["id"]})[0] == 200
        assert [row.decision for row in read_decisions(out / "review.jsonl").rows] == ["reject", "undo"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell the CPU time of a process")
def test_pages_of_a_larger_output_take_a_fraction_of_a_second(tmp_path):
    report = write_made_output(tmp_path / "out", 3_000)
    assert report.counts["findings"] > 29_000
    with served(tmp_path / "out") as server:
        wait_for(lambda: json.loads(ask(server, "/state")[2])["ready"], 60)
        for name, path in paths_of(tmp_path / "out", 3_000).items():
            before = cpu_seconds(server.process.pid)
            status, _, body = ask(server, path.replace(" ", "%20"))
            assert status == 200, (name, body)
            assert cpu_seconds(server.process.pid) - before < 0.6, name
            assert "data-item" in body or path == "/", name


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("view {folder}/none", "is not an output of dedup"),
        ("view {out} --port {taken}", "Address already in use; name another --port"),
        ("view {out} --port 99999", "99999"),
    ],
)
def test_what_cannot_be_served_is_an_error_of_one_line(out, tmp_path, command, message):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        done = run_dedup("dedup " + command.format(out=out, folder=tmp_path, taken=busy.getsockname()[1]))
    assert (done.status, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.strip().count("\n") == 0
