"""Writes the reference's facts into a database, so that both evaluators judge the same ones."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from api.db import ScratchSession
from api.funnel.reference import CompanyHistories, ContactHistory, RecordVersion
from schema.base import new_id
from schema.vocab import DealOutcome
from tests.funnel.histories import CAMPAIGNS, NOBODYS, PIPELINES, START

_SPAN = ["valid_from", "valid_to", "recorded_at", "is_assumed"]


async def write_facts(
    session: ScratchSession, people: Sequence[ContactHistory], companies: CompanyHistories
) -> list[UUID]:
    """Write everything; the contacts' ids in the order of the people."""
    ids = [new_id() for _ in people]
    campaigns = {name: new_id() for name in CAMPAIGNS}
    await session.script("set local accord.history_is_given = on")
    await session.copy("campaign", ["id", "name"], [(key, name) for name, key in campaigns.items()])
    await session.copy("company", ["id", "name"], [(UUID(key), key) for key in (*companies, NOBODYS)])
    await session.copy("contact", ["id"], [(key,) for key in ids])
    await session.copy(
        "company_version",
        ["company_id", *_SPAN, "name", "industry", "annual_revenue"],
        [
            (UUID(key), *_span(each, is_first=number == 0), key, each.values["industry"], each.values["annual_revenue"])
            for key, rows in companies.items()
            for number, each in enumerate(rows)
        ],
    )
    await _write_contacts(session, ids, people)
    touches = [
        (
            key,
            new_id(),
            t.at,
            t.kind,
            t.direction,
            t.channel,
            t.team,
            t.outcome,
            campaigns[t.campaign] if t.campaign else None,
        )
        for key, each in zip(ids, people, strict=True)
        for t in each.touches
    ]
    columns = ["contact_id", "id", "occurred_at", "kind", "direction", "channel", "team_kind", "outcome", "campaign_id"]
    await session.copy("touchpoint", columns, touches)
    handoffs = [
        (key, new_id(), h.handed_at, h.decided_at, h.status, h.reject_reason)
        for key, each in zip(ids, people, strict=True)
        for h in each.handoffs
    ]
    columns = ["contact_id", "id", "handed_at", "decided_at", "status", "reject_reason"]
    await session.copy("handoff", columns, handoffs)
    await _write_deals(session, ids, people)
    await session.script("set local accord.history_is_given = off")
    return ids


async def _write_contacts(session: ScratchSession, ids: list[UUID], people: Sequence[ContactHistory]) -> None:
    rows = []
    for key, each in zip(ids, people, strict=True):
        for number, version in enumerate(each.versions):
            values = version.values
            company = UUID(str(values["company_id"])) if values["company_id"] else None
            fields = (values["email"], values["lead_score"], values["email_opt_out"], company)
            rows.append((key, *_span(version, is_first=number == 0), *fields, False, False, False))
    columns = ["email", "lead_score", "email_opt_out", "company_id", "do_not_call", "is_test", "is_internal"]
    await session.copy("contact_version", ["contact_id", *_SPAN, *columns], rows)


async def _write_deals(session: ScratchSession, ids: list[UUID], people: Sequence[ContactHistory]) -> None:
    pipelines = {name: new_id() for name in PIPELINES}
    # Two stages each: moving within a pipeline is no change of what a rule reads.
    stages = {(name, rank): new_id() for name in PIPELINES for rank in (1, 2)}
    await session.copy("pipeline", ["id", "name"], [(key, name) for name, key in pipelines.items()])
    await session.copy(
        "pipeline_stage",
        ["id", "pipeline_id", "name", "rank", "category"],
        [(key, pipelines[name], str(rank), rank, "OPEN") for (name, rank), key in stages.items()],
    )
    deals, versions, roles = [], [], []
    for key, each in zip(ids, people, strict=True):
        for role in each.roles:
            deal = new_id()
            deals.append((deal, DealOutcome.OPEN))
            roles.append((key, deal, role.since))
            for number, s in enumerate(role.states):
                stage = stages[s.pipeline, number % 2 + 1] if s.pipeline else None
                versions.append((deal, s.starts_at, s.ends_at, START, False, s.outcome, s.amount, stage))
    await session.copy("deal", ["id", "outcome"], deals)
    await session.copy("deal_contact", ["contact_id", "deal_id", "since"], roles)
    await session.copy("deal_version", ["deal_id", *_SPAN, "outcome", "amount", "pipeline_stage_id"], versions)


def _span(version: RecordVersion, *, is_first: bool) -> Iterable[datetime | bool | None]:
    """Write a first version undated now and then: it begins when it was recorded."""
    is_undated = is_first and version.starts_at.day % 3 == 0
    return None if is_undated else version.starts_at, version.ends_at, version.starts_at, False
