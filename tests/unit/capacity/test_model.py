"""The arithmetic of limits."""

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laptop.capacity import __main__ as command
from laptop.capacity.demand import Demand, demand
from laptop.capacity.model import drain_seconds, highest_rate, loads
from laptop.capacity.quotas import Limit, Quota, quotas
from laptop.places import ROOT
from stacks.settings import Settings

ENVIRONMENTS = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
PROD = Settings.from_context(ENVIRONMENTS, "prod")
LIMITS = quotas(PROD, "us-east-1")
RATES = st.floats(min_value=0.01, max_value=1e4)


def lifted(limit: Limit, value: float) -> list[Quota]:
    """The quotas, with one of them at another value."""
    return [dataclasses.replace(quota, value=value) if quota.limit is limit else quota for quota in LIMITS]


def test_every_limit_is_asked_for_and_given() -> None:
    assert {quota.limit for quota in LIMITS} == set(Limit) == demand(16).of.keys()


def test_every_quota_says_where_it_is_from_and_what_to_do() -> None:
    for quota in LIMITS:
        assert quota.source
        assert quota.raise_it
        assert (quota.service is None) == (quota.look_up == "")


@given(rate=RATES, more=st.floats(min_value=1.001, max_value=10))
def test_load_grows_with_the_rate_and_keeps_its_order(rate: float, more: float) -> None:
    before, after = loads(demand(16), LIMITS, rate), loads(demand(16), LIMITS, rate * more)
    assert [load.quota.limit for load in before] == [load.quota.limit for load in after]
    for one, other in zip(before, after, strict=True):
        assert other.share == pytest.approx(one.share * more)
        assert other.most(rate * more) == pytest.approx(one.most(rate))


@given(rate=RATES)
def test_first_limit_is_the_one_with_the_largest_share(rate: float) -> None:
    first, highest = highest_rate(demand(16), LIMITS)
    found = loads(demand(16), LIMITS, rate)
    assert found[0].quota == first
    assert all(load.most(rate) >= highest * (1 - 1e-9) for load in found)
    assert loads(demand(16), LIMITS, highest)[0].share == pytest.approx(1)


def test_limit_that_is_raised_is_not_met_first_any_more() -> None:
    first, highest = highest_rate(demand(16), LIMITS)
    following, higher = highest_rate(demand(16), lifted(first.limit, first.value * 1_000))
    assert following.limit is not first.limit
    assert higher > highest


def test_functions_at_once_are_those_of_littles_law() -> None:
    of_job = demand(16)
    load = next(load for load in loads(of_job, LIMITS, 7.0) if load.quota.limit is Limit.CONCURRENCY)
    assert load.used == pytest.approx(7.0 * of_job.function_seconds)


@given(megapixels=st.floats(min_value=0.5, max_value=200))
def test_only_the_stage_that_reads_the_original_grows_with_the_image(megapixels: float) -> None:
    smaller, larger = demand(megapixels), demand(megapixels * 1.5)
    assert larger.stages["inspect"] >= smaller.stages["inspect"]
    assert {**larger.stages, "inspect": 0} == {**smaller.stages, "inspect": 0}
    assert all(seconds > 0 for seconds in smaller.stages.values())


@given(burst=st.integers(min_value=0, max_value=10**6), rate=st.floats(min_value=0.1, max_value=150))
def test_larger_burst_takes_longer_to_start(burst: int, rate: float) -> None:
    of_job = demand(16)
    assert drain_seconds(of_job, LIMITS, burst, rate) <= drain_seconds(of_job, LIMITS, burst + 1_000, rate)
    assert drain_seconds(of_job, LIMITS, burst, rate) <= drain_seconds(of_job, LIMITS, burst, rate + 10)


def test_burst_on_top_of_more_than_there_is_room_for_is_never_started() -> None:
    assert drain_seconds(demand(16), LIMITS, 10_000, 1_000.0) == math.inf


@pytest.mark.parametrize(
    ("text", "rate"), [("12", 12), ("12/s", 12), ("36000/hour", 10), ("1,000,000/day", 1e6 / 86_400)]
)
def test_rate_is_read_as_it_is_written(text: str, rate: float) -> None:
    assert command.rate_of(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["-1", "0", "10/fortnight", "many", "nan", "inf"])
def test_what_is_no_rate_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([f"--rate={text}"]) == 2
    assert "Darkroom: " in capsys.readouterr().err


def test_command_prints_the_same_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rate", "2", "--hours", "0.05", "--burst", "30"]
    assert command.main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert command.main(arguments) == 0
    shown = capsys.readouterr().out
    assert f"Met first: {found['firstLimit']['limit']}" in shown
    assert f"{found['simulation']['arrived']:,} submitted" in shown
    for limit in Limit:
        assert limit.value in shown


def test_setting_that_is_set_counts(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--hours", "0.01", "--json"]
    assert command.main([*arguments, "--set", "submissions_per_second=7 submission_burst=9"]) == 0
    limits = {limit["limit"]: limit for limit in json.loads(capsys.readouterr().out)["limits"]}
    assert (limits[Limit.SUBMISSIONS]["quota"], limits[Limit.SUBMISSIONS]["burst"]) == (7, 9)


@pytest.mark.parametrize("given_setting", ["no_such=1", "submissions_per_second=many", "submissions_per_second=0"])
def test_setting_that_cannot_be_is_refused(given_setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--set", given_setting]) == 2
    assert "Darkroom: " in capsys.readouterr().err


def test_demand_of_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="megapixels"):
        demand(0)


def test_demand_phases_have_every_stage_once() -> None:
    of_job: Demand = demand(16)
    assert sorted(name for phase in of_job.phases for name in phase) == sorted(of_job.stages)
