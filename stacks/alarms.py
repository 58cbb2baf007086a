"""Alarms: each with the reason for its threshold, who is to look, and the section of the runbook that says what to do.

One page for each incident: the alarms of that severity ring through one composite alarm. Tests pair every alarm with
its section, and drive each into ALARM by what it is about.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.aws_cloudwatch import ComparisonOperator, TreatMissingData
from constructs import Construct

from stacks.metrics import own
from stacks.releases import LIVE, Release
from stacks.topics import Severity, Topics

MINUTE: Final = Duration.minutes(1)
FIVE_MINUTES: Final = Duration.minutes(5)
QUARTER: Final = Duration.minutes(15)
PAGED: Final = "paged"
MAX_METRICS: Final = 10
"""An alarm with an expression takes no more."""
MAX_DESCRIPTION: Final = 1024
"""CloudWatch takes no more characters."""


@dataclass(frozen=True, kw_only=True)
class New:
    """What the template publishes, where deployments are gradual: new versions do a tenth of the work at first."""

    functions: Sequence[Release]
    """What is called by its alias."""
    begins: lambda_.Version
    """Of the function that every execution begins with."""
    settles_failed: lambda_.Version
    """Of the function that every execution which fails ends with."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What alarms and dashboards look at."""

    api: apigateway.RestApi
    job_queue: sqs.Queue
    unstarted: sqs.Queue
    """Messages that were delivered in vain, which `bury_message` reads."""
    dead_letters: sqs.Queue
    untold: sqs.Queue
    """Parts of the table's stream that could not be told."""
    publisher: lambda_.Function
    reconciler: lambda_.Function
    state_machine: sfn.StateMachine
    table: dynamodb.Table
    new: New | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alarm: what it means, and why it is set as it is."""

    name: str
    severity: Severity
    means: str
    metric: cloudwatch.IMetric
    threshold: float
    because: str
    """The reason of the threshold."""
    breaching: int
    """How many periods have to be over the threshold."""
    periods: int
    """Of so many."""
    missing: TreatMissingData
    missing_because: str
    """Why no data is taken for that."""
    comparison: ComparisonOperator = ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """Ten cents a month for each metric that an alarm looks at, and fifty for the composite one."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        watched: Watched,
        topics: Topics,
        runbooks_url: str,
    ) -> None:
        """`name` begins the alarms' names: `Darkroom-prod-stalled`."""
        super().__init__(scope, construct_id)
        self._name = name
        self._runbooks_url = runbooks_url
        self.alarms: Mapping[str, cloudwatch.Alarm] = {rule.name: self._alarm(rule) for rule in rules(watched)}
        severities = {rule.name: rule.severity for rule in rules(watched)}
        for rule_name, alarm in self.alarms.items():
            if severities[rule_name] is Severity.TICKET:
                _tell(alarm, topics.topics[Severity.TICKET])
        paging = [self.alarms[rule] for rule, severity in severities.items() if severity is Severity.PAGE]
        self.paged = cloudwatch.CompositeAlarm(
            self,
            _construct_id(PAGED),
            composite_alarm_name=f"{name}-{PAGED}",
            alarm_description=self._description(
                Severity.PAGE,
                "Jobs are refused, stand still or fail: one of the alarms that page is on.",
                "one fault sets off several of them, and nobody is to be called for each.",
                PAGED,
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in paging)
            ),
        )
        _tell(self.paged, topics.topics[Severity.PAGE])

    def _alarm(self, rule: Rule) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            _construct_id(rule.name),
            alarm_name=f"{self._name}-{rule.name}",
            alarm_description=self._description(rule.severity, rule.means, rule.because, rule.name),
            metric=rule.metric,
            threshold=rule.threshold,
            comparison_operator=rule.comparison,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.breaching,
            treat_missing_data=rule.missing,
        )

    def _description(self, severity: Severity, means: str, because: str, name: str) -> str:
        text = f"[{severity}] {means} Why then: {because} What to do: {self._runbooks_url}#alarm-{name}"
        if len(text) > MAX_DESCRIPTION:
            raise ValueError(f"The description of the alarm {name} has more than {MAX_DESCRIPTION} characters.")
        return text


def rules(watched: Watched) -> Iterator[Rule]:
    """Every alarm, those that page first."""
    yield from _of_intake(watched)
    yield from _of_work(watched)
    yield from _of_limits(watched)
    yield from _of_nets(watched)
    if watched.new:
        yield from _of_deployments(watched.new)


def _of_intake(watched: Watched) -> Iterator[Rule]:
    age = watched.job_queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum")
    silent = "a queue that nobody has touched for six hours sends nothing, and is empty."
    yield Rule(
        name="stalled",
        severity=Severity.PAGE,
        means="Jobs wait, and not one was taken off the job queue.",
        # What is taken off is counted by SQS, in the same minute as the age; our own JobsStarted comes through logs.
        metric=cloudwatch.MathExpression(
            expression="IF(age >= 300 AND taken < 1, 1, 0)",
            using_metrics={
                "age": age,
                "taken": watched.job_queue.metric_number_of_messages_deleted(period=MINUTE, statistic="Sum"),
            },
            label="jobs wait, none is taken",
            period=MINUTE,
        ),
        threshold=1,
        because="a delivery that fails is repeated after 180 seconds, so that a job may be as old by one hiccup; older "
        "than 300 seconds, with nothing taken for five minutes in a row, is no hiccup.",
        breaching=5,
        periods=5,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because=silent,
    )
    yield Rule(
        name="oldest-job",
        severity=Severity.TICKET,
        means="The oldest job in the queue waits too long to be started, though others are.",
        metric=age,
        threshold=900,
        because="after five deliveries in vain, 180 seconds apart, a message has left the queue: whatever is older "
        "than 900 seconds waits because more comes in than is started.",
        breaching=5,
        periods=5,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because=silent,
    )
    yield Rule(
        name="api-5xx",
        severity=Severity.PAGE,
        means="The API fails at calls: of jobs that are to be accepted, or of owners who ask about theirs.",
        metric=cloudwatch.MathExpression(
            expression="IF(calls >= 10, 100 * errors / calls, 0)",
            using_metrics={
                "calls": watched.api.metric_count(period=FIVE_MINUTES, statistic="Sum"),
                "errors": watched.api.metric_server_error(period=FIVE_MINUTES, statistic="Sum"),
            },
            label="calls that fail, %",
            period=FIVE_MINUTES,
        ),
        threshold=5,
        because="clients repeat a failed call three times, so that one in twenty is one in a hundred thousand that "
        "they see; below ten calls, one failure would be a tenth.",
        breaching=2,
        periods=3,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="nobody calls.",
    )


def _of_work(watched: Watched) -> Iterator[Rule]:
    yield Rule(
        name="failure-rate",
        severity=Severity.PAGE,
        means="Jobs fail by a fault of ours: what their owners got wrong (no image, too many jobs) is not counted.",
        metric=cloudwatch.MathExpression(
            expression="IF(ended >= 10, 100 * faults / ended, 0)",
            using_metrics={
                "ended": own("JobFaults", statistic="SampleCount", period=FIVE_MINUTES),
                "faults": own("JobFaults", statistic="Sum", period=FIVE_MINUTES),
            },
            label="jobs that fail, %",
            period=FIVE_MINUTES,
        ),
        threshold=10,
        because="what passes by itself has been retried for minutes before a job fails, so that in good times none "
        "does; one in ten is no single image. Below ten jobs in five minutes each has its dead letter, and its ticket.",
        breaching=2,
        periods=3,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="no job has ended.",
    )
    yield Rule(
        name="dead-letters",
        severity=Severity.TICKET,
        means="Jobs have failed, and their letters wait for a person.",
        metric=watched.dead_letters.metric_approximate_number_of_messages_visible(
            period=FIVE_MINUTES, statistic="Maximum"
        ),
        threshold=1,
        because="each letter is a job that somebody has to decide about within 14 days.",
        breaching=1,
        periods=1,
        missing=TreatMissingData.IGNORE,
        missing_because="letters that nobody has touched for six hours are still there.",
    )
    yield Rule(
        name="stage-timeouts",
        severity=Severity.TICKET,
        means="A stage runs out of its time.",
        metric=own("StageTimeouts", statistic="Sum", period=QUARTER),
        threshold=3,
        because="a time-out is tried once more, and one may be a slow host; three in a quarter of an hour are a stage "
        "that its images have outgrown.",
        breaching=1,
        periods=1,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="no stage ran out of its time.",
    )


def _of_limits(watched: Watched) -> Iterator[Rule]:
    throttled = {
        "functions": (
            "AWS has no room for functions: the account's limit of concurrent executions is reached.",
            # Of the account's whole region, which shares one limit: whoever is throttled, we are next.
            lambda_.Function.metric_all_throttles(period=FIVE_MINUTES, statistic="Sum"),
        ),
        "executions": (
            "Step Functions holds up the transitions of our executions.",
            watched.state_machine.metric_throttled(period=FIVE_MINUTES, statistic="Sum"),
        ),
        "writes": (
            "The job table is at its limit, and refuses writes. Reads that it refuses show as api-5xx.",
            watched.table.metric("WriteThrottleEvents", period=FIVE_MINUTES, statistic="Sum"),
        ),
    }
    for what, (means, metric) in throttled.items():
        yield Rule(
            name=f"throttled-{what}",
            severity=Severity.TICKET,
            means=means,
            metric=metric,
            threshold=10,
            because="every throttled call is repeated, and a burst may meet a few; ten in five minutes, for a quarter "
            "of an hour, are a limit that is too low.",
            breaching=3,
            periods=3,
            missing=TreatMissingData.NOT_BREACHING,
            missing_because="nothing was throttled.",
        )


def _of_nets(watched: Watched) -> Iterator[Rule]:
    yield Rule(
        name="stuck-jobs",
        severity=Severity.TICKET,
        means="The reconciler found jobs that stood still, and settled or restarted them.",
        metric=own("JobsStuck", statistic="Sum", period=QUARTER),
        threshold=1,
        because="it is the last net: whatever it finds has fallen through all others, which should not happen.",
        breaching=1,
        periods=1,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="it found none.",
    )
    yield Rule(
        name="reconciler",
        severity=Severity.TICKET,
        means="The reconciler does not run, or fails: what stands still stays so.",
        metric=cloudwatch.MathExpression(
            expression="runs - errors",
            using_metrics={
                "runs": watched.reconciler.metric_invocations(period=FIVE_MINUTES, statistic="Sum"),
                "errors": watched.reconciler.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
            },
            label="runs without an error",
            period=FIVE_MINUTES,
        ),
        threshold=1,
        comparison=ComparisonOperator.LESS_THAN_THRESHOLD,
        because="it runs every minute; none of ten in a row is no accident.",
        breaching=2,
        periods=2,
        missing=TreatMissingData.BREACHING,
        missing_because="no data is exactly what is wrong.",
    )
    yield Rule(
        name="unread-messages",
        severity=Severity.TICKET,
        means="Messages that could not be started are not turned into dead letters: their jobs neither run nor fail.",
        metric=watched.unstarted.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
        threshold=900,
        because="bury_message tries every 180 seconds; what it has not settled in five tries needs somebody.",
        breaching=5,
        periods=5,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="the queue is empty, as it should be.",
    )
    yield Rule(
        name="events-late",
        severity=Severity.TICKET,
        means="Changes of jobs are told late: watchers, webhooks and other systems are behind.",
        metric=watched.publisher.metric(
            "IteratorAge", period=MINUTE, statistic="Maximum", unit=cloudwatch.Unit.MILLISECONDS
        ),
        threshold=300_000,
        because="watchers look by themselves once a minute when nothing comes; five minutes are a batch that fails "
        "again and again, and it is given up after two hours.",
        breaching=5,
        periods=5,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="nothing has changed, so there is nothing to tell.",
    )
    yield Rule(
        name="events-lost",
        severity=Severity.TICKET,
        means="Changes of jobs were given up, and were not told: their events are missing.",
        metric=watched.untold.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
        threshold=1,
        because="each message is a part of the stream that was tried for two hours, alone and again.",
        breaching=1,
        periods=1,
        missing=TreatMissingData.IGNORE,
        missing_because="what nobody has touched for six hours is still there.",
    )


def _of_deployments(new: New) -> Iterator[Rule]:
    """What leads a deployment back. After it, the new versions are what runs, and the alarms are about that."""
    yield Rule(
        name="new-functions",
        severity=Severity.TICKET,
        means="New versions of functions fail in their deployment, which goes back to the versions before.",
        metric=_errors_of(new.functions),
        threshold=2,
        because="these functions answer for what they are sent, so that an error which leaves one is a fault of its "
        "own or runs out of time; one may be a service's hiccup.",
        breaching=1,
        periods=1,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="no new version was called, or there is none.",
    )
    yield Rule(
        name="new-stages",
        severity=Severity.TICKET,
        means="Executions of the state machine's newest version fail; a deployment of it goes back to the one before.",
        metric=cloudwatch.MathExpression(
            expression="IF(failed >= 3 AND 4 * failed >= begun, 1, 0)",
            using_metrics={
                "begun": _of_version(new.begins, "Invocations"),
                "failed": _of_version(new.settles_failed, "Invocations"),
            },
            label="a quarter of the executions fails",
            period=FIVE_MINUTES,
        ),
        threshold=1,
        because="each that fails calls the version of SettleFailed that its definition names; a quarter, and three, "
        "are no single owner's bad images.",
        breaching=1,
        periods=1,
        missing=TreatMissingData.NOT_BREACHING,
        missing_because="no execution of it has begun, or none has failed.",
    )


def _errors_of(functions: Sequence[Release]) -> cloudwatch.IMetric:
    """Errors of the new versions while their aliases still call the old ones, too: only then are they told apart."""
    if len(functions) > MAX_METRICS:
        raise ValueError(f"{len(functions)} functions are called by an alias: new-functions takes {MAX_METRICS}.")
    errors = {
        f"errors{number}": release.function.metric_errors(
            period=FIVE_MINUTES,
            statistic="Sum",
            dimensions_map={
                "FunctionName": release.function.function_name,
                "Resource": f"{release.function.function_name}:{LIVE}",
                "ExecutedVersion": release.version.version,
            },
        )
        for number, release in enumerate(functions)
    }
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in errors),
        using_metrics=errors,
        label="errors of new versions",
        period=FIVE_MINUTES,
    )


def _of_version(version: lambda_.Version, name: str) -> cloudwatch.Metric:
    function = version.lambda_.function_name
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        period=FIVE_MINUTES,
        statistic="Sum",
        dimensions_map={"FunctionName": function, "Resource": f"{function}:{version.version}"},
    )


def _tell(alarm: cloudwatch.AlarmBase, topic: sns.Topic) -> None:
    """Tell when it begins, and when it is over."""
    action = actions.SnsAction(topic)
    alarm.add_alarm_action(action)
    alarm.add_ok_action(action)


def _construct_id(name: str) -> str:
    return "".join(part.title() for part in name.split("-"))
