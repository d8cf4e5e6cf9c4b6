"""A real server on a free port with a small sample, and a real browser.

`make test-browser` runs these tests. They also take the screenshot of the README if its path is given:
`ACCORD_SCREENSHOT=api/static/graphiql-funnel.png make test-browser`. The pictures of the page of the accord are kept
in a folder if its path is given: `ACCORD_PICTURES=/tmp/accord make test-browser`.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium import webdriver

from tests.browser.accord_page import AccordPage
from tests.browser.page import Page
from tests.support.served import served_sample

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
CHROMEDRIVER = Path(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))

PICTURES = os.environ.get("ACCORD_PICTURES")

# Chromium's own traffic (updates, safe browsing, field trials) is not caused by the page.
QUIET = (
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a sample of a thousand people."""
    with served_sample(tmp_path_factory.mktemp("accord"), contacts=1000) as address:
        yield address


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a new profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in ("--headless=new", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1440,900", *QUIET):
        options.add_argument(argument)
    # In containers /dev/shm is often too small for Chromium. Root cannot use its sandbox.
    options.add_argument("--disable-dev-shm-usage")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.add_argument("about:blank")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(CHROMEDRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def page(address: str, driver: webdriver.Chrome) -> Page:
    """GraphiQL in the browser."""
    return Page(driver, address)


@pytest.fixture(scope="module")
def company_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the company's server."""
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="module")
def company(company_folder: Path) -> Iterator[str]:
    """The address of a server with a sample company whose history ends today."""
    with served_sample(company_folder, contacts=600, until=datetime.now(UTC).date()) as address:
        yield address


@pytest.fixture
def accord(driver: webdriver.Chrome, company: str, tmp_path: Path) -> AccordPage:
    """The page of the accord in a new browser."""
    pictures = Path(PICTURES) if PICTURES else tmp_path
    pictures.mkdir(parents=True, exist_ok=True)
    return AccordPage(driver, company, pictures)
