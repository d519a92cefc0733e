"""Many processes share an index on a Redis server; of equal articles that they add at once, one is kept."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from conftest import ROOT
from helpers.redis_server import running_redis
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import IndexFolderError
from dedup.settings import Settings

QUICK = 25  # articles that processes add at once; DEDUP_RACE=1000 makes it a thousand


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


def words(number, count=40):
    return " ".join(f"w{number}x{place}" for place in range(count))


ADDER = """
import random, sys, dedup
url, seed, count, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
numbers = list(range(count))
random.Random(seed).shuffle(numbers)
with dedup.Index(url) as index:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in numbers:
        text = " ".join(f"w{number}x{place}" for place in range(80))
        if kind == "similar":
            text += " " + " ".join("and more was said by the council".split()[:seed])
        verdict = index.add({"id": f"{number}-{seed}" if kind == "similar" else str(number), "text": text})
        print(number, verdict.kept, verdict.rule, verdict.twin)
"""


def race(url, processes, count, kind):
    """Let processes add the same articles at once, and return what they print: number, kept, rule, twin."""
    adders = [
        subprocess.Popen(
            [sys.executable, "-c", ADDER, url, str(seed), str(count), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for seed in range(processes)
    ]
    for adder in adders:
        assert adder.stdout.readline() == "ready\n"
    for adder in adders:
        adder.stdin.write("\n")
        adder.stdin.flush()
    return [line.split() for adder in adders for line in adder.communicate()[0].splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "rule"), [("equal", "duplicate-article"), ("similar", "near-duplicate-article")])
def test_of_articles_that_eight_processes_add_at_once_one_of_each_stays(server, kind, rule):
    count = int(os.environ.get("DEDUP_RACE", QUICK))
    url = f"{server}?name={kind}"
    said = race(url, 8, count, kind)
    assert len(said) == 8 * count
    assert Counter(number for number, kept, *_ in said if kept == "True") == {str(n): 1 for n in range(count)}
    assert {rule_of for _, kept, rule_of, _ in said if kept == "False"} == {rule}
    with dedup.Index(url) as index:
        assert len(index) == count


def without_numbers(verdict):
    found = [finding._replace(record=0, twin_record=None) for finding in verdict.findings]
    return verdict._replace(record=0, twin_record=None, findings=tuple(found))


@given(texts=st.lists(st.lists(st.sampled_from(["a b c d e f g", "h i j k l m", "n o p q r"]), max_size=4), max_size=7))
@settings(max_examples=15, deadline=None)
def test_a_shared_index_says_what_one_in_a_folder_says(server, texts):
    rows = [{"id": str(n), "text": "\n\n".join([*parts, "and the same"])} for n, parts in enumerate(texts)]
    shared = f"{server}?name={os.urandom(8).hex()}"
    with tempfile.TemporaryDirectory() as folder, dedup.Index(folder) as ours, dedup.Index(shared) as theirs:
        for row in rows:
            before = theirs.query(row)
            said = theirs.add(row)
            assert before[2:4] == said[2:4]
            # dropped articles use up numbers on the server, but not in a folder
            assert without_numbers(said) == without_numbers(ours.add(row))
        assert len(theirs) == len(ours)


def test_a_removed_article_is_forgotten_on_the_server(server):
    with dedup.Index(f"{server}?name=removal") as index:
        index.add({"id": "a", "text": words(1)})
        index.add({"id": "b", "text": words(2)})
        assert index.add({"id": "c", "text": words(1)}).twin == "a"
        assert (index.remove("a"), index.remove("a"), len(index)) == (1, 0, 1)
        assert index.add({"id": "c", "text": words(1)}).kept
        assert index.query(words(2)).twin == "b"


def test_a_removed_article_leaves_nothing_of_itself_on_the_server(server):
    name = f"dedup:{os.urandom(8).hex()}:"
    menu = ["Home of the daily news", "Sports and the weather"]
    with dedup.Index(f"{server}?name={name[6:-1]}") as index:
        for number in range(6):
            text = "\n\n".join([*menu, words(number), f"{words(number + 100)}.", *menu[:1]])
            assert index.add({"id": str(number), "url": f"https://a.example/{number}", "text": text}).kept
        client = index._store.client
        assert client.hlen(f"{name}lost") > 0
        assert [index.remove(str(number)) for number in range(6)] == [1] * 6
        assert (client.hlen(f"{name}lost"), client.hlen(f"{name}articles"), len(index)) == (0, 0, 0)


@contextmanager
def losing_answers(url, losses):
    """Yield the address of a proxy of a server that cuts the connection after additions, so that answers are lost.

    The server executes each of the first `losses` additions.
    """
    target = urlsplit(url).netloc.rpartition(":")
    left = [losses]

    def serve(client):
        with client, socket.create_connection((target[0], int(target[2]))) as server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(1 << 20)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    if left[0] and source is client and data.endswith(b"EXEC\r\n") and b"HSET" in data:
                        left[0] -= 1
                        assert server.recv(1)  # the addition is committed
                        return

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with suppress(OSError):  # the listener was closed
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield url.replace(f":{target[2]}/", f":{listener.getsockname()[1]}/"), left
        listener.shutdown(socket.SHUT_RDWR)


def test_an_article_whose_addition_is_not_answered_is_no_duplicate_of_itself(server):
    name = f"name={os.urandom(8).hex()}"
    with losing_answers(server, 2) as (address, left), dedup.Index(f"{address}?{name}") as index:
        assert all(index.add({"id": str(number), "text": words(number)}).kept for number in range(3))
        assert (left, len(index)) == ([0], 3)
        verdict = index.add({"id": "again", "text": words(0)})
        assert (verdict.kept, verdict.twin) == (False, "0")


def test_indexes_on_one_server_are_apart_and_remember_their_settings(server):
    with dedup.Index(f"{server}?name=one", Settings(threshold=0.7)) as one, dedup.Index(f"{server}?name=two") as two:
        one.add({"id": "a", "text": words(1)})
        assert two.query(words(1)).kept
    with pytest.raises(IndexFolderError, match=r"this index was made with threshold 0\.7, not 0\.8; use that"):
        dedup.Index(f"{server}?name=one")


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
@pytest.mark.parametrize(("change", "problem"), [("delete", "are no longer on"), ("set", "were replaced on")])
def test_an_index_whose_settings_are_lost_while_it_is_open_is_refused(server, moment, change, problem):
    name = f"dedup:{os.urandom(8).hex()}:"
    with dedup.Index(f"{server}?name={name[6:-1]}") as index:
        index.add({"id": "a", "text": words(1)})
        client, judge = index._store.client, index._judge.judge

        def lose_settings():
            getattr(client, change)(f"{name}settings", *(["{}"] if change == "set" else []))

        def judge_and_lose_settings(*arguments):
            judged = judge(*arguments)
            lose_settings()
            return judged

        if moment == "before":
            lose_settings()
        else:
            index._judge.judge = judge_and_lose_settings
        error = rf"\?name={name[6:-1]}: the settings of this index {problem} the server; check the server, and open"
        with pytest.raises(IndexFolderError, match=error):
            index.add({"id": "b", "text": words(2)})
        assert client.hlen(f"{name}articles") == 1
        for use in (lambda: index.query(words(1)), lambda: index.remove("a")):
            with pytest.raises(IndexFolderError, match=error):
                use()


@pytest.mark.parametrize("value", ["no JSON", "5", "[]", ""])
def test_settings_that_are_none_are_one_line(server, value):
    redis = pytest.importorskip("redis", reason="needs the extra `online`")
    name = os.urandom(8).hex()
    with redis.Redis.from_url(server) as client:
        client.set(f"dedup:{name}:settings", value)
    with pytest.raises(IndexFolderError, match=f"{name}: the stored settings are not those of an index"):
        dedup.Index(f"{server}?name={name}")


def test_an_unknown_option_of_the_address_is_one_line(server):
    with pytest.raises(IndexFolderError, match=r"an option of the address is unknown \(.*'foo'\); check the address"):
        dedup.Index(f"{server}?foo=1")


@pytest.mark.slow
@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://user:secret@127.0.0.1:1/0", "redis://127.0.0.1:x/0"])
def test_a_server_that_is_not_there_is_one_line_without_the_password(url):
    pytest.importorskip("redis", reason="needs the extra `online`")
    with pytest.raises(IndexFolderError, match=r"check the address, and that the server runs") as raised:
        dedup.Index(url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_the_library_the_error_names_the_extra():
    code = (
        "import importlib.util as util, dedup; real = util.find_spec; "
        "util.find_spec = lambda name, *rest: None if name == 'redis' else real(name, *rest); "
        "dedup.Index('redis://127.0.0.1/0')"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "install the extra online: run pip install '.[online]'" in finished.stderr.splitlines()[-1]
