"""What a preview says of the duties of sales, counted by hand on a few people."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.db import Database, WriteSession
from api.funnel.evaluate import evaluate
from api.metrics.preview.figures import Preview, PreviewDuty
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id
from schema.vocab import TeamKind
from tests.metrics.test_preview_commitments import FORM, accord, day
from tests.support.graphql import put, uid
from tests.support.previews import add_draft, preview_of

Row = Mapping[str, Any]
NOON = timedelta(hours=12)
HOUR = timedelta(hours=1)
OFFICE = {
    "key": "office",
    "title": "Office hours",
    "hours": [{"days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"], "opens": "09:00", "closes": "17:00"}],
}
REASONS = [{"code": "FIT", "label": "No fit", "disposition": "RECYCLE", "fault": "MARKETING"}]
SALES = {
    "decide_within": {"time": "8 hours", "calendar": "office"},
    "first_touch_within": "2 days",
    "attempts": {"at_least": 2, "within": "3 days"},
    "reject_with": ["REASON", "NOTE"],
}
# On which days of March a person sent forms. One is enough for version 1, the draft wants two. The 2nd is a Monday.
FORMS = {
    "ann": (2, 3),
    "bob": (2, 3),
    "cy": (2,),
    "di": (9, 10),
    "ed": (2, 3),
    "flo": (2, 3),
    "gus": (16, 17),
    "hal": (30, 31),
    "ida": (2, 3),
}
IDS = {name: uid(number) for number, name in enumerate(FORMS, start=11)}
# Who is handed over at noon of which day, what sales decides, and how long after that.
HANDED: tuple[tuple[str, int, str, timedelta | None, Row], ...] = (
    # 23 hours, of which the office was open for seven.
    ("ann", 3, "ACCEPTED", timedelta(hours=23), {}),
    ("bob", 3, "REJECTED", timedelta(days=2), {"reject_reason": "FIT", "note": " "}),
    ("cy", 2, "ACCEPTED", HOUR, {}),
    # Before the draft counts di.
    ("di", 9, "PROPOSED", None, {}),
    ("ed", 3, "RETURNED", HOUR, {}),
    ("ed", 5, "ACCEPTED", HOUR, {}),
    ("gus", 17, "REJECTED", HOUR, {"reject_reason": "FIT", "note": "A student."}),
    # Whose time is not over yet.
    ("hal", 31, "PROPOSED", None, {}),
    ("ida", 3, "REJECTED", HOUR, {"reject_reason": "NEVER_AGREED", "note": "No."}),
)
CALL = {"kind": "CALL", "direction": "OUTBOUND", "channel": "PHONE", "team_kind": "SALES", "outcome": "NO_ANSWER"}
MAIL = {**CALL, "kind": "EMAIL_SENT", "channel": "EMAIL", "outcome": None}
# Who is touched at noon of which day, and how.
TOUCHES: tuple[tuple[str, int, Row], ...] = (
    ("ann", 4, CALL),
    ("ann", 6, MAIL),
    ("bob", 6, CALL),  # after the rejection
    # None of these is a touch of sales by hand.
    ("cy", 3, {**MAIL, "is_automated": True}),
    ("cy", 3, {**MAIL, "team_kind": "MARKETING"}),
    ("cy", 3, {**MAIL, "voided_at": day(3)}),
    # Cy calls back: sales reached cy, and owes no more attempts.
    ("cy", 4, {**CALL, "direction": "INBOUND", "outcome": "CONNECTED"}),
    ("cy", 6, CALL),
    ("ed", 4, CALL),  # before the handoff that counts
    ("ed", 5, CALL),  # the first touch, before the acceptance
    ("ed", 6, CALL),  # the first attempt
    ("ed", 6, {**CALL, "team_kind": "MARKETING"}),
    ("ed", 9, CALL),
)


async def write_people(session: WriteSession) -> None:
    for name, days in FORMS.items():
        await put(session, "contact", {"id": IDS[name], "effective_at": day(0)})
        for number in days:
            form = {"id": new_id(), "contact_id": IDS[name], "occurred_at": day(number), **FORM}
            await put(session, "touchpoint", form)
    for name, number, status, later, decision in HANDED:
        handed_at = day(number) + NOON
        decided_at = None if later is None else handed_at + later
        handoff = {"id": new_id(), "contact_id": IDS[name], "handed_at": handed_at, "status": status}
        await put(session, "handoff", {**handoff, "decided_at": decided_at, **decision})
    for name, number, touch in TOUCHES:
        at = day(number) + NOON
        await put(session, "touchpoint", {"id": new_id(), "contact_id": IDS[name], "occurred_at": at, **touch})


@pytest.fixture
async def loaded(database: Database) -> Database:
    async with database.write() as session:
        await adopt_accord(session, accord(1, reject_reasons=REASONS))
        await write_people(session)
        await evaluate(session)
        draft = accord(2, calendars=[OFFICE], reject_reasons=REASONS, handoff={"sales": SALES})
        await add_draft(session, draft)
    return database


async def march(database: Database, first: str = "2026-03-01", before: str = "2026-04-01") -> Preview:
    return await preview_of(database, first, before, now="2026-04-01")


def measured(preview: Preview) -> dict[str, tuple[int | None, Decimal | None, int | None, Decimal | None]]:
    return {
        _field(duty): (duty.due_before, duty.value_before, duty.due_after, duty.value_after) for duty in preview.duties
    }


def _field(duty: PreviewDuty) -> str:
    return duty.clause.removeprefix("handoff.sales.")


COUNTED = {
    # All but bob, and di before; hal has time left, flo was never handed over.
    "decide_within": (7, Decimal("0.714286"), 5, Decimal("0.8")),
    # Of ann, cy, di and ed, ann and ed; the draft counts these two. Whom sales rejected before that, it owes no touch.
    "first_touch_within": (4, Decimal("0.5"), 2, Decimal(1)),
    # Of ann, cy and ed all but ed; the draft does not count cy.
    "attempts": (3, Decimal("0.666667"), 2, Decimal("0.5")),
    # Of bob, gus and ida, gus.
    "reject_with": (3, Decimal("0.333333"), 3, Decimal("0.333333")),
}


async def test_duties_of_sales_are_measured_by_the_people_of_both_versions(loaded: Database) -> None:
    found = await march(loaded)
    assert measured(found) == COUNTED
    assert {(duty.team, duty.owed) for duty in found.duties} == {(TeamKind.SALES, Decimal(1))}
    assert [duty.title for duty in found.duties] == [
        "Sales decides on a handoff at most 8 hours of the opening time of Office hours after it.",
        "Sales touches a person by hand for the first time at most 2 days after the handoff.",
        "Sales tries at least 2 times to reach an accepted person, at most 3 days after it accepted.",
        "Sales rejects a handoff with a reason of this accord and a note.",
    ]


async def test_a_duty_of_sales_without_people_has_no_value(loaded: Database) -> None:
    found = await march(loaded, "2026-01-01", "2026-02-01")
    assert measured(found) == dict.fromkeys(COUNTED, (0, None, 0, None))


async def test_handoffs_and_touches_of_a_merged_contact_are_those_of_the_survivor(loaded: Database) -> None:
    async with loaded.write() as session:
        merged = uid(30)
        await put(session, "contact", {"id": merged, "effective_at": day(0), "merged_into_id": IDS["ann"]})
        for table in ("handoff", "touchpoint"):
            kept = "" if table == "handoff" else " and direction = 'OUTBOUND'"
            await session.script(
                f"set local accord.history_is_given = on; update {table} set contact_id = '{merged}'"
                f" where contact_id = '{IDS['ann']}'{kept}; set local accord.history_is_given = off"
            )
        await evaluate(session)
    assert measured(await march(loaded)) == COUNTED


async def test_the_stage_of_the_handover_is_the_one_below_those_of_sales(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, accord(1, reject_reasons=REASONS))
        await write_people(session)
        await evaluate(session)
        draft = accord(2, reject_reasons=REASONS, handoff={"sales": {"decide_within": "8 hours"}})
        only_sales = tuple(stage.model_copy(update={"owner": TeamKind.SALES}) for stage in draft.stages)
        await add_draft(session, draft.model_copy(update={"stages": only_sales}))
    found = measured(await march(database))
    # Without a stage below, nobody is handed over. Version 1 is measured by 8 hours too: those of the clock,
    # which are over for hal too. Cy, ed, gus and ida were decided on in an hour.
    assert found["decide_within"] == (8, Decimal("0.5"), 0, None)


async def test_a_reason_of_the_version_in_force_is_one(loaded: Database) -> None:
    async with loaded.write() as session:
        await session.run(Sql("update handoff set note = 'Why.' where status = 'REJECTED'"))
        others = [{**REASONS[0], "code": "OTHER"}]
        await add_draft(session, accord(2, reject_reasons=others, handoff={"sales": {}}), number=3)
    found = await preview_of(loaded, "2026-03-01", "2026-04-01", version=3, now="2026-04-01")
    # Bob and gus have it; ida has one that no version ever had.
    assert measured(found) == {"reject_with": (3, Decimal("0.666667"), 3, Decimal("0.666667"))}
