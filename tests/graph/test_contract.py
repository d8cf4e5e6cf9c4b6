"""The contract: every part has a description, no hidden column is in it, and the committed SDL is up to date."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLSchema, introspection_from_schema
from graphql import build_schema as read_sdl
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typer.testing import CliRunner

from api.cli import app
from api.cli.sdl_command import COMMITTED, _compare
from api.errors import AccordError, ErrorCode
from api.graph.contract import build_schema, sdl
from api.graph.declared import Input, ObjectType, Output, TypeRef, registry
from api.graph.derived.naming import camel
from api.graph.derived.scalars import DATE, DATE_TIME, DECIMAL
from schema.accord import Accord
from schema.clauses.contact_policy import ContactPolicy
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.reporting import Reporting
from schema.clauses.stages import Stage
from schema.tables import SHAPES
from schema.vocab import Unit

_FIRST = Input("first", "The number of rows.", TypeRef("Int"))


def introspected() -> dict[str, Any]:
    graphql_schema = build_schema()._schema
    assert isinstance(graphql_schema, GraphQLSchema)
    return {found["name"]: found for found in introspection_from_schema(graphql_schema)["__schema"]["types"]}


def undescribed(types: dict[str, Any]) -> Iterator[str]:
    for name, found in types.items():
        if name.startswith("__"):
            continue
        if not found["description"]:
            yield name
        for part in (*(found["fields"] or ()), *(found["inputFields"] or ()), *(found["enumValues"] or ())):
            if not part["description"]:
                yield f"{name}.{part['name']}"
            for argument in part.get("args", ()):
                if not argument["description"]:
                    yield f"{name}.{part['name']}({argument['name']})"


def test_every_type_field_argument_and_enum_value_has_a_description() -> None:
    assert list(undescribed(introspected())) == []


# Words that do not say whose they are: code generators put every type of a client into one namespace.
_BARE_NAMES = frozenset(
    """Anchor Answer Bucket Category Dimension Direction Disposition Distribution Each Edge Filter Grain Group Input
    Item Key Kind Order Outcome Record Reentry Result Role Skip Stage Status Subject Type Unit Value Warning Where
    Window
    """.split()
)


def test_type_names_are_words_in_upper_camel_case_that_say_whose_they_are() -> None:
    names = [name for name in introspected() if not name.startswith("__")]
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z]+|ID)+", name)] == []
    assert _BARE_NAMES.intersection(names) == set()


def test_the_schema_itself_is_described() -> None:
    described = build_schema()._schema.description
    assert described
    for subject in ("Ids", "`asOf`", "cursor", "`extensions.code`"):
        assert subject in described
    assert read_sdl(sdl()).description == described
    named = set(re.findall(r"`([A-Z]\w+)`", described))
    assert named <= introspected().keys()


def test_enum_values_are_upper_case() -> None:
    enums = {name: found["enumValues"] for name, found in introspected().items() if not name.startswith("__")}
    values = [f"{name}.{value['name']}" for name, found in enums.items() for value in found or ()]
    assert [value for value in values if not re.fullmatch(r"\w+\.[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", value)] == []


def test_field_and_argument_names_are_camel_case() -> None:
    parts = [
        f"{name}.{part['name']}"
        for name, found in introspected().items()
        if not name.startswith("__")
        for part in (*(found["fields"] or ()), *(found["inputFields"] or ()))
    ]
    assert [part for part in parts if not re.fullmatch(r"\w+\.[a-z][a-zA-Z0-9]*", part)] == []


def test_a_part_without_a_description_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="no description"):
        Input("first", " ", TypeRef("Int"))


def test_a_type_that_is_used_but_not_registered_is_named_with_the_place_to_add_it() -> None:
    used = ObjectType("Query", "Queries.", (Output("deal", "A deal.", TypeRef("Deal"), arguments=(_FIRST,)),))
    with pytest.raises(LookupError, match=r"Query\.deal has the type Deal, which is not registered: add it in"):
        registry([used])
    with pytest.raises(LookupError, match=r"Deal\.at has the type Missing"):
        registry([used, ObjectType("Deal", "A deal.", (Output("at", "An instant.", TypeRef("Missing").listed),))])
    with pytest.raises(LookupError, match=r"Deal has the type Node"):
        registry([used, ObjectType("Deal", "A deal.", (), ("Node",))])
    assert list(registry([used, ObjectType("Deal", "A deal.", ())])) == ["Query", "Deal"]


def test_two_types_of_one_name_cannot_be_registered() -> None:
    with pytest.raises(ValueError, match="two types named Date"):
        registry([DATE, DATE])


@pytest.mark.parametrize(
    ("model", "type_name"),
    [
        (Accord, "Accord"),
        (Stage, "AccordStage"),
        (Exit, "AccordExit"),
        (RejectReason, "RejectReason"),
        (ContactPolicy, "AccordContactPolicy"),
        (Reporting, "AccordReporting"),
    ],
)
def test_the_types_of_the_accord_show_every_described_field_of_its_models(
    model: type[BaseModel], type_name: str
) -> None:
    shown = {field["name"]: field["description"] for field in introspected()[type_name]["fields"]}
    described = {name: info.description for name, info in model.model_fields.items() if info.description}
    assert described
    for name in described.keys() - {"rule", "exempt"}:  # shown as sentences and as fields of their own
        found = shown.get(camel(name)) or shown[f"{camel(name)}Seconds"].removesuffix(" In seconds.")
        assert found == described[name]


def test_a_type_has_every_visible_column_of_its_table_and_no_hidden_one() -> None:
    types = introspected()
    for shape in SHAPES.values():
        # A type of a hidden table's name, such as AccordSignature, is not derived from the table.
        assert (f"{shape.type_name}Where" in types) != shape.is_hidden
        if shape.is_hidden:
            continue
        shown = {field["name"]: field for field in types[shape.type_name]["fields"]}
        currencies = {column.note.currency for column in shape.columns}
        for column in shape.columns:
            name = camel(column.link.name if column.link else column.name)
            if column.name == "accord_version_id":
                # The version of the accord that a row belongs to is shown by its number, not as a link.
                shown_type = shown[name]["type"]
                assert (shown_type["kind"] == "NON_NULL") == (not column.is_nullable)
                assert (shown_type["ofType"] or shown_type)["name"] == "Int"
                continue
            assert (name in shown) == (not column.note.hidden and column.name not in currencies)
            if name in shown:
                is_required = not column.is_nullable and column.link is None
                assert (shown[name]["type"]["kind"] == "NON_NULL") == is_required
                assert name == "id" or shown[name]["description"].startswith(column.doc)


def test_the_description_of_a_column_with_a_unit_ends_with_the_unit() -> None:
    fields = {field["name"]: field["description"] for field in introspected()["Touchpoint"]["fields"]}
    assert fields["durationSeconds"].endswith(Unit.SECONDS.doc)


def test_the_committed_sdl_is_up_to_date() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == sdl(), "run `accord sdl --write`"
    assert "Contact" in read_sdl(COMMITTED.read_text(encoding="utf-8")).type_map


def test_a_committed_sdl_that_differs_is_rejected_with_the_line() -> None:
    with pytest.raises(AccordError, match="from line 2 on") as rejected:
        _compare("a\nb\n", "a\nc\n")
    assert rejected.value.code is ErrorCode.DRIFT
    with pytest.raises(AccordError, match="from line 2 on"):
        _compare("a\n", "a\nc\n")


@given(st.datetimes(timezones=st.timezones()))
def test_a_serialized_instant_parses_to_the_same_instant(moment: datetime) -> None:
    try:
        text = DATE_TIME.serialize(moment)
    except OverflowError:  # before the first year or after the last, in UTC
        return
    assert text.endswith("Z")
    assert DATE_TIME.parse(text) == moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("scalar", "text"),
    [
        (DATE_TIME, "2026-13-10T09:30:00Z"),
        (DATE_TIME, "5"),
        (DATE_TIME, 5),
        (DATE, "2026-02-30"),
        (DATE, "20260210"),
        (DECIMAL, "NaN"),
        (DECIMAL, "1e9"),
        (DECIMAL, True),
        (DECIMAL, "9" * 31),
    ],
)
def test_an_invalid_instant_date_or_decimal_is_rejected(scalar: Any, text: object) -> None:  # noqa: ANN401 - a scalar
    with pytest.raises(ValueError, match=r"is not an? (instant|date|decimal)"):
        scalar.parse(text)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2026-01-10T09:30:00Z", 0),
        ("2026-01-10T09:30:00.5Z", 500_000),
        ("2026-01-10T09:30:00.0000000Z", 0),
        ("2026-01-10T09:30:00.123456789Z", 123_456),
        ("2026-01-10T11:30:00.123456999999+02:00", 123_456),
    ],
)
def test_an_instant_has_any_number_of_decimals_and_is_cut_to_microseconds(text: str, micro: int) -> None:
    assert DATE_TIME.parse(text) == datetime(2026, 1, 10, 9, 30, 0, micro, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-01-10", "'2026-01-10' is a day, not an instant: add the time and the zone"),
        ("2026-01-10T09:30:00", "has no zone: add Z for UTC"),
        ("2026-01-10T09:30Z", "has no seconds"),
        ("2026-01-10T09:30:00+0000", r"has '\+0000' for a zone: write Z for UTC, or an offset such as \+02:00"),
        ("2026-01-10T09:30:00.Z", "for a zone"),
    ],
)
def test_the_error_of_an_instant_names_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        DATE_TIME.parse(text)


def test_the_command_prints_and_checks_the_sdl() -> None:
    run = CliRunner()
    assert run.invoke(app, ["sdl"]).stdout == sdl()
    assert run.invoke(app, ["sdl", "--check"]).exit_code == 0
