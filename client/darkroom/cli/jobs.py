"""`darkroom status`, `list`, `watch`, `cancel`, `redrive` and `delete`: what there is to do with jobs that exist."""

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from darkroom.cli.batch import Batch
from darkroom.cli.desk import Desk
from darkroom.cli.ends import close, tell_errors
from darkroom.cli.exit_codes import ExitCode, worst
from darkroom.cli.items import Item
from darkroom.cli.job_view import job_table, job_view
from darkroom.cli.options import JobIds, Json, ProfileName, Yes
from darkroom.cli.progress import SilentProgress, choose_progress
from darkroom.client import Client
from darkroom.errors import DarkroomError, NotSignedInError
from darkroom.events import JobEvent
from darkroom.models import JobStatus

Status = Annotated[JobStatus | None, typer.Option("--status", help="Only jobs in this status.", case_sensitive=False)]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most this many; 20 when left out.")]
Events = Annotated[
    bool, typer.Option("--events", help="Print every event of the jobs, one line of JSON each, and no report.")
]
USUAL_LIMIT = 20


def status(context: typer.Context, *, jobs: JobIds, profile: ProfileName = None, json: Json = False) -> None:
    """Show how jobs stand."""
    desk = Desk.of(context, json=json)

    def look(client: Client, job_id: str) -> None:
        job = client.get(job_id)
        if desk.terminal.json:
            desk.terminal.emit(job.document)
        else:
            desk.terminal.show(job_view(job))

    raise typer.Exit(_each(desk, profile, jobs, look))


def cancel(context: typer.Context, *, jobs: JobIds, profile: ProfileName = None, json: Json = False) -> None:
    """Say that jobs are no longer wanted. Cancelling twice is harmless."""
    desk = Desk.of(context, json=json)

    def stop(client: Client, job_id: str) -> None:
        accepted = client.cancel(job_id)
        if desk.terminal.json:
            desk.terminal.emit(accepted.document)
        else:
            desk.terminal.show_line(f"{accepted.job_id}: {accepted.status.value.lower()}")

    raise typer.Exit(_each(desk, profile, jobs, stop))


def redrive(context: typer.Context, *, jobs: JobIds, profile: ProfileName = None, json: Json = False) -> None:
    """Have jobs that have failed worked on again, from where they failed. Redriving twice is harmless."""
    desk = Desk.of(context, json=json)
    accepted: list[str] = []

    def start(client: Client, job_id: str) -> None:
        answer = client.redrive(job_id)
        accepted.append(answer.job_id)
        if desk.terminal.json:
            desk.terminal.emit(answer.document)
        else:
            desk.terminal.show_line(f"{answer.job_id}: {answer.status.value.lower()}")

    code = _each(desk, profile, jobs, start)
    if accepted:
        desk.terminal.say(f"See how: darkroom watch {' '.join(accepted)}")
    raise typer.Exit(code)


def delete(
    context: typer.Context, *, jobs: JobIds, yes: Yes = False, profile: ProfileName = None, json: Json = False
) -> None:
    """Delete jobs that have ended, with their reports and pictures, for good. Asks before; the images stay."""
    desk = Desk.of(context, json=json)
    if not yes and not _confirmed(len(set(jobs))):
        desk.terminal.say("Nothing was done.")
        raise typer.Exit(ExitCode.JOB_FAILED)

    def remove(client: Client, job_id: str) -> None:
        client.delete(job_id)
        if desk.terminal.json:
            desk.terminal.emit({"jobId": job_id, "deleted": True})
        else:
            desk.terminal.show_line(f"{job_id}: deleted")

    raise typer.Exit(_each(desk, profile, jobs, remove))


def list_jobs(
    context: typer.Context,
    *,
    status: Status = None,
    limit: Limit = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """List your jobs, newest first."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        found = client.jobs(status=status, limit=limit or USUAL_LIMIT)
        if desk.terminal.json:
            for job in found:
                desk.terminal.emit(job.document)
            raise typer.Exit(ExitCode.SUCCEEDED)
        listed = list(found)
    if listed:
        desk.terminal.show(job_table(listed))
    else:
        desk.terminal.say("No jobs. `darkroom analyze FILE` submits one.")
    if limit is None and len(listed) == USUAL_LIMIT:
        desk.terminal.say(f"The newest {USUAL_LIMIT}; --limit N shows more.", style="dim")


def watch(
    context: typer.Context, *, jobs: JobIds, events: Events = False, profile: ProfileName = None, json: Json = False
) -> None:
    """Show progress until jobs end, then their reports. Ctrl-C detaches; the jobs go on."""
    desk = Desk.of(context, json=json)
    items = [Item(label=job_id, job_id=job_id) for job_id in dict.fromkeys(jobs)]
    if events:
        raise typer.Exit(_tell_events(desk, profile, items))
    with desk.client(profile) as client:
        finished = Batch(client, items, choose_progress(desk.terminal, items, silent=False)).follow()
    raise typer.Exit(close(desk.terminal, items, finished=finished))


def _tell_events(desk: Desk, profile: str | None, items: Sequence[Item]) -> ExitCode:
    """Print every event of the jobs from their beginning to their ends, and nothing else, on stdout."""
    lock = threading.Lock()

    def tell(event: JobEvent) -> None:
        with lock:
            desk.terminal.emit(event.document)

    with desk.client(profile) as client:
        finished = Batch(client, items, SilentProgress(), tell).follow()
    tell_errors(desk.terminal, items)
    return worst(item.exit_code for item in items) if finished else ExitCode.DETACHED


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on; --yes goes ahead.")
    try:
        return typer.confirm(f"Delete {count} job{'' if count == 1 else 's'} for good?", err=True)
    except typer.Abort as abort:
        raise typer.Exit(ExitCode.DETACHED) from abort


def _each(desk: Desk, profile: str | None, job_ids: Sequence[str], act: Callable[[Client, str], None]) -> ExitCode:
    """Do something with each job; trouble with one does not keep the others from their turn."""
    codes = [ExitCode.SUCCEEDED]
    with desk.client(profile) as client:
        for job_id in dict.fromkeys(job_ids):
            try:
                act(client, job_id)
            except NotSignedInError:
                raise
            except DarkroomError as error:
                codes.append(desk.terminal.fail_job(error, job_id))
    return worst(codes)
