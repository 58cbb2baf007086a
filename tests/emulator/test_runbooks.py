"""The runbooks, typed as they are written, in bash and with the AWS command line, against the stack on this machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from darkroom import Client, JobStatus

from laptop import environment
from laptop.deployment import Deployment
from laptop.places import ENVIRONMENT_BIN
from laptop.waiting import wait_for
from laptop.world import World
from tests.runbooks import Section, sections

SECTIONS = {section.anchor: section for section in sections()}
PRELUDE = SECTIONS["on-call"].typed[0].replace("STACK=Darkroom-dev", "STACK=Darkroom-laptop")
NOT_HERE = {
    "alarm-budget": "the emulator has no Cost Explorer",
    "raising-quotas": "the emulator has no Service Quotas",
}
TYPED_IN_TESTS_OF_THEIR_OWN = {"pause-and-resume", "drain", "rotating-secrets"}
"""They take something away, which is looked at and given back."""


class Operator:
    """Somebody with a shell."""

    def __init__(self, deployment: Deployment, profile: Path) -> None:
        aws = shutil.which("aws", path=f"{ENVIRONMENT_BIN}{os.pathsep}{os.environ['PATH']}")
        assert aws, "The AWS command line is not installed: run `make setup`."
        self._environment = {
            **os.environ,
            **environment.for_tools(deployment.emulator.endpoint),
            "PATH": f"{ENVIRONMENT_BIN}{os.pathsep}{Path(aws).parent}{os.pathsep}{os.environ['PATH']}",
            "DARKROOM_PROFILE_FILE": str(profile),
        }

    def types(self, *blocks: str, **variables: str) -> str:
        """Run blocks one after the other; return what they print. Any command that fails is an error."""
        done = subprocess.run(  # noqa: S603 - what our own page says
            ["/bin/bash", "-euo", "pipefail", "-c", "\n".join([PRELUDE, *blocks])],
            env={**self._environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{blocks}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def operator(client: Client, deployed: Deployment) -> Operator:
    assert client.profile.path is not None
    return Operator(deployed, client.profile.path)


@pytest.fixture(scope="module")
def failed_job(client: Client, world: World) -> str:
    job_id = client.submit("nothing-uploaded").job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.FAILED
    assert wait_for(lambda: world.dead_letters(job_id) != [])
    return job_id


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(section, id=anchor)
        for anchor, section in SECTIONS.items()
        if section.typed and anchor not in TYPED_IN_TESTS_OF_THEIR_OWN | NOT_HERE.keys()
    ],
)
def test_runbook_can_be_typed_as_it_is_written(section: Section, operator: Operator, failed_job: str) -> None:
    blocks = section.typed[1:] if section.anchor == "on-call" else section.typed

    operator.types(*blocks, JOB=failed_job, WHEN="2026-11-24T03:00:00Z")
