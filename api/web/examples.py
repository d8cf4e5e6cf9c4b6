"""The example questions: what one would ask first of the data at hand, ready to run in GraphiQL."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.db import ReadSession
from api.funnel.in_force import active_version
from api.sql import Sql
from api.web.state import database_of

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """One question: in plain words, and as a GraphQL document that answers it."""

    title: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataAtHand:
    """What the choice of questions depends on: the last import, the accord's ladder, when people last came in."""

    preset: str | None = None
    stages: tuple[str, ...] = ()
    until: date | None = None


async def data_at_hand(session: ReadSession) -> DataAtHand:
    """Look at what is there. An empty database is data too: it has no preset, no stages and no end."""
    preset = await session.value(Sql("select preset from import_job order by finished_at desc, id desc limit 1"))
    version = await active_version(session)
    stages = tuple(stage.key for stage in version.accord.stages) if version else ()
    until = None
    if stages:
        until = await session.value(
            # Read from the index's end, whatever the size of the table.
            Sql(
                "select max(e.entered_at)::date from stage_entry e join evaluation v on v.id = e.evaluation_id"
                " where v.is_current and v.reading = 'IN_FORCE' and e.stage = {}",
                stages[0],
            )
        )
    return DataAtHand(preset, stages, until)


def examples_for(data: DataAtHand) -> tuple[Example, ...]:
    """The questions that fit: each of them runs against this data without an error."""
    return tuple(_chosen(data))


def examples_route() -> Route:
    """The route that GraphiQL makes its tabs from."""
    return Route("/graphql/examples", _examples)


async def _examples(request: Request) -> Response:
    async with database_of(request).read() as session:
        examples = examples_for(await data_at_hand(session))
    return JSONResponse([asdict(example) for example in examples], headers={"Cache-Control": "no-store"})


def _chosen(data: DataAtHand) -> Iterator[Example]:
    if not data.stages:
        yield _catalogue()
        return
    yield _funnel(data)
    if {"mql", "customer"} <= set(data.stages):
        yield _by_source() if data.preset == "olist" else _by_channel(data)
    elif len(data.stages) > 1:
        yield _first_to_last(data.stages)
    yield _won_by_month()
    if data.preset != "olist":
        yield _side_by_side(data)
    yield _people()
    yield _agreed()
    yield _catalogue()


def _funnel(data: DataAtHand) -> Example:
    quarters = tuple(_last_quarters(data.until)) if data.until else ()
    lines = [
        f'  {name.lower()}: funnel(period: {{ named: "{year}-{name}" }}) {{ ...Ladder }}' for year, name in quarters
    ]
    return Example(
        "How far did the people of each quarter get?",
        _document(
            "Each funnel follows the people who came in during its quarter: its bars never grow.",
            "query FunnelByQuarter {\n" + "\n".join(lines or ["  funnel { ...Ladder }"]) + "\n}",
            """fragment Ladder on FunnelAnswer {
  stages { title reached implied step overall }
}""",
        ),
    )


def _last_quarters(until: date) -> Iterator[tuple[int, str]]:
    """The last quarters up to a day, oldest first, by year and name."""
    last = until.year * 4 + (until.month - 1) // 3
    for number in range(last - QUARTERS + 1, last + 1):
        yield number // 4, f"Q{number % 4 + 1}"


def _period(data: DataAtHand) -> str:
    """The last quarters as a period argument, with its comma; all history where no end is known."""
    if data.until is None:
        return ""
    quarters = list(_last_quarters(data.until))
    first = quarters[0][0] * 4 + int(quarters[0][1][1]) - 1
    starts_on, before = (date(number // 4, number % 4 * 3 + 1, 1) for number in (first, first + QUARTERS))
    return f'period: {{ range: {{ from: "{starts_on}", before: "{before}" }} }}, '


def _by_channel(data: DataAtHand) -> Example:
    return Example(
        "Which channels turn marketing's leads into customers?",
        _document(
            "A quarter's people have until their window closes; the warnings say who is still on the way.",
            f"""query MqlToCustomerByChannel {{
  kpi(key: mql_to_customer, {_period(data)}grain: QUARTER, by: [CHANNEL]) {{
    value numerator denominator
    breakdown {{
      keys {{ label }}
      value numerator denominator
      series {{ from value n }}
    }}
    warnings {{ code message }}
  }}
}}""",
        ),
    )


def _by_source() -> Example:
    return Example(
        "Which lead sources turn into customers?",
        _document(
            "An empty source and the source that is called `unknown` are two different things.",
            """query MqlToCustomerBySource {
  kpi(key: mql_to_customer, by: [LEAD_SOURCE]) {
    value numerator denominator implied
    breakdown { keys { label } value numerator denominator }
    warnings { code message }
  }
}""",
        ),
    )


def _first_to_last(stages: tuple[str, ...]) -> Example:
    return Example(
        "What share of the people get from the first stage to the last?",
        _document(
            "The stages are those of your accord; any two of them can be asked.",
            f"""query FirstToLast {{
  kpi(key: stage_conversion, stages: {{ from: "{stages[0]}", to: "{stages[-1]}" }}, grain: QUARTER) {{
    value numerator denominator
    series {{ from value n }}
    warnings {{ code message }}
  }}
}}""",
        ),
    )


def _won_by_month() -> Example:
    return Example(
        "How many deals were won each month?",
        _document(
            "A deal counts in the month it was won, in the accord's time zone.",
            """query DealsWonPerMonth {
  kpi(key: deals_won, grain: MONTH) {
    value
    series { from before value }
    accords { version isSigned }
  }
}""",
        ),
    )


def _side_by_side(data: DataAtHand) -> Example:
    period = _period(data)
    return Example(
        "Volume, speed and success side by side",
        _document(
            "Several questions in one request; a bad one leaves the others standing.",
            f"""query SideBySide {{
  kpis(
    requests: [
      {{ key: mqls, {period}grain: QUARTER }}
      {{ key: win_rate, {period}grain: QUARTER }}
      {{ key: deals_won, {period}grain: QUARTER }}
    ]
  ) {{
    title definition unit value
    series {{ from value n }}
  }}
}}""",
        ),
    )


def _people() -> Example:
    return Example(
        "Who are the people, and what happened last?",
        _document(
            "Records come from one statement, however deep the question goes.",
            """query PeopleAndLastTouches {
  contacts(first: 5, orderBy: [{ createdAt: DESC }]) {
    totalCount
    nodes {
      firstName lastName jobTitle leadSource
      company { name industry }
      stage { title since }
      touchpoints(first: 3, orderBy: [{ occurredAt: DESC }]) {
        nodes { occurredAt channel kind direction teamKind }
      }
    }
  }
}""",
        ),
    )


def _agreed() -> Example:
    return Example(
        "What have sales and marketing agreed on?",
        _document(
            "The one document that every number above is judged by.",
            """query Agreed {
  accord {
    version isSigned hash
    stages { rank title group owner meaning windowSeconds }
    rejectReasons { code label }
  }
}""",
        ),
    )


def _catalogue() -> Example:
    return Example(
        "Which KPIs are there, and what do they mean?",
        _document(
            "Every KPI with its definition in plain words and what it can be broken down by.",
            """query Catalogue {
  kpiCatalogue { key title definition unit dimensions }
}""",
        ),
    )


def _document(remark: str, *definitions: str) -> str:
    return "\n\n".join((f"# {remark}\n{definitions[0]}", *definitions[1:])) + "\n"
