"""The saved queries: what they ask about is what the functions and the gateway write."""

import json
import re
from typing import Any

import pytest
from darkroom.job_logs import source_of
from darkroom.log_lines import ACCESS_LOG as ACCESS_LOG_LINES

from stacks.api import ACCESS_LOG
from stacks.queries import OF_FUNCTIONS, OF_THE_GATEWAY, Query
from tests.emulator.test_logs import FIELDS
from tests.infrastructure.conftest import ROOT
from tests.infrastructure.templates import Resources

FUNCTION = "AWS::Lambda::Function"
OF_INSIGHTS = {"@timestamp", "@log"}
WORDS = {
    *("fields", "filter", "sort", "limit", "stats", "by", "as", "in", "not", "and", "or", "asc", "desc"),
    *("ispresent", "count", "count_distinct", "latest", "pct", "max"),
}
LANGUAGE = {title: query for queries in (OF_FUNCTIONS, OF_THE_GATEWAY) for title, query in queries.items()}


def fields_of(query: Query) -> set[str]:
    """Every name in a query that is neither the language's nor one that it gives itself."""
    bare = re.sub(r'"[^"]*"', "", query.text)
    given = set(re.findall(r"\bas (\w+)", bare))
    return set(re.findall(r"@?[A-Za-z]\w*", bare)) - WORDS - given


@pytest.mark.parametrize("title", OF_FUNCTIONS)
def test_query_to_the_functions_asks_for_what_they_log(title: str) -> None:
    assert fields_of(OF_FUNCTIONS[title]) <= FIELDS | OF_INSIGHTS


@pytest.mark.parametrize("title", OF_THE_GATEWAY)
def test_query_to_the_gateway_asks_for_what_it_logs(title: str) -> None:
    assert fields_of(OF_THE_GATEWAY[title]) <= ACCESS_LOG.keys() | OF_INSIGHTS


def test_messages_that_are_asked_for_are_written() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "lambdas" / "handlers").glob("*.py"))
    for query in OF_FUNCTIONS.values():
        for messages in re.findall(r"message (?:=|in) (.+)", query.text):
            for message in re.findall(r'"([^"]+)"', messages):
                assert f'"{message}"' in code


def test_every_query_is_saved_over_all_logs_that_it_is_about(templates: dict[str, Any]) -> None:
    template = Resources(templates["prod"])
    saved = template.of_type("AWS::Logs::QueryDefinition")
    assert {query["Name"].partition("/")[2] for query in saved.values()} == LANGUAGE.keys()
    functions = template.of_type(FUNCTION)
    for query in saved.values():
        title = query["Name"].partition("/")[2]
        assert query["QueryString"] == LANGUAGE[title].text
        groups = {group["Ref"] for group in query["LogGroupNames"]}
        wanted = {json.dumps(function["LoggingConfig"]["LogGroup"]) for function in functions.values()}
        if title in OF_FUNCTIONS:
            assert {json.dumps({"Ref": group}) for group in groups} == wanted
        else:
            assert len(groups) == 1
            assert groups.pop().startswith("ApiAccessLog")


def test_page_for_those_on_call_tells_of_every_query() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for title in LANGUAGE:
        assert f"`{title}`" in page


def test_darkroom_logs_knows_the_log_of_every_function_of_the_gateway_and_of_the_machine(template: Resources) -> None:
    functions = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in template.of_type(FUNCTION).values()}
    (stage,) = template.of_type("AWS::ApiGateway::Stage").values()
    gateway = stage["AccessLogSetting"]["DestinationArn"]["Fn::GetAtt"][0]
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine").values()
    (destination,) = machine["LoggingConfiguration"]["Destinations"]
    workflow = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]

    sources = {name: source_of(name) for name in template.of_type("AWS::Logs::LogGroup")}
    known = {name for name, source in sources.items() if source}
    assert known == functions | {gateway, workflow}
    assert len({sources[name] for name in known}) == len(known)
    assert sources[gateway] == ACCESS_LOG_LINES
