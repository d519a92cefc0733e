"""Addresses: files of an object store and of a web server are read as local ones, and named as they are."""

from __future__ import annotations

import http.server
import json
import threading
from functools import partial

import pytest
from helpers.input_files import jsonl, parquet, read_files, tarred, values

import dedup
from dedup import InputError, LocalEngine
from dedup.read.inputs import find_inputs
from dedup.read.remote import find_remote, is_address

pytest.importorskip("fsspec", reason="needs the extra `remote`")

ROWS = [{"id": str(n), "text": f"Article {n}."} for n in range(20)]
FILES = {
    "crawl/a.jsonl": jsonl(ROWS),
    "crawl/b/2.txt": b"Two.",
    "crawl/b/10.txt": b"Ten.",
    "crawl/b/.hidden.txt": b"x",
    "crawl/c.parquet": parquet(ROWS),
    "crawl/d.tgz": tarred({"x.json": json.dumps(ROWS).encode()}, "w:gz"),
    "crawl/notes.md": b"x",
    "crawl/out/run.json": b'{"dedup": {"format": 1}}',
    "crawl/out/articles.jsonl": jsonl(ROWS[:3]),
    "crawl/out/dropped.jsonl": jsonl(ROWS[3:]),
}
NAMES = ["a.jsonl", "b/10.txt", "b/2.txt", "c.parquet", "d.tgz"]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def bucket():
    pytest.importorskip("s3fs", reason="needs the extra `remote`")
    moto = pytest.importorskip("moto.server", reason="needs moto's server")
    import boto3  # noqa: PLC0415
    import fsspec  # noqa: PLC0415

    server = moto.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").clear_instance_cache()
        client = boto3.client("s3", endpoint_url=address)
        client.create_bucket(Bucket="news")
        for name, data in FILES.items():
            client.put_object(Bucket="news", Key=name, Body=data)
        yield "s3://news"
        client.close()
    server.stop()


@pytest.mark.parametrize("name", ["s3://b/k", "https://h/x", "hf://datasets/a/b"])
def test_names_that_are_addresses(name):
    assert is_address(name)


@pytest.mark.parametrize("name", ["a:b", "c://", "dir/x://y", "-"])
def test_names_that_are_not_addresses(name):
    assert not is_address(name)


@pytest.mark.slow
def test_a_folder_of_an_object_store_reads_as_a_local_one(bucket, web):
    remote, reader = read_files(f"{bucket}/crawl")
    local, local_reader = read_files(web[1] / "crawl")
    assert remote == local
    assert reader.inputs == local_reader.inputs
    assert [file.name for file in find_inputs([f"{bucket}/crawl"]).sources] == NAMES
    assert sorted(reader.skipped) == [f"{bucket}/crawl/notes.md", f"{bucket}/crawl/out"]
    assert reader.total_bytes == local_reader.total_bytes
    assert reader.fresh_bytes() == local_reader.fresh_bytes()


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("crawl/a.jsonl", ["a.jsonl"]),
        ("crawl/b", ["10.txt", "2.txt"]),
        ("crawl/b/*.txt", ["10.txt", "2.txt"]),
        ("crawl/*.jsonl", ["a.jsonl"]),
        ("crawl/out", ["articles.jsonl"]),
        ("", [f"crawl/{name}" for name in NAMES]),
    ],
)
def test_files_folders_and_globs_of_an_object_store(bucket, pattern, names):
    assert [file.name for file in find_inputs([f"{bucket}/{pattern}"]).sources] == names


def test_an_object_store_says_in_one_line_what_is_not_there(bucket):
    for address in (
        f"{bucket}/none.jsonl",
        f"{bucket}/none/*.jsonl",
        "s3://no-such-bucket/a.jsonl",
        f"{bucket}/crawl/notes.md",
    ):
        with pytest.raises(InputError) as caught:
            find_inputs([address])
        assert str(caught.value).startswith(address)
        assert "\n" not in str(caught.value)


def test_files_of_a_web_server_are_read(web):
    address, folder = web
    for name in ("a.jsonl", "b/2.txt", "c.parquet", "d.tgz"):
        remote, reader = read_files(f"{address}/crawl/{name}")
        local, local_reader = read_files(folder / "crawl" / name)
        assert remote == local
        assert reader.inputs == local_reader.inputs
    assert values(read_files(f"{address}/crawl/a.jsonl?token=x/y.txt")[0]) == ROWS


def test_a_web_server_says_in_one_line_what_is_not_there(web):
    for given in (f"{web[0]}/crawl/none.jsonl", "http://127.0.0.1:9/a.jsonl", "nonsense://a/b.jsonl"):
        with pytest.raises(InputError) as caught:
            find_remote(given)
        assert str(caught.value).startswith(given)
        assert "\n" not in str(caught.value)


def test_a_job_over_addresses_and_paths_has_unique_names(web, tmp_path):
    address, folder = web
    inputs = [f"{address}/crawl/a.jsonl", folder / "crawl" / "a.jsonl"]
    report = dedup.clean(inputs, tmp_path / "out", engine=LocalEngine(jobs=1))
    assert report.counts["records"] == 2 * len(ROWS)
    assert len({entry["source"] for entry in report.inputs}) == 2


def test_without_the_extra_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(
        InputError, match=r"s3://b/k: fsspec is not installed, .* install the extra `remote`: run pip install"
    ):
        find_inputs(["s3://b/k"])
