"""Making the checks, whatever can be reached."""

import asyncio
from collections.abc import Callable

from api.db import LOST_CONNECTION, Database, WaitLimits
from api.doctor.all_checks import CHECKS, REVISION
from api.doctor.diagnoses import Check, Diagnosis, Examined, Needs, Report, Result, Severity, fine, warning, wrong
from api.embedded import database_connection_url, has_database
from api.errors import AccordError
from api.settings import Settings

STATEMENT_MS = 5_000
LOCK_MS = 1_000
CHECK_SECONDS = 15.0


def examine(load: Callable[[], Settings]) -> Report:
    """Make all checks that can be made with the settings that `load` returns. Nothing is written.

    The private server runs while it is examined, as with any command.
    """
    try:
        settings = load()
    except AccordError as error:
        result = Result("settings", wrong(error.message, error.remedy))
        return Report([result], [check.name for check in CHECKS if check.name != result.name])
    results = asyncio.run(_make(Needs.SETTINGS, Examined(settings)))
    try:
        if settings.database_url is None and not has_database(settings.data_dir):
            results.append(_missing_database(settings))
        else:
            with database_connection_url(settings) as dsn:
                results += asyncio.run(_examine_database(settings, dsn))
    except AccordError as error:
        results.append(Result("database", wrong(error.message, error.remedy)))
    made = {result.name for result in results}
    return Report(results, [check.name for check in CHECKS if check.name not in made])


async def _examine_database(settings: Settings, dsn: str) -> list[Result]:
    limits = WaitLimits(STATEMENT_MS, LOCK_MS)
    async with Database.open(dsn, size=1, wait_limits=limits) as database:
        examined = Examined(settings, database)
        results = [Result("database", fine(f"Accord reaches its database: {settings.database_shown}."))]
        results += await _make(Needs.DATABASE, examined)
        fits = any(result.name == REVISION and result.diagnosis.severity is Severity.OK for result in results)
        return results + (await _make(Needs.TABLES, examined) if fits else [])


async def _make(needs: Needs, examined: Examined) -> list[Result]:
    return [Result(check.name, await _diagnosis(check, examined)) for check in CHECKS if check.needs is needs]


async def _diagnosis(check: Check, examined: Examined) -> Diagnosis:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check.find(examined)
    except (AccordError, *LOST_CONNECTION) as error:
        reason = str(error) or type(error).__name__
        return warning(f"This could not be checked: {reason.rstrip('.')}.", "Run `accord doctor` again.")


def _missing_database(settings: Settings) -> Result:
    return Result(
        "database",
        wrong(
            f"There is no private database in {settings.data_dir} yet.",
            "Run `accord migrate` to make one, name its folder with --data, or set DATABASE_URL.",
        ),
    )
