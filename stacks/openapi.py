"""What the gateway needs to know of the API document: its calls, and the models of their bodies.

The document is the contract; the gateway is built from it, so that the two cannot drift. Must not know about AWS.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Json = dict[str, Any]

METHODS = ("get", "put", "post", "patch", "delete")
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
"""The draft that API Gateway understands."""
NOT_IN_MODELS = frozenset({"description", "example", "default", "title", "format"})
"""What explains a schema but refuses nothing, or means nothing to the gateway."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path."""

    operation_id: str
    path: str
    method: str
    body: str | None
    """Name of the body's schema."""
    parameters: tuple[Json, ...]

    def names(self, place: str) -> tuple[str, ...]:
        """Names of the parameters in `path`, `query` or `header`."""
        return tuple(parameter["name"] for parameter in self.parameters if parameter["in"] == place)


class Contract:
    """An OpenAPI 3.0 document."""

    def __init__(self, text: str) -> None:
        self._document: Json = yaml.safe_load(text)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every call, in the order of the document."""
        return tuple(self._operations())

    @property
    def models(self) -> Mapping[str, Json]:
        """JSON Schema draft 4, by name, of every body that a call takes."""
        names = dict.fromkeys(operation.body for operation in self.operations if operation.body)
        return {name: {"$schema": DRAFT_4, **self._model(self._schema(name))} for name in names}

    def pattern(self, schema: str) -> str:
        """The regular expression that a text must match."""
        return str(self._schema(schema)["pattern"])

    def _operations(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            for method in filter(item.__contains__, METHODS):
                call = item[method]
                parameters = [*item.get("parameters", []), *call.get("parameters", [])]
                yield Operation(
                    operation_id=call["operationId"],
                    path=path,
                    method=method.upper(),
                    body=self._body(call),
                    parameters=tuple(map(self._resolve, parameters)),
                )

    def _body(self, call: Json) -> str | None:
        if "requestBody" not in call:
            return None
        schema = self._resolve(call["requestBody"])["content"]["application/json"]["schema"]
        return str(schema["$ref"]).rpartition("/")[2]

    def _schema(self, name: str) -> Json:
        schema: Json = self._document["components"]["schemas"][name]
        return schema

    def _resolve(self, node: Json) -> Json:
        """Follow a reference into the document itself; what is none is returned as it is."""
        reference = node.get("$ref")
        if reference is None:
            return node
        target: Json = self._document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        return self._resolve(target)

    def _model(self, schema: Json) -> Json:
        """Inline every reference: API Gateway would want a model of its own, by URL, for each."""
        return {
            key: self._model_value(key, value)
            for key, value in self._resolve(schema).items()
            if key not in NOT_IN_MODELS
        }

    def _model_value(self, key: str, value: Any) -> Any:
        if key == "properties":
            return {name: self._model(schema) for name, schema in value.items()}
        if key in {"items", "additionalProperties"} and isinstance(value, dict):
            return self._model(value)
        return value
