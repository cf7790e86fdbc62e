"""Safe, cheap, reliable hands in business software for AI agents, in whichever framework they are written."""

import logging
from typing import TYPE_CHECKING, Any

from plugbay.errors import (
    AmbiguousConnectorError,
    ApprovalRequiredError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConnectorNotFoundError,
    DeadlineExceededError,
    InvalidParameterError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    PlugbayError,
    PolicyDeniedError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
    UnknownOperationError,
    ValidationFailedError,
)
from plugbay.policy import Policy
from plugbay.registry import list_connectors
from plugbay.result import Listing, Page, Result
from plugbay.tools import tool_utils

if TYPE_CHECKING:
    from plugbay.hosted import connect

__all__ = [
    "AmbiguousConnectorError",
    "ApprovalRequiredError",
    "AuthenticationError",
    "ConfigurationError",
    "ConflictError",
    "ConnectorNotFoundError",
    "DeadlineExceededError",
    "InvalidParameterError",
    "Listing",
    "NetworkError",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "PlugbayError",
    "Policy",
    "PolicyDeniedError",
    "RateLimitedError",
    "ResponseIntegrityError",
    "Result",
    "ServiceError",
    "UnknownOperationError",
    "ValidationFailedError",
    "__version__",
    "connect",
    "list_connectors",
    "tool_utils",
]

__version__ = "0.1.0"

# Without a handler of its own, a library's warnings would go to the standard error of programs that set up no logging.
logging.getLogger("plugbay").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """What only programs with hosted connectors need is imported when it is asked for."""
    if name != "connect":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from plugbay.hosted import connect  # noqa: PLC0415 - only for those who ask

    return connect
