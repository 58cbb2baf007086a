"""The CDK app: `-c env=NAME` picks the settings in `cdk.json`; they make one stack. Must not call AWS."""

import sys
from pathlib import Path

import aws_cdk as cdk

from stacks import bundling
from stacks.bundling import BundlingError, Packages
from stacks.console import ConsoleStack
from stacks.darkroom_stack import DarkroomStack
from stacks.openapi import Contract
from stacks.settings import Settings, SettingsError

ROOT = Path(__file__).resolve().parent
DEFAULT_ENVIRONMENT = "dev"


def settings_of(app: cdk.App, name: str) -> Settings:
    """Read an environment's settings. Raises SettingsError."""
    return Settings.from_context(app.node.try_get_context("environments"), name)


def packages_for(settings: Settings) -> Packages:
    """Pack the functions for where they will run. Raises BundlingError."""
    if settings.runtime.startswith("provided"):
        return bundling.pack(ROOT, bundling.host())
    return bundling.pack(ROOT, bundling.managed(settings.runtime, settings.architecture))


def add_stack(app: cdk.App, name: str, settings: Settings, packages: Packages) -> DarkroomStack:
    """Add one environment's stack to the app. `-c at_once=true` is for a deployment that mends what is broken."""
    stack = DarkroomStack(
        app,
        f"Darkroom-{name}",
        settings=settings,
        packages=packages,
        contract=Contract((ROOT / "openapi.yaml").read_text()),
        definition=(ROOT / "statemachine" / "image_analysis.asl.json").read_text(),
        at_once=app.node.try_get_context("at_once") == "true",
    )
    for warning in packages.warnings:
        cdk.Annotations.of(stack).add_warning_v2("darkroom:bundling", warning)
    return stack


def add_console(app: cdk.App, name: str, settings: Settings, darkroom: DarkroomStack) -> ConsoleStack | None:
    """Add the stack of one environment's console, where the settings have one."""
    if not settings.console:
        return None
    return ConsoleStack(
        app,
        f"Darkroom-{name}-console",
        folder=ROOT / "console",
        behind=darkroom.behind_the_console(),
        surroundings=darkroom.surroundings(name),
        domain=settings.console_domain,
        certificate=settings.console_certificate,
        log_retention_days=settings.log_retention_days,
    )


def main() -> None:
    """Synthesize the environment that was asked for."""
    app = cdk.App(analytics_reporting=False)
    name = app.node.try_get_context("env") or DEFAULT_ENVIRONMENT
    try:
        settings = settings_of(app, name)
        darkroom = add_stack(app, name, settings, packages_for(settings))
        add_console(app, name, settings, darkroom)
    except (SettingsError, BundlingError) as error:
        sys.exit(f"Darkroom: {error}")
    app.synth()


if __name__ == "__main__":
    main()
