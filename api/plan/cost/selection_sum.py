"""A number that is added up over a selection: the records of a response, or the rows that are read for it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from api.plan.selection import (
    AuditedRecord,
    Connection,
    DuplicatePairs,
    Field,
    Groups,
    KeyValues,
    ManyRecords,
    OneRecord,
    PairNodes,
    PairRecord,
    ResultNodes,
    SearchResults,
    Selection,
    ToMany,
    ToOne,
    Typename,
)


class SelectionSum(ABC):
    """Walks a selection. What a record counts is the same everywhere; what a list counts is up to the subclass.

    Whole numbers stay whole.
    """

    record: float
    """What a record counts by itself."""
    linked_record: float
    """What a record that another one links to counts by itself."""

    def of(self, selection: Selection) -> float:
        """Return the number of a selection."""
        match selection:
            case Typename():
                return 0
            case OneRecord(fields=fields):
                return self.record + self.of_fields(fields)
            case ManyRecords(ids=ids, fields=by_table):
                counted = {table: self.record + self.of_fields(fields) for table, fields in by_table}
                return sum(counted[key.table] for key in ids)
            case Connection():
                return self.of_connection(selection)
            case SearchResults():
                return self.of_results(selection)
            case DuplicatePairs():
                return self.of_pairs(selection)

    def of_fields(self, fields: Iterable[Field]) -> float:
        """Return the number of what the fields of one record select; its columns count nothing."""
        total: float = 0
        for field in fields:
            if isinstance(field, ToOne):
                total += self.linked_record + self.of_fields(field.fields)
            elif isinstance(field, AuditedRecord):
                total += self.linked_record + max(self.of_fields(fields) for _, fields in field.fields)
            elif isinstance(field, ToMany):
                total += self.of_inner_list(field)
        return total

    def of_keys(self, groups: Groups) -> float:
        """Return the number of the records in the key of one group."""
        keys = (key for part in groups.parts if isinstance(part, KeyValues) for key in part.parts)
        return self.of_fields(key for key in keys if isinstance(key, ToOne))

    def of_result(self, nodes: ResultNodes) -> float:
        """Return the number of one result of a search: of the table whose records count the most."""
        return self.record + max(self.of_fields(fields) for _, fields in nodes.fields)

    def of_pair(self, nodes: PairNodes) -> float:
        """Return the number of the records of one pair of likely duplicates, without the pair itself."""
        records = (part for part in nodes.parts if isinstance(part, PairRecord))
        return sum(self.record + self.of_fields(part.fields) for part in records)

    @abstractmethod
    def of_inner_list(self, field: ToMany) -> float:
        """Return the number of the list of one record."""

    @abstractmethod
    def of_connection(self, connection: Connection) -> float:
        """Return the number of a list."""

    @abstractmethod
    def of_results(self, results: SearchResults) -> float:
        """Return the number of a page of search results."""

    @abstractmethod
    def of_pairs(self, pairs: DuplicatePairs) -> float:
        """Return the number of a page of likely duplicates."""
