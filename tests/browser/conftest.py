"""A real server on a free port with a small sample, and a real browser.

`make test-browser` runs these tests. They also take the screenshot of the README if its path is given:
`ACCORD_SCREENSHOT=api/static/graphiql-funnel.png make test-browser`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from selenium import webdriver

from tests.browser.page import Page

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
CHROMEDRIVER = Path(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
TIMEOUT_SECONDS = 120

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


def accord(*arguments: str) -> list[str]:
    """The `accord` command, run by the interpreter of the tests."""
    return [sys.executable, "-c", "from api.cli import main; main()", *arguments]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a sample of a thousand people."""
    folder = tmp_path_factory.mktemp("accord")
    environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    environment |= {"ACCORD_DATA_DIR": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    for command in (accord("migrate"), accord("sample", "--contacts", "1000", "--until", "2026-07-01")):
        subprocess.run(command, env=environment, check=True, timeout=TIMEOUT_SECONDS)
    log = folder / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            accord("serve", "--port", "0"), env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _address_of(server, log)
    finally:
        server.terminate()
        server.wait(timeout=30)
        subprocess.run(accord("stop"), env=environment, check=True, timeout=TIMEOUT_SECONDS)


def _address_of(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """The address that the server prints; the test fails with the server's output if it prints none."""
    deadline = monotonic() + TIMEOUT_SECONDS
    while server.poll() is None and monotonic() < deadline:
        if found := re.search(r"http://[\d.]+:\d+", log.read_text()):
            return found[0]
        sleep(0.1)
    pytest.fail(f"`accord serve` printed no address:\n{log.read_text()}")


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Page]:
    """GraphiQL in a browser with a new profile."""
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
        yield Page(driver, address)
    finally:
        driver.quit()
