"""The command lines of `plugbay serve` and `plugbay admin`; what they do is loaded when they are run."""

from __future__ import annotations

import argparse
from typing import Any

from plugbay.cli.moments import moment

__all__ = ["add_admin", "add_serve"]

_URL = "sqlite:///path or postgresql://user:password@host/name"


def add_serve(parser: argparse.ArgumentParser) -> None:
    """`plugbay serve`; what is not given is taken from the environment, `PLUGBAY_<NAME>`."""
    parser.add_argument("--db", dest="database_url", metavar="URL", help=f"{_URL}; default sqlite:///plugbay.db")
    parser.add_argument("--host", help="the address to listen on; default 127.0.0.1")
    parser.add_argument("--port", type=int, help="default 8080; 0 takes a free one")
    parser.add_argument("--public-url", metavar="URL", help="how clients and browsers reach the server")
    parser.add_argument("--key-file", metavar="PATH", help="the keys that seal stored credentials")
    parser.add_argument("--reuse-port", action="store_true", default=None, help="let several processes share the port")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], help="default info")
    parser.add_argument("--sandbox", action="store_true", help="run a Zendesk beside it, to which all calls go")
    parser.add_argument("--json", action="store_true", help="print address and credentials as one line of JSON")
    names = ("database_url", "host", "port", "public_url", "key_file", "reuse_port", "log_level")

    def run(options: argparse.Namespace) -> int:
        from plugbay.cli.serve import serve  # noqa: PLC0415 - a command loads only what it needs

        given = {name: getattr(options, name) for name in names}
        return serve(given, with_sandbox=options.sandbox, as_json=options.json)

    parser.set_defaults(run=run)


def add_admin(parser: argparse.ArgumentParser) -> None:
    """`plugbay admin`, with a parser for each command."""
    groups = parser.add_subparsers(required=True, metavar="WHAT")
    organization = _group(groups, "organization", "whose data is kept apart")
    _command(organization, "create", "make an organization", "name")
    _command(organization, "list", "show all organizations")
    client = _group(groups, "client", "who may call the API")
    _command(client, "create", "make a client and show its secret, once", "organization", "name")
    _command(client, "list", "show the clients of an organization", "organization")
    _command(client, "revoke", "end a client and its tokens", "organization", "client")
    _command(client, "join", "let a client reach one more organization", "organization", "client")
    redirect = _group(groups, "redirect", "where a browser may be sent after a consent")
    _command(redirect, "add", "allow a URL", "organization", "url")
    _command(redirect, "remove", "allow it no longer", "organization", "url")
    _command(redirect, "list", "show the URLs that are allowed", "organization")
    policy = _group(groups, "policy", "what an organization's connectors may do")
    _command(policy, "show", "show the policy", "organization")
    _command(policy, "set", 'replace the policy, as \'{"allow": ["*.list", "*.get"]}\'', "organization", "policy")
    database = _group(groups, "database", "the tables")
    _command(database, "upgrade", "bring the tables of an older version up to date")
    key = _group(groups, "key", "the keys that seal stored credentials")
    _command(key, "rotate", "wrap everything that is stored under the newest key")
    audit = _group(groups, "audit", "who did what")
    export = _command(audit, "export", "print the entries as lines of JSON, the oldest first", "organization")
    export.add_argument("--since", type=moment, metavar="MOMENT", help="only from then on, in ISO 8601")
    export.add_argument("--until", type=moment, metavar="MOMENT", help="only before then")


def _group(groups: Any, name: str, text: str) -> tuple[str, Any]:
    return name, groups.add_parser(name, help=text).add_subparsers(required=True, metavar="DO")


def _command(group: tuple[str, Any], name: str, text: str, *arguments: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = group[1].add_parser(name, help=text)
    for argument in arguments:
        parser.add_argument(argument, metavar=argument.upper())
    parser.add_argument("--db", metavar="URL", help=f"{_URL}; default PLUGBAY_DATABASE_URL, or sqlite:///plugbay.db")
    parser.add_argument("--key-file", metavar="PATH", help="the keys that seal stored credentials")
    parser.add_argument("--json", action="store_true", help="print JSON")

    def run(options: argparse.Namespace) -> int:
        from plugbay.cli import admin  # noqa: PLC0415 - a command loads only what it needs

        return admin.run(options)

    parser.set_defaults(run=run, command=f"{group[0]} {name}")
    return parser
