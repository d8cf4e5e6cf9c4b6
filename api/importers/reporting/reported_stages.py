"""How the stages that source systems report fit the rules of the accord."""

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


@dataclass(frozen=True, slots=True)
class ReportedStages:
    """Reported stages that no rule reads, and sources that rules read and that reported none."""

    unread: tuple[UnreadStage, ...] = ()
    silent_sources: tuple[str, ...] = ()


NO_REPORTED_STAGES = ReportedStages()


async def compare_reported_stages(session: Session, accord: Accord) -> ReportedStages:
    """List the reported stages that no rule and no preset names, and the sources that reported nothing.

    Shapes: an accord -> stages, those of the most people first, and sources that rules name. Reads reported_stage.
    """
    named = [
        (leaf.reported.source, word)
        for stage in accord.stages
        for leaf in leaves(stage.rule)
        if isinstance(leaf, Reported)
        for word in leaf.reported.stage
    ]
    sources = [source for source, _ in named]
    rows = await session.rows(
        Sql(
            "select r.source, r.source_stage, count(distinct r.contact_id)::int as people from reported_stage r"
            " where r.stage is null and not exists ("
            "   select from unnest({}::text[], {}::text[]) n (source, word)"
            "   where n.source = r.source and n.word = r.source_stage)"
            " group by 1, 2 order by 3 desc, 1, 2",
            sources,
            [word for _, word in named],
        )
    )
    silent = await session.rows(
        Sql(
            "select distinct n.source from unnest({}::text[]) n (source)"
            " where not exists (select from reported_stage r where r.source = n.source) order by 1",
            sources,
        )
    )
    unread = tuple(UnreadStage(row["source"], row["source_stage"], row["people"]) for row in rows)
    return ReportedStages(unread, tuple(row["source"] for row in silent))
