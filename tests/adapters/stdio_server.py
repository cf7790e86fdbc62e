"""A server on standard input and output, started by a test in a process of its own."""

import httpx

from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import ZendeskSupportOauth20AuthConfig
from plugbay_adapters import fastmcp

connector = ZendeskSupportConnector(
    ZendeskSupportOauth20AuthConfig(access_token="secret-token-value"),
    subdomain="acme",
    http=httpx.MockTransport(lambda request: httpx.Response(200, json={"ticket": {"id": 7, "subject": "Over a pipe"}})),
)

if __name__ == "__main__":
    fastmcp.server(connector).run(show_banner=False)
