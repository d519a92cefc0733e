"""List the input files of a Spark job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.errors import InputError
from dedup.kernels.backend import SMALL_BYTES
from dedup.read.inputs import JSON_LINES, TEXT_FILE, InputFile, find_inputs
from dedup.read.records import RECORD_SCHEMA


class Listed(NamedTuple):
    """One input file: its place among the inputs, its name in the output, where it is, how it is read; size, time."""

    file: int
    name: str
    path: str
    kind: str
    bytes: int
    remote: bool
    changed: int  # when, by the clock of its file system


class Listing(NamedTuple):
    """All input files, and what was passed over; or a table of Spark's."""

    files: list[Listed]
    skipped: list[str]
    frame: Any = None

    @property
    def total_bytes(self) -> int:
        """Of all files."""
        return sum(one.bytes for one in self.files)

    @property
    def known_bytes(self) -> int | None:
        """Of all files, compressed ones as text has it about; None for a table, of which nobody knows."""
        if self.frame is not None:
            return None
        return sum(one.bytes * (3 if one.path.lower().endswith((".gz", ".zst")) else 1) for one in self.files)

    @property
    def compiled(self) -> bool:
        """Whether there is enough to do that compiled code pays: not for small inputs."""
        return self.frame is not None or self.total_bytes >= SMALL_BYTES


_FILES = "file bigint, name string, path string, kind string, bytes bigint, remote boolean, changed bigint"
_RAW = {"aid": pa.int64(), **{field.name: field.type for field in RECORD_SCHEMA}}


def listing(session: Any, inputs: Sequence[Any], out: Any) -> Listing:
    """The files of `inputs` in the order in which the local engine reads them; addresses need `session`.

    Raises `InputError`.
    """
    frames = [one for one in inputs if hasattr(one, "semanticHash")]
    if frames:
        if len(inputs) > 1:
            raise InputError("a table among several inputs; give one table, or files")
        return Listing([], [], frames[0])
    remote = [one for one in inputs if "://" in str(one)]
    if not remote:
        if any(str(one) == "-" for one in inputs):
            raise InputError("-: Spark reads files, not standard input; write it to a file that all workers can read")
        found = find_inputs(list(inputs), ignore=out)
        files = [_local(number, one) for number, one in enumerate(found.sources)]
        return Listing(files, list(found.skipped))
    if len(remote) != len(inputs):
        raise InputError(f"{remote[0]}: give either addresses or paths of files, not both")
    return _remote(session, [str(one) for one in inputs])


def _local(number: int, source: InputFile) -> Listed:
    told = source.path.stat()
    path = str(source.path.absolute())
    return Listed(number, source.name, path, source.kind, told.st_size, remote=False, changed=told.st_mtime_ns)


_KINDS = {".txt": TEXT_FILE, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}


def _remote(session: Any, inputs: Sequence[str]) -> Listing:
    """The same where Spark's file systems know the files."""
    jvm, configuration = session.sparkContext._jvm, session.sparkContext._jsc.hadoopConfiguration()  # noqa: SLF001
    found: list[tuple[str, Any]] = []
    for given in inputs:
        path = jvm.org.apache.hadoop.fs.Path(given)
        system = path.getFileSystem(configuration)
        matched = system.globStatus(path)
        if not matched:
            raise InputError(f"{given}: matches nothing that Spark can see; check the address and its credentials")
        for status in sorted(matched, key=lambda one: str(one.getPath().toString())):
            found += _walk(system, status, "")
    files: list[Listed] = []
    skipped: list[str] = []
    for name, status in found:
        address = status.getPath().toString()
        kind = _KINDS.get(PurePosixPath(name.lower().removesuffix(".gz").removesuffix(".zst")).suffix)
        if kind is None:
            skipped.append(address)
        else:
            files.append(
                Listed(
                    len(files), name, address, kind, status.getLen(), remote=True, changed=status.getModificationTime()
                )
            )
    if not files:
        raise InputError(f"{', '.join(inputs)}: no articles in what this matches; give .txt or .jsonl files")
    for name, times in Counter(one.name for one in files).items():
        if times > 1:
            raise InputError(f"{name}: {times} inputs have a file of this name; give the folder above them")
    return Listing(files, skipped)


def _walk(system: Any, status: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The files at or below an address, in sorted order, with their names relative to it."""
    if not status.isDirectory():
        yield name or status.getPath().getName(), status
        return
    inside = {one.getPath().getName(): one for one in system.listStatus(status.getPath())}
    for part in sorted(inside):
        if not part.startswith((".", "_")):
            yield from _walk(system, inside[part], f"{name}/{part}" if name else part)
