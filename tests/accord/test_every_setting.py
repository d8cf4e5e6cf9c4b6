"""Every setting of an accord document changes an answer or a message, or says which reader it waits for."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from api.access.principal import LOCAL_OPERATOR
from api.accord.stated_holidays import with_stated_holidays
from api.db import Database
from api.funnel.evaluate import evaluate
from api.funnel.reference import entries_of
from api.funnel.reference_facts import (
    ContactHistory,
    DealRole,
    DealState,
    HandoffFact,
    RecordVersion,
    ReportFact,
    TouchFact,
)
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import ComparedTo, FunnelRequest, KpiRequest, StagePair
from api.sql import Sql
from schema.accord import Accord
from schema.clauses.unread_settings import NOT_READ_YET
from schema.kpis.comparisons import Comparand
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Channel, DealOutcome, Direction, Grain, HandoffStatus, TeamKind, TouchKind, TouchOutcome
from tests.accord.test_previewed_settings import PREVIEWED
from tests.golden import world
from tests.support.accords import replace_document

Document = dict[str, Any]
Path = tuple[str | int, ...]
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
# Explains the accord to people, wherever it is shown.
FOR_READERS = {"Stage.meaning", "BusinessCalendar.title", "ClosedDay.name"}
REQUESTS = (
    KpiRequest("stage_conversion", stages=StagePair("mql", "sql")),
    KpiRequest("stage_conversion", stages=StagePair("none", "sql")),  # an error with the name of the accord
    KpiRequest("mqls", grain=Grain.WEEK),
    KpiRequest("deals_won", grain=Grain.DAY),
    KpiRequest("revenue_won", grain=Grain.FISCAL_YEAR),
    KpiRequest("rejection_rate", by=(Dimension.REJECT_REASON,)),
    KpiRequest("over_pressure_rate"),
    KpiRequest("sla_followed_up"),
    KpiRequest("reject_feedback_complete"),
    KpiRequest("marketing_delivery", named_period("2026-02")),
    KpiRequest("marketing_delivery_value", named_period("2026-02")),
    KpiRequest("mqls", named_period("2026-02"), compare_to=ComparedTo(Comparand.TARGET)),
    KpiRequest("ltv", named_period("2026-Q1")),
    KpiRequest("cac", named_period("2026-Q1")),
    KpiRequest("marketing_sourced"),
    KpiRequest("marketing_influenced"),
)


def nested(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in an annotation, such as those of a tuple or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from nested(argument)


def settings(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[str, str]]:
    """The settings of a model and of the models in it, as `Stage.title`, with their descriptions."""
    seen.add(model)
    for name, field in model.model_fields.items():
        models = [*nested(field.annotation)]
        # A section is no setting of its own: what is in it is. A rule is one too, beside its parts.
        if not models or name == "rule" or model.__module__ == "schema.clauses.rules":
            yield f"{model.__name__}.{name}", field.description or ""
        for inner in models:
            if inner not in seen:
                yield from settings(inner, seen)


SETTINGS = dict(settings(Accord, set()))
# Models of which every setting waits.
WAITING_MODELS = {
    "QuietHours",
    "ChannelCap",
    "AttributionWeights",
}
WAITING = {name for name, description in SETTINGS.items() if NOT_READ_YET in description}
READ = [name for name in SETTINGS if name not in WAITING | FOR_READERS]


def test_the_settings_are_those_of_all_models() -> None:
    assert {name.partition(".")[0] for name in SETTINGS} >= {"Accord", "Stage", "Exit", "Exemptions", "TouchCount"}
    assert {name for name in WAITING if name.partition(".")[0] not in WAITING_MODELS} == {
        "Attribution.lead_stage",
        *(f"AttributionModel.{name}" for name in ("key", "title", "method", "half_life", "anchor")),
        "Stage.owner",
        "RejectReason.fault",
    }
    assert {name.partition(".")[0] for name in WAITING} >= WAITING_MODELS
    assert set(READ) == {*PROBES, *RULES, "StageReached.stage", *DUE, *STATED, *PREVIEWED}


# What to change in the document, and to what.
PROBES: Mapping[str, tuple[Path, object]] = {
    "Accord.title": (("title",), "Another"),
    "Stage.key": (("stages", 5, "key"), "buyer"),
    "Stage.title": (("stages", 0, "title"), "Lead"),
    "Stage.group": (("stages", 0, "group"), "Leads"),
    "Stage.rule": (("stages", 0, "rule"), {"touches": {"kind": ["CALL"]}}),
    "Stage.window": (("stages", 1, "window"), "1 day"),
    "Exit.on": (("exits", 0), {"on": "DEAL_LOST", "closes_from": "mql", "closes_to": "sql"}),
    "Exit.dispositions": (("exits", 0, "dispositions"), ["RECYCLE"]),
    "Exit.closes_from": (("exits", 0, "closes_from"), "sal"),
    "Exit.closes_to": (("exits", 1, "closes_to"), "sql"),
    "RejectReason.code": (("reject_reasons", 0, "code"), "OTHER"),
    "RejectReason.label": (("reject_reasons", 0, "label"), "Wrong customer"),
    "RejectReason.disposition": (("reject_reasons", 0, "disposition"), "RETURN_FOR_DATA"),
    "ContactPolicy.at_most": (("contact_policy", "at_most"), 9),
    "ContactPolicy.within": (("contact_policy", "within"), "1 minute"),
    "Exemptions.automated": (("contact_policy", "exempt", "automated"), True),
    "Exemptions.reply_within": (("contact_policy", "exempt", "reply_within"), "1 hour"),
    "VolumeDuty.count": (("handoff", "marketing", "volume", 0, "count"), "HANDED_OVER"),
    "VolumeDuty.lead_value": (("handoff", "marketing", "volume", 0, "lead_value"), "90"),
    "AttemptsDuty.at_least": (("handoff", "sales", "attempts", "at_least"), 1),
    "SalesDuties.reject_with": (("handoff", "sales", "reject_with"), ["REASON"]),
    "Attribution.canonical": (("attribution", "canonical"), "first_touch"),
    "Attribution.sourced": (("attribution", "sourced"), "LEAD_SOURCE"),
    "Attribution.marketing_lead_sources": (("attribution", "marketing_lead_sources"), ["Fair"]),
    "AttributionModel.look_back": (("attribution", "models", 0, "look_back"), "9 days"),
    "Reporting.timezone": (("reporting", "timezone"), "Pacific/Auckland"),
    "Reporting.week_start": (("reporting", "week_start"), "SUNDAY"),
    "Reporting.fiscal_year_start_month": (("reporting", "fiscal_year_start_month"), 3),
    "Reporting.fiscal_year_named_by": (("reporting", "fiscal_year_named_by"), "START"),
    "Reporting.currency": (("reporting", "currency"), "SEK"),
    "Reporting.exclude": (("reporting", "exclude"), ["INTERNAL"]),
    "Target.team": (("targets", 0, "team"), "SALES"),
    "Economics.gross_margin": (("economics", "gross_margin"), "0.5"),
    "Economics.monthly_churn": (("economics", "monthly_churn"), "0.5"),
    "SalesCost.first_month": (("economics", "sales_costs", 0, "from"), "2026-02"),
    "SalesCost.per_month": (("economics", "sales_costs", 0, "per_month"), 7),
}


def base() -> Document:
    document = world.accord().model_dump(mode="json", by_alias=True)
    # In the standard accord every stage but the lowest has a rule that is true later than that of the one below.
    document["exits"][0] |= {"closes_from": "inquiry", "closes_to": "sql"}
    document["contact_policy"] = {"at_most": 2, "within": "7 days", "exempt": {"automated": False}}
    document["handoff"]["marketing"]["volume"] = [{"stage": "mql", "at_least": 4, "per": "MONTH"}]
    document["targets"] = [{"kpi": "mqls", "period": "2026-02", "value": 4}]
    costs = [{"from": "2026-01", "per_month": 100}]
    document["economics"] = {"gross_margin": "0.8", "monthly_churn": "0.02", "sales_costs": costs}
    document["attribution"] = {
        "models": [
            {"key": "linear", "title": "Linear", "weights": {"rest": 1}, "look_back": "90 days"},
            {"key": "first_touch", "title": "First", "weights": {"first_touch": 1}, "look_back": "5 days"},
        ],
        "canonical": "linear",
        "lead_stage": "inquiry",
        "sourced": "FIRST_TOUCH",
    }
    document["reporting"] |= {"fiscal_year_start_month": 2, "exclude": ["TEST"]}
    return document


def changed(document: Document, path: Path, value: object) -> Document:
    found = deepcopy(document)
    place: Any = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return found


@pytest.fixture(scope="module")
async def loaded(module_database: Database) -> Database:
    async with module_database.write() as session:
        await world.load(session)
        await session.run(Sql("update contact set is_test = true where id = {}", world.contact_id("c8")))
        at = world.AFTER_ALL - timedelta(hours=3)
        columns = ["contact_id", "id", "occurred_at", "kind", "direction", "is_automated"]
        touched = [("OUTBOUND", minutes > 2) for minutes in range(1, 5)]
        rows = [
            (world.contact_id("c1"), UUID(int=place), at + timedelta(minutes=place), "EMAIL_SENT", direction, automated)
            for place, (direction, automated) in enumerate([("INBOUND", False), *touched])
        ]
        attempt = (world.contact_id("c3"), UUID(int=9), world.day("03-07"), "EMAIL_SENT", "OUTBOUND", False)
        await session.copy("touchpoint", columns, [*rows, attempt])
        # A deal, and a touch by marketing ten days before its opening.
        buyer, opened = UUID(int=77), world.day("03-20")
        await session.copy("contact", ["id"], [(buyer,)])
        await session.copy("deal", ["id", "opened_at"], [(UUID(int=78), opened)])
        await session.copy("deal_contact", ["contact_id", "deal_id"], [(buyer, UUID(int=78))])
        early = (buyer, UUID(int=79), opened - timedelta(days=10), "FORM", "INBOUND", False, "MARKETING")
        await session.copy("touchpoint", [*columns, "team_kind"], [early])
    return module_database


async def answers(database: Database, document: Document) -> list[object]:
    """What the database says under a document, without what only repeats the document or the time."""
    accord = Accord.model_validate(document)
    async with database.write() as session:
        await replace_document(session, accord)
        await evaluate(session, as_of=world.AFTER_ALL)
    async with database.read() as session:
        found: list[object] = [*await query_kpis(session, LOCAL_OPERATOR, REQUESTS, now=world.AFTER_ALL)]
        funnel = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(), now=world.AFTER_ALL)
    # The comparison repeats the versions; what it says of targets is in `targets`.
    plain: Document = {"accords": (), "sql": "", "data_watermark": None, "overrides": ()}
    shown = [replace(answer, comparison=None) if isinstance(answer, KpiAnswer) else answer for answer in found]
    return [replace(answer, **plain) if isinstance(answer, KpiAnswer) else str(answer) for answer in shown] + [
        replace(funnel, **plain)
    ]


@pytest.fixture(scope="module")
async def unchanged(loaded: Database) -> list[object]:
    return await answers(loaded, base())


@pytest.mark.parametrize("name", PROBES)
async def test_a_setting_changes_an_answer_or_a_message(loaded: Database, unchanged: list[object], name: str) -> None:
    path, value = PROBES[name]
    assert unchanged != await answers(loaded, changed(base(), path, value)), name


async def test_the_same_document_gives_the_same_answers(loaded: Database, unchanged: list[object]) -> None:
    assert unchanged == await answers(loaded, base())


def accord_of(rule: Document) -> Accord:
    stage = {"title": "t", "group": "g", "owner": "SALES", "meaning": "m"}
    first = {"key": "first", "rule": {"touches": {"kind": "FORM"}}, **stage}
    return Accord.model_validate({"title": "t", "stages": [first, {"key": "second", "rule": rule, **stage}]})


def touch(**found: object) -> Document:
    return {"touches": found}


def field(**found: object) -> Document:
    return {"field": "contact.lead_score", "op": "gte", "value": 50, **found}


def deal(**found: object) -> Document:
    return {"deal": {"state": "OPEN", **found}}


def score(*, at_least: int = 10, half_life: str | None = None, **term: object) -> Document:
    return {"score": {"terms": [{"points": 10, **term}], "at_least": at_least, "half_life": half_life}}


def reported(**found: object) -> Document:
    return {"reported": {"source": "hubspot", "stage": "mql", **found}}


# A value of each part of a filter that the first touch of PERSON does not match.
FILTERS: Document = {
    "channel": "EMAIL",
    "kind": "MEETING",
    "direction": "INBOUND",
    "team": "SALES",
    "campaign": "Spring",
    "outcome": "QUALIFIED",
}
NEVER, ALWAYS = field(value=1000), field(value=0)
# Two rules that differ in the setting alone, and the stage entries of one person differ with them.
RULES: Mapping[str, tuple[Document, Document]] = {
    "AllOf.all": ({"all": [ALWAYS]}, {"all": [ALWAYS, NEVER]}),
    "AnyOf.any": ({"any": [NEVER]}, {"any": [ALWAYS, NEVER]}),
    "Not.negated": ({"not": ALWAYS}, {"not": NEVER}),
    "FieldIs.field": (field(value=3), field(value=3, field="contact.is_test", op="eq") | {"value": True}),
    "FieldIs.op": (field(), field(op="lt")),
    "FieldIs.value": (field(), field(value=1000)),
    **{f"TouchCount.{key}": (touch(), touch(**{key: value})) for key, value in FILTERS.items()},
    "TouchCount.at_least": (touch(), touch(at_least=2)),
    "TouchCount.within": (touch(at_least=2), touch(at_least=2, within="1 day")),
    "TouchCount.after": (touch(), touch(after="first")),
    "Touches.touches": (touch(), touch(at_least=9)),
    **{f"ScoreTerm.{key}": (score(), score(**{key: value})) for key, value in FILTERS.items()},
    "ScoreTerm.points": (score(), score(points=5)),
    "ScoreSum.terms": (score(), {"score": {"terms": [{"points": 5}, {"points": 5}], "at_least": 20}}),
    "ScoreSum.half_life": (score(at_least=20), score(at_least=20, half_life="1 day")),
    "ScoreSum.at_least": (score(), score(at_least=20)),
    "Score.score": (score(), score(at_least=20)),
    "Silence.silence": ({"silence": "1 day"}, {"silence": "2 days"}),
    "HandoffIs.after": ({"handoff": "REJECTED"}, {"handoff": "REJECTED", "after": "first"}),
    "ReportFilter.source": (reported(), reported(source="salesforce")),
    "ReportFilter.stage": (reported(), reported(stage=["lead", "mql"])),
    "Reported.reported": (reported(), reported(stage="lead")),
    "HandoffIs.handoff": ({"handoff": "ACCEPTED"}, {"handoff": "REJECTED"}),
    "DealFilter.state": (deal(), deal(state="WON")),
    "DealFilter.pipeline": (deal(), deal(pipeline="New")),
    "DealFilter.amount_at_least": (deal(), deal(amount_at_least=200)),
    "DealIs.deal": (deal(), deal(state="LOST")),
    "StageReached.within": (
        {"all": [{"stage": "first"}, {"handoff": "ACCEPTED"}]},
        {"all": [{"stage": "first", "within": "1 day"}, {"handoff": "ACCEPTED"}]},
    ),
}
PERSON = ContactHistory(
    versions=(RecordVersion(START, None, {"lead_score": 60, "is_test": False, "company_id": None}),),
    touches=(
        TouchFact(START + DAY, TouchKind.CALL, Direction.OUTBOUND),
        TouchFact(
            START + 5 * DAY, TouchKind.FORM, Direction.INBOUND, Channel.EMAIL, TeamKind.SALES, "Spring",
            TouchOutcome.QUALIFIED,
        ),
    ),
    handoffs=(
        HandoffFact(START + 3 * DAY, START + 4 * DAY, HandoffStatus.REJECTED),
        HandoffFact(START + 8 * DAY, START + 9 * DAY, HandoffStatus.ACCEPTED),
    ),
    reports=(ReportFact(START + 2 * DAY, "hubspot", "lead"), ReportFact(START + 3 * DAY, "hubspot", "mql")),
    roles=(DealRole((DealState(START + 6 * DAY, None, DealOutcome.OPEN, Decimal(100), "Old"),)),),
)  # fmt: skip


def entries(accord: Accord) -> list[object]:
    return [*entries_of(PERSON, {}, accord, START + 30 * DAY)]


@pytest.mark.parametrize("name", RULES)
def test_a_setting_of_a_rule_changes_the_entries(name: str) -> None:
    one, other = RULES[name]
    assert entries(accord_of(one)) != entries(accord_of(other)), name


def test_a_rule_reads_the_stage_that_it_names() -> None:
    def three(named: str) -> Accord:
        text = {"title": "t", "group": "g", "owner": "SALES", "meaning": "m"}
        rules: Sequence[tuple[str, Document]] = (
            ("zeroth", ALWAYS),
            ("first", touch(kind="FORM")),
            ("last", {"stage": named}),
        )
        return Accord.model_validate(
            {"title": "t", "stages": [{"key": key, "rule": rule, **text} for key, rule in rules]}
        )

    assert entries(three("zeroth")) != entries(three("first"))


def test_of_some_models_every_setting_waits() -> None:
    assert {name for name in SETTINGS if name.partition(".")[0] in WAITING_MODELS} <= WAITING


CALENDAR: Document = {
    "key": "office",
    "title": "Office",
    "timezone": "Europe/Berlin",
    "hours": [{"days": ["MONDAY", "TUESDAY"], "opens": "09:00", "closes": "17:00"}],
    "holidays": {"country": "DE", "years": [{"year": 2026, "days": [{"on": "2026-01-06", "name": "Ours"}]}]},
    "closed": [{"on": "2026-01-12", "name": "Fair"}],
}
HOLIDAYS = ("calendars", 0, "holidays")
# What changes when the decision on a handoff is due.
DUE: Mapping[str, tuple[Path, object]] = {
    "TimeLimit.time": (("handoff", "sales", "decide_within", "time"), "11 hours"),
    "TimeLimit.calendar": (("handoff", "sales", "decide_within"), "10 hours"),
    "BusinessCalendar.key": (("calendars", 0), CALENDAR | {"key": "other"}),
    "BusinessCalendar.timezone": (("calendars", 0, "timezone"), "Asia/Tokyo"),
    "OpeningHours.days": (("calendars", 0, "hours", 0, "days"), ["MONDAY", "WEDNESDAY"]),
    "OpeningHours.opens": (("calendars", 0, "hours", 0, "opens"), "10:00"),
    "OpeningHours.closes": (("calendars", 0, "hours", 0, "closes"), "16:00"),
    "HolidayYear.year": ((*HOLIDAYS, "years"), [{"year": 2025, "days": []}]),
    "ClosedDay.on": (("calendars", 0, "closed", 0, "on"), "2026-01-20"),
}
# What changes the dates that are stated when a version is proposed.
STATED: Mapping[str, tuple[Path, object]] = {
    "PublicHolidays.country": ((*HOLIDAYS, "country"), "FR"),
    "PublicHolidays.subdivision": ((*HOLIDAYS, "subdivision"), "BY"),
}


def agreed_times() -> Document:
    duties = {"sales": {"decide_within": {"time": "10 hours", "calendar": "office"}}}
    other = {**CALENDAR, "key": "always", "hours": [{"days": ["SUNDAY"], "opens": "00:00", "closes": "24:00"}]}
    return base() | {"calendars": [deepcopy(CALENDAR), other], "handoff": duties}


def due(document: Document) -> datetime | str:
    """When the decision on a handoff is due under a document, or why the document is not valid."""
    try:
        accord = Accord.model_validate(document)
    except ValidationError as error:
        return str(error)
    assert accord.handoff is not None
    assert accord.handoff.sales is not None
    assert accord.handoff.sales.decide_within is not None
    return accord.after(accord.handoff.sales.decide_within, START + 4 * DAY)


@pytest.mark.parametrize("name", DUE)
def test_a_setting_changes_when_a_decision_is_due(name: str) -> None:
    assert due(agreed_times()) == datetime(2026, 1, 13, 10, tzinfo=UTC)
    assert due(changed(agreed_times(), *DUE[name])) != due(agreed_times()), name


@pytest.mark.parametrize("name", STATED)
def test_a_setting_changes_the_stated_holidays(name: str) -> None:
    one, other = (
        with_stated_holidays(Accord.model_validate(document), START.date()).calendars[0].closed_days
        for document in (agreed_times(), changed(agreed_times(), *STATED[name]))
    )
    assert one != other
