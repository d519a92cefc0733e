"""List the input files of a Spark job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from dedup.errors import InputError
from dedup.kernels.backend import SMALL_BYTES
from dedup.read.inputs import JSON_LINES, TEXT_FILE, InputFile, find_inputs


class ListedFile(NamedTuple):
    """One input file."""

    file: int  # its place among the inputs
    name: str  # in the output
    path: str  # or address
    kind: str  # `JSON_LINES` or `TEXT_FILE`
    bytes: int
    remote: bool  # its path is an address that only Spark can open
    modified: int  # time stamp, in the unit of its file system


class InputListing(NamedTuple):
    """All input files and the addresses of skipped ones; or a table, as the data frame `frame`."""

    files: list[ListedFile]
    skipped: list[str]
    frame: Any = None

    @property
    def total_bytes(self) -> int:
        """The size of all files together, in bytes as stored."""
        return sum(file.bytes for file in self.files)

    @property
    def estimated_bytes(self) -> int | None:
        """The size of all files in bytes of text, compressed ones counted three times; None for a table."""
        if self.frame is not None:
            return None
        return sum(file.bytes * (3 if file.path.lower().endswith((".gz", ".zst")) else 1) for file in self.files)

    @property
    def compiled(self) -> bool:
        """True if the input is large enough for compiled kernels to pay."""
        return self.frame is not None or self.total_bytes >= SMALL_BYTES


def list_inputs(session: Any, inputs: Sequence[Any], out: Any) -> InputListing:
    """Return the files of `inputs` in the order in which the local engine reads them.

    `inputs` are paths, or addresses, or one data frame. `session` is needed for addresses only. The folder `out` is
    ignored. Raises `InputError`.
    """
    frames = [value for value in inputs if hasattr(value, "semanticHash")]
    if frames:
        if len(inputs) > 1:
            raise InputError("a table among several inputs; give one table, or files")
        return InputListing([], [], frames[0])
    addresses = [value for value in inputs if "://" in str(value)]
    if not addresses:
        if any(str(value) == "-" for value in inputs):
            raise InputError("-: Spark reads files, not standard input; write it to a file that all workers can read")
        local = find_inputs(list(inputs), ignore=out)
        files = [_local_file(number, source) for number, source in enumerate(local.sources)]
        return InputListing(files, list(local.skipped))
    if len(addresses) != len(inputs):
        raise InputError(f"{addresses[0]}: give either addresses or paths of files, not both")
    return _list_addresses(session, [str(value) for value in inputs])


def _local_file(number: int, source: InputFile) -> ListedFile:
    """Return the entry of a local file, the input of that `number`."""
    status = source.path.stat()
    path = str(source.path.absolute())
    return ListedFile(number, source.name, path, source.kind, status.st_size, remote=False, modified=status.st_mtime_ns)


_KIND_OF_SUFFIX = {".txt": TEXT_FILE, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}


def _list_addresses(session: Any, inputs: Sequence[str]) -> InputListing:
    """Return the files at the addresses `inputs`, as Spark's own file systems list them."""
    files: list[ListedFile] = []
    skipped: list[str] = []
    for name, status in _expand_addresses(session, inputs):
        address = status.getPath().toString()
        kind = _KIND_OF_SUFFIX.get(PurePosixPath(name.lower().removesuffix(".gz").removesuffix(".zst")).suffix)
        if kind is None:
            skipped.append(address)
        else:
            modified = status.getModificationTime()
            files.append(ListedFile(len(files), name, address, kind, status.getLen(), remote=True, modified=modified))
    if not files:
        raise InputError(f"{', '.join(inputs)}: no articles in what this matches; give .txt or .jsonl files")
    for name, count in Counter(file.name for file in files).items():
        if count > 1:
            raise InputError(f"{name}: {count} inputs have a file of this name; give the folder above them")
    return InputListing(files, skipped)


def _expand_addresses(session: Any, inputs: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name and status of each file that the globs `inputs` match, or that is below a matched folder."""
    jvm, configuration = session.sparkContext._jvm, session.sparkContext._jsc.hadoopConfiguration()  # noqa: SLF001
    for address in inputs:
        path = jvm.org.apache.hadoop.fs.Path(address)
        system = path.getFileSystem(configuration)
        matches = system.globStatus(path)
        if not matches:
            raise InputError(f"{address}: matches nothing that Spark can see; check the address and its credentials")
        for status in sorted(matches, key=lambda match: str(match.getPath().toString())):
            yield from _walk_address(system, status, "")


def _walk_address(system: Any, status: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the name and status of each file at or below an address, in sorted order.

    Names are relative to the address.
    """
    if not status.isDirectory():
        yield name or status.getPath().getName(), status
        return
    children = {child.getPath().getName(): child for child in system.listStatus(status.getPath())}
    for child_name in sorted(children):
        if not child_name.startswith((".", "_")):
            yield from _walk_address(system, children[child_name], f"{name}/{child_name}" if name else child_name)
