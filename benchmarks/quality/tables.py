"""The figures that are stored, from the results of the tasks: sums, shares and intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.quality import sweeps, syndication
from benchmarks.quality.boilerplate import LineScore
from benchmarks.quality.score import Score, bootstrap, share, table_row, wilson
from dedup import Settings

TaskResults = Sequence[tuple[tuple[str, str, Any], Any]]  # (job, corpus, other arguments) and the result
UNSPACED = {"ja", "zh", "th"}


def gather(results: TaskResults, seed: int) -> dict[str, Any]:
    """Return the table of each job that has results, by name."""
    tables: dict[str, Any] = {}
    for name, make in TABLES.items():
        of_job = [(task, value) for task, value in results if task[0] == name]
        if of_job:
            tables[name] = make(of_job, seed)
    return tables


def _doubling(results: TaskResults, seed: int) -> dict[str, Any]:
    rows: dict[str, dict[str, list[Score]]] = {}
    for (_, corpus, (label, suffix)), scores in results:
        rows.setdefault(label + suffix, {})[corpus] = scores
    return {
        label: {
            "all": table_row([score for scores in parts.values() for score in scores], seed),
            **{corpus: table_row(scores, seed) for corpus, scores in parts.items()},
        }
        for label, parts in rows.items()
    }


def _syndication(results: TaskResults, _seed: int) -> dict[str, Any]:
    rows: dict[str, dict[str, syndication.Run]] = {}
    for (_, corpus, (label,)), run in results:
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
        "dropped without a reason": sum(run.unjustified for run in runs),
    }


def _bins(runs: Sequence[syndication.Run]) -> list[list[float]]:
    """Return rows of lower bound, pairs, and pairs of which one was dropped."""
    counts: list[list[float]] = [[bound, 0, 0] for bound in syndication.BINS]
    for run in runs:
        for pair in run.pairs:
            place = max(at for at, bound in enumerate(syndication.BINS) if pair.similarity >= bound)
            counts[place][1] += 1
            counts[place][2] += pair.dropped
    return counts


def _boilerplate(results: TaskResults, seed: int) -> dict[str, Any]:
    tables = {}
    for hosts in (True, False):
        of_setting = [value for (_, _, (known, _)), value in results if known == hosts]
        lines = [line for scores, _ in of_setting for line in scores]
        real, lost = sum(score.real for _, score in of_setting), sum(score.lost for _, score in of_setting)
        own = [score for score in lines if score.line.kind == "own"]
        required = [score for score in own if score.line.is_boilerplate]
        common = [score for score in lines if score.line.kind == "common"]
        content = [score for score in lines if score.line.kind not in {"own", "common"}]
        tables["hosts known" if hosts else "hosts unknown"] = {
            "own": _grouped(own, lambda score: [score.line.size, score.line.share], seed),
            "own by script": _grouped(required, lambda score: [_script(score.line.language)], seed),
            "own by language": _grouped(required, lambda score: [score.line.language], seed),
            "common": _grouped(common, lambda score: [score.line.share], seed),
            "shared": _grouped(content, lambda score: [score.line.kind, _copy_range(score.line.copies)], seed),
            "real": real,
            "real lost": lost,
            "real lost share": share(lost, real),
        }
    return tables


def _script(language: str) -> str:
    return "without spaces" if language in UNSPACED else "with spaces"


def _copy_range(copies: int) -> str:
    return "2 to 4" if copies < 5 else "5 or more"


def _grouped(scores: Iterable[LineScore], key: Callable[[LineScore], list[Any]], seed: int) -> list[dict[str, Any]]:
    """Return the figures of planted lines, one row for each value of `key`, sorted by it."""
    groups: dict[tuple[Any, ...], list[LineScore]] = {}
    for score in scores:
        groups.setdefault(tuple(key(score)), []).append(score)
    return [_group_figures(list(group), members, seed) for group, members in sorted(groups.items())]


def _group_figures(group: list[Any], scores: list[LineScore], seed: int) -> dict[str, Any]:
    characters, dropped = [score.characters for score in scores], [score.dropped for score in scores]
    return {
        "group": group,
        "lines": len(scores),
        "copies": sum(score.line.copies for score in scores),
        "characters": sum(characters),
        "dropped": share(sum(dropped), sum(characters)),
        "dropped interval": bootstrap(dropped, characters, seed),
        "flagged": share(sum(score.flagged for score in scores), sum(characters)),
    }


def _untouched(results: TaskResults, _seed: int) -> dict[str, Any]:
    return {
        f"{corpus}, {'hosts known' if hosts else 'hosts unknown'}": figures
        for (_, corpus, (hosts,)), figures in results
    }


def _sweep_untouched(results: TaskResults, _seed: int) -> dict[str, Any]:
    return {corpus: value for (_, corpus, _), value in results}


def _sweep_blocks(results: TaskResults, _seed: int) -> dict[str, Any]:
    parts: dict[str, dict[float, list[Any]]] = {}
    for (_, _, (name, value)), part in results:
        parts.setdefault(name, {}).setdefault(value, []).append(part)
    return {
        name: {
            "now": sweeps.current(name),
            "rows": [[value, sweeps.pooled_blocks(sums)] for value, sums in values.items()],
        }
        for name, values in parts.items()
    }


def _sweep_lines(results: TaskResults, _seed: int) -> dict[str, Any]:
    sums: dict[str, dict[Any, dict[str, list[int]]]] = {}
    for (_, _, (name, value)), part in results:
        row = sums.setdefault(name, {}).setdefault(value, {})
        for kind, counts in part.items():
            row[kind] = _added(row.get(kind, [0, 0, 0]), counts)
    return {
        name: {
            "now": sweeps.current(name),
            "rows": [
                [
                    value,
                    {
                        kind: {"dropped": share(dropped, total), "flagged": share(flagged, total)}
                        for kind, (total, dropped, flagged) in row.items()
                    },
                ]
                for value, row in values.items()
            ],
        }
        for name, values in sums.items()
    }


def _sweep_threshold(results: TaskResults, _seed: int) -> dict[str, Any]:
    sums: dict[float, dict[str, list[int]]] = {}
    for (_, _, (value,)), part in results:
        row = sums.setdefault(value, {})
        for label, counts in part.items():
            row[label] = _added(row.get(label, [0, 0, 0]), counts)
    return {
        "now": sweeps.current("threshold"),
        "rows": [
            [
                value,
                {label: share(dropped, pairs) for label, (dropped, pairs, _) in row.items()},
                sum(unjustified for _, _, unjustified in row.values()),
            ]
            for value, row in sums.items()
        ],
    }


def _added(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return [one + two for one, two in zip(left, right, strict=True)]


def _sweep_bands(results: TaskResults, _seed: int) -> dict[str, Any]:
    rows: dict[float, list[int]] = {}
    for (_, _, (value,)), (pairs, hits, bands, of) in results:
        total = rows.get(value, [0, 0, bands, of])
        rows[value] = [total[0] + pairs, total[1] + hits, bands, of]
    return {"now": sweeps.current("RECALL_AT_THRESHOLD"), "rows": [[value, row] for value, row in rows.items()]}


def _whole_pages(results: TaskResults, _seed: int) -> dict[str, Any]:
    return {name: figures for (_, _, (name,)), figures in results}


def _stories(results: TaskResults, _seed: int) -> dict[str, Any]:
    [(_, figures)] = results
    table: dict[str, Any] = figures
    return table


TABLES: dict[str, Callable[[TaskResults, int], dict[str, Any]]] = {
    "whole pages": _whole_pages,
    "stories": _stories,
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
