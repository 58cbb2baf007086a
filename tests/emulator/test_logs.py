"""What the functions log: ids and words of our own, and nothing that a caller has said or that opens a door."""

import contextlib
import io
import json
from typing import Any

import httpx
import pytest
from darkroom import Client, JobStatus
from darkroom.cli import main

from lambdas.jobs.measures import Name
from lambdas.stages.catalogue import ORDINARY
from laptop import users
from laptop.deployment import Deployment
from laptop.waiting import wait_for
from laptop.world import World

FIELDS = {
    *("level", "location", "message", "timestamp", "service"),
    *("jobId", "attempt", "execution", "stage", "traceId", "milliseconds"),
    *("operator", "owner", "call", "requestId", "code"),
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


def test_one_trace_and_one_command_follow_a_job_from_its_message_to_its_report(
    client: Client, deployed: Deployment, image_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = client.submit(image_id).job_id
    trace_id = list(client.watch(job_id))[-1].trace_id

    lines = _told(client, job_id, until="The stage is done", times=len(ORDINARY), monkeypatch=monkeypatch)

    asked = [line["members"] for line in lines if "requestId" in line["members"]]
    assert {call["call"] for call in asked} <= {"GET /jobs/{jobId}", "GET /jobs/{jobId}/events"}
    assert asked
    sources = [line["source"] for line in lines if "requestId" not in line["members"]]
    assert sources[0] == "StartExecution"
    assert sources[1] == "Inspect"
    assert sources[-1] == "Report"
    assert set(sources) >= {stage.state for stage in ORDINARY}
    assert {line["members"]["traceId"] for line in lines} == {trace_id}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_lines_of_a_job_that_fails_say_where_and_why(
    client: Client, deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = client.submit("nothing-uploaded-either").job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.FAILED

    lines = _told(client, job_id, until="The job has failed", times=1, monkeypatch=monkeypatch)

    failures = {(line["source"], line["members"].get("errorClass")) for line in lines}
    assert {("Inspect", "ImageNotFound"), ("SettleFailed", "ImageNotFound")} <= failures


def _told(
    client: Client, job_id: str, *, until: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """What `darkroom logs` prints for a program, once a message is in it so many times: lines show a little late."""
    monkeypatch.setenv("DARKROOM_PROFILE_FILE", str(client.profile.path))

    told: list[dict[str, Any]] = []

    def ask() -> bool:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            main(["logs", job_id, "--json"])
        told[:] = [json.loads(line) for line in printed.getvalue().splitlines()]
        return sum(line.get("members", {}).get("message") == until for line in told) >= times

    assert wait_for(ask)
    return told
