"""What follows from AWS's prices: computed, so that a new price changes the answer and not only the table."""

import pytest

from lambdas.jobs.prices import PRICES, Charge
from laptop.bench import prices

TRANSITION = PRICES[Charge.TRANSITIONS].usd


def test_skipping_by_an_invocation_is_cheaper_where_most_jobs_ask_for_the_branch() -> None:
    compared = prices.skipping(memory_mb=512, milliseconds=15, row_kb=5.5)
    # 0.20 for the request, 0.10 for 15 ms of half a GB, 3.75 for six write units: USD for a million.
    assert compared.refused_invocation * 1e6 == pytest.approx(0.20 + 0.10 + 3.75, abs=0.01)
    assert compared.choice * 1e6 == pytest.approx(25)


@pytest.mark.parametrize(("share", "choice_is_cheaper"), [(0.0, True), (0.10, True), (0.20, False), (1.0, False)])
def test_break_even_is_where_both_cost_the_same(share: float, choice_is_cheaper: bool) -> None:
    compared = prices.skipping(memory_mb=512, milliseconds=15, row_kb=5.5)
    # Without a Choice, every job enters the Task. With it, every job enters the Choice, and the askers the Task too.
    without = TRANSITION + (1 - share) * compared.refused_invocation
    with_choice = TRANSITION * (1 + share)
    assert (with_choice < without) is choice_is_cheaper
    assert (share < compared.break_even) is choice_is_cheaper


def test_of_requests_bills_rows_by_whole_kilobytes() -> None:
    writes = prices.of_requests({"DynamoDB.UpdateItem": 2}, row_kb=4.1)
    assert writes == pytest.approx(2 * 5 * PRICES[Charge.TABLE_WRITES].usd)


def test_of_job_is_mostly_its_transitions() -> None:
    def job(transitions: int) -> float:
        return prices.of_job(transitions=transitions, functions=7, requests={"S3.PutObject": 4}, row_kb=5)

    assert job(9) - job(8) == pytest.approx(TRANSITION)
    # 3.50 for the call, 1.50 for the queue, 200 for the transitions, 1.40 for the functions, 20 for the objects.
    assert job(8) * 1e6 == pytest.approx(3.50 + 1.50 + 200 + 1.40 + 20)
