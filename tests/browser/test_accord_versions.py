"""The page of the accord in a real browser: signatures that end, plans that are cancelled, and texts not yet saved."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from api.embedded.server import start
from api.sample.demo_people import demo_people
from tests.browser.accord_page import AccordPage
from tests.browser.accord_verbs import activate, proposed, sign
from tests.support.databases import run_statements

pytestmark = pytest.mark.browser

MARKETING, SALES = "head of marketing", "head of sales"
ONE_TOUCH = ("at_least = 2", "at_least = 1")
LONGER = ('window = "14 days"', 'window = "21 days"')
LEAVES = "return !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
STATE = "query($version: Int) { accord(version: $version) { status activatesAt } }"
FOCUS = """
const node = document.activeElement;
const label = node.getAttribute("aria-label") || node.innerText || node.id || node.tagName;
const words = node === document.body ? "" : label.replace(/\\s+/g, " ").trim();
return [words, getComputedStyle(node).outlineStyle];
"""


def test_a_revoked_signature_cancels_a_planned_activation(accord: AccordPage) -> None:
    accord.sign_in_as(MARKETING)
    version = proposed(accord, *ONE_TOUCH, note="One touch is enough.")
    sign(accord, version)
    accord.sign_in_as(SALES)
    sign(accord, version)

    # Activation ahead: the page says when, and the version in force stays.
    accord.open(f"?version={version}")
    accord.press("Activate")
    accord.choose("At a later time")
    accord.fill_time("Date and time", datetime.now() + timedelta(days=3))  # noqa: DTZ005 - the browser's clock
    found = accord.look("activation at a later time")
    accord.press("Plan the activation")
    accord.wait_for("This version comes into force on ")
    accord.wait_for_focus("Activate at another time")
    assert "in force from " in accord.text()
    found += accord.look("activation planned")

    # A signature that is revoked cancels it.
    accord.press("Revoke my signature")
    accord.wait_for("Your signature for sales stops counting, and the planned activation is cancelled.")
    found += accord.look("before a signature is revoked")
    accord.press("Revoke it")
    accord.wait_for("Your signature no longer counts. The planned activation is cancelled.")
    accord.wait_for("Marcus Devereaux had signed. The member revoked it.")
    accord.wait_for_focus("Your signature no longer counts.")
    assert "comes into force on" not in accord.text()
    assert "In review" in accord.text()
    assert accord.query(STATE, version=version)["accord"] == {"status": "IN_REVIEW", "activatesAt": None}
    found += accord.look("signature revoked")

    # Signed again and planned again, it comes into force while the page is open.
    sign(accord, version)
    activate(accord, version, datetime.now(UTC) + timedelta(seconds=10))
    accord.open(f"?version={version}")
    accord.wait_for("This version comes into force on ")
    accord.wait_for("In force from ")
    assert accord.query(STATE)["accord"]["status"] == "ACTIVE"

    assert found == []
    assert accord.console_errors() == []


def test_a_version_is_withdrawn_with_a_reason(accord: AccordPage) -> None:
    accord.sign_in_as(MARKETING)
    version = proposed(accord, *LONGER, note="Three weeks to accept.")
    accord.open(f"?version={version}")
    accord.press("Withdraw")
    accord.wait_for("can never come into force")
    accord.fill("Why it is withdrawn", "Sales accepts within a week by now.")
    found = accord.look("before it is withdrawn")
    accord.press("Withdraw")
    accord.wait_for("The version is withdrawn.")
    accord.wait_for("Sales accepts within a week by now.")
    accord.wait_for_focus("The version is withdrawn.")
    assert "Propose this content again" in accord.text()
    assert "Sign for marketing" not in accord.text()
    assert accord.query(STATE, version=version)["accord"]["status"] == "WITHDRAWN"
    found += accord.look("withdrawn")
    assert found == []
    assert accord.console_errors() == []


def test_a_sign_in_of_long_ago_leads_to_a_new_one_and_back(accord: AccordPage, company_folder: Path) -> None:
    accord.sign_in_as(MARKETING)
    version = proposed(accord, *LONGER, note="Three weeks to accept, again.")
    make_sessions_older(company_folder, "20 minutes")
    accord.open(f"?version={version}")
    accord.press("Sign for marketing")
    accord.wait_for("What it changes beside")
    accord.press("Sign")
    accord.wait_for("You signed in 20 minutes ago. A signature needs a sign-in within the last 15 minutes.")
    found = accord.look("sign-in of long ago")

    accord.press("Sign in again and come back")
    accord.wait_for("sign in once more")
    assert urlsplit(accord.driver.current_url).path == "/sign-in"
    assert "Continue" not in accord.text()
    accord.press(next(person.name for person in demo_people() if person.title == MARKETING))
    accord.wait_for("Three weeks to accept, again.")
    assert urlsplit(accord.driver.current_url).query == f"version={version}"
    accord.press("Sign for marketing")
    accord.wait_for("What it changes beside")
    accord.press("Sign")
    accord.wait_for("You signed for marketing.")
    assert found == []


def test_a_text_that_is_not_saved_is_not_lost_unnoticed(accord: AccordPage) -> None:
    accord.sign_in_as(MARKETING)
    accord.press("Propose a change")
    accord.wait_for("Propose a version")
    assert not accord.driver.execute_script(LEAVES)
    accord.retype(*LONGER)

    accord.press("Cancel")
    accord.wait_for("Your text is not saved")
    accord.wait_for_focus("Keep writing")
    found = accord.look("not saved")
    accord.press("Keep writing")
    accord.wait_for_focus("Cancel")
    accord.driver.back()
    accord.wait_for("Your text is not saved")
    accord.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert urlsplit(accord.driver.current_url).query.endswith("view=propose")
    assert 'window = "21 days"' in str(accord.driver.find_element(By.ID, "toml").get_attribute("value"))
    assert accord.driver.execute_script(LEAVES), "the browser asks before it closes the window"

    accord.driver.back()
    accord.wait_for("Your text is not saved")
    accord.press("Leave without saving")
    accord.wait_for("The ladder")
    assert "view=" not in accord.driver.current_url
    accord.press("Propose a change")
    accord.wait_for("Propose a version")
    accord.press("Cancel")
    accord.wait_for("The ladder")
    assert found == []
    assert accord.console_errors() == []


def test_every_action_is_reached_by_keyboard_and_the_focus_comes_back(accord: AccordPage) -> None:
    accord.sign_in_as(SALES)
    version = proposed(accord, 'group = "Prospect"', 'group = "Lead"', note="By keyboard.")
    accord.open(f"?version={version}&view=effect")
    accord.wait_for("KPIs")
    reached: list[str] = []
    while True:
        ActionChains(accord.driver).send_keys(Keys.TAB).perform()
        label, outline = accord.driver.execute_script(FOCUS)
        if label == "" or label in reached[:1]:
            break
        assert outline != "none", f"the focus on {label!r} is not visible"
        reached.append(label)
    beginnings = (
        "Version 1",
        "Sign for sales",
        "Edit",
        "Request changes",
        "Withdraw",
        "Agreement",
        "Effect",
        "The last 3 months",
        "The version in force",
    )
    assert [words for words in beginnings if not any(label.startswith(words) for label in reached)] == []

    for label in ("Sign for sales", "Request changes", "Withdraw"):
        accord.button(label).send_keys(Keys.ENTER)
        accord.wait_for("Cancel")
        ActionChains(accord.driver).send_keys(Keys.ESCAPE).perform()
        accord.wait_for_focus(label)
        assert not accord.driver.find_elements(By.CSS_SELECTOR, "[role=dialog]")


def make_sessions_older(folder: Path, interval: str) -> None:
    """Let all sessions of the server in a folder have been opened earlier."""
    server = start(folder / "data")
    try:
        older = f"update page_session set signed_in_at = signed_in_at - interval '{interval}'"
        asyncio.run(run_statements(server.dsn(), older))
    finally:
        server.close()
