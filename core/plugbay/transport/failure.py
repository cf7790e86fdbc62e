"""Names for what goes wrong on the wire.

The HTTP library's exceptions hold the request with its credentials. They are never let out nor
chained: a failure is made into a value, and raised where the exception is gone.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

import httpx

from plugbay.errors import NetworkError, PlugbayError, ResponseIntegrityError, clip

__all__ = ["Failure", "cut_short", "no_answer"]

HEADERS_TOO_LARGE = 431
"""What a server would answer to such headers (RFC 6585 section 5), and the parser's word for those it gives up on."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.LocalProtocolError, httpx.ProxyError)
"""What fails before the service has got any of the request."""


class Failure(NamedTuple):
    """A try that brought no whole answer.

    Args:
        error: What to raise if it was the last.
        unsent: Whether the service certainly did not get the request.
        final: Whether another try is pointless.
    """

    error: PlugbayError
    unsent: bool = False
    final: bool = False


def no_answer(error: Exception, host: str) -> Failure:
    """The failure that an exception means which came before an answer did."""
    if _has_endless_headers(error):
        return Failure(_headers_too_large(host), final=True)
    if _is_distrust(error):
        return Failure(_no_trust(error, host), unsent=True, final=True)
    reason = type(error).__name__
    if isinstance(error, httpx.ConnectError):
        # Of a protocol error not even the text may be shown: it can quote a header.
        reason = clip(str(error), 200) or reason
    unsent = isinstance(error, _UNSENT)
    what = f"Could not connect to {host}" if unsent else f"The connection to {host} broke"
    return Failure(NetworkError(f"{what} ({reason}).", details={"host": host}), unsent=unsent)


def _has_endless_headers(error: BaseException) -> bool:
    """Whether the answer's headers were more than the HTTP library reads, which only its parser's error says."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "error_status_hint", None) == HEADERS_TOO_LARGE:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _is_distrust(error: Exception) -> bool:
    """Whether the host's certificate does not hold, or it does not speak TLS at all: it will not by the next try.

    Later, what is no TLS is a fault of the connection, and the service may have got the request.
    """
    cause: BaseException | None = error if isinstance(error, httpx.ConnectError) else None
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError) or getattr(cause, "reason", None) == "WRONG_VERSION_NUMBER":
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _no_trust(error: Exception, host: str) -> NetworkError:
    return NetworkError(
        f"No secure connection to {host} can be made ({clip(str(error), 200)}).",
        hint="Check the address, its port, and the certificate that is there.",
        retryable=False,
        details={"host": host},
    )


def _headers_too_large(host: str) -> ResponseIntegrityError:
    return ResponseIntegrityError(
        f"{host} answered with headers larger than can be read, which is some 100 KiB.", details={"host": host}
    )


def cut_short(status: int) -> Failure:
    """The failure of an answer that began and did not end."""
    return Failure(ResponseIntegrityError("The answer was cut short.", retryable=True, details={"status": status}))
