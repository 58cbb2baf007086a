"""The fault layer without its function: looking up, using up and writing down what is planned."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from laptop.chaos import fault_layer, plan
from laptop.chaos.fault_layer import Call, Clock, Layer, place_of
from laptop.chaos.ledger import Ledger
from laptop.chaos.plan import FunctionFault

JOB = "chaos-7-0001"
ROOT = Path(__file__).parents[3]
CONTAINED = """
from types import SimpleNamespace
from lambdas.stages.containment import run_contained
from lambdas.stages.contract import StageInput
from laptop.chaos import fault_layer

stage = SimpleNamespace(run=lambda stage_input: fault_layer.{fault}())
run_contained(stage, StageInput(image=b"", options={{}}, results={{}}, checkpoint=lambda fraction: None))
"""


def fault(**changed: Any) -> FunctionFault:
    """A fault of one job in one stage."""
    return FunctionFault(**{"id": "0001-transient", "kind": "transient", "job": JOB, "places": ("inspect",)} | changed)


@pytest.fixture
def layer_for(tmp_path: Path) -> Callable[..., Layer]:
    """Make a layer of some faults, at work on the job."""
    Ledger(tmp_path / "run")

    def make(place: str, *faults: FunctionFault) -> Layer:
        documents = [one.to_document() for one in faults]
        (tmp_path / "run" / "plan.json").write_text(json.dumps({"faults": documents}))
        layer = Layer(tmp_path / "run", place)
        layer.job = JOB
        return layer

    return make


def test_take_of_a_planned_fault_uses_it_up_and_writes_it_down(layer_for: Any, tmp_path: Path) -> None:
    layer = layer_for("inspect", fault(times=2))
    assert [layer.take("transient") is not None for _ in range(3)] == [True, True, False]
    lines = [json.loads(line) for line in (tmp_path / "run" / "faults.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["job"], line["place"]) for line in lines] == [("transient", JOB, "inspect")] * 2


def test_take_in_another_process_finds_it_used_up(layer_for: Any) -> None:
    assert layer_for("inspect", fault()).take("transient")
    assert layer_for("inspect", fault()).take("transient") is None


def test_take_elsewhere_or_for_another_job_finds_nothing(layer_for: Any) -> None:
    assert layer_for("report", fault()).take("transient") is None
    layer = layer_for("inspect", fault())
    layer.job = "chaos-7-0002"
    assert layer.take("transient") is None
    layer.job = JOB
    assert layer.take("unknown-error") is None


def test_take_of_what_is_planned_for_one_service_leaves_the_others_alone(layer_for: Any) -> None:
    layer = layer_for("inspect", fault(kind="reply-lost", service="start"))
    assert layer.take("reply-lost", service="dynamodb") is None
    assert layer.take("reply-lost", service="start")


def test_layer_reads_the_whole_plan_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(plan.make(3, 40).to_json())
    assert Layer(tmp_path, "inspect")._faults


@pytest.mark.parametrize(
    ("url", "headers", "body", "expected"),
    [
        (
            "http://127.0.0.1/",
            {"x-amz-target": "DynamoDB_20120810.UpdateItem"},
            f'{{"Key": {{"jobId": {{"S": "{JOB}"}}}}}}'.encode(),
            ("dynamodb", "UpdateItem", JOB),
        ),
        (
            "http://127.0.0.1/",
            {"x-amz-target": "AWSStepFunctions.StartExecution"},
            f'{{"name": "{JOB}-0123abcd-a1"}}'.encode(),
            ("start", "StartExecution", JOB),
        ),
        (
            "http://127.0.0.1/",
            {"x-amz-target": "AmazonSQS.SendMessage"},
            b'{"MessageBody": "no job"}',
            ("sqs", "SendMessage", None),
        ),
        (f"http://127.0.0.1/bucket/jobs/me/{JOB}/inspect-1/working-copy.jpg", {}, b"", ("s3", "", JOB)),
    ],
)
def test_call_knows_what_is_asked_for_and_about_which_job(url: str, headers: Any, body: bytes, expected: Any) -> None:
    call = Call(SimpleNamespace(url=url, headers=headers, body=body))
    assert (call.service, call.operation, call.job) == expected


def test_job_ids_of_the_plan_are_those_that_the_layer_finds() -> None:
    planned = plan.make(123456, 30)
    for one in (*planned.jobs, *planned.poisons):
        assert fault_layer.JOB_ID.findall(f"/jobs/me/{one.job_id}/x {one.job_id}-0123abcd-a2") == [one.job_id] * 2


def test_place_is_the_stage_or_the_module_of_the_handler() -> None:
    assert place_of({"STAGE": "codes", "_HANDLER": "lambdas.handlers.run_stage.handler"}) == "codes"
    assert place_of({"_HANDLER": "lambdas.handlers.reconcile.handler"}) == "reconcile"


def test_clock_is_as_wrong_as_it_is_told_to_be() -> None:
    clock = Clock()
    clock.skew = timedelta(minutes=2)
    assert timedelta(seconds=119) < clock.now(UTC) - datetime.now(UTC) < timedelta(seconds=121)
    assert clock.fromisoformat("2026-03-01T12:00:00+00:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("fault", ["die", "run_out_of_memory"])
def test_stage_that_is_killed_in_the_child_it_works_in_takes_its_function_along(fault: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", CONTAINED.format(fault=fault)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
