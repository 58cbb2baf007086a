"""The routes of the WebSocket API: a watcher connects, says what it wants to be told of, and leaves.

Whose events it may be told, and until when, is what the authorizer has found by its ticket, and nothing that it sends.
A subscription is written before the log is read: an event is either in the log by then, or finds the subscription
(`pushing.py`).
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from lambdas import config
from lambdas.adapters.event_log import EventLog
from lambdas.adapters.push_channel import ConnectionGoneError, PushChannel, in_frames
from lambdas.adapters.watchers import NotConnectedError, Watchers
from lambdas.handlers.logs import about_nobody, logger
from lambdas.jobs.errors import BrokenRule, InvalidJob
from lambdas.jobs.submission import is_id, read_object

ACTION: Final = "subscribe"
FIELDS: Final = frozenset({"action", "all", "jobs"})
MAX_CONNECTIONS: Final = 50
"""Of one owner. Each is asked about at every event of that owner's."""
MAX_JOBS: Final = 100
"""Of one subscription."""
MAX_SEQ: Final = 999_999_999
PAGE: Final = 200
OVER: Final = "The sign-in that this connection was made with is over: connect again, with a new ticket."


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one event of the gateway. Raises TransientError: the watcher asks again when it hears nothing."""
    about_nobody()
    request = event["requestContext"]
    owner, connection_id = str(request["authorizer"]["owner"]), str(request["connectionId"])
    match request["routeKey"]:
        case "$connect":
            status = _connect(owner, connection_id, until=int(request["authorizer"]["until"]))
        case "$disconnect":
            status = _disconnect(owner, connection_id)
        case _:
            status = _subscribe(owner, connection_id, event.get("body") or "")
    return {"statusCode": status.value}


def _connect(owner: str, connection_id: str, *, until: int) -> HTTPStatus:
    watchers = _watchers()
    if len(watchers.of(owner)) >= MAX_CONNECTIONS:
        logger.warning("The owner has too many connections", extra={"owner": owner})
        return HTTPStatus.TOO_MANY_REQUESTS
    watchers.add(owner, connection_id, until=until)
    return HTTPStatus.OK


def _disconnect(owner: str, connection_id: str) -> HTTPStatus:
    _watchers().remove(owner, connection_id)
    return HTTPStatus.OK


def _subscribe(owner: str, connection_id: str, body: str) -> HTTPStatus:
    """Take what a watcher says for a subscription, or for nothing that can be understood."""
    channel = PushChannel(config.text(config.Variable.PUSH_URL))
    try:
        jobs, everything = _read(body)
        _watchers().subscribe(owner, connection_id, list(jobs), everything=everything)
        told = {job_id: _catch_up(channel, owner, connection_id, job_id, seq) for job_id, seq in jobs.items()}
        channel.send(connection_id, {"type": "subscribed", "all": everything, "jobs": told})
    except InvalidJob as error:
        channel.send(connection_id, {"type": "refused", "reason": str(error)})
    except NotConnectedError:
        _watchers().remove(owner, connection_id)
        with suppress(ConnectionGoneError):
            channel.send(connection_id, {"type": "refused", "reason": OVER})
    except ConnectionGoneError:
        _watchers().remove(owner, connection_id)
    return HTTPStatus.OK


def _catch_up(channel: PushChannel, owner: str, connection_id: str, job_id: str, seq: int) -> int:
    """Tell what has happened to a job after an event; return the number of the last one that was told."""
    log = EventLog(config.text(config.Variable.EVENT_TABLE))
    while found := log.after(owner, job_id, seq, limit=PAGE):
        for events in in_frames(found):
            channel.send(connection_id, {"type": "events", "events": events})
        seq = found[-1]["data"]["seq"]
    return seq


def _read(body: str) -> tuple[Mapping[str, int], bool]:
    """Read the jobs with the numbers that are known of them, and whether all jobs are meant. Raises InvalidJob."""
    message = read_object(body)
    broken = (
        [BrokenRule(field="message", rule=f"has no fields but {', '.join(sorted(FIELDS))}")]
        if message.keys() - FIELDS
        else []
    )
    if message.get("action") != ACTION:
        broken.append(BrokenRule(field="action", rule=f"has to be {ACTION}"))
    everything, jobs = message.get("all", False), message.get("jobs", {})
    if not isinstance(everything, bool):
        broken.append(BrokenRule(field="all", rule="has to be true or false"))
    if not isinstance(jobs, dict) or len(jobs) > MAX_JOBS or not all(_is_known(*job) for job in jobs.items()):
        rule = f"has to be an object of up to {MAX_JOBS} jobs' ids, each with the number of its last known event"
        broken.append(BrokenRule(field="jobs", rule=rule))
    if broken:
        raise InvalidJob("; ".join(map(str, broken)) + ".", broken)
    return jobs, bool(everything)


def _is_known(job_id: str, seq: object) -> bool:
    return is_id(job_id) and isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= MAX_SEQ


def _watchers() -> Watchers:
    return Watchers(config.text(config.Variable.WATCHER_TABLE))
