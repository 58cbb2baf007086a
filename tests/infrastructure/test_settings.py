"""What `cdk.json` may say, and what is answered when it says something else."""

from typing import Any

import pytest

from stacks.settings import Settings, SettingsError


@pytest.fixture
def one(environments: dict[str, Any]) -> dict[str, Any]:
    return {"dev": dict(environments["dev"])}


def test_every_environment_is_readable(environments: dict[str, Any]) -> None:
    assert {"dev", "prod", "laptop"} <= set(environments)
    for name in environments:
        assert Settings.from_context(environments, name)


def test_unknown_environment_names_those_that_exist(environments: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"no environment 'production'; cdk.json has: dev, laptop, prod"):
        Settings.from_context(environments, "production")


@pytest.mark.parametrize("environments", [None, {}, "dev"])
def test_context_without_environments_says_where_they_are(environments: object) -> None:
    with pytest.raises(SettingsError, match=r"cdk\.json"):
        Settings.from_context(environments, "dev")


@pytest.mark.parametrize("name", ["console_domain", "console_certificate"])
def test_domain_without_its_certificate_is_refused(one: dict[str, Any], name: str) -> None:
    one["dev"][name] = "something"
    with pytest.raises(SettingsError, match="needs both of console_domain and console_certificate"):
        Settings.from_context(one, "dev")


def test_missing_setting_is_named(one: dict[str, Any]) -> None:
    del one["dev"]["log_level"]
    with pytest.raises(SettingsError, match=r"'dev' does not set: log_level"):
        Settings.from_context(one, "dev")


def test_unknown_setting_is_named(one: dict[str, Any]) -> None:
    one["dev"]["log_levle"] = "INFO"
    with pytest.raises(SettingsError, match=r"log_levle: no such setting"):
        Settings.from_context(one, "dev")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("retain_data", "false", "type bool"),
        ("tracing", 1, "type bool"),
        ("request_burst", True, "type int"),
        ("requests_per_second", 0, "at least 1"),
        ("starter_max_concurrency", 1, "at least 2"),
        ("log_retention_days", 8, "one of 1, 3, 5, 7"),
        ("architecture", "arm", "one of arm64, x86_64"),
        ("mfa", "sms", "one of off, optional, required"),
    ],
)
def test_wrong_value_is_refused(one: dict[str, Any], name: str, value: object, complaint: str) -> None:
    one["dev"][name] = value
    with pytest.raises(SettingsError, match=complaint) as caught:
        Settings.from_context(one, "dev")
    assert name in str(caught.value)
