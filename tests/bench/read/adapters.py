"""How a kind of peer is asked the questions, and what its answer says once the wording is taken away."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from tests.bench.read.queries import DOCUMENTS, BenchmarkQuery, Values

Ask = Callable[[str, bytes], Any]


class EndpointAdapter:
    """Hand-written endpoints, each with a path of its own: a request is its values, a cursor the id before the page."""

    def learn(self, ask: Ask, question: BenchmarkQuery) -> None:
        """Find out from the peer what the question's values are called there: nothing is."""

    endpoint = "/{}"

    def path(self, question: BenchmarkQuery) -> str:
        """Where the question is asked."""
        return self.endpoint.format(question.key)

    def body(self, question: BenchmarkQuery, values: Values) -> bytes:  # noqa: ARG002 - the path says it already
        """What is sent."""
        return orjson.dumps(self.named(values))

    def named(self, values: Values) -> dict[str, str]:
        """The values as the peer names them."""
        return {name: _global(value) if name in ("id", "after") else value for name, value in values.items()}

    def plain(self, answer: Any) -> object:  # noqa: ANN401 - JSON
        """What was answered, in words that all peers share; ValueError if it is no answer."""
        if answer.get("errors") or not answer.get("data"):
            raise ValueError(f"no answer: {orjson.dumps(answer)[:500].decode()}")
        return dict(_plain_members(answer["data"]))


class DocumentAdapter(EndpointAdapter):
    """A hand-written schema that answers Accord's documents."""

    endpoint = "/graphql"
    documents = "accord"

    def body(self, question: BenchmarkQuery, values: Values) -> bytes:
        """A document that stays the same, and variables."""
        return orjson.dumps({"query": self.document(question.key), "variables": self.named(values)})

    def document(self, key: str) -> str:
        """A document without its indentation."""
        return " ".join((DOCUMENTS / self.documents / f"{key}.graphql").read_text(encoding="utf-8").split())


class CursorAdapter(DocumentAdapter):
    """A schema with opaque cursors: they are found by walking the list, page by page."""

    def __init__(self) -> None:
        self._cursors: dict[str, str] = {}

    def learn(self, ask: Ask, question: BenchmarkQuery) -> None:
        """Walk to where each page begins."""
        if "after" not in question.asked[0] or self._cursors:
            return
        after: str | None = None
        for values in question.asked:
            body = orjson.dumps({"query": self.document("walk"), "variables": {"after": after}})
            answer = ask(self.path(question), body)
            after = answer["data"]["contacts"]["pageInfo"]["endCursor"]
            self._cursors[values["after"]] = str(after)

    def named(self, values: Values) -> dict[str, str]:
        """The values as the peer names them."""
        return {name: self._cursors[value] if name == "after" else value for name, value in values.items()}


class AccordAdapter(CursorAdapter):
    """Accord itself."""

    def named(self, values: Values) -> dict[str, str]:
        """The values as the peer names them."""
        return {name: _global(value) if name == "id" else value for name, value in super().named(values).items()}


class PostGraphileAdapter(CursorAdapter):
    """A schema derived from the database, asked in its own words, with aliases where they differ from ours."""

    documents = "postgraphile"


def _global(key: str) -> str:
    return f"contact_{key}"


def _plain(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return dict(_plain_members(value))
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, str):
        return value
    if name == "id":
        return value.rpartition("_")[2]
    if name == "endCursor":
        return "a cursor"
    return datetime.fromisoformat(value) if name.endswith("At") else value


def _money(value: Any, members: dict[str, Any]) -> object:  # noqa: ANN401 - JSON
    """Amounts with their currencies: one, several, or one beside its currency."""
    if isinstance(value, list):
        return [_money(each, members) for each in value]
    amount = value if isinstance(value, dict) or value is None else members
    return amount and (Decimal(amount["amount"]), amount["currency"])


def _by_figure(groups: list[dict[str, Any]]) -> dict[str, object]:
    """What groups by currency tell, as each figure with its amounts; where no amount is known, a sum is none."""
    known = [each for each in groups if each["max"]["amount"] is not None]
    known.sort(key=lambda each: (each["keys"][0] is None, each["keys"][0]))
    return {
        figure: {"amount": [{"amount": each[figure]["amount"], "currency": each["keys"][0]} for each in known]}
        for figure in ("sum", "max")
    }


def _plain_members(members: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Members without wording: ids bare, instants read, an amount and its currency together, cursors only there."""
    for name, value in members.items():
        if name == "amount":
            yield name, _money(value, members)
        elif name == "aggregate" and isinstance(value, list):
            yield name, dict(_plain_members(_by_figure(value)))
        elif name != "currency":
            yield name, _plain(value, name)
