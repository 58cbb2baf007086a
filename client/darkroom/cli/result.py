"""`darkroom result`: the report of a job that has succeeded, and its pictures."""

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.options import Json, ProfileName
from darkroom.cli.report_view import report_view
from darkroom.errors import LocalFileError
from darkroom.models import ArtefactName

Job = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job.", show_default=False)]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="DIR", help="Folder to write report.json and the pictures to."),
]


def result(
    context: typer.Context, *, job: Job, output: Output = None, profile: ProfileName = None, json: Json = False
) -> None:
    """Show the report of a job that has succeeded; --output writes it and the pictures to files."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        report = client.result(job)
        if output is not None:
            files = {name.file: client.artefact(job, name) for name in ArtefactName if _has(report, name)}
            files["report.json"] = json_format.dumps(report, indent=2, ensure_ascii=False).encode(errors="replace")
            _write(output, files)
            desk.terminal.say(f"Wrote {', '.join(sorted(files))} to {output}.")
    if desk.terminal.json:
        desk.terminal.emit(report)
    else:
        desk.terminal.show(report_view(report, desk.terminal.out))


def _has(report: Mapping[str, Any], name: ArtefactName) -> bool:
    """Tell whether the job has this picture: the heat map is there when regions were measured."""
    if name is not ArtefactName.HEAT_MAP:
        return True
    analyses = report.get("analyses")
    regions = analyses.get("regions") if isinstance(analyses, dict) else None
    return isinstance(regions, dict) and regions.get("measured") is True


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise LocalFileError(f"{folder} cannot be written to: {error.strerror or error}.") from error
