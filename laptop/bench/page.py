"""Writes a run of the bench into docs/performance.md and its plots: `python -m laptop.bench.page [bench.json]`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from laptop.bench.__main__ import TITLES
from laptop.bench.plots import Plot
from laptop.places import HOME, ROOT

PAGE: Final = ROOT / "docs" / "performance.md"
RECORD: Final = ROOT / "docs" / "performance.json"
BEGIN: Final = "<!-- The last run, written by `make pages`. -->"
END: Final = "<!-- End of the last run. -->"


def tables(report: Mapping[str, Any]) -> str:
    """Lay out a run as it stands in the page."""
    machine = report["machine"]
    parts = [
        f"{machine['date']}, {machine['cores']} cores ({machine['processor']}, {machine['architecture']}), "
        f"Python {machine['python']}, Pillow {machine['pillow']} with libjpeg-turbo {machine['libjpegTurbo']}. "
        f"{report['met']} goals met, {report['missed']} missed, in {report['seconds']} s."
    ]
    for goal, title in TITLES.items():
        rows = [_row(finding) for finding in report["findings"] if finding["goal"] == goal]
        if rows:
            head = f"### {goal}. {title}\n\n| measured | | at most | | beside it |\n|---|---|---|---|---|"
            parts.append("\n".join([head, *rows]))
    return "\n\n".join(parts)


def _row(finding: Mapping[str, Any]) -> str:
    limit = "" if finding["limit"] is None else f"{finding['limit']:g}"
    verdict = f"**{finding['verdict']}**" if finding["verdict"] else ""
    value = f"{finding['value']:.2f} {finding['unit']}"
    return f"| {finding['name']} | {value} | {limit} | {verdict} | {finding['peer']} |"


def plots(report: Mapping[str, Any]) -> dict[str, str]:
    """Draw the plots of a run, by file name."""
    images, jobs = report["megapixelsSeries"], report["jobsSeries"]
    by_megapixels = Plot(
        title="Processor time of one image, by its size",
        across="megapixels",
        up="milliseconds",
        lines={
            words: [(point["megapixels"], point[name]) for point in images]
            for words, name in (("naive design", "naiveMs"), ("all stages", "stagesMs"), ("one decode", "decodeMs"))
        },
    )
    by_jobs = Plot(
        title="A job's handlers, by the jobs that are in the table",
        across="jobs in the table",
        up="milliseconds; row writes",
        lines={
            "processor time": [(point["jobs"], point["cpuMs"]) for point in jobs],
            "row writes": [(point["jobs"], point["writes"]) for point in jobs],
        },
    )
    return {"performance-megapixels.svg": by_megapixels.svg(), "performance-jobs.svg": by_jobs.svg()}


def main(source: Path) -> None:
    """Replace the last run in the page by this one."""
    report = json.loads(source.read_text())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(report)}\n\n{END}{after}")
    RECORD.write_text(json.dumps(report, indent=2) + "\n")
    for name, svg in plots(report).items():
        (PAGE.parent / name).write_text(svg)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME / "bench.json")
