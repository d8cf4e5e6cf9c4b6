"""What the tables of access declare: every right is a column, and no import writes them."""

import pytest

from api.importers.fields import fillable
from api.intake.staged import record_tables
from schema.access.rights import Permission, Right
from schema.tables import SHAPES
from schema.tables.access.grant_columns import right_column


@pytest.mark.parametrize("table", ["api_key", "member_access"])
@pytest.mark.parametrize("right", Right)
def test_a_right_is_a_column_that_is_false_by_default(table: str, right: Right) -> None:
    column = SHAPES[table].column(right_column(right))
    assert (column.python, column.is_nullable, column.has_default) == (bool, False, True)
    assert right.doc in column.doc


def test_no_file_can_write_what_decides_over_access() -> None:
    assert not {"api_key", "member_access", "page_session", "audit_event"} & set(record_tables())
    assert "member" in record_tables()
    assert "deactivated_at" not in fillable(SHAPES["member"])


def test_a_hash_is_hidden_and_keys_are_for_administrators() -> None:
    assert SHAPES["api_key"].permission is Permission.MANAGE_ACCESS
    assert "secret_hash" not in {column.name for column in SHAPES["api_key"].visible}
    assert SHAPES["member_access"].is_hidden
