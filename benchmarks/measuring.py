"""How things are measured: in turns, since the machine is shared, and memory in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

__all__ = ["best_cpu", "child", "peak_mib", "report", "start_peak", "status_kib"]

HERE = Path(__file__).parent


async def best_cpu(calls: list[Callable[[], Awaitable[object]]], times: int, rounds: int) -> list[float]:
    """Milliseconds of CPU of one call of each, the best of `rounds` taken in turns."""
    best = [float("inf")] * len(calls)
    for call in calls:
        await call()
    for _ in range(rounds):
        for index, call in enumerate(calls):
            start = time.process_time()
            for _ in range(times):
                await call()
            best[index] = min(best[index], (time.process_time() - start) / times * 1000)
    return best


def child(*command: str) -> Any:
    """What a fresh process of a script of this folder, or of `-c` code, prints as JSON."""
    script = command if command[0] == "-c" else (str(HERE / command[0]), *command[1:])
    out = subprocess.run([sys.executable, *script], capture_output=True, text=True, env=environment(), check=False)
    if out.returncode != 0:
        raise SystemExit(f"{' '.join(command[:3])} failed:\n{out.stderr}")
    return json.loads(out.stdout)


def environment() -> dict[str, str]:
    """Of a fresh process: one that keeps and uses bytecode, as an installed library does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def report(**figures: float) -> None:
    """Hands a child's figures to `child`."""
    print(json.dumps(figures))


def start_peak() -> float:
    """Resets the process's peak to what it uses now, which is returned in MiB (Linux, proc(5), `clear_refs`)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return status_kib("VmRSS") / 1024


def peak_mib() -> float:
    """The most memory that the process used since `start_peak`, in MiB."""
    return status_kib("VmHWM") / 1024


def status_kib(name: str) -> int:
    """A figure of `/proc/self/status`; getrusage's peak would count the parent's before exec."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) if found else 0
