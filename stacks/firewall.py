"""The firewall in front of the API: rules that AWS keeps up to date, and a limit for each address."""

from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

SECONDS_COUNTED = 300
MANAGED: dict[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    # Bodies are held to a schema by the gateway, and tags are their owner's own words, which nothing interprets: to
    # refuse a tag with `../` or `<b>` in it would protect nobody.
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "EC2MetaDataSSRF_BODY",
    ),
}
"""AWS's groups of rules, cheapest first, each with those of its rules that only count."""


_Rule = tuple[str, waf.CfnWebACL.StatementProperty, dict[str, Any]]
"""Name, what it looks at, and its action, which rules and groups of rules call differently."""


class Firewall(Construct):
    """Billed by the month for itself and each of its four rules, and by the request."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: apigateway.Stage, requests_per_address: int
    ) -> None:
        """`requests_per_address` are those of one IP address in five minutes; the rest are answered 403."""
        super().__init__(scope, construct_id)
        rules = [_limit(requests_per_address), *(_managed(name, counting) for name, counting in MANAGED.items())]
        self.acl = waf.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("All"),
            rules=[
                waf.CfnWebACL.RuleProperty(
                    name=name,
                    priority=priority,
                    statement=statement,
                    visibility_config=_visible(name),
                    **action,
                )
                for priority, (name, statement, action) in enumerate(rules)
            ],
        )
        waf.CfnWebACLAssociation(self, "Association", resource_arn=stage.stage_arn, web_acl_arn=self.acl.attr_arn)


def _limit(requests_per_address: int) -> _Rule:
    """Block an address that asks too often, until it has slowed down."""
    statement = waf.CfnWebACL.StatementProperty(
        rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP", limit=requests_per_address, evaluation_window_sec=SECONDS_COUNTED
        )
    )
    return "RequestsPerAddress", statement, {"action": waf.CfnWebACL.RuleActionProperty(block={})}


def _managed(name: str, counting: tuple[str, ...]) -> _Rule:
    """Take over a group of rules with the actions that it has, but for some rules."""
    statement = waf.CfnWebACL.StatementProperty(
        managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS",
            name=name,
            rule_action_overrides=[
                waf.CfnWebACL.RuleActionOverrideProperty(
                    name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
                )
                for rule in counting
            ],
        )
    )
    return name, statement, {"override_action": waf.CfnWebACL.OverrideActionProperty(none={})}


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    # No samples: they would hold headers, and so tokens.
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
