"""What AWS's services measure: names and dimensions of the metrics that alarms and dashboards take from them.

From the services' own lists, as of 2026-11:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from typing import Final

from lambdas.jobs.measures import METRICS as OURS
from lambdas.jobs.measures import NAMESPACE

_QUEUE: Final = frozenset({"QueueName"})
_FUNCTION: Final = frozenset({"FunctionName"})
_VERSION: Final = frozenset({"FunctionName", "Resource"})
_VERSION_BY_ALIAS: Final = frozenset({"FunctionName", "Resource", "ExecutedVersion"})
_ACCOUNT: Final[frozenset[str]] = frozenset()
_MACHINE: Final = frozenset({"StateMachineArn"})
_API: Final = frozenset({"ApiName"})
_TABLE: Final = frozenset({"TableName"})
_CALL: Final = frozenset({"TableName", "Operation"})

METRICS: Final[dict[str, dict[str, set[frozenset[str]]]]] = {
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage": {_QUEUE},
        "ApproximateNumberOfMessagesNotVisible": {_QUEUE},
        "ApproximateNumberOfMessagesVisible": {_QUEUE},
        "NumberOfMessagesDeleted": {_QUEUE},
    },
    "AWS/Lambda": {
        "ConcurrentExecutions": {_FUNCTION, _ACCOUNT},
        "Duration": {_FUNCTION, _ACCOUNT},
        "Errors": {_FUNCTION, _ACCOUNT, _VERSION, _VERSION_BY_ALIAS},
        "Invocations": {_FUNCTION, _ACCOUNT, _VERSION, _VERSION_BY_ALIAS},
        "IteratorAge": {_FUNCTION},
        "Throttles": {_FUNCTION, _ACCOUNT},
    },
    "AWS/States": {
        "ExecutionThrottled": {_MACHINE},
        "ExecutionsAborted": {_MACHINE},
        "ExecutionsFailed": {_MACHINE},
        "ExecutionsStarted": {_MACHINE},
        "ExecutionsSucceeded": {_MACHINE},
        "ExecutionsTimedOut": {_MACHINE},
    },
    "AWS/ApiGateway": {
        "4XXError": {_API},
        "5XXError": {_API},
        "Count": {_API},
        "Latency": {_API},
    },
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits": {_TABLE},
        "ConsumedWriteCapacityUnits": {_TABLE},
        "ReadThrottleEvents": {_TABLE},
        "SuccessfulRequestLatency": {_CALL},
        "WriteThrottleEvents": {_TABLE},
    },
    NAMESPACE: {name.value: set(map(frozenset, metric.dimensions)) for name, metric in OURS.items()},
}
