"""The only room that speaks HTTP."""

from plugbay.transport.bounds import Bounds
from plugbay.transport.clients import Limits
from plugbay.transport.deadline import Deadline
from plugbay.transport.limiter import Budget
from plugbay.transport.message import Download, Request, Response
from plugbay.transport.retry import RetryPolicy
from plugbay.transport.transport import Transport

__all__ = ["Bounds", "Budget", "Deadline", "Download", "Limits", "Request", "Response", "RetryPolicy", "Transport"]
