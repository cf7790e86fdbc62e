"""Every page, in light and dark, wide and narrow: for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import OPERATOR

CHECKS = (Path(__file__).parent / "accessibility.js").read_text()

SIGNED_OUT = ("/sign-in", "/nowhere")
SIGNED_IN = (
    "/",
    "/connect",
    "/audit",
    "/audit?action=nonsense",
    "/access",
    "/organizations",
    "/connected?error=access_denied",
    "/connectors/{connector}",
    "/connectors/{connector}/try",
    "/connectors/{connector}/disconnect",
    "/connectors/{connector}/credentials",
    "/access/clients/{client}/revoke",
    "/connectors/none",
)


def look(browser, scheme, width):
    """Shows the page so."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature, still]})
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def faults(browser):
    """What the checks find on the page, in both colour schemes and at both widths."""
    told = []
    for scheme in ("light", "dark"):
        for width in (1280, 320):
            look(browser, scheme, width)
            told += [f"{scheme} {width}: {each}" for each in browser.driver.execute_script(CHECKS)]
    return told


@pytest.fixture
def connected(site, browser):
    """The id of a connector, made by the operator, who is signed in; a call of it is in the log."""
    browser.sign_in_as_operator(OPERATOR)
    browser.open("/connect")
    browser.choose("way-oauth_tokens")
    browser.fill(
        workspace="A workspace with a rather long name of several words", access_token=site.sandbox.access_token
    )
    browser.press("Connect")
    browser.press("Try an action")
    browser.press("Run")
    return site.do(site.server.connectors.list(site.running.organization_id)).items[0].id


def test_all_pages(site, browser, connected):
    """No page breaks a rule that a program can decide."""
    told = {"/connectors/{connector}/try, after a call": faults(browser)}
    for path in SIGNED_IN:
        browser.open(path.format(connector=connected, client=site.running.client_id))
        told[path] = faults(browser)
    browser.press("Sign out")
    for path in SIGNED_OUT:
        browser.open(path)
        told[path] = faults(browser)
    assert {} == {path: each for path, each in told.items() if each}


def test_forms_with_errors(browser):
    """The pages that tell of errors break no rule either, and the focus is at what they tell."""
    told = {}
    browser.sign_in("nobody", "nothing")
    told["sign in"] = faults(browser)
    browser.sign_in_as_operator(OPERATOR)
    browser.open("/connect")
    for way in ("oauth", "token", "oauth_tokens"):
        browser.choose(f"way-{way}")
        browser.press("Connect")
        told[way] = faults(browser)
        assert "alert" == browser.focused.get_attribute("role")
        assert browser.driver.title.startswith("Error: ")
    browser.open("/access")
    browser.fill(allow="nonsense")
    browser.press("Save the policy")
    told["policy"] = faults(browser)
    assert {} == {name: each for name, each in told.items() if each}


def test_the_consent(site, browser):
    """The page that asks before Zendesk's own breaks no rule."""
    browser.sign_in(site.running.client_id, site.running.client_secret)
    browser.open("/connect")
    browser.fill(workspace="Support")
    browser.press("Connect")
    assert ("/oauth/consent", []) == (browser.address.removeprefix(site.url), faults(browser))


def test_the_checks_find_what_is_wrong(browser):
    """A page with faults of each kind is told as such: the checks above can fail."""
    browser.open("/sign-in")
    spoil = """
        document.documentElement.lang = "";
        document.querySelector("h1").insertAdjacentHTML("afterend", `<h3>Left out</h3><img><nav></nav><button></button>
          <p id="main" data-look="color: #999; background: #fff">Too pale</p><p data-look="width: 2000px">Wide</p>
          <table><tr><th>No caption</th></tr></table><input aria-describedby="nowhere">
          <button data-look="min-height: 0; padding: 0; height: 10px; width: 10px; border: 0">x</button>`);
        // The pages' policy lets no style attribute of a text in; scripts of a test may set one.
        for (const each of document.querySelectorAll("[data-look]")) each.style.cssText = each.dataset.look;
    """
    look(browser, "light", 320)
    browser.driver.execute_script(spoil)
    rules = {each.partition(" ")[0].rstrip(":") for each in browser.driver.execute_script(CHECKS)}
    assert {"3.1.1", "1.3.1", "4.1.1", "4.1.2", "3.3.2", "1.4.3", "1.4.10", "2.5.8"} <= rules


def test_who_wants_no_motion_gets_none(browser):
    """Nothing moves for people who asked their system for less motion, and the style sheet is in place."""
    browser.open("/sign-in")
    look(browser, "light", 1280)
    button = browser.find("button")
    assert ("0s", "pointer") == (
        button.value_of_css_property("transition-duration"),
        button.value_of_css_property("cursor"),
    )
