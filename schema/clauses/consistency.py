"""What the sections of a document say about each other: rules name stages, duties name calendars, targets name KPIs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from schema.clauses.calendars import BusinessCalendar, PublicHolidays
from schema.clauses.document_parts import Location, not_known, valid_parts
from schema.clauses.economics import Economics
from schema.clauses.exits import Exit
from schema.clauses.handoff_duties import CompletenessDuty, HandOverDuty, VolumeDuty
from schema.clauses.holiday_dates import unknown_region
from schema.clauses.rules import DEEPEST, AccordModel, HandoffIs, StageReached, TouchCount, depth
from schema.clauses.stages import Stage
from schema.clauses.target_checks import target_mistakes, unknown_kpi
from schema.clauses.targets import Target
from schema.clauses.time_limits import TimeLimit

_LONGEST_WAIT_WEEKS = 260  # of a duty in business time


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """A part that does not fit the rest of the document: where it is, and a sentence without a full stop."""

    location: Location
    message: str


@dataclass(frozen=True, slots=True)
class _Document:
    """What other sections can name: all keys, and the parts that are valid."""

    stages: tuple[str, ...]
    calendars: tuple[str, ...]
    reasons: tuple[str, ...]
    parts: tuple[tuple[Location, AccordModel], ...]
    is_stored: bool

    def stage(self, key: str) -> Stage | None:
        return next((part for _, part in self.parts if isinstance(part, Stage) and part.key == key), None)

    def calendar(self, key: str) -> BusinessCalendar | None:
        return next((part for _, part in self.parts if isinstance(part, BusinessCalendar) and part.key == key), None)

    @property
    def has_currency(self) -> bool:
        # A reporting section with an error may have meant one.
        reporting = next((part for location, part in self.parts if location == ("reporting",)), None)
        return reporting is None or getattr(reporting, "currency", None) is not None


def inconsistencies(
    model: type[AccordModel], document: object, *, is_stored: bool = False
) -> tuple[Inconsistency, ...]:
    """Everything in which the valid parts of a document do not fit each other.

    Shapes: the model and the document, as an object of the model or as it was written -> mistakes, in the document's
            order. A stored document is not compared with the KPIs and the countries of this release: it was, once.
    """
    parts = tuple(valid_parts(model, document))
    known = _Document(
        _keys(document, "stages"),
        _keys(document, "calendars"),
        _keys(document, "reject_reasons", "code"),
        parts,
        is_stored,
    )
    return (
        *_repeated(document, "stages", "key", "stage"),
        *_repeated(document, "calendars", "key", "calendar"),
        *_repeated(document, "reject_reasons", "code", "reject reason"),
        *(
            Inconsistency((*location, *within), message)
            for location, part in parts
            for within, message in _of_part(location, part, known)
        ),
        *_attribution(document, known.stages),
        *_sales_costs(known),
        *(() if is_stored else _unknown_kpis(document)),
        *(() if is_stored else _repeated_targets(parts)),
    )


def _of_part(location: Location, part: AccordModel, known: _Document) -> Iterator[tuple[Location, str]]:
    match part:
        case Stage():
            if depth(part.rule) > DEEPEST:
                yield ("rule",), f"it is nested more than {DEEPEST} levels deep; simplify it"
        case StageReached(stage=key):
            yield from _lower_stage("stage", location, key, known)
        case TouchCount(after=str() as key) | HandoffIs(after=str() as key):
            yield from _lower_stage("after", location, key, known)
        case Exit():
            yield from _exit(part, known.stages)
        case VolumeDuty() | HandOverDuty():
            yield from _duty(part, known)
        case CompletenessDuty(stage=key):
            yield from _stage("stage", key, known.stages)
            stage = known.stage(key)
            if stage is not None and not stage.needs:
                yield ("stage",), f"the stage {key} states no needs, so nothing can be complete; state its needs"
        case TimeLimit():
            yield from _time_limit(part, known)
        case PublicHolidays() if not known.is_stored:
            yield from unknown_region(part.country, part.subdivision)
        case Target() if not known.is_stored:
            yield from target_mistakes(part, known.stages, known.reasons, has_currency=known.has_currency)


def _duty(duty: VolumeDuty | HandOverDuty, known: _Document) -> Iterator[tuple[Location, str]]:
    yield from _stage("stage", duty.stage, known.stages)
    if isinstance(duty, VolumeDuty) and duty.lead_value is not None and not known.has_currency:
        yield ("lead_value",), "it is money, and the accord names no currency; state reporting.currency"


def _lower_stage(field: str, location: Location, key: str, known: _Document) -> Iterator[tuple[Location, str]]:
    rank = location[1] if location[:1] == ("stages",) else None
    lower = known.stages[:rank] if isinstance(rank, int) else known.stages
    if key not in lower:
        listed = ", ".join(stage for stage in lower if stage) or "none"
        yield (field,), f"'{key}' is not a stage below this one; lower stages: {listed}"


def _exit(leaving: Exit, stages: tuple[str, ...]) -> Iterator[tuple[Location, str]]:
    first, last = leaving.closes_from, leaving.closes_to
    mistakes = [*_stage("closes_from", first, stages), *_stage("closes_to", last, stages)]
    yield from mistakes
    if not mistakes and stages.index(first) > stages.index(last):
        yield (), f"it closes {first} up to {last}, which is the lower stage; swap them"


def _stage(field: str, key: str, stages: Iterable[str]) -> Iterator[tuple[Location, str]]:
    if key not in stages:
        yield (field,), not_known(key, "stage", stages)


def _time_limit(limit: TimeLimit, known: _Document) -> Iterator[tuple[Location, str]]:
    if limit.calendar is None:
        return
    if limit.calendar not in known.calendars:
        yield ("calendar",), not_known(limit.calendar, "calendar", known.calendars)
        return
    calendar = known.calendar(limit.calendar)
    if calendar is not None and limit.time.total_seconds() > _LONGEST_WAIT_WEEKS * 60 * calendar.minutes_a_week:
        yield ("time",), f"the calendar {calendar.key} is not open that long in five years; shorten the time"


def _attribution(document: object, stages: tuple[str, ...]) -> Iterator[Inconsistency]:
    """Compare what attribution names, which is possible also if one of its models is not valid."""
    attribution = _child(document, "attribution")
    models = _keys(attribution, "models")
    for field, noun, keys in (("canonical", "model", models), ("lead_stage", "stage", stages)):
        key = _child(attribution, field)
        if isinstance(key, str) and key not in keys:
            yield Inconsistency(("attribution", field), not_known(key, noun, keys))


def _sales_costs(known: _Document) -> Iterator[Inconsistency]:
    for location, part in known.parts:
        if isinstance(part, Economics) and part.sales_costs and not known.has_currency:
            message = "sales costs are money, and the accord names no currency; state reporting.currency"
            yield Inconsistency((*location, "sales_costs"), message)


def _unknown_kpis(document: object) -> Iterator[Inconsistency]:
    """Look up the KPIs of all targets, also of those that are not valid."""
    for place, key in enumerate(_keys(document, "targets", "kpi")):
        message = unknown_kpi(key) if key else None
        if message is not None:
            yield Inconsistency(("targets", place, "kpi"), message)


def _repeated_targets(parts: Iterable[tuple[Location, AccordModel]]) -> Iterator[Inconsistency]:
    first: dict[tuple[object, ...], Location] = {}
    for location, part in parts:
        if isinstance(part, Target):
            same = first.setdefault((part.kpi, part.period, part.only, part.team), location)
            if same != location:
                message = f"another target, targets[{same[-1]}], is of {part.kpi} for {part.period} too; keep one"
                yield Inconsistency(location, message)


def _repeated(document: object, section: str, field: str, noun: str) -> Iterator[Inconsistency]:
    seen: set[str] = set()
    for place, key in enumerate(_keys(document, section, field)):
        if key and key in seen:
            message = f"'{key}' is the {field} of another {noun} too; give each one another {field}"
            yield Inconsistency((section, place, field), message)
        seen.add(key)


def _keys(document: object, section: str, field: str = "key") -> tuple[str, ...]:
    """The keys of a section in order, an empty one where it is missing."""
    items = _child(document, section)
    keys = [_child(item, field) for item in items] if isinstance(items, list | tuple) else []
    return tuple(key if isinstance(key, str) else "" for key in keys)


def _child(part: object, name: str) -> object:
    """An attribute of a model, or the value of a key as it was written; None if there is none."""
    return part.get(name) if isinstance(part, Mapping) else getattr(part, name, None)
