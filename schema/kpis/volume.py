"""How many."""

from schema.kpis.kinds import (
    DEAL_DIMENSIONS,
    DEAL_SWITCHES,
    ENTRY_SWITCHES,
    PERSON_DIMENSIONS,
    Closings,
    Count,
    Entries,
    FirstWins,
    Kpi,
    Openings,
    Subject,
)
from schema.vocab import DealOutcome, Dimension, Unit

STAGE_VOLUME = Kpi(
    key="stage_volume",
    title="Entries into stages",
    definition=(
        "How many people entered a stage in the period, those who skipped past it included and shown apart as implied. "
        "Name the stage with the dimension STAGE; without it a person counts once in each stage entered."
    ),
    measure=Count(Entries(None)),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=(Dimension.STAGE, *PERSON_DIMENSIONS),
    switches=ENTRY_SWITCHES,
    source="The accord's ladder of stages.",
)

MQLS = Kpi(
    key="mqls",
    title="Marketing qualified leads",
    definition=(
        "How many people entered the stage mql of the accord in the period, those who skipped past it included and "
        "shown apart as implied. A person who qualifies again counts once, at the first time."
    ),
    measure=Count(Entries("mql")),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=ENTRY_SWITCHES,
    guard="mql_acceptance",
    source="The accord's stage mql.",
)

SQLS = Kpi(
    key="sqls",
    title="Sales qualified leads",
    definition=(
        "How many people entered the stage sql of the accord in the period, those who skipped past it included and "
        "shown apart as implied. A person who qualifies again counts once, at the first time."
    ),
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
    definition=(
        "How many deals were opened in the period, in any pipeline. A deal that was reopened is not new: it counts at "
        "its first opening."
    ),
    measure=Count(Openings()),
    unit=Unit.COUNT,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="win_rate",
    source="The deals' opening dates.",
)

DEALS_WON = Kpi(
    key="deals_won",
    title="Deals won",
    definition=(
        "How many deals were won in the period. One that was won again after reopening counts once, at its last win."
    ),
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
    definition=(
        "Of how many companies the first deal that we won was won in the period. A deal without a company counts for "
        "the company of its main contact, else for that person, else for itself. Each is counted by that first deal."
    ),
    measure=Count(FirstWins()),
    unit=Unit.COUNT,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="avg_deal_size",
    source="The closing dates of the deals won, and whose they are.",
)

KPIS = (STAGE_VOLUME, MQLS, SQLS, OPPORTUNITIES_CREATED, DEALS_WON, NEW_CUSTOMERS)
