"""Whether the process lives, and whether it should be given requests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from alembic.script import ScriptDirectory
from pydantic import BaseModel
from sqlalchemy import text

from plugbay.errors import PlugbayError
from plugbay.server import migrations
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
    """503 while the database cannot be reached or has other tables than this version needs, and when the process ends."""
    if call.server.drain.begun:
        raise unavailable("The process is about to end.")
    try:
        is_current = await _has_current_tables(call.server.database)
    except PlugbayError:
        raise unavailable("The database cannot be reached.") from None
    if not is_current:
        raise unavailable("The database has the tables of another version.")
    return Health()


async def _has_current_tables(database: Database) -> bool:
    rows = await database.all(text("SELECT version_num FROM alembic_version"))
    return [row[0] for row in rows] == _newest()


@cache
def _newest() -> list[str]:
    return ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads()


ENDPOINTS: list[Endpoint] = [health, ready]
