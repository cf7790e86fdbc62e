"""What makes a function, or a connector, into tools for any agent framework."""

from plugbay.tools.adapter import Adapter
from plugbay.tools.decorator import MAX_OUTPUT_CHARS, tool_utils
from plugbay.tools.envelope import Envelope, failure_text, is_failure
from plugbay.tools.hints import Hint
from plugbay.tools.spec import Catalogued, ToolSpec, execute_specs

__all__ = [
    "MAX_OUTPUT_CHARS",
    "Adapter",
    "Catalogued",
    "Envelope",
    "Hint",
    "ToolSpec",
    "execute_specs",
    "failure_text",
    "is_failure",
    "tool_utils",
]
