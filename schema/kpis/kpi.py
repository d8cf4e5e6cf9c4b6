"""The type of the catalogue: a KPI is a frozen value that declares what it measures, and `api/metrics` computes it."""

from dataclasses import dataclass

from schema.described import described
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import NEVER_COUNTED, Kind, Subject
from schema.kpis.measures import Measure
from schema.kpis.measures.accord_clauses import clauses_of
from schema.kpis.switchboard import Switchboard
from schema.vocab import Unit, require_end_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: its name, its meaning, and the dimensions and switches that a request may use.

    `guard` is the KPI to watch beside it. A deprecated KPI states its replacement and its last day:
    `deprecated="Use sqls instead, until 2027-06-30"`.
    """

    key: str = described("The KPI's key, for the argument `key` of `kpi`.")
    title: str = described("The KPI's name for display.")
    meaning: str  # what it counts, in plain words; the definition adds who never counts
    formula: str = described("How the value is computed, in words, by the KPI's defaults.")
    measure: Measure
    unit: Unit = described("The unit of the KPI's value.")
    subject: Subject = described("What one counted row is.")
    dimensions: tuple[Dimension, ...]
    switches: Switchboard
    guard: str | None = described(
        "The KPI to watch beside it, so that one is not improved at the expense of the other.", default=None
    )
    source: str = described("Where the definition comes from.")
    deprecated: str | None = None

    def __post_init__(self) -> None:
        require_end_date(self.deprecated)

    @property
    def definition(self) -> str:
        """What the KPI counts, and who never counts, in plain words."""
        return f"{self.meaning} {NEVER_COUNTED[self.subject]}"

    @property
    def kind(self) -> Kind:
        """How the KPI's value is computed."""
        return self.measure.kind

    @property
    def accord_clauses(self) -> tuple[str, ...]:
        """The sections of the accord that the value depends on, by their keys in the document."""
        return clauses_of(self.measure, reads_stages=self.switches.reads_stages)

    @property
    def has_money(self) -> bool:
        """Whether the value is money, or may be computed from money."""
        return self.unit in (Unit.MONEY, Unit.MONEY_PER_DAY) or self.kind is Kind.FORMULA

    @property
    def reads(self) -> tuple[str, ...]:
        """The stages or facts that the KPI reads, in words."""
        return self.measure.reads
