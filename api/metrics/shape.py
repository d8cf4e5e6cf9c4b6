"""What a kind gives to be counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.sql import Sql

EVERY = Sql("true")
_NO_TIE = Sql("''")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The rows `c` of a kind, and which of them make its figures.

    `rows` have `contact_id`, `deal_id` … (after the subject's table), `at`, and what the rest reads. `measures` are
    aggregates over them by name. `is_base` tells whether a row is one of n, `is_converted` whether it is one of the
    numerator; None: nothing is divided. `tie` is a text that tells apart rows of one record at one instant. `spread` is
    a number of each row whose percentiles are told. Figures are apart by what `apart` names, besides keys and buckets.
    """

    rows: Sql
    measures: Mapping[str, Sql] = field(default_factory=dict)
    is_base: Sql = EVERY
    is_converted: Sql | None = None
    tie: Sql = _NO_TIE
    spread: Sql | None = None
    apart: tuple[str, ...] = ()
