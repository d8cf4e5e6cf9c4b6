"""The story as a whole: Meridian first, then account after account, in stretches of bounded size.

Each account and each person has a stream of chance of its own, so that the person of a number is the same however
many are made, and whoever tells of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from api.sample.campaigns import PLANS, launch
from api.sample.currencies import KRONOR_DEALS, Till, trade
from api.sample.deals import Buyer, Sale, draw_in
from api.sample.firm import found
from api.sample.journey import tell
from api.sample.lead_origins import SOURCES, Source
from api.sample.people import SIZES, Company, add_company, company_of, person_of
from api.sample.period import DAY, HOUR, Span
from api.sample.person_history import Life, World
from api.sample.random_source import Dice, Id
from api.sample.row_buffers import Batch
from schema.history import version_name

_OF_THE_FIRM, _OF_AN_ACCOUNT, _OF_A_PERSON = 1, 2, 3
_FIRM_TABLES = ("team", "member", "product", "pipeline", "pipeline_stage", "campaign", "campaign_cost", "exchange_rate")
_WITH_HISTORY = ("company", "contact", "deal")
_PEOPLE_TABLES = (
    *(name for table in _WITH_HISTORY for name in (table, version_name(table))),
    "deal_contact",
    "touchpoint",
    "handoff",
    "reported_stage",
)
TABLES = (*_FIRM_TABLES, *_PEOPLE_TABLES)
_STRETCH = 500
"""About so many people are told of at once: some 8,500 rows."""
_JOINS = 0.16
"""Share of colleagues who are drawn into a deal."""
_BELONGS = 0.07
"""Share of companies that belong to another."""
_HEADS_A_GROUP = 25
"""Every so many accounts, one is the head of a group."""
_ASSUMED = 0.05
"""Share of people of whom no history was told."""
_TRACKED = 0.3
"""Share of people whose stage sales keeps by hand."""
_LONE = 0.12
"""Share of accounts that are a person without a company."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: so many people, by this chance, until this day (which is not included)."""

    contacts: int
    seed: int
    until: date


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a person turns up, where from, and by which campaign."""

    at: int
    source: Source
    campaign: Id | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some accounts in a row and the people of them: what is told at once, whoever tells it."""

    accounts: range
    first: int
    """The number of the first person."""
    people: int


@dataclass(frozen=True, slots=True)
class Load:
    """Rows of one table, as one COPY takes them."""

    table: str
    columns: tuple[str, ...]
    rows: int
    sent: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """What a stretch comes to, in an order in which it can be stored, and how many people are told of with it."""

    loads: tuple[Load, ...]
    contacts: int


@dataclass(frozen=True, slots=True)
class _Account:
    """A company and when its people turn up, or one person without a company."""

    dice: Dice
    since: int
    company: Company | None
    arrivals: tuple[Arrival, ...]


def stretches(order: Order) -> Iterator[Stretch]:
    """Cut the story into stretches of bounded size, without telling it."""
    told = account = 0
    while told < order.contacts:
        begins, first = account, told
        while told < order.contacts and told - first < _STRETCH:
            told += min(max(1, _heads(Dice.of(order.seed, _OF_AN_ACCOUNT, account))), order.contacts - told)
            account += 1
        yield Stretch(range(begins, account), first, told - first)


class Teller:
    """Tells one story, in whichever order its stretches are asked for."""

    def __init__(self, order: Order) -> None:
        span, dice, batch = Span(order.until), Dice.of(order.seed, _OF_THE_FIRM, 0), Batch(_FIRM_TABLES)
        firm = found(dice, span.start, batch)
        self.world = World(span, firm, launch(dice, span, order.contacts, batch), Till(trade(dice, span, batch)))
        self.seed = order.seed
        self.firm = _made(batch, 0)
        """Meridian itself, which all else refers to."""

    def tell(self, stretch: Stretch) -> Made:
        """Tell of some accounts, as it is sent."""
        return _made(self.batch(stretch), stretch.first + stretch.people)

    def batch(self, stretch: Stretch) -> Batch:
        """Tell of some accounts. Every row refers to rows of this stretch, of earlier ones, or of the firm."""
        batch, told, ends = Batch(_PEOPLE_TABLES), stretch.first, stretch.first + stretch.people
        till = replace(self.world.till, kronor_left=0 if stretch.first else KRONOR_DEALS)
        world = replace(self.world, till=till)
        for number in stretch.accounts:
            told += self._tell_account(world, number, told, ends, batch)
        return batch

    def _tell_account(self, world: World, number: int, first: int, ends: int, batch: Batch) -> int:
        """Tell of one company and its people, or of one person; return how many people."""
        account = _account(world, self.seed, number)
        dice, company = account.dice, account.company
        lives: list[Life] = []
        sales: list[tuple[Life, Sale]] = []
        for person, arrival in enumerate(account.arrivals[: ends - first], start=first):
            life, buyer = _begin(world, self.seed, person, batch, company, arrival)
            lives.append(life)
            sales += ((life, sale) for sale in tell(life, buyer))
        for main, sale in sales:
            for life in lives:
                if life is not main and dice.chance(_JOINS):
                    draw_in(life, sale)
        for life in lives:
            life.end()
        if company is not None:
            owned = min(((sale.opened, sale.rep) for _, sale in sales), default=None)
            parent = self._parent(dice, number)
            add_company(company, dice, world, batch, since=account.since, owned=owned, parent=parent)
        return len(lives)

    def _parent(self, dice: Dice, number: int) -> tuple[int, Id] | None:
        """Find the company that a company belongs to, of those before it, and since when; most belong to none."""
        if not number or not dice.chance(_BELONGS):
            return None
        head = _account(self.world, self.seed, dice.whole(0, (number - 1) // _HEADS_A_GROUP) * _HEADS_A_GROUP)
        return (head.since, head.company.id) if head.company else None


def _made(batch: Batch, told: int) -> Made:
    loads = (Load(each.table, each.columns, len(each.records), each.sent()) for each in batch.filled())
    return Made(tuple(loads), told)


def _heads(dice: Dice) -> int:
    """How many people of an account turn up; 0 if it is one person without a company."""
    return 0 if dice.chance(_LONE) else dice.draw(SIZES)


def _account(world: World, seed: int, number: int) -> _Account:
    """Think up an account."""
    dice = Dice.of(seed, _OF_AN_ACCOUNT, number)
    heads = _heads(dice)
    arrivals = tuple(_arrival(world, dice) for _ in range(max(1, heads)))
    since = max(world.span.start, min(each.at for each in arrivals) - dice.whole(1, 20) * DAY)
    return _Account(dice, since, company_of(dice, number, since) if heads else None, arrivals)


def _arrival(world: World, dice: Dice) -> Arrival:
    """Draw a source, and an instant at which it brings people."""
    source = dice.draw(SOURCES)
    if source.campaigns is None:
        return Arrival(world.span.arrival(dice), source, None)
    if PLANS[source.campaigns].has_gaps:
        campaign = dice.pick(world.marketing.of(source.campaigns))
        # The doors of a fair open at nine, and close on the last day at nine in the evening.
        at = campaign.starts + 9 * HOUR + int(dice.random() * (campaign.ends - campaign.starts - 12 * HOUR))
        return Arrival(at, source, campaign.id)
    at = world.span.arrival(dice)
    return Arrival(at, source, world.marketing.latest(source.campaigns, at).id)


def _begin(
    world: World, seed: int, number: int, batch: Batch, company: Company | None, arrival: Arrival
) -> tuple[Life, Buyer]:
    """Let a person turn up."""
    dice, source = Dice.of(seed, _OF_A_PERSON, number), arrival.source
    person = person_of(dice, number, company)
    came: dict[str, object] = {
        "lead_source": source.lead_source,
        "source_detail": dice.pick(source.details) if source.details else None,
    }
    life = Life(
        world, batch, dice, source,
        contact=dice.identity(arrival.at),
        born=arrival.at,
        changes=[(arrival.at, {**person.fields, **came})],
        missing=person.missing,
        next_title=person.next_title,
        is_assumed=dice.chance(_ASSUMED),
        is_tracked=dice.chance(_TRACKED),
    )  # fmt: skip
    if company is None:
        name = f"{person.fields['first_name']} {person.fields['last_name']}"
        return life, Buyer(None, name, 5, person.country, arrival.campaign)
    return life, Buyer(company.id, company.name, company.employees, company.country.code, arrival.campaign)
