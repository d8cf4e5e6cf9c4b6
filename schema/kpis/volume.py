"""KPIs of volume: how many entries, deals and customers."""

from schema.kpis.dimensions import DEAL_DIMENSIONS, PERSON_DIMENSIONS, STAGE_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.counts import Count
from schema.kpis.measures.deals import Closings, FirstWins, Openings
from schema.kpis.measures.stages import Entries
from schema.kpis.switchboard import DEAL_SWITCHES, ENTRY_SWITCHES
from schema.vocab import DealOutcome, Unit

STAGE_VOLUME = Kpi(
    key="stage_volume",
    title="Entries into stages",
    meaning=(
        "How many people entered a stage in the period. People who skipped the stage are included, and their number is "
        "in `implied`. Select a stage with the dimension STAGE; otherwise a person counts once in every stage entered."
    ),
    formula="The number of first entries into each stage in the period, one for a person and stage.",
    measure=Count(Entries(None)),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=(*STAGE_DIMENSIONS, *PERSON_DIMENSIONS),
    switches=ENTRY_SWITCHES,
    source="The accord's ladder of stages.",
)

INQUIRIES = Kpi(
    key="inquiries",
    title="Inquiries",
    meaning=(
        "How many people entered the accord's stage inquiry in the period. People who skipped it are included, and "
        "their number is in `implied`. A person who enters it several times counts once, at the first entry."
    ),
    formula="The number of people whose first entry into the stage inquiry is in the period.",
    measure=Count(Entries("inquiry")),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=ENTRY_SWITCHES,
    guard="inquiry_to_mql",
    source="The accord's stage inquiry.",
)

MQLS = Kpi(
    key="mqls",
    title="Marketing qualified leads",
    meaning=(
        "How many people entered the accord's stage mql in the period. People who skipped it are included, and their "
        "number is in `implied`. A person who enters it several times counts once, at the first entry."
    ),
    formula="The number of people whose first entry into the stage mql is in the period.",
    measure=Count(Entries("mql")),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=ENTRY_SWITCHES,
    guard="mql_acceptance",
    source="The accord's stage mql.",
)

SALS = Kpi(
    key="sals",
    title="Sales accepted leads",
    meaning=(
        "How many people entered the accord's stage sal in the period. People who skipped it are included, and their "
        "number is in `implied`. A person who enters it several times counts once, at the first entry."
    ),
    formula="The number of people whose first entry into the stage sal is in the period.",
    measure=Count(Entries("sal")),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=ENTRY_SWITCHES,
    guard="sal_to_sql",
    source="The accord's stage sal.",
)

SQLS = Kpi(
    key="sqls",
    title="Sales qualified leads",
    meaning=(
        "How many people entered the accord's stage sql in the period. People who skipped it are included, and their "
        "number is in `implied`. A person who enters it several times counts once, at the first entry."
    ),
    formula="The number of people whose first entry into the stage sql is in the period.",
    measure=Count(Entries("sql")),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=ENTRY_SWITCHES,
    guard="mql_to_customer",
    source="The accord's stage sql.",
)

OPPORTUNITIES_CREATED = Kpi(
    key="opportunities_created",
    title="Opportunities created",
    meaning=(
        "How many deals were opened in the period in a pipeline of new business. The first pipeline of the deal since "
        "its opening decides; a deal without one counts. A deal that was reopened counts once, at its first opening."
    ),
    formula="The number of deals whose first opening is in the period, in a pipeline of new business.",
    measure=Count(Openings(is_new_business=True)),
    unit=Unit.COUNT,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="win_rate",
    source="The deals' opening dates, the history of their pipeline stages, and the pipelines.",
)

DEALS_WON = Kpi(
    key="deals_won",
    title="Deals won",
    meaning=(
        "How many deals were won in the period. A deal that was reopened and won again counts once, at its last win. "
        "A deal with a negative amount is no win."
    ),
    formula="The number of deals whose last closing is a win in the period, without those of a negative amount.",
    measure=Count(Closings((DealOutcome.WON,))),
    unit=Unit.COUNT,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="win_rate",
    source="The deals' closing dates.",
)

NEW_CUSTOMERS = Kpi(
    key="new_customers",
    title="New customers",
    meaning=(
        "How many companies had their first deal won in the period. The customer of a deal without a company is the "
        "company of its main contact, otherwise that person, otherwise the deal itself. A deal with a negative amount "
        "makes no customer."
    ),
    formula="The number of customers whose first deal won was won in the period.",
    measure=Count(FirstWins()),
    unit=Unit.COUNT,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="avg_deal_size",
    source="The closing dates of the deals won, and their companies and main contacts.",
)

KPIS = (STAGE_VOLUME, INQUIRIES, MQLS, SALS, SQLS, OPPORTUNITIES_CREATED, DEALS_WON, NEW_CUSTOMERS)
