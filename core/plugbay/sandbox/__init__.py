"""A Zendesk that runs on loopback, for tests, demos and examples."""

from __future__ import annotations

try:
    import starlette as _starlette  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import uvicorn as _uvicorn  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise ImportError('the sandbox needs its extra: pip install "plugbay[sandbox]"') from error

from plugbay.sandbox.clock import Clock
from plugbay.sandbox.failure import Failure
from plugbay.sandbox.faults import Fault
from plugbay.sandbox.recording import RecordedRequest
from plugbay.sandbox.sandbox import Sandbox, serve

__all__ = ["Clock", "Failure", "Fault", "RecordedRequest", "Sandbox", "serve"]
