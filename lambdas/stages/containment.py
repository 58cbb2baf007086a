"""Runs a stage that decodes foreign bytes in a process of its own, with limits of memory and CPU time.

The checks before decoding refuse what is known to be too much; this is for what they cannot see. A decoder that asks
for more memory, does not come to an end, or crashes takes its own process with it, and the job ends with InvalidImage
instead of taking the function down twice. It costs a fork: some milliseconds. Must not be used by what needs AWS: the
child has copies of the parent's connections, which two processes cannot share.
"""

import os
import pickle
import resource
import select
import signal
import traceback
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TypeAlias

from lambdas.jobs.errors import InvalidImage, JobError
from lambdas.stages.contract import StageInput, StageModule, StageOutput
from lambdas.stages.image_limits import MAX_CPU_SECONDS, MAX_MEMORY_BYTES

TOO_MUCH_MEMORY = (
    f"Decoding the image takes more than the {MAX_MEMORY_BYTES // 2**20} MB of memory that there are for it. "
    "Shrink it, or save it as an ordinary JPEG, and upload that."
)
TOO_MUCH_TIME = (
    f"Decoding the image takes more than {MAX_CPU_SECONDS} seconds of computing. "
    "Shrink it, or save it as an ordinary JPEG, and upload that."
)
CRASHED = (
    "The image data is damaged in a way that stops the decoder. Open the file in an image editor, save it as a new "
    "JPEG or PNG, and upload that."
)

_REASONS = {-signal.SIGXCPU: TOO_MUCH_TIME, -signal.SIGKILL: TOO_MUCH_MEMORY}
"""By the signal that a child has died of. Nobody but the kernel, out of memory, sends the second unasked."""

_SECONDS_BETWEEN_LOOKS = 1.0
_LENGTH_BYTES = 8
_STDERR = 2


_Message: TypeAlias = "float | StageOutput | Exception"
"""How much is done, or what has come of it."""


class StageFaultError(Exception):
    """The stage has failed by a fault of its own; the text is its traceback."""


def run_contained(stage: StageModule, stage_input: StageInput) -> StageOutput:
    """Run the stage in a child process; call the checkpoint here, at least once a second, and stop it when that raises.

    Raises what the stage raises if it is a JobError, InvalidImage when the child exceeds a limit or dies, and
    StageFaultError for everything else.
    """
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reader)
        _work(stage, stage_input, writer)
    os.close(writer)
    child = _Child(process, reader)
    try:
        return _listen(child, stage_input)
    finally:
        child.end()


def _work(stage: StageModule, stage_input: StageInput, writer: int) -> NoReturn:
    """Do what the child is there for. Never returns, so that nothing of the parent's goes on in it."""
    try:
        _limit()
        # Decoders print what they find wrong, in words that the file may have a part in: not into our log.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDERR)
        _send(writer, _outcome(stage, stage_input, writer))
        os._exit(0)
    finally:
        # Not even a result could be sent, or nobody listens any more.
        os._exit(1)


def _limit() -> None:
    """Set limits for this process alone. What it has in use already counts, whether it shares it or not."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS + 1))
    pages = Path("/proc/self/statm")
    if pages.exists():  # macOS has neither this nor the limit
        reserved, in_use = (int(number) * resource.getpagesize() for number in pages.read_text().split()[:2])
        most = reserved - in_use + MAX_MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _outcome(stage: StageModule, stage_input: StageInput, writer: int) -> StageOutput | Exception:
    try:
        return stage.run(replace(stage_input, checkpoint=lambda fraction: _send(writer, fraction)))
    except JobError as error:
        return error
    except MemoryError:
        return InvalidImage(TOO_MUCH_MEMORY)
    except Exception:  # noqa: BLE001 - whatever it is, the parent has to hear of it
        return StageFaultError(traceback.format_exc())


def _send(writer: int, message: _Message) -> None:
    content = pickle.dumps(message)
    with os.fdopen(writer, "wb", closefd=False) as pipe:
        pipe.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)


def _listen(child: "_Child", stage_input: StageInput) -> StageOutput:
    fraction = 0.0
    while True:
        if child.has_spoken(_SECONDS_BETWEEN_LOOKS):
            message = child.receive()
            if isinstance(message, StageOutput):
                return message
            if isinstance(message, Exception):
                raise message
            fraction = message
        stage_input.checkpoint(fraction)


class _Child:
    """The process that decodes, seen from the one that waits for it."""

    def __init__(self, process: int, reader: int) -> None:
        self._process = process
        self._reader = reader

    def has_spoken(self, seconds: float) -> bool:
        """Wait for a message, or for the child's end."""
        return bool(select.select([self._reader], [], [], seconds)[0])

    def receive(self) -> _Message:
        """Read a message. Raises InvalidImage when the child has died instead of sending one."""
        length = int.from_bytes(self._read(_LENGTH_BYTES), "big")
        # From our own child: whoever could forge it has our memory and our rights already.
        message: _Message = pickle.loads(self._read(length))  # noqa: S301
        return message

    def end(self) -> int:
        """Stop it if it still runs; return its exit code, or the signal that it died of as a negative number."""
        if self._process:
            os.close(self._reader)
            os.kill(self._process, signal.SIGKILL)
            self._exit = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
            self._process = 0
        return self._exit

    def _read(self, length: int) -> bytes:
        content = bytearray()
        while len(content) < length:
            part = os.read(self._reader, length - len(content))
            if not part:
                raise InvalidImage(_REASONS.get(self.end(), CRASHED))
            content += part
        return bytes(content)
