"""`make demo`: what Darkroom does, shown on real jobs, with every claim checked against what AWS holds.

Four things happen: photographs are analysed side by side, a file that is no image fails and leaves a dead letter, a job
is cancelled while it runs, and nothing is left over.
"""

import json
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from textwrap import indent
from typing import Final

from darkroom import Client, Job, JobStatus

from laptop import environment, users
from laptop.deployment import Deployment
from laptop.places import ENVIRONMENT_BIN, PHOTOS, ROOT
from laptop.waiting import wait_for
from laptop.world import World

BROKEN_FILE: Final = "not-an-image.jpg"
_TAG: Final = "demo"


class Checks:
    """What was claimed, and whether it was so."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, claim: str, holds: bool, otherwise: object = "") -> None:
        """Print the claim with its outcome; `otherwise` says what was found instead."""
        mark = "ok  " if holds else "FAIL"
        print(f"  {mark}  {claim}" + ("" if holds or otherwise == "" else f": {otherwise}"), flush=True)
        self.failed += not holds


def run(deployment: Deployment) -> bool:
    """Show everything, and tell whether all of it went as it should."""
    checks = Checks()
    world = World(deployment)
    with closing(Client.from_profile()) as client:
        photos = sorted(PHOTOS.glob("*.jpg"))
        jobs = _analyse(client, photos)
        succeeded = [job for job in jobs if job.status is JobStatus.SUCCEEDED]
        _say("What became of the photographs")
        checks(f"all {len(photos)} succeeded", len(succeeded) == len(photos), [str(job.status) for job in jobs])
        for job in succeeded:
            _check_photograph(checks, client, world, job)
        _check_broken_file(checks, world, jobs)
        _cancel_one(checks, client, world, photos[-1])
        _check_nothing_is_left(checks, world)
    return checks.failed == 0


def _analyse(client: Client, photos: Sequence[Path]) -> list[Job]:
    """Let the `darkroom` command do it, as anybody would, and return the jobs in the order of its files."""
    mark = uuid.uuid4().hex[:8]
    _say(f"{len(photos)} photographs and a file that is no image, with the `darkroom` command")
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / BROKEN_FILE
        broken.write_text("Somebody renamed a letter to .jpg.\n")
        files = [*(str(photo.relative_to(ROOT)) for photo in photos), str(broken)]
        command = [str(ENVIRONMENT_BIN / "darkroom"), "analyze", "--tag", f"{_TAG}={mark}", *files]
        subprocess.run(command, cwd=ROOT, env=environment.for_tools(), check=False)  # noqa: S603 - our own program
    ours = [job.job_id for job in client.jobs(limit=50) if job.tags.get(_TAG) == mark]
    return [client.get(job_id) for job_id in ours]


def _check_photograph(checks: Checks, client: Client, world: World, job: Job) -> None:
    report = client.result(job.job_id)
    checks(f"{job.job_id} reports all it was asked for", set(report["analyses"]) == set(job.analyses))
    checks("  its execution succeeded", world.execution(job.execution or "")["status"] == "SUCCEEDED")
    kept = world.artefacts(users.owner(client), job.job_id)
    checks("  its pictures are in the bucket", {"preview.jpg", "thumbnail.jpg"} <= set(kept), kept)
    checks("  its preview can be fetched", client.artefact(job.job_id, "preview").startswith(b"\xff\xd8"))


def _check_broken_file(checks: Checks, world: World, jobs: Sequence[Job]) -> None:
    _say("What became of the file that is no image")
    failed = [job for job in jobs if job.status is JobStatus.FAILED]
    checks("its job, and no other, failed", len(failed) == 1, [str(job.status) for job in jobs])
    for job in failed:
        error = job.error
        checks("the owner is told why", error is not None and error.error_class == "InvalidImage", error)
        tries = [entry.tries for entry in job.timeline if entry.stage == "inspect"]
        checks("it was not tried again, because that could not help", tries == [1], tries)
        execution = world.execution(job.execution or "")
        checks("its execution failed", execution["status"] == "FAILED", execution["status"])
        letters = world.dead_letters(job.job_id)
        checks("one dead letter waits for a person", len(letters) == 1, len(letters))
        for letter in letters:
            print(indent(json.dumps(letter, indent=2), "        "))
            where = (letter["stage"], letter["errorClass"])
            checks("it names stage and error", where == ("inspect", "InvalidImage"), where)
            checks("it names the execution", letter["executionArn"] == execution["executionArn"])


def _cancel_one(checks: Checks, client: Client, world: World, photo: Path) -> None:
    owner = users.owner(client)
    _say("A job that is cancelled while it runs")
    print("  Its last stage, Report, is throttled meanwhile, so that there is time to cancel.")
    image_id = client.upload(photo)
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        ready = wait_for(lambda: _is_at_last_stage(client.get(job_id)))
        checks("it ran through all stages but the last", ready, client.get(job_id).progress)
        before = world.artefacts(owner, job_id)
        checks("it had made artefacts by then", bool(before), before)
        accepted = client.cancel(job_id)
        checks("the cancel was accepted", accepted.status is JobStatus.CANCELLING, accepted.status)
    began = time.monotonic()
    for job in client.watch(job_id):
        print(f"  {time.monotonic() - began:4.1f} s after the cancel: {job.status.lower()}", flush=True)
        status = job.status
    checks("it ended cancelled", status is JobStatus.CANCELLED, status)
    after = world.artefacts(owner, job_id)
    checks(f"its artefacts ({', '.join(before)}) are gone from the bucket", not after, after)
    checks("it left no dead letter", not world.dead_letters(job_id))


def _check_nothing_is_left(checks: Checks, world: World) -> None:
    _say("Afterwards")
    checks("the job queue is empty", wait_for(lambda: world.is_empty(world.outputs["JobQueueUrl"])))
    checks("no execution runs on", wait_for(lambda: not world.running()), world.running())


def _is_at_last_stage(job: Job) -> bool:
    stages = {entry.stage: entry.status for entry in job.timeline}
    return job.status is JobStatus.RUNNING and all(
        status in {"DONE", "SKIPPED"} for stage, status in stages.items() if stage != "report"
    )


def _say(title: str) -> None:
    print(f"\n{title}", flush=True)
