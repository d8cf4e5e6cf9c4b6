"""Simulates a deal from opening to close: stages, amounts, meetings, emails, and colleagues who take part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from api.sample.firm import SamplePipeline
from api.sample.name_lists import BUYING_ROLES
from api.sample.period import DAY, HOUR, MINUTE, next_working_time
from api.sample.person_history import PersonHistory
from api.sample.random_source import UuidBytes, to_datetime
from api.sample.row_buffers import add_with_history
from schema.vocab import DealOutcome, DealType, TouchOutcome

_LOST_REASONS = ("Price", "Chose a competitor", "No decision", "Project stopped", "Missing feature", "Budget cut")
_CONNECTED = TouchOutcome.CONNECTED


@dataclass(frozen=True, slots=True)
class Buyer:
    """The company that buys, or the person if there is no company."""

    company: UuidBytes | None
    name: str
    employees: int
    country: str
    campaign: UuidBytes | None


@dataclass(frozen=True, slots=True)
class SampleDeal:
    """A deal and its state at the end of the sample."""

    id: UuidBytes
    opened: int
    closed: int | None
    is_won: bool
    rep: UuidBytes


def simulate_deal(
    history: PersonHistory,
    at: int,
    buyer: Buyer,
    rep: UuidBytes,
    sdr: UuidBytes | None,
    *,
    win_rate: float,
    is_first: bool = True,
) -> SampleDeal | None:
    """Add a deal with the person as its main contact, up to the end of the sample; None if it would open later."""
    opened = next_working_time(at)
    if not history.is_past(opened):
        return None
    rng, firm, prices = history.rng, history.scenario.firm, history.scenario.prices
    pipeline = firm.new_business if is_first else firm.expansion
    deal, product = rng.uuid7(opened), rng.pick(firm.products)
    # Larger companies buy more seats and take longer to decide. Their win rate is the same.
    size = (buyer.employees / 100) ** 0.4
    days = rng.log_normal(52 if is_first else 30, 0.55) * max(0.6, min(1.8, size))
    price, currency = prices.price(buyer.country, product.price * size * rng.between(0.7, 1.4), opened)
    *stage_entries, closed = _later_stages(history, opened, days, pipeline)
    is_won = rng.chance(win_rate)
    changes = _open_changes(history, opened, days, _rounded(price), pipeline, stage_entries)
    changes[0][1].update(
        name=f"{buyer.name}: {product.name}",
        company_id=buyer.company,
        type=DealType.NEW if is_first else _later_type(deal),
        currency=currency,
        product_id=product.id,
        opened_at=opened,
        owner_id=rep,
        sdr_id=sdr,
        outcome=DealOutcome.OPEN,
        primary_campaign_id=buyer.campaign,
    )
    is_closed = history.is_past(closed)
    if is_closed:
        changes.append((closed, _closing_fields(history, closed, pipeline, is_won=is_won)))
    add_with_history(history.buffers, "deal", deal, [change for change in changes if history.is_past(change[0])])
    history.buffers["deal_contact"].add(
        contact_id=history.contact, deal_id=deal, role=rng.pick(BUYING_ROLES), since=opened, is_primary=True
    )
    _add_meetings_and_emails(history, deal, rep, opened, stage_entries, closed)
    if is_first:
        history.add_reported_stage(opened, "Deal", "opportunity")
        history.add_reported_stage(closed, *(("Customer", "customer") if is_won else ("Lost", None)))
    return SampleDeal(deal, opened, closed if is_closed else None, is_closed and is_won, rep)


def add_colleague(history: PersonHistory, deal: SampleDeal) -> None:
    """Give a colleague of the main contact a role in an open deal, with a meeting and an email."""
    rng = history.rng
    ends = deal.closed or history.scenario.period.end
    since = next_working_time(max(deal.opened, history.created_at) + int(rng.log_normal(12 * DAY, 0.6)))
    if since >= ends:
        return
    history.buffers["deal_contact"].add(
        contact_id=history.contact, deal_id=deal.id, role=rng.pick(BUYING_ROLES), since=since, is_primary=False
    )
    history.add_meeting(since, deal.rep, _CONNECTED, deal=deal.id)
    history.add_email(since + 3 * HOUR, deal.rep, deal=deal.id)


def _later_type(deal: UuidBytes) -> DealType:
    """Return the type of a customer's later deal: a third are renewals."""
    return DealType.RENEWAL if deal[-1] % 3 == 0 else DealType.EXPANSION


def _later_stages(history: PersonHistory, opened: int, days: float, pipeline: SamplePipeline) -> list[int]:
    """Return when the deal enters each later open stage and, last, when it closes."""
    weights = [history.rng.between(0.5, 1.5) for _ in pipeline.open]
    instants, share = [], 0.0
    for weight in weights:
        share += weight / sum(weights)
        instants.append(next_working_time(opened + int(days * share * DAY)))
    # Instants of one weekend all move to Monday morning, where they may be out of order.
    return sorted(instants)


def _open_changes(
    history: PersonHistory,
    opened: int,
    days: float,
    amount: Decimal,
    pipeline: SamplePipeline,
    stage_entries: Sequence[int],
) -> list[tuple[int, dict[str, object]]]:
    """Return the changes of a deal while it is open: stages, revised amounts, postponed closing dates."""
    rng = history.rng
    expected = (to_datetime(opened) + timedelta(days=days * rng.between(0.6, 1.1))).date()
    changes: list[tuple[int, dict[str, object]]] = [
        (opened, {"pipeline_stage_id": pipeline.open[0], "amount": amount, "close_date": expected})
    ]
    for at, stage in zip(stage_entries, pipeline.open[1:], strict=True):
        fields: dict[str, object] = {"pipeline_stage_id": stage}
        if rng.chance(0.45):
            amount = _rounded(float(amount) * rng.between(0.75, 1.3))
            fields["amount"] = amount
        if expected <= to_datetime(at).date():
            expected = (to_datetime(at) + timedelta(days=rng.between(7, 40))).date()
            fields["close_date"] = expected
        changes.append((at, fields))
    return changes


def _closing_fields(
    history: PersonHistory, closed: int, pipeline: SamplePipeline, *, is_won: bool
) -> dict[str, object]:
    fields: dict[str, object] = {"closed_at": closed, "close_date": to_datetime(closed).date()}
    if is_won:
        return fields | {"outcome": DealOutcome.WON, "pipeline_stage_id": pipeline.won}
    reason = history.rng.pick(_LOST_REASONS)
    return fields | {"outcome": DealOutcome.LOST, "pipeline_stage_id": pipeline.lost, "lost_reason": reason}


def _add_meetings_and_emails(
    history: PersonHistory, deal: UuidBytes, rep: UuidBytes, opened: int, stage_entries: Sequence[int], closed: int
) -> None:
    """Add a meeting before each stage and before the close, and emails with replies between the meetings."""
    rng, last = history.rng, opened
    for at in (*stage_entries, closed - HOUR):
        minutes_before = rng.integer(1, 30)
        outcome = _CONNECTED if rng.chance(0.9) else TouchOutcome.NO_SHOW
        history.add_meeting(at - minutes_before * MINUTE, rep, outcome, deal=deal)
        middle = next_working_time((last + at) // 2)
        if last < middle < at:
            history.add_email(middle, rep, deal=deal)
            if rng.chance(0.5) and middle + 5 * HOUR < at:
                history.add_reply(middle + rng.integer(1, 5 * HOUR), rep, deal=deal)
        last = at


def _rounded(amount: float) -> Decimal:
    """Round a price to a multiple of 50, at least 50."""
    return Decimal(max(1, round(amount / 50)) * 50)
