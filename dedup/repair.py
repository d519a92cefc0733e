r"""Text-level repair: what ftfy, a whitespace rule and a typography rule would change, as findings.

Three layers run in the order of `_layers`, each on the text as the one before left it, and the whole is
repeated until nothing changes. A layer is a plain function from a text to findings with spans in that text;
`compose` carries them back to the raw text. ftfy decides *what* an encoding repair is; where it took place is
found by comparing the lines before and after, for ftfy's own plans carry no offsets.

Everything here takes time linear in the text, whatever the text is: see `LINE_AT_MOST`, `SHORT`, `ROUNDS`.
The module refuses to know about files, articles and the order of rules at other levels.

Two things are not promised. A line longer than `LINE_AT_MOST` is judged in pieces, as ftfy itself does beyond
a million characters. And a text made so that each round uncovers work for the next (an entity hidden by a soft
hyphen hidden by an entity ...) is left as it is after `ROUNDS` rounds; repairing it again then goes on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, partial

import ftfy
from ftfy import fixes
from ftfy.chardata import HTML_ENTITY_RE, LIGATURES, WIDTH_MAP

from dedup.findings import FLAG, Finding, apply, compose, fix
from dedup.rules import OFF
from dedup.segment import MARKS_AT_MOST, unspaced_letter
from dedup.settings import Settings

# Rounds of anything that is repeated until stable. Real text needs two; entities nested deeper than this stay.
ROUNDS = 16

# ftfy decodes CESU-8 in quadratic time: a line of it with 50,000 characters takes 20 ms, one of 1,000,000
# takes 10 s. Longer lines are cut, between words where there are any.
LINE_AT_MOST = 50_000

# Up to this length no repair can take long, however it is made; ftfy gets the line as it stands. Longer ones,
# and those with many entities, are repaired in counted rounds.
SHORT = 200

# Characters of line text that the memo of repaired lines may hold.
MEMO_AT_MOST = 4_000_000

_DEFAULTS = Settings()


def repair(text: str, settings: Settings = _DEFAULTS) -> tuple[str, list[Finding]]:
    r"""The repaired text, and the findings that say what was done to `text`.

    Findings belong to the rules ``encoding``, ``whitespace`` and ``typography``, have spans in `text` and come
    in the order of their starts. A rule set to ``flag`` reports and changes nothing.

    >>> cleaned, findings = repair("na\u00c3\u00afve caf\u00c3\u00a9 \n")
    >>> cleaned
    'naïve café\n'
    >>> [(f.rule, f.start, f.stop, f.replacement) for f in findings]
    [('encoding', 2, 4, 'ï'), ('encoding', 10, 12, 'é'), ('whitespace', 12, 13, '')]
    """
    layers = [(settings.rules[rule], layer) for rule, layer in _layers(text) if settings.rules[rule] != OFF]
    findings: list[Finding] = []
    current = text
    for turn in range(ROUNDS):
        before = current
        for action, layer in layers:
            if action == FLAG and turn:
                continue  # already reported
            found = layer(current)
            if not found:
                continue
            if action == FLAG:
                findings = compose(text, findings, [_as_flag(finding) for finding in found])
            else:
                findings = compose(text, findings, found)
                current = apply(current, found)
        if current == before:
            break
    return current, findings


def _layers(text: str) -> tuple[tuple[str, Callable[[str], list[Finding]]], ...]:
    """The rules of this module in their order, for the article `text`."""
    return (
        # A literal "<" says that the article is markup, where entities mean something.
        ("encoding", partial(encoding, unescape="<" not in text)),
        ("whitespace", whitespace),
        ("typography", typography),
    )


def _as_flag(finding: Finding) -> Finding:
    """`finding` as a report only; the evidence tells what would be done."""
    would = f"{finding.evidence}: {_short(finding.original)} -> {_short(finding.replacement)}"
    return finding._replace(action=FLAG, original=None, replacement=None, evidence=would)


def _short(text: str | None, size: int = 40) -> str:
    return ascii(text if text is None or len(text) <= size else text[:size] + "...")


# --- encoding ---------------------------------------------------------------------------------------------

# Quotes, ligatures and width belong to `typography`. Everything is stated: a default of ftfy may change.
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
    max_decode_length=LINE_AT_MOST,
    explain=True,
)
_CONFIGS = {unescape: _CONFIG._replace(unescape_html=unescape) for unescape in (True, False)}

_CONTROL = bytes((*range(9), 0x0B, *range(0x0D, 0x20), 0x7F))
_CONTROL_BUT_CR = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
# Without one of these, a text is ASCII that none of ftfy's steps changes.
_SUSPECT = {True: re.compile("[^\t\n\x0c -%'-~]"), False: re.compile("[^\t\n\x0c -~]")}
# Most lines in Latin script hold nothing but ASCII and, each by itself between ASCII characters, these: accented
# letters, dashes, quotation marks, currency. No branch of ftfy's badness pattern matches such a line, and none of
# them changes under NFC (a test shows both). Left out of their blocks: what is bad beside ASCII alone.
_ALONE = "\u00a0-\u00c1\u00c4-\u0151\u0154-\u017f\u2010-\u2027\u2030-\u2044\u20a0-\u20c0\u2122"
# Characters that ftfy's badness pattern does not know, that NFC leaves alone and that compose with nothing of the
# same kind: Hebrew and Arabic letters, CJK punctuation, kana, Han, Hangul syllables, full width.
_FREE = (
    "\u05d0-\u05ea\u060c\u061b\u061f-\u063a\u0641-\u064a\u0660-\u066d\u0671-\u06d3"
    "\u3000-\u3029\u3041-\u3096\u309d-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uffbe\U00020000-\U0002a6df"
)
_DOUBTFUL = re.compile(f"[^\t\n\x0c -~{_ALONE}{_FREE}]|[{_ALONE}]{{2}}")
_BETWEEN_WORDS = re.compile("(?<=[!-~]) (?=[!-~])")
_STEPS_SHOWN = 12


def encoding(text: str, *, unescape: bool) -> list[Finding]:
    r"""Fixes for what ftfy repairs in `text`, line by line; entities are decoded where `unescape` says so.

    The evidence names the steps that ftfy took in that line.

    >>> [finding.evidence for finding in encoding("caf\u00c3\u00a9", unescape=True)]
    ['encode latin-1, decode utf-8']
    """
    if _untouched(text, unescape):
        return []
    suspect = _SUSPECT[unescape]
    found: list[Finding] = []
    position = 0
    while match := suspect.search(text, position):
        start = text.rfind("\n", position, match.start()) + 1 or position
        position = text.find("\n", start) + 1 or len(text)
        for left, right in _segments(text, start, position):
            segment = text[left:right]
            if _untouched(segment, unescape):
                continue
            fixed, evidence = _mend(segment, unescape)
            if fixed != segment:
                edits = differences(segment, fixed)
                found += [fix("encoding", text, left + a, left + b, new, evidence) for a, b, new in edits]
    return found


def _untouched(text: str, unescape: bool) -> bool:
    """Whether no step of ftfy can change `text`, as far as a quick look tells."""
    if text.isascii():
        plain = len(text.encode("ascii").translate(None, _CONTROL)) == len(text)  # four times as fast as a pattern
    else:
        plain = not _DOUBTFUL.search(text)
    return plain and not (unescape and "&" in text and HTML_ENTITY_RE.search(text))


def _segments(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Spans of the pieces of the line ``text[start:stop]`` that are judged each by itself.

    A byte order mark is a piece of its own that is left out: it belongs to the whitespace rule.
    """
    while start < stop:
        end = text.find("\ufeff", start, stop)
        end = stop if end < 0 else end
        while end - start > LINE_AT_MOST:
            cut = start + LINE_AT_MOST
            for space in _BETWEEN_WORDS.finditer(text, cut - 1000, cut):
                cut = space.end()
            yield start, cut
            start = cut
        if start < end:
            yield start, end
        start = end + 1


class _Memo:
    """Repaired lines by line and `unescape`; forgets everything when full, which changes no result."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, bool], tuple[str, str]] = {}
        self.size = 0

    def keep(self, segment: str, unescape: bool, fixed: str, evidence: str) -> None:
        self.size += len(segment) + len(fixed)
        if self.size > MEMO_AT_MOST:
            self.lines.clear()
            self.size = len(segment) + len(fixed)
        self.lines[segment, unescape] = (fixed, evidence)


_memo = _Memo()


def _mend(segment: str, unescape: bool, depth: int = 0) -> tuple[str, str]:
    """`segment` as ftfy repairs it, and the steps; stable, also where the repair creates a line break."""
    known = _memo.lines.get((segment, unescape))
    if known is not None:
        return known
    fixed, steps = _fixed(segment, unescape)
    evidence = ", ".join(steps[:_STEPS_SHOWN]) + (", ..." if len(steps) > _STEPS_SHOWN else "")
    if fixed != segment and depth < ROUNDS and 0 <= fixed.find("\n") < len(fixed) - 1:
        lines = fixed.splitlines(keepends=True) if fixed.isascii() else re.findall("[^\n]*\n|[^\n]+", fixed)
        fixed = "".join(line if _untouched(line, unescape) else _mend(line, unescape, depth + 1)[0] for line in lines)
    _memo.keep(segment, unescape, fixed, evidence)
    return fixed, evidence


def _fixed(segment: str, unescape: bool) -> tuple[str, list[str]]:
    """`segment` as ftfy repairs it as one piece, and the names of the steps taken."""
    entities = unescape and "&" in segment
    if segment.isascii() and not _CONTROL_BUT_CR.search(segment) and not entities:
        return fixes.fix_line_breaks(segment), ["fix_line_breaks"]  # ftfy would do just that
    if len(segment) <= SHORT and not (entities and segment.count(";") > ROUNDS):
        text, steps = ftfy.fix_and_explain(segment, _CONFIGS[unescape])
        return text, _names(steps)
    for config in (_CONFIGS[unescape], _CONFIGS[False], _CONFIGS[False]._replace(decode_inconsistent_utf8=False)):
        result = _in_rounds(segment, config)
        if result is not None:
            return result
    return segment, []


def _in_rounds(segment: str, config: ftfy.TextFixerConfig) -> tuple[str, list[str]] | None:
    """What ``ftfy.fix_and_explain`` gives, in `ROUNDS` rounds at most; None where it would go on.

    The steps and their order are ftfy's. What ftfy does not do is count: nested entities take it one round
    each, and so can every other character of "ÃŸ°ÃŸ°ÃŸ°...". Nor does it look at runs of combining marks, which
    normalisation sorts in quadratic time.
    """
    text = segment
    names: list[str] = []
    encoding_rounds = 0
    for _ in range(ROUNDS):
        before = text
        if config.unescape_html:
            text = _step("unescape_html", text, names)
        while True:
            previous = text
            text, steps = ftfy._fix_encoding_one_step_and_explain(text, config)  # noqa: SLF001  no public one counts
            names += _names(steps)
            if text == previous:
                break
            encoding_rounds += 1
            if encoding_rounds > ROUNDS:
                return None
        for name in _FIXERS:
            text = _step(name, text, names)
        if not _long_run_of_marks(text):
            normal = unicodedata.normalize("NFC", text)
            names += ["normalize NFC"] * (normal != text)
            text = normal
        if text == before:
            return text, names
    return None


_FIXERS = ("fix_c1_controls", "fix_line_breaks", "fix_surrogates", "remove_terminal_escapes", "remove_control_chars")


def _step(name: str, text: str, names: list[str]) -> str:
    """`text` after the step `name` of ftfy, which is added to `names` where it does something."""
    fixed: str = ftfy.FIXERS[name](text)
    names += [name] * (fixed != text)
    return fixed


def _names(steps: list[ftfy.ExplanationStep] | None) -> list[str]:
    return [step.parameter if step.action == "apply" else f"{step.action} {step.parameter}" for step in steps or ()]


_LONG_RUN = re.compile(rb"[^\x00]{%d}" % (MARKS_AT_MOST + 1))


def _long_run_of_marks(text: str) -> bool:
    """Whether more than `MARKS_AT_MOST` characters follow each other that canonical ordering would sort."""
    return bool(_LONG_RUN.search(bytes(map(unicodedata.combining, text))))


# --- where two versions of a line differ --------------------------------------------------------------------

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_RUN = 3  # characters that must agree for two places to count as the same
_NEAR = 6  # characters apart that are tried one by one


def differences(old: str, new: str) -> list[tuple[int, int, str]]:
    r"""Edits ``(start, stop, replacement)`` that lead from `old` to `new`, in order and disjoint.

    Small rather than minimal, in linear time. Re-decoding keeps ASCII characters, so where both versions have
    the same ones in the same order, the runs between them correspond. Elsewhere the nearest place where three
    characters agree again ends an edit.

    >>> differences("Fish &amp; chips &lt; caf\u00c3\u00a9", "Fish & chips < caf\u00e9")
    [(6, 10, ''), (17, 21, '<'), (25, 27, 'é')]
    """
    if _NOT_ASCII.sub("", old) == _NOT_ASCII.sub("", new):
        return _between_ascii(old, new)
    edits: list[tuple[int, int, str]] = []
    i = j = 0
    while True:
        same = _agreeing(old, i, new, j)
        i, j = i + same, j + same
        if i == len(old) and j == len(new):
            return edits
        skip_old, skip_new = _nearest(old, i, new, j)
        edits.append((i, i + skip_old, new[j : j + skip_new]))
        i, j = i + skip_old, j + skip_new


def _between_ascii(old: str, new: str) -> list[tuple[int, int, str]]:
    """The edits between two texts that hold the same ASCII characters in the same order."""
    replacements = _runs(new)
    originals = _runs(old)
    edits: list[tuple[int, int, str]] = []
    shift = 0  # non-ASCII characters of old before this place
    for place in sorted(originals.keys() | replacements.keys()):
        original, replacement = originals.get(place, ""), replacements.get(place, "")
        start = place + shift
        shift += len(original)
        if original != replacement:
            head = _agreeing(original, 0, replacement, 0)
            tail = min(
                _agreeing(original[::-1], 0, replacement[::-1], 0), len(original) - head, len(replacement) - head
            )
            edits.append((start + head, start + len(original) - tail, replacement[head : len(replacement) - tail]))
    return edits


def _runs(text: str) -> dict[int, str]:
    """The non-ASCII runs of `text` by the number of ASCII characters before them."""
    runs = {}
    others = 0
    for match in _NOT_ASCII.finditer(text):
        runs[match.start() - others] = match.group()
        others += match.end() - match.start()
    return runs


def _agreeing(old: str, i: int, new: str, j: int) -> int:
    """How many characters agree from ``old[i]`` and ``new[j]`` on."""
    same = 0
    limit = min(len(old) - i, len(new) - j)
    step = 8
    while same < limit:
        step = min(step, limit - same)
        if old[i + same : i + same + step] == new[j + same : j + same + step]:
            same += step
            step *= 2
        elif step == 1:
            break
        else:
            step //= 2
    return same


def _nearest(old: str, i: int, new: str, j: int) -> tuple[int, int]:
    """How many characters of each to leave out until both agree again, or end."""
    for distance in range(1, _NEAR + 1):
        for skip in range(min(distance, len(old) - i) + 1):
            if distance - skip <= len(new) - j and (
                old[i + skip : i + skip + _RUN] == new[j + distance - skip : j + distance - skip + _RUN]
            ):
                return skip, distance - skip
    window = 64
    while True:
        # A window that fails is made four times as wide. One that succeeds then uses up a good part of the text
        # it has looked at, which keeps the sum linear.
        places: dict[str, int] = {}
        for skip in range(min(window, len(new) - j) + 1):
            places.setdefault(new[j + skip : j + skip + _RUN], skip)
        best: tuple[int, int] | None = None
        for skip in range(min(window, len(old) - i) + 1):
            if best is not None and skip >= sum(best):
                break
            place = places.get(old[i + skip : i + skip + _RUN])
            if place is not None and (best is None or skip + place < sum(best)):
                best = (skip, place)
        if best is not None:
            return best
        window *= 4


# --- whitespace ---------------------------------------------------------------------------------------------

_BLANK = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_REMOVED = {
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
}
_TRAILING = _BLANK + "".join(_REMOVED)
_ODD = re.compile(f"[{_BLANK[2:]}{''.join(_REMOVED)}]")
_INSIDE = re.compile(f"[\u00a0\u202f]+|[{''.join(_REMOVED)}]+")


def whitespace(text: str) -> list[Finding]:
    r"""Fixes for space that nobody sees: at line ends, of odd kinds, and more than one blank line.

    No-break spaces become spaces, but not beside a Mongolian letter, where they bind a suffix to its word.
    Zero-width spaces, word joiners, soft hyphens and byte order marks go; a zero-width space between letters of
    a script written without spaces stays, for it marks the end of a word. Joiners, direction marks, indentation
    and double spaces stay. ``\r\n`` is a line end like ``\n``.

    >>> apply("10\u00a0000 co\u00adpies  \n\n\n\nEnd", whitespace("10\u00a0000 co\u00adpies  \n\n\n\nEnd"))
    '10 000 copies\n\nEnd'
    """
    odd = not text.isascii() and bool(_ODD.search(text))
    if not odd and not _blank_at_fault(text):
        return []
    found: list[Finding] = []
    start = 0
    end = 0  # of the last line that is not blank, line break included
    first_blank: tuple[int, int] | None = None  # of the run of blank lines since: where its blanks and itself end
    for line in text.split("\n"):
        line_stop = start + len(line)
        stop = min(line_stop + 1, len(text))
        body_stop = line_stop - (line.endswith("\r") and stop > line_stop)
        kept_stop = start + len(line[: body_stop - start].rstrip(_TRAILING))
        if kept_stop > start:
            if first_blank and end:
                _remove(found, text, end, first_blank[0], "trailing space")
                _remove(found, text, first_blank[1], start, "blank lines")
            else:
                _remove(found, text, end, start, "blank lines")
            if odd:
                found += _inside(text, start, kept_stop)
            _remove(found, text, kept_stop, body_stop, "trailing space")
            end, first_blank = stop, None
        elif not first_blank:
            first_blank = (body_stop, stop)
        start = stop
    _remove(found, text, end, len(text), "blank lines")
    return found


def _remove(found: list[Finding], text: str, start: int, stop: int, evidence: str) -> None:
    if start < stop:
        found.append(fix("whitespace", text, start, stop, "", evidence))


def _inside(text: str, start: int, stop: int) -> Iterator[Finding]:
    """Fixes for the odd characters of ``text[start:stop]``, a line without what trails it."""
    for match in _INSIDE.finditer(text, start, stop):
        run = match.group()
        left, right = match.span()
        if run[0] not in _REMOVED:
            if not any("\u1800" <= text[at] <= "\u18af" for at in (left - 1, right) if start <= at < stop):
                yield fix("whitespace", text, left, right, " " * len(run), "no-break space")
            continue
        if "\u200b" in run and _between_unspaced(text, left, right):
            boundary = left + run.index("\u200b")
            spans = [(left, boundary), (boundary + 1, right)]
        else:
            spans = [(left, right)]
        for a, b in spans:
            if a < b:
                names = ", ".join(dict.fromkeys(_REMOVED[character] for character in text[a:b]))
                yield fix("whitespace", text, a, b, "", names)


def _between_unspaced(text: str, left: int, right: int) -> bool:
    """Whether letters of scripts written without spaces stand on both sides of ``text[left:right]``."""
    before = left - 1
    while before > max(0, left - MARKS_AT_MOST) and unicodedata.category(text[before]).startswith("M"):
        before -= 1  # vowel signs and tone marks belong to the letter before them
    letter = unspaced_letter()
    return before >= 0 and bool(letter.match(text, before) and letter.match(text, right))


def _blank_at_fault(text: str) -> bool:
    """Whether a run of plain spaces, tabs and line breaks in `text` may need a fix."""
    return (
        " \n" in text
        or "\t\n" in text
        or "\n\n\n" in text
        or "\r" in text
        or text.startswith("\n")
        or text.endswith((" ", "\t", "\n\n"))
    )


# --- typography ---------------------------------------------------------------------------------------------


def typography(text: str) -> list[Finding]:
    """Fixes that do what ftfy's `fix_latin_ligatures`, `fix_character_width` and `uncurl_quotes` do.

    >>> apply("it’s ﬁne", typography("it’s ﬁne"))
    "it's fine"
    """
    if text.isascii():
        return []
    return [
        fix("typography", text, match.start(), match.end(), _plain(match.group()), match.lastgroup)
        for match in _typography().finditer(text)
    ]


def _plain(text: str) -> str:
    return fixes.uncurl_quotes(fixes.fix_character_width(fixes.fix_latin_ligatures(text)))


@cache
def _typography() -> re.Pattern[str]:
    """Matches a run of characters that one of ftfy's functions changes, as a group of its name."""
    characters = {
        "fix_latin_ligatures": map(chr, LIGATURES),
        "fix_character_width": map(chr, WIDTH_MAP),
        "uncurl_quotes": map(chr, (0x02BC, *range(0x2018, 0x2020))),
    }
    return re.compile("|".join(f"(?P<{name}>[{re.escape(''.join(of))}]+)" for name, of in characters.items()))
