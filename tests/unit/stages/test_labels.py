"""Labels: what the stage makes of Rekognition's answers, given in the shapes that its API reference shows."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdas.jobs.errors import JobCancelled
from lambdas.stages import labels
from lambdas.stages.contract import StageInput

PROJECT = Path(__file__).parents[3]
BOX = {"Width": 0.5, "Height": 0.25, "Left": 0.123456, "Top": 0.1}


class Told:
    """Answers as it was told to, and remembers which picture it was shown."""

    def __init__(self, **answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.shown: list[tuple[str, bytes]] = []

    def labels(self, image: bytes) -> Mapping[str, Any]:
        return self._answer("labels", image)

    def text(self, image: bytes) -> Mapping[str, Any]:
        return self._answer("text", image)

    def moderation(self, image: bytes) -> Mapping[str, Any]:
        return self._answer("moderation", image)

    def _answer(self, what: str, image: bytes) -> Mapping[str, Any]:
        self.shown.append((what, image))
        return self._answers.get(what, {})


def run(told: Told | None, checkpoint: Any = lambda _: None) -> dict[str, Any]:
    given = StageInput(image=b"working copy", options={}, results={}, checkpoint=checkpoint, recognition=told)
    return labels.run(given).result


def test_labels_asks_three_times_about_the_picture_that_it_is_given() -> None:
    told = Told()

    result = run(told)

    assert told.shown == [(what, b"working copy") for what in ("labels", "text", "moderation")]
    assert (result["labels"], result["text"], result["moderation"]) == ([], [], [])


def test_labels_tells_names_parents_and_places() -> None:
    label = {
        "Name": "Car",
        "Confidence": 98.87621,
        "Instances": [{"BoundingBox": BOX, "Confidence": 97.5}] * 30,
        "Parents": [{"Name": "Vehicle"}, {"Name": "Transportation"}],
        "Aliases": [{"Name": "Automobile"}],
    }

    (told,) = run(Told(labels={"Labels": [label], "LabelModelVersion": "3.0"}))["labels"]

    assert (told["name"], told["confidence"]) == ("Car", 98.9)
    assert told["parents"] == ["Vehicle", "Transportation"]
    assert told["places"] == [[0.1235, 0.1, 0.5, 0.25]] * labels.MAX_PLACES


def test_labels_tells_lines_of_text_and_not_their_words_again_and_cleans_them() -> None:
    place = {"Geometry": {"BoundingBox": BOX}, "Confidence": 99.0}
    line = {"DetectedText": "DO\u202e NOT\x07 PARK", "Type": "LINE", "Id": 0, **place}
    word = {"DetectedText": "DO", "Type": "WORD", "Id": 1, "ParentId": 0, **place}

    result = run(Told(text={"TextDetections": [line, word], "TextModelVersion": "3.0"}))

    assert result["text"] == [{"text": "DO NOT PARK", "confidence": 99.0, "place": [0.1235, 0.1, 0.5, 0.25]}]


def test_labels_tells_what_may_be_unwanted() -> None:
    answer = {
        "ModerationLabels": [{"Name": "Weapons", "ParentName": "Violence", "Confidence": 75.25, "TaxonomyLevel": 2}],
        "ModerationModelVersion": "7.0",
    }

    result = run(Told(moderation=answer))

    assert result["moderation"] == [{"name": "Weapons", "parent": "Violence", "confidence": 75.2}]
    assert result["models"] == {"labels": "", "text": "", "moderation": "7.0"}


def test_labels_stops_between_the_questions() -> None:
    told = Told()

    def cancel(fraction: float) -> None:
        if fraction > 0.3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run(told, cancel)
    assert [what for what, _ in told.shown] == ["labels"]


def test_labels_without_the_service_is_not_faked() -> None:
    with pytest.raises(labels.MissingRecognitionError):
        run(None)


def test_labels_needs_no_image_library() -> None:
    program = "import sys; import lambdas.stages.labels; print(*{name.partition('.')[0] for name in sys.modules})"
    printed = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    assert not set(printed.split()) & {"PIL", "zxingcpp"}
