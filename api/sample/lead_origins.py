"""Where people come from, and their conversion rates, so that breakdowns by channel or lead source differ clearly.

Trade fairs and referrals bring few people, many of whom buy; paid social brings many people, few of whom buy.
"""

from dataclasses import dataclass

from api.sample.random_source import Weighted
from schema.vocab import Channel, TouchKind


@dataclass(frozen=True, slots=True)
class ConversionRates:
    """Shares of the people who reach one step and take the next one."""

    gives_name: float
    """Identifies itself at the first touchpoint."""
    engages: float
    """Shows interest after the first touchpoint."""
    accepted: float
    """Is accepted by sales."""
    qualifies: float
    """Has need, budget and time."""
    opens_deal: float
    """Becomes the main contact of a deal."""
    wins: float
    """Signs."""
    calls_sales: float = 0.02
    """Contacts a salesperson directly, as a share of all people of the origin."""


@dataclass(frozen=True, slots=True)
class LeadOrigin:
    """One way in which people come into contact with Meridian."""

    share: float
    """Weight among all origins, about a percentage of all people."""
    campaigns: str | None
    """Key of the origin's campaigns in `campaigns.CAMPAIGN_PLANS`; None for an origin without campaigns."""
    lead_source: str | None
    channel: Channel | None
    kind: TouchKind
    """First touchpoint of people who give their name; the others leave an `AD_CLICK` or `PAGE_VISIT`."""
    details: tuple[str, ...]
    rates: ConversionRates
    is_outbound: bool = False
    """Meridian makes the first contact: a salesperson's call, or an email to a bought list."""

    @property
    def is_event(self) -> bool:
        """Whether people come on the days of its campaigns only."""
        return self.kind is TouchKind.EVENT

    @property
    def is_paid(self) -> bool:
        """Whether people come by clicking an advertisement."""
        return self.channel in (Channel.PAID_SEARCH, Channel.PAID_SOCIAL, Channel.DISPLAY)


_GUIDES = ("/guides/forecasting", "/guides/pipeline-review", "/guides/lead-scoring", "/blog/two-teams-one-number")
_PAGES = ("/pricing", "/demo", "/product/insights", "/product/connect")
_TARGETS, _DIRECTORY = ("Target accounts",), ("Industry directory",)
_FORM, _EVENT, _VISIT, _CALL, _MAIL = (
    TouchKind.FORM,
    TouchKind.EVENT,
    TouchKind.PAGE_VISIT,
    TouchKind.CALL,
    TouchKind.EMAIL_SENT,
)
_ORIGINS = (
    LeadOrigin(
        7, "fair", "Trade fair", Channel.EVENT, _EVENT, (), ConversionRates(1.0, 0.56, 0.84, 0.74, 0.80, 0.60, 0.04)
    ),
    LeadOrigin(8, "webinar", "Webinar", Channel.EVENT, _EVENT, (), ConversionRates(1.0, 0.48, 0.76, 0.64, 0.72, 0.48)),
    LeadOrigin(
        6,
        "referral",
        "Customer referral",
        Channel.REFERRAL,
        _FORM,
        _PAGES,
        ConversionRates(0.9, 0.52, 0.84, 0.7, 0.76, 0.54, 0.1),
    ),
    LeadOrigin(
        4, "partner", "Partner", Channel.PARTNER, _FORM, (), ConversionRates(0.9, 0.46, 0.80, 0.64, 0.70, 0.46, 0.07)
    ),
    LeadOrigin(
        21,
        "content",
        "Organic search",
        Channel.ORGANIC_SEARCH,
        _FORM,
        _GUIDES,
        ConversionRates(0.72, 0.42, 0.7, 0.58, 0.66, 0.40),
    ),
    LeadOrigin(
        15,
        "search",
        "Paid search",
        Channel.PAID_SEARCH,
        _FORM,
        _PAGES,
        ConversionRates(0.68, 0.37, 0.62, 0.52, 0.6, 0.34),
    ),
    LeadOrigin(
        6, None, "Direct", Channel.DIRECT, _FORM, _PAGES, ConversionRates(0.7, 0.40, 0.72, 0.60, 0.68, 0.42, 0.05)
    ),
    LeadOrigin(
        5,
        "newsletter",
        "Newsletter",
        Channel.EMAIL,
        _FORM,
        _GUIDES,
        ConversionRates(0.75, 0.36, 0.66, 0.54, 0.62, 0.36),
    ),
    LeadOrigin(
        5, "social", "Social media", Channel.SOCIAL, _FORM, _GUIDES, ConversionRates(0.6, 0.28, 0.54, 0.46, 0.56, 0.28)
    ),
    LeadOrigin(
        13,
        "paid_social",
        "Paid social",
        Channel.PAID_SOCIAL,
        _FORM,
        _GUIDES,
        ConversionRates(0.62, 0.2, 0.40, 0.34, 0.44, 0.14, 0.0),
    ),
    LeadOrigin(
        3, "display", "Display", Channel.DISPLAY, _FORM, _PAGES, ConversionRates(0.5, 0.22, 0.46, 0.40, 0.50, 0.18, 0.0)
    ),
    LeadOrigin(
        4,
        "calling",
        "Outbound",
        Channel.PHONE,
        _CALL,
        _TARGETS,
        ConversionRates(0.45, 0.34, 0.78, 0.6, 0.62, 0.34, 0.05),
        True,
    ),
    LeadOrigin(
        3,
        "list",
        "Bought list",
        Channel.EMAIL,
        _MAIL,
        _DIRECTORY,
        ConversionRates(0.12, 0.22, 0.44, 0.38, 0.48, 0.16, 0.0),
        True,
    ),
    # Incomplete source data: an origin recorded as unknown, and no origin at all.
    LeadOrigin(2, None, "unknown", Channel.UNKNOWN, _FORM, (), ConversionRates(0.6, 0.36, 0.62, 0.52, 0.60, 0.27)),
    LeadOrigin(2, None, None, None, _VISIT, (), ConversionRates(0.5, 0.32, 0.60, 0.50, 0.58, 0.26)),
)
LEAD_ORIGINS = Weighted((origin, origin.share) for origin in _ORIGINS)
