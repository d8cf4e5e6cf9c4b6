"""The accord in plain English: the sentences that both teams sign.

Pure functions of the models, so that the command line, GraphQL and a notebook render the same sentence.
"""

from schema.accord import Accord
from schema.clauses.contact_policy import ChannelCap, ContactPolicy, QuietHours
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.stages import Stage
from schema.durations import format_duration
from schema.sentences.rule_sentences import rule_sentence
from schema.sentences.words import either, plain
from schema.vocab import Disposition


def stage_sentence(stage: Stage, accord: Accord) -> str:
    """Render when a contact enters a stage."""
    return f"A contact enters {stage.title} when: {rule_sentence(stage.rule, accord)}."


def window_sentence(stage: Stage, accord: Accord) -> str:
    """Render how long the step to the next stage may take."""
    rank = accord.rank(stage.key)
    if rank == len(accord.stages):
        return "This is the last stage."
    following = accord.stages[rank].title
    if stage.window is None:
        return f"The step to {following} has no time limit."
    length = format_duration(stage.window)
    return f"The step to {following} counts if it takes at most {length}, exactly {length} included."


def exit_sentence(leaving: Exit, accord: Accord) -> str:
    """Render which entries an exit closes."""
    stages = {stage.key: stage.title for stage in accord.stages}
    first, last = stages[leaving.closes_from], stages[leaving.closes_to]
    closes = f"closes {first}" if first == last else f"closes {first} up to {last}"
    if leaving.on == "DEAL_LOST":
        only = "Deals with a negative amount do not count."
        return f"A lost deal {closes}, unless the contact has another open deal. {only}"
    kinds = " or ".join(f"to {plain(disposition)}" for disposition in leaving.dispositions)
    unlisted = " (a reason that is not listed means to recycle)" if Disposition.RECYCLE in leaving.dispositions else ""
    return f"A handoff that sales rejects with a reason {kinds} {closes}{unlisted}."


def reason_sentence(reason: RejectReason) -> str:
    """Render a reject reason and what follows from it."""
    return (
        f"{reason.code}: {reason.label} (to {plain(reason.disposition)}; cause on the side of {plain(reason.fault)})."
    )


def policy_sentences(policy: ContactPolicy, accord: Accord) -> tuple[str, ...]:
    """Render how often a person may be touched, and which touches do not count."""
    most = "1 touch" if policy.at_most == 1 else f"{policy.at_most} touches"
    length = format_duration(policy.within)
    rolling = f"in any {length} (a touch exactly {length} old no longer counts)"
    exempt = ["automated touches"] if policy.exempt.automated else []
    if policy.exempt.reply_within:
        reply = format_duration(policy.exempt.reply_within)
        exempt.append(f"replies less than {reply} after the person's own touch")
    return (
        f"No person gets more than {most} from both teams together, over all channels, {rolling}.",
        *(_cap_sentence(cap) for cap in policy.channel_caps),
        f"Not counted: {' and '.join(exempt)}." if exempt else "Every outbound touch counts.",
        *((_quiet_sentence(policy.quiet_hours, accord),) if policy.quiet_hours else ()),
    )


def _cap_sentence(cap: ChannelCap) -> str:
    most = "1 touch" if cap.at_most == 1 else f"{cap.at_most} touches"
    return f"Through {plain(cap.channel)} it is not more than {most} in any {format_duration(cap.within)}."


def _quiet_sentence(quiet: QuietHours, accord: Accord) -> str:
    through = f" through {either([plain(channel) for channel in quiet.channels])}" if quiet.channels else ""
    overnight = " of the next day" if quiet.starts_at > quiet.until else ""
    return (
        f"Nobody is touched{through} from {quiet.starts_at} to {quiet.until}{overnight}, by the person's own clock;"
        f" if the person's time zone is not known, by that of {quiet.timezone or accord.reporting.timezone}."
    )


def reporting_sentences(accord: Accord) -> tuple[str, ...]:
    """Render how results are reported."""
    reporting = accord.reporting
    names = {"TEST": "test records", "INTERNAL": "our own people"}
    excluded = " and ".join(names[group] for group in reporting.exclude)
    currency = (
        f"Money is reported in {reporting.currency.value}."
        if reporting.currency
        else "No reporting currency is agreed."
    )
    return (
        f"Days begin at midnight in {reporting.timezone}, weeks on {reporting.week_start.capitalize()}.",
        reporting.fiscal_calendar.sentence,
        currency,
        f"Never counted: {excluded}." if excluded else "Test records and our own people are counted too.",
    )
