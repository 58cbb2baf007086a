"""docs/capacity.md: the tables in it are what the model says now."""

import json
import re

from laptop.capacity import page
from laptop.capacity.quotas import table
from laptop.page_blocks import filled
from laptop.places import ROOT
from stacks.settings import Settings

TEXT = page.PAGE.read_text()
ENVIRONMENTS = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]


def test_table_of_limits_is_the_models() -> None:
    assert filled(TEXT, {"limits": page.limits()}) == TEXT


def test_table_of_quotas_is_the_codes() -> None:
    assert table(Settings.from_context(ENVIRONMENTS, "prod")) in TEXT


def test_variables_of_the_command_are_those_of_the_makefile() -> None:
    (recipe,) = re.findall(r"^capacity:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    known = set(re.findall(r"\$\((?:or \$\()?([A-Z]+)", recipe)) - {"BIN"}
    used = set(re.findall(r"\b([A-Z]+)=", " ".join(re.findall(r"^make capacity (.*)$", TEXT, re.MULTILINE))))
    assert used <= known
