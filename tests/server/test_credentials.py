"""Credentials as they are sent, sealed, and used."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy")

from pydantic import SecretStr

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig
from plugbay.server.credentials import config_of, kind_of, read_credentials, sealed
from plugbay.server.failures import ApiError


@pytest.mark.parametrize(
    ("given", "model", "kind"),
    [
        ({"access_token": "a"}, OAuthConfig, "oauth"),
        ({"access_token": "a", "refresh_token": "", "client_id": None}, OAuthConfig, "oauth"),
        ({"access_token": "a", "subdomain": "acme"}, OAuthConfig, "oauth"),
        ({"client_id": "c", "client_secret": "s"}, OAuthConfig, "client_credentials"),
        ({"email": "a@b.example", "api_token": "t"}, ApiTokenConfig, "token"),
    ],
)
def test_credentials_are_read_by_their_fields(given, model, kind):
    """What is empty counts as not given, and the kind follows from what is there."""
    config = read_credentials(given)
    assert (model, kind) == (type(config), kind_of(config))


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"access_token": ""},
        {"api_token": "s3cret-value"},
        {"refresh_token": "s3cret-value"},
        {"access_token": "s3cret-value", "acess": "s3cret-value"},
        {"access_token": ["s3cret-value"]},
    ],
)
def test_what_is_no_credentials_is_refused_without_being_shown(given):
    """The refusal names the field and shows nothing of what was sent."""
    with pytest.raises(ApiError) as caught:
        read_credentials(given)
    told = repr((caught.value.error.payload(), caught.value.errors, caught.value.__cause__, caught.value.__context__))
    assert (422, True) == (caught.value.status, (caught.value.errors[0].field or "").startswith("credentials"))
    assert "s3cret-value" not in told


def test_what_is_sealed_is_used_as_it_was():
    """A sealed pair gives the engine the same pair, with the time that it still has."""
    config = OAuthConfig(access_token="a", refresh_token="r", client_id="c", client_secret="s", expires_in=100)
    again = config_of(sealed(config), {})
    assert ("a", "r", "c", "s") == (
        again.access_token.get_secret_value(),
        again.refresh_token.get_secret_value(),
        again.client_id,
        again.client_secret.get_secret_value(),
    )
    assert 90 < again.expires_in <= 100


@pytest.mark.parametrize(
    ("client_id", "expected"),
    [(None, ("own", "own-s")), ("operators", ("operators", "op-s")), ("third", ("third", None))],
)
def test_a_pair_is_renewed_by_the_app_it_was_granted_to(client_id, expected):
    """A pair of a known app has that app's secret; one that names none is taken for the first app's."""
    apps = {"own": SecretStr("own-s"), "operators": SecretStr("op-s")}
    config = OAuthConfig(access_token="a", refresh_token="r", client_id=client_id)
    again = config_of(sealed(config), apps)
    secret = None if again.client_secret is None else again.client_secret.get_secret_value()
    assert expected == (again.client_id, secret)


def test_an_access_token_alone_stays_alone():
    """Without a refresh token no app is added: there is nothing to renew."""
    again = config_of(sealed(OAuthConfig(access_token="a")), {"own": SecretStr("s")})
    assert (None, None) == (again.client_id, again.client_secret)


def test_each_authorization_has_a_mark_of_its_own():
    """Two sealings of the same credentials are two grants."""
    config = OAuthConfig(access_token="a")
    assert sealed(config)["grant_id"] != sealed(config)["grant_id"]


@pytest.mark.parametrize("client_id", ["own", "operators"])
def test_an_apps_secret_is_for_renewing_alone(client_id):
    """Who names an app beside an access token gets none of its secret, with which the app itself would be let in."""
    apps = {"own": SecretStr("own-s"), "operators": SecretStr("op-s")}
    again = config_of(sealed(OAuthConfig(access_token="a", client_id=client_id)), apps)
    assert (client_id, None) == (again.client_id, again.client_secret)
