"""The examples run offline, and the demo notices when they are wrong."""

from __future__ import annotations

import importlib
import importlib.util
import os

import pytest

from plugbay.cli.demo import FRAMEWORKS, Truth
from plugbay.cli.main import main

pytest.importorskip("starlette", reason="the examples play in the sandbox")

from plugbay_examples.scene import scene
from plugbay_examples.transcript import Transcript

SETTINGS = ("AGENT_MODEL", "AGENT_CUSTOMER", "OPENAI_API_KEY", "ZENDESK_SUBDOMAIN")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_example_answers_from_the_tools(framework: str) -> None:
    """Each example makes its five calls, none fails, and its answer holds what the calls brought."""
    pytest.importorskip(FRAMEWORKS[framework])
    example = importlib.import_module(f"plugbay_examples.{framework}_agent")

    async with scene() as at:
        transcript = await example.answer(at)

    assert [False] * 5 == [step.failed for step in transcript.steps]
    assert "open tickets" in transcript.answer
    assert "calls today" in transcript.answer


def test_demo_runs_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    """`plugbay demo` runs every installed framework, says what each step cost, and ends with status 0."""
    installed = [name for name, package in FRAMEWORKS.items() if importlib.util.find_spec(package)]
    if not installed:
        pytest.skip("no framework is installed")

    assert 0 == main(["demo"])

    printed = capsys.readouterr().out
    assert len(installed) == sum(line.startswith("== ") for line in printed.splitlines())
    assert 5 * len(installed) <= printed.count(" tokens]")
    assert f"Every step gave what it should: {', '.join(installed)}." in printed


def test_demo_forgets_the_shells_zendesk_only_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo plays in its sandbox whatever Zendesk the shell names, and leaves the environment as it was."""
    if not any(importlib.util.find_spec(package) for package in FRAMEWORKS.values()):
        pytest.skip("no framework is installed")
    monkeypatch.setenv("ZENDESK_SUBDOMAIN", "acme")

    assert 0 == main(["demo"])
    assert "acme" == os.environ["ZENDESK_SUBDOMAIN"]


def test_demo_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown framework is an error that names the known ones."""
    assert 1 == main(["demo", "nonesuch"])
    assert "pydantic_ai" in capsys.readouterr().err


def test_truth_finds_a_wrong_answer() -> None:
    """An answer that leaves a ticket out, or a call that failed, is a problem."""
    truth = Truth(tickets={7: "open", 9: "new"}, newest=("Broken zip", "Late parcel"), calls=16)
    transcript = Transcript("any", "scripted", "?")
    transcript.add("tool", {}, '{"error": {}}')
    transcript.answer = "#7, and 16 calls"

    problems = truth.problems(transcript, scripted=True)

    assert "call 1 failed" in problems
    assert "the answer does not say 9" in problems
    assert "the answer does not say Broken zip or Late parcel" in problems
    assert "the answer does not say 7" not in problems
