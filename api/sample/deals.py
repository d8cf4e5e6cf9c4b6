"""A deal, from opening to close: stages passed, amounts changed, talks held, colleagues drawn in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from api.sample.firm import Pipeline
from api.sample.name_lists import BUYING_ROLES
from api.sample.period import DAY, HOUR, at_work
from api.sample.person_history import Life
from api.sample.random_source import Id, moment
from api.sample.row_buffers import add_with_history
from schema.vocab import DealOutcome, TouchOutcome

_LOST_REASONS = ("Price", "Chose a competitor", "No decision", "Project stopped", "Missing feature", "Budget cut")
_CONNECTED = TouchOutcome.CONNECTED


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys: the company, or a person without one."""

    company: Id | None
    name: str
    employees: int
    country: str
    campaign: Id | None


@dataclass(frozen=True, slots=True)
class Sale:
    """What became of a deal."""

    deal: Id
    opened: int
    closed: int | None
    is_won: bool
    rep: Id


def sell(
    life: Life, at: int, buyer: Buyer, rep: Id, sdr: Id | None, *, wins: float, is_first: bool = True
) -> Sale | None:
    """Open a deal with the person as its main contact, and work it as far as it has come; none if it is still to be."""
    opened = at_work(at)
    if not life.has_come(opened):
        return None
    dice, firm = life.dice, life.world.firm
    pipeline = firm.new_business if is_first else firm.expansion
    deal, product = dice.identity(opened), dice.pick(firm.products)
    # Larger companies buy more seats, argue longer, and are no less likely to buy.
    size = (buyer.employees / 100) ** 0.4
    days = dice.around(52 if is_first else 30, 0.55) * max(0.6, min(1.8, size))
    price, currency = life.world.till.price(buyer.country, product.price * size * dice.between(0.7, 1.4), opened)
    amount = _round(price)
    moves = _moves(life, opened, days, pipeline)
    closed = moves.pop()
    is_won = dice.chance(wins)
    changes = _history(life, opened, days, amount, pipeline, moves)
    changes[0][1].update(
        name=f"{buyer.name}: {product.name}",
        company_id=buyer.company,
        currency=currency,
        product_id=product.id,
        opened_at=opened,
        owner_id=rep,
        sdr_id=sdr,
        outcome=DealOutcome.OPEN,
        primary_campaign_id=buyer.campaign,
    )
    is_closed = life.has_come(closed)
    if is_closed:
        changes.append((closed, _close(life, closed, pipeline, is_won=is_won)))
    add_with_history(life.batch, "deal", deal, [each for each in changes if life.has_come(each[0])])
    life.batch["deal_contact"].add(
        contact_id=life.contact, deal_id=deal, role=dice.pick(BUYING_ROLES), since=opened, is_primary=True
    )
    _talk(life, deal, rep, opened, moves, closed)
    if is_first:
        life.report(opened, "Deal", "opportunity")
        life.report(closed, *(("Customer", "customer") if is_won else ("Lost", None)))
    return Sale(deal, opened, closed if is_closed else None, is_closed and is_won, rep)


def draw_in(life: Life, sale: Sale) -> None:
    """Give a colleague of the main contact a role in the deal, some time after it was opened."""
    dice = life.dice
    ends = sale.closed or life.world.span.end
    since = at_work(max(sale.opened, life.born) + int(dice.around(12 * DAY, 0.6)))
    if since >= ends:
        return
    life.batch["deal_contact"].add(
        contact_id=life.contact, deal_id=sale.deal, role=dice.pick(BUYING_ROLES), since=since, is_primary=False
    )
    life.meet(since, sale.rep, _CONNECTED, deal=sale.deal)
    life.write_to(since + 3 * HOUR, sale.rep, deal=sale.deal)


def _moves(life: Life, opened: int, days: float, pipeline: Pipeline) -> list[int]:
    """When the deal entered each later open stage, and when it closed."""
    weights = [life.dice.between(0.5, 1.5) for _ in pipeline.open]
    found, passed = [], 0.0
    for weight in weights:
        passed += weight / sum(weights)
        found.append(at_work(opened + int(days * passed * DAY)))
    # A weekend sends what falls on it to Monday, and may so put two of them out of order.
    return sorted(found)


def _history(
    life: Life, opened: int, days: float, amount: Decimal, pipeline: Pipeline, moves: Sequence[int]
) -> list[tuple[int, dict[str, object]]]:
    """The open part of a deal: a change at every stage; amounts are known better and better, closing dates slip."""
    dice = life.dice
    expected = (moment(opened) + timedelta(days=days * dice.between(0.6, 1.1))).date()
    changes: list[tuple[int, dict[str, object]]] = [
        (opened, {"pipeline_stage_id": pipeline.open[0], "amount": amount, "close_date": expected})
    ]
    for at, stage in zip(moves, pipeline.open[1:], strict=True):
        fields: dict[str, object] = {"pipeline_stage_id": stage}
        if dice.chance(0.45):
            amount = _round(float(amount) * dice.between(0.75, 1.3))
            fields["amount"] = amount
        if expected <= moment(at).date():
            expected = (moment(at) + timedelta(days=dice.between(7, 40))).date()
            fields["close_date"] = expected
        changes.append((at, fields))
    return changes


def _close(life: Life, closed: int, pipeline: Pipeline, *, is_won: bool) -> dict[str, object]:
    ended: dict[str, object] = {"closed_at": closed, "close_date": moment(closed).date()}
    if is_won:
        return ended | {"outcome": DealOutcome.WON, "pipeline_stage_id": pipeline.won}
    reason = life.dice.pick(_LOST_REASONS)
    return ended | {"outcome": DealOutcome.LOST, "pipeline_stage_id": pipeline.lost, "lost_reason": reason}


def _talk(life: Life, deal: Id, rep: Id, opened: int, moves: Sequence[int], closed: int) -> None:
    """Meetings at each stage, mails between them, all before the close."""
    dice, last = life.dice, opened
    for at in (*moves, closed - HOUR):
        life.meet(at - dice.whole(1, 30) * 60, rep, _CONNECTED if dice.chance(0.9) else TouchOutcome.NO_SHOW, deal=deal)
        middle = at_work((last + at) // 2)
        if last < middle < at:
            life.write_to(middle, rep, deal=deal)
            if dice.chance(0.5) and middle + 5 * HOUR < at:
                life.answer(middle + dice.whole(1, 5 * HOUR), rep, deal=deal)
        last = at


def _round(amount: float) -> Decimal:
    """Prices are quoted in fifties."""
    return Decimal(max(1, round(amount / 50)) * 50)
