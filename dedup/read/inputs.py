"""Find and name the input files that paths, folders and globs refer to."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dedup.errors import InputError
from dedup.output_layout import article_files, is_output

TEXT_FILE = "txt"
JSON_LINES = "jsonl"
STDIN = "-"

_FILE_KINDS = {".txt": TEXT_FILE, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}
_COMPRESSION_SUFFIXES = (".gz", ".zst")


class InputFile(NamedTuple):
    """One input file: its name in the output, its path, and its kind, `TEXT_FILE` or `JSON_LINES`."""

    name: str
    path: Path
    kind: str


class InputFiles(NamedTuple):
    """The input files in input order, and the names of files skipped because of their kind."""

    sources: list[InputFile]
    skipped: list[str]


def find_inputs(inputs: Sequence[str | Path], *, ignore: Path | None = None) -> InputFiles:
    """Return the files that `inputs` refer to: files, folders (recursively, sorted), globs, or ``-``.

    A folder that is an output of this package stands for its articles. `ignore`, the output to be written, is skipped
    in folders and globs. Names are paths relative to the given input. Where two inputs would give the same name, each
    name gets as many of the input's parent folders as are needed to make it unique. A file reached twice counts once.
    Raises `InputError`.
    """
    reached: list[tuple[Path, Path]] = []  # (given input, file)
    skipped: list[str] = []
    for given, by_glob in _expand_globs(inputs):
        files, others = _files_of_input(given, ignore, by_glob=by_glob)
        reached += [(given, path) for path in files]
        skipped += [str(path) for path in others]
    if not reached:
        raise InputError(f"{', '.join(map(str, inputs))}: no articles in what this matches; give .txt or .jsonl files")
    unique = {str(path if str(path) == STDIN else path.resolve()): (given, path) for given, path in reached}
    named = _name_files(list(unique.values()))
    return InputFiles([InputFile(name, path, file_kind(path.name) or JSON_LINES) for name, path in named], skipped)


def file_kind(name: str) -> str | None:
    """Return the kind of the file called `name`, `TEXT_FILE` or `JSON_LINES`; None if it is no input file.

    >>> file_kind("news.NDJSON.gz")
    'jsonl'
    """
    name = name.lower()
    for suffix in _COMPRESSION_SUFFIXES:
        name = name.removesuffix(suffix)
    return next((kind for suffix, kind in _FILE_KINDS.items() if name.endswith(suffix)), None)


def _expand_globs(inputs: Sequence[str | Path]) -> Iterator[tuple[Path, bool]]:
    """Yield each path that `inputs` refer to, and whether a glob matched it."""
    if not inputs or not all(map(str, inputs)):
        problem = "an empty name among the inputs" if inputs else "no input"
        raise InputError(f"{problem}; give files, folders, globs, or - for standard input")
    for given in inputs:
        if not isinstance(given, Path) and not given.strip():
            raise InputError("an empty name among the inputs; give files, folders, globs, or - for standard input")
        name = str(given)
        if name == STDIN or Path(name).exists():
            yield Path(name), False
            continue
        matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
        if not matches:
            problem = "matches nothing" if glob.has_magic(name) else "no such file or folder"
            raise InputError(f"{name}: {problem}; check the path (the current folder is {Path.cwd()})")
        yield from ((Path(match), True) for match in matches)


def _files_of_input(given: Path, ignore: Path | None, *, by_glob: bool) -> tuple[list[Path], list[Path]]:
    """Return the input files of one path, and the files skipped because of their kind.

    Raises `InputError` if a path that no glob matched has none.
    """
    if str(given) == STDIN and not by_glob:
        return [given], []
    if ignore and given.resolve() == ignore.resolve():
        if by_glob:
            return [], []
        raise InputError(f"{given}: is the output itself; leave it out, or choose another folder for `out`")
    if given.is_dir():
        files, others = _list_folder(given, ignore)
        if not files and not by_glob:
            examples = f" (skipped {len(others)} such as {others[0].name})" if others else ""
            raise InputError(f"{given}: no articles in this folder{examples}; give .txt or .jsonl files")
        return files, others
    if given.exists() and file_kind(given.name):
        return [given], []
    if by_glob:
        return [], [given]
    kinds = ", ".join(_FILE_KINDS)
    raise InputError(f"{given}: unknown kind of file; give {kinds}, plain or with .gz or .zst, or pipe to -")


def _list_folder(folder: Path, ignore: Path | None) -> tuple[list[Path], list[Path]]:
    """Return the input files below `folder` in sorted order, and the files skipped; hidden files are ignored.

    A link to a folder is skipped, since a link to a parent folder would never end.
    """
    if is_output(folder):
        return _split_by_kind(article_files(folder))
    files: list[Path] = []
    skipped: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or (ignore and entry.resolve() == ignore.resolve()):
            continue
        is_folder = entry.is_dir() and not entry.is_symlink()
        inside = _list_folder(entry, ignore) if is_folder else _split_by_kind([entry])
        files += inside[0]
        skipped += inside[1]
    return files, skipped


def _split_by_kind(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the input files among `paths`, and the others."""
    files: list[Path] = []
    others: list[Path] = []
    for path in paths:
        (files if path.is_file() and file_kind(path.name) else others).append(path)
    return files, others


def _name_files(files: Sequence[tuple[Path, Path]]) -> list[tuple[str, Path]]:
    """Return each file, given as (input, path), with the shortest unique name that ends in its relative path."""
    depths = [0] * len(files)
    while True:
        names = [_name_with_parents(given, path, depth) for (given, path), depth in zip(files, depths, strict=True)]
        clashing = {name for name, count in Counter(names).items() if count > 1}
        if not clashing or max(depths) > max(len(path.resolve().parts) for _, path in files):
            return [(name, path) for name, (_, path) in zip(_number_equal_names(names), files, strict=True)]
        depths = [depth + (name in clashing) for name, depth in zip(names, depths, strict=True)]


def _number_equal_names(names: Sequence[str]) -> list[str]:
    """Return `names`, with ``~2`` appended to the second of equal ones, and so on: their folders have equal names."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return numbered


def _name_with_parents(given: Path, path: Path, depth: int) -> str:
    """Return `path` relative to the given input, with `depth` parent folders before it."""
    if str(given) == STDIN:
        return STDIN
    inside = path.relative_to(given).parts if given != path else (given.name,)
    parents = given.resolve().parts[1:] if given != path else given.resolve().parent.parts[1:]
    name = "/".join((*parents[len(parents) - min(depth, len(parents)) :], *inside))
    return os.fsencode(name).decode("utf-8", "backslashreplace")  # file names can be any bytes, names here are text
