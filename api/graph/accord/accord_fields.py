"""The root fields `accord` and `stages`, and the types of the accord.

The types are derived from the models in `schema/accord.py`. Only computed fields are added here: ranks, sentences, and
what the version says about the document.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from api.accord.in_force import AccordInForce, accord_in_force
from api.graph.context import Info
from api.graph.declared import Output, Resolver, TypeRef
from api.graph.derived.model_types import Derivation
from schema.accord import Accord
from schema.accord_vocab import AccordStatus
from schema.clauses.attribution import Attribution
from schema.clauses.calendars import BusinessCalendar
from schema.clauses.contact_policy import ContactPolicy, Exemptions
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.handoff_duties import HandoffDuties
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
from schema.sentences.result_sentences import attribution_sentences, target_sentence

_STRING, _INT = TypeRef("String").required, TypeRef("Int").required
_BOOLEAN = TypeRef("Boolean").required
_SENTENCE = "The same, as the sentence that both teams sign."
_SENTENCES = "The same, as the sentences that both teams sign."


@dataclass(frozen=True, slots=True)
class AccordPart:
    """A part of an accord, with the version that it belongs to: sentences name stages of the whole document."""

    part: BaseModel
    version: AccordInForce


def accord_fields() -> tuple[Output, ...]:
    """Return the root fields about the accord."""
    stages = TypeRef("AccordStage").listed
    return (
        Output("accord", "The accord in force.", TypeRef("Accord"), _accord),
        Output("stages", "The stages of the accord in force, from the lowest to the highest.", stages, _stages),
    )


async def _accord(_source: object, info: Info) -> AccordPart:
    async with info.context.database.read() as session:
        version = await accord_in_force(session)
    return AccordPart(version.accord, version)


async def _stages(source: object, info: Info) -> object:
    return _attribute("stages")(await _accord(source, info), info)


def _attribute(name: str) -> Resolver:
    """Return the resolver of an attribute of a part. Parts within it keep the version."""

    def resolve(source: AccordPart, _info: object) -> object:
        value = getattr(source.part, name)
        if isinstance(value, tuple):
            return tuple(_part(item, source.version) for item in value)
        return _part(value, source.version)

    return resolve


def _part(value: object, version: AccordInForce) -> object:
    return AccordPart(value, version) if isinstance(value, BaseModel) else value


def _computed(name: str, doc: str, shown: TypeRef, compute: Callable[..., object]) -> Output:
    """Return a field that is computed from a part and the whole accord."""
    return Output(name, doc, shown, lambda source, _info: compute(source.part, source.version.accord))


def _of_version(name: str, doc: str, shown: TypeRef, read: Callable[[AccordInForce], object]) -> Output:
    return Output(name, doc, shown, lambda source, _info: read(source.version))


_ADDITIONS: dict[type, tuple[Output, ...]] = {
    Accord: (
        _of_version("version", "The version's number.", _INT, lambda version: version.number),
        _of_version(
            "hash",
            "The SHA-256 of the content, which signatures name.",
            _STRING,
            lambda version: version.content_hash,
        ),
        _of_version("isSigned", "Whether both teams have signed it.", _BOOLEAN, lambda version: version.is_signed),
        _of_version(
            "status",
            "The version's state.",
            TypeRef("AccordStatus").required,
            lambda _version: AccordStatus.ACTIVE,
        ),
        _of_version(
            "from",
            "Since when it is in force; null: since always.",
            TypeRef("DateTime"),
            lambda version: version.starts_at,
        ),
    ),
    Stage: (
        _computed(
            "rank", "The position from the lowest stage, from 1.", _INT, lambda stage, accord: accord.rank(stage.key)
        ),
        _computed("rule", "When a person enters it, as the sentence that both teams sign.", _STRING, stage_sentence),
        _computed(
            "windowSentence", "How long the step to the next stage may take, as a sentence.", _STRING, window_sentence
        ),
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
    },
    types={(Exit, "on"): "StageExitKind"},
    left_out=frozenset({(Stage, "rule"), (ContactPolicy, "exempt")}),  # shown by computed fields
    additions=lambda model: _ADDITIONS.get(model, ()),
    resolver=_attribute,
)
