"""The emulator that a run has to itself: started with the fault layer in every function, tuned to waste no time."""

import threading
import time
from pathlib import Path
from typing import Any, Final

from darkroom import Client

from lambdas.stages.catalogue import BY_NAME, STAGES
from laptop import assembly, deployment, emulator, ports, users
from laptop.chaos import fault_layer
from laptop.chaos.persistence import persist
from laptop.chaos.plan import HANG_STAGE
from laptop.deployment import Deployment
from laptop.emulator import Emulator
from laptop.places import Home
from laptop.world import World

RETRY_SCALE: Final = "0.2"
"""Waits of the state machine take a fifth of their time: the emulator has them without jitter, so at their longest."""
VISIBILITY_SECONDS: Final = 12
"""Instead of three minutes: how long a message stays away whose reader was killed."""
HANG_TIMEOUT_SECONDS: Final = 12
STAGE_CAPACITY: Final = 4
"""Of each stage's function, at once: more processes than that are of no use to the cores of a laptop."""


class Arena:
    """One emulator with Darkroom in it, and the demo user signed in."""

    def __init__(self, folder: Path, evidence: Path) -> None:
        assembly.synthesize()
        self._home = Home(folder)
        self._extra = {
            "DARKROOM_FAULT_LAYER": str(Path(fault_layer.__file__)),
            fault_layer.FOLDER: str(evidence),
            "SFN_WAIT_SCALE": RETRY_SCALE,
        }
        self._lock = threading.Lock()
        self._emulator = emulator.start(self._home, port=ports.free(), extra=self._extra)
        try:
            self._prepare(evidence)
        except BaseException:
            self.close()
            raise

    def _prepare(self, evidence: Path) -> None:
        self.deployment: Deployment = deployment.deploy(self._emulator, self._home)
        self.world = World(self.deployment)
        users.create(self.deployment, users.DEMO)
        self.client: Client = users.sign_in(self.deployment, users.DEMO, evidence / "profile.json")
        self.owner = users.owner(self.client)
        self._tune()

    @property
    def outputs(self) -> dict[str, str]:
        """What the stack says of itself."""
        return self.deployment.outputs

    @property
    def log(self) -> Path:
        """What the emulator and the functions say."""
        return self._home.log

    def aws(self, service: str) -> Any:
        """Make a boto3 client."""
        return self.deployment.client(service)

    def restart(self) -> tuple[float, float]:
        """Stop everything, start it again with what was stored; return from when until when it was away."""
        with self._lock:
            began = time.time()
            emulator.stop(self._emulator)
            self._emulator = self._start_again()
            return began, time.time()

    def close(self) -> None:
        """Stop it for good."""
        with self._lock:
            emulator.stop(self._emulator)

    def _start_again(self) -> Emulator:
        return emulator.start(self._home, port=self._emulator.port, extra=self._extra)

    def _tune(self) -> None:
        queues, functions = self.aws("sqs"), self.aws("lambda")
        for name in ("JobQueueUrl", "IntakeDeadLetterQueueUrl"):
            queues.set_queue_attributes(
                QueueUrl=self.outputs[name], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
            )
        functions.update_function_configuration(
            FunctionName=self.world.function(BY_NAME[HANG_STAGE].state), Timeout=HANG_TIMEOUT_SECONDS
        )
        for stage in STAGES:
            self.set_capacity(stage.state, STAGE_CAPACITY)

    def set_capacity(self, construct: str, capacity: int | None) -> None:
        """Let so many of a function run at once; None for as many as may."""
        functions, name = self.aws("lambda"), persist(lambda: self.world.function(construct))
        if capacity is None:
            persist(lambda: functions.delete_function_concurrency(FunctionName=name))
        else:
            persist(
                lambda: functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=capacity)
            )
