"""Settings: everything that decides the result, validated once and then read by every stage.

Engine, processes and memory are not settings: they never change a byte of output, so they are not part of the digest.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from dedup import rules as registry
from dedup.errors import SettingsError
from dedup.suggestions import hint

NUM_PERM = 128  # permutations of a signature; datasketch's default
SEED = 1  # of the permutations; datasketch's default
ARTICLE_SHINGLE = 5  # words of a shingle of an article
PARAGRAPH_SHINGLE = 3  # words of a shingle of a paragraph

KEEP = ("longest", "first", "earliest", "latest")
FORMATS = ("jsonl", "parquet", "csv")
COMPRESSIONS = ("none", "gz", "zst")
ON_ERROR = ("quarantine", "fail")
INPUT_FORMAT_NAMES = ("txt", "html", "warc", "jsonl", "json", "csv", "tsv", "parquet", "arrow", "sqlite", "duckdb")

# Bytes of the largest record. A record in work takes up to 54 times its size, so this one takes 1.8 GB, whatever the
# memory is to be; the longest line of the corpora of docs/quality.md has 0.1 MB.
MAX_RECORD = 32 << 20

_FEWEST_OF_PASSAGE = 3  # words; fewer are in any two texts of one language

_SIZE_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

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

    `threshold` and `paragraph_threshold` are Jaccard similarities in (0, 1]. Articles of at least
    `same_story_threshold`, which is below `threshold`, are near-duplicates if they say the same; None: they are not.
    `rules` maps rule names to actions and
    overrides the `profile`; after construction it holds the action of every rule, in registry order. A field name of
    None is guessed, record by record; a name may be a path, as ``article.body``. `shard_size` is the size in bytes, or
    a text such as "100M", of the files into which each table is split. `output_fields` names the only fields, besides
    the text, that articles keep. A larger share of bad records than `max_bad` is an error. `day_first` reads
    ``01/02/2024`` as 1 February. `limit` reads only the first records, and `sample` chooses that many of them by
    chance, which `seed` decides. An article of fewer words than `min_words` is flagged as thin. One that has
    `passage_share` of the words of a known article, in runs of `passage_words`, has its passages. `input_format` is
    that of every input file but archives, `encoding` the charset of those in a text format; None means that names and
    first bytes decide. Records of text formats with more bytes than `max_record` go to quarantine. So does the rest of
    a file where it expands to more than `max_expansion` times its size, and a gigabyte. Raises `SettingsError` for the
    first invalid value.

    >>> Settings(rules={"boilerplate": "flag"}).rules["boilerplate"]
    'flag'
    """

    keep: str = "longest"
    threshold: float = 0.8
    same_story_threshold: float | None = None
    paragraph_threshold: float = 0.8
    profile: str = "default"
    rules: Mapping[str, str] = field(default_factory=dict)
    text_field: str | None = None
    id_field: str | None = None
    date_field: str | None = None
    source_field: str | None = None
    input_format: str | None = None
    encoding: str | None = None
    format: str = "jsonl"
    compress: str = "none"
    shard_size: int | None = None
    output_fields: Sequence[str] | None = None
    on_error: str = "quarantine"
    limit: int | None = None
    sample: int | None = None
    seed: int = 1
    max_bad: float = 0.5
    day_first: bool = False
    min_words: int = 5
    passage_words: int = 13
    passage_share: float = 0.5
    max_record: int = MAX_RECORD
    max_expansion: int = 1000

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            check_choice(name, getattr(self, name), allowed)
        for name, checked in _CHECKS.items():
            object.__setattr__(self, name, checked(name, getattr(self, name)))
        if self.same_story_threshold is not None and self.same_story_threshold >= self.threshold:
            problem = f"not below the threshold {self.threshold:g}; give a lower similarity"
            raise invalid("same_story_threshold", self.same_story_threshold, problem)
        object.__setattr__(self, "rules", _actions(self.profile, self.rules))

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, in declaration order, as ``run.json`` holds them."""
        return asdict(self)

    @property
    def least_article_similarity(self) -> float:
        """The least similarity of two articles of which one may be dropped as a near-duplicate."""
        compares_stories = self.same_story_threshold is not None and self.rules["near-duplicate-article"] == "drop"
        return self.same_story_threshold if self.same_story_threshold and compares_stories else self.threshold

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON of `as_dict`, in hexadecimal."""
        return settings_digest(self.as_dict())


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of `settings`, as ``run.json`` holds them, in hexadecimal."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def parse_size(text: str) -> int | None:
    """Return the bytes that a size such as ``512M``, ``2G`` or ``2GiB`` stands for, None if it is no size.

    >>> parse_size("1.5K")
    1536
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", text.strip().upper(), re.ASCII)
    return (int(float(match[1]) * _SIZE_UNITS[match[2]]) or None) if match else None


def settings_or_default(settings: object) -> Settings:
    """Return `settings`, the default ones for None. Raise `SettingsError` if they are anything else, such as a dict."""
    if settings is None:
        return Settings()
    if isinstance(settings, Settings):
        return settings
    hint = "dedup.Settings(**settings)" if isinstance(settings, Mapping) else 'dedup.Settings(keep="first")'
    raise SettingsError(f"settings: a {type(settings).__name__} is not a Settings; give one, such as {hint}")


def invalid(name: str, value: object, problem: str) -> SettingsError:
    """Return the error for a `value` that the parameter `name` cannot have; `problem` says why and what to do.

    >>> print(invalid("threshold", 7, "not a similarity; give a number above 0 and up to 1"))
    `threshold=7`: not a similarity; give a number above 0 and up to 1
    """
    return SettingsError(f"`{name}={value!r}`: {problem}".replace("\n", " "))


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise `SettingsError` if `value` of the parameter `name` is not in `allowed`, with what is meant or all choices.

    >>> check_choice("keep", "newest", KEEP)
    Traceback (most recent call last):
    dedup.errors.SettingsError: `keep='newest'`: not known; did you mean 'latest'?
    """
    if not isinstance(value, str) or value not in allowed:
        raise invalid(name, value, f"not known; {hint(str(value), allowed)}")


def _similarity(name: str, value: object) -> float:
    """Return `value`, the setting `name`, as a float. Raise `SettingsError` if it is not in (0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise invalid(name, value, "not a similarity; give a number above 0 and up to 1")
    return float(value)


def _optional_similarity(name: str, value: object) -> float | None:
    """Return `value`, the setting `name`, as a float or None. Raise `SettingsError` if it is not in (0, 1]."""
    return None if value is None else _similarity(name, value)


def _share(name: str, value: object) -> float:
    """Return `value`, the setting `name`, as a float. Raise `SettingsError` if it is not in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise invalid(name, value, "not a share of records; give a number from 0 to 1")
    return float(value)


def _field(name: str, value: object) -> str | None:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no name of a field."""
    if value is not None and not (isinstance(value, str) and value):
        raise invalid(name, value, "not a field name; give a text that is not empty")
    if name == "text_field" and (value or "").split(".")[0].split("[")[0] == "provenance":
        raise invalid(name, value, "this program writes there; rename that field first")
    return value


def _input_format(name: str, value: object) -> object:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no format of input files."""
    if value is not None:
        check_choice(name, value, INPUT_FORMAT_NAMES)
    return value


def _codec_name(name: str, value: object) -> str | None:
    """Return the name of the codec that `value` means. Raise `SettingsError` if there is none for text."""
    if value is None:
        return None
    try:
        codec = codecs.lookup(value if isinstance(value, str) else "")
        "".encode(codec.name)  # fails for codecs between other things than text and bytes
    except (LookupError, ValueError):
        raise invalid(name, value, "not a charset of Python; give one as utf-8, cp1252 or shift_jis") from None
    return codec.name


def _shard_size(name: str, value: object) -> int | None:
    """Return `value`, the setting `name`, in bytes. Raise `SettingsError` if it is no size."""
    return None if value is None else _byte_count(name, value)


def _byte_count(name: str, value: object) -> int:
    """Return `value`, the setting `name`, in bytes. Raise `SettingsError` if it is no size."""
    size = parse_size(value) if isinstance(value, str) else value
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    raise invalid(name, value, "not a size; give a number of bytes, or a text such as '100M'")


def _field_names(name: str, value: object) -> tuple[str, ...] | None:
    """Return `value`, the setting `name`, without repetitions. Raise `SettingsError` if it is no list of names."""
    if value is None:
        return None
    names: tuple[Any, ...] = ()
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        names = tuple(dict.fromkeys(value))
    if not names or not all(isinstance(entry, str) and entry for entry in names):
        raise invalid(name, value, "not a list of field names; name at least one")
    return names


def _record_count(name: str, value: object) -> int | None:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no number of records."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise invalid(name, value, "not a number of records; give 1 or more")
    return value


def _word_count(name: str, value: object) -> int:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no number of words."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid(name, value, "not a number of words; give 0 or more")
    return value


def _passage_words(name: str, value: object) -> int:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no number of words of a passage."""
    if isinstance(value, bool) or not isinstance(value, int) or value < _FEWEST_OF_PASSAGE:
        raise invalid(name, value, f"not the number of words of a passage; give {_FEWEST_OF_PASSAGE} or more")
    return value


def _factor(name: str, value: object) -> int:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise invalid(name, value, "not a factor; give 1 or more")
    return value


def _whole_number(name: str, value: object) -> int:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(name, value, "not a whole number; give one such as 1")
    return value


def _flag(name: str, value: object) -> bool:
    """Return `value`, the setting `name`. Raise `SettingsError` if it is neither true nor false."""
    if not isinstance(value, bool):
        raise invalid(name, value, "neither true nor false")
    return value


_CHECKS: dict[str, Callable[[str, object], object]] = {  # in the order in which errors are reported
    "threshold": _similarity,
    "same_story_threshold": _optional_similarity,
    "paragraph_threshold": _similarity,
    "text_field": _field,
    "id_field": _field,
    "date_field": _field,
    "source_field": _field,
    "input_format": _input_format,
    "encoding": _codec_name,
    "shard_size": _shard_size,
    "output_fields": _field_names,
    "limit": _record_count,
    "sample": _record_count,
    "seed": _whole_number,
    "max_bad": _share,
    "day_first": _flag,
    "min_words": _word_count,
    "passage_words": _passage_words,
    "passage_share": _similarity,
    "max_record": _byte_count,
    "max_expansion": _factor,
}


def _actions(profile: str, overrides: object) -> dict[str, str]:
    """Return the action of every rule. Raise `SettingsError` for an unknown rule, or an action that it cannot have."""
    if not isinstance(overrides, Mapping):
        raise invalid("rules", overrides, "not a table of rule names and actions; write one")
    for name, action in overrides.items():
        if name not in registry.NAMES:
            raise SettingsError(f"`rules[{name}]`: there is no such rule; {hint(str(name), registry.NAMES)}")
        check_choice(f"rules[{name}]", action, registry.BY_NAME[name].actions)
    return registry.resolve_actions(profile, dict(overrides))
