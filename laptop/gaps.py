"""What the emulator leaves out of a deployment, added afterwards through the emulator's own AWS API.

Each gap with its reason. On AWS none of this happens: CloudFormation does it all.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_VALIDATOR = "AWS::ApiGateway::RequestValidator"
_METHOD = "AWS::ApiGateway::Method"
_STAGE = "AWS::ApiGateway::Stage"
_API = "AWS::ApiGateway::RestApi"


def close(cloudformation: Any, gateway: Any, stack: str) -> None:
    """Close every gap of the stack that was just deployed; doing it again changes nothing."""
    deployed = _Deployed(cloudformation, stack)
    api = next(deployed.ids_of(_API))
    _validate_requests(gateway, deployed, api)
    _take_gateway_responses(gateway, deployed, api)


def _validate_requests(gateway: Any, deployed: "_Deployed", api: str) -> None:
    """Request validators in a template are given an id and forgotten, and methods do not refer to them.

    Without them the gateway would put any body into the queue.
    """
    there = {item["name"]: item["id"] for item in gateway.get_request_validators(restApiId=api, limit=500)["items"]}
    ids = {}
    for name, properties in deployed.resources(_VALIDATOR):
        ids[name] = there.get(name) or _create_validator(gateway, api, name, properties)
    for _, properties in deployed.resources(_METHOD):
        if validator := properties.get("RequestValidatorId"):
            gateway.update_method(
                restApiId=api,
                resourceId=deployed.resolve(properties["ResourceId"]),
                httpMethod=properties["HttpMethod"],
                patchOperations=[{"op": "replace", "path": "/requestValidatorId", "value": ids[validator["Ref"]]}],
            )


def _create_validator(gateway: Any, api: str, name: str, properties: Mapping[str, Any]) -> str:
    created = gateway.create_request_validator(
        restApiId=api,
        name=name,
        validateRequestBody=properties.get("ValidateRequestBody", False),
        validateRequestParameters=properties.get("ValidateRequestParameters", False),
    )
    return str(created["id"])


def _take_gateway_responses(gateway: Any, deployed: "_Deployed", api: str) -> None:
    """The stage answers errors as they were when its deployment was made: before the template's gateway responses.

    On AWS a gateway response counts from the next deployment too, but a template's deployment is made last.
    """
    for _, properties in deployed.resources(_STAGE):
        gateway.create_deployment(restApiId=api, stageName=properties["StageName"])


class _Deployed:
    """The template of a stack, and the ids of what was made of it."""

    def __init__(self, cloudformation: Any, stack: str) -> None:
        body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        template = json.loads(body) if isinstance(body, str) else body
        self._resources = template["Resources"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        self._ids = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def resources(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Logical name and properties of every resource of a type."""
        for name, resource in self._resources.items():
            if resource["Type"] == kind:
                yield name, resource.get("Properties", {})

    def ids_of(self, kind: str) -> Iterator[str]:
        """Ids of every resource of a type."""
        return (self._ids[name] for name, _ in self.resources(kind))

    def resolve(self, value: Any) -> str:
        """Follow a `Ref` or a `Fn::GetAtt` to an id."""
        if isinstance(value, str):
            return value
        name = value.get("Ref") or value["Fn::GetAtt"][0]
        return str(self._ids[name])
