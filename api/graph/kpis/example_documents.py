"""The example of each KPI in the catalogue: a GraphQL document that requests it."""

from api.graph.kpis.kpi_inputs import kpi_word
from api.metrics.kind_of import kind_of
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kpi import Kpi

# For a KPI between two stages that the request names. The stages are those of the standard accord.
_PAIR = 'stages: {from: "mql", to: "customer"}'


def example_document(kpi: Kpi) -> str:
    """A document that requests a KPI of the last whole quarter, by month and by one of its dimensions."""
    dimension = Dimension.CHANNEL if Dimension.CHANNEL in kpi.dimensions else next(iter(kpi.dimensions), None)
    arguments = [f"key: {kpi_word(kpi.key)}", 'period: {named: "last-quarter"}', "grain: MONTH"]
    if dimension is not None:
        arguments.append(f"by: [{dimension.name}]")
    if kind_of(kpi.measure).stages(()) is None:
        arguments.append(_PAIR)
    return f"""{{
  kpi({", ".join(arguments)}) {{
    value unit currency numerator denominator n
    series {{ from before value n }}
    breakdown {{ keys {{ dimension label }} value n }}
    warnings {{ code message count }}
  }}
}}"""
