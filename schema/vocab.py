"""The closed vocabularies: the words that a column, an argument or a KPI may have, and the units of numbers.

A vocabulary becomes a GraphQL enum of the same name, or with its `__graphql_name__` where the class name does not say
whose words they are. A column with `vocab=` stores the word as text, with a CHECK that lists the words. Each word
carries its meaning, which is the description of the enum value.
"""

import re
from enum import StrEnum
from typing import Self

from schema.currencies import CURRENCIES


def require_end_date(deprecation: str | None) -> None:
    """Require that a deprecation names its last day ("… until 2027-06-30"); ValueError if it does not."""
    if deprecation is not None and not re.search(r"\buntil \d{4}-\d{2}-\d{2}\b", deprecation):
        raise ValueError(f"This deprecation has no last day. End it with 'until YYYY-MM-DD': {deprecation}")


class Vocabulary(StrEnum):
    """A closed list of words with their meanings: `WORD = "WORD", "meaning"`.

    A third text deprecates a word: `WORD = "WORD", "meaning", "Use OTHER instead, until 2027-06-30"`.
    """

    doc: str
    deprecated: str | None

    def __new__(cls, value: str, doc: str, deprecated: str | None = None) -> Self:
        """Make a member whose value is the word and which carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        require_end_date(deprecated)
        member.deprecated = deprecated
        return member

    @classmethod
    def graphql_name(cls) -> str:
        """Return the name of the GraphQL enum: `__graphql_name__`, or else the name of the class."""
        name: str = getattr(cls, "__graphql_name__", cls.__name__)
        return name


class TeamKind(Vocabulary):
    """The kind of a team: which party of the accord it belongs to."""

    MARKETING = "MARKETING", "Creates demand: campaigns, content, events, nurturing."
    SALES = "SALES", "Qualifies people and closes deals: SDRs, sales representatives, account managers."
    REVOPS = "REVOPS", "Revenue operations: maintains the accord, the data and the KPIs."


class MemberRole(Vocabulary):
    """The main role of a member of a team."""

    MARKETER = "MARKETER", "Works in marketing."
    SDR = "SDR", "Sales development representative: qualifies leads."
    SALES_REP = "SALES_REP", "Sales representative: works on deals until they are closed."
    MANAGER = "MANAGER", "Leads a team."
    ANALYST = "ANALYST", "Works in revenue operations or analytics."


class EmailKind(Vocabulary):
    """The kind of mailbox that an e-mail address belongs to."""

    BUSINESS = "BUSINESS", "An address at a company's own domain."
    FREE = "FREE", "An address at a public e-mail provider, such as gmail.com."
    ROLE = "ROLE", "A mailbox of a function and not of a person, such as info@ or sales@."


class Channel(Vocabulary):
    """The channel of a touchpoint or a campaign."""

    ORGANIC_SEARCH = "ORGANIC_SEARCH", "Unpaid search engine results."
    PAID_SEARCH = "PAID_SEARCH", "Paid search engine results."
    SOCIAL = "SOCIAL", "Social media, unpaid."
    PAID_SOCIAL = "PAID_SOCIAL", "Advertisements on social media."
    DISPLAY = "DISPLAY", "Banner and video advertisements."
    EMAIL = "EMAIL", "E-mail, sent by marketing or by a salesperson."
    DIRECT = "DIRECT", "The person typed the web address or used a bookmark."
    REFERRAL = "REFERRAL", "A link or recommendation of a third party."
    PARTNER = "PARTNER", "A reseller, agency or other partner."
    EVENT = "EVENT", "A trade fair, a webinar or an event of our own."
    PHONE = "PHONE", "A telephone call."
    MEETING = "MEETING", "A meeting, on site or by video."
    CHAT = "CHAT", "A chat or direct message."
    WEBSITE = "WEBSITE", "Our own website, if the origin of the visit is not known more precisely."
    OTHER = "OTHER", "A known channel that is none of the others."
    UNKNOWN = "UNKNOWN", "The source system records the channel as unknown."


class TouchKind(Vocabulary):
    """What happened at a touchpoint."""

    AD_CLICK = "AD_CLICK", "The person clicked an advertisement."
    PAGE_VISIT = "PAGE_VISIT", "The person visited a page."
    FORM = "FORM", "The person filled in a form."
    EMAIL_SENT = "EMAIL_SENT", "An e-mail was sent to the person."
    EMAIL_OPENED = "EMAIL_OPENED", "The person opened an e-mail."
    EMAIL_CLICKED = "EMAIL_CLICKED", "The person clicked a link in an e-mail."
    EMAIL_REPLY = "EMAIL_REPLY", "The person replied to an e-mail."
    EVENT = "EVENT", "The person took part in an event."
    CALL = "CALL", "A telephone call."
    MEETING = "MEETING", "A meeting."
    MESSAGE = "MESSAGE", "A chat or direct message."


class Direction(Vocabulary):
    """Who started a touchpoint."""

    __graphql_name__ = "TouchDirection"

    INBOUND = "INBOUND", "The person contacted us or used something of ours."
    OUTBOUND = "OUTBOUND", "We contacted the person."


class TouchOutcome(Vocabulary):
    """The outcome of a conversation or message."""

    QUALIFIED = "QUALIFIED", "Need, budget and timing were confirmed."
    CONNECTED = "CONNECTED", "A conversation took place without a decision."
    NOT_INTERESTED = "NOT_INTERESTED", "The person does not want to continue."
    NO_ANSWER = "NO_ANSWER", "Nobody answered."
    NO_SHOW = "NO_SHOW", "The person did not come to the meeting."
    BOUNCED = "BOUNCED", "The message could not be delivered."


class CampaignStatus(Vocabulary):
    """The status of a campaign."""

    PLANNED = "PLANNED", "Not started yet."
    RUNNING = "RUNNING", "Running now."
    ENDED = "ENDED", "Ended."


class StageCategory(Vocabulary):
    """What a pipeline stage means for the deals in it."""

    __graphql_name__ = "PipelineStageCategory"

    OPEN = "OPEN", "The deal is open."
    WON = "WON", "The deal is closed and won."
    LOST = "LOST", "The deal is closed and lost."


class DealOutcome(Vocabulary):
    """The outcome of a deal."""

    OPEN = "OPEN", "Not decided yet."
    WON = "WON", "The customer bought."
    LOST = "LOST", "The customer did not buy, or bought from somebody else."


class DealType(Vocabulary):
    """What kind of sale a deal is."""

    NEW = "NEW", "The first sale to a customer."
    EXPANSION = "EXPANSION", "A sale of more to a customer: more units, another product."
    RENEWAL = "RENEWAL", "The continuation of what a customer has."


class HandoffStatus(Vocabulary):
    """The status of a handoff from marketing to sales."""

    PROPOSED = "PROPOSED", "Handed over; sales has not decided yet."
    ACCEPTED = "ACCEPTED", "Sales accepted the person."
    REJECTED = "REJECTED", "Sales rejected the person, with a reason."
    RETURNED = (
        "RETURNED",
        "Sales returned the handoff because data is missing; the time until its decision does not run.",
    )


class Disposition(Vocabulary):
    """What happens to a person whose handoff was rejected."""

    __graphql_name__ = "RejectDisposition"

    RECYCLE = "RECYCLE", "The person goes back to marketing and may qualify again."
    DISQUALIFY = "DISQUALIFY", "The person is not a possible customer."
    RETURN_FOR_DATA = "RETURN_FOR_DATA", "Sales needs more information first."


class FaultDomain(Vocabulary):
    """Which side caused a rejection."""

    __graphql_name__ = "RejectFaultDomain"

    MARKETING = "MARKETING", "Marketing: targeting, content or data."
    SALES = "SALES", "Sales: capacity or follow-up."
    NEITHER = "NEITHER", "Neither side: the circumstances of the person."


class ExitKind(Vocabulary):
    """How an entry into a stage ended."""

    __graphql_name__ = "StageExitKind"

    ADVANCED = "ADVANCED", "The person entered a higher stage."
    HANDOFF_REJECTED = "HANDOFF_REJECTED", "Sales rejected the handoff, to recycle or to disqualify the person."
    DEAL_LOST = "DEAL_LOST", "The deal was lost and the person had no other open deal."


class NotCountedReason(Vocabulary):
    """Why a KPI does not count a record that would otherwise be part of its number."""

    DELETED = "DELETED", "The record is deleted."
    MERGED = "MERGED", "The contact is merged into another one, which counts in its place."
    TEST = (
        "TEST",
        "A test record, which the accord in force excludes; or a deal or company with excluded people only.",
    )
    INTERNAL = (
        "INTERNAL",
        "One of the firm's own people, whom the accord in force excludes; or a deal or company of such people only.",
    )
    NEGATIVE = (
        "NEGATIVE",
        "The amount of the deal is negative: it lowers sums of money, and is no win, no customer and no closing.",
    )


class Unit(Vocabulary):
    """The unit of a number."""

    __graphql_name__ = "KpiUnit"

    COUNT = "COUNT", "A number of records."
    RATIO = (
        "RATIO",
        "A share, from 0 to 1; more than 1 is possible for what was delivered of what was owed, and for formulas.",
    )
    MONEY = "MONEY", "An amount of money, in the currency given beside it."
    MONEY_PER_DAY = "MONEY_PER_DAY", "An amount of money per day, in the currency given beside it."
    MONTHS = "MONTHS", "A number of months."
    SECONDS = "SECONDS", "A duration in seconds."
    HOURS = "HOURS", "A number of hours."
    PERCENT = "PERCENT", "A percentage, from 0 to 100, as the source system gives it."
    POINTS = "POINTS", "Points, of a score."
    PEOPLE = "PEOPLE", "A number of people."


class Grain(Vocabulary):
    """The length of the buckets of a series. Buckets begin at midnight in the accord's time zone."""

    __graphql_name__ = "TimeGrain"

    DAY = "DAY", "One day."
    WEEK = "WEEK", "One week. The accord defines its first day."
    MONTH = "MONTH", "One calendar month."
    QUARTER = "QUARTER", "Three calendar months."
    YEAR = "YEAR", "One calendar year."
    FISCAL_QUARTER = "FISCAL_QUARTER", "Three months of a fiscal year. The accord defines the month in which it begins."
    FISCAL_YEAR = "FISCAL_YEAR", "One fiscal year. The accord defines the month in which it begins, and its name."


class Anchor(Vocabulary):
    """Which events of a rate must lie in the period."""

    __graphql_name__ = "AnchorSwitch"

    COHORT = (
        "COHORT",
        "The entries into the base stage. The people who entered it in the period are followed up to `asOf`.",
    )
    PERIOD = "PERIOD", "The entries into each of the two stages. Numerator and denominator may be different people."


class Reentry(Vocabulary):
    """Which entries count if a person entered a stage several times."""

    __graphql_name__ = "ReentrySwitch"

    FIRST = "FIRST", "The first entry of all time."
    LAST = "LAST", "The last entry up to `asOf`."
    EACH = "EACH", "Every entry."


class Skip(Vocabulary):
    """How a skipped stage counts: the person entered a higher stage without fulfilling its rule."""

    __graphql_name__ = "SkippedStagesSwitch"

    EXCLUDE = (
        "EXCLUDE",
        "A skipped stage does not count. Other entries count when the stage's own rule was fulfilled.",
    )
    IMPLIED = "IMPLIED", "A skipped stage counts as entered when the higher stage was entered."
    REACHED_OR_BEYOND = (
        "REACHED_OR_BEYOND",
        "A skipped base stage does not count; a skipped target stage counts as reached.",
    )


class RecordSide(Vocabulary):
    """Which records of a result to list."""

    __graphql_name__ = "CountedRecordSide"

    BASE = "BASE", "The records that `n` counts: the denominator of a ratio, else all counted records."
    CONVERTED = "CONVERTED", "The records that the numerator counts: won, converted, or with the next stage reached."


class Currency(Vocabulary):
    """A currency, by its ISO 4217 code."""

    # These stand here for type checkers, because code names them; the others are as in ISO 4217.
    EUR = "EUR", CURRENCIES["EUR"]
    SEK = "SEK", CURRENCIES["SEK"]
    USD = "USD", CURRENCIES["USD"]
    vars().update({code: (code, meaning) for code, meaning in CURRENCIES.items() if code not in {"EUR", "SEK", "USD"}})


def vocabularies() -> tuple[type[Vocabulary], ...]:
    """Return every vocabulary, in the order of this module."""
    return tuple(Vocabulary.__subclasses__())
