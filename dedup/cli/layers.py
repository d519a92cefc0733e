"""Combine settings and engine options from the configuration file, the environment and the command line.

Later layers win, option by option and rule by rule; all override the profile, whichever layer names it. What can be
set is the list of options in `dedup.cli.options`: the name of an option in a file is the option without its dashes, and
in the environment that name in upper case after ``DEDUP_``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import click

from dedup import rules as registry
from dedup.cli.config_file import ConfigFile, find_config, load_config
from dedup.cli.values import Share
from dedup.errors import SettingsError
from dedup.settings import Settings
from dedup.suggestions import suggest

DEFAULT = "default"
PREFIX = "DEDUP_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"  # names a file as --config does
# Variables that are no settings: how processes start, how long Spark waits, and what the tests of this project read.
OTHER_VARIABLES = {CONFIG_VARIABLE, "DEDUP_START", "DEDUP_SPARK_WAIT", "DEDUP_DATA", "DEDUP_CLUSTER", "DEDUP_CACHE"}
_SETTING_NAMES = frozenset(field.name for field in fields(Settings))


class Origin(NamedTuple):
    """The origin of a value: its place as ``dedup config`` shows it, and its text as an error shows it."""

    place: str
    text: str = ""
    is_option: bool = False


class Resolved(NamedTuple):
    """Settings and engine options, and the origin of each value.

    `values` has the value of each option by the name of its parameter, None where it was not given. The keys of
    `origins` are names in files, and ``rules.NAME`` for each rule; `names` gives the name in files of each parameter.
    """

    settings: Settings
    values: dict[str, Any]
    origins: dict[str, Origin]
    names: dict[str, str]

    def origin(self, parameter: str) -> Origin:
        """Return the origin of the parameter called `parameter`."""
        return self.origins[self.names[parameter]]


class _Layer(NamedTuple):
    """The values of one layer by name in files, ``rules`` as a dict, and the origin of each."""

    values: dict[str, Any]
    origins: dict[str, Origin]


def is_setting(name: str) -> bool:
    """Return True if `name` is a field of `Settings`, which decides the result, and not an option of an engine."""
    return name in _SETTING_NAMES


def name_in_files(option: click.Option) -> str:
    """Return the name of `option` in files: that of its setting, or the option without its dashes.

    >>> name_in_files(click.Option(["--text-field"])), name_in_files(click.Option(["--rule", "rules"]))
    ('text_field', 'rules')
    """
    if option.name in _SETTING_NAMES:
        return str(option.name)
    return max(option.opts, key=len).removeprefix("--").replace("-", "_")


def resolve(
    options: Sequence[click.Option],
    given: Mapping[str, Any],
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Resolved:
    """Return the values of `options` from all layers; `given` are those of the command line, by parameter.

    `file` takes the place of the file that is found from the working folder upwards. Raises `SettingsError`.
    """
    environment = os.environ if environment is None else environment
    file = file or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    config = load_config(file) if file else _found_config()
    by_name = {name_in_files(option): option for option in options}
    layers = [_file_layer(config, by_name)] if config else []
    layers += [_environment_layer(environment, by_name), _option_layer(given, by_name)]
    merged: dict[str, Any] = {"rules": {}}
    origins: dict[str, Origin] = {}
    for values, places in layers:
        merged |= {**values, "rules": {**merged["rules"], **values.get("rules", {})}}
        origins |= places
    try:
        settings = Settings(**{name: value for name, value in merged.items() if name in _SETTING_NAMES})
    except SettingsError as error:
        raise OriginError(str(error), origins) from None
    profile = registry.PROFILES[settings.profile]
    for name in by_name:
        origins.setdefault(name, Origin(DEFAULT))
    for rule in registry.NAMES:
        origins.setdefault(f"rules.{rule}", Origin(f"profile {settings.profile}" if rule in profile else DEFAULT))
    values = {str(option.name): merged.get(name) for name, option in by_name.items()}
    return Resolved(settings, values, origins, {str(option.name): name for name, option in by_name.items()})


class OriginError(SettingsError):
    """A setting that makes no sense, and the origins of all values, so that the message can name the one it means."""

    def __init__(self, message: str, origins: Mapping[str, Origin]) -> None:
        super().__init__(message)
        self.origins = origins


def misspelt_variables(options: Sequence[click.Option], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each variable of `environment` that looks like a misspelt setting, and the one that it means."""
    known = [name_in_files(option) for option in options]
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and variable not in OTHER_VARIABLES and name not in known:
            near = suggest(name, known)
            if near:
                yield variable, f"{PREFIX}{near.upper()}"


def _found_config() -> ConfigFile | None:
    try:
        folder = Path.cwd()
    except FileNotFoundError:  # the working folder was deleted
        return None
    return find_config(folder)


def _file_layer(config: ConfigFile, by_name: Mapping[str, click.Option]) -> _Layer:
    """Return the layer of a configuration file. Raises `SettingsError` for a key that is no setting."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for key, value in config.values.items():
        if key not in by_name:
            raise SettingsError(f"{config.place(key)}: {key!r} is not a setting; {_key_hint(key, config, by_name)}")
        origins[key] = Origin(config.place(key), f"{config.place(key)}: {key} = {toml_value(value)}")
        if key == "rules":
            if not isinstance(value, dict):
                raise SettingsError(f"{origins[key].text}: not a table; write it as [{_rules_table(config)}]")
            for rule, action in value.items():
                place = config.place(f"rules.{rule}")
                origins[f"rules.{rule}"] = Origin(place, f"{place}: {rule} = {toml_value(action)}")
        is_plain = key in _SETTING_NAMES and not (isinstance(value, str) and isinstance(by_name[key].type, Share))
        values[key] = value if is_plain else _converted(value, by_name[key], origins[key].text)
    return _Layer(values, origins)


def _key_hint(key: str, config: ConfigFile, by_name: Mapping[str, click.Option]) -> str:
    """Return what to do about a key of a file that is no setting."""
    near = suggest(key, [*by_name, *registry.NAMES])
    if near is None:
        return f"choose from {', '.join(by_name)}"
    return f"did you mean {near!r}{f' in the table [{_rules_table(config)}]' if near in registry.NAMES else ''}?"


def _rules_table(config: ConfigFile) -> str:
    return f"{config.table}.rules".lstrip(".")


def _environment_layer(environment: Mapping[str, str], by_name: Mapping[str, click.Option]) -> _Layer:
    """Return the layer of the environment; an empty variable counts as none. Raises `SettingsError`."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, option in by_name.items():
        variable = f"{PREFIX}{name.upper()}"
        text = environment.get(variable)
        if not text:
            continue
        origins[name] = Origin(variable, f"{variable}={text}")
        if option.multiple:
            parts = [part for part in text.split(",") if part.strip()]
            values[name] = tuple(_converted(part.strip(), option, origins[name].text) for part in parts)
        else:
            values[name] = _converted(text, option, origins[name].text)
        if name == "rules":
            values[name] = dict(values[name])
            for rule, action in values[name].items():
                origins[f"rules.{rule}"] = Origin(variable, f"{variable} {rule}={action}")
    return _Layer(values, origins)


def _option_layer(given: Mapping[str, Any], by_name: Mapping[str, click.Option]) -> _Layer:
    """Return the layer of the command line: the options that were given."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, option in by_name.items():
        value = given.get(str(option.name))
        if value is None or value is False or value == ():
            continue
        values[name] = dict(value) if name == "rules" else value
        origins[name] = Origin(max(option.opts, key=len), is_option=True)
        if name == "rules":
            origins |= {f"rules.{rule}": origins[name] for rule in values[name]}
    return _Layer(values, origins)


def _converted(value: object, option: click.Option, text: str) -> Any:
    """Return the value of an option as its type reads it; `text` names it in the error. Raises `SettingsError`."""
    if isinstance(value, bool) and not option.is_flag:
        raise SettingsError(f"{text}: not understood; give a value as the option --{option.opts[-1].lstrip('-')} takes")
    try:
        with click.Context(click.Command("config")) as ctx:
            converted = option.type.convert(value, option, ctx)
            return option.callback(ctx, option, converted) if option.callback else converted
    except (click.BadParameter, ValueError, TypeError, AttributeError) as error:
        reason = plain_words(error.message) if isinstance(error, click.BadParameter) else "not understood"
        raise SettingsError(f"{text}: {reason}") from None


def plain_words(message: str) -> str:
    """Return a message of Click in plainer words.

    >>> plain_words("'x' is not a valid float.")
    "'x' is not a number"
    """
    message = message.replace("is not a valid float", "is not a number")
    return message.replace("is not a valid integer", "is not a whole number").rstrip(".")


def toml_value(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):  # the only control character that JSON does not escape is U+007F
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    return repr(value)
