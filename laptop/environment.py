"""What child processes are told by their environment: an AWS that is not there, and never the user's own.

Must not read or write anybody's AWS configuration.
"""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from laptop.places import ENVIRONMENT_BIN

REGION: Final = "eu-central-1"
ACCOUNT: Final = "000000000000"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME")


class NotLoopbackError(RuntimeError):
    """`AWS_ENDPOINT_URL` names another machine: deploying there is not the laptop's business."""


def refuse_other_machines(environ: Mapping[str, str]) -> None:
    """Raise NotLoopbackError when any AWS endpoint variable names something else than this machine."""
    for name, value in environ.items():
        if name.startswith("AWS_ENDPOINT_URL") and value and urlsplit(value).hostname not in _LOOPBACK:
            raise NotLoopbackError(
                f"{name} is set to {value}, which is not this machine. The laptop deploys to its own emulator only: "
                f"unset {name} and try again."
            )


def isolate() -> None:
    """Make this process forget the user's AWS settings, so that no SDK call of ours can reach an account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(_dummy_account())


def for_emulator(*, port: int, scratch: str) -> dict[str, str]:
    """Environment of the emulator, which hands its own to every function: so only what is meant for them."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        **_dummy_account(),
        "PATH": _path(),
        "TMPDIR": scratch,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # Listeners on further ports that nothing here needs.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def for_tools(endpoint: str | None = None) -> dict[str, str]:
    """Environment of `cdk`, `npm` and `darkroom`: the user's own, without AWS settings and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CDK_", "DARKROOM_")) and not name.lower().endswith("_proxy")
    }
    tools = {
        **kept,
        **_dummy_account(),
        "PATH": _path(),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "NO_UPDATE_NOTIFIER": "1",
    }
    return tools if endpoint is None else {**tools, "AWS_ENDPOINT_URL": endpoint}


def _dummy_account() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "laptop",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _path() -> str:
    return os.pathsep.join([str(ENVIRONMENT_BIN), os.environ.get("PATH", os.defpath)])
