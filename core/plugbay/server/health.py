"""Whether the process lives, and whether it should be given requests."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from plugbay.errors import PlugbayError
from plugbay.server.database import Database
from plugbay.server.endpoint import Call, Endpoint, endpoint
from plugbay.server.failures import unavailable

__all__ = ["ENDPOINTS"]


class Health(BaseModel):
    """A sign of life."""

    status: Literal["ok"] = "ok"


@endpoint("GET", "/health", summary="Whether the process lives", answer=Health, auth="none", tag="Health")
async def health(_call: Call) -> Health:
    """Asks nothing but the process itself: one that does not answer should be started anew."""
    return Health()


@endpoint("GET", "/ready", summary="Whether to send requests here", answer=Health, auth="none", tag="Health")
async def ready(call: Call) -> Health:
    """503 while the database cannot be reached or written, while its tables do not fit, and when the process ends."""
    if call.server.drain.begun:
        raise unavailable("The process is about to end.")
    try:
        is_fitting = await _has_fitting_tables(call.server.database)
        can_write = await call.server.database.can_write()
    except PlugbayError:
        raise unavailable("The database cannot be reached.") from None
    if not is_fitting:
        raise unavailable("The database has the tables of another version.")
    if not can_write:
        raise unavailable("The database cannot be written.")
    return Health()


async def _has_fitting_tables(database: Database) -> bool:
    return await database.age() == "fitting"


ENDPOINTS: list[Endpoint] = [health, ready]
