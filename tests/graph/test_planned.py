"""What is selected of records within any value of a document: in a query, in a list, and in a mutation's payload."""

from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode, extend_schema, parse
from graphql.execution.values import VariableValues

from api.graph.contract import build_schema, registered_types
from api.graph.declared import Declared, ObjectType, Output, TypeRef
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.planned import PlannedDocument, plan_document
from api.graph.reading.selection_reader import RecordSelection
from api.plan.selection import ColumnValue, RecordId, RootField, Typename

MUTATION = """
  extend schema { mutation: Mutation }
  type Mutation { moveDeal: DealMoved }
  type DealMoved { deal: Deal company: Company note: String }
"""
PAYLOAD = ObjectType(
    "DealMoved",
    "A payload.",
    (
        Output("deal", "The deal.", TypeRef("Deal")),
        Output("company", "The company.", TypeRef("Company")),
        Output("note", "A note.", TypeRef("String")),
    ),
)
ROOT = ObjectType("Mutation", "Mutations.", (Output("moveDeal", "Moves a deal.", TypeRef("DealMoved")),))


def planned(text: str, *types: Declared) -> tuple[PlannedDocument, list[FieldNode]]:
    """Return the planned operation of a text, and its first root field."""
    schema = build_schema()._schema
    assert isinstance(schema, GraphQLSchema)
    [operation] = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    extended = extend_schema(schema, parse(MUTATION), assume_valid=True)
    declared = {**registered_types(), **{type_.name: type_ for type_ in types}}
    collector = FieldCollector(extended, {}, VariableValues({}, {}))
    [field] = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return plan_document(collector, declared, operation), [field]


def test_records_in_a_mutations_payload_are_planned_at_their_paths() -> None:
    document, nodes = planned(
        "mutation { moveDeal { note moved: deal { id name } company { __typename } } }", ROOT, PAYLOAD
    )
    assert document.fields == {"moveDeal": None}
    assert document.planned(nodes, "DealMoved") == {
        ("moved",): RecordSelection("deal", (RecordId("id"), ColumnValue("name", "name"))),
        ("company",): RecordSelection("company", (Typename("__typename", "Company"),)),
    }


def test_a_value_that_is_a_record_is_planned_at_the_empty_path() -> None:
    document, nodes = planned('{ node(id: "contact_00000000-0000-0000-0000-000000000001") { id } }')
    assert isinstance(document.fields["node"], RootField)
    expected = {(): RecordSelection("contact", (RecordId("id"),))}
    assert document.planned(nodes, "Contact") == expected
    assert document.planned(nodes, "Node", node_table="contact") == expected


def test_records_behind_a_figure_are_planned_as_records_of_its_table() -> None:
    lists = "records { totalCount rows: nodes { id } edges { cursor record: node { id } } }"
    document, [kpi] = planned(f"{{ kpi(key: DEALS_WON) {{ {lists} }} }}")
    assert document.fields == {"kpi": None}
    [records] = document.collector.collect([kpi], "KpiAnswer").values()
    selection = RecordSelection("deal", (RecordId("id"),))
    found = document.planned(records, "CountedRecordConnection", node_table="deal")
    assert found == {("rows",): selection, ("edges", "record"): selection}
