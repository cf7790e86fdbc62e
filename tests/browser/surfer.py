"""What a person does with a browser, in the words of the page."""

from __future__ import annotations

from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 20
"""Seconds that a page may take."""


class Surfer:
    """A person before a browser.

    Attributes:
        driver: Selenium's.
        url: The server's address.
    """

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        self.url = url

    @property
    def heading(self) -> str:
        """The page's heading."""
        return self.find("h1").text

    @property
    def address(self) -> str:
        """Where the browser is, without the query."""
        return self.driver.current_url.partition("?")[0]

    def text(self, selector: str = "main") -> str:
        """What an element shows."""
        return self.find(selector).text

    def find(self, selector: str) -> Any:
        """The first element that a selector of CSS fits."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    @property
    def focused(self) -> Any:
        """The element that has the focus."""
        return self.driver.switch_to.active_element

    def open(self, path: str) -> None:
        """Opens a page."""
        self.driver.get(self.url + path)

    def fill(self, **values: str) -> None:
        """Types into fields, in the place of what they have."""
        for name, value in values.items():
            field = self.find(f"#{name}")
            field.clear()
            field.send_keys(value)

    def press(self, label: str) -> None:
        """Presses a button or follows a link, of the page before one of the menu, and waits for what it leads to."""
        own = f"normalize-space()={label!r}"
        places = (f"//main//button[{own}] | //main//a[{own}]", f"//header//button[{own}] | //header//a[{own}]")
        found = [each for place in places for each in self.driver.find_elements(By.XPATH, place)]
        assert found, f"there is no {label!r}; the page is {self.heading}"
        self._leave(found[0].click)

    def choose(self, element_id: str) -> None:
        """Chooses a radio button or ticks a box."""
        self.find(f"#{element_id}").click()

    def sign_in(self, client_id: str, secret: str) -> None:
        """Signs in as a client."""
        self.open("/sign-in")
        self.fill(client_id=client_id, client_secret=secret)
        self.press("Sign in")

    def sign_in_as_operator(self, token: str) -> None:
        """Signs in as the operator."""
        self.open("/sign-in")
        self.fill(admin_token=token)
        self.press("Sign in as the operator")

    def tab_to(self, *, element_id: str = "", label: str = "") -> Any:
        """Presses the Tab key until an element has the focus, and gives it."""
        for _ in range(100):
            self.key(Keys.TAB)
            focused = self.focused
            if (element_id and focused.get_attribute("id") == element_id) or (label and focused.text.strip() == label):
                return focused
        raise AssertionError(f"the Tab key does not lead to {element_id or label}")

    def key(self, *keys: str) -> None:
        """Presses keys."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def enter(self) -> None:
        """Presses Enter, and waits for the page that it leads to."""
        self._leave(lambda: self.key(Keys.ENTER))

    def _leave(self, act: Any) -> None:
        before = self.find("html")
        act()
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.find_element(By.TAG_NAME, "html") != before)
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "main h1, h1"))
