"""What an account may do in a region, as AWS publishes its defaults, and what Darkroom's own settings allow.

Defaults change, and a new account may have less: look up your own with the command that `Quota.look_up` gives. Must not
hold a quota that no job uses.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stacks.settings import Settings

AS_OF: Final = "2026-11"
LARGE_REGIONS: Final = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
"""Where Step Functions and EventBridge give more."""
_DOCS: Final = "https://docs.aws.amazon.com"


class Limit(StrEnum):
    """What may be met first, by the name that the report gives it."""

    GATEWAY = "API Gateway, requests a second"
    SUBMISSIONS = "Darkroom, submissions a second"
    STARTERS = "Darkroom, starters at once"
    STARTS = "Step Functions, starts a second"
    TRANSITIONS = "Step Functions, transitions a second"
    EXECUTIONS = "Step Functions, open executions"
    CONCURRENCY = "Lambda, functions at once"
    SCALING = "Lambda, new environments of a function in 10 s"
    TABLE_WRITES = "DynamoDB, write units a second of the table"
    PARTITION = "DynamoDB, write units a second of one index partition"
    BUS_EVENTS = "EventBridge, events a second"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One limit. `value` is a rate in a second or a number at once; `burst` what may be saved up of a rate."""

    limit: Limit
    value: float
    burst: float = 0
    adjustable: bool
    source: str
    service: str | None = None
    """Code of the service at Service Quotas; None for what is no quota of AWS."""
    code: str | None = None
    """Code of the quota there, where it is known for sure."""
    name: str = ""
    """Its name there, or of the setting in cdk.json."""
    advice: str = ""
    """What to do when it is met and cannot be raised, or beside raising it."""

    @property
    def look_up(self) -> str:
        """The command that tells what one's own account has; nothing for what is no quota of AWS."""
        if self.service is None:
            return ""
        if self.code:
            return f"aws service-quotas get-service-quota --service-code {self.service} --quota-code {self.code}"
        query = f"Quotas[?contains(QuotaName,'{self.name}')]"
        return f'aws service-quotas list-service-quotas --service-code {self.service} --query "{query}"'

    @property
    def raise_it(self) -> str:
        """What to do when it is met."""
        if self.service is None:
            return f"raise `{self.name}` in cdk.json" if self.adjustable else self.advice
        if not self.adjustable:
            return f"cannot be raised: {self.advice}"
        return f"ask AWS to raise {self.service} {self.code or repr(self.name)}" + (
            f"; {self.advice}" if self.advice else ""
        )


def quotas(settings: Settings, region: str) -> tuple[Quota, ...]:
    """List every limit on the way of a job, for an environment in a region."""
    large = region in LARGE_REGIONS
    return (*_own(settings), *_step_functions(large=large), *_others(large=large))


def _own(settings: Settings) -> tuple[Quota, ...]:
    here = "cdk.json"
    return (
        Quota(
            limit=Limit.SUBMISSIONS,
            value=settings.submissions_per_second,
            burst=settings.submission_burst,
            adjustable=True,
            source=here,
            name="submissions_per_second",
        ),
        Quota(
            limit=Limit.STARTERS,
            value=settings.starter_max_concurrency,
            adjustable=True,
            source=here,
            name="starter_max_concurrency",
        ),
    )


def _step_functions(*, large: bool) -> tuple[Quota, ...]:
    source = f"{_DOCS}/step-functions/latest/dg/service-quotas.html"
    return (
        Quota(
            limit=Limit.STARTS,
            value=300 if large else 150,
            burst=1_300 if large else 800,
            adjustable=True,
            source=source,
            service="states",
            name="StartExecution throttle token refill rate",
            advice="until then the queue keeps what is not started",
        ),
        Quota(
            limit=Limit.TRANSITIONS,
            value=1_500 if large else 500,
            burst=5_000 if large else 800,
            adjustable=True,
            source=source,
            service="states",
            name="StateTransition throttle token refill rate",
            advice="executions wait until then, and fail for it never",
        ),
        Quota(
            limit=Limit.EXECUTIONS,
            value=1_000_000,
            adjustable=True,
            source=source,
            service="states",
            name="open executions",
        ),
    )


def _others(*, large: bool) -> tuple[Quota, ...]:
    return (
        Quota(
            limit=Limit.GATEWAY,
            value=10_000,
            burst=5_000,
            adjustable=True,
            source=f"{_DOCS}/apigateway/latest/developerguide/limits.html",
            service="apigateway",
            code="L-8A5B8E43",
            name="Throttle rate",
        ),
        Quota(
            limit=Limit.CONCURRENCY,
            value=1_000,
            adjustable=True,
            source=f"{_DOCS}/lambda/latest/dg/gettingstarted-limits.html",
            service="lambda",
            code="L-B99A9384",
            name="Concurrent executions",
        ),
        Quota(
            limit=Limit.SCALING,
            value=1_000,
            adjustable=False,
            source=f"{_DOCS}/lambda/latest/dg/scaling-behavior.html",
            service="lambda",
            name="scaling rate",
            advice="spread the burst: lower starter_max_concurrency",
        ),
        Quota(
            limit=Limit.TABLE_WRITES,
            value=40_000,
            adjustable=True,
            source=f"{_DOCS}/amazondynamodb/latest/developerguide/ServiceQuotas.html",
            service="dynamodb",
            name="Table-level write throughput limit",
            advice="a new table takes 4,000 at first and doubles as it is used",
        ),
        Quota(
            limit=Limit.PARTITION,
            value=1_000,
            adjustable=False,
            source=f"{_DOCS}/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
            service="dynamodb",
            name="partition",
            advice="add shards to WATCH_SHARDS in lambdas/adapters/keys.py",
        ),
        Quota(
            limit=Limit.BUS_EVENTS,
            value=10_000 if large else 2_400,
            adjustable=True,
            source=f"{_DOCS}/eventbridge/latest/userguide/eb-quota.html",
            service="events",
            name="PutEvents throttle limit in transactions per second",
        ),
    )


def table(settings: Settings) -> str:
    """Lay the quotas out as docs/capacity.md has them: with the values of the large regions, and of the others."""
    rows = [
        f"| {here.limit} | {_value(here)} | {_value(there)} | {'yes' if here.adjustable else 'no'} "
        f"| {_where(here)} | [source]({here.source}) |"
        for here, there in zip(quotas(settings, "us-east-1"), quotas(settings, "eu-central-1"), strict=True)
        if here.service
    ]
    regions = ", ".join(sorted(LARGE_REGIONS))
    head = f"| limit, {AS_OF} | {regions} | other regions | adjustable | at Service Quotas | |"
    return "\n".join([head, "|---|---:|---:|---|---|---|", *rows])


def _value(quota: Quota) -> str:
    return f"{quota.value:,.0f}" + (f", burst {quota.burst:,.0f}" if quota.burst else "")


def _where(quota: Quota) -> str:
    return f"`{quota.service}` `{quota.code}`" if quota.code else f"`{quota.service}` {quota.name}"
