"""A bare Starlette endpoint that does the work of one hosted call, with nothing around it.

Run as a script with a database and an upstream it prints `{"url": ...}` and serves until it is ended.
"""

from __future__ import annotations

import hashlib
import json
import socket
import sqlite3
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["TOKEN", "prepare"]

TOKEN = "bare-token"
SCHEMA = """
create table bearers (hash text primary key, organization text, expires real);
create table connectors (id text primary key, organization text, token text);
create table audit (id text primary key, at real, organization text, entity text, action text, outcome text, ms real);
"""


def prepare(path: Path) -> None:
    """Makes the database."""
    with sqlite3.connect(path) as database:
        database.executescript(f"pragma journal_mode = wal; {SCHEMA}")
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        database.execute("insert into bearers values (?, 'o', ?)", (digest, time.time() + 86_400))
        database.execute("insert into connectors values ('c', 'o', 'token')")
    database.close()


def app(path: str, upstream: str) -> Starlette:
    """The application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            aiosqlite.connect(path) as database,
            httpx.AsyncClient(base_url=upstream, headers={"accept-encoding": "gzip"}, trust_env=False) as http,
        ):
            await database.execute("pragma synchronous = full")
            app.state.database, app.state.http = database, http
            yield

    async def execute(request: Request) -> Response:
        database: aiosqlite.Connection = request.app.state.database
        http: httpx.AsyncClient = request.app.state.http
        start = time.time()
        digest = hashlib.sha256(request.headers["authorization"].removeprefix("Bearer ").encode()).hexdigest()
        query = "select organization from bearers where hash = ? and expires > ?"
        async with database.execute(query, (digest, start)) as rows:
            row = await rows.fetchone()
        if row is None:
            return Response(status_code=401)
        call = json.loads(await request.body())
        async with database.execute("select token from connectors where id = 'c' and organization = ?", row) as rows:
            found = await rows.fetchone()
        if found is None:
            return Response(status_code=404)
        is_list = call["action"] == "list"
        path = "/api/v2/tickets" if is_list else f"/api/v2/tickets/{call['params']['ticket_id']}"
        query = {"page[size]": str(call["params"]["limit"])} if is_list else {}
        answer = await http.get(path, params=query, headers={"authorization": f"Bearer {found[0]}"})
        result = json.loads(answer.content)["tickets" if is_list else "ticket"]
        took = (time.time() - start) * 1000
        note = (str(uuid.uuid4()), start, row[0], call["entity"], call["action"], "ok", took)
        await database.execute("insert into audit values (?, ?, ?, ?, ?, ?, ?)", note)
        await database.commit()
        body = json.dumps({"status": "success", "result": result, "execution_metadata": {"execution_time_ms": took}})
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/execute", execute, methods=["POST"])], lifespan=lifespan)


def main() -> None:
    """Serves."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    config = uvicorn.Config(app(sys.argv[1], sys.argv[2]), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
