"""The logs of a deployment, searched for what they say about one job. With the operator's own credentials."""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from darkroom.aws import in_our_words
from darkroom.errors import AwsSetupError
from darkroom.log_lines import ACCESS_LOG, LogLine

_AT_ONCE = 4
"""CloudWatch Logs takes five of these calls a second in most regions; what is throttled is repeated."""
_IDS_AT_ONCE = 20
"""In one pattern, which may have 1,024 characters."""
_LOG_GROUP = "AWS::Logs::LogGroup"
_HASH = re.compile(r"[0-9A-F]{8}$")
_OF_A_FUNCTION = re.compile(r"Functions(?P<name>\w+)Log")
_OTHERS = {"ApiAccessLog": ACCESS_LOG, "WorkflowLog": "StateMachine"}
"""By logical id. What else there is, tells of no job: the gateway's own log, and those of the push channel."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for. `owner` tells apart two owners' jobs of the same id."""

    job_id: str
    since: datetime
    until: datetime | None = None
    owner: str | None = None


class JobLogs:
    """The log groups of one stack."""

    def __init__(self, logs: Any, cloudformation: Any, stack: str) -> None:
        self._logs = logs
        self._stack = stack
        self._groups = self._find_groups(cloudformation)

    def search(self, wanted: Search) -> list[LogLine]:
        """Return every line about the job, the oldest first. Raises AwsError.

        What the gateway says of calls has no job in it. The one that submitted it is found by the job's trace, the
        others by the number that the function that answered them has logged.
        """
        of_functions = [source for source in self._groups if source != ACCESS_LOG]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda source: self._lines(source, wanted, wanted.job_id), of_functions)
            about = [line for lines in found for line in lines if line.is_about(wanted.job_id, wanted.owner)]
        calls = self._calls(wanted, sorted({line.request_id or line.trace_id or "" for line in about} - {""}))
        return sorted([*calls, *about], key=lambda line: line.at)

    def _calls(self, wanted: Search, ids: Sequence[str]) -> Iterator[LogLine]:
        """Read what the gateway says of calls that have one of these ids, of the call or of its trace."""
        if ACCESS_LOG not in self._groups:
            return
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            for line in self._lines(ACCESS_LOG, wanted, *some):
                if not {line.request_id, line.trace_id}.isdisjoint(some):
                    yield line

    def _lines(self, source: str, wanted: Search, *phrases: str) -> list[LogLine]:
        """Read all lines of a log that hold one of some phrases."""
        group = self._groups[source]
        asked: dict[str, Any] = {
            "logGroupName": group,
            "startTime": _milliseconds(wanted.since),
            "filterPattern": _pattern(phrases),
        }
        if wanted.until is not None:
            asked["endTime"] = _milliseconds(wanted.until)
        with in_our_words(group):
            pages = self._logs.get_paginator("filter_log_events").paginate(**asked)
            return [LogLine.read(source, event) for page in pages for event in page["events"]]

    def _find_groups(self, cloudformation: Any) -> Mapping[str, str]:
        """Find the names of the log groups, by what writes to each. Raises AwsSetupError when there are none."""
        with in_our_words(f"The stack {self._stack}"):
            pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=self._stack)
            resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
        groups = {
            source: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == _LOG_GROUP and (source := source_of(resource["LogicalResourceId"]))
        }
        if not groups:
            raise AwsSetupError(f"The stack {self._stack} has no logs: it is not one of Darkroom's.")
        return groups


def source_of(logical_id: str) -> str | None:
    """Tell in a word what writes to a log."""
    name = _HASH.sub("", logical_id)
    function = _OF_A_FUNCTION.fullmatch(name)
    return function["name"] if function else _OTHERS.get(name)


def _pattern(phrases: Sequence[str]) -> str:
    """Write the pattern of lines that hold one of some phrases."""
    # Quoted, or a minus in it would mean "without"; with a question mark, or all of them would have to be there.
    quoted = [f'"{phrase}"' for phrase in phrases]
    return quoted[0] if len(quoted) == 1 else " ".join(f"?{phrase}" for phrase in quoted)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
