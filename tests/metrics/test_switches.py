"""Switches of whole answers: whose records count, and figures in parts that are judged as the whole is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Switches
from api.workflows.make_sample import make_sample
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import AnsweredFrom, WarningCode
from schema.kpis.kinds import Kind
from schema.kpis.kpi import Kpi
from schema.kpis.switch_words import Censoring, Exclusion
from schema.vocab import Grain, NotCountedReason, RecordSide
from tests.metrics.oracle import percentile
from tests.metrics.test_drill_down import request_of, walk

NOBODY: frozenset[Exclusion] = frozenset()
# Another win may be a customer's first if more deals count.
NOT_BY_RECORD = ("new_customers",)


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=600, seed=5, until=date(2026, 6, 30))
        await session.script("update contact set is_test = true where abs(hashtext(id::text)) % 9 = 0")
        await session.script("update contact set is_internal = true where abs(hashtext(id::text)) % 11 = 0")
    return module_database


async def query(session: ReadSession, request: KpiRequest) -> KpiAnswer:
    [answer] = await query_kpis(session, LOCAL_OPERATOR, [request])
    assert isinstance(answer, KpiAnswer), answer
    return answer


@pytest.mark.parametrize("kpi", CATALOGUE.values(), ids=CATALOGUE)
async def test_records_that_are_not_excluded_count_beside_the_others(company: Database, kpi: Kpi) -> None:
    async with company.read() as session:
        agreed = await query(session, request_of(kpi))
        everybody = await query(session, request_of(kpi, switches=Switches(exclusions=NOBODY)))
        testers_out = await query(session, request_of(kpi, switches=Switches(exclusions=frozenset([Exclusion.TEST]))))
        same = await query(session, request_of(kpi, switches=Switches(exclusions=frozenset(Exclusion))))
    assert replace(same, request=agreed.request, drill_down=None, sql="", as_of=agreed.as_of) == replace(
        agreed, drill_down=None, sql=""
    )
    assert (agreed.is_canonical, everybody.is_canonical) == (True, False)
    assert (everybody.overrides, testers_out.overrides) == (("exclusions=NONE",), ("exclusions=TEST",))
    assert everybody.answered_from is AnsweredFrom.FACTS
    left_out = {part.reason: part.count for part in agreed.excluded.reasons}
    marked = left_out.get(NotCountedReason.TEST, 0) + left_out.get(NotCountedReason.INTERNAL, 0)
    if kpi.kind is Kind.FORMULA:  # the excluded ones are those of all parts, and n is that of the first one
        assert agreed.n <= everybody.n <= agreed.n + marked
    elif kpi.key not in NOT_BY_RECORD:
        assert everybody.n == agreed.n + marked
    assert not {part.reason for part in everybody.excluded.reasons} & {NotCountedReason.TEST, NotCountedReason.INTERNAL}
    assert NotCountedReason.INTERNAL not in {part.reason for part in testers_out.excluded.reasons}


async def test_the_funnel_follows_whom_the_request_does_not_exclude(company: Database) -> None:
    async with company.read() as session:
        agreed = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())
        asked = FunnelRequest(switches=Switches(exclusions=NOBODY))
        everybody = await query_funnel(session, LOCAL_OPERATOR, asked)
    left_out = {part.reason: part.count for part in agreed.excluded.reasons}
    marked = left_out[NotCountedReason.TEST] + left_out[NotCountedReason.INTERNAL]
    assert marked > 0
    assert everybody.stages[0].reached == (agreed.stages[0].reached or 0) + marked
    assert everybody.overrides == ("exclusions=NONE",)


@pytest.mark.parametrize("censoring", [Censoring.DECIDED_ONLY, Censoring.MATURE_ONLY])
async def test_buckets_and_their_records_are_judged_by_the_pace_of_the_whole(
    company: Database, censoring: Censoring
) -> None:
    as_of = datetime(2026, 5, 1, tzinfo=UTC)
    switches = Switches(has_no_window=True, censoring=censoring, as_of=as_of)
    async with company.read() as session:
        answer = await query(session, KpiRequest("mql_to_customer", grain=Grain.QUARTER, switches=switches))
        listed = [await walk(session, bucket.drill_down, RecordSide.BASE, size=500) for bucket in answer.series]
        won = [await walk(session, bucket.drill_down, RecordSide.CONVERTED, size=500) for bucket in answer.series]
    assert [len(records) for records in listed] == [bucket.n for bucket in answer.series]
    assert [len(records) for records in won] == [bucket.numerator for bucket in answer.series]
    assert answer.n == sum(bucket.n for bucket in answer.series)
    [open_] = [warning for warning in answer.warnings if warning.code is WarningCode.OPEN_COHORT]
    assert "90 %" in open_.message
    assert answer.answered_from is AnsweredFrom.JOURNEYS


@pytest.mark.parametrize("key", ["speed_to_lead", "time_to_convert"])
async def test_a_mature_duration_leaves_out_who_came_within_the_pace_of_the_whole(company: Database, key: str) -> None:
    as_of = datetime(2026, 5, 1, tzinfo=UTC)
    pair = StagePair("inquiry", "mql") if key == "time_to_convert" else None
    every = KpiRequest(key, stages=pair, switches=Switches(as_of=as_of, has_no_window=pair is not None))
    mature = replace(every, grain=Grain.QUARTER, switches=replace(every.switches, censoring=Censoring.MATURE_ONLY))
    async with company.read() as session:
        open_, answer = await query(session, every), await query(session, mature)
        records = await walk(session, open_.drill_down, RecordSide.BASE, size=500)
        kept = await walk(session, answer.drill_down, RecordSide.BASE, size=500)
        listed = [await walk(session, bucket.drill_down, RecordSide.BASE, size=500) for bucket in answer.series]
    pace = timedelta(seconds=percentile([float(record.value or 0) for record in records], 0.9))
    expected = [record for record in records if record.at + pace <= as_of]
    assert 0 < len(expected) < len(records)
    assert {(record.id, record.at) for record in kept} == {(record.id, record.at) for record in expected}
    assert answer.n == len(expected) == sum(bucket.n for bucket in answer.series)
    assert [len(found) for found in listed] == [bucket.n for bucket in answer.series]
    assert float(answer.value or 0) == pytest.approx(
        percentile([float(one.value or 0) for one in expected], 0.5), abs=1e-5
    )
    assert (answer.answered_from, "censoring=MATURE_ONLY" in answer.overrides) == (AnsweredFrom.JOURNEYS, True)
    [left_out] = [warning for warning in answer.warnings if warning.code is WarningCode.OPEN_COHORT]
    assert "not in the value" in left_out.message
