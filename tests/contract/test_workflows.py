"""The workflow of the repository: nobody can run it here, so that what it says is held to what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "darkroom.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
TRIGGERS = WORKFLOW[True]
"""YAML takes the key `on` for a truth."""
STEPS = [
    pytest.param(name, step, id=f"{name}-{number}") for name in JOBS for number, step in enumerate(JOBS[name]["steps"])
]
COMMIT = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def typed(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_there_is_one_workflow_so_that_deploying_can_need_the_tests() -> None:
    assert [path.name for path in FILES] == ["darkroom.yml"]


@pytest.mark.parametrize(("job", "step"), STEPS)
def test_action_is_pinned_to_a_commit_and_says_its_release(job: str, step: dict[str, Any]) -> None:
    if action := step.get("uses"):
        assert COMMIT.fullmatch(action)
        assert re.search(rf"{action} # v\d+\.\d+\.\d+$", FILES[0].read_text(), re.MULTILINE)


def test_a_release_is_one_commit() -> None:
    pins = set(re.findall(r"uses: ([\w-]+/[\w-]+)@(\S+)", FILES[0].read_text()))
    assert len({action for action, _ in pins}) == len(pins)


@pytest.mark.parametrize(("job", "step"), STEPS)
def test_what_is_typed_exists(job: str, step: dict[str, Any]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    command = step.get("run", "")
    assert set(re.findall(r"\bmake ([a-z-]+)", command)) <= targets
    for variable in re.findall(r"\bmake .*?\b([A-Z_]+)=", command):
        assert f"$({variable})" in makefile or f"$(if $({variable})" in makefile
    for file in re.findall(r"^(\.ci/\S+)", command, re.MULTILINE):
        assert (ROOT / file).is_file()
        assert (ROOT / file).stat().st_mode & 0o100


def test_jobs_have_the_rights_that_are_written_here_and_no_others() -> None:
    assert WORKFLOW["permissions"] == {}
    read = {"contents": "read"}
    by_oidc = {**read, "id-token": "write"}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "judge": read,
        "audit": read,
        "diff": by_oidc,
        "deploy": by_oidc,
    }


@pytest.mark.parametrize("job", JOBS)
def test_job_ends_some_day_and_leaves_no_token_behind(job: str) -> None:
    assert JOBS[job]["timeout-minutes"] <= 120
    checkout = JOBS[job]["steps"][0]
    assert checkout["uses"].startswith("actions/checkout@")
    assert checkout["with"] == {"persist-credentials": False}


def test_judge_runs_what_has_to_pass_and_makes_every_template() -> None:
    environments = re.findall(r"make synth ENV=(\w+)", typed("judge"))
    assert environments == ["dev", "prod", "laptop"]
    assert ".ci/run" in typed("judge")
    assert {"make lint", "make test"} <= set((ROOT / ".ci" / "run").read_text().splitlines())
    assert "pull_request" in TRIGGERS
    assert "pull_request_target" not in TRIGGERS  # would run a fork's code with our rights


def test_nothing_is_deployed_before_it_was_judged_nor_from_a_pull_request() -> None:
    deploy = JOBS["deploy"]
    assert deploy["needs"] == "judge"
    assert deploy["if"] == "github.event_name == 'push' || github.event_name == 'workflow_dispatch'"
    assert TRIGGERS["push"] == {"branches": ["main"], "tags": ["v*"]}


def test_deployments_wait_for_approval_and_for_each_other() -> None:
    deploy = JOBS["deploy"]
    assert deploy["environment"] == deploy["env"]["ENV"]
    assert deploy["concurrency"] == {"group": f"deploy-{deploy['environment']}", "cancel-in-progress": False}


def test_deployment_is_looked_at() -> None:
    commands = [step["run"] for step in JOBS["deploy"]["steps"] if "run" in step]
    assert [command.split()[0:2] for command in commands[-2:]] == [["make", "deploy"], [".venv/bin/darkroom", "smoke"]]


def test_no_key_of_an_account_is_kept() -> None:
    text = FILES[0].read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"DARKROOM_CLIENT_SECRET"}
    roles = [
        step["with"]["role-to-assume"]
        for job in JOBS.values()
        for step in job["steps"]
        if "role-to-assume" in step.get("with", {})
    ]
    assert roles == ["${{ vars.AWS_DIFF_ROLE }}", "${{ vars.AWS_DEPLOY_ROLE }}"]


def test_fork_gets_no_role() -> None:
    assert "github.event.pull_request.head.repo.full_name == github.repository" in JOBS["diff"]["if"]
    assert "vars.AWS_DIFF_ROLE != ''" in JOBS["diff"]["if"]


def test_what_people_write_is_never_part_of_a_command() -> None:
    """A branch, a title or a message in `${{ }}` would be typed as it is."""
    for job in JOBS.values():
        for step in job["steps"]:
            for expression in re.findall(r"\$\{\{(.+?)\}\}", step.get("run", "")):
                assert re.fullmatch(r" env\.ENV == 'prod' && '--skip no-image' \|\| '' ", expression)


def test_everything_that_the_workflow_is_set_up_with_is_explained() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    names = set(re.findall(r"(?:vars|secrets)\.(\w+)", FILES[0].read_text()))
    assert {name for name in names if f"`{name}`" not in page} == set()
