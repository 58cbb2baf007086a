"""The queue, the function and the logs of a deployment, found on AWS by the profile and by options that outrank it."""

from dataclasses import replace

from darkroom.cli.desk import Desk
from darkroom.errors import ProfileError
from darkroom.job_logs import JobLogs
from darkroom.letter_queue import LetterQueue
from darkroom.operator_places import OperatorPlaces
from darkroom.profile import Profile
from darkroom.redriving import RedriveFunction


class OperatorDesk:
    """What an operator's command works with, beside its desk. Needs no sign-in to Darkroom: AWS decides who may."""

    def __init__(
        self,
        desk: Desk,
        profile: str | None,
        *,
        queue_url: str | None = None,
        function: str | None = None,
        stack: str | None = None,
    ) -> None:
        self._desk = desk
        chosen = Profile.find(profile)
        places = chosen.operator or OperatorPlaces()
        self._region = chosen.region
        self.places = replace(
            places,
            dead_letter_queue_url=queue_url or places.dead_letter_queue_url,
            redrive_function=function or places.redrive_function,
            stack=stack or places.stack,
        )
        if places.endpoint_url and not places.is_on_this_machine:
            desk.terminal.say(f"The profile sends this to {places.endpoint_url}, not to AWS.", style="yellow")

    def queue(self) -> LetterQueue:
        """Find the queue. Raises ProfileError, AwsSetupError."""
        url = self.places.dead_letter_queue_url
        if url is None:
            raise _unknown("the dead letters are", "--queue-url", "--dead-letter-queue-url", "DeadLetterQueueUrl")
        return LetterQueue(self._client("sqs"), url, warn=self._desk.terminal.say)

    def function(self) -> RedriveFunction:
        """Find the function that redrives. Raises ProfileError, AwsSetupError."""
        name = self.places.redrive_function
        if name is None:
            raise _unknown("redrives are asked for", "--function", "--redrive-function", "RedriveFunctionName")
        return RedriveFunction(self._client("lambda"), name)

    def logs(self) -> JobLogs:
        """Find the logs. Raises ProfileError, AwsError."""
        stack = self.places.stack
        if stack is None:
            raise ProfileError(
                "The profile does not say which stack it is. Name it by --stack, or keep it in the profile by "
                "--stack of `darkroom configure`."
            )
        return JobLogs(self._client("logs"), self._client("cloudformation"), stack)

    def _client(self, service: str) -> object:
        return self._desk.surroundings.aws_client(service, region=self._region, places=self.places)


def _unknown(what: str, option: str, configured: str, output: str) -> ProfileError:
    return ProfileError(
        f"The profile does not say where {what}. Give the stack's output {output} by {option}, or keep it in the "
        f"profile by {configured} of `darkroom configure`."
    )
