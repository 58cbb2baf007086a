"""A conditional write of a job's row: what it is made of, and what becomes of a refusal.

Each write names the attempt it belongs to and the statuses that it may leave; the table refuses the rest, and a refusal
says why. A write that landed while its reply was lost comes back, by the client's own repeat, as refused: it carries a
token, and finds it in the row.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import ClientError, code_of, translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import Item, from_row, is_note, key, marshal, unmarshal
from lambdas.adapters.metering import meter
from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.status import StageStatus, Status

# Each condition has a name, so that the expressions below read as sentences.
THIS_ATTEMPT = "attempt = :attempt"
KNOWN_STAGE = "attribute_exists(stages.#stage)"
STAGE_IS_OPEN = "NOT stages.#stage.#status IN (:done, :skipped)"
CLOSED = {":done": StageStatus.DONE, ":skipped": StageStatus.SKIPPED}
NEXT_VERSION = "version = version + :one, updatedAt = :now"
NOT_LATE = "(attribute_not_exists(deadlineAt) OR deadlineAt > :now)"
WATCH = f"{keys.WATCH_SHARD} = :shard, {keys.DUE_AT} = :due"
UNWATCH = f"{keys.WATCH_SHARD}, {keys.DUE_AT}"
NAMES = {"#status": "status", "#error": "error", "#result": "result"}  # words that DynamoDB reserves


class RefusedError(Exception):
    """The row does not allow the write. `job` is the row as it was found; None when there is none."""

    def __init__(self, job: Job | None) -> None:
        super().__init__("no such job" if job is None else f"the job is {job.status} at attempt {job.attempt}")
        self.job = job


def update_row(
    table_name: str,
    attempt: Attempt,
    update: str,
    condition: str,
    values: Mapping[str, Any],
    *,
    stage: str | None = None,
    token_of: str | None = None,
    own_token_is_success: bool = True,
    further_names: Mapping[str, str] | None = None,
) -> Job:
    """Change a job's row if the condition holds, and return the job; `stage` and `token_of` become parts of the names.

    Raises RefusedError when it does not hold, unless the row has the write's own token: then it has landed before, and
    its reply was lost. Raises TransientError when the table is throttled or out of reach.
    """
    names = {
        **(further_names or {}),
        **({"#stage": stage} if stage else {}),
        **({"#tokenOf": token_of} if token_of else {}),
    }
    used = {name: word for name, word in NAMES.items() if name in update or name in condition}
    try:
        with translated("Writing the job"):
            answer = client("dynamodb").update_item(
                TableName=table_name,
                Key=key(attempt.owner, attempt.job_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                **({"ExpressionAttributeNames": used | names} if used or names else {}),
                ExpressionAttributeValues=marshal(
                    {**values, ":attempt": attempt.number, **({":one": 1} if ":one" in update else {})}
                ),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        refusing = old_item(error)
        meter.note_row(refusing or {})
        found = job_in(refusing)
        if found and token_of and own_token_is_success and found.tokens.get(token_of) == values[":token"]:
            return found
        raise RefusedError(found) from error
    meter.note_row(answer["Attributes"])
    return from_row(unmarshal(answer["Attributes"]))


def one_of(attribute: str, statuses: Iterable[Status]) -> tuple[str, dict[str, str]]:
    """Condition that an attribute is one of some statuses, and the values that it needs."""
    values = {f":from{status}": status.value for status in statuses}
    return f"{attribute} IN ({', '.join(values)})", values


def status_values(owner: str, status: Status, placeholder: str) -> dict[str, str]:
    """Values of a write that brings a job to a status."""
    return {placeholder: status.value, ":ownerAndStatus": keys.owner_and_status(owner, status)}


def watch_values(job_id: str, due_at: str) -> dict[str, str]:
    """Values of a write that has the reconciler look at a job."""
    return {":shard": keys.watch_shard(job_id), ":due": due_at}


def old_item(error: ClientError) -> Item | None:
    """The row that refused a write. Raises the error again when it was something else."""
    if code_of(error) != "ConditionalCheckFailedException":
        raise error
    item: Item | None = error.answer.get("Item")
    return item


def is_expired(job: Job) -> bool:
    """Tell whether a job's time is over: the table deletes late."""
    return job.expires_at <= time.time()


def job_in(item: Item | None) -> Job | None:
    """The job in an item; None when there is no item, or only a note of an early cancel or of a deletion."""
    row = unmarshal(item) if item else None
    return None if row is None or is_note(row) else from_row(row)
