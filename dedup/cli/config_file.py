"""Settings from a configuration file and the command line, with the origin of each.

A configuration file is TOML: the fields of `Settings` as keys, and a table ``rules``. The command line overrides the
file, key by key and rule by rule. Both override the profile, whichever of them names it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from dedup import rules as registry
from dedup.errors import SettingsError
from dedup.read.fields import DATE_FIELDS, ID_FIELDS, SOURCE_FIELDS, TEXT_FIELDS
from dedup.settings import Settings

COMMAND_LINE = "command line"
DEFAULT = "default"

_GUESSED_NAMES = {
    "text_field": TEXT_FIELDS,
    "id_field": ID_FIELDS,
    "date_field": DATE_FIELDS,
    "source_field": SOURCE_FIELDS,
}


class Resolved(NamedTuple):
    """Settings, and the origin of each: keys are field names, and ``rules.NAME`` for each rule."""

    settings: Settings
    origins: dict[str, str]


def resolve_settings(given: Mapping[str, Any], file: Path | None = None) -> Resolved:
    """Return the settings of the command line and `file` combined; `given` are those of the command line, by field.

    Raises `SettingsError`.

    >>> resolve_settings({"threshold": 0.9}).origins["threshold"]
    'command line'
    """
    loaded = load_config(file) if file else {}
    merged: dict[str, Any] = {**loaded, **given, "rules": {**loaded.get("rules", {}), **given.get("rules", {})}}
    settings = Settings(**merged)

    def origin(name: str, in_options: Mapping[str, Any], in_file: Mapping[str, Any], otherwise: str) -> str:
        return COMMAND_LINE if name in in_options else str(file) if name in in_file else otherwise

    origins = {field.name: origin(field.name, given, loaded, DEFAULT) for field in fields(Settings)}
    del origins["rules"]
    profile = registry.PROFILES[settings.profile]
    for name in registry.NAMES:
        otherwise = f"profile {settings.profile}" if name in profile else DEFAULT
        origins[f"rules.{name}"] = origin(name, given.get("rules", {}), loaded.get("rules", {}), otherwise)
    return Resolved(settings, origins)


def load_config(file: Path) -> dict[str, Any]:
    """Return the keys and values of a configuration file.

    Raises `SettingsError` that names the file, the key and a close match.
    """
    try:
        loaded = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror or error}; give the path of a TOML file") from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise SettingsError(f"{file}: not TOML ({error})") from None
    known = [field.name for field in fields(Settings)]
    for key in loaded:
        if key not in known:
            near = get_close_matches(key, [*known, *registry.NAMES], n=1)
            hint = f"choose from {', '.join(known)}"
            if near:
                hint = f"did you mean {near[0]!r}{' in the table [rules]' if near[0] in registry.NAMES else ''}?"
            raise SettingsError(f"{file}: {key!r} is not a setting; {hint}")
    try:
        Settings(**loaded)
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from None
    return loaded


def as_toml(resolved: Resolved) -> str:
    """Return a configuration file of the settings, each with its origin as a comment.

    >>> print(as_toml(resolve_settings({"threshold": 0.9})).splitlines()[1])
    threshold = 0.9  # command line
    """
    settings, origins = resolved
    lines = []
    for name, value in settings.as_dict().items():
        if name == "rules":
            continue
        if value is None and name not in _GUESSED_NAMES:
            lines.append(f"# {name}: not set  # {origins[name]}")
        elif value is None:
            lines.append(f"# {name}: guessed from {', '.join(_GUESSED_NAMES[name])}  # {origins[name]}")
        else:
            lines.append(f"{name} = {_toml_value(value)}  # {origins[name]}")
    lines += ["", "[rules]"]
    lines += [
        f"{name} = {_toml_value(action)}  # {origins[f'rules.{name}']}" for name, action in settings.rules.items()
    ]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    """Return a text or a number as TOML."""
    if not isinstance(value, str):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # the only control character that JSON does not escape
