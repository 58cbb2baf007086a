"""Goals 1 and the first plot: what the analysis of an image costs, in decodes of that same image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from laptop.bench import naive, pictures, pipeline
from laptop.bench.goals import Finding, median_ratio, ratios
from laptop.bench.pictures import Picture
from laptop.bench.processor import Spent, spent_by

ROUNDS: Final = 7
NAIVE_ROUNDS: Final = 1
"""It takes fifteen times as long, and its ratio is not judged."""
KINDS: Final = {"progressive": 1.3, "png": 1.2, "webp": 1.5, "avif": 1.5, "tiff": 1.5}
"""Limit in decodes of the same file."""
MEDIAN_LIMIT: Final = 1.6
WORST_LIMIT: Final = 2.2
SERIES_MEGAPIXELS: Final = (1, 2, 4, 8, 16, 32)
SERIES_ROUNDS: Final = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """One picture, round by round."""

    picture: Picture
    units: list[Spent]
    runs: list[pipeline.Run]

    @property
    def user(self) -> float:
        """Median ratio of user time."""
        return median_ratio([run.total.user for run in self.runs], [unit.user for unit in self.units])

    @property
    def total(self) -> float:
        """Median ratio of user and system time."""
        return median_ratio([run.total.total for run in self.runs], [unit.total for unit in self.units])

    def stage(self, name: str) -> float:
        """Median ratio of one stage's user time."""
        return median_ratio([run.spent[name].user for run in self.runs], [unit.user for unit in self.units])


def measure(picture: Picture, rounds: int = ROUNDS) -> Measured:
    """Decode it and analyse it, by turns; one round before that, for what is only done once, is not counted."""
    pipeline.run_all(picture.content)
    measured = Measured(picture, [], [])
    for _ in range(rounds):
        # Before and after, so that a machine that becomes slower within the round does not tell against either.
        before = spent_by(lambda: pictures.decode(picture.content))[1]
        measured.runs.append(pipeline.run_all(picture.content))
        after = spent_by(lambda: pictures.decode(picture.content))[1]
        measured.units.append(Spent((before.user + after.user) / 2, (before.total + after.total) / 2))
    return measured


def naive_ratio(measured: Measured) -> Spent:
    """What the naive design costs, in the same unit."""
    spent = [spent_by(lambda: naive.run_all(measured.picture.content))[1] for _ in range(NAIVE_ROUNDS)]
    units = measured.units[:NAIVE_ROUNDS]
    return Spent(
        median(ratios([s.user for s in spent], [u.user for u in units])),
        median(ratios([s.total for s in spent], [u.total for u in units])),
    )


def findings(photographs: Sequence[Picture], say: Say) -> list[Finding]:
    """Measure goal 1 on photographs, as they are and in the other formats."""
    measured, naive_ratios = [], []
    for picture in photographs:
        say(f"{picture.name}, {picture.megapixels:.1f} MP")
        measured.append(measure(picture))
        naive_ratios.append(naive_ratio(measured[-1]))
    peer = f"naive {median(ratio.user for ratio in naive_ratios):.1f}"
    found = [
        _finding("all stages, baseline JPEG, median", median(one.user for one in measured), MEDIAN_LIMIT, peer),
        _finding("all stages, baseline JPEG, dearest photograph", max(one.user for one in measured), WORST_LIMIT, peer),
        _finding(
            "the same with system time, median",
            median(one.total for one in measured),
            None,
            f"naive {median(ratio.total for ratio in naive_ratios):.1f}",
        ),
    ]
    found += [
        _finding(f"of that, {stage.name}", median(one.stage(stage.name) for one in measured), None)
        for stage in pipeline.in_order()
    ]
    for kind, limit in KINDS.items():
        say(f"as {kind}")
        as_kind = [measure(pictures.converted(picture, kind), rounds=3) for picture in photographs[:2]]
        found.append(_finding(f"all stages, {kind}, of its own decode", median(one.user for one in as_kind), limit))
    return found


def series(picture: Picture, say: Say) -> list[dict[str, Any]]:
    """How cost grows with megapixels: milliseconds of user time."""
    points = []
    for megapixels in SERIES_MEGAPIXELS:
        say(f"{megapixels} MP")
        one = measure(pictures.resized(picture, megapixels), SERIES_ROUNDS)
        points.append(
            {
                "megapixels": megapixels,
                "decodeMs": round(median(unit.user for unit in one.units), 2),
                "stagesMs": round(median(run.total.user for run in one.runs), 2),
                "naiveMs": round(spent_by(lambda: naive.run_all(one.picture.content))[1].user, 2),  # noqa: B023
            }
        )
    return points


def _finding(name: str, value: float, limit: float | None, peer: str = "") -> Finding:
    return Finding(goal=1, name=name, value=value, limit=limit, unit="decodes", peer=peer)
