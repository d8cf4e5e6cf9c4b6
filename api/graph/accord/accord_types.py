"""The types of the accord's document, derived from the models in `schema/accord.py` and `schema/clauses`.

Only computed fields are added here: ranks, sentences, and what the version says about the document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel

from api.accord.stored_versions import StoredVersion
from api.graph.accord.shown_versions import ShownVersions
from api.graph.accord.version_types import VERSION_FIELDS
from api.graph.declared import Output, Resolver, TypeRef
from api.graph.derived.model_types import Derivation, model_types
from schema.accord import Accord
from schema.clauses.attribution import Attribution
from schema.clauses.calendars import BusinessCalendar
from schema.clauses.contact_policy import ContactPolicy, Exemptions
from schema.clauses.economics import Economics, SalesCost
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.handoff_duties import HandoffDuties
from schema.clauses.newer_words import NewerWord
from schema.clauses.reporting import Reporting
from schema.clauses.stages import Stage
from schema.clauses.targets import Target, TargetSlice
from schema.sentences.clause_sentences import (
    exit_sentence,
    policy_sentences,
    reason_sentence,
    reporting_sentences,
    stage_sentence,
    window_sentence,
)
from schema.sentences.duty_sentences import calendar_sentences, duty_sentences
from schema.sentences.economics_sentences import economics_sentences
from schema.sentences.result_sentences import attribution_sentences, target_sentence
from schema.sentences.stage_sentences import stage_sentences

ACCORD = "Accord"
_STRING, _INT = TypeRef("String").required, TypeRef("Int").required
_BOOLEAN = TypeRef("Boolean").required
_SENTENCE = "The same, as the sentence that both teams sign."
_SENTENCES = "The same, as the sentences that both teams sign."


@dataclass(frozen=True, slots=True)
class AccordPart:
    """A part of an accord, with the version that it belongs to: sentences name stages of the whole document.

    `shown` has all versions of the field that shows this one.
    """

    part: BaseModel
    version: StoredVersion
    shown: ShownVersions


def shown_accords(versions: Sequence[StoredVersion]) -> list[AccordPart]:
    """Return the values of the type Accord for the versions of a field."""
    shown = ShownVersions(tuple(versions))
    return [AccordPart(version.document.accord, version, shown) for version in versions]


def attribute_of_part(name: str) -> Resolver:
    """Return the resolver of an attribute of a part. Parts within it keep the version; no enum has a newer word."""

    def resolve(source: AccordPart, _info: object) -> object:
        value = getattr(source.part, name)
        if isinstance(value, tuple):
            return tuple(_part(item, source) for item in value)
        return None if isinstance(value, NewerWord) else _part(value, source)

    return resolve


def _part(value: object, within: AccordPart) -> object:
    return replace(within, part=value) if isinstance(value, BaseModel) else value


def _computed(name: str, doc: str, shown: TypeRef, compute: Callable[..., object]) -> Output:
    """Return a field that is computed from a part and the whole accord."""
    return Output(name, doc, shown, lambda source, _info: compute(source.part, source.version.document.accord))


_ADDITIONS: dict[type, tuple[Output, ...]] = {
    Accord: VERSION_FIELDS,
    Stage: (
        _computed(
            "rank", "The position from the lowest stage, from 1.", _INT, lambda stage, accord: accord.rank(stage.key)
        ),
        _computed("rule", "When a person enters it, as the sentence that both teams sign.", _STRING, stage_sentence),
        _computed(
            "windowSentence", "How long the step to the next stage may take, as a sentence.", _STRING, window_sentence
        ),
        _computed("sentences", _SENTENCES, _STRING.listed.required, stage_sentences),
    ),
    Exit: (_computed("sentence", _SENTENCE, _STRING, exit_sentence),),
    RejectReason: (_computed("sentence", _SENTENCE, _STRING, lambda reason, _accord: reason_sentence(reason)),),
    ContactPolicy: (
        _computed(
            "isAutomatedExempt",
            str(Exemptions.model_fields["automated"].description),
            _BOOLEAN,
            lambda policy, _accord: policy.exempt.automated,
        ),
        _computed(
            "replyWithin",
            str(Exemptions.model_fields["reply_within"].description),
            TypeRef("Duration"),
            lambda policy, _accord: policy.exempt.reply_within,
        ),
        _computed("sentences", _SENTENCES, _STRING.listed, policy_sentences),
    ),
    BusinessCalendar: (_computed("sentences", _SENTENCES, _STRING.listed, calendar_sentences),),
    HandoffDuties: (_computed("sentences", _SENTENCES, _STRING.listed, duty_sentences),),
    Attribution: (_computed("sentences", _SENTENCES, _STRING.listed, attribution_sentences),),
    Target: (_computed("sentence", _SENTENCE, _STRING, target_sentence),),
    Economics: (_computed("sentences", _SENTENCES, _STRING.listed, economics_sentences),),
    Reporting: (
        _computed("sentences", _SENTENCES, _STRING.listed, lambda _reporting, accord: reporting_sentences(accord)),
    ),
}

ACCORD_DERIVATION = Derivation(
    names={
        Stage: "AccordStage",
        Exit: "AccordExit",
        ContactPolicy: "AccordContactPolicy",
        Reporting: "AccordReporting",
        Attribution: "AccordAttribution",
        Target: "AccordTarget",
        TargetSlice: "AccordTargetSlice",
        Economics: "AccordEconomics",
        SalesCost: "AccordSalesCost",
    },
    types={(Exit, "on"): "StageExitKind"},
    left_out=frozenset({(Stage, "rule"), (ContactPolicy, "exempt")}),  # shown by computed fields
    additions=lambda model: _ADDITIONS.get(model, ()),
    resolver=attribute_of_part,
)
DOCUMENT_TYPES = tuple(model_types((Accord,), ACCORD_DERIVATION))
