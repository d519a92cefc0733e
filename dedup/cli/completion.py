"""The command ``completion``: the script that completes commands, options and values in a shell, and its installation.

Click makes the scripts and the answers; the shell calls ``dedup`` with a variable set and reads the answer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from dedup.cli.examples import examples
from dedup.cli.options import VERBOSE
from dedup.cli.terminal import write_stdout
from dedup.cli.values import OneOf
from dedup.settings import check_choice

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete

SHELLS = ("bash", "zsh", "fish")
ASK_VARIABLE = "_DEDUP_COMPLETE"  # set by the script when the shell asks for completions

_FIRST_LINE, _LAST_LINE = "# >>> dedup completion >>>", "# <<< dedup completion <<<"
_BASH_COMPLETION = (Path("/usr/share/bash-completion/bash_completion"), Path("/etc/bash_completion"))


class _Place(NamedTuple):
    """The place where a shell reads a script, and the lines that its start-up file needs so that it does."""

    script: Path
    startup: Path | None = None
    lines: str = ""


@click.command(short_help="Print or install the completion of a shell.", epilog=examples("completion"))
@click.argument("shell", type=OneOf(*SHELLS), metavar="bash|zsh|fish")
@click.option("--install", is_flag=True, help="Write the script where the shell reads it.")
@VERBOSE
@click.pass_context
def completion(ctx: click.Context, shell: str, install: bool) -> None:
    """Print the script that completes commands, options and their values with the Tab key."""
    check_choice("shell", shell, SHELLS)
    script = _completion_class(shell)(ctx.find_root().command, {}, "dedup", ASK_VARIABLE).source()
    if not install:
        write_stdout(f"{script}\n")
        return
    for line in install_script(shell, f"{script}\n", os.environ, Path.home()):
        click.echo(line, err=True)


def install_script(shell: str, script: str, environment: os._Environ[str] | dict[str, str], home: Path) -> list[str]:
    """Write `script` where `shell` reads it, once; return lines that say what was done."""
    place = _place_of(shell, environment, home)
    lines = []
    if _write_if_new(place.script, script):
        lines.append(f"wrote {place.script}")
    if place.startup is not None:
        block = f"{_FIRST_LINE}\n{place.lines}\n{_LAST_LINE}\n"
        before = place.startup.read_text("utf-8") if place.startup.exists() else ""
        others = re.sub(rf"{_FIRST_LINE}\n.*?{_LAST_LINE}\n", "", before, flags=re.DOTALL)
        separator = "" if not others or others.endswith("\n") else "\n"
        if block not in before and _write_if_new(place.startup, f"{others}{separator}{block}"):
            lines.append(f"added lines to {place.startup}")
    return [*lines, "open a new shell to use it"] if lines else [f"{place.script} is up to date"]


def _place_of(shell: str, environment: os._Environ[str] | dict[str, str], home: Path) -> _Place:
    """Return where `shell` reads completions."""
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    if shell == "fish":
        config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return _Place(config / "fish" / "completions" / "dedup.fish")
    if shell == "zsh":
        script = data / "zsh" / "site-functions" / "_dedup"
        lines = f"fpath=({_shell_quoted(script.parent)} $fpath)\nautoload -Uz compinit && compinit"
        return _Place(script, Path(environment.get("ZDOTDIR") or home) / ".zshrc", lines)
    folder = environment.get("BASH_COMPLETION_USER_DIR") or data / "bash-completion"
    script = Path(folder) / "completions" / "dedup"
    if any(path.exists() for path in _BASH_COMPLETION):
        return _Place(script)  # the package bash-completion reads it when it is needed
    return _Place(script, home / ".bashrc", f"source {_shell_quoted(script)}")


def _shell_quoted(path: Path) -> str:
    import shlex  # noqa: PLC0415

    return shlex.quote(str(path))


def _write_if_new(path: Path, text: str) -> bool:
    """Write `text` to `path` unless it is there already; return True if it was written."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return True


def answer_shell() -> None:
    """Tell Click how to answer, if this process was started by a shell that asks for completions."""
    if ASK_VARIABLE in os.environ:
        from click.shell_completion import add_completion_class  # noqa: PLC0415 - slow, and rarely used

        for shell in SHELLS:
            add_completion_class(_completion_class(shell), shell)


def _completion_class(shell: str) -> type[ShellComplete]:
    """Return the class that answers `shell`."""
    from dedup.cli import shells  # noqa: PLC0415 - loads a slow module of Click, and is rarely used

    return shells.CLASSES[shell]
