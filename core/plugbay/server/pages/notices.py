"""What a page says of what was just done. A link names one of these; it cannot bring words of its own."""

from __future__ import annotations

__all__ = ["NOTICES"]

NOTICES = {
    "ended": "You were signed out, or have been here for too long. Sign in and do it again; nothing was changed.",
    "signed-out": "You are signed out.",
    "connected": "Connected. The first call is one click away: try an action below.",
    "unchecked": "Connected, but Zendesk could not be asked whether it accepts the credentials. Check again in a while.",
    "renamed": "The connector has its new name.",
    "disconnected": "Disconnected. Its credentials are deleted here; the audit log stays.",
    "authorized": "Authorized again.",
    "credentials": "The new credentials are in place.",
    "switched": "You are looking at another organization now.",
    "organization": "The organization is there, and you are looking at it.",
    "revoked": "The client is revoked. Its tokens are good for nothing from now on.",
    "grant-ended": "The grant has ended. The client's tokens are good for nothing from now on.",
    "redirects": "The addresses are saved.",
    "policy": "The policy is saved, and holds from the next call on.",
    "oauth-app": "Your OAuth client is saved. New authorizations use it.",
    "oauth-app-removed": "Your OAuth client is removed.",
}
"""By the word in the address."""
