"""Triggers that keep the signed history of the accord, whatever writes to the database.

- A version that is or was in force never changes: it may only be superseded, once, and version 1 signed, once. No
  version is ever deleted, for its number and its hash stand on results.
- A version counts as signed, and all but version 1 come into force, only with two valid signatures on its document and
  its base, of marketing and of sales, by two members. This is checked when the transaction ends.
- A signature never changes and is never deleted. It may be voided, once, and no more after its version was in force.

Only the sample company may be removed as a whole: nobody agreed on anything there.
"""

import re

import sqlalchemy as sa

from schema.base import sql_table
from schema.tables.accord.signature import AccordSignature
from schema.tables.accord.version import AccordVersion

_VERSION, _SIGNATURE = "accord_version", "accord_signature"

_KEPT = """create function accord_version_kept() returns trigger language plpgsql as $$
declare
  changing text[] := array['row_version', 'updated_at'];
begin
  if tg_op = 'DELETE' then
    raise exception 'version % of the accord cannot be deleted: versions are kept for good', old.number
      using errcode = 'restrict_violation';
  end if;
  if new.id <> old.id or new.number <> old.number then
    raise exception 'version % of the accord keeps its id and its number', old.number
      using errcode = 'restrict_violation';
  end if;
  if old.status not in ('ACTIVE', 'SUPERSEDED') then
    return new;
  end if;
  if old.status = 'ACTIVE' and new.status = 'SUPERSEDED' and new.in_force_until is not null then
    changing := changing || array['status', 'in_force_until'];
  end if;
  if old.number = 1 and old.signed_at is null then
    changing := changing || array['signed_at'];
  end if;
  if to_jsonb(new) - changing is distinct from to_jsonb(old) - changing then
    raise exception 'version % of the accord is or was in force, and never changes', old.number
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$"""
_SIGNED = """create function accord_version_signed() returns trigger language plpgsql as $$
declare
  version accord_version;
  signing int;
begin
  if tg_table_name = 'accord_version' then
    select * into version from accord_version where id = new.id;
  else
    select * into version from accord_version where id = new.accord_version_id;
  end if;
  if version.signed_at is null and version.status <> 'SIGNED'
    and (version.number = 1 or version.status not in ('ACTIVE', 'SUPERSEDED')) then
    return null;
  end if;
  select count(distinct team) into signing from accord_signature
  where accord_version_id = version.id and voided_at is null and content_hash = version.content_hash
    and base_hash is not distinct from version.base_hash;
  if signing < 2 or version.signed_at is null then
    raise exception 'version % of the accord is not signed by marketing and sales', version.number
      using errcode = 'check_violation',
        hint = 'Both have to sign its present document, on the version that it replaces.';
  end if;
  return null;
end $$"""
_SIGNATURE_KEPT = """create function accord_signature_kept() returns trigger language plpgsql as $$
declare
  changing text[] := array['voided_at', 'void_reason'];
begin
  if tg_op = 'DELETE' then
    raise exception 'a signature cannot be deleted: signatures are kept for good' using errcode = 'restrict_violation';
  end if;
  if old.voided_at is not null or new.voided_at is null
    or to_jsonb(new) - changing is distinct from to_jsonb(old) - changing then
    raise exception 'a signature never changes: it can be voided once' using errcode = 'restrict_violation';
  end if;
  if exists (select from accord_version v where v.id = old.accord_version_id and v.status in ('ACTIVE', 'SUPERSEDED')
             and v.signed_at is not null) then
    raise exception 'a signature of a version that is or was in force stays' using errcode = 'restrict_violation';
  end if;
  return new;
end $$"""
_EMPTIED = """create function accord_emptied() returns trigger language plpgsql as $$
begin
  if exists (select from import_job where preset = 'sample') then
    return null;
  end if;
  raise exception 'table % cannot be emptied: the signed history of the accord is kept for good', tg_table_name
    using errcode = 'restrict_violation', hint = 'Use another database. Only the sample company can be removed.';
end $$"""

_FUNCTIONS = (_KEPT, _SIGNED, _SIGNATURE_KEPT, _EMPTIED)
_TRIGGERS = (
    (
        f"create trigger accord_version_kept before update or delete on {_VERSION}"
        " for each row execute function accord_version_kept()"
    ),
    (
        f"create constraint trigger accord_version_signed after insert or update on {_VERSION}"
        " deferrable initially deferred for each row"
        # Nothing is queued for a version that needs no signatures: a table with queued checks cannot be altered, as a
        # first import does in the transaction that adopts version 1.
        " when (new.signed_at is not null or new.status = 'SIGNED'"
        " or new.number <> 1 and new.status in ('ACTIVE', 'SUPERSEDED'))"
        " execute function accord_version_signed()"
    ),
    (
        f"create trigger accord_signature_kept before update or delete on {_SIGNATURE}"
        " for each row execute function accord_signature_kept()"
    ),
    (
        f"create constraint trigger accord_signature_signed after update on {_SIGNATURE}"
        " deferrable initially deferred for each row execute function accord_version_signed()"
    ),
    *(
        f"create trigger {table}_emptied before truncate on {table}"
        " for each statement execute function accord_emptied()"
        for table in (_VERSION, _SIGNATURE)
    ),
)

GUARDS = tuple(re.search(r"trigger (\w+)", statement)[1] for statement in _TRIGGERS)  # type: ignore[index]
"""The names of the triggers."""


def add_accord_guards() -> None:
    """Declare the triggers of versions and signatures. Call it once, when both tables are declared."""
    version, signature = sql_table(AccordVersion), sql_table(AccordSignature)
    for statement in (*_FUNCTIONS, *_TRIGGERS):
        sa.event.listen(signature, "after_create", sa.DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
    signature.add_is_dependent_on(version)
