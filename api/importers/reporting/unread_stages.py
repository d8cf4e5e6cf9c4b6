"""Stages that source systems report and the accord does not read: words that no rule names and no preset maps."""

from dataclasses import dataclass

from api.db import Session
from api.sql import Sql
from schema.accord import Accord
from schema.clauses.rules import Reported, leaves


@dataclass(frozen=True, slots=True)
class UnreadStage:
    """A stage as the source writes it, and how many people it was reported for."""

    source: str
    stage: str
    people: int


async def find_unread_stages(session: Session, accord: Accord) -> tuple[UnreadStage, ...]:
    """List the reported stages that no rule of the accord names and that the preset maps to no stage.

    Shapes: an accord -> stages, those of the most people first. Reads reported_stage.
    """
    named = [
        (leaf.reported.source, word)
        for stage in accord.stages
        for leaf in leaves(stage.rule)
        if isinstance(leaf, Reported)
        for word in leaf.reported.stage
    ]
    rows = await session.rows(
        Sql(
            "select r.source, r.source_stage, count(distinct r.contact_id)::int as people from reported_stage r"
            " where r.stage is null and not exists ("
            "   select from unnest({}::text[], {}::text[]) n (source, word)"
            "   where n.source = r.source and n.word = r.source_stage)"
            " group by 1, 2 order by 3 desc, 1, 2",
            [source for source, _ in named],
            [word for _, word in named],
        )
    )
    return tuple(UnreadStage(row["source"], row["source_stage"], row["people"]) for row in rows)
