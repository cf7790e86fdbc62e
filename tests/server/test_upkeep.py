"""What has expired."""

from __future__ import annotations

from plugbay.server.run import first_access, opened
from plugbay.server.settings import Settings
from plugbay.server.upkeep import purge


async def test_purge():
    """What has expired is deleted, and what holds stays."""
    async with opened(Settings(database_url="sqlite://")) as server:
        access = await first_access(server)
        issue = {"client_id": access.client_id, "organization_id": access.organization_id}
        await server.bearers.issue("application", **issue, lifetime=-1)
        valid = await server.bearers.issue("application", **issue, lifetime=60)

        assert 1 == await purge(server)
        assert await server.bearers.find(valid) is not None
