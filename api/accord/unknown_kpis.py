"""Targets of a stored document whose KPI this release does not have: another release wrote them."""

from schema.accord import Accord
from schema.kpis import CATALOGUE


def unknown_target_kpis(accord: Accord) -> tuple[str, ...]:
    """The keys of the KPIs of its targets that the catalogue does not have, in alphabetical order."""
    return tuple(sorted({target.kpi for target in accord.targets if target.kpi not in CATALOGUE}))


def unknown_target_kpis_sentence(unknown: tuple[str, ...]) -> str:
    """What to know about such targets, and what to do."""
    return (
        f"The accord has targets for KPIs that this release of Accord does not have: {', '.join(unknown)}. Install the"
        " release that has them, or take them out of the accord."
    )
