"""Marketing campaigns and what they cost."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.access.rights import Permission
from schema.base import column, link
from schema.declarations import DisjointRanges
from schema.records import DeletableRecord
from schema.vocab import CampaignStatus, Channel, Currency, Unit


class Campaign(DeletableRecord, table=True):
    """A marketing campaign."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_RECORDS

    name: str = column("The name of the campaign.", search=True)
    channel: Channel | None = column("The channel that the campaign mainly uses.", vocab=Channel, default=None)
    type: str | None = column("The type of the campaign, as the source system writes it.", default=None)
    status: CampaignStatus | None = column(
        "Whether the campaign is planned, running or ended.", vocab=CampaignStatus, default=None
    )
    starts_on: date | None = column("The first day of the campaign.", default=None)
    ends_on: date | None = column("The last day of the campaign (inclusive).", default=None)
    budget: Decimal | None = column(
        "The planned total cost, in `currency`.", unit=Unit.MONEY, currency="currency", ge=0, default=None
    )
    currency: Currency | None = column("The currency of the budget (ISO 4217).", vocab=Currency, default=None)
    parent_id: UUID | None = link(
        "campaign",
        "The campaign that this one is a part of.",
        back="parts",
        back_doc="The campaigns that are parts of this one.",
        default=None,
    )
    utm_campaign: str | None = column("The value of the utm_campaign parameter in the campaign's links.", default=None)


class CampaignCost(DeletableRecord, table=True):
    """What a campaign cost in a range of days, by one source. Ranges of a campaign and source do not overlap."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_RECORDS
    __tablename__ = "campaign_cost"
    __plural__: ClassVar[str] = "campaign_costs"
    __keeps_corrections__: ClassVar[bool] = True
    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "source", "from_on"),
        sa.CheckConstraint("before_on > from_on", name="range_in_order"),
    )
    __disjoint_ranges__: ClassVar[DisjointRanges] = DisjointRanges(("campaign_id", "source"), "from_on", "before_on")

    campaign_id: UUID = link(
        "campaign",
        "The campaign.",
        back="costs",
        back_doc="The costs of the campaign, one for each range of days and source.",
        index=False,
    )
    source: str = column("The system that reports the cost, such as google_ads.")
    from_on: date = column("The first day of the range.")
    before_on: date = column("The day after the last day of the range: the range does not include it.")
    cost: Decimal = column(
        "The cost in the range, in `currency`.", unit=Unit.MONEY, currency="currency", rate_at="from_on", ge=0
    )
    currency: Currency = column("The currency of the cost (ISO 4217).", vocab=Currency)
    recorded_at: datetime | None = column(
        "When Accord stored the cost; null if that was before Accord kept it.",
        hidden=True,
        server_default="now()",
        default=None,
    )
