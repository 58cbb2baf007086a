"""Where things are on disk. Nothing here creates, reads or deletes anything."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HOME: Final = ROOT / ".laptop"
"""Everything that the laptop makes is below this; `make clean` deletes it."""
ENVIRONMENT_BIN: Final = Path(sys.executable).parent
"""Where Python, Node, npm and the `darkroom` command of this environment are."""
EMULATOR_PYTHON: Final = HOME / "venv" / "bin" / "python"
CDK_COMMAND: Final = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ASSEMBLY: Final = HOME / "cdk.out"
"""The cached synth; shared by `make up` and the tests."""
PHOTOS: Final = ROOT / "photos"
CONSOLE: Final = ROOT / "console"
"""The web page."""


@dataclass(frozen=True)
class Home:
    """What one running emulator keeps: the developer's own is `Home(HOME)`, tests make theirs in a temporary folder."""

    path: Path

    @property
    def state(self) -> Path:
        """What survives a restart: queues, tables, executions; files in `state/s3`."""
        return self.path / "state"

    @property
    def scratch(self) -> Path:
        """The emulator's temporary files: unpacked functions. Emptied at every start."""
        return self.path / "tmp"

    @property
    def log(self) -> Path:
        """What the emulator and the functions say."""
        return self.path / "emulator.log"

    @property
    def lock(self) -> Path:
        """Held by the emulator for as long as it lives; says which process and port."""
        return self.path / "emulator.lock"

    @property
    def port(self) -> Path:
        """The port of the last start, taken again when it is free."""
        return self.path / "port"

    @property
    def outputs(self) -> Path:
        """The outputs of the stack, as the last deploy left them."""
        return self.path / "outputs.json"

    @property
    def front(self) -> Path:
        """What the console's origin is made of: written before it is started."""
        return self.path / "front.json"

    @property
    def front_lock(self) -> Path:
        """Held by the console's origin, as `lock` is by the emulator."""
        return self.path / "front.lock"

    @property
    def front_port(self) -> Path:
        """The port of the console's last start."""
        return self.path / "front.port"

    @property
    def front_log(self) -> Path:
        """What was asked of the console's origin, without queries: they hold tickets and signatures."""
        return self.path / "front.log"
