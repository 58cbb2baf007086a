"""Which calls X-Ray records: every submission, so that each job has its one trace; of the others, the usual few."""

from aws_cdk import aws_xray as xray
from constructs import Construct

METHODS = {"PUT": "*/jobs/*", "POST": "*/jobs"}
"""Of the calls that submit, with their paths."""
FIRST_PRIORITY = 8_000
"""Before X-Ray's own rule, which has 10,000, and behind whatever else an account may have."""


class Sampling(Construct):
    """Rules of the whole account and region, for this API alone. X-Ray bills by the trace: five dollars a million."""

    def __init__(self, scope: Construct, construct_id: str, *, api_name: str) -> None:
        """The rules are named after the API, by whose name X-Ray knows it; they may have 32 characters."""
        super().__init__(scope, construct_id)
        for number, (method, path) in enumerate(METHODS.items()):
            xray.CfnSamplingRule(
                self,
                method.title(),
                sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
                    rule_name=f"{api_name}-{method.lower()}-jobs",
                    priority=FIRST_PRIORITY + number,
                    version=1,
                    service_type="AWS::ApiGateway::Stage",
                    service_name=f"{api_name}/*",
                    http_method=method,
                    url_path=path,
                    host="*",
                    resource_arn="*",
                    fixed_rate=1.0,
                    reservoir_size=0,
                ),
            )
