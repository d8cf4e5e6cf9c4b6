"""Which columns the rules and exits of an accord read: a change of any other column changes no stage entry."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import assert_never

from schema.accord import Accord
from schema.clauses.rules import (
    DealFilter,
    DealIs,
    FieldIs,
    HandoffIs,
    Reported,
    RuleLeaf,
    Score,
    Silence,
    StageReached,
    Touches,
    TouchFilter,
    leaves,
)

_ROLE = ("contact_id", "deal_id", "since", "voided_at")
_DEAL = ("outcome", "amount", "deleted_at")
_REPORT = ("contact_id", "source", "source_stage", "entered_at")
_HANDOFF = ("contact_id", "status", "handed_at", "decided_at")


def read_columns(*accords: Accord) -> Mapping[str, frozenset[str]]:
    """Return the columns that one or more accords read of each table; a table that they do not read is absent.

    A new contact, and a merge, always count: they begin and join lifetimes.
    """
    found: dict[str, set[str]] = defaultdict(set)
    found["contact"] = {"id", "merged_into_id"}
    for rule in (stage.rule for accord in accords for stage in accord.stages):
        for leaf in leaves(rule):
            for table, *columns in _of_leaf(leaf):
                found[table].update(columns)
    for leaving in (leaving for accord in accords for leaving in accord.exits):
        if leaving.on == "HANDOFF_REJECTED":
            found["handoff"].update((*_HANDOFF, "reject_reason"))
        else:
            found["deal"].update(_DEAL)
            found["deal_contact"].update(_ROLE)
    return {table: frozenset(columns) for table, columns in found.items()}


def _of_leaf(leaf: RuleLeaf) -> Iterator[tuple[str, ...]]:
    """Yield what a leaf reads: the name of a table, and columns of it."""
    match leaf:
        case FieldIs(table="company"):
            yield "company", leaf.column
            yield "contact", "company_id"
        case FieldIs():
            yield "contact", leaf.column
        case Touches(touches=wanted):
            yield from _of_touches(wanted)
        case Score(score=wanted):
            for term in wanted.terms:
                yield from _of_touches(term)
        case Silence():
            yield from _of_touches(TouchFilter())
        case Reported():
            yield "reported_stage", *_REPORT
        case HandoffIs():
            yield "handoff", *_HANDOFF
        case DealIs(deal=wanted):
            yield from _of_deals(wanted)
        case StageReached():
            return
        case _:
            assert_never(leaf)


def _of_touches(wanted: TouchFilter) -> Iterator[tuple[str, ...]]:
    filters = {
        "channel": wanted.channel,
        "kind": wanted.kind,
        "direction": wanted.direction,
        "team_kind": wanted.team,
        "outcome": wanted.outcome,
        "campaign_id": wanted.campaign,
    }
    yield (
        "touchpoint",
        "contact_id",
        "occurred_at",
        "voided_at",
        *(column for column, value in filters.items() if value),
    )
    if wanted.campaign:
        yield "campaign", "name"


def _of_deals(wanted: DealFilter) -> Iterator[tuple[str, ...]]:
    yield "deal", *_DEAL
    yield "deal_contact", *_ROLE
    if wanted.pipeline:
        yield "deal", "pipeline_stage_id"
        yield "pipeline_stage", "pipeline_id"
        yield "pipeline", "name"
