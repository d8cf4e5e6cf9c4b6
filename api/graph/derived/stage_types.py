"""Input types for the present stage of a contact, derived from the columns of its stage entry."""

from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.scalars import column_type
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

# The columns of the open stage entry of highest rank, by the GraphQL name of a part of the present stage.
_COLUMNS = {"key": "stage", "since": "entered_at", "rank": "rank", "occurrence": "occurrence"}

STAGE, STAGE_FILTER, STAGE_ORDER = "stage", "PresentStageFilter", "PresentStageOrder"


def has_stage(shape: TableShape) -> bool:
    """Return whether records of the table are in a stage of the funnel."""
    return shape.name == "contact"


def stage_columns() -> dict[str, ColumnShape]:
    """Return the columns of a stage entry that the present stage shows, by GraphQL name."""
    return {key: SHAPES["stage_entry"].column(column) for key, column in _COLUMNS.items()}


def stage_filter_type() -> InputType:
    """Return the filter type of the present stage."""
    conditions = tuple(
        Input(key, column.doc, TypeRef(f"{column_type(column).name}Filter")) for key, column in stage_columns().items()
    )
    doc = (
        "Conditions on the current stage of a person. All given conditions must hold. A person without a stage matches"
        " only `isNull: true`. With an empty filter: the person is in a stage."
    )
    is_null = Input("isNull", "True: the person is in no stage. False: the person is in a stage.", TypeRef("Boolean"))
    return InputType(STAGE_FILTER, doc, (*conditions, is_null))


def stage_order_type() -> InputType:
    """Return the input type of a sort term by the present stage."""
    terms = tuple(Input(key, column.doc, TypeRef("SortDirection")) for key, column in stage_columns().items())
    doc = "The part of the current stage to sort by. Without a stage, the value is null."
    return InputType(STAGE_ORDER, doc, terms, is_one_of=True)
