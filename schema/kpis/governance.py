"""Whether the systems around still say what the accord says."""

from schema.kpis.kinds import FACT_SWITCHES, PERSON_DIMENSIONS, Agreement, Kpi, Subject
from schema.vocab import Unit

STAGE_INTEGRITY = Kpi(
    key="stage_integrity",
    title="Stage integrity",
    definition=(
        "Of the people of whom a source reports a stage, the share whom the accord finds in that very stage at the "
        "end of the period, or at `asOf` if that comes first: the last stage reported beside the highest one "
        "that is open. A series has the end of each bucket."
    ),
    measure=Agreement(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=FACT_SWITCHES,
    source="The stages that source systems report, and those of the accord.",
)

KPIS = (STAGE_INTEGRITY,)
