"""The outcome of a corpus as one table, and what is wrong with it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.hostile.case import Expected
from tests.hostile.judging import CRASHED, MAX_CPU_SECONDS, REFUSED, REPORT, Outcome

MAX_MEGABYTES = 512
_EXTREMES = 8
_REASON_LENGTH = 90


def faults(outcomes: Sequence[Outcome], files: Mapping[Path, Expected]) -> list[str]:
    """Say for each file that did not end as it has to, what is wrong."""
    expected = {path.name: expectation for path, expectation in files.items()}
    return [f"{outcome.file}: {fault}" for outcome in outcomes for fault in _faults_of(outcome, expected[outcome.file])]


def _faults_of(outcome: Outcome, expected: Expected) -> Iterator[str]:
    if outcome.outcome == CRASHED:
        yield f"crashed: {outcome.reason}"
    if expected is Expected.REPORT and outcome.outcome == REFUSED:
        yield f"refused, but it is fine: {outcome.reason}"
    if expected is Expected.REFUSAL and outcome.outcome == REPORT:
        yield "ended in a report, but cannot be right"
    if outcome.outcome == REFUSED and not is_advice(outcome.reason):
        yield f"the reason does not say what to do: {outcome.reason}"
    if outcome.megabytes > MAX_MEGABYTES:
        yield f"took {outcome.megabytes:.0f} MB"
    if outcome.cpu_seconds > MAX_CPU_SECONDS:
        yield f"took {outcome.cpu_seconds:.0f} s"


def is_advice(reason: str) -> bool:
    """Whether a reason is a sentence that says what is wrong, and another that says what to do."""
    words = reason.lower()
    return (
        reason.endswith(".")
        and reason.count(". ") + reason.count(": ") >= 1
        and any(verb in words for verb in ("upload", "save", "convert", "shrink", "crop"))
    )


def text(outcomes: Sequence[Outcome], files: Mapping[Path, Expected]) -> str:
    """Write the table: kinds with their outcomes, reasons, the slowest, the hungriest, and what is wrong."""
    found = faults(outcomes, files)
    lines = [*_kinds(outcomes), "", *_reasons(outcomes), ""]
    lines += _extremes("slowest", outcomes, "cpu_seconds", "s of CPU")
    lines += ["", *_extremes("hungriest", outcomes, "megabytes", "MB")]
    verdict = (
        f"{len(found)} of {len(outcomes)} files did not end as they have to"
        if found
        else (
            f"All {len(outcomes)} files ended in a report or in InvalidImage, each within {MAX_MEGABYTES} MB and "
            f"{MAX_CPU_SECONDS} s of CPU."
        )
    )
    return "\n".join([*lines, "", verdict, *(f"  {fault}" for fault in found)])


def _kinds(outcomes: Sequence[Outcome]) -> Iterator[str]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counts[outcome.file.partition("--")[0] if "--" in outcome.file else "files"][outcome.outcome] += 1
    yield f"{'kind':14}{'files':>7}{REPORT:>9}{REFUSED:>9}{CRASHED:>9}"
    for kind, count in sorted(counts.items()):
        yield f"{kind:14}{count.total():7}{count[REPORT]:9}{count[REFUSED]:9}{count[CRASHED]:9}"


def _reasons(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "reasons"
    counts = Counter(outcome.reason for outcome in outcomes if outcome.outcome == REFUSED)
    for reason, count in counts.most_common():
        yield f"{count:7}  {reason if len(reason) <= _REASON_LENGTH else reason[: _REASON_LENGTH - 1] + '…'}"


def _extremes(title: str, outcomes: Sequence[Outcome], measure: str, unit: str) -> Iterator[str]:
    yield title
    for outcome in sorted(outcomes, key=lambda outcome: getattr(outcome, measure), reverse=True)[:_EXTREMES]:
        yield f"{getattr(outcome, measure):7.1f} {unit}  {outcome.file} ({outcome.outcome})"
