"""The page of the accord sends what it wrote with every query, so that a read replica answers none of them older."""

import json

import pytest
from selenium.webdriver import Chrome

from tests.browser.accord_page import AccordPage
from tests.browser.accord_verbs import proposed

pytestmark = pytest.mark.browser


def sent_watermarks(driver: Chrome) -> list[str | None]:
    """The header of each GraphQL request that was sent since it was asked last, in their order."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]  # type: ignore[no-untyped-call]
    requests = [event["params"]["request"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [
        {name.lower(): value for name, value in request["headers"].items()}.get("accord-watermark")
        for request in requests
        if request["url"].endswith("/graphql") and request["method"] == "POST"
    ]


def test_queries_after_a_mutation_send_its_watermark(accord: AccordPage) -> None:
    accord.sign_in_as("head of marketing")
    version = proposed(accord, 'window = "14 days"', 'window = "21 days"', note="Three weeks to accept.")
    accord.open(f"?version={version}")
    accord.press("Withdraw")
    accord.wait_for("can never come into force")
    before = sent_watermarks(accord.driver)
    assert before
    assert set(before) == {None}, "nothing was written yet"
    accord.fill("Why it is withdrawn", "Sales accepts within a week by now.")
    accord.press("Withdraw")
    accord.wait_for("The version is withdrawn.")
    mutation, *queries = sent_watermarks(accord.driver)
    assert mutation is None
    assert queries
    assert set(queries) == {"w1-0000000000000000"}
