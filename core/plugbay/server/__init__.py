"""The hosted API as a server of one's own: connectors, their credentials and their audit for many organizations."""

from __future__ import annotations

try:
    import aiosqlite as _aiosqlite  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import alembic as _alembic  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import asyncpg as _asyncpg  # type: ignore[import-untyped]  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import cryptography as _cryptography  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import sqlalchemy as _sqlalchemy  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise ImportError('the server needs its extra: pip install "plugbay[server]"') from error
