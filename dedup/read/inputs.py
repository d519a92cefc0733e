"""Find the input files that paths, folders and globs name."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dedup.errors import InputError
from dedup.output_layout import is_output

TEXT_FILE = "txt"
JSON_LINES = "jsonl"
STDIN = "-"

_KINDS = {".txt": TEXT_FILE, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}
_COMPRESSED = (".gz", ".zst")


class InputFile(NamedTuple):
    """One input file: its name in the output, where it is, and how it is read."""

    name: str
    path: Path
    kind: str


class InputFiles(NamedTuple):
    """The input files in input order, and the names of files passed over because of their kind."""

    sources: list[InputFile]
    skipped: list[str]


def find_inputs(inputs: Sequence[str | Path], *, ignore: Path | None = None) -> InputFiles:
    """The files that `inputs` mean: files, folders (recursively, sorted), globs, or ``-``.

    A folder that is an output of ours means its articles. `ignore`, the output to be written, is passed over in folders
    and globs. Names are paths relative to the given input; where two inputs would give one name, they carry as many of
    the input's own folders as tell them apart. A file reached twice counts once. Raises `InputError`.
    """
    found: list[tuple[Path, Path]] = []  # (given input, file)
    skipped: list[str] = []
    for given, by_glob in _expand(inputs):
        if str(given) == STDIN and not by_glob:
            found.append((given, given))
        elif ignore and given.resolve() == ignore.resolve():
            if not by_glob:
                raise InputError(f"{given}: is the output itself; leave it out, or write elsewhere with -o")
        elif given.is_dir():
            inside, others = _walk(given, ignore)
            if not inside and not by_glob:
                seen = f" (passed over {len(others)} such as {others[0].name})" if others else ""
                raise InputError(f"{given}: no articles in this folder{seen}; give .txt or .jsonl files")
            found += [(given, path) for path in inside]
            skipped += [str(path) for path in others]
        elif given.exists() and _kind(given):
            found.append((given, given))
        elif by_glob:
            skipped.append(str(given))
        else:
            kinds = ", ".join(_KINDS)
            raise InputError(f"{given}: unknown kind of file; give {kinds}, plain or with .gz or .zst, or pipe to -")
    if not found:
        raise InputError(f"{', '.join(map(str, inputs))}: no articles in what this matches; give .txt or .jsonl files")
    unique = list(
        {str(path if str(path) == STDIN else path.resolve()): (given, path) for given, path in found}.values()
    )
    return InputFiles([InputFile(name, path, _kind(path) or JSON_LINES) for name, path in _named(unique)], skipped)


def _expand(inputs: Sequence[str | Path]) -> Iterator[tuple[Path, bool]]:
    """Each path that `inputs` name, and whether a glob matched it."""
    if not inputs or not all(map(str, inputs)):
        what = "an empty name among the inputs" if inputs else "no input"
        raise InputError(f"{what}; give files, folders, globs, or - for standard input")
    for given in inputs:
        if not isinstance(given, Path) and not given.strip():
            raise InputError("an empty name among the inputs; give files, folders, globs, or - for standard input")
        name = str(given)
        if name == STDIN or Path(name).exists():
            yield Path(name), False
            continue
        matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
        if not matches:
            what = "matches nothing" if glob.has_magic(name) else "no such file or folder"
            raise InputError(f"{name}: {what}; check the path (the current folder is {Path.cwd()})")
        yield from ((Path(match), True) for match in matches)


def _walk(folder: Path, ignore: Path | None) -> tuple[list[Path], list[Path]]:
    """The readable files below `folder` in sorted order, and what was passed over; hidden files are not looked at.

    A link to a folder is passed over, for one to a folder above would never end.
    """
    if is_output(folder):
        articles = [path for path in sorted(folder.iterdir()) if path.name.startswith("articles.")]
        return [path for path in articles if _kind(path)], [path for path in articles if not _kind(path)]
    inside: list[Path] = []
    others: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or (ignore and entry.resolve() == ignore.resolve()):
            continue
        if entry.is_dir() and not entry.is_symlink():
            deeper = _walk(entry, ignore)
            inside += deeper[0]
            others += deeper[1]
        else:
            (inside if entry.is_file() and _kind(entry) else others).append(entry)
    return inside, others


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return next((kind for ending, kind in _KINDS.items() if name.endswith(ending)), None)


def _named(files: Sequence[tuple[Path, Path]]) -> list[tuple[str, Path]]:
    """Each file with the shortest name, ending in its relative path, that no other file has."""
    depths = [0] * len(files)
    while True:
        names = [_name(given, path, depth) for (given, path), depth in zip(files, depths, strict=True)]
        clashing = {name for name, count in Counter(names).items() if count > 1}
        if not clashing or max(depths) > max(len(path.resolve().parts) for _, path in files):
            return [(name, path) for name, (_, path) in zip(_numbered(names), files, strict=True)]
        depths = [depth + (name in clashing) for name, depth in zip(names, depths, strict=True)]


def _numbered(names: Sequence[str]) -> list[str]:
    """`names`, the second of equal ones with ``~2`` behind it, and so on: only where no folder tells them apart."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return told


def _name(given: Path, path: Path, depth: int) -> str:
    """The path relative to the given input, with `depth` more folders in front."""
    if str(given) == STDIN:
        return STDIN
    inside = path.relative_to(given).parts if given != path else (given.name,)
    above = given.resolve().parts[1:] if given != path else given.resolve().parent.parts[1:]
    name = "/".join((*above[len(above) - min(depth, len(above)) :], *inside))
    return os.fsencode(name).decode("utf-8", "backslashreplace")  # file names can be any bytes, names here are text
