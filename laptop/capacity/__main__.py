"""`python -m laptop.capacity`: say which limit a rate of jobs meets first, and play it through."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import Any, Final

from laptop.bench.goals import percentile
from laptop.capacity.demand import Demand, demand
from laptop.capacity.model import drain_seconds, highest_rate, loads
from laptop.capacity.quotas import AS_OF, LARGE_REGIONS, Quota, quotas
from laptop.capacity.simulation import Outcome, Simulation
from laptop.places import ROOT
from stacks.settings import Settings, SettingsError

SECONDS: Final = {"second": 1, "s": 1, "minute": 60, "hour": 3600, "h": 3600, "day": 86_400, "d": 86_400}
_DAY: Final = 86_400


def rate_of(text: str) -> float:
    """Read jobs a second: `12`, `12/s`, `40000/hour`, `1000000/day`. Raises ValueError."""
    number, _, unit = text.replace(",", "").partition("/")
    if unit and unit not in SECONDS:
        raise ValueError(f"{unit!r} is no time for a rate. Write one of {', '.join(SECONDS)}, such as 1000000/day.")
    rate = float(number) / SECONDS[unit or "s"]
    if not 0 < rate < math.inf:
        raise ValueError(f"{text} is no rate. Give a positive number, such as 10 or 1000000/day.")
    return rate


def report(settings: Settings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Work it out and play it through; lay it out for a program."""
    rate = rate_of(arguments.rate)
    of_job = demand(arguments.megapixels)
    limits = quotas(settings, arguments.region)
    first, highest = highest_rate(of_job, limits)
    outcome = Simulation(
        of_job,
        limits,
        rate=rate,
        seconds=arguments.hours * 3600,
        burst=arguments.burst,
        seed=arguments.seed,
    ).run()
    return {
        "environment": arguments.env,
        "region": arguments.region,
        "quotasOf": AS_OF,
        "jobsPerSecond": rate,
        "burst": arguments.burst,
        "megapixels": arguments.megapixels,
        "job": _job(of_job),
        "firstLimit": {"limit": first.limit.value, "jobsPerSecond": highest, "raise": first.raise_it},
        "limits": [_limit(load.quota, load.used, load.share, load.most(rate)) for load in loads(of_job, limits, rate)],
        "burstStartedAfterSeconds": _finite(drain_seconds(of_job, limits, arguments.burst, rate)),
        "simulation": _simulated(outcome, arguments),
    }


def _job(of_job: Demand) -> dict[str, Any]:
    return {
        "seconds": round(of_job.seconds, 3),
        "functionSeconds": round(of_job.function_seconds, 3),
        "stages": {name: round(seconds, 3) for name, seconds in of_job.stages.items()},
    }


def _limit(quota: Quota, used: float, share: float, most: float) -> dict[str, Any]:
    return {
        "limit": quota.limit.value,
        "quota": quota.value,
        "burst": quota.burst,
        "used": used,
        "share": share,
        "jobsPerSecond": _finite(most),
        "adjustable": quota.adjustable,
        "service": quota.service,
        "code": quota.code,
        "lookUp": quota.look_up,
        "source": quota.source,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _simulated(outcome: Outcome, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "seed": arguments.seed,
        "hours": arguments.hours,
        "arrived": outcome.arrived,
        "refused": outcome.refused,
        "done": outcome.done,
        "failed": outcome.failed,
        "waitedFor": [
            {"limit": limit.value, "firstAfterSeconds": outcome.met[limit], "times": outcome.times[limit]}
            for limit in sorted(outcome.met, key=lambda limit: -outcome.times[limit])
        ],
        "throttled": outcome.throttled,
        "mostFunctions": outcome.most_functions,
        "mostQueued": outcome.most_queued,
        "oldestSeconds": outcome.oldest,
        "wholeSeconds": _spread(outcome.wholes),
        "turnedAwaySeconds": {name: _spread(waits) for name, waits in outcome.turned_away.items() if waits},
        "waitSeconds": {name: _spread(waits) for name, waits in outcome.waits.items() if waits},
        "overAfterSeconds": outcome.last_end,
        "samples": [
            {
                "at": sample.at,
                "queued": sample.queued,
                "oldestSeconds": sample.oldest,
                "running": sample.running,
                "functions": sample.functions,
            }
            for sample in outcome.samples
        ],
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {name: round(percentile(values, share), 3) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}


def show(found: dict[str, Any]) -> None:
    """Print it for people."""
    rate, job, played = found["jobsPerSecond"], found["job"], found["simulation"]
    print(
        f"{rate:,.4g} jobs a second, {rate * _DAY:,.0f} a day, of {found['megapixels']:g} megapixels; "
        f"environment {found['environment']}, {found['region']}, default quotas of {found['quotasOf']}"
    )
    print(
        f"A job takes {job['seconds']:.2f} s when it waits for nothing, and {job['functionSeconds']:.2f} s of functions"
    )
    print(f"\n  {'limit':54} {'quota':>9} {'used':>9} {'share':>7} {'met at':>12}")
    for limit in found["limits"]:
        at = f"{limit['jobsPerSecond']:,.4g}/s" if limit["jobsPerSecond"] else ""
        print(
            f"  {limit['limit']:54} {limit['quota']:9,.0f} {limit['used']:9,.4g} {limit['share']:7.1%} {at:>12}"
            f"{'' if limit['adjustable'] else '  fixed'}"
        )
    first = found["firstLimit"]
    print(f"\nMet first: {first['limit']}, at {first['jobsPerSecond']:,.4g} jobs a second ", end="")
    print(f"({first['jobsPerSecond'] * _DAY:,.0f} a day).\nThen: {first['raise']}.")
    look_up = next(limit["lookUp"] for limit in found["limits"] if limit["limit"] == first["limit"])
    print(f"What your account has: {look_up}" if look_up else "", end="\n" if look_up else "")
    _show_played(found, played)


def _words(spread: dict[str, float]) -> str:
    return f"{spread['p50']:.2f} s, 99 % within {spread['p99']:.2f} s, all within {spread['max']:.2f} s"


def _show_played(found: dict[str, Any], played: dict[str, Any]) -> None:
    burst = f", with {found['burst']:,} more at once by one owner" if found["burst"] else ""
    print(f"\nPlayed through, {played['hours']:g} h{burst}, seed {played['seed']}")
    print(f"  {played['arrived']:,} submitted, {played['done']:,} done, {played['failed']:,} failed", end="")
    print(f"; {played['refused']:,} told to come again")
    whole = played["wholeSeconds"]
    print(f"  from accepted to done: {_words(whole)}")
    for name, waits in played["turnedAwaySeconds"].items():
        print(f"  turned away at the gateway, {name}: accepted after {_words(waits)}")
    for name, waits in played["waitSeconds"].items():
        print(f"  from accepted to started, {name}: {_words(waits)}")
    print(f"  at most {played['mostQueued']:,} in the queue, the oldest for {played['oldestSeconds']:.1f} s", end="")
    print(f"; at most {played['mostFunctions']:,} stages at work")
    for met in played["waitedFor"]:
        print(f"  waited for {met['limit']}: {met['times']:,} times, first after {met['firstAfterSeconds']:,.0f} s")
    throttled = ", ".join(f"{name} {count:,}" for name, count in played["throttled"].items())
    print(f"  throttled: {throttled or 'none'}")
    print(f"\n  {'after':>8} {'queued':>8} {'oldest':>9} {'running':>8} {'functions':>10}")
    for sample in played["samples"]:
        print(
            f"  {sample['at']:6,.0f} s {sample['queued']:8,} {sample['oldestSeconds']:7.1f} s "
            f"{sample['running']:8,} {sample['functions']:10,}"
        )


def _set(given: Sequence[str]) -> dict[str, int]:
    """Read settings as they were typed, several in one or one by one. Raises ValueError."""
    pairs = (pair.partition("=") for text in given for pair in text.split())
    try:
        return {name: int(number) for name, _, number in pairs}
    except ValueError as error:
        raise ValueError(
            f"{' '.join(given)} sets no number. Write NAME=NUMBER, as in submissions_per_second=500."
        ) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m laptop.capacity", description=__doc__)
    parser.add_argument("--rate", default="10", help="jobs a second, or 40000/hour, 1000000/day")
    parser.add_argument("--burst", type=int, default=0, help="jobs that one owner submits at once, in the middle")
    parser.add_argument("--megapixels", type=float, default=16.0, help="size of the images")
    parser.add_argument("--env", default="prod", help="environment of cdk.json whose settings count")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=NUMBER", help="a setting of cdk.json as if it were this"
    )
    parser.add_argument("--region", default="us-east-1", help=f"more is allowed in {', '.join(sorted(LARGE_REGIONS))}")
    parser.add_argument("--hours", type=float, default=1.0, help="how long jobs come")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args(argv)
    try:
        environments = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
        environment = {**environments.get(arguments.env, {}), **_set(arguments.set)}
        found = report(Settings.from_context({**environments, arguments.env: environment}, arguments.env), arguments)
    except (SettingsError, ValueError) as error:
        print(f"Darkroom: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
