"""Credentials that are handed to the hosted service, once, and are in nothing that anybody is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from plugbay.auth import SecretMap
from plugbay.errors import ConfigurationError, PlugbayError
from plugbay.json_safe import is_object
from plugbay.plain_text import each_text
from plugbay.transport.strike import strike_text
from plugbay.types import SecretModel

__all__ = ["posted", "without"]


def posted(credentials: Any) -> SecretMap[Any]:
    """The fields of credentials as they are posted.

    Args:
        credentials: A connector's own auth config, or its fields by name.

    Raises:
        ConfigurationError: They are neither.
    """
    if isinstance(credentials, SecretModel):
        return _plain({name: getattr(credentials, name) for name in type(credentials).model_fields})
    if is_object(credentials):
        return _plain(credentials)
    raise ConfigurationError(
        f"credentials cannot be {type(credentials).__name__}.",
        hint="Pass the connector's Oauth20AuthConfig or ApiTokenAuthConfig, from its `models` module, or its fields.",
    )


def without(secret: SecretMap[Any], error: PlugbayError) -> PlugbayError:
    """`error`, with every credential struck out that the service quotes in it.

    Args:
        secret: What was posted.
        error: What the service says of it.
    """
    known = SecretMap({str(number): text for number, text in enumerate(_texts(secret))})

    def struck(text: Any) -> Any:
        return strike_text(text, known) if isinstance(text, str) else text

    error.message, error.hint = struck(error.message), struck(error.hint)
    error.args = (error.message,)
    error.details = each_text(error.details, struck)
    return error


def _plain(fields: Mapping[Any, Any]) -> SecretMap[Any]:
    plain: SecretMap[Any] = SecretMap()
    for name, value in fields.items():
        if isinstance(value, SecretStr):
            value = value.get_secret_value()  # noqa: PLW2901 - what follows is about the plain value
        if is_object(value):
            value = _plain(value)  # noqa: PLW2901 - the same
        if value is not None:
            plain[str(name)] = value
    return plain


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    for value in fields.values():
        if is_object(value):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value
