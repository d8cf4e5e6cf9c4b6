"""Which locks a statement of a migration takes on which tables, and whether it reads or rewrites them.

Told from the statement alone, by PostgreSQL's documentation ("Explicit Locking", "ALTER TABLE"); a test locks_taken it equal
to what PostgreSQL does. What is not recognised is told as the worst that it can be.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class LockMode(IntEnum):
    """PostgreSQL's table locks that a migration may take, the weakest first."""

    ROW_SHARE = 1
    ROW_EXCLUSIVE = 2
    SHARE_UPDATE_EXCLUSIVE = 3
    SHARE = 4
    SHARE_ROW_EXCLUSIVE = 5
    ACCESS_EXCLUSIVE = 6

    @property
    def words(self) -> str:
        """The lock as PostgreSQL writes it."""
        return self.name.replace("_", " ")

    @property
    def effect(self) -> str:
        """Who waits while it is held."""
        if self is LockMode.ACCESS_EXCLUSIVE:
            return "reads and writes wait"
        return "writes wait" if self >= LockMode.SHARE else "nobody waits"


class RowWork(IntEnum):
    """What is done to the rows that are there, the least first."""

    NONE = 0
    CHANGE = 1
    SCAN = 2
    REWRITE = 3

    @property
    def words(self) -> str:
        """In words."""
        return ("rows left alone", "some rows changed", "scanned", "rewritten")[self]


@dataclass(frozen=True, slots=True)
class TableLock:
    """A lock on a table, and the work on its rows; `is_known` false: the statement was not recognised."""

    table: str
    lock: LockMode
    work: RowWork
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class CatalogLookup:
    """What a statement does not tell, but the database does: an index's table, the table that a foreign key names."""

    indexes: Mapping[str, str] = field(default_factory=dict)
    foreign_keys: Mapping[tuple[str, str], str] = field(default_factory=dict)


_NAME = r'(?:only )?(?:if (?:not )?exists )?([\w."]+)'
_SHUT, _QUIET = LockMode.ACCESS_EXCLUSIVE, LockMode.SHARE_UPDATE_EXCLUSIVE
_VOLATILE = r"default .*\b(?:gen_random_uuid|random|clock_timestamp|timeofday|uuid\w*|nextval)\("
_ADD_COLUMN = r"add (?!constraint|primary|unique|check|foreign|exclude)(?:column )?"

# The actions of ALTER TABLE, the first that matches: the lock and the work on the table itself.
_ACTIONS: tuple[tuple[str, LockMode, RowWork], ...] = (
    (rf"{_ADD_COLUMN}.*(?:{_VOLATILE}|generated | serial)", _SHUT, RowWork.REWRITE),
    (rf"{_ADD_COLUMN}.* (?:check ?\(|default .*references )", _SHUT, RowWork.SCAN),
    (_ADD_COLUMN, _SHUT, RowWork.NONE),
    (r"add .*foreign key.* not valid", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE),
    (r"add .*foreign key", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.SCAN),
    (r"add .*(?:not valid|using index)", _SHUT, RowWork.NONE),
    (r"add ", _SHUT, RowWork.SCAN),
    (r"validate constraint", _QUIET, RowWork.SCAN),
    (r"drop |rename ", _SHUT, RowWork.NONE),
    (r"alter (?:column )?\S+ (?:set data )?type ", _SHUT, RowWork.REWRITE),
    (r"alter (?:column )?\S+ set not null", _SHUT, RowWork.SCAN),
    (r"alter (?:column )?\S+ set statistics", _QUIET, RowWork.NONE),
    (r"alter (?:column )?\S+ (?:set|drop) ", _SHUT, RowWork.NONE),
    (r"set \(", _QUIET, RowWork.NONE),
)
_STATEMENTS: tuple[tuple[str, LockMode, RowWork], ...] = (
    (r"create trigger .*? on ", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE),
    (r"create or replace trigger .*? on ", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE),
    (r"drop trigger .*? on ", _SHUT, RowWork.NONE),
    (r"create (?:unique )?index concurrently .*? on ", _QUIET, RowWork.SCAN),
    (r"create (?:unique )?index .*? on ", LockMode.SHARE, RowWork.SCAN),
    (r"comment on table ", _QUIET, RowWork.NONE),
    (r"insert into ", LockMode.ROW_EXCLUSIVE, RowWork.CHANGE),
    (r"(?:update|delete from) ", LockMode.ROW_EXCLUSIVE, RowWork.CHANGE),
    (r"truncate (?:table )?", _SHUT, RowWork.REWRITE),
)
_HOLDS_NOTHING = re.compile(r"(?:set|create (?:or replace )?function|drop function|create sequence|select) ")


def locks_taken(statement: str, names: CatalogLookup) -> tuple[TableLock, ...]:
    """The locks that a statement takes on tables that are there, the strongest for each table."""
    text = re.sub(r"\s+", " ", statement).strip().rstrip(";").lower()
    strongest: dict[str, TableLock] = {}
    for each in _found(text, names):
        before = strongest.get(each.table, each)
        strongest[each.table] = TableLock(
            each.table, max(each.lock, before.lock), max(each.work, before.work), each.is_known and before.is_known
        )
    return tuple(strongest.values())


def _found(text: str, names: CatalogLookup) -> Iterator[TableLock]:
    if _HOLDS_NOTHING.match(text):
        return
    if said := re.match(rf"alter table {_NAME} (.*)", text):
        table = _plain(said[1])
        for action in _split(said[2]):
            yield from _of_action(table, action, names)
    elif re.match("create table ", text):
        for referenced in re.findall(r'references ([\w."]+)', text):
            yield TableLock(_plain(referenced), LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE)
    elif said := re.match(rf"drop table {_NAME}", text):
        yield from _of_drop(_plain(said[1]), names)
    elif said := re.match(rf"drop index (concurrently )?{_NAME}", text):
        table = names.indexes.get(_plain(said[2]), "")
        if table:
            yield TableLock(table, _QUIET if said[1] else _SHUT, RowWork.NONE)
    elif said := re.match(r"comment on column ([\w.\"]+)\.[\w\"]+ ", text):
        yield TableLock(_plain(said[1]), _QUIET, RowWork.NONE)
    else:
        yield from _of_statement(text)


def _of_statement(text: str) -> Iterator[TableLock]:
    for pattern, lock, work in _STATEMENTS:
        if said := re.match(pattern + _NAME, text):
            yield TableLock(_plain(said[1]), lock, work)
            return
    yield TableLock("tables that it names", _SHUT, RowWork.REWRITE, is_known=False)


def _of_action(table: str, action: str, names: CatalogLookup) -> Iterator[TableLock]:
    lock, work, is_known = _SHUT, RowWork.REWRITE, False
    for pattern, takes, does in _ACTIONS:
        if re.match(pattern, action):
            lock, work, is_known = takes, does, True
            break
    yield TableLock(table, lock, work, is_known)
    if said := re.search(r'references ([\w."]+)', action):
        yield TableLock(_plain(said[1]), LockMode.SHARE_ROW_EXCLUSIVE, min(work, RowWork.SCAN))
    for said in re.finditer(rf"(drop|validate) (?:constraint|column) {_NAME}", action):
        for referenced in _referenced(table, _plain(said[2]), names):
            if said[1] == "drop":
                yield TableLock(referenced, _SHUT, RowWork.NONE)
            else:
                yield TableLock(referenced, LockMode.ROW_SHARE, RowWork.SCAN)


def _referenced(table: str, dropped: str, names: CatalogLookup) -> Iterator[str]:
    """The table that a foreign key names: by the constraint's own name, or by its column's."""
    for name in (dropped, f"fk_{table}_{dropped}"):
        if (table, name) in names.foreign_keys:
            yield names.foreign_keys[(table, name)]


def _of_drop(table: str, names: CatalogLookup) -> Iterator[TableLock]:
    yield TableLock(table, _SHUT, RowWork.NONE)
    for (owner, _), referenced in names.foreign_keys.items():
        if owner == table:
            yield TableLock(referenced, _SHUT, RowWork.NONE)


def _split(actions: str) -> list[str]:
    """The actions of an ALTER TABLE: what stands between its outermost commas."""
    found, depth, quoted = [""], 0, False
    for letter in actions:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and depth == 0 and not quoted:
            found.append("")
        else:
            found[-1] += letter
    return [each.strip() for each in found]


def _plain(name: str) -> str:
    """A table's name without its schema and quotes."""
    return name.rpartition(".")[2].strip('"')
