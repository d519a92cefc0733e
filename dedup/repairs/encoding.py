"""Repair the encoding with ftfy, line by line, as findings: the rule ``encoding``.

ftfy decides what a repair is; `dedup.repairs.diff` locates it. Every function takes time linear in the text, whatever
the text is: see `MAX_LINE`, `SHORT`, `MAX_ROUNDS`. A line longer than `MAX_LINE` is repaired in pieces, as ftfy itself
does beyond a million characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import ftfy
from ftfy import fixes
from ftfy.chardata import CHARMAP_ENCODINGS, HTML_ENTITY_RE, possible_encoding

from dedup.findings import Finding, apply, compose, fix
from dedup.repairs.code_ranges import as_pattern, union
from dedup.repairs.diff import differences, trimmed
from dedup.repairs.ftfy_patterns import BYTE_ORDER_MARK, is_bad, looks_bad, may_not_be_normal, replaced, suspect_pattern
from dedup.repairs.long_lines import MAX_LINE, pieces_of_line
from dedup.repairs.separators import join_surrogate_entities, separate_words
from dedup.segment.words import MAX_MARKS

# Rounds of any step that is repeated until stable. Random mojibake of 20,000 characters needs at most six;
# entities nested deeper than this stay.
MAX_ROUNDS = 16

# Up to this length no repair can take long, so ftfy gets the line unchanged. Longer lines, and lines with many
# entities, are repaired in counted rounds.
SHORT = 200

# The encodings that ftfy tries first, and the evidence of a line that one of them turns into UTF-8.
PLAIN_ENCODINGS = tuple(CHARMAP_ENCODINGS[:2])
PLAIN_EVIDENCE = tuple(f"encode {name}, decode utf-8" for name in PLAIN_ENCODINGS)

# Characters that the cache of repaired lines may hold.
LINE_CACHE_LIMIT = 4_000_000

# Quotes, ligatures and width belong to the rule ``typography``. Every option is set: ftfy's defaults may change.
_CONFIG = ftfy.TextFixerConfig(
    unescape_html=True,
    remove_terminal_escapes=True,
    fix_encoding=True,
    restore_byte_a0=True,
    replace_lossy_sequences=True,
    decode_inconsistent_utf8=True,
    fix_c1_controls=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=True,
    fix_surrogates=True,
    remove_control_chars=True,
    normalization="NFC",
    max_decode_length=MAX_LINE,
    explain=True,
)
_CONFIGS = {unescape: _CONFIG._replace(unescape_html=unescape) for unescape in (True, False)}

_CONTROL = bytes((*range(9), 0x0B, 0x0C, *range(0x0D, 0x20), 0x7F))
_CONTROL_BUT_CR = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NOT_PLAIN = re.compile("[^\t\n -~]")
_STEPS_SHOWN = 12


class KnownLines(NamedTuple):
    """What the screen already knows about a text.

    `lines` are the spans of lines, line breaks included, in which the rule may find something. `fixes` are spans in
    other lines, in order, each with its replacement and the evidence. All spans are in code points of the text.
    """

    lines: Sequence[tuple[int, int]]
    fixes: Sequence[tuple[int, int, str, str]] = ()


def repair_encoding(text: str, *, unescape: bool, known: KnownLines | None = None) -> list[Finding]:
    r"""Return fixes for all that ftfy repairs in `text`, line by line; entities are decoded if `unescape` is true.

    The evidence names the steps that ftfy took in that line.

    >>> [finding.evidence for finding in repair_encoding("caf\u00c3\u00a9", unescape=True)]
    ['encode latin-1, decode utf-8']
    """
    separated = separate_words(text)
    if separated:
        return compose(text, separated, _repair_lines(apply(text, separated), unescape))
    return _repair_lines(text, unescape, known)


def _repair_lines(text: str, unescape: bool, known: KnownLines | None = None) -> list[Finding]:
    """Return the fixes of `repair_encoding` in a text without separators."""
    known = known or KnownLines(_lines_to_repair(text, unescape))
    findings: list[Finding] = []
    for start, stop, new, evidence in known.fixes:
        left, right, new = trimmed(start, text[start:stop], new)  # noqa: PLW2901 - the same, shorter
        findings.append(fix("encoding", text, left, right, new, evidence))
    for start, stop in known.lines:
        for left, right in pieces_of_line(text, start, stop):
            segment = text[left:right]
            if right - left < stop - start and _surely_unchanged(segment, unescape):
                continue
            fixed, evidence = _repair_line(segment, unescape)
            if fixed != segment:
                edits = differences(segment, fixed)
                findings += [fix("encoding", text, left + a, left + b, new, evidence) for a, b, new in edits]
    return sorted(findings, key=attrgetter("start")) if known.fixes and known.lines else findings


def encoding_may_apply(text: str, *, unescape: bool) -> bool:
    r"""Return False only if `repair_encoding` finds nothing in `text`, because no step of ftfy has anything to do.

    >>> [encoding_may_apply(text, unescape=True) for text in ("caf\u00e9 & bar;", "caf\u00e9 &amp; bar")]
    [False, True]
    """
    return not _surely_unchanged(text, unescape)


def _lines_to_repair(text: str, unescape: bool) -> list[tuple[int, int]]:
    """Return the spans of the lines of `text` that ftfy may change, line breaks included."""
    spans: set[tuple[int, int]] = set()
    for pattern in _suspect_patterns(text, unescape):
        position = 0
        while match := pattern.search(text, position):
            start = text.rfind("\n", position, match.start()) + 1 or position
            position = text.find("\n", match.start()) + 1 or len(text)
            spans.add((start, position))
    return sorted(spans)


def _surely_unchanged(text: str, unescape: bool) -> bool:
    """Return True if no pattern matches anything in `text` that a step of ftfy could change."""
    return not any(pattern.search(text) for pattern in _suspect_patterns(text, unescape))


def _suspect_patterns(text: str, unescape: bool) -> Iterator[re.Pattern[str]]:
    """Yield patterns, one of which matches in each line of `text` that ftfy would change."""
    if not text.isascii():
        yield suspect_pattern()
    elif len(text.encode("ascii").translate(None, _CONTROL)) < len(text):  # four times as fast as a pattern
        yield _NOT_PLAIN
    if unescape and "&" in text:
        yield HTML_ENTITY_RE


class _LineCache:
    """Repaired lines by line and `unescape`. It is emptied when full, which changes no result."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, bool], tuple[str, str]] = {}
        self.size = 0

    def keep(self, segment: str, unescape: bool, fixed: str, evidence: str) -> None:
        """Add one repaired line and the evidence of its repair."""
        self.size += len(segment) + len(fixed)
        if self.size > LINE_CACHE_LIMIT:
            self.lines.clear()
            self.size = len(segment) + len(fixed)
        self.lines[segment, unescape] = (fixed, evidence)


_line_cache = _LineCache()


def _repair_line(segment: str, unescape: bool, depth: int = 0) -> tuple[str, str]:
    """Return `segment` as ftfy repairs it, and the names of the steps; new lines are repaired in turn."""
    known = _line_cache.lines.get((segment, unescape))
    if known is not None:
        return known
    fixed, steps = _repair_piece(segment, unescape)
    evidence = ", ".join(steps[:_STEPS_SHOWN]) + (", ..." if len(steps) > _STEPS_SHOWN else "")
    if fixed != segment and depth < MAX_ROUNDS and 0 <= fixed.find("\n") < len(fixed) - 1:
        lines = fixed.splitlines(keepends=True) if fixed.isascii() else re.findall("[^\n]*\n|[^\n]+", fixed)
        fixed = "".join(
            line if _surely_unchanged(line, unescape) else _repair_line(line, unescape, depth + 1)[0] for line in lines
        )
    _line_cache.keep(segment, unescape, fixed, evidence)
    return fixed, evidence


def _repair_piece(segment: str, unescape: bool) -> tuple[str, list[str]]:
    """Return `segment` as ftfy repairs it in one piece, and the names of the steps taken."""
    entities = unescape and "&" in segment
    if segment.isascii() and not _CONTROL_BUT_CR.search(segment) and not entities:
        return fixes.fix_line_breaks(segment), ["fix_line_breaks"]  # the only step of ftfy that applies
    if len(segment) <= SHORT and not (entities and segment.count(";") > MAX_ROUNDS):
        result = _repair_in_rounds(segment, _CONFIGS[unescape])
        if result is None:
            text, steps = ftfy.fix_and_explain(_joined_entities(segment, unescape), _CONFIGS[unescape])
            result = text, _step_names(steps)
        return result
    result = _repair_in_rounds(segment, _CONFIGS[unescape])
    if result is not None:
        if len(result[0]) > SHORT:  # the line is repaired again when another rule has changed other lines
            _line_cache.keep(result[0], unescape, result[0], "")
        return result
    for config in (_CONFIGS[False], _CONFIGS[False]._replace(decode_inconsistent_utf8=False)):
        result = _repair_in_rounds(segment, config)
        if result is not None:
            return result
    return segment, []


def _repair_in_rounds(segment: str, config: ftfy.TextFixerConfig) -> tuple[str, list[str]] | None:
    """Return the result of ``ftfy.fix_and_explain`` if it is reached in `MAX_ROUNDS` rounds, otherwise None.

    The steps and their order are ftfy's. ftfy does not bound the number of rounds: nested entities take it one round
    each, and so can every second character of "ÃŸ°ÃŸ°ÃŸ°...". Nor does it bound runs of combining marks, which
    normalization sorts in quadratic time.
    """
    text = segment
    names: list[str] = []
    encoding_rounds = 0
    idle: dict[str, list[str]] = {}
    for turn in range(1, MAX_ROUNDS + 1):
        before = text
        if config.unescape_html and "&" in text:
            text = _apply_step("unescape_html", text, names)
        decoded = _decode_mojibake(text, config, names, MAX_ROUNDS - encoding_rounds, idle)
        if decoded is None:
            return None
        settled, rounds = decoded
        text = settled
        encoding_rounds += rounds
        if _replaced().search(text):
            for name in _FIXERS:
                text = _apply_step(name, text, names)
        if may_not_be_normal(text) and not (len(segment) > SHORT and _has_long_run_of_marks(text)):
            normal = unicodedata.normalize("NFC", text)
            names += ["normalize NFC"] * (normal != text)
            text = normal
        again = text != settled or text in idle or (config.unescape_html and "&" in text)
        if text == before or (turn < MAX_ROUNDS and not again):  # another round would change nothing
            return text, names
    return None


def _decode_mojibake(
    text: str, config: ftfy.TextFixerConfig, names: list[str], most: int, idle: dict[str, list[str]]
) -> tuple[str, int] | None:
    """Return `text` after ftfy's steps on the encoding and their number, or None if there are more than `most`.

    The names of the steps are added to `names`, including a step that changes nothing; `idle` caches these by text.
    """
    rounds = 0
    while looks_bad(text):
        if text in idle:
            names += idle[text]
            break
        plain = _decode_once(text)
        if plain is None:
            step = ftfy._fix_encoding_one_step_and_explain(text, config)  # noqa: SLF001 - no public one counts
            plain = step.text, _step_names(step.explanation)
        names += plain[1]
        if plain[0] == text:
            idle[text] = plain[1]
            break
        text = plain[0]
        rounds += 1
        if rounds > most:
            return None
    return text, rounds


def _decode_once(text: str) -> tuple[str, list[str]] | None:
    """Return a text that may be mojibake after one plain step on the encoding, or None if the step is not plain.

    A step is plain if the first encoding that has all of the characters gives UTF-8, which ftfy tries before anything
    else: either at once, or after sequences with lost bytes, which "sloppy" encodings keep as 0x1A, became U+FFFD.
    ftfy's other restoration, of no-break spaces, never applies to a text that then is UTF-8. ftfy decodes 0xED in its
    own way, so a text with this byte is not plain.
    """
    name = next((name for name in CHARMAP_ENCODINGS if possible_encoding(text, name)), None)
    if name is None or not is_bad(text):
        return None
    data = text.encode(name)
    names = [f"encode {name}"]
    if 0x1A in data:
        if not name.startswith("sloppy"):
            return None
        restored = fixes.replace_lossy_sequences(data)
        names += ["transcode replace_lossy_sequences"] * (restored != data)
        data = restored
    if 0xED in data:
        return None
    try:
        return data.decode("utf-8"), [*names, "decode utf-8"]
    except UnicodeDecodeError:
        return None


@cache
def _replaced() -> re.Pattern[str]:
    """Return a pattern of the characters that one of `_FIXERS` may change."""
    return re.compile(as_pattern(union((replaced(), ((BYTE_ORDER_MARK, BYTE_ORDER_MARK),)))))


_FIXERS = ("fix_c1_controls", "fix_line_breaks", "fix_surrogates", "remove_terminal_escapes", "remove_control_chars")


def _apply_step(name: str, text: str, names: list[str]) -> str:
    """Return `text` after ftfy's step `name`, and add `name` to `names` if the step changed something."""
    joined = _joined_entities(text, name == "unescape_html")
    fixed: str = ftfy.FIXERS[name](joined)
    names += [name] * (fixed != text)
    return fixed


def _joined_entities(text: str, unescape: bool) -> str:
    """Return `text` with pairs of entities joined that ftfy would decode one by one, if `unescape` is true."""
    return join_surrogate_entities(text) if unescape and "&#" in text else text


def _step_names(steps: list[ftfy.ExplanationStep] | None) -> list[str]:
    """Return the names of ftfy's `steps`."""
    return [step.parameter if step.action == "apply" else f"{step.action} {step.parameter}" for step in steps or ()]


_LONG_RUN = re.compile(rb"[^\x00]{%d}" % (MAX_MARKS + 1))


def _has_long_run_of_marks(text: str) -> bool:
    """Return True if more than `MAX_MARKS` consecutive characters would be sorted by canonical ordering."""
    return bool(_LONG_RUN.search(bytes(map(unicodedata.combining, text))))
