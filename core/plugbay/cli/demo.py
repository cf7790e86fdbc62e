"""`plugbay demo`: the example agents, one framework after the other, against the sandbox.

Nothing is taken on trust: what the assistants say is held against what the sandbox itself answers to plain
HTTP requests.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from plugbay.cli.cost import cost
from plugbay.errors import ConfigurationError

__all__ = ["FRAMEWORKS", "Truth", "demo"]

FRAMEWORKS = {"pydantic_ai": "pydantic_ai", "langchain": "langchain", "openai_agents": "agents", "fastmcp": "fastmcp"}
"""The examples, and the package that each needs."""

SCRIPTED_STEPS = 5


def demo(frameworks: Sequence[str], *, seed: int) -> int:
    """Runs the examples and prints them.

    Args:
        frameworks: Their names; all that are installed if there are none.
        seed: Of the sandbox's data.

    Returns:
        0 if every step of every example gave what it should, else 1.

    Raises:
        ConfigurationError: A framework is not known or not installed, or none is.
    """
    return asyncio.run(_demo(_chosen(frameworks), seed))


def _chosen(frameworks: Sequence[str]) -> list[str]:
    named = [name.replace("-", "_") for name in frameworks]
    for name in named:
        if name not in FRAMEWORKS:
            raise ConfigurationError(f"There is no example for {name!r}.", hint=f"There are {', '.join(FRAMEWORKS)}.")
        if find_spec(FRAMEWORKS[name]) is None:
            raise ConfigurationError(f"{name} is not installed.", hint=_install(name))
    chosen = named or [name for name, package in FRAMEWORKS.items() if find_spec(package) is not None]
    if not chosen:
        raise ConfigurationError("No agent framework is installed.", hint=_install("all"))
    return chosen


def _install(extra: str) -> str:
    return f'Run: pip install "plugbay[{extra.replace("_", "-")}]"'


async def _demo(frameworks: Sequence[str], seed: int) -> int:
    from plugbay.sandbox import Sandbox  # noqa: PLC0415 - an extra
    from plugbay.tools import execute_specs  # noqa: PLC0415 - after the extra is known to be there
    from plugbay_examples.scene import scene  # noqa: PLC0415 - needs the sandbox

    wrong: list[str] = []
    async with (
        Sandbox(seed=seed) as sandbox,
        scene(base_url=sandbox.base_url, access_token=sandbox.access_token) as at,
    ):
        specs = execute_specs([at.support, at.talk])
        tools = "".join(spec.description + json.dumps(spec.parameters) for spec in specs)
        print(f"Zendesk: a sandbox at {sandbox.base_url}, seed {seed}")  # noqa: T201 - a command's output
        print(f"Tools: {', '.join(spec.name for spec in specs)} [{cost(tools)}]\n")  # noqa: T201 - a command's output
        truth = await asyncio.to_thread(_truth, sandbox.base_url, sandbox.access_token, at.email)
        for name in frameworks:
            example = importlib.import_module(f"plugbay_examples.{name}_agent")
            transcript = await example.answer(at)
            print(transcript.show())  # noqa: T201 - a command's output
            wrong += [f"{name}: {problem}" for problem in truth.problems(transcript, scripted=at.model is None)]
    for problem in wrong:
        print(f"WRONG  {problem}")  # noqa: T201 - a command's output
    if not wrong:
        print(f"Every step gave what it should: {', '.join(frameworks)}.")  # noqa: T201 - a command's output
    return 1 if wrong else 0


@dataclass(frozen=True, slots=True)
class Truth:
    """What the sandbox says itself.

    Attributes:
        tickets: The customer's unsolved tickets, with their status.
        newest: The subjects of those that changed last, in the same second.
        calls: How many calls agents took today.
    """

    tickets: dict[int, str]
    newest: tuple[str, ...]
    calls: int

    def problems(self, transcript: Any, *, scripted: bool) -> list[str]:
        """What in a transcript is not as it should be.

        Args:
            transcript: What was said.
            scripted: Whether it followed the script, whose calls are known.
        """
        found = [f"call {number} failed" for number, step in enumerate(transcript.steps, 1) if step.failed and scripted]
        if scripted and len(transcript.steps) != SCRIPTED_STEPS:
            found.append(f"{len(transcript.steps)} calls instead of {SCRIPTED_STEPS}")
        if not transcript.steps:
            found.append("no tool was called")
        wanted = [*map(str, self.tickets), str(self.calls)]
        found += [f"the answer does not say {text}" for text in wanted if text not in transcript.answer]
        if scripted and not any(f'"{subject}"' in transcript.answer for subject in self.newest):
            found.append(f"the answer does not say {' or '.join(self.newest)}")
        return found


def _truth(base_url: str, token: str, email: str) -> Truth:
    def read(path: str) -> Any:
        request = urllib.request.Request(base_url + path, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            return json.load(response)

    user = read(f"/api/v2/users/search?{urllib.parse.urlencode({'query': email})}")["users"][0]
    tickets = read(f"/api/v2/users/{user['id']}/tickets/requested?per_page=100")["tickets"]
    unsolved = [ticket for ticket in tickets if ticket["status"] not in {"solved", "closed"}]
    latest = max(ticket["updated_at"] for ticket in unsolved)
    activity = read("/api/v2/channels/voice/stats/agents_activity")["agents_activity"]
    return Truth(
        {ticket["id"]: ticket["status"] for ticket in unsolved},
        tuple(ticket["subject"] for ticket in unsolved if ticket["updated_at"] == latest),
        sum(agent["calls_accepted"] for agent in activity),
    )
