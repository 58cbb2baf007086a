"""Tickets: how a watcher, who cannot send a token when it connects, says who it is. Each is good once, and briefly."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Final

from lambdas.adapters.aws_errors import ClientError, code_of, translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import marshal, unmarshal

TICKET_HASH: Final = "ticketHash"
"""Partition key: SHA-256 of the ticket, so that nobody who reads the table has a ticket."""
OWNER: Final = "owner"
EXPIRES_AT: Final = "expiresAt"
UNTIL: Final = "until"
"""When the token has expired by which the ticket was asked for."""
GOOD_FOR_SECONDS: Final = 60
"""It is used at once; the rest is for slow networks."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What is handed to a watcher; `expires_at` is in seconds since the epoch."""

    text: str
    expires_at: int


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who is let in by a ticket, and until when: seconds since the epoch."""

    owner: str
    until: int


class Tickets:
    """The table of tickets. Every method raises TransientError when it is throttled or out of reach."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def issue(self, owner: str, *, until: int) -> Ticket:
        """Make a ticket for an owner whose token expires at `until`."""
        ticket = Ticket(text=secrets.token_urlsafe(32), expires_at=int(time.time()) + GOOD_FOR_SECONDS)
        row = {TICKET_HASH: _hash(ticket.text), OWNER: owner, UNTIL: until, EXPIRES_AT: ticket.expires_at}
        with translated("Writing the ticket"):
            client("dynamodb").put_item(TableName=self._table_name, Item=marshal(row))
        return ticket

    def redeem(self, text: str) -> Admission | None:
        """Use a ticket up, and return whom it lets in; None when it is unknown, used already, or too old."""
        try:
            with translated("Redeeming the ticket"):
                answer = client("dynamodb").delete_item(
                    TableName=self._table_name,
                    Key=marshal({TICKET_HASH: _hash(text)}),
                    # The time to live deletes late.
                    ConditionExpression=f"{EXPIRES_AT} > :present",
                    ExpressionAttributeValues=marshal({":present": int(time.time())}),
                    ReturnValues="ALL_OLD",
                )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return None
        row = unmarshal(answer["Attributes"])
        return Admission(owner=str(row[OWNER]), until=int(row[UNTIL]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
