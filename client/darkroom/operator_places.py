"""Where the operators' commands find a deployment on AWS: the optional member `operator` of a profile."""

from dataclasses import asdict, dataclass

import httpx

from darkroom.addresses import checked_address, is_loopback
from darkroom.errors import ProfileError

_MEMBERS = {
    "deadLetterQueueUrl": "dead_letter_queue_url",
    "redriveFunction": "redrive_function",
    "stack": "stack",
    "endpointUrl": "endpoint_url",
}


@dataclass(frozen=True, kw_only=True)
class OperatorPlaces:
    """What a profile says to operators. False when it says nothing."""

    dead_letter_queue_url: str | None = None
    redrive_function: str | None = None
    """Its name or ARN."""
    stack: str | None = None
    """Name of the stack, by which its logs are found."""
    endpoint_url: str | None = None
    """Of an emulator; None is AWS itself."""

    @classmethod
    def of(
        cls,
        *,
        dead_letter_queue_url: str | None = None,
        redrive_function: str | None = None,
        stack: str | None = None,
        endpoint_url: str | None = None,
    ) -> "OperatorPlaces":
        """Make them of their parts. Raises ProfileError for an endpoint on another machine that is not HTTPS."""
        return cls(
            dead_letter_queue_url=dead_letter_queue_url or None,
            redrive_function=redrive_function or None,
            stack=stack or None,
            endpoint_url=checked_address(endpoint_url, "operator.endpointUrl") if endpoint_url else None,
        )

    @classmethod
    def parse(cls, document: object) -> "OperatorPlaces":
        """Read the member of a profile file. Raises ProfileError."""
        if not isinstance(document, dict):
            raise ProfileError("The profile's `operator` is no object; `darkroom configure` writes it anew.")
        parts = {theirs: document[theirs] for theirs in _MEMBERS if document.get(theirs) is not None}
        for name, value in parts.items():
            if not isinstance(value, str):
                raise ProfileError(f"The profile's `operator` has a `{name}` that is no text.")
        return cls.of(**{_MEMBERS[theirs]: value for theirs, value in parts.items()})

    def document(self) -> dict[str, str]:
        """Lay them out as the profile file has them."""
        return {theirs: asdict(self)[ours] for theirs, ours in _MEMBERS.items() if asdict(self)[ours] is not None}

    def __bool__(self) -> bool:
        """Tell whether anything is said."""
        return bool(self.document())

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the endpoint is an emulator here, which wants no real credentials."""
        return self.endpoint_url is not None and is_loopback(httpx.URL(self.endpoint_url).host)
