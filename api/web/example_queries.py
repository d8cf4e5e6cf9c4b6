"""The example queries: GraphQL documents, each with a question in plain words that it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from textwrap import wrap
from typing import Any

WIDTH = 42  # characters a line of the editor beside the open side pane, in a window of common width
# What to read before a number is used. Every example with a KPI or a funnel selects it.
CAVEATS = (
    "warnings { code message count }",
    "excluded { count reasons { reason count } }",
    "period { from before isOver }",
)


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """A question in plain words, and the GraphQL document that answers it.

    GraphiQL lists the examples of a group together, and opens those of the first group as tabs.
    """

    title: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    group: str = "Questions"


@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter, as the number of quarters since the year 0."""

    number: int

    def __str__(self) -> str:
        return f"{self.number // 4}-{self.name}"

    @property
    def name(self) -> str:
        """The name within its year, such as Q1."""
        return f"Q{self.number % 4 + 1}"

    @property
    def starts_on(self) -> date:
        """The first day."""
        return date(self.number // 4, self.number % 4 * 3 + 1, 1)


Quarters = tuple[Quarter, ...]


def quarters_up_to(day: date, count: int) -> Quarters:
    """The last `count` quarters up to and including the quarter of `day`, oldest first."""
    last = day.year * 4 + (day.month - 1) // 3
    return tuple(Quarter(number) for number in range(last - count + 1, last + 1))


def funnel(quarters: Quarters) -> ExampleQuery:
    """The funnel of every quarter."""
    fields = "{\n    ...FunnelStages\n  }"
    funnels = [f'  {quarter.name.lower()}: funnel(period: {{named: "{quarter}"}}) {fields}' for quarter in quarters]
    return ExampleQuery(
        "How far did the people of each quarter get?",
        _document(
            "Each funnel follows the people who entered the first stage in its quarter, so no stage has more people "
            "than the one before. Warnings count those who can still go on: the stages after theirs may still grow.",
            "query FunnelByQuarter {\n" + "\n".join(funnels or [f"  funnel {fields}"]) + "\n}",
            f"""fragment FunnelStages on FunnelAnswer {{
  stages {{ title reached step overall }}
{_caveats("  ")}
}}""",
        ),
    )


def conversion_by_channel(quarters: Quarters) -> ExampleQuery:
    """Conversion by channel and quarter."""
    return ExampleQuery(
        "Which channels turn marketing's leads into customers?",
        _document(
            "People can convert until their window closes. The warnings count those who still can.",
            f"""query MqlToCustomerByChannel {{
  kpi(
    key: MQL_TO_CUSTOMER{_period(quarters, "    ")}
    grain: QUARTER
    by: [CHANNEL]
  ) {{
    value numerator denominator
    breakdown {{
      keys {{ label }}
      value numerator denominator
      series {{ from value n }}
    }}
{_caveats("    ")}
  }}
}}""",
        ),
    )


def conversion_by_source() -> ExampleQuery:
    """Conversion by lead source."""
    return ExampleQuery(
        "Which lead sources turn into customers?",
        _document(
            "No source and a source named `unknown` are two different values.",
            f"""query MqlToCustomerBySource {{
  kpi(key: MQL_TO_CUSTOMER, by: [LEAD_SOURCE]) {{
    value numerator denominator implied
    breakdown {{
      keys {{ label }}
      value numerator denominator
    }}
{_caveats("    ")}
  }}
}}""",
        ),
    )


def first_to_last_stage(stages: tuple[str, ...]) -> ExampleQuery:
    """Conversion from the first to the last stage, for an accord with stages of its own."""
    return ExampleQuery(
        "What share of the people get from the first stage to the last?",
        _document(
            "The stages are those of your accord. Any two of them can be compared.",
            f"""query FirstToLast {{
  kpi(
    key: STAGE_CONVERSION
    stages: {{from: "{stages[0]}", to: "{stages[-1]}"}}
    grain: QUARTER
  ) {{
    value numerator denominator
    series {{ from value n }}
{_caveats("    ")}
  }}
}}""",
        ),
    )


def won_by_month() -> ExampleQuery:
    """Won deals by month."""
    return ExampleQuery(
        "How many deals were won each month?",
        _document(
            "A deal counts in the month it was won, in the accord's time zone.",
            f"""query DealsWonPerMonth {{
  kpi(key: DEALS_WON, grain: MONTH) {{
    value
    series {{ from before value }}
    accords {{ version isSigned }}
{_caveats("    ")}
  }}
}}""",
        ),
    )


def several_kpis(quarters: Quarters) -> ExampleQuery:
    """Several KPIs in one request."""

    def request(key: str) -> str:
        return f"""      {{
        key: {key.upper()}{_period(quarters, "        ")}
        grain: QUARTER
      }}"""

    requests = "\n".join(map(request, ("mqls", "win_rate", "deals_won")))
    return ExampleQuery(
        "Volume, success and result side by side",
        _document(
            "Several KPIs in one request. An error in one does not affect the others.",
            f"""query SideBySide {{
  kpis(
    requests: [
{requests}
    ]
  ) {{
    title definition unit value
    series {{ from value n }}
{_caveats("    ")}
  }}
}}""",
        ),
    )


def counted_records(quarters: Quarters) -> ExampleQuery:
    """From a number to the people that it counts."""
    return ExampleQuery(
        "Who are the customers behind the number?",
        _document(
            "Every number can be drilled down to the records that it counts. `side` selects which.",
            f"""query BehindTheNumber {{
  kpi(
    key: MQL_TO_CUSTOMER{_period(quarters, "    ")}
  ) {{
    numerator denominator
{_caveats("    ")}
    records(side: CONVERTED, first: 5) {{
      totalCount
      edges {{
        at
        node {{
          ... on Contact {{
            firstName lastName
            company {{ name }}
            dealRoles(first: 1) {{
              nodes {{ deal {{ name outcome }} }}
            }}
          }}
        }}
      }}
    }}
  }}
}}""",
        ),
    )


def contacts() -> ExampleQuery:
    """Records with their linked records."""
    return ExampleQuery(
        "Who are the people, and what happened last?",
        _document(
            "One SQL statement reads all of this, however deep the query is.",
            """query PeopleAndLastTouches {
  contacts(first: 5, orderBy: [{createdAt: DESC}]) {
    totalCount
    nodes {
      firstName lastName jobTitle leadSource
      company { name industry }
      stage { title since }
      touchpoints(
        first: 3
        orderBy: [{occurredAt: DESC}]
      ) {
        nodes {
          occurredAt channel kind direction
        }
      }
    }
  }
}""",
        ),
    )


def accord() -> ExampleQuery:
    """The accord in force."""
    return ExampleQuery(
        "What have sales and marketing agreed on?",
        _document(
            "The agreement by which every number is computed.",
            """query Agreed {
  accord {
    version isSigned hash
    stages { title group owner meaning }
    rejectReasons { code label }
  }
}""",
        ),
    )


def kpi_catalogue() -> ExampleQuery:
    """The KPI catalogue."""
    return ExampleQuery(
        "Which KPIs are there, and what do they mean?",
        _document(
            "Every KPI in plain words, with the dimensions that break it down.",
            """query Catalogue {
  kpiCatalogue {
    key title definition unit
    dimensions { dimension moment }
  }
}""",
        ),
    )


def _caveats(indent: str) -> str:
    """The fields of `CAVEATS`, on lines of their own."""
    return "\n".join(f"{indent}{line}" for line in CAVEATS)


def _period(quarters: Quarters, indent: str) -> str:
    """The `period` argument, on lines of its own; empty, which means all history, without quarters."""
    if not quarters:
        return ""
    start, end = quarters[0].starts_on, Quarter(quarters[-1].number + 1).starts_on
    return f'\n{indent}period: {{\n{indent}  range: {{from: "{start}", before: "{end}"}}\n{indent}}}'


def _document(comment: str, *definitions: str) -> str:
    """A document that starts with a comment, wrapped to the width of the editor."""
    lines = "\n".join(wrap(comment, WIDTH, initial_indent="# ", subsequent_indent="# "))
    return f"{lines}\n" + "\n\n".join(definitions) + "\n"
