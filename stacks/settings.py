"""What differs between environments, and nothing else. The values are in `cdk.json`, under `environments`.

Constructs never see a Settings nor the name of an environment: they take plain values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
"""CloudWatch Logs takes no other numbers (it takes longer times too, which no log of Darkroom is worth)."""

CHOICES: Mapping[str, tuple[object, ...]] = {
    "runtime": ("python3.13", "provided.al2023"),
    "architecture": ("arm64", "x86_64"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
    "mfa": ("off", "optional", "required"),
    "log_retention_days": LOG_RETENTION_DAYS,
}
MINIMUM = {"starter_max_concurrency": 2, "firewall_requests_per_address": 10, "monthly_budget_dollars": 0}
"""Below 2, SQS refuses the event source; below 10, WAF refuses the rule. Every other number must be at least 1."""
TOGETHER = (("slack_workspace", "slack_channel"), ("console_domain", "console_certificate"))
"""The one without the other means nothing."""


class SettingsError(ValueError):
    """`cdk.json` or `-c env=NAME` asks for something that does not exist."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One environment."""

    runtime: str
    """A managed Python on AWS; `provided.al2023` where the bundle brings its own way to start Python."""
    architecture: str
    retain_data: bool
    """Keep table, bucket, user pool and logs when the stack is deleted, and protect them from deletion."""
    point_in_time_recovery: bool
    """Restores the job table to any second of the last 35 days; billed by the table's size."""
    log_retention_days: int
    log_level: str
    tracing: bool
    """X-Ray at the gateway, in the functions and in the state machine; billed by the trace after the free ones."""
    customer_managed_key: bool
    """Encrypt rows, images, messages and logs with a key of one's own; billed by the month and by the use."""
    mfa: str
    """Second factor at sign-in, by an authenticator app."""
    max_upload_bytes: int
    job_retention_days: int
    """How long a job's row and artefacts are kept."""
    patience_seconds: int
    """How long an unfinished job may stand still before the reconciler looks at it."""
    upload_retention_days: int
    """How long an uploaded image is kept. It must outlive its jobs' redrives."""
    starter_max_concurrency: int
    """How many start_execution functions read the job queue at once."""
    requests_per_second: int
    """Of each call that only reads, cancels, redrives or deletes, every user together; `request_burst` above it."""
    request_burst: int
    submissions_per_second: int
    """Of each call that submits: an accepted job costs an execution, so they are the first that are slowed down."""
    submission_burst: int
    uploads_per_second: int
    """Of POST /uploads: each answer is leave to store one image."""
    upload_burst: int
    firewall: bool
    """AWS WAF in front of the API; billed by the month, by the rule and by the request."""
    firewall_requests_per_address: int
    """In five minutes. Many users may share an address."""
    labels: bool
    """Ask Amazon Rekognition about the pictures of jobs that want `labels`; billed by the picture, three times."""
    max_open_jobs: int
    """Unfinished jobs of one owner; one more is FAILED as TooManyJobs, and can be redriven when there is room."""
    alarms: bool
    """Alarms, the topics that they go to, and dashboards; each billed by the month, some five dollars in all."""
    runbooks_url: str
    """Of the page that alarms refer to: `docs/operations.md` where the people on call have read access to it."""
    page_email: str
    """Who is woken by what cannot wait; empty for nobody. AWS asks the address first whether it wants that."""
    ticket_email: str
    """Who is told of what can wait until the morning; empty for nobody."""
    slack_workspace: str
    """Id of a Slack workspace that the account's Amazon Q Developer in chat applications may use; empty for none."""
    slack_channel: str
    """Id of the channel in it that hears of all alarms; empty for none."""
    monthly_budget_dollars: int
    """What the whole account may cost in a month before AWS Budgets sends a ticket; 0 for no budget."""
    gradual_deployment: bool
    """New versions get a tenth of the work first, and go back by themselves when an alarm is on; needs `alarms`."""
    console: bool
    """The web page, by CloudFront: a stack of its own, billed by the request. The laptop serves it itself."""
    console_domain: str
    """The console's own host name, with a certificate for it; empty for one of cloudfront.net."""
    console_certificate: str
    """ARN of that certificate, which has to be in us-east-1; empty without `console_domain`."""

    @classmethod
    def from_context(cls, environments: object, name: str) -> "Settings":
        """Pick one of the context's `environments`. Raises SettingsError, which says what to correct."""
        if not isinstance(environments, Mapping) or not environments:
            raise SettingsError(
                "The context has no `environments`. They are in cdk.json, which only the `cdk` command reads."
            )
        if name not in environments:
            raise SettingsError(f"There is no environment {name!r}; cdk.json has: {', '.join(sorted(environments))}.")
        values = environments[name]
        if not isinstance(values, Mapping):
            raise SettingsError(f"Environment {name!r} in cdk.json must be an object of settings.")
        _check_names(name, values)
        for field in fields(cls):
            _check_value(name, field.name, field.type, values[field.name])
        for one, other in TOGETHER:
            if bool(values[one]) != bool(values[other]):
                raise SettingsError(f"Environment {name!r} needs both of {one} and {other}, or neither of them.")
        if values["gradual_deployment"] and not values["alarms"]:
            raise SettingsError(
                f"Environment {name!r} has gradual_deployment without alarms, which say that a new version is bad."
            )
        return cls(**values)


def _check_names(environment: str, values: Mapping[str, object]) -> None:
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(set(values) - known):
        raise SettingsError(
            f"Environment {environment!r} sets {', '.join(unknown)}: no such setting. "
            f"The settings are: {', '.join(sorted(known))}."
        )
    if missing := sorted(known - set(values)):
        raise SettingsError(f"Environment {environment!r} does not set: {', '.join(missing)}.")


def _check_value(environment: str, name: str, kind: object, value: object) -> None:
    where = f"Setting {name} of environment {environment!r}"
    if type(value) is not kind:  # isinstance would take true for 1
        raise SettingsError(f"{where} must be of type {getattr(kind, '__name__', kind)}, not {value!r}.")
    if name in CHOICES and value not in CHOICES[name]:
        raise SettingsError(f"{where} must be one of {', '.join(map(str, CHOICES[name]))}, not {value!r}.")
    if type(value) is int and value < MINIMUM.get(name, 1):
        raise SettingsError(f"{where} must be at least {MINIMUM.get(name, 1)}, not {value}.")
