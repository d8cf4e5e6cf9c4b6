"""GraphiQL for a browser, and what a browser sees where it has not been built."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from api.web import pages

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built front-end in small, so that the rules hold whether or not the real one is there."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Accord</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("0")
    (tmp_path / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    monkeypatch.setattr(pages, "GRAPHIQL", tmp_path)
    return tmp_path


async def test_the_root_leads_to_the_endpoint(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/graphql")


@pytest.mark.usefixtures("built")
async def test_a_browser_gets_graphiql_under_a_policy_that_runs_only_our_scripts(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", headers=BROWSER)
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>Accord</title>" in answer.text
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert "http" not in answer.headers["content-security-policy"]


async def test_a_browser_that_sends_a_query_gets_its_answer(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": "{ hello }"}, headers=BROWSER)
    assert answer.json() == {"data": {"hello": "hello you"}}


async def test_a_program_without_a_query_gets_no_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_INPUT")


async def test_where_graphiql_is_not_built_the_page_says_how_and_the_api_answers(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "GRAPHIQL", tmp_path / "missing")
    page = await client.get("/graphql", headers=BROWSER)
    assert page.status_code == 200
    assert "make assets" in page.text
    assert "npm registry" in page.text
    assert "http://localhost:8000/graphql" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert (await client.get("/static/graphiql/favicon.svg")).status_code == 404
    answer = await client.post("/graphql", json={"query": "{ hello }"})
    assert answer.json() == {"data": {"hello": "hello you"}}


@pytest.mark.usefixtures("built")
async def test_built_files_are_kept_for_good_and_the_page_never() -> None:
    site = Starlette(routes=pages.static_routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        script = await client.get("/static/graphiql/assets/index-abc.js")
        icon = await client.get("/static/graphiql/favicon.svg")
        outside = await client.get("/static/graphiql/%2e%2e/%2e%2e/main.py")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    assert "script-src 'self'" in script.headers["content-security-policy"]
    assert icon.headers["cache-control"] == "public, max-age=3600"
    assert outside.status_code == 404


async def test_browsers_find_the_icon_on_their_own(client: httpx.AsyncClient) -> None:
    answer = await client.get("/favicon.ico")
    assert answer.headers["content-type"] == "image/svg+xml"
