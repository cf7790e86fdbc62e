"""What every request passes on its way in and out; pure ASGI, outermost first in `plugbay.server.app`."""
