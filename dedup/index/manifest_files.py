"""The files `MANIFEST` and `PENDING` of an index: sealed when they are written, and checked when they are read.

What can be read is used to find, replace and delete other files. So both are exactly what this package writes, with the
digest of themselves, or they are refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from dedup.errors import IndexFolderError, SettingsError
from dedup.index.segments import Segment
from dedup.index_layout import ARTICLES_FILE, LINES_FILE, MANIFEST, PENDING, POSTINGS_FILE, SEGMENT_NAME
from dedup.runtime.shared_files import sync
from dedup.settings import Settings
from dedup.write.seal import SEAL, seal_problem, sealed_json

INDEX_FORMAT = 1  # raised when an older reader could not read an index

_NEXT_STEPS = {
    MANIFEST: "restore it from a copy, or build the index again",
    PENDING: "restore it from a copy, or delete it and repeat the run that was interrupted",
}
_Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
_Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Manifest(NamedTuple):
    """The contents of the manifest: how many runs have written, under which settings, and what is there.

    `outputs` has the SHA-256 of the run file of each run whose articles are in the index, by the number of the run.
    """

    runs: int
    settings: dict[str, Any]
    scheme: dict[str, Any]
    segments: tuple[Segment, ...]
    outputs: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        segments = [segment._asdict() for segment in self.segments]
        return {"dedup_index": INDEX_FORMAT, **self._asdict(), "segments": segments}


class Pending(NamedTuple):
    """Record that a run writes before its output takes its place: the manifest as it will be then.

    `out` is the path to the output from the index, `run_sha256` the SHA-256 of its run file.
    """

    out: str
    run_sha256: str
    manifest: Manifest


class _File(msgspec.Struct, forbid_unknown_fields=True):
    bytes: _Count
    sha256: _Digest
    footer: _Digest


class _Files(msgspec.Struct, forbid_unknown_fields=True):
    articles: _File = msgspec.field(name=ARTICLES_FILE)
    postings: _File = msgspec.field(name=POSTINGS_FILE)
    lines: _File = msgspec.field(name=LINES_FILE)


class _Segment(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=rf"\A{SEGMENT_NAME.pattern}\Z")]
    run: Annotated[int, msgspec.Meta(ge=1)]
    articles: _Count
    text_bytes: _Count
    postings: _Count
    files: _Files


class _Settings(msgspec.Struct, forbid_unknown_fields=True):
    threshold: float
    same_story_threshold: float | None
    paragraph_threshold: float
    rules: dict[str, str]


class _Contents(msgspec.Struct, forbid_unknown_fields=True):
    dedup_index: int
    runs: _Count
    settings: _Settings
    scheme: dict[str, Any]
    segments: list[_Segment]
    outputs: dict[Annotated[str, msgspec.Meta(pattern=r"\A[0-9]+\Z")], _Digest]


class _Pending(msgspec.Struct, forbid_unknown_fields=True):
    out: Annotated[str, msgspec.Meta(pattern=r"\A[^\0]+\Z")]
    run_sha256: _Digest
    manifest: dict[str, Any]


def read_manifest_file(folder: Path) -> Manifest | None:
    """Return the contents of `MANIFEST` of an index; None if it is not there. Raises `IndexFolderError`."""
    path = folder / MANIFEST
    contents = _read_sealed(path)
    return None if contents is None else _parse_manifest(contents, path)


def read_pending_file(folder: Path) -> Pending | None:
    """Return the contents of `PENDING` of an index; None if it is not there. Raises `IndexFolderError`."""
    path = folder / PENDING
    contents = _read_sealed(path)
    if contents is None:
        return None
    try:
        pending = msgspec.convert(contents, _Pending)
    except msgspec.ValidationError as error:
        raise _damaged(path, f"is not what dedup writes: {error}") from None
    return Pending(pending.out, pending.run_sha256, _parse_manifest(pending.manifest, path))


def write_index_file(path: Path, contents: dict[str, Any]) -> None:
    """Replace `MANIFEST` or `PENDING` by a file with these contents, on the disk."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(sealed_json(contents, ascii_only=True))  # ASCII holds names of files that are no UTF-8, too
    sync(partial)
    partial.replace(path)
    sync(path.parent)


def _parse_manifest(contents: dict[str, Any], path: Path) -> Manifest:
    """Return the manifest that `path` holds. Raises `IndexFolderError` if it is not one."""
    if contents.get("dedup_index") != INDEX_FORMAT:
        version = json.dumps(contents.get("dedup_index"))
        raise IndexFolderError(
            f"{path.parent}: written in format {version}, this is {INDEX_FORMAT}; use the version that wrote it"
        )
    try:
        parsed = msgspec.convert(contents, _Contents)
        Settings(**contents["settings"])
    except (msgspec.ValidationError, SettingsError) as error:
        raise _damaged(path, f"is not what dedup writes: {error}") from None
    if len({segment.name for segment in parsed.segments}) < len(parsed.segments):
        raise _damaged(path, "names a segment twice")
    if any(segment.run > parsed.runs for segment in parsed.segments):
        raise _damaged(path, "names a segment of a run that has not been")
    segments = tuple(Segment(**entry) for entry in contents["segments"])
    return Manifest(parsed.runs, contents["settings"], contents["scheme"], segments, contents["outputs"])


def _read_sealed(path: Path) -> dict[str, Any] | None:
    """Return the contents of a sealed file without its seal; None if it is not there. Raises `IndexFolderError`."""
    try:
        data = path.read_bytes()
        contents = json.loads(data)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _damaged(path, f"cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"is no JSON ({error})") from None
    if not isinstance(contents, dict):
        raise _damaged(path, "is not what dedup writes: no JSON object")
    problem = seal_problem(data)
    if problem:
        raise _damaged(path, problem)
    return {name: value for name, value in contents.items() if name != SEAL}


def _damaged(path: Path, problem: str) -> IndexFolderError:
    """Return the error for a file that is not as this package has written it."""
    return IndexFolderError(f"{path}: {' '.join(problem.split())}; {_NEXT_STEPS[path.name]}")
