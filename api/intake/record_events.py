"""Events of the records that an import writes: for the outbox, by one statement a table."""

from collections.abc import Collection

from api.access.scope import MERGED_INTO, subject_links
from api.db import WriteSession
from api.intake.merge import MergeTable
from api.intake.upsert import MOVED_FACTS
from api.outbox.record_changes import IDENTIFIED_BY
from api.sql import Sql, join, name
from schema.base import TableShape
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

# The columns of which an event has to know whether, and from what, they changed.
_COMPARED = ("owner_id", "deleted_at", MERGED_INTO)


async def keep_former_values(session: WriteSession, merge: MergeTable) -> None:
    """Keep what the owner, deletion and merge of the merged records are, before the import writes them.

    Shapes: merged records that the database has -> a temp table with their ids; nothing for tables without these
    columns.
    """
    columns = _compared(merge.shape)
    if not columns or not {column.name for column in merge.columns} & set(columns):
        return
    await session.run(
        Sql(
            "create temporary table {} on commit drop as select id, {} from {} where id in (select id from {}"
            " where {})",
            name(_former(merge.table)),
            join(", ", map(name, columns)),
            name(merge.table),
            name(merge.stage),
            # Dated values may change the record even where the last value of the file is the database's.
            Sql("not is_new") if merge.dated else Sql("is_changed and not is_new"),
        )
    )


async def written_rows(session: WriteSession, table: str, columns: Sql) -> Sql:
    """Select columns of the merged records (`n`) that are new or differ from what the database had."""
    stage, affected = f"merge_{table}", f"merge_{table}_affected"
    of_stage = Sql("select {} from {} n", columns, name(stage))
    is_written = Sql("n.is_new or n.is_changed or n.is_earlier")
    if not await _exists(session, affected):
        return Sql("{} where {}", of_stage, is_written)
    # Records of which only the history changed.
    return Sql("{} where {} or n.id in (select id from {})", of_stage, is_written, name(affected))


def event_id(shape: TableShape) -> str:
    """Return the column with the id that events of a table have. Errors: KeyError for a table without events."""
    return "id" if shape.has_id else IDENTIFIED_BY[shape.name][0]


def ended_or_changed(shape: TableShape) -> Sql:
    """Return what happened to a record `t`, compared with what it was before (`f`)."""
    ends = (
        (MERGED_INTO, ChangeType.MERGED, ChangeType.UNMERGED),
        ("deleted_at", ChangeType.DELETED, ChangeType.RESTORED),
    )
    branches = [
        Sql(
            "when (f.{} is null) <> (t.{} is null) then case when t.{} is null then {}::text else {} end",
            *(name(column), name(column), name(column), began.value, ended.value),
        )
        for column, ended, began in ends
        if column in _compared(shape)
    ]
    return Sql("case {} else {} end", join(" ", branches), _CHANGED) if branches else Sql("{}::text", _CHANGED)


def new_owner(shape: TableShape) -> tuple[Sql, Sql]:
    """Return the owner of a record before (`f`), and whether it has another one now (`t`)."""
    if "owner_id" not in _compared(shape):
        return Sql("null::uuid"), Sql("false")
    changed = Sql("f.id is not null and f.owner_id is distinct from t.owner_id")
    return Sql("case when {} then f.owner_id end", changed), changed


async def write_record_events(session: WriteSession, tables: Collection[str]) -> None:
    """Write an event for each record that an import created or changed, to the outbox.

    Shapes: the merged records of this transaction -> rows of outbox_event.
    """
    for table in tables:
        shape = SHAPES[table]
        if shape.is_hidden:
            continue
        rows = await written_rows(session, table, Sql("n.*"))
        former = await _exists(session, _former(table))
        moved = _is_fact(shape) and shape.has_id and await _exists(session, MOVED_FACTS)
        await session.run(
            Sql(
                "insert into outbox_event (id, change_type, record_type, record_id, contact_id, former_contact_id,"
                " former_owner_id, has_new_owner) select gen_random_uuid(), {}, {}, n.{}, {}, {}, {}, {} from ({}) n{}",
                _type(shape) if former else _MAY_MOVE if moved else _IS_NEW,
                *(table, name(event_id(shape)), _contact(shape), Sql("m.contact_id" if moved else "null::uuid")),
                *(new_owner(shape) if former else (Sql("null::uuid"), Sql("false"))),
                *(rows, _joins(shape, has_former=former, has_moved=moved)),
            )
        )


_CREATED, _CHANGED = ChangeType.CREATED.value, ChangeType.CHANGED.value
# A fact that moved to another contact is a new row, and the same fact.
_MAY_MOVE = Sql("case when n.is_new and m.id is null then {}::text else {} end", _CREATED, _CHANGED)
_IS_NEW = Sql("case when n.is_new then {}::text else {} end", _CREATED, _CHANGED)


def _compared(shape: TableShape) -> tuple[str, ...]:
    columns = {column.name for column in shape.columns}
    return tuple(column for column in _COMPARED if column in columns)


def _former(table: str) -> str:
    return f"former_{table}"


def _contact(shape: TableShape) -> Sql:
    """The contact that a fact belongs to."""
    if not _is_fact(shape):
        return Sql("null::uuid")
    return Sql("n.contact_id" if shape.column("contact_id").is_key else "t.contact_id")


def _is_fact(shape: TableShape) -> bool:
    return any(link == "contact_id" for link, _ in subject_links(shape.name))


def _joins(shape: TableShape, *, has_former: bool, has_moved: bool) -> Sql:
    """The record as it is now (`t`) and as it was (`f`), and the former fact (`m`), as far as the event needs them."""
    joins: list[Sql] = []
    if has_former or (_is_fact(shape) and not shape.column("contact_id").is_key):
        joins.append(Sql(" join {} t on t.id = n.id", name(shape.name)))
    if has_former:
        joins.append(Sql(" left join {} f on f.id = n.id", name(_former(shape.name))))
    if has_moved:
        joins.append(Sql(" left join {} m on m.id = n.id", name(MOVED_FACTS)))
    return join("", joins)


def _type(shape: TableShape) -> Sql:
    """The type of an event: what happened to the record (`t`), compared with what it was before (`f`)."""
    return Sql(
        "case when n.is_new then {}::text when f.id is null then {} else {} end",
        *(_CREATED, _CHANGED, ended_or_changed(shape)),
    )


async def _exists(session: WriteSession, table: str) -> bool:
    return bool(await session.value(Sql("select to_regclass({}) is not null", f"pg_temp.{table}")))
