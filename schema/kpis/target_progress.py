"""How far a KPI has got towards a target of the accord: attainment, pace and forecast."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from schema.described import described
from schema.vocab import TeamKind


@dataclass(frozen=True, kw_only=True)
class PastPace:
    """How much of the final value of an earlier period stood after the same time."""

    __graphql_name__ = "KpiPastPace"

    starts_on: date = described("The first day of the earlier period.")
    before: date = described("The first day after it.")
    value: Decimal = described("Its final value.")
    share: Decimal = described("The share of it that stood after as many days as have passed of the present period.")


@dataclass(frozen=True, kw_only=True)
class TargetPace:
    """What should stand by now for the target to be reached, if the period goes as the earlier ones went."""

    __graphql_name__ = "KpiTargetPace"

    at: datetime = described("The instant by which it should stand: `asOf` of the answer.")
    share: Decimal = described(
        "The share of the target that should stand by then: the mean of the shares of `basedOn`."
    )
    expected: Decimal = described("The target times the share.")
    ahead: Decimal | None = described("The value minus what is expected: below 0, the period is behind.")
    based_on: tuple[PastPace, ...] = described(
        "The earlier periods, the latest first: at most 8, without those that began before anything was counted or in "
        "which the final value was 0. Of the present day, each stands with the share of the day that has passed."
    )


@dataclass(frozen=True, kw_only=True)
class TargetForecast:
    """The value at the end of the period, if the rest of it goes as that of the earlier periods went."""

    __graphql_name__ = "KpiTargetForecast"

    value: Decimal = described("The value divided by the share of the pace.")
    low: Decimal = described("The value divided by the highest share among the earlier periods.")
    high: Decimal | None = described(
        "The value divided by the lowest share among the earlier periods; null if nothing stood by then in one of them."
    )
    attainment: Decimal | None = described("The forecast divided by the target; null if that is 0.")
    error: Decimal | None = described(
        "How wrong the same forecast was in the earlier periods, each from those before it: the mean of the errors, "
        "without their signs, as shares of the final values. Null with fewer than two earlier periods."
    )
    tests: int = described("The number of earlier periods of which the error is the mean.")


@dataclass(frozen=True, kw_only=True)
class TargetProgress:
    """A target of the accord for the KPI in the period, and how far it is reached."""

    __graphql_name__ = "KpiTarget"

    value: Decimal = described("The value to reach, in the answer's unit and currency.")
    team: TeamKind | None = described("The team that is to reach it; null for both teams.")
    summed_from: tuple[str, ...] = described(
        "The periods whose targets are added up, where the accord has none for the whole period. Only targets for "
        "counts and sums add up."
    )
    attainment: Decimal | None = described(
        "The value divided by the target; null if one of them is null or the target is 0. For a duration, above 1 is "
        "slower than the target."
    )
    pace: TargetPace | None = described(
        "Where the value should stand by now. Null if the period is over or has not begun, and with the warning "
        "`NO_PACE` where nothing says it."
    )
    forecast: TargetForecast | None = described(
        "The value to expect at the end of the period. Null if the period is over or has not begun, and with the "
        "warning `NO_PACE` where nothing says it."
    )
