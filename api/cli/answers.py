"""`accord kpi` and `accord funnel`."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from api.cli.options import Data
from api.errors import AccordError, ErrorCode
from schema.vocab import Anchor, Dimension, Grain, RecordSide, Reentry, Skip, Vocabulary

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from api.cli.record_output import RecordList
    from api.db import ReadSession
    from api.metrics.answer import FunnelAnswer, KpiAnswer
    from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches, Where

Word = TypeVar("Word", bound=Vocabulary)

FIRST = 20  # records listed unless it is said how many

PERIOD_HELP = "2026, 2026-Q1, 2026-03, last-90-days, or FROM..BEFORE (2026-01-01..2026-04-01); else all history."
WHERE_HELP = "Count only these, such as channel=EMAIL,DIRECT; channel= is the empty one, channel!=EMAIL all others."

PeriodText = Annotated[str | None, typer.Option("--period", metavar="PERIOD", help=PERIOD_HELP)]
ByText = Annotated[str | None, typer.Option("--by", metavar="DIMENSION", help="Also by channel, lead_source, owner …")]
ByTwoText = Annotated[
    str | None, typer.Option("--by", metavar="DIMENSIONS", help="Also by channel, owner …, or by two: channel,country.")
]
WhereText = Annotated[list[str] | None, typer.Option("--where", metavar="DIMENSION=VALUES", help=WHERE_HELP)]
AsOfText = Annotated[
    str | None, typer.Option("--as-of", metavar="INSTANT", help="Only what happened before, like 2026-04-01T00:00:00Z.")
]
ZoneText = Annotated[str | None, typer.Option("--timezone", metavar="ZONE", help="In place of the accord's zone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("kpi")(kpi)
    app.command("funnel")(funnel)


def kpi(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="Which KPI; left out: list them.")] = None,
    *,
    period: PeriodText = None,
    by: ByTwoText = None,
    grain: Annotated[str | None, typer.Option(metavar="GRAIN", help="Also by day, week, month, quarter, year.")] = None,
    base: Annotated[str | None, typer.Option("--from", metavar="STAGE", help="The stage people set out from.")] = None,
    target: Annotated[str | None, typer.Option("--to", metavar="STAGE", help="The stage they reach or not.")] = None,
    skip: Annotated[str | None, typer.Option(help="exclude, implied, reached_or_beyond.")] = None,
    anchor: Annotated[str | None, typer.Option(help="cohort, period.")] = None,
    reentry: Annotated[str | None, typer.Option(help="first, last, each.")] = None,
    window: Annotated[str | None, typer.Option(metavar="DURATION", help="Like '30 days', or none.")] = None,
    as_of: AsOfText = None,
    timezone: ZoneText = None,
    where: WhereText = None,
    records: Annotated[bool, typer.Option("--records", help="List the people or deals behind the number.")] = False,
    side: Annotated[str | None, typer.Option(help="base (what n counts) or converted; with --records.")] = None,
    first: Annotated[int | None, typer.Option(min=0, help="How many of them; else 20. With --records.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    data: Data = None,
) -> None:
    """Answer a KPI from the accord; without a key, list those there are."""
    from api.cli import kpi_tables
    from api.metrics.request import KpiRequest

    if key is None:
        answer_view.show_catalogue()
        return
    one_format(as_json, as_csv)
    request = KpiRequest(
        key=key,
        period=read_period(period),
        grain=read_word(Grain, "--grain", grain),
        by=read_dimensions(by),
        stages=read_pair(base, target),
        where=read_where(where or []),
        switches=read_switches(anchor, reentry, skip, window, as_of, timezone),
    )
    listing = read_listing(records, side, first)
    _tell(request, data, listing, "json" if as_json else "csv" if as_csv else "table")


def _tell(
    request: "KpiRequest",
    data: Path | None,
    listing: "tuple[RecordSide, int] | None",
    form: Literal["json", "csv", "table"],
) -> None:
    """Ask, and print the answer or the records behind it."""
    import asyncio

    from api.cli import answer_text, answer_view, record_list

    answer, listed, zone = asyncio.run(_answered(data, request, listing))
    match form:
        case "json":
            answer_text.print_json(answer) if listed is None else record_list.print_list_json(listed)
        case "csv":
            answer_text.print_kpi_csv(answer) if listed is None else record_list.print_list_csv(listed)
        case "table":
            answer_view.show_kpi(answer, request.grain, zone, listed)


def funnel(
    *,
    period: PeriodText = None,
    by: ByText = None,
    as_of: AsOfText = None,
    timezone: ZoneText = None,
    where: WhereText = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    data: Data = None,
) -> None:
    """Show how far the people got who entered the first stage in a period."""
    import asyncio

    from api.cli import answer_text, answer_view
    from api.metrics.request import FunnelRequest

    one_format(as_json, as_csv)
    request = FunnelRequest(
        period=read_period(period),
        by=read_word(Dimension, "--by", by),
        where=read_where(where or []),
        switches=read_switches(None, None, None, None, as_of, timezone),
    )
    answer, zone = asyncio.run(_funnel_answered(data, request))
    if as_json:
        answer_text.print_json(answer)
    elif as_csv:
        answer_text.print_funnel_csv(answer)
    else:
        answer_view.show_funnel(answer, zone)


def read_period(text: str | None) -> "Period":
    """Read a period's name, or `FROM..BEFORE` with either end open."""
    from api.metrics.periods import named_period, period
    from api.metrics.request import ALL_HISTORY

    if text is None:
        return ALL_HISTORY
    start, dots, before = text.partition("..")
    return period(_day(start), _day(before)) if dots else named_period(text)


def read_dimensions(text: str | None) -> tuple[Dimension, ...]:
    """Read `channel` or `channel,country`."""
    found = (read_word(Dimension, "--by", each) for each in (text.split(",") if text is not None else ()))
    return tuple(each for each in found if each is not None)


def read_listing(is_asked: bool, side: str | None, first: int | None) -> tuple[RecordSide, int] | None:
    """Which records to list, and how many; None for none."""
    if not is_asked:
        if side is not None or first is not None:
            raise _bad("--side and --first say which records to list.", "Give --records too.")
        return None
    return read_word(RecordSide, "--side", side) or RecordSide.BASE, FIRST if first is None else first


def read_pair(base: str | None, target: str | None) -> "StagePair | None":
    """Read the two stages: both, or neither."""
    from api.metrics.request import StagePair

    if base is None and target is None:
        return None
    if base is None or target is None:
        raise _bad("A pair of stages needs both ends.", "Give both --from STAGE and --to STAGE.")
    return StagePair(base, target)


def read_switches(
    anchor: str | None,
    reentry: str | None,
    skip: str | None,
    window: str | None,
    as_of: str | None,
    timezone: str | None,
) -> "Switches":
    """Read the switches."""
    from api.metrics.request import Switches

    is_none = window is not None and window.strip().lower() == "none"
    return Switches(
        anchor=read_word(Anchor, "--anchor", anchor),
        reentry=read_word(Reentry, "--reentry", reentry),
        skip=read_word(Skip, "--skip", skip),
        window=None if window is None or is_none else _length(window),
        has_no_window=is_none,
        as_of=None if as_of is None else _instant(as_of),
        timezone=timezone,
    )


def read_where(texts: list[str]) -> "Where":
    """Read `dimension=value,value` and `dimension!=value`; all of them must hold. An empty value is the empty one."""
    from api.metrics.request import Where

    parts = []
    for text in texts:
        dimension, sign, values = text.partition("=")
        if not sign:
            raise _bad(f"'{text}' is no filter.", "Write one like --where channel=EMAIL,DIRECT.")
        word = read_word(Dimension, "--where", dimension.removesuffix("!"))
        if word is None:
            raise _bad(f"'{text}' names no dimension.", "Write one like --where channel=EMAIL,DIRECT.")
        test = Where(tests=((word, tuple(_value(word, each) for each in values.split(","))),))
        parts.append(Where(none_of=(test,)) if dimension.endswith("!") else test)
    return Where(all_of=tuple(parts))


def read_word(vocabulary: type[Word], option: str, text: str | None) -> Word | None:
    """Read a word of a closed vocabulary, however it is capitalised."""
    if text is None:
        return None
    found = text.strip().upper().replace("-", "_")
    for word in vocabulary:
        if word.value == found:
            return word
    known = ", ".join(word.value.lower() for word in vocabulary)
    raise _bad(f"{option} does not know '{text}'.", f"It knows {known}.")


def one_format(as_json: bool, as_csv: bool) -> None:
    """Refuse two formats at once."""
    if as_json and as_csv:
        raise _bad("--json and --csv are two formats.", "Give one of them.")


def _value(dimension: Dimension, text: str) -> str | None:
    """A value of a dimension; channels are written in capitals, whatever was typed."""
    if not text.strip():
        return None
    return text.strip().upper() if dimension is Dimension.CHANNEL else text.strip()


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = f"'{text}' is no date."
        raise AccordError(ErrorCode.BAD_PERIOD, message, "Write a range like 2026-01-01..2026-04-01.") from error


def _length(text: str) -> timedelta:
    from schema.durations import parse_duration

    try:
        return parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise _bad(
            f"--window does not know '{text}'.", "Write a duration like '30 days' or '72 hours', or none."
        ) from error


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _bad(f"'{text}' is no instant.", "Write one with its zone, like 2026-04-01T00:00:00Z.") from error


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)


async def _answered(
    data: Path | None, request: "KpiRequest", listing: tuple[RecordSide, int] | None
) -> "tuple[KpiAnswer, RecordList | None, ZoneInfo]":
    from api.access.principal import EVERYONE
    from api.cli.record_output import read_list
    from api.cli.session import opened
    from api.metrics.query import query_kpis

    async with opened(data) as database, database.read() as session:
        (answer,) = await query_kpis(session, EVERYONE, [request])
        if isinstance(answer, AccordError):
            raise answer
        listed = None if listing is None else await read_list(session, answer, *listing)
        return answer, listed, await _zone(session, request.switches)


async def _funnel_answered(data: Path | None, request: "FunnelRequest") -> "tuple[FunnelAnswer, ZoneInfo]":
    from api.access.principal import EVERYONE
    from api.cli.session import opened
    from api.metrics.query import query_funnel

    async with opened(data) as database, database.read() as session:
        return await query_funnel(session, EVERYONE, request), await _zone(session, request.switches)


async def _zone(session: "ReadSession", switches: "Switches") -> "ZoneInfo":
    """The zone in which the answer's days begin, for showing them."""
    from zoneinfo import ZoneInfo

    from api.accord.in_force import accord_in_force

    return ZoneInfo(switches.timezone or (await accord_in_force(session)).accord.reporting.timezone)
