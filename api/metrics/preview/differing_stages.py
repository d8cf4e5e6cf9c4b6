"""Which stages two versions of the accord can enter at different moments: only these are evaluated for a preview."""

from schema.accord import Accord
from schema.clauses.rules import leaves, stage_read
from schema.vocab import Disposition


def differing_stages(before: Accord, after: Accord) -> frozenset[str]:
    """The stages whose own moments can differ between two documents.

    A stage's moments follow from its rule, from the exits that close it, and from the stages between it and one that
    its rule names. Titles, owners, windows and ranks change no moment.

    Shapes: two documents -> the keys of stages of either, those that only one of them has included.
    """
    kept = {stage.key for stage in before.stages} & {stage.key for stage in after.stages}
    differing = ({stage.key for stage in before.stages} | {stage.key for stage in after.stages}) - kept
    # From the lowest stage up, because a rule only names lower stages.
    for stage in after.stages:
        key = stage.key
        if key in differing:
            continue
        is_same = (
            before.stages[before.rank(key) - 1].rule == stage.rule
            and _closing_exits(before, key) == _closing_exits(after, key)
            and _read_stages(before, key) == (read := _read_stages(after, key))
            and not differing.intersection(read)
        )
        if not is_same:
            differing.add(key)
    return frozenset(differing)


def have_same_ladder(before: Accord, after: Accord) -> bool:
    """Whether two documents have the same stages, in the same order, and the same exits in the same order."""
    return (
        [stage.key for stage in before.stages] == [stage.key for stage in after.stages]
        and before.exits == after.exits
        and all(_closing_exits(before, stage.key) == _closing_exits(after, stage.key) for stage in after.stages)
    )


def _read_stages(accord: Accord, key: str) -> tuple[str, ...]:
    """The stages whose entries the rule of a stage reads: a named stage is entered by those above it, too."""
    rank = accord.rank(key)
    named = [lower for leaf in leaves(accord.stages[rank - 1].rule) if (lower := stage_read(leaf)) is not None]
    lowest = min((accord.rank(stage) for stage in named), default=rank)
    return tuple(stage.key for stage in accord.stages[lowest - 1 : rank - 1])


def _closing_exits(accord: Accord, key: str) -> frozenset[object]:
    """The facts that close a stage: for rejected handoffs the reasons that do, and whether unlisted ones do."""
    rank = accord.rank(key)
    return frozenset(
        (
            leaving.on,
            frozenset(
                (reason.code, reason.disposition in leaving.dispositions)
                for reason in accord.reject_reasons
                if leaving.on == "HANDOFF_REJECTED"
            ),
            Disposition.RECYCLE in leaving.dispositions,
        )
        for leaving in accord.exits
        if accord.rank(leaving.closes_from) <= rank <= accord.rank(leaving.closes_to)
    )
