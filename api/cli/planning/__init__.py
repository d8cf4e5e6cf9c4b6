"""`accord plan`: what a revenue target asks for, and why the revenue of a period was not another one."""

from collections.abc import Mapping
from typing import ClassVar

from api.cli.lazy_command import LazyGroup


class PlanCommands(LazyGroup):
    """The commands of `accord plan`."""

    TARGETS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "revenue": (
            "Show what every stage and team owes for a revenue target.",
            "api.cli.planning.plan_commands:revenue",
        ),
        "variance": (
            "Split the change of revenue into volume, speed, win rate and size.",
            "api.cli.planning.plan_commands:variance",
        ),
    }
