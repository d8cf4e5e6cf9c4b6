"""Rules that every declaration follows: ids, descriptions, links, and the columns that history keeps."""

import re
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from schema.base import Table, column, describe, new_id, note_of, sql_table
from schema.corrections import correction_name
from schema.history import kept_columns, version_name
from schema.records import HistoryRecord
from schema.tables import METADATA, SHAPES, TABLES
from schema.vocab import Vocabulary, vocabularies

instants = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
noises = st.integers(min_value=0, max_value=(1 << 74) - 1)
INSTANTS = {"since", "watermark", "in_force_from", "in_force_until"}  # instants whose names do not end in _at
NO_LINKS = {"id", "changed_id", "external_id", "key_id", "record_id", "request_id", "session_id", "survivor_id"}
BOOKKEEPING = {"id", "created_at", "updated_at", "row_version"}


def milliseconds(identity: UUID) -> int:
    return identity.int >> 80


@given(at=instants, noise=noises)
def test_an_id_is_a_uuid_version_7_with_its_millisecond(at: datetime, noise: int) -> None:
    made = new_id(at, randomness=noise)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert milliseconds(made) == int(at.timestamp() * 1000)
    assert made == new_id(at, randomness=noise)


@given(one=noises, other=noises)
def test_an_id_keeps_all_its_random_bits(one: int, other: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert (new_id(at, randomness=one) == new_id(at, randomness=other)) == (one == other)
    assert (new_id(at, randomness=one) < new_id(at, randomness=other)) == (one < other)


@given(moments=st.lists(instants, min_size=2, max_size=6), noise=noises)
def test_ids_sort_by_their_instant(moments: list[datetime], noise: int) -> None:
    made = [new_id(at, randomness=noise) for at in sorted(moments)]
    assert made == sorted(made)


def test_new_ids_differ_and_have_the_current_millisecond() -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(before <= milliseconds(identity) <= datetime.now(UTC).timestamp() * 1000 for identity in made)


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=str)
def test_every_table_and_column_has_a_comment(table: sa.Table) -> None:
    assert table.comment
    assert table.comment.endswith(".")
    for column_ in table.columns:
        assert column_.comment, f"{column_} has no comment"
        assert column_.comment.endswith("."), f"{column_}: {column_.comment}"


@pytest.mark.parametrize("vocabulary", vocabularies(), ids=lambda declared: declared.__name__)
def test_every_word_of_a_vocabulary_has_a_meaning(vocabulary: type[Vocabulary]) -> None:
    assert (vocabulary.__doc__ or "").endswith(".")
    for word in vocabulary:
        assert word.name == word.value == str(word)
        assert re.fullmatch(r"(?!NULL$)[A-Z][A-Z0-9_]*", word)
        assert re.fullmatch(r"\S.*\.", word.doc), f"{word}: {word.doc!r}"


@pytest.mark.parametrize("table", TABLES, ids=lambda declared: declared.__name__)
def test_a_closed_vocabulary_and_every_bound_is_a_named_check(table: type[Table]) -> None:
    built = sql_table(table)
    checks = {
        str(constraint.name): str(constraint.sqltext)
        for constraint in built.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    for sql_column in built.columns:
        note = note_of(sql_column)
        if table.__is_derived__:
            assert {f"ck_{built.name}_{sql_column.name}{rule}" for rule in ("", "_bounds")}.isdisjoint(checks)
            continue
        if note.vocab is not None:
            words = re.fullmatch(r"\w+ = any \('\{(.*)\}'::text\[\]\)", checks[f"ck_{built.name}_{sql_column.name}"])
            assert words is not None
            assert words[1].split(",") == [word.value for word in note.vocab]
        if (note.ge, note.gt, note.le) != (None, None, None):
            assert f"ck_{built.name}_{sql_column.name}_bounds" in checks


@pytest.mark.parametrize("table", TABLES, ids=lambda declared: declared.__name__)
def test_money_names_the_currency_beside_it(table: type[Table]) -> None:
    shape = describe(table)
    for amount in shape.columns:
        if amount.note.unit == "MONEY":
            assert amount.note.currency in {other.name for other in shape.columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda declared: declared.__name__)
def test_the_name_of_a_column_shows_its_type(table: type[Table]) -> None:
    for shape in describe(table).columns:
        assert shape.name.endswith("_at") or shape.python is not datetime or shape.name in INSTANTS
        assert (shape.python is bool) == shape.name.startswith(("is_", "has_", "do_not_", "email_opt_out"))
        assert shape.name.endswith("_id") == (shape.link is not None) or shape.name in NO_LINKS


def test_links_lead_to_tables_and_have_field_names_of_their_own() -> None:
    fields = [(shape.name, column_.name) for shape in SHAPES.values() for column_ in shape.columns]
    for shape in SHAPES.values():
        for link in shape.links:
            assert link.target in SHAPES
            fields.append((shape.name, link.name))
            if link.back:
                assert link.back_doc.endswith(".")
                fields.append((link.target, link.back))
    assert len(fields) == len(set(fields))


def test_no_foreign_key_deletes_or_changes_rows() -> None:
    assert all(key.ondelete is None for table in METADATA.sorted_tables for key in table.foreign_keys)


def test_every_link_is_a_foreign_key_except_in_derived_tables() -> None:
    journeys = ("journey", "handoff_journey", "deal_journey", "deal_span", "day_sum", "day_sum_run", "journey_change")
    derived = (*journeys, "stage_entry", "outbox_event", "wake_up", "accord_preview_person")
    for shape in SHAPES.values():
        keys = {key.parent.name for key in METADATA.tables[shape.name].foreign_keys}
        links = {column_.name for column_ in shape.columns if column_.link is not None}
        assert keys == (set() if shape.name in derived else links)


def test_tables_keyed_by_contact_can_be_distributed_by_contact() -> None:
    derived = ("stage_entry", "journey", "handoff_journey")
    facts = ("touchpoint", "touchpoint_correction", "handoff", "deal_contact", "contact_version")
    for name in (*derived, *facts):
        table = METADATA.tables[name]
        uniques = [
            constraint.columns
            for constraint in table.constraints
            if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
        ]
        uniques += [index.columns for index in table.indexes if index.unique]
        assert uniques
        assert all(next(iter(columns)).name == "contact_id" for columns in uniques)
    targets = {key.column.table.name for table in METADATA.sorted_tables for key in table.foreign_keys}
    assert not targets & {"touchpoint", "stage_entry", "handoff", "deal_contact", "contact_version"}


@pytest.mark.parametrize("table", TABLES, ids=lambda declared: declared.__name__)
def test_history_keeps_the_visible_columns_except_the_bookkeeping(table: type[Table]) -> None:
    shape = describe(table)
    assert (version_name(shape.name) in METADATA.tables) == issubclass(table, HistoryRecord) == shape.has_history
    if shape.has_history:
        kept = {column_.name for column_ in shape.visible} - BOOKKEEPING
        assert set(kept_columns(table)) == kept
        version = METADATA.tables[version_name(shape.name)]
        own = {f"{shape.name}_id", "id", "valid_from", "valid_to", "recorded_at", "is_assumed"}
        assert {column_.name for column_ in version.columns} == kept | own
        for name in kept:
            assert str(version.columns[name].type) == str(sql_table(table).columns[name].type)


@pytest.mark.parametrize("table", TABLES, ids=lambda declared: declared.__name__)
def test_former_rows_have_every_column_of_a_fact_that_keeps_corrections(table: type[Table]) -> None:
    built = sql_table(table)
    former = METADATA.tables.get(correction_name(built.name))
    assert (former is not None) == table.__keeps_corrections__
    if former is not None:
        assert [column_.name for column_ in former.columns] == [*built.columns.keys(), "replaced_at"]
        assert [key.name for key in former.primary_key] == [*(key.name for key in built.primary_key), "replaced_at"]
        assert "recorded_at" in built.columns


def test_a_column_declared_without_column_or_link_is_rejected() -> None:
    plain = sa.Table("plain", sa.MetaData(), sa.Column("x", sa.Integer))
    with pytest.raises(TypeError, match=r"plain\.x must be declared with column"):
        note_of(plain.columns["x"])
    assert column("A meaning.") is not None


def test_personal_data_can_be_null() -> None:
    """Without the right, null stands in its place: so it is nullable, no key and no link."""
    personal = [(shape, column) for shape in SHAPES.values() for column in shape.columns if column.note.personal]
    assert personal
    for shape, held in personal:
        assert held.is_nullable, (shape.name, held.name)
        assert not held.is_key, (shape.name, held.name)
        assert held.link is None, (shape.name, held.name)
