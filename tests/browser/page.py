"""The GraphiQL page as a user operates it, with the browser's logs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait

TIMEOUT_SECONDS = 30
TALL_PIXELS = 9000

# Monaco has its lines in no order, positions them by style, renders spaces as no-break spaces, and wraps long lines.
READ_RESPONSE = r"""
const lines = [...document.querySelectorAll(".graphiql-response .view-line")];
lines.sort((one, other) => parseFloat(one.style.top) - parseFloat(other.style.top));
return lines.map((line) => line.textContent.replaceAll("\u00a0", " ")).join("");
"""


class Page:
    """A browser window on one server."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        self.address = address
        self._wait = WebDriverWait(driver, TIMEOUT_SECONDS)

    def open(self, path: str = "/graphql") -> None:
        """Open a path, and wait until a query can be run."""
        self.driver.get(self.address + path)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until a query can be run: the editor is rendered and the schema is loaded."""
        self._wait.until(until.element_to_be_clickable((By.CSS_SELECTOR, "button.graphiql-execute-button")))
        self._wait.until(until.presence_of_element_located((By.CSS_SELECTOR, ".graphiql-query-editor .view-line")))

    def tabs(self) -> list[str]:
        """The titles of the tabs."""
        return [tab.text for tab in self.driver.find_elements(By.CSS_SELECTOR, "[role=tab]")]

    def examples(self) -> list[str]:
        """The titles of the example queries in the side pane."""
        return [button.text for button in self.driver.find_elements(By.CSS_SELECTOR, ".accord-example")]

    def choose(self, title: str) -> None:
        """Click an example that has not been run yet, and wait until the response of the previous tab is gone."""
        self._example(title).click()
        self._wait.until(lambda _: "active" in (self._example(title).get_attribute("class") or ""))
        self._wait.until_not(lambda _: self._shown())

    def close_active_tab(self) -> None:
        """Close the active tab."""
        remaining = len(self.tabs()) - 1
        self._press("Close Tab")
        self._wait.until(lambda _: len(self.tabs()) == remaining)

    def show(self, pane: str) -> None:
        """Open a pane of the side bar."""
        self._press(f"Show {pane}")
        self._wait.until(until.presence_of_element_located((By.CSS_SELECTOR, f"button[aria-label='Hide {pane}']")))

    def prettify(self) -> None:
        """Format the query, which loads the formatter."""
        self._press("Prettify query")

    def run(self) -> str:
        """Press the run button; the beginning of the response, as far as the pane shows it."""
        self.driver.find_element(By.CSS_SELECTOR, "button.graphiql-execute-button").click()
        shown: str = self._wait.until(lambda _: self._shown())
        return shown

    def response(self) -> dict[str, Any]:
        """The whole response. The pane renders only visible lines, so the window is made tall while they are read."""
        size = self.driver.get_window_size()
        self.driver.set_window_size(size["width"], TALL_PIXELS)
        try:
            whole: dict[str, Any] = self._wait.until(lambda _: self._whole())
        finally:
            self.driver.set_window_size(size["width"], size["height"])
        return whole

    def picture(self, path: Path) -> None:
        """Save the window as a PNG."""
        self.driver.save_screenshot(str(path))

    def console_errors(self) -> list[str]:
        """The console messages above level INFO: errors, and violations of the content policy."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._log("browser") if entry["level"] != "INFO"]

    def requested_urls(self) -> list[str]:
        """Every URL that was requested, including those of workers and of the browser itself."""
        return [url for url in self._urls() if url.startswith(("http:", "https:", "ws:", "wss:"))]

    def _urls(self) -> Iterator[str]:
        for entry in self._log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                yield event["params"]["request"]["url"]
            elif event["method"] == "Network.webSocketCreated":
                yield event["params"]["url"]

    def _example(self, title: str) -> WebElement:

        def titled(driver: Chrome) -> WebElement | Literal[False]:
            buttons = driver.find_elements(By.CSS_SELECTOR, ".accord-example")
            return next((button for button in buttons if button.text == title), False)

        example: WebElement = self._wait.until(titled, f"finding the example {title!r}")
        return example

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries

    def _press(self, label: str) -> None:

        def shown(driver: Chrome) -> WebElement | Literal[False]:
            buttons = driver.find_elements(By.CSS_SELECTOR, f"button[aria-label^='{label}']")
            return next((button for button in buttons if button.is_displayed()), False)

        button: WebElement = self._wait.until(shown, f"finding the button {label!r}")
        button.click()

    def _shown(self) -> str | Literal[False]:
        shown = str(self.driver.execute_script(READ_RESPONSE))
        return shown if '"data"' in shown or '"errors"' in shown else False

    def _whole(self) -> dict[str, Any] | Literal[False]:
        try:
            response = json.loads(self._shown() or "")
        except ValueError:
            return False  # not completely rendered yet
        return response if isinstance(response, dict) else False
