"""From nothing to the first call, as a person goes."""

from __future__ import annotations

import pytest

from .conftest import OPERATOR

TAB, ENTER, DOWN = "\ue004", "\ue007", "\ue015"
"""The keys, as WebDriver names them (WebDriver Level 2, section 15.3.1)."""


@pytest.mark.parametrize("scripts", [True, False])
def test_oauth_leads_to_a_first_call(site, open_browser, scripts):
    """Sign in, agree on our page and on Zendesk's, see the connector, run an action: with and without JavaScript."""
    browser = open_browser(scripts=scripts)
    browser.driver.get("data:text/html,<h1>off</h1><script>document.querySelector('h1').textContent = 'on'</script>")
    assert ("on" if scripts else "off") == browser.heading
    browser.sign_in(site.running.client_id, site.running.client_secret)
    browser.press("Connect an account")
    browser.fill(workspace="Support", name="The desk")
    browser.press("Connect")
    assert f"{site.url}/oauth/consent" == browser.address
    browser.press("Continue to Zendesk")
    assert browser.driver.current_url.startswith(site.sandbox.base_url)
    browser.press("Allow")
    assert "The desk" == browser.heading
    assert "Connected." in browser.text(".notice")
    browser.press("Try an action")
    browser.press("Run")
    assert "It worked: 5 records" in browser.text()
    browser.press("Connectors")
    assert "Active" in browser.text("tbody")
    entries = site.do(site.server.audit.query(site.running.organization_id, event="execute")).items
    assert [("web", "tickets", "list", "ok")] == [
        (each.via, each.entity, each.action, each.outcome) for each in entries
    ]


def test_who_does_not_agree_comes_back(site, browser):
    """Whoever refuses at Zendesk lands on a page that says that nothing was connected."""
    browser.sign_in(site.running.client_id, site.running.client_secret)
    browser.open("/connect")
    browser.fill(workspace="Support")
    browser.press("Connect")
    browser.press("Continue to Zendesk")
    browser.press("Deny")
    assert "Not connected" == browser.heading
    assert [] == site.do(site.server.connectors.list(site.running.organization_id)).items


def test_a_connector_is_authorized_again(site, browser):
    """The button of its page leads through the consent back to the same connector."""
    browser.sign_in(site.running.client_id, site.running.client_secret)
    browser.open("/connect")
    browser.fill(workspace="Support")
    for label in ("Connect", "Continue to Zendesk", "Allow"):
        browser.press(label)
    before = browser.address
    for label in ("Authorize again", "Continue to Zendesk", "Allow"):
        browser.press(label)
    assert (before, "Authorized again.") == (browser.address, browser.text(".notice"))
    assert 1 == len(site.do(site.server.connectors.list(site.running.organization_id)).items)


def test_an_api_token_that_is_wrong_is_told_at_its_field(site, browser):
    """Only the chosen way's fields are there; a wrong token is told beside its field, and the right one connects."""
    browser.sign_in(site.running.client_id, site.running.client_secret)
    browser.open("/connect")
    browser.choose("way-token")
    shown = {name: browser.find(f"#{name}").is_displayed() for name in ("api_token", "access_token")}
    assert {"api_token": True, "access_token": False} == shown
    browser.fill(workspace="Support", email=site.sandbox.email, api_token="wrong-token")
    browser.press("Connect")
    field = browser.find("#api_token")
    assert "not accepted" in browser.text(f"#{field.get_attribute('aria-describedby')}")
    assert ("", site.sandbox.email) == (
        field.get_attribute("value"),
        browser.find("#email").get_attribute("value"),
    )
    assert "alert" == browser.focused.get_attribute("role")
    browser.fill(api_token=site.sandbox.api_token)
    browser.press("Connect")
    assert "Zendesk-Support" == browser.heading
    browser.press("Check now")
    assert f"({site.sandbox.email})" in browser.text(".notice")


def test_a_client_is_made_and_revoked(site, browser):
    """The operator makes a client, which gets in with what the page shows, and revokes it, after which it does not."""
    browser.sign_in_as_operator(OPERATOR)
    browser.press("Access")
    browser.fill(client_name="Night shift")
    browser.press("Make a client")
    client_id, secret = browser.text("#client-id"), browser.text("#client-secret")
    assert site.do(site.server.clients.authenticate(client_id, secret)) is not None
    browser.press("I have copied it")
    browser.driver.get(browser.find("a[aria-label='Revoke Night shift']").get_attribute("href"))
    browser.press("Revoke")
    assert "The client is revoked." in browser.text(".notice")
    assert site.do(site.server.clients.authenticate(client_id, secret)) is None


def test_a_connector_is_disconnected(site, browser):
    """The page asks first, and then the connector is gone."""
    browser.sign_in(site.running.client_id, site.running.client_secret)
    browser.open("/connect")
    browser.choose("way-oauth_tokens")
    browser.fill(workspace="Support", access_token=site.sandbox.access_token)
    for label in ("Connect", "Disconnect", "Disconnect"):
        browser.press(label)
    assert "Nothing is connected yet" in browser.text()


def test_the_keyboard_is_enough(site, browser):
    """Everything up to the first call is reached with Tab, Enter, the arrows and Space, and the focus is always seen."""
    browser.open("/sign-in")
    browser.tab_to(element_id="client_id")
    browser.key(site.running.client_id, TAB, site.running.client_secret)
    browser.enter()
    browser.tab_to(label="Skip to the content")
    browser.key(ENTER)
    assert "main" == browser.focused.get_attribute("id")
    browser.tab_to(label="Connect an account")
    assert "solid" == browser.focused.value_of_css_property("outline-style")
    browser.enter()
    browser.tab_to(element_id="workspace")
    browser.key("Support")
    browser.tab_to(element_id="way-oauth")
    browser.key(DOWN)
    browser.tab_to(element_id="email")
    browser.key(site.sandbox.email, TAB, site.sandbox.api_token)
    browser.enter()
    assert "Zendesk-Support" == browser.heading
    browser.tab_to(label="Try an action")
    browser.enter()
    browser.tab_to(label="Run")
    browser.enter()
    assert "It worked: 5 records" in browser.text()
