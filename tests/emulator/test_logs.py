"""What the functions log: ids and words of our own, and nothing that a caller has said or that opens a door."""

import json
from typing import Any

import httpx
from darkroom import Client, JobStatus

from lambdas.jobs.measures import Name
from laptop import users
from laptop.deployment import Deployment
from laptop.waiting import wait_for
from laptop.world import World

FIELDS = {
    *("level", "location", "message", "timestamp", "service"),
    *("jobId", "attempt", "execution", "stage"),
    *("operator", "owner", "call"),
    *("status", "action", "nextAttempt", "messageId", "objects"),
    *("errorClass", "detail", "reason", "report", "exception", "exception_name", "stack_trace"),
}
METRIC_FIELDS = {"_aws", "Stage", "Status", "ErrorClass", "Action", *Name}
TOLD = "what-the-owner-alone-knows"


def test_logs_hold_listed_fields_and_nothing_that_was_said_in_confidence(
    client: Client, http: httpx.Client, world: World, deployed: Deployment, image_id: str
) -> None:
    done = client.submit(image_id, tags={TOLD: f'{TOLD}\n{{"level": "forged"}}'}).job_id
    failed = client.submit("nothing-uploaded", tags={"note": TOLD}).job_id
    poison = f'{{"imageId": "an-image", "imageId": "{TOLD}"}}'
    http.post("/jobs", content=poison, headers={"Content-Type": "application/json"})
    assert list(client.watch(done))[-1].status is JobStatus.SUCCEEDED
    assert list(client.watch(failed))[-1].status is JobStatus.FAILED
    picture = http.get(f"/jobs/{done}/result", params={"artefact": "preview"}).headers["Location"]
    assert http.get(f"/jobs/{done}%0A").status_code == 400
    assert wait_for(lambda: any(failed in line for line in _lines(deployed)))

    lines = [line for log in _lines(deployed) for line in log.split("\n")]

    # The others are Lambda's own, and its runtime client's account of an error.
    ours = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"jobId", "message"} <= {name for line in ours if "_aws" not in line for name in line} <= FIELDS
    assert {name for line in ours if "_aws" in line for name in line} <= FIELDS | METRIC_FIELDS
    text = "\n".join(lines)
    signature = http.headers["Authorization"].rpartition(".")[2]
    for secret in (TOLD, "forged", signature, "X-Amz-", picture.partition("?")[2], users.DEMO.name):
        assert secret not in text


def _lines(deployed: Deployment) -> list[str]:
    """Every line of every log of the stack."""
    logs = deployed.client("logs")
    pages = logs.get_paginator("describe_log_groups").paginate()
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return [line for name in names for line in _of(logs, name)]


def _of(logs: Any, name: str) -> list[str]:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    return [event["message"].rstrip("\n") for page in pages for event in page["events"]]
