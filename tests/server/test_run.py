"""From `plugbay serve` to its end, as a process of its own."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr
from tests.server.command import ENVIRONMENT, PATIENCE, PLUGBAY, plugbay, served

from plugbay.errors import ConfigurationError, ServiceError
from plugbay.server.keys import StaticKeys
from plugbay.server.run import first_access, open_server, opened
from plugbay.server.settings import Settings
from plugbay.server.store import Clients

HEAD = "POST /api/v1/account/applications/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"


def port_of(line) -> int:
    return int(line["url"].rpartition(":")[2])


def listens(line) -> bool:
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port_of(line))) == 0


def get(line, path, **more) -> httpx.Response:
    return httpx.get(f"{line['url']}{path}", timeout=20, **more)


def post(line, path, body, **more) -> httpx.Response:
    return httpx.post(f"{line['url']}{path}", json=body, timeout=20, **more)


def token(line) -> httpx.Response:
    given = {"client_id": line["client_id"], "client_secret": line["client_secret"]}
    return post(line, "/api/v1/account/applications/token", given)


class TestStart:
    """The start."""

    def test_first(self, tmp_path):
        """The first start makes an organization and a client whose printed credentials work; the second shows no secret."""
        with served(tmp_path / "a.db") as first:
            assert {"url", "client_id", "client_secret", "organization_id"} == first.line.keys()
            answer = token(first.line)
            assert (200, first.line["organization_id"]) == (answer.status_code, answer.json()["organization_id"])
            assert 200 == get(first.line, "/ready").status_code
            assert 0 == first.end()
        with served(tmp_path / "a.db") as second:
            unchanged = ("client_id", "organization_id")
            assert [first.line[name] for name in unchanged] == [second.line[name] for name in unchanged]
            assert second.line["client_secret"] is None
            assert 200 == token(second.line | {"client_secret": first.line["client_secret"]}).status_code

    def test_sandbox(self, tmp_path):
        """With --sandbox it runs a Zendesk beside itself, whose credentials it prints and whose OAuth client it uses."""
        with served(tmp_path / "a.db", "--sandbox") as running:
            zendesk = running.line["sandbox"]
            names = "base_url subdomain access_token refresh_token client_id client_secret email api_token"
            assert set(names.split()) == zendesk.keys()
            headers = {"authorization": f"Bearer {token(running.line).json()['access_token']}"}
            made = post(
                running.line,
                "/api/v1/integrations/connectors",
                {
                    "workspace_name": "acme",
                    "connector_type": "zendesk-support",
                    "credentials": {"access_token": zendesk["access_token"]},
                },
                headers=headers,
            )
            assert (200, "active") == (made.status_code, made.json()["status"])
            begun = post(
                running.line,
                "/api/v1/integrations/connectors/oauth/initiate",
                {
                    "workspace_name": "acme",
                    "connector_type": "Zendesk-Support",
                    "redirect_url": "https://yourapp.com/oauth/callback",
                },
                headers=headers,
            )
            assert running.line["url"] == begun.json()["consent_url"].partition("/oauth/")[0]
            assert 0 == running.end()

    def test_text(self, tmp_path):
        """Without --json a person can read it, and is told that the secret is shown once."""
        command = [*PLUGBAY, "serve", "--db", f"sqlite:///{tmp_path}/a.db", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
            first = process.stdout.readline()
            process.terminate()
            said = process.stdout.read()
            assert 0 == process.wait(PATIENCE)

        assert "plugbay is listening. Stop it with Ctrl-C.\n" == first
        assert "client_secret" in said
        assert "The client's secret is shown this once." in said

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (("--port", "99999"), "plugbay: configuration: PLUGBAY_PORT must be from 0 to 65535.\n"),
            (("--db", "mysql://user:hunter2@host/name"), "plugbay: configuration: "),
            (
                ("--db", "postgresql://user:hunter2@127.0.0.1:1/name"),
                "plugbay: service_error: The database cannot be reached: ConnectionRefusedError.\n",
            ),
            (("--key-file", "/nowhere/key"), "plugbay: configuration: The key file /nowhere/key is missing."),
        ],
    )
    def test_refused(self, tmp_path, options, expected):
        """What keeps it from starting is one line and status 1, without a secret."""
        done = plugbay("serve", "--db", f"sqlite:///{tmp_path}/a.db", "--port", "0", *options)

        assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n"))
        assert done.stderr.startswith(expected)
        assert "hunter2" not in done.stderr

    def test_taken_port(self, tmp_path):
        """A port that is in use is one line that names it, and status 1."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = plugbay("serve", "--db", f"sqlite:///{tmp_path}/a.db", "--port", str(port))

        assert (1, f"plugbay: cannot listen on 127.0.0.1:{port}: Address already in use\n") == (
            done.returncode,
            done.stderr,
        )

    def test_wrong_key(self, tmp_path):
        """A key that does not open what is stored is noticed at the start."""
        with served(tmp_path / "a.db") as running:
            assert 0 == running.end()

        done = plugbay(
            "serve", "--db", f"sqlite:///{tmp_path}/a.db", "--port", "0", PLUGBAY_MASTER_KEYS=f"other:{'A' * 43}="
        )

        assert (1, 1) == (done.returncode, done.stderr.count("\n"))
        assert "key" in done.stderr
        assert "AAAA" not in done.stderr

    def test_several_processes(self, database_url):
        """Several processes share a port and a database: one knows the secret, and each takes the other's tokens."""
        keys = {"PLUGBAY_MASTER_KEYS": f"only:{'A' * 43}="}
        with served(database_url, "--reuse-port", **keys) as first:
            options = ("--reuse-port", "--port", str(port_of(first.line)))
            with served(database_url, *options, **keys) as second, served(database_url, **keys) as third:
                assert first.line["url"] == second.line["url"]
                assert [None, None] == [each.line["client_secret"] for each in (second, third)]
                headers = {"authorization": f"Bearer {token(first.line).json()['access_token']}"}
                assert 200 == get(third.line, "/api/v1/workspaces", headers=headers).status_code
                assert [0, 0, 0] == [each.end() for each in (first, second, third)]


class TestEnd:
    """The end."""

    def test_sigterm(self, tmp_path):
        """A request that runs when SIGTERM comes is finished, after the port was closed; its status is 0."""
        log = tmp_path / "log"
        with served(tmp_path / "a.db", log=str(log), PLUGBAY_NOTICE_SECONDS="0") as running:
            body = json.dumps({name: running.line[name] for name in ("client_id", "client_secret")}).encode()
            with socket.create_connection(("127.0.0.1", port_of(running.line))) as wire:
                wire.sendall(f"{HEAD}content-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n".encode())
                # That it asks for the body shows that the request runs.
                assert wire.recv(1000).startswith(b"HTTP/1.1 100")
                running.process.terminate()
                while listens(running.line):
                    pass
                wire.sendall(body)
                answer = b"".join(iter(lambda: wire.recv(65_536), b""))
            assert 0 == running.process.wait(PATIENCE)

        head, _, content = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in head.lower()
        assert running.line["organization_id"] == json.loads(content)["organization_id"]
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert {"error"}.isdisjoint(line["level"] for line in lines)
        assert running.line["client_secret"] not in log.read_text()

    def test_notice(self, tmp_path):
        """After SIGTERM an idle process says that it is not ready, and goes on answering until its notice is over."""
        with served(tmp_path / "a.db", PLUGBAY_NOTICE_SECONDS="60") as running:
            running.process.terminate()
            while get(running.line, "/ready").status_code == 200:
                pass
            assert (200, None) == (token(running.line).status_code, running.process.poll())

    def test_second_signal(self, tmp_path):
        """A second signal ends the process although a request runs."""
        with (
            served(tmp_path / "a.db", PLUGBAY_NOTICE_SECONDS="60") as running,
            socket.create_connection(("127.0.0.1", port_of(running.line))) as wire,
        ):
            wire.sendall(f"{HEAD}content-length: 9\r\nexpect: 100-continue\r\n\r\n".encode())
            assert wire.recv(1000).startswith(b"HTTP/1.1 100")
            running.process.terminate()
            while get(running.line, "/ready").status_code == 200:
                pass
            running.process.terminate()
            assert running.process.wait(PATIENCE) is not None


class TestOpening:
    """`open_server`."""

    async def test_key_file(self, tmp_path):
        """The key that is made beside a new SQLite file is its owner's alone."""
        async with opened(Settings(database_url=f"sqlite:///{tmp_path}/a.db")):
            assert 0o600 == stat.S_IMODE((tmp_path / "a.db.key").stat().st_mode)

    async def test_first_access(self, tmp_path):
        """Of several processes that start at once one makes the first client, and all name the same."""
        import asyncio

        settings = Settings(database_url=f"sqlite:///{tmp_path}/a.db")
        async with opened(settings) as one, opened(settings) as two:
            found = await asyncio.gather(*(first_access(server) for server in (one, two) * 20))

        assert 1 == len({(each.organization_id, each.client_id) for each in found})
        assert 1 == sum(each.client_secret is not None for each in found)

    async def test_broken_off(self, tmp_path):
        """A first start that ends half-way leaves nothing half made: the next one makes both and tells the secret."""

        class Ending(Clients):
            async def create(self, *_args, **_options):
                raise ServiceError("The process ends.")

        async with opened(Settings(database_url=f"sqlite:///{tmp_path}/a.db")) as server:
            with pytest.raises(ServiceError, match="ends"):
                await first_access(replace(server, clients=Ending(server.database)))

            assert [] == await server.organizations.list()
            assert (await first_access(server)).client_secret is not None

    async def test_all_revoked(self, tmp_path):
        """Where all clients were revoked, none is named and none is made."""
        async with opened(Settings(database_url=f"sqlite:///{tmp_path}/a.db")) as server:
            access = await first_access(server)
            await server.clients.revoke(access.organization_id, access.client_id)

            assert (access.organization_id, None) == (
                (again := await first_access(server)).organization_id,
                again.client_id,
            )

    async def test_wrong_key(self, tmp_path):
        """A server that cannot be opened leaves nothing open."""
        url = f"sqlite:///{tmp_path}/a.db"
        async with opened(Settings(database_url=url)):
            pass
        other = SecretStr("other:" + "A" * 43 + "=")

        assert StaticKeys.parse(other)
        with pytest.raises(ConfigurationError, match="key"):
            await open_server(Settings(database_url=url, keys=other))
