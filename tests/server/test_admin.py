"""`plugbay admin`, on a database of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from tests.server.older import to_revision

from plugbay.cli import main
from plugbay.server.database import Database
from plugbay.server.run import first_access, opened
from plugbay.server.settings import CONNECTOR_TYPES, Settings


@pytest.fixture
def url(tmp_path, monkeypatch):
    for name in ("PLUGBAY_MASTER_KEYS", "PLUGBAY_KEY_FILE", "PLUGBAY_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture
def admin(url, capsys):
    """Runs a command, and gives what it printed."""

    def run(*arguments, status=0, as_json=True):
        command = ["admin", *arguments, "--db", url, *(["--json"] if as_json else [])]
        assert status == main(command)
        printed = capsys.readouterr()
        if status:
            assert ("", 1) == (printed.out, printed.err.count("\n"))
            return printed.err
        return json.loads(printed.out) if as_json else printed.out

    return run


@pytest.fixture
def organization(admin):
    return admin("organization", "create", "Larkspur")["organization_id"]


class TestOrganizations:
    """`plugbay admin organization`."""

    def test_list(self, admin, organization):
        """What was made is listed, as JSON and for people."""
        (found,) = admin("organization", "list")

        assert (organization, "Larkspur") == (found["organization_id"], found["name"])
        assert [
            ["organization_id", "name", "created_at"], [organization, "Larkspur", found["created_at"]],
        ] == [line.split() for line in admin("organization", "list", as_json=False).splitlines()]  # fmt: skip

    async def test_none(self, url, admin):
        """A database without any says so."""
        async with opened(Settings(database_url=url)):
            pass
        assert "(none)\n" == await asyncio.to_thread(admin, "organization", "list", as_json=False)

    @pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 256])
    def test_name(self, admin, name):
        """A name that nobody could read is refused."""
        said = admin("organization", "create", name, status=1)
        assert "plugbay: invalid_parameter: The name must have 1 to 255 characters.\n" == said


class TestClients:
    """`plugbay admin client`."""

    async def test_life(self, url, admin, organization):
        """A client that was made gets in with its secret, is listed without it, and is out once it was revoked."""
        made = await asyncio.to_thread(admin, "client", "create", organization, "bot")
        credentials = made["client_id"], made["client_secret"]
        async with opened(Settings(database_url=url)) as server:
            assert await server.clients.authenticate(*credentials) is not None
            (listed,) = await asyncio.to_thread(admin, "client", "list", organization)
            await asyncio.to_thread(admin, "client", "revoke", organization, credentials[0])
            assert await server.clients.authenticate(*credentials) is None

        assert {"client_id", "name", "organization_id", "created_at", "revoked_at"} == listed.keys()
        assert (credentials[0], "bot", None) == (listed["client_id"], listed["name"], listed["revoked_at"])

    def test_join(self, admin, organization):
        """A client may reach several organizations, its own first."""
        other = admin("organization", "create", "Other")["organization_id"]
        client = admin("client", "create", organization, "bot")["client_id"]

        assert [organization, other] == admin("client", "join", other, client)["organizations"]

    def test_join_revoked(self, admin, organization):
        """A client that was revoked reaches nothing any more, and joining it is an error."""
        other = admin("organization", "create", "Other")["organization_id"]
        client = admin("client", "create", organization, "bot")["client_id"]
        admin("client", "revoke", organization, client)

        assert "plugbay: conflict: The client was revoked. Make another.\n" == admin(
            "client", "join", other, client, status=1
        )
        assert [] == admin("client", "list", other)

    def test_unknown(self, admin, organization):
        """What is not there is one line and status 1; that names are no ids is said, and the id that is meant."""
        for group, command, more in (
            ("client", "create", "bot"), ("client", "revoke", "x"), ("client", "join", "x"), ("policy", "set", "{}"),
        ):  # fmt: skip
            said = "plugbay: not_found: There is no such organization. ORGANIZATION is an id; "
            assert f"{said}the id of that name is {organization}.\n" == admin(
                group, command, "Larkspur", more, status=1
            )
            assert f"{said}see `plugbay admin organization list`.\n" == admin(group, command, "x", more, status=1)
        assert "plugbay: invalid_parameter: " in admin("client", "create", organization, "", status=1)
        assert "plugbay: not_found: " in admin("client", "revoke", organization, "nobody", status=1)
        assert "plugbay: not_found: " in admin("client", "list", "nobody", status=1)


class TestRedirects:
    """`plugbay admin redirect`."""

    def test_life(self, admin, organization):
        """URLs are added once, and taken away."""
        one, two = "https://a.example/done", "http://127.0.0.1/done"
        for url in (one, two, one):
            admin("redirect", "add", organization, url)

        assert [{"url": one}, {"url": two}] == admin("redirect", "list", organization)
        assert [{"url": two}] == admin("redirect", "remove", organization, one)
        assert "plugbay: not_found: " in admin("redirect", "remove", organization, one, status=1)

    @pytest.mark.parametrize("wrong", ["http://a.example/", "javascript:alert(1)", "https://a.example/#x", "a"])
    def test_refused(self, admin, organization, wrong):
        """What no browser may be sent to cannot be allowed."""
        assert "plugbay: invalid_parameter: " in admin("redirect", "add", organization, wrong, status=1)


class TestPolicy:
    """`plugbay admin policy`."""

    def test_set(self, admin, organization):
        """A policy that was set is shown."""
        policy = {"allow": ["*.list"], "dry_run": True}

        assert policy == admin("policy", "set", organization, json.dumps(policy))
        assert policy == admin("policy", "show", organization)

    @pytest.mark.parametrize("policy", ["{", "[]", '{"allw": []}', '{"allow": "*.list"}'])
    def test_refused(self, admin, organization, policy):
        """What is no policy is refused, and the old one stays."""
        admin("policy", "set", organization, '{"dry_run": true}')

        assert "plugbay: " in admin("policy", "set", organization, policy, status=1)
        assert {"dry_run": True} == admin("policy", "show", organization)


class TestDatabase:
    """The database that commands work on."""

    @pytest.mark.parametrize("command", [["organization", "list"], ["key", "rotate"], ["database", "upgrade"]])
    def test_missing(self, admin, tmp_path, command):
        """A database that is not there is named, and is not made by who only wants to look or to change it."""
        assert f"plugbay: configuration: There is no database {tmp_path}/a.db." in admin(*command, status=1)
        assert [] == list(tmp_path.iterdir())

    def test_without_tables(self, admin, tmp_path):
        """Nor are the tables made in a database of something else."""
        with closing(sqlite3.connect(tmp_path / "a.db")) as other, other:
            other.execute("CREATE TABLE theirs (id)")

        assert f"There are no tables of plugbay in {tmp_path}/a.db." in admin("organization", "list", status=1)

    def test_older(self, url, admin, tmp_path):
        """Tables of an older version are left to its servers until `database upgrade` is asked for."""
        asyncio.run(_make(url, "0002"))

        for command in (["organization", "list"], ["organization", "create", "Larkspur"]):
            said = admin(*command, status=1)
            assert "plugbay: configuration: The tables of the database are those of an older version" in said
            assert "`plugbay admin database upgrade`" in said
        assert "0002" == _revision(tmp_path / "a.db")

        assert {"tables": "up to date"} == admin("database", "upgrade")
        assert "0002" != _revision(tmp_path / "a.db")
        assert [] == admin("organization", "list")


async def _make(url, revision):
    database = Database(url)
    async with database.begin() as connection:
        await connection.run_sync(to_revision, revision)
    await database.close()


def _revision(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


async def test_rotate(url, admin, tmp_path):
    """After a rotation what was sealed under the old key opens with the new one alone."""
    async with opened(Settings(database_url=url)) as server:
        access = await first_access(server)
        for kind in CONNECTOR_TYPES:
            await server.oauth_apps.put(access.organization_id, kind, "app", SecretStr("hunter2"))
    key_file = tmp_path / "a.db.key"
    old = key_file.read_text()
    new = f"new:{base64.b64encode(secrets.token_bytes(32)).decode()}\n"
    key_file.write_text(new + old)

    done = await asyncio.to_thread(admin, "key", "rotate")

    assert (0, "new") == (done["left"], done["key_id"])
    assert done["rewrapped"] >= len(CONNECTOR_TYPES)
    key_file.unlink()
    async with opened(Settings(database_url=url, keys=SecretStr(new))) as server:
        app = await server.oauth_apps.find(access.organization_id, CONNECTOR_TYPES[0])
        assert "hunter2" == app.client_secret.get_secret_value()


class TestAudit:
    """`plugbay admin audit export`."""

    def test_lines(self, admin, organization):
        """What was done on the command line is in the audit, the oldest first, a line of JSON each."""
        client = admin("client", "create", organization, "bot")["client_id"]
        admin("policy", "set", organization, '{"read_only": true}')
        admin("client", "revoke", organization, client)

        lines = [json.loads(line) for line in admin("audit", "export", organization, as_json=False).splitlines()]

        assert [
            ("client.created", "cli", client, {"name": "bot"}),
            ("policy.set", "cli", None, {"policy": {"read_only": True}}),
            ("client.revoked", "cli", client, None),
        ] == [tuple(line[name] for name in ("event", "via", "subject", "content")) for line in lines]
        assert all(line["at"].endswith("Z") for line in lines)

    def test_since(self, admin, organization):
        """Only what is within the time that is asked for is printed."""
        admin("client", "create", organization, "bot")
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

        assert "" == admin("audit", "export", organization, "--since", tomorrow, as_json=False)
        assert 1 == admin("audit", "export", organization, "--until", tomorrow, as_json=False).count("\n")
