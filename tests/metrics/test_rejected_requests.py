"""An invalid request is rejected with what is wrong and what to request instead."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Switches, Where
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.accord_vocab import Reading
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, FilterScope
from schema.vocab import Anchor, Grain, Reentry, Skip

PAIR = StagePair("mql", "sql")
BAD: tuple[tuple[KpiRequest, ErrorCode, str], ...] = (
    (KpiRequest("profit"), ErrorCode.BAD_INPUT, "deals_won"),
    (KpiRequest("mqls", switches=Switches(anchor=Anchor.COHORT)), ErrorCode.BAD_INPUT, "reentry, skip, reading"),
    (KpiRequest("deals_won", switches=Switches(skip=Skip.EXCLUDE)), ErrorCode.BAD_INPUT, "asOf, timezone"),
    (KpiRequest("win_rate", switches=Switches(has_no_window=True)), ErrorCode.BAD_INPUT, "asOf, timezone"),
    (KpiRequest("mqls", switches=Switches(skip=Skip.REACHED_OR_BEYOND)), ErrorCode.BAD_INPUT, "EXCLUDE"),
    (KpiRequest("stage_conversion"), ErrorCode.BAD_INPUT, "suspect"),
    (KpiRequest("mqls", stages=PAIR), ErrorCode.BAD_INPUT, "stage_conversion"),
    (KpiRequest("stage_conversion", stages=StagePair("mql", "lead")), ErrorCode.UNKNOWN_STAGE, "opportunity"),
    (KpiRequest("stage_conversion", stages=StagePair("sql", "mql")), ErrorCode.BAD_INPUT, "order"),
    (
        KpiRequest("stage_conversion", stages=PAIR, switches=Switches(anchor=Anchor.PERIOD, window=timedelta(1))),
        ErrorCode.BAD_INPUT,
        "COHORT",
    ),
    (
        KpiRequest("stage_conversion", stages=PAIR, switches=Switches(window=timedelta(0))),
        ErrorCode.BAD_INPUT,
        "100 years",
    ),
    (
        KpiRequest("stage_conversion", stages=PAIR, switches=Switches(window=timedelta(1), has_no_window=True)),
        ErrorCode.BAD_INPUT,
        "one of the two",
    ),
    (KpiRequest("mqls", switches=Switches(censoring=Censoring.MATURE_ONLY)), ErrorCode.BAD_INPUT, "reentry, skip"),
    (KpiRequest("mqls", switches=Switches(filter_scope=FilterScope.BASE)), ErrorCode.BAD_INPUT, "reentry, skip"),
    (
        KpiRequest("time_to_convert", stages=PAIR, switches=Switches(censoring=Censoring.DECIDED_ONLY)),
        ErrorCode.BAD_INPUT,
        "ALL_OPEN or MATURE_ONLY",
    ),
    (
        KpiRequest("speed_to_lead", switches=Switches(censoring=Censoring.DECIDED_ONLY)),
        ErrorCode.BAD_INPUT,
        "ALL_OPEN or MATURE_ONLY",
    ),
    *(
        (
            KpiRequest(key, switches=Switches(censoring=Censoring.MATURE_ONLY)),
            ErrorCode.BAD_INPUT,
            "The switch censoring is one of stage_conversion, ",
        )
        for key in ("time_in_stage", "sales_cycle", "owner_response_time")
    ),
    *(
        (
            KpiRequest(key, switches=Switches(filter_scope=FilterScope.BOTH)),
            ErrorCode.BAD_INPUT,
            "time_to_convert",
        )
        for key in ("speed_to_lead", "time_in_stage", "sales_cycle", "owner_response_time")
    ),
    (
        KpiRequest("deals_won", switches=Switches(cycle_start=CycleStart.SQL)),
        ErrorCode.BAD_INPUT,
        "The switch cycleStart is one of sales_cycle.",
    ),
    (KpiRequest("deals_won", switches=Switches(reading=Reading.RESTATED)), ErrorCode.BAD_INPUT, " more."),
    (KpiRequest("win_rate", switches=Switches(cycle_start=CycleStart.SQL)), ErrorCode.BAD_INPUT, "anchor"),
    *(
        (KpiRequest(key, switches=Switches(currency_rule=CurrencyRule.UNCONVERTED)), ErrorCode.BAD_INPUT, "PERIOD_END")
        for key in ("sales_velocity", "pipeline_coverage", "cac", "ltv", "ltv_cac", "cac_payback_months")
    ),
    *(
        (KpiRequest(key, switches=Switches(has_no_window=True)), ErrorCode.BAD_INPUT, "Give a length.")
        for key in ("recycled_reconversion", "response_rate", "opt_out_rate")
    ),
    (KpiRequest("response_rate", switches=Switches(window=timedelta(0))), ErrorCode.BAD_INPUT, "100 years"),
    (KpiRequest("win_rate", switches=Switches(currency_rule=CurrencyRule.AS_OF)), ErrorCode.BAD_INPUT, "exclusions"),
    (
        KpiRequest("mql_to_customer", switches=Switches(filter_scope=FilterScope.CONVERSION)),
        ErrorCode.BAD_INPUT,
        "where",
    ),
    (
        KpiRequest("mql_to_customer", switches=Switches(anchor=Anchor.PERIOD, censoring=Censoring.MATURE_ONLY)),
        ErrorCode.BAD_INPUT,
        "COHORT",
    ),
    (
        KpiRequest("mql_acceptance", switches=Switches(anchor=Anchor.COHORT, censoring=Censoring.MATURE_ONLY)),
        ErrorCode.BAD_INPUT,
        "DECIDED_ONLY",
    ),
    (KpiRequest("mql_acceptance", switches=Switches(censoring=Censoring.DECIDED_ONLY)), ErrorCode.BAD_INPUT, "COHORT"),
    (KpiRequest("mqls", by=(Dimension.PIPELINE,)), ErrorCode.BAD_INPUT, "CHANNEL"),
    (
        KpiRequest("mqls", by=(Dimension.CHANNEL, Dimension.OWNER, Dimension.TEAM, Dimension.COUNTRY)),
        ErrorCode.BAD_INPUT,
        "where",
    ),
    (KpiRequest("mqls", by=(Dimension.OWNER, Dimension.OWNER)), ErrorCode.BAD_INPUT, "once"),
    (KpiRequest("mqls", where=Where(tests=((Dimension.STAGE, ("mql",)),))), ErrorCode.BAD_INPUT, "CHANNEL"),
    (KpiRequest("mqls", where=Where(tests=((Dimension.CHANNEL, ("FAX",)),))), ErrorCode.UNKNOWN_VALUE, "EMAIL"),
    (KpiRequest("stage_volume", where=Where(tests=((Dimension.STAGE, ("x",)),))), ErrorCode.UNKNOWN_VALUE, "sal"),
    (KpiRequest("mqls", switches=Switches(timezone="Mars/Base")), ErrorCode.BAD_INPUT, "Europe/Berlin"),
    (KpiRequest("mqls", switches=Switches(as_of=datetime(2026, 1, 1))), ErrorCode.BAD_INPUT, "zone"),  # noqa: DTZ001
    (KpiRequest("mqls", period=named_period("last-90000-years")), ErrorCode.BAD_PERIOD, "2026-Q1"),
)


async def adopt(database: Database, document: Accord | None = None, *, is_evaluated: bool = True) -> None:
    async with database.write() as session:
        await adopt_accord(session, document or read_accord("standard"))
        if is_evaluated:
            await evaluate(session)


async def add_contact(database: Database) -> None:
    async with database.write() as session:
        await session.copy("contact", ["id"], [(UUID(int=1),)])


async def query(database: Database, request: KpiRequest) -> KpiAnswer | AccordError:
    async with database.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request])
    return answer


@pytest.mark.parametrize(("request_", "code", "remedy"), BAD, ids=[str(place) for place in range(len(BAD))])
async def test_an_invalid_request_is_rejected_with_a_remedy(
    database: Database, request_: KpiRequest, code: ErrorCode, remedy: str
) -> None:
    await adopt(database)
    answer = await query(database, request_)
    assert isinstance(answer, AccordError), answer
    assert answer.code is code
    assert remedy in answer.remedy


async def test_a_currency_rule_needs_a_reporting_currency(database: Database) -> None:
    standard = read_accord("standard")
    reporting = standard.reporting.model_copy(update={"currency": None})
    await adopt(database, standard.model_copy(update={"reporting": reporting}))
    answer = await query(database, KpiRequest("revenue_won", switches=Switches(currency_rule=CurrencyRule.AS_OF)))
    assert isinstance(answer, AccordError), answer
    assert (answer.code, "[reporting]" in answer.remedy) == (ErrorCode.BAD_INPUT, True)


@pytest.mark.parametrize("switches", [Switches(skip=Skip.EXCLUDE), Switches(reentry=Reentry.EACH)])
async def test_a_funnel_rejects_switches_that_would_let_its_bars_grow(database: Database, switches: Switches) -> None:
    await adopt(database)
    async with database.read() as session:
        with pytest.raises(AccordError, match="asOf, timezone"):
            await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(switches=switches))
        with pytest.raises(AccordError, match="The funnel has no dimension STAGE"):
            await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(by=(Dimension.STAGE,)))


async def test_a_kpi_of_a_stage_that_the_accord_does_not_have_is_rejected(database: Database) -> None:
    standard = read_accord("standard")
    left_out: dict[str, object] = {"exits": (), "handoff": None, "attribution": None}
    shorter = standard.model_copy(update={"stages": standard.stages[:2], **left_out})
    await adopt(database, shorter)
    assert isinstance(await query(database, KpiRequest("mqls")), KpiAnswer)  # without contacts, NO_CONTACTS comes first
    await add_contact(database)
    answer = await query(database, KpiRequest("mqls"))
    assert isinstance(answer, AccordError)
    assert answer.code is ErrorCode.UNKNOWN_STAGE
    assert "mqls reads the stage 'mql'" in answer.message


async def test_before_the_first_evaluation_only_kpis_of_deals_have_a_value(
    database: Database,
) -> None:
    await adopt(database, is_evaluated=False)
    await add_contact(database)
    people = await query(database, KpiRequest("mqls"))
    assert isinstance(people, AccordError)
    assert people.code is ErrorCode.NOT_EVALUATED
    assert "accord evaluate" in people.remedy
    assert isinstance(await query(database, KpiRequest("deals_won")), KpiAnswer)


async def test_without_an_accord_every_request_is_rejected(database: Database) -> None:
    with pytest.raises(AccordError) as rejected:
        await query(database, KpiRequest("mqls"))
    assert rejected.value.code is ErrorCode.NO_ACCORD


async def test_over_pressure_is_rejected_without_a_contact_policy(database: Database) -> None:
    await adopt(database, read_accord("standard").model_copy(update={"contact_policy": None}))
    await add_contact(database)
    answer = await query(database, KpiRequest("over_pressure_rate"))
    assert isinstance(answer, AccordError)
    assert answer.code is ErrorCode.BAD_INPUT
    assert "has no contact policy" in answer.message
    assert "[contact_policy]" in answer.remedy


async def test_every_kpi_of_people_without_contacts_warns_of_it(database: Database) -> None:
    """Even if the KPI also lacks a stage, a contact policy or an evaluation."""
    standard = read_accord("standard")
    stage = standard.stages[0].model_copy(update={"key": "other"})
    await adopt(
        database,
        standard.model_copy(
            update={"stages": (stage,), "exits": (), "contact_policy": None, "handoff": None, "attribution": None}
        ),
        is_evaluated=False,
    )
    pairs = ("stage_conversion", "time_to_convert")  # requests for these name stages, which are checked first
    keys = [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.PERSON and key not in pairs]
    async with database.read() as session:
        answers = await query_kpis(
            session, LOCAL_OPERATOR, [KpiRequest(key, grain=Grain.MONTH, by=(Dimension.CHANNEL,)) for key in keys]
        )
        funnel = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())
    assert [warning.code for warning in funnel.warnings] == [WarningCode.NO_CONTACTS]
    for answer in answers:
        assert isinstance(answer, KpiAnswer), answer
        assert (answer.value, answer.n, answer.series, answer.breakdown) == (None, 0, (), ())
        assert [warning.code for warning in answer.warnings] == [WarningCode.NO_CONTACTS]
        assert "select exists" in answer.sql


async def test_kpis_of_people_and_funnels_without_contacts_are_null_and_not_zero(database: Database) -> None:
    await adopt(database)
    request = KpiRequest("mqls", grain=Grain.MONTH, by=(Dimension.CHANNEL,))
    answer = await query(database, request)
    assert isinstance(answer, KpiAnswer)
    assert (answer.value, answer.series, answer.breakdown) == (None, (), ())
    assert [warning.code for warning in answer.warnings] == [WarningCode.NO_CONTACTS]
    async with database.read() as session:
        funnel = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())
    assert [warning.code for warning in funnel.warnings] == [WarningCode.NO_CONTACTS]
    figures = [(step.reached, step.implied, step.open, step.overall, step.entered) for step in funnel.stages]
    assert figures
    assert all(figure == (None,) * 5 for figure in figures)
