"""KPIs of marketing's contribution to the pipeline."""

from datetime import timedelta

from schema.kpis.dimensions import DEAL_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.deals import Influenced, Sourced
from schema.kpis.switchboard import AGREED_MONEY_SWITCHES, AGREED_SWITCHES
from schema.vocab import Unit

_PEOPLE = "The people on a deal are the contacts with a role on it, and those merged into one of them."

MARKETING_SOURCED = Kpi(
    key="marketing_sourced",
    title="Sourced by marketing",
    meaning=(
        "The share of the pipeline created in the period that has its origin in marketing: the sum of the amounts of "
        "those deals, divided by that of all deals opened in the period. There are three rules for the origin. "
        "LEAD_SOURCE: the lead source of the deal's primary contact at the opening is one of those that the accord "
        "names as marketing's. FIRST_TOUCH: the first touch of anybody on the deal was by marketing. "
        "BEFORE_FIRST_SALES_TOUCH: marketing touched somebody on the deal before sales first did. Touches count up to "
        f"the opening of the deal, however old they are. {_PEOPLE} The accord's attribution locks the rule; without it "
        "FIRST_TOUCH counts; `variants` has the value by each rule. Never add this share to that of influenced "
        "deals: most sourced deals are influenced too."
    ),
    formula=(
        "The pipeline created by deals of marketing's origin, divided by the pipeline created by all deals opened in "
        "the period."
    ),
    measure=Sourced(),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=AGREED_MONEY_SWITCHES,
    source="The accord's attribution; the touches and lead sources of the people on the deals; the exchange rates.",
)

MARKETING_INFLUENCED = Kpi(
    key="marketing_influenced",
    title="Influenced by marketing",
    meaning=(
        "Of the deals opened in the period, the share with a touch by marketing in the look-back before the opening. "
        "The look-back is that of the accord's canonical attribution model, or 90 days, its first and its last instant "
        "included. A touch of a person who had opted out of e-mail or calls at that time does not count. "
        f"{_PEOPLE} Never add this share to that of sourced deals: most sourced deals are influenced too."
    ),
    formula=(
        "Deals opened in the period with a touch by marketing in the look-back, divided by all deals opened in the "
        "period."
    ),
    measure=Influenced(timedelta(days=90)),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="marketing_sourced",
    source="The accord's attribution; the touches of the people on the deals; the history of the contacts.",
)

KPIS = (MARKETING_SOURCED, MARKETING_INFLUENCED)
