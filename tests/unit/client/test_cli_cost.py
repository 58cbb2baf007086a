"""`darkroom cost`, and the sums behind it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from darkroom import Client
from darkroom.cli.money import usd
from darkroom.costs import Period, costs
from darkroom.models import JobSummary
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import FakeDarkroom

RunCommand = Callable[..., Run]
DAY = 86_400
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def cost(amount: float, **parts: float) -> dict[str, Any]:
    """The API's JobCost of one job."""
    return {
        "usd": amount,
        "region": "us-east-1",
        "pricesOf": "2026-11",
        "usage": {"transitions": {"count": 8, "usd": amount}},
        "parts": parts or {"flow": amount},
    }


def job(created: datetime, amount: float | None) -> JobSummary:
    document = {
        "jobId": f"job-{created.isoformat()}",
        "status": "RUNNING" if amount is None else "SUCCEEDED",
        "progress": 100,
        "attempt": 1,
        "createdAt": created.isoformat(),
        "updatedAt": created.isoformat(),
        "tags": {},
        "links": {},
    }
    return JobSummary.parse(document if amount is None else document | {"cost": cost(amount)})


@pytest.fixture
def priced(fake: FakeDarkroom, client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Five jobs, one a day; the last has not ended."""
    job_ids = []
    for number in range(5):
        job_ids.append(client.submit(f"image-{number}").job_id)
        fake.now += DAY
    fake.now += -DAY + 0.6
    document = type(fake.jobs[job_ids[0]]).document

    def with_cost(job: Any, now: float) -> dict[str, Any]:
        shown = document(job, now)
        number = int(job.body["imageId"].rpartition("-")[2])
        return shown | ({"cost": cost(0.0003 * (number + 1), inspect=0.0003 * (number + 1))} if number < 4 else {})

    monkeypatch.setattr(type(fake.jobs[job_ids[0]]), "document", with_cost)
    return job_ids


def test_cost_sums_up_by_day_over_all_pages(run: RunCommand, fake: FakeDarkroom, priced: list[str]) -> None:
    (found,) = run("cost", "--json").lines()

    assert found["jobs"] == 5
    assert found["unpriced"] == 1
    assert found["usd"] == pytest.approx(0.0003 * 10)
    assert found["parts"] == {"inspect": pytest.approx(0.003)}
    assert found["usage"]["transitions"]["count"] == 32  # type: ignore[index, call-overload]
    assert [summed["jobs"] for summed in found["periods"].values()] == [1] * 5  # type: ignore[attr-defined]
    assert len([request for request in fake.requests if request.url.path.endswith("/jobs")]) == 3


def test_cost_since_and_until_bound_what_is_counted_and_what_is_read(
    run: RunCommand, fake: FakeDarkroom, priced: list[str]
) -> None:
    (found,) = run("cost", "--since", "60h", "--until", "36h", "--json").lines()

    assert found["jobs"] == 1
    assert found["usd"] == pytest.approx(0.0003 * 3)
    # The newest three, and the first that is too old: nothing beyond their pages.
    assert len([request for request in fake.requests if request.url.path.endswith("/jobs")]) == 2


def test_cost_by_month_and_by_date(run: RunCommand, fake: FakeDarkroom, priced: list[str]) -> None:
    begin = datetime.fromtimestamp(fake.now, UTC) - timedelta(days=30)
    (found,) = run("cost", "--since", begin.date(), "--by", "month", "--json").lines()

    assert found["jobs"] == 5
    assert all(len(name) == len("2026-11") for name in found["periods"])  # type: ignore[attr-defined]


def test_cost_for_people_has_periods_parts_and_charges(run: RunCommand, priced: list[str]) -> None:
    ended = run("cost")

    assert ended.code == 0
    for shown in ("PERIOD", "PART", "CHARGE", "inspect", "transitions", "5 jobs, 0.003000 USD"):
        assert shown in ended.out
    assert "1 of them have no cost yet" in ended.err
    assert "us-east-1, 2026-11" in ended.err


def test_cost_without_jobs_says_so(run: RunCommand, signed_in: object) -> None:
    ended = run("cost")
    assert (ended.code, ended.out) == (0, "")
    assert "No jobs" in ended.err


def test_cost_of_what_is_no_time_is_refused_with_an_example(run: RunCommand, signed_in: object) -> None:
    ended = run("cost", "--since", "yesterday")
    assert ended.code == 2
    assert "7d" in ended.err


def test_cost_asks_for_the_owner_that_an_operator_names(run: RunCommand, fake: FakeDarkroom, priced: list[str]) -> None:
    run("cost", "--owner", "somebody", "--json")
    asked = [request for request in fake.requests if request.url.path.endswith("/jobs")]
    assert {request.url.params.get("owner") for request in asked} == {"somebody"}


def test_status_shows_what_a_job_has_cost(run: RunCommand, priced: list[str]) -> None:
    assert "0.000300 USD, at the prices of 2026-11" in run("status", priced[0]).out


@given(
    amounts=st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=10)), max_size=40),
    by=st.sampled_from(Period),
    hours=st.integers(min_value=1, max_value=200),
)
def test_periods_and_parts_add_up_to_the_whole(amounts: list[float | None], by: Period, hours: int) -> None:
    jobs = [job(NOVEMBER - timedelta(hours=hours * index), amount) for index, amount in enumerate(amounts)]
    found = costs(jobs, since=None, until=None, by=by)

    assert found.whole.jobs == len(jobs)
    assert found.whole.unpriced == amounts.count(None)
    assert sum(summed.jobs for summed in found.periods.values()) == len(jobs)
    for whole in (
        sum(summed.usd for summed in found.periods.values()),
        sum(found.whole.parts.values()),
        sum(amount.usd for amount in found.whole.usage.values()),
    ):
        assert whole == pytest.approx(found.whole.usd)


def test_sums_read_no_further_than_since() -> None:
    read = []

    def listed() -> Iterator[JobSummary]:
        for days in range(100):
            read.append(days)
            yield job(NOVEMBER - timedelta(days=days), 1.0)

    found = costs(listed(), since=NOVEMBER - timedelta(days=3), until=NOVEMBER, by=Period.DAY)
    assert found.whole.jobs == 3
    assert len(read) == 5


@pytest.mark.parametrize(
    ("amount", "words"), [(0.00029505, "0.000295 USD"), (1.234, "1.23 USD"), (12_345.678, "12,345.68 USD")]
)
def test_usd_shows_small_amounts_and_rounds_large_ones(amount: float, words: str) -> None:
    assert usd(amount) == words
