"""What the numbers were measured on. Must not name the machine itself or its owner."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import PIL
from PIL import features


def describe() -> dict[str, Any]:
    """Cores, processor and the versions that the numbers depend on."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "libjpegTurbo": features.version_feature("libjpeg_turbo"),
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown processor"
