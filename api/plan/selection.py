"""The selected fields of a document as a frozen tree, without SQL and without GraphQL.

The reader of GraphQL documents has resolved fragments, variables, aliases and directives. Every part has a `key`: its
name in the response. No two parts of one object have the same key.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.identity.ids import RecordKey
from api.plan.list_arguments import AggregateCall, GroupingKey, GroupOrderTerm, Having, Page
from api.sql import Parameter

# -------------------------------------------------------------------------------------------------------- records


@dataclass(frozen=True, slots=True)
class Typename:
    """The name of the GraphQL type, a constant."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """The value of a column; if `is_float`, its decimal as the nearest 64-bit number."""

    key: str
    column: str
    is_float: bool = False


@dataclass(frozen=True, slots=True)
class RecordId:
    """The id of the record. Read as of an instant it carries the instant, unless it is `plain`."""

    key: str
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class ObjectMember:
    """A field of an object that is not a record: of money, a present stage, or the page information of a list."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A money column with its currency: an object with the fields `amount` and `currency`."""

    key: str
    column: str
    parts: "tuple[ObjectMember | Typename, ...]"


@dataclass(frozen=True, slots=True)
class ConvertedMoney:
    """A money column in the reporting currency: an object like `Amount`; null if unknown or not converted."""

    key: str
    column: str
    parts: "tuple[ObjectMember | Typename, ...]"


@dataclass(frozen=True, slots=True)
class PresentStage:
    """The stage that a contact is in: an object with the fields `key`, `title`, `since`, `rank`, `group`, `occurrence`.

    As the key of a group of contacts, without `since` and `occurrence`.
    """

    key: str
    parts: "tuple[ObjectMember | Typename, ...]"


@dataclass(frozen=True, slots=True)
class IsCounted:
    """Whether KPIs can count the record."""

    key: str


@dataclass(frozen=True, slots=True)
class NotCountedBecause:
    """The reasons why KPIs never count the record, as a list; empty if they can."""

    key: str


@dataclass(frozen=True, slots=True)
class VersionNumber:
    """The number of the version of the accord that a column refers to."""

    key: str
    column: str


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit keeps of a change: `before` or `after`, as JSON, or `changed_id`, the id of the record."""

    key: str
    column: str


@dataclass(frozen=True, slots=True)
class AuditedRecord:
    """The record that an event of the audit is about; null if there is none or it is not visible.

    `fields` holds the selected fields of every table that it may be of.
    """

    key: str
    fields: "tuple[tuple[str, tuple[Field, ...]], ...]"


@dataclass(frozen=True, slots=True)
class ToOne:
    """The record that a foreign key names; null if there is none or it is not visible."""

    key: str
    column: str
    table: str
    fields: "tuple[Field, ...]"


@dataclass(frozen=True, slots=True)
class ToMany:
    """The records whose foreign key `column` names this record."""

    key: str
    column: str
    connection: "Connection"


# A field that a row has without its linked records.
ValueField = Typename | ColumnValue | RecordId | Amount | ConvertedMoney | PresentStage | IsCounted | NotCountedBecause
Field = ValueField | VersionNumber | Audited | AuditedRecord | ToOne | ToMany

# ---------------------------------------------------------------------------------------------------------- lists


@dataclass(frozen=True, slots=True)
class TotalCount:
    """The number of rows that match, on all pages together."""

    key: str


@dataclass(frozen=True, slots=True)
class AssumedCount:
    """The number of rows that match whose values, as of the instant, are from an assumed history."""

    key: str


@dataclass(frozen=True, slots=True)
class Nodes:
    """The rows of the page."""

    key: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The cursor of a row: its opaque position in the list."""

    key: str


@dataclass(frozen=True, slots=True)
class Edges:
    """The rows of the page, together with their cursors."""

    key: str
    parts: "tuple[Cursor | Nodes | Typename, ...]"


@dataclass(frozen=True, slots=True)
class PageInfo:
    """The position of the page: `hasNextPage`, `hasPreviousPage`, `startCursor` and `endCursor`."""

    key: str
    parts: tuple[ObjectMember | Typename, ...]


# ------------------------------------------------------------------------------------------- aggregates and groups


@dataclass(frozen=True, slots=True)
class AggregateField:
    """The value of an aggregate. Money is a list of objects, one per currency, with `parts` as their fields.

    Converted money is one object: `amount`, `currency` and `unconvertedCount`. If `is_float`, the value is a decimal as
    the nearest 64-bit number.
    """

    key: str
    call: AggregateCall
    parts: tuple[ObjectMember | Typename, ...] = ()
    is_float: bool = False


@dataclass(frozen=True, slots=True)
class FunctionFields:
    """The aggregates of one function, by column."""

    key: str
    parts: tuple[AggregateField | Typename, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The aggregates of all rows that match, on all pages together; within a group, of the rows of the group."""

    key: str
    parts: tuple[AggregateField | FunctionFields | Typename, ...]


@dataclass(frozen=True, slots=True)
class KeyValues:
    """The values of a group's keys, by column; a column that is not a grouping key is null."""

    key: str
    parts: tuple[ColumnValue | ToOne | PresentStage | Typename, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of all rows that match, on all pages together: those that meet `having`, sorted, the first `size`.

    Without a size, all of them: the statement fails if there are more than `MAX_GROUPS`.
    """

    key: str
    keys: tuple[GroupingKey, ...]
    parts: tuple[AggregateField | KeyValues | Aggregate | Typename, ...]
    size: int | None
    having: Having
    order: tuple[GroupOrderTerm, ...]


@dataclass(frozen=True, slots=True)
class GroupCount:
    """The number of groups of all rows that match that meet `having`."""

    key: str
    keys: tuple[GroupingKey, ...]
    having: Having


# ----------------------------------------------------------------------------------------------------- root fields


@dataclass(frozen=True, slots=True)
class Connection:
    """A list: one page of a table's rows, and aggregates and groups of all rows that match."""

    table: str
    page: Page
    parts: "tuple[ConnectionPart, ...]"


ConnectionPart = TotalCount | AssumedCount | Nodes | Edges | PageInfo | Aggregate | Groups | GroupCount | Typename


@dataclass(frozen=True, slots=True)
class OneRecord:
    """One record by its id; null if there is none or it is not visible."""

    table: str
    id: UUID | Parameter
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ManyRecords:
    """Records of several tables by their ids, in the order of the ids; null for a record that is not visible.

    `fields` holds the selected fields of every table that `ids` names.
    """

    ids: tuple[RecordKey, ...]
    fields: tuple[tuple[str, tuple[Field, ...]], ...]


@dataclass(frozen=True, slots=True)
class ResultNodes:
    """The records on a page of search results. `fields` holds the selected fields of every table that is searched."""

    key: str
    fields: tuple[tuple[str, tuple[Field, ...]], ...]


@dataclass(frozen=True, slots=True)
class ResultEdges:
    """The records on a page of search results, together with their cursors."""

    key: str
    parts: tuple[Cursor | ResultNodes | Typename, ...]


@dataclass(frozen=True, slots=True)
class SearchResults:
    """A page of the records of several tables in which every word begins some word; `tables` are in order of rank.

    `names_tables`: the request names them. Otherwise they are all searched tables, and those with searched columns that
    the principal may not read are left out.
    """

    tables: tuple[str, ...]
    words: tuple[str, ...] | Parameter
    size: int
    after: str | None
    parts: tuple[TotalCount | ResultNodes | ResultEdges | PageInfo | Typename, ...]
    names_tables: bool = True


@dataclass(frozen=True, slots=True)
class PairRecord:
    """A record of a pair of likely duplicates: the first one, or the other one (`is_duplicate`)."""

    key: str
    is_duplicate: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class PairReasons:
    """The reasons why the records of a pair are likely the same, as a list."""

    key: str


@dataclass(frozen=True, slots=True)
class PairNodes:
    """The pairs on a page of likely duplicates."""

    key: str
    parts: tuple[PairRecord | PairReasons | Typename, ...]


@dataclass(frozen=True, slots=True)
class PairEdges:
    """The pairs on a page of likely duplicates, together with their cursors."""

    key: str
    parts: tuple[Cursor | PairNodes | Typename, ...]


@dataclass(frozen=True, slots=True)
class DuplicatePairs:
    """A page of the pairs of likely duplicates of a table for any of the reasons; with `record`, of its pairs."""

    table: str
    reasons: tuple[str, ...]
    record: UUID | Parameter | None
    size: int
    after: str | None
    parts: tuple[TotalCount | PairNodes | PairEdges | PageInfo | Typename, ...]


Selection = OneRecord | ManyRecords | Connection | SearchResults | DuplicatePairs | Typename


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field of a document. With `as_of`, everything in it is read as of that instant."""

    key: str
    selection: Selection
    as_of: datetime | Parameter | None = None
