"""Keep answers about pairs in a file of JSON lines, one line per answer, written as soon as it is given.

The digests of its two comparison keys identify a pair, so answers stay valid if the corpus is moved or reordered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, TypeAlias

from dedup.errors import InputError

SAME, DIFFERENT, SKIPPED = "same", "different", "skipped"
ANSWERS = (SAME, DIFFERENT, SKIPPED)

PairKey: TypeAlias = tuple[str, str, int]  # digests in order, words per shingle


class Label(NamedTuple):
    """An answer about a pair.

    `texts` are the digests of its texts in hexadecimal, `articles` where the texts are, and `shingle` the number of
    words per shingle that `similarity` was computed with.
    """

    texts: tuple[str, str]
    articles: tuple[str, str]
    similarity: float
    answer: str
    shingle: int

    @property
    def key(self) -> PairKey:
        """Return the identity of the pair, whichever text comes first."""
        low, high = sorted(self.texts)
        return low, high, self.shingle


def load_labels(path: Path) -> dict[PairKey, Label]:
    """Return the labels in `path` by pair; of two labels of one pair the later counts.

    A file that does not exist has no labels. Raises `InputError` if the file cannot be read, with the number of the
    line that is not a label.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no such folder; make it, or name another file with `labels`") from None
        return {}
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; name another file with `labels`") from None
    except ValueError:
        raise InputError(f"{path}: not UTF-8; name another file with `labels`") from None
    labels = (_parse_label(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())
    return {label.key: label for label in labels}


def append(path: Path, label: Label) -> None:
    """Add `label` to the end of the file at `path`, which need not exist."""
    line = json.dumps(label._asdict())
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            line = line if file.read(1) == b"\n" else f"\n{line}"  # an editor may have removed the last line end
        file.write(f"{line}\n".encode("ascii"))


def _parse_label(line: str, where: str) -> Label:
    """Return the label that a line holds. Raises `InputError`, which begins with `where`, if it holds none."""
    try:
        value = json.loads(line)
        text, other_text = value["texts"]
        article, other_article = value["articles"]
        label = Label(
            (text, other_text), (article, other_article), value["similarity"], value["answer"], value["shingle"]
        )
    except (ValueError, KeyError, TypeError):
        raise _not_a_label(where) from None
    similarity_is_valid = isinstance(label.similarity, (int, float)) and 0 <= label.similarity <= 1
    texts_are_valid = all(isinstance(text, str) for text in (*label.texts, *label.articles))
    if not (similarity_is_valid and texts_are_valid and label.answer in ANSWERS and isinstance(label.shingle, int)):
        raise _not_a_label(where)
    return label


def _not_a_label(where: str) -> InputError:
    return InputError(f"{where}: not a label; remove the line, or name another file with `labels`")
