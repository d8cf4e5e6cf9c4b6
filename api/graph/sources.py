"""What a field of a GraphQL type is read from. `reading/` turns these values into the planner's selection."""

from dataclasses import dataclass

from schema.declarations import Link


@dataclass(frozen=True, slots=True)
class FromColumn:
    """A column of the row; if `is_float`, its decimal as the nearest number."""

    column: str
    is_float: bool = False


@dataclass(frozen=True, slots=True)
class FromRecordId:
    """The id of the record. If `is_plain`, it never carries an instant."""

    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class FromMoney:
    """A money column and the currency beside it."""

    column: str


@dataclass(frozen=True, slots=True)
class FromConverted:
    """A money column, converted to the reporting currency."""

    column: str


@dataclass(frozen=True, slots=True)
class FromLink:
    """The record that a foreign key refers to."""

    link: Link


@dataclass(frozen=True, slots=True)
class FromBack:
    """The rows of another table whose foreign key refers to this record."""

    table: str
    link: Link


@dataclass(frozen=True, slots=True)
class FromStage:
    """The current stage of a contact."""


@dataclass(frozen=True, slots=True)
class FromIsCounted:
    """Whether KPIs can count the record."""


@dataclass(frozen=True, slots=True)
class FromNotCountedBecause:
    """The reasons why KPIs never count the record."""


@dataclass(frozen=True, slots=True)
class FromVersionNumber:
    """The number of the version of the accord that a hidden column refers to."""

    column: str


@dataclass(frozen=True, slots=True)
class FromAudited:
    """What the audit keeps of a change: the record's id, or the values before or after."""

    column: str


@dataclass(frozen=True, slots=True)
class FromAuditedRecord:
    """The record that an event of the audit is about, of any type."""


@dataclass(frozen=True, slots=True)
class FromTable:
    """A root field: a list of the rows of a table."""

    table: str


@dataclass(frozen=True, slots=True)
class FromId:
    """A root field: the record that its argument `id` names. Without a table, the id's prefix decides the table."""

    table: str | None = None


@dataclass(frozen=True, slots=True)
class FromIds:
    """A root field: the records that its argument `ids` names, of any tables, in the order of the ids."""


@dataclass(frozen=True, slots=True)
class FromSearch:
    """A root field: the records of several tables that its argument `text` finds."""


@dataclass(frozen=True, slots=True)
class FromDuplicates:
    """A root field: the pairs of records of a table that are likely the same."""

    table: str


@dataclass(frozen=True, slots=True)
class FromAttribute:
    """An attribute of a Python value, which its resolver returns."""

    attribute: str


@dataclass(frozen=True, slots=True)
class FromDrillDown:
    """The records that a figure counts, which an attribute of its value describes."""

    attribute: str


FieldSource = (
    FromColumn
    | FromRecordId
    | FromMoney
    | FromConverted
    | FromLink
    | FromBack
    | FromStage
    | FromIsCounted
    | FromNotCountedBecause
    | FromVersionNumber
    | FromAudited
    | FromAuditedRecord
    | FromTable
    | FromId
    | FromIds
    | FromSearch
    | FromDuplicates
    | FromAttribute
    | FromDrillDown
)
