"""Which locks a statement of a migration takes on which tables, and whether it reads or rewrites them.

The answer is derived from the statement's text, following PostgreSQL's documentation ("Explicit Locking", "ALTER
TABLE"); tests/evolution/test_locks.py compares it with the locks that PostgreSQL takes. A statement that is not
recognised is assumed to take the strongest lock and to rewrite the table.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class LockMode(IntEnum):
    """The table lock modes of PostgreSQL that a migration may take, the weakest first."""

    ROW_SHARE = 1
    ROW_EXCLUSIVE = 2
    SHARE_UPDATE_EXCLUSIVE = 3
    SHARE = 4
    SHARE_ROW_EXCLUSIVE = 5
    ACCESS_EXCLUSIVE = 6

    @property
    def words(self) -> str:
        """The name of the mode in PostgreSQL's documentation."""
        return self.name.replace("_", " ")

    @property
    def effect(self) -> str:
        """Which other sessions wait while the lock is held."""
        if self is LockMode.ACCESS_EXCLUSIVE:
            return "reads and writes wait"
        return "writes wait" if self >= LockMode.SHARE else "nobody waits"


class RowWork(IntEnum):
    """What a statement does to the existing rows, the cheapest first."""

    NONE = 0
    CHANGE = 1
    SCAN = 2
    REWRITE = 3

    @property
    def words(self) -> str:
        """The effect as `accord migrate --plan` prints it."""
        return ("rows left alone", "some rows changed", "scanned", "rewritten")[self]


@dataclass(frozen=True, slots=True)
class TableLock:
    """A lock on a table and the work on its rows. `is_known` is false if the statement was not recognised."""

    table: str
    lock: LockMode
    work: RowWork
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class CatalogLookup:
    """What a statement's text leaves out: the table of each index, and the table each foreign key references."""

    indexes: Mapping[str, str] = field(default_factory=dict)
    foreign_keys: Mapping[tuple[str, str], str] = field(default_factory=dict)


_NAME = r'(?:only )?(?:if (?:not )?exists )?([\w."]+)'
_EXCLUSIVE, _ONLINE = LockMode.ACCESS_EXCLUSIVE, LockMode.SHARE_UPDATE_EXCLUSIVE
_VOLATILE = r"default .*\b(?:gen_random_uuid|random|clock_timestamp|timeofday|uuid\w*|nextval)\("
_ADD_COLUMN = r"add (?!constraint|primary|unique|check|foreign|exclude)(?:column )?"

# The actions of ALTER TABLE with their lock and work; the first pattern that matches applies.
_ACTIONS: tuple[tuple[str, LockMode, RowWork], ...] = (
    (rf"{_ADD_COLUMN}.*(?:{_VOLATILE}|generated | serial)", _EXCLUSIVE, RowWork.REWRITE),
    (rf"{_ADD_COLUMN}.* (?:check ?\(|default .*references )", _EXCLUSIVE, RowWork.SCAN),
    (_ADD_COLUMN, _EXCLUSIVE, RowWork.NONE),
    (r"add .*foreign key.* not valid", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE),
    (r"add .*foreign key", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.SCAN),
    (r"add .*(?:not valid|using index)", _EXCLUSIVE, RowWork.NONE),
    (r"add ", _EXCLUSIVE, RowWork.SCAN),
    (r"validate constraint", _ONLINE, RowWork.SCAN),
    (r"drop |rename ", _EXCLUSIVE, RowWork.NONE),
    (r"alter (?:column )?\S+ (?:set data )?type ", _EXCLUSIVE, RowWork.REWRITE),
    (r"alter (?:column )?\S+ set not null", _EXCLUSIVE, RowWork.SCAN),
    (r"alter (?:column )?\S+ set statistics", _ONLINE, RowWork.NONE),
    (r"alter (?:column )?\S+ (?:set|drop) ", _EXCLUSIVE, RowWork.NONE),
    (r"set \(", _ONLINE, RowWork.NONE),
)
_STATEMENTS: tuple[tuple[str, LockMode, RowWork], ...] = (
    (r"create trigger .*? on ", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE),
    (r"create or replace trigger .*? on ", LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE),
    (r"drop trigger .*? on ", _EXCLUSIVE, RowWork.NONE),
    (r"create (?:unique )?index concurrently .*? on ", _ONLINE, RowWork.SCAN),
    (r"create (?:unique )?index .*? on ", LockMode.SHARE, RowWork.SCAN),
    (r"comment on table ", _ONLINE, RowWork.NONE),
    (r"insert into ", LockMode.ROW_EXCLUSIVE, RowWork.CHANGE),
    (r"(?:update|delete from) ", LockMode.ROW_EXCLUSIVE, RowWork.CHANGE),
    (r"truncate (?:table )?", _EXCLUSIVE, RowWork.REWRITE),
)
_LOCKS_NO_TABLE = re.compile(r"(?:set|create (?:or replace )?function|drop function|create sequence|select) ")


def locks_taken(statement: str, lookup: CatalogLookup) -> tuple[TableLock, ...]:
    """Return the locks that a statement takes on existing tables: the strongest for each table."""
    text = re.sub(r"\s+", " ", statement).strip().rstrip(";").lower()
    strongest: dict[str, TableLock] = {}
    for lock in _locks(text, lookup):
        other = strongest.get(lock.table, lock)
        strongest[lock.table] = TableLock(
            lock.table, max(lock.lock, other.lock), max(lock.work, other.work), lock.is_known and other.is_known
        )
    return tuple(strongest.values())


def _locks(text: str, lookup: CatalogLookup) -> Iterator[TableLock]:
    if _LOCKS_NO_TABLE.match(text):
        return
    if found := re.match(rf"alter table {_NAME} (.*)", text):
        table = plain_name(found[1])
        for action in split_actions(found[2]):
            yield from _of_action(table, action, lookup)
    elif re.match("create table ", text):
        for referenced in re.findall(r'references ([\w."]+)', text):
            yield TableLock(plain_name(referenced), LockMode.SHARE_ROW_EXCLUSIVE, RowWork.NONE)
    elif found := re.match(rf"drop table {_NAME}", text):
        yield from _of_drop(plain_name(found[1]), lookup)
    elif found := re.match(rf"drop index (concurrently )?{_NAME}", text):
        table = lookup.indexes.get(plain_name(found[2]), "")
        if table:
            yield TableLock(table, _ONLINE if found[1] else _EXCLUSIVE, RowWork.NONE)
    elif found := re.match(r"comment on column ([\w.\"]+)\.[\w\"]+ ", text):
        yield TableLock(plain_name(found[1]), _ONLINE, RowWork.NONE)
    else:
        yield from _of_statement(text)


def _of_statement(text: str) -> Iterator[TableLock]:
    for pattern, lock, work in _STATEMENTS:
        if found := re.match(pattern + _NAME, text):
            yield TableLock(plain_name(found[1]), lock, work)
            return
    yield TableLock("tables that it names", _EXCLUSIVE, RowWork.REWRITE, is_known=False)


def _of_action(table: str, action: str, lookup: CatalogLookup) -> Iterator[TableLock]:
    lock, work, is_known = _EXCLUSIVE, RowWork.REWRITE, False
    for pattern, takes, does in _ACTIONS:
        if re.match(pattern, action):
            lock, work, is_known = takes, does, True
            break
    yield TableLock(table, lock, work, is_known)
    if found := re.search(r'references ([\w."]+)', action):
        yield TableLock(plain_name(found[1]), LockMode.SHARE_ROW_EXCLUSIVE, min(work, RowWork.SCAN))
    for found in re.finditer(rf"(drop|validate) (?:constraint|column) {_NAME}", action):
        for referenced in _referenced(table, plain_name(found[2]), lookup):
            if found[1] == "drop":
                yield TableLock(referenced, _EXCLUSIVE, RowWork.NONE)
            else:
                yield TableLock(referenced, LockMode.ROW_SHARE, RowWork.SCAN)


def _referenced(table: str, dropped: str, lookup: CatalogLookup) -> Iterator[str]:
    """Yield the table that a foreign key references, found by the name of the constraint or of its column."""
    for name in (dropped, f"fk_{table}_{dropped}"):
        if (table, name) in lookup.foreign_keys:
            yield lookup.foreign_keys[(table, name)]


def _of_drop(table: str, lookup: CatalogLookup) -> Iterator[TableLock]:
    yield TableLock(table, _EXCLUSIVE, RowWork.NONE)
    for (owner, _), referenced in lookup.foreign_keys.items():
        if owner == table:
            yield TableLock(referenced, _EXCLUSIVE, RowWork.NONE)


def split_actions(actions: str) -> list[str]:
    """Split the actions of an ALTER TABLE at the commas outside brackets and quotes."""
    found, depth, quoted = [""], 0, False
    for letter in actions:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and depth == 0 and not quoted:
            found.append("")
        else:
            found[-1] += letter
    return [action.strip() for action in found]


def plain_name(name: str) -> str:
    """Return a table's name without its schema and quotes."""
    return name.rpartition(".")[2].strip('"')
