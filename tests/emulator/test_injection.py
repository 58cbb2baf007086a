"""What gets into the job queue, whatever is sent: the body as it came, the sender as its owner, the id of the path."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from laptop.world import World

HOSTILE_TEXTS = (
    "&Action=DeleteQueue",
    "&MessageBody=another&MessageAttribute.1.Name=owner&MessageAttribute.1.Value.StringValue=somebody",
    "%26Action%3DDeleteQueue%26",
    "%0D%0AX-Owner: somebody",
    "a \"quoted\" and 'apostrophed' word, a back\\slash",
    "several\nlines\r\nand\ttabs",
    "control characters: \x01\x08\x0b\x1b[31m\x7f\x85\u2028\u2029",
    "plus+plus = 100 % ; and # and ?",
    "ünïcödé, 漢字, 👩‍👩‍👧‍👦, 𐍈𝄞",
    "right \u202e to left \u200f עברית العربية",
    "a BOM \ufeff, a zero\u200bwidth, an unpaired-looking \ufffd",
    "$util.urlEncode($input.body)",
    "$context.authorizer.claims.sub",
    "#set($x = 1)$x #if(true)yes#end ## comment",
    "${jndi:ldap://example.org/a} ${7*7} {{7*7}} <%= 7*7 %> $states.input {% $x %}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE jobs; -- \" OR 1=1",
    "../../etc/passwd\\..\\..",
)

GOOD_BODIES = (
    *(json.dumps({"imageId": "an-image", "tags": {"text": text}}) for text in HOSTILE_TEXTS),
    *(json.dumps({"imageId": "an-image", "tags": {"text": text}}, ensure_ascii=False) for text in HOSTILE_TEXTS[8:11]),
    *(json.dumps({"imageId": "an-image", "tags": {text[:64]: "named"}}) for text in HOSTILE_TEXTS),
    ' \t\r\n{ "imageId"\n:\r\n"an-image" }\n\n',
    '{"imageId": "\\u0061n-\\u0069mage", "tags": {"nul": "\\u0000", "pair": "\\ud83d\\ude00", "half": "\\ud83d"}}',
    '{"imageId": "an-image", "tags": {"a+b": "c+d", "e%20f": "g%2Bh"}}',
    # Parsers differ in which of the two counts: the queue gets both, and its reader refuses them.
    '{"imageId": "an-image", "imageId": "another-image"}',
)

BAD_BODIES = (
    *(json.dumps({"imageId": text}) for text in HOSTILE_TEXTS),
    *(json.dumps({"imageId": "an-image", text: "a field of one's own"}) for text in HOSTILE_TEXTS),
    '{"imageId": "an-image", "owner": "somebody", "owner": "somebody else"}',
    '{"imageId": "an-image", "__proto__": {"owner": "somebody"}}',
    '{"imageId": "an-image", "options": {"colours": 99999999999999999999999999999999999999}}',
    '{"imageId": "an-image", "options": {"colours": -1e400}}',
    '{"imageId": "an-image", "options": {"colours": 1e9999}}',
    '{"imageId": "an-image", "options": {"colours": 6.000000000000001}}',
    '{"imageId": "an-image", "options": {"colours": NaN}}',
    '{"imageId": "an-image", "options": {"colours": Infinity}}',
    '{"imageId": "an-image", "tags": ' + '{"a": ' * 100 + "{}" + "}" * 100 + "}",
    '{"imageId": "an-image", "tags": ' + "[" * 5_000 + "]" * 5_000 + "}",
    "[" * 100_000 + "]" * 100_000,
    '{"imageId": "an-image"}{"imageId": "another-image"}',
    '{"imageId": "an-image"}&MessageBody=another',
    "imageId=an-image&Action=SendMessage",
)

BAD_IDS = (
    "$util.urlEncode",
    "${jobId}",
    "%24input.body",
    "a%26Action%3DDeleteQueue",
    "a%2526b",
    "a%22b",
    "a%27b",
    "a%0D%0Ab",
    "a%00",
    "%00",
    "%F0%9F%98%80",
    "%E2%80%AEa",
    "a;b",
    "a%3Bb",
    "a%2E%2E",
    "x" * 5_000,
)
LOST_PATHS = ("..%2Fjobs", "a%2Fb", "%2e%2e%2fa", "a//b")
"""What may be taken for another path; whichever it is, it is no way into the queue."""

HOSTILE_HEADERS = {
    "owner": "somebody",
    "X-Owner": "somebody",
    "jobId": "another-id",
    "sub": "somebody",
    "X-Amz-Target": "AmazonSQS.DeleteQueue",
    "X-HTTP-Method-Override": "DELETE",
    "X-Forwarded-For": "127.0.0.1&Action=DeleteQueue",
    "X-Amz-Security-Token": "somebody",
    "MessageGroupId": "somebody",
    "Cookie": "sub=somebody",
}
HOSTILE_QUERY = {
    "Action": "DeleteQueue",
    "MessageBody": "another",
    "MessageGroupId": "somebody",
    "jobId": "another-id",
    "owner": "somebody",
    "MessageAttribute.1.Name": "owner",
    "MessageAttribute.1.Value.StringValue": "somebody",
    "MessageAttribute.9.Name": "extra",
    "MessageAttribute.9.Value.DataType": "String",
    "MessageAttribute.9.Value.StringValue": "somebody",
}


@pytest.fixture(scope="module")
def unread(world: World) -> Iterator[World]:
    """Nobody reads the job queue, so that what gets into it is seen there."""
    with world.queue_unread():
        yield world


class Sender:
    """Sends a submission as raw bytes, and tells what is in the queue for it."""

    def __init__(self, http: httpx.Client, world: World, owner: str) -> None:
        self._http = http
        self._world = world
        self._queue = world.outputs["JobQueueUrl"]
        self._owner = owner

    def send(self, method: str, path: str, content: bytes, **more: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        return self._http.request(method, path, content=content, headers=headers, **more)

    def assert_accepted(self, content: bytes, **more: Any) -> None:
        """Send it both ways, and find what was sent in the queue, under nobody's name but the sender's own."""
        job_id = str(uuid.uuid4())
        for method, path, attributes in (("PUT", f"/jobs/{job_id}", {"jobId": job_id}), ("POST", "/jobs", {})):
            answer = self.send(method, path, content, **dict(more))
            assert answer.status_code == 202, answer.text
            (message,) = self._world.take(self._queue)
            assert message["Body"].encode() == content
            assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
                "owner": self._owner,
                "schemaVersion": "1",
                **attributes,
            }
            assert message["Attributes"]["MessageGroupId"] == self._owner
            assert answer.json()["jobId"] == attributes.get("jobId", message["MessageId"])

    def assert_refused(self, answer: httpx.Response, *statuses: int) -> None:
        assert answer.status_code in statuses, answer.text
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert self._world.is_empty(self._queue)


@pytest.fixture(scope="module")
def sender(unread: World, http: httpx.Client, owner: str) -> Sender:
    return Sender(http, unread, owner)


@pytest.mark.parametrize("body", GOOD_BODIES)
def test_body_that_is_accepted_is_in_the_queue_byte_for_byte(sender: Sender, body: str) -> None:
    sender.assert_accepted(body.encode())


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: body[:60])
def test_body_that_is_refused_leaves_nothing_in_the_queue(sender: Sender, body: str) -> None:
    for method, path in (("PUT", f"/jobs/{uuid.uuid4()}"), ("POST", "/jobs")):
        sender.assert_refused(sender.send(method, path, body.encode()), 400)


def test_body_that_is_no_text_leaves_nothing_in_the_queue(sender: Sender) -> None:
    for content in (b'{"imageId": "an-image", "tags": {"a": "\xff\xfe"}}', '{"imageId": "an-image"}'.encode("utf-16")):
        sender.assert_refused(sender.send("POST", "/jobs", content), 400)


@pytest.mark.parametrize("field", ["image", "imageUrl", "url", "callbackUrl", "webhook", "imageId"])
def test_address_as_input_leaves_nothing_in_the_queue(sender: Sender, field: str) -> None:
    body = {"imageId": "an-image", field: "https://169.254.169.254/latest/meta-data/"}
    sender.assert_refused(sender.send("POST", "/jobs", json.dumps(body).encode()), 400)


def test_headers_add_nothing_to_the_message(sender: Sender) -> None:
    sender.assert_accepted(b'{"imageId": "an-image"}', headers=HOSTILE_HEADERS)


def test_query_adds_nothing_to_the_message(sender: Sender) -> None:
    sender.assert_accepted(b'{"imageId": "an-image"}', params=HOSTILE_QUERY)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=utf-7", "APPLICATION/JSON"]
)
def test_variants_of_the_media_type_change_nothing(sender: Sender, content_type: str) -> None:
    sender.assert_accepted(b'{"imageId": "an-image"}', headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    "content_type", ["application/json&Action=DeleteQueue", "text/json", "multipart/form-data", "*/*"]
)
def test_media_type_that_only_looks_alike_leaves_nothing_in_the_queue(sender: Sender, content_type: str) -> None:
    answer = sender.send("POST", "/jobs", b'{"imageId": "an-image"}', headers={"Content-Type": content_type})
    sender.assert_refused(answer, 415)


@pytest.mark.parametrize("job_id", BAD_IDS, ids=lambda job_id: job_id[:30])
def test_id_that_is_none_leaves_nothing_in_the_queue(sender: Sender, job_id: str) -> None:
    sender.assert_refused(sender.send("PUT", f"/jobs/{job_id}", b'{"imageId": "an-image"}'), 400)


@pytest.mark.parametrize("path", LOST_PATHS)
def test_path_that_leads_elsewhere_leaves_nothing_in_the_queue(sender: Sender, path: str) -> None:
    sender.assert_refused(sender.send("PUT", f"/jobs/{path}", b'{"imageId": "an-image"}'), 400, 404)
