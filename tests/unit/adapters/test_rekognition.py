"""Rekognition: what is asked, byte for byte as botocore would ask it, and what its refusals mean."""

import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from lambdas.adapters.aws_errors import ClientError
from lambdas.adapters.rekognition import LEAST_CONFIDENCE, MOST_LABELS, Rekognition
from lambdas.adapters.wire import Response, UnreachedError
from lambdas.jobs.errors import InvalidImage, TransientError
from tests.unit.adapters.test_calling import Network, network, refusal

__all__ = ["network"]
IMAGE = bytes(range(256))
ASKED = {
    "labels": ("detect_labels", {"MaxLabels": MOST_LABELS, "MinConfidence": LEAST_CONFIDENCE}),
    "text": ("detect_text", {}),
    "moderation": ("detect_moderation_labels", {"MinConfidence": LEAST_CONFIDENCE}),
}


class _Body:
    """What botocore reads an answer from."""

    def stream(self) -> Any:
        yield b"{}"


def asked_by_botocore(operation: str, parameters: dict[str, Any]) -> Any:
    """The request that botocore would have sent."""
    sent: list[Any] = []
    client = boto3.client(
        "rekognition", region_name="eu-central-1", aws_access_key_id="AKID", aws_secret_access_key="secret"
    )

    def catch(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, _Body())  # type: ignore[arg-type]  # urllib3's own type

    client.meta.events.register("before-send.rekognition", catch)
    getattr(client, operation)(Image={"Bytes": IMAGE}, **parameters)
    return sent[0]


@pytest.mark.parametrize("what", ASKED)
def test_question_is_botocores(network: Network, what: str) -> None:
    getattr(Rekognition(), what)(IMAGE)

    (ours,) = network.asked
    theirs = asked_by_botocore(*ASKED[what])
    assert ours.url == theirs.url
    assert json.loads(ours.body) == json.loads(theirs.body)
    for name in ("X-Amz-Target", "Content-Type"):
        expected = theirs.headers[name]
        assert ours.headers[name.lower()] == (expected.decode() if isinstance(expected, bytes) else expected)


def test_answer_is_handed_on_as_it_came(network: Network) -> None:
    answer = {"Labels": [{"Name": "Car"}], "LabelModelVersion": "3.0"}
    network.answers = [Response(status=200, body=json.dumps(answer).encode())]
    assert Rekognition().labels(IMAGE) == answer


@pytest.mark.parametrize(
    "failure",
    [
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("InternalServerError", 500),
        UnreachedError("timeout"),
    ],
)
def test_what_may_work_later_is_transient(network: Network, failure: Any) -> None:
    network.answers = [failure] * 3
    with pytest.raises(TransientError, match="Asking Amazon Rekognition"):
        Rekognition().text(IMAGE)


@pytest.mark.parametrize("code", ["InvalidImageFormatException", "ImageTooLargeException"])
def test_image_that_it_cannot_read_is_never_tried_again_and_says_what_to_do(network: Network, code: str) -> None:
    network.answers = [refusal(code)]
    with pytest.raises(InvalidImage, match=f"{code}.*without `labels`"):
        Rekognition().moderation(IMAGE)
    assert len(network.asked) == 1


def test_missing_right_is_a_fault_of_ours(network: Network) -> None:
    network.answers = [refusal("AccessDeniedException")]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        Rekognition().labels(IMAGE)
