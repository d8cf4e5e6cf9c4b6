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
class MissingStage:
    """A stage that a preset maps a source's stage to and that the accord does not have, and for how many people."""

    source: str
    stage: str
    mapped_to: str
    people: int


@dataclass(frozen=True, slots=True)
class ReportedStages:
    """Reported stages that no rule reads, stages that the accord lacks, and sources that reported none.

    `unread_source` is the source of the import if the rules read the reports of other sources only: those in
    `read_sources`.
    """

    unread: tuple[UnreadStage, ...] = ()
    missing: tuple[MissingStage, ...] = ()
    silent_sources: tuple[str, ...] = ()
    unread_source: str | None = None
    read_sources: tuple[str, ...] = ()


NO_REPORTED_STAGES = ReportedStages()


async def compare_reported_stages(session: Session, accord: Accord, source: str) -> ReportedStages:
    """List how the reports do not fit the accord: stages without a rule or in no accord, and sources without reports.

    Shapes: an accord and the source of an import -> stages, those of the most people first, and sources that rules
            name. Reads reported_stage.
    """
    named = [
        (leaf.reported.source, word)
        for stage in accord.stages
        for leaf in leaves(stage.rule)
        if isinstance(leaf, Reported)
        for word in leaf.reported.stage
    ]
    sources = [named_source for named_source, _ in named]
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
    read_sources = tuple(sorted(set(sources)))
    has_reports = await session.value(Sql("select exists (select from reported_stage where source = {})", source))
    is_unread = bool(has_reports and sources and source not in sources)
    return ReportedStages(
        unread=tuple(UnreadStage(row["source"], row["source_stage"], row["people"]) for row in rows),
        missing=await _missing_stages(session, accord),
        silent_sources=tuple(row["source"] for row in silent),
        unread_source=source if is_unread else None,
        read_sources=read_sources if is_unread else (),
    )


async def _missing_stages(session: Session, accord: Accord) -> tuple[MissingStage, ...]:
    """The stages that reports are mapped to and that the accord does not have."""
    rows = await session.rows(
        Sql(
            "select source, source_stage, stage, count(distinct contact_id)::int as people from reported_stage"
            " where stage <> all({}::text[]) group by 1, 2, 3 order by 4 desc, 1, 2, 3",
            [stage.key for stage in accord.stages],
        )
    )
    return tuple(MissingStage(row["source"], row["source_stage"], row["stage"], row["people"]) for row in rows)
