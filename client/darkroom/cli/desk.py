"""What every command works with: the terminal and a client. Made once by `main`, carried by Typer's context."""

from typing import Self

import typer

from darkroom.cli.terminal import Terminal
from darkroom.client import Client
from darkroom.surroundings import Surroundings


class Desk:
    """The things of one run of the command."""

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self.surroundings = surroundings or Surroundings()
        self.terminal = Terminal()

    @classmethod
    def of(cls, context: typer.Context, *, json: bool) -> Self:
        """Return the desk of this run, with stdout for a program when `json`."""
        desk = context.find_object(cls)
        if desk is None:  # the app was run by something other than `main`
            desk = cls()
        desk.terminal.json = json
        return desk

    def client(self, profile: str | None) -> Client:
        """Make a client of the profile, signed in. Raises ProfileError, SignInError, ConnectionLostError."""
        client = Client.from_profile(profile, surroundings=self.surroundings)
        client.check_signed_in()
        return client
