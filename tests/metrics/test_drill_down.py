"""The records of every figure of every KPI are exactly those that it counts, page by page."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from statistics import mean, median

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.errors import AccordError
from api.metrics.answer import DrillDown, KpiAnswer, KpiFigure
from api.metrics.funnels.funnel_answer import FunnelStep
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_order import CountedRecord
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, FunnelRequest, KpiRequest, StagePair, Switches
from api.workflows.make_sample import make_sample
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind
from schema.kpis.kpi import Kpi
from schema.kpis.measures.deals import ForecastAccuracy, Pushed
from schema.kpis.measures.stages import Conversion, Duration
from schema.vocab import Grain, RecordSide, Reentry, Skip


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=400, seed=7, until=date(2026, 6, 30))
    return module_database


def request_of(kpi: Kpi, *by: Dimension, grain: Grain | None = None, switches: Switches | None = None) -> KpiRequest:
    is_open = isinstance(kpi.measure, Conversion | Duration) and kpi.measure.base is None
    pair = StagePair("mql", "opportunity") if is_open else None
    # Deals are due in a period that has a first and a last day.
    period = named_period("2026-Q1") if isinstance(kpi.measure, Pushed | ForecastAccuracy) else ALL_HISTORY
    return KpiRequest(kpi.key, period, grain=grain, by=by, stages=pair, switches=switches or Switches())


async def answered(session: ReadSession, request: KpiRequest) -> KpiAnswer:
    [answer] = await query_kpis(session, LOCAL_OPERATOR, [request])
    assert isinstance(answer, KpiAnswer), answer
    return answer


async def walk(
    session: ReadSession, drill_down: DrillDown | None, side: RecordSide, *, size: int
) -> list[CountedRecord]:
    """Read every record, page by page; the total is the same on every page."""
    assert drill_down is not None
    found: list[CountedRecord] = []
    totals = set()
    after: str | None = None
    while True:
        page = await read_page(session, drill_down, side, size=size, after=after, needs_total=True)
        found += page.records
        totals.add(page.total)
        if not page.has_more:
            break
        assert len(page.records) == size
        after = page.records[-1].cursor
    assert totals == {len(found)}
    assert found == sorted(found, key=lambda record: (record.at, record.id, record.tie))
    return found


async def walk_back(
    session: ReadSession, drill_down: DrillDown | None, side: RecordSide, *, size: int
) -> list[CountedRecord]:
    """Read every record from the last page to the first, without a total."""
    assert drill_down is not None
    found: list[CountedRecord] = []
    before: str | None = None
    while True:
        page = await read_page(session, drill_down, side, size=size, before=before, is_last=True)
        assert (page.is_after_some, page.is_before_some, page.total) == (False, bool(found), None)
        found = [*page.records, *found]
        if not page.has_more:
            return found
        assert len(page.records) == size
        before = page.records[0].cursor


def assert_values_make(
    figure: KpiFigure, kind: Kind, base: list[CountedRecord], converted: list[CountedRecord]
) -> None:
    """Check that what the records give makes the number."""
    given = [record.value for record in base if record.value is not None]
    assert len(base) - len(given) == sum(apart.n for apart in figure.apart)
    match kind:
        case Kind.COUNT | Kind.SUM | Kind.SNAPSHOT | Kind.TIME:
            assert figure.value == (None if figure.value is None and not given else sum(given))
        case Kind.AVERAGE:
            assert (figure.numerator, figure.denominator) == ((sum(given), len(given)) if given else (None, None))
        case Kind.RATIO | Kind.CONVERSION:
            assert (figure.numerator, figure.denominator) == (
                sum(record.value or 0 for record in converted),
                sum(given),
            )
        case Kind.DURATION:
            assert figure.value == (pytest.approx(median(given), abs=Decimal("1e-6")) if given else None)
        case Kind.SPREAD:
            assert figure.value == (pytest.approx(mean(given), abs=Decimal("1e-6")) if given else None)


async def check(session: ReadSession, figure: KpiFigure, kind: Kind) -> None:
    """Check that a figure has as many records as it counts, without duplicates, from either end, and their values."""
    size = max(1, figure.n // 3)
    base = await walk(session, figure.drill_down, RecordSide.BASE, size=size)
    assert len(set(base)) == len(base) == figure.n
    assert await walk_back(session, figure.drill_down, RecordSide.BASE, size=size) == base
    if kind not in (Kind.RATIO, Kind.CONVERSION):
        with pytest.raises(AccordError):  # the KPI has no numerator, or one that counts no records
            await walk(session, figure.drill_down, RecordSide.CONVERTED, size=500)
        assert_values_make(figure, kind, base, [])
        return
    converted = await walk(session, figure.drill_down, RecordSide.CONVERTED, size=500)
    assert_values_make(figure, kind, base, converted)
    assert len(set(converted)) == len(converted)
    if all(record.value == 1 for record in (*base, *converted)):  # records are counted, and not their amounts
        assert len(converted) == figure.numerator


def figures(answer: KpiAnswer) -> Iterator[KpiFigure]:
    """The total, some of its buckets, some groups, and one bucket of each group."""
    yield answer
    yield from answer.series[::5]
    for group in answer.breakdown[:6]:
        yield group
        yield from group.series[-2:-1]


@pytest.mark.parametrize("key", CATALOGUE)
async def test_the_records_of_a_figure_are_exactly_those_it_counts(key: str, company: Database) -> None:
    kpi = CATALOGUE[key]
    by = kpi.dimensions[:1]
    async with company.read() as session:
        answer = await answered(session, request_of(kpi, *by, grain=Grain.QUARTER))
        for figure in figures(answer):
            await check(session, figure, kpi.kind)


@pytest.mark.parametrize("key", [key for key, kpi in CATALOGUE.items() if kpi.dimensions])
async def test_groups_of_two_dimensions_sum_to_the_total_and_have_the_records_they_count(
    key: str, company: Database
) -> None:
    kpi = CATALOGUE[key]
    by = (kpi.dimensions[0], kpi.dimensions[-1])
    async with company.read() as session:
        answer = await answered(session, request_of(kpi, *by))
        assert [[part.dimension for part in group.keys] for group in answer.breakdown] == [
            list(by) for _ in answer.breakdown
        ]
        assert len({group.keys for group in answer.breakdown}) == len(answer.breakdown)
        assert sum(group.n for group in answer.breakdown) == answer.n
        if answer.numerator is not None and kpi.kind is not Kind.FORMULA:
            assert sum((group.numerator or Decimal(0) for group in answer.breakdown), Decimal(0)) == answer.numerator
        for group in answer.breakdown[:4]:
            await check(session, group, kpi.kind)


async def test_a_person_who_counts_twice_is_listed_twice(company: Database) -> None:
    switches = Switches(reentry=Reentry.EACH, skip=Skip.EXCLUDE)
    async with company.read() as session:
        for key in ("stage_volume", "stage_conversion"):
            answer = await answered(session, request_of(CATALOGUE[key], switches=switches))
            await check(session, answer, CATALOGUE[key].kind)


async def test_the_records_of_a_funnel_step_are_the_people_who_reached_it(company: Database) -> None:
    async with company.read() as session:
        funnel = await query_funnel(
            session, LOCAL_OPERATOR, FunnelRequest(period=named_period("2026-Q1"), by=(Dimension.CHANNEL,))
        )
        for stages in (funnel.stages, funnel.breakdown[0].stages):
            await check_steps(session, stages)


async def check_steps(session: ReadSession, stages: tuple[FunnelStep, ...]) -> None:
    assert stages[1].reached
    for step, following in zip(stages, [*stages[1:], None], strict=True):
        assert step.reached is not None
        base = await walk(session, step.drill_down, RecordSide.BASE, size=step.reached // 2 + 1)
        assert len({record.id for record in base}) == len(base) == step.reached
        if following is not None:
            reached_next = await walk(session, step.drill_down, RecordSide.CONVERTED, size=500)
            assert len(reached_next) == following.reached
            assert set(reached_next) <= set(base)
        else:
            with pytest.raises(AccordError, match="the last stage"):
                await walk(session, step.drill_down, RecordSide.CONVERTED, size=500)


async def test_a_cursor_that_does_not_belong_to_a_record_list_is_rejected(company: Database) -> None:
    async with company.read() as session:
        answer = await answered(session, KpiRequest("mqls"))
        assert answer.drill_down is not None
        for cursor in ("", "x", "WzFd", "bnVsbA==", "WyIyMDI2LTAxLTAxIiwgIngiLCAiIl0="):
            with pytest.raises(AccordError, match="`after` is not a cursor"):
                await read_page(session, answer.drill_down, RecordSide.BASE, size=1, after=cursor)
            with pytest.raises(AccordError, match="`before` is not a cursor") as rejected:
                await read_page(session, answer.drill_down, RecordSide.BASE, size=1, before=cursor)
            assert "startCursor" in rejected.value.remedy


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize("size", [0, 2, 50])
@pytest.mark.parametrize(("begin", "end"), [(None, None), (3, None), (None, 8), (3, 8), (7, 8), (8, 3), (4, 4)])
async def test_a_page_between_two_cursors_has_the_records_between_them(
    begin: int | None, end: int | None, size: int, company: Database, *, is_last: bool
) -> None:
    async with company.read() as session:
        drill_down = (await answered(session, KpiRequest("mqls"))).drill_down
        whole = await walk(session, drill_down, RecordSide.BASE, size=500)
        assert drill_down is not None
        assert len(whole) > 10
        inside = [
            record
            for place, record in enumerate(whole)
            if (begin is None or place > begin) and (end is None or place < end)
        ]
        page = await read_page(
            session,
            drill_down,
            RecordSide.BASE,
            size=size,
            after=None if begin is None else whole[begin].cursor,
            before=None if end is None else whole[end].cursor,
            is_last=is_last,
        )
    assert list(page.records) == (inside[max(0, len(inside) - size) :] if is_last else inside[:size])
    assert page.has_more == (len(inside) > size)
    assert page.is_after_some == (begin is not None)
    assert page.is_before_some == (end is not None)


async def test_every_reject_reason_is_a_share_of_all_decisions_and_has_their_records(company: Database) -> None:
    async with company.read() as session:
        request = request_of(CATALOGUE["rejection_rate"], Dimension.REJECT_REASON, grain=Grain.MONTH)
        answer = await answered(session, request)
        assert answer.breakdown
        assert {group.n for group in answer.breakdown} == {answer.n}
        assert sum((group.numerator or Decimal(0) for group in answer.breakdown), Decimal(0)) == answer.numerator
        crossed = await answered(
            session, request_of(CATALOGUE["rejection_rate"], Dimension.COUNTRY, Dimension.REJECT_REASON)
        )
        for group in (*answer.breakdown, *crossed.breakdown[:12:2]):
            await check(session, group, Kind.RATIO)
            for bucket, whole in zip(group.series, answer.series, strict=False):
                # In a month in which nobody was rejected for the reason the share is 0 and not null.
                assert (bucket.n, bucket.value is None) == (whole.n, not whole.n)
            if group.series:
                await check(session, min(group.series[:-1], key=lambda bucket: bucket.numerator or 0), Kind.RATIO)
