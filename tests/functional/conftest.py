"""Real code on an in-memory AWS: the handlers, the table and the bucket as they are, moto underneath."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from hypothesis import Phase, settings
from moto import mock_aws

from lambdas.adapters import clients, keys, wire
from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.watch_list import WatchList
from lambdas.config import OFF, Variable
from lambdas.jobs.model import Failure, Job, OwedLetter
from lambdas.jobs.times import now
from laptop.bench.in_memory import answered_in_memory

# For `make mutants`: that a fault is found is enough, the shortest way to it is not looked for.
settings.register_profile("mutants", phases=[Phase.generate])
if os.environ.get("HYPOTHESIS_PROFILE") == "mutants":
    settings.load_profile("mutants")

REGION = "eu-central-1"
OWNER = "0b5c8d0e-7a1f-4a52-9d1c-2f6f3f1d7c11"
STRANGER = "5f0a61a4-33f5-4d0e-8c3f-9a2c1b7e4d22"


@dataclass(frozen=True)
class Aws:
    """What the handlers find around them."""

    table: JobTable
    bucket: ImageBucket
    bucket_name: str
    state_machine_arn: str
    dead_letters_url: str
    job_queue_url: str
    intake_dead_letters_url: str
    event_failures_url: str
    event_bus_name: str = "darkroom"

    @property
    def watch_list(self) -> WatchList:
        """What the reconciler goes by."""
        return WatchList("jobs")

    def executions(self) -> list[str]:
        """Names of the executions that were started."""
        listed = boto3.client("stepfunctions").list_executions(stateMachineArn=self.state_machine_arn)
        return [execution["name"] for execution in listed["executions"]]

    def end_execution(self, job_id: str) -> None:
        """Stop the one execution of a job, as somebody in the console would."""
        states = boto3.client("stepfunctions")
        for execution in states.list_executions(stateMachineArn=self.state_machine_arn)["executions"]:
            if execution["name"].startswith(f"{job_id}-"):
                states.stop_execution(executionArn=execution["executionArn"])

    def letters(self) -> list[dict[str, Any]]:
        """Take all dead letters off the queue."""
        found = boto3.client("sqs").receive_message(QueueUrl=self.dead_letters_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def stream(self) -> list[dict[str, Any]]:
        """Every change of the job table so far, as its stream tells of them."""
        streams = boto3.client("dynamodbstreams")
        (stream,) = streams.list_streams(TableName="jobs")["Streams"]
        (shard,) = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return list(streams.get_records(ShardIterator=iterator)["Records"])

    def cancel(self, job_id: str, owner: str = OWNER) -> Job:
        """Take a job to where a cancel leads."""
        return self.table.cancel(self.job(job_id, owner), due_at=now(), now=now())

    def fail(self, job_id: str, failure: Failure, owner: str = OWNER) -> Job:
        """Settle a job as failed, with its dead letter not sent yet."""
        attempt = self.job(job_id, owner).current
        return self.table.settle_failed(attempt, failure, OwedLetter(), due_at=now(), token="t", now=now())

    def upload(self, image_id: str, content: bytes, owner: str = OWNER) -> None:
        """Put an image where an upload would have put it."""
        boto3.client("s3").put_object(Bucket=self.bucket_name, Key=keys.upload_key(owner, image_id), Body=content)

    def artefacts(self, job_id: str, owner: str = OWNER) -> set[str]:
        """Names of what a job has left in the bucket, without the folders of the stages' tries."""
        prefix = keys.job_prefix(owner, job_id)
        listed = boto3.client("s3").list_objects_v2(Bucket=self.bucket_name, Prefix=prefix)
        return {item["Key"].rpartition("/")[2] for item in listed.get("Contents", [])}

    def job(self, job_id: str, owner: str = OWNER) -> Job:
        """Read a job that has to be there."""
        job = self.table.get(owner, job_id)
        assert job is not None
        return job


@pytest.fixture
def aws(
    monkeypatch: pytest.MonkeyPatch,
    job_table_definition: dict[str, Any],
    event_table_definition: dict[str, Any],
    push_table_definitions: dict[str, Any],
) -> Iterator[Aws]:
    """An empty deployment. The tables are made from the synthesized template, never from a copied schema."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "POWERTOOLS_SERVICE_NAME": "darkroom",
        Variable.RETENTION_DAYS: "3650",
        Variable.MAX_UPLOAD_BYTES: "1000000",
        Variable.MAX_OPEN_JOBS: "1000",
        Variable.PATIENCE_SECONDS: "300",
        Variable.LABELS: OFF,
    }.items():
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    monkeypatch.setattr(wire, "transmit", answered_in_memory)
    with mock_aws():
        deployed = _deploy({"jobs": job_table_definition, "events": event_table_definition, **push_table_definitions})
        monkeypatch.setenv(Variable.JOB_TABLE, "jobs")
        monkeypatch.setenv(Variable.IMAGE_BUCKET, deployed.bucket_name)
        monkeypatch.setenv(Variable.STATE_MACHINE_ARN, deployed.state_machine_arn)
        monkeypatch.setenv(Variable.DEAD_LETTER_QUEUE_URL, deployed.dead_letters_url)
        monkeypatch.setenv(Variable.JOB_QUEUE_URL, deployed.job_queue_url)
        monkeypatch.setenv(Variable.INTAKE_DEAD_LETTER_QUEUE_URL, deployed.intake_dead_letters_url)
        monkeypatch.setenv(Variable.EVENT_TABLE, "events")
        monkeypatch.setenv(Variable.EVENT_BUS_NAME, deployed.event_bus_name)
        monkeypatch.setenv(Variable.EVENT_FAILURES_URL, deployed.event_failures_url)
        monkeypatch.setenv(Variable.TICKET_TABLE, "tickets")
        monkeypatch.setenv(Variable.WATCHER_TABLE, "watchers")
        monkeypatch.setenv(Variable.PUSH_URL, f"https://push.execute-api.{REGION}.amazonaws.com/v1")
        yield deployed
    clients.client.cache_clear()


def _deploy(tables: dict[str, Any]) -> Aws:
    for name, definition in tables.items():
        boto3.client("dynamodb").create_table(**definition, TableName=name)
    boto3.client("events").create_event_bus(Name="darkroom")
    boto3.client("s3").create_bucket(Bucket="images", CreateBucketConfiguration={"LocationConstraint": REGION})
    machine = boto3.client("stepfunctions").create_state_machine(
        name="images",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/any",
    )
    sqs = boto3.client("sqs")
    return Aws(
        table=JobTable("jobs"),
        bucket=ImageBucket("images"),
        bucket_name="images",
        state_machine_arn=machine["stateMachineArn"],
        dead_letters_url=sqs.create_queue(QueueName="dead-letters")["QueueUrl"],
        job_queue_url=sqs.create_queue(QueueName="jobs")["QueueUrl"],
        intake_dead_letters_url=sqs.create_queue(QueueName="intake-dead-letters")["QueueUrl"],
        event_failures_url=sqs.create_queue(QueueName="event-failures")["QueueUrl"],
    )
