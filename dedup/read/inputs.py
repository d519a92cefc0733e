"""Find and name the input files that paths, folders, globs and addresses refer to."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dedup.errors import InputError
from dedup.read.databases import choose_table
from dedup.read.folders import FolderFiles, is_same_path, kind_of_given, list_folder, list_matches, text_of_path
from dedup.read.formats import ARCHIVES, DATABASES, KINDS_HINT, STDIN, format_of_name, suffix_of, unknown_kind
from dedup.read.hosts import hosts_of_files
from dedup.read.json_errors import BadRecordError
from dedup.read.remote import RemotePath, find_remote, is_address
from dedup.read.sniffing import sniff_signature

InputPath = Path | RemotePath

_INPUT_HELP = "give files, folders, globs, or - for standard input"


class InputFile(NamedTuple):
    """One input file: its name in the output, its path, its format, and its table if it is a database.

    A `kind` of None is decided by the first bytes. With `forced`, the settings name the kind, whatever the bytes say.
    `host` is that of articles that name none themselves (`dedup.read.hosts.hosts_of_files`).
    """

    name: str
    path: InputPath
    kind: str | None
    table: str | None = None
    forced: bool = False
    host: str | None = None


class InputFiles(NamedTuple):
    """The input files in input order, and the names of skipped files and folders."""

    sources: list[InputFile]
    skipped: list[str]


class _Reached(NamedTuple):
    """A file that an input led to.

    `parts` is its path relative to that input, `parents` are the folders above them.
    """

    path: InputPath
    kind: str | None
    parts: tuple[str, ...]
    parents: tuple[str, ...]
    table: str | None = None

    @property
    def key(self) -> str:
        """The key that two inputs that lead to the same file share."""
        is_local = isinstance(self.path, Path) and str(self.path) != STDIN
        return f"{self.path.resolve() if is_local else self.path}#{self.table or ''}"  # type: ignore[union-attr]


def find_inputs(
    inputs: Sequence[str | Path], *, input_format: str | None = None, ignore: Path | None = None
) -> InputFiles:
    """Return the files that `inputs` refer to: files, folders (recursively, sorted), globs, addresses, or ``-``.

    A folder that is an output of this package stands for its articles; one inside a folder or matched by a glob is
    skipped, and so is `ignore`, the output to be written. `input_format` is the format of all files but archives.
    Names are paths relative to the given input. Where two inputs would give the same name, each name gets as many of
    the input's parent folders as are needed to make it unique. A file reached twice counts once. Raises `InputError`.
    """
    if not inputs or not all(str(given).strip() if isinstance(given, str) else str(given) for given in inputs):
        raise InputError(f"{'an empty name among the inputs' if inputs else 'no input'}; {_INPUT_HELP}")
    reached: list[_Reached] = []
    skipped: list[str] = []
    for given in inputs:
        reached += _reach(given, input_format, ignore, skipped)
    if not reached:
        raise InputError(
            f"{', '.join(map(str, inputs))}: no articles in what this matches{_examples(skipped)}; {KINDS_HINT}"
        )
    reached = [file._replace(table=_checked_table(file)) for file in reached]
    unique = list({file.key: file for file in reached}.values())
    names = _unique_names(unique)
    sources = [
        InputFile(name, file.path, file.kind, file.table, input_format is not None, host)
        for name, file, host in zip(names, unique, hosts_of_files(names), strict=True)
    ]
    return InputFiles(sources, list(dict.fromkeys(skipped)))


def _reach(given: str | Path, input_format: str | None, ignore: Path | None, skipped: list[str]) -> Iterator[_Reached]:
    """Yield the files that one input refers to; append to `skipped` what is left out."""
    name = str(given)
    if isinstance(given, str) and is_address(name):
        yield from _reach_remote(name, input_format, skipped)
        return
    path, table = _split_table(name)
    if name == STDIN:
        yield _Reached(path, input_format, (STDIN,), ())
    elif not path.exists():
        yield from _reach_matches(name, input_format, ignore, skipped)
    elif ignore and is_same_path(path, ignore):
        raise InputError(f"{name}: is the output itself; leave it out, or choose another folder for `out`")
    elif path.is_dir():
        listing = list_folder(path, input_format, ignore)
        skipped += map(str, listing.skipped)
        if not listing.files:
            raise InputError(_nothing_in(name, listing))
        yield from (_reached_below(path, *file) for file in listing.files)
    else:
        kind = kind_of_given(path, input_format)
        if table and kind not in DATABASES:
            raise InputError(f"{name}: {path.name} is no database; leave out #{table}")
        yield _reached_file(path, kind, table)


def _reach_matches(name: str, input_format: str | None, ignore: Path | None, skipped: list[str]) -> Iterator[_Reached]:
    """Yield the files that a glob matches. Raises `InputError` if it is no glob or matches nothing."""
    matched = False
    for path, listing in list_matches(name, input_format, ignore) if glob.has_magic(name) else ():
        matched = True
        skipped += map(str, listing.skipped)
        for file, kind in listing.files:
            yield _reached_file(file, kind) if file == path else _reached_below(path, file, kind)
    if not matched:
        problem = "matches nothing" if glob.has_magic(name) else "no such file or folder"
        raise InputError(f"{name}: {problem}; check the path (the current folder is {Path.cwd()})")


def _reach_remote(address: str, input_format: str | None, skipped: list[str]) -> Iterator[_Reached]:
    """Yield the files that an address refers to."""
    base, _, table = address.rpartition("#")
    is_table = bool(base) and format_of_name(base) in DATABASES
    found = find_remote(base if is_table else address)
    skipped += found.skipped
    by_name = len(found.files) == 1 and found.files[0][1].address == (base if is_table else address)
    for inside, path in found.files:
        named = format_of_name(path.name)
        kind = named if named in ARCHIVES or not input_format else input_format
        if kind is None and (suffix_of(path.name) or not by_name):
            if by_name and path.address.partition("://")[0] not in {"http", "https"}:
                raise InputError(unknown_kind(path, path.name))
            if not by_name:
                skipped.append(path.address)
                continue
        below = PurePosixPath(inside).parts
        above = PurePosixPath(path.address.partition("://")[2]).parts[: -len(below)]
        yield _Reached(path, kind, _with_table(below, table if is_table else None), above, table if is_table else None)


def _split_table(name: str) -> tuple[Path, str | None]:
    """Return the path and the table in an input like ``news.db#articles``; no table if a file has this very name."""
    base, separator, table = name.rpartition("#")
    if separator and table and not Path(name).exists() and Path(base).is_file():
        return Path(base), table
    return Path(name), None


def _reached_file(path: Path, kind: str | None, table: str | None = None) -> _Reached:
    """Return a file that was given by name or matched by a glob."""
    parents = path.absolute().parent.resolve().parts[1:]
    return _Reached(
        path, kind, _with_table((text_of_path(path.name),), table), tuple(map(text_of_path, parents)), table
    )


def _reached_below(folder: Path, path: Path, kind: str | None) -> _Reached:
    """Return a file that is below a folder."""
    below, above = path.relative_to(folder).parts, folder.resolve().parts[1:]
    return _Reached(path, kind, tuple(map(text_of_path, below)), tuple(map(text_of_path, above)))


def _with_table(parts: tuple[str, ...], table: str | None) -> tuple[str, ...]:
    return (*parts[:-1], f"{parts[-1]}#{table}") if table else parts


def _checked_table(file: _Reached) -> str | None:
    """Return the table of a file, chosen if it is a database on this machine. Raises `InputError` without a choice."""
    if file.kind not in DATABASES or not isinstance(file.path, Path) or not file.path.is_file():
        return file.table
    with file.path.open("rb") as database:
        kind = sniff_signature(database.read(64))
    if kind not in DATABASES or kind is None:  # compressed, or damaged
        return file.table
    where = f"{file.path}#{file.table}" if file.table else str(file.path)
    try:
        return choose_table(file.path, kind, file.table, where)
    except BadRecordError:  # its reader will say so
        return file.table


def _nothing_in(name: str, listing: FolderFiles) -> str:
    """Return the error about a folder without input files."""
    bare = any(not suffix_of(path.name) and path.is_file() for path in listing.skipped)
    hint = ", or say `input_format='txt'` if these are texts" if bare else ""
    return f"{name}: no articles in this folder{_examples(list(map(str, listing.skipped)))}; {KINDS_HINT}{hint}"


def _examples(skipped: Sequence[str]) -> str:
    return f" (skipped {len(skipped)} such as {PurePosixPath(skipped[0]).name})" if skipped else ""


def _unique_names(files: Sequence[_Reached]) -> list[str]:
    """Return the shortest unique name of each file that ends in its relative path."""
    depths = [0] * len(files)
    most = max(len(file.parents) for file in files)
    while True:
        names = [_name_with_parents(file, depth) for file, depth in zip(files, depths, strict=True)]
        clashing = {name for name, count in Counter(names).items() if count > 1}
        if not clashing or max(depths) > most:
            return _number_equal_names(names)
        depths = [depth + (name in clashing) for name, depth in zip(names, depths, strict=True)]


def _number_equal_names(names: Sequence[str]) -> list[str]:
    """Return `names`, with ``~2`` appended to the second of equal ones, and so on: their folders have equal names."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return numbered


def _name_with_parents(file: _Reached, depth: int) -> str:
    """Return the relative path of a file with `depth` parent folders before it."""
    return "/".join((*file.parents[len(file.parents) - min(depth, len(file.parents)) :], *file.parts))
