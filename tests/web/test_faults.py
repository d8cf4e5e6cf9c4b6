"""Expected errors are told with their code; bugs are masked, logged under an id and leak nothing."""

import logging

import httpx
import pytest


async def entry(client: httpx.AsyncClient, query: str) -> dict[str, object]:
    answer = await client.post("/graphql", json={"query": query})
    error: dict[str, object] = answer.json()["errors"][0]
    return error


async def test_an_expected_error_goes_out_with_its_code_and_what_to_do(client: httpx.AsyncClient) -> None:
    error = await entry(client, "{ refused }")
    assert error["message"] == "There is no stage `lead`. The stages are mql and customer."
    assert error["extensions"] == {"code": "UNKNOWN_STAGE", "remedy": "The stages are mql and customer."}
    assert error["path"] == ["refused"]


async def test_a_bug_is_masked_and_logged_under_the_id_it_goes_out_with(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        error = await entry(client, "query Ask { broken }")
    extensions = error["extensions"]
    assert isinstance(extensions, dict)
    assert extensions["code"] == "INTERNAL"
    assert "hunter2" not in str(error)
    assert extensions["errorId"] in str(error["message"])
    assert extensions["errorId"] in caplog.text
    assert "at broken" in caplog.text
    assert "hunter2" in caplog.text


async def test_a_value_that_a_type_refuses_is_told_in_graphqls_words(client: httpx.AsyncClient) -> None:
    assert "Int" in str((await entry(client, '{ twice(number: "two") }'))["message"])
    wrong = {"query": "query ($n: Int!) { twice(number: $n) }", "variables": {"n": "two"}}
    message = (await client.post("/graphql", json=wrong)).json()["errors"][0]["message"]
    assert "$n" in message
    assert "two" in message


async def test_an_unknown_address_is_a_json_404(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing")
    assert answer.status_code == 404
    assert "/nothing" in answer.json()["errors"][0]["message"]
