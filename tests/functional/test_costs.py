"""What one ordinary job asks of AWS, counted on the real handlers; it does not grow with the jobs there are."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.jobs.status import OPEN, Status
from lambdas.stages.catalogue import ORDINARY
from laptop.bench.counts import MAX_WRITES_BESIDE_STAGES, requests_of_a_job, row_writes
from laptop.bench.in_memory import InMemory, deployed


@pytest.fixture
def memory(job_table_definition: dict[str, Any], photos: Path) -> Iterator[InMemory]:
    """A deployment in memory with an uploaded photograph."""
    with deployed(job_table_definition) as memory:
        memory.upload((photos / "freespace.jpg").read_bytes())
        yield memory


def test_job_writes_its_row_at_most_twice_a_stage_and_three_times(memory: InMemory) -> None:
    requests = requests_of_a_job(memory, "job-1")
    job = memory.job("job-1")
    assert job.status is Status.SUCCEEDED
    assert row_writes(requests) <= 2 * len(ORDINARY) + MAX_WRITES_BESIDE_STAGES
    # The row counts its own writes: nothing has written it that was not counted here.
    assert job.version == row_writes(requests)


def test_job_reads_no_row_and_searches_for_nothing_but_its_owners_open_jobs(memory: InMemory) -> None:
    # Every write returns the row; a read would be one more round trip for each stage.
    requests = requests_of_a_job(memory, "job-1")
    assert not requests.keys() & {"DynamoDB.GetItem", "DynamoDB.Scan", "S3.ListObjectsV2"}
    assert requests["DynamoDB.Query"] == len(OPEN)


def test_job_asks_the_same_among_many_jobs(memory: InMemory) -> None:
    alone = requests_of_a_job(memory, "job-1")
    for number in range(150):
        memory.table.put_new(dataclasses.replace(memory.job("job-1"), job_id=f"other-{number}"))
    assert requests_of_a_job(memory, "job-2") == alone
