"""KPIs of conversion: which share reaches the next step."""

from dataclasses import replace
from datetime import timedelta

from schema.kpis.dimensions import DEAL_DIMENSIONS, PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.deals import ClosingAmountRatio, ClosingRatio, Closings
from schema.kpis.measures.stages import Conversion, Reconverted, Recycled
from schema.kpis.switchboard import CLOSING_SWITCHES, MONEY_SWITCHES, PAIR_SWITCHES, STATE_SWITCHES
from schema.vocab import DealOutcome, Unit

_WINDOW = "within the accord's window between the two stages, its last instant included, and by `asOf`"
_MATURE = (
    "Who can still convert counts as not converted; the answer's variant MATURE_ONLY is the share of those who entered "
    "so long ago that their time is over."
)
_WON = Closings((DealOutcome.WON,))
_CLOSED = Closings((DealOutcome.WON, DealOutcome.LOST))

STAGE_CONVERSION = Kpi(
    key="stage_conversion",
    title="Conversion from stage to stage",
    meaning=(
        "Of the people who entered the first stage in the period, the share that entered the second stage at that "
        f"instant or later, {_WINDOW}. People who skipped a stage count as having entered it when they entered the "
        f"higher one. {_MATURE}"
    ),
    formula=(
        "People who entered the first stage in the period and the second one within the window, divided by people "
        "who entered the first stage in the period."
    ),
    measure=Conversion(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=PAIR_SWITCHES,
    guard="stage_volume",
    source="The accord's ladder of stages and their windows.",
)

INQUIRY_TO_MQL = Kpi(
    key="inquiry_to_mql",
    title="Inquiry to MQL",
    meaning=(
        "Of the people who entered the stage inquiry in the period, the share that entered the stage mql at that "
        f"instant or later, {_WINDOW}. People who skipped a stage count as having entered it when they entered the "
        f"higher one. {_MATURE}"
    ),
    formula=(
        "People who entered inquiry in the period and mql within the window, divided by people who entered "
        "inquiry in the period."
    ),
    measure=Conversion("inquiry", "mql"),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=PAIR_SWITCHES,
    guard="mql_acceptance",
    source="The accord's stages inquiry and mql, and the window between them.",
)

SAL_TO_SQL = Kpi(
    key="sal_to_sql",
    title="SAL to SQL",
    meaning=(
        "Of the people who entered the stage sal in the period, the share that entered the stage sql at that "
        f"instant or later, {_WINDOW}. People who skipped a stage count as having entered it when they entered the "
        f"higher one. {_MATURE}"
    ),
    formula=(
        "People who entered sal in the period and sql within the window, divided by people who entered sal in the "
        "period."
    ),
    measure=Conversion("sal", "sql"),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=PAIR_SWITCHES,
    guard="sql_to_opportunity",
    source="The accord's stages sal and sql, and the window between them.",
)

SQL_TO_OPPORTUNITY = Kpi(
    key="sql_to_opportunity",
    title="SQL to opportunity",
    meaning=(
        "Of the people who entered the stage sql in the period, the share that entered the stage opportunity at that "
        f"instant or later, {_WINDOW}. People who skipped a stage count as having entered it when they entered the "
        f"higher one. {_MATURE}"
    ),
    formula=(
        "People who entered sql in the period and opportunity within the window, divided by people who entered "
        "sql in the period."
    ),
    measure=Conversion("sql", "opportunity"),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=PAIR_SWITCHES,
    guard="win_rate",
    source="The accord's stages sql and opportunity, and the window between them.",
)

MQL_TO_CUSTOMER = Kpi(
    key="mql_to_customer",
    title="MQL to customer",
    meaning=(
        "Of the people who became marketing qualified leads in the period, the share that became customers at that "
        f"instant or later, {_WINDOW}. {_MATURE}"
    ),
    formula=(
        "People who entered mql in the period and customer within the window, divided by people who entered mql "
        "in the period."
    ),
    measure=Conversion("mql", "customer"),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=PAIR_SWITCHES,
    guard="mqls",
    source="The accord's stages mql and customer, and the windows between them.",
)

WIN_RATE = Kpi(
    key="win_rate",
    title="Win rate",
    meaning=(
        "Of the deals closed in the period, the share that was won. Open deals do not count, nor deals with a negative "
        "amount. With anchor=COHORT it is the share won by `asOf` of the deals opened in the period: there open deals "
        "count, and a deal won with a negative amount is one that was not won."
    ),
    formula="Deals won in the period, divided by deals won or lost in the period.",
    measure=ClosingRatio(part=_WON, whole=_CLOSED),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=CLOSING_SWITCHES,
    guard="opportunities_created",
    source="The deals' closing dates and outcomes.",
)

WIN_RATE_VALUE = Kpi(
    key="win_rate_value",
    title="Win rate by value",
    meaning=(
        "The sum of the amounts of the deals won in the period, divided by that of the deals won or lost in it. "
        "Amounts are those at the closing, converted at the exchange rates of that day; amounts without a rate are in "
        "neither sum. Open deals do not count, nor deals with a negative amount, which are no wins."
    ),
    formula="The sum of the amounts of deals won in the period, divided by that of deals won or lost in the period.",
    measure=ClosingAmountRatio(part=_WON, whole=_CLOSED),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="win_rate",
    source="The deals' closing dates and outcomes, and the history of their amounts; the exchange rates.",
)

RECYCLE_RATE = Kpi(
    key="recycle_rate",
    title="Recycle rate",
    meaning=(
        "Of the people who left the stages mql and sal in the period, the share whom sales recycled: it rejected "
        "the handoff for a reason that the accord recycles. Whoever goes on from mql to sal has not left them; "
        "whoever enters a higher stage has, also by skipping both."
    ),
    formula=(
        "People whom sales recycled from mql or sal in the period, divided by people who left mql and sal in the "
        "period."
    ),
    measure=Recycled(("mql", "sal")),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=STATE_SWITCHES,
    guard="recycled_reconversion",
    source="The accord's stages mql and sal, its exits, and its reject reasons.",
)

_RECONVERTED_WITHIN = timedelta(days=180)
RECYCLED_RECONVERSION = Kpi(
    key="recycled_reconversion",
    title="Recycled and reconverted",
    meaning=(
        "Of the people recycled from the stages mql and sal in the period, the share who entered the stage sql "
        "later, within 180 days and the last instant included. Whoever is recycled again before that counts for the "
        "later time."
    ),
    formula="People recycled in the period who entered sql within 180 days, divided by people recycled in the period.",
    measure=Reconverted(("mql", "sal"), "sql", _RECONVERTED_WITHIN),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=replace(STATE_SWITCHES, own_window=_RECONVERTED_WITHIN),
    guard="recycle_rate",
    source="The accord's stages mql, sal and sql, its exits, and its reject reasons.",
)

KPIS = (
    STAGE_CONVERSION,
    INQUIRY_TO_MQL,
    SAL_TO_SQL,
    SQL_TO_OPPORTUNITY,
    MQL_TO_CUSTOMER,
    RECYCLE_RATE,
    RECYCLED_RECONVERSION,
    WIN_RATE,
    WIN_RATE_VALUE,
)
