"""From what the tasks found to the figures that are kept: sums, shares and intervals, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dedup import Settings
from quality import sweeps, syndication
from quality.boilerplate import LineScore
from quality.score import Score, bootstrap, share, table_row, wilson

Found = Sequence[tuple[tuple[str, str, Any], Any]]
UNSPACED = {"ja", "zh", "th"}


def gather(found: Found, seed: int) -> dict[str, Any]:
    """All tables for which there is something, by name."""
    tables: dict[str, Any] = {}
    for name, make in TABLES.items():
        mine = [(task, value) for task, value in found if task[0] == name]
        if mine:
            tables[name] = make(mine, seed)
    return tables


def _doubling(found: Found, seed: int) -> dict[str, Any]:
    rows: dict[str, dict[str, list[Score]]] = {}
    for (_, corpus, (label, suffix)), scores in found:
        rows.setdefault(label + suffix, {})[corpus] = scores
    return {
        label: {
            "all": table_row([one for scores in parts.values() for one in scores], seed),
            **{corpus: table_row(scores, seed) for corpus, scores in parts.items()},
        }
        for label, parts in rows.items()
    }


def _syndication(found: Found, _seed: int) -> dict[str, Any]:
    rows: dict[str, dict[str, syndication.Run]] = {}
    for (_, corpus, (label,)), run in found:
        rows.setdefault(label, {})[corpus] = run
    table: dict[str, Any] = {
        label: {
            "all": _copies(list(parts.values())),
            **{corpus: _copies([run]) for corpus, run in parts.items()},
        }
        for label, parts in rows.items()
    }
    every = [run for parts in rows.values() for run in parts.values()]
    return {"variants": table, "all": _copies(every), "by similarity": _bins(every)}


def _copies(runs: Sequence[syndication.Run]) -> dict[str, Any]:
    threshold = Settings().threshold
    pairs = [pair for run in runs for pair in run.pairs]
    above = [pair.dropped for pair in pairs if pair.similarity >= threshold]
    below = [pair.dropped for pair in pairs if pair.similarity < threshold]
    return {
        "pairs": len(pairs),
        "similarity": share(sum(pair.similarity for pair in pairs), len(pairs)),
        "at or above": len(above),
        "found": sum(above),
        "recall": share(sum(above), len(above)),
        "recall interval": wilson(sum(above), len(above)),
        "below": len(below),
        "dropped below": sum(below),
        "dropped": sum(run.dropped for run in runs),
        "dropped without a reason": sum(run.false for run in runs),
    }


def _bins(runs: Sequence[syndication.Run]) -> list[list[float]]:
    """Rows of lower border, pairs, and pairs of which one was dropped."""
    counts = [[border, 0, 0] for border in syndication.BINS]
    for run in runs:
        for pair in run.pairs:
            place = max(at for at, border in enumerate(syndication.BINS) if pair.similarity >= border)
            counts[place][1] += 1
            counts[place][2] += pair.dropped
    return counts


def _boilerplate(found: Found, seed: int) -> dict[str, Any]:
    tables = {}
    for hosts in (True, False):
        mine = [value for (_, _, (known, _)), value in found if known == hosts]
        lines = [line for scores, _ in mine for line in scores]
        real, lost = sum(score.real for _, score in mine), sum(score.lost for _, score in mine)
        own = [one for one in lines if one.line.kind == "own"]
        tables["hosts known" if hosts else "hosts unknown"] = {
            "own": _grouped(own, lambda one: [one.line.size, one.line.share], seed),
            "own by script": _grouped(
                [one for one in own if one.line.asked_for],
                lambda one: ["without spaces" if one.line.language in UNSPACED else "with spaces"],
                seed,
            ),
            "own by language": _grouped(
                [one for one in own if one.line.asked_for], lambda one: [one.line.language], seed
            ),
            "common": _grouped([one for one in lines if one.line.kind == "common"], lambda one: [one.line.share], seed),
            "shared": _grouped(
                [one for one in lines if one.line.kind not in {"own", "common"}],
                lambda one: [one.line.kind, "2 to 4" if one.line.copies < 5 else "5 or more"],
                seed,
            ),
            "real": real,
            "real lost": lost,
            "real lost share": share(lost, real),
        }
    return tables


def _grouped(lines: Iterable[LineScore], key: Callable[[LineScore], list[Any]], seed: int) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[LineScore]] = {}
    for one in lines:
        groups.setdefault(tuple(key(one)), []).append(one)
    return [
        {
            "group": list(group),
            "lines": len(mine),
            "copies": sum(one.line.copies for one in mine),
            "characters": sum(one.characters for one in mine),
            "dropped": share(sum(one.dropped for one in mine), sum(one.characters for one in mine)),
            "dropped interval": bootstrap([one.dropped for one in mine], [one.characters for one in mine], seed),
            "flagged": share(sum(one.flagged for one in mine), sum(one.characters for one in mine)),
        }
        for group, mine in sorted(groups.items())
    ]


def _untouched(found: Found, _seed: int) -> dict[str, Any]:
    return {
        f"{corpus}, {'hosts known' if hosts else 'hosts unknown'}": figures for (_, corpus, (hosts,)), figures in found
    }


def _sweep_untouched(found: Found, _seed: int) -> dict[str, Any]:
    return {corpus: value for (_, corpus, _), value in found}


def _sweep_blocks(found: Found, _seed: int) -> dict[str, Any]:
    parts: dict[str, dict[float, list[Any]]] = {}
    for (_, _, (name, value)), part in found:
        parts.setdefault(name, {}).setdefault(value, []).append(part)
    return {
        name: {
            "now": sweeps.current(name),
            "rows": [[value, sweeps.pooled_blocks(mine)] for value, mine in values.items()],
        }
        for name, values in parts.items()
    }


def _sweep_lines(found: Found, _seed: int) -> dict[str, Any]:
    sums: dict[str, dict[Any, dict[str, list[int]]]] = {}
    for (_, _, (name, value)), part in found:
        row = sums.setdefault(name, {}).setdefault(value, {})
        for kind, counts in part.items():
            row[kind] = [one + two for one, two in zip(row.get(kind, [0, 0, 0]), counts, strict=True)]
    return {
        name: {
            "now": sweeps.current(name),
            "rows": [
                [
                    value,
                    {
                        kind: {"dropped": share(dropped, all_), "flagged": share(flagged, all_)}
                        for kind, (all_, dropped, flagged) in row.items()
                    },
                ]
                for value, row in values.items()
            ],
        }
        for name, values in sums.items()
    }


def _sweep_threshold(found: Found, _seed: int) -> dict[str, Any]:
    sums: dict[float, dict[str, list[int]]] = {}
    for (_, _, (value,)), part in found:
        row = sums.setdefault(value, {})
        for label, counts in part.items():
            row[label] = [one + two for one, two in zip(row.get(label, [0, 0, 0]), counts, strict=True)]
    return {
        "now": sweeps.current("threshold"),
        "rows": [
            [
                value,
                {label: share(dropped, pairs) for label, (dropped, pairs, _) in row.items()},
                sum(false for _, _, false in row.values()),
            ]
            for value, row in sums.items()
        ],
    }


def _sweep_bands(found: Found, _seed: int) -> dict[str, Any]:
    rows: dict[float, list[int]] = {}
    for (_, _, (value,)), (pairs, hits, bands, of) in found:
        before = rows.get(value, [0, 0, bands, of])
        rows[value] = [before[0] + pairs, before[1] + hits, bands, of]
    return {"now": sweeps.current("RECALL_AT_THRESHOLD"), "rows": [[value, row] for value, row in rows.items()]}


TABLES: dict[str, Callable[[Found, int], dict[str, Any]]] = {
    "doubling": _doubling,
    "syndication": _syndication,
    "boilerplate": _boilerplate,
    "untouched": _untouched,
    "sweep untouched": _sweep_untouched,
    "sweep blocks": _sweep_blocks,
    "sweep lines": _sweep_lines,
    "sweep threshold": _sweep_threshold,
    "sweep bands": _sweep_bands,
}
