"""Puts files through the real stages, each in a process of its own, and measures what that costs.

Whatever stage the catalogue names is run. Must not judge: what has to become of a file is known to the case.
"""

import json
import multiprocessing
import os
import pickle
import resource
import select
import signal
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from lambdas.jobs.errors import InvalidImage
from lambdas.jobs.submission import OPTIONS
from lambdas.stages import image_formats
from lambdas.stages.catalogue import ANALYSES, STAGES, WORKING_COPY, Reads
from lambdas.stages.containment import run_contained
from lambdas.stages.contract import Artefact, StageInput

MAX_CPU_SECONDS = 60
"""The kernel ends a process that takes more, however it spends it. A containment inside it must act first."""
MAX_WALL_SECONDS = 600
"""A process that waits for something that never comes is ended too; no measure of speed."""
REPORT, REFUSED, CRASHED = "report", "refused", "crashed"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What has become of one file, and what it cost."""

    file: str
    outcome: str
    reason: str = ""
    """The sentence of a refusal, or whatever is known of a crash."""
    megabytes: float = 0.0
    """The most memory that any of its processes had in use, the upload and the libraries included."""
    cpu_seconds: float = 0.0
    artefacts: tuple[tuple[str, bytes], ...] = ()


def load_libraries() -> None:
    """Import once what every file needs, so that the processes of the files need not."""
    for image_format in image_formats.FORMATS:
        import_module(image_format.module)
    for stage in STAGES:
        stage.load()


def run_all(files: Iterable[Path], *, keep_artefacts: bool = False) -> Iterator[Outcome]:
    """Run the files, as many at a time as there are processors; the outcomes come in the order of the files.

    The workers are small fresh processes, because each file's process is a copy of one.
    """
    with multiprocessing.get_context("spawn").Pool(initializer=load_libraries) as pool:
        yield from pool.imap(partial(run_one, keep_artefacts=keep_artefacts), files, chunksize=8)


def run_one(file: Path, *, keep_artefacts: bool) -> Outcome:
    """Run one file in a process of its own; whatever happens to that process is the outcome."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        _run_and_tell(file, writer, keep_artefacts)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        if not select.select([pipe], [], [], MAX_WALL_SECONDS)[0]:
            os.kill(process, signal.SIGKILL)
        told = pipe.read()
    _, status, _ = os.wait4(process, 0)
    if told:
        return pickle.loads(told)  # type: ignore[no-any-return]
    return Outcome(file=file.name, outcome=CRASHED, reason=f"exit code {os.waitstatus_to_exitcode(status)}")


def _run_and_tell(file: Path, writer: int, keep_artefacts: bool) -> NoReturn:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
        outcome, reason, artefacts = _run(file)
        users = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        told = Outcome(
            file=file.name,
            outcome=outcome,
            reason=reason,
            megabytes=max(user.ru_maxrss for user in users) / 1024,
            cpu_seconds=sum(user.ru_utime + user.ru_stime for user in users),
            artefacts=artefacts if keep_artefacts else (),
        )
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(told, pipe)
        os._exit(0)
    finally:
        os._exit(1)


def _run(file: Path) -> tuple[str, str, tuple[tuple[str, bytes], ...]]:
    try:
        artefacts = analyse(file.read_bytes())
    except InvalidImage as refusal:
        return REFUSED, str(refusal), ()
    except Exception:  # noqa: BLE001 - any other end is what this looks for
        return CRASHED, traceback.format_exc(), ()
    return REPORT, "", tuple((name, artefact.content) for name, artefact in artefacts.items())


def analyse(upload: bytes) -> dict[str, Artefact]:
    """Run every stage of the catalogue in its order, as the envelope does; return all artefacts."""
    results: dict[str, dict[str, object]] = {}
    artefacts: dict[str, Artefact] = {}
    for stage in STAGES:
        if stage.asks_rekognition:
            continue  # that is shown nothing but the working copy, and decodes it elsewhere
        is_upload = stage.reads is Reads.UPLOAD
        stage_input = StageInput(
            image=upload if is_upload else artefacts[WORKING_COPY].content,
            options={name: rule.default for name, rule in OPTIONS.items() if rule.default is not None},
            analyses=ANALYSES,
            results=results,
            checkpoint=lambda _: None,
        )
        output = run_contained(stage.load(), stage_input) if is_upload else stage.load().run(stage_input)
        # As the row keeps it.
        results[stage.name] = json.loads(json.dumps(output.result, allow_nan=False))
        artefacts |= output.artefacts
    return artefacts
