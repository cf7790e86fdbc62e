"""Reads the command line and runs the command; every failure the library can name ends with one line and status 1."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from plugbay import __version__
from plugbay.cli.hosting import add_admin, add_serve
from plugbay.cli.moments import moment
from plugbay.errors import PlugbayError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The command line without the program's name; the process's own if not given.

    Returns:
        The exit status: 0 for success, 1 for a failure, 2 for a command line that cannot be read.
    """
    options = _read(arguments)
    try:
        status: int = options.run(options)
    except BrokenPipeError:
        # The reader, as `head`, has seen enough; what Python still holds for it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PlugbayError as error:
        print(f"plugbay: {error.code}: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    except ImportError as error:
        print(f"plugbay: {error}", file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    return status


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    # argparse takes an option for the end of KEY=VALUE ..., which may go on behind it.
    if rest and ("params" not in options or any(text.startswith("-") for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.params += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="plugbay", description="Hands in business software for AI agents.")
    parser.add_argument("--version", action="version", version=f"plugbay {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _demo(commands.add_parser("demo", help="run an example agent in each installed framework"))
    _tools(commands.add_parser("tools", help="show what a model would see of a connector, and what it costs"))
    _call(commands.add_parser("call", help="run one action with credentials from the environment"))
    _sandbox(commands.add_parser("sandbox", help="run a Zendesk on loopback"))
    add_serve(commands.add_parser("serve", help="run a server that keeps connectors for many agents"))
    add_admin(commands.add_parser("admin", help="manage the database of a server"))
    return parser


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", help="only these; all that are installed if none")
    parser.add_argument("--seed", type=int, default=1, help="of the sandbox's data")

    def run(options: argparse.Namespace) -> int:
        from plugbay.cli.demo import demo  # noqa: PLC0415 - a command loads only what it needs

        return demo(options.frameworks, seed=options.seed)

    parser.set_defaults(run=run)


def _tools(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connector", help="as zendesk-support")
    parser.add_argument("entity", nargs="?", help="only this entity, with what each action does")
    parser.add_argument("action", nargs="?", help="only this action, with all its parameters")
    parser.add_argument("--json", action="store_true", help="the JSON schema of the tool's, or the action's, arguments")

    def run(options: argparse.Namespace) -> int:
        from plugbay.cli.catalogue import show_tools  # noqa: PLC0415 - a command loads only what it needs

        return show_tools(options.connector, options.entity, options.action, as_json=options.json)

    parser.set_defaults(run=run)


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connector", help="as zendesk-support")
    parser.add_argument("entity")
    parser.add_argument("action")
    parser.add_argument("params", nargs="*", metavar="KEY=VALUE", help="arguments; a value may be JSON")
    parser.add_argument("--base-url", help="another root of the service, as the sandbox's")
    parser.add_argument("--select-fields", metavar="A,B", help="only these fields of each record")

    def run(options: argparse.Namespace) -> int:
        from plugbay.cli.catalogue import call_action  # noqa: PLC0415 - a command loads only what it needs

        fields = options.select_fields.split(",") if options.select_fields else None
        names = (options.connector, options.entity, options.action)
        return call_action(*names, options.params, base_url=options.base_url, fields=fields)

    parser.set_defaults(run=run)


def _sandbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the data")
    parser.add_argument("--tickets", type=int, default=300, help="how many tickets there are")
    parser.add_argument("--now", type=moment, metavar="MOMENT", help="when the data ends, in ISO 8601; else this hour")
    parser.add_argument("--plan", default="enterprise_plus", help="whose rate limits hold; none for no limits")
    parser.add_argument("--json", action="store_true", help="print address and credentials as one line of JSON")

    def run(options: argparse.Namespace) -> int:
        from plugbay.sandbox import serve  # noqa: PLC0415 - a command loads only what it needs

        plan = None if options.plan == "none" else options.plan
        try:
            serve(options.port, options.seed, options.tickets, plan, options.json, now=options.now)
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            print(f"plugbay: {getattr(error, 'strerror', None) or error}", file=sys.stderr)  # noqa: T201 - a command's output
            return 1
        return 0

    parser.set_defaults(run=run)
