"""`darkroom result`: the report of a job that has succeeded, and its pictures."""

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.options import JobId, Json, ProfileName
from darkroom.cli.report_page import report_page
from darkroom.cli.report_view import report_view
from darkroom.errors import LocalFileError
from darkroom.models import ArtefactName

Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="DIR", help="Folder to write report.json and the pictures to."),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the report as one page, with its pictures in it."),
]


def result(
    context: typer.Context,
    *,
    job: JobId,
    output: Output = None,
    html: Html = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Show the report of a job that has succeeded; --output and --html write it, with its pictures, to files."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        report = client.result(job)
        # Only the record knows the tags, and what was not asked for.
        record = None if desk.terminal.json and html is None else client.get(job)
        if output is not None:
            files = {name.file: client.artefact(job, name) for name in ArtefactName if _has(report, name)}
            files["report.json"] = json_format.dumps(report, indent=2, ensure_ascii=False).encode(errors="replace")
            _write_all(output, files)
            desk.terminal.say(f"Wrote {', '.join(sorted(files))} to {output}.")
        if html is not None and record is not None:
            shown = {
                name: client.artefact(job, name)
                for name in (ArtefactName.PREVIEW, ArtefactName.HEAT_MAP)
                if _has(report, name)
            }
            page = report_page(report, record, shown[ArtefactName.PREVIEW], shown.get(ArtefactName.HEAT_MAP))
            _write(html, page.encode())
            desk.terminal.say(f"Wrote the page {html}.")
    if desk.terminal.json:
        desk.terminal.emit(report)
    else:
        desk.terminal.show(report_view(report, desk.terminal.out, record))


def _has(report: Mapping[str, Any], name: ArtefactName) -> bool:
    """Tell whether the job has this picture: the heat map is there when regions were measured."""
    if name is not ArtefactName.HEAT_MAP:
        return True
    analyses = report.get("analyses")
    regions = analyses.get("regions") if isinstance(analyses, dict) else None
    return isinstance(regions, dict) and regions.get("measured") is True


def _write_all(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    for name, content in files.items():
        _write(folder / name, content)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise _cannot_write(file, error) from error


def _cannot_write(path: Path, error: OSError) -> LocalFileError:
    return LocalFileError(f"{path} cannot be written to: {error.strerror or error}.")
