"""The only room that speaks HTTP."""

from plugbay.transport.clients import Limits
from plugbay.transport.message import Download, Request, Response
from plugbay.transport.retry import RetryPolicy
from plugbay.transport.transport import Transport

__all__ = ["Download", "Limits", "Request", "Response", "RetryPolicy", "Transport"]
