"""The authorization code grant: a person lets a program in, and the program gets its first pair of tokens.

It takes three steps, and between them the program keeps the state and the verifier, each for one use:

    url = grant.url(state, verifier)            # the person's browser goes there
    code = read_callback(query, state=state)    # and comes back with this query
    tokens = await grant.redeem(code, verifier, transport.exchange)

Sources: RFC 6749 section 4.1, RFC 7636 (PKCE), RFC 9207 (`iss`), RFC 9700 (what of all this is needed today).
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pydantic import SecretStr

from plugbay.auth.credentials import Exchange, SecretMap, reveal
from plugbay.auth.grant import read_tokens, refusal
from plugbay.auth.pkce import METHOD, new_challenge
from plugbay.auth.tokens import Tokens
from plugbay.errors import AuthenticationError, InvalidParameterError, PermissionDeniedError

__all__ = ["CodeGrant", "missing_scopes", "new_state", "read_callback"]

SUCCESS = range(200, 300)
STATE_BYTES = 32

_ERROR_CODE = re.compile(r"[A-Za-z_]{1,64}")
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")

_REFUSED = {
    "invalid_grant": "The code is spent or expired, or was given for another client, redirect address or verifier: authorize again.",
    "invalid_client": "Check client_id and client_secret; a public client has no secret.",
    "invalid_scope": "Ask only for scopes that the OAuth client is allowed.",
    "unauthorized_client": "The OAuth client may not use the authorization code grant.",
}
_CALLED_BACK = {
    "access_denied": "The person, or the service on their behalf, said no.",
    "invalid_scope": "Ask only for scopes that the OAuth client is allowed.",
    "temporarily_unavailable": "Try again later.",
}


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """What an OAuth client needs to be authorized by people at one service.

    Args:
        authorization_url: The page that asks the person.
        token_path: The token endpoint, a path of the service's own origin.
        client_id: The client's public identifier.
        redirect_uri: Where the browser comes back to, exactly as it is registered for the client.
        client_secret: The client's secret; None for a public client.
        scope: The scopes to ask for, space separated; None leaves it to the service.
        clock: Seconds since the epoch.
    """

    authorization_url: str
    token_path: str
    client_id: str
    redirect_uri: str
    client_secret: SecretStr | None = None
    scope: str | None = None
    clock: Callable[[], float] = time.time

    def url(self, state: SecretStr | str, verifier: SecretStr | str) -> str:
        """Where to send the browser (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

        Args:
            state: Comes back with the answer; from `new_state`, and kept with the browser's session.
            verifier: From `pkce.new_verifier`, and kept secret; of it only the challenge is sent.

        Raises:
            ConfigurationError: It is no verifier.
        """
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": reveal(state),
            "code_challenge": new_challenge(verifier),
            "code_challenge_method": METHOD,
        }
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self.authorization_url}{'&' if '?' in self.authorization_url else '?'}{urlencode(given)}"

    async def redeem(self, code: SecretStr | str, verifier: SecretStr | str, exchange: Exchange) -> Tokens:
        """The tokens for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

        A code is good for one try, whatever comes of it: a second one may end the tokens of the first (RFC 6749
        section 4.1.2). So after a failure of any kind, authorize again.

        Args:
            code: From `read_callback`.
            verifier: The one whose challenge was sent.
            exchange: Posts to the service's token endpoint; `Transport.exchange` of a transport with
                `max_attempts=1`.

        Returns:
            The tokens. Their scope is what the service says it granted, or what was asked for if it says nothing.

        Raises:
            AuthenticationError: The service refused; `details["error"]` has its code, such as "invalid_grant".
            PermissionDeniedError: It granted less than was asked for; `details["missing"]` lists the scopes.
            ResponseIntegrityError: There are no usable tokens in its answer, or it redirected the request.
            PlugbayError: It could not be asked, or failed.
        """
        answer = await exchange(self.token_path, self._body(code, verifier))
        if answer.status not in SUCCESS:
            raise _refused((refusal(answer).details or {}).get("error"), answer.status)
        tokens = read_tokens(answer, now=self.clock(), refresh_token=None)
        if tokens.scope is None:  # RFC 6749 section 5.1: then it is what was asked for
            return replace(tokens, scope=self.scope)
        if missing := missing_scopes(self.scope, tokens.scope):
            raise PermissionDeniedError(
                f"The service granted less than was asked for: {', '.join(missing)} is missing.",
                hint="Allow these scopes for the OAuth client, and authorize again.",
                details={"missing": missing},
            )
        return tokens

    def _body(self, code: SecretStr | str, verifier: SecretStr | str) -> SecretMap[str]:
        parts = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code_verifier": verifier,
            "scope": self.scope,
        }
        return SecretMap({name: reveal(value) for name, value in parts.items() if value is not None})


def new_state() -> SecretStr:
    """A value that ties an answer to its question: 256 bits of chance (RFC 6749 section 10.12)."""
    return SecretStr(secrets.token_urlsafe(STATE_BYTES))


def missing_scopes(asked: str | None, granted: str | None) -> list[str]:
    """The scopes that were asked for and not granted, in alphabetical order; words are compared exactly."""
    return sorted(set((asked or "").split()) - set((granted or "").split()))


def read_callback(query: Mapping[str, str], *, state: SecretStr | str, issuer: str | None = None) -> SecretStr:
    """The code that a browser came back with.

    Args:
        query: The parameters of the redirect.
        state: The state that this browser was sent away with. Forget it now: it is good for one answer.
        issuer: Who should have answered; compared with `iss` where the service sends that (RFC 9207).

    Raises:
        InvalidParameterError: The state is another, the answer is another service's, or there is no code.
        AuthenticationError: The service says that there will be no code; `details["error"]` has its code.
    """
    if not hmac.compare_digest(reveal(state).encode(), query.get("state", "").encode(errors="replace")):
        raise InvalidParameterError("The state is not the one this authorization began with.", hint="Authorize again.")
    if issuer is not None and query.get("iss", issuer) != issuer:
        raise InvalidParameterError("The answer comes from another service than was asked.", hint="Authorize again.")
    if "error" in query:
        raise _called_back(query["error"])
    if not _CODE.fullmatch(query.get("code", "")):
        raise InvalidParameterError("The answer has no code.", hint="Authorize again.")
    return SecretStr(query["code"])


def _refused(code: str | None, status: int) -> AuthenticationError:
    return AuthenticationError(
        f"The token endpoint refused to exchange the code: {code or f'HTTP {status}'}.",
        hint=_REFUSED.get(code or "", "Authorize again, and check client_id and client_secret."),
        details={"status": status, "error": code},
    )


def _called_back(given: str) -> AuthenticationError:
    """The error for a service that said no to the browser; its own words are a stranger's, and are not kept."""
    code = given if _ERROR_CODE.fullmatch(given) else None
    return AuthenticationError(
        f"The service did not authorize: {code or 'it gives no reason'}.",
        hint=_CALLED_BACK.get(code or "", "Check the OAuth client's redirect address and scopes, and authorize again."),
        details={"error": code},
    )
