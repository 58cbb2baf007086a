"""What a deployment holds behind its API: dead letters, executions, objects. Looks, and holds things still.

The demo and the tests judge by this, so that they do not have to believe what the API says about itself.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from lambdas.adapters.item_values import from_item_value
from laptop.deployment import Deployment


class World:
    """One deployment, seen by an operator."""

    def __init__(self, deployment: Deployment) -> None:
        self.outputs = deployment.outputs
        self._sqs = deployment.client("sqs")
        self._s3 = deployment.client("s3")
        self._lambda = deployment.client("lambda")
        self._states = deployment.client("stepfunctions")
        self._stack = deployment.client("cloudformation")
        self._rows = deployment.client("dynamodb")
        self._channel = deployment.client("apigatewaymanagementapi", path=deployment.push_path)

    def dead_letters(self, job_id: str | None = None) -> list[dict[str, Any]]:
        """Read the dead letters, all or one job's, and leave them in the queue."""
        letters = [json.loads(body) for body in self.messages(self.outputs["DeadLetterQueueUrl"])]
        return [letter for letter in letters if job_id is None or letter["jobId"] == job_id]

    def messages(self, queue_url: str) -> list[str]:
        """Read the bodies of all messages that are in the queue now, and leave them there."""
        bodies, handles = [], []
        while True:
            # Out of sight for the others for as long as this takes, or the same would come round again.
            page = self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=30)
            if not page.get("Messages"):
                break
            bodies += [message["Body"] for message in page["Messages"]]
            handles += [message["ReceiptHandle"] for message in page["Messages"]]
        for handle in handles:
            self._sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
        return bodies

    def groups(self, queue_url: str) -> list[str | None]:
        """Tell, of each of the first messages of a queue, whose turn SQS counts it as; they stay there."""
        page = self._sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return [message.get("Attributes", {}).get("MessageGroupId") for message in page.get("Messages", [])]

    def take(self, queue_url: str) -> list[dict[str, Any]]:
        """Take all messages out of a queue, with their attributes."""
        taken: list[dict[str, Any]] = []
        names = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
        while page := self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, **names).get("Messages"):
            for message in page:
                self._sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            taken += page
        return taken

    def is_empty(self, queue_url: str) -> bool:
        """Tell whether nothing is in the queue, seen or unseen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        return all(int(count) == 0 for count in counts.values())

    def artefacts(self, owner: str, job_id: str) -> list[str]:
        """Names of what the job has in the bucket, without the folders of the stages' tries."""
        return [path.rpartition("/")[2] for path in self.objects(f"jobs/{owner}/{job_id}/")]

    def objects(self, prefix: str) -> list[str]:
        """Names of the objects below a prefix, without it."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.outputs["ImageBucketName"], Prefix=prefix
        )
        return [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])]

    def execution(self, name: str) -> dict[str, Any]:
        """Describe an execution by its name."""
        arn = self.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{name}"
        return dict(self._states.describe_execution(executionArn=arn))

    def stop_execution(self, name: str) -> None:
        """Stop an execution by its name, as somebody in the console would."""
        self._states.stop_execution(executionArn=self.execution(name)["executionArn"])

    def executions(self, job_id: str) -> list[str]:
        """Names of the executions of a job, of all its attempts."""
        pages = self._states.get_paginator("list_executions").paginate(stateMachineArn=self.outputs["StateMachineArn"])
        names = (execution["name"] for page in pages for execution in page["executions"])
        return [name for name in names if name.startswith(f"{job_id}-")]

    def running(self) -> list[str]:
        """Names of the executions that have not ended."""
        found = self._states.list_executions(
            stateMachineArn=self.outputs["StateMachineArn"], statusFilter="RUNNING", maxResults=100
        )
        return [execution["name"] for execution in found["executions"]]

    def history(self, execution: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every event of an execution, in order."""
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
        return [event for page in pages for event in page["events"]]

    def function(self, construct: str) -> str:
        """Name of the function of a stage or another part, by its construct: `Palette`, `StartExecution`."""
        pages = self._stack.get_paginator("list_stack_resources").paginate(StackName="Darkroom-laptop")
        names = (
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::Lambda::Function"
            and resource["LogicalResourceId"].startswith(f"Functions{construct}Function")
        )
        return str(next(names))

    def row(self, owner: str, job_id: str) -> dict[str, Any]:
        """Read a job's row as it is stored."""
        key = {"owner": {"S": owner}, "jobId": {"S": job_id}}
        item = self._rows.get_item(TableName=self.outputs["JobTableName"], Key=key, ConsistentRead=True)["Item"]
        return {name: from_item_value(value) for name, value in item.items()}

    def connections(self) -> list[str]:
        """Ids of the connections that push knows of."""
        (table,) = (name for name in self._rows.list_tables()["TableNames"] if "PushWatchers" in name)
        return [row["connectionId"]["S"] for row in self._rows.scan(TableName=table)["Items"]]

    def cut(self, connection: str) -> None:
        """Close a connection, as a network that fails would; one that is closed already is no error."""
        with suppress(self._channel.exceptions.GoneException):
            self._channel.delete_connection(ConnectionId=connection)

    @contextmanager
    def held(self, construct: str, *, room: int = 0) -> Iterator[None]:
        """Throttle a function for the length of the block, as AWS does when it has room for no more than so many."""
        name = self.function(construct)
        self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=room)
        try:
            yield
        finally:
            self._lambda.delete_function_concurrency(FunctionName=name)

    @contextmanager
    def queue_unread(self) -> Iterator[None]:
        """Stop reading the job queue for the length of the block."""
        mapping = self._lambda.list_event_source_mappings(FunctionName=self.function("StartExecution"))
        identity = mapping["EventSourceMappings"][0]["UUID"]
        self._lambda.update_event_source_mapping(UUID=identity, Enabled=False)
        try:
            yield
        finally:
            self._lambda.update_event_source_mapping(UUID=identity, Enabled=True)
