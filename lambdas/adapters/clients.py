"""The AWS clients, made once per process: time-outs, retries and addresses are set here and nowhere else."""

import os
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

CONNECT_TIMEOUT_SECONDS: Final = 1
READ_TIMEOUT_SECONDS: Final = {"s3": 10}
"""Of a pause in an answer. An image takes its time; everything else answers in milliseconds or is in trouble."""
DEFAULT_READ_TIMEOUT_SECONDS: Final = 3
CALLS_IN_ALL: Final = 3
"""The first call and two repeats: within a function's time even when nothing answers, so that it can say so."""


@cache
def client(service: str) -> Any:
    """Make, or reuse, the client of a service.

    `AWS_ENDPOINT_URL`, which the SDK reads by itself, is the only difference between the laptop and an account; there,
    names below the endpoint do not resolve, so buckets are addressed by path.
    """
    addressing = "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual"
    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS.get(service, DEFAULT_READ_TIMEOUT_SECONDS),
            retries={"mode": "standard", "total_max_attempts": CALLS_IN_ALL},
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": addressing, "us_east_1_regional_endpoint": "regional"},
        ),
    )
