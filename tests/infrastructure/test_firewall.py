"""The firewall in front of the API, where the settings have one."""

from typing import Any

import pytest

from tests.infrastructure.templates import Resources


@pytest.fixture
def acl(prod: Resources) -> dict[str, Any]:
    return prod.named("Firewall", "AWS::WAFv2::WebACL")


def test_firewall_is_where_the_settings_have_it(templates: dict[str, Any], environments: dict[str, Any]) -> None:
    for name, settings in environments.items():
        kinds = {resource["Type"] for resource in templates[name]["Resources"].values()}
        assert ("AWS::WAFv2::WebACL" in kinds) == ("AWS::WAFv2::WebACLAssociation" in kinds) == settings["firewall"]
    assert environments["prod"]["firewall"] is True


def test_firewall_stands_before_the_stage(prod: Resources) -> None:
    association = prod.named("Firewall", "AWS::WAFv2::WebACLAssociation")
    assert "ApiRestApi" in str(association["ResourceArn"])
    assert "/stages/" in str(association["ResourceArn"])
    assert association["WebACLArn"]["Fn::GetAtt"][0].startswith("FirewallAcl")


def test_firewall_has_a_rate_rule_that_blocks(acl: dict[str, Any], environments: dict[str, Any]) -> None:
    (rule,) = [rule for rule in acl["Rules"] if "RateBasedStatement" in rule["Statement"]]
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": environments["prod"]["firewall_requests_per_address"],
    }


def test_firewall_takes_the_managed_rules_with_their_own_actions(acl: dict[str, Any]) -> None:
    groups = {
        rule["Name"]: rule["Statement"]["ManagedRuleGroupStatement"]
        for rule in acl["Rules"]
        if "ManagedRuleGroupStatement" in rule["Statement"]
    }
    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= groups.keys()
    for rule in acl["Rules"]:
        assert rule.get("OverrideAction", {"None": {}}) == {"None": {}}
    for group in groups.values():
        # Bodies are held to a schema by the gateway; everything else keeps the action that AWS gives it.
        assert all(each["Name"].endswith("_BODY") for each in group.get("RuleActionOverrides", []))


def test_firewall_keeps_no_samples_of_requests(acl: dict[str, Any]) -> None:
    for part in (acl, *acl["Rules"]):
        assert part["VisibilityConfig"]["SampledRequestsEnabled"] is False
        assert part["VisibilityConfig"]["CloudWatchMetricsEnabled"] is True
    assert len({rule["Priority"] for rule in acl["Rules"]}) == len(acl["Rules"])
