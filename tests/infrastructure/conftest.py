"""Every environment's template, synthesized once, with empty packages: what they hold does not show there."""

import copy
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.templates import Resources

# jsii takes the first `node` there is; the one beside this Python is of a version that it supports.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "prod", "laptop")
STACK = "test"
"""One name for all, so that environments can be compared; names of resources follow from it."""


@pytest.fixture(scope="session")
def environments() -> dict[str, Any]:
    """Settings of every environment, as `cdk.json` has them."""
    found: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
    return found


@pytest.fixture(scope="session")
def cdk_context() -> dict[str, Any]:
    """All that `cdk` hands to the app."""
    found: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return found


@pytest.fixture(scope="session")
def empty_packages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from stacks.bundling import Package, Packages

    path = tmp_path_factory.mktemp("packages") / "empty.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    package = Package(path=path, digest="0" * 64)
    return Packages(api=package, stages=package)


@pytest.fixture(scope="session")
def templates(cdk_context: dict[str, Any], empty_packages: Any) -> dict[str, Any]:
    """Templates by environment."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    found = {}
    for name in ENVIRONMENTS:
        cdk_app = aws_cdk.App(analytics_reporting=False, context=cdk_context)
        stack = app.add_stack(cdk_app, STACK, app.settings_of(cdk_app, name), empty_packages)
        found[name] = Template.from_stack(stack).to_json()
    return found


@pytest.fixture(scope="session")
def dev_at_once(cdk_context: dict[str, Any], empty_packages: Any) -> dict[str, Any]:
    """The template of dev without gradual deployments, which the laptop cannot have."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    context = copy.deepcopy(cdk_context)
    context["environments"]["dev"]["gradual_deployment"] = False
    cdk_app = aws_cdk.App(analytics_reporting=False, context=context)
    found: dict[str, Any] = Template.from_stack(
        app.add_stack(cdk_app, STACK, app.settings_of(cdk_app, "dev"), empty_packages)
    ).to_json()
    return found


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def template(request: pytest.FixtureRequest, templates: dict[str, Any]) -> Resources:
    """Each environment in turn: for what must hold everywhere."""
    return Resources(templates[request.param])


@pytest.fixture(scope="session")
def dev(templates: dict[str, Any]) -> Resources:
    return Resources(templates["dev"])


@pytest.fixture(scope="session")
def prod(templates: dict[str, Any]) -> Resources:
    return Resources(templates["prod"])
