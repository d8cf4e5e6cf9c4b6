"""Signing in with a real browser: pages lead to the sign-in and back, and GraphiQL works by the session alone."""

import json
import os
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait

from api.sample.demo_people import demo_people
from tests.browser.page import TIMEOUT_SECONDS, Page
from tests.support.served import accord, served_sample

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server with a real key, so that it serves nobody without one, and the token of the key."""
    folder = tmp_path_factory.mktemp("guarded")
    with served_sample(folder, contacts=200) as address:
        created = subprocess.run(
            accord("key", "create", "of the test", "--level", "VIEWER", "--json"),
            env=os.environ | {"ACCORD_DATA_DIR": str(folder / "data")},
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        yield address, json.loads(created.stdout)["token"]


def press(page: Page, selector: str, path: str) -> None:
    """Press a button or a link, and wait until the browser shows the page that it leads to.

    That page may have the same path, so this one must be gone first.
    """
    wait = WebDriverWait(page.driver, TIMEOUT_SECONDS)
    pressed = page.driver.find_element(By.CSS_SELECTOR, selector)
    pressed.click()
    wait.until(until.staleness_of(pressed))
    wait.until(lambda driver: urlsplit(driver.current_url).path == path)


def viewer_of(page: Page) -> str:
    """The name in the corner of GraphiQL."""
    shown = until.presence_of_element_located((By.CSS_SELECTOR, "a.accord-account"))
    return str(WebDriverWait(page.driver, TIMEOUT_SECONDS).until(shown).text)


def test_a_key_opens_graphiql_and_signing_out_closes_it(page: Page, guarded: tuple[str, str]) -> None:
    address, token = guarded
    page.address = address
    page.driver.get(f"{address}/")
    assert urlsplit(page.driver.current_url).path == "/sign-in"
    page.driver.find_element(By.ID, "key").send_keys("accord_wrong")
    press(page, "form button.main", "/sign-in")
    assert "malformed" in page.driver.find_element(By.CSS_SELECTOR, "[role=alert]").text
    page.driver.find_element(By.ID, "key").send_keys(token)
    press(page, "form button.main", "/graphql")
    page.wait_until_ready()
    assert viewer_of(page) == "of the test"
    assert page.examples()
    assert '"errors"' not in page.run()
    assert "accord_session" not in page.driver.execute_script("return document.cookie")
    press(page, "a.accord-account", "/sign-in")
    assert "You are signed in as of the test." in page.driver.find_element(By.TAG_NAME, "main").text
    press(page, "form[action='/sign-out'] button", "/sign-in")
    page.driver.get(f"{address}/graphql")
    assert urlsplit(page.driver.current_url).path == "/sign-in"


def test_a_person_of_the_sample_company_is_one_click(page: Page) -> None:
    page.open()
    assert viewer_of(page) == "local operator"
    press(page, "a.accord-account", "/sign-in")
    buttons = page.driver.find_elements(By.CSS_SELECTOR, "form button:has(small)")
    assert [button.text.partition("\n")[0] for button in buttons] == [person.name for person in demo_people()]
    analyst = next(button for button in buttons if "Analyst" in button.text)
    name = analyst.text.partition("\n")[0]
    analyst.click()
    page.wait_until_ready()
    assert viewer_of(page) == name
    assert '"errors"' not in page.run()
    press(page, "a.accord-account", "/sign-in")
    press(page, "form[action='/sign-out'] button", "/sign-in")
    page.open()
    assert viewer_of(page) == "local operator"
    assert page.console_errors() == []


def test_a_session_that_ends_leads_to_the_sign_in_page(page: Page, guarded: tuple[str, str]) -> None:
    address, token = guarded
    page.address = address
    page.driver.get(f"{address}/sign-in")
    page.driver.find_element(By.ID, "key").send_keys(token)
    press(page, "form button.main", "/graphql")
    page.wait_until_ready()
    page.driver.delete_all_cookies()
    press(page, "button.graphiql-execute-button", "/sign-in")
    assert urlsplit(page.driver.current_url).query == "next=%2Fgraphql"
