"""A team of marketing, sales or revenue operations."""

from schema.base import Record, column
from schema.vocab import TeamKind


class Team(Record, table=True):
    """A team of marketing, sales or revenue operations."""

    name: str = column("The name of the team.", unique=True)
    kind: TeamKind = column("Whether the team is marketing, sales or revenue operations.", vocab=TeamKind)
