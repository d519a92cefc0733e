"""Answers about pairs as a file of JSON lines, one per answer, written as soon as it is given.

A pair is known by the digests of its two comparison keys, so that answers outlive a moved or reordered corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from dedup.errors import InputError

SAME, DIFFERENT, SKIPPED = "same", "different", "skipped"
ANSWERS = (SAME, DIFFERENT, SKIPPED)

PairKey: TypeAlias = tuple[str, str, int]  # digests in order, words to a shingle


class Label(NamedTuple):
    """One answer: the pair's digests in hexadecimal, where its texts are, its similarity, words to a shingle."""

    texts: tuple[str, str]
    articles: tuple[str, str]
    similarity: float
    answer: str
    shingle: int

    @property
    def key(self) -> PairKey:
        """What the pair is known by."""
        one, two = sorted(self.texts)
        return one, two, self.shingle


def load_labels(path: Path) -> dict[PairKey, Label]:
    """The labels in `path` by pair, none where there is no such file; of two about one pair the later counts.

    Raises `InputError` naming the line that is no label.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no such folder; make it, or name another file with --labels") from None
        return {}
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; name another file with --labels") from None
    except ValueError:
        raise InputError(f"{path}: not UTF-8; name another file with --labels") from None
    return by_pair(_label(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())


def by_pair(labels: Iterable[Label]) -> dict[PairKey, Label]:
    """`labels` by pair, the last of each."""
    return {label.key: label for label in labels}


def append(path: Path, label: Label) -> None:
    """Adds `label` to the end of `path`."""
    line = json.dumps(label._asdict())
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            line = line if file.read(1) == b"\n" else f"\n{line}"  # someone's editor took the last line end
        file.write(f"{line}\n".encode("ascii"))


def _label(line: str, where: str) -> Label:
    try:
        value = json.loads(line)
        one, two = value["texts"]
        here, there = value["articles"]
        label = Label((one, two), (here, there), value["similarity"], value["answer"], value["shingle"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{where}: not a label; remove the line, or name another file with --labels") from None
    similar = isinstance(label.similarity, (int, float)) and 0 <= label.similarity <= 1
    texts = all(isinstance(text, str) for text in (*label.texts, *label.articles))
    if not (similar and texts and label.answer in ANSWERS and isinstance(label.shingle, int)):
        raise InputError(f"{where}: not a label; remove the line, or name another file with --labels")
    return label
