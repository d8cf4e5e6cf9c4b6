"""What is computed by a formula from several parts, each of which is measured on its own."""

from dataclasses import dataclass, field
from typing import Literal

from schema.kpis.kinds import Kind


@dataclass(frozen=True, slots=True)
class Velocity:
    """The money that open deals bring per day: their number, win rate and average amount, divided by the days taken."""

    kind: Literal[Kind.FORMULA] = field(default=Kind.FORMULA, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("deals open", "deals won", "deals lost")
