"""The sign-in side of OAuth: the consent page and its answer.

The sandbox has nobody to sign in, so the account's owner is taken to be sitting in front of the page.
"""

from __future__ import annotations

import html
from urllib.parse import parse_qs, urlencode, urlsplit

from plugbay.sandbox import oauth_scopes
from plugbay.sandbox.account import Account, Client, Grant, Record
from plugbay.sandbox.exchange import Call, Reply

CODE_LIFETIME = 120
_HTML = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}


def consent(call: Call) -> Reply:
    """GET /oauth/authorizations/new: the page that asks, or a redirect that says why not.

    An unknown client or redirect address is told on a page, never by a redirect.
    """
    client = call.account.clients.get(call.param("client_id") or "")
    if client is None:
        return _refusal("No such client", "The client_id of this request is not known.")
    target = call.param("redirect_uri") or ""
    if not _registered(client, target):
        return _refusal(
            "Invalid redirect address", "The redirect_uri of this request is not registered for the client."
        )
    problem = _problem(call, client)
    if problem:
        return _redirect(target, {"error": problem[0], "error_description": problem[1], "state": call.param("state")})
    grant = Grant(
        code=call.account.secret(40),
        client_id=client.id,
        user_id=_owner(call.account)["id"],
        redirect_uri=target,
        scope=call.param("scope") or oauth_scopes.default(client),
        expires_at=0,
        challenge=call.param("code_challenge"),
        challenge_method=call.param("code_challenge_method") or "plain",
    )
    ticket = call.account.secret(32)
    call.account.consents[ticket] = grant
    return Reply(200, _page(client, grant, _owner(call.account), ticket, call.param("state") or ""), dict(_HTML))


def decide(call: Call) -> Reply:
    """POST /oauth/authorizations: the page's buttons."""
    form = {key: values[-1] for key, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    grant = call.account.consents.pop(form.get("consent", ""), None)
    if grant is None:
        return _refusal("This page is no longer valid", "Start again from the application.")
    state = form.get("state") or None
    if form.get("decision") != "allow":
        text = "The end-user or authorization server denied the request."
        return _redirect(grant.redirect_uri, {"error": "access_denied", "error_description": text, "state": state})
    grant.expires_at = call.account.clock.timestamp() + CODE_LIFETIME
    call.account.grants[grant.code] = grant
    return _redirect(grant.redirect_uri, {"code": grant.code, "state": state})


def _owner(account: Account) -> Record:
    return next(user for user in account.users.values() if user["role"] == "admin")


def _problem(call: Call, client: Client) -> tuple[str, str] | None:
    if call.param("response_type") != "code":
        return "unsupported_response_type", "The authorization server does not support this response type."
    if not oauth_scopes.allowed(client, call.param("scope") or ""):
        return "invalid_scope", "The requested scope is invalid, unknown, or malformed."
    method, challenge = call.param("code_challenge_method"), call.param("code_challenge")
    if method not in (None, "S256", "plain"):
        return "invalid_request", "The code_challenge_method must be S256 or plain."
    if client.secret is None and not challenge:
        return "invalid_request", "A public client must send a code_challenge."
    return None


def _registered(client: Client, target: str) -> bool:
    """Whether an address is registered: exactly, or on any port when it is plain http on a loopback address."""
    return target in client.redirect_uris or any(_same_loopback(known, target) for known in client.redirect_uris)


def _same_loopback(known: str, target: str) -> bool:
    try:
        one, two = urlsplit(known), urlsplit(target)
    except ValueError:
        return False
    same = (one.scheme, one.hostname, one.path, one.query) == (two.scheme, two.hostname, two.path, two.query)
    plain = not two.fragment and two.username is None
    return same and plain and one.scheme == "http" and _is_loopback(one.hostname or "")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _redirect(target: str, values: dict[str, str | None]) -> Reply:
    query = urlencode({key: value for key, value in values.items() if value is not None})
    return Reply(302, "", {"location": f"{target}{'&' if '?' in target else '?'}{query}", "cache-control": "no-store"})


def _refusal(title: str, text: str) -> Reply:
    return Reply(400, _document(title, f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>"), dict(_HTML))


def _page(client: Client, grant: Grant, owner: Record, ticket: str, state: str) -> str:
    items = "".join(f"<li>{html.escape(word)}</li>" for word in grant.scope.split())
    return _document(
        "Allow access?",
        f"""<h1>Allow {html.escape(client.name)} to use this sandbox?</h1>
<p>You are signed in as {html.escape(owner["name"])} ({html.escape(owner["email"])}).</p>
<p id="scopes">The application asks for these scopes:</p>
<ul aria-labelledby="scopes">{items}</ul>
<form method="post" action="/oauth/authorizations">
<input type="hidden" name="consent" value="{html.escape(ticket)}">
<input type="hidden" name="state" value="{html.escape(state)}">
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny">Deny</button>
</form>""",
    )


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title></head>\n<body><main>\n{body}\n</main></body>\n</html>\n"
    )
