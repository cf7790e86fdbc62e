"""What a text costs a model."""

from __future__ import annotations

import math

__all__ = ["CHARACTERS_PER_TOKEN", "cost", "tokens"]

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English and JSON; the true number depends on the model."""


def tokens(text: str) -> int:
    """About how many tokens a text is."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def cost(text: str) -> str:
    """A text's size in characters and, roughly, tokens."""
    return f"{len(text):,} characters, about {tokens(text):,} tokens"
