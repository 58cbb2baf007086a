"""Reading the API document."""

import pytest

from stacks.openapi import DRAFT_4, Contract

DOCUMENT = """
paths:
  /things/{thingId}:
    parameters:
      - { $ref: "#/components/parameters/ThingId" }
    put:
      operationId: putThing
      parameters:
        - { name: dry, in: query, schema: { type: boolean } }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } }
    get: { operationId: getThing }
components:
  parameters:
    ThingId: { name: thingId, in: path, required: true, schema: { $ref: "#/components/schemas/ThingId" } }
  schemas:
    ThingId: { type: string, pattern: "^[a-z]+$", example: abc }
    Thing:
      type: object
      description: Some thing.
      additionalProperties: { $ref: "#/components/schemas/Part" }
      properties:
        id: { $ref: "#/components/schemas/ThingId" }
        description: { type: string, description: A property that is called like a keyword. }
        parts: { type: array, items: { $ref: "#/components/schemas/Part" } }
        seen: { type: string, format: date-time, default: now }
    Part: { type: integer, minimum: 1 }
"""


@pytest.fixture
def contract() -> Contract:
    return Contract(DOCUMENT)


def test_operations_have_the_parameters_of_their_path_and_their_own(contract: Contract) -> None:
    get, put = contract.operations
    assert (put.operation_id, put.method, put.path, put.body) == ("putThing", "PUT", "/things/{thingId}", "Thing")
    assert [(each["in"], each["name"]) for each in put.parameters] == [("path", "thingId"), ("query", "dry")]
    assert (get.operation_id, get.body, len(get.parameters)) == ("getThing", None, 1)


def test_models_are_whole_and_hold_rules_only(contract: Contract) -> None:
    identifier = {"type": "string", "pattern": "^[a-z]+$"}
    part = {"type": "integer", "minimum": 1}
    assert contract.models == {
        "Thing": {
            "$schema": DRAFT_4,
            "type": "object",
            "additionalProperties": part,
            "properties": {
                "id": identifier,
                "description": {"type": "string"},
                "parts": {"type": "array", "items": part},
                "seen": {"type": "string"},
            },
        }
    }


def test_pattern_is_found_by_name(contract: Contract) -> None:
    assert contract.pattern("ThingId") == "^[a-z]+$"
