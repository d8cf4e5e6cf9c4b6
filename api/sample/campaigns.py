"""Meridian's campaigns: when they run, and their cost by month."""

from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from api.sample.firm import CURRENCY
from api.sample.lead_origins import LEAD_ORIGINS
from api.sample.period import MONTH_WEIGHTS, SamplePeriod, midnight, months, next_month
from api.sample.random_source import SeededRandom, UuidBytes
from api.sample.row_buffers import TableBuffers
from schema.vocab import CampaignStatus, Channel


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """A series of campaigns of one kind."""

    title: str
    channel: Channel
    type: str
    months: tuple[int, ...]
    """Months of the year in which a campaign starts; empty for one campaign that always runs."""
    days: int
    """Length of a campaign; 0 for one that always runs."""
    cost_per_lead: int
    """In the currency of the firm."""

    @property
    def has_gaps(self) -> bool:
        """Whether there are times without a running campaign."""
        return 0 < len(self.months) * self.days < 365


COST_SOURCE = "finance"
_QUARTERS, _FAIRS = (1, 4, 7, 10), (3, 6, 9, 11)
CAMPAIGN_PLANS: Mapping[str, CampaignPlan] = {
    "fair": CampaignPlan("Forecast Expo", Channel.EVENT, "Trade fair", _FAIRS, 2, 310),
    "webinar": CampaignPlan("Webinar", Channel.EVENT, "Webinar", (1, 2, 3, 4, 5, 6, 7, 9, 10, 11), 1, 55),
    "referral": CampaignPlan("Customers recommend Meridian", Channel.REFERRAL, "Referral programme", (), 0, 35),
    "partner": CampaignPlan("Partner programme", Channel.PARTNER, "Partner programme", (), 0, 90),
    "content": CampaignPlan("Guides and articles", Channel.ORGANIC_SEARCH, "Content", (), 0, 28),
    "search": CampaignPlan("Search ads", Channel.PAID_SEARCH, "Search advertising", _QUARTERS, 92, 95),
    "newsletter": CampaignPlan("Newsletter", Channel.EMAIL, "Newsletter", (), 0, 12),
    "social": CampaignPlan("Social posts", Channel.SOCIAL, "Social media", (), 0, 22),
    "paid_social": CampaignPlan("Social ads", Channel.PAID_SOCIAL, "Social advertising", _QUARTERS, 92, 70),
    "display": CampaignPlan("Banners", Channel.DISPLAY, "Display advertising", (3, 9), 61, 85),
    "calling": CampaignPlan("Target accounts", Channel.PHONE, "Outbound calling", (1, 7), 184, 140),
    "list": CampaignPlan("Industry directory", Channel.EMAIL, "Bought list", (2, 5, 9), 45, 40),
}


@dataclass(frozen=True, slots=True)
class SampleCampaign:
    """One campaign and when it runs, in seconds since 1970."""

    id: UuidBytes
    starts: int
    ends: int


class CampaignCalendar:
    """All campaigns of the sample period, by the key of their plan, in the order of their start."""

    def __init__(self, campaigns: Mapping[str, tuple[SampleCampaign, ...]]) -> None:
        self._campaigns = campaigns
        self._starts = {key: [campaign.starts for campaign in planned] for key, planned in campaigns.items()}

    def of_plan(self, key: str) -> tuple[SampleCampaign, ...]:
        """Return all campaigns of a plan."""
        return self._campaigns[key]

    def latest(self, key: str, at: int) -> SampleCampaign:
        """Return the campaign of a plan that started last before an instant, or the first one if none has started."""
        return self._campaigns[key][max(0, bisect(self._starts[key], at) - 1)]


def create_campaigns(rng: SeededRandom, period: SamplePeriod, contacts: int, buffers: TableBuffers) -> CampaignCalendar:
    """Add the campaigns of the period, with costs that fit this number of people, and return their calendar."""
    calendar: dict[str, tuple[SampleCampaign, ...]] = {}
    leads = _leads_by_plan(contacts)
    for key, plan in CAMPAIGN_PLANS.items():
        runs = list(_runs(plan, period))
        weight = sum(MONTH_WEIGHTS[month.month - 1] for starts, ends in runs for month in months(starts, ends))
        monthly_cost = plan.cost_per_lead * leads[key] / weight
        calendar[key] = tuple(_create_campaign(rng, period, plan, run, monthly_cost, buffers) for run in runs)
    return CampaignCalendar(calendar)


def _leads_by_plan(contacts: int) -> dict[str, float]:
    """Return how many people the campaigns of each plan bring in, on average."""
    shares = dict.fromkeys(CAMPAIGN_PLANS, 0.0)
    for origin in LEAD_ORIGINS.items:
        if origin.campaigns is not None:
            shares[origin.campaigns] += origin.share
    return {key: contacts * share / LEAD_ORIGINS.cumulative[-1] for key, share in shares.items()}


def _runs(plan: CampaignPlan, period: SamplePeriod) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each campaign of a plan; fairs and webinars start on a Wednesday in mid-month."""
    first, last = period.first_day, period.last_day
    if not plan.months:
        yield first, last
        return
    for month in months(first - timedelta(days=plan.days), last):
        if month.month in plan.months:
            middle = month + timedelta(days=13)
            starts = middle - timedelta(days=(middle.weekday() - 2) % 7) if plan.days < 7 else month
            ends = starts + timedelta(days=plan.days - 1)
            if ends >= first and starts <= last:
                yield max(starts, first), ends


def _create_campaign(
    rng: SeededRandom,
    period: SamplePeriod,
    plan: CampaignPlan,
    run: tuple[date, date],
    monthly_cost: float,
    buffers: TableBuffers,
) -> SampleCampaign:
    """Add one campaign, and its cost of each month up to the end of the period."""
    starts, ends = run
    since = midnight(starts)
    campaign = rng.uuid7(since)
    name = f"{plan.title} {starts:%B %Y}" if plan.months else plan.title
    costs = [
        (month, Decimal(int(monthly_cost * MONTH_WEIGHTS[month.month - 1] * rng.between(85, 115))) / 100)
        for month in months(starts, ends)
    ]
    stamps = {"created_at": since, "updated_at": since}
    buffers["campaign"].add(
        id=campaign,
        name=name,
        channel=plan.channel,
        type=plan.type,
        status=CampaignStatus.ENDED if plan.months and ends < period.until else CampaignStatus.RUNNING,
        starts_on=starts,
        ends_on=ends if plan.months else None,
        budget=Decimal(int(sum(cost for _, cost in costs)) // 1000 * 1000 + 1000),
        currency=CURRENCY,
        utm_campaign=name.lower().replace(" ", "-"),
        **stamps,
    )
    for month, cost in costs:
        if month < period.until:
            buffers["campaign_cost"].add(
                id=rng.uuid7(since),
                campaign_id=campaign,
                source=COST_SOURCE,
                from_on=month,
                before_on=next_month(month),
                cost=cost,
                currency=CURRENCY,
                **stamps,
            )
    return SampleCampaign(campaign, since, min(period.end, midnight(ends + timedelta(days=1))))
