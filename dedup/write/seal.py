"""Digests that cover every byte of an output: of each table in ``run.json``, and of that file in itself.

A sealed file is indented JSON whose last member is ``sha256``: the SHA-256 of the bytes of the file with the digits of
that value all 0. So the file proves itself, and through it all files that it names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SEAL = "sha256"  # the last member of a sealed file

_UNSEALED = "0" * 64
_SEAL_AT_END = re.compile(rb'"sha256": "([0-9a-f]{64})"\n}\n\Z')


def file_digests(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of each file of `names` in `folder`, by name."""
    digests = {}
    for name in names:
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            digests[name] = {"bytes": file.tell(), "sha256": digest}
    return digests


def write_sealed(path: Path, values: Mapping[str, Any]) -> None:
    """Write `values` to `path` as a sealed file."""
    path.write_bytes(sealed_json(values))


def sealed_json(values: Mapping[str, Any], *, ascii_only: bool = False) -> bytes:
    """Return the content of a sealed file of `values`, with other characters as escapes if it is `ascii_only`."""
    data = (json.dumps({**values, SEAL: _UNSEALED}, indent=2, ensure_ascii=ascii_only) + "\n").encode()
    return _with_digits(data, hashlib.sha256(data).hexdigest().encode())


def seal_problem(data: bytes) -> str | None:
    """Return what is wrong with the seal of a file whose content is `data`; None if nothing is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run.json"
    ...     write_sealed(path, {"counts": {"kept": 1}})
    ...     content = path.read_bytes()
    >>> seal_problem(content), seal_problem(content.replace(b"1", b"2", 1))
    (None, 'was changed since it was written: another sha256')
    """
    match = _SEAL_AT_END.search(data)
    if match is None:
        return f"has no {SEAL} at its end, so nothing proves that it is unchanged"
    if hashlib.sha256(_with_digits(data, _UNSEALED.encode())).hexdigest().encode() != match[1]:
        return "was changed since it was written: another sha256"
    return None


def _with_digits(data: bytes, digits: bytes) -> bytes:
    """Return the bytes of a sealed file with these digits of its digest."""
    match = _SEAL_AT_END.search(data)
    assert match, "the seal is the last member"
    return data[: match.start(1)] + digits + data[match.end(1) :]
