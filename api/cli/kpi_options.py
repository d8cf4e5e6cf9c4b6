"""The options of `accord kpi` and `accord funnel`, and the requests that are made of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.cli.kpi_values import (
    Word,
    bad_input,
    parse_compared_to,
    parse_dimensions,
    parse_duration_option,
    parse_exclusions,
    parse_instant,
    parse_paths,
    parse_period,
    parse_where,
    parse_word,
    require_number,
)
from api.cli.options import DATA_OPTION
from api.cli.record_output import Listing
from api.metrics.periods.name_forms import OPTION_HELP
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Switches
from schema.accord_vocab import Reading
from schema.base import now
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, FilterScope
from schema.vocab import Anchor, Grain, RecordSide, Reentry, Skip

DEFAULT_RECORDS = 20
_FIRST_YEAR = 1000

_WHERE = (
    "Count only these, such as channel=EMAIL,DIRECT; channel= is the empty value, channel!=EMAIL all others. Or a"
    """ filter as in GraphQL: '{"contact": {"company": {"employees": {"gt": 100}}}}'."""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelOptions:
    """The options of `accord funnel`."""

    period: Annotated[str | None, typer.Option("--period", metavar="PERIOD", help=OPTION_HELP)] = None
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="DIMENSIONS",
            help="Break down by a dimension (channel, owner …) or by up to three of them: channel,country.",
        ),
    ] = None
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            metavar="NUMBER",
            help="With --by: show so many groups, those with the highest values (a funnel: the most people"
            " in the first stage), and Other.",
        ),
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="INSTANT", help="Count only what happened by then, like 2026-04-01T00:00:00Z."),
    ] = None
    reading: Annotated[
        str | None,
        typer.Option("--reading", help="Which accord decides about stages: in_force, restated or pinned."),
    ] = None
    accord_version: Annotated[
        int | None, typer.Option("--accord-version", help="With --reading pinned: the version's number.")
    ] = None
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", metavar="INSTANT", help="Count only facts that Accord had recorded by then."),
    ] = None
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="Use this zone instead of the accord's.")
    ] = None
    exclusions: Annotated[
        str | None,
        typer.Option(
            "--exclusions",
            metavar="WORDS",
            help="Leave out test, internal or both (test,internal) in place of whom the accord excludes; or none.",
        ),
    ] = None
    where: Annotated[list[str] | None, typer.Option("--where", metavar="FILTER", help=_WHERE)] = None

    def funnel_request(self) -> FunnelRequest:
        """The request. Errors: BAD_INPUT or BAD_PERIOD for a malformed option."""
        return FunnelRequest(
            period=parse_period(self.period),
            by=parse_dimensions(self.by),
            where=parse_where(self.where or []),
            switches=self._shared_switches(),
            top=self.top,
        )

    def _shared_switches(self) -> Switches:
        return Switches(
            as_of=parse_instant("--as-of", self.as_of),
            timezone=self.timezone,
            reading=self._reading(),
            accord_version=self.accord_version,
            known_at=_known_at(self.known_at),
            exclusions=parse_exclusions(self.exclusions),
        )

    def _reading(self) -> Reading | None:
        """The reading, checked here so that the errors name the options and not the arguments of GraphQL."""
        reading = None if self.reading is None else parse_word(Reading, "--reading", self.reading)
        if reading is Reading.PINNED and self.accord_version is None:
            raise bad_input("--reading pinned names no version.", "Name one with --accord-version.")
        if reading is not Reading.PINNED and self.accord_version is not None:
            raise bad_input(
                "--accord-version needs --reading pinned.", "Add --reading pinned, or leave --accord-version out."
            )
        return reading


def _word(vocabulary: type[Word], option: str, text: str | None) -> Word | None:
    return None if text is None else parse_word(vocabulary, option, text)


def _known_at(text: str | None) -> datetime | None:
    """The instant of --known-at."""
    instant = parse_instant("--known-at", text)
    if instant is not None and (instant.tzinfo is None or instant.year < _FIRST_YEAR):
        message = f"--known-at: '{text}' has no time zone, or its year is before {_FIRST_YEAR}."
        raise bad_input(message, "Write an instant with its zone, like 2026-04-01T00:00:00Z.")
    if instant is not None and instant > now():
        raise bad_input(f"--known-at: '{text}' lies in the future.", "Name an instant that is not after now.")
    return instant


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiOptions(FunnelOptions):
    """The options of `accord kpi`."""

    grain: Annotated[
        str | None,
        typer.Option(
            "--grain",
            metavar="GRAIN",
            help="Also show a series by day, week, month, quarter, year, fiscal-quarter or fiscal-year.",
        ),
    ] = None
    base: Annotated[
        str | None,
        typer.Option("--from", metavar="STAGE", help="The base stage: the people who entered it are counted."),
    ] = None
    target: Annotated[
        str | None, typer.Option("--to", metavar="STAGE", help="The target stage, which these people reach or not.")
    ] = None
    skip: Annotated[
        str | None, typer.Option("--skip", help="How skipped stages count: exclude, implied or reached_or_beyond.")
    ] = None
    anchor: Annotated[str | None, typer.Option("--anchor", help="What the period selects: cohort or period.")] = None
    reentry: Annotated[
        str | None, typer.Option("--reentry", help="Which entries of a person count: first, last or each.")
    ] = None
    window: Annotated[
        str | None,
        typer.Option("--window", metavar="DURATION", help="The time to convert, such as '30 days', or none."),
    ] = None
    compare_to: Annotated[
        str | None,
        typer.Option(
            "--compare-to",
            metavar="WHAT",
            help="Show the change from previous-period or same-period-last-year (of an open period the same days; add"
            " :whole or :same-age), from target, or from accord-version:3.",
        ),
    ] = None
    censoring: Annotated[
        str | None,
        typer.Option("--censoring", help="Who of a cohort counts: all_open, decided_only or mature_only."),
    ] = None
    filter_scope: Annotated[
        str | None,
        typer.Option("--filter-scope", help="The end of a conversion that --where is about: base, conversion or both."),
    ] = None
    currency_rule: Annotated[
        str | None,
        typer.Option(
            "--currency-rule",
            help="Whose day's rate converts amounts: transaction_date, period_end, as_of; or unconverted.",
        ),
    ] = None
    cycle_start: Annotated[
        str | None,
        typer.Option("--cycle-start", help="Where the time to a win begins: opened, sql or first_touch."),
    ] = None
    records: Annotated[bool, typer.Option("--records", help="List the people or deals that the number counts.")] = False
    side: Annotated[str | None, typer.Option("--side", help="With --records: base (what n counts) or converted.")] = (
        None
    )
    part: Annotated[
        str | None,
        typer.Option("--part", metavar="NAME", help="With --records, of a formula: the part; default: the first one."),
    ] = None
    first: Annotated[
        int | None,
        typer.Option("--first", help=f"With --records: how many to list; default {DEFAULT_RECORDS}."),
    ] = None

    fields: Annotated[
        str | None,
        typer.Option(
            "--fields",
            metavar="PATHS",
            help="With --records: fields of the records as of now, by their GraphQL names, such as"
            " email,leadSource,owner.name; default: their name.",
        ),
    ] = None

    def kpi_request(self, key: str) -> KpiRequest:
        """The request for a KPI. Errors: BAD_INPUT or BAD_PERIOD for a malformed option."""
        return KpiRequest(
            key=key,
            period=parse_period(self.period),
            grain=None if self.grain is None else parse_word(Grain, "--grain", self.grain),
            by=parse_dimensions(self.by),
            stages=self._stages(),
            where=parse_where(self.where or []),
            switches=self._switches(),
            compare_to=None if self.compare_to is None else parse_compared_to(self.compare_to),
            top=self.top,
        )

    def listing(self) -> Listing | None:
        """The records to list; None without --records. Errors: BAD_INPUT for an option that needs --records."""
        if not self.records:
            if any(option is not None for option in (self.side, self.part, self.first, self.fields)):
                message = "--side, --part, --first and --fields need --records."
                raise bad_input(message, "Add --records, or leave them out.")
            return None
        side = RecordSide.BASE if self.side is None else parse_word(RecordSide, "--side", self.side)
        first = DEFAULT_RECORDS if self.first is None else require_number("--first", self.first, 0)
        return Listing(side, first, () if self.fields is None else parse_paths(self.fields), self.part)

    def _stages(self) -> StagePair | None:
        if self.base is None and self.target is None:
            return None
        if self.base is None or self.target is None:
            raise bad_input("--from and --to belong together.", "Give both --from STAGE and --to STAGE.")
        return StagePair(self.base, self.target)

    def _switches(self) -> Switches:
        has_no_window = self.window is not None and self.window.strip().lower() == "none"
        return replace(
            self._shared_switches(),
            anchor=_word(Anchor, "--anchor", self.anchor),
            reentry=_word(Reentry, "--reentry", self.reentry),
            skip=_word(Skip, "--skip", self.skip),
            window=None if self.window is None or has_no_window else parse_duration_option("--window", self.window),
            has_no_window=has_no_window,
            censoring=_word(Censoring, "--censoring", self.censoring),
            filter_scope=_word(FilterScope, "--filter-scope", self.filter_scope),
            currency_rule=_word(CurrencyRule, "--currency-rule", self.currency_rule),
            cycle_start=_word(CycleStart, "--cycle-start", self.cycle_start),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """The format of the output, and the data folder."""

    as_json: Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")] = False
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")] = False
    data: Annotated[Path | None, DATA_OPTION] = None

    def output_format(self) -> Literal["json", "csv", "table"]:
        """The format. Errors: BAD_INPUT for two formats at once."""
        if self.as_json and self.as_csv:
            raise bad_input("--json and --csv exclude each other.", "Give only one of them.")
        return "json" if self.as_json else "csv" if self.as_csv else "table"
