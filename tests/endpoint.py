"""A real HTTP server on loopback that speaks OpenAI's chat protocol, with faults at the wire and a book of every call.

In a test: `with Endpoint() as endpoint: … endpoint.url`. As a process: `python tests/endpoint.py --latency-ms 1000
--fault 429:0.1 --fault hang:@50`, which prints its URL; `GET /_stats` is its book. What the model says stands in
`endpoint_replies`, the HTTP in `endpoint_wire`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import endpoint_replies as replies
from endpoint_wire import BROKEN, Book, Connection, Response

MODEL = "stand-in"
MODES = ("json_schema", "tools", "json")
GRACE_SECONDS = 0.1  # a request that was on its way when a 429 left was not impatient

_ERRORS: dict[str, tuple[int, str, str | None]] = {  # name → status, message, code
    "quota": (429, "You exceeded your current quota, please check your plan.", "insufficient_quota"),
    "key": (401, "Incorrect API key provided: sk-*****.", "invalid_api_key"),
    "forbidden": (403, "This key may not use this model.", None),
    "no_model": (404, "The model `stand-in` does not exist or you do not have access to it.", "model_not_found"),
    "too_long": (
        400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9214 tokens.",
        "context_length_exceeded",
    ),
    "filter": (400, "The response was filtered due to Azure's content management policy.", "content_filter"),
    "no_temperature": (400, "Unsupported value: 'temperature' does not support 0.0 here.", "unsupported_value"),
    "bad_request": (400, "Invalid 'messages[2].content': restricted characters.", "invalid_request_error"),
}  # fmt: skip
_STRANGE = {  # bodies of a 200 that is no completion
    "html": b"<html><body><h1>Service is being updated</h1></body></html>",
    "empty_body": b"",
    "empty_choices": b'{"id": "x", "object": "chat.completion", "choices": []}',
    "null_choices": b'{"id": "x", "choices": null, "error": {"message": "upstream is busy", "code": 502}}',
    "no_message": b'{"id": "x", "choices": [{"index": 0, "finish_reason": "stop"}]}',
    "list_body": b"[1, 2]",
    "nested": b"[" * 200_000,
    "binary": b"\xff\xfe\x00{",
}
_ODD = frozenset({"refusal", "content_filter", "null_content", "number_content", "parts", "odd_tool_call", "no_call"})
FAULTS = frozenset(_ERRORS) | frozenset(_STRANGE) | BROKEN | replies.MISTAKES | _ODD | {"slow"}


@dataclass
class Fault:
    """One thing that goes wrong: for a share of requests, at the nth request, or for the first `times` that match.

    `name` is one of FAULTS or a status such as 429. `retry_after`: what a 429 or 503 says: seconds ("2"), "date:2",
    "ms:250", None, any text, or "mixed" (each in turn).
    """

    name: str
    rate: float = 0.0
    at: int | None = None
    times: int | None = None
    match: str = ""
    retry_after: str | None = "mixed"
    seconds: float = 1.0  # of `slow`
    says: str | None = None  # the message of an error
    drawn: int = 0

    def __post_init__(self) -> None:
        if self.name not in FAULTS and not self.name.isdigit():
            raise ValueError(f"no such fault: {self.name}")

    def strikes(self, number: int, text: str, chance: float) -> bool:
        """Whether this request (its number, its body, a draw in 0..1 less the rates before) is struck."""
        if self.times is not None and self.drawn >= self.times:
            return False
        if self.at is not None:
            return number == self.at
        return self.match in text if self.rate == 0 else chance < self.rate


class Endpoint:
    """The server and what it is told to do. `bodies` and `heads` hold every request unless `keep` is off."""

    def __init__(
        self, *, latency: float = 0.0, faults: Sequence[Fault] = (), modes: Sequence[str] = MODES,
        key: str | None = None, usage: bool = True, seed: int = 0, keep: bool = True, skew_seconds: float = 0.0,
        models: Sequence[str] | None = (MODEL,), alternating: bool = False,
    ) -> None:  # fmt: skip
        self.latency, self.modes, self.key, self.usage = latency, frozenset(modes), key, usage
        self.skew_seconds, self.models, self.keep = skew_seconds, models, keep
        self.alternating = alternating  # user and assistant must take turns
        self.faults = list(faults)
        self.forced: dict[str, str] = {}  # code → answer, whatever the conversation
        self.says: Callable[[Mapping[str, Any]], str] | None = None  # the reply's text to a body, in place of our own
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[tuple[str, dict[str, str]]] = []  # path with query, headers
        self.book = Book()
        self.url = ""
        self._random = random.Random(seed)
        self._hold_until = 0.0
        self._turn = 0
        self._connections: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def fault(self, name: str, times: int | None = 1, **what: Any) -> None:
        """From now on: `name` for the first `times` requests (None: all) whose body holds `match`."""
        self.faults.append(Fault(name, times=times, **what))

    def clear(self) -> None:
        """Forget what was seen."""
        self.book, self.bodies, self.heads = Book(), [], []

    async def start(self, port: int = 0) -> asyncio.Server:
        """Listen in the running loop."""
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.answer, lambda: self.book, self._connections, self.skew_seconds),
            "127.0.0.1", port, backlog=2048,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        return server

    def __enter__(self) -> Endpoint:
        started = threading.Event()

        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            server = await self.start()
            started.set()
            await self._stop.wait()
            server.close()
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)

        self._thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True, name="endpoint")
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Response:
        """What this request gets."""
        path = target.partition("?")[0]
        if path == "/_stats":
            return _json(200, self.book.shown())
        if self.key and self.key not in (headers.get("authorization", "")[7:], headers.get("api-key")):
            return _error(_ERRORS["key"])
        if path.endswith("/models"):
            if self.models is None:
                return _error(_ERRORS["no_model"])
            return _json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
        if not path.endswith("/chat/completions"):
            return _json(404, {"detail": "Not Found"})
        if method != "POST":
            return _json(405, {"detail": "Method Not Allowed"})
        try:
            body = json.loads(raw)
            said = "\0".join(f"{m['role']}\0{m.get('content')}" for m in body["messages"])
        except (ValueError, LookupError, TypeError, AttributeError):
            return _json(400, {"error": {"message": "We could not parse the JSON body of your request."}})
        prompt = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]
        self._note(prompt)
        if self.keep:
            self.bodies.append(body)
            self.heads.append((target, dict(headers)))
        struck = self._struck(said)
        if struck and (struck.name in _ERRORS or struck.name.isdigit()):
            return self._refusal(struck)
        roles = [m["role"] for m in body["messages"]]
        if self.alternating and any(one == other for one, other in itertools.pairwise(roles)):
            return _error((400, "Conversation roles must alternate user/assistant/user/assistant/...", None))
        if problem := self._unsupported(body):
            return problem
        self.book.paid[prompt] += 1
        if struck and struck.name in _STRANGE:
            return Response(200, _STRANGE[struck.name], seconds=self.latency)
        how = struck.name if struck and struck.name in BROKEN else "whole"
        seconds = self.latency + (struck.seconds if struck and struck.name == "slow" else 0)
        answer = _json(200, self._completion(body, struck.name if struck else "", len(raw)))
        return answer._replace(seconds=seconds, how=how, headers=(("x-request-id", f"req_{self.book.requests}"),))

    def _note(self, prompt: str) -> None:
        book, now = self.book, time.monotonic()
        book.requests += 1
        book.by_prompt[prompt] += 1
        book.arrivals.append(now)
        book.impatient += now < self._hold_until - GRACE_SECONDS and now > book.throttled[-1][0] + GRACE_SECONDS

    def _struck(self, said: str) -> Fault | None:
        chance = self._random.random()
        for fault in self.faults:
            if fault.strikes(self.book.requests, said, chance):
                fault.drawn += 1
                self.book.faults[fault.name] += 1
                return fault
            chance -= fault.rate
        return None

    def _refusal(self, fault: Fault) -> Response:
        known = _ERRORS.get(fault.name)
        response = _error(known or (int(fault.name), fault.says or f"stand-in fault {fault.name}", None))
        if response.status not in (429, 503) or known:
            return response
        told = fault.retry_after
        if told == "mixed":  # half with seconds, some with a date, some without
            told = ("1", "date:1", "1", None)[self._turn % 4]
            self._turn += 1
        form, _, amount = (told or "").rpartition(":")
        try:
            seconds = float(amount) / (1000 if form == "ms" else 1)
        except ValueError:
            seconds = 0.0
        now = time.monotonic()
        self.book.throttled.append((now, seconds))
        # A date says whole seconds, so that a pause until then may be shorter than asked for.
        self._hold_until = max(self._hold_until, now + (seconds if form != "date" else max(0.0, seconds - 1)))
        if told is None:
            return response
        if form == "date":
            amount = formatdate(time.time() + seconds + self.skew_seconds, usegmt=True)
        return response._replace(headers=(("retry-after-ms" if form == "ms" else "retry-after", amount),))

    def _unsupported(self, body: Mapping[str, Any]) -> Response | None:
        shape = str((body.get("response_format") or {}).get("type"))
        asked = {"json_schema": "json_schema", "json_object": "json"}.get(shape, "tools" if body.get("tools") else "")
        if not asked or asked in self.modes:
            return None
        message = {
            "json_schema": "Invalid parameter: 'response_format' of type 'json_schema' is not supported here.",
            "tools": "`tools` and `tool_choice` are not supported by this model.",
            "json": "'response_format.type' must be 'text'.",
        }[asked]
        return _error((400, message, None))

    def _completion(self, body: Mapping[str, Any], fault: str, size: int) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "refusal": None}
        if self.says is not None:
            text = self.says(body)
        elif not replies.is_prompt(body):
            text = replies.minimal(body)
        else:
            asked = replies.read(body)
            whole = replies.reply(asked, self.forced)
            mistaken = fault in replies.MISTAKES
            text = replies.spoiled(fault, asked, whole) if mistaken else json.dumps(whole, ensure_ascii=False)
        if body.get("tools") and fault != "prose":
            call = {"name": body["tools"][0]["function"]["name"], "arguments": text}
            message |= {"content": None, "tool_calls": [{"id": "call_0", "type": "function", "function": call}]}
        else:
            message["content"] = text
        message |= _odd(fault, text)
        finish = {"truncated_length": "length", "content_filter": "content_filter"}.get(fault, "stop")
        made = {
            "id": f"chatcmpl-{self.book.requests}", "object": "chat.completion", "created": int(time.time()),
            "model": body.get("model", MODEL), "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        }  # fmt: skip
        if self.usage:
            prompt, written = size // 4, len(text) // 4
            made["usage"] = {
                "prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written,
                "prompt_tokens_details": {"cached_tokens": prompt // 2},
            }  # fmt: skip
        return made


def _odd(fault: str, text: str) -> dict[str, Any]:
    """What replaces parts of the reply's message."""
    match fault:
        case "content_filter":
            return {"content": ""}
        case "refusal":
            return {"content": None, "refusal": "I am sorry, I cannot help with that."}
        case "null_content":
            return {"content": None, "tool_calls": None}
        case "number_content":
            return {"content": 42, "tool_calls": 7}
        case "parts":
            return {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": text}]}
        case "no_call":
            return {"content": f"Sure: {text}", "tool_calls": None}
        case "odd_tool_call":
            return {"content": None, "tool_calls": [{"function": "yes"}]}
    return {}


def _json(status: int, value: object) -> Response:
    return Response(status, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _error(what: tuple[int, str, str | None]) -> Response:
    status, message, code = what
    return _json(status, {"error": {"message": message, "type": "stand_in", "param": None, "code": code}})


def parsed(text: str) -> Fault:
    """`429:0.1` (a share), `hang:@50` (the fiftieth request), `key` (always)."""
    name, _, when = text.partition(":")
    if when.startswith("@"):
        return Fault(name, at=int(when[1:]))
    return Fault(name, rate=float(when) if when else 1.0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible endpoint on loopback that judges by a hash.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--fault", type=parsed, action="append", default=[], metavar="NAME[:SHARE|:@N]")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    endpoint = Endpoint(
        latency=arguments.latency_ms / 1000, faults=arguments.fault, modes=arguments.modes.split(","),
        seed=arguments.seed, keep=False,
    )  # fmt: skip
    server = await endpoint.start(arguments.port)
    print(endpoint.url, flush=True)
    gone = asyncio.Event()

    def read() -> None:
        if not os.read(0, 1):
            gone.set()

    if not os.isatty(0):  # whoever started it holds the other end of this pipe
        asyncio.get_running_loop().add_reader(0, read)
    await gone.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
