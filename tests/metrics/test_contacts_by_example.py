"""KPIs of handoffs, touches, stays and reported stages, by a small example worked out by hand."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, Switches, Where
from api.metrics.resolved_request import MICROSECOND
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Censoring
from schema.vocab import Anchor, Grain, RecordSide, Skip
from tests.golden import world as golden
from tests.golden.world import AFTER_ALL, day

Q1 = named_period("2026-Q1")


@pytest.fixture(scope="module")
async def quarter(module_database: Database) -> Database:
    async with module_database.write() as session:
        await golden.load(session)
        reported = ["contact_id", "id", "source", "source_stage", "stage", "entered_at", "recorded_at"]
        reports = (
            ("c1", "customer", day("03-15")),
            ("c2", "opportunity", day("03-01")),
            ("c3", "mql", day("01-20")),
            ("c3", "sql", day("04-03")),
            ("c6", None, day("04-12")),
            ("c8", "sal", None),
            ("c1", "sql", day("03-15")),  # of two at one instant the higher stage counts
        )
        rows = [
            (golden.contact_id(name), UUID(int=place), "crm", str(stage), stage, at, at or day("03-12"))
            for place, (name, stage, at) in enumerate(reports)
        ]
        await session.copy("reported_stage", reported, rows)
        await evaluate(session, as_of=AFTER_ALL)
    return module_database


async def query(database: Database, request: KpiRequest, now: datetime = AFTER_ALL) -> KpiAnswer:
    async with database.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=now)
    assert isinstance(answer, KpiAnswer), answer
    return answer


def made_of(answer: KpiFigure) -> tuple[object, object]:
    return answer.numerator, answer.denominator


@pytest.mark.parametrize(
    ("within", "as_of", "anchor", "part", "whole"),
    [
        (Q1, None, None, 6, 8),
        (Q1, "03-29", None, 5, 7),
        (Q1, "03-30", None, 6, 8),  # c6 is decided at exactly that instant
        # c7 was handed over the year before; c6's is not decided yet.
        (Q1, "03-29", Anchor.COHORT, 4, 7),
        (ALL_HISTORY, "03-29", Anchor.COHORT, 5, 8),
        (ALL_HISTORY, "03-30", Anchor.COHORT, 6, 8),
    ],
)
async def test_acceptance_is_a_share_of_decided_handoffs_or_of_all_handed_over(
    quarter: Database, within: Period, as_of: str | None, anchor: Anchor | None, part: int, whole: int
) -> None:
    switches = Switches(anchor=anchor, as_of=day(as_of) if as_of else None)
    answer = await query(quarter, KpiRequest("mql_acceptance", period=within, switches=switches))
    assert made_of(answer) == (part, whole)
    warned = {warning.code: warning.count for warning in answer.warnings}
    assert warned.get(WarningCode.OPEN_COHORT) == (1 if anchor and as_of == "03-29" else None)
    assert WarningCode.LOW_SAMPLE in warned


@pytest.mark.parametrize(("within", "part", "whole"), [(Q1, 4, 6), (ALL_HISTORY, 5, 7)])
async def test_acceptance_of_the_decided_leaves_out_handoffs_without_a_decision(
    quarter: Database, within: Period, part: int, whole: int
) -> None:
    switches = Switches(anchor=Anchor.COHORT, as_of=day("03-29"), censoring=Censoring.DECIDED_ONLY)
    answer = await query(quarter, KpiRequest("mql_acceptance", period=within, switches=switches))
    assert made_of(answer) == (part, whole)
    assert "censoring=DECIDED_ONLY" in answer.overrides
    [open_] = [warning for warning in answer.warnings if warning.code is WarningCode.OPEN_COHORT]
    assert (open_.count, "not in the value" in open_.message) == (1, True)


async def test_reject_reasons_are_shares_of_all_decisions_and_sum_to_the_rate(quarter: Database) -> None:
    answer = await query(
        quarter, KpiRequest("rejection_rate", period=Q1, grain=Grain.MONTH, by=(Dimension.REJECT_REASON,))
    )
    assert made_of(answer) == (2, 8)
    assert [
        (group.keys[0].value, group.keys[0].label, group.numerator, group.denominator) for group in answer.breakdown
    ] == [
        ("NO_TIMING", "Interested, but not now", Decimal(1), Decimal(8)),
        ("NO_FIT", "Not our kind of customer", Decimal(1), Decimal(8)),
    ]
    assert sum(group.value or 0 for group in answer.breakdown) == answer.value
    # January decided c1 c2 c3 c7, February c5, March c3 c6 c8.
    [timing] = [group for group in answer.breakdown if group.keys[0].value == "NO_TIMING"]
    assert [made_of(bucket) for bucket in timing.series] == [(1, 4), (0, 1), (0, 3)]
    async with quarter.read() as session:
        assert timing.drill_down is not None
        base = await read_page(session, timing.drill_down, RecordSide.BASE, size=20)
        rejected = await read_page(session, timing.drill_down, RecordSide.CONVERTED, size=20)
    assert len(base.records) == 8
    assert [record.id for record in rejected.records] == [golden.contact_id("c3")]


async def test_by_two_dimensions_a_reason_is_a_share_of_its_group(quarter: Database) -> None:
    by = (Dimension.CHANNEL, Dimension.REJECT_REASON)
    answer = await query(quarter, KpiRequest("rejection_rate", period=Q1, by=by))
    assert [(group.keys[0].value, *made_of(group)) for group in answer.breakdown] == [
        ("WEBSITE", 1, 8),
        ("WEBSITE", 1, 8),
    ]


async def test_the_first_touch_by_hand_ends_the_wait(quarter: Database) -> None:
    answer = await query(quarter, KpiRequest("speed_to_lead"))
    # The only outbound touches are qualified calls: c1 after 15 d, c2 27, c3 85, c4 9, c6 58, c7 42; none of c5 and c8.
    assert answer.n == 6
    assert answer.value == Decimal((27 + 42) * 86400) / 2
    warned = {warning.code: warning.count for warning in answer.warnings}
    assert warned[WarningCode.NEVER_TOUCHED] == 2
    early = await query(quarter, KpiRequest("speed_to_lead", switches=Switches(as_of=day("01-20") - MICROSECOND)))
    assert early.n == 1  # c7 on 01-12; c1's call is a microsecond later


async def test_open_entries_have_no_duration_and_are_counted_in_a_warning(quarter: Database) -> None:
    mql = Where(tests=((Dimension.STAGE, ("mql",)),))
    answer = await query(quarter, KpiRequest("time_in_stage", period=Q1, where=mql))
    # c1 1 d, c2 1, c3 2 and 1, c5 1, c6 2, c8 2; c4 skipped the stage.
    assert (answer.n, answer.implied, answer.is_canonical) == (7, 0, True)
    assert answer.distribution is not None
    assert answer.distribution.mean == round(Decimal(10 * 86400) / 7, 6)
    [skipped] = [warning for warning in answer.warnings if warning.code is WarningCode.SKIPPED_STAGE]
    assert skipped.count == 1
    every = Switches(skip=Skip.IMPLIED)
    implied = await query(quarter, KpiRequest("time_in_stage", period=Q1, where=mql, switches=every))
    assert (implied.n, implied.implied, implied.overrides) == (8, 1, ("skip=IMPLIED",))
    assert implied.distribution is not None
    assert implied.distribution.mean == Decimal(10 * 86400) / 8
    assert WarningCode.SKIPPED_STAGE not in {warning.code for warning in implied.warnings}
    # c6 leaves a microsecond later, and c8 before.
    seen = await query(
        quarter, KpiRequest("time_in_stage", period=Q1, where=mql, switches=Switches(as_of=day("03-30") - MICROSECOND))
    )
    assert (seen.n, [warning.count for warning in seen.warnings if warning.code is WarningCode.OPEN_COHORT]) == (6, [1])
    stages = await query(quarter, KpiRequest("time_in_stage", by=(Dimension.STAGE,)))
    assert [group.keys[0].value for group in stages.breakdown] == [stage.key for stage in golden.accord().stages]
    [warned] = [warning for warning in stages.warnings if warning.code is WarningCode.OPEN_COHORT]
    assert warned.count == 6  # c1 and c4 are customers, c2 and c3 sql, c6 an opportunity, c8 a sal


async def test_a_source_agrees_if_its_last_stage_is_the_highest_open_one(quarter: Database) -> None:
    # c1 agrees, c2 (sql) does not, c3 does since its second report, c6's maps to no stage, c8's is undated.
    answer = await query(quarter, KpiRequest("stage_integrity"))
    assert made_of(answer) == (3, 4)
    early = await query(quarter, KpiRequest("stage_integrity", period=Q1))
    assert made_of(early) == (2, 4)  # c3 is a sal by then, and was reported an mql
    series = await query(quarter, KpiRequest("stage_integrity", grain=Grain.MONTH, period=Q1))
    assert [made_of(bucket) for bucket in series.series] == [(0, 1), (0, 1), (2, 4)]
    assert made_of(series) == (2, 4)
