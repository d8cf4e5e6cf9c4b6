"""A team of marketing, sales or revenue operations."""

from typing import ClassVar

from schema.access.rights import Permission
from schema.base import column
from schema.records import DeactivatableRecord
from schema.vocab import TeamKind


class Team(DeactivatableRecord, table=True):
    """A team of marketing, sales or revenue operations."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_SETUP

    name: str = column("The name of the team.", unique=True)
    kind: TeamKind = column("Whether the team is marketing, sales or revenue operations.", vocab=TeamKind)
