"""The values of closed sets: a filter that names a value that is in none is rejected, and not answered with nothing.

Closed are the stages and reject reasons of the accord, countries, channels, and the records that others are linked to
(campaigns, members, teams, pipelines and their stages, products). Whatever some record has is known as well, so that
facts of an earlier accord can still be found. Free texts are only looked up. The rule serves filters of lists and of
KPIs alike.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast
from uuid import UUID

from api.errors import AccordError, ErrorCode
from api.plan.list_arguments import STAGE_GROUP
from api.sql import Sql, all_of, name
from schema.countries import country_code, country_names
from schema.nearest_words import did_you_mean, nearest_words, suggestion
from schema.tables import SHAPES

# Runs a statement and returns its value.
ReadValue: TypeAlias = Callable[[Sql], Awaitable[object]]

_SHOWN_CHARACTERS = 60
_MOST_COMPARED = 5_000  # names that a misspelt one is compared with: those of the most similar length


@dataclass(frozen=True, slots=True)
class ClosedSet:
    """A closed set of values: what one of them is called, and all of them."""

    noun: str
    plural: str

    def unknown(self, text: str, known: Iterable[str]) -> AccordError:
        """The error for a value that is in no closed set, with the nearest that are."""
        message = f"There is no {self.noun} '{shortened(text)}'."
        return AccordError(ErrorCode.UNKNOWN_VALUE, message, suggestion(text, known, self.plural))

    def word(self, text: str, known: Collection[str]) -> str | None:
        """The known value that the text is, in its own spelling, or else in any case; None if it is none."""
        if text in known:
            return text
        return next((word for word in known if word.casefold() == text.strip().casefold()), None)


@dataclass(frozen=True, slots=True)
class UnknownText:
    """A free text in a filter that no record ever had: an answer with it may be 0 because it is misspelt.

    `near` are texts that records had and that are spelled most like it, the same in other letters first.
    """

    table: str
    column: str
    text: str
    near: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The warning in words."""
        way = did_you_mean(tuple(f"'{text}'" for text in self.near)) or "Check how it is spelt."
        shown = shortened(self.text)
        if self.column == "name":
            return f"No {self.table} visible to you has the name '{shown}' of the filter. {way}"
        record, noun = (word.replace("_", " ") for word in (self.table, self.column))
        return f"No {record} ever had the {noun} '{shown}' that the filter names. {way}"


def shortened(text: str) -> str:
    """Return the beginning of a text, for a message: a caller may send megabytes."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


STAGES = ClosedSet("stage", "stages")
STAGE_GROUPS = ClosedSet("group of stages", "groups")
REJECT_REASONS = ClosedSet("reject reason", "reject reasons")
COUNTRIES = ClosedSet("country", "countries")
CHANNELS = ClosedSet("channel", "channels")
# Columns with keys and codes of the accord, or with countries.
CLOSED_COLUMNS = {
    ("stage_entry", "stage"): STAGES,
    ("stage_entry", STAGE_GROUP): STAGE_GROUPS,
    ("reported_stage", "stage"): STAGES,
    ("handoff", "reject_reason"): REJECT_REASONS,
    ("contact", "country"): COUNTRIES,
    ("company", "country"): COUNTRIES,
}
# Columns with texts as the source systems write them. One that no record ever had is answered with a warning.
FREE_TEXTS = frozenset(
    {
        ("contact", "lead_source"),
        ("contact", "source_detail"),
        ("contact", "job_title"),
        ("company", "industry"),
        ("deal", "lost_reason"),
        ("deal_contact", "role"),
        ("campaign", "type"),
        ("campaign", "utm_campaign"),
        ("product", "family"),
    }
)
# The same where a filter names a linked record by them. A list of these records may be searched by any text.
LINKED_TEXTS = frozenset({("company", "name")})
# Tables whose records are few and visible to everyone; deleted ones stay known. Of other tables nothing is said about
# what exists: an error would reveal hidden records.
RECORD_SETS = {
    "campaign": ClosedSet("campaign", "campaigns"),
    "member": ClosedSet("member", "members"),
    "team": ClosedSet("team", "teams"),
    "pipeline": ClosedSet("pipeline", "pipelines"),
    "pipeline_stage": ClosedSet("pipeline stage", "pipeline stages"),
    "product": ClosedSet("product", "products"),
}
_OF_THE_ACCORD = {
    STAGES: ("stages", "key"),
    STAGE_GROUPS: ("stages", "group"),
    REJECT_REASONS: ("reject_reasons", "code"),
}


def country_values(text: str) -> tuple[str, ...]:
    """The values of a country column that a country may be stored as: its code, and the text itself."""
    code = country_code(text)
    return (text,) if code is None or code == text else (code, text)


async def require_column_values(
    read: ReadValue, table: str, column: str, values: Sequence[str], visible: Iterable[Sql] = ()
) -> None:
    """Require values that the closed column can have.

    Reads the accord, and only for a value that is not in it whether any record has it; `visible` as in `has_value`.
    Errors: UNKNOWN_VALUE with the nearest values.
    """
    closed = CLOSED_COLUMNS[table, column]
    if not values:
        return
    if closed is COUNTRIES:
        unclear = [value for value in values if country_code(value) is None]
        known: Sequence[str] = country_names() if unclear else ()
    else:
        known = await _words_of_the_accord(read, closed)
        unclear = [value for value in values if value not in known]
    for value in unclear:
        if not await has_value(read, table, column, value, visible):
            raise closed.unknown(value, known)


async def require_record_names(read: ReadValue, table: str, names: Sequence[str]) -> None:
    """Require that every name is that of a record. Errors: UNKNOWN_VALUE with the nearest names."""
    if not names:
        return
    known = Sql("select array(select x.name from {} x where x.name = any ({}::text[]))", name(table), list(names))
    found = cast("list[str]", await read(known))
    for text in names:
        if text not in found:
            raise RECORD_SETS[table].unknown(text, await _similar(read, table, "name", text))


async def require_record_ids(read: ReadValue, table: str, ids: Sequence[UUID]) -> None:
    """Require that every id is that of a record. Errors: UNKNOWN_VALUE."""
    if not ids:
        return
    known = Sql("select array(select x.id from {} x where x.id = any ({}::uuid[]))", name(table), list(ids))
    found = cast("list[UUID]", await read(known))
    for record_id in ids:
        if record_id not in found:
            noun = RECORD_SETS[table].noun
            raise AccordError(
                ErrorCode.UNKNOWN_VALUE,
                f"There is no {noun} with the id '{table}_{record_id}'.",
                f"Take the id from the field `id` of a {noun}, or filter by its name.",
            )


async def unknown_text(
    read: ReadValue, table: str, column: str, text: str, visible: Iterable[Sql] = ()
) -> UnknownText | None:
    """Return the text with those that are spelled like it if no record ever had it; None if one had.

    `visible` as in `has_value`. Reads a statement, and one more for an unknown text.
    """
    conditions = tuple(visible)
    if await has_value(read, table, column, text, conditions):
        return None
    return await with_near_texts(read, UnknownText(table, column, text), _rows_with_history(table), conditions)


async def with_near_texts(read: ReadValue, unknown: UnknownText, rows: str, visible: Iterable[Sql] = ()) -> UnknownText:
    """Return an unknown text with the texts in its column of `rows` that are spelled most like it."""
    similar = await _similar(read, rows, unknown.column, unknown.text, visible)
    return replace(unknown, near=nearest_words(unknown.text, similar))


async def _similar(read: ReadValue, rows: str, column: str, text: str, visible: Iterable[Sql] = ()) -> list[str]:
    """Return the texts in a column that a misspelt one is compared with: those of the most similar length."""
    own = Sql("x.{}", name(column))
    similar = Sql(
        "select array(select {} from {} x where {} group by 1 order by abs(length({}) - {}::int), 1 limit {}::int)",
        own,
        name(rows),
        all_of((Sql("{} is not null", own), *visible)),
        own,
        len(text),
        _MOST_COMPARED,
    )
    return cast("list[str]", await read(similar))


async def has_value(read: ReadValue, table: str, column: str, value: str, visible: Iterable[Sql] = ()) -> bool:
    """Whether any record has the value in a column, or ever had it where the table keeps its history.

    `visible` are conditions on the rows `x` that may be read. A group of stages is in a version of the accord.
    """
    if column == STAGE_GROUP:
        return bool(await read(Sql("select {}", _is_group(Sql("{}::text", value)))))
    rows = _rows_with_history(table)
    conditions = all_of((Sql("x.{} = {}::text", name(column), value), *visible))
    return bool(await read(Sql("select exists (select from {} x where {})", name(rows), conditions)))


def is_known(table: str, column: str, value: Sql, visible: Iterable[Sql] = ()) -> Sql:
    """The condition that a value is known: to a record, now or in its history, or to the accord in force.

    `visible` as in `has_value`.
    """
    if column == STAGE_GROUP:
        return _is_group(value)
    rows = table if table in RECORD_SETS else _rows_with_history(table)
    has_it = all_of((Sql("x.{} = {}", name(column), value), *visible))
    known = Sql("exists (select from {} x where {})", name(rows), has_it)
    closed = CLOSED_COLUMNS.get((table, column))
    if closed not in _OF_THE_ACCORD:
        return known
    return Sql("({} = any ({}) or {})", value, _accord_words(closed), known)


def _is_group(value: Sql) -> Sql:
    """The condition that a stage of any version of the accord has the group."""
    return Sql(
        "exists (select from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step"
        " where step.value ->> 'group' = {})",
        value,
    )


def _rows_with_history(table: str) -> str:
    return f"{table}_version" if SHAPES[table].has_history else table


def _accord_words(closed: ClosedSet) -> Sql:
    section, key = _OF_THE_ACCORD[closed]
    return Sql(
        "array(select item ->> {}::text from accord_version agreed,"
        " jsonb_array_elements(coalesce(agreed.body::jsonb -> {}::text, '[]'::jsonb)) item"
        " where agreed.status = 'ACTIVE')",
        key,
        section,
    )


async def _words_of_the_accord(read: ReadValue, closed: ClosedSet) -> list[str]:
    """The stage keys, groups or reason codes of the accord in force, each once; none without an accord."""
    words = cast("list[str]", await read(Sql("select {}", _accord_words(closed))))
    return list(dict.fromkeys(words))  # several stages have the same group
