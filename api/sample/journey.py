"""Simulates one person: first touch, interest, handoff, sales, deal, and possibly a second round.

The simulation produces facts only and knows no stages of the accord. The evaluator derives the stage entries.
"""

from api.sample.deals import Buyer, SampleDeal
from api.sample.period import DAY, HOUR, MINUTE, next_working_time
from api.sample.person_history import PersonHistory
from api.sample.random_source import UuidBytes, Weighted
from api.sample.sales_process import contact_sales_directly, hand_over_to_sales
from schema.vocab import Channel, Direction, TeamKind, TouchKind, TouchOutcome

_MOST_ROUNDS = 3
_NEWSLETTER_INTERVAL = 42 * DAY
_MOST_NEWSLETTERS = 7
_SIGNS_OF_INTEREST = Weighted(
    (
        ((TouchKind.FORM, Channel.WEBSITE), 30),
        ((TouchKind.PAGE_VISIT, Channel.WEBSITE), 26),
        ((TouchKind.EMAIL_CLICKED, Channel.EMAIL), 20),
        ((TouchKind.EVENT, Channel.EVENT), 14),
        ((TouchKind.MESSAGE, Channel.CHAT), 10),
    )
)


def simulate_journey(history: PersonHistory, buyer: Buyer) -> list[SampleDeal]:
    """Simulate a person from the first touchpoint to the end of the sample; return the person's deals."""
    deals: list[SampleDeal] = []
    rng, rates = history.rng, history.origin.rates
    arrived = _first_touch(history, buyer.campaign)
    interested: int | None = arrived
    if rng.chance(rates.calls_sales):
        interested = contact_sales_directly(history, arrived, buyer, deals)
    elif not rng.chance(rates.engages):
        _lapse(history, arrived)
        interested = None
    for round_number in range(_MOST_ROUNDS):
        if interested is None or not history.is_past(interested):
            break
        ready = _show_interest(history, interested, is_first=round_number == 0 and interested == arrived)
        interested = hand_over_to_sales(history, ready, buyer, deals)
    _change_attributes(history)
    _send_newsletters(history)
    return deals


def _first_touch(history: PersonHistory, campaign: UuidBytes | None) -> int:
    """Add the first touchpoint, which the origin determines; return the instant from which interest may follow."""
    rng, origin, at = history.rng, history.origin, history.created_at
    marketing = TeamKind.MARKETING
    gives_name = rng.chance(origin.rates.gives_name)
    if origin.is_outbound:
        if origin.kind is TouchKind.CALL:
            at = next_working_time(at + int(rng.between(0, 3) * DAY))
            outcome = TouchOutcome.CONNECTED if gives_name else TouchOutcome.NO_ANSWER
            history.add_call(at, rng.pick(history.scenario.firm.sdrs), outcome)
            return at
        history.add_touchpoint(
            at, origin.kind, Direction.OUTBOUND, marketing, origin.channel, campaign=campaign,
            outcome=TouchOutcome.BOUNCED if rng.chance(0.12) else None, is_automated=True,
        )  # fmt: skip
        if gives_name:
            at += rng.integer(HOUR, 2 * DAY)
            history.add_touchpoint(
                at, TouchKind.EMAIL_REPLY, Direction.INBOUND, marketing, origin.channel, campaign=campaign
            )
        return at
    kind = origin.kind
    if not gives_name:
        kind = TouchKind.AD_CLICK if origin.is_paid else TouchKind.PAGE_VISIT
    duration = rng.integer(20, 90) * MINUTE if origin.is_event else None
    history.add_touchpoint(at, kind, Direction.INBOUND, marketing, origin.channel, campaign=campaign, duration=duration)
    return at


def _lapse(history: PersonHistory, at: int) -> None:
    """Simulate a person without interest, who may fill in one form months later, or opt out."""
    if history.rng.chance(0.14):
        returned = at + int(history.rng.log_normal(130 * DAY, 0.4))
        history.add_touchpoint(returned, TouchKind.FORM, Direction.INBOUND, TeamKind.MARKETING, Channel.WEBSITE)
    if history.rng.chance(0.09):
        history.opt_out(at + int(history.rng.log_normal(90 * DAY, 0.8)))


def _show_interest(history: PersonHistory, at: int, *, is_first: bool) -> int:
    """Add the touchpoints of an interested person; return the instant of the last one."""
    rng = history.rng
    signs = (1 if is_first and history.inbound else 2) + rng.chance(0.45) + rng.chance(0.2)
    at += min(25 * DAY, int(rng.log_normal(5 * DAY, 0.9))) if is_first else 0
    for number in range(signs):
        at += int(rng.between(0.1, 8) * DAY) if number else 0
        kind, channel = rng.pick_weighted(_SIGNS_OF_INTEREST)
        campaign = None
        if kind is TouchKind.EMAIL_CLICKED:
            campaign = history.scenario.campaigns.latest("newsletter", at).id
            opened = (at - rng.integer(20, 400), TouchKind.EMAIL_OPENED)
            history.add_touchpoint(*opened, Direction.INBOUND, TeamKind.MARKETING, channel, campaign=campaign)
        elif kind is TouchKind.EVENT:
            campaign = history.scenario.campaigns.latest("webinar", at).id
        history.add_touchpoint(at, kind, Direction.INBOUND, TeamKind.MARKETING, channel, campaign=campaign)
    history.add_change(at, lead_score=min(100, 40 + 9 * len(history.inbound) + rng.integer(0, 15)))
    return at


def _change_attributes(history: PersonHistory) -> None:
    """Change the person over the months: a promotion, or a ban on calls."""
    rng = history.rng
    if rng.chance(0.08):
        history.add_change(history.created_at + int(rng.log_normal(240 * DAY, 0.6)), job_title=history.next_title)
    if rng.chance(0.01):
        history.add_change(history.created_at + int(rng.log_normal(300 * DAY, 0.6)), do_not_call=True)


def _send_newsletters(history: PersonHistory) -> None:
    """Send a newsletter every six weeks until the person opts out.

    A newsletter is opened only if no other inbound touchpoint lies within 31 days. Otherwise opened newsletters alone
    would qualify people under a rule that counts touchpoints within 30 days.
    """
    rng = history.rng
    at = history.created_at + rng.integer(2, 6) * DAY
    for number in range(_MOST_NEWSLETTERS):
        if not history.is_past(at) or (history.opted_out is not None and at >= history.opted_out):
            return
        campaign = history.scenario.campaigns.latest("newsletter", at).id
        team_and_channel = (TeamKind.MARKETING, Channel.EMAIL)
        history.add_touchpoint(
            at, TouchKind.EMAIL_SENT, Direction.OUTBOUND, *team_and_channel, campaign=campaign, is_automated=True
        )
        opened = at + rng.integer(10 * MINUTE, DAY)
        if number and rng.chance(0.3) and all(abs(opened - inbound) > 31 * DAY for inbound in history.inbound):
            history.add_touchpoint(
                opened, TouchKind.EMAIL_OPENED, Direction.INBOUND, *team_and_channel, campaign=campaign
            )
        at += _NEWSLETTER_INTERVAL + rng.integer(0, 8 * HOUR)
