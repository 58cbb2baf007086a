"""The metrics that the functions write themselves, as alarms and dashboards name them.

A test holds these names to the module that writes them. What AWS's services measure anyway is taken from them.
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE: Final = "Darkroom"


def own(name: str, *, statistic: str, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    """Name one of our own metrics. `dimensions` in the words of the one who writes it: `Stage="palette"`."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        statistic=statistic,
        period=period,
        dimensions_map=dimensions or None,
    )
