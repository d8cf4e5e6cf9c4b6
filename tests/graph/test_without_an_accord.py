import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from tests.support.graphql import executed


@pytest.mark.parametrize(
    "field", ["accord { version }", "stages { key }", "kpi(key: MQLS) { value }", "funnel { stages { key } }"]
)
async def test_without_an_accord_the_error_says_so(field: str, module_database: Database) -> None:
    result = await executed(module_database, f"{{ {field} teams {{ totalCount }} }}")
    assert result.data is not None
    assert result.data["teams"] == {"totalCount": 0}
    assert result.errors
    cause = result.errors[0].original_error
    assert isinstance(cause, AccordError)
    assert cause.code is ErrorCode.NO_ACCORD
