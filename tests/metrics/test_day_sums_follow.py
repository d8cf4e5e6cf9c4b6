"""What a write changes is read from journeys until the sums are stored again, also of other deals."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from api.db import Database
from api.funnel.following.follow_changes import follow_changes
from api.metrics.request import KpiRequest, Period
from api.metrics.summing.check_sums import check_day_sums
from api.outbox.record_changes import RecordChange
from api.sql import Sql, join, name
from api.workflows.make_sample import make_sample
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from schema.writes.changes import ChangeType
from tests.support.day_sums import compare, store

UNTIL = date(2026, 11, 1)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
KEYS = ("deals_won", "new_customers", "revenue_won", "pipeline_created", "opportunities_created", "open_pipeline")
WRITES: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "the first of two deals of a customer is deleted": (
        "deal",
        """select distinct on (company_id) id from deal where outcome = 'WON' and deleted_at is null and company_id in (
          select company_id from deal where outcome = 'WON' group by 1 having count(distinct closed_at::date) > 1)
        order by company_id, closed_at""",
        {"deleted_at": AS_OF},
    ),
    "the campaign of deals gets another channel": (
        "campaign",
        "select primary_campaign_id from deal where outcome = 'WON' and primary_campaign_id is not null",
        {"channel": "PARTNER"},
    ),
    "a rate is corrected": (
        "exchange_rate",
        """select r.id from exchange_rate r join deal d on d.currency = r.currency and r.rate_on <= d.closed_at::date
        order by r.rate_on desc""",
        {"rate": 3},
    ),
    "a pipeline is not of new business": ("pipeline", "select id from pipeline", {"is_new_business": False}),
}


@pytest.fixture(scope="module")
async def sample(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=500, seed=3, until=UNTIL, processes=0)
    return module_database


async def update(database: Database, table: str, record: UUID, values: Mapping[str, object]) -> None:
    """Update a record, and report it as workflows do."""
    async with database.unit_of_work() as session:
        before = await session.row(Sql("select * from {} where id = {} for update", name(table), record))
        assert before is not None
        assert any(before[column] != value for column, value in values.items())
        given = join(", ", (Sql("{} = {}", name(column), value) for column, value in values.items()))
        await session.run(Sql("update {} set {} where id = {}", name(table), given, record))
        former = {column: before[column] for column in values}
        await follow_changes(session, [RecordChange(ChangeType.CHANGED, table, record, former, values)])


@pytest.mark.parametrize("write", WRITES)
async def test_answers_follow(sample: Database, write: str) -> None:
    table, chosen, values = WRITES[write]
    await store(sample, AS_OF, [])
    period = Period(date(2024, 1, 1), UNTIL)
    wanted = [KpiRequest(key, period, grain=Grain.MONTH, by=(Dimension.CHANNEL,)) for key in KEYS]
    wanted += [KpiRequest(key, Period(date(2025, 11, 1), UNTIL), grain=Grain.DAY) for key in KEYS]
    assert {*await compare(sample, wanted, AS_OF)} <= {AnsweredFrom.DAY_SUMS, AnsweredFrom.JOURNEYS}
    async with sample.read() as session:
        record = await session.value(Sql("select id from ({}) chosen (id) limit 1", Sql(chosen)))
    await update(sample, table, record, values)
    await compare(sample, wanted, AS_OF)
    async with sample.scratch() as session:
        await check_day_sums(session, AS_OF)
    await store(sample, AS_OF, [])
    assert AnsweredFrom.DAY_SUMS in await compare(sample, wanted, AS_OF)


async def test_a_change_that_no_dimension_reads_refreshes_journeys_in_place(sample: Database) -> None:
    async with sample.unit_of_work() as session:
        deal = await session.value(
            Sql("select deal_id from deal_span group by 1 having count(*) > 2 order by 1 limit 1"),
        )
        await session.run(Sql("update deal set name = 'Renamed', updated_at = clock_timestamp() where id = {}", deal))
        change = RecordChange(ChangeType.CHANGED, "deal", deal, {"name": None}, {"name": "Renamed"})
        await follow_changes(session, [change])
        written = await session.row(
            Sql(
                "select sum(n_tup_ins) as added, sum(n_tup_del) as removed, sum(n_tup_upd) as refreshed"
                " from pg_stat_xact_user_tables where relname in ('deal_span', 'deal_journey')"
            )
        )
        stale = await session.value(
            Sql(
                "select count(*) from (select deal_id, changed_at from deal_span union all"
                " select deal_id, changed_at from deal_journey) j"
                " join deal d on d.id = j.deal_id where d.id = {} and d.updated_at <> j.changed_at",
                deal,
            )
        )
    assert written is not None
    assert (written["added"], written["removed"]) == (0, 0)
    assert written["refreshed"] > 3
    assert stale == 0
