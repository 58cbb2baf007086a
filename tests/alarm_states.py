"""CloudWatch's alarms, evaluated here: from what was measured, by the alarm's own definition, to its state.

As https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html has it, with one thing left out:
where data is missing, CloudWatch also looks at older points. Expressions are those that the alarms use: arithmetic,
comparisons, AND, IF and FILL.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Value = float | None
"""Of one period; None where there is no data."""


@dataclass(frozen=True, kw_only=True)
class Datum:
    """One measurement, of a metric that is known by namespace and name."""

    metric: str
    value: float
    at: float
    """Seconds after any beginning."""
    about: str = ""
    """Part of the metric's dimensions, where an alarm looks at several metrics of one name."""


_STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Sum": sum,
    "Maximum": max,
    "SampleCount": len,
    "Average": lambda values: sum(values) / len(values),
}
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_MISSING: Final = {"breaching": True, "notBreaching": False}
_OPERATORS: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def state(alarm: Mapping[str, Any], measured: Iterable[Datum], *, now: float, before: str = "OK") -> str:
    """Evaluate an alarm, as the template has it, at a time; `before` is the state that it is in."""
    data = list(measured)
    seen = [_value(alarm, data, now, number) for number in range(alarm["EvaluationPeriods"])]
    if all(value is None for value in seen) and alarm["TreatMissingData"] == "ignore":
        return before
    over = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = [
        _MISSING.get(alarm["TreatMissingData"], False) if value is None else over(value, alarm["Threshold"])
        for value in seen
    ]
    return "ALARM" if sum(breaching) >= alarm["DatapointsToAlarm"] else "OK"


def composite_state(rule: str, states: Mapping[str, str]) -> str:
    """Evaluate a rule of `ALARM("name")`s joined by OR, by the states of the alarms of these names."""
    named = re.findall(r'ALARM\("([^"]+)"\)', rule)
    assert re.sub(r'ALARM\("[^"]+"\)|OR|[() ]', "", rule) == "", f"No rule that this knows: {rule}"
    return "ALARM" if any(states[name] == "ALARM" for name in named) else "OK"


def _value(alarm: Mapping[str, Any], data: Sequence[Datum], now: float, number: int) -> Value:
    """What the alarm looks at, in a period: 0 is the last one that is over."""
    if "Metrics" not in alarm:
        end = now - number * alarm["Period"]
        return _measured(alarm, alarm["Statistic"], data, (end - alarm["Period"], end))
    (expression,) = (query["Expression"] for query in alarm["Metrics"] if "Expression" in query)
    values = {
        query["Id"]: _measured(stat["Metric"], stat["Stat"], data, (end - stat["Period"], end))
        for query in alarm["Metrics"]
        if (stat := query.get("MetricStat"))
        for end in (now - number * stat["Period"],)
    }
    filled = set(re.findall(r"FILL\((\w+),", expression))
    if all(value is None for value in values.values()):
        return None
    if any(value is None for name, value in values.items() if name not in filled):
        return None
    return float(_calculate(_parsed(expression), values))


def _measured(metric: Mapping[str, Any], statistic: str, data: Sequence[Datum], period: tuple[float, float]) -> Value:
    name = f"{metric['Namespace']}/{metric['MetricName']}"
    values = [
        datum.value
        for datum in data
        if datum.metric == name and period[0] <= datum.at < period[1] and datum.about in str(metric.get("Dimensions"))
    ]
    return _STATISTICS[statistic](values) if values else None


def _parsed(expression: str) -> ast.expr:
    return ast.parse(re.sub(r"\bAND\b", "and", expression), mode="eval").body


def _if(arguments: Sequence[ast.expr], values: Mapping[str, Value]) -> Any:
    condition, then, otherwise = arguments
    return _calculate(then if _calculate(condition, values) else otherwise, values)


def _fill(arguments: Sequence[ast.expr], values: Mapping[str, Value]) -> Any:
    name, instead = arguments
    value = _calculate(name, values)
    return _calculate(instead, values) if value is None else value


_FUNCTIONS: Final = {"IF": _if, "FILL": _fill}


def _calculate(node: ast.expr, values: Mapping[str, Value]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_calculate(left, values), _calculate(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _OPERATORS[type(op)](_calculate(left, values), _calculate(right, values))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_calculate(part, values) for part in parts)
        case ast.Call(func=ast.Name(id=function), args=arguments) if function in _FUNCTIONS:
            return _FUNCTIONS[function](arguments, values)
    raise ValueError(f"No expression that this knows: {ast.dump(node)}")
