"""Contact pressure and the order of records, by examples."""

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import orjson
import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.answer import DrillDown, KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_order import DEFAULT_ORDER, RecordOrder, RecordSort
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, FunnelRequest, KpiRequest, Period
from api.plan.list_arguments import SortDirection
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.contact_policy import ContactPolicy
from schema.vocab import RecordSide
from tests.metrics.generated_contacts import NOW, START
from tests.metrics.test_contact_pressure_against_oracle import KEY, MOMENT, walk


async def touched(database: Database, policy: dict[str, object], people: list[list[datetime]]) -> None:
    """Adopt a contact policy, and write the calls of some people."""
    async with database.write() as session:
        agreed = ContactPolicy.model_validate(policy)
        await adopt_accord(session, read_accord("standard").model_copy(update={"contact_policy": agreed}))
        ids = [UUID(int=place) for place in range(len(people))]
        await session.copy("contact", ["id", "effective_at"], [(id_, START - timedelta(days=90)) for id_ in ids])
        calls = [(id_, at) for id_, instants in zip(ids, people, strict=True) for at in instants]
        rows = [(id_, UUID(int=place), at, "CALL", "OUTBOUND") for place, (id_, at) in enumerate(calls)]
        await session.copy("touchpoint", ["contact_id", "id", "occurred_at", "kind", "direction"], rows)
        await evaluate(session)


async def drill_down_of(session: ReadSession, key: str, days: Period = ALL_HISTORY) -> DrillDown:
    [answer] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key, period=days)], now=NOW)
    assert isinstance(answer, KpiAnswer), answer
    assert answer.drill_down is not None
    return answer.drill_down


BY_TOUCHES = RecordOrder.of([(RecordSort.TOUCHES, SortDirection.DESC)])


async def test_a_person_with_few_touches_in_the_period_shows_those_before_it_that_put_them_over_the_policy(
    database: Database,
) -> None:
    day = timedelta(days=1)
    june = datetime(2026, 6, 1, tzinfo=UTC)
    fresh = [june + hours * timedelta(hours=1) for hours in (0, 5, 6, 7)]
    await touched(
        database,
        {"at_most": 2, "within": "7 days"},
        [
            # Three in the week before June, of which two are still counted at the first call in it.
            [june - 6.5 * day, june - 5 * day, june - day, june + 20 * day],
            [june - 8 * day, june - 2 * day, june - day, june + 3 * day],
            fresh,
            [june + day, june + 9 * day],
        ],
    )
    async with database.read() as session:
        found = await walk(session, await drill_down_of(session, KEY, named_period("2026-06")), BY_TOUCHES, 3)
    shown = [
        record.pressure and (record.pressure.touches, record.pressure.first_touch_at, record.pressure.last_touch_at)
        for record in found
    ]
    assert [record.id.int for record in found] == [2, 0, 1, 3]
    assert shown == [
        (4, fresh[0], fresh[-1]),
        (3, june - 6.5 * day, june - day),
        (3, june - 2 * day, june + 3 * day),
        None,
    ]
    assert found[0].pressure is not None
    assert (found[0].pressure.at_most, found[0].pressure.within) == (2, 7 * day)


async def test_a_reply_before_the_period_is_exempt_whenever_they_came_to_us(database: Database) -> None:
    """Their touch lies before the week that counts at the beginning of June, and our reply to it within that week."""
    day, june = timedelta(days=1), datetime(2026, 6, 1, tzinfo=UTC)
    policy: dict[str, object] = {"at_most": 1, "within": "7 days", "exempt": {"reply_within": "2 days"}}
    await touched(database, policy, [[june - 6.5 * day, june + day / 4]])
    shares = []
    for came_at in (june - 7.5 * day, june - 8.5 * day):
        async with database.write() as session:
            await session.script("delete from touchpoint where direction = 'INBOUND'")
            columns = ["contact_id", "id", "occurred_at", "kind", "direction"]
            await session.copy("touchpoint", columns, [(UUID(int=0), UUID(int=99), came_at, "FORM", "INBOUND")])
        async with database.read() as session:
            [answer] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(KEY, named_period("2026-06"))], now=NOW)
        assert isinstance(answer, KpiAnswer), answer
        shares.append((answer.value, answer.n))
    assert shares == [(Decimal(0), 1), (Decimal(1), 1)]


async def test_a_cursor_belongs_to_one_order(database: Database) -> None:
    await touched(database, {"at_most": 1, "within": "1 day"}, [[START, START + MOMENT], [START], [START]])
    ascending = RecordOrder.of([(RecordSort.AT, SortDirection.ASC_NULLS_FIRST)])
    async with database.read() as session:
        rows = await drill_down_of(session, KEY)
        orders = [DEFAULT_ORDER, BY_TOUCHES, RecordOrder.of([(RecordSort.TOUCHES, SortDirection.DESC_NULLS_FIRST)])]
        orders += [RecordOrder.of([(RecordSort.AT, SortDirection.DESC)])]
        pages = [await walk(session, rows, order, 10) for order in orders]
        assert await walk(session, rows, ascending, 10) == pages[0]  # cursors included
        for page in pages:
            for order, own in zip(orders, pages, strict=True):
                if own is not page:
                    with pytest.raises(AccordError, match="in this order") as rejected:
                        await read_page(session, rows, RecordSide.BASE, size=1, after=page[0].cursor, order=order)
                    assert rejected.value.code is ErrorCode.BAD_INPUT
        label, _, *rest = orjson.loads(base64.b64decode(pages[1][0].cursor))
        for values in ([], ["2"], [2**40], [True, 1], 2):
            forged = base64.b64encode(orjson.dumps([label, values, *rest])).decode()
            with pytest.raises(AccordError, match="`before` is not a cursor"):
                await read_page(session, rows, RecordSide.BASE, size=1, before=forged, order=BY_TOUCHES)


def test_a_value_that_is_given_twice_sorts_where_it_is_given_first() -> None:
    first = [(RecordSort.TOUCHES, SortDirection.ASC), (RecordSort.AT, SortDirection.DESC)]
    assert RecordOrder.of([*first, (RecordSort.TOUCHES, SortDirection.DESC)]) == RecordOrder.of(first)
    assert RecordOrder.of([*first[:1], (RecordSort.AT, SortDirection.ASC)]) == RecordOrder.of(first[:1])


async def test_records_without_a_contact_pressure_cannot_be_sorted_by_it(database: Database) -> None:
    await touched(database, {"at_most": 1, "within": "1 day"}, [[START, START + MOMENT]])
    async with database.read() as session:
        stages = (await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(), now=NOW)).stages
        touches = await drill_down_of(
            session, "touches_per_contact_7d", Period(START.date(), START.date() + timedelta(days=7))
        )
        for drill_down in (touches, stages[0].drill_down):
            assert drill_down is not None
            assert [record.pressure for record in await walk(session, drill_down, DEFAULT_ORDER, 10)] == [None]
            with pytest.raises(AccordError, match="contactPressure") as rejected:
                await walk(session, drill_down, BY_TOUCHES, 10)
            assert rejected.value.code is ErrorCode.BAD_INPUT


async def test_the_statement_counts_the_touches_of_rolling_times_only_if_they_are_needed(database: Database) -> None:
    await touched(database, {"at_most": 1, "within": "1 day"}, [[START]])
    async with database.read() as session:
        rows = await drill_down_of(session, KEY)
    assert "rolling" not in str(rows.rows(RecordSide.BASE))
    assert "rolling" in str(rows.rows(RecordSide.BASE, has_pressure=True))
