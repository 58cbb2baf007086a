"""The model of capacity against the emulator, at small scale: what is met, who is throttled, and what becomes of it.

Only what does not depend on the clock of this machine is compared: which limit it is, and that no job is lost.
"""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

from darkroom import Client, Job, JobStatus

from laptop.capacity.demand import demand
from laptop.capacity.model import highest_rate
from laptop.capacity.quotas import Limit, quotas
from laptop.capacity.simulation import Outcome, Simulation
from laptop.places import ROOT
from laptop.world import World
from stacks.settings import Settings

JOBS = 12
ENVIRONMENTS = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
LIMITS = quotas(Settings.from_context(ENVIRONMENTS, "laptop"), "eu-central-1")


def predicted(rooms: dict[str, int]) -> Outcome:
    """Play the same burst through: so many jobs at once, and hardly any beside it."""
    return Simulation(demand(1), LIMITS, rate=0.01, seconds=1, burst=JOBS, rooms=rooms).run()


def run_burst(client: Client, image_id: str) -> list[Job]:
    """Submit the jobs at once, and wait for all of them."""

    def run_one(_: int) -> Job:
        return list(client.watch(client.submit(image_id).job_id))[-1]

    with ThreadPoolExecutor(JOBS) as callers:
        return list(callers.map(run_one, range(JOBS)))


def throttled(world: World, owner: str, jobs: list[Job]) -> set[str]:
    """Name the stages that were tried more often than they were begun: Lambda had no room for the others."""
    rows = [world.row(owner, job.job_id)["stages"] for job in jobs]
    return {name for stages in rows for name, stage in stages.items() if stage.get("retries", 0) >= stage["tries"] > 0}


def test_limit_that_the_model_names_is_the_one_that_is_met(
    client: Client, world: World, owner: str, image_id: str
) -> None:
    rooms = {"codes": 1}
    outcome = predicted(rooms)
    assert Limit.CONCURRENCY in outcome.met
    with world.held("Codes", room=1):
        jobs = run_burst(client, image_id)
    assert throttled(world, owner, jobs) == set(outcome.throttled) == {"codes"}
    assert [job.status for job in jobs] == [JobStatus.SUCCEEDED] * JOBS
    assert (outcome.arrived - JOBS, outcome.failed) == (outcome.done - JOBS, 0)
    # Each retry is a transition more, and the job says so.
    assert max(job.cost.usage["transitions"].count for job in jobs if job.cost) > demand(1).of[Limit.TRANSITIONS]


def test_nothing_is_met_where_the_model_says_so(client: Client, world: World, owner: str, image_id: str) -> None:
    outcome = predicted({})
    jobs = run_burst(client, image_id)
    assert throttled(world, owner, jobs) == set(outcome.throttled) == set()
    assert [job.status for job in jobs] == [JobStatus.SUCCEEDED] * JOBS


def test_transitions_of_the_model_are_those_of_real_jobs(client: Client, image_id: str) -> None:
    (job,) = [list(client.watch(client.submit(image_id).job_id))[-1]]
    assert job.cost is not None
    assert job.cost.usage["transitions"].count == demand(1).of[Limit.TRANSITIONS]
    # A stage that takes more than a second, on a busy machine, tells of its progress.
    assert job.cost.usage["busEvents"].count >= demand(1).of[Limit.BUS_EVENTS]


def test_more_room_for_what_is_met_first_allows_more() -> None:
    first, highest = highest_rate(demand(1), LIMITS)
    more = [dataclasses.replace(quota, value=quota.value * 2) if quota == first else quota for quota in LIMITS]
    assert highest_rate(demand(1), more)[1] > highest
