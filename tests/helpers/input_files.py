"""Write the same articles as files of every format and compression, and read input files back as records."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from dedup.read.inputs import find_inputs
from dedup.read.json_lines import FileRow
from dedup.read.records import RecordReader
from dedup.read.streams import ByteStream
from dedup.settings import Settings

Rows = Sequence[dict[str, Any]]


def jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def delimited(rows: Rows, **dialect: Any) -> str:
    """Return `rows` as the csv module writes them; `dialect` are its options."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def excel_csv(rows: Rows) -> bytes:
    """Return `rows` as Excel saves them where the comma is the decimal separator: with the separator's own line."""
    return ("sep=;\r\n" + delimited(rows, delimiter=";")).encode("utf-8-sig")


def parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()


def arrow(rows: Rows, new: Callable[..., Any]) -> bytes:
    table = pa.Table.from_pylist(list(rows))
    sink = io.BytesIO()
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def sqlite(rows: Rows, path: Path, table: str = "articles") -> bytes:
    """Return `rows` as a database of texts, made at `path`."""
    with sqlite3.connect(path) as connection:
        columns = ", ".join(f'"{name}"' for name in rows[0])
        quoted = table.replace('"', '""')
        connection.execute(f'create table "{quoted}" ({columns})')
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f'insert into "{quoted}" values ({marks})', [tuple(row.values()) for row in rows])
    connection.close()
    return path.read_bytes()


def zipped(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return sink.getvalue()


def compressed_by_arrow(codec: str) -> Callable[[bytes], bytes]:
    def compress(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(data)
        return sink.getvalue().to_pybytes()

    return compress


def warc_record(kind: str, body: bytes, number: int, uri: str = "https://news.paper.example/1") -> bytes:
    """Return a record of a web archive."""
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{number}>",
        "WARC-Date": "2020-01-02T03:04:05Z",
        "WARC-Target-URI": uri,
        "Content-Type": f"application/http; msgtype={kind}",
        "Content-Length": len(body),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"WARC/1.0\r\n{lines}\r\n".encode() + body + b"\r\n\r\n"


def http_response(body: bytes, status: str = "200 OK", kind: str = "text/html; charset=utf-8", more: str = "") -> bytes:
    """Return an answer of a web server; `more` are lines of its header."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}\r\n".encode() + body


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": compressed_by_arrow("zstd"),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lz4": compressed_by_arrow("lz4"),
}


def every_file(rows: Rows, folder: Path) -> dict[str, bytes]:
    """Return file names and contents: `rows`, whose values are texts, in every format. `folder` is for databases."""
    lines = jsonl(rows)
    files = {
        "lines.jsonl": lines,
        "lines.ndjson": lines.replace(b"\n", b"\r\n"),
        "lines.jl": b"\xef\xbb\xbf" + lines,
        "lines.json": lines,
        "array.json": json.dumps(list(rows)).encode(),
        "pretty.json": json.dumps(list(rows), indent=2).encode(),
        "array.jsonl": json.dumps(list(rows)).encode(),
        "objects.json": "".join(json.dumps(row, indent=1) for row in rows).encode(),
        "utf16.jsonl": lines.decode().encode("utf-16"),
        "utf32.json": json.dumps(list(rows)).encode("utf-32"),
        "comma.csv": delimited(rows).encode(),
        "semicolon.csv": delimited(rows, delimiter=";").encode("utf-8-sig"),
        "excel.csv": excel_csv(rows),
        "unicode.tsv": delimited(rows, delimiter="\t").encode("utf-16"),
        "pipe.csv": delimited(rows, delimiter="|", quoting=csv.QUOTE_ALL, lineterminator="\n").encode(),
        "table.tsv": delimited(rows, delimiter="\t").encode(),
        "table.parquet": parquet(rows),
        "file.arrow": arrow(rows, pa.ipc.new_file),
        "stream.arrows": arrow(rows, pa.ipc.new_stream),
        "news.db": sqlite(rows, folder / "made.db"),
        "bare": lines,
        "bare-table": parquet(rows),
    }
    for suffix, compress in COMPRESSIONS.items():
        files[f"lines.jsonl{suffix}"] = compress(lines)
    files["comma.csv.gz"] = gzip.compress(files["comma.csv"])
    files["table.parquet.zst"] = COMPRESSIONS[".zst"](files["table.parquet"])
    files["news.sqlite.xz"] = lzma.compress(files["news.db"])
    files["misnamed.csv"] = files["table.parquet"]
    for member in ("lines.jsonl", "array.json", "comma.csv", "table.parquet", "news.db", "lines.jsonl.gz"):
        files[f"{member}.zip"] = zipped({f"in/{member}": files[member]})
        files[f"{member}.tar"] = tarred({f"in/{member}": files[member]})
    files["lines.tgz"] = tarred({"lines.jsonl": lines}, "w:gz")
    files["lines.tar.zst"] = COMPRESSIONS[".zst"](files["lines.jsonl.tar"])
    return files


def read_files(*paths: Path | str, **settings: Any) -> tuple[list[dict[str, Any]], RecordReader]:
    """Return the records of files, and their reader."""
    chosen = Settings(**settings)
    reader = RecordReader(find_inputs(paths, input_format=chosen.input_format), chosen)
    return [row for batch in reader for row in batch.to_pylist()], reader


def stream_of(data: bytes, block: int = 1 << 20) -> ByteStream:
    """Return a stream that gives at most `block` bytes of `data` at once."""
    file = io.BytesIO(data)
    return ByteStream(lambda size: file.read(min(size, block)))


def values(rows: list[FileRow] | list[dict[str, Any]]) -> list[Any]:
    """Return the JSON values of records without errors."""
    return [json.loads(row["data"] if isinstance(row, dict) else row[1]) for row in rows]
