"""The rows of a small company, with fixed ids: every kind of column, and records that no list shows.

Some of these are deleted, one contact is merged into another one, and one stage entry is of a past evaluation.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from api.db import WriteSession
from tests.support.accords import accord_row
from tests.support.graphql import put, uid

CREATED = datetime(2026, 1, 10, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 0, 0, 0, 500000, tzinfo=UTC)
TEAM, ANNA, BEN = uid(1), uid(11), uid(12)
ACME, GONE_COMPANY, BOLT = uid(21), uid(22), uid(23)
ADA, BOB, CARL, GONE_CONTACT, MERGED_CONTACT = uid(31), uid(32), uid(33), uid(34), uid(35)
SPRING = uid(41)
DEAL, LOST_DEAL, GONE_DEAL = uid(51), uid(52), uid(53)
VERSION, NOW, BEFORE = uid(61), uid(62), uid(63)


def row_of(**row: object) -> dict[str, object]:
    """Return a row with fixed creation and update times."""
    return {"created_at": CREATED, "updated_at": CREATED, **row}


def versioned_row(**row: object) -> dict[str, object]:
    """Return a row of a table with history, which begins when the row was created."""
    return row_of(effective_at=CREATED, **row)


async def write_small_company(session: WriteSession) -> None:
    """Insert all rows."""
    await put(session, "team", row_of(id=TEAM, name="Inbound", kind="MARKETING"))
    await put(
        session,
        "member",
        row_of(id=ANNA, name="Anna", email="anna@example.com", team_id=TEAM, role="SDR"),
        row_of(id=BEN, name="Ben", team_id=TEAM, manager_id=ANNA),
    )
    await put(
        session,
        "company",
        versioned_row(
            id=ACME, name="Acme", domain="acme.example", employees=12, annual_revenue=Decimal("1000.50"), currency="EUR"
        ),
        versioned_row(id=GONE_COMPANY, name="Gone GmbH", deleted_at=LATER, annual_revenue=Decimal(5)),
        versioned_row(id=BOLT, name="Bolt", parent_id=ACME, owner_id=ANNA, annual_revenue=Decimal(7), is_assumed=True),
    )
    await _contacts(session)
    await put(
        session,
        "campaign",
        row_of(
            id=SPRING,
            name="Spring",
            channel="EMAIL",
            starts_on=date(2026, 3, 1),
            budget=Decimal("99.90"),
            currency="EUR",
        ),
    )
    await _touchpoints(session)
    await _deals(session)
    await _stage_entries(session)


async def _contacts(session: WriteSession) -> None:
    await put(
        session,
        "contact",
        versioned_row(id=GONE_CONTACT, first_name="Gone", company_id=ACME, owner_id=ANNA, deleted_at=LATER),
        versioned_row(
            id=ADA,
            first_name="Ada",
            last_name="Stern",
            email="ada@acme.example",
            company_id=BOLT,
            owner_id=ANNA,
            lead_score=7,
        ),
        versioned_row(id=BOB, first_name="Bob", company_id=GONE_COMPANY, owner_id=ANNA, email_opt_out=True),
        versioned_row(id=CARL, first_name="Carl", company_id=ACME) | {"created_at": LATER},
        versioned_row(
            id=MERGED_CONTACT,
            first_name="Adda",
            last_name="Berg",
            company_id=ACME,
            owner_id=ANNA,
            lead_score=5,
            merged_into_id=ADA,
        ),
    )
    await _update_later(session, "contact", ADA, f"last_name = 'Berg', company_id = '{ACME}'")


async def _update_later(session: WriteSession, table: str, record: UUID, change: str) -> None:
    """Update a record at a later time, which adds a version to its history."""
    await session.script(f"update {table} set {change}, effective_at = '{LATER}' where id = '{record}'")


async def _touchpoints(session: WriteSession) -> None:
    touchpoints = [(71, ADA, 3), (72, ADA, 1), (73, ADA, 2), (74, BOB, 1), (75, GONE_CONTACT, 1)]
    for number, contact, day in touchpoints:
        moment = CREATED.replace(day=day)
        row = {"id": uid(number), "contact_id": contact, "occurred_at": moment, "recorded_at": moment, "kind": "FORM"}
        await put(
            session, "touchpoint", row | {"direction": "INBOUND", "campaign_id": SPRING, "duration_seconds": number}
        )


async def _deals(session: WriteSession) -> None:
    await put(
        session,
        "deal",
        versioned_row(
            id=DEAL,
            name="First",
            company_id=ACME,
            amount=Decimal("100.00"),
            currency="EUR",
            probability=Decimal("0.25"),
        ),
        versioned_row(id=LOST_DEAL, name="Second", company_id=GONE_COMPANY),
        versioned_row(id=GONE_DEAL, name="Third", company_id=ACME, deleted_at=LATER),
    )
    await _update_later(session, "deal", LOST_DEAL, f"outcome = 'LOST', closed_at = '{LATER}', lost_reason = 'price'")
    await put(
        session,
        "deal_contact",
        {"contact_id": ADA, "deal_id": DEAL, "role": "decides", "is_primary": True},
        {"contact_id": ADA, "deal_id": GONE_DEAL},
        {"contact_id": GONE_CONTACT, "deal_id": DEAL},
    )


async def _stage_entries(session: WriteSession) -> None:
    body = {
        "stages": [
            {"key": "lead", "title": "Lead", "group": "Suspect"},
            {"key": "mql", "title": "Marketing qualified lead"},
        ]
    }
    await put(session, "accord_version", accord_row(body, id=VERSION))
    run = row_of(reading="IN_FORCE", accord_version_id=VERSION, started_at=CREATED, finished_at=CREATED)
    await put(session, "evaluation", run | {"id": BEFORE}, run | {"id": NOW, "is_current": True})
    entry = {"contact_id": ADA, "accord_version_id": VERSION, "is_implied": False, "occurrence": 1, "cause": "FACTS"}
    left = {"exited_at": LATER, "exit_kind": "ADVANCED"}
    await put(
        session,
        "stage_entry",
        entry
        | {"evaluation_id": BEFORE, "stage": "mql", "rank": 2, "entered_at": CREATED, "occurrence": 9}
        | {"present_at": CREATED},
        entry | left | {"evaluation_id": NOW, "stage": "lead", "rank": 1, "entered_at": CREATED, "present_at": CREATED},
        entry
        | {"evaluation_id": NOW, "stage": "mql", "rank": 2, "entered_at": LATER, "own_at": LATER}
        | {"present_at": LATER},
    )


async def write_unevaluated_company(session: WriteSession) -> None:
    """Insert the company without its evaluation: its accord is no document that contacts could be evaluated by."""
    await write_small_company(session)
    await session.script("delete from stage_entry; delete from evaluation")
