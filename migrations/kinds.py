"""Whether a migration expands or contracts, derived from its statements where that is certain.

It expands if the release before still reads and writes on the migrated database: what it does not know is null, has a
default, or is a table or an index of its own. It contracts if something that the release may use is dropped, renamed,
required or of another type. Everything else depends on what the release does, so the author states it.
"""

import re
from collections.abc import Iterable

from api.revisions import MigrationKind
from migrations.locks import plain_name, split_actions

EXPAND, CONTRACT = MigrationKind.EXPAND, MigrationKind.CONTRACT
_NAME = r'(?:only )?(?:if (?:not )?exists )?([\w."]+)'
_ADD_COLUMN = r"add (?:column )?(?!constraint|primary|unique|check|foreign|exclude)"
# The first pattern that matches applies. None: not certain.
_ACTIONS: tuple[tuple[str, MigrationKind | None], ...] = (
    (rf"{_ADD_COLUMN}.* (?:check ?\(|references )", None),
    (rf"{_ADD_COLUMN}.* generated always as \(", EXPAND),
    (rf"{_ADD_COLUMN}.* generated .*as identity", EXPAND),
    (rf"{_ADD_COLUMN}.* default ", EXPAND),
    (rf"{_ADD_COLUMN}.* not null", CONTRACT),
    (rf"{_ADD_COLUMN}", EXPAND),
    (r"validate constraint ", EXPAND),
    (r"drop constraint ", None),  # its replacement decides, and whether the release relies on it
    (r"drop |rename ", CONTRACT),
    (r"alter (?:column )?\S+ (?:set data )?type ", CONTRACT),
    (r"alter (?:column )?\S+ set not null", CONTRACT),
    (r"alter (?:column )?\S+ drop default", CONTRACT),
    (r"alter (?:column )?\S+ set statistics ", EXPAND),
    (r"set \(", EXPAND),
)
_STATEMENTS: tuple[tuple[str, MigrationKind | None], ...] = (
    (r"set |create table |create index |comment on |create sequence ", EXPAND),
    (r"drop table |drop function |drop sequence |alter sequence .* rename ", CONTRACT),
)
# The functions that a declaration with history or corrections derives write every column that is there.
_DERIVED_FUNCTION = r"create (?:or replace )?function (?:\w+\.)?(\w+_history|\w+_corrected)\("
_DERIVED_TRIGGER = r"(?:create (?:or replace )?|drop )trigger \w+_(?:history|corrected)_(?:insert|update|delete) "


def derived_kind(statements: Iterable[str]) -> MigrationKind | None:
    """Return the kind of a migration with these SQL statements; None if it is not certain."""
    texts = [re.sub(r"\s+", " ", statement).strip().rstrip(";").lower() for statement in statements]
    own = {plain_name(found[1]) for text in texts if (found := re.match(rf"create table {_NAME}", text))}
    kinds = [kind for text in texts for kind in _kinds(text, own, texts)]
    if CONTRACT in kinds:
        return CONTRACT
    return None if None in kinds else EXPAND


def _kinds(text: str, own: set[str], texts: list[str]) -> list[MigrationKind | None]:
    """Return the kinds of the parts of a statement. The release before does not know the tables in `own`."""
    if found := re.match(rf"alter table {_NAME} (.*)", text):
        if plain_name(found[1]) in own:
            return [EXPAND]
        return [_first(_ACTIONS, action) for action in split_actions(found[2])]
    if found := re.match(rf"create (?:unique )?index (?:concurrently )?.*? on {_NAME}", text):
        return [EXPAND if plain_name(found[1]) in own or not text.startswith("create unique") else None]
    if found := re.match(rf"drop index (?:concurrently )?{_NAME}", text):
        return [EXPAND if _is_built_again(plain_name(found[1]), texts) else None]
    if found := re.match(_DERIVED_FUNCTION, text):
        return [EXPAND]
    if re.match(_DERIVED_TRIGGER, text):
        return [EXPAND if text.startswith("create") or _is_created_again(text, texts) else CONTRACT]
    return [_first(_STATEMENTS, text)]


def _first(patterns: Iterable[tuple[str, MigrationKind | None]], text: str) -> MigrationKind | None:
    return next((kind for pattern, kind in patterns if re.match(pattern, text)), None)


def _is_built_again(index: str, texts: list[str]) -> bool:
    """Whether the migration builds the index that it drops: a failed run may have left it."""
    return any(re.match(rf"create index (?:concurrently )?(?:if not exists )?{index} ", text) for text in texts)


def _is_created_again(dropped: str, texts: list[str]) -> bool:
    name = dropped.split()[2]
    return any(re.match(rf"create (?:or replace )?trigger {name} ", text) for text in texts)
