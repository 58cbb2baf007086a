"""The owner's jobs of the same picture, by the index of fingerprints.

An owner's fingerprints lie side by side in one partition of the index, 150 bytes each: some 6,800 of them come in one
answer of 1 MB. docs/decisions.md says what that costs, and from where on another index would be cheaper.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import Item, fingerprint_from_row, marshal, unmarshal
from lambdas.adapters.job_list import JobList
from lambdas.adapters.row_writes import is_expired
from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.likeness import Entry, Match, matches
from lambdas.jobs.model import Job


@dataclass(frozen=True, kw_only=True)
class SimilarJob:
    """A job of the same picture, and how near the two are."""

    match: Match
    job: Job


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Jobs of the same picture, nearest first; `more` says that there are others, further away or older."""

    jobs: Sequence[SimilarJob]
    more: bool


class SimilarJobs:
    """The index of fingerprints. Raises TransientError when it is throttled or out of reach."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def near(self, job: Job, fingerprint: Fingerprint, *, max_distance: int, limit: int) -> Neighbours:
        """Find the owner's other jobs that are at most `max_distance` bits away; nearest first, at most `limit`."""
        others = (entry for entry in self._entries(job.owner) if entry.job_id != job.job_id)
        found = matches(fingerprint, others, max_distance=max_distance)
        shown = list(islice(self._existing(job.owner, found, chunk=limit + 1), limit + 1))
        return Neighbours(jobs=shown[:limit], more=len(shown) > limit)

    def _entries(self, owner: str) -> Iterator[Entry]:
        """Read all that the index has of an owner; it may lag behind the rows by a moment."""
        start: Item | None = {}
        while start is not None:
            with translated("Reading the fingerprints"):
                answer = client("dynamodb").query(
                    TableName=self._table_name,
                    IndexName=keys.BY_FINGERPRINT_INDEX,
                    KeyConditionExpression="#owner = :owner",
                    ProjectionExpression=f"{keys.JOB_ID}, {keys.FINGERPRINT}",
                    ExpressionAttributeNames={"#owner": keys.OWNER},
                    ExpressionAttributeValues=marshal({":owner": owner}),
                    **({"ExclusiveStartKey": start} if start else {}),
                )
            yield from map(_entry, answer["Items"])
            start = answer.get("LastEvaluatedKey")

    def _existing(self, owner: str, found: Sequence[Match], *, chunk: int) -> Iterator[SimilarJob]:
        """Read the rows of what was found, as far as they are asked for; leave out what has expired by now."""
        listed = JobList(self._table_name)
        for begin in range(0, len(found), chunk):
            near = {match.job_id: match for match in found[begin : begin + chunk]}
            for job in listed.rows(owner, list(near)):
                if job.fingerprint is not None and not is_expired(job):
                    yield SimilarJob(match=near[job.job_id], job=job)


def _entry(item: Item) -> Entry:
    row = unmarshal(item)
    fingerprint, created_at = fingerprint_from_row(row[keys.FINGERPRINT])
    return Entry(job_id=row[keys.JOB_ID], created_at=created_at, fingerprint=fingerprint)
