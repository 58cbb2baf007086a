"""The judge: what has to be true of every job after any mix of faults, once the dust has settled.

Pure: looks at a `History` and at nothing else. Ids are those of the catalogue of faults.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from lambdas.jobs.status import ENDS, TRANSITIONS, Status
from laptop.chaos.history import ACCEPTED, History, Row, Seen
from laptop.chaos.kinds import BY_NAME

FINAL: Final = frozenset({"SUCCEEDED", "CANCELLED"})
PICTURES: Final = frozenset({"preview", "thumbnail"})
MOST_TRIES: Final = 2
SUPERSEDED: Final = "JobSuperseded"
STOPPED: Final = frozenset({"ABORTED", "TIMED_OUT"})
"""An execution that was stopped from outside may have been about to say anything."""
AGREES: Final[Mapping[str, frozenset[str]]] = {
    "SUCCEEDED": frozenset({"SUCCEEDED"}) | STOPPED,
    "FAILED": frozenset({"FAILED"}) | STOPPED,
    "CANCELLED": frozenset({"SUCCEEDED"}) | STOPPED,
}
"""What the current execution of a job may have ended as, by the status of its row."""

INVARIANTS: Final[Mapping[str, str]] = {
    "I1": "every accepted job is in exactly one end, and its execution agrees",
    "I2": "no result is stored twice or in another attempt, and a success has all that it promises",
    "I3": "progress never goes down within an attempt, and statuses change as allowed",
    "I4": "an accepted cancel is kept, and leaves nothing behind",
    "I5": "every failed job has its dead letter, and every letter its failed job",
    "I6": "nothing fails but for a fault that it could fail of",
    "I7": "an end is never overwritten, and a redrive repeats nothing that was finished",
}


@dataclass(frozen=True, kw_only=True)
class Violation:
    """Something that should not be."""

    invariant: str
    job: str
    expected: str
    found: str


Found = Iterator[tuple[str, str]]
"""What was expected, and what was found instead."""


def violations(history: History) -> list[Violation]:
    """Judge a run."""
    return [
        Violation(invariant=invariant, job=job, expected=expected, found=found)
        for invariant, checks in _CHECKS.items()
        for check in checks
        for job, expected, found in check(history)
    ]


def _of_jobs(check: Callable[[History, str, Row], Found]) -> Callable[[History], Iterator[tuple[str, str, str]]]:
    """Check every job that has a row."""

    def check_all(history: History) -> Iterator[tuple[str, str, str]]:
        for job, row in history.rows.items():
            for expected, found in check(history, job, row):
                yield job, expected, found

    return check_all


def _has_one_end(history: History) -> Iterator[tuple[str, str, str]]:
    for job in history.accepted:
        row = history.rows.get(job)
        status = "no row" if row is None else str(row["status"])
        if status not in ENDS:
            yield job, "an end", status


def _exists_because_it_was_asked_for(history: History, job: str, _row: Row) -> Found:
    if job not in history.wanted:
        yield "no job that nobody has asked for", f"a row for {job}"


def _agrees_with_its_execution(history: History, _job: str, row: Row) -> Found:
    execution = history.executions.get(row["execution"])
    if execution is None:
        # Never started, or forgotten by the emulator when it was restarted.
        return
    if execution.status == "RUNNING":
        yield "no execution that runs on", f"{execution.name} is RUNNING"
    elif execution.status not in AGREES.get(row["status"], ()) and execution.error != SUPERSEDED:
        yield f"an execution that agrees with {row['status']}", f"{execution.status} ({execution.error})"


def _has_no_other_executions(history: History) -> Iterator[tuple[str, str, str]]:
    for name, execution in history.executions.items():
        job, _, attempt = name.rsplit("-", 2)
        row = history.rows.get(job)
        if row is None or int(attempt.removeprefix("a")) > row["attempt"]:
            yield job, "executions of attempts that the row knows", name
        elif execution.status == "RUNNING" and name != row["execution"]:
            yield job, "no execution that runs on", f"{name} is RUNNING"


def _leaves_no_message(history: History) -> Iterator[tuple[str, str, str]]:
    for queue, count in history.queues.items():
        if count:
            yield "", f"{queue} is empty", f"{count} messages"


def _stores_no_result_twice(history: History, job: str, _row: Row) -> Found:
    for before, after in pairwise(history.seen.get(job, ())):
        for name, stage in before.row["stages"].items():
            now = after.row["stages"].get(name, {})
            if stage["status"] == now.get("status") == "DONE" and _result(stage) != _result(now):
                yield f"one result of {name}", f"{_result(stage)}, then {_result(now)}"


def _mixes_no_attempts(history: History, job: str, _row: Row) -> Found:
    """A result is of a try that began in the attempt that it is stored in: a writer of an earlier one is too late.

    A try begins and ends with the same token. Attempts of which a change was not seen are not judged.
    """
    began: set[tuple[int, str, str]] = set()
    unseen: set[int] = set()
    for before, after in pairwise(history.seen.get(job, ())):
        if after.version != before.version + 1:
            unseen |= {before.attempt, after.attempt}
        tokens = after.row.get("tokens", {})
        for name, stage in after.row["stages"].items():
            was = before.row["stages"].get(name, {})
            if stage["tries"] > was.get("tries", 0):
                began.add((after.attempt, name, tokens.get(f"begin-{name}")))
            is_stored = stage["status"] == "DONE" != was.get("status")
            own = (after.attempt, name, tokens.get(f"end-{name}")) in began
            if is_stored and not own and after.attempt not in unseen:
                yield f"a result of {name} by a try of attempt {after.attempt}", "one by a try of an earlier attempt"


def _result(stage: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(stage.get(name) for name in ("folder", "result", "resultKey", "finishedAt"))


def _keeps_its_promise(history: History, job: str, row: Row) -> Found:
    if row["status"] != "SUCCEEDED":
        return
    wanted, result = history.wanted.get(job), history.results.get(job)
    undone = [name for name, stage in row["stages"].items() if stage["status"] not in {"DONE", "SKIPPED"}]
    if undone:
        yield "every stage done", f"{', '.join(undone)} not"
    if result is None or result.trouble:
        yield "a report that can be read", result.trouble or "none" if result else "none"
    elif wanted:
        if result.image != wanted.image:
            yield f"a report about {wanted.image}", str(result.image)
        if result.analyses != wanted.analyses:
            yield f"the analyses {sorted(wanted.analyses)}", str(sorted(result.analyses))
        if result.pictures != PICTURES:
            yield f"the pictures {sorted(PICTURES)}", str(sorted(result.pictures))
    kept = set(history.objects.get(job, ()))
    for stage in row["stages"].values():
        lost = {f"{stage.get('folder')}/{name}" for name in stage.get("checksums", {})} - kept
        if lost and not _was_spoiled(history, job):
            yield "every file that the row names", f"no {', '.join(sorted(lost))}"


def _was_spoiled(history: History, job: str) -> bool:
    return any(fault.kind in {"object-deleted", "object-replaced"} for fault in history.faults_of(job))


def _goes_forward(history: History, job: str, _row: Row) -> Found:
    for before, after in pairwise(history.seen.get(job, ())):
        if before.attempt == after.attempt and after.progress < before.progress:
            yield "progress that does not go down", f"{before.progress} %, then {after.progress} %"


def _changes_as_allowed(history: History, job: str, _row: Row) -> Found:
    for before, after in pairwise(history.seen.get(job, ())):
        if not _is_allowed(before, after):
            yield "a change of status that is allowed", _described(before, after)


def _is_allowed(before: Seen, after: Seen) -> bool:
    """One change at a time is seen, but for those around a restart: then each has to be possible, one by one."""
    if after.status == before.status and after.attempt == before.attempt:
        return True
    steps = after.version - before.version
    reached = {(Status(before.status), before.attempt)}
    for _ in range(min(steps, 2 * len(Status))):
        reached |= {_step(status, attempt, target) for status, attempt in reached for target in TRANSITIONS[status]}
    return (Status(after.status), after.attempt) in reached


def _step(status: Status, attempt: int, target: Status) -> tuple[Status, int]:
    return target, attempt + 1 if status is Status.FAILED else attempt


def _described(before: Seen, after: Seen) -> str:
    return f"{before.status} at attempt {before.attempt}, then {after.status} at attempt {after.attempt}"


def _keeps_a_cancel(history: History, job: str, row: Row) -> Found:
    if history.is_cancelled_by_owner(job) and row["status"] != "CANCELLED":
        yield "CANCELLED, because the cancel was accepted", str(row["status"])
    if row["status"] == "CANCELLED" and not history.is_cancelled_by_owner(job):
        yield "no CANCELLED that nobody has asked for", "CANCELLED"


def _leaves_nothing_behind(history: History, job: str, row: Row) -> Found:
    if row["status"] == "CANCELLED" and (left := history.objects.get(job)):
        yield "nothing in the bucket", ", ".join(sorted(left))


def _has_its_letter(history: History, job: str, row: Row) -> Found:
    if row["status"] != "FAILED":
        return
    letters = [letter for letter in history.letters if (letter["jobId"], letter["attempt"]) == (job, row["attempt"])]
    if not letters:
        yield f"a dead letter of attempt {row['attempt']}", "none"
    told = (row["error"]["class"], row["error"]["message"])
    for letter in letters:
        if (letter["errorClass"], letter["message"]) != told:
            yield f"a letter that says {told}", f"{letter['errorClass']}, {letter['message']}"
        if row["error"].get("stage", letter["stage"]) != letter["stage"]:
            yield f"a letter that names {row['error']['stage']}", letter["stage"]
        if row["execution"] in history.executions and not _names(letter, row["execution"]):
            yield f"a letter that names the execution {row['execution']}", str(letter["executionArn"])
        if not letter.get("next") or "redriveCanHelp" not in letter:
            yield "a letter that says what to do", str(sorted(letter))


def _names(letter: Mapping[str, Any], execution: str) -> bool:
    return bool(letter["executionArn"]) and str(letter["executionArn"]).endswith(f":{execution}")


def _letters_belong_to_failures(history: History) -> Iterator[tuple[str, str, str]]:
    for body in history.unreadable_letters:
        yield "", "letters that can be read", body[:200]
    for letter in history.letters:
        job, attempt = letter["jobId"], letter["attempt"]
        if job is None:
            if not any(mark in (letter.get("body") or "") for mark in history.poisons):
                yield "", "a letter of a message that was sent", str(letter)[:300]
        elif not _has_failed(history, job, attempt):
            yield job, f"a letter of an attempt that failed, not {attempt}", _fate(history, job)
    for mark in history.poisons:
        if not any(mark in (letter.get("body") or "") for letter in history.letters):
            yield mark, "a letter with the message that could not be read", "none"


def _has_failed(history: History, job: str, attempt: int) -> bool:
    """The current attempt by its row; an earlier one because nothing else leads to a later one."""
    row = history.rows.get(job)
    return row is not None and (attempt < row["attempt"] or (attempt == row["attempt"] and row["status"] == "FAILED"))


def _fate(history: History, job: str) -> str:
    row = history.rows.get(job)
    return "no row" if row is None else f"{row['status']} at attempt {row['attempt']}"


def _says_the_same_in_all_letters(history: History) -> Iterator[tuple[str, str, str]]:
    """Delivery is at least once: the same letter may be there twice, two different ones may not."""
    told: dict[tuple[str, int], set[tuple[str, str, str]]] = {}
    for letter in history.letters:
        if letter["jobId"] is not None:
            words = (letter["stage"], letter["errorClass"], letter["message"])
            told.setdefault((letter["jobId"], letter["attempt"]), set()).add(words)
    for (job, attempt), versions in told.items():
        if len(versions) > 1:
            yield job, f"one letter of attempt {attempt}", str(sorted(versions))


def _fails_for_a_reason(history: History, job: str, row: Row) -> Found:
    """A job that only met what Darkroom survives must not have failed, nor as anything but what it met."""
    if row["status"] != "FAILED":
        return
    possible = _may_fail_as(history, job)
    if row["error"]["class"] not in possible:
        expected = f"to fail only as {', '.join(sorted(possible))}" if possible else "not to fail"
        yield expected, f"{row['error']['class']}: {row['error']['message']}"


def _may_fail_as(history: History, job: str) -> frozenset[str]:
    own = history.wanted[job].fails_as if job in history.wanted else frozenset()
    return own.union(*(BY_NAME[fault.kind].fails_as for fault in history.faults_of(job)))


def _is_not_tried_for_ever(history: History, job: str, row: Row) -> Found:
    """A process that dies is tried once more. A restart begins the execution anew, and with it the count."""
    began = history.accepted.get(job, 0.0)
    was_restarted = any(fault.kind == "emulator-restarted" and fault.at >= began for fault in history.faults)
    if row["status"] != "FAILED" or was_restarted:
        return
    for place, stage in row["stages"].items():
        kinds = {fault.kind for fault in history.faults_of(job) if fault.place == place}
        if kinds == {"dies-for-ever"} and stage["tries"] > MOST_TRIES:
            yield f"at most {MOST_TRIES} tries of {place}", str(stage["tries"])


def _does_not_succeed_in_vain(history: History, job: str, row: Row) -> Found:
    hopeless = any(fault.kind == "fails-for-ever" for fault in history.faults_of(job))
    wanted = history.wanted.get(job)
    if row["status"] == "SUCCEEDED" and (hopeless or (wanted and wanted.fails_as)):
        yield "not to succeed: what it asked for cannot be done", "SUCCEEDED"


def _keeps_its_end(history: History, job: str, _row: Row) -> Found:
    for before, after in pairwise(history.seen.get(job, ())):
        if before.status in FINAL and after.status != before.status:
            yield f"{before.status} for good", _described(before, after)
        if after.version < before.version:
            yield "a row that does not go back in time", f"version {before.version}, then {after.version}"


def _redrives_when_asked(history: History, job: str, row: Row) -> Found:
    asked = len(history.calls_about(job, "redrive"))
    if row["attempt"] - 1 > asked:
        yield f"at most {asked + 1} attempts, one for each redrive", str(row["attempt"])
    for call in history.calls_about(job, "redrive"):
        if call.job_status in FINAL and call.answer == ACCEPTED:
            yield f"409 to the redrive of a job that is {call.job_status}", str(call.answer)
    for call in history.calls_about(job, "cancel"):
        if call.job_status == "SUCCEEDED" and call.answer == ACCEPTED:
            yield "409 to the cancel of a job that is SUCCEEDED", str(call.answer)


def _repeats_nothing_finished(history: History, job: str, _row: Row) -> Found:
    """A redrive after an artefact was lost does everything anew: that is what it is for."""
    for before, after in pairwise(history.seen.get(job, ())):
        lost = before.row.get("error", {}).get("class") == "ArtefactLost" or _was_spoiled(history, job)
        for name, stage in before.row["stages"].items():
            now = after.row["stages"].get(name, {})
            if stage["status"] == "DONE" and _work(now) != _work(stage) and not lost:
                yield f"{name} finished once and for all", f"{_work(stage)}, then {_work(now)}"


def _work(stage: Mapping[str, Any]) -> tuple[Any, ...]:
    return stage.get("status"), stage.get("tries"), stage.get("attempt")


_CHECKS: Final[Mapping[str, tuple[Callable[[History], Iterator[tuple[str, str, str]]], ...]]] = {
    "I1": (
        _has_one_end,
        _of_jobs(_exists_because_it_was_asked_for),
        _of_jobs(_agrees_with_its_execution),
        _has_no_other_executions,
        _leaves_no_message,
    ),
    "I2": (_of_jobs(_stores_no_result_twice), _of_jobs(_mixes_no_attempts), _of_jobs(_keeps_its_promise)),
    "I3": (_of_jobs(_goes_forward), _of_jobs(_changes_as_allowed)),
    "I4": (_of_jobs(_keeps_a_cancel), _of_jobs(_leaves_nothing_behind)),
    "I5": (_of_jobs(_has_its_letter), _letters_belong_to_failures, _says_the_same_in_all_letters),
    "I6": (_of_jobs(_fails_for_a_reason), _of_jobs(_is_not_tried_for_ever), _of_jobs(_does_not_succeed_in_vain)),
    "I7": (_of_jobs(_keeps_its_end), _of_jobs(_redrives_when_asked), _of_jobs(_repeats_nothing_finished)),
}
