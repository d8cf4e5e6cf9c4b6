"""Verification: whether the stored versions of the accord are what both teams signed, and one after the other.

The database keeps these rules by itself, with constraints and triggers. This reads the rows again and computes the
hashes anew, so that it also finds what was changed while the triggers were off, such as in a backup.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from api.accord.documents import read_document
from api.db import Session
from api.errors import AccordError
from api.sql import Sql
from schema.accord_vocab import AccordStatus
from schema.tables.accord.guards import GUARDS

FRESH = timedelta(minutes=15)
"""How long before a signature the person may have proved who they are."""
PREVIEW_KEPT = timedelta(days=7)
"""How long before a signature the preview may have been computed."""

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was verified, and sentences about what is wrong; none if all is as the verbs of Accord write it."""

    versions: int
    signatures: int
    problems: tuple[str, ...]


async def verify_versions(session: Session) -> Verification:
    """Verify the hashes, the chain, the ranges and the signatures of all versions, and that the triggers are on.

    Shapes: the rows of accord_version and accord_signature -> what is wrong, as sentences.
    """
    versions = [
        dict(row)
        for row in await session.rows(
            Sql("select *, body = document::jsonb as is_same_body from accord_version order by number")
        )
    ]
    signatures = [
        dict(row)
        for row in await session.rows(
            Sql(
                "select s.*, p.content_hash as preview_hash, p.compared_hash, p.computed_at, p.accord_version_id as"
                " preview_version_id from accord_signature s join accord_preview p on p.id = s.preview_id"
                " order by s.signed_at, s.id"
            )
        )
    ]
    by_version: dict[UUID, list[_Row]] = {row["id"]: [] for row in versions}
    for signature in signatures:
        by_version[signature["accord_version_id"]].append(signature)
    problems = [*_documents(versions), *_numbers(versions), *_chain(versions)]
    for version in versions:
        problems += _signatures(version, by_version[version["id"]])
    problems += await _guards(session)
    return Verification(len(versions), len(signatures), tuple(problems))


def _documents(versions: Sequence[_Row]) -> Iterator[str]:
    for version in versions:
        named = f"Version {version['number']}"
        if hashlib.sha256(version["document"].encode()).hexdigest() != version["content_hash"]:
            yield f"{named}: the document does not have the hash {version['content_hash'][:12]}."
        if not version["is_same_body"]:
            yield f"{named}: the document for queries is another one than the signed text."
        try:
            read_document(version["document"], version["format"])
        except AccordError as error:
            yield f"{named}: the document cannot be read: {error}"


def _numbers(versions: Sequence[_Row]) -> Iterator[str]:
    numbers = [version["number"] for version in versions]
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    if missing:
        yield f"Versions are missing: {', '.join(map(str, missing))}."


def _chain(versions: Sequence[_Row]) -> Iterator[str]:
    """Yield what is wrong with the versions that are or were in force, one after the other."""
    statuses = (AccordStatus.ACTIVE.value, AccordStatus.SUPERSEDED.value)
    begun = [version for version in versions if version["status"] in statuses]
    if not begun:
        return
    # The first one is in force from the beginning of time.
    ordered = sorted(begun, key=lambda it: (it["in_force_from"] is not None, it["in_force_from"]))
    first, last = ordered[0], ordered[-1]
    if first["number"] != 1 or first["in_force_from"] is not None:
        yield "Version 1 is not in force from the beginning of time."
    if last["status"] != AccordStatus.ACTIVE.value or last["in_force_until"] is not None:
        yield f"Version {last['number']}, the last that came into force, is not in force."
    for former, later in pairwise(ordered):
        named = f"Version {later['number']}"
        if former["status"] != AccordStatus.SUPERSEDED.value or former["in_force_until"] != later["in_force_from"]:
            yield f"{named} does not begin where version {former['number']} ends."
        if (later["base_id"], later["base_hash"]) != (former["id"], former["content_hash"]):
            yield f"{named} does not name the hash of version {former['number']}, which it replaced."
    for version in versions:
        is_open = version["status"] not in (*statuses, AccordStatus.WITHDRAWN.value)
        if is_open and (version["base_id"], version["base_hash"]) != (last["id"], last["content_hash"]):
            yield f"Version {version['number']} does not name the hash of version {last['number']}, which is in force."


def _signatures(version: _Row, signatures: Sequence[_Row]) -> Iterator[str]:
    named = f"Version {version['number']}"
    counting = [signature for signature in signatures if signature["voided_at"] is None]
    for signature in counting:
        whose = f"{named}: the signature for {signature['team']}"
        if (signature["content_hash"], signature["base_hash"]) != (version["content_hash"], version["base_hash"]):
            yield f"{whose} is not on its document and the version that it replaces."
        seen = (version["id"], version["content_hash"], version["base_hash"] or version["content_hash"])
        if (signature["preview_version_id"], signature["preview_hash"], signature["compared_hash"]) != seen:
            yield f"{whose} was given on a preview of something else."
        if not timedelta(0) <= signature["signed_at"] - signature["computed_at"] <= PREVIEW_KEPT:
            yield f"{whose} was given on a preview older than {PREVIEW_KEPT.days} days."
        # Clocks of the identity provider and of the database differ.
        if not -FRESH <= signature["signed_at"] - signature["signed_in_at"] <= FRESH + timedelta(minutes=1):
            yield f"{whose} was given more than {FRESH.seconds // 60} minutes after the sign-in."
    is_signed = version["signed_at"] is not None
    in_force = version["status"] in (AccordStatus.ACTIVE.value, AccordStatus.SUPERSEDED.value)
    needs = is_signed or version["status"] == AccordStatus.SIGNED.value or (in_force and version["number"] != 1)
    teams = {signature["team"] for signature in counting}
    people = {signature["member_id"] for signature in counting}
    if needs and (len(teams), len(people), is_signed) != (2, 2, True):
        yield f"{named} is {version['status']} without the signatures of marketing and sales, by two people."
    if in_force and is_signed and version["number"] != 1 and version["in_force_from"] < version["signed_at"]:
        yield f"{named} came into force before it was signed."


async def _guards(session: Session) -> list[str]:
    """Return which triggers are missing or off."""
    rows = await session.rows(
        Sql(
            "select tgname::text as name from pg_trigger where tgenabled in ('O', 'A') and tgname = any({}::text[])",
            list(GUARDS),
        )
    )
    missing = sorted(set(GUARDS) - {row["name"] for row in rows})
    return [f"The trigger {name} is missing or off." for name in missing]
