"""What a database holds: the facts by which example queries are chosen."""

from dataclasses import dataclass
from datetime import date

from api.access.evaluation import CURRENT_EVALUATION
from api.accord.in_force import active_version
from api.db import ReadSession
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class AvailableData:
    """The preset of the last import, the stages of the accord in force, and the last day a contact entered the first.

    All fields are empty for an empty database.
    """

    preset: str | None = None
    stages: tuple[str, ...] = ()
    until: date | None = None


async def available_data(session: ReadSession) -> AvailableData:
    """Read what the database holds.

    Shapes: one database -> one AvailableData. Reads at most three statements, each of one row.
    """
    preset = await session.value(Sql("select preset from import_job order by finished_at desc, id desc limit 1"))
    version = await active_version(session)
    stages = tuple(stage.key for stage in version.accord.stages) if version else ()
    until = None
    if stages:
        until = await session.value(
            # One look at the end of the index on (evaluation, stage, entered_at), however large the table is.
            Sql(
                "select max(e.entered_at)::date from stage_entry e where e.evaluation_id = {} and e.stage = {}",
                CURRENT_EVALUATION,
                stages[0],
            )
        )
    return AvailableData(preset, stages, until)
