"""The texts of the example questions: each a title in plain words and a document that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from textwrap import wrap
from typing import Any

WIDTH = 42  # characters of the editor beside the open pane of questions, in a common window


@dataclass(frozen=True, slots=True)
class Example:
    """One question: in plain words, and as a GraphQL document that answers it."""

    title: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of the calendar, by the number of quarters since the year 0."""

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
    """The last quarters up to that of a day, oldest first."""
    last = day.year * 4 + (day.month - 1) // 3
    return tuple(Quarter(number) for number in range(last - count + 1, last + 1))


def funnel(quarters: Quarters) -> Example:
    """How far people got, quarter by quarter."""
    fields = "{\n    ...Ladder\n  }"
    asked = [f'  {quarter.name.lower()}: funnel(period: {{named: "{quarter}"}}) {fields}' for quarter in quarters]
    return Example(
        "How far did the people of each quarter get?",
        _document(
            "Each funnel follows the people who came in during its quarter. Its bars never grow.",
            "query FunnelByQuarter {\n" + "\n".join(asked or [f"  funnel {fields}"]) + "\n}",
            """fragment Ladder on FunnelAnswer {
  stages { title reached step overall }
}""",
        ),
    )


def by_channel(quarters: Quarters) -> Example:
    """Conversion by channel and quarter."""
    return Example(
        "Which channels turn marketing's leads into customers?",
        _document(
            "A quarter's people have until their window closes. The warnings say how many are still on the way.",
            f"""query MqlToCustomerByChannel {{
  kpi(
    key: mql_to_customer{_period(quarters, "    ")}
    grain: QUARTER
    by: [CHANNEL]
  ) {{
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


def by_source() -> Example:
    """Conversion by lead source."""
    return Example(
        "Which lead sources turn into customers?",
        _document(
            "An empty source and a source called `unknown` are two different things.",
            """query MqlToCustomerBySource {
  kpi(key: mql_to_customer, by: [LEAD_SOURCE]) {
    value numerator denominator implied
    breakdown {
      keys { label }
      value numerator denominator
    }
    warnings { code message }
  }
}""",
        ),
    )


def first_to_last(stages: tuple[str, ...]) -> Example:
    """Conversion over the whole ladder, of an accord with stages of its own."""
    return Example(
        "What share of the people get from the first stage to the last?",
        _document(
            "The stages are those of your accord. Any two of them can be asked.",
            f"""query FirstToLast {{
  kpi(
    key: stage_conversion
    stages: {{from: "{stages[0]}", to: "{stages[-1]}"}}
    grain: QUARTER
  ) {{
    value numerator denominator
    series {{ from value n }}
    warnings {{ code message }}
  }}
}}""",
        ),
    )


def won_by_month() -> Example:
    """Won deals by month."""
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


def side_by_side(quarters: Quarters) -> Example:
    """Several KPIs in one request."""

    def request(key: str) -> str:
        return f"""      {{
        key: {key}{_period(quarters, "        ")}
        grain: QUARTER
      }}"""

    requests = "\n".join(map(request, ("mqls", "win_rate", "deals_won")))
    return Example(
        "Volume, success and result side by side",
        _document(
            "Several questions in one request. A bad one leaves the others standing.",
            f"""query SideBySide {{
  kpis(
    requests: [
{requests}
    ]
  ) {{
    title definition unit value
    series {{ from value n }}
  }}
}}""",
        ),
    )


def behind(quarters: Quarters) -> Example:
    """From a number to the people it counted."""
    return Example(
        "Who are the customers behind the number?",
        _document(
            "Every number leads to its records: `side` says which, and the total is the number itself.",
            f"""query BehindTheNumber {{
  kpi(
    key: mql_to_customer{_period(quarters, "    ")}
  ) {{
    numerator denominator
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


def people() -> Example:
    """Records with their links."""
    return Example(
        "Who are the people, and what happened last?",
        _document(
            "However deep a question about records goes, one statement answers it.",
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


def agreed() -> Example:
    """The accord itself."""
    return Example(
        "What have sales and marketing agreed on?",
        _document(
            "The one document that every number is judged by.",
            """query Agreed {
  accord {
    version isSigned hash
    stages { title group owner meaning }
    rejectReasons { code label }
  }
}""",
        ),
    )


def catalogue() -> Example:
    """What can be asked."""
    return Example(
        "Which KPIs are there, and what do they mean?",
        _document(
            "Every KPI in plain words, and by what it can be broken down.",
            """query Catalogue {
  kpiCatalogue {
    key title definition unit dimensions
  }
}""",
        ),
    )


def _period(quarters: Quarters, indent: str) -> str:
    """The last quarters as an argument on a line of its own; nothing, which is all history, where no end is known."""
    if not quarters:
        return ""
    first, after = quarters[0], Quarter(quarters[-1].number + 1)
    return (
        f'\n{indent}period: {{\n{indent}  range: {{from: "{first.starts_on}", before: "{after.starts_on}"}}\n{indent}}}'
    )


def _document(remark: str, *definitions: str) -> str:
    """The definitions under a remark, in lines that the editor shows whole."""
    comment = "\n".join(wrap(remark, WIDTH, initial_indent="# ", subsequent_indent="# "))
    return f"{comment}\n" + "\n\n".join(definitions) + "\n"
