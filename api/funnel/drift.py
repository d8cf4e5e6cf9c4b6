"""Whether the stored entries are what the facts and the accord imply: a rebuild beside them, and a comparison."""

from dataclasses import dataclass

from asyncpg import Record

from api.access.evaluation import is_current
from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import derived
from api.progress import Progress
from api.sql import Sql
from schema.accord import Accord

_EXAMPLES = 3
_COMPARED = ("rank", "entered_at", "own_at", "exited_at", "exit_kind", "is_implied")
_DIFFERENCES = f"""select contact_id, stage, occurrence, s.rank is null as is_missing, d.rank is null as is_extra,
  count(*) filter (where s.rank is null) over () as missing, count(*) filter (where d.rank is null) over () as extra,
  count(*) filter (where s.rank is not null and d.rank is not null) over () as changed
from (select * from stage_entry where evaluation_id = {{}}) s
full join ({{}}) d using (contact_id, stage, occurrence)
where ({", ".join(f"s.{each}" for each in _COMPARED)}) is distinct from ({", ".join(f"d.{each}" for each in _COMPARED)})
order by contact_id, stage, occurrence limit {{}}"""


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """Stored entries that equal a rebuild."""

    entries: int


async def check_entries(session: WriteSession, progress: Progress | None = None) -> DriftCheck:
    """Compare the current evaluation with a rebuild of it, as of the moment it began; nothing is written.

    Errors: NOT_EVALUATED if there is none; DRIFT with counts and examples if they differ.
    """
    current = await session.row(
        Sql(
            "select e.id, e.started_at, v.body from evaluation e join accord_version v on v.id = e.accord_version_id"
            " where {}",
            is_current("e"),
        )
    )
    if current is None:
        message, remedy = "Nobody has been judged by the accord yet.", "Run `accord evaluate`."
        raise AccordError(ErrorCode.NOT_EVALUATED, message, remedy)
    accord = Accord.model_validate(current["body"])
    async with derived(session, accord, current["started_at"], progress) as rebuilt:
        found = await session.rows(Sql(_DIFFERENCES, current["id"], rebuilt, _EXAMPLES))
    if found:
        raise _drift(found)
    stored = Sql("select count(*) from stage_entry where evaluation_id = {}", current["id"])
    return DriftCheck(await session.value(stored))


def _drift(found: list[Record]) -> AccordError:
    counts = ", ".join(f"{found[0][key]:,} {key}" for key in ("missing", "extra", "changed"))
    examples = "; ".join(_example(row) for row in found)
    message = f"The stored entries differ from a rebuild: {counts}. First ones: {examples}."
    return AccordError(ErrorCode.DRIFT, message, "Rebuild them with `accord evaluate`.")


def _example(row: Record) -> str:
    how = "is missing" if row["is_missing"] else "should not be there" if row["is_extra"] else "has other values"
    return f"contact_{row['contact_id']} {row['stage']} (entry {row['occurrence']}) {how}"
