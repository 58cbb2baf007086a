"""`darkroom analyze`: files in, reports out."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.batch import Batch, Wishes
from darkroom.cli.desk import Desk
from darkroom.cli.ends import close, tell_errors
from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.items import Item
from darkroom.cli.options import Json, ProfileName
from darkroom.cli.progress import choose_progress
from darkroom.cli.terminal import Terminal
from darkroom.errors import LocalFileError

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Images.", show_default=False)]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the ends without showing progress.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show progress until the ends (this is the default).")]
Detach = Annotated[bool, typer.Option("--detach", help="Print the ids of the jobs and leave them to themselves.")]
Analyses = Annotated[
    str | None,
    typer.Option(
        "--analyses", metavar="NAME,...", help="What to find out, such as palette,codes; all but labels when left out."
    ),
]
Colours = Annotated[int | None, typer.Option("--colours", metavar="N", help="How many main colours to look for.")]
PreviewPixels = Annotated[int | None, typer.Option("--preview-pixels", metavar="N", help="Long side of the preview.")]
ThumbnailPixels = Annotated[
    int | None, typer.Option("--thumbnail-pixels", metavar="N", help="Long side of the thumbnail.")
]
Deadline = Annotated[
    int | None,
    typer.Option("--deadline", metavar="SECONDS", help="Fail each job that is not done after so many seconds."),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="A word of your own; repeatable.")]


def analyze(
    context: typer.Context,
    *,
    files: Files,
    wait: Wait = False,
    watch: Watch = False,
    detach: Detach = False,
    analyses: Analyses = None,
    colours: Colours = None,
    preview_pixels: PreviewPixels = None,
    thumbnail_pixels: ThumbnailPixels = None,
    deadline: Deadline = None,
    tag: Tags = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Upload images, have them analysed, and show what was found. Ctrl-C detaches; the jobs go on."""
    desk = Desk.of(context, json=json)
    if wait + watch + detach > 1:
        raise typer.BadParameter("--wait, --watch and --detach exclude each other.")
    options = {
        "colours": colours,
        "previewPixels": preview_pixels,
        "thumbnailPixels": thumbnail_pixels,
        "deadlineSeconds": deadline,
    }
    wishes = Wishes(
        analyses=_names(analyses),
        options={name: value for name, value in options.items() if value is not None} or None,
        tags=_pairs(tag or []),
    )
    items = [_item(path) for path in files]
    code = _carry(desk, items, wishes, profile, follow=not detach, silent=wait)
    raise typer.Exit(code)


def _carry(
    desk: Desk, items: Sequence[Item], wishes: Wishes, profile: str | None, *, follow: bool, silent: bool
) -> ExitCode:
    good = [item for item in items if item.error is None]
    if not good:
        return close(desk.terminal, items, finished=True)
    tell_errors(desk.terminal, items)
    with desk.client(profile) as client:
        progress = choose_progress(desk.terminal, good, silent=silent)
        finished = Batch(client, good, progress).submit(wishes, follow=follow)
    if not follow and not desk.terminal.json:
        _show_ids(desk.terminal, items)
    return close(desk.terminal, items, finished=finished)


def _show_ids(terminal: Terminal, items: Sequence[Item]) -> None:
    """Print the ids alone, for the next command to read."""
    for item in items:
        if item.accepted:
            terminal.show_line(item.accepted.job_id)


def _item(path: Path) -> Item:
    item = Item(label=str(path), path=path)
    if problem := _problem_with(path):
        item.error = LocalFileError(problem)
        item.settled.set()
    return item


def _problem_with(path: Path) -> str | None:
    """Say why a file cannot be uploaded, before anything is. What is in it is for the server to judge."""
    try:
        if path.is_dir():
            return f"This is a folder; name the images in it, such as {path / '*.jpg'}."
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        return f"The file cannot be read: {error.strerror or error}."
    return None


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise typer.BadParameter("write names with commas between, such as palette,codes.", param_hint="--analyses")
    return list(dict.fromkeys(names))


def _pairs(texts: Iterable[str]) -> dict[str, str] | None:
    pairs: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key or key in pairs:
            raise typer.BadParameter(f"{text!r} is no KEY=VALUE with a key of its own.", param_hint="--tag")
        pairs[key] = value
    return pairs or None
