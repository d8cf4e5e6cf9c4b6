"""GraphiQL's page as a reader uses it, and what the browser noted meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_SECONDS = 30
TALL = 9000

# Monaco keeps its lines in no order, places them by style, draws spaces as no-break spaces, and wraps long lines.
READ_RESPONSE = r"""
const lines = [...document.querySelectorAll(".graphiql-response .view-line")];
lines.sort((one, other) => parseFloat(one.style.top) - parseFloat(other.style.top));
return lines.map((line) => line.textContent.replaceAll("\u00a0", " ")).join("");
"""


class Page:
    """One browser window on one Accord."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        self.address = address
        self._wait = WebDriverWait(driver, PATIENCE_SECONDS)

    def open(self, path: str = "/graphql") -> None:
        """Go there and wait until a question can be run: the editor stands and the schema is read."""
        self.driver.get(self.address + path)
        self._wait.until(until.element_to_be_clickable((By.CSS_SELECTOR, "button.graphiql-execute-button")))
        self._wait.until(until.presence_of_element_located((By.CSS_SELECTOR, ".graphiql-query-editor .view-line")))

    def tabs(self) -> list[str]:
        """The titles of the tabs."""
        return [tab.text for tab in self.driver.find_elements(By.CSS_SELECTOR, "[role=tab]")]

    def questions(self) -> list[str]:
        """The example questions that the side pane lists."""
        return [button.text for button in self.driver.find_elements(By.CSS_SELECTOR, ".accord-question")]

    def choose(self, question: str) -> None:
        """Click an example question that was not asked yet; the answer of the tab before goes out of sight."""
        self._question(question).click()
        self._wait.until(lambda _: "active" in (self._question(question).get_attribute("class") or ""))
        self._wait.until_not(lambda _: self._shown())

    def close_active_tab(self) -> None:
        """Close the tab in front."""
        left = len(self.tabs()) - 1
        self._press("Close Tab")
        self._wait.until(lambda _: len(self.tabs()) == left)

    def show(self, pane: str) -> None:
        """Open a pane of the side bar."""
        self._press(f"Show {pane}")
        self._wait.until(until.presence_of_element_located((By.CSS_SELECTOR, f"button[aria-label='Hide {pane}']")))

    def prettify(self) -> None:
        """Have the query formatted, which loads the formatter."""
        self._press("Prettify query")

    def run(self) -> str:
        """Press the run button and return what the response pane then shows of the answer, from its beginning."""
        self.driver.find_element(By.CSS_SELECTOR, "button.graphiql-execute-button").click()
        shown: str = self._wait.until(lambda _: self._shown())
        return shown

    def answer(self) -> dict[str, Any]:
        """The whole answer. The pane draws only the lines in sight, so the window grows while they are read."""
        size = self.driver.get_window_size()
        self.driver.set_window_size(size["width"], TALL)
        try:
            whole: dict[str, Any] = self._wait.until(lambda _: self._whole())
        finally:
            self.driver.set_window_size(size["width"], size["height"])
        return whole

    def picture(self, path: Path) -> None:
        """Save the window as a PNG."""
        self.driver.save_screenshot(str(path))

    def complaints(self) -> list[str]:
        """What the console holds above plain information: errors, and violations of the content policy."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._log("browser") if entry["level"] != "INFO"]

    def requested(self) -> list[str]:
        """Every address that went over the network, workers' and the browser's own included."""
        return [url for url in self._urls() if url.startswith(("http:", "https:", "ws:", "wss:"))]

    def _urls(self) -> Iterator[str]:
        for entry in self._log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                yield event["params"]["request"]["url"]
            elif event["method"] == "Network.webSocketCreated":
                yield event["params"]["url"]

    def _question(self, title: str) -> WebElement:
        return next(
            button for button in self.driver.find_elements(By.CSS_SELECTOR, ".accord-question") if button.text == title
        )

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries

    def _press(self, label: str) -> None:
        buttons = self.driver.find_elements(By.CSS_SELECTOR, f"button[aria-label^='{label}']")
        next(button for button in buttons if button.is_displayed()).click()

    def _shown(self) -> str | Literal[False]:
        shown = str(self.driver.execute_script(READ_RESPONSE))
        return shown if '"data"' in shown or '"errors"' in shown else False

    def _whole(self) -> dict[str, Any] | Literal[False]:
        try:
            answer = json.loads(self._shown() or "")
        except ValueError:
            return False  # not all of it is drawn yet
        return answer if isinstance(answer, dict) else False
