"""The paragraphs of a text as spans, and the spans to remove when paragraphs are dropped."""

from __future__ import annotations

from collections.abc import Sequence


def paragraphs(text: str) -> list[tuple[int, int]]:
    r"""Return the spans of the paragraphs of `text`, in order.

    A paragraph is a run of non-blank lines. In a text without a blank line between lines, each line is a paragraph.
    Spans are half-open, in code points, and exclude the line break after the last line.

    >>> paragraphs("Title\n\nOne line\nand another.\n")
    [(0, 5), (7, 28)]
    >>> paragraphs("a\nb")
    [(0, 1), (2, 3)]
    """
    runs: list[tuple[int, int]] = []
    lines: list[tuple[int, int]] = []
    position = 0
    in_run = False
    for line in text.split("\n"):
        stop = position + len(line)
        if line and not line.isspace():
            lines.append((position, stop))
            if in_run:
                runs[-1] = (runs[-1][0], stop)
            else:
                runs.append((position, stop))
            in_run = True
        else:
            in_run = False
        position = stop + 1
    return runs if len(runs) > 1 else lines


def removal_spans(spans: Sequence[tuple[int, int]], drops: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the span of text to remove for each of `drops`, so that no separator is left over.

    `spans` are those of all paragraphs. `drops` are disjoint runs ``(first, last)`` of paragraph numbers, ascending and
    inclusive. A run is removed with the separator after it. A run that ends with the last paragraph is removed with the
    separator before it. Spans that touch are parts of one paragraph: if the first part of a paragraph stays, so does
    the separator after that paragraph.

    >>> three = [(0, 1), (3, 4), (6, 7)]
    >>> removal_spans(three, [(1, 1)]), removal_spans(three, [(1, 1), (2, 2)])
    ([(3, 6)], [(1, 4), (4, 7)])
    >>> split = [(0, 1), (1, 2), (4, 5)]
    >>> removal_spans(split, [(1, 1)]), removal_spans(split, [(0, 0)])
    ([(1, 2)], [(0, 1)])
    """
    tail = len(spans)  # all paragraphs from this number on are dropped
    for first, last in reversed(drops):
        if last == tail - 1:
            tail = first
    removals = []
    previous_last = -1  # last paragraph of the previous run
    in_kept_paragraph = False  # whether the text kept before these drops is a part of the paragraph they start in
    for first, last in drops:
        if first - 1 != previous_last:
            in_kept_paragraph = first > 0 and spans[first - 1][1] == spans[first][0]
        previous_last = last
        if first < tail:
            stop = spans[last + 1][0]
            if in_kept_paragraph and stop > spans[last][1]:
                stop = spans[last][1]
                in_kept_paragraph = False
            removals.append((spans[first][0], stop))
        else:
            removals.append((spans[first - 1][1] if first else spans[0][0], spans[last][1]))
    return removals
