"""Writes generated facts to a database, so that both evaluators read the same ones."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from api.db import ScratchSession
from api.funnel.reference_facts import CompanyHistories, ContactHistory, RecordVersion
from schema.base import new_id
from schema.vocab import DealOutcome
from tests.funnel.histories import CAMPAIGNS, PIPELINES, START, WITHOUT_VERSIONS

_SPAN = ["valid_from", "valid_to", "recorded_at", "is_assumed"]


async def write_facts(
    session: ScratchSession, contacts: Sequence[ContactHistory], companies: CompanyHistories
) -> list[UUID]:
    """Write all facts; the ids of the contacts, in their order."""
    ids = [new_id() for _ in contacts]
    campaigns = {name: new_id() for name in CAMPAIGNS}
    await session.script("set local accord.history_is_given = on")
    await session.copy("campaign", ["id", "name"], [(key, name) for name, key in campaigns.items()])
    await session.copy("company", ["id", "name"], [(UUID(key), key) for key in (*companies, WITHOUT_VERSIONS)])
    await session.copy("contact", ["id"], [(key,) for key in ids])
    await session.copy(
        "company_version",
        ["company_id", *_SPAN, "name", "industry", "annual_revenue"],
        [
            (UUID(key), *_span(row, is_first=number == 0), key, row.values["industry"], row.values["annual_revenue"])
            for key, rows in companies.items()
            for number, row in enumerate(rows)
        ],
    )
    await _write_contacts(session, ids, contacts)
    touches = [
        (
            key,
            new_id(),
            touch.at,
            touch.kind,
            touch.direction,
            touch.channel,
            touch.team,
            touch.outcome,
            campaigns[touch.campaign] if touch.campaign else None,
        )
        for key, contact in zip(ids, contacts, strict=True)
        for touch in contact.touches
    ]
    columns = ["contact_id", "id", "occurred_at", "kind", "direction", "channel", "team_kind", "outcome", "campaign_id"]
    await session.copy("touchpoint", columns, touches)
    handoffs = [
        (key, new_id(), handoff.handed_at, handoff.decided_at, handoff.status, handoff.reject_reason)
        for key, contact in zip(ids, contacts, strict=True)
        for handoff in contact.handoffs
    ]
    columns = ["contact_id", "id", "handed_at", "decided_at", "status", "reject_reason"]
    await session.copy("handoff", columns, handoffs)
    await _write_deals(session, ids, contacts)
    await _write_reports(session, ids, contacts)
    await session.script("set local accord.history_is_given = off")
    return ids


async def _write_contacts(session: ScratchSession, ids: list[UUID], contacts: Sequence[ContactHistory]) -> None:
    rows = []
    for key, contact in zip(ids, contacts, strict=True):
        for number, version in enumerate(contact.versions):
            values = version.values
            company = UUID(str(values["company_id"])) if values["company_id"] else None
            fields = (values["email"], values.get("job_title"), values["lead_score"], values["email_opt_out"], company)
            rows.append((key, *_span(version, is_first=number == 0), *fields, False, False, False))
    columns = [
        "email",
        "job_title",
        "lead_score",
        "email_opt_out",
        "company_id",
        "do_not_call",
        "is_test",
        "is_internal",
    ]
    await session.copy("contact_version", ["contact_id", *_SPAN, *columns], rows)


async def _write_deals(session: ScratchSession, ids: list[UUID], contacts: Sequence[ContactHistory]) -> None:
    pipelines = {name: new_id() for name in PIPELINES}
    # Two stages in each pipeline: a move between them is a version row, but no change of a value that a rule reads.
    stages = {(name, rank): new_id() for name in PIPELINES for rank in (1, 2)}
    await session.copy("pipeline", ["id", "name"], [(key, name) for name, key in pipelines.items()])
    await session.copy(
        "pipeline_stage",
        ["id", "pipeline_id", "name", "rank", "category"],
        [(key, pipelines[name], str(rank), rank, "OPEN") for (name, rank), key in stages.items()],
    )
    deals, versions, roles = [], [], []
    for key, contact in zip(ids, contacts, strict=True):
        for role in contact.roles:
            deal = new_id()
            deals.append((deal, DealOutcome.OPEN))
            roles.append((key, deal, role.since))
            for number, state in enumerate(role.states):
                stage = stages[state.pipeline, number % 2 + 1] if state.pipeline else None
                span = state.starts_at, state.ends_at, START, False
                versions.append((deal, *span, state.outcome, state.amount, stage))
    await session.copy("deal", ["id", "outcome"], deals)
    await session.copy("deal_contact", ["contact_id", "deal_id", "since"], roles)
    await session.copy("deal_version", ["deal_id", *_SPAN, "outcome", "amount", "pipeline_stage_id"], versions)


async def _write_reports(session: ScratchSession, ids: list[UUID], contacts: Sequence[ContactHistory]) -> None:
    """Write the reports; the date of some is unknown, and they count from the instant at which they were stored."""
    reports = [
        (key, new_id(), report.source, report.stage, None if report.at.day % 3 == 0 else report.at, report.at)
        for key, contact in zip(ids, contacts, strict=True)
        for report in contact.reports
    ]
    columns = ["contact_id", "id", "source", "source_stage", "entered_at", "recorded_at"]
    await session.copy("reported_stage", columns, reports)


def _span(version: RecordVersion, *, is_first: bool) -> Iterable[datetime | bool | None]:
    """The span of a version row; the start of some first rows is unknown, and they begin when they were recorded."""
    is_undated = is_first and version.starts_at.day % 3 == 0
    return None if is_undated else version.starts_at, version.ends_at, version.starts_at, False
