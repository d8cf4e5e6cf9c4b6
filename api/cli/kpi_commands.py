"""`accord kpi` and `accord funnel`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api.access.principal import LOCAL_OPERATOR
from api.accord.in_force import accord_in_force
from api.cli.comparison_tables import show_comparison
from api.cli.kpi_options import FunnelOptions, KpiOptions, OutputOptions
from api.cli.kpi_output import print_funnel_csv, print_json, print_kpi_csv
from api.cli.kpi_tables import show_catalogue, show_funnel, show_kpi
from api.cli.options import expand_options
from api.cli.record_output import Listing, RecordList, print_records_csv, print_records_json, read_records
from api.cli.session import open_database
from api.db import Database, ReadSession
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.readings.reading_contexts import prepare_requests
from api.metrics.request import FunnelRequest, KpiRequest, Switches


@expand_options
def kpi(
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="The KPI; without it, all KPIs are listed.")
    ] = None,
    *,
    options: KpiOptions,
    output: OutputOptions,
) -> None:
    """Compute a KPI; without a key, list the KPIs."""
    if key is None:
        show_catalogue()
        return
    output_format = output.output_format()
    request = options.kpi_request(key)
    result, records, zone = asyncio.run(_compute_kpi(output.data, request, options.listing()))
    match output_format:
        case "json":
            print_json(result) if records is None else print_records_json(records)
        case "csv":
            print_kpi_csv(result) if records is None else print_records_csv(records)
        case "table":
            console = show_kpi(result, zone, records)
            if result.comparison is not None:
                show_comparison(console, result, result.comparison)


@expand_options
def funnel(*, options: FunnelOptions, output: OutputOptions) -> None:
    """Show how far people got through the funnel.

    The funnel follows the people who entered the first stage in the period.
    """
    output_format = output.output_format()
    result, zone = asyncio.run(_compute_funnel(output.data, options.funnel_request()))
    match output_format:
        case "json":
            print_json(result)
        case "csv":
            print_funnel_csv(result)
        case "table":
            show_funnel(result, zone)


async def _compute_kpi(
    data: Path | None, request: KpiRequest, listing: Listing | None
) -> tuple[KpiAnswer, RecordList | None, ZoneInfo]:
    async with open_database(data) as database, _snapshot(database, request) as session:
        (result,) = await query_kpis(session, LOCAL_OPERATOR, [request])
        if isinstance(result, AccordError):
            raise result
        records = None if listing is None else await read_records(session, LOCAL_OPERATOR, result, listing)
        return result, records, await _reporting_zone(session, request.switches)


async def _compute_funnel(data: Path | None, request: FunnelRequest) -> tuple[FunnelAnswer, ZoneInfo]:
    async with open_database(data) as database, _snapshot(database, request) as session:
        return await query_funnel(session, LOCAL_OPERATOR, request), await _reporting_zone(session, request.switches)


@asynccontextmanager
async def _snapshot(database: Database, request: KpiRequest | FunnelRequest) -> AsyncIterator[ReadSession]:
    """A snapshot with the reading that the request names; a command waits until that is evaluated."""
    await prepare_requests(database, [request], wait=None)
    async with database.read() as session:
        yield session


async def _reporting_zone(session: ReadSession, switches: Switches) -> ZoneInfo:
    """The time zone in which the days of the result begin."""
    return ZoneInfo(switches.timezone or (await accord_in_force(session)).accord.reporting.timezone)
