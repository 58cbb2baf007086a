"""Darkroom's real handlers on an AWS in memory: to count what they ask of AWS, and how that grows.

The table is made from the synthesized template. What runs between the handlers, the state machine, is not there: the
stages are called in its order.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final
from unittest import mock
from urllib.parse import urlsplit

import boto3
import requests
from moto import mock_aws

from lambdas.adapters import clients, keys, wire
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.wire import Request, Response, UnreachedError
from lambdas.config import Variable
from lambdas.jobs.model import Attempt, Job
from laptop.bench.pipeline import in_order
from laptop.environment import REGION
from laptop.places import ASSEMBLY

OWNER: Final = "0b5c8d0e-7a1f-4a52-9d1c-2f6f3f1d7c11"
IMAGE: Final = "image"
_SERVICES: Final = {"DynamoDB_20120810": "DynamoDB", "AWSStepFunctions": "StepFunctions", "AmazonSQS": "SQS"}
_QUERIES: Final = {"list-type": "ListObjectsV2", "delete": "DeleteObjects"}
_CONTEXT: Final = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)


class InMemory:
    """One deployment. `requests` counts what the handlers have asked since it was last cleared."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.table = JobTable("jobs")

    def upload(self, content: bytes) -> None:
        """Put the image there that every job is about."""
        boto3.client("s3").put_object(Bucket="images", Key=keys.upload_key(OWNER, IMAGE), Body=content)

    def start(self, job_id: str) -> Job:
        """Let the starter read the message of a job; return the job as it is then."""
        from lambdas.handlers import start_execution  # noqa: PLC0415 - its logger reads the environment

        start_execution.handler({"Records": [_message(job_id)]}, None)
        return self.job(job_id)

    def run(self, job_id: str) -> None:
        """Run all stages of a job that is started, one after another."""
        from lambdas.handlers import run_stage  # noqa: PLC0415 - as above

        for stage in in_order():
            with mock.patch.dict(os.environ, {Variable.STAGE: stage.name}):
                run_stage.handler(Attempt(owner=OWNER, job_id=job_id).payload(), _CONTEXT)

    def job(self, job_id: str) -> Job:
        """Read a job that has to be there, uncounted."""
        counted = Counter(self.requests)
        job = self.table.get(OWNER, job_id)
        self.requests = counted
        if job is None:
            raise LookupError(f"The job {job_id} is not in the table.")
        return job

    def transmit(self, request: Request) -> Response:
        """Count a request, and answer it."""
        self.requests[operation_of(request)] += 1
        return answered_in_memory(request)


@contextmanager
def deployed(table: dict[str, Any]) -> Iterator[InMemory]:
    """Deploy into memory; `table` is what CreateTable takes. Nothing of the caller's AWS settings is seen or used."""
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "POWERTOOLS_SERVICE_NAME": "darkroom",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        Variable.JOB_TABLE: "jobs",
        Variable.IMAGE_BUCKET: "images",
        Variable.RETENTION_DAYS: "3650",
        Variable.MAX_OPEN_JOBS: "1000",
        Variable.PATIENCE_SECONDS: "300",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clients.client.cache_clear()
    with mock.patch.dict(os.environ, {**kept, **settings}, clear=True), mock_aws():
        os.environ[Variable.STATE_MACHINE_ARN] = _make(table)
        memory = InMemory()
        with mock.patch.object(wire, "transmit", memory.transmit):
            yield memory
    clients.client.cache_clear()


def table_in_template() -> dict[str, Any]:
    """The job table of the synthesized stack, in the words of CreateTable."""
    template = json.loads((ASSEMBLY / "Darkroom-laptop.template.json").read_text())
    (table,) = (
        resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table" and name.startswith("JobTable")
    )
    taken = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    return {name: table[name] for name in taken}


def _make(table: dict[str, Any]) -> str:
    boto3.client("dynamodb").create_table(**table, TableName="jobs")
    boto3.client("s3").create_bucket(Bucket="images", CreateBucketConfiguration={"LocationConstraint": REGION})
    machine = boto3.client("stepfunctions").create_state_machine(
        name="images",
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/any",
    )
    return str(machine["stateMachineArn"])


def answered_in_memory(request: Request) -> Response:
    """Take the network's place: send a request by a library that moto listens to, as it does to boto3."""
    try:
        answer = requests.request(
            request.method, request.url, headers=dict(request.headers), data=request.body, timeout=request.read_timeout
        )
    except requests.RequestException as error:
        raise UnreachedError(type(error).__name__) from error
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=answer.content)


def operation_of(request: Request) -> str:
    """Name what is asked: `DynamoDB.UpdateItem`, `S3.GetObject`."""
    target, _, operation = request.headers.get("x-amz-target", "").partition(".")
    if operation:
        return f"{_SERVICES[target]}.{operation}"
    query = urlsplit(request.url).query
    return f"S3.{_QUERIES.get(query.partition('=')[0]) or request.method.title() + 'Object'}"


def _message(job_id: str) -> dict[str, Any]:
    attributes = {"schemaVersion": "1", "owner": OWNER, "jobId": job_id}
    return {
        "messageId": job_id,
        "receiptHandle": job_id,
        "body": json.dumps({"imageId": IMAGE}),
        "attributes": {"SentTimestamp": "1764000000000"},
        "messageAttributes": {name: {"stringValue": value, "dataType": "String"} for name, value in attributes.items()},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:jobs",
        "awsRegion": REGION,
    }
