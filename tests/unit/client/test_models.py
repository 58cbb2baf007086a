import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from darkroom.errors import UnexpectedAnswerError
from darkroom.job_ids import new_job_id
from darkroom.models import (
    ArtefactName,
    Job,
    JobAccepted,
    JobError,
    JobStatus,
    SimilarJob,
    SimilarJobs,
    StageEntry,
    StageStatus,
    queued_job,
)
from darkroom.problem import Problem

CONTRACT = Path(__file__).parents[3] / "openapi.yaml"


@pytest.fixture(scope="module")
def schemas() -> Any:
    return yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]


def members_read(document_class: Any) -> set[str]:
    """Names of the fields of a dataclass, as the API writes them."""
    words = [name.split("_") for name in document_class.__dataclass_fields__]
    return {first + "".join(word.title() for word in rest) for first, *rest in words}


def test_statuses_are_those_of_the_contract(schemas: Any) -> None:
    assert [status.value for status in JobStatus] == schemas["JobStatus"]["enum"]
    assert [status.value for status in StageStatus if status is not StageStatus.OTHER] == schemas["StageStatus"]["enum"]


def test_artefact_names_are_those_of_the_contract() -> None:
    result = yaml.safe_load(CONTRACT.read_text())["paths"]["/jobs/{jobId}/result"]["get"]

    assert [name.value for name in ArtefactName] == result["parameters"][0]["schema"]["enum"]


@pytest.mark.parametrize(
    ("document_class", "schema"),
    [
        (Job, "Job"),
        (StageEntry, "StageEntry"),
        (JobAccepted, "JobAccepted"),
        (SimilarJob, "SimilarJob"),
        (SimilarJobs, "SimilarJobs"),
    ],
)
def test_documents_have_every_member_of_the_contract(document_class: Any, schema: str, schemas: Any) -> None:
    assert set(schemas[schema]["properties"]) - {"links"} <= members_read(document_class)


def test_job_error_has_every_member_of_the_contract(schemas: Any) -> None:
    assert {"class" if name == "errorClass" else name for name in members_read(JobError)} == set(
        schemas["JobError"]["properties"]
    )


def test_ids_made_here_fit_the_contract(schemas: Any) -> None:
    assert re.fullmatch(schemas["JobId"]["pattern"], new_job_id(1_700_000_000))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "PAUSED"},
        {"progress": "half"},
        {"progress": True},
        {"createdAt": "yesterday"},
        {"tags": ["a"]},
        {"timeline": {}},
        {"timeline": [3]},
        {"error": "broken"},
        {"jobId": None},
    ],
)
def test_job_with_a_member_of_another_kind_is_unexpected(change: dict[str, Any]) -> None:
    document = {**queued_job("job", 1.0).document, **change}

    with pytest.raises(UnexpectedAnswerError):
        Job.parse(document)


def test_job_with_members_from_the_future_keeps_them() -> None:
    job = Job.parse({**queued_job("job", 1.0).document, "priority": "high"})

    assert job.document["priority"] == "high"


def test_stage_entry_in_a_status_from_the_future_is_in_another() -> None:
    entry = StageEntry.parse({"stage": "labels", "status": "DREAMING", "progress": 1, "tries": 1})

    assert entry.status is StageStatus.OTHER


def test_problem_of_any_body_makes_a_sentence() -> None:
    assert Problem.parse(None, 502).sentence() == "Bad Gateway (HTTP 502)"
    assert Problem.parse({"message": "Limit Exceeded"}, 429).sentence() == "Limit Exceeded (HTTP 429)"
    assert Problem.parse({"title": 3, "errors": ["x", {"field": "a"}]}, 599).sentence() == "Refused (HTTP 599) (a: ?)"
