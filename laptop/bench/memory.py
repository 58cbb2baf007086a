"""Goal 5: how much memory each stage takes at most, in a fresh process, as a function has it. A program, too:
`python -m laptop.bench.memory STAGE FOLDER` runs one stage on the input that is in the folder, and prints its peak.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lambdas.stages.catalogue import BY_NAME, Stage
from lambdas.stages.contract import StageInput
from laptop import environment
from laptop.bench import pictures, pipeline
from laptop.bench.goals import Finding
from laptop.bench.images import Say
from laptop.bench.pictures import Picture
from laptop.places import ENVIRONMENT_BIN, ROOT

LIMITS_MB: Final = {"baseline": 64.0, "progressive": 160.0}
LARGE_LIMIT_MB: Final = 256.0
_BYTES_PER_MB: Final = 1_000_000


def peak_mb(stage: Stage, given: StageInput) -> float:
    """Run a stage in a process of its own; return the most memory that it had, Python itself included."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "image").write_bytes(given.image)
        (Path(folder) / "input.json").write_text(
            json.dumps({"options": dict(given.options), "results": dict(given.results)})
        )
        done = subprocess.run(  # noqa: S603 - our own program
            [str(ENVIRONMENT_BIN / "python"), "-m", "laptop.bench.memory", stage.name, folder],
            cwd=ROOT,
            env=environment.for_tools(),
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def peaks(picture: Picture) -> dict[str, float]:
    """Peak of every stage on one picture, in MB."""
    outputs: dict[str, Any] = {}
    found = {}
    for stage in pipeline.in_order():
        given = pipeline.input_of(stage, picture.content, outputs)
        found[stage.name] = peak_mb(stage, given)
        outputs[stage.name] = stage.load().run(given)
    return found


def findings(photographs: Sequence[Picture], say: Say) -> list[Finding]:
    """Measure all stages on the largest photograph, baseline and progressive, and on one of 50 megapixels."""
    largest = max(photographs, key=lambda picture: picture.megapixels)
    large = f"{pictures.LARGE_MEGAPIXELS} MP"
    asked = [
        (kind, limit, largest if kind == "baseline" else pictures.converted(largest, kind))
        for kind, limit in LIMITS_MB.items()
    ]
    asked.append((large, LARGE_LIMIT_MB, pictures.resized(largest, pictures.LARGE_MEGAPIXELS)))
    found = []
    for kind, limit, picture in asked:
        say(f"{picture.name}, {kind}")
        by_stage = peaks(picture)
        worst = max(by_stage, key=lambda name: by_stage[name])
        found.append(
            Finding(
                goal=5,
                name=f"peak of any stage, {picture.megapixels:.0f} MP, {'baseline' if kind == large else kind}",
                value=by_stage[worst],
                limit=limit,
                unit="MB",
                peer=", ".join(f"{name} {peak:.0f}" for name, peak in by_stage.items()),
            )
        )
    return found


def _own_peak_mb() -> float:
    """Of this process since it was begun; `ru_maxrss` would count what its parent had before."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / _BYTES_PER_MB


def main(stage: str, folder: Path) -> None:
    """Run one stage and print its peak."""
    given = json.loads((folder / "input.json").read_text())
    BY_NAME[stage].load().run(
        StageInput(
            image=(folder / "image").read_bytes(),
            options=given["options"],
            results=given["results"],
            checkpoint=lambda _fraction: None,
        )
    )
    print(_own_peak_mb())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
