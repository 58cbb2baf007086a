"""Third parties' opinions of the templates and of the state machine."""

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.conftest import ROOT, STACK
from tests.infrastructure.test_console import synthesized

DEPENDENCY_TWICE = "W3005"
"""CDK writes dependencies out that references imply already."""
WHOLE_RATE = "FLOAT"
"""A BackoffRate of 2, which AWS takes for 2.0."""


@pytest.mark.parametrize("environment", ["prod"])
def test_cfn_lint_finds_nothing(templates: dict[str, Any], environment: str, tmp_path: Path) -> None:
    # One environment is enough: the others' templates have the same resources (test_environments), and this takes long.
    path = tmp_path / f"{environment}.template.json"
    path.write_text(json.dumps(templates[environment]))
    assert_content("cfn-lint", "--regions", "eu-central-1", "--ignore-checks", DEPENDENCY_TWICE, "--", str(path))


def test_cfn_lint_finds_nothing_in_the_console(
    cdk_context: dict[str, Any], empty_packages: Any, tmp_path: Path
) -> None:
    path = tmp_path / "console.template.json"
    path.write_text(json.dumps(synthesized(cdk_context, empty_packages, "prod")))
    assert_content("cfn-lint", "--regions", "eu-central-1", "--ignore-checks", DEPENDENCY_TWICE, "--", str(path))


def test_statelint_finds_nothing() -> None:
    definition = ROOT / "statemachine" / "image_analysis.asl.json"
    assert_content("statelint", "--eval-jsonata", "--ignore", WHOLE_RATE, str(definition))


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_cdk_nag_finds_nothing_but_what_is_accepted_beside_its_resource(
    cdk_context: dict[str, Any], empty_packages: Any, environment: str, tmp_path: Path
) -> None:
    # Not the laptop's: traces are off there, where nothing records them.
    import aws_cdk

    import app

    cdk_app = aws_cdk.App(analytics_reporting=False, context=cdk_context, outdir=str(tmp_path))
    settings = app.settings_of(cdk_app, environment)
    app.add_console(cdk_app, STACK, settings, app.add_stack(cdk_app, STACK, settings, empty_packages))
    assert nag(cdk_app) == set()


def test_cdk_nag_finds_what_is_not_accepted(tmp_path: Path) -> None:
    import aws_cdk
    from aws_cdk import aws_sqs as sqs

    cdk_app = aws_cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    sqs.Queue(aws_cdk.Stack(cdk_app, STACK), "Queue")
    assert {"AwsSolutions-SQS4", "Serverless-SQSRedrivePolicy"} <= nag(cdk_app)


def nag(cdk_app: Any) -> set[str]:
    """Synthesize with both packs of rules, and return the names of those that are broken, warnings included."""
    import aws_cdk
    import cdk_nag

    for pack in (cdk_nag.AwsSolutionsChecks, cdk_nag.ServerlessChecks):
        aws_cdk.Validations.of(cdk_app).add_plugins(pack(cdk_app))
    with contextlib.suppress(RuntimeError):  # it raises when it has found something, and writes the report before
        cdk_app.synth()
    reports = json.loads((Path(cdk_app.outdir) / "validation-report.json").read_text())["pluginReports"]
    return {violation["ruleName"] for report in reports for violation in report["violations"]}


def assert_content(tool: str, *arguments: str) -> None:
    """Run a pinned tool, which has to find nothing."""
    command = shutil.which(tool, path=str(Path(sys.executable).parent))
    assert command
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - pinned
    assert done.returncode == 0, done.stdout + done.stderr
