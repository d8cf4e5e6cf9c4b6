"""KPIs of data quality: whether source systems agree with the accord."""

from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.stages import Agreement
from schema.kpis.switchboard import STATE_SWITCHES
from schema.vocab import Unit

STAGE_INTEGRITY = Kpi(
    key="stage_integrity",
    title="Stage integrity",
    meaning=(
        "Of the people for whom a source reports a stage, the share who are in the same stage by the accord at the end "
        "of the period, or at `asOf` if that is earlier. The last reported stage is compared with the highest stage "
        "whose entry is open. A series has the state at the end of each bucket."
    ),
    formula=(
        "People whose reported stage is their stage by the accord, divided by people with a reported stage, both "
        "at the end of the period."
    ),
    measure=Agreement(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=STATE_SWITCHES,
    source="The stages reported by source systems, and the stages of the accord.",
)

KPIS = (STAGE_INTEGRITY,)
