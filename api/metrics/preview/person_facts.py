"""The facts of a few people as the reference evaluator takes them, read for the reasons in a list of people."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg

from api.db import Session
from api.funnel.reference_facts import (
    CompanyHistories,
    ContactHistory,
    DealRole,
    DealState,
    HandoffFact,
    RecordVersion,
    ReportFact,
    TouchFact,
)
from api.identity.survivors import survivors
from api.sql import Sql
from schema.base import Table
from schema.history import kept_columns
from schema.tables.company import Company
from schema.tables.contact import Contact
from schema.vocab import Channel, DealOutcome, Direction, HandoffStatus, TeamKind, TouchKind, TouchOutcome

Rows = Mapping[UUID, list[asyncpg.Record]]


async def read_facts(session: Session, ids: Sequence[UUID]) -> tuple[Mapping[UUID, ContactHistory], CompanyHistories]:
    """Read everything that rules can read about some people. The facts of merged contacts are their survivors'.

    Shapes: n ids -> {id: ContactHistory}, and the versions of their companies. Reads eight statements.
    """
    merged = await session.rows(
        Sql("select * from ({}) s where s.survivor_id = any({}::uuid[])", survivors(Sql("true")), list(ids))
    )
    survivor = {row["contact_id"]: row["survivor_id"] for row in merged}
    everybody = [*ids, *survivor]

    async def of_people(statement: Sql) -> Rows:
        found: dict[UUID, list[asyncpg.Record]] = {}
        for row in await session.rows(statement):
            found.setdefault(survivor.get(row["contact_id"], row["contact_id"]), []).append(row)
        return found

    versions = await of_people(_versions("contact", everybody, Contact))
    touches = await of_people(
        Sql(
            "select t.*, c.name as campaign from touchpoint t left join campaign c on c.id = t.campaign_id"
            " where t.contact_id = any({}::uuid[]) and t.voided_at is null",
            everybody,
        )
    )
    handoffs = await of_people(Sql("select * from handoff where contact_id = any({}::uuid[])", everybody))
    roles = await of_people(
        Sql(
            "select r.contact_id, r.deal_id, r.since from deal_contact r join deal d on d.id = r.deal_id"
            " where r.contact_id = any({}::uuid[]) and r.voided_at is null and d.deleted_at is null",
            everybody,
        )
    )
    reports = await of_people(
        Sql(
            "select contact_id, coalesce(entered_at, recorded_at) as at, source, source_stage from reported_stage"
            " where contact_id = any({}::uuid[])",
            everybody,
        )
    )
    states = await _deal_states(session, {row["deal_id"] for rows in roles.values() for row in rows})
    employers = {row["company_id"] for rows in versions.values() for row in rows if row["company_id"] is not None}
    companies: dict[str, list[RecordVersion]] = {}
    for row in await session.rows(_versions("company", sorted(employers), Company)):
        companies.setdefault(str(row["company_id"]), []).append(_version(row))
    found = {
        id_: ContactHistory(
            versions=tuple(map(_version, versions.get(id_, ()))),
            touches=tuple(map(_touch, touches.get(id_, ()))),
            handoffs=tuple(map(_handoff, handoffs.get(id_, ()))),
            roles=tuple(DealRole(states.get(row["deal_id"], ()), row["since"]) for row in roles.get(id_, ())),
            reports=tuple(ReportFact(row["at"], row["source"], row["source_stage"]) for row in reports.get(id_, ())),
        )
        for id_ in ids
    }
    return found, {key: tuple(rows) for key, rows in companies.items()}


def _versions(table: str, ids: Sequence[UUID], model: type[Table]) -> Sql:
    columns = ", ".join(sorted(kept_columns(model)))
    return Sql(
        f"select {table}_id, coalesce(valid_from, recorded_at) as starts_at, valid_to as ends_at, {columns}"
        f" from {table}_version where {table}_id = any({{}}::uuid[])"
        " and coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity') order by 2",
        list(ids),
    )


def _version(row: asyncpg.Record) -> RecordVersion:
    return RecordVersion(row["starts_at"], row["ends_at"], dict(row.items()))


def _touch(row: asyncpg.Record) -> TouchFact:
    return TouchFact(
        at=row["occurred_at"],
        kind=TouchKind[row["kind"]],
        direction=Direction[row["direction"]],
        channel=None if row["channel"] is None else Channel[row["channel"]],
        team=None if row["team_kind"] is None else TeamKind[row["team_kind"]],
        campaign=row["campaign"],
        outcome=None if row["outcome"] is None else TouchOutcome[row["outcome"]],
    )


def _handoff(row: asyncpg.Record) -> HandoffFact:
    return HandoffFact(row["handed_at"], row["decided_at"], HandoffStatus[row["status"]], row["reject_reason"])


async def _deal_states(session: Session, ids: Iterable[UUID]) -> Mapping[UUID, tuple[DealState, ...]]:
    rows = await session.rows(
        Sql(
            "select v.deal_id, coalesce(v.valid_from, v.recorded_at) as starts_at, v.valid_to, v.outcome, v.amount,"
            " p.name as pipeline from deal_version v left join pipeline_stage s on s.id = v.pipeline_stage_id"
            " left join pipeline p on p.id = s.pipeline_id where v.deal_id = any({}::uuid[])"
            " and coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity') order by 2",
            list(ids),
        )
    )
    found: dict[UUID, list[DealState]] = {}
    for row in rows:
        state = DealState(
            row["starts_at"], row["valid_to"], DealOutcome[row["outcome"]], row["amount"], row["pipeline"]
        )
        found.setdefault(row["deal_id"], []).append(state)
    return {id_: tuple(states) for id_, states in found.items()}
