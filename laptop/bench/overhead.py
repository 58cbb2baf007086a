"""Goal 6: what Darkroom adds to the work, on the laptop: real jobs through the whole of it, on an emulator of its own.

Times are taken from the clock of this machine, which all parts share: by the caller of the API around its call, and by
the functions in what they write into the row. Each change of the row is read from the table's stream afterwards, so
that nobody asks for the row while it is measured.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from darkroom import Client

from lambdas.adapters.job_items import unmarshal
from laptop import assembly, deployment, emulator, ports, users
from laptop.bench import transitions
from laptop.bench.goals import Finding, percentile
from laptop.bench.images import Say
from laptop.bench.pictures import Picture
from laptop.deployment import Deployment
from laptop.places import Home
from laptop.waiting import wait_for
from laptop.world import World

AT_ONCE: Final = 8
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Times:
    """One job, in milliseconds."""

    put_answered: float
    put_to_row: float
    put_to_running: float
    last_stage_to_succeeded: float
    whole: float

    @classmethod
    def read(cls, put_at: float, answered_at: float, rows: Sequence[Row]) -> "Times":
        """Read the times off the row's changes, first to last. `put_at` and `answered_at` are seconds of the epoch."""
        last = rows[-1]
        finished = {name: stage.get("finishedAt") for name, stage in last["stages"].items()}
        analysed = max(at for name, at in finished.items() if name != "report" and at)
        done = _seconds(last["finishedAt"])
        report = last["stages"]["report"]
        return cls(
            put_answered=(answered_at - put_at) * 1000,
            put_to_row=(_seconds(rows[0]["updatedAt"]) - put_at) * 1000,
            put_to_running=(_seconds(last["startedAt"]) - put_at) * 1000,
            # The last stage's own work is not overhead: from the end of what is before it to its begin, and from its
            # end to the job's.
            last_stage_to_succeeded=(_seconds(report["startedAt"]) - _seconds(analysed)) * 1000
            + (done - _seconds(report["finishedAt"])) * 1000,
            whole=(done - put_at) * 1000,
        )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


class Laptop:
    """An emulator with Darkroom in it, and somebody who is signed in."""

    def __init__(self, deployed: Deployment, client: Client, image_id: str) -> None:
        self.deployed = deployed
        self.client = client
        self.world = World(deployed)
        self._image_id = image_id
        self._streams = deployed.client("dynamodbstreams")

    def run(self, jobs: int, at_once: int) -> list[Times]:
        """Run jobs, so many under way at a time, and return their times in the order of submission."""
        with ThreadPoolExecutor(at_once) as pool:
            puts = dict(pool.map(lambda _: self._run_one(), range(jobs)))
        rows = self._rows(puts.keys())
        return [Times.read(*puts[job_id], rows[job_id]) for job_id in puts]

    def _run_one(self) -> tuple[str, tuple[float, float]]:
        job_id = self.client.new_job_id()
        put_at = time.time()
        self.client.submit(self._image_id, job_id=job_id)
        answered_at = time.time()
        for job in self.client.watch(job_id):
            ended = job
        if ended.status != "SUCCEEDED":
            raise RuntimeError(f"The job {job_id} ended as {ended.status}: {ended.error}.")
        return job_id, (put_at, answered_at)

    def _rows(self, job_ids: Any) -> dict[str, list[Row]]:
        """Read the changes of these jobs' rows from the stream."""
        rows: dict[str, list[Row]] = {job_id: [] for job_id in job_ids}
        for row in self._changes():
            if row.get("jobId") in rows:
                rows[row["jobId"]].append(row)
        return rows

    def _changes(self) -> Iterator[Row]:
        stream = self._streams.list_streams(TableName=self.deployed.outputs["JobTableName"])["Streams"][0]["StreamArn"]
        for shard in self._streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
            iterator = self._streams.get_shard_iterator(
                StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                page = self._streams.get_records(ShardIterator=iterator)
                iterator = page.get("NextShardIterator") if page["Records"] else None
                images = (record["dynamodb"].get("NewImage") for record in page["Records"])
                yield from (unmarshal(image) for image in images if image)


@contextmanager
def laptop(folder: Path, picture: Picture) -> Iterator[Laptop]:
    """Start an emulator of its own in the folder, and stop it afterwards."""
    home = Home(folder / "emulator")
    home.path.mkdir()
    assembly.synthesize()
    started = emulator.start(home, port=ports.free())
    try:
        deployed = deployment.deploy(started, home)
        users.create(deployed, users.DEMO)
        deployed.client("dynamodb").update_table(
            TableName=deployed.outputs["JobTableName"],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        with users.sign_in(deployed, users.DEMO, folder / "profile.json") as client:
            yield Laptop(deployed, client, client.upload(picture.content, "image/jpeg"))
    finally:
        emulator.stop(started)


def findings(folder: Path, picture: Picture, jobs: int, seconds: float, say: Say) -> tuple[list[Finding], Any]:
    """Run the jobs one at a time, then eight at a time, each for half of the seconds at most."""
    found: list[Finding] = []
    facts: dict[str, Any] = {"asked": jobs}
    with laptop(folder, picture) as here:
        say("warming up")
        here.run(AT_ONCE, AT_ONCE)
        for at_once in (1, AT_ONCE):
            say(f"jobs, {at_once} at a time")
            times = _as_many_as_fit(here, jobs, at_once, seconds / 2)
            facts[f"ran{at_once}AtATime"] = len(times)
            found += _findings(times, at_once)
        found.append(_history(here))
    return found, facts


def _as_many_as_fit(here: Laptop, jobs: int, at_once: int, seconds: float) -> list[Times]:
    """Run the jobs in small batches, and stop when the time is up; at least one batch is run."""
    began = time.monotonic()
    times: list[Times] = []
    batch = max(at_once * 2, 4)
    for start in itertools.count(0, batch):
        if start >= jobs or (times and time.monotonic() - began > seconds):
            return times
        times += here.run(min(batch, jobs - start), at_once)
    return times


NAMES: Final[Mapping[str, str]] = {
    "put_answered": "PUT answered",
    "put_to_row": "PUT to row",
    "put_to_running": "PUT to RUNNING",
    "last_stage_to_succeeded": "last analysis to SUCCEEDED, without the report's own work",
    "whole": "PUT to SUCCEEDED",
}


def _findings(times: Sequence[Times], at_once: int) -> list[Finding]:
    return [
        Finding(
            goal=6,
            name=f"{words}, {at_once} at a time",
            value=median(getattr(one, name) for one in times),
            limit=None,
            unit="ms median",
            peer=f"p95 {percentile([getattr(one, name) for one in times], 0.95):.0f} ms, {len(times)} jobs",
        )
        for name, words in NAMES.items()
    ]


def _history(here: Laptop) -> Finding:
    """Count the transitions of a real execution, as they stand in its history."""
    here.run(1, 1)
    name = next(iter(here.client.jobs(limit=1))).job_id
    executions = here.world.executions(name)
    wait_for(lambda: here.world.execution(executions[0])["status"] != "RUNNING")
    entered = transitions.in_history(here.world.history(here.world.execution(executions[0])))
    return Finding(
        goal=3,
        name="of that, in the history of an execution",
        value=len(entered),
        limit=None,
        unit="transitions",
        peer=f"{', '.join(entered)}; the emulator's history leaves out the states inside a Parallel state",
    )
