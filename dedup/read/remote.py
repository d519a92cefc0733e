"""Read files at addresses such as ``s3://bucket/crawl`` or ``https://host/news.jsonl`` through fsspec.

Credentials and endpoints are those that the file systems find themselves, in their environment variables and files.
"""

from __future__ import annotations

import glob
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast
from urllib.parse import unquote, urlsplit

from dedup.errors import InputError
from dedup.index_layout import MANIFEST, is_manifest
from dedup.output_layout import RUN_FILE, is_run_file

_INSTALL_REMOTE = "install the extra `remote`: run pip install '.[remote]' in a checkout of this project"
_WEB = ("http", "https")
_BLOCK = 8 << 20  # bytes fetched at once

ResultT = TypeVar("ResultT")


def is_address(name: str) -> bool:
    """Return True if `name` is an address of another file system.

    >>> is_address("s3://bucket/a.jsonl"), is_address("a:b.jsonl")
    (True, False)
    """
    scheme, separator, rest = name.partition("://")
    return bool(separator and rest) and scheme.replace("+", "").replace("-", "").isalnum() and "/" not in scheme


@dataclass(frozen=True)
class RemotePath:
    """A file at an address, opened as `pathlib.Path` opens one."""

    address: str
    system: Any
    location: str  # in the file system

    @property
    def name(self) -> str:
        """The last part of the address."""
        return _name_of(self.address)

    @cached_property
    def size(self) -> int | None:
        """The size in bytes, None if the file system does not say."""
        size = _ask(self.address, lambda: self.system.info(self.location).get("size"))
        return size if isinstance(size, int) else None

    def open(self, _mode: str = "rb") -> BinaryIO:
        """Open the file for reading. Raises `InputError`."""
        file = _ask(self.address, lambda: self.system.open(self.location, "rb", block_size=_BLOCK))
        return cast("BinaryIO", _RemoteFile(file, self.address))

    def __str__(self) -> str:
        return self.address


class RemoteFiles(NamedTuple):
    """Files that an address refers to, each with its path below it, and the addresses of skipped outputs."""

    files: list[tuple[str, RemotePath]]
    skipped: list[str]


class _RemoteFile(io.RawIOBase):
    """A remote file whose errors are those of a local one."""

    def __init__(self, file: Any, address: str) -> None:
        self.file = file
        self.address = address

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        try:
            data: bytes = self.file.read(size)
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


def find_remote(address: str) -> RemoteFiles:
    """Return the files at `address`, which is that of a file, a folder, or a glob. Raises `InputError`.

    Outputs and indexes of this package below a folder or a glob are left out. An output that is given itself stands for
    its articles.
    """
    system, location = _file_system(address)
    scheme = address.partition("://")[0]
    if scheme in _WEB and not glob.has_magic(urlsplit(address).path):
        path = RemotePath(address, system, location)
        _ask(address, lambda: system.info(location))
        return RemoteFiles([(path.name, path)], [])
    if glob.has_magic(location):
        return _matches(system, address, scheme, location)
    if _ask(address, lambda: system.isdir(location)):
        return _files_below(system, scheme, location)
    if not _ask(address, lambda: system.exists(location)):
        raise InputError(f"{address}: no such file or folder; check the address and its credentials")
    path = RemotePath(address, system, location)
    return RemoteFiles([(path.name, path)], [])


def _matches(system: Any, address: str, scheme: str, location: str) -> RemoteFiles:
    matches = _ask(address, lambda: sorted(system.glob(location)))
    if not matches:
        raise InputError(f"{address}: matches nothing; check the address and its credentials")
    files, skipped = [], []
    for match in matches:
        path = RemotePath(_address(scheme, match), system, match)
        if _ask(address, lambda match=match: system.isdir(match)):  # type: ignore[misc]
            if _is_output(system, match) or _is_index(system, match):
                skipped.append(path.address)
                continue
            inside = _files_below(system, scheme, match)
            files += inside.files
            skipped += inside.skipped
        elif not path.name.startswith("."):
            files.append((path.name, path))
    return RemoteFiles(files, skipped)


def _files_below(system: Any, scheme: str, folder: str) -> RemoteFiles:
    """Return the files below a folder, sorted by their parts as local ones are, without hidden ones."""
    found = _ask(_address(scheme, folder), lambda: system.find(folder))
    names = sorted((PurePosixPath(path).relative_to(folder.rstrip("/")).parts, path) for path in found)
    outputs = {parts[:-1] for parts, path in names if parts[-1] == RUN_FILE and _is_output(system, _parent(path))}
    if () in outputs:
        articles = [(parts[0], path) for parts, path in names if len(parts) == 1 and parts[0].startswith("articles")]
        return RemoteFiles([(name, RemotePath(_address(scheme, path), system, path)) for name, path in articles], [])
    outputs |= {parts[:-1] for parts, path in names if parts[-1] == MANIFEST and _is_index(system, _parent(path))}
    files = []
    for parts, path in names:
        inside_output = any(parts[: len(output)] == output for output in outputs)
        if not inside_output and not any(part.startswith(".") for part in parts) and not path.endswith("/"):
            files.append(("/".join(parts), RemotePath(_address(scheme, path), system, path)))
    skipped = [_address(scheme, "/".join((folder.rstrip("/"), *output))) for output in sorted(outputs)]
    return RemoteFiles(files, skipped)


def _is_output(system: Any, folder: str) -> bool:
    try:
        return is_run_file(system.cat_file(f"{folder.rstrip('/')}/{RUN_FILE}"))
    except Exception:  # noqa: BLE001 - each file system has its own errors for what is not there
        return False


def _is_index(system: Any, folder: str) -> bool:
    try:
        return is_manifest(system.cat_file(f"{folder.rstrip('/')}/{MANIFEST}"))
    except Exception:  # noqa: BLE001 - each file system has its own errors for what is not there
        return False


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _address(scheme: str, location: str) -> str:
    return location if "://" in location else f"{scheme}://{location.lstrip('/') if scheme != 'file' else location}"


def _name_of(address: str) -> str:
    """Return the last part of the path of an address, without what follows a question mark on the web."""
    scheme, _, rest = address.partition("://")
    path = unquote(urlsplit(address).path) if scheme in _WEB else rest
    return PurePosixPath(path).name or urlsplit(address).netloc


def _file_system(address: str) -> tuple[Any, str]:
    """Return the file system of an address and the location in it. Raises `InputError`."""
    try:
        import fsspec  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(f"{address}: fsspec is not installed, which addresses need; {_INSTALL_REMOTE}") from None
    try:
        system, location = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise InputError(f"{address}: {_first_line(error)}; {_INSTALL_REMOTE}") from None
    except ValueError as error:
        raise InputError(f"{address}: {_first_line(error)}; check the address") from None
    return system, location


def _ask(address: str, question: Callable[[], ResultT]) -> ResultT:
    """Return what a file system answers. Raises `InputError` for whatever goes wrong in it."""
    try:
        return question()
    except FileNotFoundError:
        raise InputError(f"{address}: no such file or folder; check the address and its credentials") from None
    except NotImplementedError:
        raise InputError(f"{address}: its file system cannot list files; give the address of each file") from None
    except Exception as error:
        raise InputError(
            f"{address}: cannot be reached ({_first_line(error)}); check it and its credentials"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
