"""What marketing delivered of what it owes, by examples and by a plain count over the sample."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.handoff_kinds.delivery import owed_between
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, ComparedTo, KpiRequest, Period, Switches
from api.sql import Sql
from api.workflows.make_sample import make_sample
from schema.accord import Accord
from schema.clauses.consistency import inconsistencies
from schema.clauses.handoff_duties import HandoffDuties
from schema.clauses.target_checks import target_mistakes
from schema.clauses.targets import Target
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.comparisons import Comparand
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, RecordSide
from tests.support.accords import replace_document

NOW = datetime(2026, 3, 10, tzinfo=UTC)
MONTHLY = {"stage": "mql", "at_least": 31, "per": "MONTH"}


def owing(*volume: dict[str, object]) -> Accord:
    duties = HandoffDuties.model_validate({"marketing": {"volume": volume}})
    return read_accord("standard").model_copy(update={"handoff": duties})


@pytest.mark.parametrize(
    ("first", "before", "owed"),
    [
        (date(2026, 1, 1), date(2026, 2, 1), 31),
        (date(2026, 1, 1), date(2026, 4, 1), 93),
        (date(2026, 1, 10), date(2026, 1, 12), 2),
        (date(2026, 1, 31), date(2026, 2, 3), Decimal("3.214286")),  # a day of January, two of February
    ],
)
def test_of_a_month_that_is_cut_the_share_of_its_days_is_owed(first: date, before: date, owed: Decimal) -> None:
    assert owed_between(owing(MONTHLY), first, before) == owed


def test_duties_add_up() -> None:
    both = owing(MONTHLY, {"stage": "sal", "at_least": 7, "per": "WEEK"})
    assert owed_between(both, date(2026, 1, 1), date(2026, 2, 1)) == 62


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=500, seed=5, until=date(2026, 3, 1))
    return module_database


async def ask(database: Database, accord: Accord, request: KpiRequest) -> KpiAnswer:
    async with database.write() as session:
        await replace_document(session, accord)
    async with database.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(answer, KpiAnswer), answer
    return answer


async def delivered(database: Database, stage: str, *, accepted: bool) -> list[tuple[datetime, UUID]]:
    """When people were delivered, handoff by handoff."""
    async with database.read() as session:
        handoffs = await session.rows(Sql("select * from handoff"))
        entries = await session.rows(Sql("select contact_id, entered_at from stage_entry where stage = {}", stage))
        left_out = await session.rows(
            Sql("select id from contact where is_test or is_internal or deleted_at is not null")
        )
    entered = {(row["contact_id"], row["entered_at"]) for row in entries}
    never = {row["id"] for row in left_out}
    return [
        (row["decided_at"] if accepted else row["handed_at"], row["contact_id"])
        for row in handoffs
        if row["contact_id"] not in never and (row["status"] == "ACCEPTED" or not accepted)
        if any(who == row["contact_id"] and at <= row["handed_at"] for who, at in entered)
    ]


@pytest.mark.parametrize("count", ["ACCEPTED", "HANDED_OVER"])
@pytest.mark.parametrize("within", [named_period("2026-01"), named_period("2025-Q4"), named_period("2026-03")])
async def test_it_is_the_plain_count_divided_by_what_is_owed(company: Database, count: str, within: Period) -> None:
    request = KpiRequest("marketing_delivery", within, Grain.WEEK, by=(Dimension.CHANNEL,))
    answer = await ask(company, owing(MONTHLY | {"count": count}), request)
    moments = await delivered(company, "mql", accepted=count == "ACCEPTED")
    assert within.starts_on is not None
    assert within.before is not None

    def people(first: date, before: date) -> int:
        return len({who for at, who in moments if first <= at.date() < before and at <= NOW})

    whole = people(within.starts_on, within.before)
    owed = {1: 31, 10: 93, 3: 31}[within.starts_on.month]
    assert answer.n == whole
    assert answer.denominator == owed
    assert answer.value == (Decimal(whole) / owed).quantize(Decimal("0.000001"))
    assert answer.numerator == sum(group.numerator or 0 for group in answer.breakdown)
    assert {group.denominator for group in answer.breakdown} <= {Decimal(owed)}
    for bucket in answer.series:
        first, before = bucket.starts_at.date(), bucket.before.date()
        assert bucket.numerator == people(first, before)
        assert bucket.denominator == owed_between(owing(MONTHLY), first, before)
        assert bucket.value is not None  # nothing delivered of what is owed is 0
    async with company.read() as session:
        assert answer.drill_down is not None
        page = await read_page(session, answer.drill_down, RecordSide.BASE, size=500)
    assert len(page.records) == whole


async def test_a_period_without_a_start_owes_nothing_that_could_be_counted(company: Database) -> None:
    answer = await ask(company, owing(MONTHLY), KpiRequest("marketing_delivery", ALL_HISTORY))
    assert answer.value is None
    assert answer.n
    [reason] = [warning for warning in answer.warnings if warning.code is WarningCode.ZERO_DENOMINATOR]
    assert "name a period with a start" in reason.message


async def test_an_accord_that_owes_no_number_of_people_has_no_value(company: Database) -> None:
    answer = await ask(company, read_accord("standard"), KpiRequest("marketing_delivery", named_period("2026-01")))
    assert (answer.value, answer.n) == (None, 0)
    assert "handoff.marketing.volume" in answer.warnings[0].message


async def test_a_running_period_owes_what_it_owes_at_its_end(company: Database) -> None:
    days = period(date(2026, 2, 1), date(2026, 3, 1))
    as_of = datetime(2026, 2, 10, tzinfo=UTC)
    answer = await ask(company, owing(MONTHLY), KpiRequest("marketing_delivery", days, switches=Switches(as_of=as_of)))
    assert answer.denominator == 31
    assert WarningCode.PERIOD_OPEN in {warning.code for warning in answer.warnings}
    moments = await delivered(company, "mql", accepted=True)
    assert answer.n == len({who for at, who in moments if datetime(2026, 2, 1, tzinfo=UTC) <= at <= as_of})


async def test_a_group_that_the_earlier_period_lacks_delivered_nothing_of_what_was_owed(company: Database) -> None:
    request = KpiRequest(
        "marketing_delivery",
        period(date(2026, 2, 10), date(2026, 2, 12)),
        by=(Dimension.OWNER,),
        compare_to=ComparedTo(Comparand.PREVIOUS_PERIOD),
    )
    compared = (await ask(company, owing(MONTHLY), request)).comparison
    assert compared is not None
    lacking = [group for group in compared.breakdown if group.numerator == 0]
    assert lacking
    assert {(group.value, group.denominator) for group in lacking} == {(Decimal(0), compared.denominator)}
    assert sum(group.n for group in compared.breakdown) == compared.n != 0


def test_a_target_may_be_more_than_what_is_owed() -> None:
    stages = [stage.key for stage in read_accord("standard").stages]
    values = {"marketing_delivery": "1.2", "win_rate": "1.2"}
    found = {
        key: [
            sentence
            for _, sentence in target_mistakes(
                Target.model_validate({"kpi": key, "period": "2026-Q1", "team": "MARKETING", "value": value}),
                stages,
                [],
                has_currency=True,
            )
        ]
        for key, value in values.items()
    }
    assert found["marketing_delivery"] == []
    assert "no share" in found["win_rate"][0]


def test_a_lead_value_needs_a_reporting_currency() -> None:
    document = owing(MONTHLY | {"lead_value": "90"}).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert not [*inconsistencies(Accord, document)]
    del document["reporting"]["currency"]
    found = [(found.location, found.message) for found in inconsistencies(Accord, document, is_stored=False)]
    [(location, message)] = [(where, message) for where, message in found if where[-1] == "lead_value"]
    assert location == ("handoff", "marketing", "volume", 0, "lead_value")
    assert "reporting.currency" in message
