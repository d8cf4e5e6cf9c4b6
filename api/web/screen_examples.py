"""The screens of a front end: the documents of the folder `screens`, with values that fit the available data."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from graphql import NonNullTypeNode, OperationDefinitionNode, parse

from api.metrics.available_data import AvailableData
from api.web.example_queries import ExampleQuery, quarters_up_to

FOLDER = Path(__file__).parent / "screens"
GROUP = "Screens of a front end"

# In the order of the list. Those of the second group have KPIs between stages of the standard accord.
SCREENS = (
    "stage_counts", "people_in_stage", "contact_list", "contact_page", "company_page", "search", "typeahead",
    "untouched_people", "deal_board", "funnel_by_channel", "export",
)  # fmt: skip
STANDARD_SCREENS = ("kpi_tiles", "two_periods", "over_contacted", "campaign_page")
STANDARD_STAGES = frozenset({"mql", "customer"})
UNTOUCHED_DAYS = 14


def screen_examples(data: AvailableData) -> Iterator[ExampleQuery]:
    """The screens that fit the data, each with its variables.

    Shapes: available data -> an example for each screen whose required variables have a value.
    """
    has_standard_stages = data.preset != "olist" and set(data.stages) >= STANDARD_STAGES
    values = _values(data)
    for name in SCREENS + STANDARD_SCREENS * has_standard_stages:
        document, required, optional = _screen(name)
        if required <= values.keys():
            variables = {key: value for key, value in values.items() if key in required | optional}
            yield ExampleQuery(document.splitlines()[0].removeprefix("# "), document, variables, GROUP)


@cache
def _screen(name: str) -> tuple[str, frozenset[str], frozenset[str]]:
    """The document of a screen, and the names of its required and of its optional variables."""
    document = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
    variables = [
        variable
        for definition in parse(document).definitions
        if isinstance(definition, OperationDefinitionNode)
        for variable in definition.variable_definitions or ()
    ]
    required = {variable.variable.name.value for variable in variables if isinstance(variable.type, NonNullTypeNode)}
    optional = {variable.variable.name.value for variable in variables} - required
    return document, frozenset(required), frozenset(optional)


def _values(data: AvailableData) -> Mapping[str, Any]:
    """The values of variables, by their name: a variable means the same in all screens."""
    values: dict[str, Any] = {**data.records}
    if data.word:
        values["text"] = data.word
    if data.stages:
        stage = "mql" if "mql" in data.stages else data.stages[-1]
        values |= {"stage": stage, "where": {"stage": {"key": {"eq": stage}}}}
    if data.until:
        previous, last = quarters_up_to(data.until, 2)
        values |= {
            "key": "MQL_TO_CUSTOMER",
            "period": {"named": str(last)},
            "previous": {"named": str(previous)},
            "since": f"{data.until - timedelta(days=UNTOUCHED_DAYS)}T00:00:00Z",
        }
    return values
