"""What importing costs, each time in a fresh process that finds its bytecode.

Both connectors against httpx and pydantic alone. CPU is the best of the rounds, memory their median.
Target: at most 1.3 times the baseline's CPU.
"""

from __future__ import annotations

import statistics

from measuring import child
from rows import Row

__all__ = ["imports"]

BASE = "import httpx; from pydantic import BaseModel, TypeAdapter"
OURS = "import plugbay.connectors.zendesk_support, plugbay.connectors.zendesk_talk"

_SCRIPT = """{code}
import time; cpu = time.process_time() * 1000
import re; memory = int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024
print(f'{{{{"cpu": {{cpu}}, "memory": {{memory}}}}}}')"""


def imports(rounds: int) -> list[Row]:
    """CPU and memory of the imports."""
    runs: dict[str, list[dict[str, float]]] = {BASE: [], OURS: []}
    for code in runs:
        child("-c", _SCRIPT.format(code=code))  # only leaves bytecode behind, as an installer does
    for _ in range(rounds):
        for code, figures in runs.items():
            figures.append(child("-c", _SCRIPT.format(code=code)))
    cpu = {code: min(run["cpu"] for run in found) for code, found in runs.items()}
    memory = {code: statistics.median(run["memory"] for run in found) for code, found in runs.items()}
    return [
        Row("import, CPU", cpu[OURS], cpu[BASE], "ms", 1.3),
        Row("import, memory", memory[OURS], memory[BASE], "MiB"),
    ]
