"""Generated deals with history, and an independent oracle: plain Python written from the definition of every KPI."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import ReadSession, WriteSession
from api.metrics.context import MetricContext, read_context
from api.metrics.request import KpiRequest
from api.metrics.resolved_request import MICROSECOND
from api.sql import Sql
from schema.accord import Accord
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import CurrencyRule
from schema.vocab import Currency, NotCountedReason
from tests.metrics.generated_contacts import (
    CAMPAIGN_TYPES,
    CAMPAIGNS,
    INSTANTS,
    MEMBERS,
    NOW,
    PARENTS,
    START,
    prepare_campaigns,
    prepare_managers,
)
from tests.metrics.oracle import RESPONSIBILITY, Key, _bucket, _in_period, band, responsible

RECORDED = START + timedelta(days=50)  # when all versions were recorded
CENT = Decimal("0.01")
# Few different instants, so that requests are often as of the instant of a change.
TIMES = st.one_of(st.integers(0, 30).map(lambda step: START + timedelta(days=4 * step)), INSTANTS)
LOST_REASON = Dimension["DEAL_LOST_REASON"]
# The dimensions that generated deals have.
DIMENSIONS = (
    *RESPONSIBILITY,
    Dimension.COMPANY,
    Dimension.COMPANY_SIZE,
    Dimension.CHANNEL,
    Dimension.CAMPAIGN,
    Dimension.CAMPAIGN_TYPE,
    Dimension.PARENT_CAMPAIGN,
    Dimension.PIPELINE,
    Dimension.PIPELINE_STAGE,
    Dimension.PRODUCT,
    Dimension.PRODUCT_FAMILY,
    Dimension.DEAL_TYPE,
    Dimension.CURRENCY,
    LOST_REASON,
)
PIPELINES = {"New": UUID(int=51), "More": UUID(int=52)}
NEW_BUSINESS = {"New": True, "More": False}
# A pipeline stage: its id, its pipeline, and its probability of winning.
STEPS = {
    "early": (UUID(int=61), "New", Decimal("0.25")),
    "late": (UUID(int=62), "New", Decimal("0.7001")),
    "bare": (UUID(int=63), "More", None),
}
BUYERS = {"Acme": UUID(int=71), "Bolt": UUID(int=72)}
EMPLOYEES = {"Acme": 11, "Bolt": None}
CHANNELS = {"Spring": "EVENT", "Autumn": None}  # of the campaigns
OF_CAMPAIGN: dict[Dimension, Mapping[str, str | None]] = {
    Dimension.CAMPAIGN: {name: name for name in CAMPAIGNS},
    Dimension.CHANNEL: CHANNELS,
    Dimension.CAMPAIGN_TYPE: CAMPAIGN_TYPES,
    Dimension.PARENT_CAMPAIGN: PARENTS,
}
PRODUCTS = {"Core": (UUID(int=91), "Platform"), "Extra": (UUID(int=92), None)}
# A person: their id, their company before MOVED, and their company since then.
MOVED = START + timedelta(days=60)
PEOPLE = {
    "at Acme": (UUID(int=81), "Acme", "Acme"),
    "from Acme to Bolt": (UUID(int=82), "Acme", "Bolt"),
    "alone": (UUID(int=83), None, None),
    "merged into alone": (UUID(int=84), None, None),
    "tester": (UUID(int=85), None, None),
    "colleague": (UUID(int=86), "Bolt", "Bolt"),
}
NEVER_COUNTED = {"tester": NotCountedReason.TEST, "colleague": NotCountedReason.INTERNAL}
# Exchange rates from a day on: none of SEK, both directions of USD, only the inverse of GBP.
RATES = (
    ("USD", "EUR", date(2026, 1, 20), Decimal("0.91")),
    ("USD", "EUR", date(2026, 3, 1), Decimal("0.87654321")),
    ("EUR", "USD", date(2026, 1, 5), Decimal("1.23")),
    ("EUR", "GBP", date(2026, 2, 1), Decimal("0.83")),
    ("EUR", "GBP", date(2026, 3, 15), Decimal("0.96")),
)


@dataclass(frozen=True)
class State:
    """The values of a deal from `at` on; None if that instant is unknown."""

    at: datetime | None
    outcome: str
    closed_at: datetime | None
    amount: Decimal | None
    currency: str | None
    chance: Decimal | None
    step: str | None
    owner: str | None
    kind: str | None
    product: str | None
    campaign: str | None
    lost_reason: str | None
    close_date: date | None = None
    is_assumed: bool = False

    def holds_by_assumption(self, instant: datetime) -> bool:
        """Whether the source had these values only later: they were assumed, and recorded after the instant."""
        return self.is_assumed and instant < RECORDED

    @property
    def begins(self) -> datetime:
        return self.at or RECORDED


@dataclass(frozen=True)
class MadeDeal:
    opened_at: datetime | None
    states: tuple[State, ...]
    company: str | None
    person: str | None
    is_deleted: bool

    def ends(self) -> Iterator[tuple[State, datetime | None]]:
        yield from zip(self.states, [*(state.at for state in self.states[1:]), None], strict=True)

    @property
    def reason(self) -> NotCountedReason | None:
        """Why the deal never counts."""
        return NotCountedReason.DELETED if self.is_deleted else NEVER_COUNTED.get(self.person or "")

    def amount_at(self, closing: datetime) -> tuple[Decimal | None, str | None]:
        """The amount and currency at a closing."""
        first = self.state_closed(closing)
        return first.amount, first.currency

    def state_closed(self, closing: datetime) -> State:
        """The first state with that closing that held for any time."""
        held = (state for state, end in self.ends() if not end or end > state.begins)
        return next(state for state in held if state.closed_at == closing)

    def state_opened(self) -> State:
        """The first state that held after the opening."""
        assert self.opened_at is not None
        opened = self.opened_at
        return next(state for state, end in self.ends() if end is None or end > max(opened, state.begins))

    def is_new_business(self) -> bool:
        """Whether the first pipeline that the deal was in since its opening is one of new business, or unknown."""
        for state, end in self.ends():
            has_held = end is None or end > max(self.opened_at or state.begins, state.begins)
            if has_held and state.step is not None:
                return NEW_BUSINESS[STEPS[state.step][1]]
        return True

    def state_at(self, instant: datetime) -> State | None:
        found = [state for state, end in self.ends() if state.begins <= instant and (end is None or end > instant)]
        return found[0] if found else None


OF_STATE: dict[Dimension, Callable[[State], str | None]] = {
    Dimension.PRODUCT: lambda state: state.product,
    Dimension.DEAL_TYPE: lambda state: state.kind,
    Dimension.CURRENCY: lambda state: state.currency,
    LOST_REASON: lambda state: state.lost_reason,
}
CENTS = st.one_of(st.integers(1, 99_999), st.integers(1, 99_999), st.integers(-9_999, -1))
AMOUNTS = st.one_of(st.none(), CENTS.map(lambda cents: Decimal(cents * 7) / 100))
_DATES = st.integers(0, 130).map(lambda days: (START + timedelta(days=days)).date())
# Many on the first day of a bucket.
CLOSE_DATES = st.one_of(st.none(), _DATES, _DATES, st.sampled_from([date(2026, month, 1) for month in (2, 3, 4, 4, 5)]))
CURRENCIES = st.sampled_from(["EUR", "EUR", "USD", "USD", "GBP", "SEK", None])


@st.composite
def deals(draw: st.DrawFn) -> MadeDeal:
    instants = sorted(draw(st.lists(TIMES, min_size=1, max_size=4, unique=True)))
    is_dated = draw(st.integers(0, 3)) > 0
    states: list[State] = []
    closing: tuple[str, datetime | None] = ("OPEN", None)
    currency = draw(CURRENCIES)
    for place, at in enumerate(instants):
        # A deal may be closed, changed after that, and reopened in any order; a closing may be recorded late.
        if place and draw(st.integers(0, 3)):
            outcome = draw(st.sampled_from(["OPEN", "WON", "WON", "LOST"]))
            delay = timedelta(hours=draw(st.sampled_from([0, 0, 6])))
            closing = (outcome, None if outcome == "OPEN" else at - delay)
        amount = draw(AMOUNTS)
        states.append(
            State(
                *(at if place or is_dated else None, *closing, amount, currency if amount is not None else None),
                chance=draw(st.sampled_from([None, None, Decimal("0.5"), Decimal("0.3333")])),
                step=draw(st.sampled_from([None, *STEPS])),
                owner=draw(st.sampled_from([None, *MEMBERS])),
                kind=draw(st.sampled_from([None, "NEW", "EXPANSION", "RENEWAL"])),
                product=draw(st.sampled_from([None, *PRODUCTS])),
                campaign=draw(st.sampled_from([None, *CAMPAIGNS])),
                lost_reason=draw(st.sampled_from([None, "Price", "Timing"])) if closing[0] == "LOST" else None,
                close_date=draw(CLOSE_DATES),
                is_assumed=draw(st.booleans()),
            )
        )
    opened = instants[0] - timedelta(days=draw(st.sampled_from([0, 0, 2, -4]))) if is_dated else None
    company = draw(st.sampled_from([None, None, *BUYERS]))
    person = draw(st.sampled_from([None, *PEOPLE]))
    return MadeDeal(opened, tuple(states), company, person, is_deleted=draw(st.integers(0, 11)) == 0)


Closing = tuple[datetime, int, MadeDeal, NotCountedReason | None, bool]


@dataclass(frozen=True)
class Row:
    deal: MadeDeal
    number: int
    at: datetime
    value: Decimal | None = None  # seconds, or the converted amount
    kept: str | None = None
    is_counted: bool = True
    is_undated: bool = False
    is_assumed: bool = False  # the amount is from an assumed state
    is_part: bool = False  # the numerator counts it
    lacks_chance: bool = False  # the amount is known, and its probability is not
    reason: NotCountedReason | None = None


@dataclass
class Figure:
    n: int = 0
    part: int = 0
    values: list[Decimal] = field(default_factory=list)
    won: list[Decimal] = field(default_factory=list)  # of values
    apart: dict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    unknown: int = 0
    unweighted: int = 0
    undated: int = 0
    assumed: int = 0
    won_apart: list[Decimal] = field(default_factory=list)  # of apart


@dataclass
class Counted:
    total: Figure = field(default_factory=Figure)
    groups: dict[Key, Figure] = field(default_factory=lambda: defaultdict(Figure))
    buckets: dict[date, Figure] = field(default_factory=lambda: defaultdict(Figure))
    excluded: Counter[NotCountedReason] = field(default_factory=Counter)
    currencies: Counter[str] = field(default_factory=Counter)


MONEY = ("revenue_won", "avg_deal_size", "pipeline_created", "open_pipeline", "weighted_pipeline", "win_rate_value")
STANDING = ("open_pipeline", "weighted_pipeline")
SNAPSHOTS = (*STANDING, "open_deals")  # the last is the number of the deals, a part of sales velocity


def count(
    world: list[MadeDeal], request: KpiRequest, reporting: str | None, ends: list[datetime] | None = None
) -> Counted:
    """Compute a request; for a snapshot, `ends` are those of its buckets."""
    zone, answer = ZoneInfo(request.switches.timezone or "Europe/Berlin"), Counted()
    until = (request.switches.as_of or NOW) + MICROSECOND
    if request.key in SNAPSHOTS:
        end = datetime.combine(request.period.before, datetime.min.time(), zone) if request.period.before else until
        instants = {min(boundary, until) - MICROSECOND for boundary in ends or [end]}
        rows = [row for at in instants for row in _standing(world, request, at, reporting, zone)]
        last = max(instants)
    else:
        rows, last = list(_rows(world, request, until, reporting, zone)), None
    for row in rows:
        if not all(_value(row, dimension, until) in values for dimension, values in request.where.tests):
            continue
        is_whole = last is None or row.at == last
        if row.reason is not None:
            is_left_out = row.is_counted and (row.value is not None or request.key not in MONEY)
            answer.excluded[row.reason] += is_whole and is_left_out
            continue
        bucket = _bucket(row.at, request.grain, zone)
        answer.total.undated += is_whole and row.is_undated
        if last is not None:
            answer.buckets[bucket].undated += row.is_undated
        if not row.is_counted:
            continue
        key = tuple(_value(row, dimension, until) for dimension in request.by)
        group = answer.groups[key]
        for figure in (*((answer.total, group) if is_whole else ()), answer.buckets[bucket]):
            _tally(figure, row, request)
        if row.kept is not None:
            answer.currencies[row.kept] += is_whole
    if reporting is None and len(answer.currencies) == 1:
        for figure in (answer.total, *answer.groups.values(), *answer.buckets.values()):
            figure.values = [value for values in figure.apart.values() for value in values]
            figure.apart = defaultdict(list)
            figure.won = figure.won_apart
    return answer


def _tally(figure: Figure, row: Row, request: KpiRequest) -> None:
    if request.key in MONEY and row.value is None:
        figure.unweighted += row.lacks_chance
        figure.unknown += not row.lacks_chance
        return
    figure.n += 1
    figure.part += row.is_part
    # Today's values are read from no state of the past.
    dimensions = (*request.by, *(dimension for dimension, _ in request.where.tests))
    reads_state = any(dimension not in (Dimension.CURRENT_OWNER, Dimension.CURRENT_TEAM) for dimension in dimensions)
    state = row.deal.state_at(row.at) if reads_state else None
    figure.assumed += row.is_assumed or (state is not None and state.holds_by_assumption(row.at))
    if row.kept is not None:
        figure.apart[row.kept].append(row.value or Decimal(0))
        figure.won_apart += [row.value or Decimal(0)] if row.is_part else []
    elif row.value is not None:
        figure.values.append(row.value)
        figure.won += [row.value] if row.is_part else []


def _rows(
    world: list[MadeDeal], request: KpiRequest, until: datetime, reporting: str | None, zone: ZoneInfo
) -> Iterator[Row]:
    if request.key in ("opportunities_created", "pipeline_created"):
        yield from _opened(world, request, until, reporting, zone)
        return
    closings: list[Closing] = []
    for number, deal in enumerate(world):
        for at, outcome in _closing(deal, until, is_asked=request.switches.as_of is not None):
            if outcome == "WON" or request.key in ("win_rate", "win_rate_value"):
                is_refund = (deal.amount_at(at)[0] or 0) < 0 and request.key != "revenue_won"
                reason = deal.reason or (NotCountedReason.NEGATIVE if is_refund else None)
                closings.append((at, number, deal, reason, outcome == "WON"))
    if request.key == "new_customers":
        closings = [*_first_wins([one for one in closings if one[3] is None]), *_would_be_first(closings)]
    for at, number, deal, reason, is_won in closings:
        if not _in_period(at, request, zone):
            continue
        if request.key == "sales_cycle":
            is_known = deal.opened_at is not None and deal.opened_at <= at
            took = Decimal((at - deal.opened_at).total_seconds()) if is_known and deal.opened_at else None
            yield Row(deal, number, at, took, is_counted=is_known, is_undated=not is_known, reason=reason)
        elif request.key in MONEY:
            worth, kept = convert(*deal.amount_at(at), rate_day(request, at, until, zone), reporting)
            is_assumed = deal.state_closed(at).holds_by_assumption(at)
            yield Row(deal, number, at, worth, kept, is_assumed=is_assumed, is_part=is_won, reason=reason)
        else:
            yield Row(deal, number, at, is_part=is_won, reason=reason)


def _opened(
    world: list[MadeDeal], request: KpiRequest, until: datetime, reporting: str | None, zone: ZoneInfo
) -> Iterator[Row]:
    for number, deal in enumerate(world):
        if request.key == "opportunities_created" and not deal.is_new_business():
            continue
        if deal.opened_at is None:
            yield Row(deal, number, until - MICROSECOND, is_counted=False, is_undated=True, reason=deal.reason)
        elif deal.opened_at < until and _in_period(deal.opened_at, request, zone):
            worth, kept, is_assumed = None, None, False
            if request.key in MONEY:
                first = deal.state_opened()
                day = rate_day(request, deal.opened_at, until, zone)
                worth, kept = convert(first.amount, first.currency, day, reporting)
                is_assumed = first.holds_by_assumption(deal.opened_at)
            yield Row(deal, number, deal.opened_at, worth, kept, is_assumed=is_assumed, reason=deal.reason)


def _first_wins(closings: list[Closing]) -> list[Closing]:
    """The first win of every customer."""
    first: dict[object, Closing] = {}
    for closing in sorted(closings, key=lambda closing: closing[:2]):
        at, number, deal, *_ = closing
        first.setdefault(_customer(deal, number, at), closing)
    return [*first.values()]


def _would_be_first(closings: list[Closing]) -> list[Closing]:
    """The wins that would be a customer's first one, if every deal counted."""
    return [closing for closing in _first_wins(closings) if closing[3] is not None]


def _standing(
    world: list[MadeDeal], request: KpiRequest, at: datetime, reporting: str | None, zone: ZoneInfo
) -> Iterator[Row]:
    for number, deal in enumerate(world):
        state = deal.state_at(at)
        if all(state.begins > at for state in deal.states) and deal.opened_at is None:
            yield Row(deal, number, at, is_counted=False, is_undated=True, reason=deal.reason)
        if state is None or state.outcome != "OPEN":
            continue
        chance: Decimal | None = Decimal(1)
        if request.key == "weighted_pipeline":
            chance = state.chance if state.chance is not None else STEPS[state.step][2] if state.step else None
        amount = state.amount if chance is not None else None
        day = rate_day(request, at, (request.switches.as_of or NOW) + MICROSECOND, zone)
        worth, kept = convert(amount, state.currency, day, reporting, chance or Decimal(0))
        yield Row(
            *(deal, number, at, worth, kept),
            is_undated=deal.opened_at is None,
            is_assumed=state.holds_by_assumption(at),
            lacks_chance=state.amount is not None and chance is None,
            reason=deal.reason,
        )


def _closing(deal: MadeDeal, until: datetime, *, is_asked: bool) -> Iterator[tuple[datetime, str]]:
    """The deal's last closing by `asOf`: that of its present state, or else that of its state at `asOf`."""
    now = deal.states[-1]
    if now.closed_at is not None and now.closed_at < until:
        yield now.closed_at, now.outcome
        return
    then = deal.state_at(until - MICROSECOND) if is_asked else None
    if then is not None and then is not now and then.closed_at is not None and then.closed_at < until:
        yield then.closed_at, then.outcome


def _customer(deal: MadeDeal, number: int, at: datetime) -> object:
    if deal.company:
        return deal.company
    if deal.person is None:
        return number
    _, before, after = PEOPLE[deal.person]
    return (before if at < MOVED else after) or ("alone" if deal.person.startswith("merged") else deal.person)


def rate_day(request: KpiRequest, at: datetime, until: datetime, zone: ZoneInfo) -> date | None:
    """The day whose rate the currency rule of a request takes; None if it takes none."""
    as_of, before = (until - MICROSECOND).astimezone(zone).date(), request.period.before
    match request.switches.currency_rule:
        case CurrencyRule.UNCONVERTED:
            return None
        case CurrencyRule.AS_OF:
            return as_of
        case CurrencyRule.PERIOD_END:
            return as_of if before is None else min(as_of, before - timedelta(days=1))
        case _:
            return at.astimezone(zone).date()


def convert(
    amount: Decimal | None, currency: str | None, day: date | None, reporting: str | None, chance: Decimal = Decimal(1)
) -> tuple[Decimal | None, str | None]:
    """The converted amount, rounded to the cent, and the currency of an amount that no rate converts."""
    if amount is None:
        return None, None
    kept = None
    worth = amount * chance
    if reporting is None:
        kept = currency or ""
    elif currency != reporting:
        known = sorted((since, rate, (one, other)) for one, other, since, rate in RATES if day and since <= day)
        direct = [rate for _, rate, pair in known if pair == (currency, reporting)]
        inverse = [rate for _, rate, pair in known if pair == (reporting, currency)]
        if direct:
            worth *= direct[-1]
        elif inverse:
            worth /= inverse[-1]
        else:
            kept = currency or ""
    return worth.quantize(CENT, ROUND_HALF_UP), kept


def _value(row: Row, dimension: Dimension, until: datetime) -> str | None:
    """The value of a dimension at its moment; of a record, its name."""
    if dimension in RESPONSIBILITY:
        return responsible(dimension, _owner(row, until), row.deal.states[-1].owner)
    state = row.deal.state_at(row.at)
    if state is None:
        return None
    if dimension in OF_STATE:
        return OF_STATE[dimension](state)
    match dimension:
        case Dimension.COMPANY:
            return row.deal.company
        case Dimension.COMPANY_SIZE:
            return band(EMPLOYEES.get(row.deal.company or ""))
        case Dimension.PRODUCT_FAMILY:
            return PRODUCTS[state.product][1] if state.product else None
        case Dimension.PIPELINE:
            return STEPS[state.step][1] if state.step else None
        case Dimension.PIPELINE_STAGE:
            return state.step
        case _:
            return OF_CAMPAIGN[dimension][state.campaign] if state.campaign else None


def _owner(row: Row, until: datetime) -> str | None:
    """Who was responsible at the counted instant, or else the first who was after it, as far as `until` shows."""
    state = row.deal.state_at(row.at)
    if state is not None and state.owner is not None:
        return state.owner
    held = [state for state, end in row.deal.ends() if end is None or end > state.begins]
    later = (state.owner for state in held if row.at < state.begins < until)
    return next((owner for owner in later if owner is not None), None)


async def prepare_deals(session: WriteSession) -> None:
    """Write what all generated deals refer to: pipelines, companies, people, and rates."""
    pipelines = [(key, name, NEW_BUSINESS[name]) for name, key in PIPELINES.items()]
    await session.copy("pipeline", ["id", "name", "is_new_business"], pipelines)
    steps = [
        (key, PIPELINES[pipeline], name, rank, chance, "OPEN")
        for rank, (name, (key, pipeline, chance)) in enumerate(STEPS.items(), start=1)
    ]
    await session.copy("pipeline_stage", ["id", "pipeline_id", "name", "rank", "probability", "category"], steps)
    await prepare_managers(session)
    await prepare_campaigns(session)
    await session.run(Sql("update campaign set channel = 'EVENT' where name = 'Spring'"))
    products = [(key, name, family) for name, (key, family) in PRODUCTS.items()]
    await session.copy("product", ["id", "name", "family"], products)
    await session.script("set local accord.history_is_given = on")
    await session.copy("company", ["id", "name"], [(key, name) for name, key in BUYERS.items()])
    begin = START - timedelta(days=400)
    sizes = [(key, begin, False, name, EMPLOYEES[name]) for name, key in BUYERS.items()]
    await session.copy("company_version", ["company_id", "valid_from", "is_assumed", "name", "employees"], sizes)
    survivor = PEOPLE["alone"][0]
    people = [
        (
            key,
            BUYERS[now] if now else None,
            survivor if name.startswith("merged") else None,
            name == "tester",
            name == "colleague",
        )
        for name, (key, _, now) in PEOPLE.items()
    ]
    await session.copy("contact", ["id", "company_id", "merged_into_id", "is_test", "is_internal"], people)
    versions: list[tuple[object, ...]] = []
    for key, before, after in PEOPLE.values():
        versions.append((key, START - timedelta(days=90), MOVED, BUYERS[before] if before else None))
        versions.append((key, MOVED, None, BUYERS[after] if after else None))
    rights = ["is_assumed", "email_opt_out", "do_not_call", "is_test", "is_internal"]
    columns = ["contact_id", "valid_from", "valid_to", "company_id", *rights]
    await session.copy("contact_version", columns, [(*version, *[False] * 5) for version in versions])
    rates = [(UUID(int=900 + place), *rate) for place, rate in enumerate(RATES)]
    await session.copy("exchange_rate", ["id", "currency", "quote_currency", "rate_on", "rate"], rates)


async def load_deals(session: WriteSession, world: list[MadeDeal]) -> None:
    """Replace the deals in the database."""
    await session.script("delete from deal_contact; delete from deal_version; delete from deal")
    await session.script("set local accord.history_is_given = on")
    kept = [
        *("outcome", "closed_at", "amount", "currency", "probability", "pipeline_stage_id", "owner_id", "type"),
        *("product_id", "primary_campaign_id", "lost_reason", "close_date"),
    ]
    rows, versions, roles = [], [], []
    for number, deal in enumerate(world):
        key = UUID(int=2000 + number)
        company = BUYERS[deal.company] if deal.company else None
        deleted = NOW if deal.is_deleted else None
        rows.append((key, deal.opened_at, company, deleted, *_columns(deal.states[-1])))
        for state, end in deal.ends():
            is_assumed = state.is_assumed
            versions.append((key, state.at, end, RECORDED, is_assumed, deal.opened_at, company, *_columns(state)))
        if deal.person:
            roles.append((PEOPLE[deal.person][0], key))
    await session.copy("deal", ["id", "opened_at", "company_id", "deleted_at", *kept], rows)
    dated = ["deal_id", "valid_from", "valid_to", "recorded_at", "is_assumed", "opened_at", "company_id"]
    await session.copy("deal_version", [*dated, *kept], versions)
    await session.copy("deal_contact", ["contact_id", "deal_id"], roles)


def _columns(state: State) -> tuple[object, ...]:
    step, owner = STEPS[state.step][0] if state.step else None, MEMBERS[state.owner][0] if state.owner else None
    product = PRODUCTS[state.product][0] if state.product else None
    campaign = CAMPAIGNS[state.campaign] if state.campaign else None
    own = (state.outcome, state.closed_at, state.amount, state.currency, state.chance)
    return (*own, step, owner, state.kind, product, campaign, state.lost_reason, state.close_date)


async def reporting_in(session: ReadSession, accord: Accord, currency: Currency | None) -> MetricContext:
    """The context of requests as if the accord reported in the currency."""
    context = await read_context(session, LOCAL_OPERATOR, NOW)
    reporting = accord.reporting.model_copy(update={"currency": currency})
    reported = accord.model_copy(update={"reporting": reporting})
    return replace(context, in_force=replace(context.in_force, accord=reported))
