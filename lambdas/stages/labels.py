"""Stage: what the picture shows, what is written in it, and what some people should not see, by Amazon Rekognition.

Needs no image library: the service is handed the working copy as it is. Must not be given the upload, whose metadata
are nobody else's business.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lambdas.stages.contract import StageInput, StageOutput
from lambdas.stages.plain_text import clean

MAX_LINES: Final = 100
"""Rekognition finds up to 100 words in a picture."""
MAX_PLACES: Final = 10
"""Of one label: a crowd is a crowd."""
MAX_TEXT_LENGTH: Final = 500
MAX_NAME_LENGTH: Final = 100


class MissingRecognitionError(RuntimeError):
    """The stage was run without the service that it asks: its row does not say that it needs it."""


def run(stage_input: StageInput) -> StageOutput:
    """Ask three times, about the same picture; confidences are percents, places are shares of the picture's sides."""
    recognition = stage_input.recognition
    if recognition is None:
        raise MissingRecognitionError
    stage_input.checkpoint(0.0)
    labels = recognition.labels(stage_input.image)
    stage_input.checkpoint(0.4)
    text = recognition.text(stage_input.image)
    stage_input.checkpoint(0.7)
    moderation = recognition.moderation(stage_input.image)
    return StageOutput(
        result={
            "labels": [_label(label) for label in labels.get("Labels", [])],
            "text": [_line(found) for found in _lines(text.get("TextDetections", []))],
            "moderation": [_warning(warning) for warning in moderation.get("ModerationLabels", [])],
            "models": {
                "labels": _name(labels.get("LabelModelVersion")),
                "text": _name(text.get("TextModelVersion")),
                "moderation": _name(moderation.get("ModerationModelVersion")),
            },
        }
    )


def _label(label: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": _name(label.get("Name")),
        "confidence": _percent(label.get("Confidence")),
        "parents": [_name(parent.get("Name")) for parent in label.get("Parents", [])],
        "places": [_place(instance.get("BoundingBox", {})) for instance in label.get("Instances", [])[:MAX_PLACES]],
    }


def _lines(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out the words, which are told once more by the lines that they are in."""
    return [each for each in found if each.get("Type") == "LINE"][:MAX_LINES]


def _line(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": clean(str(found.get("DetectedText", "")), MAX_TEXT_LENGTH),
        "confidence": _percent(found.get("Confidence")),
        "place": _place(found.get("Geometry", {}).get("BoundingBox", {})),
    }


def _warning(warning: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": _name(warning.get("Name")),
        "parent": _name(warning.get("ParentName")),
        "confidence": _percent(warning.get("Confidence")),
    }


def _name(value: object) -> str:
    return clean(str(value or ""), MAX_NAME_LENGTH)


def _percent(value: Any) -> float:
    return round(float(value or 0), 1)


def _place(box: Mapping[str, Any]) -> list[float]:
    """Left, top, width and height, as shares of the picture's width and height."""
    return [round(float(box.get(side, 0)), 4) for side in ("Left", "Top", "Width", "Height")]
