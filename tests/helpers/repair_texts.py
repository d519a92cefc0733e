"""Texts that repair may change, the actions of the text-level rules, and an oracle that only uses ftfy."""

from __future__ import annotations

import re
import unicodedata

import ftfy
from ftfy.chardata import CONTROL_CHARS
from hypothesis import strategies as st

from dedup.repairs.encoding import MAX_ROUNDS
from dedup.repairs.separators import join_surrogate_entities
from dedup.repairs.whitespace import TRAILING
from dedup.settings import Settings

EVERYTHING = Settings(rules={"typography": "fix"})
CONFIG = ftfy.TextFixerConfig(
    uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False, normalization="NFC", explain=True
)

PIECES = (
    "word ",
    "na\u00efve",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\u2028",
    "\x85",
    "\x0c",
    "\x0b",
    "\x1c",
    "\x1e",
    "\x1f",
    "\x01",
    "\x1b[31m",
    "\u00a0",
    "\u202f",
    "\u200b",
    "\u2060",
    "\u00ad",
    "\ufeff",
    "\u200d",
    "\u200f",
    "\u3000",
    "\u2003",
    "\u0301",
    "\u0323",
    "\u1820",
    "\u0e01",
    "\u0e31",
    "\u4e2d",
    "\ud83d",
    "\udca9",
    "\ufffd",
    "\ufb01",
    "\uff21",
    "\u201c",
    "\u2019",
    "&amp;",
    "&",
    "amp;",
    ";",
    "#38;",
    "&nbsp;",
    "&shy;",
    "&lt;",
    "<",
    "&eacute;",
    "&#10;",
    "&#11;",
    "&#12;",
    "&#55357;",
    "&#xDCA9;",
    "&#xFEFF;",
    "\u00c3\u00a9",
    "\u00c3 ",
    "\u00e2\u20ac\u2122",
    "\u00e2\u20ac",
    "\u00c2\u00a0",
    "\u00ef\u00bb\u00bf",
    "\u00c3\u0192\u00c2\u00a9",
    "\u0420\u0491\u0420\u0455",
    "\u221a\u00a9",
    "\u00ed\u00a0\u00bd\u00ed\u00b2\u00a9",
    "\u00c0\x80",
    "\u00c3\u0178\u00b0",
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.text(max_size=30),
    st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=12).map("".join),
)
ACTIONS = st.sampled_from(("fix", "flag", "off"))
SETTINGS = st.builds(
    lambda *actions: Settings(rules=dict(zip(("encoding", "whitespace", "typography"), actions, strict=True))),
    ACTIONS,
    ACTIONS,
    ACTIONS,
)


NOTHING = TRAILING + "".join(map(chr, CONTROL_CHARS))


def separated(text):
    """Return `text` with line ends for the control characters that separate words, by a walk over them."""
    pieces = []
    at = 0
    while at < len(text):
        stop = at + 1
        new = text[at]
        if text[at] in "\x0b\x0c":
            rest = text[stop:].lstrip(f"{NOTHING}\x0c")
            run = text[at : len(text) - len(rest)].rstrip(NOTHING.replace("\x0b", ""))
            before = text[:at].rstrip(NOTHING)[-1:]
            if before and rest and not {before, rest[0]} & {*"\n\r\u2028\u2029"}:
                new, stop = "\n", at + len(run)
            else:
                new, stop = run, at + len(run)
        elif text[at] in "\x1c\x1d\x1e":
            run = text[at : len(text) - len(text[at:].lstrip("\x1c\x1d\x1e"))]
            before, after, stop = text[max(at - 1, 0) : at], text[at + len(run) :][:1], at + len(run)
            between = (is_word(before) or (before and before in ".,;:!?%…)]’”»\"'")) and is_word(after)
            new = "\n" if between else run
        elif text[at] == "\u2028" and "\u2028" not in {text[at - 1 : at], text[at + 1 : at + 2]}:
            beside = text[:at].rstrip(NOTHING)[-1:] + text[stop:].lstrip(NOTHING)[:1]
            new = "" if set(beside) & {*"\r\n"} else new
        pieces.append(new)
        at = stop
    return "".join(pieces)


def is_word(character):
    return bool(character) and unicodedata.category(character)[0] in "LNM"


def oracle(text, config=CONFIG):
    """Return the lines of `text` as ftfy repairs them, but for byte order marks; repeat if a repair creates a line.

    First, control characters between words become line ends, and pairs of entities of surrogates one character.
    """
    unescaping = config._replace(unescape_html="<" not in text)
    for _ in range(MAX_ROUNDS):
        before = text
        segments = re.findall("\ufeff|[^\ufeff\n]*\n|[^\ufeff\n]+", separated(text))
        if unescaping.unescape_html:
            segments = map(join_surrogate_entities, segments)
        text = "".join(s if s == "\ufeff" else ftfy.fix_and_explain(s, unescaping).text for s in segments)
        if text == before:
            break
    return text
