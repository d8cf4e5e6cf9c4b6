"""How the document is cut into clauses: what one sentence states, how the clause is called, and what its change does.

Whatever is not listed here is a clause of its own for each field, with a sentence made of the field's name and value.
A pattern is a path in the document without the steps to items: `stages.rule` for the rule of every stage.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from api.accord.diff import effects, part_sentences
from api.accord.diff.effects import Effect
from schema.accord import Accord
from schema.kpis import CATALOGUE
from schema.sentences.clause_sentences import (
    exit_sentence,
    reason_sentence,
    reporting_sentences,
    stage_sentence,
    window_sentence,
)
from schema.sentences.economics_sentences import churn_sentence, margin_sentence, sales_cost_sentence
from schema.sentences.result_sentences import target_sentence
from schema.sentences.stage_sentences import (
    group_sentence,
    meaning_sentence,
    name_sentence,
    needs_sentence,
    owner_sentence,
)
from schema.sentences.words import plain

Sentence = Callable[[Any, Accord], str]


@dataclass(frozen=True, slots=True)
class Clause:
    """Fields of a model that one sentence states together. Without fields, it is the model as a whole.

    The last step of its path is the name of its first field. `sentence` takes the model and its accord, and is empty if
    the model has no such clause; `effect` takes the models.
    """

    model: str
    fields: tuple[str, ...]
    title: str
    sentence: Sentence
    effect: Effect


@dataclass(frozen=True, slots=True)
class Items:
    """A list of models: what identifies an item in both versions, its title, and what a change of their order does.

    The title is empty if it is the item's own `title`, or else its step in a path.
    """

    key: Callable[[Any], Hashable]
    title: Callable[[Any], str] = lambda _item: ""
    order: Effect = effects.renames


def _alone(sentence: Callable[[Any], str]) -> Sentence:
    """Return the sentence of a model that does not depend on the rest of the accord."""
    return lambda model, _accord: sentence(model)


def _reporting(place: int) -> Sentence:
    return lambda _reporting, accord: reporting_sentences(accord)[place]


def _limit(field: str) -> Effect:
    """Return the effect of a time limit of sales, which may not be agreed."""
    return lambda before, after: effects.duty(getattr(before, field), getattr(after, field))


def _sales(field: str, title: str, effect: Effect) -> Clause:
    return Clause("handoff.sales", (field,), title, partial(part_sentences.sales_sentence, field), effect)


def _marketing(field: str, effect: Effect) -> Clause:
    return Clause(f"handoff.marketing.{field}", (), "", partial(part_sentences.marketing_sentence, field), effect)


CLAUSES = (
    Clause("", ("title",), "Title", lambda accord, _: f"The accord is called {accord.title}.", effects.renames),
    Clause("stages", ("title",), "name", _alone(name_sentence), effects.renames),
    Clause("stages", ("group",), "group", _alone(group_sentence), effects.renames),
    Clause("stages", ("owner",), "owner", _alone(owner_sentence), effects.reports),
    Clause("stages", ("meaning",), "meaning", _alone(meaning_sentence), effects.renames),
    Clause("stages", ("rule",), "entry rule", stage_sentence, effects.entry_rule),
    Clause("stages", ("window",), "time to the next stage", window_sentence, effects.window),
    Clause("stages", ("needs",), "needed fields", _alone(needs_sentence), effects.needs),
    Clause("exits", (), "", exit_sentence, effects.exit_of_entries),
    Clause("reject_reasons", (), "", _alone(reason_sentence), effects.reject_reason),
    Clause(
        "contact_policy",
        ("at_most", "within"),
        "touches of a person",
        part_sentences.limit_sentence,
        effects.contact_limit,
    ),
    Clause(
        "contact_policy",
        ("exempt",),
        "touches that do not count",
        part_sentences.exempt_sentence,
        effects.exemptions,
    ),
    Clause("contact_policy.channel_caps", (), "", part_sentences.cap_sentence, effects.contact_limit),
    Clause("contact_policy.quiet_hours", (), "", part_sentences.quiet_sentence, effects.quiet_hours),
    Clause("reporting", ("timezone", "week_start"), "days and weeks", _reporting(0), effects.reports),
    Clause(
        "reporting",
        ("fiscal_year_start_month", "fiscal_year_named_by"),
        "fiscal year",
        _reporting(1),
        effects.reports,
    ),
    Clause("reporting", ("currency",), "currency", _reporting(2), effects.reports),
    Clause("reporting", ("exclude",), "who is never counted", _reporting(3), effects.reports),
    Clause("calendars", ("hours", "timezone"), "opening hours", part_sentences.hours_sentence, effects.moves),
    Clause("calendars", ("holidays",), "public holidays", part_sentences.holidays_sentence, effects.moves),
    Clause("calendars", ("closed",), "closed days", part_sentences.closed_days_sentence, effects.moves),
    _marketing("volume", effects.reports),
    _marketing("completeness", effects.reports),
    _marketing("hand_over", effects.duty),
    _sales("decide_within", "decision", _limit("decide_within")),
    _sales("first_touch_within", "first touch", _limit("first_touch_within")),
    _sales("attempts", "attempts", effects.attempts),
    _sales("reject_with", "rejection", effects.reject_with),
    Clause("attribution.models", (), "", part_sentences.attribution_model_sentence, effects.reports),
    Clause(
        "attribution", ("canonical",), "model that counts", part_sentences.canonical_model_sentence, effects.reports
    ),
    Clause("attribution", ("lead_stage",), "creation of a lead", part_sentences.lead_stage_sentence, effects.reports),
    Clause("attribution", ("sourced",), "sourced deals", part_sentences.sourced_sentence, effects.reports),
    Clause("targets", (), "", target_sentence, effects.reports),
    Clause("economics", ("gross_margin",), "gross margin", _alone(margin_sentence), effects.reports),
    Clause("economics", ("monthly_churn",), "customers who leave", _alone(churn_sentence), effects.reports),
    Clause("economics.sales_costs", (), "", sales_cost_sentence, effects.reports),
)


def _kpi_title(key: str) -> str:
    return CATALOGUE[key].title if key in CATALOGUE else key


_EXITS = {"HANDOFF_REJECTED": "rejected handoff", "DEAL_LOST": "lost deal"}
ITEMS = {
    "stages": Items(lambda stage: stage.key, lambda stage: str(stage.title), effects.is_unknown),
    "exits": Items(lambda leaving: leaving.on, lambda leaving: f"Exit: {_EXITS[leaving.on]}", effects.is_unknown),
    "reject_reasons": Items(lambda reason: reason.code, lambda reason: f"Reject reason: {reason.label}"),
    "contact_policy.channel_caps": Items(
        lambda cap: cap.channel, lambda cap: f"Contact policy: touches through {plain(cap.channel)}"
    ),
    "calendars": Items(lambda calendar: calendar.key, lambda calendar: f"Calendar: {calendar.title}"),
    "handoff.marketing.volume": Items(
        lambda volume: (volume.stage, volume.per), lambda volume: f"Handoff: volume of {volume.stage}"
    ),
    "handoff.marketing.completeness": Items(
        lambda completeness: completeness.stage, lambda completeness: f"Handoff: completeness of {completeness.stage}"
    ),
    "handoff.marketing.hand_over": Items(
        lambda hand_over: hand_over.stage, lambda hand_over: f"Handoff: time to hand over {hand_over.stage}"
    ),
    "attribution.models": Items(lambda model: model.key, lambda model: f"Attribution model: {model.title}"),
    "targets": Items(
        lambda target: (target.kpi, target.period, target.only, target.team),
        lambda target: f"Target: {_kpi_title(target.kpi)} {target.period}",
    ),
    "economics.sales_costs": Items(lambda cost: cost.first_month, lambda cost: f"Sales cost from {cost.first_month}"),
}
_DECLARED = Items(lambda item: getattr(item, "key", ""))
KEY_FIELDS = ("key", "code")  # they identify an item of a list

# The effects of changes below a path that no clause states: the longest path decides.
EFFECTS: Mapping[str, Effect] = {
    "": effects.is_unknown,
    "contact_policy": effects.limits,
    "reporting": effects.reports,
    "calendars": effects.reports,
    "handoff": effects.reports,
    "attribution": effects.reports,
    "targets": effects.reports,
    "economics": effects.reports,
}
_WORDS = ("title", "label", "name", "meaning")
_BY_FIELD = {(clause.model, field): clause for clause in CLAUSES for field in clause.fields or ("",)}


def clause_of(model: str, field: str) -> Clause | None:
    """Return the clause that states a field of the models at a pattern, or with an empty field a whole model.

    None if no clause does.
    """
    return _BY_FIELD.get((model, field))


def items_at(pattern: str) -> Items:
    """Return what the items of the list at a pattern are known by."""
    return ITEMS.get(pattern, _DECLARED)


def effect_at(pattern: str) -> Effect:
    """Return the effect of a change at a pattern that no clause states."""
    if pattern.rpartition(".")[2] in _WORDS:
        return effects.renames
    while pattern not in EFFECTS:
        pattern = pattern.rpartition(".")[0]
    return EFFECTS[pattern]
