"""Where people come from, and how likely they go on: why a breakdown by channel or lead source tells a story.

Trade fairs and referrals bring few people who buy; paid social brings many who do not.
"""

from dataclasses import dataclass

from api.sample.random_source import Weighted
from schema.vocab import Channel, TouchKind


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares: how many of those who got so far take the next step."""

    introduces: float
    """Leaves a name at the first touch."""
    engages: float
    """Wants to know more."""
    accepted: float
    """Is accepted by sales."""
    qualifies: float
    """Has need, budget and time."""
    buys: float
    """Begins to buy."""
    wins: float
    """Signs."""
    walks_in: float = 0.02
    """Of all: comes straight to a salesperson."""


@dataclass(frozen=True, slots=True)
class Source:
    """One origin of people."""

    share: float
    """In percent, about, of all people."""
    campaigns: str | None
    """The key of its campaigns in `marketing.PLANS`; some sources have none."""
    lead_source: str | None
    channel: Channel | None
    kind: TouchKind
    """Of the first touch of those who leave a name; the others leave an `AD_CLICK` or `PAGE_VISIT`."""
    details: tuple[str, ...]
    rates: Rates
    is_outbound: bool = False
    """We took the first step: a salesperson's call, or a mail to a bought list."""

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
_ALL = (
    Source(7, "fair", "Trade fair", Channel.EVENT, _EVENT, (), Rates(1.0, 0.56, 0.84, 0.74, 0.80, 0.60, 0.04)),
    Source(8, "webinar", "Webinar", Channel.EVENT, _EVENT, (), Rates(1.0, 0.48, 0.76, 0.64, 0.72, 0.48)),
    Source(
        6,
        "referral",
        "Customer referral",
        Channel.REFERRAL,
        _FORM,
        _PAGES,
        Rates(0.9, 0.52, 0.84, 0.7, 0.76, 0.54, 0.1),
    ),
    Source(4, "partner", "Partner", Channel.PARTNER, _FORM, (), Rates(0.9, 0.46, 0.80, 0.64, 0.70, 0.46, 0.07)),
    Source(
        21,
        "content",
        "Organic search",
        Channel.ORGANIC_SEARCH,
        _FORM,
        _GUIDES,
        Rates(0.72, 0.42, 0.7, 0.58, 0.66, 0.40),
    ),
    Source(15, "search", "Paid search", Channel.PAID_SEARCH, _FORM, _PAGES, Rates(0.68, 0.37, 0.62, 0.52, 0.6, 0.34)),
    Source(6, None, "Direct", Channel.DIRECT, _FORM, _PAGES, Rates(0.7, 0.40, 0.72, 0.60, 0.68, 0.42, 0.05)),
    Source(5, "newsletter", "Newsletter", Channel.EMAIL, _FORM, _GUIDES, Rates(0.75, 0.36, 0.66, 0.54, 0.62, 0.36)),
    Source(5, "social", "Social media", Channel.SOCIAL, _FORM, _GUIDES, Rates(0.6, 0.28, 0.54, 0.46, 0.56, 0.28)),
    Source(
        13,
        "paid_social",
        "Paid social",
        Channel.PAID_SOCIAL,
        _FORM,
        _GUIDES,
        Rates(0.62, 0.2, 0.40, 0.34, 0.44, 0.14, 0.0),
    ),
    Source(3, "display", "Display", Channel.DISPLAY, _FORM, _PAGES, Rates(0.5, 0.22, 0.46, 0.40, 0.50, 0.18, 0.0)),
    Source(
        4, "calling", "Outbound", Channel.PHONE, _CALL, _TARGETS, Rates(0.45, 0.34, 0.78, 0.6, 0.62, 0.34, 0.05), True
    ),
    Source(
        3, "list", "Bought list", Channel.EMAIL, _MAIL, _DIRECTORY, Rates(0.12, 0.22, 0.44, 0.38, 0.48, 0.16, 0.0), True
    ),
    # What the records do not tell: a source that says itself that it does not know, and no source at all.
    Source(2, None, "unknown", Channel.UNKNOWN, _FORM, (), Rates(0.6, 0.36, 0.62, 0.52, 0.60, 0.27)),
    Source(2, None, None, None, _VISIT, (), Rates(0.5, 0.32, 0.60, 0.50, 0.58, 0.26)),
)
SOURCES = Weighted((each, each.share) for each in _ALL)
