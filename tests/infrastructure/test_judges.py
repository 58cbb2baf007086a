"""A third party's opinion of the templates."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEPENDENCY_TWICE = "W3005"
"""CDK writes dependencies out that references imply already."""


@pytest.mark.parametrize("environment", ["prod"])
def test_cfn_lint_finds_nothing(templates: dict[str, Any], environment: str, tmp_path: Path) -> None:
    # One environment is enough: the others' templates have the same resources (test_environments), and this takes long.
    path = tmp_path / f"{environment}.template.json"
    path.write_text(json.dumps(templates[environment]))
    command = shutil.which("cfn-lint", path=str(Path(sys.executable).parent))
    assert command
    done = subprocess.run(  # noqa: S603 - a pinned tool
        [command, "--regions", "eu-central-1", "--ignore-checks", DEPENDENCY_TWICE, "--", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
