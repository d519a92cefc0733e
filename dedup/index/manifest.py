"""The manifest of an index: the list of its segments, its settings, and how it takes effect together with an output.

An index is a folder with `MANIFEST`, and a folder for each segment. Segments never change, and the manifest is replaced
as a whole. A run writes its segment first, then `PENDING`: the manifest as it will be, with the path of the output and
the hash of its run file. Then the output takes its place, in one step, and that decides: whoever finds `PENDING` reads
it if the output is there, and the earlier manifest if it is not. So index and output are both the old ones or both
the new ones, wherever a run was killed. Last, the manifest is replaced, and `PENDING` deleted.

One writer holds a lock. Readers take none: they open all files of one manifest at once (`dedup.index.readers`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from dedup.errors import IndexFolderError
from dedup.index.manifest_files import Manifest, Pending, read_manifest_file, read_pending_file, write_index_file
from dedup.index.segments import segment_name
from dedup.index_layout import LOCK, MANIFEST, PENDING, SEGMENT_NAME, is_index
from dedup.output_layout import RUN_FILE
from dedup.runtime.paths import path_below, path_from
from dedup.runtime.shared_files import name_owner, owner_of, try_lock
from dedup.settings import ARTICLE_SHINGLE, NUM_PERM, PARAGRAPH_SHINGLE, SEED, Settings

ONLINE_DATABASE = "articles.sqlite"  # is in the folder of an online index, which has another store

# What decides which texts match, and how their hashes are computed: an index of other values has other postings.
_SCHEME = {
    "signature": "affine32",
    "num_perm": NUM_PERM,
    "seed": SEED,
    "article_shingle": ARTICLE_SHINGLE,
    "paragraph_shingle": PARAGRAPH_SHINGLE,
}
_COMPARED = ("threshold", "same_story_threshold", "paragraph_threshold")


def empty_manifest(settings: Settings) -> Manifest:
    """Return the manifest of an index without articles."""
    return Manifest(0, _compared_settings(settings), _SCHEME, (), {})


def _compared_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that an index remembers: those that decide what matches."""
    return {**{name: getattr(settings, name) for name in _COMPARED}, "rules": dict(settings.rules)}


def check_settings(manifest: Manifest, settings: Settings, folder: Path) -> None:
    """Raise `IndexFolderError` if an index was made with other settings or another scheme of hashes."""
    ours = index_scheme(settings)
    known = dict.fromkeys(_SCHEME) | manifest.scheme | manifest.settings
    for name, value in _flat(known).items():
        wanted = ours.get(name)
        if value != wanted:
            named = " ".join(f"{name} {value}".split())
            raise IndexFolderError(f"{folder}: this index was made with {named}, not {wanted}; use that, or another")


def index_scheme(settings: Settings) -> dict[str, Any]:
    """Return the hash scheme of an index and the settings that decide what matches, by name."""
    return _flat(_SCHEME | _compared_settings(settings))


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with those of each rule by the name of the rule."""
    rules = {f"the rule {name}": action for name, action in values["rules"].items()}
    return {name: value for name, value in values.items() if name != "rules"} | rules


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the index in `folder`, as the last complete run has left it.

    Raises `IndexFolderError` if the folder is no index.
    """
    pending = read_pending_file(folder)
    if pending is not None and _has_taken_effect(folder, pending):
        return pending.manifest
    manifest = read_manifest_file(folder)
    if manifest is None:
        raise _no_index(folder)
    return manifest


def _no_index(folder: Path) -> IndexFolderError:
    if (folder / ONLINE_DATABASE).is_file():
        return IndexFolderError(
            f"{folder}: is an online index, of dedup serve and dedup.Index; name one that a run has written as `index`"
        )
    return IndexFolderError(f"{folder}: is no index of dedup; give the folder that a run has written as `index`")


def _has_taken_effect(folder: Path, pending: Pending) -> bool:
    """Return True if the output of an interrupted run is in its place: then its index counts."""
    return hash_of_run(path_below(folder, pending.out)) == pending.run_sha256


def hash_of_run(out: Path) -> str | None:
    """Return the SHA-256 of the run file of an output; None if there is none."""
    try:
        return sha256((out / RUN_FILE).read_bytes()).hexdigest()
    except (OSError, ValueError):  # a path that no file system has
        return None


class ManifestWriter:
    """The one writer of an index, which holds its lock."""

    def __init__(self, folder: Path, settings: Settings | None) -> None:
        self.folder = folder
        self._settle()
        is_new = not (folder / MANIFEST).exists()
        if is_new and settings is None:
            raise _no_index(folder)
        self.manifest = empty_manifest(settings) if is_new and settings else read_manifest(folder)
        if settings is not None:
            check_settings(self.manifest, settings, folder)

    def _settle(self) -> None:
        """Finish or undo what a killed run has left, and delete the segments that no manifest names."""
        pending = read_pending_file(self.folder)
        if pending is not None:
            if _has_taken_effect(self.folder, pending):
                self._write(MANIFEST, pending.manifest.to_json())
            (self.folder / PENDING).unlink()
        manifest = read_manifest_file(self.folder)
        named = {segment.name for segment in manifest.segments} if manifest else set()
        for entry in self.folder.iterdir():
            if entry.is_dir() and SEGMENT_NAME.fullmatch(entry.name) and entry.name not in named:
                shutil.rmtree(entry)

    def new_folder(self, part: str = "") -> Path:
        """Return the path of the folder of the next segment."""
        return self.folder / f"{segment_name(self.manifest.runs + 1)}{part}"

    def stage(self, manifest: Manifest, out: Path, run_file: Path) -> None:
        """Write the manifest as it will be once `out`, with the run file at `run_file`, is in its place."""
        where = path_from(self.folder, os.path.realpath(out))
        digest = sha256(run_file.read_bytes()).hexdigest()
        self._write(PENDING, {"out": where, "run_sha256": digest, "manifest": manifest.to_json()})
        self.staged = manifest

    def commit(self) -> None:
        """Let the staged manifest take effect: its output is in its place."""
        self._write(MANIFEST, self.staged.to_json())
        (self.folder / PENDING).unlink()
        self.manifest = self.staged

    def replace(self, manifest: Manifest) -> None:
        """Let another manifest take effect, without an output."""
        self._write(MANIFEST, manifest.to_json())
        self.manifest = manifest

    def _write(self, name: str, contents: dict[str, Any]) -> None:
        write_index_file(self.folder / name, contents)


@contextmanager
def open_writer(folder: Path, settings: Settings | None) -> Iterator[ManifestWriter]:
    """Yield the writer of the index in `folder`, which is created if there are `settings` for it.

    Raises `IndexFolderError` if another process writes the index, if `folder` is something else, or if the index was
    made with other settings.
    """
    if folder.exists() and not folder.is_dir():
        raise IndexFolderError(f"{folder}: is a file; name a folder for `index`")
    if folder.is_dir() and any(folder.iterdir()) and not (is_index(folder) or (folder / MANIFEST).exists()):
        if (folder / ONLINE_DATABASE).is_file():
            raise _no_index(folder)
        raise IndexFolderError(f"{folder}: exists and is no index of dedup, so it is left alone; name another folder")
    if settings is None and not folder.is_dir():
        raise _no_index(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise IndexFolderError(f"{folder}: {error.strerror or error}; name a folder you can write to") from None
    try:
        if not try_lock(descriptor):
            owner = owner_of(descriptor)
            raise IndexFolderError(f"{folder}: is being written by {owner}; wait for that run, or use another index")
        name_owner(descriptor)
        yield ManifestWriter(folder, settings)
    finally:
        os.close(descriptor)
