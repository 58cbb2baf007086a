"""Questions to the logs that whoever is on call asks, saved in CloudWatch Logs Insights beside them.

docs/operations.md says when each is of use. A query costs by what it reads: half a cent a GB.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

SHOWN = 200
"""Lines of an answer; more than a person reads."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question: `filters` are what a line has to be, `then` what is made of those that are."""

    fields: tuple[str, ...]
    filters: tuple[str, ...]
    then: tuple[str, ...]

    @property
    def text(self) -> str:
        """Write it in the language of Logs Insights."""
        shown = [f"fields {', '.join(self.fields)}"] if self.fields else []
        return "\n| ".join([*shown, *(f"filter {condition}" for condition in self.filters), *self.then])


OF_FUNCTIONS: Mapping[str, Query] = {
    "one job": Query(
        fields=("@timestamp", "@log", "attempt", "stage", "level", "message", "errorClass", "detail", "traceId"),
        filters=('jobId = "PUT THE ID HERE"',),
        then=("sort @timestamp asc", "limit 1000"),
    ),
    "errors": Query(
        fields=("@timestamp", "@log", "jobId", "stage", "message", "errorClass", "detail", "reason", "exception"),
        filters=('level in ["ERROR", "CRITICAL"]',),
        then=("sort @timestamp desc", f"limit {SHOWN}"),
    ),
    "failures by class and stage": Query(
        fields=(),
        filters=('message in ["The job has failed", "The job cannot be started"]',),
        then=("stats count(*) as failures, latest(jobId) as oneOfThem by errorClass, stage", "sort failures desc"),
    ),
    "what is tried again": Query(
        fields=(),
        filters=('message = "The stage failed"',),
        then=(
            "stats count(*) as tries, count_distinct(jobId) as jobs, latest(jobId) as oneOfThem by errorClass, stage",
            "sort tries desc",
        ),
    ),
    "slowest stages": Query(
        fields=(),
        filters=('message = "The stage is done"',),
        then=(
            "stats count(*) as done, pct(milliseconds, 50) as p50, pct(milliseconds, 99) as p99,"
            " max(milliseconds) as most by stage",
            "sort p99 desc",
        ),
    ),
    "what the reconciler did": Query(
        fields=("@timestamp", "jobId", "attempt", "status", "action", "message"),
        filters=("ispresent(action)", 'action not in ["alive", "movedOn"]'),
        then=("sort @timestamp desc", f"limit {SHOWN}"),
    ),
    "operators' deeds": Query(
        fields=("@timestamp", "operator", "owner", "call"),
        filters=("ispresent(operator)",),
        then=("sort @timestamp desc", f"limit {SHOWN}"),
    ),
}
OF_THE_GATEWAY: Mapping[str, Query] = {
    "calls that failed": Query(
        fields=(
            "@timestamp",
            "method",
            "resource",
            "status",
            "errorType",
            "latencyMs",
            "owner",
            "traceId",
            "requestId",
        ),
        filters=("status >= 500",),
        then=("sort @timestamp desc", f"limit {SHOWN}"),
    ),
    "who is turned away": Query(
        fields=(),
        filters=("status in [401, 403, 429]",),
        then=("stats count(*) as calls by owner, status, resource", "sort calls desc", f"limit {SHOWN}"),
    ),
}


class Queries(Construct):
    """They cost nothing until somebody runs them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        functions: Iterable[logs.ILogGroup],
        gateway: logs.ILogGroup,
    ) -> None:
        """`functions` are their logs, `gateway` is that of its calls; queries are shown in the folder `name`."""
        super().__init__(scope, construct_id)
        for queries, groups in ((OF_FUNCTIONS, list(functions)), (OF_THE_GATEWAY, [gateway])):
            for title, query in queries.items():
                logs.CfnQueryDefinition(
                    self,
                    "".join(filter(str.isalpha, title.title())),
                    name=f"{name}/{title}",
                    query_string=query.text,
                    log_group_names=[group.log_group_name for group in groups],
                )
