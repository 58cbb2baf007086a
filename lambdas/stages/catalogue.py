"""The stages of the pipeline, one row each. A row gives a stage its function, its weight and its rights.

To add a stage: one module beside this one, one row here, one state in the state machine. Must not import a stage's
module: the stack reads these rows without the image libraries.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import cast

from lambdas.stages.contract import StageModule


class Reads(StrEnum):
    """The image that a stage is handed."""

    UPLOAD = "upload"
    WORKING_COPY = "workingCopy"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One unit of work. Its name appears, mechanically, as module, state, construct, placeholder and result key."""

    name: str
    reads: Reads
    memory_mb: int
    timeout_seconds: int
    weight: int
    """Its share of the job's progress, relative to the other weights: about its share of the work."""
    optional: bool
    """Whether the job's `analyses` choose it."""
    artefacts: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Name of the state and the construct: `Palette`."""
        return self.name.title().replace("_", "")

    @property
    def placeholder(self) -> str:
        """Substituted in the state machine's definition by the ARN of the stage's function."""
        return f"{self.state}FunctionArn"

    def load(self) -> StageModule:
        """Import the stage's module. Raises ModuleNotFoundError when the row has no file."""
        return cast(StageModule, import_module(f"lambdas.stages.{self.name}"))


STAGES: tuple[Stage, ...] = (
    Stage(name="inspect", reads=Reads.UPLOAD, memory_mb=1769, timeout_seconds=60, weight=30, optional=False,
          artefacts=("working-copy.jpg",)),
    Stage(name="palette", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=15, optional=True),
    Stage(name="quality", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=15, optional=True),
    Stage(name="fingerprint", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=10, optional=True),
    Stage(name="codes", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=15, optional=True),
    Stage(name="report", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=15, optional=False,
          artefacts=("report.json", "thumbnail.jpg", "preview.jpg")),
)  # fmt: skip

BY_NAME = {stage.name: stage for stage in STAGES}
ANALYSES = tuple(stage.name for stage in STAGES if stage.optional)
LAST = STAGES[-1]
"""Its end is the end of the job."""
IDENTIFIES = BY_NAME["fingerprint"]
"""By what it finds, a job that has succeeded is found again when another is of the same picture."""
WORKING_COPY = "working-copy.jpg"
MAKES_WORKING_COPY = next(stage for stage in STAGES if WORKING_COPY in stage.artefacts)
