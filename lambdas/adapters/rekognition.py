"""Amazon Rekognition: what a picture shows, what is written in it, and what some people should not see.

The picture is sent in the call. Must be given the working copy, which has no metadata, and never an upload.
"""

import base64
from typing import Any, Final

from lambdas.adapters.aws_errors import ClientError, code_of, translated
from lambdas.adapters.clients import client
from lambdas.adapters.metering import meter
from lambdas.jobs.errors import InvalidImage

LEAST_CONFIDENCE: Final = 60
"""Percent. Rekognition's own limits are 55 for labels and 50 for moderation; below, it mostly guesses."""
MOST_LABELS: Final = 50

UNREADABLE: Final = frozenset({"InvalidImageFormatException", "ImageTooLargeException"})
REFUSED: Final = (
    "Amazon Rekognition cannot read the working copy of this image ({code}). Submit the image again, without `labels` "
    "in its analyses."
)


class Rekognition:
    """Every method takes a JPEG or PNG of up to 5 MB; raises TransientError, or InvalidImage if it cannot be read."""

    def labels(self, image: bytes) -> dict[str, Any]:
        """Name things, scenes and activities."""
        return _ask("detect_labels", image, MaxLabels=MOST_LABELS, MinConfidence=LEAST_CONFIDENCE)

    def text(self, image: bytes) -> dict[str, Any]:
        """Read lines and words."""
        return _ask("detect_text", image)

    def moderation(self, image: bytes) -> dict[str, Any]:
        """Name what may be unwanted, such as violence or nudity."""
        return _ask("detect_moderation_labels", image, MinConfidence=LEAST_CONFIDENCE)


def _ask(operation: str, image: bytes, **further: Any) -> dict[str, Any]:
    content = base64.b64encode(image).decode()
    try:
        with translated("Asking Amazon Rekognition"):
            answer: dict[str, Any] = getattr(client("rekognition"), operation)(Image={"Bytes": content}, **further)
    except ClientError as error:
        if code_of(error) not in UNREADABLE:
            raise
        raise InvalidImage(REFUSED.format(code=code_of(error))) from error
    meter.note("recognitions")
    return answer
