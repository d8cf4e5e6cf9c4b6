"""A team of marketing, sales or revenue operations."""

from schema.base import Record, column
from schema.vocab import TeamKind


class Team(Record, table=True):
    """A team of marketing, sales or revenue operations."""

    name: str = column("What the team is called.", unique=True)
    kind: TeamKind = column("Which party the team belongs to.", vocab=TeamKind)
