"""Reading a CloudFormation template: by type, and along its references."""

from collections.abc import Iterator
from typing import Any


class Resources:
    """A template."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id; at least one, so that no check passes by looking at nothing."""
        found = {
            name: resource.get("Properties", {})
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }
        assert found, f"the template has no {kind}"
        return found

    def named(self, part: str, kind: str) -> dict[str, Any]:
        """Properties of the one resource of a type whose logical id begins with this."""
        found = [properties for name, properties in self.of_type(kind).items() if name.startswith(part)]
        assert len(found) == 1, f"{len(found)} of {kind} are called {part}"
        return found[0]

    def function(self, construct_id: str) -> dict[str, Any]:
        return self.named(f"Functions{construct_id}Function", "AWS::Lambda::Function")

    def behind(self, reference: Any) -> dict[str, Any]:
        """Properties of the resource that a `Ref` or `Fn::GetAtt` names."""
        name = reference.get("Ref") or reference["Fn::GetAtt"][0]
        properties: dict[str, Any] = self.template["Resources"][name]["Properties"]
        return properties

    def called_by(self, reference: Any) -> str:
        """Logical id of the function that is called by a reference to it, to its alias or to one of its versions."""
        name = _first_named(reference)
        resource = self.template["Resources"][name]
        if resource["Type"] in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            return str(resource["Properties"]["FunctionName"]["Ref"])
        return name

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of the roles' policies, with the logical id of the policy."""
        for name, policy in self.of_type("AWS::IAM::Policy").items():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement

    def statements_of(self, policy: str) -> dict[str, Any]:
        """Resources by action, for the policies whose logical id begins with this."""
        found: dict[str, Any] = {}
        for name, statement in self.statements():
            if name.startswith(policy):
                for action in listed(statement["Action"]):
                    found.setdefault(action, []).extend(listed(statement["Resource"]))
        return found


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one without the brackets."""
    return value if isinstance(value, list) else [value]


def _first_named(reference: Any) -> str:
    """The first resource that a reference names, however deep."""
    if isinstance(reference, dict):
        if "Ref" in reference:
            return str(reference["Ref"])
        if "Fn::GetAtt" in reference:
            return str(reference["Fn::GetAtt"][0])
        return _first_named(next(iter(reference.values())))
    return next(_first_named(part) for part in reference if not isinstance(part, str | int))


def text_of(value: Any) -> str:
    """Join what a template puts together, with the name of a resource where its id will be."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(text_of(part) for part in parts)
    if "Fn::GetAtt" in value:
        return ".".join(value["Fn::GetAtt"])
    return str(value["Ref"])
