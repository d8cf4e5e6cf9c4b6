"""The clients and generators that front ends use, on a running server. `make test-clients` runs these tests."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.graph.client_files import CLIENT_FILES
from api.graph.contract import sdl
from tests.support.served import accord, served_sample

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
GENERATED = HERE / "src" / "generated"
TIMEOUT_SECONDS = 180
MODULES = {"gql-tada": "scalars.ts", "apollo-client": "apollo-client.ts", "graphcache": "graphcache.ts"}
OPTIONS = {"codegen": "codegen.json", "relay": "scalars.relay.json"}


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a sample of 500 people."""
    with served_sample(tmp_path_factory.mktemp("accord"), contacts=500) as address:
        yield address


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A second server, which needs credentials, and the keys of a member who may write and one who may not."""
    folder = tmp_path_factory.mktemp("keys")
    with served_sample(folder, contacts=300) as address:
        data = ("--data", str(folder / "data"))
        access = ("--level", "contributor", "--reach", "all", "--right", "personal-data")
        run_accord("member", "add", "Nora Field", *access, *data)
        made = [
            run_accord("key", "create", name, "--json", *options, *data)
            for name, *options in (("front end", "--member", "Nora Field"), ("screen on the wall",))
        ]
        key, viewer_key = (str(json.loads(printed)["token"]) for printed in made)
        yield {"ACCORD_URL": f"{address}/graphql", "ACCORD_KEY": key, "ACCORD_VIEWER_KEY": viewer_key}


@pytest.fixture(scope="session")
def compiled() -> None:
    """Write what `accord clients` prints, run all generators, and compile the result with `tsc --strict`."""
    GENERATED.mkdir(exist_ok=True)
    for client, name in {**MODULES, **OPTIONS}.items():
        printed = subprocess.run(accord("clients", client), check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
        (GENERATED / name).write_bytes(printed.stdout)
    (GENERATED / "schema.graphql").write_text(sdl(), encoding="utf-8")
    (HERE / "src/relay/__generated__").mkdir(exist_ok=True)
    for command in ("generate", "compile"):
        npm("run", "--silent", command)


def run_accord(*arguments: str) -> bytes:
    """Run a command of Accord; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    return subprocess.run(
        accord(*arguments), env=environment, check=True, capture_output=True, timeout=TIMEOUT_SECONDS
    ).stdout


def npm(*arguments: str, **environment: str) -> None:
    """Run npm; the test fails with its output."""
    done = subprocess.run(
        ["npm", *arguments],
        cwd=HERE,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("client", ["codegen", "gql_tada", "relay", "apollo", "urql"])
def test_the_client_reads_pages_instants_kpis_and_errors(client: str, address: str) -> None:
    npm("run", "--silent", "test", "--", f"build/{client}.test.js", ACCORD_URL=f"{address}/graphql")


@pytest.mark.usefixtures("compiled")
def test_the_server_passes_the_audit_of_graphql_over_http(address: str) -> None:
    npm("run", "--silent", "test", "--", "build/audit.test.js", ACCORD_URL=f"{address}/graphql")


@pytest.mark.usefixtures("compiled")
def test_a_front_end_signs_in_reads_pages_and_writes(keys: dict[str, str]) -> None:
    npm("run", "--silent", "test", "--", "build/front_end.test.js", **keys)


def test_every_file_that_the_tests_write_is_printed_by_a_command() -> None:
    assert {*MODULES, *OPTIONS} | {"apollo-kotlin"} == CLIENT_FILES.keys()
