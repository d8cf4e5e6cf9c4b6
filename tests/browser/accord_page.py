"""The page of the accord as a person operates it, with what axe-core and the browser's log say about it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from api.sample.demo_people import demo_people
from tests.browser.page import TIMEOUT_SECONDS

AXE = Path(__file__).parents[2] / "api/static/accord/node_modules/axe-core/axe.min.js"
DESKTOP, PHONE = (1440, 900), (360, 780)
SCHEMES = ("light", "dark")
TALLEST = 12_000

RUN_AXE = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  done(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`)));
"""
SET_VALUE = """
const [field, value] = arguments;
Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, value);
field.dispatchEvent(new Event("input", { bubbles: true }));
"""
RUN_QUERY = """
const done = arguments[2];
const body = JSON.stringify({ query: arguments[0], variables: arguments[1] });
fetch("/graphql", { method: "POST", headers: { "content-type": "application/json" }, body })
  .then((response) => response.json()).then(done, (error) => done({ errors: [String(error)] }));
"""


class AccordPage:
    """The page in a browser window. `pictures` is the folder for screenshots."""

    def __init__(self, driver: Chrome, address: str, pictures: Path) -> None:
        self.driver = driver
        self.address = address
        self.pictures = pictures
        self._wait = WebDriverWait(driver, TIMEOUT_SECONDS, ignored_exceptions=[StaleElementReferenceException])
        self._taken = 0
        self._scheme = "light"
        self.resize(DESKTOP)

    def sign_in_as(self, title: str) -> None:
        """Sign in on the sign-in page with the demo key of a person, as another person than before, and come back."""
        person = next(person for person in demo_people() if person.title == title)
        self.driver.delete_all_cookies()
        self.driver.get(f"{self.address}/sign-in?next=/accord")
        self.driver.find_element(By.ID, "key").send_keys(person.token.text)
        self.driver.find_element(By.CSS_SELECTOR, "form button.main").click()
        self._wait.until(lambda driver: urlsplit(driver.current_url).path == "/accord")
        self.wait_for(person.name)

    def open(self, search: str = "") -> None:
        """Open the page at a view."""
        self.driver.get(f"{self.address}/accord{search}")
        self.wait_until_loaded()

    def wait_until_loaded(self) -> None:
        """Wait until the page shows what it loads."""
        self._wait.until(lambda driver: driver.find_elements(By.TAG_NAME, "h1"))
        self._wait.until_not(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".loading"))

    def wait_for(self, text: str) -> None:
        """Wait until the page shows a text."""
        self._wait.until(lambda _: text in self.text(), f"waiting for {text!r}")

    def text(self) -> str:
        """What the page shows."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def press(self, label: str, within: str = "body") -> None:
        """Press the button or link whose text begins with a label: that of the dialog if one is open."""
        self._wait.until(lambda _: self._pressed(label, within), f"pressing {label!r}")

    def fill(self, label: str, text: str) -> None:
        """Write into the field of a label."""
        self.field(label).send_keys(text)

    def field(self, label: str) -> WebElement:
        """The field of a label."""

        def labelled(driver: Chrome) -> WebElement | Literal[False]:
            labels = [found for found in driver.find_elements(By.TAG_NAME, "label") if found.text.startswith(label)]
            return driver.find_element(By.ID, labels[0].get_attribute("for") or "") if labels else False

        field: WebElement = self._wait.until(labelled)
        return field

    def retype(self, before: str, after: str) -> None:
        """Select the first place of a text in the document of the editor, and type over it."""
        editor = self._wait.until(lambda driver: driver.find_element(By.ID, "toml"))
        found = self.driver.execute_script(
            "const at = arguments[0].value.indexOf(arguments[1]);"
            "arguments[0].focus(); arguments[0].setSelectionRange(at, at + arguments[1].length); return at;",
            editor,
            before,
        )
        assert found >= 0, f"the document has no {before!r}"
        editor.send_keys(after)

    def choose(self, label: str) -> None:
        """Choose the radio button of a label."""

        def chosen(driver: Chrome) -> bool:
            labels = driver.find_elements(By.CSS_SELECTOR, "[role=radiogroup] label")
            for found in labels:
                if found.text == label:
                    found.click()
                    return True
            return False

        self._wait.until(chosen, f"choosing {label!r}")

    def fill_time(self, label: str, at: datetime) -> None:
        """Set the field of a date and time. Which keys it takes depends on the browser's language."""
        self.driver.execute_script(SET_VALUE, self.field(label), f"{at:%Y-%m-%dT%H:%M}")

    def button(self, label: str) -> WebElement:
        """The button whose text begins with a label."""

        def labelled(driver: Chrome) -> WebElement | Literal[False]:
            buttons = driver.find_elements(By.TAG_NAME, "button")
            return next((button for button in buttons if button.text.startswith(label)), False)

        button: WebElement = self._wait.until(labelled, f"finding the button {label!r}")
        return button

    def focused(self) -> str:
        """The text of what has the focus."""
        return " ".join(self.driver.switch_to.active_element.text.split())

    def wait_for_open_dialog(self) -> None:
        """Wait until a dialog has the focus, so that it receives keys."""
        self._wait.until(
            lambda driver: driver.execute_script("return !!document.activeElement.closest('[role=dialog]')")
        )

    def wait_until_no_dialog(self) -> None:
        """Wait until every dialog is gone."""
        self._wait.until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, "[role=dialog]"))

    def wait_for_focus(self, text: str) -> None:
        """Wait until something whose text begins with a text has the focus."""
        self._wait.until(lambda _: self.focused().startswith(text), f"waiting for the focus on {text!r}")

    def first_button(self, word: str) -> str:
        """The text of the first button that contains a word, such as `12 gained`."""

        def text(driver: Chrome) -> str | Literal[False]:
            buttons = driver.find_elements(By.TAG_NAME, "button")
            return next((words for button in buttons if word in (words := " ".join(button.text.split()))), False)

        found: str = self._wait.until(text, f"finding a button with {word!r}")
        return found

    def query(self, document: str, **variables: object) -> Any:  # noqa: ANN401 - JSON
        """The data of a GraphQL request that the page's own session sends."""
        response = self.driver.execute_async_script(RUN_QUERY, document, variables)
        assert "errors" not in response, response["errors"]
        return response["data"]

    def resize(self, size: tuple[int, int]) -> None:
        """Make the page as wide and high as a window of this size."""
        width, height = size
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def look(self, name: str) -> list[str]:
        """Take pictures of the whole page in both colour schemes and two widths; return what axe finds in any of them.

        Something that sticks out to the side is found, too.
        """
        self._taken += 1
        found = []
        # Without motion: colours that still change from one scheme to the other would be measured in between.
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        for scheme in SCHEMES:
            scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
            self._command("Emulation.setEmulatedMedia", features=[scheme_feature, still])
            for size in (DESKTOP, PHONE):
                place = f"{self._taken:02} {name}, {scheme}, {size[0]} px"
                self.resize(size)
                found += [f"{place}: {violation}" for violation in self._violations()]
                self._picture(size, place)
        self._command("Emulation.setEmulatedMedia", features=[])
        self.resize(DESKTOP)
        return found

    def console_errors(self) -> list[str]:
        """The console messages above level INFO: errors, and violations of the content policy."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [f"{entry['level']}: {entry['message']}" for entry in entries if entry["level"] != "INFO"]

    def _violations(self) -> list[str]:
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        violations: list[str] = self.driver.execute_async_script(RUN_AXE)
        sticks_out = "const page = document.documentElement; return page.scrollWidth - page.clientWidth"
        if (pixels := self.driver.execute_script(sticks_out)) > 0:
            violations.append(f"the content is {pixels} px wider than the page")
        return violations

    def _picture(self, size: tuple[int, int], name: str) -> None:
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.resize((size[0], max(size[1], min(height, TALLEST))))
        self.driver.save_screenshot(str(self.pictures / f"{name}.png".replace(", ", "-").replace(" ", "-")))
        self.resize(size)

    def _pressed(self, label: str, within: str) -> bool:
        for place in ("[role=dialog], [role=alertdialog]", within):
            for root in self.driver.find_elements(By.CSS_SELECTOR, place):
                for found in root.find_elements(By.CSS_SELECTOR, "button, a, summary"):
                    # What only screen readers get stands on a line of its own.
                    words = " ".join(found.text.split())
                    if words.startswith(label) and found.is_displayed() and found.is_enabled():
                        found.click()
                        return True
                return False
        return False

    def _command(self, name: str, **parameters: object) -> None:
        self.driver.execute_cdp_cmd(name, json.loads(json.dumps(parameters)))
