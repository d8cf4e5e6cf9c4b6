"""Pages of the people whom the two versions of a preview count differently."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.preview.figures import ChangedPeople
from api.plan.json_objects import require_cursor_length
from api.sql import Sql, all_of
from schema.accord_vocab import PersonChange

# The lists of a preview are kept until one of the same versions and days is computed so much later.
LISTS_KEPT = timedelta(hours=1)
_LABEL = "preview"  # distinguishes these cursors from those of other lists


@dataclass(frozen=True, slots=True)
class ChangedPerson:
    """A person whom the two versions count differently, with both first moments, inside the period or not."""

    id: UUID
    at: datetime
    instant_before: datetime | None
    instant_after: datetime | None

    @property
    def cursor(self) -> str:
        """The opaque cursor of the person's position."""
        return base64.b64encode(orjson.dumps([_LABEL, self.at, str(self.id)])).decode()


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of the list, and whether there are people outside it; `total` only if requested."""

    people: tuple[ChangedPerson, ...]
    has_more: bool  # between the cursors, after the page in the direction of reading
    is_after_some: bool  # at or before the cursor `after`
    is_before_some: bool  # at or after the cursor `before`
    total: int | None


async def read_people(
    session: ReadSession,
    listed: ChangedPeople,
    change: PersonChange,
    *,
    size: int,
    after: str | None = None,
    before: str | None = None,
    is_last: bool = False,
    needs_total: bool = False,
) -> PeoplePage:
    """Read the first people of a list between two cursors, or with `is_last` the last ones, by instant and id.

    Shapes: at most `size` people. Reads one statement.
    Errors: BAD_INPUT for a text that is not a cursor of such a list; NOT_FOUND if the lists are no longer kept.
    """
    await _require_kept(session, listed)
    conditions = [
        Sql("p.preview_id = {}", listed.preview_id),
        Sql("p.stage = {}", listed.stage),
        Sql("p.change = {}", change.value),
    ]
    if listed.starts_at is not None:
        conditions.append(Sql("p.listed_at >= {} and p.listed_at < {}", listed.starts_at, listed.before))
    behind = None if after is None else Sql("(p.listed_at, p.contact_id) > {}", _position("after", after))
    ahead = None if before is None else Sql("(p.listed_at, p.contact_id) < {}", _position("before", before))
    people = Sql("select from accord_preview_person p where {}", all_of(conditions))
    page = Sql(
        "select p.contact_id, p.listed_at, p.before_at, p.after_at from accord_preview_person p where {}"
        " order by p.listed_at {}, p.contact_id {} limit {}",
        all_of([*conditions, *(inside for inside in (behind, ahead) if inside is not None)]),
        *([Sql("desc" if is_last else "asc")] * 2),
        size + 1,
    )
    total = Sql("(select count(*) from ({}) counted)", people) if needs_total else Sql("null::bigint")
    rows = await session.rows(
        Sql(
            "select t.*, r.* from (select {} as total, {} as after_some, {} as before_some) t left join ({}) r on true"
            " order by r.listed_at, r.contact_id",
            total,
            _is_some(people, behind),
            _is_some(people, ahead),
            page,
        )
    )
    found = [
        ChangedPerson(row["contact_id"], row["listed_at"], row["before_at"], row["after_at"])
        for row in rows
        if row["contact_id"] is not None
    ]
    has_more = len(found) > size
    shown = found[len(found) - size if has_more else 0 :] if is_last else found[:size]
    first = rows[0]
    return PeoplePage(tuple(shown), has_more, first["after_some"], first["before_some"], first["total"])


def _is_some(people: Sql, inside: Sql | None) -> Sql:
    return Sql("false") if inside is None else Sql("exists ({} and not {})", people, inside)


async def _require_kept(session: ReadSession, listed: ChangedPeople) -> None:
    """Errors: NOT_FOUND if the lists were deleted, see `LISTS_KEPT`."""
    is_kept = await session.value(
        Sql(
            "select not exists (select from accord_preview p join accord_preview n on n.id <> p.id"
            " and n.accord_version_id = p.accord_version_id and n.compared_to_id = p.compared_to_id"
            " and n.starts_on = p.starts_on and n.before = p.before and n.computed_at > p.computed_at + {}"
            " where p.id = {})",
            LISTS_KEPT,
            listed.preview_id,
        )
    )
    if not is_kept:
        message = "The lists of this preview are no longer kept: a newer one was computed."
        raise AccordError(ErrorCode.NOT_FOUND, message, "Send `accordPreview` again.")


def _position(argument: str, cursor: str) -> Sql:
    require_cursor_length(cursor, argument)
    try:
        label, at, contact_id = orjson.loads(base64.b64decode(cursor, validate=True))
        if label == _LABEL:
            instant = datetime.fromisoformat(at)
            if instant.tzinfo is not None:
                return Sql("({}::timestamptz, {}::uuid)", instant, UUID(contact_id))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass  # whatever is wrong with it, the error below reports it
    end = "endCursor" if argument == "after" else "startCursor"
    raise AccordError(
        ErrorCode.BAD_INPUT,
        f"`{argument}` is not a cursor of a list of people of a preview.",
        f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list.",
    )
