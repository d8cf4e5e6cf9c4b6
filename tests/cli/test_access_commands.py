"""`accord key` and `accord member`, and a server that they open to other machines."""

import json
import signal
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api.access.credentials.tokens import parse_token
from api.cli import app
from api.errors import AccordError
from tests.cli.test_serve import address, serving

QUERY = {"query": "{ viewer { name level reach rights } }"}


def run(*words: str) -> str:
    """What a command that succeeds prints, run in this process."""
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.exception or result.output
    return result.stdout


def rejected(*words: str) -> str:
    """What a command that is refused says."""
    with pytest.raises(AccordError) as caught:
        CliRunner().invoke(app, words, catch_exceptions=False)
    return str(caught.value)


@pytest.fixture
def stored(module_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands use a database of the server that the tests started."""
    monkeypatch.setenv("DATABASE_URL", module_dsn)


@pytest.fixture
def served(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands use the database of the servers."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("ACCORD_DATA_DIR", str(data_dir))


def viewer(client: httpx.Client, token: str | None = None) -> object:
    """Who the server takes a caller for; the code of the error if for nobody."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    body = client.post("/graphql", json=QUERY, headers=headers).json()
    return body["data"]["viewer"] if "data" in body else body["errors"][0]["extensions"]["code"]


@pytest.mark.usefixtures("served")
def test_from_the_first_key_on_requests_need_one_and_the_server_may_listen_elsewhere(data_dir: Path) -> None:
    refusal = rejected("serve", "--host", "0.0.0.0", "--port", "0")
    assert "There are no credentials, so Accord does not listen on 0.0.0.0." in refusal
    assert "accord key create" in refusal
    with serving(data_dir) as (_, printed), httpx.Client(base_url=address(printed)) as client:
        assert "  Serves    the local operator: requests of this machine" in "\n".join(printed)
        operator = {"name": "local operator", "level": "ADMIN", "reach": "ALL", "rights": ["PERSONAL_DATA", "EXPORT"]}
        assert viewer(client) == operator
        made = CliRunner().invoke(app, ["key", "create", "reports", "--right", "export"])
        assert "the local operator and demo keys no longer serve" in made.stderr
        token = made.stdout.strip()
        assert parse_token(token) is not None
        assert viewer(client) == "NOT_AUTHENTICATED"
        shown = {"name": "reports", "level": "VIEWER", "reach": "ALL", "rights": ["EXPORT"]}
        assert viewer(client, token) == shown
        new = json.loads(run("key", "rotate", "reports", "--overlap", "1 hour", "--json"))["token"]
        assert viewer(client, token) == viewer(client, new) == shown
        run("key", "revoke", str(parse_token(token).key_id))  # type: ignore[union-attr]
        assert viewer(client, token) == "NOT_AUTHENTICATED"
        assert viewer(client, new) == shown
        assert client.get("/graphql/examples").status_code == 401
        assert client.get("/graphql/examples", headers={"authorization": f"Bearer {new}"}).status_code == 200
    with serving(data_dir, ACCORD_HOST="0.0.0.0", ACCORD_ALLOWED_HOSTS="accord.example") as (process, printed):
        assert "  Serves    whoever has the API key" in "\n".join(printed)
        base = printed[0].split()[-1].replace("0.0.0.0", "127.0.0.1")
        with httpx.Client(base_url=base, headers={"host": "accord.example"}) as client:
            assert viewer(client) == "NOT_AUTHENTICATED"
            assert viewer(client, new) == shown
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    listed = json.loads(run("key", "list", "--all", "--json"))
    assert [(key["name"], key["state"]) for key in listed] == [("reports", "revoked"), ("reports", "works")]
    assert listed[1]["lastUsedAt"] is not None
    stored = "".join(path.read_text(errors="replace") for path in data_dir.glob("*.log"))
    assert new not in stored
    assert "rotated" not in run("key", "list")


@pytest.mark.usefixtures("stored")
def test_members_are_added_given_access_and_deactivated() -> None:
    added = run("member", "add", "Ada Byron", "--email", "Ada@Example.com", "--level", "admin")
    assert added == "Added: Ada Byron may sign in: ADMIN, reach ALL.\n"
    assert "Another member has this address." in rejected("member", "add", "Other", "--email", "ada@example.com")
    run("member", "add", "Eve", "--email", "eve@example.com")
    assert "has no access" in rejected("key", "create", "x", "--member", "Eve")
    assert run("member", "set", "eve@example.com", "--level", "viewer", "--right", "export") == (
        "Set: Eve may sign in: VIEWER, reach TEAM, EXPORT.\n"
    )
    assert run("member", "set", "Eve", "--right", "none") == "Set: Eve may sign in: VIEWER, reach TEAM.\n"
    run("key", "create", "eves", "--member", "Eve", "--expires-in", "90 days")
    eve = next(it["id"] for it in json.loads(run("member", "list", "--json")) if it["name"] == "Eve")
    run("member", "set", eve, "--no-access")
    assert [key["state"] for key in json.loads(run("key", "list", "--json")) if key["name"] == "eves"] == ["off"]
    run("member", "set", eve, "--level", "viewer")
    assert [key["state"] for key in json.loads(run("key", "list", "--json")) if key["name"] == "eves"] == ["works"]
    assert run("member", "sign-out", "Eve") == "Eve is signed out. Sessions ended: 0.\n"
    left = run("member", "deactivate", "Eve", "--successor", "ada@example.com")
    assert "Eve is deactivated" in left
    assert "Handed on to ada@example.com: contacts 0, companies 0, deals 0, handoffs 0." in left
    members = json.loads(run("member", "list", "--all", "--json"))
    assert [(it["name"], it["level"], it["signIn"]) for it in members] == [
        ("Ada Byron", "ADMIN", "ada@example.com"),
        ("Eve", None, None),
    ]
    assert "Eve" not in run("member", "list")
    keys = json.loads(run("key", "list", "--all", "--json"))
    assert [key["state"] for key in keys if key["name"] == "eves"] == ["revoked"]


@pytest.mark.usefixtures("stored")
def test_a_new_company_adds_teams_and_the_members_who_sign() -> None:
    for team, kind in (("Demand", "marketing"), ("Field sales", "sales")):
        assert f"Added: the team {team} ({kind})." in run("team", "add", team, "--kind", kind)
    assert "Another" in rejected("team", "add", "Demand", "--kind", "sales")
    added = run("member", "add", "Dana", "--email", "dana@example.com", "--team", "Demand", "--reach", "all")
    assert "may sign in" in added
    assert json.loads(run("team", "list", "--json")) == [
        {"name": "Demand", "kind": "MARKETING", "members": 1},
        {"name": "Field sales", "kind": "SALES", "members": 0},
    ]
    assert "Field sales" in run("team", "list")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("key", "create", "x", "--level", "root"), "Use one of: viewer, contributor, operator, admin."),
        (("key", "create", "x", "--right", "all"), "Use one of: personal-data, export."),
        (("key", "create", "x", "--reach", "team"), "its reach is ALL"),
        (("key", "create", "x", "--member", "nobody"), "There is no member 'nobody'."),
        (("key", "create", "x", "--expires-in", "soon"), "--expires-in does not accept 'soon'."),
        (("key", "create", " "), "The name is empty"),
        (("key", "revoke", "nothing"), "There is no API key 'nothing'."),
        (("key", "rotate", "nothing", "--overlap", "x"), "--overlap does not accept 'x'."),
        (("member", "add", "x", "--team", "Nowhere"), "There is no team 'Nowhere'."),
        (("member", "add", "x", "--team", "Our team"), "accord team add 'Our team' --kind marketing"),
        (("team", "add", "x", "--kind", "boss"), "Use one of: marketing, sales, revops."),
        (("team", "add", " ", "--kind", "sales"), "empty"),
        (("member", "add", "x", "--role", "boss"), "--role does not accept 'boss'."),
        (("member", "add", "x", "--email", "x"), "'x' is not an e-mail address"),
        (("member", "set", "anybody"), "Nothing is set"),
        (("member", "set", "nobody", "--no-access"), "There is no member 'nobody'."),
    ],
)
@pytest.mark.usefixtures("stored")
def test_bad_input_is_an_error_that_says_what_to_do(words: tuple[str, ...], problem: str) -> None:
    assert problem in rejected(*words)


def test_help_lists_the_commands_of_a_group() -> None:
    assert "rotate" in run("key", "--help")
    assert "deactivate" in run("member", "--help")
    assert "--overlap" in run("key", "rotate", "--help")
