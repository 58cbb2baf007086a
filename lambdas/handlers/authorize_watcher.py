"""Lets a watcher connect who has a ticket, and says whose events it may be told: the authorizer of the WebSocket API.

The answer is good for the one connection: the gateway puts who was let in into every later message of it.
"""

from typing import Any

from lambdas import config
from lambdas.adapters.tickets import Tickets
from lambdas.handlers.logs import about_nobody, logger


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Redeem the ticket in the address of the connection. Raises TransientError: then it is refused, and unused."""
    about_nobody()
    ticket = (event.get("queryStringParameters") or {}).get("ticket") or ""
    owner = Tickets(config.text(config.Variable.TICKET_TABLE)).redeem(ticket)
    if owner is None:
        logger.info("A ticket was refused")
    return {
        "principalId": owner or "nobody",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Deny" if owner is None else "Allow",
                    "Resource": event["methodArn"],
                }
            ],
        },
        "context": {} if owner is None else {"owner": owner},
    }
