"""`darkroom cost`: what jobs have cost, summed up."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from darkroom.cli.desk import Desk
from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.moments import read_moment
from darkroom.cli.money import usd
from darkroom.cli.options import Json, ProfileName
from darkroom.cli.plain_text import plain
from darkroom.costs import Costs, Period, costs

Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Accepted at this time or later: 2026-11-01, or 12h, 7d.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Accepted before this time.")]
By = Annotated[Period, typer.Option("--by", help="Sum up by day or by month, in UTC.")]
Owner = Annotated[
    str | None, typer.Option("--owner", metavar="ID", help="For operators: the jobs of this owner, and not your own.")
]


def cost(
    context: typer.Context,
    *,
    since: Since = None,
    until: Until = None,
    by: By = Period.DAY,
    owner: Owner = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Sum up what your jobs have cost on AWS: by day or month, by stage, and by what is charged."""
    desk = Desk.of(context, json=json)
    begin, end = read_moment(since, desk.surroundings.now()), read_moment(until, desk.surroundings.now())
    with desk.client(profile) as client, desk.terminal.busy("Reading your jobs"):
        found = costs(client.jobs(owner=owner), since=begin, until=end, by=by)
    if desk.terminal.json:
        periods = {name: summed.document() for name, summed in found.periods.items()}
        desk.terminal.emit({**found.whole.document(), "periods": periods})
    elif found.whole.jobs:
        desk.terminal.show(_view(found))
        _say_what_is_left_out(desk, found)
    else:
        desk.terminal.say("No jobs in this time.")
    raise typer.Exit(ExitCode.SUCCEEDED)


def _view(found: Costs) -> Group:
    whole = found.whole
    by_period = [(name, f"{summed.jobs:,}", usd(summed.usd)) for name, summed in found.periods.items()]
    by_part = [(name, _share(amount, whole.usd), usd(amount)) for name, amount in whole.document()["parts"].items()]
    by_charge = [
        (name, f"{amount['count']:,.6g}", usd(amount["usd"])) for name, amount in whole.document()["usage"].items()
    ]
    return Group(
        *_table("PERIOD", "JOBS", by_period), *_table("PART", "SHARE", by_part), *_table("CHARGE", "COUNT", by_charge),
        Text(f"{whole.jobs:,} jobs, {usd(whole.usd)}", style="bold"),
    )  # fmt: skip


def _table(first: str, second: str, rows: Iterable[tuple[str, str, str]]) -> tuple[Padding]:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True)
    for heading in (second, "COST"):
        table.add_column(heading, no_wrap=True, justify="right")
    for name, *values in rows:
        table.add_row(Text(plain(name)), *values)
    return (Padding(table, (0, 0, 1, 0)),)


def _share(amount: float, whole: float) -> str:
    return f"{amount / whole:.0%}" if whole else ""


def _say_what_is_left_out(desk: Desk, found: Costs) -> None:
    if found.whole.unpriced:
        desk.terminal.say(f"{found.whole.unpriced} of them have no cost yet: they have not ended.", style="dim")
    dates = "; ".join(sorted(found.whole.prices_of))
    desk.terminal.say(f"List prices ({dates}), without free tiers, storage, logs and data transfer.", style="dim")
