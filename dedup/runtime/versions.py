"""The versions that decide a result: of this package, its source, and the libraries that it computes with."""

from __future__ import annotations

import hashlib
import platform
import unicodedata
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dedup import __version__

_SOURCE_DIGITS = 16  # of the digest of the source


def library_versions() -> dict[str, str]:
    """Return the versions that ``run.json`` names."""
    return {
        "python": platform.python_version(),
        "dedup": __version__,
        "ftfy": version("ftfy"),
        "datasketch": version("datasketch"),
        "unicode": unicodedata.unidata_version,
    }


@cache
def program_version() -> str:
    """Return a text that differs wherever another program may prepare articles differently.

    The number of a version is not enough: in a checkout, the source changes between two versions. Sizes and times of
    the source files tell that in a few milliseconds; a copy with other times counts as another program, too.
    """
    names = ", ".join(f"{name} {number}" for name, number in library_versions().items())
    return f"{names}, source {_digest_of_source(Path(__file__).parents[1])}"


def _digest_of_source(package: Path) -> str:
    """Return a digest of the names, sizes and times of the source files in the folder `package`."""
    digest = hashlib.sha256()
    for path in sorted(path for path in package.rglob("*") if path.suffix in {".py", ".toml"}):
        status = path.stat()
        digest.update(f"{path.relative_to(package).as_posix()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:_SOURCE_DIGITS]
