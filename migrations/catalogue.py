"""Every object of a database (tables, columns, constraints, indexes, triggers, functions), read from the catalogue.

Drafting a migration and the tests both compare a migrated database with one made from the declarations. PostgreSQL's
own catalogue is read on both sides, so the comparison covers what Alembic's misses: CHECKs, index predicates, triggers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from schema.tables import METADATA

SCRATCH = "accord_declared"  # the database schema in which the declarations are created; always rolled back

# An index that belongs to a constraint is not listed again. NOT NULL is listed with the column: only PostgreSQL 18 has
# constraints of type n for it. Constraint triggers (type t) are listed as triggers.
_OBJECTS = """
with here as (select current_schema()::regnamespace::oid as oid),
tables as (
  select c.oid, c.relname from pg_class c join here on here.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relname not in ('alembic_version', 'schema_compatibility')
)
select 'table' as kind, relname as on_table, '' as name, coalesce(obj_description(oid, 'pg_class'), '') as definition
from tables
union all
select 'column', t.relname, a.attname,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
    case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
    case a.attgenerated when 's' then 'generated ' else 'default ' end || pg_get_expr(d.adbin, d.adrelid),
    '-- ' || col_description(t.oid, a.attnum))
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
    """The name of a database object. `kind` is table, column, check, primary key, foreign key, unique, index, trigger
    or function; `on_table` is empty for a function, `name` is empty for a table.
    """

    kind: str
    on_table: str
    name: str


Catalogue = Mapping[DatabaseObject, str]


def read(connection: Connection) -> Catalogue:
    """Read every object in the connection's current schema, with its definition."""
    schema = connection.exec_driver_sql("select current_schema()").scalar_one()
    rows = connection.exec_driver_sql(_OBJECTS).all()
    return {
        DatabaseObject(kind, table, name): text.replace(f"{schema}.", "").strip() for kind, table, name, text in rows
    }


def read_declared(connection: Connection) -> Catalogue:
    """Create the declared tables in a schema of their own, read that schema, and roll everything back."""
    with connection.begin_nested() as attempt:
        connection.exec_driver_sql(f"create schema {SCRATCH}")
        connection.exec_driver_sql(f"set local search_path to {SCRATCH}")
        METADATA.create_all(connection, checkfirst=False)
        found = read(connection)
        attempt.rollback()
    return found


def compare(migrated: Catalogue, declared: Catalogue) -> tuple[str, ...]:
    """Describe each object that differs between the two, in three lines; an empty tuple if they are equal."""
    differences: list[str] = []
    for entry in sorted({*migrated, *declared}):
        found, expected = migrated.get(entry), declared.get(entry)
        if found != expected:
            name = ".".join(word for word in (entry.on_table, entry.name) if word)
            differences.append(
                f"{entry.kind} {name}\n    migrated: {found or 'absent'}\n    declared: {expected or 'absent'}"
            )
    return tuple(differences)
