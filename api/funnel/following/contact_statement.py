"""One statement for a few contacts: derives their stage entries, and writes those that differ from the stored ones.

It has the selects of the derivation of many contacts (`derivation`), with common table expressions under the names of
the temporary tables; the facts are looked up once (`fact_tables`). Its text depends on the versions of the accord
alone, so that each connection prepares it once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from api.funnel.derivation import merged_rows, people_rows, reads_stages
from api.funnel.entries import entries
from api.funnel.exits import union_all
from api.funnel.following.fact_tables import fact_tables
from api.funnel.journeys.journey_rows import contact_rows
from api.funnel.journeys.stored_journeys import contact_tables
from api.funnel.ladder import Ladder
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.funnel.stage_statement import step_statement
from api.funnel.stored_entries import differing_entries, entry_changes, with_tables, writing_tables
from api.funnel.wake_ups import wake_up_rows, wake_up_tables
from api.sql import Parameter, Sql

CONTACTS = Parameter("contacts")
AS_OF = Parameter("as_of")
EVALUATION = Parameter("evaluation")
# A table that no select fills still needs its columns.
_EMPTY = {
    "funnel_exit": Sql(
        "select null::uuid as contact_id, null::timestamptz as at, null::int as position, null::text as kind"
        " where false"
    ),
    "funnel_segment": Sql(
        "select null::int as exit_group, null::uuid as contact_id, null::int as segment_no,"
        " null::timestamptz as starts_at, null::timestamptz as ends_at, null::timestamptz as closed_at,"
        " null::text as exit_kind where false"
    ),
}


@dataclass(frozen=True, slots=True)
class ContactStatement:
    """The text of the statement, and its values: constants of the accord, and the parameters above."""

    text: str
    values: tuple[object, ...]


def contact_statement(ladder: Ladder, *, has_merged: bool) -> ContactStatement:
    """Compile the ladder to the statement that re-evaluates the contacts of the parameter `contacts`.

    `contacts` holds all contacts of a person: the survivor, and those that were merged into it.

    Shapes: contacts, as_of, evaluation -> one row per changed entry: contact_id, stage, occurrence, kind. Writes
            stage_entry, wake_up, and the tables of journeys.
    Source: api/README.md, "The evaluator".
    """
    evaluation_id = Sql("{}::uuid", EVALUATION)
    facts = VisibleFacts(bound_instant(AS_OF), has_merged, Sql("{}::uuid[]", CONTACTS))
    looked_up = VisibleFacts(facts.as_of, has_merged)  # the fact tables have no others
    stored = Sql("select * from stage_entry where evaluation_id = {} and {}", evaluation_id, facts.among("contact_id"))
    tables = [
        *([("funnel_merged", merged_rows(facts))] if has_merged else []),
        *fact_tables(ladder.accords, facts),
        *_derivation(ladder, looked_up),
        ("differing", differing_entries(stored, Sql("select * from derived"))),
        *writing_tables(evaluation_id, "differing", facts.among("e.contact_id")),
        *_journeys(ladder, looked_up, facts, evaluation_id),
        *wake_up_tables(wake_up_rows(ladder, looked_up), facts.among("w.contact_id")),
    ]
    text, values = Sql("{}\n{}", with_tables(tables), entry_changes("differing")).render()
    return ContactStatement(text, values)


def _journeys(
    ladder: Ladder, looked_up: VisibleFacts, facts: VisibleFacts, evaluation_id: Sql
) -> Iterator[tuple[str, Sql]]:
    """Return the common tables that derive and write the journeys, from `derived`."""
    yield "journeys", contact_rows(ladder, Sql("select * from derived"), looked_up, facts.among("x.id"))
    yield from contact_tables(evaluation_id, "journeys", facts.among)


def _derivation(ladder: Ladder, facts: VisibleFacts) -> list[tuple[str, Sql]]:
    """Return the common tables up to `derived`, the entries."""
    tables: list[tuple[str, Sql]] = []
    for table, selects in people_rows(ladder, facts):
        tables.append((table, _all_of(selects) if selects else _EMPTY[table]))
    stages: list[Sql] = []
    for number, step in enumerate(ladder.steps, start=1):
        rows = step_statement(ladder, step, facts)
        if stages and reads_stages(step):
            # The rule sees what the steps so far found under the name that the table of all has below.
            rows = Sql("with funnel_own_entry as (\n{}\n)\nselect * from ({}) own", _all_of(stages), rows)
        tables.append((f"own_{number}", rows))
        stages.append(Sql(f"select * from own_{number}"))
    return [*tables, ("funnel_own_entry", _all_of(stages)), ("derived", entries(ladder))]


def _all_of(selects: "tuple[Sql, ...] | list[Sql]") -> Sql:
    return union_all([Sql("({})", select) for select in selects])
