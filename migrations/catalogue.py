"""What a database is made of, as values: read from PostgreSQL's catalogue, so nothing that was declared can be missed.

The migrated database is compared with one made from the declarations; drafting a migration and the tests use the same
comparison.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from schema.tables import METADATA

SCRATCH = "accord_declared"  # the schema that the declarations are tried out in, and that is always rolled back

_PARTS = """
with here as (select current_schema()::regnamespace::oid as oid),
tables as (
  select c.oid, c.relname from pg_class c join here on here.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relname <> 'alembic_version'
)
select 'table' as kind, relname as on_table, '' as name, coalesce(obj_description(oid, 'pg_class'), '') as definition
from tables
union all
select 'column', t.relname, a.attname,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
    case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
    'default ' || pg_get_expr(d.adbin, d.adrelid), '-- ' || col_description(t.oid, a.attnum))
from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
union all
select case c.contype when 'c' then 'check' when 'p' then 'primary key' when 'f' then 'foreign key'
                      when 'u' then 'unique' else 'constraint ' || c.contype::text end,
  t.relname, c.conname, pg_get_constraintdef(c.oid)
from tables t join pg_constraint c on c.conrelid = t.oid where c.contype not in ('n', 't')
union all
select 'index', t.relname, i.relname, pg_get_indexdef(x.indexrelid)
from tables t join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
where not exists (select from pg_constraint c where c.conindid = x.indexrelid and c.contype in ('p', 'u', 'x'))
union all
select 'trigger', t.relname, g.tgname, pg_get_triggerdef(g.oid, true)
from tables t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
union all
select 'function', '', p.proname, pg_get_functiondef(p.oid) from pg_proc p join here on here.oid = p.pronamespace
"""


@dataclass(frozen=True, slots=True, order=True)
class DatabaseObject:
    """One named part of a database; `kind` is table, column, check, primary key, foreign key, unique, index …"""

    kind: str
    on_table: str
    name: str


Catalogue = Mapping[DatabaseObject, str]


def read(connection: Connection) -> Catalogue:
    """Read the parts in the connection's current schema, each with its definition."""
    schema = connection.exec_driver_sql("select current_schema()").scalar_one()
    rows = connection.exec_driver_sql(_PARTS).all()
    return {
        DatabaseObject(kind, table, name): text.replace(f"{schema}.", "").strip() for kind, table, name, text in rows
    }


def read_declared(connection: Connection) -> Catalogue:
    """Make what the declarations say in a schema of its own, read that, and leave nothing behind."""
    with connection.begin_nested() as attempt:
        connection.exec_driver_sql(f"create schema {SCRATCH}")
        connection.exec_driver_sql(f"set local search_path to {SCRATCH}")
        METADATA.create_all(connection, checkfirst=False)
        found = read(connection)
        attempt.rollback()
    return found


def compare(migrated: Catalogue, declared: Catalogue) -> tuple[str, ...]:
    """Tell in lines what differs; nothing if the two are equal."""
    lines: list[str] = []
    for part in sorted({*migrated, *declared}):
        here, there = migrated.get(part), declared.get(part)
        if here != there:
            where = ".".join(each for each in (part.on_table, part.name) if each)
            lines.append(f"{part.kind} {where}\n    migrated: {here or 'absent'}\n    declared: {there or 'absent'}")
    return tuple(lines)
