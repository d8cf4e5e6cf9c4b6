"""Meridian's campaigns: which run when, and what they cost by month."""

from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from api.sample.firm import CURRENCY
from api.sample.lead_origins import SOURCES
from api.sample.period import SEASON, Span, midnight
from api.sample.random_source import Dice, Id, moment
from api.sample.row_buffers import Batch
from schema.vocab import CampaignStatus, Channel


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of campaign that returns every so often."""

    title: str
    channel: Channel
    type: str
    months: tuple[int, ...]
    """In which months of the year one starts; none: one that always runs."""
    lasts: int
    """For how many days."""
    cost_per_lead: int
    """In the currency of the firm."""

    @property
    def has_gaps(self) -> bool:
        """Whether there are times at which none of its campaigns runs."""
        return 0 < len(self.months) * self.lasts < 365


_QUARTERS, _FAIRS = (1, 4, 7, 10), (3, 6, 9, 11)
PLANS: Mapping[str, Plan] = {
    "fair": Plan("Forecast Expo", Channel.EVENT, "Trade fair", _FAIRS, 2, 310),
    "webinar": Plan("Webinar", Channel.EVENT, "Webinar", (1, 2, 3, 4, 5, 6, 7, 9, 10, 11), 1, 55),
    "referral": Plan("Customers recommend Meridian", Channel.REFERRAL, "Referral programme", (), 0, 35),
    "partner": Plan("Partner programme", Channel.PARTNER, "Partner programme", (), 0, 90),
    "content": Plan("Guides and articles", Channel.ORGANIC_SEARCH, "Content", (), 0, 28),
    "search": Plan("Search ads", Channel.PAID_SEARCH, "Search advertising", _QUARTERS, 92, 95),
    "newsletter": Plan("Newsletter", Channel.EMAIL, "Newsletter", (), 0, 12),
    "social": Plan("Social posts", Channel.SOCIAL, "Social media", (), 0, 22),
    "paid_social": Plan("Social ads", Channel.PAID_SOCIAL, "Social advertising", _QUARTERS, 92, 70),
    "display": Plan("Banners", Channel.DISPLAY, "Display advertising", (3, 9), 61, 85),
    "calling": Plan("Target accounts", Channel.PHONE, "Outbound calling", (1, 7), 184, 140),
    "list": Plan("Industry directory", Channel.EMAIL, "Bought list", (2, 5, 9), 45, 40),
}


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign and when it runs, in seconds since 1970."""

    id: Id
    name: str
    starts: int
    ends: int


class Marketing:
    """Every campaign of the span, by the key of its plan, in the order of starting."""

    def __init__(self, campaigns: Mapping[str, tuple[Campaign, ...]]) -> None:
        self._campaigns = campaigns
        self._starts = {key: [each.starts for each in found] for key, found in campaigns.items()}

    def of(self, key: str) -> tuple[Campaign, ...]:
        """All campaigns of a plan."""
        return self._campaigns[key]

    def latest(self, key: str, at: int) -> Campaign:
        """The campaign of a plan that began last before an instant; of those that all begin later, the first."""
        return self._campaigns[key][max(0, bisect(self._starts[key], at) - 1)]


def launch(dice: Dice, span: Span, contacts: int, batch: Batch) -> Marketing:
    """Plan every campaign of the span for so many people: add its rows, and return what stories refer to."""
    made: dict[str, tuple[Campaign, ...]] = {}
    leads = _leads(contacts)
    for key, plan in PLANS.items():
        runs = list(_runs(plan, span))
        weight = sum(SEASON[month.month - 1] for starts, ends in runs for month in _months(starts, ends))
        per_month = plan.cost_per_lead * leads[key] / weight
        made[key] = tuple(_launch(dice, span, plan, run, per_month, batch) for run in runs)
    return Marketing(made)


def _leads(contacts: int) -> dict[str, float]:
    """How many people each plan should bring in all."""
    shares = dict.fromkeys(PLANS, 0.0)
    before = 0.0
    for source, edge in zip(SOURCES.items, SOURCES.edges, strict=True):
        if source.campaigns is not None:
            shares[source.campaigns] += edge - before
        before = edge
    return {key: contacts * share / SOURCES.edges[-1] for key, share in shares.items()}


def _runs(plan: Plan, span: Span) -> Iterator[tuple[date, date]]:
    """First and last day of each campaign of a plan; fairs and webinars begin on a Wednesday in mid-month."""
    first, last = moment(span.start).date(), span.until - timedelta(days=1)
    if not plan.months:
        yield first, last
        return
    for month in _months(first - timedelta(days=plan.lasts), last):
        if month.month in plan.months:
            middle = month + timedelta(days=13)
            starts = middle - timedelta(days=(middle.weekday() - 2) % 7) if plan.lasts < 7 else month
            ends = starts + timedelta(days=plan.lasts - 1)
            if ends >= first and starts <= last:
                yield max(starts, first), ends


def _launch(dice: Dice, span: Span, plan: Plan, run: tuple[date, date], per_month: float, batch: Batch) -> Campaign:
    """Add one campaign with its cost of each month until the span ends."""
    starts, ends = run
    since = midnight(starts)
    campaign = dice.identity(since)
    name = f"{plan.title} {starts:%B %Y}" if plan.months else plan.title
    costs = [
        (month, Decimal(int(per_month * SEASON[month.month - 1] * dice.between(85, 115))) / 100)
        for month in _months(starts, ends)
    ]
    stamps = {"created_at": since, "updated_at": since}
    batch["campaign"].add(
        id=campaign,
        name=name,
        channel=plan.channel,
        type=plan.type,
        status=CampaignStatus.ENDED if plan.months and ends < span.until else CampaignStatus.RUNNING,
        starts_on=starts,
        ends_on=ends if plan.months else None,
        budget=Decimal(int(sum(cost for _, cost in costs)) // 1000 * 1000 + 1000),
        currency=CURRENCY,
        utm_campaign=name.lower().replace(" ", "-"),
        **stamps,
    )
    for month, cost in costs:
        if month < span.until:
            batch["campaign_cost"].add(
                id=dice.identity(since), campaign_id=campaign, month_on=month, cost=cost, currency=CURRENCY, **stamps
            )
    return Campaign(campaign, name, since, min(span.end, midnight(ends + timedelta(days=1))))


def _months(starts: date, ends: date) -> Iterator[date]:
    """The first day of every month that the days touch."""
    month = starts.replace(day=1)
    while month <= ends:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
