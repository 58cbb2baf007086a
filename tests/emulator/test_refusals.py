"""What the API refuses, over HTTP as a program meets it: it says why, and nothing that is refused is enqueued."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from laptop.world import World

GOOD = {"imageId": "an-image"}

BAD_BODIES: list[tuple[Any, str, str]] = [
    ([], "/", "type"),
    (None, "/", "type"),
    ({}, "imageId", "required"),
    ({"imageId": 7}, "/imageId", "type"),
    ({"imageId": "a b"}, "/imageId", "regex"),
    ({"imageId": ""}, "/imageId", "regex"),
    ({"imageId": "x" * 65}, "/imageId", "regex"),
    ({**GOOD, "jobId": "mine"}, "jobId", "not allowed"),
    ({**GOOD, "owner": "somebody"}, "owner", "not allowed"),
    ({**GOOD, "analyses": "palette"}, "/analyses", "type"),
    ({**GOOD, "analyses": []}, "/analyses", "at least 1"),
    ({**GOOD, "analyses": ["palette", "palette"]}, "/analyses", "duplicate"),
    ({**GOOD, "analyses": ["palette", "astrology"]}, "/analyses/1", "enum"),
    ({**GOOD, "options": {"colours": 1}}, "/options/colours", "minimum"),
    ({**GOOD, "options": {"colours": 13}}, "/options/colours", "maximum"),
    ({**GOOD, "options": {"colours": "6"}}, "/options/colours", "type"),
    ({**GOOD, "options": {"colours": 6.5}}, "/options/colours", "type"),
    ({**GOOD, "options": {"sepia": True}}, "sepia", "not allowed"),
    ({**GOOD, "tags": {"a": 1}}, "/tags/a", "type"),
    ({**GOOD, "tags": {"a": "x" * 257}}, "/tags/a", "maximum"),
    ({**GOOD, "tags": {str(number): "" for number in range(11)}}, "/tags", "at most 10"),
]

BAD_IDS = ["x" * 65, "a%20b", "a.b", "a%26MessageBody%3Dx", "%C3%A4", "a+b"]

BAD_LISTS = [
    ({"limit": "0"}, "limit"),
    ({"limit": "201"}, "limit"),
    ({"limit": "ten"}, "limit"),
    ({"limit": "1.5"}, "limit"),
    ({"status": "DONE"}, "status"),
    ({"cursor": "garbage"}, "cursor"),
    ({"cursor": "AAAA"}, "cursor"),
]


@pytest.fixture(scope="module")
def unread(world: World) -> Iterator[World]:
    """Nobody reads the job queue, so that what gets into it is seen there."""
    with world.queue_unread():
        yield world


def refused(response: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """Check that it is a problem document which says these words, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/problem+json")
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    for word in words:
        assert word in f"{problem['detail']} {problem.get('errors')}", problem
    return problem


@pytest.mark.parametrize(("body", "field", "rule"), BAD_BODIES)
def test_submission_that_breaks_a_rule_is_refused_by_field_and_rule(
    unread: World, http: httpx.Client, body: Any, field: str, rule: str
) -> None:
    for method, path in (("PUT", f"/jobs/{uuid.uuid4()}"), ("POST", "/jobs")):
        response = http.request(method, path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        refused(response, 400, field, rule)
    assert unread.is_empty(unread.outputs["JobQueueUrl"])


@pytest.mark.parametrize("text", ["", "{", "imageId=an-image", '{"imageId": "an-image"'])
def test_submission_that_is_no_json_is_refused(unread: World, http: httpx.Client, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    refused(http.put(f"/jobs/{uuid.uuid4()}", content=text, headers=headers), 400, "JSON")
    assert unread.is_empty(unread.outputs["JobQueueUrl"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_submission_of_another_media_type_is_refused(unread: World, http: httpx.Client, content_type: str) -> None:
    content = '{"imageId": "an-image"}'
    refused(http.put(f"/jobs/{uuid.uuid4()}", content=content, headers={"Content-Type": content_type}), 415)
    assert unread.is_empty(unread.outputs["JobQueueUrl"])


def test_submission_that_is_too_large_is_refused(unread: World, http: httpx.Client) -> None:
    content = '{"imageId": "an-image"' + " " * 300_000 + "}"
    response = http.put(f"/jobs/{uuid.uuid4()}", content=content, headers={"Content-Type": "application/json"})
    refused(response, 400, "256 KiB")
    assert unread.is_empty(unread.outputs["JobQueueUrl"])


@pytest.mark.parametrize("job_id", BAD_IDS)
def test_id_that_breaks_the_rule_is_refused_wherever_it_is_used(unread: World, http: httpx.Client, job_id: str) -> None:
    refused(http.put(f"/jobs/{job_id}", json=GOOD), 400, "jobId", "A-Z a-z 0-9 _")
    assert unread.is_empty(unread.outputs["JobQueueUrl"])
    refused(http.get(f"/jobs/{job_id}"), 400, "jobId")
    refused(http.post(f"/jobs/{job_id}/cancel"), 400, "jobId")
    refused(http.get(f"/jobs/{job_id}/result"), 400, "jobId")
    refused(http.delete(f"/jobs/{job_id}"), 400, "jobId")


def test_id_that_ends_in_a_line_feed_is_not_enqueued(unread: World, http: httpx.Client) -> None:
    refused(http.put("/jobs/a%0A", json=GOOD), 400, "jobId")
    assert unread.is_empty(unread.outputs["JobQueueUrl"])


@pytest.mark.parametrize(("query", "field"), BAD_LISTS)
def test_list_that_breaks_a_rule_is_refused_by_field(http: httpx.Client, query: dict[str, str], field: str) -> None:
    refused(http.get("/jobs", params=query), 400, field)


@pytest.mark.parametrize("body", [{}, {"contentType": "text/plain"}, {"contentType": 1}, {"contentType": None}])
def test_upload_of_what_is_no_image_is_refused(http: httpx.Client, body: dict[str, Any]) -> None:
    refused(http.post("/uploads", json=body), 400, "contentType")


@pytest.mark.parametrize(
    "change",
    [
        {"Content-Type": "text/html"},
        {"Content-Type": ""},
        {"key": "uploads/somebody/an-image"},
        {"key": "jobs/somebody/a-job/report.json"},
        {"key": "uploads/${filename}"},
        {"acl": "public-read"},
        {"Content-Disposition": "inline"},
        {"policy": ""},
    ],
    ids=str,
)
def test_upload_that_breaks_what_was_signed_is_refused_by_storage(http: httpx.Client, change: dict[str, str]) -> None:
    place = http.post("/uploads", json={"contentType": "image/png"}).json()
    answer = httpx.post(place["url"], data={**place["fields"], **change}, files={"file": b"<script>"})
    assert answer.status_code in (400, 403), answer.text


def test_upload_that_is_too_large_is_refused_by_storage(http: httpx.Client) -> None:
    place = http.post("/uploads", json={"contentType": "image/png"}).json()
    answer = httpx.post(place["url"], data=place["fields"], files={"file": b"\0" * (place["maxBytes"] + 1)}, timeout=60)
    assert answer.status_code == 400
    assert "EntityTooLarge" in answer.text


@pytest.mark.parametrize("token", [None, "", "nonsense", "Bearer nonsense", "e30.e30.e30"])
def test_call_without_a_good_token_is_unauthorized(http: httpx.Client, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token}
    for method, path in (("GET", "/jobs"), ("PUT", "/jobs/an-id"), ("POST", "/uploads")):
        refused(httpx.request(method, f"{http.base_url}{path.lstrip('/')}", headers=headers), 401)


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PATCH", "/jobs/an-id"), ("GET", "/uploads")])
def test_call_that_the_api_does_not_know_is_not_found(http: httpx.Client, method: str, path: str) -> None:
    assert refused(http.request(method, path), 404)["type"] == "/problems/not-found"
