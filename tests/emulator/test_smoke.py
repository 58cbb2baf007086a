"""`darkroom smoke`, run as anybody would, against the stack on this machine."""

import json
import os
import subprocess

from darkroom import Client

from laptop import environment
from laptop.deployment import Deployment
from laptop.places import ENVIRONMENT_BIN


def test_smoke_finds_everything_well_and_leaves_nothing(client: Client, deployed: Deployment) -> None:
    done = smoke(client, deployed)

    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [outcome for outcome in outcomes if not outcome["ok"]] == []
    assert (done.returncode, len(outcomes)) == (0, 11)
    assert [job.job_id for job in client.jobs() if "smoke" in job.tags] == []


def test_smoke_notices_that_nobody_reads_the_queue(client: Client, deployed: Deployment) -> None:
    functions = deployed.client("lambda")
    (mapping,) = functions.list_event_source_mappings(FunctionName=starter(deployed))["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        done = smoke(client, deployed, "--seconds", "8", "--skip", "no-image", "--skip", "cancel")
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    failed = {outcome["check"] for outcome in map(json.loads, done.stdout.splitlines()) if not outcome["ok"]}
    assert done.returncode == 1
    assert {"success", "result"} <= failed
    assert not failed & {"sign-in", "upload", "submit-twice"}


def smoke(client: Client, deployed: Deployment, *arguments: str) -> "subprocess.CompletedProcess[str]":
    tools = environment.for_tools(deployed.emulator.endpoint)
    return subprocess.run(  # noqa: S603 - our own program
        [str(ENVIRONMENT_BIN / "darkroom"), "smoke", "--json", *arguments],
        env={**tools, "PATH": os.environ["PATH"], "DARKROOM_PROFILE_FILE": str(client.profile.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def starter(deployed: Deployment) -> str:
    stack = deployed.client("cloudformation").describe_stack_resources(StackName="Darkroom-laptop")
    return next(
        str(one["PhysicalResourceId"])
        for one in stack["StackResources"]
        if one["ResourceType"] == "AWS::Lambda::Function"
        and one["LogicalResourceId"].startswith("FunctionsStartExecutionFunction")
    )
