"""Two dashboards: is it well, for who owns the service; where is it stuck, for who is on call.

Drawn with CDK's own constructs: a row answers a question, and libraries that draw a page for each resource do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.alarms import Alarms, Watched
from stacks.metrics import own

PERIOD: Final = Duration.minutes(5)
WIDTH: Final = 24
"""Columns of a dashboard."""
HEIGHT: Final = 6
FINAL: Final = ("SUCCEEDED", "FAILED", "CANCELLED")
PERCENTILES: Final = ("p50", "p95", "p99")
RECONCILED: Final = ("restarted", "failed", "cancelled", "lettersSent", "errors")

_Metrics = Sequence[cloudwatch.IMetric]


@dataclass(frozen=True, kw_only=True)
class Functions:
    """Those that are drawn one by one."""

    starter: lambda_.Function
    api: lambda_.Function
    stages: Mapping[str, lambda_.Function]
    """By the name of the stage."""


class Dashboards(Construct):
    """Three dollars a month each, after the account's first three."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        watched: Watched,
        functions: Functions,
        alarms: Alarms,
        runbooks_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._watched = watched
        self._functions = functions
        self._alarms = alarms
        self._runbooks_url = runbooks_url
        self._draw("Owner", f"{name}-owner", self._of_owner())
        self._draw("OnCall", f"{name}-on-call", self._on_call())

    def _draw(self, construct_id: str, name: str, rows: Sequence[Sequence[cloudwatch.IWidget]]) -> None:
        cloudwatch.Dashboard(
            self,
            construct_id,
            dashboard_name=name,
            default_interval=Duration.hours(12),
            widgets=[list(row) for row in rows],
        )

    def _of_owner(self) -> Sequence[Sequence[cloudwatch.IWidget]]:
        ended = [own("JobsEnded", statistic="Sum", period=PERIOD, Status=status) for status in FINAL]
        stages = [_of_stage("StageDuration", stage, "p95") for stage in self._functions.stages]
        return [
            [_words(f"# Is it well?\nWhat to do about an alarm: {self._runbooks_url}#alarms")],
            [self._alarm_states("Alarms")],
            _side_by_side(
                _number("Jobs that fail by our fault, %", [_share_of_faults()]),
                _number("Jobs that have ended", [_count(ended)]),
                _number("Cost of jobs, dollars", [own("JobCost", statistic="Sum", period=PERIOD)]),
            ),
            [_words("# How many?")],
            _side_by_side(
                _graph("Accepted, started", [_sum("JobsAccepted"), _sum("JobsStarted")]),
                _graph("Ended, by status", ended),
                _graph("Cancelled and tried again by people", [_sum("Cancels"), _sum("Redrives")]),
            ),
            [_words("# How fast?")],
            _side_by_side(
                _graph("From accepted to ended, ms", _percentiles("EndToEndTime")),
                _graph("From accepted to the first progress, ms", _percentiles("TimeToFirstProgress")),
                _graph("Stages, 95 % take less, ms", stages),
            ),
            [_words("# How much?")],
            _side_by_side(
                _graph("Cost of jobs, dollars", [own("JobCost", statistic="Sum", period=PERIOD)]),
                _graph("Cost of a job, dollars", [own("JobCost", statistic="Average", period=PERIOD)]),
            ),
        ]

    def _on_call(self) -> Sequence[Sequence[cloudwatch.IWidget]]:
        title = (
            "# Where is it stuck?\nFrom the door to the dead letters: begin with the first row that is not as it was."
        )
        return [
            [_words(f"{title} What to type: {self._runbooks_url}#on-call")],
            [self._alarm_states("Alarms")],
            *_titled("1. The door", self._door()),
            *_titled("2. The queue and its starter", self._queue()),
            *_titled("3. Executions and stages", self._executions()),
            *_titled("4. The table", self._table()),
            *_titled("5. The nets", self._nets()),
            *_titled("6. Events", self._events()),
        ]

    def _door(self) -> Sequence[cloudwatch.IWidget]:
        api = self._watched.api
        return _side_by_side(
            _graph("Calls", [api.metric_count(statistic="Sum", period=PERIOD)]),
            _graph(
                "Refused and failed",
                [
                    api.metric_client_error(statistic="Sum", period=PERIOD),
                    api.metric_server_error(statistic="Sum", period=PERIOD),
                ],
            ),
            _graph(
                "Time to answer, ms",
                [api.metric_latency(statistic="p95", period=PERIOD), self._duration(self._functions.api, "ApiCalls")],
            ),
        )

    def _queue(self) -> Sequence[cloudwatch.IWidget]:
        queue = self._watched.job_queue
        return _side_by_side(
            _graph(
                "Waiting, and being read",
                [
                    _waiting(queue),
                    queue.metric_approximate_number_of_messages_not_visible(statistic="Maximum", period=PERIOD),
                ],
            ),
            _graph(
                "Age of the oldest, s",
                [queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=PERIOD)],
            ),
            _graph(
                "Taken off, started, came twice",
                [
                    queue.metric_number_of_messages_deleted(statistic="Sum", period=PERIOD),
                    _sum("JobsStarted"),
                    _sum("DuplicatesAbsorbed"),
                ],
            ),
            _graph("Starter", _health(self._functions.starter)),
            _graph("From accepted to started, ms", _percentiles("TimeQueued")),
        )

    def _executions(self) -> Sequence[cloudwatch.IWidget]:
        machine, stages = self._watched.state_machine, self._functions.stages
        return _side_by_side(
            _graph(
                "Executions",
                [
                    machine.metric_started(statistic="Sum", period=PERIOD),
                    machine.metric_succeeded(statistic="Sum", period=PERIOD),
                    machine.metric_failed(statistic="Sum", period=PERIOD),
                    machine.metric_timed_out(statistic="Sum", period=PERIOD),
                    machine.metric_aborted(statistic="Sum", period=PERIOD),
                ],
            ),
            _graph("Stages, 95 % take less, ms", [_of_stage("StageDuration", stage, "p95") for stage in stages]),
            _graph("Stages tried again", [_of_stage("StageRetries", stage, "Sum") for stage in stages]),
            _graph("Stages out of time", [_of_stage("StageTimeouts", stage, "Sum") for stage in stages]),
            _graph(
                "Functions of stages that fail",
                [
                    function.metric_errors(statistic="Sum", period=PERIOD, label=name)
                    for name, function in stages.items()
                ],
            ),
            _graph(
                "Throttled",
                [
                    lambda_.Function.metric_all_throttles(statistic="Sum", period=PERIOD),
                    machine.metric_throttled(statistic="Sum", period=PERIOD),
                ],
            ),
            _graph(
                "Functions at once, in the account",
                [lambda_.Function.metric_all_concurrent_executions(statistic="Maximum", period=PERIOD)],
            ),
        )

    def _table(self) -> Sequence[cloudwatch.IWidget]:
        table = self._watched.table
        calls = [{"TableName": table.table_name, "Operation": name} for name in ("PutItem", "UpdateItem")]
        units = ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
        throttled = ("ReadThrottleEvents", "WriteThrottleEvents")
        return _side_by_side(
            _graph("Units used", [table.metric(name, statistic="Sum", period=PERIOD) for name in units]),
            _graph("Throttled", [table.metric(name, statistic="Sum", period=PERIOD) for name in throttled]),
            _graph(
                "Time of a write, ms",
                [
                    table.metric_successful_request_latency(statistic="p95", period=PERIOD, dimensions_map=call)
                    for call in calls
                ],
            ),
        )

    def _nets(self) -> Sequence[cloudwatch.IWidget]:
        watched = self._watched
        return _side_by_side(
            _graph(
                "Could not be started",
                [watched.unstarted.metric_approximate_number_of_messages_visible(statistic="Maximum", period=PERIOD)],
            ),
            _graph(
                "Dead letters that wait",
                [
                    watched.dead_letters.metric_approximate_number_of_messages_visible(
                        statistic="Maximum", period=PERIOD
                    )
                ],
            ),
            _graph("Dead letters written", [_sum("DeadLetters")]),
            _graph(
                "What the reconciler did",
                [
                    _sum("JobsStuck"),
                    *(own("ReconcilerActions", statistic="Sum", period=PERIOD, Action=action) for action in RECONCILED),
                ],
            ),
            _graph("Reconciler", _health(watched.reconciler)),
        )

    def _events(self) -> Sequence[cloudwatch.IWidget]:
        watched = self._watched
        return _side_by_side(
            _graph("Told late by, ms", [watched.publisher.metric("IteratorAge", statistic="Maximum", period=PERIOD)]),
            _graph("Publisher", [*_health(watched.publisher), _sum("EventsFailed")]),
            _graph("Given up", [_waiting(watched.untold)]),
        )

    def _duration(self, function: lambda_.Function, label: str) -> cloudwatch.IMetric:
        return function.metric_duration(statistic="p95", period=PERIOD, label=label)

    def _alarm_states(self, title: str) -> cloudwatch.IWidget:
        return cloudwatch.AlarmStatusWidget(
            title=title, width=WIDTH, height=4, alarms=[self._alarms.paged, *self._alarms.alarms.values()]
        )


def _titled(title: str, widgets: Sequence[cloudwatch.IWidget]) -> Sequence[Sequence[cloudwatch.IWidget]]:
    return [[_words(f"## {title}")], widgets]


def _side_by_side(*widgets: cloudwatch.IWidget) -> Sequence[cloudwatch.IWidget]:
    return list(widgets)


def _words(markdown: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=WIDTH, height=2)


def _graph(title: str, metrics: _Metrics) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH // 3, height=HEIGHT)


def _number(title: str, metrics: _Metrics) -> cloudwatch.SingleValueWidget:
    return cloudwatch.SingleValueWidget(
        title=title, metrics=list(metrics), width=WIDTH // 3, height=HEIGHT // 2, set_period_to_time_range=True
    )


def _sum(name: str) -> cloudwatch.Metric:
    return own(name, statistic="Sum", period=PERIOD)


def _percentiles(name: str) -> _Metrics:
    return [own(name, statistic=percentile, period=PERIOD) for percentile in PERCENTILES]


def _of_stage(name: str, stage: str, statistic: str) -> cloudwatch.Metric:
    return own(name, statistic=statistic, period=PERIOD, Stage=stage)


def _share_of_faults() -> cloudwatch.IMetric:
    return cloudwatch.MathExpression(
        expression="100 * faults",
        using_metrics={"faults": own("JobFaults", statistic="Average", period=PERIOD)},
        label="failed, %",
        period=PERIOD,
    )


def _count(ended: Sequence[cloudwatch.Metric]) -> cloudwatch.IMetric:
    names = {f"ended{number}": metric for number, metric in enumerate(ended)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in names), using_metrics=names, label="jobs", period=PERIOD
    )


def _waiting(queue: sqs.Queue) -> cloudwatch.IMetric:
    return queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=PERIOD)


def _health(function: lambda_.Function) -> _Metrics:
    return [
        function.metric_invocations(statistic="Sum", period=PERIOD),
        function.metric_errors(statistic="Sum", period=PERIOD),
        function.metric_throttles(statistic="Sum", period=PERIOD),
    ]
