"""Lets a watcher connect who has a ticket, and says whose events it may be told: the authorizer of the WebSocket API.

The answer is good for the one connection: the gateway puts who was let in, and until when, into every later message of
it.
"""

from typing import Any

from lambdas import config
from lambdas.adapters.tickets import Tickets
from lambdas.handlers.logs import about_nobody, logger


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Redeem the ticket in the address of the connection. Raises TransientError: then it is refused, and unused."""
    about_nobody()
    ticket = (event.get("queryStringParameters") or {}).get("ticket") or ""
    admitted = Tickets(config.text(config.Variable.TICKET_TABLE)).redeem(ticket)
    if admitted is None:
        logger.info("A ticket was refused")
    return {
        "principalId": admitted.owner if admitted else "nobody",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow" if admitted else "Deny",
                    "Resource": event["methodArn"],
                }
            ],
        },
        "context": {"owner": admitted.owner, "until": str(admitted.until)} if admitted else {},
    }
