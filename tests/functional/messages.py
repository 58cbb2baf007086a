"""What the gateway puts on the job queue, as Lambda hands it to a function."""

import json
from typing import Any
from uuid import uuid4

from tests.functional.conftest import OWNER

SENT_MILLIS = 1_790_000_000_000


def message(
    body: Any = None,
    *,
    job_id: str | None = "job-1",
    owner: str | None = OWNER,
    version: str | None = "1",
    sent_millis: int = SENT_MILLIS,
) -> dict[str, Any]:
    """One record; `body` is JSON unless it is text already."""
    attributes = {"jobId": job_id, "owner": owner, "schemaVersion": version}
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "handle",
        "body": body if isinstance(body, str) else json.dumps(body or {"imageId": "image-1"}),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent_millis)},
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"}
            for name, value in attributes.items()
            if value is not None
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:jobs",
        "awsRegion": "eu-central-1",
    }


def batch(*records: dict[str, Any]) -> dict[str, Any]:
    """The event of a batch."""
    return {"Records": list(records)}


def failed_ids(answer: dict[str, Any]) -> list[str]:
    """Ids of the messages that are to be delivered again."""
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]
