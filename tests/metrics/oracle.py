"""An independent oracle: plain Python over generated contacts, written from the meaning of the switches."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from api.metrics.request import KpiRequest, Where
from api.metrics.resolved_request import MICROSECOND
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.switch_words import Censoring, Exclusion, FilterScope
from schema.vocab import Anchor, Grain, NotCountedReason, RecordSide, Reentry, Skip
from tests.metrics.generated_contacts import (
    ACCORD,
    CAMPAIGN_TYPES,
    CAMPAIGNS,
    COMPANIES,
    EMPLOYEES,
    GROUPS,
    MANAGERS,
    MEMBERS,
    NOW,
    PARENTS,
    STAGES,
    Person,
    Touch,
    Version,
)

Key = tuple[str | None, ...]
REASONS = {
    "is_test": NotCountedReason.TEST,
    "is_internal": NotCountedReason.INTERNAL,
    "deleted_at": NotCountedReason.DELETED,
    "merged_into_id": NotCountedReason.MERGED,
}
# The stages whose entries a KPI counts, or between which it measures, if the request does not name them.
COUNTS = {"stage_volume": STAGES, "inquiries": ("inquiry",), "mqls": ("mql",), "sals": ("sal",), "sqls": ("sql",)}
CONVERSIONS = {
    "inquiry_to_mql": ("inquiry", "mql"),
    "sal_to_sql": ("sal", "sql"),
    "sql_to_opportunity": ("sql", "opportunity"),
    "mql_to_customer": ("mql", "customer"),
}
EXCLUDED = frozenset(Exclusion)  # by the accord of generated contacts
NAMES = {f"member_{key}": name for name, (key, _) in MEMBERS.items()}

# Journeys have the values of these.
CARRIED = tuple(dimension for dimension in PERSON_DIMENSIONS if dimension.value not in DECLARED_DIMENSIONS)
SOURCE_DETAIL = Dimension["CONTACT_SOURCE_DETAIL"]
RESPONSIBILITY = (
    *(Dimension.OWNER, Dimension.TEAM, Dimension.MANAGER, Dimension.CURRENT_OWNER),
    Dimension.CURRENT_TEAM,
)


@dataclass
class Figure:
    n: int = 0
    numerator: int = 0
    implied: int = 0
    mature: int = 0
    mature_numerator: int = 0
    took: list[float] = field(default_factory=list)


@dataclass
class Counted:
    total: Figure = field(default_factory=Figure)
    groups: dict[Key, Figure] = field(default_factory=lambda: defaultdict(Figure))
    buckets: dict[date, Figure] = field(default_factory=lambda: defaultdict(Figure))
    cells: dict[tuple[Key, date], Figure] = field(default_factory=lambda: defaultdict(Figure))
    waiting: int = 0
    excluded: Counter[NotCountedReason] = field(default_factory=Counter)
    skipped: int = 0
    rows: list["Row"] = field(default_factory=list)

    def records(self, side: RecordSide, key: Key | None) -> list[tuple[datetime, UUID]]:
        """The instants and ids of the records of one side, of one combination of keys or of all."""
        return sorted(
            (row.at, UUID(int=1000 + row.place))
            for row in self.rows
            if key in (None, row.key) and (row.is_counted if side is RecordSide.BASE else row.is_converted)
        )


@dataclass(frozen=True)
class Row:
    person: Person
    at: datetime
    stage: str
    is_implied: bool
    is_base: bool = True
    took: float | None = None
    may_convert: bool = False
    place: int = 0
    key: Key = ()
    is_duration: bool = False
    is_skipped: bool = False
    until: datetime = NOW
    is_judged: bool = True
    is_mature: bool = False

    @property
    def is_counted(self) -> bool:
        return self.is_judged and (self.took is not None if self.is_duration else self.is_base)

    @property
    def is_converted(self) -> bool:
        return self.is_judged and (not self.is_base or self.took is not None)


def count(world: list[Person], request: KpiRequest) -> Counted:
    """Compute a request whose anchor and reentry are given, and whose skip is if it is not a duration."""
    request = replace(request, switches=replace(request.switches, skip=_skip(request)))
    zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
    until = (request.switches.as_of or NOW) + MICROSECOND
    # The touches of merged contacts count for the survivor, which is the first contact.
    world = [replace(person, why_not=_reason(person, _excluded(request))) for person in world]
    pooled = [touch for person in world if person.why_not == "merged_into_id" for touch in person.touches]

    def rows_of(place: int) -> list[Row]:
        person = world[place]
        touches = sorted([*person.touches, *(pooled if place == 0 else [])], key=lambda touch: touch.at)
        known = Person(person.entries, person.versions, tuple(touches), None)
        return [
            replace(row, place=place, key=tuple(_value(row, dimension) for dimension in request.by))
            for found in (replace(row, until=until) for row in _rows(known, request, until))
            if _in_period(found.at, request, zone) and (row := _filtered(found, request)) is not None
        ]

    rows = [row for place, person in enumerate(world) if person.why_not is None for row in rows_of(place)]
    horizon = min(until, NOW + MICROSECOND)
    window = _maturity(rows, request)
    rows = [_judged(row, request, window, horizon) for row in rows]
    answer = Counted(rows=rows)
    for place, person in enumerate(world):
        if person.why_not is not None:
            would_be = rows_of(0 if person.why_not == "merged_into_id" else place)
            judged = [_judged(row, request, window, horizon) for row in would_be]
            answer.excluded[REASONS[person.why_not]] += sum(row.is_counted for row in judged)
    for row in rows:
        bucket = _bucket(row.at, request.grain, zone)
        for figure in (answer.total, answer.groups[row.key], answer.buckets[bucket], answer.cells[row.key, bucket]):
            _tally(figure, row)
    answer.skipped = sum(row.is_skipped and row.is_judged for row in rows)
    if request.switches.censoring in (None, Censoring.ALL_OPEN):
        answer.waiting = sum(row.may_convert and _is_open(row, window, horizon) for row in rows)
    else:
        answer.waiting = sum(not row.is_judged and not row.is_skipped for row in rows)
    return answer


def counts(person: Person, request: KpiRequest) -> bool:
    """Whether a person may count for a request."""
    return _reason(person, _excluded(request)) is None


def _excluded(request: KpiRequest) -> frozenset[Exclusion]:
    return EXCLUDED if request.switches.exclusions is None else request.switches.exclusions


def _reason(person: Person, excluded: frozenset[Exclusion]) -> str | None:
    """Why a person does not count, if only these are excluded besides the deleted and the merged."""
    mark = {"is_test": Exclusion.TEST, "is_internal": Exclusion.INTERNAL}.get(person.why_not or "")
    return None if mark is not None and mark not in excluded else person.why_not


def _filtered(row: Row, request: KpiRequest) -> Row | None:
    """The row as the filter leaves it: None if it is filtered out, without its conversion if only that one is."""
    switches, where = request.switches, request.where
    if switches.filter_scope is None:
        return row if _holds(row, where) else None
    if switches.anchor is Anchor.PERIOD:
        ends = {FilterScope.BASE: row.is_base, FilterScope.CONVERSION: not row.is_base, FilterScope.BOTH: True}
        return row if not ends[switches.filter_scope] or _holds(row, where) else None
    if switches.filter_scope is not FilterScope.CONVERSION and not _holds(row, where):
        return None
    if switches.filter_scope is FilterScope.BASE or row.took is None:
        return row
    converted_at = row.at + timedelta(seconds=row.took)
    return row if _holds(replace(row, at=converted_at), where) else replace(row, took=None, may_convert=False)


def _judged(row: Row, request: KpiRequest, window: timedelta | None, horizon: datetime) -> Row:
    is_open = _is_open(row, window, horizon)
    row = replace(row, is_mature=not is_open)
    match request.switches.censoring:
        case Censoring.MATURE_ONLY:
            return replace(row, is_judged=not is_open)
        case Censoring.DECIDED_ONLY:
            return replace(row, is_judged=not (row.may_convert and row.took is None and is_open))
        case _:
            return row


def _tally(figure: Figure, row: Row) -> None:
    figure.n += row.is_counted
    figure.implied += row.is_counted and row.is_implied
    figure.numerator += row.is_converted and not row.is_duration
    figure.mature += row.is_mature
    figure.mature_numerator += row.is_mature and row.took is not None
    if row.took is not None and row.is_judged:
        figure.took.append(row.took)


def _rows(person: Person, request: KpiRequest, until: datetime) -> list[Row]:
    switches = request.switches
    if request.key in COUNTS:
        stages = COUNTS[request.key]
        own = switches.skip is not Skip.IMPLIED
        return [
            Row(person, at, stage, implied)
            for stage in stages
            for at, implied in _picked(_moments(person, stage, own, until), switches.reentry)
        ]
    base, target = _pair(request)
    bases = _picked(_moments(person, base, switches.skip is not Skip.IMPLIED, until), switches.reentry)
    targets = [
        at for at, _ in _picked(_moments(person, target, switches.skip is Skip.EXCLUDE, until), switches.reentry)
    ]
    if switches.anchor is Anchor.PERIOD and request.key != "time_to_convert":
        return [Row(person, at, base, implied) for at, implied in bases] + [
            Row(person, at, target, is_implied=False, is_base=False) for at in targets
        ]
    rows = []
    for place, (at, implied) in enumerate(bases):
        # A conversion belongs to the last entry at or before it.
        following = bases[place + 1][0] if place + 1 < len(bases) else None
        mine = [instant for instant in targets if instant >= at and (following is None or instant < following)]
        first = min(mine, default=None)
        window = _window(request)
        took = (first - at).total_seconds() if first is not None and (window is None or first - at <= window) else None
        may = (
            took is None
            and {
                Reentry.FIRST: not targets,
                Reentry.LAST: True,
                Reentry.EACH: following is None and not mine,
                None: False,
            }[switches.reentry]
        )
        is_duration = request.key == "time_to_convert"
        rows.append(Row(person, at, base, implied, took=took, may_convert=may, is_duration=is_duration))
    if request.key == "time_to_convert":
        rows += _skipped(person, request, until)
    return rows


def _skip(request: KpiRequest) -> Skip | None:
    """Who skipped a stage has no time in it, so durations take own facts at both ends."""
    return request.switches.skip or (Skip.EXCLUDE if request.key == "time_to_convert" else None)


def _skipped(person: Person, request: KpiRequest, until: datetime) -> list[Row]:
    """The conversions that count only if skipped stages do: own facts do not say when both stages were entered."""
    skip = request.switches.skip
    if skip is Skip.IMPLIED:
        return []
    base, target = _pair(request)
    everybody = replace(request, switches=replace(request.switches, skip=Skip.IMPLIED))
    owned = {stage: {entry.entered: entry.own for entry in person.entries[stage]} for stage in (base, target)}
    rows = []
    for found in _rows(person, everybody, until):
        # A conversion that the filter does not let through is none, so that it skipped nothing.
        row = _filtered(replace(found, until=until), request)
        if row is not None and row.took is not None:
            reached_at = row.at + timedelta(seconds=row.took)
            began, got = owned[base][row.at], owned[target][reached_at] if skip is Skip.EXCLUDE else reached_at
            if began is None or got is None or not began <= got < until:
                rows.append(replace(row, took=None, may_convert=False, is_skipped=True))
    return rows


def _moments(person: Person, stage: str, own: bool, until: datetime) -> list[tuple[datetime, bool]]:
    if own:
        return [(entry.own, False) for entry in person.entries[stage] if entry.own is not None and entry.own < until]
    return [(entry.entered, entry.is_implied) for entry in person.entries[stage] if entry.entered < until]


def _picked(moments: list[tuple[datetime, bool]], reentry: Reentry | None) -> list[tuple[datetime, bool]]:
    return {Reentry.FIRST: moments[:1], Reentry.LAST: moments[-1:], Reentry.EACH: moments, None: []}[reentry]


def _pair(request: KpiRequest) -> tuple[str, str]:
    return (request.stages.base, request.stages.target) if request.stages else CONVERSIONS[request.key]


def _window(request: KpiRequest) -> timedelta | None:
    if request.switches.has_no_window:
        return None
    return request.switches.window or ACCORD.window(*_pair(request))


def _maturity(rows: list[Row], request: KpiRequest) -> timedelta | None:
    """The window; without one, the time within which 90 % of the converted converted; None if nobody did."""
    window = _window(request) if request.key not in COUNTS else None
    if window is None:
        took = [row.took for row in rows if row.took is not None]
        window = timedelta(seconds=percentile(took, 0.9)) if took else None
    return window


def _is_open(row: Row, window: timedelta | None, horizon: datetime) -> bool:
    return window is None or row.at + window >= horizon


def _in_period(at: datetime, request: KpiRequest, zone: ZoneInfo) -> bool:
    day = at.astimezone(zone).date()
    starts_on, before = request.period.starts_on, request.period.before
    return (starts_on is None or starts_on <= day) and (before is None or day < before)


def _bucket(at: datetime, grain: Grain | None, zone: ZoneInfo) -> date:
    day = at.astimezone(zone).date()
    match grain:
        case Grain.WEEK:
            while day.isoweekday() != 7:
                day -= timedelta(days=1)
            return day
        case Grain.MONTH:
            return date(day.year, day.month, 1)
        case Grain.QUARTER:
            return date(day.year, {1: 1, 2: 4, 3: 7, 4: 10}[(day.month + 2) // 3], 1)
        case Grain.YEAR:
            return date(day.year, 1, 1)
        case Grain.FISCAL_QUARTER:
            while day.day > 1 or day.month not in (3, 6, 9, 12):
                day -= timedelta(days=1)
            return day
        case Grain.FISCAL_YEAR:
            while (day.month, day.day) != (3, 1):
                day -= timedelta(days=1)
            return day
        case _:
            return day


def _holds(row: Row, where: Where) -> bool:
    return (
        all(
            _value(row, dimension) in [NAMES.get(str(value), value) for value in values]
            for dimension, values in where.tests
        )
        and all(_holds(row, part) for part in where.all_of)
        and (not where.any_of or any(_holds(row, part) for part in where.any_of))
        and not any(_holds(row, part) for part in where.none_of)
        and all(_passes(row.person, orjson.loads(records.given)) for records in where.records)
    )


def _passes(person: Person, given: dict[str, Any]) -> bool:
    """Whether a person, as they are now, passes a filter over contacts: what generated filters use of it."""
    now, tests = person.versions[-1], []
    for key, inner in given.items():
        match key, inner:
            case "leadSource", {"isNull": is_null}:
                tests.append((now.lead_source is None) == is_null)
            case "leadSource", {"in": values}:
                tests.append(now.lead_source in values)
            case "country", {"eq": value}:
                tests.append(now.country == value)
            case "owner", {"name": {"eq": value}}:
                tests.append(now.owner == value)
            case "company", {"industry": {"eq": value}}:
                tests.append(now.company is not None and COMPANIES[now.company][1][-1][1] == value)
            case "touchpoints", {"some": {"channel": {"eq": value}}}:
                tests.append(any(touch.channel == value for touch in person.touches))
            case "not", _:
                tests.append(not _passes(person, inner))
            case _:
                raise AssertionError(given)
    return all(tests)


def _value(row: Row, dimension: Dimension) -> str | None:
    """The value of a dimension at the counted instant; of a record, its name."""
    if dimension in RESPONSIBILITY:
        return responsible(dimension, _owner(row), row.person.versions[-1].owner)
    version = _version(row.person, row.at)
    match dimension:
        case Dimension.LEAD_SOURCE:
            return version.lead_source
        case Dimension.COUNTRY:
            return version.country
        case _ if dimension is SOURCE_DETAIL:
            return version.source_detail
        case Dimension.COMPANY:
            return version.company
        case Dimension.INDUSTRY:
            history = COMPANIES[version.company][1] if version.company else ()
            return next((industry for since, industry in reversed(history) if since <= row.at), None)
        case Dimension.COMPANY_SIZE:
            if version.company is None:
                return None
            since = [since for since, _ in COMPANIES[version.company][1] if since <= row.at]
            return band(EMPLOYEES[version.company][len(since) - 1]) if since else None
        case Dimension.STAGE:
            return row.stage
        case Dimension.STAGE_GROUP:
            return GROUPS[row.stage]
        case _:
            return _of_first_touch(row, dimension)


def _of_first_touch(row: Row, dimension: Dimension) -> str | None:
    first = _first_touch(row.person)
    if first is None or first.at > row.at:
        return None
    if dimension is Dimension.CHANNEL:
        return first.channel
    named: dict[Dimension, Mapping[str, str | None]] = {
        Dimension.CAMPAIGN: {name: name for name in CAMPAIGNS},
        Dimension.CAMPAIGN_TYPE: CAMPAIGN_TYPES,
        Dimension.PARENT_CAMPAIGN: PARENTS,
    }
    return named[dimension][first.campaign] if first.campaign else None


def _owner(row: Row) -> str | None:
    """Who was responsible at the counted instant, or else the first who was after it, as far as `until` shows."""
    known = [version for version in row.person.versions if version.since < row.until]
    before = [version.owner for version in known if version.since <= row.at]
    after = [version.owner for version in known if version.since > row.at]
    return next((owner for owner in (*before[-1:], *after) if owner is not None), None)


def responsible(dimension: Dimension, then: str | None, now: str | None) -> str | None:
    """The owner or the team of the owner, of those responsible at the counted instant or now."""
    owner = now if dimension in (Dimension.CURRENT_OWNER, Dimension.CURRENT_TEAM) else then
    if owner is None or dimension in (Dimension.OWNER, Dimension.CURRENT_OWNER):
        return owner
    return MANAGERS[owner] if dimension is Dimension.MANAGER else MEMBERS[owner][1]


def band(employees: int | None) -> str | None:
    """The band of size of a number of employees."""
    if employees is None or employees < 1:
        return None
    if employees <= 10:
        return "1-10"
    if employees <= 50:
        return "11-50"
    if employees <= 250:
        return "51-250"
    return "251-1000" if employees <= 1000 else "1001+"


def _version(person: Person, at: datetime) -> Version:
    return [version for version in person.versions if version.since <= at][-1]


def _first_touch(person: Person) -> Touch | None:
    return min((touch for touch in person.touches if touch.is_inbound), key=lambda touch: touch.at, default=None)


def percentile(values: list[float], share: float) -> float:
    """The percentile, interpolated between the two neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
