"""The contact pressure of counted records equals a plain count; lists of records have the requested order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.metrics.answer import ContactPressure, DrillDown, KpiAnswer
from api.metrics.periods.calendar_units import midnight
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_order import DEFAULT_ORDER, CountedRecord, RecordOrder, RecordSort
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Period, Switches
from api.metrics.resolved_request import MICROSECOND
from api.plan.list_arguments import SortDirection
from schema.accord import Accord
from schema.clauses.contact_policy import ContactPolicy
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, RecordSide
from tests.metrics import generated_activity
from tests.metrics.generated_activity import (
    CLOSE,
    POLICIES,
    Known,
    OracleRequest,
    survivors,
    touches_that_count,
    worlds,
)
from tests.metrics.generated_contacts import ACCORD, NOW, START
from tests.metrics.test_against_oracle import QUICK, periods
from tests.support.accords import replace_document
from tests.support.examples import examples

KEY = "over_pressure_rate"
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class World:
    """The people that count, by id, and the accord."""

    people: dict[UUID, Known]
    accord: Accord


# Days among those of the touches, so that many rolling times begin before the period.
STARTS = st.integers(0, 10).map(lambda day: START.date() + timedelta(days=day))
SHORT = st.builds(lambda day, days: Period(day, day + timedelta(days=days)), STARTS, st.integers(1, 4))


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    return KpiRequest(
        KEY,
        period=draw(SHORT | SHORT | periods()),
        grain=draw(st.none() | st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH])),
        by=draw(st.sampled_from([(), (Dimension.LEAD_SOURCE,)])),
        switches=Switches(as_of=draw(st.none() | CLOSE)),
    )


Terms = list[tuple[RecordSort, SortDirection]]


def orders() -> st.SearchStrategy[Terms]:
    return st.lists(
        st.tuples(st.sampled_from(RecordSort), st.sampled_from(SortDirection)), max_size=3, unique_by=itemgetter(0)
    )


@hypothesis_settings(QUICK, max_examples=examples(25))
@given(
    found=worlds(),
    batch=st.lists(st.tuples(requests(), orders(), st.integers(1, 4)), min_size=6, max_size=6),
    policy=st.sampled_from(POLICIES),
)
async def test_the_pressure_of_every_record_is_that_of_a_plain_count_in_any_order(
    ready: tuple[Database, UUID],
    found: list[Known],
    batch: list[tuple[KpiRequest, Terms, int]],
    policy: dict[str, object],
) -> None:
    database, version = ready
    accord = ACCORD.model_copy(update={"contact_policy": ContactPolicy.model_validate(policy)})
    async with database.write() as session:
        await generated_activity.load(session, found, version)
        await replace_document(session, accord)
    ids = [UUID(int=1000 + place) for place, known in enumerate(found) if known.person.why_not is None]
    world = World(dict(zip(ids, survivors(found), strict=True)), accord)
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, [request for request, _, _ in batch], now=NOW)
        for (request, terms, size), answer in zip(batch, answers, strict=True):
            assert isinstance(answer, KpiAnswer), answer
            await check(session, answer, request, terms, size, world)


async def check(
    session: ReadSession, answer: KpiAnswer, request: KpiRequest, terms: Terms, size: int, world: World
) -> None:
    zone = ZoneInfo(world.accord.reporting.timezone)
    start, end = (midnight(day, zone) if day else None for day in (request.period.starts_on, request.period.before))
    until = (request.switches.as_of or NOW) + MICROSECOND
    whole, order = OracleRequest(KEY, start, end, until, world.accord), RecordOrder.of(terms)
    records = await walk(session, answer.drill_down, order, size)
    assert {record.id: record.pressure for record in records} == dict(expected(world, whole))
    assert records == in_order(records, terms)
    assert await walk_back(session, answer.drill_down, order, size) == records
    converted = await walk(session, answer.drill_down, order, size, RecordSide.CONVERTED)
    assert converted == [record for record in records if record.pressure is not None]
    by_group = [
        record for group in answer.breakdown for record in await walk(session, group.drill_down, DEFAULT_ORDER, 500)
    ]
    assert not request.by or {record.id: record.pressure for record in by_group} == dict(expected(world, whole))
    for bucket in [bucket for bucket in answer.series if bucket.n][:6]:
        inside = OracleRequest(KEY, bucket.starts_at, bucket.before, until, world.accord)
        found = await walk(session, bucket.drill_down, order, size)
        assert {record.id: record.pressure for record in found} == dict(expected(world, inside))


def expected(world: World, request: OracleRequest) -> Iterator[tuple[UUID, ContactPressure | None]]:
    """Who was touched, and their window with the most touches, at every instant at which that number changes."""
    policy = world.accord.contact_policy
    assert policy is not None
    for id_, known in world.people.items():
        counted = sorted(touches_that_count(known, request))
        if not any(map(request.holds, counted)):
            continue
        changes = {at + later for at in counted for later in (timedelta(0), policy.within - MOMENT, policy.within)}
        changes |= {request.start} if request.start is not None else set()
        windows = [
            [at for at in counted if moment - policy.within < at <= moment]
            for moment in sorted(changes)
            if request.holds(moment)
        ]
        most = max(windows, key=len)  # the first of several
        over = ContactPressure(
            touches=len(most),
            at_most=policy.at_most,
            within=policy.within,
            first_touch_at=min(most),
            last_touch_at=max(most),
        )
        yield id_, over if over.touches > policy.at_most else None


def in_order(records: list[CountedRecord], terms: Terms) -> list[CountedRecord]:
    """Sort by the least significant key first; sorting is stable."""
    is_descending = bool(terms) and terms[-1][1].value.startswith("DESC")
    found = sorted(records, key=lambda record: (record.at, record.id), reverse=is_descending)
    for sort, direction in reversed(terms):
        known = [record for record in found if value(record, sort) is not None]
        unknown = [record for record in found if value(record, sort) is None]
        # Sorting in reverse keeps the order of equal records.
        known.sort(key=lambda record: value(record, sort), reverse=direction.value.startswith("DESC"))  # type: ignore[arg-type,return-value]
        found = [*unknown, *known] if direction.value.endswith("FIRST") else [*known, *unknown]
    return found


def value(record: CountedRecord, sort: RecordSort) -> datetime | int | None:
    if sort is RecordSort.AT:
        return record.at
    found: datetime | int | None = getattr(record.pressure, sort.value, None)
    return found


async def walk(
    session: ReadSession,
    drill_down: DrillDown | None,
    order: RecordOrder,
    size: int,
    side: RecordSide = RecordSide.BASE,
) -> list[CountedRecord]:
    """Read every record, page by page."""
    assert drill_down is not None
    found: list[CountedRecord] = []
    after: str | None = None
    while True:
        page = await read_page(session, drill_down, side, size=size, after=after, needs_pressure=True, order=order)
        assert page.is_after_some == bool(found)
        found += page.records
        if not page.has_more:
            return found
        assert len(page.records) == size
        after = page.records[-1].cursor


async def walk_back(
    session: ReadSession, drill_down: DrillDown | None, order: RecordOrder, size: int
) -> list[CountedRecord]:
    """Read every record from the last page to the first."""
    assert drill_down is not None
    found: list[CountedRecord] = []
    before: str | None = None
    while True:
        page = await read_page(
            session,
            drill_down,
            RecordSide.BASE,
            size=size,
            before=before,
            is_last=True,
            needs_pressure=True,
            order=order,
        )
        assert page.is_before_some == bool(found)
        found = [*page.records, *found]
        if not page.has_more:
            return found
        before = page.records[0].cursor
