"""The one way to make a log group: it ends some day, and says what becomes of it when the stack is deleted."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
}


@dataclass(frozen=True, kw_only=True)
class LogKeeping:
    """How long log lines live, and whether they outlive the stack."""

    retention_days: int
    removal_policy: RemovalPolicy
    encryption_key: kms.IKey | None
    """None for CloudWatch's own."""

    def log_group(self, scope: Construct, construct_id: str, *, name: str | None = None) -> logs.LogGroup:
        """Make a log group. Ingestion costs far more than keeping: a level of INFO is the limit in production."""
        return logs.LogGroup(
            scope,
            construct_id,
            log_group_name=name,
            retention=_RETENTION[self.retention_days],
            removal_policy=self.removal_policy,
            encryption_key=self.encryption_key,
        )
