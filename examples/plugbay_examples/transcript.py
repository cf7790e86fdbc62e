"""What was said between an assistant and its tools, and what it cost."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from typing import Any

from plugbay.cli.cost import cost, tokens

SHOWN = 360
"""Characters of a tool's result that are printed; the model gets it whole."""


@dataclass(slots=True)
class Step:
    """One call of a tool: its name, its arguments as JSON text, and what the model was given back."""

    tool: str
    arguments: str
    result: str

    @property
    def failed(self) -> bool:
        """Whether the model was told of a failure."""
        try:
            return "error" in json.loads(self.result)
        except ValueError:
            return True


@dataclass(slots=True)
class Transcript:
    """A whole conversation."""

    framework: str
    model: str
    question: str
    steps: list[Step] = field(default_factory=list[Step])
    answer: str = ""

    def add(self, tool: str, arguments: Any, result: Any) -> None:
        """Notes one call; arguments and result are texts, or values that become their JSON."""
        self.steps.append(Step(tool, _text(arguments), _text(result)))

    def show(self) -> str:
        """The conversation for a person, with the cost of each step."""
        lines = [f"== {self.framework} ({self.model}) ==", _block("user", self.question)]
        for number, step in enumerate(self.steps, 1):
            lines.append(_block(f"call {number}", f"{step.tool} {step.arguments}"))
            shown = step.result if len(step.result) <= SHOWN else f"{step.result[:SHOWN]} …"
            lines.append(_block("FAILED" if step.failed else "result", shown))
            lines.append(_block("", f"[{cost(step.arguments + step.result)}]"))
        lines.append(_block("answer", self.answer))
        size = sum(len(step.arguments) + len(step.result) for step in self.steps)
        total = f"{len(self.steps)} calls, {size:,} characters, about {tokens('x' * size):,} tokens"
        return "\n".join([*lines, _block("total", total), ""])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _block(label: str, text: str) -> str:
    lines = [line for part in text.splitlines() or [""] for line in textwrap.wrap(part, 104) or [""]]
    return textwrap.indent("\n".join(lines), " " * 9).replace(" " * 9, f"{label:<9}", 1)
