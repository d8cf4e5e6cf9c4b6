"""`accord key`, `accord team` and `accord member`: credentials, teams, and what people may do."""

from collections.abc import Mapping
from typing import ClassVar

from api.cli.lazy_command import LazyGroup


class KeyCommands(LazyGroup):
    """The commands of `accord key`."""

    TARGETS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "create": ("Create an API key, and print its token, once.", "api.cli.access.key_commands:create"),
        "list": ("List the API keys, without their tokens.", "api.cli.access.key_commands:list_all"),
        "revoke": ("Revoke an API key: it ends at once, on every server.", "api.cli.access.key_commands:revoke"),
        "rotate": (
            "Make the successor of an API key, and print its token, once.",
            "api.cli.access.key_commands:rotate",
        ),
    }


class TeamCommands(LazyGroup):
    """The commands of `accord team`."""

    TARGETS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "add": ("Add a team of marketing, sales or revenue operations.", "api.cli.access.team_commands:add"),
        "list": ("List the teams.", "api.cli.access.team_commands:list_all"),
    }


class MemberCommands(LazyGroup):
    """The commands of `accord member`."""

    TARGETS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "add": ("Add a member: a person who works here.", "api.cli.access.member_commands:add"),
        "list": ("List the members, and what they may do.", "api.cli.access.member_commands:list_all"),
        "set": ("Set what a member may do when they sign in.", "api.cli.access.member_commands:set_access"),
        "sign-out": (
            "Sign a member out everywhere: their sessions end at once, their keys stay.",
            "api.cli.access.member_commands:sign_out",
        ),
        "deactivate": (
            "Deactivate a member who leaves: their keys and sessions end at once.",
            "api.cli.access.member_commands:deactivate",
        ),
    }
