"""Deploy the stack to the emulator with the same `cdk deploy` that deploys it to AWS, and find what it made."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from laptop import assembly, gaps
from laptop.assembly import run_cdk
from laptop.clients import client
from laptop.emulator import Emulator
from laptop.environment import ACCOUNT, REGION
from laptop.places import ASSEMBLY, Home

STACK: Final = f"Darkroom-{assembly.ENVIRONMENT}"
_TOOLKIT: Final = "CDKToolkit"
_DEPLOYED: Final = "/darkroom/laptop/deployed"
"""Says inside the emulator what is deployed in it: written last, and lost with the rest when the emulator is killed."""


@dataclass(frozen=True)
class Deployment:
    """The stack as it stands in a running emulator."""

    emulator: Emulator
    outputs: dict[str, str]

    @property
    def api_id(self) -> str:
        """The first label of the host in the output `ApiUrl`."""
        return self.outputs["ApiUrl"].removeprefix("https://").partition(".")[0]

    @property
    def api_url(self) -> str:
        """Where the API answers. The output names a host of AWS; the emulator has it below a path of its own."""
        stage = self.outputs["ApiUrl"].rstrip("/").rpartition("/")[2]
        return f"{self.emulator.endpoint}/_aws/execute-api/{self.api_id}/{stage}"

    @property
    def auth_url(self) -> str:
        """Where the user pool answers."""
        return self.emulator.endpoint

    @property
    def push_path(self) -> str:
        """Where the emulator has the channel of the output `PushUrl`, below its endpoint."""
        host, _, stage = self.outputs["PushUrl"].removeprefix("wss://").partition("/")
        return f"/_aws/execute-api/{host.partition('.')[0]}/{stage}"

    def client(self, service: str, path: str = "") -> Any:
        """Make a boto3 client for the emulator that it is in, or for what is below a path there."""
        return client(service, self.emulator, path)


def deploy(emulator: Emulator, home: Home) -> Deployment:
    """Deploy what is in the assembly, unless that is what is there. Raises CdkError."""
    wanted = _digest()
    if not _is_deployed(emulator, wanted):
        _bootstrap(emulator)
        run_cdk(
            *("deploy", "--all", "--app", str(ASSEMBLY), "--require-approval", "never"),
            *("--outputs-file", str(home.outputs)),
            endpoint=emulator.endpoint,
        )
        gaps.close(client("cloudformation", emulator), client("apigateway", emulator), STACK)
        client("ssm", emulator).put_parameter(Name=_DEPLOYED, Value=wanted, Type="String", Overwrite=True)
    return find(emulator)


def find(emulator: Emulator) -> Deployment:
    """Look up what is deployed. Raises LookupError when nothing is."""
    stack = _stack(emulator, STACK)
    if stack is None:
        raise LookupError("Darkroom is not deployed to the emulator. Run `make up`.")
    return Deployment(emulator, {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])})


def _is_deployed(emulator: Emulator, wanted: str) -> bool:
    found = client("ssm", emulator).get_parameters(Names=[_DEPLOYED])["Parameters"]
    return bool(found) and found[0]["Value"] == wanted


def _bootstrap(emulator: Emulator) -> None:
    if _stack(emulator, _TOOLKIT) is None:
        run_cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", str(ASSEMBLY), endpoint=emulator.endpoint)


def _stack(emulator: Emulator, name: str) -> Any:
    """Find a stack by listing all: asking for one that is not there is an error that has no class of its own."""
    stacks = client("cloudformation", emulator).describe_stacks()["Stacks"]
    return next((stack for stack in stacks if stack["StackName"] == name), None)


def _digest() -> str:
    """Of the template and of how its gaps are closed."""
    template = (ASSEMBLY / f"{STACK}.template.json").read_bytes()
    return hashlib.sha256(template + Path(gaps.__file__).read_bytes()).hexdigest()
