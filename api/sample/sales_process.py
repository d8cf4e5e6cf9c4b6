"""Simulates what sales does with an interested person: handoff, decision, calls, qualification, deal."""

from api.sample.deals import Buyer, SampleDeal, simulate_deal
from api.sample.period import DAY, HOUR, MINUTE, next_working_time
from api.sample.person_history import PersonHistory
from api.sample.random_source import UuidBytes, Weighted, to_datetime
from schema.vocab import Direction, HandoffStatus, TouchOutcome

_NEVER_HANDED_OVER = 0.05
"""Share of interested people whom marketing never hands over."""
_CALLED_TOO_OFTEN = 0.07
"""Share of accepted people whom a salesperson calls nine times or more in a week."""
_RETURNS_AFTER_LOSS = 0.35
"""Share of people with a lost deal who show interest again."""
_BUYS_AGAIN = 0.3
"""Share of customers who open a second deal."""

_REJECT_REASONS = Weighted(
    (("NO_TIMING", 30), ("NO_BUDGET", 20), ("NOT_REACHED", 22), ("NO_FIT", 20), ("COMPETITOR", 8))
)
_NOTES = {
    "NO_TIMING": "Asks us to come back next half-year.",
    "NO_BUDGET": "The budget is frozen.",
    "NOT_REACHED": "Several attempts, no answer.",
    "NO_FIT": "Too small, and sells no subscriptions.",
    "COMPETITOR": "Works for a vendor of the same kind.",
}
_RECYCLED_REASONS = ("NO_TIMING", "NO_BUDGET", "NOT_REACHED")


def contact_sales_directly(history: PersonHistory, at: int, buyer: Buyer, deals: list[SampleDeal]) -> int | None:
    """Simulate a person who calls sales and opens a deal, which skips stages. Return as `_pursue_deal` does."""
    rng, rep = history.rng, history.rng.pick(history.scenario.firm.reps)
    called = next_working_time(at + int(rng.between(0, 2) * DAY))
    history.add_change(called, owner_id=rep)
    if rng.chance(0.75):
        history.add_call(called, rep, TouchOutcome.QUALIFIED, direction=Direction.INBOUND)
    return _pursue_deal(history, called + int(rng.log_normal(3 * DAY)), buyer, deals, rep, None)


def hand_over_to_sales(history: PersonHistory, at: int, buyer: Buyer, deals: list[SampleDeal]) -> int | None:
    """Hand the person over and simulate the work of sales.

    Returns the instant from which the person shows interest again; None if the history ends here.
    """
    rng = history.rng
    if rng.chance(_NEVER_HANDED_OVER):
        return None
    handed = next_working_time(at + int(rng.log_normal(5 * HOUR, 1.0)))
    decided = next_working_time(handed + int(rng.log_normal(12 * HOUR, 0.9)))
    sdr = rng.pick(history.scenario.firm.sdrs)
    why = f"{len(history.inbound)} inbound touches, the last on {to_datetime(at):%Y-%m-%d}"
    history.add_change(handed, owner_id=sdr)
    if rng.chance(0.4 if history.missing_fields else 0.02):
        note = "The telephone number is missing." if history.missing_fields else "Which of the subsidiaries is it?"
        history.add_handoff(handed, decided, HandoffStatus.RETURNED, sdr, why=why, note=note)
        if rng.chance(0.3):
            return None
        handed = next_working_time(decided + int(rng.log_normal(2 * DAY)))
        history.add_change(handed, **history.missing_fields)
        decided = next_working_time(handed + int(rng.log_normal(8 * HOUR)))
    if not rng.chance(history.origin.rates.accepted):
        return _reject(history, handed, decided, sdr, why)
    history.add_handoff(handed, decided, HandoffStatus.ACCEPTED, sdr, why=why)
    history.add_reported_stage(decided, "Working", "sal")
    return _qualify(history, decided, sdr, buyer, deals) if history.is_past(decided) else None


def _reject(history: PersonHistory, handed: int, decided: int, sdr: UuidBytes, why: str) -> int | None:
    """Reject a handoff with a reason of the accord; recycled people may show interest again."""
    rng, reason = history.rng, history.rng.pick_weighted(_REJECT_REASONS)
    attempts = rng.integer(2, 4) if reason == "NOT_REACHED" else 1
    decided += (attempts - 1) * DAY
    outcome = TouchOutcome.NO_ANSWER if reason == "NOT_REACHED" else TouchOutcome.CONNECTED
    for attempt in range(attempts):
        history.add_call(next_working_time(handed + (decided - handed) * attempt // attempts), sdr, outcome)
    decided = next_working_time(decided)
    history.add_handoff(handed, decided, HandoffStatus.REJECTED, sdr, why=why, reason=reason, note=_NOTES[reason])
    history.add_change(decided, owner_id=None)
    if reason in _RECYCLED_REASONS and rng.chance(0.5):
        return decided + int(rng.log_normal(90 * DAY, 0.5))
    return None


def _qualify(history: PersonHistory, at: int, sdr: UuidBytes, buyer: Buyer, deals: list[SampleDeal]) -> int | None:
    """Call and write until the person is qualified, declines or does not respond. Return as `_pursue_deal` does."""
    rng = history.rng
    if rng.chance(_CALLED_TOO_OFTEN):
        at = _call_too_often(history, at, sdr)
        if rng.chance(0.5):
            history.add_call(at, sdr, TouchOutcome.NOT_INTERESTED)
            history.add_change(at, do_not_call=True)
            history.opt_out(at + HOUR)
            return None
    for _ in range(rng.integer(0, 3)):
        history.add_call(at, sdr, TouchOutcome.NO_ANSWER)
        history.add_email(at + 10 * MINUTE, sdr)
        at = next_working_time(at + int(rng.between(0.8, 2.5) * DAY))
    if not rng.chance(history.origin.rates.qualifies):
        outcomes = (TouchOutcome.NOT_INTERESTED, TouchOutcome.CONNECTED, TouchOutcome.NO_ANSWER)
        history.add_call(at, sdr, rng.pick(outcomes))
        return None
    if rng.chance(0.4):
        history.add_call(at, sdr, TouchOutcome.CONNECTED)
        history.add_reply(at + rng.integer(HOUR, 4 * HOUR), sdr)
        at = next_working_time(at + int(rng.between(1, 6) * DAY))
        history.add_meeting(at, sdr, TouchOutcome.QUALIFIED)
    else:
        history.add_call(at, sdr, TouchOutcome.QUALIFIED)
    history.add_reported_stage(at, "Qualified", "sql")
    if not rng.chance(history.origin.rates.opens_deal):
        history.add_email(next_working_time(at + 5 * DAY), sdr)
        return None
    rep = rng.pick(history.scenario.firm.reps)
    return _pursue_deal(history, at + int(rng.log_normal(5 * DAY, 0.7)), buyer, deals, rep, sdr)


def _call_too_often(history: PersonHistory, at: int, sdr: UuidBytes) -> int:
    """Add nine to eleven unanswered calls within a week; return the instant after the last one."""
    rng = history.rng
    calls = rng.integer(9, 11)
    interval = int(6.2 * DAY / calls)
    for number in range(calls):
        history.add_call(at + number * interval, sdr, TouchOutcome.NO_ANSWER)
    return next_working_time(at + calls * interval)


def _pursue_deal(
    history: PersonHistory, at: int, buyer: Buyer, deals: list[SampleDeal], rep: UuidBytes, sdr: UuidBytes | None
) -> int | None:
    """Simulate a deal, and a second one of some customers.

    Returns the instant from which a person with a lost deal shows interest again; None if the history ends here.
    """
    rng = history.rng
    deal = simulate_deal(history, at, buyer, rep, sdr, win_rate=history.origin.rates.wins)
    if deal is None:
        return None
    deals.append(deal)
    history.add_change(deal.opened, owner_id=rep, lead_score=100)
    if deal.closed is None:
        return None
    if not deal.is_won:
        returns = rng.chance(_RETURNS_AFTER_LOSS)
        return deal.closed + int(rng.log_normal(120 * DAY, 0.4)) if returns else None
    if rng.chance(_BUYS_AGAIN):
        starts = deal.closed + int(rng.log_normal(170 * DAY, 0.4))
        second = simulate_deal(history, starts, buyer, rep, None, win_rate=0.6, is_first=False)
        if second is not None:
            deals.append(second)
    return None
