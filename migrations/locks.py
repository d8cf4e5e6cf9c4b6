"""Which locks a statement of a migration takes on which tables, and whether it reads or rewrites them.

Told from the statement alone, by PostgreSQL's documentation ("Explicit Locking", "ALTER TABLE"); a test holds it equal
to what PostgreSQL does. What is not recognised is told as the worst that it can be.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Lock(IntEnum):
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
        if self is Lock.ACCESS_EXCLUSIVE:
            return "reads and writes wait"
        return "writes wait" if self >= Lock.SHARE else "nobody waits"


class Work(IntEnum):
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
class Hold:
    """A lock on a table, and the work on its rows; `is_known` false: the statement was not recognised."""

    table: str
    lock: Lock
    work: Work
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Names:
    """What a statement does not tell, but the database does: an index's table, the table that a foreign key names."""

    indexes: Mapping[str, str] = field(default_factory=dict)
    foreign_keys: Mapping[tuple[str, str], str] = field(default_factory=dict)


_NAME = r'(?:only )?(?:if (?:not )?exists )?([\w."]+)'
_SHUT, _QUIET = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_UPDATE_EXCLUSIVE
_VOLATILE = r"default .*\b(?:gen_random_uuid|random|clock_timestamp|timeofday|uuid\w*|nextval)\("
_ADD_COLUMN = r"add (?!constraint|primary|unique|check|foreign|exclude)(?:column )?"

# The actions of ALTER TABLE, the first that matches: the lock and the work on the table itself.
_ACTIONS: tuple[tuple[str, Lock, Work], ...] = (
    (rf"{_ADD_COLUMN}.*(?:{_VOLATILE}|generated | serial)", _SHUT, Work.REWRITE),
    (rf"{_ADD_COLUMN}.* (?:check ?\(|default .*references )", _SHUT, Work.SCAN),
    (_ADD_COLUMN, _SHUT, Work.NONE),
    (r"add .*foreign key.* not valid", Lock.SHARE_ROW_EXCLUSIVE, Work.NONE),
    (r"add .*foreign key", Lock.SHARE_ROW_EXCLUSIVE, Work.SCAN),
    (r"add .*(?:not valid|using index)", _SHUT, Work.NONE),
    (r"add ", _SHUT, Work.SCAN),
    (r"validate constraint", _QUIET, Work.SCAN),
    (r"drop |rename ", _SHUT, Work.NONE),
    (r"alter (?:column )?\S+ (?:set data )?type ", _SHUT, Work.REWRITE),
    (r"alter (?:column )?\S+ set not null", _SHUT, Work.SCAN),
    (r"alter (?:column )?\S+ set statistics", _QUIET, Work.NONE),
    (r"alter (?:column )?\S+ (?:set|drop) ", _SHUT, Work.NONE),
    (r"set \(", _QUIET, Work.NONE),
)
_STATEMENTS: tuple[tuple[str, Lock, Work], ...] = (
    (r"create trigger .*? on ", Lock.SHARE_ROW_EXCLUSIVE, Work.NONE),
    (r"create or replace trigger .*? on ", Lock.SHARE_ROW_EXCLUSIVE, Work.NONE),
    (r"drop trigger .*? on ", _SHUT, Work.NONE),
    (r"create (?:unique )?index concurrently .*? on ", _QUIET, Work.SCAN),
    (r"create (?:unique )?index .*? on ", Lock.SHARE, Work.SCAN),
    (r"comment on table ", _QUIET, Work.NONE),
    (r"insert into ", Lock.ROW_EXCLUSIVE, Work.CHANGE),
    (r"(?:update|delete from) ", Lock.ROW_EXCLUSIVE, Work.CHANGE),
    (r"truncate (?:table )?", _SHUT, Work.REWRITE),
)
_HOLDS_NOTHING = re.compile(r"(?:set|create (?:or replace )?function|drop function|create sequence|select) ")


def holds(statement: str, names: Names) -> tuple[Hold, ...]:
    """The locks that a statement takes on tables that are there, the strongest for each table."""
    text = re.sub(r"\s+", " ", statement).strip().rstrip(";").lower()
    strongest: dict[str, Hold] = {}
    for each in _found(text, names):
        before = strongest.get(each.table, each)
        strongest[each.table] = Hold(
            each.table, max(each.lock, before.lock), max(each.work, before.work), each.is_known and before.is_known
        )
    return tuple(strongest.values())


def _found(text: str, names: Names) -> Iterator[Hold]:
    if _HOLDS_NOTHING.match(text):
        return
    if said := re.match(rf"alter table {_NAME} (.*)", text):
        table = _plain(said[1])
        for action in _split(said[2]):
            yield from _of_action(table, action, names)
    elif re.match("create table ", text):
        for referenced in re.findall(r'references ([\w."]+)', text):
            yield Hold(_plain(referenced), Lock.SHARE_ROW_EXCLUSIVE, Work.NONE)
    elif said := re.match(rf"drop table {_NAME}", text):
        yield from _of_drop(_plain(said[1]), names)
    elif said := re.match(rf"drop index (concurrently )?{_NAME}", text):
        table = names.indexes.get(_plain(said[2]), "")
        if table:
            yield Hold(table, _QUIET if said[1] else _SHUT, Work.NONE)
    elif said := re.match(r"comment on column ([\w.\"]+)\.[\w\"]+ ", text):
        yield Hold(_plain(said[1]), _QUIET, Work.NONE)
    else:
        yield from _of_statement(text)


def _of_statement(text: str) -> Iterator[Hold]:
    for pattern, lock, work in _STATEMENTS:
        if said := re.match(pattern + _NAME, text):
            yield Hold(_plain(said[1]), lock, work)
            return
    yield Hold("tables that it names", _SHUT, Work.REWRITE, is_known=False)


def _of_action(table: str, action: str, names: Names) -> Iterator[Hold]:
    lock, work, is_known = _SHUT, Work.REWRITE, False
    for pattern, takes, does in _ACTIONS:
        if re.match(pattern, action):
            lock, work, is_known = takes, does, True
            break
    yield Hold(table, lock, work, is_known)
    if said := re.search(r'references ([\w."]+)', action):
        yield Hold(_plain(said[1]), Lock.SHARE_ROW_EXCLUSIVE, min(work, Work.SCAN))
    for said in re.finditer(rf"(drop|validate) (?:constraint|column) {_NAME}", action):
        for referenced in _referenced(table, _plain(said[2]), names):
            if said[1] == "drop":
                yield Hold(referenced, _SHUT, Work.NONE)
            else:
                yield Hold(referenced, Lock.ROW_SHARE, Work.SCAN)


def _referenced(table: str, dropped: str, names: Names) -> Iterator[str]:
    """The table that a foreign key names: by the constraint's own name, or by its column's."""
    for name in (dropped, f"fk_{table}_{dropped}"):
        if (table, name) in names.foreign_keys:
            yield names.foreign_keys[(table, name)]


def _of_drop(table: str, names: Names) -> Iterator[Hold]:
    yield Hold(table, _SHUT, Work.NONE)
    for (owner, _), referenced in names.foreign_keys.items():
        if owner == table:
            yield Hold(referenced, _SHUT, Work.NONE)


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
