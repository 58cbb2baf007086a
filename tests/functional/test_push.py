"""Push: who is let in, what is told to whom, and what becomes of those who have left. Only the channel is played."""

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest

from lambdas.adapters import wire
from lambdas.adapters.tickets import GOOD_FOR_SECONDS
from lambdas.adapters.watchers import LONGEST_CONNECTION_SECONDS, Watchers
from lambdas.adapters.wire import Request, Response, UnreachedError
from lambdas.handlers import authorize_watcher, publish_events, start_execution, watch
from lambdas.handlers.requests import LONGEST_TOKEN_SECONDS
from laptop.bench.in_memory import answered_in_memory
from tests import asyncapi
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, message
from tests.functional.test_api import TOKEN_END, call

HERE, THERE = "Ab+c/1=", "other="
"""Ids of connections have such characters."""
SIGNED_IN_SECONDS = 3600.0


@dataclass
class Channel:
    """The gateway's end of the connections: what it was asked to tell, and who has left."""

    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    out_of_reach: bool = False

    def transmit(self, request: Request) -> Response:
        before, mark, connection = request.url.partition("/@connections/")
        if not mark:
            return answered_in_memory(request)
        assert (request.method, before) == ("POST", "https://push.execute-api.eu-central-1.amazonaws.com/v1")
        if self.out_of_reach:
            raise UnreachedError("the wire is cut")
        if unquote(connection) in self.gone:
            return Response(status=410, headers={"x-amzn-errortype": "GoneException"}, body=b"")
        message = json.loads(request.body)
        asyncapi.check(message["type"].title(), message)
        self.told.setdefault(unquote(connection), []).append(message)
        return Response(status=200, headers={}, body=b"")

    def seqs(self, connection: str = HERE, job_id: str = "job-1") -> list[int]:
        """Numbers of the events of a job, as a connection was told them."""
        messages = [message for message in self.told.get(connection, []) if message["type"] == "events"]
        events = [event for message in messages for event in message["events"]]
        return [event["data"]["seq"] for event in events if event["subject"] == job_id]


@pytest.fixture
def channel(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Channel:
    channel = Channel()
    monkeypatch.setattr(wire, "transmit", channel.transmit)
    monkeypatch.setattr("lambdas.adapters.calling.time.sleep", lambda _: None)
    return channel


@pytest.fixture
def connected(channel: Channel) -> Channel:
    assert say("$connect") == 200
    return channel


def say(
    route: str, body: Any = None, *, owner: str = OWNER, connection: str = HERE, seconds: float = SIGNED_IN_SECONDS
) -> int:
    """Do as the gateway does for a watcher whose sign-in lasts so long; return the status."""
    admitted = {"owner": owner, "until": str(int(time.time() + seconds)), "principalId": owner}
    context = {"routeKey": route, "connectionId": connection, "authorizer": admitted}
    text = body if isinstance(body, str) else json.dumps(body or {})
    return int(watch.handler({"requestContext": context, "body": text}, None)["statusCode"])


def subscribe(*, owner: str = OWNER, connection: str = HERE, **asked: Any) -> None:
    assert say("$default", {"action": "subscribe", **asked}, owner=owner, connection=connection) == 200


def enter(ticket: str | None) -> dict[str, Any]:
    """Ask the authorizer as the gateway does."""
    query = None if ticket is None else {"ticket": ticket}
    return authorize_watcher.handler({"methodArn": "arn:route", "queryStringParameters": query}, None)


def effect(answer: dict[str, Any]) -> str:
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == "arn:route"
    return str(statement["Effect"])


def submit(aws: Aws, job_id: str = "job-1", owner: str = OWNER) -> None:
    aws.upload("image-1", b"the image", owner)
    start_execution.handler(batch(message({"imageId": "image-1"}, job_id=job_id, owner=owner)), None)


def publish(aws: Aws, skip: int = 0) -> int:
    """Publish what the stream has after the first records; return how many records there are."""
    records = aws.stream()
    publish_events.handler({"Records": records[skip:]}, None)
    return len(records)


def test_ticket_lets_its_owner_in_once(aws: Aws) -> None:
    document = call("POST", "/tickets")["document"]

    first, second = enter(document["ticket"]), enter(document["ticket"])

    assert document["url"] == "wss://push.execute-api.eu-central-1.amazonaws.com/v1"
    assert (effect(first), first["context"]) == ("Allow", {"owner": OWNER, "until": str(TOKEN_END)})
    assert (effect(second), second["context"]) == ("Deny", {})


@pytest.mark.parametrize(("expires", "seconds"), [(str(TOKEN_END), None), ("in a while", LONGEST_TOKEN_SECONDS)])
def test_ticket_lets_in_for_as_long_as_its_token_however_the_gateway_writes_that(
    aws: Aws, expires: str, seconds: int | None
) -> None:
    ticket = call("POST", "/tickets", expires=expires)["document"]["ticket"]

    until = int(enter(ticket)["context"]["until"])

    assert until == (TOKEN_END if seconds is None else pytest.approx(time.time() + seconds, abs=60))


def test_ticket_that_is_too_old_lets_nobody_in(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = call("POST", "/tickets")["document"]["ticket"]
    later = time.time() + GOOD_FOR_SECONDS
    monkeypatch.setattr("lambdas.adapters.tickets.time.time", lambda: later)

    assert effect(enter(ticket)) == "Deny"


@pytest.mark.parametrize("ticket", [None, "", "nobody's", OWNER])
def test_ticket_that_was_not_given_lets_nobody_in(aws: Aws, ticket: str | None) -> None:
    assert effect(enter(ticket)) == "Deny"


def test_watcher_is_told_what_it_has_missed_and_then_what_happens(aws: Aws, connected: Channel) -> None:
    submit(aws)
    seen = publish(aws)
    subscribe(jobs={"job-1": 0})
    aws.cancel("job-1")
    publish(aws, skip=seen)

    assert connected.seqs() == [1, 2]
    assert [message["type"] for message in connected.told[HERE]] == ["events", "subscribed", "events"]
    assert connected.told[HERE][1] == {"type": "subscribed", "all": False, "jobs": {"job-1": 1}}


def test_watcher_of_all_is_told_of_each_of_its_owners_jobs(aws: Aws, connected: Channel) -> None:
    subscribe(all=True)
    submit(aws, "job-1")
    submit(aws, "job-2")
    publish(aws)

    assert (connected.seqs(job_id="job-1"), connected.seqs(job_id="job-2")) == ([1], [1])


def test_watcher_of_one_job_is_not_told_of_others(aws: Aws, connected: Channel) -> None:
    subscribe(jobs={"job-2": 0})
    submit(aws, "job-1")
    publish(aws)

    assert connected.seqs() == []


def test_subscription_takes_the_place_of_the_one_before(aws: Aws, connected: Channel) -> None:
    subscribe(all=True)
    subscribe(jobs={"job-2": 0})
    submit(aws, "job-1")
    publish(aws)

    assert connected.seqs() == []


def test_nobody_is_told_of_another_owners_job(aws: Aws, connected: Channel) -> None:
    """Neither what is in the log, nor what happens; and the answer is that of a job that is not there."""
    say("$connect", owner=STRANGER, connection=THERE)
    submit(aws)
    seen = publish(aws)
    subscribe(owner=STRANGER, connection=THERE, all=True, jobs={"job-1": 0, "job-x": 0})
    aws.cancel("job-1")
    publish(aws, skip=seen)

    assert connected.told[THERE] == [{"type": "subscribed", "all": True, "jobs": {"job-1": 0, "job-x": 0}}]


def test_owner_that_a_message_names_counts_for_nothing(aws: Aws, connected: Channel) -> None:
    say("$default", {"action": "subscribe", "all": True, "owner": STRANGER})

    assert [message["type"] for message in connected.told[HERE]] == ["refused"]
    assert [watcher.everything for watcher in Watchers("watchers").of(OWNER)] == [False]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        {},
        {"action": "publish"},
        {"action": "subscribe", "all": "yes"},
        {"action": "subscribe", "jobs": ["job-1"]},
        {"action": "subscribe", "jobs": {"../job": 0}},
        {"action": "subscribe", "jobs": {"job-1": -1}},
        {"action": "subscribe", "jobs": {"job-1": True}},
        {"action": "subscribe", "jobs": {"job-1": 10**9}},
        {"action": "subscribe", "jobs": {f"job-{number}": 0 for number in range(watch.MAX_JOBS + 1)}},
        '{"action": "subscribe", "jobs": {"job-1": 0, "job-1": 1}}',
    ],
)
def test_message_that_cannot_be_understood_is_refused_in_words(connected: Channel, body: Any) -> None:
    assert say("$default", body) == 200

    (answer,) = connected.told[HERE]
    assert answer["type"] == "refused"
    assert answer["reason"]


def test_watcher_who_has_left_is_forgotten_at_the_next_event(aws: Aws, connected: Channel) -> None:
    subscribe(all=True)
    connected.gone.add(HERE)
    submit(aws)
    publish(aws)

    assert Watchers("watchers").of(OWNER) == []


def test_watcher_who_says_goodbye_is_forgotten(connected: Channel) -> None:
    assert say("$disconnect") == 200

    assert Watchers("watchers").of(OWNER) == []


def test_watcher_who_was_forgotten_cannot_subscribe(connected: Channel) -> None:
    say("$disconnect")
    subscribe(all=True)

    assert Watchers("watchers").of(OWNER) == []
    assert connected.told == {HERE: [{"type": "refused", "reason": watch.OVER}]}


def test_watcher_whose_sign_in_is_over_is_told_nothing_any_more(
    aws: Aws, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("$connect", seconds=100)
    subscribe(all=True)
    submit(aws)
    seen = publish(aws)
    assert channel.seqs() == [1]

    later = time.time() + 101
    monkeypatch.setattr("lambdas.adapters.watchers.time.time", lambda: later)
    aws.cancel("job-1")
    publish(aws, skip=seen)
    subscribe(jobs={"job-1": 0})

    assert channel.seqs() == [1]
    assert channel.told[HERE][-1] == {"type": "refused", "reason": watch.OVER}
    assert Watchers("watchers").of(OWNER) == []


def test_connection_that_has_lasted_as_long_as_any_can_counts_no_more(
    connected: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert say("$connect", seconds=10 * LONGEST_CONNECTION_SECONDS) == 200
    assert len(Watchers("watchers").of(OWNER)) == 1
    later = time.time() + LONGEST_CONNECTION_SECONDS + 1
    monkeypatch.setattr("lambdas.adapters.watchers.time.time", lambda: later)

    assert Watchers("watchers").of(OWNER) == []


def test_one_connection_too_many_is_refused(channel: Channel) -> None:
    found = [say("$connect", connection=f"c-{number}") for number in range(watch.MAX_CONNECTIONS + 1)]

    assert found == [200] * watch.MAX_CONNECTIONS + [429]
    assert say("$connect", owner=STRANGER) == 200


def test_channel_out_of_reach_keeps_nothing_from_log_and_bus(aws: Aws, connected: Channel) -> None:
    subscribe(all=True)
    connected.out_of_reach = True
    submit(aws)
    publish(aws)
    connected.out_of_reach = False
    subscribe(jobs={"job-1": 0})

    assert connected.seqs() == [1]


def test_many_events_come_in_messages_that_fit(aws: Aws, connected: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.adapters.push_channel.FRAME_BYTES", 500)
    submit(aws)
    aws.cancel("job-1")
    publish(aws)
    subscribe(jobs={"job-1": 0})

    events = [message for message in connected.told[HERE] if message["type"] == "events"]
    assert len(events) == 2
    assert connected.seqs() == [1, 2]
