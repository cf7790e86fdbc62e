"""Models that hold secrets never show them."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from pydantic import SecretStr

from plugbay import ConfigurationError
from plugbay.connectors.zendesk_support.models import ZendeskSupportApiTokenAuthConfig, ZendeskSupportOauth20AuthConfig
from plugbay.types import SecretModel

SECRET = "s3cret-value"


class Nested(SecretModel):
    """Secrets within."""

    inner: ZendeskSupportOauth20AuthConfig
    number: int = 0


def everything_said(error):
    """All that somebody who logs an error sees of it."""
    seen, texts = set(), []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        texts += [repr(error), str(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ZendeskSupportOauth20AuthConfig(access_token=SECRET, acces_token=SECRET),
        lambda: ZendeskSupportOauth20AuthConfig(access_token={"value": SECRET}),
        lambda: ZendeskSupportOauth20AuthConfig(access_token=[SECRET], client_secret=5),
        lambda: ZendeskSupportOauth20AuthConfig(client_secret=SECRET),
        lambda: ZendeskSupportOauth20AuthConfig(client_secret=SECRET, expires_in=SECRET),
        lambda: ZendeskSupportApiTokenAuthConfig(api_token=SECRET),
        lambda: ZendeskSupportApiTokenAuthConfig.model_validate(SECRET),
        lambda: ZendeskSupportApiTokenAuthConfig.model_validate([SECRET]),
        lambda: ZendeskSupportApiTokenAuthConfig.model_validate_json(f'{{"api_token": "{SECRET}"}}'),
        lambda: ZendeskSupportApiTokenAuthConfig.model_validate_json(f'{{"api_token": "{SECRET}"'),
        lambda: Nested(inner={"access_token": SECRET, "x": SECRET}),
        lambda: Nested(inner={"access_token": SECRET}, number=SECRET),
    ],
)
def test_wrong_fields_are_named_and_not_shown(make):
    """A missing, mistyped or unknown field is a `ConfigurationError` that names it and shows no value."""
    with pytest.raises(ConfigurationError) as caught:
        make()

    assert SECRET not in everything_said(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert caught.value.hint or "not JSON" in caught.value.message


def test_repr():
    """Printing a configuration shows no secret."""
    config = ZendeskSupportOauth20AuthConfig(access_token=SecretStr(SECRET), client_id="c", client_secret=SECRET)

    assert SECRET not in f"{config!r} {config} {config.model_dump()} {config.model_dump_json()} {vars(config)}"
    assert SECRET == config.client_secret.get_secret_value()


def test_is_not_pickled_and_not_changed():
    """A configuration is neither pickled nor changed; a copy is as good as itself."""
    config = ZendeskSupportApiTokenAuthConfig(email="a@b.c", api_token=SECRET)

    with pytest.raises(TypeError, match="holds secrets"):
        pickle.dumps(config)
    with pytest.raises(TypeError, match="is frozen") as caught:
        config.api_token = SECRET
    assert SECRET not in everything_said(caught.value).replace("config.api_token = SECRET", "")
    assert config == copy.copy(config)


def test_hint_names_the_fields():
    """The error says what the model takes."""
    with pytest.raises(ConfigurationError) as caught:
        ZendeskSupportApiTokenAuthConfig(mail="a@b.c")

    assert "It takes email, api_token." == caught.value.hint
    assert {"email", "api_token", "mail"} == set(caught.value.details["fields"])
