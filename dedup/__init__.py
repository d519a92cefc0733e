"""A linter and fixer for article corpora: every change is a finding, and every finding can be undone.

`docs/formats.md` describes the files of an output. The public names are those of the stub ``__init__.pyi``. Each is
imported when it is first used, so that ``import dedup`` and ``dedup --help`` load neither numpy nor Arrow.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def _read_public_names() -> dict[str, str]:
    """Return the module of each public name, read from the stub beside this file, which may be in a zip archive."""
    stub = __spec__.loader.get_data(f"{__path__[0]}/__init__.pyi").decode("utf-8")
    return {name: module for module, name in re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE)}


_MODULE_OF = _read_public_names()

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - the stub lists the names for tools that read and do not run


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
