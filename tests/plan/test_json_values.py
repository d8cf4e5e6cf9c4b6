"""PostgreSQL and the GraphQL executor write the same text for a value."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from api.db import Database
from api.plan.json_values import decimal_as_text, instant_as_json, instant_as_text
from api.sql import Sql

INSTANTS = [
    datetime(2026, 1, 10, tzinfo=UTC),
    datetime(2026, 1, 10, 9, 30, 0, 500000, tzinfo=UTC),
    datetime(2026, 1, 10, 9, 30, 10, 1, tzinfo=UTC),
    datetime(1850, 12, 31, 23, 59, 59, 123450, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC),
]


@pytest.mark.parametrize("moment", INSTANTS)
async def test_both_write_an_instant_in_one_format(moment: datetime, module_database: Database) -> None:
    async with module_database.read() as session:
        written = await session.value(Sql("select {}::text", instant_as_json(Sql("{}::timestamptz", moment))))
    assert orjson.loads(written) == instant_as_text(moment)


@pytest.mark.parametrize("text", ["0.00", "-1.50", "1000000000000000.01", "0.1234", "0"])
async def test_both_write_a_decimal_in_one_format(text: str, module_database: Database) -> None:
    async with module_database.read() as session:
        written = await session.value(Sql("select {}::numeric::text", Decimal(text)))
    assert written == decimal_as_text(Decimal(text)) == text
