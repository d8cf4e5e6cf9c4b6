"""Strawberry as its documentation recommends: hand-written types and resolvers, and a data loader for every link."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TypeAlias
from uuid import UUID

import asyncpg
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from tests.bench.read.asgi_peer import open_pool, serve

Row: TypeAlias = asyncpg.Record
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_COMPANY = "select id, name, industry from company where id = any($1) and deleted_at is null"
_CAMPAIGN = "select id, name from campaign where id = any($1)"
_DEAL = "select id, name, outcome, closed_at, amount, currency, company_id from deal"
_CONTACT = (
    "select id, first_name, last_name, email, phone, job_title, country, lead_source, lead_score, created_at,"
    " company_id from contact where deleted_at is null"
)
_TOTALS = (
    "select currency, count(*) as deals, sum(amount)::text as sum, max(amount)::text as max from deal where {}"
    " group by currency order by currency"
)
_ROLES = (
    "select r.* from unnest($1::uuid[]) owner (id), lateral (select contact_id, role, deal_id from deal_contact"
    " where contact_id = owner.id order by deal_id limit $2) r"
)
_TOUCHES = (
    "select t.* from unnest($1::uuid[]) owner (id), lateral (select contact_id, id, occurred_at, kind, channel,"
    " campaign_id from touchpoint where contact_id = owner.id order by {} limit $2) t"
)


async def _records(pool: Pool, text: str, keys: list[UUID]) -> list[Row | None]:
    found = {row["id"]: row for row in await pool.fetch(text, keys)}
    return [found.get(key) for key in keys]


async def _lists(pool: Pool, keys: list[tuple[UUID, str, int]]) -> list[list[Row]]:
    """Load lists of several records. A key is the id of the record, the statement and the length of the list."""
    found: dict[tuple[UUID, str, int], list[Row]] = {key: [] for key in keys}
    for text, first in {(text, first) for _, text, first in keys}:
        owners = [owner for owner, *statement in keys if statement == [text, first]]
        for row in await pool.fetch(text, owners, first):
            found[row["contact_id"], text, first].append(row)
    return [found[key] for key in keys]


async def _totals(pool: Pool, keys: list[tuple[str, tuple[object, ...]]]) -> list[list[Row]]:
    """Load the totals of lists by currency. A key is the condition of the list and its parameters."""
    return [await pool.fetch(_TOTALS.format(text), *values) for text, values in keys]


@dataclass
class Context:
    """The data loaders that the resolvers of one request share."""

    pool: Pool
    companies: DataLoader[UUID, Row | None] = field(init=False)
    campaigns: DataLoader[UUID, Row | None] = field(init=False)
    deals: DataLoader[UUID, Row | None] = field(init=False)
    lists: DataLoader[tuple[UUID, str, int], list[Row]] = field(init=False)
    totals: DataLoader[tuple[str, tuple[object, ...]], list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.companies = DataLoader(partial(_records, self.pool, _COMPANY))
        self.campaigns = DataLoader(partial(_records, self.pool, _CAMPAIGN))
        self.deals = DataLoader(partial(_records, self.pool, f"{_DEAL} where id = any($1) and deleted_at is null"))
        self.lists = DataLoader(partial(_lists, self.pool))
        self.totals = DataLoader(partial(_totals, self.pool))


Info: TypeAlias = strawberry.Info[Context, None]


@strawberry.enum
class SortDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.enum
class DealOutcome(StrEnum):
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@strawberry.type
class Company:
    id: strawberry.ID
    name: str
    industry: str | None


@strawberry.type
class Campaign:
    id: strawberry.ID
    name: str


@strawberry.type
class Money:
    amount: str
    currency: str | None


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


async def _company(info: Info, key: UUID | None) -> Company | None:
    found = None if key is None else await info.context.companies.load(key)
    return None if found is None else Company(id=_id("company", found), name=found["name"], industry=found["industry"])


@strawberry.type
class Deal:
    id: strawberry.ID
    name: str | None
    outcome: DealOutcome
    closed_at: datetime | None
    amount: Money | None
    company_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def company(self, info: Info) -> Company | None:
        return await _company(info, self.company_id)


@strawberry.type
class DealContact:
    role: str | None
    deal_id: strawberry.Private[UUID]

    @strawberry.field
    async def deal(self, info: Info) -> Deal | None:
        found = await info.context.deals.load(self.deal_id)
        return None if found is None else _deal(found)


@strawberry.type
class Touchpoint:
    id: strawberry.ID
    occurred_at: datetime
    kind: str
    channel: str | None
    campaign_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def campaign(self, info: Info) -> Campaign | None:
        found = None if self.campaign_id is None else await info.context.campaigns.load(self.campaign_id)
        return None if found is None else Campaign(id=_id("campaign", found), name=found["name"])


@strawberry.type
class DealContactConnection:
    nodes: list[DealContact]


@strawberry.type
class TouchpointConnection:
    nodes: list[Touchpoint]


@strawberry.input
class TouchpointOrder:
    occurred_at: SortDirection | None = None
    id: SortDirection | None = None


@strawberry.type
class Contact:
    id: strawberry.ID
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    job_title: str | None
    country: str | None
    lead_source: str | None
    lead_score: int | None
    created_at: datetime
    key: strawberry.Private[UUID]
    company_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def company(self, info: Info) -> Company | None:
        return await _company(info, self.company_id)

    @strawberry.field
    async def deal_roles(self, info: Info, first: int = 50) -> DealContactConnection:
        found = await info.context.lists.load((self.key, _ROLES, first))
        return DealContactConnection(nodes=[DealContact(role=row["role"], deal_id=row["deal_id"]) for row in found])

    @strawberry.field
    async def touchpoints(
        self, info: Info, first: int = 50, order_by: list[TouchpointOrder] | None = None
    ) -> TouchpointConnection:
        text = _TOUCHES.format(_order(order_by or (), ("occurred_at", "id")))
        found = await info.context.lists.load((self.key, text, first))
        return TouchpointConnection(nodes=[_touchpoint(row) for row in found])


@strawberry.type
class ContactConnection:
    nodes: list[Contact]
    page_info: PageInfo


@strawberry.input
class DealOutcomeFilter:
    eq: DealOutcome | None = None


@strawberry.input
class DateTimeFilter:
    gte: datetime | None = None
    lt: datetime | None = None


@strawberry.input
class DealWhere:
    outcome: DealOutcomeFilter | None = None
    closed_at: DateTimeFilter | None = None


@strawberry.input
class DealOrder:
    closed_at: SortDirection | None = None
    id: SortDirection | None = None


@strawberry.type
class DealFigures:
    amount: list[Money]


@strawberry.type
class DealAggregate:
    sum: DealFigures
    max: DealFigures


@strawberry.type
class DealConnection:
    nodes: list[Deal]
    page_info: PageInfo
    where: strawberry.Private[DealWhere | None]

    @strawberry.field
    async def total_count(self, info: Info) -> int:
        found = await info.context.totals.load(_conditions(self.where))
        return sum(row["deals"] for row in found)

    @strawberry.field
    async def aggregate(self, info: Info) -> DealAggregate:
        found = await info.context.totals.load(_conditions(self.where))
        return DealAggregate(sum=_figures(found, "sum"), max=_figures(found, "max"))


@strawberry.type
class Query:
    @strawberry.field
    async def contact(self, info: Info, id: strawberry.ID) -> Contact | None:  # noqa: A002 - the argument's name
        found = await info.context.pool.fetchrow(f"{_CONTACT} and id = $1", _bare_id(id))
        return None if found is None else _contact(found)

    @strawberry.field
    async def contacts(self, info: Info, first: int = 50, after: str | None = None) -> ContactConnection:
        text = f"{_CONTACT} and ($1::uuid is null or id > $1) order by id limit $2"
        found = await info.context.pool.fetch(text, after and _bare_id(after), first + 1)
        nodes = [_contact(row) for row in found[:first]]
        return ContactConnection(nodes=nodes, page_info=_page_info(nodes, len(found) > first))

    @strawberry.field
    async def deals(
        self, info: Info, first: int = 50, where: DealWhere | None = None, order_by: list[DealOrder] | None = None
    ) -> DealConnection:
        condition, values = _conditions(where)
        order = _order(order_by or (), ("closed_at", "id"))
        text = f"{_DEAL} where {condition} order by {order} limit ${len(values) + 1}"
        found = await info.context.pool.fetch(text, *values, first + 1)
        nodes = [_deal(row) for row in found[:first]]
        return DealConnection(nodes=nodes, page_info=_page_info(nodes, len(found) > first), where=where)


def _id(table: str, row: Row) -> strawberry.ID:
    return strawberry.ID(f"{table}_{row['id']}")


def _bare_id(global_id: str) -> str:
    return global_id.rpartition("_")[2]


def _contact(row: Row) -> Contact:
    columns = dict(row)
    return Contact(id=_id("contact", row), key=columns.pop("id"), **columns)


def _deal(row: Row) -> Deal:
    amount = None if row["amount"] is None else Money(amount=str(row["amount"]), currency=row["currency"])
    return Deal(
        id=_id("deal", row),
        name=row["name"],
        outcome=DealOutcome(row["outcome"]),
        closed_at=row["closed_at"],
        amount=amount,
        company_id=row["company_id"],
    )


def _figures(rows: Sequence[Row], name: str) -> DealFigures:
    known = [row for row in rows if row[name] is not None]
    return DealFigures(amount=[Money(amount=row[name], currency=row["currency"]) for row in known])


def _touchpoint(row: Row) -> Touchpoint:
    return Touchpoint(
        id=_id("touchpoint", row),
        occurred_at=row["occurred_at"],
        kind=row["kind"],
        channel=row["channel"],
        campaign_id=row["campaign_id"],
    )


def _page_info(nodes: Sequence[Contact | Deal], has_next: bool) -> PageInfo:
    return PageInfo(has_next_page=has_next, end_cursor=nodes[-1].id if nodes else None)


def _order(given: Sequence[object], columns: Sequence[str]) -> str:
    """Return the `order by` of a list. Its columns come from `columns`, never from the request."""
    terms = [
        f"{name} {getattr(order, name)}" for order in given for name in columns if getattr(order, name) is not None
    ]
    return ", ".join(terms) or "id"


def _conditions(where: DealWhere | None) -> tuple[str, tuple[object, ...]]:
    outcome, closed_at = where and where.outcome, where and where.closed_at
    given = (
        ("outcome = ${}", outcome and outcome.eq),
        ("closed_at >= ${}", closed_at and closed_at.gte),
        ("closed_at < ${}", closed_at and closed_at.lt),
    )
    texts, values = ["deleted_at is null"], list[object]()
    for text, value in given:
        if value is not None:
            values.append(value)
            texts.append(text.format(len(values)))
    return " and ".join(texts), tuple(values)


class Endpoint(GraphQL[Context, None]):
    """The GraphQL endpoint, with a new context for every request."""

    pool: Pool

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        """Return new data loaders, because they cache records and must not outlive the request."""
        return Context(self.pool)


def application(dsn: str) -> Starlette:
    """Return the endpoint with its pool."""
    # All requests share these two extensions: they cache documents.
    parsed, validated = ParserCache(), ValidationCache()
    endpoint = Endpoint(strawberry.Schema(Query, extensions=[lambda: parsed, lambda: validated]), graphql_ide=None)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with open_pool(dsn) as endpoint.pool:
            yield

    return Starlette(routes=[Route("/graphql", endpoint)], lifespan=lifespan)


if __name__ == "__main__":
    serve(application(os.environ["DATABASE_URL"]))
