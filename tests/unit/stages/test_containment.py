"""The process around a stage that decodes: it gives back what the stage does, and bounds what the stage may take."""

import ctypes
import faulthandler
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lambdas.jobs.errors import InvalidImage, JobCancelled
from lambdas.stages import containment
from lambdas.stages.containment import StageFaultError, run_contained
from lambdas.stages.contract import Artefact, StageInput, StageOutput


def _run(work, checkpoint=lambda _: None):
    stage_input = StageInput(image=b"image", options={"a": 1}, analyses=(), results={}, checkpoint=checkpoint)
    return run_contained(SimpleNamespace(run=work), stage_input)


def _nothing(_):
    return StageOutput(result={})


def test_contained_stage_gives_its_output_from_another_process():
    def work(stage_input):
        artefact = Artefact(content=stage_input.image * 1_000_000, media_type="image/jpeg")
        return StageOutput(result={"process": os.getpid(), **stage_input.options}, artefacts={"a": artefact})

    output = _run(work)
    assert output.result["process"] != os.getpid()
    assert output.result["a"] == 1
    assert output.artefacts["a"].content == b"image" * 1_000_000


def test_contained_stage_refuses_in_its_own_words():
    def refuse(_):
        raise InvalidImage("Upload another.")

    with pytest.raises(InvalidImage, match=r"^Upload another\.$"):
        _run(refuse)


def test_contained_stage_with_a_fault_of_ours_says_where():
    def divide(_):
        return 1 / 0

    with pytest.raises(StageFaultError, match=r"in divide(.|\n)*ZeroDivisionError"):
        _run(divide)


def test_contained_stage_that_takes_too_much_memory_is_refused(monkeypatch):
    monkeypatch.setattr(containment, "MAX_MEMORY_BYTES", 300_000_000)
    with pytest.raises(InvalidImage, match="memory"):
        _run(lambda _: StageOutput(result={"length": len(bytearray(400_000_000))}))


def test_contained_stage_that_does_not_end_is_refused(monkeypatch):
    monkeypatch.setattr(containment, "MAX_CPU_SECONDS", 1)

    def spin(_):
        while True:
            pass

    with pytest.raises(InvalidImage, match="seconds of computing"):
        _run(spin)


@pytest.mark.parametrize("crash", [os.abort, lambda: ctypes.string_at(0), lambda: os._exit(3)])
def test_contained_stage_that_crashes_is_refused(crash):
    def work(_):
        faulthandler.disable()
        crash()

    with pytest.raises(InvalidImage, match="stops the decoder"):
        _run(work)


def test_contained_stage_tells_how_far_it_is():
    told = []

    def work(stage_input):
        for tenths in range(10):
            stage_input.checkpoint(tenths / 10)
        return StageOutput(result={})

    _run(work, told.append)
    assert told == [tenths / 10 for tenths in range(10)]


def test_contained_stage_that_says_nothing_is_stopped_by_a_cancel():
    def cancel(_):
        raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        _run(lambda _: time.sleep(1_000), cancel)


def test_contained_stage_leaves_no_process_and_no_file_open():
    def held():
        return len(os.listdir("/proc/self/fd")), Path("/proc/thread-self/children").read_text()

    before = held()
    for _ in range(3):
        _run(_nothing)
    assert held() == before
