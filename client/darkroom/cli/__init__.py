"""The `darkroom` command. Data goes to stdout, talk to stderr; `--json` makes stdout JSON, one line for each job.

Exit codes (`darkroom.cli.exit_codes`); of several, the first that applies in the order 130, 3, 5, 2, 4, 6, 1, 7, 0:

    0    all succeeded
    1    a job failed, a dead letter was not dealt with, or a check of `smoke` failed
    2    the command, a file or the profile is not right
    3    not signed in: run `darkroom login`
    4    none of your jobs, no dead letter and no line of the logs has this id
    5    Darkroom cannot be reached, or has trouble of its own
    6    the job's status does not allow it
    7    a job was cancelled
    130  detached by Ctrl-C: the jobs go on
"""

from collections.abc import Sequence

import typer

from darkroom.cli import (
    account,
    analyze,
    cost,
    dead_letters,
    exit_codes,
    jobs,
    logs,
    result,
    second_factor,
    similar,
    smoke,
)
from darkroom.cli.desk import Desk
from darkroom.cli.terminal import error_document
from darkroom.errors import DarkroomError
from darkroom.surroundings import Surroundings

app = typer.Typer(
    name="darkroom",
    help="Have images analysed in the background: submit, watch, cancel, fetch the report.",
    epilog=f"Exit codes: {exit_codes.in_words()}.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks could show local variables: tokens
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("analyze")(analyze.analyze)
app.command("status")(jobs.status)
app.command("list")(jobs.list_jobs)
app.command("watch")(jobs.watch)
app.command("cost")(cost.cost)
app.command("cancel")(jobs.cancel)
app.command("redrive")(jobs.redrive)
app.command("delete")(jobs.delete)
app.command("result")(result.result)
app.command("similar")(similar.similar)
app.command("logs")(logs.logs)
app.command("smoke")(smoke.smoke)
app.command("login")(account.login)
app.command("logout")(account.logout)
app.command("configure")(account.configure)
app.command("version")(account.version)

factor = typer.Typer(
    help="Have signing in ask for a code of an authenticator app, too, or no longer.", no_args_is_help=True
)
factor.command("on")(second_factor.on)
factor.command("off")(second_factor.off)
app.add_typer(factor, name="second-factor")

dlq = typer.Typer(
    help="For operators: look at dead letters, redrive their jobs, discard them. Needs credentials of the AWS account.",
    no_args_is_help=True,
)
dlq.command("list")(dead_letters.list_letters)
dlq.command("show")(dead_letters.show)
dlq.command("redrive")(dead_letters.redrive)
dlq.command("discard")(dead_letters.discard)
app.add_typer(dlq, name="dlq")


def main(arguments: Sequence[str] | None = None, surroundings: Surroundings | None = None) -> int:
    """Run the command and return its exit code. `arguments` None means those of the process."""
    desk = Desk(surroundings)
    try:
        app(arguments, obj=desk, prog_name="darkroom")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except DarkroomError as error:
        if desk.terminal.json:
            desk.terminal.emit({"error": error_document(error)})
        return desk.terminal.fail(error)
    return 0
