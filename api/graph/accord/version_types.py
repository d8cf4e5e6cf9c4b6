"""What a version says about its document: status, hash, signatures, comments, and when it was in force."""

from collections.abc import Callable
from typing import Any

from api.accord.stored_versions import (
    BaseVersion,
    StoredVersion,
    VersionComment,
    VersionMember,
    VersionSignature,
)
from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.model_types import Derivation, model_types
from api.graph.derived.scalars import column_type
from schema.tables import SHAPES
from schema.toml_text import accord_toml

_STRING, _INT, _BOOLEAN = TypeRef("String").required, TypeRef("Int").required, TypeRef("Boolean").required
_ID = TypeRef("ID").required
_VERSION = SHAPES["accord_version"]


def _read(name: str, doc: str, shown: TypeRef, read: Callable[[StoredVersion], object]) -> Output:
    """Return a field of the type Accord that is read from the version, whatever part of the document is the source."""
    return Output(name, doc, shown, lambda source, _info: read(source.version))


def _column(name: str, column: str, attribute: str | None = None) -> Output:
    """Return a field of the type Accord that shows a column of the version, with the column's description."""
    declared = _VERSION.column(column)
    shown = column_type(declared)
    read = attribute or column
    return _read(
        name,
        declared.doc,
        shown if declared.is_nullable else shown.required,
        lambda version: getattr(version, read),
    )


def _comments(source: Any, _info: object, *, isOpen: bool | None = None) -> tuple[VersionComment, ...]:  # noqa: ANN401, N803 - a part of the document; the argument's name
    found: tuple[VersionComment, ...] = source.version.comments
    return tuple(comment for comment in found if isOpen is None or (comment.resolved_at is None) is isOpen)


async def _warnings(source: Any, info: Info) -> tuple[str, ...]:  # noqa: ANN401 - a part of the document
    found: tuple[str, ...] = await source.shown.warnings(info.context.snapshot, source.version.number)
    return found


VERSION_FIELDS: tuple[Output, ...] = (
    _column("version", "number"),
    _column("status", "status"),
    _read("format", _VERSION.column("format").doc, _INT, lambda version: version.document.format),
    _column("hash", "content_hash"),
    _read("base", _VERSION.column("base_id").doc, TypeRef("AccordBase"), lambda version: version.base),
    _column("note", "note"),
    _read(
        "proposedBy",
        _VERSION.column("proposed_by_id").doc,
        TypeRef("AccordMember"),
        lambda version: version.proposed_by,
    ),
    _read(
        "proposedAt", "When the version was proposed.", TypeRef("DateTime").required, lambda version: version.created_at
    ),
    _column("submittedAt", "submitted_at"),
    _read("isSigned", "Whether both teams signed this content.", _BOOLEAN, lambda version: version.is_signed),
    _column("signedAt", "signed_at"),
    _read(
        "signatures",
        "All signatures on the version, oldest first, also those that no longer count (`voidedAt`).",
        TypeRef("AccordSignature").required.listed.required,
        lambda version: version.signatures,
    ),
    _read(
        "missingSignatures",
        "The teams whose signature on the present content is missing.",
        TypeRef("TeamKind").required.listed.required,
        lambda version: version.missing_signatures,
    ),
    _column("activatesAt", "activates_at"),
    _column("activatedAt", "activated_at"),
    _column("withdrawnAt", "withdrawn_at"),
    _column("withdrawReason", "withdraw_reason"),
    _read(
        "from",
        "Since when the version is or was in force (inclusive). Null if it never was, and for the first version, which"
        " holds from the beginning of time.",
        TypeRef("DateTime"),
        lambda version: version.in_force_from,
    ),
    _column("until", "in_force_until"),
    Output(
        "comments",
        "The comments on clauses of the version, oldest first.",
        TypeRef("AccordComment").required.listed.required,
        _comments,
        (
            Input(
                "isOpen",
                "True: only comments that are not resolved. False: only resolved ones. If left out or null: all.",
                TypeRef("Boolean"),
            ),
        ),
    ),
    _read(
        "toml",
        "The document as TOML, as a person edits it. It parses to the same content and the same hash.",
        _STRING,
        lambda version: accord_toml(version.document.accord),
    ),
    _read(
        "canonical",
        "The document as it is stored and signed: `hash` is the SHA-256 of this text in UTF-8.",
        _STRING,
        lambda version: version.document.text,
    ),
    Output(
        "warnings",
        "What to know about the version before signing it or relying on it, as sentences: such as the stages of the"
        " version in force that it drops, and the KPIs, sources and presets that name them.",
        _STRING.listed.required,
        _warnings,
    ),
    _column("rowVersion", "row_version"),
)


def _record_id(name: str, doc: str, table: str, attribute: str) -> Output:
    return Output(name, doc, _ID, lambda source, _info: f"{table}_{getattr(source, attribute)}")


_ADDITIONS: dict[type, tuple[Output, ...]] = {
    VersionMember: (_record_id("id", "The id of the Member, for `member` and `node`.", "member", "id"),),
    VersionSignature: (
        _record_id("id", SHAPES["accord_signature"].column("id").doc, "accord_signature", "id"),
        _record_id("previewId", SHAPES["accord_signature"].column("preview_id").doc, "accord_preview", "preview_id"),
    ),
    VersionComment: (
        _record_id("id", "The id of the comment, for `resolveComment`.", "accord_comment", "id"),
        Output(
            "isOpen",
            "Whether the comment is not resolved yet.",
            _BOOLEAN,
            lambda comment, _info: comment.resolved_at is None,
        ),
    ),
}
VERSION_TYPES = tuple(
    model_types(
        (BaseVersion, VersionMember, VersionSignature, VersionComment),
        Derivation(additions=lambda model: _ADDITIONS.get(model, ())),
    )
)
