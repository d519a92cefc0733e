"""Settings: everything that decides the result, validated once and then read by every stage.

Engine, processes and memory are not settings: they never change a byte of output, so they are not part of the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from dedup import rules as registry
from dedup.errors import SettingsError

NUM_PERM = 128  # permutations of a signature; datasketch's default
SEED = 1  # of the permutations; datasketch's default
ARTICLE_SHINGLE = 5  # words of a shingle of an article
PARAGRAPH_SHINGLE = 3  # words of a shingle of a paragraph

KEEP = ("longest", "first", "earliest", "latest")
FORMATS = ("jsonl", "parquet")
COMPRESSIONS = ("none", "gz", "zst")
ON_ERROR = ("quarantine", "fail")

_CHOICES = {  # in the order in which errors are reported
    "keep": KEEP,
    "profile": tuple(registry.PROFILES),
    "format": FORMATS,
    "compress": COMPRESSIONS,
    "on_error": ON_ERROR,
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides what a run writes.

    `threshold` and `paragraph_threshold` are Jaccard similarities in (0, 1]. `rules` maps rule names to actions and
    overrides the `profile`; after construction it holds the action of every rule, in registry order. A field name of
    None is guessed, record by record. Raises `SettingsError` for the first invalid value.

    >>> Settings(rules={"boilerplate": "flag"}).rules["boilerplate"]
    'flag'
    """

    keep: str = "longest"
    threshold: float = 0.8
    paragraph_threshold: float = 0.8
    profile: str = "default"
    rules: Mapping[str, str] = field(default_factory=dict)
    text_field: str | None = None
    id_field: str | None = None
    date_field: str | None = None
    source_field: str | None = None
    format: str = "jsonl"
    compress: str = "none"
    on_error: str = "quarantine"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            check_choice(name, getattr(self, name), allowed)
        for name in ("threshold", "paragraph_threshold"):
            object.__setattr__(self, name, _similarity(name, getattr(self, name)))
        for name in ("text_field", "id_field", "date_field", "source_field"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value):
                raise SettingsError(f"{name}: {value!r} is not a field name")
        if self.text_field == "provenance":
            raise SettingsError("text_field: 'provenance' is where this program writes; rename that field first")
        object.__setattr__(self, "rules", _actions(self.profile, self.rules))

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, in declaration order, as ``run.json`` holds them."""
        return asdict(self)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON of `as_dict`, in hexadecimal."""
        return settings_digest(self.as_dict())


def settings_digest(values: Mapping[str, Any]) -> str:
    """Return the digest of settings as ``run.json`` holds them, also of another version that has other settings."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def check_choice(what: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise `SettingsError` if `value` is not in `allowed`, with a close match or the choices.

    `what` names the setting in the message.
    """
    if value in allowed:
        return
    near = get_close_matches(str(value), allowed, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; choose from {', '.join(allowed)}"
    raise SettingsError(f"{what}: {value!r} is not known{hint}")


def _similarity(name: str, value: object) -> float:
    """Return `value`, the setting `name`, as a float. Raise `SettingsError` if it is not in (0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise SettingsError(f"{name}: {value!r} is not a similarity; give a number above 0 and up to 1")
    return float(value)


def _actions(profile: str, overrides: object) -> dict[str, str]:
    """Return the action of every rule. Raise `SettingsError` for an unknown rule, or an action that it cannot have."""
    if not isinstance(overrides, Mapping):
        raise SettingsError("rules: give a table of rule names and actions")
    for name, action in overrides.items():
        check_choice("rule", name, registry.NAMES)
        check_choice(f"rule {name}", action, registry.BY_NAME[name].actions)
    return registry.resolve_actions(profile, dict(overrides))
