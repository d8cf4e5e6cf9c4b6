"""The tables of journeys, and the columns that the evaluator derives for them."""

from dataclasses import dataclass

# What every dimension said at the instant of a row.
DIMENSIONS = (
    *("not_counted", "merged_count", "channel", "campaign_id", "lead_source", "country", "company_id", "industry"),
    *(
        "company_size",
        "owner_id",
        "owned_at",
        "current_owner_id",
        "has_no_version",
        "is_version_assumed",
        "is_company_assumed",
    ),
)


@dataclass(frozen=True, slots=True)
class JourneyTable:
    """A table of journeys: its name, the key of a row beside the evaluation, and the other columns.

    `of_contact` is the condition on the rows of `contact_rows` that belong to it. A row is about the time from `start`
    to `end`; `part` is the column with the stage or event of it. `refreshed` are columns that change without the others
    and that no index has. With `is_continuous`, the times of a record follow one another.
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    of_contact: str = "false"
    start: str = "counted_at"
    end: str = "counted_at"
    part: str = "null"
    refreshed: tuple[str, ...] = ()
    is_continuous: bool = False

    @property
    def columns(self) -> str:
        """All derived columns, as a list in SQL."""
        return ", ".join((*self.key, *self.values))


_ENTRY = ("rank", "is_entry", "is_own", "own_at", "accord_version_id")
_WAY = ("top_rank", "standing_rank", "skipped", "settled_at")
ENTRIES = JourneyTable(
    "journey",
    ("contact_id", "stage", "counted_at"),
    (*_ENTRY, *DIMENSIONS, "responded_at", "responder_id", *_WAY),
    "handoff_id is null",
    part="stage",
)
HANDOFFS = JourneyTable(
    "handoff_journey",
    ("contact_id", "handoff_id"),
    ("counted_at", "status", "reject_reason", "responder_id", *DIMENSIONS),
    "handoff_id is not null",
)
_DEAL = (
    *("outcome", "amount", "currency", "is_amount_assumed", "is_negative", "changed_at", "not_counted"),
    *("customer", "opening_stage_id"),
)
_DEAL_DIMENSIONS = (
    *("campaign_id", "pipeline_stage_id", "product_id", "company_id", "industry", "country", "company_size"),
    *("deal_type", "deal_currency", "owner_id", "owned_at"),
    *("current_owner_id", "has_no_version", "is_version_assumed", "is_company_assumed"),
)
_REFRESHED = ("changed_at",)
DEALS = JourneyTable(
    "deal_journey",
    ("deal_id", "event"),
    ("counted_at", *_DEAL, *_DEAL_DIMENSIONS),
    part="event",
    refreshed=_REFRESHED,
)
# The times in which deals were open, with the same columns as far as they have a meaning there.
SPANS = JourneyTable(
    "deal_span",
    ("deal_id", "starts_at"),
    (
        *("ends_at", "amount", "currency", "probability", "close_date"),
        *("confirmed_at", "company_confirmed_at", "changed_at"),
        *("not_counted", "campaign_id", "pipeline_stage_id", "product_id", "company_id", "industry", "country"),
        *("company_size", "deal_type", "owner_id", "owned_at", "current_owner_id"),
    ),
    start="starts_at",
    end="ends_at",
    refreshed=_REFRESHED,
    is_continuous=True,
)
