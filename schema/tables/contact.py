"""Contacts: the people whom marketing and sales address."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.access.rights import Permission
from schema.base import column, link
from schema.formats import Format
from schema.records import HistoryRecord
from schema.vocab import EmailKind, Unit
from schema.writes.erasure_reasons import ErasureReason


class Contact(HistoryRecord, table=True):
    """A person whom marketing and sales address: a suspect, a prospect or a customer."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_RECORDS
    __table_args__ = (
        # With the id, a page of a member's people in the order of their ids reads no more entries than it shows.
        sa.Index(None, "owner_id", "id"),
        # Every KPI excludes these few contacts: it looks them up here instead of scanning all contacts.
        sa.Index(
            "ix_contact_never_counted",
            "id",
            postgresql_where=sa.text("is_test or is_internal or deleted_at is not null or merged_into_id is not null"),
        ),
    )

    first_name: str | None = column("Given name.", search=True, personal=True, default=None)
    last_name: str | None = column("Family name.", search=True, personal=True, default=None)
    email: str | None = column(
        "E-mail address, in lower case.", format=Format.EMAIL, index=True, search=True, personal=True, default=None
    )
    email_kind: EmailKind | None = column(
        "The kind of mailbox, computed from the e-mail address.",
        vocab=EmailKind,
        written_by="email",
        dimension=True,
        default=None,
    )
    phone: str | None = column(
        "Telephone number: its digits, with a leading + if it is international, and x before an extension.",
        format=Format.PHONE,
        personal=True,
        default=None,
    )
    job_title: str | None = column("Job title.", default=None)
    company_id: UUID | None = link(
        "company",
        "The company that the person works for.",
        back="contacts",
        back_doc="The people who work for the company.",
        default=None,
    )
    owner_id: UUID | None = link(
        "member",
        "The member responsible for the person.",
        back="ownedContacts",
        back_doc="The contacts that this member is responsible for.",
        index=False,
        default=None,
    )
    lead_source: str | None = column(
        "Where the person first came from, as the source system writes it; null if it does not record it.", default=None
    )
    source_detail: str | None = column(
        "Details of the lead source, such as the landing page, list or event.", dimension=True, default=None
    )
    lead_score: int | None = column(
        "The lead score of the source system, in points, as imported.", unit=Unit.POINTS, default=None
    )
    country: str | None = column("The country of the person (ISO 3166-1 alpha-2).", format=Format.COUNTRY, default=None)
    timezone: str | None = column(
        "The time zone of the person, as an IANA name such as Europe/Berlin.", format=Format.TIMEZONE, default=None
    )
    email_opt_out: bool = column("True if the person does not want e-mail.", server_default="false", default=None)
    do_not_call: bool = column(
        "True if the person does not want telephone calls.", server_default="false", default=None
    )
    is_test: bool = column(
        "True for a test record. The accord says whether KPIs exclude them.", server_default="false", default=None
    )
    is_internal: bool = column(
        "True for a person of our own company. The accord says whether KPIs exclude them.",
        server_default="false",
        default=None,
    )
    merged_into_id: UUID | None = link(
        "contact",
        "The contact that this one was merged into; null if it was not merged.",
        back="mergedContacts",
        back_doc="The contacts that were merged into this one.",
        written_by="mergeContacts",
        default=None,
    )
    erased_at: datetime | None = column(
        "When the person was erased: nothing that identifies them is left. Null if the person was not erased.",
        written_by="erasePerson",
        default=None,
    )
    erasure_reason: ErasureReason | None = column(
        "Why the person was erased; null if the person was not.",
        vocab=ErasureReason,
        written_by="erasePerson",
        default=None,
    )
    erasure_reference: str | None = column(
        "The number of the request or ticket that the person was erased by.", written_by="erasePerson", default=None
    )
