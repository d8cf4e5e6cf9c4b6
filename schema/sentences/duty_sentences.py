"""The business calendars and the duties of the handoff in plain English."""

from collections.abc import Iterator
from itertools import groupby

from schema.accord import Accord
from schema.clauses.calendars import BusinessCalendar, OpeningHours
from schema.clauses.clause_vocab import DeliveryCount, Weekday
from schema.clauses.handoff_duties import HandoffDuties, MarketingDuties, SalesDuties, VolumeDuty
from schema.clauses.time_limits import TimeLimit
from schema.durations import format_duration, format_hours
from schema.sentences.words import listed, percent
from schema.vocab import Grain

_WEEKDAYS = tuple(Weekday)
_DELIVERED = {
    DeliveryCount.HANDED_OVER: "hands at least {count} of {stage} over to sales",
    DeliveryCount.ACCEPTED: "hands over so many of {stage} that sales accepts at least {count}",
}
_PERIODS = {
    Grain.FISCAL_QUARTER: "fiscal quarter",
    Grain.FISCAL_YEAR: "fiscal year",
}
_REJECTED_WITH = {"REASON": "a reason of this accord", "NOTE": "a note"}


def calendar_sentences(calendar: BusinessCalendar, accord: Accord) -> tuple[str, ...]:
    """Render when a calendar is open."""
    hours = "; ".join(_hours(span) for span in calendar.hours)
    return (
        f"{calendar.title} is open {hours}, by the clock of {calendar.timezone or accord.reporting.timezone}.",
        *_closed(calendar),
    )


def duty_sentences(duties: HandoffDuties, accord: Accord) -> tuple[str, ...]:
    """Render what the teams owe each other."""
    marketing, sales = duties.marketing or MarketingDuties(), duties.sales
    return (*_marketing(marketing, accord), *(_sales(sales, accord) if sales else ()))


def limit_words(limit: TimeLimit, accord: Accord) -> str:
    """Render a limit: `2 days`, or `8 hours of the opening time of Office hours`."""
    if limit.calendar is None:
        return format_duration(limit.time)
    title = next((calendar.title for calendar in accord.calendars if calendar.key == limit.calendar), limit.calendar)
    return f"{format_hours(limit.time)} of the opening time of {title}"


def _hours(span: OpeningHours) -> str:
    """Render a span, such as `Monday to Friday from 09:00 to 17:00`."""
    places = sorted(_WEEKDAYS.index(day) for day in span.days)
    runs = [[place for _, place in run] for _, run in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0])]
    days = listed([_run([_WEEKDAYS[place].capitalize() for place in run]) for run in runs])
    return f"{days} from {span.opens} to {span.closes}"


def _run(days: list[str]) -> str:
    return f"{days[0]} to {days[-1]}" if len(days) > 2 else listed(days)


def _closed(calendar: BusinessCalendar) -> Iterator[str]:
    holidays = calendar.holidays
    if holidays is not None:
        region = holidays.country if holidays.subdivision is None else f"{holidays.country}-{holidays.subdivision}"
        yield f"It is closed on the public holidays of {region}."
        for year in holidays.years:
            days = ", ".join(f"{day.name} ({day.on.day} {day.on:%B})" for day in year.days)
            yield f"The holidays of {year.year} are {days}." if days else f"There are no holidays in {year.year}."
    if calendar.closed:
        days = ", ".join(f"{day.on.day} {day.on:%B %Y} ({day.name})" for day in calendar.closed)
        yield f"It is also closed on {days}."


def _marketing(duties: MarketingDuties, accord: Accord) -> Iterator[str]:
    titles = {stage.key: stage.title for stage in accord.stages}
    for volume in duties.volume:
        delivered = _DELIVERED[volume.count].format(count=f"{volume.at_least:,}", stage=titles[volume.stage])
        yield f"In every {_PERIODS.get(volume.per, volume.per.lower())} marketing {delivered}{_worth(volume, accord)}."
    for completeness in duties.completeness:
        needs = next(stage.needs for stage in accord.stages if stage.key == completeness.stage)
        stage, share = titles[completeness.stage], percent(completeness.at_least)
        yield f"Of the people of {stage} handed over, at least {share} have {listed([*needs])} filled in."
    for duty in duties.hand_over:
        within = limit_words(duty.within, accord)
        yield f"Marketing hands a person over at most {within} after the person entered {titles[duty.stage]}."


def _worth(volume: VolumeDuty, accord: Accord) -> str:
    if volume.lead_value is None:
        return ""
    currency = accord.reporting.currency
    unit = f" {currency.value}" if currency else ""
    return f", each worth {volume.lead_value:,f}{unit}"


def _sales(duties: SalesDuties, accord: Accord) -> Iterator[str]:
    if duties.decide_within:
        yield f"Sales decides on a handoff at most {limit_words(duties.decide_within, accord)} after it."
    if duties.first_touch_within:
        within = limit_words(duties.first_touch_within, accord)
        yield f"Sales touches a person by hand for the first time at most {within} after the handoff."
    if duties.attempts:
        times = "once" if duties.attempts.at_least == 1 else f"{duties.attempts.at_least} times"
        within = limit_words(duties.attempts.within, accord)
        yield f"Sales tries at least {times} to reach an accepted person, at most {within} after it accepted."
    if duties.reject_with:
        parts = listed([_REJECTED_WITH[part] for part in duties.reject_with])
        yield f"Sales rejects a handoff with {parts}."
