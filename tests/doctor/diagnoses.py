"""Making one check, by its name in the list, on a set-up that a test has spoiled."""

from api.db import Database, WaitLimits
from api.doctor.all_checks import CHECKS
from api.doctor.diagnoses import Diagnosis, Examined, Needs
from api.settings import Settings


async def diagnosis(name: str, dsn: str | None = None, **settings: object) -> Diagnosis:
    """Make the check of this name on a database, with new connections."""
    (check,) = (check for check in CHECKS if check.name == name)
    loaded = Settings.load(database_url=dsn, **settings)
    if check.needs is Needs.SETTINGS:
        return await check.find(Examined(loaded))
    assert dsn is not None
    async with Database.open(dsn, size=1, wait_limits=WaitLimits(5_000, 1_000)) as database:
        return await check.find(Examined(loaded, database))
