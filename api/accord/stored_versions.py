"""Versions of the accord as they are stored, of any status, with their signatures and comments."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from api.accord.in_force import no_accord
from api.accord.parsed_documents import KEPT_DOCUMENTS, ParsedDocument, document_key
from api.accord.unknown_version import unknown_version
from api.db import Session
from api.sql import Sql, all_of
from schema.accord_vocab import AccordStatus, SignInMethod
from schema.described import described
from schema.tables import SHAPES
from schema.vocab import TeamKind

SIGNING_TEAMS = (TeamKind.MARKETING, TeamKind.SALES)

# The columns of a version that are shown as they are.
_PLAIN = (
    "id",
    "number",
    "content_hash",
    "note",
    "created_at",
    "submitted_at",
    "signed_at",
    "activates_at",
    "activated_at",
    "withdrawn_at",
    "withdraw_reason",
    "in_force_from",
    "in_force_until",
    "row_version",
)


def _doc(table: str, column: str) -> str:
    return SHAPES[table].column(column).doc


@dataclass(frozen=True, kw_only=True)
class VersionMember:
    """A member who works on a version of the accord: who proposed, signed or commented on it."""

    __graphql_name__ = "AccordMember"

    id: UUID
    name: str = described(_doc("member", "name"))
    team: TeamKind | None = described("The kind of the team that the member works in now; null without a team.")


@dataclass(frozen=True, kw_only=True)
class VersionSignature:
    """The signature of one member, for one team, on the content of one version of the accord."""

    __graphql_name__ = "AccordSignature"

    id: UUID
    team: TeamKind = described(_doc("accord_signature", "team"))
    member: VersionMember = described(_doc("accord_signature", "member_id"))
    hash: str = described(_doc("accord_signature", "content_hash"))
    signed_at: datetime = described(_doc("accord_signature", "signed_at"))
    sign_in_method: SignInMethod = described(_doc("accord_signature", "sign_in_method"))
    signed_in_at: datetime = described(_doc("accord_signature", "signed_in_at"))
    preview_id: UUID
    voided_at: datetime | None = described(_doc("accord_signature", "voided_at"))
    void_reason: str | None = described(_doc("accord_signature", "void_reason"))


@dataclass(frozen=True, kw_only=True)
class VersionComment:
    """A comment on a clause of a version of the accord. A version with an open comment cannot be signed."""

    __graphql_name__ = "AccordComment"

    id: UUID
    clause: str | None = described(_doc("accord_comment", "clause"))
    text: str = described(_doc("accord_comment", "text"))
    member: VersionMember | None = described(_doc("accord_comment", "member_id"))
    written_at: datetime = described(_doc("accord_comment", "written_at"))
    resolved_at: datetime | None = described(_doc("accord_comment", "resolved_at"))
    resolved_by: VersionMember | None = described(_doc("accord_comment", "resolved_by_id"))


@dataclass(frozen=True, kw_only=True)
class BaseVersion:
    """The version that another version of the accord replaces or was to replace."""

    __graphql_name__ = "AccordBase"

    version: int = described("The number of the base version.")
    hash: str = described(_doc("accord_version", "base_hash"))


_NOT_SIGNABLE = frozenset({AccordStatus.ACTIVE, AccordStatus.SUPERSEDED, AccordStatus.WITHDRAWN})


@dataclass(frozen=True, kw_only=True)
class StoredVersion:
    """A version of the accord: its document, and the row around it."""

    id: UUID
    number: int
    status: AccordStatus
    document: ParsedDocument
    content_hash: str
    base: BaseVersion | None
    note: str | None
    proposed_by: VersionMember | None
    created_at: datetime
    submitted_at: datetime | None
    signed_at: datetime | None
    activates_at: datetime | None
    activated_at: datetime | None
    withdrawn_at: datetime | None
    withdraw_reason: str | None
    in_force_from: datetime | None
    in_force_until: datetime | None
    row_version: int
    signatures: tuple[VersionSignature, ...]
    comments: tuple[VersionComment, ...]

    @property
    def is_signed(self) -> bool:
        """Whether both teams signed this content."""
        return self.signed_at is not None

    @property
    def missing_signatures(self) -> tuple[TeamKind, ...]:
        """The teams whose signature on the present content is missing; none for a version that nobody can sign."""
        is_provisional = self.status is AccordStatus.ACTIVE and not self.is_signed
        if self.status in _NOT_SIGNABLE and not is_provisional:
            return ()
        signed = {
            signature.team
            for signature in self.signatures
            if signature.voided_at is None and signature.hash == self.content_hash
        }
        return tuple(team for team in SIGNING_TEAMS if team not in signed)


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One page of versions, newest first, and whether there are versions outside it; `total` over all pages."""

    versions: tuple[StoredVersion, ...]
    has_next: bool
    has_previous: bool
    total: int


async def stored_version(session: Session, number: int) -> StoredVersion | None:
    """Read the version of that number; None if there is none. Shapes: one statement."""
    # Compared as numeric: a number too large for the column is one that no version has.
    return _only(await _read(session, Sql("v.number = {}::numeric", number)))


async def stored_version_in_force(session: Session) -> StoredVersion | None:
    """Read the active version; None before the first accord is adopted. Shapes: one statement."""
    return _only(await _read(session, Sql("v.status = {}", AccordStatus.ACTIVE.value)))


async def requested_version(session: Session, number: int | None) -> StoredVersion:
    """Read the version of a number; without one, that in force.

    Shapes: one statement.
    Errors: UNKNOWN_VALUE for a number that no version has; NO_ACCORD.
    """
    if number is None:
        found = await stored_version_in_force(session)
        if found is None:
            raise no_accord()
        return found
    found = await stored_version(session, number)
    if found is None:
        raise await unknown_version(session, number)
    return found


async def stored_versions(session: Session, numbers: Collection[int]) -> Mapping[int, StoredVersion]:
    """Read the versions of these numbers that exist, by number. Shapes: one statement."""
    found = await _read(session, Sql("v.number = any({}::numeric[])", sorted(numbers)))
    return {version.number: version for version in found}


async def versions_to_sign(session: Session, member_id: UUID) -> tuple[StoredVersion, ...]:
    """Read the versions that wait for the signature of a member, newest first.

    These are the versions in review, and the provisional one in force, that nobody of the member's team has signed and
    that the member has not signed for another team.

    Shapes: one statement; empty for a member who is in neither marketing nor sales.
    """
    return await _read(
        session,
        Sql(
            """(v.status = {} or v.status = {} and v.signed_at is null)
  and exists (select from member m join team t on t.id = m.team_id
    where m.id = {} and m.deactivated_at is null and t.kind = any({}::text[])
      and not exists (select from accord_signature s where s.accord_version_id = v.id and s.voided_at is null
        and s.content_hash = v.content_hash and (s.team = t.kind or s.member_id = m.id)))""",
            AccordStatus.IN_REVIEW.value,
            AccordStatus.ACTIVE.value,
            member_id,
            [team.value for team in SIGNING_TEAMS],
        ),
    )


async def version_page(
    session: Session,
    *,
    size: int,
    after: int | None = None,
    before: int | None = None,
    is_last: bool = False,
    status: Sequence[AccordStatus] | None = None,
) -> VersionPage:
    """Read the first versions between two numbers, newest first, or with `is_last` the last ones.

    `after` is a version before the page, so the page has lower numbers; `before` is one after it. Without `status`, all
    versions are listed.

    Shapes: at most `size` versions. Reads one statement.
    """
    listed = Sql("true") if status is None else Sql("v.status = any({}::text[])", [word.value for word in status])
    inside = [listed]
    if after is not None:
        inside.append(Sql("v.number < {}", after))
    if before is not None:
        inside.append(Sql("v.number > {}", before))
    # One more version than requested shows whether there are more.
    kept = KEPT_DOCUMENTS.present()
    rows = await session.rows(
        Sql(
            """with around as (select count(*) as total, max(v.number) as newest, min(v.number) as oldest
  from accord_version v where {})
select around.*, page.* from around left join ({} where {} order by v.number {} limit {}) page on true
order by page.number desc""",
            listed,
            _select(kept),
            all_of(inside),
            Sql("asc" if is_last else "desc"),
            size + 1,
        )
    )
    found = [row for row in rows if row["id"] is not None]
    has_more = len(found) > size
    shown = found[len(found) - size if has_more else 0 :] if is_last else found[:size]
    newest, oldest = rows[0]["newest"], rows[0]["oldest"]
    is_after_some = after is not None and newest is not None and newest >= after
    is_before_some = before is not None and oldest is not None and oldest <= before
    return VersionPage(
        tuple(_version(row, kept) for row in shown),
        has_next=is_before_some or (has_more and not is_last),
        has_previous=is_after_some or (has_more and is_last),
        total=rows[0]["total"],
    )


async def _read(session: Session, condition: Sql) -> tuple[StoredVersion, ...]:
    kept = KEPT_DOCUMENTS.present()
    rows = await session.rows(Sql("{} where {} order by v.number desc", _select(kept), condition))
    return tuple(_version(row, kept) for row in rows)


def _only(versions: tuple[StoredVersion, ...]) -> StoredVersion | None:
    return versions[0] if versions else None


def _select(kept: Collection[str]) -> Sql:
    """Return a select of versions `v`. A document that is kept already is not read again."""
    return Sql(
        """select v.*, base.number as base_number, {} as proposed_by,
  case when v.format || ':' || v.content_hash = any({}::text[]) then null else document.document end as document,
  array(select to_jsonb(s) || jsonb_build_object('hash', s.content_hash, 'member', {})
    from accord_signature s where s.accord_version_id = v.id order by s.signed_at, s.id) as signatures,
  array(select to_jsonb(c) || jsonb_build_object('member', {}, 'resolved_by', {})
    from accord_comment c where c.accord_version_id = v.id order by c.written_at, c.id) as comments
from (select id, number, status, format, content_hash, base_id, base_hash, note, proposed_by_id, created_at,
    submitted_at, signed_at, activates_at, activated_at, withdrawn_at, withdraw_reason, in_force_from, in_force_until,
    row_version
  from accord_version) v
join accord_version document on document.id = v.id left join accord_version base on base.id = v.base_id""",
        _member("v.proposed_by_id"),
        list(kept),
        _member("s.member_id"),
        _member("c.member_id"),
        _member("c.resolved_by_id"),
    )


def _member(reference: str) -> Sql:
    """Return the member that a column refers to, as an object; null if it refers to none."""
    return Sql(
        "(select jsonb_build_object('id', m.id, 'name', m.name, 'team', t.kind)"
        f" from member m left join team t on t.id = m.team_id where m.id = {reference})"
    )


_MEMBER = TypeAdapter(VersionMember | None)
_SIGNATURES = TypeAdapter(tuple[VersionSignature, ...])
_COMMENTS = TypeAdapter(tuple[VersionComment, ...])


def _version(row: asyncpg.Record, kept: Mapping[str, ParsedDocument]) -> StoredVersion:
    key = document_key(row["format"], row["content_hash"])
    document = KEPT_DOCUMENTS.keep(key, kept.get(key) or ParsedDocument(row["document"], row["format"]))
    base = None if row["base_number"] is None else BaseVersion(version=row["base_number"], hash=row["base_hash"])
    return StoredVersion(
        **{name: row[name] for name in _PLAIN},
        status=AccordStatus[row["status"]],
        document=document,
        base=base,
        proposed_by=_MEMBER.validate_python(row["proposed_by"]),
        signatures=_SIGNATURES.validate_python(row["signatures"]),
        comments=_COMMENTS.validate_python(row["comments"]),
    )
