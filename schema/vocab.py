"""The closed vocabularies and units that more than one table uses.

Every vocabulary is stored as text with a CHECK derived from it, and becomes a GraphQL enum of the same name. A member's
meaning is the line behind it: `doc(Member)` reads it, and GraphQL shows it.
"""

import re
from enum import StrEnum
from typing import Self


def require_end_date(deprecation: str | None) -> None:
    """Hold a deprecation to saying until when what it is about stays: ValueError if it does not."""
    if deprecation is not None and not re.search(r"\buntil \d{4}-\d{2}-\d{2}\b", deprecation):
        raise ValueError(f"A deprecation ends in a day, '… until YYYY-MM-DD': {deprecation}")


class Vocabulary(StrEnum):
    """A closed list of words, each with its meaning: `WORD = "WORD", "meaning"`.

    A word that is to go says until when it stays: `WORD = "WORD", "meaning", "Use OTHER instead, until 2027-06-30"`.
    """

    doc: str
    deprecated: str | None

    def __new__(cls, value: str, doc: str, deprecated: str | None = None) -> Self:
        """Make a member that is its own text and carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        require_end_date(deprecated)
        member.deprecated = deprecated
        return member


class TeamKind(Vocabulary):
    """Which of the parties a team belongs to."""

    MARKETING = "MARKETING", "Creates demand: campaigns, content, events, nurturing."
    SALES = "SALES", "Talks to people and closes deals: SDRs, sales representatives, account managers."
    REVOPS = "REVOPS", "Revenue operations: keeps the accord, the data and the numbers."


class MemberRole(Vocabulary):
    """What a member of a team mainly does."""

    MARKETER = "MARKETER", "Works in marketing."
    SDR = "SDR", "Sales development representative: qualifies leads."
    SALES_REP = "SALES_REP", "Sales representative: works deals to a close."
    MANAGER = "MANAGER", "Leads a team."
    ANALYST = "ANALYST", "Revenue operations or analytics."


class EmailKind(Vocabulary):
    """What kind of mailbox an e-mail address is."""

    BUSINESS = "BUSINESS", "An address at a company's own domain."
    FREE = "FREE", "An address at a public mail provider."
    ROLE = "ROLE", "A mailbox of a function, such as info@ or sales@."


class Channel(Vocabulary):
    """The way by which a touchpoint reached the other side."""

    ORGANIC_SEARCH = "ORGANIC_SEARCH", "Unpaid results of a search engine."
    PAID_SEARCH = "PAID_SEARCH", "Paid results of a search engine."
    SOCIAL = "SOCIAL", "Social media, unpaid."
    PAID_SOCIAL = "PAID_SOCIAL", "Advertisements on social media."
    DISPLAY = "DISPLAY", "Banner and video advertisements."
    EMAIL = "EMAIL", "E-mail, marketing's or a salesperson's."
    DIRECT = "DIRECT", "The person typed the address or used a bookmark."
    REFERRAL = "REFERRAL", "A link or recommendation of somebody else."
    PARTNER = "PARTNER", "A reseller, agency or other partner."
    EVENT = "EVENT", "A trade fair, webinar or own event."
    PHONE = "PHONE", "A telephone call."
    MEETING = "MEETING", "A meeting, on site or by video."
    CHAT = "CHAT", "A chat or direct message."
    WEBSITE = "WEBSITE", "The company's own website, with no better known origin."
    OTHER = "OTHER", "Known, and none of the others."
    UNKNOWN = "UNKNOWN", "The source says itself that it does not know."


class TouchKind(Vocabulary):
    """What happened at a touchpoint."""

    AD_CLICK = "AD_CLICK", "The person clicked an advertisement."
    PAGE_VISIT = "PAGE_VISIT", "The person visited a page."
    FORM = "FORM", "The person filled in a form."
    EMAIL_SENT = "EMAIL_SENT", "An e-mail was sent to the person."
    EMAIL_OPENED = "EMAIL_OPENED", "The person opened an e-mail."
    EMAIL_CLICKED = "EMAIL_CLICKED", "The person clicked a link in an e-mail."
    EMAIL_REPLY = "EMAIL_REPLY", "The person answered an e-mail."
    EVENT = "EVENT", "The person took part in an event."
    CALL = "CALL", "A telephone call."
    MEETING = "MEETING", "A meeting."
    MESSAGE = "MESSAGE", "A chat or direct message."


class Direction(Vocabulary):
    """Who took the first step at a touchpoint."""

    INBOUND = "INBOUND", "The person came to us."
    OUTBOUND = "OUTBOUND", "We went to the person."


class TouchOutcome(Vocabulary):
    """What came out of a conversation."""

    QUALIFIED = "QUALIFIED", "Need, budget and timing were confirmed."
    CONNECTED = "CONNECTED", "A conversation took place, nothing was decided."
    NOT_INTERESTED = "NOT_INTERESTED", "The person does not want to go on."
    NO_ANSWER = "NO_ANSWER", "Nobody answered."
    NO_SHOW = "NO_SHOW", "The person did not come."
    BOUNCED = "BOUNCED", "The message could not be delivered."


class CampaignStatus(Vocabulary):
    """Where a campaign stands in its life."""

    PLANNED = "PLANNED", "Not started yet."
    RUNNING = "RUNNING", "In the market now."
    ENDED = "ENDED", "Over."


class StageCategory(Vocabulary):
    """What a stage of a pipeline means for the deal in it."""

    OPEN = "OPEN", "Still being worked on."
    WON = "WON", "Closed, and won."
    LOST = "LOST", "Closed, and lost."


class DealOutcome(Vocabulary):
    """Whether a deal is decided, and how."""

    OPEN = "OPEN", "Not decided yet."
    WON = "WON", "The customer bought."
    LOST = "LOST", "The customer did not buy, or bought elsewhere."


class HandoffStatus(Vocabulary):
    """Where a handoff from marketing to sales stands."""

    PROPOSED = "PROPOSED", "Handed over, not decided yet."
    ACCEPTED = "ACCEPTED", "Sales took the person on."
    REJECTED = "REJECTED", "Sales refused, with a reason."
    RETURNED = "RETURNED", "Sales asks for missing data; the clock pauses."


class Disposition(Vocabulary):
    """What happens to a person after a rejected handoff."""

    RECYCLE = "RECYCLE", "Back to marketing, may qualify again."
    DISQUALIFY = "DISQUALIFY", "Not a possible customer."
    RETURN_FOR_DATA = "RETURN_FOR_DATA", "Sales needs more information first."


class FaultDomain(Vocabulary):
    """On which side the cause of a rejection lies."""

    MARKETING = "MARKETING", "Targeting, content or data that marketing owes."
    SALES = "SALES", "Capacity or follow-up that sales owes."
    NEITHER = "NEITHER", "The person's own circumstances."


class AccordStatus(Vocabulary):
    """Where a version of the accord stands in its life."""

    DRAFT = "DRAFT", "Being written."
    IN_REVIEW = "IN_REVIEW", "Proposed to both teams."
    CHANGES_REQUESTED = "CHANGES_REQUESTED", "One team asks for changes."
    SIGNED = "SIGNED", "Both teams signed its present content."
    ACTIVE = "ACTIVE", "In force."
    SUPERSEDED = "SUPERSEDED", "A later version took its place."
    WITHDRAWN = "WITHDRAWN", "Given up before it came into force."


class Reading(Vocabulary):
    """By which version of the accord history is judged."""

    IN_FORCE = "IN_FORCE", "Each entry by the accord in force at its moment."
    RESTATED = "RESTATED", "All history by today's accord."
    PINNED = "PINNED", "All history by one named version."


class ExitKind(Vocabulary):
    """How an entry into a stage ended."""

    ADVANCED = "ADVANCED", "A higher stage was entered."
    HANDOFF_REJECTED = "HANDOFF_REJECTED", "Sales rejected the handoff (recycled or disqualified)."
    DEAL_LOST = "DEAL_LOST", "The deal was lost and no other was open."


class Unit(Vocabulary):
    """What a number counts or measures."""

    COUNT = "COUNT", "A number of things."
    RATIO = "RATIO", "A share between 0 and 1."
    MONEY = "MONEY", "An amount in the currency beside it."
    SECONDS = "SECONDS", "A duration in seconds."
    PERCENT = "PERCENT", "A share in percent, as the source has it."
    POINTS = "POINTS", "Points of a score."
    PEOPLE = "PEOPLE", "A number of people."


class Dimension(Vocabulary):
    """By what an answer can be broken down, judged at the counted instant."""

    LEAD_SOURCE = "LEAD_SOURCE", "The contact's lead source, in the source's words."
    CHANNEL = "CHANNEL", "A person's: the channel of the first inbound touchpoint. A deal's: its primary campaign's."
    CAMPAIGN = "CAMPAIGN", "A person's: the campaign of the first inbound touchpoint. A deal's: its primary campaign."
    OWNER = "OWNER", "Who looks after the contact or works the deal."
    TEAM = "TEAM", "The owner's team."
    COUNTRY = "COUNTRY", "The contact's country; of a deal, its company's."
    INDUSTRY = "INDUSTRY", "The company's line of business."
    STAGE = "STAGE", "The stage of the accord."
    PIPELINE = "PIPELINE", "The deal's pipeline."
    PRODUCT = "PRODUCT", "The deal's product."
    REJECT_REASON = "REJECT_REASON", "Why sales rejected the handoff; of all decided, so the reasons sum to the whole."


class Grain(Vocabulary):
    """How long the buckets of a series are, in the accord's time zone."""

    DAY = "DAY", "One day."
    WEEK = "WEEK", "One week; the accord says on which day it starts."
    MONTH = "MONTH", "One month."
    QUARTER = "QUARTER", "Three months."
    YEAR = "YEAR", "One calendar year."


class Anchor(Vocabulary):
    """Which moments a rate puts into its period."""

    COHORT = "COHORT", "The people who entered the base stage in the period, followed up to `asOf`."
    PERIOD = "PERIOD", "What entered each of the two stages in the period; they may be different people."


class Reentry(Vocabulary):
    """Which entries of a person into a stage count."""

    FIRST = "FIRST", "The first entry ever."
    LAST = "LAST", "The last entry up to `asOf`."
    EACH = "EACH", "Every entry."


class Skip(Vocabulary):
    """How stages that a person skipped count."""

    EXCLUDE = "EXCLUDE", "Only entries with facts of their own, at the moment of these facts."
    IMPLIED = "IMPLIED", "Skipped stages count as entered when the higher one was."
    REACHED_OR_BEYOND = "REACHED_OR_BEYOND", "The base needs facts of its own; the target may be skipped past."


class RecordSide(Vocabulary):
    """Which of the records behind a figure."""

    BASE = "BASE", "Those that n counts: the denominator of a ratio, else everything counted."
    CONVERTED = "CONVERTED", "Those that the numerator counts: won, converted, reached the next stage."


class WarningCode(Vocabulary):
    """What a reader must know before using a number."""

    LOW_SAMPLE = "LOW_SAMPLE", "Fewer than 20 in the denominator."
    OPEN_COHORT = "OPEN_COHORT", "Some of the cohort can still convert, or are still in the stage."
    ZERO_DENOMINATOR = "ZERO_DENOMINATOR", "Nothing to divide by: the value is null."
    NO_CONTACTS = "NO_CONTACTS", "A question about people where no contact is known: the value is null."
    NEVER_TOUCHED = "NEVER_TOUCHED", "Some people were not touched by hand since, and are not in the number."
    UNDATED = "UNDATED", "Some records have no known date and stand in no period."
    UNKNOWN_AMOUNT = "UNKNOWN_AMOUNT", "Some amounts are unknown and not in the number."
    MISSING_RATE = "MISSING_RATE", "Some amounts have no rate to the answer's currency: they are kept apart."


class Currency(Vocabulary):
    """ISO 4217 currencies."""

    AED = "AED", "United Arab Emirates dirham."
    ARS = "ARS", "Argentine peso."
    AUD = "AUD", "Australian dollar."
    BGN = "BGN", "Bulgarian lev."
    BRL = "BRL", "Brazilian real."
    CAD = "CAD", "Canadian dollar."
    CHF = "CHF", "Swiss franc."
    CLP = "CLP", "Chilean peso."
    CNY = "CNY", "Chinese renminbi."
    COP = "COP", "Colombian peso."
    CZK = "CZK", "Czech koruna."
    DKK = "DKK", "Danish krone."
    EGP = "EGP", "Egyptian pound."
    EUR = "EUR", "Euro."
    GBP = "GBP", "Pound sterling."
    HKD = "HKD", "Hong Kong dollar."
    HUF = "HUF", "Hungarian forint."
    IDR = "IDR", "Indonesian rupiah."
    ILS = "ILS", "Israeli new shekel."
    INR = "INR", "Indian rupee."
    ISK = "ISK", "Icelandic krona."
    JPY = "JPY", "Japanese yen."
    KES = "KES", "Kenyan shilling."
    KRW = "KRW", "South Korean won."
    MAD = "MAD", "Moroccan dirham."
    MXN = "MXN", "Mexican peso."
    MYR = "MYR", "Malaysian ringgit."
    NGN = "NGN", "Nigerian naira."
    NOK = "NOK", "Norwegian krone."
    NZD = "NZD", "New Zealand dollar."
    PEN = "PEN", "Peruvian sol."
    PHP = "PHP", "Philippine peso."
    PKR = "PKR", "Pakistani rupee."
    PLN = "PLN", "Polish zloty."
    QAR = "QAR", "Qatari riyal."
    RON = "RON", "Romanian leu."
    RSD = "RSD", "Serbian dinar."
    RUB = "RUB", "Russian rouble."
    SAR = "SAR", "Saudi riyal."
    SEK = "SEK", "Swedish krona."
    SGD = "SGD", "Singapore dollar."
    THB = "THB", "Thai baht."
    TRY = "TRY", "Turkish lira."
    TWD = "TWD", "New Taiwan dollar."
    UAH = "UAH", "Ukrainian hryvnia."
    USD = "USD", "United States dollar."
    UYU = "UYU", "Uruguayan peso."
    VND = "VND", "Vietnamese dong."
    ZAR = "ZAR", "South African rand."


def vocabularies() -> tuple[type[Vocabulary], ...]:
    """Every closed vocabulary, in the order it is written here."""
    return tuple(Vocabulary.__subclasses__())
