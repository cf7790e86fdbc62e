"""Connectors by consent: a person lets an organization's agents into their Zendesk account.

From `initiate` the way goes over our page and Zendesk's to the callback, and back to the program that began it.
"""

from plugbay.server.oauth.routes import ENDPOINTS, ROUTES

__all__ = ["ENDPOINTS", "ROUTES"]
