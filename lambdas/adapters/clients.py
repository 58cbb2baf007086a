"""The AWS clients, made once per process: addresses and time-outs are set here and nowhere else.

Not boto3: to import it and to make two clients takes four times as long as everything else in a stage's cold start
(docs/performance.md). The methods of a JSON service have boto3's names and take and return what boto3's do, except that
times are numbers. S3 has only what is used here.
"""

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from lambdas.adapters.calling import Endpoint, call, region
from lambdas.adapters.s3 import S3Client

READ_TIMEOUT_SECONDS: Final = {"s3": 10.0, "rekognition": 10.0}
"""Of a pause in an answer. An image takes its time, and so does looking at one; everything else answers in milliseconds
or is in trouble."""
DEFAULT_READ_TIMEOUT_SECONDS: Final = 3.0

# By boto3's name: the first label of the host and name in signatures, the prefix of its targets, the version of JSON.
_JSON_SERVICES: Final = {
    "dynamodb": ("dynamodb", "DynamoDB_20120810", "1.0"),
    "stepfunctions": ("states", "AWSStepFunctions", "1.0"),
    "sqs": ("sqs", "AmazonSQS", "1.0"),
    "events": ("events", "AWSEvents", "1.1"),
    "cloudwatch": ("monitoring", "GraniteServiceVersion20100801", "1.0"),
    "rekognition": ("rekognition", "RekognitionService", "1.1"),
}


class JsonClient:
    """A service that is asked in JSON: `client.update_item(TableName=...)` is its operation UpdateItem."""

    def __init__(self, endpoint: Endpoint, target: str, version: str) -> None:
        self._endpoint = endpoint
        self._target = target
        self._media_type = f"application/x-amz-json-{version}"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the method of an operation. Every method raises ClientError and UnreachedError."""
        if name.startswith("_"):
            raise AttributeError(name)
        operation = "".join(word.title() for word in name.split("_"))
        return lambda **asked: self._ask(operation, asked)

    def _ask(self, operation: str, asked: dict[str, Any]) -> Any:
        headers = {"content-type": self._media_type, "x-amz-target": f"{self._target}.{operation}"}
        response = call(self._endpoint, "POST", f"{self._endpoint.url}/", headers, json.dumps(asked).encode())
        return json.loads(response.body or b"{}")


@cache
def client(service: str) -> Any:
    """Make, or reuse, the client of a service.

    `AWS_ENDPOINT_URL` is the only difference between the laptop and an account; there, names below the endpoint do not
    resolve, so buckets are addressed by path.
    """
    timeout = READ_TIMEOUT_SECONDS.get(service, DEFAULT_READ_TIMEOUT_SECONDS)
    given = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if service == "s3":
        return S3Client(Endpoint(signing_name="s3", url=given or _url("s3"), read_timeout=timeout), by_path=bool(given))
    name, target, version = _JSON_SERVICES[service]
    return JsonClient(Endpoint(signing_name=name, url=given or _url(name), read_timeout=timeout), target, version)


def _url(name: str) -> str:
    suffix = "amazonaws.com.cn" if region().startswith("cn-") else "amazonaws.com"
    return f"https://{name}.{region()}.{suffix}"
