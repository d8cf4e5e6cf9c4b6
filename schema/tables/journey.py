"""Journeys: what the evaluator derives beside stage entries, so that KPIs look nothing up for each person."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link
from schema.deal_events import DealEvent
from schema.vocab import Channel, Currency, DealOutcome, DealType, HandoffStatus, NotCountedReason


class Dimensioned(Table):
    """What every dimension says of a person at an instant.

    Like those of stage entries, the links have no foreign keys. Every key begins with the contact, so that the tables
    can be distributed by it.
    """

    __is_derived__: ClassVar[bool] = True

    contact_id: UUID = link("contact", "The person.", primary_key=True, index=False, is_derived=True)
    evaluation_id: UUID = link(
        "evaluation", "The evaluation that computed the row.", primary_key=True, index=False, is_derived=True
    )
    not_counted: NotCountedReason | None = column(
        "Why no KPI counts the person today; null if they count.", vocab=NotCountedReason, default=None
    )
    merged_count: int = column("The number of contacts that are merged into the person.", ge=0)
    channel: Channel | None = column(
        "The channel of the person's first inbound touch, if that was not later.", vocab=Channel, default=None
    )
    campaign_id: UUID | None = link("campaign", "Its campaign.", index=False, is_derived=True, default=None)
    lead_source: str | None = column("The lead source at that instant.", default=None)
    country: str | None = column("The country at that instant.", default=None)
    company_id: UUID | None = link(
        "company", "The company at that instant.", index=False, is_derived=True, default=None
    )
    industry: str | None = column("The industry of that company at that instant.", default=None)
    company_size: str | None = column("The band of that company's size at that instant.", default=None)
    owner_id: UUID | None = link(
        "member",
        "The owner at that instant; if there was none, the first one after it.",
        index=False,
        is_derived=True,
        default=None,
    )
    owned_at: datetime | None = column(
        "When that first later owner became the owner; null for an owner at that instant.", default=None
    )
    current_owner_id: UUID | None = link("member", "The owner today.", index=False, is_derived=True, default=None)
    has_no_version: bool = column("Whether the person's history begins later, so that it says nothing of that instant.")
    is_version_assumed: bool = column(
        "Whether the person's history at that instant is assumed, see `is_assumed` of history."
    )
    is_company_assumed: bool = column("Whether the company's history at that instant is assumed.")


class Journey(Dimensioned, table=True):
    """A person's first entry into a stage, with what every dimension said at that instant.

    A stage that was first entered by implication has a second row if the person's own facts fulfilled its rule later.
    Only the evaluator writes, in the transaction that writes the entries. Where the rules of several readings could
    differ, only the current evaluation has journeys.
    """

    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index(None, "evaluation_id", "stage", "counted_at"),
        # The few people whom no KPI counts, and those with merged contacts: answers have their numbers.
        sa.Index(
            "ix_journey_excluded",
            *("evaluation_id", "stage", "counted_at"),
            postgresql_where=sa.text("not_counted is not null or merged_count > 0"),
        ),
        sa.CheckConstraint("is_entry or is_own", name="row_counts"),
    )

    stage: str = column("The key of the stage.", primary_key=True)
    counted_at: datetime = column("The instant at which the entry counts.", primary_key=True)
    rank: int = column("The position of the stage in the version of the accord in force at that instant.", ge=1)
    is_entry: bool = column("Whether it is the first entry, by the person's own facts or by implication.")
    is_own: bool = column("Whether it is the first instant at which the person's own facts fulfilled the rule.")
    own_at: datetime | None = column(
        "When the person's own facts fulfilled the rule during the first entry; null if they did not.", default=None
    )
    accord_version_id: UUID = link(
        "accord_version", "The version of the accord that judged the entry.", index=False, is_derived=True
    )
    responded_at: datetime | None = column(
        "When somebody of either team first touched the person since that instant; null in stages without such a KPI.",
        default=None,
    )
    responder_id: UUID | None = link("member", "Who did.", index=False, is_derived=True, default=None)
    top_rank: int | None = column(
        "The highest rank that the person has entered; null but in rows of the first stage.", ge=1, default=None
    )
    standing_rank: int | None = column(
        "The highest rank of their open entries; null as above, and if none is open.", ge=1, default=None
    )
    skipped: int | None = column(
        "The stages first entered by implication, as bits from the lowest rank up; null as above.",
        is_big=True,
        default=None,
    )
    settled_at: datetime | None = column(
        "The last instant at which an entry of the person began or ended; null as above.", default=None
    )


class HandoffJourney(Dimensioned, table=True):
    """A handoff that sales decided, with what every dimension said at the decision. Only the evaluator writes."""

    __tablename__ = "handoff_journey"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index(None, "evaluation_id", "counted_at"),
        sa.Index(
            "ix_handoff_journey_excluded",
            *("evaluation_id", "counted_at"),
            postgresql_where=sa.text("not_counted is not null or merged_count > 0"),
        ),
    )

    handoff_id: UUID = link("handoff", "The handoff.", primary_key=True, index=False, is_derived=True)
    counted_at: datetime = column("When sales decided.")
    status: HandoffStatus = column("What sales decided.", vocab=HandoffStatus)
    reject_reason: str | None = column("The code of the reject reason; null without one.", default=None)
    responder_id: UUID | None = link("member", "Who decided.", index=False, is_derived=True, default=None)


class DealDimensioned(Table):
    """What every dimension says of a deal at an instant, or all the time between two instants.

    Like those of stage entries, the links have no foreign keys.
    """

    __is_derived__: ClassVar[bool] = True

    deal_id: UUID = link("deal", "The deal.", primary_key=True, index=False, is_derived=True)
    evaluation_id: UUID = link(
        "evaluation", "The evaluation that computed the row.", primary_key=True, index=False, is_derived=True
    )
    not_counted: NotCountedReason | None = column(
        "Why no KPI counts the deal today; null if it counts.", vocab=NotCountedReason, default=None
    )
    amount: Decimal | None = column("The amount then; null if unknown.", currency="currency", default=None)
    currency: Currency | None = column("The currency of the amount.", vocab=Currency, default=None)
    changed_at: datetime = column("When the deal was last changed.")
    campaign_id: UUID | None = link("campaign", "The primary campaign.", index=False, is_derived=True, default=None)
    pipeline_stage_id: UUID | None = link(
        "pipeline_stage", "The pipeline stage.", index=False, is_derived=True, default=None
    )
    product_id: UUID | None = link("product", "The product.", index=False, is_derived=True, default=None)
    company_id: UUID | None = link("company", "The company.", index=False, is_derived=True, default=None)
    industry: str | None = column("The industry of that company.", default=None)
    country: str | None = column("The country of that company.", default=None)
    company_size: str | None = column("The band of that company's size.", default=None)
    deal_type: DealType | None = column("The type of the deal then.", vocab=DealType, default=None)
    owner_id: UUID | None = link(
        "member",
        "The owner then; if there was none, the first one after it.",
        index=False,
        is_derived=True,
        default=None,
    )
    owned_at: datetime | None = column(
        "When that first later owner became the owner; null for an owner then.", default=None
    )
    current_owner_id: UUID | None = link("member", "The owner today.", index=False, is_derived=True, default=None)


class DealJourney(DealDimensioned, table=True):
    """The opening or the present closing of a deal, with its amount and what every dimension said then.

    Like those of stage entries, the links have no foreign keys. Only the evaluator writes.
    """

    __tablename__ = "deal_journey"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index(None, "evaluation_id", "event", "counted_at"),
        sa.Index(
            "ix_deal_journey_excluded",
            *("evaluation_id", "event", "counted_at"),
            postgresql_where=sa.text("not_counted is not null or is_negative"),
        ),
        # Which deal won is the first one of its customer.
        sa.Index(
            "ix_deal_journey_customer",
            *("evaluation_id", "customer", "counted_at"),
            postgresql_where=sa.text("customer is not null"),
        ),
    )

    event: DealEvent = column("What happened to the deal.", vocab=DealEvent, primary_key=True)
    counted_at: datetime = column("When it happened.")
    outcome: DealOutcome | None = column("How it was closed; null for an opening.", vocab=DealOutcome, default=None)
    is_amount_assumed: bool = column("Whether the amount is from an assumed history.")
    is_negative: bool = column("Whether the deal was closed with a negative amount.")
    customer: UUID | None = column(
        "Of a closing, the customer: the company of the deal today; else the one that its main contact worked for then;"
        " else that person; else the deal.",
        default=None,
    )
    opening_stage_id: UUID | None = link(
        "pipeline_stage",
        "Of an opening, the first pipeline stage of the deal since then.",
        index=False,
        is_derived=True,
        default=None,
    )
    deal_currency: Currency | None = column(
        "The currency that the deal had then, which the amount of a late record may not have.",
        vocab=Currency,
        default=None,
    )
    has_no_version: bool = column("Whether the deal's history begins later, so that it says nothing of that instant.")
    is_version_assumed: bool = column("Whether the deal's history at that instant is assumed.")
    is_company_assumed: bool = column("Whether the company's history at that instant is assumed.")
