"""What sales makes of an interested person: handoff, decision, calls, qualification, deal."""

from api.sample.deals import Buyer, Sale, sell
from api.sample.period import DAY, HOUR, at_work
from api.sample.person_history import Life
from api.sample.random_source import Id, Weighted, moment
from schema.vocab import Direction, HandoffStatus, TouchOutcome

_FORGOTTEN = 0.05
"""Share of the interested whom marketing never hands over."""
_HARD_PRESSED = 0.07
"""Share of the accepted whom an eager salesperson calls nine times in a week."""
_RETURNS_AFTER_LOSS = 0.35
_BUYS_MORE = 0.3

_REASONS = Weighted((("NO_TIMING", 30), ("NO_BUDGET", 20), ("NOT_REACHED", 22), ("NO_FIT", 20), ("COMPETITOR", 8)))
_NOTES = {
    "NO_TIMING": "Asks us to come back next half-year.",
    "NO_BUDGET": "The budget is frozen.",
    "NOT_REACHED": "Several attempts, no answer.",
    "NO_FIT": "Too small, and sells no subscriptions.",
    "COMPETITOR": "Works for a vendor of the same kind.",
}
_RECYCLED = ("NO_TIMING", "NO_BUDGET", "NOT_REACHED")


def walk_in(life: Life, at: int, buyer: Buyer, sales: list[Sale]) -> int | None:
    """Let the person ring sales directly and be qualified, or sign at once: stages are skipped."""
    dice, rep = life.dice, life.dice.pick(life.world.firm.reps)
    rung = at_work(at + int(dice.between(0, 2) * DAY))
    life.change(rung, owner_id=rep)
    if dice.chance(0.75):
        life.call(rung, rep, TouchOutcome.QUALIFIED, direction=Direction.INBOUND)
    return _deal(life, rung + int(dice.around(3 * DAY)), buyer, sales, rep, None)


def pursue(life: Life, at: int, buyer: Buyer, sales: list[Sale]) -> int | None:
    """Hand the person over and let sales work; return when new interest may come, none if the story ends here."""
    dice = life.dice
    if dice.chance(_FORGOTTEN):
        return None
    handed = at_work(at + int(dice.around(5 * HOUR, 1.0)))
    decided = at_work(handed + int(dice.around(12 * HOUR, 0.9)))
    sdr = dice.pick(life.world.firm.sdrs)
    why = f"{len(life.inbound)} inbound touches, the last on {moment(at):%Y-%m-%d}"
    life.change(handed, owner_id=sdr)
    if dice.chance(0.4 if life.missing else 0.02):
        note = "The telephone number is missing." if life.missing else "Which of the subsidiaries is it?"
        life.hand_over(handed, decided, HandoffStatus.RETURNED, sdr, why=why, note=note)
        if dice.chance(0.3):
            return None
        handed = at_work(decided + int(dice.around(2 * DAY)))
        life.change(handed, **life.missing)
        decided = at_work(handed + int(dice.around(8 * HOUR)))
    if not dice.chance(life.source.rates.accepted):
        return _reject(life, handed, decided, sdr, why)
    life.hand_over(handed, decided, HandoffStatus.ACCEPTED, sdr, why=why)
    life.report(decided, "Working", "sal")
    return _work(life, decided, sdr, buyer, sales) if life.has_come(decided) else None


def _reject(life: Life, handed: int, decided: int, sdr: Id, why: str) -> int | None:
    """Reject a handoff with a reason of the accord; the recycled may come back."""
    dice, reason = life.dice, life.dice.draw(_REASONS)
    attempts = dice.whole(2, 4) if reason == "NOT_REACHED" else 1
    decided += (attempts - 1) * DAY
    outcome = TouchOutcome.NO_ANSWER if reason == "NOT_REACHED" else TouchOutcome.CONNECTED
    for attempt in range(attempts):
        life.call(at_work(handed + (decided - handed) * attempt // attempts), sdr, outcome)
    decided = at_work(decided)
    life.hand_over(handed, decided, HandoffStatus.REJECTED, sdr, why=why, reason=reason, note=_NOTES[reason])
    life.change(decided, owner_id=None)
    if reason in _RECYCLED and dice.chance(0.5):
        return decided + int(dice.around(90 * DAY, 0.5))
    return None


def _work(life: Life, at: int, sdr: Id, buyer: Buyer, sales: list[Sale]) -> int | None:
    """Call and write until the person is qualified, does not want to go on, or does not answer."""
    dice = life.dice
    if dice.chance(_HARD_PRESSED):
        at = _press(life, at, sdr)
        if dice.chance(0.5):
            life.call(at, sdr, TouchOutcome.NOT_INTERESTED)
            life.change(at, do_not_call=True)
            life.opt_out(at + HOUR)
            return None
    for _ in range(dice.whole(0, 3)):
        life.call(at, sdr, TouchOutcome.NO_ANSWER)
        life.write_to(at + 10 * 60, sdr)
        at = at_work(at + int(dice.between(0.8, 2.5) * DAY))
    if not dice.chance(life.source.rates.qualifies):
        life.call(at, sdr, dice.pick((TouchOutcome.NOT_INTERESTED, TouchOutcome.CONNECTED, TouchOutcome.NO_ANSWER)))
        return None
    if dice.chance(0.4):
        life.call(at, sdr, TouchOutcome.CONNECTED)
        life.answer(at + dice.whole(HOUR, 4 * HOUR), sdr)
        at = at_work(at + int(dice.between(1, 6) * DAY))
        life.meet(at, sdr, TouchOutcome.QUALIFIED)
    else:
        life.call(at, sdr, TouchOutcome.QUALIFIED)
    life.report(at, "Qualified", "sql")
    if not dice.chance(life.source.rates.buys):
        life.write_to(at_work(at + 5 * DAY), sdr)
        return None
    rep = dice.pick(life.world.firm.reps)
    return _deal(life, at + int(dice.around(5 * DAY, 0.7)), buyer, sales, rep, sdr)


def _press(life: Life, at: int, sdr: Id) -> int:
    """Call nine times or more within a week, and let nobody notice; return when the last call was."""
    dice = life.dice
    calls = dice.whole(9, 11)
    step = int(6.2 * DAY / calls)
    for number in range(calls):
        life.call(at + number * step, sdr, TouchOutcome.NO_ANSWER)
    return at_work(at + calls * step)


def _deal(life: Life, at: int, buyer: Buyer, sales: list[Sale], rep: Id, sdr: Id | None) -> int | None:
    """Work a deal; return when a person whose deal was lost may come again. Customers may buy more."""
    dice = life.dice
    sale = sell(life, at, buyer, rep, sdr, wins=life.source.rates.wins)
    if sale is None:
        return None
    sales.append(sale)
    life.change(sale.opened, owner_id=rep, lead_score=100)
    if sale.closed is None:
        return None
    if not sale.is_won:
        returns = dice.chance(_RETURNS_AFTER_LOSS)
        return sale.closed + int(dice.around(120 * DAY, 0.4)) if returns else None
    if dice.chance(_BUYS_MORE):
        more = sell(life, sale.closed + int(dice.around(170 * DAY, 0.4)), buyer, rep, None, wins=0.6, is_first=False)
        if more is not None:
            sales.append(more)
    return None
