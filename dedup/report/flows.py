"""Find out how texts flow between sources: who printed whose text, and who was first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dedup.inspect.names import RecordKey
from dedup.report.gather import Known
from dedup.report.page import FlowRow, Period
from dedup.report.texts import day_name

DAYS_SHOWN, MONTHS_SHOWN = 62, 62  # as many bars as can be told apart

_DAY_DIGITS, _MONTH_DIGITS, _YEAR_DIGITS = 10, 7, 4  # of a date in ISO 8601


def flows_between(
    drops: Iterable[tuple[RecordKey, RecordKey]], known: Mapping[RecordKey, Known]
) -> tuple[list[FlowRow], int]:
    """Return the flows between sources, the largest first, and the number of drops within one source.

    `drops` are pairs of a dropped article and its twin; those of which one is not `known` do not count. The origin has
    the earlier day. Pairs without days, or with the same one, follow the others of the same two sources, and the origin
    is the survivor where there are none.
    """
    dated: Counter[tuple[str, str]] = Counter()  # by origin and printer
    undated: Counter[tuple[str, str]] = Counter()  # by source of the survivor and of the dropped article
    within = 0
    for dropped_key, twin_key in drops:
        dropped, twin = known.get(dropped_key), known.get(twin_key)
        if dropped is None or twin is None:
            continue
        if dropped.source == twin.source:
            within += 1
        elif dropped.day is None or twin.day is None or dropped.day == twin.day:
            undated[twin.source, dropped.source] += 1
        else:
            first, later = (twin, dropped) if twin.day < dropped.day else (dropped, twin)
            dated[first.source, later.source] += 1
    counts = Counter(dated)
    for (origin, printer), count in undated.items():
        is_other_way = dated[printer, origin] > dated[origin, printer]
        counts[(printer, origin) if is_other_way else (origin, printer)] += count
    rows = [
        FlowRow(origin=origin, printed_by=printer, articles=count, dated=dated[origin, printer])
        for (origin, printer), count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.articles, row.origin, row.printed_by)), within


def periods_of(days: Mapping[int, list[int]]) -> list[Period]:
    """Return the articles kept and dropped by day, month or year, whichever gives few enough periods.

    `days` maps days since 1970 to the numbers of articles kept and dropped.
    """
    by_name = {name: counts for day, counts in sorted(days.items()) if (name := day_name(day))}
    for digits, most in ((_DAY_DIGITS, DAYS_SHOWN), (_MONTH_DIGITS, MONTHS_SHOWN), (_YEAR_DIGITS, len(by_name))):
        periods: dict[str, list[int]] = {}
        for name, (kept, dropped) in by_name.items():
            sums = periods.setdefault(name[:digits], [0, 0])
            sums[0] += kept
            sums[1] += dropped
        if len(periods) <= most:
            return [Period(name=name, kept=kept, dropped=dropped) for name, (kept, dropped) in periods.items()]
    return []
