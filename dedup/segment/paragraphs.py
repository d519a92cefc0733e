"""Spans of the paragraphs of a text, and spans to remove for dropped ones."""

from __future__ import annotations

from collections.abc import Sequence


def paragraphs(text: str) -> list[tuple[int, int]]:
    r"""Spans of the paragraphs of `text`, in order; a span ends before its last line's end.

    >>> paragraphs("Title\n\nOne line\nand another.\n")
    [(0, 5), (7, 28)]
    >>> paragraphs("a\nb")
    [(0, 1), (2, 3)]
    """
    runs: list[tuple[int, int]] = []
    lines: list[tuple[int, int]] = []
    position = 0
    open_run = False
    for line in text.split("\n"):
        stop = position + len(line)
        if line and not line.isspace():
            lines.append((position, stop))
            if open_run:
                runs[-1] = (runs[-1][0], stop)
            else:
                runs.append((position, stop))
            open_run = True
        else:
            open_run = False
        position = stop + 1
    return runs if len(runs) > 1 else lines


def removal_spans(spans: Sequence[tuple[int, int]], drops: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The span of text to remove for each of `drops`, so that no separator is left over.

    `drops` are disjoint runs ``(first, last)`` of paragraph numbers, ascending. A run is removed with the
    separator behind it; one that reaches the last paragraph, with the separator before it. Spans that touch are
    pieces of one paragraph: where the first piece of one stays, so does a separator behind it.

    >>> cuts([(0, 1), (3, 4), (6, 7)], [(1, 1)]), cuts([(0, 1), (3, 4), (6, 7)], [(1, 1), (2, 2)])
    ([(3, 6)], [(1, 4), (4, 7)])
    >>> cuts([(0, 1), (1, 2), (4, 5)], [(1, 1)]), cuts([(0, 1), (1, 2), (4, 5)], [(0, 0)])
    ([(1, 2)], [(0, 1)])
    """
    tail = len(spans)  # the paragraphs from here on all go
    for first, last in reversed(drops):
        if last == tail - 1:
            tail = first
    result = []
    before = -1  # last paragraph of the run before
    inside = False  # whether what stays before these drops is a piece of the paragraph that they start in
    for first, last in drops:
        if first - 1 != before:
            inside = first > 0 and spans[first - 1][1] == spans[first][0]
        before = last
        if first < tail:
            stop = spans[last + 1][0]
            if inside and stop > spans[last][1]:
                stop = spans[last][1]
                inside = False
            result.append((spans[first][0], stop))
        else:
            result.append((spans[first - 1][1] if first else spans[0][0], spans[last][1]))
    return result
