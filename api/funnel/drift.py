"""Drift: stored stage entries that differ from what the facts and the accord imply."""

from dataclasses import dataclass

from asyncpg import Record

from api.access.evaluation import is_current
from api.accord.in_force import accord_periods
from api.db import ScratchSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import derived_entries
from api.progress import Progress
from api.sql import Sql

_EXAMPLES = 3
# Contact, stage and occurrence identify an entry, and are what the two sides are joined by; the rest is compared.
_COMPARED = ("rank", "entered_at", "own_at", "exited_at", "exit_kind", "accord_version_id", "is_implied", "present_at")
# A full join: a row that only one side has is missing or extra. The window functions count before the limit applies.
_DIFFERENCES = f"""select contact_id, stage, occurrence, s.rank is null as is_missing, d.rank is null as is_extra,
  count(*) filter (where s.rank is null) over () as missing, count(*) filter (where d.rank is null) over () as extra,
  count(*) filter (where s.rank is not null and d.rank is not null) over () as changed
from (select * from stage_entry where evaluation_id = {{}}) s
full join ({{}}) d using (contact_id, stage, occurrence)
where ({", ".join(f"s.{column}" for column in _COMPARED)})
  is distinct from ({", ".join(f"d.{column}" for column in _COMPARED)})
order by contact_id, stage, occurrence limit {{}}"""


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """A check that found no drift, and the number of stored entries that it compared."""

    entries: int


async def check_entries(session: ScratchSession, progress: Progress | None = None) -> DriftCheck:
    """Compare the current evaluation with a rebuild by the same versions, as of the moment it started.

    Shapes: current evaluation -> number of compared entries. Writes nothing permanent.
    Errors: NOT_EVALUATED without a current evaluation; DRIFT with counts and examples if they differ.
    Source: api/README.md, "The evaluator": entries are derived, and a rebuild gives the same rows.
    """
    current = await session.row(
        Sql("select v.id, v.started_at, v.accord_version_id from evaluation v where {}", is_current("v"))
    )
    if current is None:
        message, remedy = "No contact has been evaluated by the accord yet.", "Run `accord evaluate`."
        raise AccordError(ErrorCode.NOT_EVALUATED, message, remedy)
    periods = await accord_periods(session, up_to=current["accord_version_id"])
    async with derived_entries(session, periods, current["started_at"], progress) as rebuilt:
        differences = await session.rows(Sql(_DIFFERENCES, current["id"], rebuilt, _EXAMPLES))
    if differences:
        raise _drift(differences)
    stored = Sql("select count(*) from stage_entry where evaluation_id = {}", current["id"])
    return DriftCheck(await session.value(stored))


def _drift(differences: list[Record]) -> AccordError:
    counts = ", ".join(f"{differences[0][key]:,} {key}" for key in ("missing", "extra", "changed"))
    examples = "; ".join(_example(row) for row in differences)
    message = f"The stored entries differ from a rebuild: {counts}. First differences: {examples}."
    return AccordError(ErrorCode.DRIFT, message, "Rebuild them with `accord evaluate`.")


def _example(row: Record) -> str:
    how = "is missing" if row["is_missing"] else "should not exist" if row["is_extra"] else "has other values"
    return f"contact_{row['contact_id']} {row['stage']} (entry {row['occurrence']}) {how}"
