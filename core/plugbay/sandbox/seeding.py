"""Fills an account: settings, people, then conversations and calls."""

from __future__ import annotations

from datetime import timedelta

from plugbay.sandbox import oauth, seeding_calls, seeding_catalog, seeding_tickets, words
from plugbay.sandbox.account import Account, Client, Record
from plugbay.sandbox.clock import from_iso, iso
from plugbay.sandbox.records import new_organization, new_user

_AGENTS = 8
_CUSTOMERS = 120
_REDIRECTS = (
    "http://127.0.0.1/callback",
    "http://localhost/callback",
    "http://localhost:8080/callback",
    "https://app.larkspur.example/oauth/callback",
)


def fill(account: Account, tickets: int, calls: int) -> None:
    """Give a new account everything it holds at the start.

    Args:
        account: An empty account.
        tickets: How many tickets to make.
        calls: How many telephone calls to make.
    """
    seeding_catalog.fill(account)
    _staff(account)
    _organizations(account)
    _customers(account)
    seeding_tickets.fill(account, tickets)
    seeding_calls.fill(account, calls)
    _access(account)


def admin(account: Account) -> Record:
    """The account's owner."""
    return next(user for user in account.users.values() if user["role"] == "admin")


def lasting_token(account: Account) -> str:
    """The access token that never expires."""
    return next(token.access for token in account.tokens.values() if token.expires_at is None)


def renewable_token(account: Account) -> str:
    """The refresh token of the first client."""
    return next(token.refresh for token in account.tokens.values() if token.refresh)


def _long_ago(account: Account, user: Record, days: int) -> None:
    """Move a record's creation into the past, the last change somewhere between."""
    made = account.clock.now() - timedelta(days=days, seconds=account.random.randrange(86_400))
    changed = made + (account.clock.now() - made) * account.random.random() * 0.9
    user["created_at"], user["updated_at"] = iso(made), iso(changed)


def _store_user(account: Account, user: Record, days: int) -> None:
    _long_ago(account, user, days)
    account.users[user["id"]] = user
    account.place("user", user["id"], _moment(user))


def _moment(record: Record) -> float:
    return from_iso(record["updated_at"]).timestamp()


def _staff(account: Account) -> None:
    groups = list(account.groups)
    owner = new_user(account, "Robin Larkspur", f"robin@{words.DOMAIN}", "admin", time_zone="Dublin")
    team = [owner]
    for index in range(_AGENTS):
        name = _name(account)
        email = f"{_mailbox(name)}@{words.DOMAIN}"
        agent = new_user(account, name, email, "agent", default_group_id=groups[index % len(groups)])
        agent["phone"] = f"+1555010{account.random.randrange(1000):04}"
        team.append(agent)
    light = new_user(
        account, "Lou Lightfoot", f"lou.lightfoot@{words.DOMAIN}", "agent",
        role_type=1, custom_role_id=account.next_id(), only_private_comments=True, ticket_restriction="groups",
    )  # fmt: skip
    for user in [*team, light]:
        user["last_login_at"] = iso(account.clock.now() - timedelta(hours=account.random.randint(1, 70)))
        user["signature"] = f"{user['name']}\n{words.COMPANY}"
        account.memberships[user["id"]] = sorted({user["default_group_id"], account.random.choice(groups)})
        _store_user(account, user, account.random.randint(400, 900))


def _organizations(account: Account) -> None:
    for name in words.ORGANIZATIONS[:25]:
        domain = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha()) + ".example"
        number = account.random.randrange(10_000)
        organization = new_organization(account, name, domain_names=[domain], external_id=f"crm-{number:05}")
        organization["tags"] = account.random.sample(["wholesale", "school", "vip", "net30", "club"], k=2)
        organization["details"] = f"Customer since 20{account.random.randint(12, 24)}"
        organization["group_id"] = account.random.choice([None, *account.groups])
        _long_ago(account, organization, account.random.randint(300, 900))
        account.organizations[organization["id"]] = organization
        account.place("organization", organization["id"], _moment(organization))


def _customers(account: Account) -> None:
    organizations = list(account.organizations.values())
    for index in range(_CUSTOMERS):
        home = account.random.choice(organizations) if account.chance(0.6) else None
        name = _name(account)
        domain = (
            home["domain_names"][0] if home else account.random.choice(["example.com", "example.net", "example.org"])
        )
        user = new_user(account, name, f"{_mailbox(name)}{index}@{domain}", verified=account.chance(0.8))
        user["organization_id"] = home["id"] if home else None
        user["external_id"] = f"shop-{account.random.randrange(10**6):06}" if account.chance(0.5) else None
        user["phone"] = f"+1555{account.random.randrange(10**7):07}" if account.chance(0.6) else None
        user["tags"] = account.random.choice([[], [], ["vip"], ["newsletter"]])
        user["notes"] = account.random.choice(["", "", "", "Prefers to be called in the afternoon."])
        _store_user(account, user, account.random.randint(95, 800))


def _name(account: Account) -> str:
    taken = {user["name"] for user in account.users.values()}
    while True:
        name = f"{account.random.choice(words.FIRST_NAMES)} {account.random.choice(words.LAST_NAMES)}"
        if name not in taken:
            return name


def _mailbox(name: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalpha() else " " for letter in name.lower())
    return ".".join(kept.split())


def _access(account: Account) -> None:
    """The keys the sandbox hands out: an API token, OAuth clients, and tokens of the first client."""
    owner = admin(account)["id"]
    account.api_tokens.add(account.secret(40))
    for identifier, name, public in (("sandbox_app", "Sandbox App", False), ("sandbox_public", "Sandbox CLI", True)):
        client = Client(
            id=account.next_id(),
            identifier=identifier,
            name=name,
            secret=None if public else account.secret(64, "0123456789abcdef"),
            redirect_uris=_REDIRECTS,
            scopes=None,
            user_id=owner,
        )
        account.clients[identifier] = client
    confidential = account.clients["sandbox_app"]
    now = account.clock.timestamp()
    for expires_at, refresh_expires_at in ((None, None), (now + oauth.ACCESS_LIFETIME, now + oauth.REFRESH_LIFETIME)):
        oauth.new_token(
            account,
            confidential,
            owner,
            "read write",
            expires_at=expires_at,
            refresh_expires_at=refresh_expires_at,
        )
