"""KPIs that read no stage, by a version of the accord that differs in the clause that decides their value."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.kpis import CATALOGUE
from tests.support.accords import add_version, replace_document
from tests.support.graphql import answered, refused

PERSON, FIRM, DEAL, FAIR = (UUID(int=number) for number in range(1, 5))
QUARTER = {"range": {"from": "2026-01-01", "before": "2026-04-01"}}
COMPARED = """query ($key: KpiKey!, $period: PeriodInput, $version: Int!) {
  kpi(key: $key, period: $period, compareTo: {accordVersion: $version}) {
    value comparison { value accords { version } }
  }
}"""
SWITCHED = """query ($key: KpiKey!, $period: PeriodInput, $switches: KpiSwitches) {
  kpi(key: $key, period: $period, switches: $switches) {
    value isCanonical overrides evaluatedAt accords { version }
  }
}"""
# Each KPI with its value by the version in force, and by version 2. Sales decided after three hours and reached
# the person an hour later; there were three touches in a week, and the first one was marketing's.
VALUES = {
    "OVER_PRESSURE_RATE": (0, 1),
    "SLA_DECIDED_IN_TIME": (1, 0),
    "SLA_FOLLOWED_UP": (1, 0),
    "MARKETING_SOURCED": (1, 0),
    "CAC": (3100, 6100),
}


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def agreed(*, is_strict: bool) -> Accord:
    """The standard accord; the strict one has shorter times, a lower cap, another rule of origin and dearer sales."""
    document = read_accord("standard").model_dump(mode="json", by_alias=True)
    document["economics"] = {"sales_costs": [{"from": "2026-01", "per_month": 2000 if is_strict else 1000}]}
    if is_strict:
        document["handoff"]["sales"]["decide_within"] = {"time": "1 hours", "calendar": "office"}
        document["handoff"]["sales"]["attempts"]["within"] = {"time": "30 minutes"}
        document["contact_policy"] |= {"at_most": 1, "exempt": {"automated": False, "reply_within": None}}
        document["attribution"] |= {"sourced": "LEAD_SOURCE", "marketing_lead_sources": ["Fair"]}
    return Accord.model_validate(document)


@pytest.fixture(scope="module")
async def firm(module_database: Database) -> Database:
    """A person whom sales accepted, and a deal with them that was won; version 2 is a draft, and never evaluated."""
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await replace_document(session, agreed(is_strict=False))
        await add_version(session, agreed(is_strict=True), 2)
        await session.copy("company", ["id", "name"], [(FIRM, "Firm")])
        columns = ["id", "company_id", "lead_source", "effective_at"]
        await session.copy("contact", columns, [(PERSON, FIRM, "Web", at(1, 0))])
        handoff = (UUID(int=50), PERSON, at(2, 10), at(2, 13), "ACCEPTED")
        await session.copy("handoff", ["id", "contact_id", "handed_at", "decided_at", "status"], [handoff])
        touches = [
            (UUID(int=60), PERSON, at(1, 10), "INBOUND", "FORM", "MARKETING", None),
            *(
                (UUID(int=61 + place), PERSON, moment, "OUTBOUND", "CALL", "SALES", "CONNECTED")
                for place, moment in enumerate([at(2, 14), at(3, 10), at(4, 10)])
            ),
        ]
        names = ["id", "contact_id", "occurred_at", "direction", "kind", "team_kind", "outcome"]
        await session.copy("touchpoint", names, touches)
        names = ["id", "company_id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
        deal = (DEAL, FIRM, "WON", at(5, 10), at(20, 10), at(20, 10), Decimal(5000), "EUR")
        await session.copy("deal", names, [deal])
        role = (PERSON, DEAL, True)
        await session.copy("deal_contact", ["contact_id", "deal_id", "is_primary"], [role])
        await session.copy("campaign", ["id", "name"], [(FAIR, "Fair")])
        cost = (UUID(int=70), "test", FAIR, date(2026, 3, 1), date(2026, 3, 2), Decimal(100), "EUR")
        columns = ["id", "source", "campaign_id", "from_on", "before_on", "cost", "currency"]
        await session.copy("campaign_cost", columns, [cost])
        await evaluate(session)
    return module_database


@pytest.mark.parametrize("key", VALUES)
async def test_the_clause_of_another_version_decides_the_value(firm: Database, key: str) -> None:
    in_force, strict = VALUES[key]
    found = (await answered(firm, COMPARED, key=key, period=QUARTER, version=2))["kpi"]
    assert Decimal(found["value"]) == in_force
    assert Decimal(found["comparison"]["value"]) == strict
    assert found["comparison"]["accords"] == [{"version": 2}]
    switches = {"reading": "PINNED", "accordVersion": 2}
    pinned = (await answered(firm, SWITCHED, key=key, period=QUARTER, switches=switches))["kpi"]
    assert Decimal(pinned["value"]) == strict
    assert (pinned["isCanonical"], pinned["evaluatedAt"]) == (False, None)
    assert pinned["overrides"] == ["reading=PINNED", "accordVersion=2"]
    assert pinned["accords"] == [{"version": 2}]


async def test_no_stage_is_evaluated_for_them(firm: Database) -> None:
    for key in VALUES:
        await answered(firm, COMPARED, key=key, period=QUARTER, version=2)
    async with firm.read() as session:
        assert await session.value(Sql("select count(*) from evaluation where last_read_at is not null")) == 0


async def test_a_kpi_that_reporting_alone_defines_is_not_compared_with_a_version(firm: Database) -> None:
    keys = [key.upper() for key, kpi in CATALOGUE.items() if kpi.accord_clauses == ("reporting",)]
    assert {"WIN_RATE", "OPEN_PIPELINE"} <= {*keys}
    for key in keys:
        error = await refused(firm, COMPARED, key=key, period=QUARTER, version=2)
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.BAD_INPUT
        assert "is defined by no clause of the accord but [reporting]" in error.message
