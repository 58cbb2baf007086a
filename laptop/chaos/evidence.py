"""Gathers what a run has left behind, for the judge."""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from darkroom.errors import DarkroomError

from lambdas.adapters.keys import JOB_PREFIX
from laptop.chaos.arena import Arena
from laptop.chaos.driver import Driver
from laptop.chaos.history import ACCEPTED, Execution, Fault, History, Result, Wanted
from laptop.chaos.ledger import Ledger
from laptop.chaos.persistence import persist
from laptop.chaos.pictures import BROKEN, MISSING, digest
from laptop.chaos.plan import JobPlan, Plan

_READERS: Final = 4
_JPEG: Final = b"\xff\xd8"
_QUEUES: Final = ("JobQueueUrl", "IntakeDeadLetterQueueUrl")
_CANNOT: Final = {BROKEN: "InvalidImage", MISSING: "ImageNotFound"}


def gather(plan: Plan, arena: Arena, driver: Driver, ledger: Ledger) -> History:
    """Read everything there is to know. The emulator has to run still."""
    rows = driver.watcher.rows()
    executions = _executions(arena)
    letters, unreadable = _letters(arena)
    wanted = {job.job_id: _wanted(job) for job in plan.jobs}
    wanted |= {poison.job_id: _poisoned(poison.job_id) for poison in plan.poisons if poison.is_owned}
    sent = {fault.job: fault.at for fault in ledger.faults() if fault.kind == "poison-message"}
    answered = {call.job: call.at for call in ledger.calls if call.what == "submit" and call.answer == ACCEPTED}
    return History(
        seed=plan.seed,
        wanted=wanted,
        accepted=answered | {job: at for job, at in sent.items() if job in wanted},
        rows=rows,
        seen=driver.watcher.seen(),
        executions=executions,
        letters=letters,
        unreadable_letters=unreadable,
        objects=_objects(arena),
        results=_results(arena, [job for job, row in rows.items() if row["status"] == "SUCCEEDED"]),
        faults=[*ledger.faults(), *_timed_out(executions.values())],
        calls=ledger.calls,
        poisons=frozenset(sent) - frozenset(wanted),
        queues={name: len(arena.world.messages(arena.outputs[name])) for name in _QUEUES},
    )


def keep(history: History, folder: Path) -> None:
    """Write down what is not in a file yet: every change of every row, and the letters."""
    with (folder / "changes.jsonl").open("w") as file:
        for changes in history.seen.values():
            file.writelines(json.dumps({"at": seen.at, **seen.row}, default=int) + "\n" for seen in changes)
    (folder / "letters.json").write_text(json.dumps([*history.letters, *history.unreadable_letters], indent=2))


def _wanted(job: JobPlan) -> Wanted:
    image = None if job.picture in _CANNOT else digest(job.picture)
    fails_as = frozenset({_CANNOT[job.picture]} if job.picture in _CANNOT else ())
    return Wanted(job_id=job.job_id, image=image, analyses=frozenset(job.analyses), fails_as=fails_as)


def _poisoned(job_id: str) -> Wanted:
    return Wanted(job_id=job_id, image=None, analyses=frozenset(), fails_as=frozenset({"InvalidJob"}))


def _executions(arena: Arena) -> dict[str, Execution]:
    machine = arena.outputs["StateMachineArn"]
    pages = arena.aws("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
    names = [execution["name"] for page in pages for execution in page["executions"]]
    with ThreadPoolExecutor(_READERS) as readers:
        described = readers.map(arena.world.execution, names)
        return {name: _execution(name, document) for name, document in zip(names, described, strict=True)}


def _execution(name: str, described: Mapping[str, Any]) -> Execution:
    stopped = described.get("stopDate")
    return Execution(
        name=name,
        status=described["status"],
        error=described.get("error"),
        stopped=stopped.timestamp() if stopped else None,
    )


def _timed_out(executions: Any) -> list[Fault]:
    """Which executions ran out of time is not known before the end: everything that starts meanwhile may."""
    late = [execution for execution in executions if execution.status == "TIMED_OUT"]
    return [
        Fault(at=execution.stopped or time.time(), kind="execution-timed-out", job=_job_of(execution.name))
        for execution in late
    ]


def _job_of(execution_name: str) -> str:
    return execution_name.rsplit("-", 2)[0]


def _letters(arena: Arena) -> tuple[list[dict[str, Any]], list[str]]:
    letters, unreadable = [], []
    for body in arena.world.messages(arena.outputs["DeadLetterQueueUrl"]):
        try:
            letter = json.loads(body)
        except ValueError:
            letter = None
        if isinstance(letter, dict) and letter.get("schemaVersion") == 1:
            letters.append(letter)
        else:
            unreadable.append(body)
    return letters, unreadable


def _objects(arena: Arena) -> dict[str, list[str]]:
    objects: dict[str, list[str]] = {}
    for path in arena.world.objects(f"{JOB_PREFIX}{arena.owner}/"):
        job, _, rest = path.partition("/")
        objects.setdefault(job, []).append(rest)
    return objects


def _results(arena: Arena, jobs: Sequence[str]) -> dict[str, Result]:
    with ThreadPoolExecutor(_READERS) as readers:
        return dict(zip(jobs, readers.map(lambda job: _result(arena, job), jobs), strict=True))


def _result(arena: Arena, job: str) -> Result:
    """Fetch everything that the owner would, and nothing behind the API's back."""
    try:
        report = persist(lambda: arena.client.result(job))
        image = report["image"]["sha256"]
        contents = {name: persist(partial(arena.client.artefact, job, name)) for name in ("preview", "thumbnail")}
    except (DarkroomError, KeyError) as error:
        return Result(trouble=f"{type(error).__name__}: {error}")
    return Result(
        image=image,
        analyses=frozenset(report["analyses"]),
        pictures=frozenset(name for name, content in contents.items() if content.startswith(_JPEG)),
    )
