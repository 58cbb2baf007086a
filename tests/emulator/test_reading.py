"""What a program reads over HTTP: a job's id, its version, pages of jobs."""

from collections.abc import Iterator
from typing import Any

import httpx
from darkroom import Client

from lambdas.adapters import keys
from laptop import users
from laptop.deployment import Deployment

JOBS_LISTED = 200


def test_post_answers_with_the_id_under_which_the_job_is_found(http: httpx.Client, client: Client) -> None:
    response = http.post("/jobs", json={"imageId": "an-image"})
    assert response.status_code == 202
    accepted = response.json()
    assert accepted["status"] == "QUEUED"
    assert accepted["links"]["self"] == f"/jobs/{accepted['jobId']}"
    assert list(client.watch(accepted["jobId"]))[-1].image_id == "an-image"


def test_get_with_the_version_that_is_known_answers_not_modified(
    http: httpx.Client, client: Client, image_id: str
) -> None:
    job_id = client.submit(image_id).job_id
    etag = list(client.watch(job_id))[-1].etag
    same = http.get(f"/jobs/{job_id}", headers={"If-None-Match": str(etag)})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)


def test_list_of_many_jobs_is_paged_newest_first(
    deployed: Deployment, client: Client, lister: Client, as_anybody: Any, image_id: str
) -> None:
    model = client.submit(image_id).job_id
    list(client.watch(model))
    _copy_row(deployed, users.owner(client), model, users.owner(lister))
    expected = [f"copy-{number:03}" for number in reversed(range(JOBS_LISTED))]
    with as_anybody(lister) as http:
        pages = list(_pages(http, {"limit": "70"}))
        assert [len(page) for page in pages] == [70, 70, 60]
        assert [job["jobId"] for page in pages for job in page] == expected
        assert [job["jobId"] for job in http.get("/jobs").json()["jobs"]] == expected[:50]
        assert [len(page) for page in _pages(http, {"limit": "150", "status": "SUCCEEDED"})] == [150, 50]
        assert http.get("/jobs", params={"status": "FAILED"}).json() == {"jobs": []}
    assert [job.job_id for job in lister.jobs()] == expected


def _pages(http: httpx.Client, query: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = http.get("/jobs", params=query | cursor).json()
        yield page["jobs"]
        cursor = {"cursor": page["nextCursor"]} if "nextCursor" in page else None


def _copy_row(deployed: Deployment, owner: str, job_id: str, new_owner: str) -> None:
    """Give somebody many jobs at once, each like this one and a second younger than the one before."""
    table = deployed.client("dynamodb")
    name = deployed.outputs["JobTableName"]
    row = table.get_item(TableName=name, Key={keys.OWNER: {"S": owner}, keys.JOB_ID: {"S": job_id}})["Item"]
    for number in range(JOBS_LISTED):
        copy, created = f"copy-{number:03}", f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z"
        new = {
            keys.OWNER: new_owner,
            keys.JOB_ID: copy,
            "createdAt": created,
            keys.CREATED_KEY: keys.created_key(created, copy),
            keys.OWNER_AND_STATUS: keys.owner_and_status(new_owner, row["status"]["S"]),
        }
        table.put_item(TableName=name, Item={**row, **{key: {"S": value} for key, value in new.items()}})
