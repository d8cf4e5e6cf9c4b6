"""Root fields that show the accord in force: its stages, exits and reporting, in plain words."""

from dataclasses import dataclass
from datetime import datetime

from api.accord.in_force import AccordInForce, accord_in_force
from api.graph.context import Info
from api.graph.declared import Output, TypeRef
from api.metrics.answer import described
from schema.accord import Accord as AccordDocument
from schema.sentences import (
    exit_sentence,
    policy_sentences,
    reason_sentence,
    reporting_sentences,
    stage_sentence,
    window_sentence,
)
from schema.vocab import AccordStatus, Currency, Disposition, ExitKind, FaultDomain, TeamKind


@dataclass(frozen=True, kw_only=True)
class AccordStage:
    """A stage of the funnel, as both teams agreed it."""

    key: str = described("The stage's key, by which questions name it.")
    rank: int = described("Its place on the ladder, from 1.")
    title: str = described("What it is called.")
    group: str = described("The group it belongs to, such as Prospect.")
    owner: TeamKind = described("The team that looks after people in it.")
    meaning: str = described("What it means, in plain words.")
    window_seconds: int | None = described(
        "How long a person has to reach the next stage, in seconds; null: as long as they like."
    )
    rule: str = described("When a contact enters it, as the sentence that both teams sign.")
    window_sentence: str = described("How long the step to the next stage may take, as a sentence.")
    needs: tuple[str, ...] = described("The fields that have to be filled in, such as contact.email.")


@dataclass(frozen=True, kw_only=True)
class AccordExit:
    """A fact that ends open entries."""

    on: ExitKind = described("What happened.")
    dispositions: tuple[Disposition, ...] = described("Only with one of these dispositions, of a rejected handoff.")
    closes_from: str = described("The key of the lowest stage it closes.")
    closes_to: str = described("The key of the highest stage it closes.")
    sentence: str = described("The same, as the sentence that both teams sign.")


@dataclass(frozen=True, kw_only=True)
class RejectReason:
    """Why sales may refuse a person, and what follows from it."""

    code: str = described("The reason's code.")
    label: str = described("The reason for a reader.")
    disposition: Disposition = described("What happens to the person.")
    fault: FaultDomain = described("On which side the cause lies.")
    sentence: str = described("The same, as the sentence that both teams sign.")


@dataclass(frozen=True, kw_only=True)
class AccordContactPolicy:
    """How often a person may be touched, by both teams together and over all channels."""

    at_most: int = described("So many outbound touches are within the policy.")
    within_seconds: int = described("In any stretch of so many seconds: the window rolls, no calendar resets it.")
    is_automated_exempt: bool = described("Whether what a machine sends of itself does not count.")
    reply_within_seconds: int | None = described(
        "An answer within so many seconds of the person's own touch does not count; null: answers count."
    )
    sentences: tuple[str, ...] = described("The same, as the sentences that both teams sign.")


@dataclass(frozen=True, kw_only=True)
class AccordReporting:
    """How answers are cut, and who is never counted."""

    timezone: str = described("The zone in which days begin (IANA name).")
    week_start: str = described("The day on which weeks begin: MONDAY or SUNDAY.")
    fiscal_year_start_month: int = described("The month in which the fiscal year begins, from 1.")
    currency: Currency | None = described("The currency of money answers; null if none was agreed.")
    exclude: tuple[str, ...] = described("Who is never counted: TEST records, INTERNAL people.")
    sentences: tuple[str, ...] = described("The same, as the sentences that both teams sign.")


@dataclass(frozen=True, kw_only=True)
class Accord:
    """The agreement of sales and marketing that every number is judged by."""

    version: int = described("The version's number.")
    hash: str = described("The SHA-256 of its content, which signatures name.")
    is_signed: bool = described("Whether both teams signed it.")
    status: AccordStatus = described("Where it stands in its life.")
    starts_at: datetime | None = described("Since when it is in force; null means from the beginning of time.")
    title: str = described("What it is called.")
    stages: tuple[AccordStage, ...] = described("The ladder, from the lowest stage up.")
    exits: tuple[AccordExit, ...] = described("The facts that end entries.")
    reject_reasons: tuple[RejectReason, ...] = described("Why sales may refuse a person.")
    contact_policy: AccordContactPolicy | None = described(
        "How often a person may be touched; null if none was agreed."
    )
    reporting: AccordReporting = described("How answers are cut.")


def agreement_fields() -> tuple[Output, ...]:
    """The root fields about the accord."""
    stages = TypeRef("AccordStage").listed
    return (
        Output("accord", "The accord in force.", TypeRef("Accord"), _accord),
        Output("stages", "The stages of the accord in force, from the lowest up.", stages, _stages),
    )


async def _accord(_source: object, info: Info) -> Accord:
    async with info.context.database.read() as session:
        return shown(await accord_in_force(session))


async def _stages(_source: object, info: Info) -> tuple[AccordStage, ...]:
    async with info.context.database.read() as session:
        return shown(await accord_in_force(session)).stages


def shown(found: AccordInForce) -> Accord:
    """An accord as GraphQL shows it."""
    document = found.accord
    reporting = document.reporting
    return Accord(
        version=found.number,
        hash=found.content_hash,
        is_signed=found.is_signed,
        status=AccordStatus.ACTIVE,
        starts_at=found.starts_at,
        title=document.title,
        stages=tuple(_stage(document, rank) for rank in range(1, len(document.stages) + 1)),
        exits=_exits(document),
        reject_reasons=_reject_reasons(document),
        contact_policy=_contact_policy(document),
        reporting=AccordReporting(
            timezone=reporting.timezone,
            week_start=reporting.week_start,
            fiscal_year_start_month=reporting.fiscal_year_start_month,
            currency=reporting.currency,
            exclude=reporting.exclude,
            sentences=reporting_sentences(document),
        ),
    )


def _contact_policy(document: AccordDocument) -> AccordContactPolicy | None:
    policy = document.contact_policy
    if policy is None:
        return None
    reply_within = policy.exempt.reply_within
    return AccordContactPolicy(
        at_most=policy.at_most,
        within_seconds=int(policy.within.total_seconds()),
        is_automated_exempt=policy.exempt.automated,
        reply_within_seconds=None if reply_within is None else int(reply_within.total_seconds()),
        sentences=policy_sentences(policy),
    )


def _stage(document: AccordDocument, rank: int) -> AccordStage:
    stage = document.stages[rank - 1]
    return AccordStage(
        key=stage.key,
        rank=rank,
        title=stage.title,
        group=stage.group,
        owner=stage.owner,
        meaning=stage.meaning,
        window_seconds=None if stage.window is None else int(stage.window.total_seconds()),
        rule=stage_sentence(stage, document),
        window_sentence=window_sentence(stage, document),
        needs=stage.needs,
    )


def _exits(document: AccordDocument) -> tuple[AccordExit, ...]:
    return tuple(
        AccordExit(
            on=ExitKind[each.on],
            dispositions=each.dispositions,
            closes_from=each.closes_from,
            closes_to=each.closes_to,
            sentence=exit_sentence(each, document),
        )
        for each in document.exits
    )


def _reject_reasons(document: AccordDocument) -> tuple[RejectReason, ...]:
    return tuple(
        RejectReason(
            code=each.code,
            label=each.label,
            disposition=each.disposition,
            fault=each.fault,
            sentence=reason_sentence(each),
        )
        for each in document.reject_reasons
    )
