"""`plugbay tools` and `plugbay call`: a connector seen and used from the shell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from plugbay.cli.cost import cost
from plugbay.errors import InvalidParameterError
from plugbay.json_safe import to_json
from plugbay.plain_text import Cleaning
from plugbay.registry import find_connector
from plugbay.tools.parameters import execute_schema

__all__ = ["call_action", "show_tools"]


def show_tools(connector: str, entity: str | None, action: str | None, *, as_json: bool) -> int:
    """Prints what a model would see of a connector.

    Args:
        connector: Its slug.
        entity: Only this entity.
        action: Only this action of it.
        as_json: Print the JSON schema of the arguments instead of the text.
    """
    kind = find_connector(connector)
    text = kind.describe(entity, action)
    if as_json:
        schema = execute_schema([kind]) if action is None else kind.find(entity, action).arguments.schema
        print(json.dumps(schema, indent=2))  # noqa: T201 - a command's output
        return 0
    print(text)  # noqa: T201 - a command's output
    print(f"\n[{cost(text)}]")  # noqa: T201 - a command's output
    return 0


def call_action(
    connector: str,
    entity: str,
    action: str,
    params: Sequence[str],
    *,
    base_url: str | None,
    fields: Sequence[str] | None,
) -> int:
    """Runs one action and prints its result as JSON.

    Args:
        connector: The connector's slug; its credentials come from the environment.
        entity: As `tickets`.
        action: As `list`.
        params: The arguments, each as `name=value`; a value may be JSON.
        base_url: Another root of the service.
        fields: Only these fields of each record.

    Raises:
        PlugbayError: The action failed.
    """
    kind = find_connector(connector)
    given: dict[str, Any] = {}
    for name, value in map(_pair, params):
        if name in given:
            raise InvalidParameterError(f"{name[:60]!r} is given twice.")
        given[name] = value

    async def run() -> Any:
        async with kind.from_environment(base_url=base_url) as made:
            return await made.execute(entity, action, given, select_fields=fields)

    result = asyncio.run(run())
    # A terminal obeys what strangers wrote, if it is let to.
    shown = Cleaning().json(to_json(result))
    print(json.dumps(shown, indent=2, ensure_ascii=False))  # noqa: T201 - a command's output
    return 0


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidParameterError(f"{text[:60]!r} is not an argument.", hint="Write name=value, as in ticket_id=1.")
    if value == "null":
        return name, None
    if not value.startswith('"'):
        # Numbers, flags, lists and objects are read where one is wanted: `external_id=007` stays as it is.
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
