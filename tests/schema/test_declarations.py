"""What every declaration keeps to: identities, meanings, links, and which columns history keeps."""

import re
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from schema.base import HistoryRecord, Table, column, describe, new_id, note_of, sql_table
from schema.history import kept_columns, version_name
from schema.tables import METADATA, SHAPES, TABLES
from schema.vocab import Vocabulary, vocabularies

instants = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
noises = st.integers(min_value=0, max_value=(1 << 74) - 1)
INSTANTS = {"since", "watermark", "in_force_from", "in_force_until"}  # those whose names do not end in _at
BOOKKEEPING = {"id", "created_at", "updated_at", "row_version"}


def milliseconds(identity: UUID) -> int:
    return identity.int >> 80


@given(at=instants, noise=noises)
def test_an_identity_is_a_uuid_of_version_7_that_tells_its_millisecond(at: datetime, noise: int) -> None:
    made = new_id(at, randomness=noise)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert milliseconds(made) == int(at.timestamp() * 1000)
    assert made == new_id(at, randomness=noise)


@given(one=noises, other=noises)
def test_an_identity_keeps_all_its_randomness(one: int, other: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert (new_id(at, randomness=one) == new_id(at, randomness=other)) == (one == other)
    assert (new_id(at, randomness=one) < new_id(at, randomness=other)) == (one < other)


@given(moments=st.lists(instants, min_size=2, max_size=6), noise=noises)
def test_identities_sort_by_when_they_were_made(moments: list[datetime], noise: int) -> None:
    made = [new_id(at, randomness=noise) for at in sorted(moments)]
    assert made == sorted(made)


def test_identities_made_now_differ_and_carry_the_present() -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(before <= milliseconds(each) <= datetime.now(UTC).timestamp() * 1000 for each in made)


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=str)
def test_every_table_and_column_says_what_it_means(table: sa.Table) -> None:
    assert table.comment
    assert table.comment.endswith(".")
    for each in table.columns:
        assert each.comment, f"{table.name}.{each.name} has no comment"
        assert each.comment.endswith("."), f"{table.name}.{each.name}: {each.comment}"


@pytest.mark.parametrize("vocabulary", vocabularies(), ids=lambda each: each.__name__)
def test_every_word_of_a_vocabulary_says_what_it_means(vocabulary: type[Vocabulary]) -> None:
    assert (vocabulary.__doc__ or "").endswith(".")
    for word in vocabulary:
        assert word.name == word.value == str(word)
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", word)
        assert re.fullmatch(r"\S.*\.", word.doc), f"{word}: {word.doc!r}"


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.__name__)
def test_a_closed_vocabulary_and_every_bound_is_a_named_check(table: type[Table]) -> None:
    built = sql_table(table)
    checks = {str(each.name): str(each.sqltext) for each in built.constraints if isinstance(each, sa.CheckConstraint)}
    for each in built.columns:
        note = note_of(each)
        if note.vocab is not None:
            assert all(f"'{word}'" in checks[f"ck_{built.name}_{each.name}"] for word in note.vocab)
        if (note.ge, note.gt, note.le) != (None, None, None):
            assert f"ck_{built.name}_{each.name}_bounds" in checks


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.__name__)
def test_money_names_the_currency_beside_it(table: type[Table]) -> None:
    shape = describe(table)
    for each in shape.columns:
        if each.note.unit == "MONEY":
            assert each.note.currency in {other.name for other in shape.columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.__name__)
def test_names_tell_the_type(table: type[Table]) -> None:
    for each in describe(table).columns:
        assert each.name.endswith("_at") or each.python is not datetime or each.name in INSTANTS
        assert (each.python is bool) == each.name.startswith(("is_", "has_", "do_not_", "email_opt_out"))
        assert each.name.endswith("_id") == (each.link is not None) or each.name in ("id", "external_id", "record_id")


def test_links_lead_to_tables_and_no_two_claim_one_field() -> None:
    fields = [(shape.name, each.name) for shape in SHAPES.values() for each in shape.columns]
    for shape in SHAPES.values():
        for link in shape.links:
            assert link.target in SHAPES
            fields.append((shape.name, link.name))
            if link.back:
                assert link.back_doc.endswith(".")
                fields.append((link.target, link.back))
    assert len(fields) == len(set(fields))


def test_no_link_gives_up_its_row_silently() -> None:
    assert all(key.ondelete is None for table in METADATA.sorted_tables for key in table.foreign_keys)


def test_every_link_is_a_foreign_key_but_those_of_derived_rows() -> None:
    for shape in SHAPES.values():
        keys = {each.parent.name for each in METADATA.tables[shape.name].foreign_keys}
        links = {each.name for each in shape.columns if each.link is not None}
        assert keys == (set() if shape.name == "stage_entry" else links)


def test_what_is_keyed_by_contact_stays_fit_to_be_spread_by_contact() -> None:
    for name in ("touchpoint", "stage_entry", "handoff", "deal_contact", "contact_version"):
        table = METADATA.tables[name]
        uniques = [
            each.columns
            for each in table.constraints
            if isinstance(each, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
        ]
        uniques += [each.columns for each in table.indexes if each.unique]
        assert uniques
        assert all(next(iter(each)).name == "contact_id" for each in uniques)
    targets = {key.column.table.name for table in METADATA.sorted_tables for key in table.foreign_keys}
    assert not targets & {"touchpoint", "stage_entry", "handoff", "deal_contact", "contact_version"}


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.__name__)
def test_history_keeps_what_can_be_seen_but_not_the_bookkeeping(table: type[Table]) -> None:
    shape = describe(table)
    assert (version_name(shape.name) in METADATA.tables) == issubclass(table, HistoryRecord) == shape.has_history
    if shape.has_history:
        kept = {each.name for each in shape.visible} - BOOKKEEPING
        assert set(kept_columns(table)) == kept
        version = METADATA.tables[version_name(shape.name)]
        own = {f"{shape.name}_id", "id", "valid_from", "valid_to", "recorded_at", "is_assumed"}
        assert {each.name for each in version.columns} == kept | own
        for each in kept:
            assert str(version.columns[each].type) == str(sql_table(table).columns[each].type)


def test_a_column_declared_otherwise_is_found_out() -> None:
    plain = sa.Table("plain", sa.MetaData(), sa.Column("x", sa.Integer))
    with pytest.raises(TypeError, match=r"plain\.x must be declared with column"):
        note_of(plain.columns["x"])
    assert column("A meaning.") is not None
