"""Find and read the configuration file: ``dedup.toml``, or the table ``[tool.dedup]`` of ``pyproject.toml``.

The search goes from the working folder upwards and ends at the first file found, at the root of a git repository, at
the home folder, or where the file system ends. Those folders are searched, too.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dedup.errors import SettingsError

OWN_FILE = "dedup.toml"
PROJECT_FILE = "pyproject.toml"
_PROJECT_TABLE = "tool.dedup"


class ConfigFile(NamedTuple):
    """The contents of a configuration file.

    `name` is its path as messages show it, `table` the name of its table of settings (empty for the whole file), and
    `lines` the number of the line of each key, as ``threshold`` or ``rules.boilerplate``.
    """

    name: str
    table: str
    values: dict[str, Any]
    lines: dict[str, int]

    def place(self, key: str) -> str:
        """Return where `key` is set: the file, and the line if it is known."""
        line = self.lines.get(key)
        return f"{self.name}:{line}" if line else self.name


def find_config(start: Path) -> ConfigFile | None:
    """Return the nearest configuration file at or above the folder `start`. Raises `SettingsError` as `load_config`.

    In one folder ``dedup.toml`` wins over ``pyproject.toml``. A ``pyproject.toml`` without our table is passed over.
    """
    for folder in _searched_folders(start):
        for name in (OWN_FILE, PROJECT_FILE):
            path = folder / name
            if path.is_file() and (name == OWN_FILE or _mentions_table(path)):
                config = load_config(path, os.path.relpath(path, start))
                if name == OWN_FILE or config.values:
                    return config
    return None


def load_config(path: Path, name: str | None = None) -> ConfigFile:
    """Return the contents of a configuration file; `name` is its name in messages.

    Raises `SettingsError` if it cannot be read, or is not TOML.
    """
    name = name or str(path)
    try:
        text = path.read_text("utf-8-sig")
        values = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{name}: {error.strerror or error}; give the path of a TOML file") from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise SettingsError(f"{name}: not TOML ({error})") from None
    table = ""
    if path.name == PROJECT_FILE:
        table, tool = _PROJECT_TABLE, values.get("tool", {})
        values = tool.get("dedup", {}) if isinstance(tool, dict) else {}
        if not isinstance(values, dict):
            raise SettingsError(f"{name}: {table} is not a table; write [{table}] and the settings below it")
    return ConfigFile(name, table, values, _lines_of_keys(text, table))


def _searched_folders(start: Path) -> Iterator[Path]:
    """Yield `start` and its parents up to the git root, the home folder or the end of the file system."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises an error where there is none
    device = start.stat().st_dev
    for folder in (start, *start.parents):
        if folder.stat().st_dev != device:
            return
        yield folder
        if (folder / ".git").exists() or folder == home:
            return


def _mentions_table(path: Path) -> bool:
    """Return True if a ``pyproject.toml`` may hold our table, so that an error in others' tables is none of ours."""
    try:
        return re.search(b"dedup", path.read_bytes()) is not None and b"tool" in path.read_bytes()
    except OSError:
        return False


def _lines_of_keys(text: str, table: str) -> dict[str, int]:
    r"""Return the line number of each key of `table` and of its table ``rules``; keys written unusually are left out.

    >>> _lines_of_keys('keep = "first"\n[rules]\nencoding = "off"', "")
    {'keep': 1, 'rules.encoding': 3}
    """
    lines: dict[str, int] = {}
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            current = header[1].replace('"', "").replace(" ", "")
        elif key := re.match(r"""\s*([\w.'"-]+)\s*=""", line):
            full = f"{current}.{key[1]}".replace('"', "").replace("'", "").lstrip(".")
            if full.startswith(table):
                lines.setdefault(full.removeprefix(table).lstrip("."), number)
    return lines
