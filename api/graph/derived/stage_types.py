"""Types for the present stage of a contact, derived from the columns of its stage entry: output, filter, order, key."""

from collections.abc import Iterator

from api.graph.declared import Declared, Input, InputType, ObjectType, Output, TypeRef
from api.graph.derived.scalars import column_type
from api.graph.sources import FromVersionNumber
from api.plan.list_arguments import STAGE_GROUP
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

# The columns of the open stage entry of highest rank, by the GraphQL name of a part of the present stage.
_COLUMNS = {"key": "stage", "since": "entered_at", "rank": "rank", "occurrence": "occurrence"}

STAGE, STAGE_FILTER, STAGE_ORDER = "stage", "PresentStageFilter", "PresentStageOrder"
PRESENT_STAGE, STAGE_KEY = "PresentStage", "PresentStageKey"
PRESENT_STAGE_DOC = (
    "The current stage of the person: the highest one with an open entry. Null if there is none. People whom KPIs"
    " never count have one, too (`isCounted`)."
)
_GROUP_DOC = "The stage's group, such as Prospect, in the version of the accord that the entry was judged by."


def has_stage(shape: TableShape) -> bool:
    """Return whether records of the table are in a stage of the funnel."""
    return shape.name == "contact"


def stage_columns() -> dict[str, ColumnShape]:
    """Return the columns of a stage entry that the present stage shows, by GraphQL name."""
    return {key: SHAPES["stage_entry"].column(column) for key, column in _COLUMNS.items()}


def reading_arguments() -> tuple[Input, ...]:
    """Return the arguments of lists of stage entries that choose another reading of the history."""
    return (
        Input(
            "reading",
            "Which version of the accord decides who entered which stage when. If left out: `IN_FORCE`. The entries of"
            " other readings are kept as they were when they were evaluated, and evaluated again when facts change.",
            TypeRef("Reading"),
        ),
        Input("accordVersion", "The number of the version, for the reading `PINNED` alone.", TypeRef("Int")),
        Input(
            "knownAt",
            "Only facts that Accord had recorded by this instant count. If left out: all facts.",
            TypeRef("DateTime"),
        ),
    )


def version_number_fields(shape: TableShape) -> Iterator[Output]:
    """Yield the field for the version of the accord that a row belongs to, if it belongs to one: its number."""
    column = next((column for column in shape.columns if column.name == "accord_version_id"), None)
    if column is not None:
        doc = f"The number of {column.doc[:1].lower()}{column.doc[1:]}"
        number = TypeRef("Int")
        shown = number if column.is_nullable else number.required
        yield Output("accordVersion", doc, shown, source=FromVersionNumber(column.name))


def stage_types() -> Iterator[Declared]:
    """Yield the types of the present stage: of a contact, of a group of contacts, and of its filter and order."""
    yield _present_stage_type()
    yield _stage_key_type()
    yield _stage_filter_type()
    yield _stage_order_type()


def _present_stage_type() -> ObjectType:
    columns = {key: Output(key, column.doc, column_type(column).required) for key, column in stage_columns().items()}
    title = "The stage's title, in the version of the accord that the entry was judged by."
    return ObjectType(
        PRESENT_STAGE,
        "The current stage of a person in the funnel: the highest one that they are in.",
        (
            columns["key"],
            Output("title", title, TypeRef("String")),
            columns["since"],
            columns["rank"],
            Output("group", _GROUP_DOC, TypeRef("String")),
            columns["occurrence"],
        ),
    )


def _stage_key_type() -> ObjectType:
    key, rank = (stage_columns()[part] for part in ("key", "rank"))
    newest = "in the newest version of the accord that has the stage."
    return ObjectType(
        STAGE_KEY,
        "The current stage that the people of a group share.",
        (
            Output("key", key.doc, column_type(key).required),
            Output("title", f"The stage's title, {newest}", TypeRef("String")),
            Output("rank", rank.doc, column_type(rank).required),
            Output("group", f"The stage's group, such as Prospect, {newest}", TypeRef("String")),
        ),
    )


def _stage_filter_type() -> InputType:
    conditions = [
        Input(key, column.doc, TypeRef(f"{column_type(column).name}Filter")) for key, column in stage_columns().items()
    ]
    conditions.append(Input(STAGE_GROUP, _GROUP_DOC, TypeRef("StringFilter")))
    doc = (
        "Conditions on the current stage of a person. All given conditions must hold. A person without a stage matches"
        " only `isNull: true`. With an empty filter: the person is in a stage."
    )
    is_null = Input("isNull", "True: the person is in no stage. False: the person is in a stage.", TypeRef("Boolean"))
    return InputType(STAGE_FILTER, doc, (*conditions, is_null))


def _stage_order_type() -> InputType:
    terms = tuple(Input(key, column.doc, TypeRef("SortDirection")) for key, column in stage_columns().items())
    doc = "The part of the current stage to sort by. Without a stage, the value is null."
    return InputType(STAGE_ORDER, doc, terms, is_one_of=True)
