import subprocess
import sys
from pathlib import Path

import pytest

from lambdas.stages.catalogue import STAGES

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_stage_module_loads_by_its_name_and_imports_nothing_heavy(stage):
    """In a process of its own, as a Lambda imports it: nothing of AWS, no numpy, zxing-cpp for codes alone."""
    program = (
        "import sys; from lambdas.stages.catalogue import BY_NAME; "
        f"assert callable(BY_NAME[{stage.name!r}].load().run); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    printed = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    imported = set(printed.split())
    assert not imported & {"boto3", "botocore", "aws_lambda_powertools", "numpy", "pydantic"}
    assert ("zxingcpp" in imported) is (stage.name == "codes")


def test_envelope_of_stages_imports_nothing_that_only_failures_need():
    """Each of these takes a stage longer to import than its own module (docs/performance.md)."""
    program = "import sys, lambdas.handlers.run_stage; print(*sys.modules)"
    printed = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    imported = {name.partition(".")[0] for name in printed.split()} | set(printed.split())
    assert not imported & {"email", "http.client", "encodings.idna", "random", "html", "xml", "PIL", "boto3"}
