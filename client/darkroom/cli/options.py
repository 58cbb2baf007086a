"""The options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, one line for each job.")]
ProfileName = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Which profile; DARKROOM_PROFILE by default.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job.", show_default=False)]
JobIds = Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.", show_default=False)]
