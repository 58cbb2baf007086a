"""The AsyncAPI document, with the references into the API document followed."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

ROOT = Path(__file__).parents[1]
OPENAPI = "./openapi.yaml"


@cache
def documents() -> dict[str, Any]:
    """Both documents, by how the AsyncAPI one refers to them."""
    return {
        "": yaml.safe_load((ROOT / "asyncapi.yaml").read_text()),
        OPENAPI: yaml.safe_load((ROOT / "openapi.yaml").read_text()),
    }


def resolved(reference: str, home: str = "") -> tuple[Any, str]:
    """Follow a reference; return what it leads to and the document that is in. Raises KeyError."""
    file, _, path = reference.partition("#")
    home = file or home
    node = documents()[home]
    for step in path.strip("/").split("/"):
        node = node[step]
    return node, home


def schema(name: str) -> dict[str, Any]:
    """A schema of the AsyncAPI document without references, in JSON Schema."""
    return dict(_inlined(*resolved(f"#/components/schemas/{name}")))


def check(name: str, value: Any) -> None:
    """Hold a message to its schema. Raises jsonschema.ValidationError."""
    jsonschema.validate(value, schema(name))


def _inlined(node: Any, home: str) -> Any:
    if isinstance(node, dict) and "$ref" in node:
        return _inlined(*resolved(node["$ref"], home))
    if isinstance(node, dict):
        return {name: _inlined(inner, home) for name, inner in node.items()}
    if isinstance(node, list):
        return [_inlined(inner, home) for inner in node]
    return node
