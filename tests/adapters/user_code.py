"""Tool functions as users write them, in modules with and without postponed annotations."""

from __future__ import annotations
import __future__

import sys
import types

_SOURCE = '''
import datetime
import math

from plugbay import tool_utils
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
{imports}


def execute(connector, decorate):
    @decorate
    async def zendesk_support_execute(entity: str, action: str, params: dict | None = None):
        """Execute Zendesk-Support connector operations."""
        result = await connector.execute(entity, action, params or {{}})
        return result.model_dump(mode="json") if hasattr(result, "model_dump") else result

    return zendesk_support_execute


def execute_undocumented(connector, decorate):
    @decorate
    async def zendesk_support_execute(entity: str, action: str, params: dict | None = None):
        return await connector.execute(entity, action, params or {{}})

    return zendesk_support_execute


def execute_in_thread(connector, decorate):
    @decorate
    def zendesk_support_execute(entity: str, action: str, params: dict | None = None):
        """Execute Zendesk-Support connector operations."""
        return connector.sync.execute(entity, action, params or {{}})

    return zendesk_support_execute


def execute_with_context(connector, decorate, seen):
    @decorate
    async def zendesk_support_execute(
        {context}, entity: str, action: str, params: dict | None = None, reason: str = "none"
    ):
        """Execute Zendesk-Support connector operations."""
        seen.append(({context_name}, reason))
        return await connector.execute(entity, action, params or {{}})

    return zendesk_support_execute


def value_of_my_own(decorate):
    @decorate
    async def my_report(days: int = 1) -> dict:
        """A report.

        Args:
            days: How many days.
        """
        return {{
            "nothing": None, "nan": math.nan, "day": datetime.date(2026, 11, 22), "set": {{days}}, "bytes": b"ab",
            "object": object(),
        }}

    return my_report


def nothing_of_my_own(decorate):
    @decorate
    async def my_nothing():
        """Does something."""

    return my_nothing


def failing(decorate, error):
    @decorate
    async def my_failing():
        """Fails."""
        raise error

    return my_failing


def failing_in_thread(decorate, error):
    @decorate
    def my_failing():
        """Fails."""
        raise error

    return my_failing


def telling(decorate, said):
    @decorate
    async def my_telling():
        """Tells of a failure."""
        return {{"error": said}}

    return my_telling
'''


def user_module(*, imports="", context="ctx", postponed=False):
    """A user's module.

    Args:
        imports: What it imports of its framework.
        context: The parameter by which its function takes the framework's context, annotated.
        postponed: Whether it begins with `from __future__ import annotations`.
    """
    module = types.ModuleType(f"user_module_{'postponed' if postponed else 'plain'}")
    source = _SOURCE.format(imports=imports, context=context, context_name=context.partition(":")[0])
    flags = __future__.annotations.compiler_flag if postponed else 0
    sys.modules[module.__name__] = module
    exec(compile(source, module.__name__, "exec", flags=flags, dont_inherit=True), module.__dict__)
    return module
