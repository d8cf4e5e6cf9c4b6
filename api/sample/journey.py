"""What happens to one person: arrival, interest, handoff, work, deal; and sometimes round again.

A story knows nothing of the accord's stages. Which of them somebody has entered, and when, is for the evaluator to say.
"""

from api.sample.deals import Buyer, Sale
from api.sample.period import DAY, HOUR, MINUTE, at_work
from api.sample.person_history import Life
from api.sample.random_source import Id, Weighted
from api.sample.sales_process import pursue, walk_in
from schema.vocab import Channel, Direction, TeamKind, TouchKind, TouchOutcome

_ROUNDS = 3
_MAIL_EVERY = 42 * DAY
_MAILS = 7
_SIGNS = Weighted(
    (
        ((TouchKind.FORM, Channel.WEBSITE), 30),
        ((TouchKind.PAGE_VISIT, Channel.WEBSITE), 26),
        ((TouchKind.EMAIL_CLICKED, Channel.EMAIL), 20),
        ((TouchKind.EVENT, Channel.EVENT), 14),
        ((TouchKind.MESSAGE, Channel.CHAT), 10),
    )
)


def tell(life: Life, buyer: Buyer) -> list[Sale]:
    """Live a life from its first touch to today; return the deals in it."""
    sales: list[Sale] = []
    dice = life.dice
    arrived = _arrive(life, buyer.campaign)
    free: int | None = arrived
    if dice.chance(life.source.rates.walks_in):
        free = walk_in(life, arrived, buyer, sales)
    elif not dice.chance(life.source.rates.engages):
        _lapse(life, arrived)
        free = None
    for again in range(_ROUNDS):
        if free is None or not life.has_come(free):
            break
        ready = _interest(life, free, is_first=again == 0 and free == arrived)
        free = pursue(life, ready, buyer, sales)
    _grow(life)
    _nurture(life)
    return sales


def _arrive(life: Life, campaign: Id | None) -> int:
    """Make the first touch: the person comes, or we call or write. Return when interest may follow."""
    dice, source, at = life.dice, life.source, life.born
    marketing = TeamKind.MARKETING
    introduced = dice.chance(source.rates.introduces)
    if source.is_outbound:
        if source.kind is TouchKind.CALL:
            at = at_work(at + int(dice.between(0, 3) * DAY))
            outcome = TouchOutcome.CONNECTED if introduced else TouchOutcome.NO_ANSWER
            life.call(at, dice.pick(life.world.firm.sdrs), outcome)
            return at
        life.touch(
            at, source.kind, Direction.OUTBOUND, marketing, source.channel, campaign=campaign,
            outcome=TouchOutcome.BOUNCED if dice.chance(0.12) else None, is_automated=True,
        )  # fmt: skip
        if introduced:
            at += dice.whole(HOUR, 2 * DAY)
            life.touch(at, TouchKind.EMAIL_REPLY, Direction.INBOUND, marketing, source.channel, campaign=campaign)
        return at
    kind = source.kind
    if not introduced:
        kind = TouchKind.AD_CLICK if source.is_paid else TouchKind.PAGE_VISIT
    duration = dice.whole(20, 90) * MINUTE if source.is_event else None
    life.touch(at, kind, Direction.INBOUND, marketing, source.channel, campaign=campaign, duration=duration)
    return at


def _lapse(life: Life, at: int) -> None:
    """Let the person come once more after a long while, or opt out, or do nothing at all."""
    if life.dice.chance(0.14):
        back = at + int(life.dice.around(130 * DAY, 0.4))
        life.touch(back, TouchKind.FORM, Direction.INBOUND, TeamKind.MARKETING, Channel.WEBSITE)
    if life.dice.chance(0.09):
        life.opt_out(at + int(life.dice.around(90 * DAY, 0.8)))


def _interest(life: Life, at: int, *, is_first: bool) -> int:
    """Make the signs of a person who wants to know more; return when the last of them was."""
    dice = life.dice
    signs = (1 if is_first and life.inbound else 2) + dice.chance(0.45) + dice.chance(0.2)
    at += min(25 * DAY, int(dice.around(5 * DAY, 0.9))) if is_first else 0
    for place in range(signs):
        at += int(dice.between(0.1, 8) * DAY) if place else 0
        kind, channel = dice.draw(_SIGNS)
        campaign = None
        if kind is TouchKind.EMAIL_CLICKED:
            campaign = life.world.marketing.latest("newsletter", at).id
            opened = (at - dice.whole(20, 400), TouchKind.EMAIL_OPENED)
            life.touch(*opened, Direction.INBOUND, TeamKind.MARKETING, channel, campaign=campaign)
        elif kind is TouchKind.EVENT:
            campaign = life.world.marketing.latest("webinar", at).id
        life.touch(at, kind, Direction.INBOUND, TeamKind.MARKETING, channel, campaign=campaign)
    life.change(at, lead_score=min(100, 40 + 9 * len(life.inbound) + dice.whole(0, 15)))
    return at


def _grow(life: Life) -> None:
    """Let the person change over the months: a promotion, or no more calls."""
    dice = life.dice
    if dice.chance(0.08):
        life.change(life.born + int(dice.around(240 * DAY, 0.6)), job_title=life.next_title)
    if dice.chance(0.01):
        life.change(life.born + int(dice.around(300 * DAY, 0.6)), do_not_call=True)


def _nurture(life: Life) -> None:
    """Send the newsletter every six weeks until the person opts out; some open it while nothing else happens."""
    dice = life.dice
    campaigns = life.world.marketing
    at = life.born + dice.whole(2, 6) * DAY
    for number in range(_MAILS):
        if not life.has_come(at) or (life.opted_out is not None and at >= life.opted_out):
            return
        issue = campaigns.latest("newsletter", at).id
        mail = (TeamKind.MARKETING, Channel.EMAIL)
        life.touch(at, TouchKind.EMAIL_SENT, Direction.OUTBOUND, *mail, campaign=issue, is_automated=True)
        opened = at + dice.whole(10 * MINUTE, DAY)
        if number and dice.chance(0.3) and all(abs(opened - each) > 31 * DAY for each in life.inbound):
            life.touch(opened, TouchKind.EMAIL_OPENED, Direction.INBOUND, *mail, campaign=issue)
        at += _MAIL_EVERY + dice.whole(0, 8 * HOUR)
