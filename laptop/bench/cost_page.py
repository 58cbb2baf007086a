"""Writes the tables of docs/cost.md from the prices, the counts and the last run of the bench.

`make pages` does it; a test holds the page to it, so that no number in it is older than what it is of.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lambdas.jobs.prices import AS_OF, PRICES, REGION, Charge
from laptop.bench import designs
from laptop.bench.designs import Bill
from laptop.bench.page import RECORD
from laptop.page_blocks import filled
from laptop.places import ROOT

PAGE: Final = ROOT / "docs" / "cost.md"
JOBS: Final = 1_000
MEGAPIXELS: Final = 16
"""Of the image whose bill is written out."""


def bill_tables() -> dict[str, str]:
    """Make every table of the page, by the name that stands in its markers."""
    series = {point["megapixels"]: point for point in json.loads(RECORD.read_text())["megapixelsSeries"]}
    return {
        "prices": _prices(),
        "bill": _bill(series[MEGAPIXELS]),
        "megapixels": _megapixels(series.values()),
    }


def _prices() -> str:
    rows = [
        f"| `{charge}` | {price.usd * 1e6:,.6g} | {price.per} | [{_name(price.source)}]({price.source}) |"
        for charge, price in PRICES.items()
    ]
    head = f"| what | USD a million, {REGION}, {AS_OF} | one is | source |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def _name(source: str) -> str:
    return source.removeprefix("https://aws.amazon.com/").partition("/")[0]


def _bill(point: Mapping[str, float]) -> str:
    ours, theirs = designs.darkroom(point["stagesMs"]), designs.naive(point["naiveMs"])
    rows = [_charge_row(charge, ours, theirs) for charge in Charge if charge in {**ours.usage, **theirs.usage}]
    head = (
        f"| {JOBS:,} jobs, {MEGAPIXELS} megapixels | Darkroom | USD | naive | USD |\n"
        "|---|---:|---:|---:|---:|"
    )  # fmt: skip
    whole = f"| **all** | | **{JOBS * ours.usd:.3f}** | | **{JOBS * theirs.usd:.3f}** |"
    return "\n".join([head, *rows, whole])


def _charge_row(charge: Charge, ours: Bill, theirs: Bill) -> str:
    cells = []
    for bill in (ours, theirs):
        count = JOBS * bill.usage.get(charge, 0)
        cells.append(f"{count:,.0f} | {count * PRICES[charge].usd:.4f}")
    return f"| `{charge}` | {' | '.join(cells)} |"


def _megapixels(points: Iterable[Mapping[str, Any]]) -> str:
    head = (
        f"| megapixels | Darkroom, processor time a job | USD for {JOBS:,} | naive, processor time a job "
        f"| USD for {JOBS:,} | naive costs |\n|---:|---:|---:|---:|---:|---:|"
    )
    return "\n".join([head, *(_megapixel_row(point) for point in points)])


def _megapixel_row(point: Mapping[str, float]) -> str:
    ours, theirs = designs.darkroom(point["stagesMs"]).usd, designs.naive(point["naiveMs"]).usd
    return (
        f"| {point['megapixels']} | {point['stagesMs']:.0f} ms | {JOBS * ours:.3f} | {point['naiveMs']:,.0f} ms "
        f"| {JOBS * theirs:.3f} | {theirs / ours:.1f} times as much |"
    )


def written(page: str) -> str:
    """Give back the page with its tables as they are now. Raises ValueError when a table has no place in it."""
    return filled(page, bill_tables())


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
