"""A job, for people: a heading for its end, its record, a list, those of one picture. Trusts no text in it."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from darkroom.cli.live_progress import STATUS_STYLES
from darkroom.cli.moments import moment
from darkroom.cli.money import usd
from darkroom.cli.plain_text import plain
from darkroom.models import Job, JobError, JobStatus, JobSummary, SimilarJob, StageEntry, StageStatus


def ending(label: str, job: Job) -> Text:
    """Say in a line how a job has ended; `label` is what it is known by, such as its file."""
    line = Text().append(plain(label), style="bold")
    line.append(": ").append(_status(job.status)).append(_duration(job), style="not bold")
    if job.error:
        line.append(": ").append(_error_words(job.error))
    return line.append(f" (job {plain(job.job_id)})" if label != job.job_id else "", style="dim not bold")


def job_view(job: Job) -> RenderableType:
    """Lay out a job's record: how it stands, then its stages."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_row("status", _status(job.status).append(f" {job.progress} %"))
    facts.add_row("submitted", moment(job.created_at))
    facts.add_row("changed", moment(job.updated_at))
    if job.deadline_at:
        facts.add_row("deadline", moment(job.deadline_at))
    if job.finished_at:
        facts.add_row("took", f"{(job.finished_at - job.created_at).total_seconds():.1f} s")
    if job.cost:
        facts.add_row("cost", Text(f"{usd(job.cost.usd)}, at the prices of {plain(job.cost.prices_of)}"))
    if job.attempt > 1:
        facts.add_row("attempt", str(job.attempt))
    if job.trace_id:
        facts.add_row("trace", Text(plain(job.trace_id)))
    if job.tags:
        facts.add_row("tags", Text(_tags(job)))
    if job.error:
        facts.add_row("error", _error_words(job.error))
    if worth_redriving(job):
        facts.add_row("next", Text(f"darkroom redrive {plain(job.job_id)}"))
    parts: list[RenderableType] = [Text(plain(job.job_id), style="bold"), Padding(facts, (0, 0, 0, 2))]
    if job.timeline:
        parts.append(Padding(_timeline(job.timeline), (0, 0, 0, 2)))
    return Group(*parts)


def job_table(jobs: Iterable[JobSummary]) -> Table:
    """Lay out a list of jobs."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("JOB", "STATUS", "DONE", "SUBMITTED"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "DONE" else "left")
    table.add_column("TAGS, ERROR")
    for job in jobs:
        notes = Text(_tags(job))
        if job.error:
            notes.append(" " if job.tags else "").append(_error_words(job.error))
        table.add_row(Text(plain(job.job_id)), _status(job.status), f"{job.progress} %", moment(job.created_at), notes)
    return table


def similar_table(found: Iterable[SimilarJob]) -> Table:
    """Lay out jobs of the same picture, each with its distance in bits."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("DISTANCE", "SAME", "JOB", "SUBMITTED"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "DISTANCE" else "left")
    table.add_column("IMAGE, TAGS")
    for near in found:
        same = Text("yes", style="green") if near.confirmed else Text("perhaps", style="yellow")
        notes = Text(plain(near.job.image_id or ""), style="dim").append(" " if near.job.tags else "")
        notes.append(_tags(near.job), style="not dim")
        table.add_row(str(near.distance), same, Text(plain(near.job.job_id)), moment(near.job.created_at), notes)
    return table


def worth_redriving(job: JobSummary) -> bool:
    """Tell whether a new attempt is possible, and can help."""
    return job.status is JobStatus.FAILED and job.error is not None and job.error.redrive_can_help is True


def _timeline(entries: Iterable[StageEntry]) -> Table:
    table = Table.grid(padding=(0, 2))
    for entry in entries:
        style = "red" if entry.status is StageStatus.FAILED else ""
        tries = f"{entry.tries} tries" if entry.tries > 1 else ""
        words = _error_words(entry.error) if entry.error else Text(plain(entry.reason or "", 300), style="dim")
        word = Text(entry.status.value.lower(), style=style)
        table.add_row(Text(plain(entry.stage)), word, _seconds(entry), tries, words)
    return table


def _seconds(entry: StageEntry) -> str:
    if entry.started_at and entry.finished_at:
        return f"{(entry.finished_at - entry.started_at).total_seconds():.1f} s"
    return f"{entry.progress} %" if entry.status is StageStatus.RUNNING else ""


def _error_words(error: JobError) -> Text:
    words = Text(plain(error.message, 1000), style="red")
    where = f" in {plain(error.stage)}" if error.stage else ""
    words.append(f" ({plain(error.error_class)}{where})", style="dim")
    return words.append(" Trying again may help." if error.redrive_can_help else "", style="not red")


def _status(status: JobStatus) -> Text:
    word = status.value.lower()
    return Text(word, style=STATUS_STYLES.get(word, ""))


def _duration(job: JobSummary) -> str:
    if job.finished_at is None:
        return ""
    return f" after {max(0.0, (job.finished_at - job.created_at).total_seconds()):.1f} s"


def _tags(job: JobSummary) -> str:
    return plain(" ".join(f"{key}={value}" for key, value in job.tags.items()))
