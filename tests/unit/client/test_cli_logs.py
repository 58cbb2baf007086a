"""`darkroom logs`, against log groups in memory that answer as CloudWatch Logs does."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from darkroom import Profile
from darkroom.cli import main
from darkroom.job_ids import new_job_id
from darkroom.operator_places import OperatorPlaces

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import FakeDarkroom

RunCommand = Callable[..., Run]
STACK = "Darkroom-test"
TRACE = "1-5759e988-bd862e3fe1be46a994272793"
GROUPS = {
    "ApiAccessLogA1B2C3D4": "access",
    "ApiExecutionLogA1B2C3D4": "execution",
    "FunctionsApiLogA1B2C3D4": "api",
    "FunctionsInspectLogA1B2C3D4": "inspect",
    "FunctionsSettleFailedLogA1B2C3D4": "failed",
    "FunctionsStartExecutionLogA1B2C3D4": "starter",
    "PushAccessLogA1B2C3D4": "push",
    "WorkflowLogA1B2C3D4": "workflow",
}
PAGE = 2
LONGEST_PATTERN = 1024
"""By CloudWatch Logs."""


class FakeLogs:
    """Log groups, read by pages."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {group: [] for group in GROUPS.values()}
        self.asked: list[dict[str, Any]] = []

    def put(self, group: str, at: float, message: object) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        self.events[group].append({"timestamp": int(at * 1000), "message": f"{text}\n"})

    def get_paginator(self, operation: str) -> "FakeLogs":
        assert operation == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(asked)
        phrases = re.findall(r'"([^"]+)"', asked["filterPattern"])
        assert asked["filterPattern"].count("?") == (len(phrases) if len(phrases) > 1 else 0)
        found = [
            event
            for event in self.events[asked["logGroupName"]]
            if any(phrase in event["message"] for phrase in phrases)
            and asked["startTime"] <= event["timestamp"] <= asked.get("endTime", 1 << 60)
        ]
        for start in range(0, max(len(found), 1), PAGE):
            yield {"events": found[start : start + PAGE]}


class FakeStacks:
    """CloudFormation, which knows one stack."""

    def get_paginator(self, operation: str) -> "FakeStacks":
        assert operation == "list_stack_resources"
        return self

    def paginate(self, *, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - as boto3 calls it
        if StackName != STACK:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "ListStackResources")
        others = [{"ResourceType": "AWS::Lambda::Function", "LogicalResourceId": "F", "PhysicalResourceId": "f"}]
        groups = [
            {"ResourceType": "AWS::Logs::LogGroup", "LogicalResourceId": name, "PhysicalResourceId": group}
            for name, group in GROUPS.items()
        ]
        yield {"StackResourceSummaries": others}
        yield {"StackResourceSummaries": groups}


@pytest.fixture
def fake_logs() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def job_id(fake: FakeDarkroom) -> str:
    return new_job_id(fake.now)


@pytest.fixture
def run(fake_logs: FakeLogs, fake: FakeDarkroom, profile: Profile, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    assert profile.path is not None
    replace(profile, operator=OperatorPlaces.of(stack=STACK), region="eu-central-1").save(profile.path)

    def run_command(*arguments: object) -> Run:
        clients = {"logs": fake_logs, "cloudformation": FakeStacks()}
        surroundings = replace(fake.surroundings, aws_client=lambda service, **_: clients[service])
        code = main(["logs", *(str(argument) for argument in arguments)], surroundings)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run_command


@pytest.fixture
def run_of_a_job(fake_logs: FakeLogs, fake: FakeDarkroom, job_id: str) -> None:
    """What the logs have of one job, and of another that is none of its business."""
    at = fake.now
    fake_logs.put("inspect", at + 2, line(job_id, "The stage is done", stage="inspect", milliseconds=120))
    fake_logs.put("inspect", at + 2, line(f"{job_id}-2", "The stage is done", stage="inspect"))
    fake_logs.put("starter", at + 1, line(job_id, "The execution is started"))
    fake_logs.put("starter", at + 1, "START RequestId: 1 Version: $LATEST")
    fake_logs.put("access", at, {**call("PUT", "/jobs/{jobId}"), "traceId": TRACE})
    fake_logs.put("access", at, {**call("GET", "/jobs/{jobId}"), "traceId": TRACE.replace("5", "6")})
    fake_logs.put("access", at + 1.5, {**call("GET", "/jobs/{jobId}/events"), "requestId": "request-7"})
    fake_logs.put("api", at + 1.6, line(job_id, "A call about the job is answered", requestId="request-7"))
    arn = f"arn:aws:states:eu-central-1:123456789012:execution:images:{execution(job_id)}"
    fake_logs.put("workflow", at + 3, {"type": "ExecutionFailed", "execution_arn": arn, "details": {}})


def execution(job_id: str, owner: str = "ada", attempt: int = 1) -> str:
    return f"{job_id}-{hashlib.sha256(owner.encode()).hexdigest()[:8]}-a{attempt}"


def line(job_id: str, message: str, *, owner: str = "ada", level: str = "INFO", **more: object) -> dict[str, object]:
    about = {"jobId": job_id, "attempt": 1, "execution": execution(job_id, owner), "traceId": TRACE}
    return {"level": level, "message": message, "service": "darkroom", **about, **more}


def call(method: str, resource: str) -> dict[str, object]:
    return {"method": method, "resource": resource, "status": "202", "latencyMs": "12", "errorType": "-"}


@pytest.mark.usefixtures("run_of_a_job")
def test_lines_of_all_logs_are_shown_in_order_from_the_call_to_the_end(run: RunCommand, job_id: str) -> None:
    ended = run(job_id)

    assert ended.code == 0
    assert [shown.split()[2] for shown in ended.out.splitlines()] == [
        "gateway", "StartExecution", "gateway", "Api", "Inspect", "StateMachine",
    ]  # fmt: skip
    first, second, third, _, fifth, sixth = ended.out.splitlines()
    assert "PUT /jobs/{jobId} 202 in 12 ms" in first
    assert "a1  INFO      The execution is started" in second
    assert "GET /jobs/{jobId}/events 202" in third
    assert fifth.endswith("The stage is done  milliseconds=120")
    assert "ExecutionFailed" in sixth


@pytest.mark.usefixtures("run_of_a_job")
def test_lines_for_a_program_have_all_that_they_say(run: RunCommand, fake: FakeDarkroom, job_id: str) -> None:
    lines = run(job_id, "--json").lines()

    sources = [shown["source"] for shown in lines]
    assert sources == ["gateway", "StartExecution", "gateway", "Api", "Inspect", "StateMachine"]
    traces = [shown["members"].get("traceId") for shown in lines]  # type: ignore[attr-defined]
    assert traces == [TRACE, TRACE, None, TRACE, TRACE, None]
    assert lines[0]["time"] == datetime.fromtimestamp(fake.now, UTC).isoformat(timespec="milliseconds")


def test_search_begins_when_the_id_was_made(
    run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom, job_id: str
) -> None:
    fake_logs.put("starter", fake.now - 3600, line(job_id, "too early"))
    fake_logs.put("starter", fake.now, line(job_id, "in time"))
    fake.now += 90 * 86_400

    assert "too early" not in run(job_id).out
    assert "in time" in run(job_id).out
    assert {asked["startTime"] for asked in fake_logs.asked} == {int((fake.now - 90 * 86_400) * 1000) - 300_000}


def test_search_of_an_id_without_a_time_looks_a_day_back_or_as_told(
    run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom
) -> None:
    fake_logs.put("starter", fake.now - 2 * 86_400, line("job-1", "two days ago"))

    missing = run("job-1")
    assert missing.code == 4
    assert "--since 7d" in missing.err
    assert "two days ago" in run("job-1", "--since", "7d").out
    assert run("job-1", "--since", "7d", "--until", "3d").code == 4


def test_levels_below_the_one_asked_for_are_left_out(run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom) -> None:
    for level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        fake_logs.put("starter", fake.now, line("job-1", f"at {level}", level=level))

    assert [shown.split()[-1] for shown in run("job-1", "--level", "warning").out.splitlines()] == ["WARNING", "ERROR"]
    assert run("job-1", "--level", "LOUD").code == 2


@pytest.mark.usefixtures("run_of_a_job")
def test_end_that_step_functions_tells_of_is_an_error(run: RunCommand, job_id: str) -> None:
    (shown,) = run(job_id, "--level", "error").out.splitlines()
    assert "ExecutionFailed" in shown


def test_owners_with_the_same_id_are_told_apart(run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom) -> None:
    fake_logs.put("starter", fake.now, line("job-1", "of ada", owner="ada"))
    fake_logs.put("starter", fake.now, line("job-1", "of bob", owner="bob"))

    assert len(run("job-1").out.splitlines()) == 2
    assert "of bob" in run("job-1", "--owner", "bob").out
    assert "of ada" not in run("job-1", "--owner", "bob").out


def test_text_in_a_line_cannot_act_on_the_terminal(run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom) -> None:
    fake_logs.put("inspect", fake.now, line("job-1", "It failed\x1b[2J", reason="a\nb"))

    shown = run("job-1").out
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 1


def test_many_calls_about_a_job_are_asked_for_some_at_a_time(
    run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom, job_id: str
) -> None:
    for number in range(50):
        request = f"{number:08d}-0000-4000-8000-000000000000"
        fake_logs.put("access", fake.now, {**call("GET", "/jobs/{jobId}"), "requestId": request})
        fake_logs.put("api", fake.now, line(job_id, "A call about the job is answered", requestId=request))

    assert [shown["source"] for shown in run(job_id, "--json").lines()].count("gateway") == 50
    patterns = [asked["filterPattern"] for asked in fake_logs.asked if asked["logGroupName"] == "access"]
    assert len(patterns) == 3
    assert max(len(pattern) for pattern in patterns) <= LONGEST_PATTERN


def test_following_ends_with_the_last_attempt(
    run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, slept = fake.now, []
    fake_logs.put("failed", at, line("job-1", "The job has failed", status="FAILED"))
    fake_logs.put("api", at + 1, line("job-1", "The job is redriven", nextAttempt=2))

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 9:
            again = {"attempt": 2, "execution": execution("job-1", attempt=2), "status": "SUCCEEDED"}
            fake_logs.put("inspect", at + 9, line("job-1", "The stage is done", **again))
        if len(slept) == 11:
            fake_logs.put("starter", at + 8, line("job-1", "This one shows late"))

    fake_sleep = replace(fake.surroundings, sleep=sleep)
    monkeypatch.setattr(type(fake), "surroundings", property(lambda _: fake_sleep))
    ended = run("job-1", "--follow")

    assert ended.code == 0
    assert len(ended.out.splitlines()) == 4
    assert "This one shows late" in ended.out


def test_following_has_no_other_end(run: RunCommand) -> None:
    assert run("job-1", "--follow", "--until", "1h").code == 2


def test_stage_is_named_where_another_function_speaks_of_it(
    run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom
) -> None:
    fake_logs.put("failed", fake.now, line("job-1", "The job has failed", stage="palette", level="WARNING"))

    assert "WARNING   The job has failed  stage=palette" in run("job-1").out


def test_following_shows_each_line_once_until_it_is_stopped(
    run: RunCommand, fake_logs: FakeLogs, fake: FakeDarkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_logs.put("starter", fake.now, line("job-1", "first"))
    rounds = iter(range(4))

    def sleep(_: float) -> None:
        turn = next(rounds)
        if turn == 1:
            fake_logs.put("inspect", fake.now + 1, line("job-1", "second"))
        if turn == 3:
            raise KeyboardInterrupt

    fake_sleep = replace(fake.surroundings, sleep=sleep)
    monkeypatch.setattr(type(fake), "surroundings", property(lambda _: fake_sleep))
    ended = run("job-1", "--follow")

    assert ended.code == 130
    assert [shown.split()[-1] for shown in ended.out.splitlines()] == ["first", "second"]


def test_stack_that_is_not_known_or_not_named_is_said(run: RunCommand, profile: Profile) -> None:
    assert run("job-1", "--stack", "Other").code == 5
    assert profile.path is not None
    profile.save(profile.path)
    unnamed = run("job-1")
    assert unnamed.code == 2
    assert "--stack" in unnamed.err


def test_what_cannot_be_an_id_is_refused_before_anything_is_asked(run: RunCommand, fake_logs: FakeLogs) -> None:
    assert run('job" || 1').code == 2
    assert fake_logs.asked == []
