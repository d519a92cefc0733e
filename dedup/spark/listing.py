"""List the input files of a Spark job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dedup.errors import InputError
from dedup.kernels.backend import SMALL_BYTES
from dedup.read.folders import is_pipe
from dedup.read.formats import ARCHIVES, COMPRESSION_SUFFIXES, KINDS_HINT, format_of_name
from dedup.read.hosts import hosts_of_files
from dedup.read.inputs import InputFile, find_inputs
from dedup.read.other_corpora import check_known_paths


class ListedFile(NamedTuple):
    """One input file."""

    file: int  # its place among the inputs, or below 0 for one of known articles
    name: str  # in the output
    path: str  # or address
    kind: str | None  # its format; None if its first bytes say it
    bytes: int
    remote: bool  # its path is an address that only Spark can open
    modified: int  # time stamp, in the unit of its file system
    table: str | None = None  # of a database
    forced: bool = False  # its format is that of the settings
    host: str | None = None  # of articles that name none themselves


class InputListing(NamedTuple):
    """All input files and the addresses of skipped ones; or a table, as the data frame `frame`.

    The files of known articles, at `known_paths`, come first and have numbers below 0.
    """

    files: list[ListedFile]
    skipped: list[str]
    frame: Any = None
    known_paths: tuple[str, ...] = ()

    @property
    def known_files(self) -> int:
        """The number of files of known articles."""
        return sum(file.file < 0 for file in self.files)

    @property
    def sources(self) -> int:
        """The number of files, or of files and the table."""
        return len(self.files) + (self.frame is not None)

    @property
    def total_bytes(self) -> int:
        """The size of all files together, in bytes as stored."""
        return sum(file.bytes for file in self.files)

    @property
    def estimated_bytes(self) -> int | None:
        """The size of all files in bytes of text, compressed ones counted three times; None for a table."""
        if self.frame is not None:
            return None
        return sum(file.bytes * (3 if file.path.lower().endswith(COMPRESSION_SUFFIXES) else 1) for file in self.files)

    @property
    def compiled(self) -> bool:
        """True if the input is large enough for compiled kernels to pay."""
        return self.frame is not None or self.total_bytes >= SMALL_BYTES


def list_with_known(
    session: Any, inputs: Sequence[Any], against: Sequence[Any], out: Any, input_format: str | None = None
) -> InputListing:
    """Return the files of `inputs`, behind those of known articles, which `against` names, if there are any.

    Files without a host get the one that they have among all files. The other arguments are those of `list_inputs`.
    """
    listing = list_inputs(session, inputs, out, input_format)
    if not against:
        return listing
    check_known_paths(against)
    known = list_inputs(session, against, out, input_format)
    if known.frame is not None:
        raise InputError(
            "`against`: Spark reads known articles from files, not from a table; write it to Parquet first"
        )
    files = [*listing.files, *known.files]
    if listing.files:
        hosts = hosts_of_files([file.name for file in files])
        files = [file._replace(host=host) for file, host in zip(files, hosts, strict=True)]
    count = len(listing.files)
    first = -len(known.files)
    numbered = [file._replace(file=first + file.file) for file in files[count:]]
    return listing._replace(files=[*numbered, *files[:count]], known_paths=tuple(map(str, against)))


def list_inputs(session: Any, inputs: Sequence[Any], out: Any, input_format: str | None = None) -> InputListing:
    """Return the files of `inputs` in the order in which the local engine reads them.

    `inputs` are paths, or addresses, or one data frame. `input_format` is the format of all files but archives.
    `session` is needed for addresses only. The folder `out` is
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
        local = find_inputs(list(inputs), input_format=input_format, ignore=out)
        files = [_local_file(number, source) for number, source in enumerate(local.sources)]
        return InputListing(files, list(local.skipped))
    if len(addresses) != len(inputs):
        raise InputError(f"{addresses[0]}: give either addresses or paths of files, not both")
    return _list_addresses(session, [str(value) for value in inputs], input_format)


def _local_file(number: int, source: InputFile) -> ListedFile:
    """Return the entry of a local file, the input of that `number`."""
    assert isinstance(source.path, Path)
    if is_pipe(source.path):
        raise InputError(f"{source.path}: Spark cannot read a pipe; write it to a file that all workers can read")
    status = source.path.stat()
    return ListedFile(
        number,
        source.name,
        str(source.path.absolute()),
        source.kind,
        status.st_size,
        remote=False,
        modified=status.st_mtime_ns,
        table=source.table,
        forced=source.forced,
        host=source.host,
    )


def _list_addresses(session: Any, inputs: Sequence[str], input_format: str | None) -> InputListing:
    """Return the files at the addresses `inputs`, as Spark's own file systems list them."""
    files: list[ListedFile] = []
    skipped: list[str] = []
    for name, status in _expand_addresses(session, inputs):
        address = status.getPath().toString()
        named = format_of_name(name)
        kind = named if named in ARCHIVES or not input_format else input_format
        if kind is None:
            skipped.append(address)
        else:
            modified = status.getModificationTime()
            size, forced = status.getLen(), input_format is not None
            files.append(
                ListedFile(len(files), name, address, kind, size, remote=True, modified=modified, forced=forced)
            )
    if not files:
        raise InputError(f"{', '.join(inputs)}: no articles in what this matches; {KINDS_HINT}")
    for name, count in Counter(file.name for file in files).items():
        if count > 1:
            raise InputError(f"{name}: {count} inputs have a file of this name; give the folder above them")
    hosts = hosts_of_files([file.name for file in files])
    return InputListing([file._replace(host=host) for file, host in zip(files, hosts, strict=True)], skipped)


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
