"""The frame that all pages for people are shown in: templates, and the headers that go with them.

Templates escape whatever they are given, an unknown name is an error, and every text loses its hidden characters
before it is shown (`plugbay.plain_text`): names, intents and error messages are the words of strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from plugbay.plain_text import plain

__all__ = ["STYLE", "page", "style_path"]

_HERE = Path(__file__).parent

TEMPLATES = tuple(_HERE.parent / room / "templates" for room in ("pages", "oauth", "mcp"))
"""Where templates are; all of them extend `base.html`, which is in the first."""

STYLE = (_HERE / "style.css").read_bytes()


def style_path() -> str:
    """The path of the style sheet, which changes with its content, so that browsers may keep it for good."""
    return f"/assets/plugbay.{_digest()}.css"


def page(
    request: Request, name: str, status: int = 200, *, form_targets: Sequence[str] = (), **values: Any
) -> HTMLResponse:
    """A page as a person sees it.

    Args:
        request: What is answered; `request.state.viewer` tells the frame who is signed in, if anybody is.
        name: The template's name, as `home.html`.
        status: The answer's HTTP status.
        form_targets: Origins other than ours to which a form of the page leads, redirects among them
            (Content Security Policy Level 3, section 6.4.1).
        **values: What the template shows.
    """
    viewer = getattr(request.state, "viewer", None)
    html = (
        _environment()
        .get_template(name)
        .render(viewer=viewer, here=request.url.path, style_path=style_path(), **values)
    )
    return HTMLResponse(html, status, headers=_headers(form_targets))


def _headers(form_targets: Sequence[str]) -> dict[str, str]:
    targets = " ".join(("'self'", *form_targets))
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    return {
        "content-security-policy": policy,
        "cache-control": "no-store",
        # A stricter one makes browsers send `Origin: null` with our own forms (Fetch Standard, section 3.2).
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
    }


@cache
def _digest() -> str:
    return sha256(STYLE).hexdigest()[:16]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["moment"] = moment
    environment.filters["query"] = query
    return environment


def _shown(value: Any) -> Any:
    # What is already markup was made of texts that came through here.
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value)


def moment(seconds: float) -> Markup:
    """A point in time, in UTC, as an element that programs can read too.

    Args:
        seconds: Since the epoch.
    """
    at = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%Y-%m-%d %H:%M:%S")
    )


def query(values: dict[str, str]) -> str:
    """The values that are not empty, as the query of a URL."""
    return urlencode({name: value for name, value in values.items() if value})
