"""GraphiQL and the page of the accord in a browser, and the page that replaces them until they are built."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from api.web import pages
from schema.accord_schema import accord_json_schema

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Minimal built front-ends, so that these tests do not depend on the real ones."""
    for name in ("graphiql", "accord"):
        dist = tmp_path / name / "dist"
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text(f"<!doctype html><title>{name}</title>")
        (dist / "assets" / "index-abc.js").write_text("0")
        (dist / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    return tmp_path


def policy_of(response: httpx.Response) -> dict[str, str]:
    """The directives of a response's content policy."""
    parts = response.headers["content-security-policy"].split("; ")
    return {name: sources for name, _, sources in (part.partition(" ") for part in parts)}


async def test_the_root_redirects_to_the_endpoint(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


@pytest.mark.usefixtures("built")
async def test_a_browser_gets_graphiql_with_a_policy_that_allows_only_our_scripts(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers=BROWSER)
    assert response.headers["content-type"].startswith("text/html")
    assert "<title>graphiql</title>" in response.text
    policy = policy_of(response)
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert "http" not in response.headers["content-security-policy"]


@pytest.mark.usefixtures("built")
async def test_the_page_of_the_accord_runs_and_shows_nothing_but_files_of_the_server(client: httpx.AsyncClient) -> None:
    response = await client.get("/accord", headers=BROWSER)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>accord</title>" in response.text
    policy = policy_of(response)
    assert {policy.pop(name) for name in ("script-src", "style-src", "img-src", "font-src", "connect-src")} == {
        "'self'"
    }
    assert set(policy.values()) == {"'none'"}
    assert set(policy) == {"default-src", "base-uri", "form-action", "frame-ancestors"}


async def test_a_browser_that_sends_a_query_gets_a_graphql_response(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "{ hello }"}, headers=BROWSER)
    assert response.json() == {"data": {"hello": "hello you"}}


async def test_a_program_without_a_query_gets_no_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": "*/*"})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/graphql", "/accord"])
async def test_without_a_build_the_page_explains_how_to_build_and_the_api_works(
    path: str, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "STATIC", tmp_path / "missing")
    page = await client.get(path, headers=BROWSER)
    assert page.status_code == 200
    assert "make assets" in page.text
    assert "npm registry" in page.text
    assert "http://localhost:8000/graphql" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    response = await client.post("/graphql", json={"query": "{ hello }"})
    assert response.json() == {"data": {"hello": "hello you"}}


async def test_without_a_build_there_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "STATIC", tmp_path / "missing")
    site = Starlette(routes=pages.static_routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        for name in ("graphiql", "accord"):
            assert (await client.get(f"/static/{name}/favicon.svg")).status_code == 404


@pytest.mark.usefixtures("built")
async def test_files_with_a_hash_in_their_name_are_cached_for_a_year_and_others_for_an_hour() -> None:
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


async def test_browsers_find_the_icon_at_its_default_address(client: httpx.AsyncClient) -> None:
    response = await client.get("/favicon.ico")
    assert response.headers["content-type"] == "image/svg+xml"


async def test_the_schema_of_accord_documents_is_served_to_everybody(client: httpx.AsyncClient) -> None:
    response = await client.get("/accord.schema.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/schema+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json() == accord_json_schema()
