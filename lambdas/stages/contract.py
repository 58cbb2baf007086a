"""What a stage is given and what it gives back. Knows nothing of AWS, of other stages or of how stages are run."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Checkpoint = Callable[[float], None]
"""Say how much of the stage is done, from 0.0 to 1.0; raises `JobCancelled` when the owner no longer wants the job."""


class Recognition(Protocol):
    """A service that knows what pictures show: Amazon Rekognition, whose answers these are, as they come.

    Every method takes a JPEG or PNG of up to 5 MB and raises TransientError or InvalidImage.
    """

    def labels(self, image: bytes) -> Mapping[str, Any]:
        """Name things, scenes and activities: the answer of DetectLabels."""

    def text(self, image: bytes) -> Mapping[str, Any]:
        """Read what is written in the picture: the answer of DetectText."""

    def moderation(self, image: bytes) -> Mapping[str, Any]:
        """Name what some people should not see: the answer of DetectModerationLabels."""


@dataclass(frozen=True, kw_only=True)
class StageInput:
    """All that a stage may look at.

    `image` is the bytes that the stage's catalogue row says it reads: the upload, or the working copy.
    `options` are the job's, complete with defaults (`lambdas.jobs.submission.OPTIONS`).
    `results` are the results of the stages that finished before, by stage name.
    `analyses` are the names of the analyses that the job asks for.
    `recognition` is there for the stages whose row says that they ask it.
    """

    image: bytes
    options: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]
    checkpoint: Checkpoint
    analyses: Collection[str] = ()
    recognition: Recognition | None = None


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A file that a stage makes, stored under its name beside the job."""

    content: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class StageOutput:
    """What a stage found (JSON values only, camelCase names), and the files it made, by name."""

    result: dict[str, Any]
    artefacts: Mapping[str, Artefact] = field(default_factory=dict)


class StageModule(Protocol):
    """Every module of a stage has this one function."""

    @staticmethod
    def run(stage_input: StageInput) -> StageOutput:
        """Do the work; call `stage_input.checkpoint` at least once a second of it.

        Raises `InvalidImage` with a sentence for a person when the image is at fault; anything else is a fault of ours.
        """
