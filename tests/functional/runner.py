"""Runs stages as the state machine would, with work that the test decides."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.handlers import run_stage
from lambdas.jobs.model import Attempt
from lambdas.stages.catalogue import BY_NAME, STAGES, Stage
from lambdas.stages.contract import Artefact, StageInput, StageOutput
from tests.functional.conftest import OWNER

ATTEMPT = Attempt(owner=OWNER, job_id="job-1")
TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)
"""A context with enough of it left."""


@dataclass(frozen=True, kw_only=True)
class TestStage(Stage):
    """A stage whose work the test decides."""

    __test__ = False
    work: Callable[[StageInput], StageOutput]

    def load(self) -> Any:
        return SimpleNamespace(run=self.work)


class Runner:
    """Runs stages as the state machine would, and counts the work that they did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.worked: list[str] = []

    def run(
        self,
        name: str,
        work: Callable[[StageInput], StageOutput] | None = None,
        *,
        attempt: Attempt = ATTEMPT,
        ms: int = 30_000,
        contained: bool = False,
        retries: int = 0,
    ) -> None:
        row = BY_NAME[name]

        def counted(stage_input: StageInput) -> StageOutput:
            self.worked.append(name)
            return (work or find_nothing)(stage_input)

        stage = TestStage(**{field: getattr(row, field) for field in Stage.__dataclass_fields__}, work=counted)
        self._monkeypatch.setitem(BY_NAME, name, stage)
        self._monkeypatch.setattr(run_stage, "LAST", BY_NAME[STAGES[-1].name])
        if not contained:
            # The work of most tests looks at what they hold, which it could not do from another process.
            self._monkeypatch.setattr(run_stage, "run_contained", lambda module, stage_input: module.run(stage_input))
        self._monkeypatch.setenv("STAGE", name)
        run_stage.handler(
            attempt.payload() | {"retries": retries}, SimpleNamespace(get_remaining_time_in_millis=lambda: ms)
        )


def find_nothing(_: StageInput) -> StageOutput:
    return StageOutput(result={})


def make_working_copy(stage_input: StageInput) -> StageOutput:
    return StageOutput(
        result={"seen": stage_input.image.decode()},
        artefacts={"working-copy.jpg": Artefact(content=b"copy", media_type="image/jpeg")},
    )
