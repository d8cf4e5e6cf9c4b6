"""Evidence that two records are the same: by reason, the values that records of a table have in common.

A record has a value and, for some reasons, places that narrow it down: the company for a name, or the domains of the
e-mail address and of the company. Two records with an equal value and an equal place are a likely pair.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from api.access.scoped_tables import ScopedTables, qualified
from api.sql import Sql, all_of, join, name
from schema.duplicates.reasons import MOST_SHARING, CompanyDuplicateReason, DuplicateReason
from schema.duplicates.spellings import is_same_number
from schema.mail_address import FREE_PROVIDER_FAMILIES, FREE_PROVIDERS
from schema.vocab import Vocabulary

# Conditions on the record with an alias.
Conditions = Callable[[str], tuple[Sql, ...]]

_Places = Callable[[ScopedTables, str], tuple[Sql, ...]]
_OfPair = Callable[[str, str], Sql]
_OfValue = Callable[[ScopedTables, Sql, Sql], Sql]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What makes two records the same for one reason.

    `value` is the compared column, which is computed from the columns `read`: the principal has to be allowed to read
    these. `places` returns the places of the record with an alias, from its columns `of_places`; None: it needs none.
    `of_pair` is a further condition on two records, given their aliases, and `of_value` one on the value and the place
    that they share.
    """

    reason: Vocabulary
    table: str
    value: str
    read: tuple[str, ...]
    places: _Places | None = None
    of_places: tuple[str, ...] = ()
    place_type: str = "text"
    of_pair: _OfPair | None = None
    of_value: _OfValue | None = None

    @property
    def most(self) -> int:
        """The most records that may share the evidence."""
        return MOST_SHARING[self.reason]

    def rows(self, tables: ScopedTables, conditions: Conditions) -> Sql:
        """Return a select of the records within reach that meet the conditions, with one row for every place.

        Shapes: -> value, place (an empty text if the reason needs none), id.
        """
        alias = tables.new_alias()
        value, id_ = qualified(alias, self.value), qualified(alias, "id")
        has_value = Sql("{} is not null", value)
        places = () if self.places is None else self.places(tables, alias)
        if len(places) > 1:
            return self._rows_at_places(tables, conditions, alias, places)
        place = places[0] if places else Sql("''::text")
        has_place = (Sql("{} is not null", place) for place in places)
        rows = tables.from_clause(self.table, alias, has_value, *has_place, *conditions(alias))
        return Sql("select {} as value, {} as place, {} as id{}", value, place, id_, rows)

    def _rows_at_places(self, tables: ScopedTables, conditions: Conditions, alias: str, places: tuple[Sql, ...]) -> Sql:
        """The rows of records with two places each. Who is alone with a value, as most are, needs no places."""
        record, placed = tables.new_alias(), tables.new_alias()
        value, place = qualified(record, self.value), qualified(placed, "place")
        columns = join(", ", (qualified(record, column) for column in ("id", self.value, *self.of_places)))
        rows = tables.from_clause(self.table, record, Sql("{} is not null", value), *conditions(record))
        counted = Sql("select {}, count(*) over (partition by {}) as sharing{}", columns, value, rows)
        first, second = places
        return Sql(
            "select {} as value, {} as place, {} as id from ({}) {} cross join lateral"
            " (values ({}), (nullif({}, {}))) {} (place) where {} > 1 and {} is not null",
            *(qualified(alias, self.value), place, qualified(alias, "id"), counted, name(alias)),
            *(first, second, first, name(placed), qualified(alias, "sharing"), place),
        )

    def is_shared(self, tables: ScopedTables, one: str, other: str, below: Sql | None = None) -> Sql:
        """Return the condition that two records, given their aliases, share the evidence, and not too many others do.

        With `below`, they share it at a place before that one. Cost: a few index lookups.
        """
        value = qualified(one, self.value)
        where = [Sql("{} = {}", value, qualified(other, self.value))]
        if self.of_pair is not None:
            where.append(self.of_pair(one, other))
        if self.places is None:
            return all_of((*where, *self._of_value(tables, value, Sql("''::text")), self._is_rare(tables, value, None)))
        alias = tables.new_alias()
        place, own, others = qualified(alias, "place"), self.places(tables, one), self.places(tables, other)
        at_place = all_of(
            (
                Sql("{} in ({})", place, _listed(others)),
                *(() if below is None else (Sql("{} < {}", place, below),)),
                *self._of_value(tables, value, place),
                self._is_rare(tables, value, place),
            )
        )
        values = _listed(Sql("({})", own_place) for own_place in own)
        return all_of(
            (*where, Sql("exists (select from (values {}) {} (place) where {})", values, name(alias), at_place))
        )

    def _of_value(self, tables: ScopedTables, value: Sql, place: Sql) -> tuple[Sql, ...]:
        return () if self.of_value is None else (self.of_value(tables, value, place),)

    def _is_rare(self, tables: ScopedTables, value: Sql, place: Sql | None) -> Sql:
        """The condition that few enough records have a value. No more are counted: a switchboard has thousands."""
        alias = tables.new_alias()
        rows = self.rows(tables, lambda record: (Sql("{} = {}", qualified(record, self.value), value),))
        at_place = Sql("true") if place is None else Sql("{} = {}", qualified(alias, "place"), place)
        counted = Sql(f"select from ({{}}) {{}} where {{}} limit {self.most + 1}", rows, name(alias), at_place)
        return Sql(f"(select count(*) from ({{}}) {{}}) <= {self.most}", counted, name(tables.new_alias()))


def _listed(expressions: Iterable[Sql]) -> Sql:
    return join(", ", expressions)


def _company_of(_tables: ScopedTables, alias: str) -> tuple[Sql, ...]:
    return (qualified(alias, "company_id"),)


def _domains_of(tables: ScopedTables, alias: str) -> tuple[Sql, ...]:
    """The domain of a business address, and that of the company, if the principal reaches it."""
    company = tables.new_alias()
    # A subquery, and no join: a join would lose the order of the index, so that a page would read all records.
    is_company = Sql("{} = {}", qualified(company, "id"), qualified(alias, "company_id"))
    row = tables.from_clause("company", company, is_company, with_merged=True)
    return qualified(alias, "matched_domain"), Sql("(select {}{})", qualified(company, "domain"), row)


def _has_same_number(one: str, other: str) -> Sql:
    return Sql("({})", Sql(is_same_number(f"{name(one)}.phone", f"{name(other)}.phone")))


def _is_reached_company(tables: ScopedTables, _value: Sql, place: Sql) -> Sql:
    """The company may be hidden from who reaches both people: the reason would reveal it."""
    alias = tables.new_alias()
    is_company = Sql("{} = {}", qualified(alias, "id"), place)
    return Sql("exists (select{})", tables.from_clause("company", alias, is_company, with_merged=True))


def _is_no_parent(one: str, other: str) -> Sql:
    """A parent often has the name or the domain of its subsidiary, and somebody said that they are two."""
    pairs = ((one, other), (other, one))
    return all_of(
        Sql("{} is distinct from {}", qualified(child, "parent_id"), qualified(parent, "id")) for child, parent in pairs
    )


def _has_domain_of_its_own(one: str, other: str) -> Sql:
    # For a pair and not for every record, because it costs more than all the rest.
    domain = qualified(one, "domain")
    is_free = Sql(
        "{} = any({}::text[]) or {} ~ {}", domain, sorted(FREE_PROVIDERS), domain, f"^{FREE_PROVIDER_FAMILIES}$"
    )
    return all_of((_is_no_parent(one, other), Sql("not ({})", is_free)))


EVIDENCE: Mapping[str, tuple[Evidence, ...]] = {
    "contact": (
        Evidence(DuplicateReason.SAME_EMAIL, "contact", "matched_email", ("email",)),
        Evidence(
            DuplicateReason.SAME_NAME_AND_COMPANY,
            "contact",
            "matched_name",
            ("first_name", "last_name"),
            _company_of,
            place_type="uuid",
            of_value=_is_reached_company,
        ),
        Evidence(
            DuplicateReason.SAME_NAME_AND_DOMAIN,
            "contact",
            "matched_name",
            ("first_name", "last_name", "email"),
            _domains_of,
            of_places=("matched_domain", "company_id"),
        ),
        Evidence(DuplicateReason.SAME_PHONE, "contact", "matched_phone", ("phone",), of_pair=_has_same_number),
    ),
    "company": (
        Evidence(
            CompanyDuplicateReason.SAME_DOMAIN,
            "company",
            "domain",
            ("domain",),
            of_pair=_has_domain_of_its_own,
        ),
        Evidence(CompanyDuplicateReason.SAME_NAME, "company", "matched_name", ("name",), of_pair=_is_no_parent),
    ),
}
"""The evidence of every reason by table, the strongest reason first."""
