"""Every alarm has its section in the runbook, and everything that is typed there exists."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name
from darkroom.cli import app as darkroom

from tests.infrastructure.templates import Resources
from tests.infrastructure.test_alarms import alarms
from tests.runbooks import Section, commands, sections

BUDGET = "budget"
"""No alarm of CloudWatch, but told on the same topic."""
OF_EVERY_AWS_COMMAND = {"--query", "--output", "--max-items"}
TOOLS = {"date", "echo", "python3", "read", "rm"}
"""What every machine with bash and this project has."""
SECTIONS = sections()
TYPED = [
    pytest.param(words, id=f"{section.anchor}: {' '.join(words)[:60]}")
    for section in SECTIONS
    for block in section.typed
    for words in commands(block)
]
AWS = botocore.session.get_session()


def section(anchor: str) -> Section:
    (found,) = (one for one in SECTIONS if one.anchor == anchor)
    return found


def test_every_alarm_has_its_section_and_every_section_its_alarm(prod: Resources) -> None:
    told = {one.anchor.removeprefix("alarm-") for one in SECTIONS if one.anchor.startswith("alarm-")}
    assert told == {*alarms(prod), BUDGET}


def test_every_section_says_what_it_means_what_to_type_and_when_it_is_over(prod: Resources) -> None:
    for name in {*alarms(prod), BUDGET}:
        told = section(f"alarm-{name}")
        assert told.text.strip().startswith("It means that"), name
        assert "It is over" in told.text, name
        assert told.typed, name


def test_table_of_alarms_has_them_all_with_their_severity(prod: Resources) -> None:
    rows = re.findall(r"^\| (`.+?`) \| (page|ticket) \|", section("alarms").text, re.MULTILINE)
    told = {name: severity for names, severity in rows for name in re.findall(r"`([\w-]+)`", names)}
    found = {name: re.findall(r"^\[(\w+)\]", alarm["AlarmDescription"])[0] for name, alarm in alarms(prod).items()}
    assert told == {**found, BUDGET: "ticket"}


def test_every_link_within_the_page_leads_somewhere() -> None:
    anchors = [one.anchor for one in SECTIONS]
    assert len(set(anchors)) == len(anchors)
    linked = {anchor for one in SECTIONS for anchor in re.findall(r"\]\(#([\w-]+)\)", one.text)}
    assert linked - set(anchors) == set()


@pytest.mark.parametrize("words", TYPED)
def test_what_is_typed_exists(words: list[str], prod: Resources) -> None:
    program = words[0]
    if re.match(r"\w+=", program) or program.endswith("()") or program in TOOLS or words[1:2] == ["in"]:
        return
    assert program in CHECKS, f"{program} is no command that this test knows"
    CHECKS[program](words[1:], prod)


def check_aws(words: list[str], _template: Resources) -> None:
    service, action, *rest = words
    model = AWS.get_service_model(service)
    if action == "wait":
        waiter = {xform_name(name, "-"): name for name in AWS.get_waiter_model(service).waiter_names}[rest.pop(0)]
        operation = model.operation_model(AWS.get_waiter_model(service).get_waiter(waiter).operation)
    else:
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert action in operations, f"{service} has no {action}"
        operation = model.operation_model(operations[action])
    assert operation.input_shape is not None
    parameters = {f"--{xform_name(name, '-')}": shape for name, shape in operation.input_shape.members.items()}
    parameters |= {
        name.replace("--", "--no-", 1): shape for name, shape in parameters.items() if shape.type_name == "boolean"
    }
    given = {word for word in rest if word.startswith("--")}
    assert given - parameters.keys() - OF_EVERY_AWS_COMMAND == set()
    required = {f"--{xform_name(name, '-')}" for name in operation.input_shape.required_members}
    assert required - given == set()


def check_darkroom(words: list[str], _template: Resources) -> None:
    command: Any = typer.main.get_command(darkroom)
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("--")} - options == set()


def check_resource(words: list[str], template: Resources) -> None:
    kind, beginning = words
    if beginning == "Functions$1":  # of `complaints`, whose own uses are checked
        return
    found = [name for name in template.of_type(kind) if name.startswith(beginning)]
    assert len(found) == 1, f"{len(found)} of {kind} begin with {beginning}"


def check_output(words: list[str], template: Resources) -> None:
    (name,) = words
    assert name in template.template["Outputs"]


def check_complaints(words: list[str], template: Resources) -> None:
    (function,) = words
    check_resource(["AWS::Logs::LogGroup", f"Functions{function}"], template)


CHECKS = {
    "aws": check_aws,
    "darkroom": check_darkroom,
    "resource": check_resource,
    "output": check_output,
    "complaints": check_complaints,
}


def broken() -> Iterator[Any]:
    """Commands as somebody might get them wrong."""
    for line in (
        "aws sqs purge-queues --queue-url X",
        "aws sqs purge-queue --queue X",
        "aws sqs purge-queue",
        "darkroom dlq list --newer 1h",
        "resource AWS::SQS::Queue Nothing",
        "output QueueUrl",
        "complaints Starter",
    ):
        yield pytest.param(line.split(), id=line)


@pytest.mark.parametrize("words", list(broken()))
def test_what_does_not_exist_is_noticed(words: list[str], prod: Resources) -> None:
    with pytest.raises(AssertionError):
        CHECKS[words[0]](words[1:], prod)
