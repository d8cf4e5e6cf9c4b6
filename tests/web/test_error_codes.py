"""Every error has a code of one documented list, by what is wrong."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.web.identification import identify_local_operator
from api.web.responses import HttpError
from api.web.website import build_site
from tests.support.sources import sources

BAD_DATE = "2026-13-45T00:00:00Z"
SINCE = "query ($since: DateTime!) { contacts(where: {createdAt: {gte: $since}}) { totalCount } }"
SIZE = "query ($size: Int) { contacts(first: $size) { totalCount } }"
KIND = "query ($kind: EmailKind) { contacts(where: {emailKind: {eq: $kind}}) { totalCount } }"
IF = "query ($if: Boolean = true) { contacts { totalCount @include(if: $if) } }"


@pytest.fixture
async def contract_client(module_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of Accord's own schema, without any rows."""
    site = build_site(gateway(), lambda: module_database, identify_local_operator)
    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ contacts", {}, "GRAPHQL_PARSE_FAILED"),
        ("hello", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ contacts { nodes { nothingLikeThis } } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ contacts { nodes } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ contacts(where: {emailKind: {eq: NOPE}}) { totalCount } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (f'{{ contacts(where: {{createdAt: {{gte: "{BAD_DATE}"}}}}) {{ totalCount }} }}', {},
         "GRAPHQL_VALIDATION_FAILED"),
        ("{ node { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ contacts(first: $n) { totalCount } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { anything }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { anything }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (SINCE, {}, "BAD_INPUT"),
        (SINCE, {"since": None}, "BAD_INPUT"),
        (SINCE, {"since": BAD_DATE}, "BAD_INPUT"),
        (SINCE, {"since": 5}, "BAD_INPUT"),
        (KIND, {"kind": "NOPE"}, "BAD_INPUT"),
        (SIZE, {"size": "x"}, "BAD_INPUT"),
        (SIZE, {"size": -1}, "BAD_INPUT"),
        (SIZE, {"size": 501}, "TOO_LARGE"),
        (IF, {"if": None}, "BAD_INPUT"),
        ('{ contacts(after: "x") { totalCount } }', {}, "BAD_INPUT"),
        ('{ contact(id: "x") { id } }', {}, "BAD_INPUT"),
        ("{ funnel { __typename } }", {}, "NO_ACCORD"),
        ("{ a: __typename " + " ".join(f"a{n}: __typename" for n in range(31)) + "}", {}, "TOO_LARGE"),
    ],
)  # fmt: skip
async def test_an_error_of_a_document_or_its_values_has_the_code_of_what_is_wrong(
    contract_client: httpx.AsyncClient, query: str, variables: dict[str, Any], code: str
) -> None:
    response = await contract_client.post("/graphql", json={"query": query, "variables": variables})
    errors = response.json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {code}, errors


def test_every_code_has_a_meaning_and_is_used() -> None:
    text = "\n".join(source.text for source in sources("api"))
    used = set(re.findall(r"(?<!User)ErrorCode\.([A-Z_]+)\b", text))
    assert used == {code.name for code in ErrorCode}
    for code in ErrorCode:
        assert code.value == code.name
        assert re.fullmatch(r"[A-Z`].{10,130}\.", code.doc), code
    assert len({code.doc for code in ErrorCode}) == len(ErrorCode)


def test_no_expected_error_is_internal() -> None:
    with pytest.raises(ValueError, match="INTERNAL"):
        AccordError(ErrorCode.INTERNAL, "x", "y")
    assert HttpError(400, "x", "y").code is ErrorCode.BAD_REQUEST
