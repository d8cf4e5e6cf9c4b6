"""Fields and types for amounts in the reporting currency, derived from the columns with money."""

from api.graph.declared import ObjectType, Output, TypeRef
from api.graph.derived.naming import camel
from schema.base import ColumnShape, TableShape

CONVERTED_MONEY = "ConvertedMoney"
CONVERTED_DOC = (
    "Converted to the reporting currency of the accord in force, at the rate of its day; null if there is no rate."
)


def converted_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns with money, by the GraphQL name of their amounts in the reporting currency."""
    return {f"{camel(column.name)}Converted": column for column in shape.visible if column.note.currency is not None}


def rate_day_doc(shape: TableShape, column: ColumnShape) -> str:
    """Return the description of a converted amount: what is converted, and at the rate of which day."""
    if column.note.rate_at is None:
        day = "today, or of `asOf`"
    else:
        field, has_null = camel(column.note.rate_at), shape.column(column.note.rate_at).is_nullable
        day = f"`{field}`" + ("; if that is null, of today or of `asOf`" if has_null else "")
    return (
        f"{column.doc} Converted to the reporting currency of the accord in force, at the exchange rate of the day of"
        f" {day}, and rounded to the cent. Null if the amount is unknown, or if there is no rate."
    )


def converted_money_type() -> ObjectType:
    """Return the type of a figure of amounts in the reporting currency."""
    return ObjectType(
        CONVERTED_MONEY,
        "A figure of many amounts of money, each converted to the reporting currency of the accord in force.",
        (
            Output(
                "amount",
                "The figure, as a decimal string; null if no amount is known and converted.",
                TypeRef("Decimal"),
            ),
            Output("currency", "The reporting currency; null if no accord in force states one.", TypeRef("Currency")),
            Output(
                "unconvertedCount",
                "The number of known amounts that are not in the figure, because there is no rate for them.",
                TypeRef("Int").required,
            ),
        ),
    )
