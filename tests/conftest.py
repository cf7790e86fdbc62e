"""How properties are tried, in all of the tests."""

from __future__ import annotations

from hypothesis import settings

# Properties run beside other work: how long one example takes is no fact about the code. And the same commit is judged
# by the same examples each time; `--hypothesis-profile=search` looks for others.
settings.register_profile("plugbay", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("plugbay")
