"""The rules of the text level for a batch: screens choose the texts that may change, and only those are repaired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import encode_utf8, pack
from dedup.findings import Finding
from dedup.kernels.backend import Backend
from dedup.prepare.one_text import remove_page_furniture
from dedup.repairs.repair import RepairState
from dedup.repairs.screen import BITS, ENCODING
from dedup.rules import OFF
from dedup.settings import Settings


class RepairedTexts(NamedTuple):
    """The texts of a batch after the rules of the text level.

    Attributes:
        texts: the repaired texts.
        encoded: the same in UTF-8, with lone surrogates.
        findings: the findings of each text, with spans in the raw text.
    """

    texts: list[str]
    encoded: list[bytes]
    findings: list[list[Finding]]


def repair_texts(
    raw_texts: Sequence[str], encoded_texts: Sequence[bytes], settings: Settings, backend: Backend
) -> RepairedTexts:
    """Return the texts of a batch after the rules of the text level; `encoded_texts` are `raw_texts` in UTF-8."""
    texts, encoded = list(raw_texts), list(encoded_texts)
    findings: list[list[Finding]] = [[] for _ in texts]
    for row, state in _repair_in_rounds(raw_texts, encoded, settings, backend).items():
        texts[row], findings[row] = state.text, state.findings
        encoded[row] = encode_utf8(state.text)
    if settings.rules["page-furniture"] != OFF:
        for row, lines in backend.find_furniture_lines(*pack(encoded)).items():
            texts[row], findings[row] = remove_page_furniture(
                raw_texts[row], texts[row], findings[row], settings, lines
            )
            encoded[row] = encode_utf8(texts[row])
    return RepairedTexts(texts, encoded, findings)


def _repair_in_rounds(
    raw_texts: Sequence[str], encoded: list[bytes], settings: Settings, backend: Backend
) -> dict[int, RepairState]:
    """Return the final repair state of each text that a screen suspects, by its number.

    Each round screens the texts that the previous one changed, and applies the rules to those that are suspect.
    """
    enabled = sum(bit for rule, bit in BITS.items() if settings.rules[rule] != OFF)
    states: dict[int, RepairState] = {}
    rows = list(range(len(encoded)))
    while rows:
        rule_bits = backend.rules_that_may_apply(*pack(encoded)) & enabled
        suspects = np.flatnonzero(rule_bits).tolist()
        rows, rule_bits = [rows[suspect] for suspect in suspects], rule_bits[suspects]
        encoded = [encoded[suspect] for suspect in suspects]
        encoding_suspects = np.flatnonzero(rule_bits & ENCODING).tolist()
        suspect_lines = backend.find_suspect_lines(*pack([encoded[suspect] for suspect in encoding_suspects]))
        lines_of = dict(
            zip(
                (rows[suspect] for suspect in encoding_suspects),
                suspect_lines.by_text(len(encoding_suspects)),
                strict=True,
            )
        )
        unsettled = []
        for row, bits in zip(rows, rule_bits.tolist(), strict=True):
            state = states.setdefault(row, RepairState(raw_texts[row], settings))
            if state.round(bits, lines_of.get(row)):
                unsettled.append(row)
        rows = unsettled
        encoded = [encode_utf8(states[row].text) for row in rows]
    return states
