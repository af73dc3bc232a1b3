"""The door of the review app: who may ask at all. Everything else of it is behind this.

The server is for one machine's browser. A page of another site can make a browser send requests here (forms, images,
fetches, names that resolve to 127.0.0.1), so that each request has to show that it was made for this server, by its own
page: Host, Origin, Sec-Fetch-Site, and for what changes anything a header that no form can send.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 256 * 1024
DRAINED = 32 * MAX_BODY  # what is refused is read this far: a connection that is cut off would lose the answer
_PAUSE, _DRAINING = 1.0, 5.0  # seconds that are waited for its next part, and for all of it
HEADER = b"x-grader"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # of what is no page
_PATH = re.compile(rb"/s/([A-Za-z0-9_-]{16,})/[A-Za-z0-9_./-]*")
_CSP = b"content-security-policy"


class Guard:
    """Answers what may not pass, and puts the headers on whatever is answered."""

    def __init__(self, app: App, port: int, is_token: Callable[[str], bool]) -> None:
        self._app, self._is_token = app, is_token
        names = ("127.0.0.1", "localhost", "[::1]")
        self._hosts = {f"{name}:{port}".encode() for name in names}
        if port == 80:  # clients leave it out
            self._hosts |= {name.encode() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                extra = {**HEADERS, "Content-Security-Policy": NOTHING}
                message["headers"] = [
                    *message["headers"],
                    *((n.lower().encode(), v.encode()) for n, v in extra.items() if n.lower().encode() not in there),
                ]
            await send(message)

        body = bytearray()
        refused = self._refused(scope)
        if refused is not None:
            await _drained(receive)
        elif scope["method"] == "POST":
            refused = await _read(receive, body)
        if refused is not None:
            await _answer(with_headers, *refused)
            return
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, again, with_headers)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        host = headers.get(b"host", [])
        if len(host) != 1 or host[0].lower() not in self._hosts:
            return 421, "this server answers to the address that it printed, and to no other name"
        if any(origin.lower() != b"http://" + host[0].lower() for origin in headers.get(b"origin", [])):
            return 403, "this request comes from another page"
        if any(site.lower() not in (b"same-origin", b"none") for site in headers.get(b"sec-fetch-site", [])):
            return 403, "this request comes from another page"
        if scope["method"] not in ("GET", "POST"):
            return 405, "no such method here"
        path = scope.get("raw_path") or scope["path"].encode()
        match = _PATH.fullmatch(path)
        if not match or b".." in path or b"//" in path or not self._is_token(match[1].decode()):
            return 404, "there is no such page"
        if scope["method"] == "POST":
            if headers.get(HEADER) != [b"review"]:
                return 403, "this request was not made by the review page"
            kinds = [k.partition(b";")[0].strip().lower() for k in headers.get(b"content-type", [])]
            if kinds != [b"application/json"]:
                return 415, "this is no JSON"
            length = headers.get(b"content-length", [b"0"])
            if not length[0].isdigit() or int(length[0][:20]) > MAX_BODY:
                return 413, "this is too long"
        return None


async def _drained(receive: Receive) -> None:
    n = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAINING):
            while n <= DRAINED:
                message = await asyncio.wait_for(receive(), _PAUSE)
                n += len(message.get("body", b""))
                if not message.get("more_body"):
                    return


async def _read(receive: Receive, body: bytearray) -> tuple[int, str] | None:
    n = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return 400, "the request ended early"
        part = message.get("body", b"")
        n += len(part)
        if n <= MAX_BODY:
            body += part
        if n > DRAINED:
            return 413, "this is too long"
        if not message.get("more_body"):
            return (413, "this is too long") if n > MAX_BODY else None


async def _answer(send: Send, status: int, error: str) -> None:
    headers = [(b"content-type", b"application/json")]
    if status == 405:
        headers.append((b"allow", b"GET, POST"))
    if status == 413:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": error, "cure": None}).encode()})
