"""``dedup serve`` answers with the verdicts of an index, and rejects requests that are too large or have no token."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib.util import find_spec

import pytest
from conftest import ROOT
from helpers.command import run_dedup
from helpers.served import running
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup

if not all(map(find_spec, ("starlette", "uvicorn", "prometheus_client"))):
    pytest.skip("needs the extra `serve`: pip install '.[serve]'", allow_module_level=True)

TOKEN = "secret-of-tests"
WORDS = " ".join(f"word{place}" for place in range(40))


@contextmanager
def running_server(place, *arguments):
    """Yield the port of a server of the index at `place`, and the token that it has printed."""
    pattern = r"http://127\.0\.0\.1:(\d+)/(  token: [\w-]+)?\n"
    with running("serve", place, pattern, *arguments) as (_, match):
        yield int(match[1]), (match[2] or "").removeprefix("  token: ")


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    (folder / "token").write_text(f"{TOKEN}\n")
    with running_server(folder / "seen", "--token-file", str(folder / "token"), "--max-request", "64K") as (
        bound,
        printed,
    ):
        assert printed == ""  # a given token is not printed
        yield bound


def ask(port, path, contents=None, method=None, headers=None):
    """Return status, headers and body of an answer; `headers` replace those that a client sends."""
    sent = {"Host": f"127.0.0.1:{port}", "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    sent = {name: value for name, value in {**sent, **(headers or {})}.items() if value is not None}
    data = contents if isinstance(contents, bytes) or contents is None else json.dumps(contents).encode()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request(method or ("GET" if contents is None else "POST"), path, data, sent)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


@pytest.mark.slow
def test_a_server_says_what_an_index_says(port, tmp_path):
    articles = [
        {"id": "a", "text": f"Caf\u00c3\u00a9 {WORDS}", "page": 3},
        {"id": "b", "text": f"Caf\u00c3\u00a9 {WORDS} more"},
        {"id": "c", "text": "A lone \ud800 surrogate in a text"},
    ]
    with dedup.Index(tmp_path / "ours") as index:
        for article in articles:
            for path, method in (("/query", index.query), ("/add", index.add)):
                status, headers, body = ask(port, path, article)
                assert (status, headers["content-type"]) == (200, "application/json")
                assert json.loads(body) == method(article).as_dict()
    assert json.loads(body)["kept"]
    assert json.loads(ask(port, "/remove", {"id": "c"})[2]) == {"removed": 1}
    assert json.loads(ask(port, "/remove", {"id": "c"})[2]) == {"removed": 0}


@pytest.mark.parametrize(
    ("path", "contents", "headers", "status", "error"),
    [
        ("/add", {"id": "x"}, {}, 400, "article: no text"),
        ("/add", [1], {}, 400, "the request is not a JSON object"),
        ("/add", b"{", {}, 400, "the request is not a JSON object"),
        ("/add", b"[" * 60_000, {}, 400, "the request is not a JSON object"),
        ("/add", b"\xff", {}, 400, "the request is not a JSON object"),
        ("/add", {"text": "x" * 70_000}, {}, 413, "a request may have 65,536 bytes; start the server with a larger"),
        ("/add", {"text": "x"}, {"Content-Type": "text/plain"}, 415, "send JSON"),
        ("/add", {"text": "x"}, {"Authorization": None}, 401, "send the token"),
        ("/add", {"text": "x"}, {"Authorization": "Bearer wrong"}, 401, "send the token"),
        ("/add", {"text": "x"}, {"Authorization": f"Basic {TOKEN}"}, 401, "send the token"),
        ("/metrics", None, {"Authorization": None}, 401, "send the token"),
        ("/add", {"text": "x"}, {"Host": "evil.test"}, 421, "this server answers only at the address"),
        ("/remove", {"id": 7}, {}, 400, "no id in the request"),
        ("/add", None, {}, 405, "method not allowed; see /openapi.json"),
        ("/nowhere", None, {}, 404, "not found; see /openapi.json"),
    ],
)
def test_a_wrong_request_is_refused_with_one_line(port, path, contents, headers, status, error):
    answered, sent, body = ask(port, path, contents, headers=headers)
    assert (answered, sent["content-type"]) == (status, "application/json")
    assert json.loads(body)["error"].startswith(error)
    assert sent["x-content-type-options"] == "nosniff"


def test_of_articles_that_many_clients_add_at_once_one_of_each_stays(port):
    articles = [{"id": str(n), "text": f"{WORDS} article number{n} " * 2} for n in range(1)] * 16
    with ThreadPoolExecutor(8) as pool:
        answers = [json.loads(body) for _, _, body in pool.map(lambda article: ask(port, "/add", article), articles)]
    assert [answer["kept"] for answer in answers].count(True) <= 1
    assert len({answer["twin"] for answer in answers if not answer["kept"]}) == 1


def test_health_is_open_and_metrics_count_answers_and_verdicts(port):
    assert ask(port, "/health", headers={"Authorization": None})[::2] == (200, b'{"status": "ok"}')
    ask(port, "/query", {"text": "counted"})
    ask(port, "/there/is/no/such/path")
    status, headers, body = ask(port, "/metrics")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
    values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    assert float(values['dedup_requests_total{path="/query",status="200"}']) >= 1
    assert float(values['dedup_verdicts_total{path="/query",rule="none"}']) >= 1
    assert float(values['dedup_requests_total{path="other",status="404"}']) >= 1
    assert float(values['dedup_verdict_seconds_count{path="/query"}']) >= 1
    assert "dedup_index_articles" in values


def test_the_openapi_document_describes_every_answer(port):
    document = json.loads(ask(port, "/openapi.json", headers={"Authorization": None})[2])
    assert set(document["paths"]) == {"/query", "/add", "/remove", "/health", "/metrics", "/openapi.json"}
    verdict = json.loads(ask(port, "/query", {"id": "a", "text": WORDS})[2])
    schema = document["components"]["schemas"]["Verdict"]
    assert set(verdict) == set(schema["properties"]) == set(schema["required"])
    finding = dedup.Finding("a", "b", 0)
    assert set(finding._asdict()) == set(document["components"]["schemas"]["Finding"]["properties"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
articles = st.fixed_dictionaries({}, optional={"id": json_values, "text": json_values, "date": json_values})


@given(path=st.sampled_from(["/query", "/add", "/remove"]), contents=articles)
@settings(max_examples=25, deadline=None)
def test_any_object_gets_an_answer(port, path, contents):
    assert ask(port, path, contents)[0] in {200, 400}


@pytest.mark.slow
def test_schemathesis_finds_nothing(port):
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    assert schemathesis
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json"),
        *("-H", f"Authorization: Bearer {TOKEN}", "--max-examples", "8", "--workers", "1", "--no-color"),
        *("--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--suppress-health-check", "all"),
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
def test_a_new_token_is_printed_with_the_address(tmp_path):
    with running_server(tmp_path / "seen", "--threshold", "0.7") as (port, token):
        assert len(token) > 20
        assert ask(port, "/add", {"text": WORDS}, headers={"Authorization": f"Bearer {token}"})[0] == 200
    with dedup.Index(tmp_path / "seen", dedup.Settings(threshold=0.7)) as index:
        assert len(index) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("file", "is a file; name a folder for the index"),
        ("seen --token-file nowhere", "nowhere: cannot be read"),
        ("seen --token-file file", "file: holds no token"),
        ("seen --host 203.0.113.7", "name another --port, or 0 for a free one"),
    ],
)
def test_a_server_that_cannot_start_says_so_in_one_line(tmp_path, monkeypatch, arguments, error):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    finished = run_dedup(f"dedup serve {arguments} --port 0")
    assert (finished.status, len(finished.stderr.splitlines())) == (2, 1)
    assert error in finished.stderr


def begun_request(port, token):
    """A connection that has sent the beginning of a request."""
    head = f"POST /add HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    return connection


SHORT_SERVER = """
import sys
from dedup.cli import main
from dedup.service import endpoints, serving
serving._STOPPING_SECONDS, endpoints.BODY_SECONDS = float(sys.argv[1]), float(sys.argv[2])
sys.exit(main(["serve", sys.argv[3], "--port", "0"]))
"""


@pytest.mark.parametrize(("stopping", "body", "stays"), [(1, 60, True), (60, 1, True), (60, 60, False)])
def test_a_request_that_is_never_complete_neither_stops_the_end_nor_leaves_a_traceback(tmp_path, stopping, body, stays):
    command = [sys.executable, "-c", SHORT_SERVER, str(stopping), str(body), str(tmp_path / "seen")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/  token: (\S+)\n", server.stdout.readline()).groups()
        try:
            with begun_request(int(port), token) as connection:
                assert ask(int(port), "/health")[0] == 200  # the request before has begun
                if not stays:
                    connection.close()
                    assert ask(int(port), "/health")[0] == 200
                elif body == 1:
                    answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))  # until the server closes it
                    assert answer.startswith(b"HTTP/1.1 408 ")
                server.send_signal(signal.SIGTERM)
                _, errors = server.communicate(timeout=30)
        finally:
            server.kill()
    assert "Traceback" not in errors
    assert errors.count("\n") == 1 + (stopping == 1)  # uvicorn says that it cancels the request


def test_without_the_libraries_the_error_names_the_extra():
    code = (
        "import importlib.util as util, sys; real = util.find_spec; "
        "util.find_spec = lambda name, *rest: None if name == 'uvicorn' else real(name, *rest); "
        "from dedup.cli import main; main(['serve', 'seen'])"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (finished.returncode, len(finished.stderr.splitlines())) == (2, 1)
    assert "install the extra serve: run pip install '.[serve]'" in finished.stderr
