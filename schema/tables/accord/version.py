"""The versions of the accord."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from schema.accord_vocab import AccordStatus
from schema.base import column, link
from schema.records import Record


class AccordVersion(Record, table=True):
    """One version of the accord: its document, its status, and when it was in force."""

    __tablename__ = "accord_version"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index("uq_accord_version_active", "status", unique=True, postgresql_where=sa.text("status = 'ACTIVE'")),
        sa.Index(
            "uq_accord_version_planned",
            "status",
            unique=True,
            postgresql_where=sa.text("status = 'SIGNED' and activates_at is not null"),
        ),
        ExcludeConstraint(
            (sa.text("tstzrange(in_force_from, in_force_until)"), "&&"),
            name="ex_accord_version_in_force",
            where=sa.text("status in ('ACTIVE', 'SUPERSEDED')"),
        ),
        sa.CheckConstraint("in_force_until > in_force_from", name="in_force_some_time"),
        sa.CheckConstraint("body = document::jsonb", name="body_is_document"),
        sa.CheckConstraint(
            "content_hash = encode(sha256(convert_to(document, 'UTF8')), 'hex')", name="hash_is_of_document"
        ),
        sa.CheckConstraint("(number = 1) = (base_id is null)", name="has_base_unless_first"),
        sa.CheckConstraint("(base_id is null) = (base_hash is null)", name="base_has_hash"),
        sa.CheckConstraint(
            "status in ('SIGNED', 'ACTIVE', 'SUPERSEDED') or signed_at is null", name="open_is_unsigned"
        ),
        sa.CheckConstraint(
            "status in ('SIGNED', 'ACTIVE', 'SUPERSEDED') or activates_at is null", name="only_signed_is_planned"
        ),
        sa.CheckConstraint("(status = 'WITHDRAWN') = (withdrawn_at is not null)", name="withdrawn_has_instant"),
    )

    number: int = column("The number of the version, from 1, in the order of the proposals.", ge=1, unique=True)
    status: AccordStatus = column("The status of the version.", vocab=AccordStatus)
    format: int = column("The number of the format that the document is written in.", ge=1)
    document: str = column("The document as canonical JSON text. The hash, and so each signature, is over this text.")
    body: dict[str, Any] = column("The same document, for queries.", json=True)
    content_hash: str = column("SHA-256 of the document, in hexadecimal. Signatures name it.")
    base_id: UUID | None = link(
        "accord_version", "The version that this one replaces or was to replace; null for version 1.", default=None
    )
    base_hash: str | None = column("The hash of the version that this one replaces.", default=None)
    note: str | None = column("What the version changes, and why, in the words of who proposed it.", default=None)
    proposed_by_id: UUID | None = link(
        "member", "Who proposed the version; null for the operator of the server.", default=None
    )
    submitted_at: datetime | None = column("When the version was last submitted for review.", default=None)
    withdrawn_at: datetime | None = column("When the version was withdrawn; null if it was not.", default=None)
    withdraw_reason: str | None = column("Why the version was withdrawn, in the words of who did.", default=None)
    activates_at: datetime | None = column(
        "When the signed version is to come into force; null if that is not planned.", default=None
    )
    activated_at: datetime | None = column("When the version was activated; null if it never was.", default=None)
    in_force_from: datetime | None = column(
        "Since when the version is in force (inclusive); null means from the beginning of time.", default=None
    )
    in_force_until: datetime | None = column(
        "Until when the version was in force (exclusive); null if no end is set.", default=None
    )
    signed_at: datetime | None = column(
        "When the second of the two teams signed this document; null if it is not signed by both.", default=None
    )
