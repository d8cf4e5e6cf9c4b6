"""Generated sections of accords: duties, calendars, policies, attribution and targets that are valid."""

from datetime import date, timedelta
from decimal import Decimal

from schema.accord import Accord
from schema.clauses.attribution import Attribution, AttributionModel, AttributionWeights
from schema.clauses.calendars import BusinessCalendar, ClosedDay, HolidayYear, OpeningHours, PublicHolidays
from schema.clauses.clause_vocab import AttributionAnchor, AttributionMethod, DeliveryCount, Weekday
from schema.clauses.contact_policy import ChannelCap, ContactPolicy, Exemptions, QuietHours
from schema.clauses.economics import Economics, SalesCost
from schema.clauses.handoff_duties import (
    AttemptsDuty,
    CompletenessDuty,
    HandoffDuties,
    HandOverDuty,
    MarketingDuties,
    RejectionPart,
    SalesDuties,
    VolumeDuty,
)
from schema.clauses.reporting import Reporting
from schema.clauses.targets import Target, TargetSlice
from schema.clauses.time_limits import TimeLimit
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.variants import SourcedRule
from schema.vocab import Channel, Currency, Grain, TeamKind
from tests.support.random_choices import RandomChoices

WEEK = tuple(Weekday)
WORDS = ("Office", 'A "quoted" one', "Größe \\ 時計", "tab\tand\nline")
LENGTHS = (timedelta(minutes=90), timedelta(hours=24), timedelta(days=3), timedelta(seconds=1))
REJECTIONS: tuple[tuple[RejectionPart, ...], ...] = ((), ("REASON",), ("REASON", "NOTE"))
TARGETS = (
    Target(kpi="deals_won", period="2027-Q1", value=Decimal(300)),
    Target(kpi="win_rate", period="FY2027", value=Decimal("0.25"), team=TeamKind.SALES),
    Target(kpi="sales_cycle", period="2027-03", duration=timedelta(hours=4)),
    Target(kpi="revenue_won", period="FY2027-Q2", value=Decimal("1200000.5")),
    Target(
        kpi="deals_won", period="2027", value=Decimal(7), only=TargetSlice(dimension=Dimension.CHANNEL, value="EMAIL")
    ),
)
WEIGHTS = (
    AttributionWeights(first_touch=Decimal(1)),
    AttributionWeights(first_touch=Decimal("0.225"), last_touch=Decimal("0.225"), rest=Decimal("0.55")),
)


def with_sections(accord: Accord, choices: RandomChoices) -> Accord:
    """The accord with generated sections beside its stages, valid as a document."""
    calendars = tuple(_calendar(choices, f"calendar_{place}") for place in range(choices.integer(0, 2)))
    stages = tuple(stage.model_copy(update={"needs": ("contact.email",)}) for stage in accord.stages)
    keys = [stage.key for stage in stages]
    sections = {
        "stages": stages,
        "calendars": calendars,
        "contact_policy": choices.one((None, _policy(choices))),
        "handoff": choices.one((None, HandoffDuties(), _duties(choices, keys, calendars))),
        "attribution": choices.one((None, _attribution(choices, keys))),
        "targets": choices.some(TARGETS),
        "economics": choices.one((None, Economics(), _economics(choices))),
        "reporting": Reporting(currency=Currency.EUR, fiscal_year_named_by=choices.one(("START", "END"))),
    }
    return Accord.model_validate(accord.model_copy(update=sections).model_dump(by_alias=True))


def _calendar(choices: RandomChoices, key: str) -> BusinessCalendar:
    opens = choices.one(("00:00", "08:15"))
    hours = [OpeningHours(days=choices.some(WEEK) or WEEK[:2], opens=opens, closes="12:00")]
    if choices.happens(2):
        hours.append(OpeningHours(days=WEEK, opens="13:30", closes="24:00"))
    days = tuple(ClosedDay(on=date(2026, month, 1), name=choices.one(WORDS)) for month in range(1, 12))
    years = (HolidayYear(year=2025, days=()), HolidayYear(year=2026, days=choices.some(days)))
    holidays = PublicHolidays(country="DE", subdivision=choices.one((None, "BE")), years=choices.some(years))
    return BusinessCalendar(
        key=key,
        title=choices.one(WORDS),
        timezone=choices.one((None, "Asia/Tokyo")),
        hours=tuple(hours),
        holidays=choices.one((None, holidays)),
        closed=choices.some(days),
    )


def _policy(choices: RandomChoices) -> ContactPolicy:
    channels = choices.some((Channel.EMAIL, Channel.PHONE))
    quiet = QuietHours.model_validate({"from": "20:00", "until": "08:00", "channels": channels})
    caps = tuple(ChannelCap(channel=channel, at_most=2, within=choices.one(LENGTHS)) for channel in channels)
    return ContactPolicy(
        at_most=choices.integer(1, 9),
        within=choices.one(LENGTHS),
        exempt=Exemptions(automated=choices.happens(2), reply_within=choices.one((None, *LENGTHS))),
        quiet_hours=choices.one((None, quiet)),
        channel_caps=caps,
    )


def _limit(choices: RandomChoices, calendars: tuple[BusinessCalendar, ...]) -> TimeLimit:
    calendar = choices.one((None, *(calendar.key for calendar in calendars)))
    return TimeLimit(time=choices.one(LENGTHS), calendar=calendar)


def _duties(choices: RandomChoices, keys: list[str], calendars: tuple[BusinessCalendar, ...]) -> HandoffDuties:
    stage = choices.one(keys)
    volume = VolumeDuty(
        stage=stage,
        at_least=choices.integer(1, 99),
        per=choices.one(tuple(Grain)),
        count=choices.one(tuple(DeliveryCount)),
        lead_value=choices.one((None, Decimal("12.5"))),
    )
    marketing = MarketingDuties(
        volume=choices.some((volume,)),
        completeness=choices.some((CompletenessDuty(stage=stage, at_least=Decimal("0.9")),)),
        hand_over=choices.some((HandOverDuty(stage=stage, within=_limit(choices, calendars)),)),
    )
    sales = SalesDuties(
        decide_within=choices.one((None, _limit(choices, calendars))),
        first_touch_within=choices.one((None, _limit(choices, calendars))),
        attempts=choices.one((None, AttemptsDuty(at_least=3, within=_limit(choices, calendars)))),
        reject_with=choices.one(REJECTIONS),
    )
    return HandoffDuties(marketing=choices.one((None, marketing)), sales=choices.one((None, sales)))


def _economics(choices: RandomChoices) -> Economics:
    costs = (("2026-01", "40000.5"), ("2026-07", "0"), ("2027-01", "52000"))
    return Economics(
        gross_margin=choices.one((None, Decimal("0.7"), Decimal(1))),
        monthly_churn=choices.one((None, Decimal(0), Decimal("0.025"))),
        sales_costs=choices.some(
            tuple(SalesCost.model_validate({"from": month, "per_month": cost}) for month, cost in costs)
        ),
    )


def _attribution(choices: RandomChoices, keys: list[str]) -> Attribution:
    models = (
        AttributionModel(key="weights", title="Weights", weights=choices.one(WEIGHTS)),
        AttributionModel(
            key="decay", title="Decay", method=AttributionMethod.TIME_DECAY, half_life=choices.one(LENGTHS)
        ),
        AttributionModel(
            key="markov",
            title=choices.one(WORDS),
            method=AttributionMethod.MARKOV,
            look_back=choices.one(LENGTHS),
            anchor=choices.one(tuple(AttributionAnchor)),
        ),
    )
    return Attribution(
        models=models, canonical="decay", lead_stage=choices.one(keys), sourced=choices.one(tuple(SourcedRule))
    )
