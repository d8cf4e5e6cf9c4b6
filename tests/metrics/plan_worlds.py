"""Made-up people and deals, and an independent plan for them: every chain of measured lags is walked one by one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, prod
from uuid import UUID

from api.db import WriteSession
from api.sql import Sql
from tests.support.random_choices import RandomChoices

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
MEASURED = (date(2026, 1, 1), date(2026, 4, 1))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
EVALUATION = UUID(int=7)
STAGES = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity")
WINDOWS = {"inquiry": 90, "mql": 14, "sal": 14, "sql": 30}  # days; the stage suspect has none


@dataclass(frozen=True)
class Entered:
    """The first entry into a stage; `own` is false for one that only a higher stage implies."""

    at: datetime
    own: bool


@dataclass(frozen=True)
class Sold:
    """A deal that was decided, or is still open."""

    opened: datetime
    closed: datetime | None
    is_won: bool
    amount: Decimal | None


@dataclass(frozen=True)
class PlanWorld:
    """People by the stages they entered, and deals."""

    people: list[dict[str, Entered]]
    deals: list[Sold]


def made_up(choices: RandomChoices) -> PlanWorld:
    """A small company. Many people climb the ladder; the lags are few, so that the chains can be walked."""
    people = []
    for _ in range(choices.integer(4, 14)):
        at, climbed = START + choices.integer(0, 100) * DAY, dict[str, Entered]()
        for stage in STAGES:
            climbed[stage] = Entered(at, own=not choices.happens(7))
            at += choices.one((0, 1, 12, 40)) * DAY + choices.integer(0, 30) * timedelta(hours=1)
            if choices.happens(5):
                break
        people.append(climbed)
    deals = []
    for _ in range(choices.integer(1, 9)):
        opened = START + choices.integer(0, 80) * DAY
        closed = None if choices.happens(6) else opened + choices.integer(0, 50) * DAY + timedelta(hours=5)
        amount = None if choices.happens(8) else Decimal(choices.integer(1, 90_000)) / 100
        deals.append(Sold(opened, closed, choices.happens(2), amount))
    return PlanWorld(people, deals)


async def prepare(session: WriteSession, version_id: UUID) -> None:
    """Write the evaluation that the entries are of."""
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, started_at, finished_at, watermark, is_current)"
            " values ({}, 'IN_FORCE', {}, now(), now(), now(), true)",
            EVALUATION,
            version_id,
        )
    )


async def load(session: WriteSession, world: PlanWorld, version_id: UUID) -> None:
    """Replace the contacts and deals in the database."""
    await session.script(
        "delete from stage_entry; delete from deal_version; delete from deal; delete from deal_version;"
        "delete from contact_version; delete from contact; delete from contact_version"
    )
    ids = [UUID(int=1000 + place) for place in range(len(world.people))]
    await session.copy("contact", ["id"], [(key,) for key in ids])
    columns = ["contact_id", "evaluation_id", "stage", "occurrence", "rank", "entered_at", "own_at"]
    rows = [
        (key, EVALUATION, stage, 1, STAGES.index(stage) + 1, entered.at, entered.at if entered.own else None)
        for key, climbed in zip(ids, world.people, strict=True)
        for stage, entered in climbed.items()
    ]
    entries = [(*row, version_id, row[-1] is None) for row in rows]
    await session.copy("stage_entry", [*columns, "accord_version_id", "is_implied"], entries)
    names = ["id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
    sold = []
    for place, deal in enumerate(world.deals):
        outcome = "OPEN" if deal.closed is None else "WON" if deal.is_won else "LOST"
        currency = "EUR" if deal.amount is not None else None
        key = UUID(int=5000 + place)
        sold.append((key, outcome, deal.opened, deal.closed, deal.closed or deal.opened, deal.amount, currency))
    await session.copy("deal", names, sold)


@dataclass(frozen=True)
class Needed:
    """What a step of the plan needs, exactly; the days are None if a lag is unknown."""

    total: Fraction | None
    by_day: dict[date, Fraction] | None
    share_of_day: dict[date, Fraction]
    entered: Counter[date]


def plan(world: PlanWorld, target: Decimal, starts_on: date, before: date) -> list[Needed]:
    """The plan, from the lowest stage to the deals won."""
    steps = [*_people_steps(world), *_deal_steps(world)]
    days = [starts_on + place * DAY for place in range((before - starts_on).days)]
    found = []
    for place, (_, _, entered) in enumerate(steps):
        rates = [rate for rate, _, _ in steps[place:]]
        lags = [lag for _, lag, _ in steps[place:]]
        total = None
        if all(rates):
            total = Fraction(target) / prod((rate for rate in rates if rate is not None), start=Fraction(1))
        if not all(lags):
            found.append(Needed(total, None, {}, entered))
            continue
        landed = Counter[date]()
        chains = Counter(sum(chain) for chain in product(*lags))
        for day in days:
            for lag, cases in chains.items():
                landed[day - lag * DAY] += cases
        shares = {day: Fraction(cases, chains.total()) for day, cases in landed.items()}
        by_day = None if total is None else {day: share * total / len(days) for day, share in shares.items()}
        found.append(Needed(total, by_day, shares, entered))
    return found


Step = tuple[Fraction | None, list[int], Counter[date]]


def _people_steps(world: PlanWorld) -> Iterator[Step]:
    for stage, above in zip(STAGES, [*STAGES[1:], None], strict=True):
        entries = Counter(climbed[stage].at.date() for climbed in world.people if stage in climbed)
        of_period = [climbed for climbed in world.people if stage in climbed and _in(climbed[stage].at)]
        if above is None:
            opened = sum(_in(deal.opened) for deal in world.deals)
            yield (Fraction(opened, len(of_period)) if of_period else None), [0], entries
            continue
        window = WINDOWS[stage] * DAY if stage in WINDOWS else None
        converted = [
            climbed
            for climbed in of_period
            if above in climbed
            and climbed[above].at >= climbed[stage].at
            and (window is None or climbed[above].at - climbed[stage].at <= window)
        ]
        own = [climbed for climbed in converted if climbed[stage].own and climbed[above].own]
        lags = [(climbed[above].at - climbed[stage].at).days for climbed in own]
        yield (Fraction(len(converted), len(of_period)) if of_period else None), lags, entries


def _deal_steps(world: PlanWorld) -> Iterator[Step]:
    closed = [deal for deal in world.deals if deal.closed is not None and _in(deal.closed)]
    won = [deal for deal in closed if deal.is_won]
    lags = [(deal.closed - deal.opened).days for deal in won if deal.closed is not None]
    rate = Fraction(len(won), len(closed)) if closed else None
    yield rate, lags, Counter(deal.opened.date() for deal in world.deals)
    amounts = [deal.amount for deal in won if deal.amount is not None]
    size = Fraction(sum(amounts, Decimal(0))) / len(amounts) if amounts else None
    wins = Counter(deal.closed.date() for deal in world.deals if deal.closed is not None and deal.is_won)
    yield size, [0], wins


def _in(at: datetime) -> bool:
    return MEASURED[0] <= at.date() < MEASURED[1]


def rounded_up(number: Fraction) -> int:
    """The next whole number."""
    return ceil(number)
