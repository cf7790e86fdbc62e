"""A server and a sandbox in a thread, and a real browser before them.

They need Chromium with its driver and Selenium, and are left out where one of these is missing.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from ..server.serving import Running
    from .surfer import Surfer

OPERATOR = "the-operators-token-of-these-tests"

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


class Site:
    """A server that runs beside the test.

    Attributes:
        running: It.
        url: Where browsers reach it.
        sandbox: Its Zendesk.
    """

    def __init__(self, running: Running, loop: asyncio.AbstractEventLoop) -> None:
        self.running = running
        self.server = running.server
        self.url = running.server.settings.public_url
        self.sandbox = running.sandbox
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What a coroutine of the server gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture
def site() -> Iterator[Site]:
    for name in ("selenium", "sqlalchemy", "starlette"):
        pytest.importorskip(name)
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("Chromium and its driver are not installed")
    from pydantic import SecretStr

    from plugbay.sandbox import Sandbox

    from ..server.serving import serving

    ready, done = threading.Event(), threading.Event()
    made: list[Site] = []
    failed: list[BaseException] = []

    async def run() -> None:
        with Sandbox(seed=7, tickets=12, calls=3, plan=None) as sandbox:
            async with serving(sandbox, admin_token=SecretStr(OPERATOR)) as running:
                made.append(Site(running, asyncio.get_running_loop()))
                ready.set()
                await asyncio.to_thread(done.wait)

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        if failed:
            raise failed[0]
        yield made[0]
    finally:
        done.set()
        thread.join()
    if failed:
        raise failed[0]


@pytest.fixture
def open_browser(site: Site, tmp_path) -> Iterator[Callable[..., Surfer]]:
    """Starts browsers; what they did is looked at when the test is over."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    from .surfer import Surfer

    drivers: list[Any] = []

    def start(*, scripts: bool = True) -> Surfer:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={tmp_path / f'profile-{len(drivers)}'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        drivers.append(webdriver.Chrome(options=options, service=Service(DRIVER)))
        drivers[-1].execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        return Surfer(drivers[-1], site.url)

    try:
        yield start
        for driver in drivers:
            assert [] == complaints(driver)
            assert {"127.0.0.1"} == hosts(driver)
    finally:
        for driver in drivers:
            driver.quit()


@pytest.fixture
def browser(open_browser: Callable[..., Surfer]) -> Surfer:
    return open_browser()


def complaints(driver: Any) -> list[str]:
    """What the browser complained of; that a form was refused with an error's status is no complaint of the page."""
    refused = "Failed to load resource: the server responded with a status of 4"
    told = [each["message"] for each in driver.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]
    return [message for message in told if refused not in message]


def hosts(driver: Any) -> set[str | None]:
    """The hosts that any page sent a request to."""
    messages = [json.loads(each["message"])["message"] for each in driver.get_log("performance")]
    urls = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    return {urlsplit(url).hostname for url in urls if urlsplit(url).scheme in ("http", "https", "ws", "wss")}
