"""What signing in has to ask a person, at the terminal; the environment answers where there is none."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import typer

from darkroom.challenges import AuthenticatorRequired, Challenge, CodeRequired, authenticator_uri, in_groups
from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.terminal import Terminal
from darkroom.errors import AnswerRefusedError
from darkroom.sign_in import UserPool
from darkroom.tokens import Tokens

Answered = TypeVar("Answered")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing to ask for. `variable` None is for what cannot be known beforehand."""

    what: str
    variable: str | None = None
    words: tuple[str, ...] = ()
    """Lines that are said before it."""
    is_secret: bool = False
    is_repeated: bool = False

    @property
    def given(self) -> str | None:
        """The environment's answer."""
        return os.environ.get(self.variable) or None if self.variable else None


USERNAME = Question(what="User name", variable="DARKROOM_USERNAME")
PASSWORD = Question(what="Password", variable="DARKROOM_PASSWORD", is_secret=True)
NEW_PASSWORD = Question(
    what="New password",
    variable="DARKROOM_NEW_PASSWORD",
    words=("This is your first sign-in: choose a password of your own.",),
    is_secret=True,
    is_repeated=True,
)
CODE = Question(what="Code of the authenticator app", variable="DARKROOM_CODE")


def first_code(secret: str, account: str) -> Question:
    """Make the question for the first code of an app that is given this secret."""
    words = (
        "Add an account to your authenticator app, with this key:",
        f"  {in_groups(secret)}",
        "or by this address, if the app takes one:",
        f"  {authenticator_uri(secret, account)}",
        "Whoever has the key can make your codes: keep it nowhere else.",
    )
    return Question(what="Code that the app shows", words=words)


def tokens_of(terminal: Terminal, pool: UserPool, step: Tokens | Challenge, account: str) -> Tokens:
    """Answer what the pool asks for, one thing after the other, until it gives tokens. Raises SignInRefusedError."""
    while not isinstance(step, Tokens):
        step = _answered(terminal, pool, step, account)
    return step


def _answered(terminal: Terminal, pool: UserPool, challenge: Challenge, account: str) -> Tokens | Challenge:
    return ask_until_taken(terminal, _question(challenge, account), lambda given: pool.answer(challenge, given))


def _question(challenge: Challenge, account: str) -> Question:
    if isinstance(challenge, AuthenticatorRequired):
        return first_code(challenge.secret, account)
    return CODE if isinstance(challenge, CodeRequired) else NEW_PASSWORD


def ask_until_taken(terminal: Terminal, question: Question, take: Callable[[str], Answered]) -> Answered:
    """Hand on the environment's answer, or a person's, who may try until one is taken."""
    if question.given:
        return take(question.given)
    need_terminal(question.what, question.variable)
    for line in question.words:
        terminal.say(line)
    while True:
        try:
            return take(ask(question))
        except AnswerRefusedError as error:
            terminal.fail(error)


def ask(question: Question) -> str:
    """Return the environment's answer, or ask for one; Ctrl-C ends the command."""
    if question.given:
        return question.given
    need_terminal(question.what, question.variable)
    try:
        answer = typer.prompt(
            question.what, hide_input=question.is_secret, confirmation_prompt=question.is_repeated, err=True
        )
    except typer.Abort as abort:
        raise typer.Exit(ExitCode.DETACHED) from abort
    return str(answer)


def need_terminal(what: str, variable: str | None = None) -> None:
    """Refuse to go on without one: before a secret is shown, which would be in the log of whatever runs this."""
    if not sys.stdin.isatty():
        todo = f"set {variable}" if variable else "an authenticator app is set up at one, or in the console"
        raise typer.BadParameter(f"there is no terminal to ask on; {todo}.", param_hint=what)
