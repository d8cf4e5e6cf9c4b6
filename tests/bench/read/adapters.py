"""Adapters: the request of a query in the form that a peer expects, and its response in a form that all peers share."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from tests.bench.read.queries import DOCUMENTS, BenchmarkQuery, Variables

Post = Callable[[str, bytes], Any]


class EndpointAdapter:
    """Hand-written endpoints: each query has its own path, and a request contains only the variables."""

    def prepare(self, post: Post, query: BenchmarkQuery) -> None:
        """Fetch from the peer what its requests need beyond the variables: nothing here."""

    endpoint = "/{}"

    def path(self, query: BenchmarkQuery) -> str:
        """Return the path of the query's requests."""
        return self.endpoint.format(query.key)

    def body(self, query: BenchmarkQuery, variables: Variables) -> bytes:  # noqa: ARG002 - the path names the query
        """Return the body of a request."""
        return orjson.dumps(self.peer_variables(variables))

    def peer_variables(self, variables: Variables) -> dict[str, str]:
        """Return the variables with ids and cursors in the form that the peer expects."""
        return {name: _global_id(value) if name in ("id", "after") else value for name, value in variables.items()}

    def comparable(self, response: Any) -> object:  # noqa: ANN401 - JSON
        """Return the data of a response in a form that all peers share. Errors: ValueError for an error response."""
        if response.get("errors") or not response.get("data"):
            raise ValueError(f"the response has no data or has errors: {orjson.dumps(response)[:500].decode()}")
        return dict(_comparable_fields(response["data"]))


class DocumentAdapter(EndpointAdapter):
    """A hand-written schema that accepts Accord's documents."""

    endpoint = "/graphql"
    documents = "accord"

    def body(self, query: BenchmarkQuery, variables: Variables) -> bytes:
        """Return a request with the query's document, which is always the same, and variables."""
        return orjson.dumps({"query": self.document(query.key), "variables": self.peer_variables(variables)})

    def document(self, key: str) -> str:
        """Return a document without its indentation."""
        return " ".join((DOCUMENTS / self.documents / f"{key}.graphql").read_text(encoding="utf-8").split())


class CursorAdapter(DocumentAdapter):
    """A schema with opaque cursors, which are collected by reading the list page by page."""

    def __init__(self) -> None:
        self._cursors: dict[str, str] = {}

    def prepare(self, post: Post, query: BenchmarkQuery) -> None:
        """Collect the cursor before each page, once."""
        if "after" not in query.variables[0] or self._cursors:
            return
        after: str | None = None
        for variables in query.variables:
            body = orjson.dumps({"query": self.document("walk"), "variables": {"after": after}})
            response = post(self.path(query), body)
            after = response["data"]["contacts"]["pageInfo"]["endCursor"]
            self._cursors[variables["after"]] = str(after)

    def peer_variables(self, variables: Variables) -> dict[str, str]:
        """Return the variables with the peer's cursors."""
        return {name: self._cursors[value] if name == "after" else value for name, value in variables.items()}


class AccordAdapter(CursorAdapter):
    """Accord."""

    def peer_variables(self, variables: Variables) -> dict[str, str]:
        """Return the variables with Accord's cursors and global ids."""
        with_cursors = super().peer_variables(variables)
        return {name: _global_id(value) if name == "id" else value for name, value in with_cursors.items()}


class PostGraphileAdapter(CursorAdapter):
    """A schema derived from the database, with documents of its own: aliases give fields the names of Accord's."""

    documents = "postgraphile"


def _global_id(key: str) -> str:
    return f"contact_{key}"


def _comparable(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return dict(_comparable_fields(value))
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if not isinstance(value, str):
        return value
    if name == "id":
        return value.rpartition("_")[2]
    if name == "endCursor":
        return "a cursor"
    return datetime.fromisoformat(value) if name.endswith("At") else value


def _money(value: Any, siblings: dict[str, Any]) -> object:  # noqa: ANN401 - JSON
    """Return amounts with their currencies, from a money object, a list of them, or an amount beside a currency."""
    if isinstance(value, list):
        return [_money(item, siblings) for item in value]
    amount = value if isinstance(value, dict) or value is None else siblings
    return amount and (Decimal(amount["amount"]), amount["currency"])


def _aggregates_of_groups(groups: list[dict[str, Any]]) -> dict[str, object]:
    """Convert PostGraphile's groups by currency to Accord's aggregates; groups without an amount have none."""
    known = [group for group in groups if group["max"]["amount"] is not None]
    known.sort(key=lambda group: (group["keys"][0] is None, group["keys"][0]))
    return {
        function: {"amount": [{"amount": group[function]["amount"], "currency": group["keys"][0]} for group in known]}
        for function in ("sum", "max")
    }


def _comparable_fields(fields: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield fields with bare ids, parsed instants, and amounts with their currency. Cursors only have to exist."""
    for name, value in fields.items():
        if name == "amount":
            yield name, _money(value, fields)
        elif name == "aggregate" and isinstance(value, list):
            yield name, dict(_comparable_fields(_aggregates_of_groups(value)))
        elif name != "currency":
            yield name, _comparable(value, name)
