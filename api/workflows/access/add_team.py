"""Add a team."""

from dataclasses import dataclass

from api.workflows.outcome import Outcome
from api.workflows.records.record_input import RecordInput
from api.workflows.records.write_records import WriteOperation, write_records
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.tables import SHAPES
from schema.vocab import TeamKind

_TABLE = "team"


@dataclass(frozen=True, slots=True)
class AddTeam:
    """A new team."""

    name: str
    kind: TeamKind


async def add_team(work: UnitOfWork, do: AddTeam) -> Outcome:
    """Add a team, as `createTeam` does.

    Shapes: one AddTeam -> the id of the team. Writes team (1).
    Errors: NOT_ALLOWED; Rejected for a name that is not valid, or that another team has.
    """
    work.principal.require(Permission.EDIT_SETUP)
    row = RecordInput({"name": do.name, "kind": do.kind.value})
    [outcome] = await write_records(work, SHAPES[_TABLE], WriteOperation.CREATE, [row])
    work.errors += outcome.errors
    work.require_valid()
    return Outcome({_TABLE: outcome.record_id})
