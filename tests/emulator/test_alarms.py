"""Each alarm, driven into ALARM by what it is about, on the running stack.

The emulator makes no alarm with an expression and measures little, so: the cause is made to happen; what AWS would
measure is read from where it happens (the emulator's own metric where it has one, else the queue, the answers, the
jobs, the log); and the alarm's definition, from production's template, is evaluated over it (`tests/alarm_states.py`).
Only the clock is moved: a message that waits is taken to wait on.
"""

import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from darkroom import Client, JobStatus

from laptop.deployment import Deployment
from laptop.waiting import wait_for
from laptop.world import World
from tests.alarm_states import Datum, composite_state, state

ROOT = Path(__file__).parents[2]
MINUTE, FIVE_MINUTES = 60, 300
OF_OWNERS = {"InvalidImage", "ImageNotFound", "InvalidJob", "TooManyJobs"}
"""Classes of errors that are no fault of ours: what `JobFaults` leaves out."""


@pytest.fixture(scope="module")
def alarms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Production's alarms by their names, without the stack's."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app
    from stacks.bundling import Package, Packages

    path = tmp_path_factory.mktemp("packages") / "empty.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    package = Package(path=path, digest="0" * 64)
    cdk_app = aws_cdk.App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    stack = app.add_stack(cdk_app, "a", app.settings_of(cdk_app, "prod"), Packages(api=package, stages=package))
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    found = [one["Properties"] for one in resources if one["Type"].startswith("AWS::CloudWatch::")]
    return {one["AlarmName"].removeprefix("Darkroom-a-"): one for one in found if "AlarmName" in one}


class Measured:
    """What AWS would measure, read from where it happens."""

    def __init__(self, deployment: Deployment) -> None:
        self._sqs = deployment.client("sqs")
        self._cloudwatch = deployment.client("cloudwatch")
        stack = deployment.client("cloudformation").describe_stack_resources(StackName="Darkroom-laptop")
        (untold,) = (
            one["PhysicalResourceId"]
            for one in stack["StackResources"]
            if one["LogicalResourceId"].startswith("EventsFailures") and one["ResourceType"] == "AWS::SQS::Queue"
        )
        self.urls = {
            "jobs": deployment.outputs["JobQueueUrl"],
            "unstarted": deployment.outputs["IntakeDeadLetterQueueUrl"],
            "dead letters": deployment.outputs["DeadLetterQueueUrl"],
            "untold": untold,
        }

    def ages(self, queue: str, *, minutes: int) -> list[Datum]:
        """The age of the oldest message, minute by minute from when it was sent, if nobody takes it meanwhile."""
        page = self._sqs.receive_message(
            QueueUrl=self.urls[queue], VisibilityTimeout=0, MessageSystemAttributeNames=["SentTimestamp"]
        )
        sent = [int(message["Attributes"]["SentTimestamp"]) / 1000 for message in page.get("Messages", [])]
        return [
            Datum(metric="AWS/SQS/ApproximateAgeOfOldestMessage", value=MINUTE * minute, at=min(sent) + MINUTE * minute)
            for minute in range(1, minutes + 1)
            if sent
        ]

    def visible(self, queue: str) -> list[Datum]:
        """How many messages wait."""
        name = "ApproximateNumberOfMessages"
        found = self._sqs.get_queue_attributes(QueueUrl=self.urls[queue], AttributeNames=[name])["Attributes"]
        return [Datum(metric=f"AWS/SQS/{name}Visible", value=float(found[name]), at=1)]

    def of_function(self, function: str, name: str, *, at: float) -> Datum:
        """A metric that the emulator has measured itself, as its sum until now."""
        points = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=datetime.now(UTC) - timedelta(hours=1),
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            Period=MINUTE,
            Statistics=["Sum"],
        )["Datapoints"]
        return Datum(metric=f"AWS/Lambda/{name}", value=sum(point["Sum"] for point in points), at=at)


@pytest.fixture(scope="module")
def measured(deployed: Deployment) -> Measured:
    return Measured(deployed)


@pytest.fixture
def api(client: Client, as_anybody: Callable[[Client], httpx.Client]) -> Iterator[httpx.Client]:
    with as_anybody(client) as api:
        yield api


@contextmanager
def unread(deployed: Deployment, function: str) -> Iterator[None]:
    """Switch off what a function reads, for the length of a block."""
    functions = deployed.client("lambda")
    (mapping,) = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def deployed_with(deployed: Deployment, function: str, name: str, value: Any) -> Iterator[None]:
    """Deploy a function with another configuration, for the length of a block."""
    functions = deployed.client("lambda")
    before = functions.get_function_configuration(FunctionName=function)[name]
    functions.update_function_configuration(FunctionName=function, **{name: value})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=function, **{name: before})


def test_stalled_and_oldest_job(
    alarms: dict[str, Any], client: Client, world: World, measured: Measured, image_id: str
) -> None:
    with world.queue_unread():
        job_id = client.submit(image_id).job_id
        ages = measured.ages("jobs", minutes=25)
        assert ages
        # Nobody reads, so nothing is taken: the message is there however often one looks.
        assert not world.is_empty(measured.urls["jobs"])
        taken = [Datum(metric="AWS/SQS/NumberOfMessagesDeleted", value=0, at=age.at) for age in ages]

    started = ages[0].at - MINUTE
    assert state(alarms["stalled"], [*ages, *taken], now=started + 5 * MINUTE) == "OK"
    assert state(alarms["stalled"], [*ages, *taken], now=started + 11 * MINUTE) == "ALARM"
    assert state(alarms["oldest-job"], ages, now=started + 15 * MINUTE) == "OK"
    assert state(alarms["oldest-job"], ages, now=started + 21 * MINUTE) == "ALARM"

    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    assert wait_for(lambda: world.is_empty(measured.urls["jobs"]))
    over = measured.ages("jobs", minutes=25)
    assert state(alarms["stalled"], over, now=started) == state(alarms["oldest-job"], over, now=started) == "OK"


def test_jobs_that_are_taken_are_not_stalled_however_long_they_wait(alarms: dict[str, Any]) -> None:
    names = ("AWS/SQS/ApproximateAgeOfOldestMessage", "AWS/SQS/NumberOfMessagesDeleted")
    slow = [Datum(metric=name, value=1000, at=MINUTE * minute) for minute in range(30) for name in names]

    assert state(alarms["stalled"], slow, now=29 * MINUTE) == "OK"
    assert state(alarms["oldest-job"], slow, now=29 * MINUTE) == "ALARM"


def test_api_5xx(alarms: dict[str, Any], deployed: Deployment, world: World, api: httpx.Client) -> None:
    def asked(at: float) -> list[Datum]:
        answers = [api.get("/jobs").status_code for _ in range(10)]
        return [
            datum
            for status in answers
            for datum in (
                Datum(metric="AWS/ApiGateway/Count", value=1, at=at),
                Datum(metric="AWS/ApiGateway/5XXError", value=float(status >= 500), at=at),
            )
        ]

    well = asked(1)
    with deployed_with(deployed, world.function("ApiCalls"), "Handler", "lambdas.handlers.forgotten.handler"):
        ill = [*asked(1 + FIVE_MINUTES), *asked(1 + 2 * FIVE_MINUTES)]

    assert state(alarms["api-5xx"], well, now=FIVE_MINUTES) == "OK"
    assert state(alarms["api-5xx"], [*well, *ill], now=3 * FIVE_MINUTES) == "ALARM"
    assert state(alarms["api-5xx"], asked(1 + 3 * FIVE_MINUTES), now=4 * FIVE_MINUTES) == "OK"


def test_failure_rate(alarms: dict[str, Any], client: Client, world: World, image_id: str) -> None:
    with world.held("Inspect"):
        jobs = [client.submit(image_id).job_id for _ in range(20)]
        for job_id in jobs:
            assert wait_for(lambda job_id=job_id: world.executions(job_id) != [])  # type: ignore[misc]
            world.stop_execution(world.executions(job_id)[0])
        ended = [list(client.watch(job_id))[-1] for job_id in jobs]
    faults = [
        Datum(
            metric="Darkroom/JobFaults",
            value=float(
                job.status is JobStatus.FAILED and job.error is not None and job.error.error_class not in OF_OWNERS
            ),
            at=1 + FIVE_MINUTES * (number % 2),
        )
        for number, job in enumerate(ended)
    ]

    assert state(alarms["failure-rate"], faults, now=2 * FIVE_MINUTES) == "ALARM"
    assert state(alarms["failure-rate"], faults, now=FIVE_MINUTES) == "OK"


def test_images_that_are_none_are_no_failure_rate(alarms: dict[str, Any], client: Client) -> None:
    ended = [list(client.watch(client.submit("nothing-uploaded").job_id))[-1] for _ in range(10)]
    assert {job.error.error_class for job in ended if job.error} <= OF_OWNERS
    faults = [Datum(metric="Darkroom/JobFaults", value=0, at=at) for at in (1, 1 + FIVE_MINUTES) for _ in ended]
    assert state(alarms["failure-rate"], faults, now=2 * FIVE_MINUTES) == "OK"


def test_dead_letters(alarms: dict[str, Any], client: Client, world: World, measured: Measured) -> None:
    job_id = client.submit("nothing-uploaded").job_id
    assert wait_for(lambda: world.dead_letters(job_id) != [])
    there = measured.visible("dead letters")
    assert state(alarms["dead-letters"], there, now=FIVE_MINUTES) == "ALARM"
    # Nobody has touched the queue for hours: it says nothing, and its letters are still there.
    assert state(alarms["dead-letters"], [], now=FIVE_MINUTES, before="ALARM") == "ALARM"

    world.take(measured.urls["dead letters"])
    assert state(alarms["dead-letters"], measured.visible("dead letters"), now=FIVE_MINUTES) == "OK"


def test_throttled_functions(alarms: dict[str, Any], deployed: Deployment, world: World, measured: Measured) -> None:
    function = world.function("Palette")
    seen = [measured.of_function(function, "Throttles", at=0)]
    with world.held("Palette"):
        for period in range(3):
            for _ in range(10):
                with pytest.raises(ClientError, match="TooManyRequests"):
                    deployed.client("lambda").invoke(FunctionName=function)
            seen.append(measured.of_function(function, "Throttles", at=1 + FIVE_MINUTES * period))
    throttled = [
        Datum(metric=after.metric, value=after.value - before.value, at=after.at)
        for before, after in itertools.pairwise(seen)
    ]

    assert state(alarms["throttled-functions"], throttled[:2], now=3 * FIVE_MINUTES) == "OK"
    assert state(alarms["throttled-functions"], throttled, now=3 * FIVE_MINUTES) == "ALARM"


def test_stage_timeouts(
    alarms: dict[str, Any], deployed: Deployment, client: Client, world: World, image_id: str
) -> None:
    with deployed_with(deployed, world.function("Inspect"), "Timeout", 2):  # a stage keeps two seconds for its end
        ended = [list(client.watch(client.submit(image_id).job_id))[-1] for _ in range(3)]
    timeouts = [
        Datum(metric="Darkroom/StageTimeouts", value=1, at=1)
        for job in ended
        if job.error and job.error.error_class in {"StageTimeout", "States.Timeout"}
    ]

    assert state(alarms["stage-timeouts"], timeouts, now=900) == "ALARM"
    assert state(alarms["stage-timeouts"], timeouts[:2], now=900) == "OK"


def test_stuck_jobs(alarms: dict[str, Any], deployed: Deployment, client: Client, world: World, image_id: str) -> None:
    events, logs = deployed.client("events"), deployed.client("logs")
    (ends,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
    with world.held("Inspect"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: world.executions(job_id) != [])
        events.disable_rule(Name=ends)  # nobody is told of the end
        try:
            world.stop_execution(world.executions(job_id)[0])
            assert wait_for(lambda: _reconciled(deployed, client, job_id), 90)
        finally:
            events.enable_rule(Name=ends)
    (group,) = (
        one["logGroupName"]
        for one in logs.describe_log_groups()["logGroups"]
        if "FunctionsReconcile" in one["logGroupName"] or one["logGroupName"].endswith(world.function("Reconcile"))
    )
    said = "\n".join(one["message"] for one in logs.filter_log_events(logGroupName=group)["events"])
    found = [line for line in said.splitlines() if job_id in line and '"action": "failed"' in line]

    stuck = [Datum(metric="Darkroom/JobsStuck", value=1, at=1) for _ in found]
    assert state(alarms["stuck-jobs"], stuck, now=900) == "ALARM"
    assert state(alarms["stuck-jobs"], [], now=900) == "OK"


def _reconciled(deployed: Deployment, client: Client, job_id: str) -> bool:
    deployed.client("lambda").invoke(FunctionName=deployed.outputs["ReconcileFunctionName"], Payload=b"{}")
    return client.get(job_id).status is JobStatus.FAILED


def test_reconciler(alarms: dict[str, Any], deployed: Deployment, measured: Measured) -> None:
    name = deployed.outputs["ReconcileFunctionName"]
    deployed.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    runs = [measured.of_function(name, metric, at=1) for metric in ("Invocations", "Errors")]
    assert runs[0].value > 0

    assert state(alarms["reconciler"], runs, now=FIVE_MINUTES) == "OK"
    # Its clock has stopped: nothing is measured any more.
    assert state(alarms["reconciler"], runs, now=3 * FIVE_MINUTES) == "ALARM"
    failing = [
        Datum(metric=f"AWS/Lambda/{metric}", value=5, at=1 + FIVE_MINUTES * period)
        for metric in ("Invocations", "Errors")
        for period in range(2)
    ]
    assert state(alarms["reconciler"], failing, now=2 * FIVE_MINUTES) == "ALARM"


def test_unread_messages(alarms: dict[str, Any], deployed: Deployment, world: World, measured: Measured) -> None:
    with unread(deployed, world.function("BuryMessage")):
        deployed.client("sqs").send_message(QueueUrl=measured.urls["unstarted"], MessageBody="{}")
        ages = measured.ages("unstarted", minutes=25)
    assert ages

    sent = ages[0].at - MINUTE
    assert state(alarms["unread-messages"], ages, now=sent + 15 * MINUTE) == "OK"
    assert state(alarms["unread-messages"], ages, now=sent + 21 * MINUTE) == "ALARM"
    assert wait_for(lambda: world.is_empty(measured.urls["unstarted"]))
    over = measured.ages("unstarted", minutes=25)
    assert state(alarms["unread-messages"], over, now=sent + 21 * MINUTE) == "OK"


def test_events_late(alarms: dict[str, Any], client: Client, world: World, api: httpx.Client, image_id: str) -> None:
    def told(job_id: str) -> list[Any]:
        return list(api.get(f"/jobs/{job_id}/events").json()["events"])

    with world.held("PublishEvents"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).status is JobStatus.SUCCEEDED)
        assert told(job_id) == []
        # Every try reads the same change again, which is older each time.
        late = [
            Datum(metric="AWS/Lambda/IteratorAge", value=1000.0 * MINUTE * minute, at=MINUTE * minute)
            for minute in range(1, 12)
        ]

    assert state(alarms["events-late"], late, now=5 * MINUTE) == "OK"
    assert state(alarms["events-late"], late, now=10 * MINUTE) == "ALARM"
    assert wait_for(lambda: told(job_id) != [])


def test_events_lost(
    alarms: dict[str, Any], deployed: Deployment, world: World, measured: Measured, owner: str
) -> None:
    # A row that something else has written, which nobody can tell of.
    row = {"owner": {"S": owner}, "jobId": {"S": "no-job-of-ours"}, "status": {"S": "PUZZLED"}}
    rows = deployed.client("dynamodb")
    rows.put_item(TableName=world.outputs["JobTableName"], Item=row)
    try:
        assert wait_for(lambda: measured.visible("untold")[0].value > 0)
    finally:
        rows.delete_item(TableName=world.outputs["JobTableName"], Key={name: row[name] for name in ("owner", "jobId")})
    # That it is gone cannot be told either.
    assert wait_for(lambda: measured.visible("untold")[0].value > 1)

    assert state(alarms["events-lost"], measured.visible("untold"), now=FIVE_MINUTES) == "ALARM"
    world.take(measured.urls["untold"])
    assert state(alarms["events-lost"], measured.visible("untold"), now=FIVE_MINUTES) == "OK"


@pytest.mark.parametrize("name", ["throttled-executions", "throttled-writes"])
def test_limits_that_only_aws_has(alarms: dict[str, Any], name: str) -> None:
    """Nothing here has them: the numbers are made up, the definition is not."""
    metric = f"{alarms[name]['Namespace']}/{alarms[name]['MetricName']}"
    few = [Datum(metric=metric, value=value, at=1 + FIVE_MINUTES * period) for period, value in enumerate((10, 10, 9))]
    many = [Datum(metric=metric, value=10, at=1 + FIVE_MINUTES * period) for period in range(3)]

    assert state(alarms[name], few, now=3 * FIVE_MINUTES) == "OK"
    assert state(alarms[name], many, now=3 * FIVE_MINUTES) == "ALARM"


@pytest.mark.parametrize("on", ["stalled", "api-5xx", "failure-rate"])
def test_paged(alarms: dict[str, Any], on: str) -> None:
    ids = {name: "".join(part.title() for part in name.split("-")) for name in alarms}
    parts = alarms["paged"]["AlarmRule"]["Fn::Join"][1]
    named = [part if isinstance(part, str) else part["Fn::GetAtt"][0] for part in parts]
    rule = "".join(next((name for name in alarms if part.startswith(f"Alarms{ids[name]}")), part) for part in named)

    assert composite_state(rule, {name: "ALARM" if name == on else "OK" for name in alarms}) == "ALARM"
    assert composite_state(rule, dict.fromkeys(alarms, "OK")) == "OK"
