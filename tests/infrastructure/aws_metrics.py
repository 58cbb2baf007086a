"""What AWS's services measure: names and dimensions of the metrics that alarms and dashboards take from them.

From the services' own lists, as of 2026-11:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from typing import Final

_QUEUE: Final = frozenset({"QueueName"})
_FUNCTION: Final = frozenset({"FunctionName"})
_ACCOUNT: Final[frozenset[str]] = frozenset()
_MACHINE: Final = frozenset({"StateMachineArn"})
_API: Final = frozenset({"ApiName"})
_TABLE: Final = frozenset({"TableName"})
_CALL: Final = frozenset({"TableName", "Operation"})

_NONE: Final[frozenset[str]] = frozenset()
_STAGE: Final = frozenset({"Stage"})

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
        "Errors": {_FUNCTION, _ACCOUNT},
        "Invocations": {_FUNCTION, _ACCOUNT},
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
    "Darkroom": {
        **{name: {_NONE} for name in ("JobsAccepted", "JobsStarted", "JobFaults", "JobsStuck", "JobCost")},
        **{name: {_NONE} for name in ("TimeQueued", "TimeToFirstProgress", "EndToEndTime")},
        **{name: {_NONE} for name in ("DuplicatesAbsorbed", "Redrives", "Cancels", "EventsFailed")},
        "JobsEnded": {frozenset({"Status"})},
        "DeadLetters": {_NONE, frozenset({"ErrorClass"})},
        "ReconcilerActions": {frozenset({"Action"})},
        **{name: {_STAGE} for name in ("StageDuration", "StageRetries")},
        "StageTimeouts": {_STAGE, _NONE},
    },
}
