"""What an operator's settings may be."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.server.settings import Settings


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"port": 65_536}, "PLUGBAY_PORT must be from 0 to 65535."),
        ({"port": -1}, "PLUGBAY_PORT must be from 0 to 65535."),
        ({"public_url": "plugbay.example"}, "PLUGBAY_PUBLIC_URL must be an http or https URL"),
        ({"public_url": "https://user:hunter2@plugbay.example"}, "PLUGBAY_PUBLIC_URL must be an http or https URL"),
        ({"public_url": "https://[::1"}, "PLUGBAY_PUBLIC_URL must be an http or https URL"),
        ({"public_url": "https://plugbay.example:99999"}, "PLUGBAY_PUBLIC_URL must be an http or https URL"),
        ({"public_url": "https://plugbay.example/?a=b"}, "PLUGBAY_PUBLIC_URL must have no query"),
        ({"public_url": "https://plugbay.example/sub"}, "PLUGBAY_PUBLIC_URL must have no path. Pages"),
        ({"zendesk_url": "ftp://zendesk.example"}, "PLUGBAY_ZENDESK_URL must be a plain URL"),
        ({"zendesk_url": "http://zendesk.example"}, "PLUGBAY_ZENDESK_URL must be https; http is for loopback only."),
        ({"zendesk_url": "https://hunter2@zendesk.example"}, "PLUGBAY_ZENDESK_URL must be a plain URL"),
        ({"default_subdomain": "a b"}, "PLUGBAY_DEFAULT_SUBDOMAIN must be one label of letters, digits and hyphens"),
        ({"allowed_redirects": ("foo",)}, "PLUGBAY_ALLOWED_REDIRECTS has 'foo'; each must be https"),
        ({"allowed_redirects": ("https://a.example/", "http://a.example/")}, "PLUGBAY_ALLOWED_REDIRECTS has 'http:"),
        ({"token_lifetime": 0}, "PLUGBAY_TOKEN_LIFETIME must be from 1 to 86400 s."),
        ({"token_lifetime": 99_999_999_999}, "PLUGBAY_TOKEN_LIFETIME must be from 1 to 86400 s."),
        ({"request_timeout": float("nan")}, "PLUGBAY_REQUEST_TIMEOUT must be at least 1 s."),
        ({"request_timeout": 0.9, "execute_timeout": 0.5}, "PLUGBAY_REQUEST_TIMEOUT must be at least 1 s."),
        ({"request_timeout": 60}, "PLUGBAY_EXECUTE_TIMEOUT must be less than PLUGBAY_REQUEST_TIMEOUT (60 seconds)"),
        ({"notice_seconds": -1}, "PLUGBAY_NOTICE_SECONDS must be at least 0 s."),
        ({"notice_seconds": float("inf")}, "PLUGBAY_NOTICE_SECONDS must be at least 0 s."),
        ({"drain_seconds": 0}, "PLUGBAY_DRAIN_SECONDS must be more than 0."),
        ({"audit_days": -1}, "PLUGBAY_AUDIT_DAYS must be more than 0."),
        ({"body_limit": 1}, "PLUGBAY_BODY_LIMIT must be at least 65536 bytes."),
        ({"max_requests": 0}, "PLUGBAY_MAX_REQUESTS must be at least 1."),
        ({"trusted_proxies": ("plugbay.example",)}, "PLUGBAY_TRUSTED_PROXIES has 'plugbay.example', which is no"),
        ({"trusted_proxies": ("::1", "0.0.0.0/0")}, "PLUGBAY_TRUSTED_PROXIES has '0.0.0.0/0', which is everybody."),
        ({"trusted_proxies": ("::/0",)}, "PLUGBAY_TRUSTED_PROXIES has '::/0', which is everybody."),
        ({"log_level": "loud"}, "PLUGBAY_LOG_LEVEL must be one of debug, info, warning, error."),
    ],
)
def test_refused(wrong, expected):
    """A value that cannot be, or that nobody can mean, is refused with the variable's name and what is allowed."""
    with pytest.raises(ConfigurationError) as raised:
        Settings(**wrong)

    assert str(raised.value).startswith(expected)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("token", ["", "x" * 31, "x" * 31 + " ", "é" * 32, "x" * 32 + "\n"])
def test_weak_admin_token(token):
    """An operator's token that could be guessed, or that no header can carry, is refused without being repeated."""
    with pytest.raises(ConfigurationError, match="PLUGBAY_ADMIN_TOKEN must have at least 32") as caught:
        Settings(admin_token=SecretStr(token))

    assert "x" * 31 not in str(caught.value)
