"""What may be done: read-only, allow, deny, confirm, dry run.

A policy speaks of actions as patterns over `entity.action`: `tickets.*`, `*.get`,
`tickets.update`. Deny wins over everything.
"""

from __future__ import annotations

import enum
import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from plugbay.errors import ApprovalRequiredError, ConfigurationError, PolicyDeniedError
from plugbay.operation import Effect, Operation

__all__ = ["Policy", "Rules", "Verdict"]

_PATTERN = re.compile(r"[^\s.]+\.[^\s.]+")


class Verdict(enum.Enum):
    """A policy's answer."""

    ALLOW = "allow"
    DENY = "deny"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Policy:
    """Which actions may run.

    A model's call may only read, unless a policy gives leave for the write: by `read_only=False`, by a pattern of
    `allow` or `confirm`, or by `dry_run`. A programmer's call needs no leave.

    Args:
        read_only: True lets only actions run that change nothing; False gives a model leave for the others.
        allow: Patterns of the actions that may run; all if empty.
        deny: Patterns of the actions that may not, whatever `allow` says.
        confirm: Patterns of the actions that a person must agree to first.
        dry_run: Check and build writes, but send none of them: the result says what would have been sent.

    Raises:
        ConfigurationError: A pattern is not of the form `entity.action`.
    """

    read_only: bool | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    dry_run: bool = False

    def __init__(
        self,
        *,
        read_only: bool | None = None,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        confirm: Iterable[str] = (),
        dry_run: bool = False,
    ) -> None:
        for name, patterns in (("allow", allow), ("deny", deny), ("confirm", confirm)):
            object.__setattr__(self, name, _patterns(name, patterns))
        object.__setattr__(self, "read_only", read_only)
        object.__setattr__(self, "dry_run", dry_run)

    def verdict(self, operation: Operation) -> Verdict:
        """What the policy says of an action."""
        if _matches(operation, self.deny):
            return Verdict.DENY
        if self.allow and not _matches(operation, self.allow):
            return Verdict.DENY
        if self.read_only and operation.effect is not Effect.READ:
            return Verdict.DENY
        return Verdict.CONFIRM if _matches(operation, self.confirm) else Verdict.ALLOW

    def gives_leave(self, operation: Operation) -> bool:
        """Whether the policy lets a model run an action that changes something."""
        return self.read_only is False or self.dry_run or _matches(operation, (*self.allow, *self.confirm))


class Rules(NamedTuple):
    """The policies that one call must pass, all of them.

    Attributes:
        policies: The connector's, and the tool's.
        by_model: Whether a model calls, so that a write needs leave from one of the policies.
        only: Narrows what may run, and gives leave for nothing.
    """

    policies: Sequence[Policy] = ()
    by_model: bool = False
    only: Policy | None = None

    def verdict(self, operation: Operation) -> Verdict:
        """What the policies say of an action together."""
        said = {policy.verdict(operation) for policy in (*self.policies, *([self.only] if self.only else ()))}
        if Verdict.DENY in said or not self._has_leave(operation):
            return Verdict.DENY
        return Verdict.CONFIRM if Verdict.CONFIRM in said else Verdict.ALLOW

    def _has_leave(self, operation: Operation) -> bool:
        if not self.by_model or operation.effect is Effect.READ:
            return True
        return any(policy.gives_leave(operation) for policy in self.policies)

    def check(self, operation: Operation) -> None:
        """Lets an action pass.

        Raises:
            PolicyDeniedError: The action may not run.
            ApprovalRequiredError: A person must agree first.
        """
        verdict = self.verdict(operation)
        details = {"action": operation.name, "effect": operation.effect.value}
        if verdict is Verdict.DENY:
            why = "" if operation.effect is Effect.READ else f": it would {operation.effect.value}"
            raise PolicyDeniedError(
                f"{operation.name} is not allowed by the policy{why}.",
                hint="Nothing was sent. Do not try it again; tell the user that this needs other permissions.",
                details=details,
            )
        if verdict is Verdict.CONFIRM:
            raise ApprovalRequiredError(
                f"{operation.name} needs a person's approval.",
                hint="Nothing was sent. Ask the user to approve the call.",
                details=details,
            )

    def dry(self, operation: Operation) -> bool:
        """Whether the action is to be built but not sent."""
        return operation.effect is not Effect.READ and any(policy.dry_run for policy in self.policies)


def _patterns(name: str, patterns: Iterable[str]) -> tuple[str, ...]:
    if isinstance(patterns, str):
        raise ConfigurationError(f"Policy({name}=...) takes a list of patterns, not one text.")
    checked = tuple(patterns)
    for pattern in checked:
        if not (isinstance(pattern, str) and (pattern == "*" or _PATTERN.fullmatch(pattern))):  # pyright: ignore[reportUnnecessaryIsInstance] - users are not all checked
            raise ConfigurationError(
                f"Policy({name}=...): {pattern!r} is not a pattern of actions.",
                hint='Write "entity.action", as in "tickets.update", "tickets.*" or "*.get".',
            )
    return checked


def _matches(operation: Operation, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(operation.name, pattern) for pattern in patterns)
