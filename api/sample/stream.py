"""Everything in order, in batches of bounded size: Meridian first, then account after account.

Each account and each person has a stream of chance of its own, so that the person of a number is the same however
many are made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from api.sample.dice import Dice
from api.sample.firm import found
from api.sample.journey import tell
from api.sample.life import Life, World
from api.sample.marketing import PLANS, launch
from api.sample.people import SIZES, Company, add_company, company_of, person_of
from api.sample.rows import Batch
from api.sample.selling import Buyer, Sale, draw_in
from api.sample.sources import SOURCES, Source
from api.sample.span import DAY, HOUR, Span
from schema.history import version_name

_OF_THE_FIRM, _OF_AN_ACCOUNT, _OF_A_PERSON = 1, 2, 3
_FIRM_TABLES = ("team", "member", "product", "pipeline", "pipeline_stage", "campaign", "campaign_cost")
_WITH_HISTORY = ("company", "contact", "deal")
_PEOPLE_TABLES = (
    *(name for table in _WITH_HISTORY for name in (table, version_name(table))),
    "deal_contact",
    "touchpoint",
    "handoff",
)
TABLES = (*_FIRM_TABLES, *_PEOPLE_TABLES)
_BATCH_ROWS = 10_000
_JOINS = 0.16
"""Share of colleagues who are drawn into a deal."""


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
    campaign: UUID | None


@dataclass(frozen=True, slots=True)
class Made:
    """A batch of rows, and how many people are told of with it."""

    batch: Batch
    contacts: int


def batches(order: Order) -> Iterator[Made]:
    """Tell the whole story. Every row refers to rows of its own batch or of earlier ones."""
    span, dice, batch = Span(order.until), Dice.of(order.seed, _OF_THE_FIRM, 0), Batch(_FIRM_TABLES)
    firm = found(dice, span.start, batch)
    world = World(span, firm, launch(dice, span, order.contacts, batch))
    yield Made(batch, 0)
    batch, told, account = Batch(_PEOPLE_TABLES), 0, 0
    while told < order.contacts:
        told += _account(world, order, account, told, batch)
        account += 1
        if len(batch) >= _BATCH_ROWS:
            yield Made(batch, told)
            batch = Batch(_PEOPLE_TABLES)
    yield Made(batch, told)


def _account(world: World, order: Order, number: int, first: int, batch: Batch) -> int:
    """Tell of one company and its people, or of one person; return how many people."""
    dice = Dice.of(order.seed, _OF_AN_ACCOUNT, number)
    arrivals = [_arrival(world, dice) for _ in range(dice.draw(SIZES))]
    since = max(world.span.start, min(each.at for each in arrivals) - dice.whole(1, 20) * DAY)
    company = company_of(dice, number, since)
    people = arrivals[: order.contacts - first] if company else arrivals[:1]
    lives: list[Life] = []
    sales: list[tuple[Life, Sale]] = []
    for person, arrival in enumerate(people, start=first):
        life, buyer = _begin(world, order.seed, person, batch, company, arrival)
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
        add_company(company, dice, world, batch, since=since, owned=owned)
    return len(lives)


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
    )  # fmt: skip
    if company is None:
        return life, Buyer(None, f"{person.fields['first_name']} {person.fields['last_name']}", 5, arrival.campaign)
    return life, Buyer(company.id, company.name, company.employees, arrival.campaign)
