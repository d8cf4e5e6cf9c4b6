"""A whole run, logged as much as the settings allow, has no e-mail address, name, key, token, variable or password.

The server logs at the level debug, finds every request slow and logs plans. It serves right and wrong requests, with
values in every place where a client can put one; then the database refuses connections.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from api.access.credentials.grants import Grant
from api.db import Database
from schema.access.rights import AccessLevel, Reach, Right
from tests.support.api_keys import stored_key, stored_member
from tests.support.commands import run_on
from tests.support.databases import new_database, run_statements
from tests.support.served import accord

EVERYTHING = Grant(AccessLevel.ADMIN, Reach.ALL, frozenset(Right))
PASSWORD = "pa55word-of-the-url"
VALUES = ("Zebulon Quirke", "zebulon.quirke@private.example", "+49 170 5550199", "Quirkeville")
WRONG = "accord_0123456789abcdef_" + "s" * 49
NAMES = {
    "contact": ("email", "first_name", "last_name", "phone"),
    "company": ("name", "domain"),
    "member": ("name", "email"),
}


@pytest.fixture(scope="module")
async def sample_dsn(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401
    async with new_database(server, template) as dsn:
        code, printed = await run_on(
            dsn, "sample", "--contacts", "300", "--until", "2026-07-01", data=tmp_path_factory.mktemp("sample")
        )
        assert code == 0, printed
        yield dsn


@contextmanager
def logged_run(dsn: str, folder: Path, **variables: str) -> Iterator[tuple[str, Path, "subprocess.Popen[bytes]"]]:
    """A server that logs to a file: its address, the file and the process."""
    log = folder / "log"
    parts = urlsplit(dsn)
    user = parts.username or "postgres"
    with_password = dsn.replace(f"//{parts.netloc}", f"//{user}:{PASSWORD}@{parts.hostname or ''}", 1)
    if parts.port:
        with_password = with_password.replace(f"@{parts.hostname}", f"@{parts.hostname}:{parts.port}", 1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "DATABASE_"))}
    environment |= {
        "DATABASE_URL": with_password,
        "ACCORD_DATA_DIR": str(folder / "data"),
        "ACCORD_LOG_LEVEL": "debug",
        "ACCORD_SLOW_MS": "1",
        "ACCORD_SLOW_PLANS": "true",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with log.open("w") as output, (folder / "printed").open("w") as printed:
        process = subprocess.Popen(accord("serve", "--port", "0"), env=environment, stdout=printed, stderr=output)
    try:
        yield _address(folder / "printed", process), log, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _address(printed: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if found := re.search(r"http://127[\d.]+:\d+", printed.read_text()):
            return found[0]
        time.sleep(0.05)
    pytest.fail(printed.read_text())


async def personal_data(dsn: str) -> set[str]:
    """Every name, address and number of people and companies in the database."""
    connection = await asyncpg.connect(dsn)
    try:
        found: set[str] = set()
        for table, columns in NAMES.items():
            known = {
                row[0]
                for row in await connection.fetch(
                    "select column_name from information_schema.columns where table_name = $1", table
                )
            }
            assert known & set(columns), table
            for column in known & set(columns):
                found |= {row[0] for row in await connection.fetch(f"select distinct {column} from {table}") if row[0]}
    finally:
        await connection.close()
    return found


def requests_with(values: Sequence[str]) -> list[dict[str, Any]]:
    """Requests that are right, wrong and in vain, with the values wherever a client can put one."""
    name, address, phone, place = values
    people = (
        "query People($q: String!) { contacts(first: 3, where: {email: {eq: $q}}) { nodes { id email lastName } } }"
    )
    create = (
        "mutation Add($i: CreateContactInput!) { createContact(input: $i) { contact { id } userErrors { message } } }"
    )
    return [
        {"query": people, "variables": {"q": address}},
        {"query": people.replace("$q}", f'"{address}"}}').replace("($q: String!)", "")},
        {"query": people, "variables": {"q": [name]}},
        {"query": people, "variables": {"nobody": phone}},
        {"query": f'{{ search(text: "{name}") {{ __typename }} }}'},
        {"query": f'{{ contact(id: "{address}") {{ id }} }}'},
        {"query": f"{{ {name.replace(' ', '_')} }}"},
        {"query": f"query {{ contacts(first: 1) {{ nodes {{ id }} }} }} # {address}"},
        {"query": people, "variables": {"q": address}, "operationName": address},
        {"query": create, "variables": {"i": {"email": address, "firstName": place, "lastName": name, "phone": phone}}},
        {"query": create, "variables": {"i": {"email": address, "lastName": name}}},
        {"query": create, "variables": {"i": {"email": address, "owner": name}}},
        {"query": "{ contacts(first: 50) { nodes { email firstName lastName company { name } owner { name } } } }"},
        {"query": "{ kpi(key: MQL_TO_CUSTOMER, by: [OWNER]) { value warnings { message } groups { keys } } }"},
        {"query": f'{{ kpi(key: MQL_TO_CUSTOMER, where: {{leadSource: {{eq: "{place}"}}}}) {{ value }} }}'},
    ]


def send_all(client: httpx.Client, token: str) -> None:
    """Send what a client can send, with credentials that are right and wrong."""
    bearer = {"Authorization": f"Bearer {token}"}
    for body in requests_with(VALUES):
        client.post("/graphql", json=body, headers=bearer)
        client.get("/graphql", params={"query": body["query"]}, headers=bearer)
    hidden = {"X-Request-Id": VALUES[1], "traceparent": VALUES[1], "User-Agent": VALUES[0], "Referer": VALUES[1]}
    client.post("/graphql", json={"query": "{ __typename }"}, headers=bearer | hidden)
    client.post("/graphql", content=f'{{"query": "{VALUES[1]}', headers=bearer | {"Content-Type": "application/json"})
    client.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": "https://page.example"} | bearer)
    for credential in (WRONG, token[:-1] + "x", f"eyJhbGciOiJIUzI1NiJ9.{'e' * 30}.{'f' * 30}", VALUES[1]):
        client.post("/graphql", json={"query": "{ __typename }"}, headers={"Authorization": f"Bearer {credential}"})
    client.get(f"/people/{VALUES[1]}", headers=bearer)
    client.get("/sign-in", params={"next": f"/accord?person={VALUES[1]}"})
    client.post("/sign-in", data={"key": token, "next": f"/accord?person={VALUES[1]}"})
    client.post("/sign-in", data={"key": WRONG, "next": "/accord"})
    for path in ("/readyz", "/healthz", "/metrics", "/accord", "/graphql/examples"):
        client.get(path, headers=bearer)


@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_a_whole_run_names_nobody(sample_dsn: str, tmp_path: Path, log_format: str) -> None:
    async with Database.open(sample_dsn, size=1) as database:
        member = await stored_member(database, EVERYTHING, member_name="Wilhelmina Featherstone")
        token = (await stored_key(database, EVERYTHING, member_id=member)).text
    await run_statements(sample_dsn, "delete from contact where email = 'nobody'")
    with logged_run(sample_dsn, tmp_path, ACCORD_LOG_FORMAT=log_format) as (address, log, _process):
        with httpx.Client(base_url=address, timeout=30) as client:
            send_all(client, token)
            name = urlsplit(sample_dsn).path[1:]
            await run_statements(sample_dsn.replace(f"/{name}", "/postgres"), *_outage(name))
            for body in requests_with(VALUES)[:3]:
                client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
            await run_statements(
                sample_dsn.replace(f"/{name}", "/postgres"), f"alter database {name} with allow_connections true"
            )
            time.sleep(0.5)  # plans are logged after the answers
        text = log.read_text()
    found = await personal_data(sample_dsn)
    assert len(found) > 500
    assert "Wilhelmina Featherstone" in found
    _require_a_full_log(text, log_format, str(member))
    # Three letters, such as a first name "Ana", are also a part of other words.
    words = {word for word in found if len(word) > 3} | set(VALUES) | {VALUES[0].replace(" ", "_")}
    assert {word for word in words if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)} == set()
    assert re.findall(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", text) == []
    for secret in (token, token[7:23], token[24:], WRONG[7:], PASSWORD, "e" * 30):
        assert secret not in text
    assert "Traceback" not in text


def _outage(name: str) -> tuple[str, str]:
    return (
        f"alter database {name} with allow_connections false",
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'",
    )


def _require_a_full_log(text: str, log_format: str, member: str) -> None:
    """Check that the log has what the other checks look through: a log without lines names nobody, either."""
    for part in ("People", "(slow)", "(cost=", "GRAPHQL_VALIDATION_FAILED", "NOT_AUTHENTICATED", "/sign-in", member):
        assert part in text, part
    if log_format == "json":
        lines = [json.loads(line) for line in text.splitlines()]
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
        assert len([line for line in lines if line["logger"] == "accord.request"]) > 40
