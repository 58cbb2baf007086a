"""The AsyncAPI document against the code: what one of them says, the other does."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.adapters import event_bus
from lambdas.handlers import watch
from lambdas.jobs import submission
from lambdas.jobs.status import StageStatus, Status
from stacks import push_channel
from tests.asyncapi import documents, resolved, schema

DOCUMENT = documents()[""]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.items():
            if name == "$ref":
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


@pytest.mark.parametrize("reference", sorted(set(_references(DOCUMENT))))
def test_reference_leads_somewhere(reference: str) -> None:
    node, _ = resolved(reference)

    assert node


def test_document_has_the_parts_of_its_version() -> None:
    assert DOCUMENT["asyncapi"].startswith("3.")
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_subscription_has_the_codes_bounds() -> None:
    asked = schema("Subscribe")
    jobs = asked["properties"]["jobs"]

    assert set(asked["properties"]) == watch.FIELDS
    assert asked["properties"]["action"]["const"] == watch.ACTION
    assert jobs["maxProperties"] == watch.MAX_JOBS
    assert jobs["additionalProperties"]["maximum"] == watch.MAX_SEQ
    assert jobs["propertyNames"]["pattern"] == f"^{submission.ID.pattern}$"


def test_types_of_events_are_those_of_the_statuses() -> None:
    of_jobs = {f"darkroom.job.{status.lower()}" for status in Status} | {"darkroom.job.progressed"}
    # A stage that was cut off is told of by the job's own end.
    of_stages = {f"darkroom.stage.{status.lower()}" for status in StageStatus if status is not StageStatus.STOPPED}

    assert set(schema("JobEvent")["properties"]["type"]["enum"]) == of_jobs | of_stages


def test_addresses_are_the_stacks() -> None:
    assert DOCUMENT["servers"]["push"]["pathname"] == f"/{push_channel.STAGE_NAME}"
    assert DOCUMENT["channels"]["bus"]["address"] == event_bus.SOURCE
