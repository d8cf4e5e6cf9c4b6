"""A restricted principal's KPIs, funnel and drill-downs equal those of a database with only the records it may list."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database, ReadSession, WriteSession
from api.errors import AccordError
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_order import CountedRecord
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest
from api.sql import Sql
from api.workflows.make_sample import make_sample
from schema.access.rights import Reach
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.vocab import Grain, RecordSide
from tests.metrics.test_drill_down import request_of
from tests.support.examples import some_of
from tests.support.journeys import answer_from_journeys

NOW = datetime(2026, 7, 1, tzinfo=UTC)
REACHES = (Reach.OWN, Reach.TEAM)
Counted = list[CountedRecord] | None
OF_THE_REJECTED = ("reject_feedback_complete", "recycled_reconversion")  # who have no owner
# Of the sample, these have no value: nothing records the one, and its accord owes nothing of the other.
WITHOUT_VALUE = ("default_accept_share", "marketing_delivery", "marketing_delivery_value")


class _RolledBackError(Exception):
    """Ends a transaction that must not leave anything."""


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    """A sample in which companies, and merged contacts, belong to other members than the contacts they go with.

    A fifth of the records has no owner.
    """
    async with module_database.write() as session:
        await make_sample(session, contacts=400, seed=7, until=date(2026, 6, 30))
        members = [row["id"] for row in await session.rows(Sql("select id from member order by id"))]
        teams = [row["id"] for row in await session.rows(Sql("select id from team order by id"))]
        for place, member in enumerate(members):
            # Both teams work on deals, so that neither reaches all of them.
            await session.run(Sql("update member set team_id = {} where id = {}", teams[place % len(teams)], member))
        await session.run(
            Sql("update company set owner_id = ({}::uuid[])[1 + length(name) % {}::int]", members, len(members))
        )
        await merge_across_owners(session)
        # Nobody owns some of the records: a team reaches these, too.
        for table in ("contact", "company", "deal"):
            await session.script(f"update {table} set owner_id = null where abs(hashtext(id::text)) % 5 = 0")
    return module_database


async def merge_across_owners(session: WriteSession) -> None:
    """Merge contacts of one owner into those of another, with facts that would change the survivor's numbers."""
    pairs = Sql(
        "select a.id as survivor, b.id as merged from contact a join contact b on b.owner_id <> a.owner_id"
        " where exists (select from handoff h where h.contact_id = b.id)"
        " and exists (select from stage_entry e where e.contact_id = a.id) order by md5(a.id::text || b.id::text)"
    )
    used = set[UUID]()
    for row in await session.rows(pairs):
        if len(used) < 80 and not used & {row["survivor"], row["merged"]}:
            await session.run(
                Sql("update contact set merged_into_id = {} where id = {}", row["survivor"], row["merged"])
            )
            used |= {row["survivor"], row["merged"]}
    touch = (
        "insert into touchpoint (contact_id, id, occurred_at, kind, channel, direction, is_automated)"
        " select c.id, gen_random_uuid(), e.entered_at + interval '1 minute' * place, 'CALL', 'EVENT', {}, false"
        " from contact c join stage_entry e on e.contact_id = c.merged_into_id and e.stage = 'inquiry'"
        " cross join generate_series({}::int, {}::int) place where c.merged_into_id is not null"
    )
    await session.run(Sql(touch, "INBOUND", -2_000_000, -2_000_000))
    await session.run(Sql(touch, "OUTBOUND", 1, 9))
    await session.run(
        Sql(
            "insert into reported_stage (contact_id, id, source, source_stage, stage, entered_at, recorded_at)"
            " select id, gen_random_uuid(), 'crm', 'Won', 'customer', {}, {}"
            " from contact where merged_into_id is not null",
            NOW - timedelta(days=1),
            NOW,
        )
    )


async def principal(session: ReadSession, reach: Reach) -> Principal:
    """The member with the most deals."""
    most = Sql("select owner_id from deal where owner_id is not null group by 1 order by count(*) desc, 1 limit 1")
    return Principal(reach, await session.value(most))


async def listable(session: ReadSession, who: Principal, table: str) -> set[UUID]:
    """The ids of the records that the principal may list, found in Python."""
    teams = {row["id"]: row["team_id"] for row in await session.rows(Sql("select id, team_id from member"))}
    members = {who.member_id}
    if who.reach is Reach.TEAM:
        members |= {member for member, team in teams.items() if team is not None and team == teams[who.member_id]}
    rows = await session.rows(Sql.from_parts((f"select id, owner_id from {table}",)))
    reached = {row["id"] for row in rows if row["owner_id"] in members and row["owner_id"] is not None}
    unowned = {row["id"] for row in rows if row["owner_id"] is None}
    return reached | unowned if who.reach is Reach.TEAM else reached


@asynccontextmanager
async def only_listable(database: Database, who: Principal) -> AsyncIterator[ReadSession]:
    """A session on a database without the facts and deals that the principal may not list, nor companies.

    Contacts stay: whether a deal is a test, or whose it is, does not depend on the principal.
    """
    try:
        async with database.write() as session:
            read = ReadSession(session.connection)
            contacts = await listable(read, who, "contact")
            merged = await session.rows(Sql("select id, merged_into_id from contact where merged_into_id is not null"))
            contacts -= {row["id"] for row in merged if row["merged_into_id"] not in contacts}
            # Neither history nor foreign keys are to follow.
            await session.script("set local session_replication_role = replica")
            await answer_from_journeys(session, is_allowed=False)  # which would not follow these deletions
            for table in ("stage_entry", "touchpoint", "handoff", "reported_stage"):
                await session.run(
                    Sql.from_parts((f"delete from {table} where not contact_id = any (",))
                    + Sql("{}::uuid[])", [*contacts])
                )
            deals = [*await listable(read, who, "deal")]
            await session.run(Sql("delete from deal_version where not deal_id = any ({}::uuid[])", deals))
            await session.run(Sql("delete from deal where not id = any ({}::uuid[])", deals))
            companies = [*await listable(read, who, "company")]
            await session.run(Sql("delete from company_version where not company_id = any ({}::uuid[])", companies))
            await session.run(Sql("delete from company where not id = any ({}::uuid[])", companies))
            yield read
            raise _RolledBackError
    except _RolledBackError:
        pass


@pytest.fixture(scope="module", params=REACHES)
async def restricted(company: Database, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Principal, ReadSession]]:
    """A principal, and a session on the database with only what it may list, which all tests of this reach share."""
    async with company.read() as session:
        who = await principal(session, request.param)
    async with only_listable(company, who) as session:
        yield who, session


def requests(kpi: Kpi, turn: int = 0) -> Iterator[KpiRequest]:
    """The KPI alone, by its dimensions, or some of them, and by two."""
    yield request_of(kpi, grain=Grain.QUARTER)
    for dimension in some_of(kpi.dimensions, turn):
        yield request_of(kpi, dimension)
    if kpi.dimensions:
        yield request_of(kpi, kpi.dimensions[0], kpi.dimensions[-1], grain=Grain.QUARTER)


def values(answer: KpiAnswer | FunnelAnswer) -> KpiAnswer | FunnelAnswer:
    """An answer without what a restricted principal's must have of its own."""
    return replace(answer, is_canonical=True, overrides=(), sql="", data_watermark=None)


async def records(session: ReadSession, figure: KpiFigure) -> tuple[Counted, Counted]:
    """The records of both sides; None for a side that the KPI does not have."""
    return await side_records(session, figure, RecordSide.BASE), await side_records(
        session, figure, RecordSide.CONVERTED
    )


async def side_records(session: ReadSession, figure: KpiFigure, side: RecordSide) -> Counted:
    assert figure.drill_down is not None
    try:
        return [*(await read_page(session, figure.drill_down, side, size=10_000)).records]
    except AccordError:
        return None


async def computed(
    session: ReadSession, who: Principal, batch: list[KpiRequest]
) -> list[tuple[KpiAnswer, list[tuple[Counted, Counted]]]]:
    """The answers, each with the records of its total and of three groups."""
    found = []
    for answer in await query_kpis(session, who, batch, now=NOW):
        assert isinstance(answer, KpiAnswer), answer
        figures = (answer, *answer.breakdown[:3])
        found.append((answer, [await records(session, figure) for figure in figures]))
    return found


def largest(answer: KpiAnswer) -> int:
    """The largest n of its figures."""
    return max(figure.n for figure in (answer, *answer.series))


OF_FIRST_WINS = ("new_customers", "cac", "ltv", "ltv_cac", "cac_payback_months")
KEYS = [key for key in CATALOGUE if key not in OF_FIRST_WINS]


@pytest.mark.parametrize("key", KEYS)
async def test_a_restricted_kpi_equals_the_count_over_the_records_that_may_be_listed(
    key: str, restricted: tuple[Principal, ReadSession], company: Database
) -> None:
    who, listable_only = restricted
    batch = [*requests(CATALOGUE[key], KEYS.index(key) + REACHES.index(who.reach))]
    async with company.read() as session:
        found = await computed(session, who, batch)
        everything = await computed(session, LOCAL_OPERATOR, batch[:1])
    expected = await computed(listable_only, LOCAL_OPERATOR, batch)
    for (answer, drilled), (plain, listed) in zip(found, expected, strict=True):
        assert (answer.is_canonical, answer.overrides) == (False, (f"scope={who.reach}",))
        assert values(answer) == values(plain)
        about_people = CATALOGUE[key].subject is Subject.PERSON
        assert answer.data_watermark == (None if about_people else plain.data_watermark)
        assert drilled == listed
        assert "owner_id" in answer.sql
    is_of_nobody = key in OF_THE_REJECTED and who.reach is Reach.OWN
    if key not in WITHOUT_VALUE and not is_of_nobody:
        assert 0 < largest(found[0][0]) < largest(everything[0][0])


@pytest.mark.parametrize("reach", REACHES)
async def test_a_new_customer_counts_where_the_first_deal_won_may_be_listed(reach: Reach, company: Database) -> None:
    """Which win is the first does not depend on the principal: else one customer would be new to several."""
    async with company.read() as session:
        who = await principal(session, reach)
        deals = await listable(session, who, "deal")
        kpi = CATALOGUE["new_customers"]
        [(whole, [(everyone, _)])] = await computed(session, LOCAL_OPERATOR, [request_of(kpi)])
        [(answer, [(own, _)])] = await computed(session, who, [request_of(kpi)])
    assert everyone is not None
    assert own == [record for record in everyone if record.id in deals]
    assert answer.n == len(own)
    assert 0 < answer.n < whole.n


async def test_a_restricted_funnel_equals_the_funnel_of_the_people_who_may_be_listed(
    restricted: tuple[Principal, ReadSession], company: Database
) -> None:
    who, listable_only = restricted
    batch = [FunnelRequest(), *(FunnelRequest(by=(dimension,)) for dimension in PERSON_DIMENSIONS)]
    async with company.read() as session:
        contacts = await listable(session, who, "contact")
        found = [await query_funnel(session, who, request, now=NOW) for request in batch]
        for step in found[0].stages:
            assert step.drill_down is not None
            page = await read_page(session, step.drill_down, RecordSide.BASE, size=10_000)
            assert len(page.records) == step.reached
            assert {record.id for record in page.records} <= contacts
    expected = [await query_funnel(listable_only, LOCAL_OPERATOR, request, now=NOW) for request in batch]
    for answer, plain in zip(found, expected, strict=True):
        assert (answer.is_canonical, answer.overrides) == (False, (f"scope={who.reach}",))
        assert values(answer) == values(plain)
    assert found[0].stages[0].reached


@pytest.mark.parametrize("reach", REACHES)
async def test_the_statement_in_a_restricted_answer_is_the_scoped_one(reach: Reach, company: Database) -> None:
    async with company.read() as session:
        who = await principal(session, reach)
        [answer] = await query_kpis(session, who, [KpiRequest("mqls")], now=NOW)
        assert isinstance(answer, KpiAnswer)
        [row] = await session.connection.fetch(answer.sql)
    assert row["n"] == answer.n
    assert str(who.member_id) in answer.sql


async def test_a_principal_without_a_member_reaches_no_contact_and_no_deal(company: Database) -> None:
    async with company.read() as session:
        answers = await query_kpis(
            session, Principal(Reach.OWN), [request_of(kpi) for kpi in CATALOGUE.values()], now=NOW
        )
    for kpi, answer in zip(CATALOGUE.values(), answers, strict=True):
        assert isinstance(answer, KpiAnswer), answer
        assert answer.n == 0
        if kpi.subject is Subject.PERSON:
            assert [warning.code for warning in answer.warnings] == [WarningCode.NO_CONTACTS]
