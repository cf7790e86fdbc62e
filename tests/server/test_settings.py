"""What an operator sets."""

from __future__ import annotations

from dataclasses import fields

import pytest
from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.server.settings import Settings


class TestEnvironment:
    """Settings from variables."""

    def test_kinds(self):
        """Texts, numbers, flags, lists and secrets are read as what they are."""
        settings = Settings.from_environment(
            {
                "PLUGBAY_DATABASE_URL": "postgresql://user:hunter2@host/name",
                "PLUGBAY_PORT": "9000",
                "PLUGBAY_EXECUTE_TIMEOUT": "12.5",
                "PLUGBAY_AUDIT_CONTENT": "yes",
                "PLUGBAY_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
                "PLUGBAY_MASTER_KEYS": "a:hunter2",
                "PLUGBAY_ADMIN_TOKEN": "hunter2" * 5,
            }
        )

        assert 9000 == settings.port
        assert 12.5 == settings.execute_timeout
        assert settings.audit_content
        assert ("10.0.0.0/8", "::1") == settings.trusted_proxies
        assert SecretStr("a:hunter2") == settings.keys
        assert "hunter2" not in repr(settings)

    def test_every_setting(self):
        """Each setting but the OAuth clients, which have variables of their own, has one of its name."""
        texts = {"bool": "true", "int": "7", "float": "7.5", "float | None": "7.5", "tuple[str, ...]": "10.0.0.1"}
        texts |= {"database_url": "sqlite://", "public_url": "https://a.example", "zendesk_url": "https://z.example"}
        texts |= {"log_level": "debug", "admin_token": "x" * 32, "allowed_redirects": "https://a.example/done"}
        texts |= {"session_lifetime": "60", "flow_lifetime": "60", "body_limit": "65536", "request_timeout": "70"}
        for each in fields(Settings):
            if each.name == "oauth_clients":
                continue
            variable = "PLUGBAY_MASTER_KEYS" if each.name == "keys" else f"PLUGBAY_{each.name.upper()}"
            text = texts.get(each.name) or texts.get(str(each.type), "text")
            settings = Settings.from_environment({variable: text})
            assert getattr(settings, each.name) != getattr(Settings(), each.name), each.name

    def test_given(self):
        """What is given comes before the environment; None leaves it to that, and an empty variable is none."""
        environ = {"PLUGBAY_PORT": "9000", "PLUGBAY_HOST": "10.0.0.1", "PLUGBAY_PUBLIC_URL": ""}

        settings = Settings.from_environment(environ, port=9001, host=None)

        assert ("10.0.0.1", 9001, "http://10.0.0.1:9001") == (settings.host, settings.port, settings.public_url)

    def test_oauth(self):
        """The operator's OAuth client is that of both connector types."""
        settings = Settings.from_environment(
            {"PLUGBAY_OAUTH_ZENDESK_CLIENT_ID": "app", "PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET": "hunter2"}
        )

        client = ("app", SecretStr("hunter2"))
        assert {"zendesk-support": client, "zendesk-talk": client} == settings.oauth_clients
        assert "hunter2" not in repr(settings)

    @pytest.mark.parametrize(
        ("environ", "named"),
        [
            ({"PLUGBAY_PORT": "hunter2"}, "PLUGBAY_PORT"),
            ({"PLUGBAY_EXECUTE_TIMEOUT": "hunter2"}, "PLUGBAY_EXECUTE_TIMEOUT"),
            ({"PLUGBAY_AUDIT_CONTENT": "hunter2"}, "PLUGBAY_AUDIT_CONTENT"),
            ({"PLUGBAY_OAUTH_ZENDESK_CLIENT_ID": "app"}, "PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET"),
            ({"PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET": "hunter2"}, "PLUGBAY_OAUTH_ZENDESK_CLIENT_ID"),
        ],
    )
    def test_unreadable(self, environ, named):
        """A variable that cannot be read is named, and its text is not repeated: it may be a secret of another."""
        with pytest.raises(ConfigurationError) as raised:
            Settings.from_environment(environ)

        assert named in str(raised.value)
        assert "hunter2" not in str(raised.value)


class TestValues:
    """What a setting may be."""

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("0.0.0.0", "http://127.0.0.1:8080"),
            ("::", "http://127.0.0.1:8080"),
            ("::1", "http://[::1]:8080"),
            ("plugbay.example", "http://plugbay.example:8080"),
        ],
    )
    def test_public_url(self, host, expected):
        """Without a public URL it is where the server listens."""
        assert expected == Settings(host=host).public_url

    def test_https(self):
        """A public URL loses a slash at its end, and says whether clients come by https."""
        settings = Settings(public_url="https://plugbay.example/")

        assert ("https://plugbay.example", True) == (settings.public_url, settings.is_https)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, 0.0),
            ({"host": "::1"}, 0.0),
            ({"host": "0.0.0.0"}, 5.0),
            ({"public_url": "https://plugbay.example"}, 5.0),
            ({"public_url": "https://plugbay.example", "notice_seconds": 0}, 0.0),
            ({"notice_seconds": 7.5}, 7.5),
        ],
    )
    def test_notice(self, given, expected):
        """What only its own machine reaches gives no notice of its end, unless it is told to."""
        assert expected == Settings(**given).notice


def test_a_variable_with_a_slip_in_its_name_is_told(caplog):
    """A variable that is no setting is named in the log, with what was probably meant and without its value."""
    Settings.from_environment({"PLUGBAY_RATE_PER_MINTE": "5-secret", "PLUGBAY_PORT": "0", "OTHER": "x"})
    expected = "PLUGBAY_RATE_PER_MINTE is no setting; did you mean PLUGBAY_RATE_PER_MINUTE?"
    assert [expected] == [record.getMessage() for record in caplog.records]
