"""A small company, and a site over it with traffic rules."""

import re
from collections.abc import Callable

import pytest
from starlette.types import ASGIApp

from api.db import Database
from api.graph.contract import gateway
from api.graph.gateway import RequestPlan
from api.plan.cost.price import Price
from api.settings import LaneSizes
from api.traffic.lanes import Lanes
from api.traffic.rate_limit import RateLimit
from api.traffic.traffic import Traffic
from api.web.health import Health, health_routes
from api.web.identification import identify_local_operator
from api.web.website import build_site
from tests.support.small_company import write_unevaluated_company

MakeSite = Callable[..., ASGIApp]


def _price(plan: RequestPlan) -> Price:
    """What requests cost where there is much data: figures and groups 600, others 1."""
    return Price(6_000_000 if re.search(r"kpi|groupBy", plan.request.query) else 1)


@pytest.fixture(autouse=True)
def _much_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestPlan, "price", property(_price))


@pytest.fixture
async def company(database: Database) -> Database:
    """A database with the small company."""
    async with database.write() as session:
        await write_unevaluated_company(session)
    return database


def site(
    database: Database, *, seconds: float = 30, sizes: LaneSizes | None = None, rate_limit: RateLimit | None = None
) -> ASGIApp:
    """Return the site of a server with these rules."""
    traffic = Traffic(seconds, Lanes(sizes or LaneSizes()), rate_limit)
    return build_site(
        gateway(),
        lambda: database,
        identify_local_operator,
        routes=health_routes(lambda: database, Health()),
        traffic=traffic,
    )
