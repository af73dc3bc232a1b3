"""The stand-in endpoint itself: it speaks HTTP, answers alike, quotes truly, and counts what it sees."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import endpoint_replies as replies
import pytest
from endpoint import Endpoint, Fault, parsed
from judging import ACCURACY, BEHAVIOR, RESOLUTION, a_talk, case, judging, started

from grader.evidence import Transcript


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    yield from started()


def exchange(endpoint: Endpoint, raw: bytes, *, until: bytes) -> bytes:
    """What comes back to these bytes, up to `until` or the end of the connection."""
    host, port = endpoint.url.removeprefix("http://").removesuffix("/v1").split(":")
    got = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(raw)
        while until not in got and (more := connection.recv(65_536)):
            got += more
    return got


def request(body: Any, *, more: str = "") -> bytes:
    raw = json.dumps(body).encode()
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{more}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


HELLO = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_two_requests_in_one_packet_get_two_answers_in_order(endpoint: Endpoint) -> None:
    got = exchange(endpoint, request(HELLO) + request(HELLO), until=b"chatcmpl-2")
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert got.index(b"chatcmpl-1") < got.index(b"chatcmpl-2")
    assert endpoint.book.connections == 1


def test_it_asks_for_the_body_when_a_client_waits_and_hangs_up_when_told(endpoint: Endpoint) -> None:
    head, _, _ = request(HELLO, more="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
    assert exchange(endpoint, head + b"\r\n\r\n", until=b"100").startswith(b"HTTP/1.1 100 Continue")
    got = exchange(endpoint, request(HELLO, more="Connection: close\r\n"), until=b"never")
    assert b"Connection: close" in got


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"), (b"GET /v1/nowhere HTTP/1.1\r\n\r\n", b"404"), (request([1]), b"400"),
        (b"GET /v1/chat/completions HTTP/1.1\r\n\r\n", b"405"), (request({"messages": [{}]}), b"400"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_status(endpoint: Endpoint, raw: bytes, status: bytes) -> None:
    assert exchange(endpoint, raw, until=b"}").startswith(b"HTTP/1.1 " + status)


def test_its_book_and_its_models_can_be_read(endpoint: Endpoint) -> None:
    exchange(endpoint, request(HELLO), until=b"chatcmpl-1")
    got = exchange(endpoint, b"GET /_stats HTTP/1.1\r\nConnection: close\r\n\r\n", until=b"never")
    book = json.loads(got.partition(b"\r\n\r\n")[2])
    assert (book["requests"], book["n_paid"], book["paid_again"]) == (1, 1, 0)
    assert b'"stand-in"' in exchange(endpoint, b"GET /v1/models HTTP/1.1\r\n\r\n", until=b"]}")


async def test_a_conversation_gets_the_same_answers_however_it_is_asked(endpoint: Endpoint) -> None:
    answers = []
    for rubrics, mode in (((ACCURACY,), "json_schema"), ((ACCURACY,), "tools"), ((ACCURACY, BEHAVIOR), "json")):
        async with judging(endpoint, mode=mode) as judge:
            opinion = await judge.judge(case(rubrics=rubrics))
        answers.append([(v.criterion, v.answer, v.evidence) for v in opinion.verdicts["accuracy"]])
    assert answers[0] == answers[1] == answers[2]


async def test_its_quotes_are_true_and_its_answers_vary(endpoint: Endpoint) -> None:
    seen = set()
    async with judging(endpoint) as judge:
        for n in range(12):
            await judge.judge(case(a_talk(f"c-{n}", f"the lamp {n}"), rubrics=(ACCURACY, BEHAVIOR, RESOLUTION)))
    for n, body in enumerate(endpoint.bodies):
        asked = replies.read(body)
        transcript = Transcript(a_talk(about=f"the lamp {n}").messages)
        for criterion in asked.criteria:
            said = replies.answer(asked, criterion)
            seen.add(said["answer"])
            for quote in said["evidence"]:
                assert transcript.check(quote["message"], quote["quote"], asked.roles[criterion.code]).verified
    assert {"present", "absent", "not_applicable", "cannot_assess"} <= seen


def test_faults_are_read_from_the_command_line_as_a_share_a_place_or_always() -> None:
    assert parsed("429:0.1") == Fault("429", rate=0.1)
    assert parsed("hang:@50") == Fault("hang", at=50)
    assert parsed("key") == Fault("key", rate=1.0)
    with pytest.raises(ValueError, match="no such fault"):
        parsed("no-such-thing:0.1")
