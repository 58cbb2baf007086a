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


class Unasked(StrEnum):
    """What becomes of an optional stage when a job does not say which analyses it wants."""

    RUN = "run"
    RUN_IF_LARGE = "runIfLarge"
    """It runs on images of `LARGE_PIXELS` and more."""
    SKIP = "skip"


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
    unasked: Unasked = Unasked.RUN
    artefacts: tuple[str, ...] = ()
    asks_rekognition: bool = False
    """Whether it is handed Amazon Rekognition to ask; only where the setting `labels` is on."""
    image_libraries: bool = True
    """Whether it needs Pillow; without it, its function has the small package."""

    @property
    def is_extra(self) -> bool:
        """Whether few jobs want it: then its state is in `AnalyseMore`, which the others never enter."""
        return self.optional and self.unasked is not Unasked.RUN

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
    Stage(name="regions", reads=Reads.UPLOAD, memory_mb=1769, timeout_seconds=60, weight=40, optional=True,
          unasked=Unasked.RUN_IF_LARGE, artefacts=("heat-map.png",)),
    Stage(name="labels", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=60, weight=20, optional=True,
          unasked=Unasked.SKIP, asks_rekognition=True, image_libraries=False),
    Stage(name="report", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=15, optional=False,
          artefacts=("report.json", "thumbnail.jpg", "preview.jpg")),
)  # fmt: skip

BY_NAME = {stage.name: stage for stage in STAGES}
ANALYSES = tuple(stage.name for stage in STAGES if stage.optional)
"""What a job may ask for."""
DEFAULT_ANALYSES = tuple(stage.name for stage in STAGES if stage.optional and not stage.is_extra)
"""What a job gets that does not say."""
ORDINARY = tuple(stage for stage in STAGES if not stage.is_extra)
"""What runs for a job that does not say what it wants, of an image that is not large."""
LARGE_PIXELS = 49_500_000
"""What is sold as 50 megapixels often has a little less: 8,160 by 6,120 is 49.9."""
LAST = STAGES[-1]
"""Its end is the end of the job."""
IDENTIFIES = BY_NAME["fingerprint"]
"""By what it finds, a job that has succeeded is found again when another is of the same picture."""
WORKING_COPY = "working-copy.jpg"
MAKES_WORKING_COPY = next(stage for stage in STAGES if WORKING_COPY in stage.artefacts)
