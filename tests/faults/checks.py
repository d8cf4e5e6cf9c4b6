"""What has to hold after every round, whatever was killed. A check returns its problems as sentences."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any
from uuid import UUID

from api.access.reached_changes import followed_tables
from api.db import ScratchSession
from api.errors import AccordError, ErrorCode
from api.funnel.drift import check_entries
from api.sql import Sql
from schema.history import kept_columns, version_name
from schema.records import HistoryRecord
from schema.tables import TABLES
from tests.faults.reader import Reader
from tests.faults.writers import Write, Writer


@dataclass
class Written:
    """All that was acknowledged: the writers, the people of imports by the prefix of their keys, and a reader."""

    writers: list[Writer] = field(default_factory=list)
    imports: dict[str, int] = field(default_factory=dict)
    reader: Reader | None = None

    @property
    def writes(self) -> list[Write]:
        """All acknowledged mutations."""
        return [write for writer in self.writers for write in writer.writes]


Check = Callable[[ScratchSession, Written], Awaitable[list[str]]]


async def records(session: ScratchSession, written: Written) -> list[str]:
    """Everything acknowledged is stored, once, with the values of the last write."""
    problems = []
    names = [writer.name for writer in written.writers]
    people = await _values(
        session,
        Sql(
            "select id, row_version, job_title from contact where last_name not like '%-bulk'"
            " and split_part(last_name, '-', 1) = any({})",
            names,
        ),
    )
    expected = {
        (uuid_of(id_), version, writer.titles[id_])
        for writer in written.writers
        for id_, version in writer.contacts.items()
    }
    problems += _differences("contacts", people, expected)
    touches = await _values(
        session,
        Sql("select id from touchpoint where contact_id = any({}::uuid[])", [contact for contact, _, _ in expected]),
    )
    problems += _differences(
        "touchpoints", touches, {(uuid_of(id_),) for writer in written.writers for id_ in writer.touches}
    )
    deals = await _values(session, Sql("select id, outcome from deal where name = any({})", names))
    problems += _differences(
        "deals",
        deals,
        {(uuid_of(id_), outcome) for writer in written.writers for id_, outcome in writer.deals.items()},
    )
    bulk = await _values(
        session,
        Sql(
            "select split_part(last_name, '-', 1) as name, count(*) from contact where last_name like '%-bulk'"
            " and split_part(last_name, '-', 1) = any({}) group by name",
            names,
        ),
    )
    problems += _differences(
        "rows in bulk", bulk, {(writer.name, writer.bulk_rows) for writer in written.writers if writer.bulk_rows}
    )
    return problems


async def imported(session: ScratchSession, written: Written) -> list[str]:
    """Every import is stored as a whole, and by one job."""
    found = await _values(
        session,
        Sql(
            "select split_part(k.external_id, '-', 1) as prefix, count(*),"
            " count(*) filter (where exists (select from touchpoint t where t.contact_id = k.record_id))"
            " from external_key k where k.source = 'crm' and k.entity = 'contact' group by prefix"
        ),
    )
    problems = _differences(
        "imported people, and those with a form", found, {(prefix, n, n) for prefix, n in written.imports.items()}
    )
    # The first load has no events: it expires the cursors of readers instead.
    unlike = await _values(
        session,
        Sql(
            "select k.entity, k.external_id, count(o.id) from external_key k left join outbox_event o"
            " on o.record_type = k.entity and o.record_id = k.record_id and o.change_type = 'CREATED'"
            " where k.source = 'crm' and k.external_id !~ '^f?first-' group by k.entity, k.external_id"
            " having count(o.id) <> 1"
        ),
    )
    problems += [f"not one event that it was created: {row}" for row in unlike]
    for what, statement in (
        ("import jobs", "select count(*) from import_job"),
        ("audited imports", "select count(*) from audit_event where action = 'import'"),
    ):
        count = await session.value(Sql(statement))
        problems += [f"{count} {what} of {len(written.imports)}"] if count != len(written.imports) else []
    return problems


async def audit(session: ScratchSession, written: Written) -> list[str]:
    """The audit has every change of every acknowledged write, and no other; so have the idempotency keys."""
    found = await _values(
        session,
        Sql(
            "select idempotency_key, action, count(*) from audit_event where idempotency_key is not null"
            " group by idempotency_key, action"
        ),
    )
    expected = {(write.key, write.mutation, write.changes) for write in written.writes}
    problems = _differences("audited writes", found, expected)
    kept = await _values(session, Sql("select key, mutation, result is not null from idempotency_key"))
    return problems + _differences(
        "idempotency keys", kept, {(write.key, write.mutation, True) for write in written.writes}
    )


async def outbox(session: ScratchSession, _: Written) -> list[str]:
    """The outbox has one event for every audited change, one for every entry into a stage, and places without gaps."""
    lone = await _values(
        session,
        Sql(
            "with audited as (select change_type, record_type, changed_id as id, count(*) as n from audit_event"
            " where idempotency_key is not null group by 1, 2, 3),"
            " events as (select change_type, record_type, record_id as id, count(*) as n from outbox_event"
            " where stage is null and record_id in (select id from audited) group by 1, 2, 3)"
            " select change_type, record_type, id, a.n, e.n from audited a full join events e"
            " using (change_type, record_type, id) where a.n is distinct from e.n"
        ),
    )
    silent = await _values(
        session,
        Sql(
            "select e.contact_id, e.stage from stage_entry e join evaluation v on v.id = e.evaluation_id"
            " and v.is_current where e.contact_id in (select changed_id from audit_event where change_type = 'CREATED'"
            " and record_type = 'contact' and idempotency_key is not null)"
            " and not exists (select from outbox_event o where o.contact_id = e.contact_id and o.stage = e.stage)"
        ),
    )
    gaps = await session.value(
        Sql("select max(position) - min(position) + 1 - count(*) from outbox_event where position is not null")
    )
    return (
        [f"the audit and the outbox differ on {row}" for row in lone]
        + [f"no event of an entry: {row}" for row in silent]
        + ([f"{gaps} places of the outbox are missing"] if gaps else [])
    )


async def followed(session: ScratchSession, written: Written) -> list[str]:
    """A reader who followed all changes has the events of the outbox, in the order of their places."""
    if written.reader is None:
        return []
    events = await _values(
        session,
        Sql(
            "select change_type, upper(record_type), record_id, stage from outbox_event"
            " where position > (select kept_after from outbox_state) and record_type = any({}) order by position",
            [shape.name for shape in followed_tables()],
        ),
    )
    unplaced = await session.value(Sql("select count(*) from outbox_event where position is null"))
    problems = [f"{unplaced} events have no place"] if unplaced else []
    if events != written.reader.changes:
        pairs = zip_longest(events, written.reader.changes)
        first = next((number, pair) for number, pair in enumerate(pairs) if pair[0] != pair[1])
        problems.append(f"of {len(events)} events and {len(written.reader.changes)} read ones these differ: {first}")
    return problems


async def history(session: ScratchSession, _: Written) -> list[str]:
    """The versions of a record follow each other without gap or overlap, and the last one equals the record."""
    problems = []
    for table in TABLES:
        if not issubclass(table, HistoryRecord):
            continue
        name = str(table.__tablename__)
        version, key, kept = version_name(name), f"{name}_id", kept_columns(table)
        own, copied = (", ".join(f"{alias}.{column}" for column in kept) for alias in ("r", "v"))
        broken = await _values(
            session,
            Sql(
                f"select {key}, id from (select {key}, id, valid_to, lead(valid_from) over w as following,"
                f" lead(id) over w as next from {version} window w as (partition by {key} order by id)) v"
                " where case when next is null then valid_to is not null else valid_to is distinct from following end"
            ),
        )
        unlike = await _values(
            session,
            Sql(
                f"select r.id from {name} r left join {version} v on v.{key} = r.id and v.valid_to is null"
                f" where v.id is null or row({own}) is distinct from row({copied})"
            ),
        )
        problems += [f"{version} has a gap or an overlap after {row}" for row in broken]
        problems += [f"{name} {row} differs from its last version" for row in unlike]
    return problems


async def entries(session: ScratchSession, _: Written) -> list[str]:
    """The stored stage entries equal a rebuild, as `accord check` verifies."""
    try:
        await check_entries(session)
    except AccordError as error:
        if error.code is not ErrorCode.DRIFT:
            raise
        return [error.message]
    return []


CHECKS: tuple[Check, ...] = (records, imported, audit, outbox, followed, history, entries)


async def problems_of(session: ScratchSession, written: Written, checks: Sequence[Check] = CHECKS) -> list[str]:
    """Return all that does not hold."""
    return [f"{check.__name__}: {problem}" for check in checks for problem in await check(session, written)]


def uuid_of(id_: str) -> UUID:
    """Return the key of a record by its id in GraphQL."""
    return UUID(id_.rpartition("_")[2])


async def _values(session: ScratchSession, statement: Sql) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await session.rows(statement)]


def _differences(what: str, found: Sequence[tuple[Any, ...]], expected: set[tuple[Any, ...]]) -> list[str]:
    """Compare rows, none of which may be there twice."""
    problems = [f"{what}: {row} was acknowledged, and is not stored" for row in expected - set(found)]
    problems += [f"{what}: {row} is stored, and was not acknowledged" for row in set(found) - expected]
    if len(found) != len(set(found)):
        problems.append(f"{what}: {len(found)} rows, {len(set(found))} different ones")
    return problems
