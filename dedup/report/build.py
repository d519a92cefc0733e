"""Build the report on one run: read a part of its output, count, and fetch the texts that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dedup.findings import Finding
from dedup.fingerprint.minhash import bands
from dedup.inspect.article_rows import Article
from dedup.inspect.names import RecordKey, twin_key
from dedup.inspect.output import Output, open_output
from dedup.report.alarms import OtherFacts, alarms_of, other_numbers
from dedup.report.flows import flows_between, periods_of
from dedup.report.gather import BINS, Gathered, OfGroup, ShownFinding, gather, known_article
from dedup.report.page import (
    GroupRow,
    NamedArticle,
    ReadPart,
    Reason,
    RepairRow,
    RuleExamples,
    RuleRow,
    RunPage,
    Similarities,
    SourceRow,
)
from dedup.report.sampled_output import SampledOutput, every_nth
from dedup.report.site_text import site_lines
from dedup.report.texts import beginning_of, example_of, member, raw_of, repair_of, twin_keys
from dedup.rules import BY_NAME, NAMES
from dedup.write.report import COUNT_NAMES

SAMPLE_SEED = 1  # of the sample that is read

GROUPS_SHOWN = 10
FLOWS_SHOWN = 15
SOURCES_SHOWN = 25
LINES_SHOWN = 15
REPAIRS_SHOWN = 12
REASONS_SHOWN = 10

_TWINS_PLACED = 1_000  # twins outside of the sample whose source and date are looked up
_PAIRS_COMPARED = 60  # dropped near-duplicates whose numbers are compared; 20 ms for two of 1,200 words
_SUREST, _BORDERLINE, _SHORTEST = "surest", "most borderline", "shortest"


def report_on_run(path: str | Path, seed: int = SAMPLE_SEED) -> RunPage:
    """Return the report on the output in the folder `path`, with a sample chosen by `seed` if it is large.

    Raises `OutputError` if `path` is not an output or cannot be read.
    """
    output = open_output(path)
    sample = SampledOutput(output, seed)
    return _ReportBuilder(output, sample, gather(sample.articles(), output.settings)).page()


class _ReportBuilder:
    """What the sections of a report are made from."""

    def __init__(self, output: Output, sample: SampledOutput, gathered: Gathered) -> None:
        self.output = output
        self.run: dict[str, Any] = output.run
        self.sample = sample
        self.gathered = gathered
        self.texts: dict[RecordKey, Article] = {}

    def page(self) -> RunPage:
        """Return the report."""
        gathered, run = self.gathered, self.run
        groups = sorted(gathered.groups.items(), key=lambda item: (-item[1].size, item[0]))[:GROUPS_SHOWN]
        choices = self._choices()
        pairs = self._pairs()
        self._fetch(groups, choices, pairs)
        self._place_twins()
        group_rows = tuple(self._group_row(key, group) for key, group in groups)
        sources = self._source_rows()
        flows, within = flows_between(gathered.drops, gathered.known)
        quarantine = _reasons(run.get("errors", {}))
        counts = {**dict.fromkeys(COUNT_NAMES, 0), **run.get("counts", {})}
        return RunPage(
            inputs=tuple(entry["source"] for entry in run["inputs"]),
            counts=counts,
            characters={"read": 0, "written": 0, **run.get("characters", {})},
            part=read_part(self.sample, gathered.articles, gathered.findings),
            rules=tuple(self._rule_rows()),
            sources=sources[:SOURCES_SHOWN],
            source_count=len(sources),
            periods=tuple(periods_of(gathered.days)),
            undated=gathered.undated,
            alarms=alarms_of(gathered, sources, group_rows, quarantine, counts["records"], self._other_facts(pairs)),
            groups=group_rows,
            group_count=len(gathered.groups),
            flows=tuple(flows[:FLOWS_SHOWN]),
            within_source=within,
            site_text=site_lines(self.output, gathered.site_lines, gathered.sources, LINES_SHOWN),
            examples=self._examples(choices),
            similarities=self._similarities(),
            repairs=self._repairs(),
            quarantine=quarantine[:REASONS_SHOWN],
            settings=run["settings"],
            versions={"dedup": "", **run.get("versions", {})},
            digest=run["dedup"].get("digest", ""),
        )

    def _fetch(
        self,
        groups: list[tuple[RecordKey, OfGroup]],
        choices: dict[str, list[tuple[str, Finding]]],
        pairs: list[tuple[RecordKey, RecordKey]],
    ) -> None:
        """Fetch the articles whose texts are shown or compared, and learn their sources and days."""
        keys = {key for key, _ in groups}
        keys |= {group.first for _, group in groups if group.first}
        keys |= twin_keys([finding for chosen in choices.values() for _, finding in chosen])
        keys |= {repair.shown[0] for repair in self.gathered.repairs.values() if repair.shown}
        keys |= {key for pair in pairs for key in pair}
        self.texts = self.sample.find(keys)
        for key, article in self.texts.items():
            self.gathered.known.setdefault(key, known_article(article, self.output.settings))

    def _place_twins(self) -> None:
        """Learn the sources and days of twins that are not in the sample."""
        known = self.gathered.known
        unknown = dict.fromkeys(twin for _, twin in self.gathered.drops if twin not in known)
        chosen = every_nth(list(unknown), _TWINS_PLACED)
        for key, article in self.sample.find(chosen, findings=False).items():
            known[key] = known_article(article, self.output.settings)

    def _rule_rows(self) -> list[RuleRow]:
        read = max(1, self.run.get("characters", {}).get("read", 0))
        by_rule = self.run.get("rules", {})
        return [
            RuleRow(
                rule=name,
                level=BY_NAME[name].level,
                action=action,
                findings=numbers["findings"],
                characters=numbers["characters"],
                share=numbers["characters"] / read,
                articles=self.gathered.rule_articles[name, action],
            )
            for name in NAMES
            for action, numbers in by_rule.get(name, {}).items()
        ]

    def _source_rows(self) -> tuple[SourceRow, ...]:
        rows = [
            SourceRow(
                name=name,
                articles=source.articles,
                dropped=source.dropped,
                characters=source.characters,
                removed=source.removed,
                drops=dict(sorted(source.drops.items())),
            )
            for name, source in self.gathered.sources.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.dropped, -row.articles, row.name)))

    def _member(self, key: RecordKey) -> NamedArticle:
        return member(key, self.gathered.known.get(key))

    def _group_row(self, key: RecordKey, group: OfGroup) -> GroupRow:
        survivor = self.texts.get(key)
        known = self.gathered.known
        own_day = known[key].day if key in known else None
        is_first = own_day is not None and (group.first_day is None or own_day <= group.first_day)
        first = key if is_first else group.first
        return GroupRow(
            size=group.size + 1,
            survivor=self._member(key),
            first=None if first is None else self._member(first),
            sources=dict(sorted(group.sources.items(), key=lambda item: (-item[1], item[0]))),
            members=tuple(map(self._member, group.members)),
            similarity=group.similarity,
            beginning="" if survivor is None else beginning_of(survivor.text),
        )

    def _choices(self) -> dict[str, list[tuple[str, Finding]]]:
        """Return the findings that are shown as examples, by rule: the surest and the most borderline."""
        choices: dict[str, list[tuple[str, Finding]]] = {}
        for name in NAMES:
            for rule, action in sorted(self.gathered.surest):
                if rule == name:
                    surest = _best(self.gathered.surest[rule, action])
                    borderline = _best(self.gathered.borderline[rule, action])
                    shown = [
                        (_SUREST, surest[0]),
                        *((_choice(finding, surest[0]), finding) for finding in borderline[:2]),
                    ]
                    distinct = {(f.source, f.record, f.start): (choice, f) for choice, f in reversed(shown)}
                    choices.setdefault(name, []).extend(reversed(distinct.values()))
        return choices

    def _examples(self, choices: dict[str, list[tuple[str, Finding]]]) -> tuple[RuleExamples, ...]:
        rows = []
        for rule, chosen in choices.items():
            examples = []
            for choice, finding in chosen:
                key, twin = (finding.source, finding.record), twin_key(finding)
                article = self.texts.get(key)
                if article is not None:
                    names = self._member(key), None if twin is None else self._member(twin)
                    twin_article = None if twin is None else self.texts.get(twin)
                    examples.append(example_of(finding, choice, article, twin_article, names))
            if examples:
                rows.append(RuleExamples(rule=rule, finds=BY_NAME[rule].finds, examples=tuple(examples)))
        return tuple(rows)

    def _pairs(self) -> list[tuple[RecordKey, RecordKey]]:
        """Return dropped near-duplicates and their twins, evenly spread over those read."""
        return every_nth(self.gathered.near_drops, _PAIRS_COMPARED)

    def _other_facts(self, pairs: list[tuple[RecordKey, RecordKey]]) -> tuple[list[OtherFacts], int]:
        """Return the dropped near-duplicates with numbers that their twins lack, and how many were compared."""
        rows = []
        compared = 0
        for key, twin in pairs:
            if key in self.texts and twin in self.texts:
                compared += 1
                missing = other_numbers(raw_of(self.texts[key]), raw_of(self.texts[twin]))
                if missing:
                    rows.append(OtherFacts(self._member(key).name, self._member(twin).name, missing))
        return sorted(rows, key=lambda row: -len(row.numbers)), compared

    def _similarities(self) -> Similarities:
        counts = self.gathered.similarities
        threshold = self.output.settings.threshold
        number, rows = bands(threshold)

        def probability(similarity: float) -> float:
            return float(1 - (1 - similarity**rows) ** number)

        return Similarities(
            threshold=threshold,
            bands=number,
            rows=rows,
            counts=tuple(counts[hundredth] for hundredth in range(BINS)),
            equal=counts[BINS],
            near=sum(count for hundredth, count in counts.items() if hundredth < BINS),
            curve=tuple(probability(hundredth / BINS) for hundredth in range(BINS + 1)),
            at_threshold=probability(threshold),
        )

    def _repairs(self) -> tuple[RepairRow, ...]:
        repairs = sorted(self.gathered.repairs.items(), key=lambda item: (-item[1].count, item[0]))[:REPAIRS_SHOWN]
        return tuple(
            repair_of(repair.shown[1], self.texts.get(repair.shown[0]), repair.count, repair.articles)
            for _, repair in repairs
            if repair.shown
        )


def read_part(sample: SampledOutput, articles: int, findings: int) -> ReadPart:
    """Return which part of an output was read: this many articles and findings."""
    return ReadPart(
        read=articles,
        articles=sample.total,
        findings=findings,
        seed=sample.seed,
        is_whole=sample.is_whole,
        is_beginning=sample.is_beginning,
    )


def _choice(finding: Finding, surest: Finding) -> str:
    """Return why a finding is shown besides the surest of its rule."""
    return _SHORTEST if finding.similarity in {None, surest.similarity} else _BORDERLINE


def _best(candidates: list[ShownFinding]) -> list[Finding]:
    return [candidate.finding for candidate in sorted(candidates, key=lambda row: row[:2], reverse=True)]


def _reasons(errors: Mapping[str, int]) -> tuple[Reason, ...]:
    rows = [Reason(error=error, records=count) for error, count in errors.items()]
    return tuple(sorted(rows, key=lambda row: (-row.records, row.error)))
