"""The groups with the highest values, and one for all others, against a plain count of the whole breakdown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from statistics import median

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.answer import BreakdownKey, DrillDown, Group, KpiAnswer, KpiFigure
from api.metrics.breakdowns.group_limit import MOST_GROUPS
from api.metrics.funnels.funnel_answer import FunnelGroup
from api.metrics.query import query_funnel
from api.metrics.request import ComparedTo, FunnelRequest, KpiRequest, Period, StagePair, Where
from api.sql import Sql
from schema.kpis import CATALOGUE
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind
from schema.vocab import Grain, RecordSide
from tests.sample.kpi_answers import ask, try_to_ask
from tests.sample.test_recount import NOW, PAIRED
from tests.sample.test_three_dimensions import three_of

CASES = [(key, size) for key, kpi in CATALOGUE.items() for size in (1, 3) if kpi.dimensions]


async def records(company: Database, drill_down: DrillDown | None) -> list[tuple[object, object, object]]:
    assert drill_down is not None
    async with company.read() as session:
        rows = await session.rows(drill_down.rows(RecordSide.BASE))
    return sorted(((row["id"], row["at"], row["value"]) for row in rows), key=str)


def highest(groups: Iterable[Group], count: int) -> list[tuple[BreakdownKey, ...]]:
    def place(group: Group) -> tuple[bool, Decimal, int, list[str]]:
        labels = ["" if key.value is None else key.label for key in group.keys]
        return group.value is None, -(group.value or Decimal(0)), -group.n, labels

    return [group.keys for group in sorted(groups, key=place)[:count]]


def beside(groups: Sequence[Group | FunnelGroup]) -> Where:
    """The filter that leaves out the groups."""
    tests = (Where(tests=tuple((key.dimension, (key.id or key.value,)) for key in group.keys)) for group in groups)
    return Where(none_of=tuple(tests))


@pytest.mark.parametrize(("key", "size"), CASES)
async def test_other_is_the_answer_to_the_filter_that_leaves_the_top_groups_out(
    key: str, size: int, company: Database
) -> None:
    kpi = CATALOGUE[key]
    pair = StagePair("mql", "opportunity") if key in PAIRED else None
    whole = KpiRequest(key, by=three_of(key)[:size], stages=pair, grain=Grain.QUARTER)
    full = await try_to_ask(company, whole)
    answer = await ask(company, replace(whole, top=2))
    if isinstance(full, AccordError):
        assert full.code is ErrorCode.TOO_MANY_GROUPS
    else:
        assert [group.keys for group in answer.breakdown[:2]] == highest(full.breakdown, 2)
        assert len(answer.breakdown) == min(len(full.breakdown), 3)
        alike = {group.keys: group for group in full.breakdown}
        for group in answer.breakdown[:2]:
            assert (group.value, group.n, group.distribution) == (
                alike[group.keys].value,
                alike[group.keys].n,
                alike[group.keys].distribution,
            )
    assert [any(part.is_other for part in group.keys) for group in answer.breakdown] == [False, False, True][
        : len(answer.breakdown)
    ]
    assert sum(group.n for group in answer.breakdown) == answer.n
    if len(answer.breakdown) < 3 or kpi.kind is Kind.FORMULA:
        return
    other = answer.breakdown[-1]
    alone = await ask(company, replace(whole, by=(), where=beside(answer.breakdown[:-1])))
    assert (other.value, other.n, other.numerator, other.distribution, other.apart) == (
        alone.value,
        alone.n,
        alone.numerator,
        alone.distribution,
        alone.apart,
    )
    values = {bucket.starts_at: (bucket.value, bucket.n) for bucket in other.series}
    assert [values[bucket.starts_at] for bucket in alone.series] == [(one.value, one.n) for one in alone.series]
    assert await records(company, other.drill_down) == await records(company, alone.drill_down)
    if kpi.kind is Kind.DURATION and other.value is not None:
        found = [value for _, _, value in await records(company, other.drill_down) if isinstance(value, Decimal)]
        assert abs(Decimal(median(found)) - other.value) <= Decimal("0.000001")


def _year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year + 1, 1, 1))


async def test_a_comparison_has_the_same_groups_on_both_sides(company: Database) -> None:
    by = (Dimension.CHANNEL,)
    compared_to = ComparedTo(Comparand.PREVIOUS_PERIOD, ComparedSpan.WHOLE)
    year = replace(KpiRequest("mqls", by=by, top=2), period=_year(2025), compare_to=compared_to)
    answer = await ask(company, year)
    assert answer.comparison is not None
    earlier = await ask(company, KpiRequest("mqls", by=by, period=_year(2024)))
    kept = [group.keys for group in answer.breakdown[:2]]
    expected = {group.keys: group.n for group in earlier.breakdown if group.keys in kept}
    found = {group.keys: group.n for group in answer.comparison.breakdown if not group.keys[0].is_other}
    assert found == {keys: expected.get(keys, 0) for keys in kept}
    (rest,) = [group.n for group in answer.comparison.breakdown if group.keys[0].is_other]
    assert rest == earlier.n - sum(expected.values())


async def test_other_of_a_funnel_is_the_funnel_of_the_filter_that_leaves_the_top_groups_out(company: Database) -> None:
    whole = FunnelRequest(by=(Dimension.COUNTRY, Dimension.CHANNEL), period=_year(2025))
    async with company.read() as session:
        answer = await query_funnel(session, LOCAL_OPERATOR, replace(whole, top=2), now=NOW)
        full = await query_funnel(session, LOCAL_OPERATOR, whole, now=NOW)
        rest = beside(answer.breakdown[:2])
        alone = await query_funnel(session, LOCAL_OPERATOR, replace(whole, by=(), where=rest), now=NOW)
    assert [group.keys[0].is_other for group in answer.breakdown] == [False, False, True]
    largest = sorted((group.stages[0].reached or 0 for group in full.breakdown), reverse=True)
    assert [group.stages[0].reached for group in answer.breakdown[:2]] == largest[:2]
    assert len(largest) > 3
    assert answer.breakdown[2].stages == alone.stages
    for step, beside_it in zip(answer.breakdown[2].stages, alone.stages, strict=True):
        assert await records(company, step.drill_down) == await records(company, beside_it.drill_down)
        assert step.reached == len(await records(company, step.drill_down))


@pytest.mark.parametrize("top", [0, MOST_GROUPS])
async def test_a_number_of_groups_that_fits_no_funnel_is_refused(top: int, company: Database) -> None:
    async with company.read() as session:
        with pytest.raises(AccordError, match=f"`top` is {top}"):
            await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(by=(Dimension.CHANNEL,), top=top), now=NOW)
        with pytest.raises(AccordError, match="names no dimension"):
            await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(top=2), now=NOW)


@pytest.mark.parametrize(
    ("top", "by", "message"),
    [
        (0, (Dimension.CHANNEL,), f"`top` is 0, which is not between 1 and {MOST_GROUPS - 1}."),
        (-1, (Dimension.CHANNEL,), f"`top` is -1, which is not between 1 and {MOST_GROUPS - 1}."),
        (MOST_GROUPS, (Dimension.CHANNEL,), f"`top` is {MOST_GROUPS}, which is not between 1 and {MOST_GROUPS - 1}."),
        (3, (), "`top` is the number of groups of a breakdown, and the request names no dimension."),
    ],
)
async def test_a_number_of_groups_that_fits_no_breakdown_is_refused(
    top: int, by: tuple[Dimension, ...], message: str, company: Database
) -> None:
    error = await try_to_ask(company, KpiRequest("mqls", by=by, top=top))
    assert isinstance(error, AccordError)
    assert (error.code, error.message) == (ErrorCode.BAD_INPUT, message)


async def rejections(company: Database, by: tuple[Dimension, ...]) -> tuple[KpiAnswer, KpiAnswer]:
    """The rejection rate by dimensions, of all groups and of two of them."""
    request = KpiRequest("rejection_rate", by=by, grain=Grain.QUARTER)
    return await ask(company, request), await ask(company, replace(request, top=2))


async def sides(company: Database, figure: KpiFigure) -> list[int]:
    """The number of records behind the two sides of a figure."""
    assert figure.drill_down is not None
    async with company.read() as session:
        return [len(await session.rows(figure.drill_down.rows(side))) for side in RecordSide]


async def test_other_of_reject_reasons_is_a_share_of_all_decisions(company: Database) -> None:
    full, answer = await rejections(company, (Dimension.REJECT_REASON,))
    assert len(full.breakdown) > 3
    assert answer.breakdown[:2] == full.breakdown[:2]
    other = answer.breakdown[2]
    assert other.keys[0].is_other
    assert other.numerator == sum(group.numerator or 0 for group in full.breakdown[2:])
    assert sum(group.numerator or 0 for group in answer.breakdown) == answer.numerator
    for group in answer.breakdown:
        assert (group.n, group.denominator) == (answer.n, answer.denominator)
        assert await sides(company, group) == [answer.n, group.numerator]
        for bucket, whole in zip(group.series, answer.series, strict=True):
            assert bucket.n == whole.n
            assert await sides(company, bucket) == [bucket.n, bucket.numerator]
    async with company.read() as session:
        facts = await session.rows(
            Sql(
                "select h.reject_reason as reason, h.status from handoff h join contact c on c.id = h.contact_id"
                " where h.decided_at <= {} and h.status = any ({}::text[])"
                " and c.merged_into_id is null and not c.is_test and not c.is_internal and c.deleted_at is null",
                NOW,
                ["ACCEPTED", "REJECTED"],
            )
        )
    reasons = Counter(fact["reason"] for fact in facts if fact["status"] == "REJECTED")
    assert answer.n == len(facts)
    named = {group.keys[0].value for group in answer.breakdown[:2]}
    assert sorted((reasons[reason] for reason in named), reverse=True) == sorted(reasons.values(), reverse=True)[:2]
    assert other.numerator == sum(count for reason, count in reasons.items() if reason not in named)


async def test_beside_another_dimension_a_kept_reason_is_a_share_of_its_group(company: Database) -> None:
    full, answer = await rejections(company, (Dimension.LEAD_SOURCE, Dimension.REJECT_REASON))
    alike = {group.keys: group for group in full.breakdown}
    assert [group.keys for group in answer.breakdown[:2]] == highest(full.breakdown, 2)
    for group in answer.breakdown[:2]:
        whole = alike[group.keys]
        assert (group.value, group.numerator, group.denominator) == (whole.value, whole.numerator, whole.denominator)
        assert [(one.numerator, one.n) for one in group.series] == [(one.numerator, one.n) for one in whole.series]
        assert await sides(company, group) == [group.denominator, group.numerator]
    other = answer.breakdown[2]
    assert (other.keys[1].is_other, other.denominator) == (True, answer.denominator)
    assert sum(group.numerator or 0 for group in answer.breakdown) == answer.numerator
    assert await sides(company, other) == [answer.n, other.numerator]


async def test_without_another_reason_there_is_no_other(company: Database) -> None:
    request = KpiRequest("rejection_rate", by=(Dimension.REJECT_REASON,), top=199)
    assert not any(group.keys[0].is_other for group in (await ask(company, request)).breakdown)
