"""The plan of a fault run: a pure function of the seed, with something of everything in it."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.stages.catalogue import ANALYSES
from laptop.chaos import plan
from laptop.chaos.kinds import AT_LEAST, BY_NAME, FULL_RUN, KINDS, at_least
from laptop.chaos.plan import DYING, UNKNOWN, FunctionFault, Plan

SEEDS = st.integers(min_value=1, max_value=10**6)
SIZES = st.integers(min_value=1, max_value=80)
RETRIES_OF_TRANSIENT = 10
"""Of the state machine; three calls of AWS, the SDK's own, go into each."""


def counts(planned: Plan) -> Counter[str]:
    """How often each kind is planned."""
    kinds = [act.kind for job in planned.jobs for act in job.acts]
    kinds += [fault.because or fault.kind for job in planned.jobs for fault in job.faults]
    for job in planned.jobs:
        kinds += [job.block] if job.block == "queue-unread" else []
        kinds += ["repeated-submit"] if job.callers > 1 else []
        kinds += ["deadline"] if job.deadline else []
    return Counter(kinds + [event.kind for event in planned.events] + ["poison-message" for _ in planned.poisons])


def faults(planned: Plan, kind: str) -> list[FunctionFault]:
    """What is planned of a kind inside functions, of jobs."""
    return [fault for job in planned.jobs for fault in job.faults if kind == (fault.because or fault.kind)]


@given(SEEDS, SIZES)
@settings(max_examples=20, deadline=None)
def test_make_with_the_same_seed_makes_the_same_plan(seed: int, jobs: int) -> None:
    assert plan.make(seed, jobs) == plan.make(seed, jobs)
    assert plan.make(seed, jobs).to_json() == plan.make(seed, jobs).to_json()


def test_make_with_another_seed_makes_another_plan() -> None:
    assert plan.make(1, 50).jobs != plan.make(2, 50).jobs


def test_make_with_a_known_seed_makes_the_plan_that_it_always_made() -> None:
    planned = plan.make(20260301, 300)
    (hundredth,) = [fault for fault in planned.function_faults if fault.id.startswith("0100-")]
    assert (hundredth.kind, hundredth.job, hundredth.places) == (
        "kill-before-work",
        "chaos-20260301-0144",
        ("fingerprint",),
    )


@pytest.mark.parametrize("seed", [1, 2, 3, 20260301])
def test_make_for_a_full_run_plans_every_kind_often_enough(seed: int) -> None:
    planned = counts(plan.make(seed, FULL_RUN))
    assert {name for name in BY_NAME if planned[name] < AT_LEAST} == set()


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_make_for_a_short_run_plans_every_kind(seed: int) -> None:
    planned = counts(plan.make(seed, 24))
    assert {name for name in BY_NAME if planned[name] < at_least(24)} == set()


@given(SEEDS, SIZES)
@settings(max_examples=20, deadline=None)
def test_make_never_plans_more_deaths_than_the_state_machine_forgives(seed: int, jobs: int) -> None:
    for job in plan.make(seed, jobs).jobs:
        for family in (DYING, UNKNOWN):
            places = [place for fault in job.faults if fault.kind in family for place in fault.places]
            assert len(places) == len(set(places))
        passing = [fault for fault in job.faults if fault.kind in {"transient", "throttled-dynamodb", "throttled-s3"}]
        assert sum(fault.times for fault in passing) <= RETRIES_OF_TRANSIENT * 2


@given(SEEDS, SIZES)
@settings(max_examples=20, deadline=None)
def test_make_plans_faults_only_in_stages_that_the_job_asks_for(seed: int, jobs: int) -> None:
    for job in plan.make(seed, jobs).jobs:
        assert job.analyses
        for fault in job.faults:
            assert set(fault.places) & set(ANALYSES) <= set(job.analyses)
            assert fault.job == job.job_id


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_make_for_one_kind_plans_it_as_among_all_others(kind: str) -> None:
    full, only = plan.make(5, 60), plan.make(5, 60, [kind])
    assert counts(only)[kind] == counts(full)[kind]
    assert faults(only, kind) == faults(full, kind)
    assert set(counts(only)) <= {kind, *BY_NAME[kind].needs}


def test_make_of_a_kind_that_does_not_exist_says_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"no fault gremlin; there are kill-before-work, "):
        plan.make(1, 10, ["gremlin"])


def test_kinds_need_only_kinds_that_there_are() -> None:
    assert {needed for kind in KINDS for needed in kind.needs} <= BY_NAME.keys()
