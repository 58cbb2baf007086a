"""The way of an event: from the job table's stream to the log and the bus, and where what cannot be told ends up."""

import pytest

from lambdas.adapters import event_log
from tests.infrastructure.templates import Resources


@pytest.fixture
def source(template: Resources) -> dict[str, object]:
    sources = template.of_type("AWS::Lambda::EventSourceMapping").values()
    (of_stream,) = [source for source in sources if "StartingPosition" in source]
    return of_stream


def test_stream_tells_what_was_and_what_is(template: Resources) -> None:
    table = template.named("JobTable", "AWS::DynamoDB::Table")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_batch_that_fails_is_halved_and_kept_from_nobody(template: Resources, source: dict[str, object]) -> None:
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["BisectBatchOnFunctionError"] is True
    assert source["MaximumRecordAgeInSeconds"] == 2 * 3600
    assert source["MaximumRetryAttempts"] == 100
    destination = source["DestinationConfig"]["OnFailure"]["Destination"]  # type: ignore[index]
    assert template.behind(destination)["MessageRetentionPeriod"] == 14 * 86_400


def test_log_forgets_with_the_job(template: Resources) -> None:
    table = template.named("EventsLog", "AWS::DynamoDB::Table")
    assert table["TimeToLiveSpecification"] == {"AttributeName": event_log.EXPIRES_AT, "Enabled": True}
    assert [key["AttributeName"] for key in table["KeySchema"]] == [event_log.OWNER_AND_JOB, event_log.SEQ]
