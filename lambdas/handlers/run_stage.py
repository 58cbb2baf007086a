"""The envelope around every stage: may it still run, hand over the input, run, store the result, end.

Written once for all of them; the function's environment says which stage it is. A stage whose result is stored already
is not worked again, which is also what makes a redrive resume at the stage that failed.
"""

import hashlib
import json
import os
import time
from dataclasses import replace
from typing import Any, Final

from lambdas import config
from lambdas.adapters import keys
from lambdas.adapters.image_bucket import ArtefactMissingError, ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.metering import meter
from lambdas.adapters.rekognition import Rekognition
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers.costing import cost_of, with_stage
from lambdas.handlers.logs import about, about_trace, logger
from lambdas.handlers.planning import has_extras, needless
from lambdas.jobs.cost import Cost, Spent
from lambdas.jobs.errors import (
    ArtefactLost,
    DeadlineExceeded,
    JobCancelled,
    JobError,
    JobSuperseded,
    StageTimeout,
    TransientError,
    UnexpectedError,
)
from lambdas.jobs.failures import too_late
from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.model import Attempt, Failure, Job, StageRecord
from lambdas.jobs.status import CANCELLATION, ENDS, STAGE_CLOSED, StageStatus
from lambdas.jobs.times import now
from lambdas.stages.catalogue import BY_NAME, IDENTIFIES, LAST, MAKES_WORKING_COPY, WORKING_COPY, Reads, Stage
from lambdas.stages.containment import run_contained
from lambdas.stages.contract import StageInput, StageOutput

SECONDS_BETWEEN_LOOKS: Final = 1.0
"""A checkpoint writes progress, and learns of a cancel, at most this often: short stages write nothing in between."""
RESERVE_MS: Final = 2_000
"""Time kept back to write down that the stage has run out of it."""
MAX_INLINE_RESULT_BYTES: Final = 8 * 1024
"""DynamoDB bills the whole row at each write and takes 400 KB of it: larger results go to the bucket."""

RESULT: Final = "result.json"
LOST: Final = "The file {name}, which {stage} has made, {what}. Redrive the job: all of it is then done anew."


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run this function's stage for one attempt at a job. Returns what it was given: only ids travel between states.

    The one that looks at the image first adds whether there are `extras` to do, so that nobody else is asked.
    """
    meter.start()
    attempt = Attempt.from_payload(event)
    stage = BY_NAME[config.text(config.Variable.STAGE)]
    about(attempt, stage=stage.name)
    job = StageRun(stage, attempt, context, retries=event.get("retries", 0)).run()
    return event | {"extras": has_extras(job)} if stage.name == MAKES_WORKING_COPY.name else event


class StageRun:
    """One try of one stage."""

    def __init__(self, stage: Stage, attempt: Attempt, context: Any, *, retries: int) -> None:
        self._stage = stage
        self._attempt = attempt
        self._context = context
        self._retries = retries
        # uuid4 would do, but to import it costs more than all the rest of a try.
        self._token = os.urandom(16).hex()
        self._folder = f"{stage.name}-{self._token[:12]}"
        self._table = JobTable(config.text(config.Variable.JOB_TABLE))
        self._bucket = ImageBucket(config.text(config.Variable.IMAGE_BUCKET))
        self._last_look = time.monotonic()
        self._job: Job | None = None
        self._record_before: StageRecord | None = None

    def run(self) -> Job:
        """Do everything that there is to do; return the job as it is then.

        Raises a JobError by which the state machine knows what to do next.
        """
        try:
            job, is_open = self._begin()
            return self._end(self._work(job)) if is_open else job
        except (JobCancelled, JobSuperseded) as outcome:
            logger.info("The stage stops", extra={"reason": type(outcome).__name__})
            raise
        except JobError as error:
            self._record(error)
            raise
        except Exception as error:
            logger.exception("The stage failed in a way that it does not know")
            unexpected = UnexpectedError(
                f"The stage {self._stage.name} failed with {type(error).__name__}. "
                "This is a fault of Darkroom and not of the image."
            )
            self._record(unexpected)
            raise unexpected from error

    def _begin(self) -> tuple[Job, bool]:
        """Mark the stage as running; return the job, and whether there is anything left to do."""
        try:
            job = self._table.begin_stage(
                self._attempt, self._stage.name, token=self._token, now=now(), retries=self._retries
            )
        except RefusedError as refused:
            job = self._still_ours(refused)
        else:
            about_trace(job)
            self._record_before = job.stages[self._stage.name]
            return job, True
        if self._stage.name not in job.stages:
            self._add_missing()
            return self._begin()
        if job.stages[self._stage.name].status not in STAGE_CLOSED:
            self._refuse_late(job)
            raise JobSuperseded(f"The job has ended as {job.status}.")
        logger.info("The stage has nothing left to do", extra={"status": job.stages[self._stage.name].status})
        return job, False

    def _add_missing(self) -> None:
        """A deployment has added this stage after the job was submitted."""
        try:
            self._table.add_stage(self._attempt, self._stage.name, StageRecord(weight=self._stage.weight), now=now())
        except RefusedError as refused:
            self._still_ours(refused)

    def _work(self, job: Job) -> StageOutput:
        self._job = job
        image = self._read_image(job)
        self._checkpoint(0.0)
        stage_input = StageInput(
            image=image,
            options=job.options,
            analyses=job.analyses,
            results=self._results(job),
            checkpoint=self._checkpoint,
            recognition=Rekognition() if self._stage.asks_rekognition else None,
        )
        # The working copy is our own; an upload may hold anything.
        if self._stage.reads is Reads.UPLOAD:
            return run_contained(self._stage.load(), stage_input)
        return self._stage.load().run(stage_input)

    def _read_image(self, job: Job) -> bytes:
        if self._stage.reads is Reads.UPLOAD:
            return self._bucket.read_upload(job.owner, job.image_id)
        return self._read_artefact(job, MAKES_WORKING_COPY.name, WORKING_COPY)

    def _results(self, job: Job) -> dict[str, Any]:
        return {name: self._result(job, name, record) for name, record in job.stages.items() if record.finished_at}

    def _result(self, job: Job, name: str, record: StageRecord) -> Any:
        return record.result if record.result_key is None else json.loads(self._read_artefact(job, name, RESULT))

    def _read_artefact(self, job: Job, stage: str, name: str) -> bytes:
        """Read what an earlier stage has stored. Raises ArtefactLost when it is gone or was replaced."""
        try:
            content = self._bucket.read_artefact(job.owner, job.job_id, job.path_of(stage, name))
        except ArtefactMissingError as error:
            raise ArtefactLost(LOST.format(name=name, stage=stage, what="is gone")) from error
        expected = job.stages[stage].checksums.get(name)
        if expected is not None and expected != _checksum(content):
            raise ArtefactLost(LOST.format(name=name, stage=stage, what="was replaced"))
        return content

    def _checkpoint(self, fraction: float) -> None:
        """What a stage calls as it goes along: looks at the clock each time, and at the job once a second."""
        if self._context.get_remaining_time_in_millis() < RESERVE_MS:
            raise StageTimeout(f"The stage {self._stage.name} did not finish within {self._stage.timeout_seconds} s.")
        if self._job:
            self._refuse_late(self._job)
        if time.monotonic() - self._last_look < SECONDS_BETWEEN_LOOKS:
            return
        self._last_look = time.monotonic()
        percent = min(99, max(0, int(fraction * 100)))  # 100 is for a stage whose result is stored
        try:
            self._job = self._table.report_progress(self._attempt, self._stage.name, percent, now=now())
        except RefusedError as refused:
            job = self._still_ours(refused)
            if job.status in ENDS:
                raise JobSuperseded(f"The job has ended as {job.status}.") from refused
        except TransientError as reason:
            logger.warning("The progress could not be written", extra={"reason": str(reason)})

    def _end(self, output: StageOutput) -> Job:
        """Store the artefacts, then the result: a row that says DONE has everything that it promises.

        Return the job as it is then.
        """
        written: dict[str, str] = {}
        for name, artefact in output.artefacts.items():
            self._store(name, artefact.content, artefact.media_type, written)
        result, result_key = json.dumps(output.result, allow_nan=False), None
        if len(result) > MAX_INLINE_RESULT_BYTES:
            result_key = self._store(RESULT, result.encode(), "application/json", written)
        spent = self._spent(len(result) if result_key is None else len(result_key))
        try:
            job = self._table.end_stage(
                self._attempt,
                self._stage.name,
                result=result,
                result_key=result_key,
                folder=self._folder,
                checksums=written,
                ends_job=self._stage is LAST,
                fingerprint_key=self._fingerprint_key(),
                skipping=self._needless(output),
                spent=spent,
                cost=self._cost(spent),
                token=self._token,
                now=now(),
            )
        except RefusedError as refused:
            # Nobody will look for them, and a cancelled job leaves nothing behind.
            paths = [self._path(name) for name in written]
            self._bucket.delete_artefacts(self._attempt.owner, self._attempt.job_id, paths)
            job = self._still_ours(refused)
            if job.stages[self._stage.name].status not in STAGE_CLOSED:
                raise JobSuperseded(f"The job has ended as {job.status}.") from refused
            logger.info("Another try of the stage was faster; its result stands")
        else:
            logger.info("The stage is done", extra={"milliseconds": meter.elapsed_ms, "status": job.status})
        return job

    def _spent(self, writing_bytes: int) -> Spent:
        """What all tries of this stage have spent, with this one, when its last write adds so many bytes to the row."""
        before = self._record_before.spent if self._record_before else Spent()
        return before.plus(meter.spent(writing_bytes=writing_bytes))

    def _cost(self, spent: Spent) -> Cost | None:
        """Price the job, if this stage ends it."""
        if self._stage is not LAST or self._job is None:
            return None
        record = replace(self._job.stages[self._stage.name], spent=spent, status=StageStatus.DONE)
        return cost_of(with_stage(self._job, self._stage.name, record), is_found=self._fingerprint_key() is not None)

    def _needless(self, output: StageOutput) -> dict[str, str]:
        """Name the stages that this image does not need, once it was looked at."""
        is_first = self._stage.name == MAKES_WORKING_COPY.name
        return needless(self._job, output.result) if is_first and self._job else {}

    def _fingerprint_key(self) -> str | None:
        """Make the key by which the job is found once it has succeeded; None when it is not ending, or has none."""
        if self._stage is not LAST or self._job is None or IDENTIFIES.name not in self._job.stages:
            return None
        fingerprint = Fingerprint.found_in(self._job.stages[IDENTIFIES.name].result)
        if fingerprint is None:
            return None
        return keys.fingerprint_key(fingerprint.perceptual, fingerprint.difference, self._job.created_at)

    def _store(self, name: str, content: bytes, media_type: str, written: dict[str, str]) -> str:
        """Store a file in this try's own folder, where it can replace no other try's; return its path."""
        path = self._path(name)
        self._bucket.write_artefact(self._attempt.owner, self._attempt.job_id, path, content, media_type)
        written[name] = _checksum(content)
        return path

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _still_ours(self, refused: RefusedError) -> Job:
        """Return the job when it is still at this attempt and wanted. Raises JobCancelled or JobSuperseded."""
        job = refused.job
        if job is None:
            raise JobSuperseded("The job was deleted.") from refused
        about_trace(job)
        if job.attempt != self._attempt.number:
            raise JobSuperseded(f"The job is at attempt {job.attempt}.") from refused
        if job.status in CANCELLATION:
            raise JobCancelled("The owner has cancelled the job.") from refused
        return job

    def _refuse_late(self, job: Job) -> None:
        if job.is_late(now()):
            raise DeadlineExceeded(too_late(job).message)

    def _record(self, error: JobError) -> None:
        """Show the failure in the timeline. The state machine has the last word, so not being able to is no harm."""
        failure = Failure(error_class=type(error).__name__, message=str(error), stage=self._stage.name)
        logger.warning("The stage failed", extra={"errorClass": failure.error_class, "detail": failure.message})
        try:
            self._table.record_stage_failure(
                self._attempt,
                self._stage.name,
                failure,
                spent=self._spent(len(failure.message)),
                token=self._token,
                now=now(),
            )
        except RefusedError as refused:
            # Whatever failed: what the owner no longer wants is cleaned up, not dead-lettered.
            if refused.job and refused.job.status in CANCELLATION:
                self._still_ours(refused)
            logger.info("The failure is not for the timeline", extra={"reason": str(refused)})
        except TransientError as reason:
            logger.warning("The failure could not be written to the timeline", extra={"reason": str(reason)})


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
