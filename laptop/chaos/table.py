"""The outcome of a run as one table, and each violation with all that is known about it."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from laptop.chaos.history import ACCEPTED, History
from laptop.chaos.invariants import INVARIANTS, Violation
from laptop.chaos.kinds import KINDS

RULE_OF_THREE: Final = 3.0
"""With no violation in N trials, the rate is below 3/N with 95 % confidence."""
_LABEL: Final = 30


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run that is over."""

    history: History
    violations: Sequence[Violation]
    wanted_kinds: frozenset[str]
    at_least: int
    seconds: float
    settled: bool

    @property
    def counts(self) -> Counter[str]:
        """How often each kind has happened."""
        return Counter(fault.kind for fault in self.history.faults)

    @property
    def too_few(self) -> list[str]:
        """Kinds that were asked for and have not happened often enough to say anything about them."""
        return [
            kind.name for kind in KINDS if kind.name in self.wanted_kinds and self.counts[kind.name] < self.at_least
        ]

    @property
    def is_good(self) -> bool:
        """Whether the run shows what it is meant to show."""
        return self.settled and not self.violations and not self.too_few


def text(outcome: Outcome) -> str:
    """Write the table."""
    return "\n".join(f"{label:{_LABEL}}{value}" if value else label for label, value in _rows(outcome))


def _rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    history = outcome.history
    jobs = len(history.accepted)
    yield "seed", str(history.seed)
    yield "duration", f"{outcome.seconds / 60:.1f} min"
    yield "jobs accepted", str(jobs)
    for status, count in sorted(Counter(str(row["status"]) for row in history.rows.values()).items()):
        yield f"  {status}", str(count)
    for error_class, count in sorted(_failures(history).items()):
        yield f"    {error_class}", str(count)
    yield "faults injected", str(sum(outcome.counts.values()))
    for kind in KINDS:
        if kind.name in outcome.wanted_kinds or outcome.counts[kind.name]:
            short = f"   fewer than {outcome.at_least}" if kind.name in outcome.too_few else ""
            yield f"  {kind.name}", f"{outcome.counts[kind.name]}{short}"
    yield "duplicates absorbed", str(history.duplicates)
    yield "stages tried again", str(_further_tries(history))
    yield (
        "redrives",
        _answers(history, "redrive", f"{sum(row['attempt'] - 1 for row in history.rows.values())} attempts"),
    )
    yield "cancels", _answers(history, "cancel", f"{_honoured(history)} jobs CANCELLED")
    yield "last fault to end", _settling(history)
    yield "violations", str(len(outcome.violations))
    found = Counter(violation.invariant for violation in outcome.violations)
    for invariant, says in INVARIANTS.items():
        yield f"  {invariant}", f"{found[invariant]:<4}{says}"
    yield "so the rate of violations is", _confidence(len(outcome.violations), jobs)
    if not outcome.settled:
        yield "NOT SETTLED in time", ""


def describe(violation: Violation, history: History, command: str) -> str:
    """Write down a violation with what is known of its job."""
    lines = [f"{violation.invariant} {violation.job or 'the whole run'}"]
    lines += [f"    expected  {violation.expected}", f"    found     {violation.found}"]
    lines += [f"    fault     {fault.at:.1f}  {fault.kind} {fault.place}" for fault in history.faults_of(violation.job)]
    lines += [
        f"    asked     {call.at:.1f}  {call.what}: {call.answer}"
        for call in history.calls
        if call.job == violation.job
    ]
    lines += [f"    row       {_row(history, violation.job)}"] if violation.job in history.rows else []
    return "\n".join([*lines, f"    again     {command}"])


def command(seed: int, jobs: int, kinds: frozenset[str] | None) -> str:
    """Say what runs the same plan again."""
    chosen = f" KINDS={shlex.quote(','.join(sorted(kinds)))}" if kinds else ""
    return f"make chaos SEED={seed} JOBS={jobs}{chosen}"


def _row(history: History, job: str) -> str:
    row = history.rows[job]
    stages = ", ".join(f"{name} {stage['status']} after {stage['tries']}" for name, stage in row["stages"].items())
    error = f", {row['error']['class']} in {row['error'].get('stage')}" if "error" in row else ""
    return f"{row['status']} at attempt {row['attempt']}{error}; {stages}; due {row.get('dueAt')}"


def _failures(history: History) -> Counter[str]:
    return Counter(str(row["error"]["class"]) for row in history.rows.values() if row["status"] == "FAILED")


def _further_tries(history: History) -> int:
    """Tries beyond the first, of every stage in every attempt."""
    most: dict[tuple[str, str, int], int] = {}
    for job, changes in history.seen.items():
        for seen in changes:
            for name, stage in seen.row["stages"].items():
                of = (job, name, int(stage.get("attempt", 0)))
                most[of] = max(most.get(of, 0), int(stage["tries"]))
    return sum(tries - 1 for tries in most.values() if tries > 1)


def _answers(history: History, what: str, result: str) -> str:
    answers = Counter(call.answer for call in history.calls if call.what == what)
    refused = ", ".join(f"{count} answered {status}" for status, count in sorted(answers.items()) if status != ACCEPTED)
    return f"{sum(answers.values())} asked, {answers[ACCEPTED]} accepted{', ' + refused if refused else ''}; {result}"


def _honoured(history: History) -> int:
    return sum(row["status"] == "CANCELLED" for row in history.rows.values())


def _settling(history: History) -> str:
    waits = list(settling_seconds(history).values())
    if not waits:
        return "no job had a fault"
    return f"median {median(waits):.1f} s, maximum {max(waits):.1f} s, over {len(waits)} jobs"


def settling_seconds(history: History) -> Mapping[str, float]:
    """From a job's last fault, or the last restart during its life, to its end as it was seen; 0 when it had ended."""
    waits = {}
    for job, changes in history.seen.items():
        if str(history.rows[job]["status"]) not in {"SUCCEEDED", "FAILED", "CANCELLED"}:
            continue
        last = changes[-1]
        end = next(seen.at for seen in changes if (seen.attempt, seen.status) == (last.attempt, last.status))
        own = [fault.until or fault.at for fault in history.faults_of(job) if fault.at <= end]
        began = history.accepted.get(job, end)
        shared = [fault.until or fault.at for fault in history.faults if not fault.job and began <= fault.at <= end]
        if own or shared:
            waits[job] = max(0.0, end - max(own + shared))
    return waits


def _confidence(violations: int, jobs: int) -> str:
    if violations:
        return f"{violations} in {jobs} jobs"
    return f'at most 3/{jobs} = {RULE_OF_THREE / max(1, jobs):.1%} of jobs with 95 % confidence; not "never"'
