"""Classes of Click that answer each shell's completion, corrected where words contain ``=``."""

from __future__ import annotations

from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

_Items = list["CompletionItem[str]"]  # older versions of Click know no CompletionItem[str] when this runs


class _BashAnswers(BashComplete):
    """Completion of bash, which takes ``=`` for the end of a word, and ``NAME=ACTION`` for three words."""

    _cut = 0  # characters of the word that bash has put into earlier words

    @staticmethod
    def _check_version() -> None:
        """Print the script even where this machine has no bash."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that word, with parts around ``=`` joined."""
        args, incomplete = super().get_completion_args()
        joined = _join_equals([*args, incomplete])
        self._cut = len(joined[-1]) - len(incomplete.removeprefix("="))
        return joined[:-1], joined[-1]

    def get_completions(self, args: list[str], incomplete: str) -> _Items:
        """Return what bash puts in place of its last word: the part behind ``=``."""
        start = incomplete[: self._cut]
        if start.startswith("-"):
            start = start.partition("=")[2]
        items = super().get_completions(args, incomplete)
        return [CompletionItem(str(item.value).removeprefix(start), item.type, item.help) for item in items]


class _WholeWords(ShellComplete):
    """Completion of a shell that replaces the whole word, and so wants ``--keep=longest`` for ``--keep=l``."""

    def get_completions(self, args: list[str], incomplete: str) -> _Items:
        """Return the words that can take the place of `incomplete`."""
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if not equals or not option.startswith("-"):
            return items
        return [CompletionItem(f"{option}={item.value}", item.type, item.help) for item in items]


class _ZshAnswers(_WholeWords, ZshComplete):
    """Completion of zsh."""


class _FishAnswers(_WholeWords, FishComplete):
    """Completion of fish; its script keeps a help text that has a comma."""

    source_template = FishComplete.source_template.replace('split "," $completion', 'split --max 1 "," $completion')


CLASSES: dict[str, type[ShellComplete]] = {"bash": _BashAnswers, "zsh": _ZshAnswers, "fish": _FishAnswers}


def _join_equals(words: list[str]) -> list[str]:
    """Return `words` with those before and after an ``=`` joined to it.

    >>> _join_equals(["--rule", "encoding", "=", "fl"]), _join_equals(["--keep", "="])
    (['--rule', 'encoding=fl'], ['--keep='])
    """
    joined: list[str] = []
    glue = False
    for word in words:
        if joined and (glue or word == "="):
            joined[-1] += word
        else:
            joined.append(word)
        glue = word == "="
    return joined
