"""KPIs that a formula computes from several parts: how fast deals bring money, and what customers cost and bring."""

from schema.kpis.dimensions import DEAL_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.composites import Velocity
from schema.kpis.switchboard import DEAL_SWITCHES
from schema.vocab import Unit

SALES_VELOCITY = Kpi(
    key="sales_velocity",
    title="Sales velocity",
    meaning=(
        "The money that the open deals bring per day: the number of deals open at the end of the period, or at `asOf` "
        "if that is earlier, times the win rate, times the average deal size, divided by the average days from opening "
        "to win. Win rate, deal size and days are those of the deals closed in the period. All four parts count the "
        "deals that meet the filter; every open deal counts as qualified. Deals without an amount or an opening are "
        "in the win rate, and not in the average that needs it."
    ),
    formula="Open deals times win rate times average deal size, divided by the average days from opening to win.",
    measure=Velocity(),
    unit=Unit.MONEY_PER_DAY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="win_rate",
    source="The deals' history, opening and closing dates, and amounts; the exchange rates.",
)

KPIS = (SALES_VELOCITY,)
