"""Who may use the API: a Cognito user pool, in which an operator makes the users."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from stacks.findings import accept

_MFA = {"off": cognito.Mfa.OFF, "optional": cognito.Mfa.OPTIONAL, "required": cognito.Mfa.REQUIRED}


class Identity(Construct):
    """Users sign in with their email address. Cognito bills by the user active in a month, after many free ones."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        mfa: str,
        removal_policy: RemovalPolicy,
        deletion_protection: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "UserPool",
            # Whoever can sign up can submit, and every job costs money.
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=_password_policy(),
            mfa=_MFA[mfa],
            # Text messages can be intercepted, and are billed one by one.
            mfa_second_factor=None if mfa == "off" else cognito.MfaSecondFactor(otp=True, sms=False),
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
        )
        accept(
            self.pool,
            {
                "AwsSolutions-COG2": "A setting: offered in production; a hindrance to trying things out.",
                "AwsSolutions-COG8": "The plus plan is billed by the user; operators make the users, who are known.",
            },
        )
        self.client = self.pool.add_client(
            "Client",
            # A command line cannot keep a secret.
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_password=True, user_srp=True),
            disable_o_auth=True,
            # The same answer for an unknown user as for a wrong password.
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.hours(1),
            access_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
        )


def _password_policy() -> cognito.PasswordPolicy:
    return cognito.PasswordPolicy(
        min_length=12,
        require_lowercase=True,
        require_uppercase=True,
        require_digits=True,
        require_symbols=True,
        temp_password_validity=Duration.days(3),
    )
