"""One statement for some deals: derives their journeys, and writes those that differ from the stored ones.

Its text depends on the versions of the accord alone, so that each connection prepares it once.
"""

from api.funnel.following.contact_statement import EVALUATION, ContactStatement
from api.funnel.journeys.deal_rows import FEW_DEALS, deal_facts, deal_rows
from api.funnel.journeys.deal_spans import deal_spans
from api.funnel.journeys.journey_tables import DEALS, SPANS
from api.funnel.journeys.stored_journeys import changed_times, journey_tables, one_of, outdated_sums
from api.funnel.ladder import Ladder
from api.funnel.stored_entries import with_tables
from api.sql import Parameter, Sql

DEAL_IDS = Parameter("deals")


def deal_statement(ladder: Ladder) -> ContactStatement:
    """Compile the statement that derives the journeys of the deals of the parameter `deals` again.

    Shapes: deals, evaluation -> one empty row. Writes deal_journey, deal_span and journey_change.
    Source: api/README.md, "The evaluator".
    """
    ids, evaluation = Sql("{}::uuid[]", DEAL_IDS), Sql("{}::uuid", EVALUATION)
    tables = (
        (FEW_DEALS, deal_facts(ladder, ids)),
        ("derived_deal", deal_rows(ladder, is_few=True)),
        *journey_tables(DEALS, evaluation, Sql("select * from derived_deal"), one_of(ids)),
        ("derived_span", deal_spans(ladder, is_few=True)),
        *journey_tables(SPANS, evaluation, Sql("select * from derived_span"), one_of(ids)),
        outdated_sums(
            "changed_times",
            evaluation,
            changed_times(DEALS, Sql("select * from derived_deal")),
            _times_of_customers(evaluation, ids),
            changed_times(SPANS, Sql("select * from derived_span")),
        ),
    )
    text, values = Sql("{}\nselect", with_tables(tables)).render()
    return ContactStatement(text, values)


def _times_of_customers(evaluation: Sql, ids: Sql) -> Sql:
    """Select the times of the other closings of the customers of deals that differ: the first one is another then."""
    return Sql(
        """select 'deal_journey', o.event, o.counted_at, o.counted_at from deal_journey o
where o.evaluation_id = {} and o.customer in (
  select customer from derived_deal
  union select customer from deal_journey where evaluation_id = {} and deal_id = any({})
) and o.deal_id <> all({}) and exists (select from differing_deal_journey where not is_refreshed)""",
        *(evaluation, evaluation, ids, ids),
    )
