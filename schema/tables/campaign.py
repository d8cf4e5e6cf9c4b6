"""A marketing campaign and what it cost, month by month."""

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Record, column, link
from schema.vocab import CampaignStatus, Channel, Currency, Unit


class Campaign(Record, table=True):
    """A marketing campaign."""

    name: str = column("What the campaign is called.", search=True)
    channel: Channel | None = column("The channel it mainly uses.", vocab=Channel, default=None)
    type: str | None = column("The kind of campaign, in the source's words.", default=None)
    status: CampaignStatus | None = column("Where it stands in its life.", vocab=CampaignStatus, default=None)
    starts_on: date | None = column("First day.", default=None)
    ends_on: date | None = column("Last day.", default=None)
    budget: Decimal | None = column(
        "What it may cost in all.", unit=Unit.MONEY, currency="currency", ge=0, default=None
    )
    currency: Currency | None = column("The currency of the budget (ISO 4217).", vocab=Currency, default=None)
    parent_id: UUID | None = link(
        "campaign", "The campaign it is a part of.", back="parts", back_doc="The campaigns it is made of.", default=None
    )
    utm_campaign: str | None = column("The utm_campaign parameter of its links.", default=None)


class CampaignCost(Record, table=True):
    """What a campaign cost in one month."""

    __tablename__ = "campaign_cost"
    __plural__: ClassVar[str] = "campaign_costs"
    __table_args__ = (sa.UniqueConstraint("campaign_id", "month_on"),)

    campaign_id: UUID = link(
        "campaign", "The campaign.", back="costs", back_doc="Its cost, month by month.", index=False
    )
    month_on: date = column("The first day of the month.")
    cost: Decimal = column("What the campaign cost in the month.", unit=Unit.MONEY, currency="currency", ge=0)
    currency: Currency = column("The currency of the cost (ISO 4217).", vocab=Currency)
