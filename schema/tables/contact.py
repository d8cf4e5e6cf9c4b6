"""A person who is a suspect, a prospect or a customer."""

from uuid import UUID

import sqlalchemy as sa

from schema.base import HistoryRecord, column, link
from schema.vocab import EmailKind, Unit


class Contact(HistoryRecord, table=True):
    """A person whom marketing and sales address: suspect, prospect or customer."""

    __table_args__ = (
        # The few who are never counted: every KPI leaves them out by a lookup here, not by reading everybody.
        sa.Index(
            "ix_contact_never_counted",
            "id",
            postgresql_where=sa.text("is_test or is_internal or deleted_at is not null or merged_into_id is not null"),
        ),
    )

    first_name: str | None = column("Given name.", search=True, default=None)
    last_name: str | None = column("Family name.", search=True, default=None)
    email: str | None = column("E-mail address.", index=True, search=True, default=None)
    email_kind: EmailKind | None = column(
        "What kind of mailbox it is; derived when the e-mail is written.", vocab=EmailKind, default=None
    )
    phone: str | None = column("Telephone number.", default=None)
    job_title: str | None = column("Job title.", default=None)
    company_id: UUID | None = link(
        "company",
        "The company the person works for.",
        back="contacts",
        back_doc="The people who work there.",
        default=None,
    )
    owner_id: UUID | None = link(
        "member",
        "Who looks after the person.",
        back="ownedContacts",
        back_doc="The contacts this person looks after.",
        default=None,
    )
    lead_source: str | None = column(
        "Where the person first came from, in the source's words; null if the source says nothing.", default=None
    )
    source_detail: str | None = column("More about the source: the landing page, the list, the event.", default=None)
    lead_score: int | None = column("The score the source gave, as imported.", unit=Unit.POINTS, default=None)
    country: str | None = column("Where the person lives (ISO 3166 alpha-2 where the source has it).", default=None)
    timezone: str | None = column("The person's time zone (IANA name).", default=None)
    email_opt_out: bool = column("The person wants no e-mail.", server_default="false", default=None)
    do_not_call: bool = column("The person wants no calls.", server_default="false", default=None)
    is_test: bool = column("A test record, never counted.", server_default="false", default=None)
    is_internal: bool = column("One of our own people, never counted.", server_default="false", default=None)
    merged_into_id: UUID | None = link(
        "contact",
        "The contact that survived a merge.",
        back="mergedContacts",
        back_doc="Contacts merged into this one.",
        default=None,
    )
