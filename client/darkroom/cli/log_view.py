"""Lines of logs, for people. Trusts no text in them."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from darkroom.cli.plain_text import plain
from darkroom.log_lines import ACCESS_LOG, Level, LogLine

_LONGEST = 2000
_STYLES = {Level.WARNING: "yellow", Level.ERROR: "red", Level.CRITICAL: "red", Level.DEBUG: "dim"}
_SOURCE_WIDTH = 16
_LEVEL_WIDTH = len(Level.CRITICAL.name)
_SHOWN_ELSEWHERE = {
    *("level", "message", "timestamp", "service", "location", "jobId", "execution", "attempt", "traceId"),
    *("execution_arn", "event_timestamp", "exception_name"),
}
_OF_A_CALL = "{method} {resource} {status} in {latencyMs} ms"


def log_line(line: LogLine) -> Text:
    """Lay out one line, never wrapped: when, what wrote it, at which attempt, how much it matters, what it says."""
    attempt = f"a{line.attempt}" if line.attempt is not None else ""
    shown = Text(f"{line.at.astimezone():%Y-%m-%d %H:%M:%S}.{line.at.microsecond // 1000:03d}", style="dim")
    shown.append(f"  {plain(line.source):<{_SOURCE_WIDTH}} {attempt:<4}", style="bold not dim")
    shown.append(f"{line.level.name:<{_LEVEL_WIDTH}}  ", style="not dim")
    shown.append(plain(_message(line), _LONGEST), style=f"not dim {_STYLES.get(line.level, '')}")
    for name, value in _rest(line).items():
        shown.append(f"  {plain(name)}={plain(value, _LONGEST)}", style="dim")
    return shown


def _message(line: LogLine) -> str:
    members = line.members
    if line.source == ACCESS_LOG and members.keys() >= {"method", "resource", "status", "latencyMs"}:
        return _OF_A_CALL.format(**members)
    # Step Functions names what has happened by its type.
    return str(members.get("message") or members.get("type") or line.text)


def _rest(line: LogLine) -> Mapping[str, Any]:
    if line.source == ACCESS_LOG:
        return {name: line.members[name] for name in ("errorType", "traceId") if name in line.members}
    rest = {name: value for name, value in line.members.items() if name not in _SHOWN_ELSEWHERE}
    if rest.get("stage") == line.source.lower():
        del rest["stage"]
    return rest
