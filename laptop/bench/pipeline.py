"""All stages after one another in one process, through the rows of the catalogue: a new stage comes along by itself."""

from dataclasses import dataclass
from typing import Any

from lambdas.jobs.submission import OPTIONS
from lambdas.stages.catalogue import LAST, MAKES_WORKING_COPY, ORDINARY, WORKING_COPY, Reads, Stage
from lambdas.stages.contract import StageInput, StageOutput
from laptop.bench.processor import Spent, spent_by

DEFAULTS = {name: option.default for name, option in OPTIONS.items() if option.default is not None}


@dataclass(frozen=True)
class Run:
    """What each stage found and took, in the order of the catalogue."""

    outputs: dict[str, StageOutput]
    spent: dict[str, Spent]

    @property
    def total(self) -> Spent:
        """Of all stages."""
        return Spent(sum(s.user for s in self.spent.values()), sum(s.total for s in self.spent.values()))


def in_order() -> list[Stage]:
    """The stages as the state machine runs them: the one that makes the working copy first, the report last."""
    between = [stage for stage in ORDINARY if stage not in (MAKES_WORKING_COPY, LAST)]
    return [MAKES_WORKING_COPY, *between, LAST]


def run_all(content: bytes) -> Run:
    """Run every stage on an upload, in this process."""
    outputs: dict[str, StageOutput] = {}
    spent: dict[str, Spent] = {}
    for stage in in_order():
        module = stage.load()
        given = input_of(stage, content, outputs)
        outputs[stage.name], spent[stage.name] = spent_by(lambda: module.run(given))  # noqa: B023 - called at once
    return Run(outputs, spent)


def input_of(stage: Stage, upload: bytes, outputs: dict[str, StageOutput]) -> StageInput:
    """What the envelope would hand to a stage."""
    results: dict[str, Any] = {name: output.result for name, output in outputs.items()}
    image = upload if stage.reads is Reads.UPLOAD else outputs[MAKES_WORKING_COPY.name].artefacts[WORKING_COPY].content
    return StageInput(image=image, options=DEFAULTS, results=results, checkpoint=lambda _fraction: None)
