"""Whatever is written, late or twice, the first wins that journeys have are those of the facts."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from api.db import Database, WriteSession
from api.funnel.drift import check_entries
from api.funnel.evaluate import evaluate
from api.funnel.following.follow_changes import follow_changes
from api.metrics.request import KpiRequest, Period
from api.outbox.record_changes import RecordChange
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from schema.writes.changes import ChangeType
from tests.metrics.test_economics import AGREED, accord
from tests.support.databases import delete_all_rows
from tests.support.day_sums import compare
from tests.support.graphql import put
from tests.support.random_choices import RandomChoices

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HALF = Period(date(2025, 12, 1), date(2026, 6, 1))
COMPANIES, CONTACTS, DEALS = ([UUID(int=kind * 100 + n) for n in range(4)] for kind in (1, 2, 3))
WANTED = (
    KpiRequest("new_customers", HALF, grain=Grain.MONTH),
    KpiRequest("new_customers", HALF, by=(Dimension.COMPANY,)),
    KpiRequest("ltv", HALF, grain=Grain.MONTH),
)


class Firm:
    """Four companies, people and deals, which random writes change; one of the people has an employer."""

    def __init__(self, database: Database, choices: RandomChoices) -> None:
        self.database, self.choices = database, choices

    async def begin(self) -> None:
        """Empty the database, and write the records, of which no deal is closed."""
        began = NOW - timedelta(days=300)
        async with self.database.write() as session:
            await delete_all_rows(session)
            await adopt_accord(session, accord(AGREED))
            for id_ in COMPANIES:
                await put(session, "company", {"id": id_, "name": str(id_)})
            for id_, employer in zip(CONTACTS, (*COMPANIES[:1], None, None, None), strict=True):
                await put(session, "contact", {"id": id_, "company_id": employer, "effective_at": began})
            for id_, company in zip(DEALS, (COMPANIES[0], COMPANIES[0], None, None), strict=True):
                row: dict[str, object] = {
                    "id": id_,
                    "company_id": company,
                    "opened_at": began,
                    "effective_at": began,
                    "amount": 7,
                    "currency": "EUR",
                }
                await put(session, "deal", row)
            await evaluate(session)

    def instant(self) -> datetime:
        """A noon of the last half year: two deals are often won at the same instant."""
        return NOW - timedelta(days=self.choices.integer(0, 12) * 15)

    async def write(self) -> str:
        """Make one random change, and report it as workflows do. Returns the name of the change."""
        often = (self.close, self.close, self.change_deal, self.merge, self.give_role)
        kind = self.choices.one((*often, *often, self.reopen, self.change_person, self.change_role))
        async with self.database.unit_of_work() as session:
            await follow_changes(session, [await kind(session)])
        return kind.__name__

    async def close(self, session: WriteSession) -> RecordChange:
        outcome = self.choices.one(("WON", "WON", "WON", "LOST"))
        return await self.update(session, "deal", DEALS, {"outcome": outcome, "closed_at": self.instant()})

    async def reopen(self, session: WriteSession) -> RecordChange:
        return await self.update(session, "deal", DEALS, {"outcome": "OPEN", "closed_at": None})

    async def change_deal(self, session: WriteSession) -> RecordChange:
        values: tuple[dict[str, object], ...] = (
            {"company_id": self.choices.one((*COMPANIES, None, None))},
            {"deleted_at": self.choices.one((NOW, None))},
            {"amount": self.choices.one((-1, 7, 9))},
        )
        return await self.update(session, "deal", DEALS, self.choices.one(values))

    async def change_person(self, session: WriteSession) -> RecordChange:
        employer: dict[str, object] = {
            "company_id": self.choices.one((*COMPANIES, None)),
            "effective_at": self.instant(),
        }
        values: tuple[dict[str, object], ...] = (employer, employer, {"is_test": self.choices.happens(2)})
        return await self.update(session, "contact", CONTACTS, self.choices.one(values))

    async def merge(self, session: WriteSession) -> RecordChange:
        """Merge a person into one before it, or undo that."""
        number = self.choices.integer(1, len(CONTACTS) - 1)
        other = self.choices.one((*CONTACTS[:number], None))
        return await self.update(session, "contact", CONTACTS[number : number + 1], {"merged_into_id": other})

    async def give_role(self, session: WriteSession) -> RecordChange:
        deal, contact = self.choices.one(DEALS), self.choices.one(CONTACTS)
        since = self.choices.one((self.instant(), None))
        await session.run(
            Sql(
                "insert into deal_contact (deal_id, contact_id, since) values ({}, {}, {}) on conflict do nothing",
                *(deal, contact, since),
            )
        )
        after = {"deal_id": deal, "contact_id": contact}
        return RecordChange(ChangeType.CREATED, "deal_contact", deal, {}, after, contact)

    async def change_role(self, session: WriteSession) -> RecordChange:
        """Make a person the main contact of a deal, or void the role, or undo that."""
        deal, contact = self.choices.one(DEALS), self.choices.one(CONTACTS)
        values = Sql("is_primary = (contact_id = {})", contact)
        if self.choices.happens(2):
            voided = Sql("case when voided_at is null then {}::timestamptz end", NOW)
            values = Sql("voided_at = case when contact_id = {} then {} else voided_at end", contact, voided)
        await session.run(Sql("update deal_contact set {} where deal_id = {}", values, deal))
        return RecordChange(ChangeType.CHANGED, "deal_contact", deal, {}, {}, contact)

    async def update(
        self, session: WriteSession, table: str, ids: list[UUID], values: Mapping[str, object]
    ) -> RecordChange:
        id_ = self.choices.one(ids)
        before = await session.row(Sql("select * from {} where id = {} for update", name(table), id_))
        assert before is not None
        given = join(", ", (Sql("{} = {}", name(column), value) for column, value in values.items()))
        await session.run(Sql("update {} set {} where id = {}", name(table), given, id_))
        former = {column: before[column] for column in values}
        return RecordChange(ChangeType.CHANGED, table, id_, former, values)


async def counts(database: Database) -> tuple[int, int, int]:
    """Return how many deals are won, of how many customers, and how many of those customers are no company."""
    async with database.read() as session:
        row = await session.row(
            Sql(
                "select count(*) as won, count(distinct customer) as customers,"
                " count(distinct customer) filter (where customer <> all({}::uuid[])) as people"
                " from deal_journey where outcome = 'WON'",
                COMPANIES,
            )
        )
    assert row is not None
    return row["won"], row["customers"], row["people"]


async def test_first_wins_follow_whatever_is_written(module_database: Database) -> None:
    written, seen = set(), set()
    for seed in range(3):
        firm = Firm(module_database, RandomChoices.of_seed(seed))
        await firm.begin()
        for _ in range(40):
            written.add(await firm.write())
            async with module_database.scratch() as session:
                await check_entries(session)
            assert {*await compare(module_database, WANTED, NOW)} == {AnsweredFrom.JOURNEYS}
            won, customers, people = await counts(module_database)
            seen |= {"a customer again"} if won > customers else set()
            seen |= {"a person"} if people else set()
    assert len(written) == 7
    assert seen == {"a customer again", "a person"}


async def test_a_later_win_is_the_first_one_once_the_earlier_one_is_excluded(module_database: Database) -> None:
    firm = Firm(module_database, RandomChoices.of_seed(0))
    await firm.begin()
    for deal, month in ((DEALS[0], 1), (DEALS[1], 3)):
        won: dict[str, object] = {"outcome": "WON", "closed_at": datetime(2026, month, 10, tzinfo=UTC)}
        async with module_database.unit_of_work() as session:
            await follow_changes(session, [await firm.update(session, "deal", [deal], won)])
    async with module_database.unit_of_work() as session:
        await follow_changes(session, [await firm.update(session, "deal", DEALS[:1], {"deleted_at": NOW})])
    assert {*await compare(module_database, WANTED, NOW)} == {AnsweredFrom.JOURNEYS}


async def test_of_two_wins_at_one_instant_one_is_the_first(module_database: Database) -> None:
    firm = Firm(module_database, RandomChoices.of_seed(0))
    await firm.begin()
    won: dict[str, object] = {"outcome": "WON", "closed_at": datetime(2026, 3, 10, tzinfo=UTC)}
    for deal in DEALS[:2]:
        async with module_database.unit_of_work() as session:
            await follow_changes(session, [await firm.update(session, "deal", [deal], won)])
    assert await counts(module_database) == (2, 1, 0)
    assert {*await compare(module_database, WANTED, NOW)} == {AnsweredFrom.JOURNEYS}
