"""The web page for people: made on the server, without a script, with forms that work in every browser."""

from plugbay.server.pages import access, audit, connect, connector, home, renewal, sign_in, trying
from plugbay.server.pages.visits import failed

__all__ = ["ROUTES", "failed"]

ROUTES = [
    *home.ROUTES,
    *sign_in.ROUTES,
    *connect.ROUTES,
    *connector.ROUTES,
    *renewal.ROUTES,
    *trying.ROUTES,
    *audit.ROUTES,
    *access.ROUTES,
]
"""All pages and the style sheet, for the application."""
