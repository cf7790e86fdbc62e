"""The in-memory data of one sandbox: what a Zendesk account holds."""

from __future__ import annotations

import hashlib
import random
import string
from dataclasses import dataclass, field
from typing import Any

from plugbay.sandbox.clock import Clock
from plugbay.sandbox.generated import GeneratedBytes
from plugbay.sandbox.limits import Limits

Record = dict[str, Any]

_FIRST_ID = 46406158144625


@dataclass
class StoredFile:
    """An attachment and its bytes; `token` is the secret part of its content URL."""

    id: int
    token: str
    file_name: str
    content_type: str
    data: bytes | GeneratedBytes
    inline: bool = False
    width: int | None = None
    height: int | None = None


@dataclass
class Upload:
    """Files waiting to be added to a comment; worthless once `expires_at` (unix seconds) has passed."""

    token: str
    expires_at: float
    file_ids: list[int] = field(default_factory=list[int])


@dataclass
class Client:
    """A registered OAuth client; one without a secret is public and must use PKCE.

    `scopes` is the list an administrator allowed; None allows every scope.
    """

    id: int
    identifier: str
    name: str
    secret: str | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...] | None
    user_id: int


@dataclass
class Token:
    """An OAuth token; times are unix seconds, None is never."""

    id: int
    access: str
    refresh: str | None
    client_id: int
    user_id: int
    scope: str
    created_at: float
    expires_at: float | None = None
    refresh_expires_at: float | None = None
    used_at: float | None = None


@dataclass
class Grant:
    """An authorization code on its way to being exchanged."""

    code: str
    client_id: int
    user_id: int
    redirect_uri: str
    scope: str
    expires_at: float
    challenge: str | None
    challenge_method: str


class Account:
    """Everything one sandbox knows; records are the dictionaries that the API shows, less their `url`.

    Args:
        seed: Decides every generated value.
        clock: The sandbox's time.
        plan: Name of the rate-limit plan, or None for no limits.
    """

    subdomain = "sandbox"

    def __init__(self, seed: int, clock: Clock, plan: str | None) -> None:
        self.seed = seed
        self.clock = clock
        self.random = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
        self.limits = Limits(plan, clock)
        self.base_url = ""
        self.files_url = ""
        self.id = 17_000_000 + self.random.randrange(900_000)
        self.private_attachments = False
        self.users: dict[int, Record] = {}
        self.second_emails: dict[str, int] = {}
        self.organizations: dict[int, Record] = {}
        self.groups: dict[int, Record] = {}
        self.memberships: dict[int, list[int]] = {}
        self.brands: dict[int, Record] = {}
        self.tickets: dict[int, Record] = {}
        self.deleted_tickets: dict[int, Record] = {}
        self.comments: dict[int, list[Record]] = {}
        self.audits: dict[int, list[Record]] = {}
        self.files: dict[int, StoredFile] = {}
        self.uploads: dict[str, Upload] = {}
        self.ticket_fields: dict[int, Record] = {}
        self.ticket_forms: dict[int, Record] = {}
        self.custom_statuses: dict[int, Record] = {}
        self.satisfaction_ratings: dict[int, Record] = {}
        self.phone_numbers: dict[int, Record] = {}
        self.calls: list[Record] = []
        self.legs: list[Record] = []
        self.agent_states: dict[int, str] = {}
        self.api_tokens: set[str] = set()
        self.clients: dict[str, Client] = {}
        self.tokens: dict[int, Token] = {}
        self.grants: dict[str, Grant] = {}
        self.consents: dict[str, Grant] = {}
        self.idempotent: dict[str, tuple[float, str, Any]] = {}
        self.changed_at: dict[tuple[str, int], float] = {}
        self._timelines: dict[str, list[tuple[float, int]]] = {}
        self._last_ticket = 0
        self._last_id = _FIRST_ID + self.random.randrange(10**9)
        self._answers = 0

    def next_id(self) -> int:
        """A new 14-digit id; ids grow, with gaps, as they do in a service that many accounts share."""
        self._last_id += 128 * self.random.randint(1, 40)
        return self._last_id

    def next_ticket_id(self) -> int:
        """The next small ticket number; numbers of deleted tickets are not used again."""
        self._last_ticket += 1
        while self._last_ticket in self.tickets or self._last_ticket in self.deleted_tickets:
            self._last_ticket += 1
        return self._last_ticket

    def chance(self, share: float) -> bool:
        """True in that share of all draws."""
        return self.random.random() < share

    def secret(self, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
        """A token-like string from the seeded generator."""
        return "".join(self.random.choices(alphabet, k=length))

    def request_id(self) -> str:
        """The id of the next answer, for header `x-request-id`."""
        self._answers += 1
        digest = hashlib.sha256(f"{self.seed}:{self._answers}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    def touch(self, kind: str, record: Record) -> None:
        """Note that a record changed now: its `updated_at` and its place in the incremental exports."""
        record["updated_at"] = self.clock.stamp()
        self.place(kind, record["id"], self.clock.timestamp())

    def place(self, kind: str, record_id: int, moment: float) -> None:
        """Put a record at a moment (unix seconds) in the incremental exports of its kind."""
        self.changed_at[kind, record_id] = moment
        self._timelines.pop(kind, None)

    def timeline(self, kind: str) -> list[tuple[float, int]]:
        """Moment and id of every record of a kind, in the order of the incremental exports."""
        # Sorting for every page would make a walk through all pages quadratic.
        if kind not in self._timelines:
            found = ((moment, number) for (name, number), moment in self.changed_at.items() if name == kind)
            self._timelines[kind] = sorted(found)
        return self._timelines[kind]

    def default_brand(self) -> int:
        """The id of the brand that new tickets get."""
        return int(next(brand["id"] for brand in self.brands.values() if brand["default"]))

    def default_group(self) -> int:
        """The id of the group that new tickets get."""
        return int(next(group["id"] for group in self.groups.values() if group["default"]))

    def user_by_email(self, email: str) -> Record | None:
        """The active user with this address, be it the first or a second one; addresses ignore case."""
        wanted = email.casefold()
        second = self.users.get(self.second_emails.get(wanted, 0))
        if second is not None and second["active"]:
            return second
        return next((u for u in self.users.values() if u["active"] and (u["email"] or "").casefold() == wanted), None)

    def default_status_id(self, category: str) -> int:
        """The custom status that stands for a status category when none was chosen."""
        wanted = "solved" if category == "closed" else category
        statuses = self.custom_statuses.values()
        return int(next(s["id"] for s in statuses if s["default"] and s["status_category"] == wanted))
