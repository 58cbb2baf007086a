"""The operators' side of Darkroom: a real queue in memory, and a redrive function that says what a test wants it to."""

import io
import json
import time
from collections.abc import Callable
from typing import Any

from darkroom.operator_places import OperatorPlaces
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.sqs.models import sqs_backends

from tests.unit.client.fake_darkroom import moment

ADA = "0b5c8d0e-7a1f-4a52-9d1c-2f6f3f1d7c11"
BOB = "5f0a61a4-33f5-4d0e-8c3f-9a2c1b7e4d22"
FUNCTION = "redrive-job"
QUEUE = "dead-letters"
REGION = "eu-central-1"
Reaction = dict[str, Any] | Exception


def envelope(job_id: str | None, failed_at: float, **changes: Any) -> dict[str, Any]:
    """A dead letter as Darkroom writes it."""
    return {
        "schemaVersion": 1,
        "jobId": job_id,
        "owner": ADA,
        "attempt": 1,
        "stage": "palette",
        "errorClass": "TransientError",
        "message": "The bucket was out of reach.",
        "cause": json.dumps({"errorType": "TransientError", "errorMessage": "503"}),
        "redriveCanHelp": True,
        "next": f"Mend it, then `darkroom dlq redrive {job_id}`.",
        "executionArn": f"arn:aws:states:eu-central-1:123456789012:execution:images:{job_id}-0a1b2c3d-a1",
        "failedAt": moment(failed_at),
        **changes,
    }


class Watched:
    """A client of AWS whose calls are counted, and fail when a test wants it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, list[BaseException | dict[str, Any] | None]] = {}
        """By operation: what happens instead of the next calls, None being what should."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**members: Any) -> Any:
            self.calls.append((operation, members))
            fault = (self.faults.get(operation) or [None]).pop(0)
            if isinstance(fault, BaseException):
                raise fault
            return getattr(self._client, operation)(**members) if fault is None else fault

        return call


class FakeFunctions:
    """Lambda's `invoke`, answered by the redrive function. A job without a reaction is redriven."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.reactions: dict[str, Reaction | bytes | BaseException] = {}
        self.asked: list[dict[str, Any]] = []
        self.asked_at: list[float] = []
        self._now = now

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        assert FunctionName == FUNCTION
        asked = json.loads(Payload)
        self.asked.append(asked)
        self.asked_at.append(self._now())
        attempt = asked["attempt"] + 1
        redriven = outcome("REDRIVEN", status="QUEUED", attempt=attempt, detail=f"The job is QUEUED at {attempt}.")
        reaction = self.reactions.get(asked["jobId"], redriven)
        if isinstance(reaction, BaseException):
            raise reaction
        if isinstance(reaction, bytes):
            return {"StatusCode": 200, "Payload": io.BytesIO(reaction)}
        failed = {"FunctionError": "Unhandled"} if "errorType" in reaction else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(reaction).encode()), **failed}


def outcome(
    name: str, status: str | None = None, attempt: int | None = None, detail: str = "Because."
) -> dict[str, Any]:
    return {"outcome": name, "status": status, "attempt": attempt, "detail": detail}


class DeadLetterOffice:
    """The queue and the function, and letters to put into the queue."""

    def __init__(self, sqs: Any, now: Callable[[], float]) -> None:
        self.url = str(sqs.create_queue(QueueName=QUEUE)["QueueUrl"])
        self.sqs = Watched(sqs)
        self.functions = FakeFunctions(now)
        self._now = now
        self._real_sqs = sqs
        self._backend = sqs_backends[ACCOUNT_ID][REGION]  # a call of the client takes ten times as long

    @property
    def places(self) -> OperatorPlaces:
        return OperatorPlaces.of(dead_letter_queue_url=self.url, redrive_function=FUNCTION)

    def client(self, service: str, *, region: str | None, places: OperatorPlaces) -> Any:
        """Stand in for `darkroom.aws.client`."""
        return {"sqs": self.sqs, "lambda": self.functions}[service]

    def put(self, job_id: str | None, *, age: float = 3600.0, **changes: Any) -> str:
        """Put a dead letter into the queue and return its message's id."""
        return self.put_text(json.dumps(envelope(job_id, self._now() - age, **changes)))

    def put_text(self, body: str) -> str:
        return str(self._backend.send_message(QUEUE, body).id)

    def seen(self) -> list[str]:
        """Jobs of all letters that anybody who looks now can see; text that is no letter as it is."""
        time.sleep(0.002)  # what is given back shows at the next millisecond
        return sorted(self._name(message.body) for message in self._backend.queues[QUEUE].messages)

    def take(self) -> None:
        """Receive everything, and hold it as somebody else would."""
        self._real_sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=60)

    @staticmethod
    def _name(body: str) -> str:
        try:
            return str(json.loads(body)["jobId"])
        except (ValueError, KeyError):
            return body
