"""The API document against the code: what one of them says, the other does."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from lambdas.handlers import api, letter_choice, operations, problems, requests
from lambdas.jobs import likeness, submission
from lambdas.jobs.prices import Charge
from lambdas.jobs.status import StageStatus, Status
from lambdas.stages.catalogue import ANALYSES

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]
ANSWERED_BY_THE_QUEUE = {("put", "/jobs/{jobId}"), ("post", "/jobs")}


def query_parameter(path: str, method: str, name: str) -> dict[str, Any]:
    """Schema of a parameter of an operation."""
    parameters = DOCUMENT["paths"][path][method]["parameters"]
    return next(parameter["schema"] for parameter in parameters if parameter.get("name") == name)


def test_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_operations_are_those_that_the_function_or_the_queue_answers() -> None:
    routes = {
        (route.method.lower(), re.sub(r"<job_id>", "{jobId}", route.path))
        for app in (api.app, operations.app)
        for route in [*app._static_routes, *app._dynamic_routes]
    }

    assert {(method, path) for method, path, _ in OPERATIONS} == routes | ANSWERED_BY_THE_QUEUE


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_operation_tells_every_error_as_a_problem(method: str, path: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if status[0] in "45":
            described = DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
            assert list(described["content"]) == [problems.MEDIA_TYPE], (method, path, status)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_operation_can_always_answer_what_the_gateway_may(method: str, path: str, operation: dict[str, Any]) -> None:
    always = {"400", "401", "403", "429", "5XX"} | ({"413", "415"} if "requestBody" in operation else set())

    assert always <= set(operation["responses"])


def test_statuses_are_the_codes() -> None:
    assert SCHEMAS["JobStatus"]["enum"] == list(Status)
    assert SCHEMAS["StageStatus"]["enum"] == list(StageStatus)


def test_charges_are_the_price_tables() -> None:
    assert list(SCHEMAS["JobCost"]["properties"]["usage"]["properties"]) == list(Charge)


def test_analyses_are_the_catalogues() -> None:
    assert SCHEMAS["Analysis"]["enum"] == list(ANALYSES)


def test_options_have_the_codes_bounds_and_defaults() -> None:
    written = {
        name: submission.IntegerOption(minimum=rule["minimum"], maximum=rule["maximum"], default=rule.get("default"))
        for name, rule in SCHEMAS["JobOptions"]["properties"].items()
    }

    assert written == submission.OPTIONS


def test_ids_and_tags_have_the_codes_bounds() -> None:
    assert SCHEMAS["JobId"]["pattern"] == SCHEMAS["ImageId"]["pattern"] == f"^{submission.ID.pattern}$"
    tags = SCHEMAS["JobSubmission"]["properties"]["tags"]
    assert tags["maxProperties"] == submission.MAX_TAGS
    assert tags["additionalProperties"]["maxLength"] == submission.MAX_TAG_VALUE


def test_list_and_upload_parameters_have_the_codes_bounds() -> None:
    limit = query_parameter("/jobs", "get", "limit")
    assert (limit["maximum"], limit["default"]) == (requests.MAX_PAGE, requests.DEFAULT_PAGE)
    limit = query_parameter("/jobs/{jobId}/similar", "get", "limit")
    assert (limit["maximum"], limit["default"]) == (requests.MAX_PAGE, requests.DEFAULT_PAGE)
    distance = query_parameter("/jobs/{jobId}/similar", "get", "maxDistance")
    assert (distance["maximum"], distance["default"]) == (likeness.LARGEST_DISTANCE, likeness.SAME_PICTURE_BITS)
    assert query_parameter("/jobs/{jobId}/result", "get", "artefact")["enum"] == list(api.PICTURES)
    assert SCHEMAS["UploadRequest"]["properties"]["contentType"]["enum"] == list(api.UPLOAD_TYPES)


def test_letters_are_chosen_within_the_codes_bounds() -> None:
    letters = SCHEMAS["LetterChoice"]["properties"]["letters"]
    assert letters["maxItems"] == letter_choice.MOST
    assert letters["items"]["pattern"] == f"^{letter_choice.MESSAGE_ID.pattern}$"
    assert SCHEMAS["QueueState"]["properties"]["name"]["enum"] == list(operations.QUEUES)
