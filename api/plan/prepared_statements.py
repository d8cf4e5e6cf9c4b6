"""The execution of a selection: one statement, prepared once and executed with the values of each request.

The result is one JSON object, either as the bytes that PostgreSQL wrote or parsed into Python values.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial

import asyncpg
import orjson

from api.access.evaluation import NO_EVALUATION
from api.access.merged_facts import NO_CONTACT_IS_MERGED
from api.access.principal import Principal
from api.access.scope import MEMBER_PARAMETER
from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.plan.grouping import MAX_GROUPS, TOO_MANY_GROUPS
from api.plan.selection import Connection, DuplicatePairs, OneRecord, RootField, SearchResults, Typename
from api.plan.statement import document_statement
from api.plan.value_checks.currency_checks import CurrencyCheck, currency_checks
from api.plan.value_checks.fact_lists import reads_fact_lists
from api.plan.value_checks.filter_values import NamedValues, guarded, named_values, require_known_values, unknown_texts
from api.plan.value_checks.known_values import UnknownText
from api.sql import Parameter, Sql, bound_values

MAX_RESPONSE_BYTES = 32 * 1024 * 1024
_HAS_MERGED = "contacts are merged"  # a hint: statements with lists of facts begin with the form for merged contacts


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A rendered statement. Its values are constants, and a `Parameter` for every value that an execution supplies.

    `unread` has the parameters of lists whose rows the statement does not read. They are validated and not bound.
    `named` has the values in its filters that have to be known, `currencies` what it needs of the currencies of its
    amounts. Where there are some, the statement returns null if one condition is not met, and `unguarded` returns the
    response in any case. `redacted` has the fields that it returns as null because the principal may not read them.

    A statement with lists of facts returns null if contacts are merged, and `with_merged` reads theirs, too.
    """

    text: str
    values: tuple[object, ...]
    unread: tuple[Parameter, ...]
    named: tuple[NamedValues, ...] = ()
    unguarded: "PreparedStatement | None" = None
    currencies: tuple[CurrencyCheck, ...] = ()
    redacted: tuple[str, ...] = ()
    with_merged: "PreparedStatement | None" = None

    def bind(self, principal: Principal, variables: Mapping[str, object]) -> "BoundStatement":
        """Return the statement with the values of one execution.

        The principal must have the `plan_key` that the statement was prepared with.
        Errors: those of the parameters' converters, such as BAD_INPUT for an id of another table.
        """
        parameters = {MEMBER_PARAMETER: principal.member_id, **variables}
        for parameter in self.unread:
            parameter.value(parameters)
        if self.with_merged is not None:
            with_merged = self.with_merged.bind(principal, variables)
            return BoundStatement(self.text, bound_values(self.values, parameters), with_merged=with_merged)
        if self.unguarded is None:
            return BoundStatement(self.text, bound_values(self.values, parameters))
        named = tuple(values.bound(parameters) for values in self.named)
        unguarded = self.unguarded.bind(principal, variables)
        currencies = tuple(_BoundCheck.of(check, parameters) for check in self.currencies)
        return BoundStatement(self.text, bound_values(self.values, parameters), named, unguarded, currencies)


@dataclass(frozen=True, slots=True)
class _BoundCheck:
    """The query of a check with the values of one execution, and the error for what it finds."""

    text: str
    values: Sequence[object]
    error: Callable[[object], AccordError | None]

    @classmethod
    def of(cls, check: CurrencyCheck, parameters: Mapping[str, object]) -> "_BoundCheck":
        text, values = check.find.render()
        return cls(text, bound_values(values, parameters), check.error)


@dataclass(frozen=True, slots=True)
class BoundStatement:
    """A statement with the values of one execution."""

    text: str
    values: Sequence[object]
    named: tuple[NamedValues, ...] = ()
    unguarded: "BoundStatement | None" = None
    currencies: tuple[_BoundCheck, ...] = ()
    with_merged: "BoundStatement | None" = None

    async def run(self, database: Database) -> "DocumentResult":
        """Return the JSON object of a document's root fields.

        Shapes: one statement -> bytes. If a value in a filter is not known, more statements find out which. The first
                statement with lists of facts that meets a merged contact takes two more.
        Errors: UNKNOWN_VALUE for a value of a closed set; MIXED_CURRENCIES, NO_REPORTING_CURRENCY; TOO_MANY_GROUPS;
                TOO_LARGE if the response exceeds `MAX_RESPONSE_BYTES`.
        """
        if self.with_merged is not None and _HAS_MERGED in database.hints:
            return await self.with_merged.run(database)
        try:
            response: bytes | None = await database.value(self.text, self.values)
        except asyncpg.InvalidTextRepresentationError as error:
            raise _failure(error) from error
        if response is None and self.with_merged is not None:
            # It may also be null because a value in a filter is not known.
            if not await _read_value(database, Sql("select {}", NO_CONTACT_IS_MERGED)):
                database.hints.add(_HAS_MERGED)
            return await self.with_merged.run(database)
        if response is None and self.unguarded is not None:
            read = partial(_read_value, database)
            await require_known_values(read, self.named)
            for check in self.currencies:
                _require(check.error(await database.value(check.text, check.values)))
            found = await self.unguarded.run(database)
            return DocumentResult(found.json, await unknown_texts(read, self.named))
        if response is None:
            raise TypeError("the statement of a document returned null")
        if len(response) > MAX_RESPONSE_BYTES:
            message = f"The response has {len(response):,} bytes, and may have {MAX_RESPONSE_BYTES:,}."
            raise AccordError(ErrorCode.TOO_LARGE, message, "Request smaller pages or fewer fields.")
        return DocumentResult(response)


@dataclass(frozen=True, slots=True)
class SelectionValue:
    """The value of one selection; None for a record that is not visible. `redacted` as in `RootValues`."""

    value: object | None
    redacted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootValues:
    """The values of root fields by key; None for a record that is not visible.

    `unknown` has the free texts in filters that no record ever had, and `redacted` the fields that are null because the
    principal may not read them.
    """

    values: Mapping[str, object]
    unknown: tuple[UnknownText, ...] = ()
    redacted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """The JSON object of a document's root fields, and the free texts in filters that no record ever had."""

    json: bytes
    unknown: tuple[UnknownText, ...] = ()


def prepare(roots: Iterable[RootField], principal: Principal) -> PreparedStatement:
    """Return the prepared statement of a document's root fields.

    Shapes: root fields -> one statement. It may be executed by every principal with the same `plan_key`.
    Errors: those of `document_statement`.
    """
    roots = tuple(roots)
    if not reads_fact_lists(roots):
        return _prepare(roots, principal)
    with_merged = _prepare(roots, principal, reads_merged=True)
    statement = document_statement(roots, principal)
    guards = (check.guard for check in currency_checks(roots, principal))
    plain = guarded(statement.sql, named_values(roots, principal), (NO_CONTACT_IS_MERGED, *guards))
    return PreparedStatement(*plain.render(), with_merged.unread, redacted=statement.redacted, with_merged=with_merged)


def _prepare(roots: tuple[RootField, ...], principal: Principal, *, reads_merged: bool = False) -> PreparedStatement:
    unread = tuple(_unread_parameters(roots))
    statement = document_statement(roots, principal, reads_merged=reads_merged)
    plain = PreparedStatement(*statement.sql.render(), unread, redacted=statement.redacted)
    named = named_values(roots, principal)
    currencies = currency_checks(roots, principal)
    if not named and not currencies:
        return plain
    guarded_statement = guarded(statement.sql, named, (check.guard for check in currencies))
    return PreparedStatement(*guarded_statement.render(), unread, named, plain, currencies, statement.redacted)


async def read_document(database: Database, roots: Sequence[RootField], principal: Principal) -> RootValues:
    """Return the values of a document's root fields.

    Shapes: root fields without parameters -> one statement -> one object.
    Errors: those of `BoundStatement.run` and of `document_statement`.
    """
    statement = prepare(roots, principal)
    response = await statement.bind(principal, {}).run(database)
    return RootValues(orjson.loads(response.json), response.unknown, statement.redacted)


async def read_selection(
    session: ReadSession, selection: OneRecord | Connection, principal: Principal
) -> SelectionValue:
    """Return the value of one selection, read in the snapshot of a session.

    Shapes: a selection without parameters -> one statement -> one object.
    Errors: UNKNOWN_VALUE, MIXED_CURRENCIES, NO_REPORTING_CURRENCY, TOO_MANY_GROUPS; those of `document_statement`.
    """
    roots, parameters = (RootField("it", selection),), {MEMBER_PARAMETER: principal.member_id}
    reads_merged = reads_fact_lists(roots) and not await session.value(Sql("select {}", NO_CONTACT_IS_MERGED))
    statement = document_statement(roots, principal, reads_merged=reads_merged)
    named = (values.bound(parameters) for values in named_values(roots, principal))
    await require_known_values(session.value, named)
    for check in currency_checks(roots, principal):
        _require(check.error(await session.value(check.find, parameters)))
    try:
        response = await session.value(statement.sql, parameters)
    except asyncpg.InvalidTextRepresentationError as error:
        raise _failure(error) from error
    values: Mapping[str, object] = orjson.loads(response)
    return SelectionValue(values["it"], statement.redacted)


async def _read_value(database: Database, statement: Sql) -> object:
    return await database.value(*statement.render())


def _require(error: AccordError | None) -> None:
    if error is not None:
        raise error


def _failure(failure: asyncpg.PostgresError) -> Exception:
    """Return the error of a statement with too many groups or without an evaluation; else the failure itself."""
    if NO_EVALUATION in str(failure):
        return AccordError(
            ErrorCode.EVALUATING,
            "The stage entries of this reading are not evaluated yet, which takes longer than a request may.",
            "The evaluation goes on. Send the request again in a while.",
        )
    found = re.search(TOO_MANY_GROUPS, str(failure))
    if found is None:
        return failure
    message = f"`groupBy` found {int(found[1]):,} groups. Without `first` it returns all of them, up to {MAX_GROUPS:,}."
    remedy = "Ask for the first ones with `orderBy` and `first`, or for fewer with `having`, `where` or a coarser key."
    return AccordError(ErrorCode.TOO_MANY_GROUPS, message, remedy)


def _unread_parameters(node: object, *, is_unread: bool = False) -> Iterator[Parameter]:
    """Yield the parameters of lists of which only `__typename` is selected: the statement has no place for them."""
    if isinstance(node, Parameter):
        if is_unread:
            yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _unread_parameters(item, is_unread=is_unread)
    elif is_dataclass(node):
        parts = node.parts if isinstance(node, Connection | SearchResults | DuplicatePairs) else None
        has_no_rows = parts is not None and all(isinstance(part, Typename) for part in parts)
        for field in fields(node):
            yield from _unread_parameters(getattr(node, field.name), is_unread=is_unread or has_no_rows)
