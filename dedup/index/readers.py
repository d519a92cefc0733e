"""Read an index while another process may write it.

A writer replaces the manifest, and then deletes the segments that only the earlier one has named. A reader opens all
files at once, and an open file can be read after it was deleted.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dedup.index.manifest import read_manifest
from dedup.index.manifest_files import Manifest
from dedup.index.segments import SegmentReader

_MOST_TRIES = 10  # of which each but the last fails only if a writer has replaced the manifest meanwhile


class OpenIndex(NamedTuple):
    """A manifest, and the readers of its segments, in the order of their articles."""

    manifest: Manifest
    readers: list[SegmentReader]


def open_index(folder: Path) -> OpenIndex:
    """Return an index as it was at one moment, with all files that are there open.

    A file that is missing is noticed when it is read. Raises `IndexFolderError` if the folder is no index.
    """
    manifest = read_manifest(folder)
    for _ in range(_MOST_TRIES):
        readers = [SegmentReader(folder, segment) for segment in manifest.segments]
        for reader in readers:
            reader.hold()
        earlier, manifest = manifest, read_manifest(folder)
        if manifest == earlier:  # so none of the files was replaced or deleted before it was open
            break
    return OpenIndex(earlier, readers)
