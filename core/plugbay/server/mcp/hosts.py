"""Refuses requests that a web page had a browser make by giving our address another name (DNS rebinding).

The specification of the protocol asks for the check of `Origin` (Model Context Protocol, Transports, Security Warning).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request

from plugbay.server.failures import ApiError
from plugbay.transport.address import is_loopback

if TYPE_CHECKING:
    from plugbay.server.settings import Settings

__all__ = ["check_host"]

_PORTS = {"http": 80, "https": 443}
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to


def check_host(settings: Settings, request: Request) -> None:
    """Lets a request pass that is for us, and that no page of another origin has made.

    Raises:
        ApiError: 421, it is for another host; 403, a page of another origin made it.
    """
    host = request.headers.get("host", "")
    if not _is_our_host(settings, _hostname(f"//{host}")):
        raise ApiError(421, "The request is for another host than this.", error_code="wrong_host", field="Host")
    origin = request.headers.get("origin")
    if origin is not None and not _is_our_origin(settings, origin, host):
        raise ApiError(403, "Pages of other origins may not call tools.", error_code="wrong_origin", field="Origin")


def _is_our_host(settings: Settings, name: str) -> bool:
    """Whether it is the public one, the one we listen on, or another name of this machine if that is all we are on."""
    public = _hostname(settings.public_url)
    if name and name in (public, settings.host.lower()) and name not in _EVERYWHERE:
        return True
    return is_loopback(name) and (is_loopback(public) or is_loopback(settings.host))


def _is_our_origin(settings: Settings, origin: str, host: str) -> bool:
    if _origin(origin) is not None and _origin(origin) in (_origin(settings.public_url), _origin(f"http://{host}")):
        return True
    # What runs on this machine may call what is on this machine only, as the inspector of the protocol does.
    return is_loopback(_hostname(origin)) and is_loopback(_hostname(f"//{host}"))


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname.lower(), port) if parts.hostname else None
