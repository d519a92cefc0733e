"""Decide which files of this machine are input: by name, by their first bytes, and by the folder they are in."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dedup.errors import InputError
from dedup.index_layout import is_index
from dedup.output_layout import article_files, is_output
from dedup.read.compression import decompressed
from dedup.read.formats import ARCHIVES, DATABASES, TEXT_FILE, ZIP, format_of_name, suffix_of, unknown_kind
from dedup.read.sniffing import SNIFFED_BYTES, sniff_format
from dedup.read.streams import ByteStream
from dedup.read.transcoding import boms_removed


class FolderFiles(NamedTuple):
    """Input files, each with its format, and what was skipped: files of other kinds, and outputs and indexes.

    A format of None is known only when the file is read.
    """

    files: list[tuple[Path, str | None]]
    skipped: list[Path]


def list_folder(folder: Path, input_format: str | None, ignore: Path | None) -> FolderFiles:
    """Return the input files below `folder` in sorted order; hidden files are ignored.

    If `folder` is an output of this package, they are the files of its articles. An output or index below it is
    skipped, and so are `ignore` and links to folders, since a link to a parent folder would never end. Raises
    `InputError` if `folder` is an index.
    """
    if is_index(folder):
        raise InputError(f"{folder}: is an index of earlier runs, no input; give their outputs")
    listing = FolderFiles([], [])
    if is_output(folder):
        for path in article_files(folder):
            if not path.exists():
                raise InputError(f"{path}: this file of the output is missing; clean again, or give the others by name")
            _sort_file(path, None, listing)
        return listing
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or (ignore and is_same_path(entry, ignore)):
            continue
        if not entry.is_dir() or entry.is_symlink():
            _sort_file(entry, input_format, listing)
        elif _is_written_here(entry):
            listing.skipped.append(entry)
        else:
            inside = list_folder(entry, input_format, ignore)
            listing.files.extend(inside.files)
            listing.skipped.extend(inside.skipped)
    return listing


def list_matches(pattern: str, input_format: str | None, ignore: Path | None) -> Iterator[tuple[Path, FolderFiles]]:
    """Yield each path that a glob matches, in sorted order, with the input files that it stands for.

    Outputs and indexes below the folders that the pattern spells out are skipped, with everything in them.
    """
    root = _plain_folder(pattern)
    is_left_out = cache(_is_written_here)
    outputs: set[Path] = set()
    for path in map(Path, sorted(glob.glob(pattern, recursive=True))):
        output = _output_above(path, root, is_left_out)
        if output:
            yield path, FolderFiles([], [] if output in outputs else [output])
            outputs.add(output)
        elif ignore and is_same_path(path, ignore):
            yield path, FolderFiles([], [])
        elif path.is_dir():
            yield path, list_folder(path, input_format, ignore)
        else:
            listing = FolderFiles([], [])
            _sort_file(path, input_format, listing)
            yield path, listing


def _is_written_here(folder: Path) -> bool:
    """Return True if a folder is an output or an index of this package, neither of which is input."""
    return is_output(folder) or is_index(folder)


def _plain_folder(pattern: str) -> Path:
    """Return the folder that a glob spells out before its first part with a wildcard."""
    parts = Path(pattern).parts
    plain = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:plain])


def _output_above(path: Path, root: Path, is_left_out: Callable[[Path], bool]) -> Path | None:
    """Return the outermost output or index of this package that `path` is or is in, below the folder `root`."""
    between = [folder for folder in (path, *path.parents) if folder != root and folder.is_relative_to(root)]
    return next((folder for folder in reversed(between) if is_left_out(folder)), None)


def _sort_file(path: Path, input_format: str | None, listing: FolderFiles) -> None:
    """Append a file that a folder or a glob led to, to the input files or to the skipped ones of `listing`."""
    kind = _kind_in_folder(path, input_format) if path.is_file() else None
    if kind is None:
        listing.skipped.append(path)
    else:
        listing.files.append((path, kind))


def _kind_in_folder(path: Path, input_format: str | None) -> str | None:
    """Return the format of a regular file in a folder; None if it is no input file."""
    named = format_of_name(path.name)
    if named in ARCHIVES or input_format:
        return named if named in ARCHIVES else input_format
    if named in DATABASES:  # other programs call their files .db, too
        sniffed = sniff_format(_first_bytes(path))
        return sniffed if sniffed in DATABASES else None
    return named if named or suffix_of(path.name) else sniff_format(_first_bytes(path))


def kind_of_given(path: Path, input_format: str | None) -> str | None:
    """Return the format of a file that was given by name; None if only reading it can tell, as for a pipe.

    Raises `InputError` if it cannot be an input file.
    """
    named = format_of_name(path.name)
    if named in ARCHIVES or input_format:
        return named if named in ARCHIVES else input_format
    if named or not path.is_file():
        return named
    head = _first_bytes(path)
    sniffed = sniff_format(head)
    if sniffed and not (sniffed == ZIP and suffix_of(path.name)):  # office documents and programs are zip archives
        return sniffed
    if not suffix_of(path.name) and b"\0" not in boms_removed(head):
        return TEXT_FILE
    raise InputError(unknown_kind(path, path.name))


def _first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file, decompressed; none if it cannot be read, which reading will report."""
    try:
        with path.open("rb", buffering=0) as file:
            return decompressed(ByteStream(lambda size: file.read(size) or b"")).peek(SNIFFED_BYTES)
    except OSError:
        return b""


def is_same_path(path: Path, other: Path) -> bool:
    """Return True if two paths lead to the same place; a link to itself leads nowhere."""
    return os.path.realpath(path) == os.path.realpath(other)


def is_pipe(path: Path) -> bool:
    """Return True if `path` can be read once only, such as a named pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def text_of_path(name: str) -> str:
    """Return the name of a file as text: names can be any bytes on disk."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
