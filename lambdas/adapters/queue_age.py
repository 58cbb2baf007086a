"""How long the oldest message of a queue has waited: SQS itself does not say, CloudWatch measures it once a minute."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lambdas.adapters.aws_errors import ClientError, translated
from lambdas.adapters.clients import client
from lambdas.jobs.errors import TransientError

_LOOK_BACK_SECONDS: Final = 600
_PERIOD_SECONDS: Final = 60


def oldest_seconds(queue_names: Sequence[str]) -> Mapping[str, int]:
    """Tell the last measurement by queue; what was not measured, or cannot be asked for, is left out."""
    now = int(time.time())
    try:
        with translated("Asking CloudWatch"):
            answer = client("cloudwatch").get_metric_data(
                StartTime=now - _LOOK_BACK_SECONDS,
                EndTime=now,
                ScanBy="TimestampDescending",
                MetricDataQueries=[_query(f"q{place}", name) for place, name in enumerate(queue_names)],
            )
    except (ClientError, TransientError):
        return {}
    results = {result["Id"]: result.get("Values", []) for result in answer.get("MetricDataResults", [])}
    values = {name: results.get(f"q{place}") for place, name in enumerate(queue_names)}
    return {name: int(found[0]) for name, found in values.items() if found}


def _query(identity: str, queue_name: str) -> dict[str, Any]:
    return {
        "Id": identity,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": queue_name}],
            },
            "Period": _PERIOD_SECONDS,
            "Stat": "Maximum",
        },
    }
