"""Calls of AWS: what is tried again and how often, what errors are called, and where it is asked."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from lambdas.adapters import calling, clients, wire
from lambdas.adapters.aws_errors import TRANSIENT_CODES, ClientError, translated
from lambdas.adapters.calling import MissingCredentialsError
from lambdas.adapters.clients import client
from lambdas.adapters.wire import Request, Response, UnreachedError
from lambdas.jobs.errors import TransientError

GOOD = Response(status=200, body=b"{}")


class Network:
    """Answers in order, and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: list[Response | UnreachedError] = []
        self.asked: list[Request] = []
        self.pauses: list[float] = []

    def transmit(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else GOOD
        if isinstance(answer, UnreachedError):
            raise answer
        return answer


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A function's environment, without a network behind it."""
    network = Network()
    for name in ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(wire, "transmit", network.transmit)
    monkeypatch.setattr(calling.time, "sleep", network.pauses.append)
    monkeypatch.setattr(calling.clock, "offset", timedelta())
    client.cache_clear()
    yield network
    client.cache_clear()


def refusal(code: str, status: int = 400, **headers: str) -> Response:
    return Response(status=status, headers=headers, body=json.dumps({"__type": f"com.amazonaws#{code}"}).encode())


def xml(code: str, status: int) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>so it is</Message></Error>".encode()
    return Response(status=status, body=body)


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_call_that_is_told_to_come_later_is_made_three_times(network: Network, code: str) -> None:
    network.answers = [refusal(code)] * 3
    with pytest.raises(TransientError, match=code), translated("Asking"):
        client("dynamodb").get_item(TableName="jobs")
    assert len(network.asked) == 3


@pytest.mark.parametrize(
    "failure", [UnreachedError("timeout"), refusal("Whatever", 500), Response(status=503, body=b"<html>")]
)
def test_call_that_was_not_answered_is_made_again(network: Network, failure: Any) -> None:
    network.answers = [failure, failure]
    assert client("dynamodb").get_item(TableName="jobs") == {}
    assert len(network.asked) == 3


def test_call_that_is_refused_is_made_once_and_says_why(network: Network) -> None:
    row = {"jobId": {"S": "j"}}
    body = json.dumps({"__type": "x#ConditionalCheckFailedException", "Message": "no", "Item": row}).encode()
    network.answers = [Response(status=400, body=body)]
    with pytest.raises(ClientError, match="ConditionalCheckFailedException: no") as refused, translated("Writing"):
        client("dynamodb").update_item(TableName="jobs")
    assert (refused.value.code, refused.value.answer["Item"]) == ("ConditionalCheckFailedException", row)
    assert len(network.asked) == 1


def test_call_that_is_never_answered_is_transient(network: Network) -> None:
    network.answers = [UnreachedError("TimeoutError")] * 3
    with pytest.raises(TransientError, match="could not be reached"), translated("Asking"):
        client("dynamodb").get_item(TableName="jobs")


def test_pauses_grow_and_are_cut_short_at_random(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_chance", lambda: 0.5)
    network.answers = [refusal("ThrottlingException")] * 2
    client("dynamodb").get_item(TableName="jobs")
    assert network.pauses == [0.5, 1.0]


def test_chance_is_between_nothing_and_one() -> None:
    drawn = [calling._chance() for _ in range(100)]
    assert all(0 <= chance < 1 for chance in drawn)
    assert len(set(drawn)) > 90


def test_every_repeat_is_signed_anew(network: Network) -> None:
    network.answers = [refusal("ThrottlingException")]
    client("dynamodb").get_item(TableName="jobs")
    assert all("authorization" in request.headers for request in network.asked)


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "InvalidSignatureException", "RequestExpired"])
def test_clock_that_is_off_is_set_by_the_answer(network: Network, code: str) -> None:
    theirs = datetime.now(UTC) + timedelta(hours=2)
    network.answers = [refusal(code, 403, date=format_datetime(theirs, usegmt=True))]
    client("dynamodb").get_item(TableName="jobs")
    sent = datetime.strptime(network.asked[1].headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(sent - theirs) < timedelta(seconds=5)


def test_signature_that_is_refused_at_the_right_time_is_not_sent_again(network: Network) -> None:
    network.answers = [refusal("InvalidSignatureException", 403, date=format_datetime(datetime.now(UTC), usegmt=True))]
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client("dynamodb").get_item(TableName="jobs")
    assert len(network.asked) == 1


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (xml("NoSuchKey", 404), "NoSuchKey"),
        (xml("AccessDenied", 403), "AccessDenied"),
        (Response(status=404), "NotFound"),
        (Response(status=301), "301"),
    ],
)
def test_error_of_s3_is_called_by_its_name(network: Network, response: Response, code: str) -> None:
    network.answers = [response]
    with pytest.raises(ClientError) as refused:
        client("s3").get_object("images", "key")
    assert refused.value.code == code


def test_error_of_sqs_has_the_name_that_it_always_had(network: Network) -> None:
    header = {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}
    network.answers = [refusal("QueueDoesNotExist", **header)]
    with pytest.raises(ClientError, match=r"AWS\.SimpleQueueService\.NonExistentQueue"):
        client("sqs").send_message(QueueUrl="q", MessageBody="m")


def test_s3_that_is_busy_is_asked_again(network: Network) -> None:
    network.answers = [xml("SlowDown", 503), Response(status=200, body=b"content")]
    assert client("s3").get_object("images", "key") == b"content"


@pytest.mark.parametrize(
    ("ask", "target", "host"),
    [
        (lambda: client("dynamodb").update_item(), "DynamoDB_20120810.UpdateItem", "dynamodb"),
        (lambda: client("stepfunctions").start_execution(), "AWSStepFunctions.StartExecution", "states"),
        (lambda: client("sqs").get_queue_attributes(), "AmazonSQS.GetQueueAttributes", "sqs"),
        (lambda: client("rekognition").detect_labels(), "RekognitionService.DetectLabels", "rekognition"),
    ],
)
def test_method_is_the_operation_of_the_service(
    network: Network, ask: Callable[[], Any], target: str, host: str
) -> None:
    ask()
    assert network.asked[0].headers["x-amz-target"] == target
    assert network.asked[0].url == f"https://{host}.eu-central-1.amazonaws.com/"


def test_bucket_is_a_host_on_aws_and_a_path_below_an_endpoint(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("s3").put_object("images", "jobs/a b.jpg", b"x", "image/jpeg")
    client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    client("s3").put_object("images", "jobs/a b.jpg", b"x", "image/jpeg")
    assert [request.url for request in network.asked] == [
        "https://images.s3.eu-central-1.amazonaws.com/jobs/a%20b.jpg",
        "http://127.0.0.1:4566/images/jobs/a%20b.jpg",
    ]


def test_function_without_credentials_says_so(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MissingCredentialsError, match="AWS_SECRET_ACCESS_KEY"):
        client("dynamodb").get_item(TableName="jobs")


def test_list_of_objects_is_read_to_its_end(network: Network) -> None:
    def page(keys: str, more: str) -> Response:
        head = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        return Response(status=200, body=f"{head}{keys}{more}</ListBucketResult>".encode())

    network.answers = [
        page("<Contents><Key>a&amp;b</Key></Contents>", "<IsTruncated>true</IsTruncated>"
             "<NextContinuationToken>t/1=</NextContinuationToken>"),
        page("<Contents><Key>c</Key></Contents>", "<IsTruncated>false</IsTruncated>"),
    ]  # fmt: skip
    assert list(client("s3").list_objects("images", "jobs/")) == [["a&b"], ["c"]]
    assert network.asked[1].url.endswith("continuation-token=t%2F1%3D")


def test_errors_of_a_deletion_are_told(network: Network) -> None:
    body = '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error><Code>SlowDown</Code></Error></DeleteResult>'
    network.answers = [Response(status=200, body=body.encode())]
    assert client("s3").delete_objects("images", ["a<b"]) == ["SlowDown"]
    assert b"<Key>a&lt;b</Key>" in network.asked[0].body


def test_time_outs_are_those_of_the_service(network: Network) -> None:
    client("s3").get_object("images", "key")
    client("dynamodb").get_item(TableName="jobs")
    assert [request.read_timeout for request in network.asked] == [
        clients.READ_TIMEOUT_SECONDS["s3"],
        clients.DEFAULT_READ_TIMEOUT_SECONDS,
    ]
