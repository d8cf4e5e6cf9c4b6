"""What a preview says about targets, duties, money, sellers and history, checked by hand on a few people."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.db import Database, WriteSession
from api.funnel.evaluate import evaluate
from api.metrics.preview.figures import Preview
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.accord_vocab import PreviewCoverage, StageChange
from schema.base import new_id
from tests.support.commands import run_command
from tests.support.graphql import put, uid
from tests.support.previews import add_draft, preview_of, stage_of

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
SELLERS = {"Sam": uid(1), "Sue": uid(2)}
FORM = {"kind": "FORM", "direction": "INBOUND", "channel": "WEBSITE", "team_kind": "MARKETING"}
# Whose people have a title; how many forms they sent, from which day of March on.
PEOPLE = {
    "ann": ("Sam", "CEO", 1, 1),
    "bob": ("Sam", None, 2, 2),
    "cy": ("Sue", "CTO", 3, 9),
    "di": (None, "CEO", 1, 20),
}
IDS = {name: uid(number) for number, name in enumerate(PEOPLE, start=11)}


def day(number: float) -> datetime:
    return MARCH + timedelta(days=number - 1)


def accord(forms: int, *extra: dict[str, Any], **sections: Any) -> Accord:  # noqa: ANN401 - sections of a document
    touched = {"touches": {"kind": "FORM", "at_least": forms}}
    stages = [
        {"key": "lead", "title": "Lead", "owner": "MARKETING", "rule": {"all": []}},
        {"key": "mql", "title": "MQL", "owner": "MARKETING", "rule": touched, "needs": ["contact.job_title"]},
        *extra,
        {"key": "won", "title": "Won", "owner": "SALES", "rule": {"deal": {"state": "WON"}}},
    ]
    return Accord.model_validate(
        {
            "title": "t",
            "stages": [{"group": "g", "meaning": "m", **stage} for stage in stages],
            "reporting": {"timezone": "UTC", "currency": "EUR"},
            **sections,
        }
    )


async def write_people(session: WriteSession) -> None:
    for name, id_ in SELLERS.items():
        await put(session, "member", {"id": id_, "name": name, "email": f"{name}@firm.example"})
    for name, (seller, title, forms, first) in PEOPLE.items():
        owner = None if seller is None else SELLERS[seller]
        person = {"id": IDS[name], "job_title": title, "owner_id": owner, "effective_at": day(0)}
        await put(session, "contact", person)
        for number in range(forms):
            touch = {"id": new_id(), "contact_id": IDS[name], "occurred_at": day(first + number), **FORM}
            await put(session, "touchpoint", touch)
    for name, outcome, amount in (("ann", "WON", 700), ("ann", "OPEN", 90), ("di", "OPEN", 5), ("cy", "WON", 1000)):
        closed = day(20) if outcome == "WON" else None
        deal = {
            "id": new_id(),
            "name": "d",
            "amount": amount,
            "currency": "EUR",
            "outcome": outcome,
            "closed_at": closed,
        }
        await put(session, "deal", {**deal, "closed_at": closed, "opened_at": day(20), "effective_at": day(20)})
        role = {"contact_id": IDS[name], "deal_id": deal["id"], "since": day(20)}
        await put(session, "deal_contact", role)
    handed = {"id": new_id(), "contact_id": IDS["cy"], "handed_at": day(10.5), "status": "PROPOSED"}
    await put(session, "handoff", handed)


@pytest.fixture
async def march(database: Database) -> Preview:
    duties = {
        "marketing": {
            "volume": [{"stage": "mql", "at_least": 2, "per": "MONTH"}],
            "completeness": [{"stage": "mql", "at_least": 0.9}],
            "hand_over": [{"stage": "mql", "within": "1 day"}],
        }
    }
    targets = [
        {"kpi": "mqls", "period": "2026-03", "value": 3},
        {"kpi": "mqls", "period": "2031-Q1", "value": 9, "team": "MARKETING"},
        {"kpi": "deals_won", "period": "2026-03", "value": 3},
    ]
    async with database.write() as session:
        await adopt_accord(session, accord(1))
        await write_people(session)
        await evaluate(session)
        await add_draft(session, accord(2, handoff=duties, targets=targets))
    return await preview_of(database, "2026-03-01", "2026-04-01")


@pytest.mark.usefixtures("march")
async def test_the_command_line_shows_money_duties_targets_and_load(module_dsn: str, tmp_path: Path) -> None:
    words = ("preview", "2", "--period", "2026-03")
    done = await asyncio.to_thread(run_command, *words, data=tmp_path, DATABASE_URL=module_dsn)
    assert done.returncode == 0, done.stderr
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "MQL, lost 3 95.00 EUR 700.00 EUR 0" in rows
    assert "Time to convert, mql to won 15 days 10 days" in rows
    assert "Marketing qualified leads in 2026-03: 3. 3 4 3 2026-03-01 2026-04-01" in rows
    assert any(row.endswith("have contact.job_title filled in. 90.00 % 75.00 % 50.00 %") for row in rows)
    assert any(row.endswith("accepts at least 2. 2 4 2") for row in rows)
    assert ("Sam 2 2 1 1" in rows, "(nobody's) 1 0 1 0" in rows) == (True, True)


async def test_targets_whose_kpi_reads_stages_are_measured_by_both(march: Preview) -> None:
    shown = [
        (target.clause, target.goal, target.is_own_period, target.figure_before.value, target.figure_after.value)
        for target in march.targets
    ]
    # Ann is an MQL by the draft too: she won a deal, so that she entered every stage below.
    assert shown == [
        ("targets[0]", Decimal(3), True, Decimal(4), Decimal(3)),
        ("targets[1]", Decimal(9), False, Decimal(4), Decimal(3)),
    ]
    assert march.targets[1].measured == march.period


async def test_duties_that_depend_on_a_stage_are_measured_by_both(march: Preview) -> None:
    shown = [(duty.clause, duty.owed, duty.value_before, duty.value_after) for duty in march.duties]
    path = "handoff.marketing"
    assert shown == [
        (f"{path}.volume[0]", Decimal(2), Decimal(4), Decimal(2)),
        (f"{path}.completeness[0]", Decimal("0.9"), Decimal("0.75"), Decimal("0.5")),
        # Cy sent forms on 9, 10 and 11, and was handed over in the middle of the 10th.
        (f"{path}.hand_over[0]", Decimal(1), Decimal(0), Decimal("0.5")),
    ]
    assert march.duties[0].title == "In every month marketing hands over so many of MQL that sales accepts at least 2."


async def test_money_is_that_of_the_people_lost(march: Preview) -> None:
    mql = stage_of(march, "mql")
    assert (mql.lost, mql.gained, mql.moved) == (2, 0, 2)
    lost = mql.lost_money
    assert (lost.deals, lost.pipeline, lost.revenue, lost.unknown) == (3, Decimal("95.00"), Decimal("700.00"), 0)
    assert mql.gained_money.deals == 0


async def test_the_load_is_counted_by_seller_and_week(march: Preview) -> None:
    # Ann came with a form, and by the draft comes with the deal that is won from the 20th on.
    weeks = {seller.name: [(week.count_before, week.count_after) for week in seller.weeks] for seller in march.sellers}
    assert weeks == {
        "Sam": [(1, 0), (1, 1), (0, 0), (0, 1), (0, 0), (0, 0)],
        "Sue": [(0, 0), (0, 0), (1, 1), (0, 0), (0, 0), (0, 0)],
        None: [(0, 0), (0, 0), (0, 0), (1, 0), (0, 0), (0, 0)],
    }


async def test_touches_are_all_there_and_assumed_values_are_counted(database: Database, march: Preview) -> None:
    assert (march.coverage.grade, march.coverage.people) == (PreviewCoverage.EXACT, 4)
    async with database.write() as session:
        titled = {"field": "contact.job_title", "op": "is_null", "value": False}
        body = accord(1).model_dump(mode="json", by_alias=True, exclude_none=True)
        body["stages"][1]["rule"] = titled
        await add_draft(session, Accord.model_validate(body), number=3)
        await session.script(
            "set local accord.history_is_given = on; update contact_version set is_assumed = true"
            " where job_title = 'CEO'; set local accord.history_is_given = off"
        )
    found = await preview_of(database, "2026-03-01", "2026-04-01", version=3)
    grade = found.coverage
    assert (grade.grade, grade.people, grade.assumed, grade.complete) == (PreviewCoverage.ESTIMATED, 4, 2, 2)
    assert grade.share == Decimal("0.5")


async def test_an_added_and_a_removed_stage(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, accord(1))
        await write_people(session)
        await evaluate(session)
        hot = {"key": "hot", "title": "Hot", "owner": "SALES", "rule": {"touches": {"at_least": 3}}}
        await add_draft(session, accord(1, hot))
    found = await preview_of(database, "2026-03-01", "2026-04-01")
    assert [(stage.key, stage.change) for stage in found.stages] == [
        ("lead", StageChange.KEPT),
        ("mql", StageChange.KEPT),
        ("hot", StageChange.ADDED),
        ("won", StageChange.KEPT),
    ]
    added = stage_of(found, "hot")
    assert (added.count_before, added.count_after, added.gained) == (None, 1, 1)
    back = await preview_of(database, "2026-03-01", "2026-04-01", version=1, compare_to=2)
    removed = stage_of(back, "hot")
    assert (removed.change, removed.count_before, removed.count_after, removed.lost) == (
        StageChange.REMOVED,
        1,
        None,
        1,
    )
    assert [stage.key for stage in back.stages] == ["lead", "mql", "hot", "won"]
