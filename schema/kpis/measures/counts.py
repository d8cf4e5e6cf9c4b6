"""The number of events of any sort."""

from dataclasses import dataclass, field
from typing import Literal

from schema.kpis.kinds import Kind
from schema.kpis.measures.deals import Closings, FirstWins, Openings
from schema.kpis.measures.stages import Entries

Facts = Entries | Closings | Openings | FirstWins


@dataclass(frozen=True, slots=True)
class Count:
    """The number of events."""

    of: Facts
    kind: Literal[Kind.COUNT] = field(default=Kind.COUNT, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.of.reads
