"""boto3 clients that can reach the emulator and nothing else. The only module of this package that imports boto3."""

from typing import Any

import boto3
from botocore.config import Config

from laptop.emulator import Emulator
from laptop.environment import ACCOUNT, REGION


def client(service: str, emulator: Emulator, path: str = "") -> Any:
    """Make a client, of what is below a path of the emulator's.

    Call `environment.isolate` first, or a profile named in the user's environment is looked for.
    """
    return boto3.client(
        service,
        endpoint_url=emulator.endpoint + path,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="laptop",  # noqa: S106 - the emulator wants one, and does not look at it
        config=Config(retries={"total_max_attempts": 2}, proxies={}),
    )
