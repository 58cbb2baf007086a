"""A monthly budget of the account: told before the money is spent, not after."""

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct

SPENT_PERCENT = 80
"""Of the budget, spent: there is time to look before it is used up."""
FORECAST_PERCENT = 100
"""Of the budget, as AWS expects the month to end: it has enough data to say so after five weeks."""


class Budget(Construct):
    """Counts the whole account, for it needs no tag that somebody forgets to activate. The first two cost nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, dollars: int, topic: sns.Topic) -> None:
        super().__init__(scope, construct_id)
        listener = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)
        budget = budgets.CfnBudget(
            self,
            "Monthly",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"{name}-monthly",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=dollars, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[listener],
                )
                for kind, percent in (("ACTUAL", SPENT_PERCENT), ("FORECASTED", FORECAST_PERCENT))
            ],
        )
        # AWS Budgets tries whether it may publish when the budget is made.
        budget.node.add_dependency(topic)
