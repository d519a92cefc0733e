"""What happened to one article, and why, for a person: its findings, twins beside them, or a unified diff.

Texts come from the web. Control characters in them are made visible and never sent to a terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.errors import InputError
from dedup.findings import DROP, FIX, FLAG, Finding

if TYPE_CHECKING:  # reading an output is for those who have one
    from dedup.inspect.output import Article, Key, Output
from dedup.inspect.visible import WIDE, visible

EXCERPT = 60  # characters of a text in the line of a finding
CONTEXT_LINES = 30  # characters shown on either side of a short change
LONG = 600  # characters; of a longer span only both ends are shown
NAMES_COMPARED = 20_000  # ids looked at for close matches: enough for a slip of the finger, quick on any corpus

REMOVED = "red strike"
ADDED = "green"
_INDENT = (0, 0, 0, 2)
_ACTIONS = {FIX: "green", DROP: "red", FLAG: "yellow"}


def explain(stored: Output, name: str, console: Console) -> None:
    """Prints everything that happened to the article whose id or ``source#record`` is `name`, and why.

    Ids may repeat: then all articles of that id are shown. Raises `InputError` with close matches where there is
    none, `FindingError` where the output was changed since.
    """
    articles = _found(stored, name)
    twins = {finding_twin for article in articles for finding_twin in map(_twin_key, article.findings) if finding_twin}
    others = stored.pick(twins)
    for number, article in enumerate(articles):
        if number:
            console.print()
        console.print(_headline(article, others))
        raw = article.raw
        for finding in article.findings:
            console.print()
            console.print(_summary(finding))
            _body(finding, raw, others, console)


def diff(stored: Output, name: str | None = None) -> Iterator[str]:
    """Lines of a unified diff from raw to cleaned texts: of one article, or of all that changed.

    Lines carry no line end. Raises as `explain` does.
    """
    articles = stored.articles() if name is None else iter(_found(stored, name))
    for article in articles:
        raw, cleaned = article.raw, article.cleaned
        if raw == cleaned and article.kept:
            continue
        path = visible(article.id)
        new = f"b/{path}" if article.kept else "/dev/null"
        lines = difflib.unified_diff(_with_ends(raw), _with_ends(cleaned), f"a/{path}", new)
        for line in lines:
            yield line.removesuffix("\n")
            if not line.endswith("\n"):
                yield "\\ No newline at end of file"


def colour(line: str) -> Text:
    """A line of a diff as a terminal shows it: coloured, control characters visible."""
    style = ""
    if line.startswith(("---", "+++", "@@")):
        style = "bold" if line[0] != "@" else "cyan"
    elif line.startswith(("-", "+")):
        style = "red" if line[0] == "-" else "green"
    return Text("".join(character if character == "\t" else visible(character) for character in line), style)


def finding_line(finding: Finding) -> str:
    """One finding as one line: where, rule, action, and what it is about."""
    where = f"{finding.source}#{finding.record}:{finding.start}-{finding.stop}"
    if finding.twin is not None:
        like = "" if finding.similarity in {None, 1.0} else f" with similarity {finding.similarity:.3f}"
        twin = (
            "itself" if (finding.twin_source, finding.twin_record) == (finding.source, finding.record) else finding.twin
        )
        about = f"repeats {twin} at {finding.twin_start}-{finding.twin_stop}{like}"
    elif finding.action == FIX:
        about = f"{_excerpt(finding.original)} becomes {_excerpt(finding.replacement)}"
    else:
        about = _excerpt(finding.original) if finding.original else ""
    evidence = f"({finding.evidence})" if finding.evidence else ""
    line = f"{where}: {finding.rule}: {finding.action}: {' '.join(filter(None, (about, evidence)))}"
    return visible(line)


def struck(removed: str, added: str, *, plain: bool) -> Text:
    """A change: what was there struck out, then what is there now; in brackets where there is no colour.

    >>> struck("teh", "the", plain=True).plain
    '[-teh-]{+the+}'
    """
    if plain:
        return Text((f"[-{removed}-]" if removed else "") + (f"{{+{added}+}}" if added else ""))
    return Text.assemble((removed, REMOVED), (added, ADDED))


def _found(stored: Output, name: str) -> list[Article]:
    articles = list(stored.find(name))
    if articles:
        return articles
    known = (article.id for _, article in zip(range(NAMES_COMPARED), stored.articles(), strict=False))
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "give an id, or source#record"
    raise InputError(f"{stored.path}: no article {name!r}; {hint}")


def _headline(article: Article, others: dict[Key, Article]) -> Text:
    line = Text.assemble((visible(article.id), "bold"), f"  {visible(article.where)}  ")
    drop = article.dropped_by
    if drop is None:
        count = sum(finding.action != FLAG for finding in article.findings)
        changes = "unchanged" if not count else "one change" if count == 1 else f"{count} changes"
        return line.append("kept", "green").append(f", {changes}")
    line.append("dropped", "red").append(f" by {drop.rule}")
    if drop.twin is not None:
        line.append(": repeats ").append(_twin_name(drop), "bold")
        twin = others.get(_twin_key(drop) or ("", -1))
        if twin is None:
            line.append(" (not in this output)")
    return line


def _summary(finding: Finding) -> Text:
    line = Text.assemble(
        (finding.rule, "bold"),
        ": ",
        (finding.action, _ACTIONS.get(finding.action, "")),
        f"  {finding.start}-{finding.stop}",
    )
    if finding.twin is not None:
        line.append(f"  twin {_twin_name(finding)} {finding.twin_start}-{finding.twin_stop}")
    if finding.similarity is not None:
        line.append(f"  similarity {finding.similarity:.3f}".rstrip("0").rstrip("."))
    if finding.evidence:
        line.append(f"  ({visible(finding.evidence)})", "dim")
    return line


def _body(finding: Finding, raw: str, others: dict[Key, Article], console: Console) -> None:
    plain = console.color_system is None or console.no_color
    here = raw[finding.start : finding.stop]
    twin = others.get(_twin_key(finding) or ("", -1))
    if finding.action == FIX:
        line = Text("  ")
        line.append("…" if finding.start > CONTEXT_LINES else "", "dim")
        line.append(visible(raw[max(0, finding.start - CONTEXT_LINES) : finding.start]), "dim")
        line.append(struck(_short(visible(here)), _short(visible(finding.replacement or "")), plain=plain))
        line.append(visible(raw[finding.stop : finding.stop + CONTEXT_LINES]), "dim")
        line.append("…" if finding.stop + CONTEXT_LINES < len(raw) else "", "dim")
        console.print(line, soft_wrap=True)
        return
    text = _lines(here)
    if finding.action == DROP:
        shown = (
            Text("\n".join(f"[-{line}-]" if line else "" for line in text.split("\n")))
            if plain
            else Text.assemble((text, REMOVED))
        )
    else:
        shown = Text(text)
    if twin is None:
        _print(shown, console)
        return
    there = Text(_lines(twin.raw[finding.twin_start or 0 : finding.twin_stop]))
    label = Text(f"its twin in {_twin_name(finding)}", "dim")
    if console.is_terminal and console.width >= WIDE:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        table.add_row(Text("this text", "dim"), label)
        table.add_row(shown, there)
        console.print(Padding(table, _INDENT))
        return
    _print(shown, console)
    _print(label, console)
    _print(there, console)


def _print(text: Text, console: Console) -> None:
    """Indented; wrapped on a terminal only."""
    if console.is_terminal:
        console.print(Padding(text, _INDENT))
        return
    for line in text.split("\n", allow_blank=True):
        console.print(Text.assemble("  ", line) if line else "", soft_wrap=True)


def _lines(text: str) -> str:
    """A span to be read: line ends stay line ends, the middle of a long one is left out."""
    return "\n".join(visible(line) for line in _short(text.strip("\r\n")).split("\n"))


def _short(text: str) -> str:
    if len(text) <= LONG:
        return text
    half = LONG // 2
    return f"{text[:half]} […{len(text) - 2 * half} characters…] {text[-half:]}"


def _twin_key(finding: Finding) -> Key | None:
    if finding.twin_source is None or finding.twin_record is None:
        return None
    return finding.twin_source, finding.twin_record


def _twin_name(finding: Finding) -> str:
    return visible(f"{finding.twin}" if finding.twin else f"{finding.twin_source}#{finding.twin_record}")


def _with_ends(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _excerpt(text: str | None) -> str:
    text = text or ""
    return repr(text if len(text) <= EXCERPT else f"{text[: EXCERPT // 2]}…{text[-EXCERPT // 2 :]}")
