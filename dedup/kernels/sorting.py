"""Sort numbers in a kernel, which has no other sorting than its own."""

from __future__ import annotations

from dedup.arrays import U64
from dedup.kernels.declare import part

_SHORT = 12  # values that insertion sorts faster than merging does


@part
def sort_values(values: U64, room: U64) -> None:
    """Sort `values`, uint64 [values], in place; `room`, uint64, has as many places or more.

    Runs of `_SHORT` values are sorted by insertion and then merged, so that no order of the values is slow.
    """
    count = len(values)
    for start in range(0, count, _SHORT):
        for at in range(start + 1, min(start + _SHORT, count)):
            value = values[at]
            place = at
            while place > start and values[place - 1] > value:
                values[place] = values[place - 1]
                place -= 1
            values[place] = value
    size = _SHORT
    while size < count:
        for start in range(0, count - size, 2 * size):
            _merge(values, room, start, start + size, min(start + 2 * size, count))
        size *= 2


@part
def _merge(values: U64, room: U64, start: int, middle: int, stop: int) -> None:
    """Merge the sorted ``values[start:middle]`` and ``values[middle:stop]`` in place; `room` takes the former."""
    if values[middle - 1] <= values[middle]:
        return
    length = middle - start
    for at in range(length):
        room[at] = values[start + at]
    left, right, place = 0, middle, start
    while left < length and right < stop:
        if values[right] < room[left]:
            values[place] = values[right]
            right += 1
        else:
            values[place] = room[left]
            left += 1
        place += 1
    while left < length:
        values[place] = room[left]
        left += 1
        place += 1
