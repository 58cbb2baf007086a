"""What every run of the simulation keeps to, whatever its load."""

import dataclasses
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laptop.capacity.demand import demand
from laptop.capacity.quotas import Limit
from laptop.capacity.simulation import Bucket, Outcome, Simulation
from tests.unit.capacity.test_model import LIMITS

OF_JOB = demand(16)


def played(rate: float = 5.0, seconds: float = 60.0, **given_values: object) -> Outcome:
    """Run a short one."""
    changed = {limit: given_values.pop(limit.name) for limit in Limit if limit.name in given_values}
    limits = [
        dataclasses.replace(quota, value=changed[quota.limit], burst=0) if quota.limit in changed else quota
        for quota in LIMITS
    ]
    return Simulation(OF_JOB, limits, rate=rate, seconds=seconds, **given_values).run()  # type: ignore[arg-type]


LOADS = st.fixed_dictionaries(
    {
        "rate": st.floats(min_value=0.5, max_value=20),
        "burst": st.integers(min_value=0, max_value=300),
        "seed": st.integers(min_value=0, max_value=10**6),
        "CONCURRENCY": st.integers(min_value=20, max_value=1_000),
        "STARTERS": st.integers(min_value=2, max_value=20),
        "TRANSITIONS": st.integers(min_value=250, max_value=1_500),
    }
)


@settings(max_examples=25, deadline=None)
@given(load=LOADS)
def test_no_job_is_lost_or_made_up(load: dict[str, float]) -> None:
    outcome = played(**load)
    assert outcome.arrived == outcome.done + outcome.failed == len(outcome.wholes)
    assert sum(len(waits) for waits in outcome.waits.values()) == outcome.arrived
    assert len(outcome.waits["burster"]) == load["burst"]


@settings(max_examples=25, deadline=None)
@given(load=LOADS)
def test_littles_law_holds(load: dict[str, float]) -> None:
    # Jobs in the system, on average, are those that come in a second times the seconds that each is there: summed up
    # once over all moments, and once over all jobs.
    outcome = played(**load)
    on_average = outcome.job_seconds / outcome.last_end
    assert on_average == pytest.approx(outcome.arrived / outcome.last_end * fmean(outcome.wholes), rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(min_value=0, max_value=10**6))
def test_one_seed_is_one_run(seed: int) -> None:
    assert played(seed=seed, burst=50) == played(seed=seed, burst=50)


@settings(max_examples=25, deadline=None)
@given(load=LOADS)
def test_no_more_functions_are_at_work_than_there_is_room_for(load: dict[str, float]) -> None:
    assert played(**load).most_functions <= load["CONCURRENCY"]


def test_waits_grow_with_the_rate() -> None:
    whole = [fmean(played(rate=rate, STARTS=10, seconds=300).wholes) for rate in (2.0, 8.0, 9.5, 12.0)]
    assert whole == sorted(whole)
    assert whole[-1] > 10 * whole[0]


def test_nothing_waits_for_a_limit_that_is_far_away() -> None:
    outcome = played(rate=1.0)
    assert outcome.first_met is None
    assert not outcome.throttled


@pytest.mark.parametrize(
    ("limit", "value", "rate"),
    [(Limit.STARTS, 3, 6.0), (Limit.TRANSITIONS, 20, 6.0), (Limit.CONCURRENCY, 3, 6.0), (Limit.SUBMISSIONS, 3, 6.0)],
)
def test_what_the_model_says_is_met_first_is_met_first(limit: Limit, value: float, rate: float) -> None:
    assert played(rate=rate, **{limit.name: value}).first_met is limit


def test_burst_of_one_owner_is_not_in_front_of_the_others() -> None:
    fair = played(burst=3_000, seconds=120, SUBMISSIONS=1e6, STARTS=50)
    in_turn = played(burst=3_000, seconds=120, SUBMISSIONS=1e6, STARTS=50, is_fair=False)
    assert max(fair.waits["everybody"]) < max(in_turn.waits["everybody"]) / 5
    # Somebody has to wait: as much is done in as much time.
    assert fair.last_end == pytest.approx(in_turn.last_end, rel=0.1)


def test_stage_with_little_room_is_the_one_that_is_throttled() -> None:
    outcome = played(rooms={"codes": 1}, rate=8.0)
    assert set(outcome.throttled) == {"codes"}
    assert outcome.done == outcome.arrived


def test_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    bucket = Bucket(rate=2.0, burst=3.0)
    assert [bucket.take(10.0) for _ in range(5)] == [10.0, 10.0, 10.0, 10.5, 11.0]
    assert bucket.take(100.0) == 100.0
