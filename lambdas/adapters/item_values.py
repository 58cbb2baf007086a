"""DynamoDB's typed values: `{"S": "text"}`. Only the types that rows have; whole numbers, no floats and no sets."""

from collections.abc import Mapping
from typing import Any

ItemValue = Mapping[str, Any]


def to_item_value(value: Any) -> ItemValue:
    """Write a value: text, whole number, truth value, nothing, list or mapping. Raises TypeError for any other."""
    # A truth value is a number to Python, so it comes first.
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, int):
        return {"N": str(value)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, Mapping):
        return {"M": {name: to_item_value(inner) for name, inner in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [to_item_value(inner) for inner in value]}
    raise TypeError(f"A row has no {type(value).__name__}: write it as text or as a whole number.")


def from_item_value(value: ItemValue) -> Any:
    """Read a value. Raises TypeError for a type that rows do not have, ValueError for a number that is not whole."""
    ((kind, inner),) = value.items()
    if kind in {"S", "BOOL"}:
        return inner
    if kind == "N":
        return int(inner)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: from_item_value(one) for name, one in inner.items()}
    if kind == "L":
        return [from_item_value(one) for one in inner]
    raise TypeError(f"A row has no value of type {kind}.")
