"""Show a person what happened to an article, and why: its findings with their twins, or a unified diff.

Texts come from the web. Control characters in them are made visible and never sent to a terminal.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.errors import InputError
from dedup.findings import DROP, FIX, FLAG, Finding
from dedup.inspect.names import RecordKey, named_with_place, record_name, twin_key
from dedup.inspect.visible import WIDE, visible
from dedup.inspect.word_colours import coloured_words
from dedup.inspect.word_diff import TextPiece, diff_words
from dedup.match.policy import BOILERPLATE
from dedup.repairs.equal_fixes import is_run

if TYPE_CHECKING:  # `dedup check` prints findings but reads no output
    from dedup.inspect.article_rows import Article
    from dedup.inspect.output import Output

EXCERPT = 60  # characters of a text in the line of a finding
CONTEXT_CHARACTERS = 30  # shown on either side of a short change
RAW_SHOWN = 200  # characters of a quarantined record
LONG = 600  # characters; only both ends of a longer span are shown
NAMES_COMPARED = 20_000  # ids searched for close matches: enough for a typing error, quick on any corpus

REMOVED = "red strike"
ADDED = "green"
_INDENT = (0, 0, 0, 2)
_ACTION_STYLES = {FIX: "green", DROP: "red", FLAG: "yellow"}


def print_explanation(output: Output, name: str, console: Console) -> None:
    """Print everything that happened to the article whose id or ``source#record`` is `name`, and why.

    Ids may repeat: then all articles with that id are shown. A quarantined record is shown with its error. Raises
    `InputError` with close matches if there is none, and `FindingError` if the output was changed since it was written.
    """
    try:
        articles = articles_named(output, name)
    except InputError:
        if not _explain_quarantined(output, name, console):
            raise
        return
    keys = {twin_key(finding) for article in articles for finding in article.findings}
    twins = output.articles_by_key({key for key in keys if key is not None})
    for number, article in enumerate(articles):
        if number:
            console.print()
        console.print(_headline(article, twins))
        raw = article.raw
        for finding in article.findings:
            console.print()
            console.print(_finding_headline(finding))
            if is_run(finding):
                _print_span(finding, raw, twins, console)
            elif finding.action == FIX:
                _print_change(finding, raw, console)
            else:
                _print_span(finding, raw, twins, console)


def finding_rows(output: Output, name: str) -> Iterator[dict[str, Any]]:
    """Yield the findings of the article whose id or ``source#record`` is `name`. Raises `InputError` as `explain`."""
    for article in articles_named(output, name):
        for finding in article.findings:
            yield finding._asdict()


def _explain_quarantined(output: Output, name: str, console: Console) -> bool:
    """Print the quarantined records called ``source#record``, or with the text `name` in them; False if none is."""
    records = [
        record
        for record in output.quarantined()
        if name == record_name(record.source, record.record) or f'"{name}"' in record.raw
    ]
    for record in records:
        console.print(
            Text.assemble((visible(record_name(record.source, record.record)), "bold"), "  ", ("quarantined", "red"))
        )
        console.print(Text(f"  {visible(record.error)}"), soft_wrap=True)
        raw = visible(record.raw[:RAW_SHOWN]) + ("…" if len(record.raw) > RAW_SHOWN else "")
        console.print(Text(f"  begins, in {record.encoding}: {raw}", "dim"), soft_wrap=True)
    return bool(records)


def diff(output: Output, name: str | None = None) -> Iterator[str]:
    """Yield the lines of a unified diff from raw to cleaned texts, of one article or of all that changed.

    Lines have no line end. Raises the same errors as `print_explanation`.
    """
    articles = output.articles() if name is None else iter(articles_named(output, name))
    for article in articles:
        raw, cleaned = article.raw, article.cleaned
        if raw == cleaned and article.kept:
            continue
        path = visible(article.id)
        new = f"b/{path}" if article.kept else "/dev/null"
        lines = difflib.unified_diff(_lines_with_ends(raw), _lines_with_ends(cleaned), f"a/{path}", new)
        for line in lines:
            yield line.removesuffix("\n")
            if not line.endswith("\n"):
                yield "\\ No newline at end of file"


def finding_line(finding: Finding) -> str:
    """Return a finding as one line: its place, rule, action, and what it is about."""
    where = f"{record_name(finding.source, finding.record)}:{finding.start}-{finding.stop}"
    if finding.rule == BOILERPLATE:
        about = _excerpt(finding.original.strip()) if finding.original else ""
    elif finding.twin is not None:
        like = "" if finding.similarity in {None, 1.0} else f" with similarity {finding.similarity:.3f}"
        twin = "itself" if twin_key(finding) == (finding.source, finding.record) else _twin_name(finding)
        about = f"repeats {twin} at {finding.twin_start}-{finding.twin_stop}{like}"
    elif is_run(finding):
        about = ""  # the evidence says what changes; most of the span does not
    elif finding.action == FIX:
        about = f"{_excerpt(finding.original)} becomes {_excerpt(finding.replacement)}"
    else:
        about = _excerpt(finding.original) if finding.original else ""
    evidence = f"({finding.evidence})" if finding.evidence else ""
    line = f"{where}: {finding.rule}: {finding.action}: {' '.join(filter(None, (about, evidence)))}"
    return visible(line)


def struck(removed: str, added: str, *, plain: bool) -> Text:
    """Return a change as the removed text, struck out, and the added text; in brackets if `plain`, without colour.

    >>> struck("teh", "the", plain=True).plain
    '[-teh-]{+the+}'
    """
    if plain:
        return Text((f"[-{removed}-]" if removed else "") + (f"{{+{added}+}}" if added else ""))
    return Text.assemble((removed, REMOVED), (added, ADDED))


def articles_named(output: Output, name: str) -> list[Article]:
    """Return the articles whose id or ``source#record`` is `name`; raise `InputError` if there is none."""
    articles = list(output.find_articles(name))
    if articles:
        return articles
    ids = (article.id for _, article in zip(range(NAMES_COMPARED), output.articles(), strict=False))
    near = difflib.get_close_matches(name, ids, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "give an id, or source#record"
    raise InputError(f"{output.path}: no article {name!r}; {hint}")


def _headline(article: Article, twins: dict[RecordKey, Article]) -> Text:
    """Return the name of an article and whether it was kept or dropped."""
    line = Text.assemble((visible(article.id), "bold"), f"  {visible(article.where)}  ")
    drop = article.dropped_by
    if drop is None:
        count = sum(finding.action != FLAG for finding in article.findings)
        changes = "unchanged" if not count else "one change" if count == 1 else f"{count} changes"
        return line.append("kept", "green").append(f", {changes}")
    line.append("dropped", "red").append(f" by {drop.rule}")
    if drop.twin is not None:
        line.append(": repeats ").append(_twin_name(drop), "bold")
        if _twin_of(drop, twins) is None:
            line.append(" (not in this output)")
    return line


def _finding_headline(finding: Finding) -> Text:
    """Return the rule, action and span of a finding, with its twin, similarity and evidence."""
    line = Text.assemble(
        (finding.rule, "bold"),
        ": ",
        (finding.action, _ACTION_STYLES.get(finding.action, "")),
        f"  {finding.start}-{finding.stop}",
    )
    if finding.twin is not None:
        line.append(f"  twin {_twin_name(finding)} {finding.twin_start}-{finding.twin_stop}")
    if finding.similarity is not None:
        line.append(f"  similarity {finding.similarity:.3f}".rstrip("0").rstrip("."))
    if finding.evidence:
        line.append(f"  ({visible(finding.evidence)})", "dim")
    return line


def _print_change(finding: Finding, raw: str, console: Console) -> None:
    """Print a fix in one line, with its context."""
    before = raw[max(0, finding.start - CONTEXT_CHARACTERS) : finding.start]
    after = raw[finding.stop : finding.stop + CONTEXT_CHARACTERS]
    removed, added = raw[finding.start : finding.stop], finding.replacement or ""
    line = Text("  ")
    line.append("…" if finding.start > CONTEXT_CHARACTERS else "", "dim")
    line.append(visible(before), "dim")
    line.append(
        struck(_shortened_middle(visible(removed)), _shortened_middle(visible(added)), plain=_is_plain(console))
    )
    line.append(visible(after), "dim")
    line.append("…" if finding.stop + CONTEXT_CHARACTERS < len(raw) else "", "dim")
    console.print(line, soft_wrap=True)


def _print_span(finding: Finding, raw: str, twins: dict[RecordKey, Article], console: Console) -> None:
    """Print the text of a finding and its twin: side by side on a wide terminal, else one after the other."""
    text = _readable_lines(raw[finding.start : finding.stop])
    shown = Text(text)
    if finding.action == DROP and _is_plain(console):
        shown = Text("\n".join(f"[-{line}-]" if line else "" for line in text.split("\n")))
    elif finding.action == DROP:
        shown = Text.assemble((text, REMOVED))
    twin = _twin_of(finding, twins)
    if twin is None:
        _print_indented(shown, console)
        return
    twin_span = twin.raw[finding.twin_start or 0 : finding.twin_stop]
    twin_text = Text(_readable_lines(twin_span))
    if not _is_plain(console):
        words = diff_words(raw[finding.start : finding.stop].strip("\r\n"), twin_span.strip("\r\n"))
        style = REMOVED if finding.action == DROP else ""
        shown = coloured_words(map(_shortened_piece, words.before), style, f"bold {style}".rstrip())
        twin_text = coloured_words(map(_shortened_piece, words.after), "", f"bold {ADDED}")
    label = Text(f"its twin in {_twin_name(finding)}", "dim")
    if console.is_terminal and console.width >= WIDE:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        table.add_row(Text("this text", "dim"), label)
        table.add_row(shown, twin_text)
        console.print(Padding(table, _INDENT))
        return
    for part in (shown, label, twin_text):
        _print_indented(part, console)


def _is_plain(console: Console) -> bool:
    """Return True if a console shows no colours, so that brackets must mark a change."""
    return console.color_system is None or console.no_color


def _print_indented(text: Text, console: Console) -> None:
    """Print `text` with an indent; its lines are wrapped on a terminal only."""
    if console.is_terminal:
        console.print(Padding(text, _INDENT))
        return
    for line in text.split("\n", allow_blank=True):
        console.print(Text.assemble("  ", line) if line else "", soft_wrap=True)


def _readable_lines(text: str) -> str:
    """Return a span for reading: line ends stay line ends, and the middle of a long span is left out."""
    return "\n".join(visible(line) for line in _shortened_middle(text.strip("\r\n")).split("\n"))


def _shortened_middle(text: str) -> str:
    if len(text) <= LONG:
        return text
    half = LONG // 2
    return f"{text[:half]} […{len(text) - 2 * half} characters…] {text[-half:]}"


def _shortened_piece(piece: TextPiece) -> TextPiece:
    return piece._replace(text=_shortened_middle(piece.text))


def _twin_of(finding: Finding, twins: dict[RecordKey, Article]) -> Article | None:
    key = twin_key(finding)
    return None if key is None else twins.get(key)


def _twin_name(finding: Finding) -> str:
    return visible(named_with_place(finding.twin, finding.twin_source, finding.twin_record))


def _lines_with_ends(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _excerpt(text: str | None) -> str:
    text = text or ""
    return repr(text if len(text) <= EXCERPT else f"{text[: EXCERPT // 2]}…{text[-EXCERPT // 2 :]}")
