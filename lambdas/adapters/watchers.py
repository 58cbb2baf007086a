"""Who watches, and what: one row for each connection, under its owner, so that nobody is found for another's events."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lambdas.adapters.aws_errors import ClientError, code_of, translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import Item, marshal, unmarshal

OWNER: Final = "owner"
"""Partition key: whose events the connection may be told."""
CONNECTION_ID: Final = "connectionId"
"""Sort key."""
EXPIRES_AT: Final = "expiresAt"
LONGEST_CONNECTION_SECONDS: Final = 2 * 3600
"""API Gateway closes every connection after two hours."""


class NotConnectedError(Exception):
    """The connection is not known, or its time is over."""


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """One connection, and what it is told of: some jobs, or all of its owner's."""

    connection_id: str
    everything: bool
    jobs: frozenset[str]

    def wants(self, job_id: str) -> bool:
        """Tell whether it watches a job."""
        return self.everything or job_id in self.jobs


class Watchers:
    """The table of connections. Every method raises TransientError when it is throttled or out of reach."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def add(self, owner: str, connection_id: str, *, until: int) -> None:
        """Note a new connection, which watches nothing yet, and nothing any more at `until`."""
        end = min(until, int(time.time()) + LONGEST_CONNECTION_SECONDS)
        row = {**_key(owner, connection_id), "everything": False, "jobs": [], EXPIRES_AT: end}
        with translated("Writing the connection"):
            client("dynamodb").put_item(TableName=self._table_name, Item=marshal(row))

    def subscribe(self, owner: str, connection_id: str, jobs: Sequence[str], *, everything: bool) -> None:
        """Note what a connection watches from now on, instead of before. Raises NotConnectedError."""
        try:
            with translated("Writing the subscription"):
                client("dynamodb").update_item(
                    TableName=self._table_name,
                    Key=marshal(_key(owner, connection_id)),
                    UpdateExpression="SET everything = :everything, jobs = :jobs",
                    ConditionExpression=f"{EXPIRES_AT} > :present",
                    ExpressionAttributeValues=marshal(
                        {":everything": everything, ":jobs": list(jobs), ":present": int(time.time())}
                    ),
                )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            raise NotConnectedError from error

    def remove(self, owner: str, connection_id: str) -> None:
        """Forget a connection. One that is not there is no error."""
        with translated("Forgetting the connection"):
            client("dynamodb").delete_item(TableName=self._table_name, Key=marshal(_key(owner, connection_id)))

    def of(self, owner: str) -> list[Watcher]:
        """List an owner's connections as they are at this moment: one that has subscribed is among them."""
        found: list[dict[str, Any]] = []
        start: Item | None = None
        while True:
            with translated("Listing the connections"):
                answer = client("dynamodb").query(
                    TableName=self._table_name,
                    KeyConditionExpression="#owner = :owner",
                    ExpressionAttributeNames={"#owner": OWNER},
                    ExpressionAttributeValues=marshal({":owner": owner}),
                    ConsistentRead=True,
                    **({"ExclusiveStartKey": start} if start else {}),
                )
            found += [unmarshal(item) for item in answer["Items"]]
            start = answer.get("LastEvaluatedKey")
            if start is None:
                break
        return [_watcher(row) for row in found if row[EXPIRES_AT] > time.time()]


def _key(owner: str, connection_id: str) -> dict[str, Any]:
    return {OWNER: owner, CONNECTION_ID: connection_id}


def _watcher(row: dict[str, Any]) -> Watcher:
    return Watcher(
        connection_id=row[CONNECTION_ID], everything=bool(row["everything"]), jobs=frozenset(map(str, row["jobs"]))
    )
