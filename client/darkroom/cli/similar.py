"""`darkroom similar`: one's other jobs of the same picture."""

from typing import Annotated

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.job_view import similar_table
from darkroom.cli.options import JobId, Json, ProfileName

MaxDistance = Annotated[
    int | None,
    typer.Option(
        "--max-distance",
        min=0,
        max=20,
        metavar="BITS",
        help="By how many of 64 bits fingerprints may differ, 0 to 20; 10 when left out, 0 finds the same only.",
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, max=200, metavar="N", help="At most this many; 50 when left out.")
]


def similar(
    context: typer.Context,
    *,
    job: JobId,
    max_distance: MaxDistance = None,
    limit: Limit = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Find your other jobs of the same picture: resized, recompressed or cropped a little. Nearest first."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        found = client.similar(job, max_distance=max_distance, limit=limit)
    if desk.terminal.json:
        desk.terminal.emit(found.document)
        return
    if found.similar:
        desk.terminal.show(similar_table(found.similar))
    else:
        desk.terminal.say(f"None of your other jobs is within {found.max_distance} of 64 bits of it.")
    if found.more:
        desk.terminal.say("There are more; --limit N shows up to 200.", style="dim")
