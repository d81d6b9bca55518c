"""What every answer carries and every request must show.

No accounts exist yet, so the server answers only to names of the machine it is bound to: a page
elsewhere that points its own name at 127.0.0.1 (DNS rebinding) is refused. What changes something
must come from a page of ours, not from one elsewhere (cross-site request forgery).
"""

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.errors import refusal

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def host_name(header: str) -> str:
    """The host of a Host header, without its port."""
    name, colon, port = header.rpartition(":")
    return name if colon and port.isdigit() else header


_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def is_cross_site(method: str, headers: Headers) -> bool:
    """Whether a request that may change something was sent by a page of somebody else.

    Browsers say so in `Sec-Fetch-Site` and `Origin`; a program sends neither.
    """
    if method in _READS:
        return False
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


def check_loopback(request: Request) -> None:
    """Let only this machine change something, while nobody is asked who he is.

    Raises:
        HTTPException: 403, the request came over a network.
    """
    try:
        here = ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        here = False
    if not here:
        raise HTTPException(
            403, "there are no accounts yet: do it on this machine, or with the command line there"
        )


class Guard:
    """Outermost ASGI layer: Host and origin checks, and security headers.

    Args:
        app: the application.
        hosts: names that may be asked for.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-cache")
            await send(message)

        host = host_name(Headers(scope=scope).get("host", ""))
        if host not in self.hosts:
            answer = refusal(
                Request(scope),
                400,
                "unknown_host",
                f"this server does not answer to the name {host!r}",
                {"answers_to": sorted(self.hosts)},
            )
            await answer(scope, receive, guarded)
            return
        if is_cross_site(scope["method"], Headers(scope=scope)):
            answer = refusal(
                Request(scope), 403, "cross_site", "a page of another site sent this request"
            )
            await answer(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)
