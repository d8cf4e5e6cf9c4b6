"""Targets of a stored document that name what this release does not have: another release wrote them."""

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


def unknown_target_words(accord: Accord) -> tuple[str, ...]:
    """The dimensions, teams and periods of its targets that this release does not have, in alphabetical order."""
    return tuple(sorted({word for target in accord.targets for word in target.newer_words}))


def unknown_target_words_sentence(unknown: tuple[str, ...]) -> str:
    """What to know about such targets, and what to do."""
    return (
        f"The accord has targets with words that this release of Accord does not have: {', '.join(unknown)}. These"
        " targets are not read. Install the release that has the words, or take the targets out of the accord."
    )
