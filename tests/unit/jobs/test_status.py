"""The table of allowed status changes."""

import pytest

from lambdas.jobs.status import CANCELLATION, ENDS, ON_CANCEL, TRANSITIONS, Status, sources


def test_transitions_cover_every_status() -> None:
    assert set(TRANSITIONS) == set(Status)


def test_transitions_every_status_can_be_reached_from_queued() -> None:
    reached = {Status.QUEUED}
    for _ in Status:
        reached |= {target for status in reached for target in TRANSITIONS[status]}

    assert reached == set(Status)


def test_transitions_only_failed_can_be_left_once_a_job_has_ended() -> None:
    assert {status for status in ENDS if TRANSITIONS[status]} == {Status.FAILED}


def test_transitions_cancel_that_was_accepted_never_leads_to_success() -> None:
    assert Status.SUCCEEDED not in TRANSITIONS[Status.CANCELLING]


@pytest.mark.parametrize("target", Status)
def test_sources_are_the_table_read_backwards(target: Status) -> None:
    assert {status for status in Status if target in TRANSITIONS[status]} == set(sources(target))


def test_on_cancel_leads_somewhere_from_every_status_that_is_under_way() -> None:
    assert {Status.QUEUED: Status.CANCELLED, Status.RUNNING: Status.CANCELLING} == ON_CANCEL
    assert set(ON_CANCEL) == set(Status) - ENDS - CANCELLATION
