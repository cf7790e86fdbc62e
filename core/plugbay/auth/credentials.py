"""What the transport asks of credentials, and what it gives them to renew themselves with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeVar

from pydantic import SecretStr

from plugbay.errors import ConfigurationError

__all__ = ["Credentials", "Exchange", "SecretMap", "TokenAnswer", "Unpicklable", "header_text", "reveal"]


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token endpoint answered.

    Args:
        status: HTTP status.
        json: The decoded body, or None if it is not JSON; never shown, as it holds tokens.
        request_id: What the service calls the request, if it says so.
    """

    status: int
    json: Any = field(repr=False)
    request_id: str | None = None


Exchange = Callable[[str, Mapping[str, str]], Awaitable[TokenAnswer]]
"""Posts a JSON object to a path of the service's own origin, without credentials and never redirected.

It returns success and refusal (4xx) alike; every other failure is raised as a `PlugbayError`.
"""


class Credentials(Protocol):
    """What makes a request somebody's.

    An implementation may also have `advice() -> str | None`: what to add so that a refused
    token could be renewed; it becomes the hint of the authentication error. And it may have
    `is_final(renewed) -> bool`: whether a 401 to what `renew` gave is the last word; without it, it is.
    """

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        """The headers to send, after renewing what is about to expire."""
        ...

    async def renew(self, failed: Mapping[str, str], exchange: Exchange) -> Mapping[str, str] | None:
        """New headers after the service answered 401 to `failed`, or None when nothing can be renewed."""
        ...


V = TypeVar("V")


def _fits_header(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and text == text.strip()


class SecretMap(dict[str, V]):
    """A dict whose values no repr shows: it lives in stack frames, whose locals a traceback may print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, "**********"))

    __str__ = __repr__


class Unpicklable:
    """Refuses to be pickled or copied: a pickle would hold the secrets in the clear."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any, /) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and cannot be pickled or copied.")


def reveal(value: SecretStr | str) -> str:
    """The text of a secret."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def header_text(value: SecretStr | str, name: str) -> str:
    """The text of `value`, fit to stand in a header.

    Args:
        value: The secret.
        name: What to call it in the error, which never shows the value.

    Raises:
        ConfigurationError: It is empty, not ASCII, or has a space around it, a line break or a control character.
    """
    if _fits_header(reveal(value)):
        return reveal(value)
    raise ConfigurationError(
        f"The {name} is empty or has characters that cannot be sent.",
        hint="Only printable ASCII, with no spaces or line breaks around it; was it copied whole?",
    )
