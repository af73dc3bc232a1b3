"""Bar: the app refuses whoever is not the page that it made: each refusal over a real socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from review_parts import Answer, Reviewer, Running, raw, review, shop

from grader.review.guard import HEADERS, MAX_BODY, Guard, Message, Receive, Scope, Send

JSON = {"Content-Type": "application/json", "X-Grader": "review"}
WANTED = {name.lower(): value for name, value in HEADERS.items()}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = shop(tmp_path_factory.mktemp("door") / "w")
    with review(root, "--adjudicator", "cleo") as found:
        yield found


@pytest.fixture
def ana(running: Running) -> Reviewer:
    return running["ana"]


def refused(got: Answer, status: int) -> None:
    """As the contract says: a status, a sentence, all headers, no word of a program's insides, no permission."""
    assert got.status == status, (got.status, got.body)
    told = got.json
    assert set(told) == {"error", "cure"}
    assert told["error"]
    assert b"Traceback" not in got.body
    headed(got)


def headed(got: Answer) -> None:
    for name, value in WANTED.items():
        assert got.headers.get(name) == value
    csp = got.headers["content-security-policy"]
    assert csp.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in csp
    assert "unsafe" not in csp
    assert not [name for name in got.headers if name.startswith("access-control-")]
    assert "server" not in got.headers
    assert "set-cookie" not in got.headers


def act(ana: Reviewer) -> dict[str, object]:
    return {"id": "a", "item": ana.session()["items"][0]["id"], "kind": "defer"}


def test_a_request_of_its_own_page_is_answered_with_all_headers(ana: Reviewer) -> None:
    own = f"http://127.0.0.1:{ana.port}"
    for path in ("", "api/session", f"api/item/{ana.session()['items'][0]['id']}", "api/search?q=order"):
        got = ana.get(path, Origin=own, **{"Sec-Fetch-Site": "same-origin"})
        assert got.status == 200
        headed(got)


@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "127.0.0.1.nip.io:{port}", "evil.example:{port}",
    "127.0.0.1:{port}.evil.example", "user@127.0.0.1:{port}", "0.0.0.0:{port}", "[::]:{port}", "0x7f.1:{port}",
    "2130706433:{port}", "localhost.:{port}", "127.0.0.1:{port},evil.example", "",
])  # fmt: skip
def test_another_host_is_refused_whatever_it_resolves_to(ana: Reviewer, host: str) -> None:
    refused(ana.get("api/session", Host=host.format(port=ana.port)), 421)
    refused(ana.ask("POST", "api/act", b"{}", {**JSON, "Host": host.format(port=ana.port)}), 421)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_names_of_this_machine_are_its_own(ana: Reviewer, host: str) -> None:
    assert ana.get("api/session", Host=host.format(port=ana.port)).status == 200


def test_two_hosts_or_none_are_refused(ana: Reviewer) -> None:
    path = f"{ana.path}api/session"
    for head in (f"Host: 127.0.0.1:{ana.port}\r\nHost: evil.example\r\n", ""):
        got = raw(ana.port, f"GET {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
        assert got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421"))
        assert b"reviewer" not in got


@pytest.mark.parametrize("origin", [
    "null", "https://evil.example", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1",
    "https://127.0.0.1:{port}", "http://localhost:{port}", "http://127.0.0.1:{port}.evil.example", "file://", "",
])  # fmt: skip
def test_another_origin_is_refused_for_reading_and_for_writing(ana: Reviewer, origin: str) -> None:
    told = origin.format(port=ana.port)
    refused(ana.get("api/session", Origin=told), 403)
    refused(ana.post("api/act", act(ana), Origin=told), 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "anything"])
def test_what_a_browser_says_comes_from_another_site_is_refused(ana: Reviewer, site: str) -> None:
    refused(ana.get("", **{"Sec-Fetch-Site": site}), 403)
    refused(ana.post("api/act", act(ana), **{"Sec-Fetch-Site": site}), 403)


def test_an_address_that_was_typed_is_no_cross_site_request(ana: Reviewer) -> None:
    assert ana.get("", **{"Sec-Fetch-Site": "none"}).status == 200


def test_at_port_80_a_name_without_a_port_is_this_server_and_at_no_other() -> None:
    async def asked(port: int, host: str, origin: str) -> int:
        told: list[int] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            told.append(200)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.append(message["status"])

        headers = [(b"host", host.encode()), (b"origin", origin.encode())]
        path = "/s/" + "a" * 24 + "/"
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        await Guard(app, port, lambda token: True)(scope, receive, send)
        return told[0]

    assert asyncio.run(asked(80, "127.0.0.1", "http://127.0.0.1")) == 200
    assert asyncio.run(asked(80, "localhost:80", "http://localhost:80")) == 200
    assert asyncio.run(asked(80, "127.0.0.1", "http://evil.example")) == 403
    assert asyncio.run(asked(80, "evil.example", "http://evil.example")) == 421
    assert asyncio.run(asked(8737, "127.0.0.1", "http://127.0.0.1")) == 421


@pytest.mark.parametrize("path", [
    "/", "/s", "/s/", "/s//", "/s//api/session", "/api/session", "/s/x/api/session", "/s/{cut}/api/session",
    "/s/{longer}/api/session", "/s/{other}/api/session", "/s/{upper}/api/session", "/favicon.ico", "/report/",
    "/s/{token}", "*", "http://127.0.0.1:{port}/",
])  # fmt: skip
def test_without_the_very_token_there_is_nothing(ana: Reviewer, path: str) -> None:
    token = ana.token
    other = ("A" if token[0] != "A" else "B") + token[1:]
    told = path.format(
        token=token, cut=token[:-1], longer=token + "A", other=other, upper=token.swapcase(), port=ana.port
    )
    for method in ("GET", "POST"):
        got = raw(
            ana.port,
            f"{method} {told} HTTP/1.1\r\nHost: 127.0.0.1:{ana.port}\r\nX-Grader: review\r\nContent-Length: 2\r\n"
            "Content-Type: application/json\r\nConnection: close\r\n\r\n{}".encode(),
        )
        assert got.startswith(b"HTTP/1.1 404"), got[:200]
        assert b"content-security-policy" in got.lower()
        assert b"questions" not in got


def test_a_token_of_another_session_opens_nothing_here(ana: Reviewer, tmp_path: Path) -> None:
    with review(shop(tmp_path / "w", 12, size=6, overlap=2, duplicates=0)) as other:
        assert other["ana"].token != ana.token
        refused(ana.get(f"/s/{other['ana'].token}/api/session"), 404)
        refused(other["ana"].get(f"/s/{ana.token}/api/session"), 404)


def test_tokens_are_long_and_differ_by_person(running: Running) -> None:
    tokens = {r.token for r in running.people.values()}
    assert len(tokens) == 3
    assert all(len(token) >= 22 for token in tokens)  # 128 bits in base64


@pytest.mark.parametrize(("headers", "status"), [
    ({"X-Grader": "review", "Content-Type": "text/plain"}, 415),
    ({"X-Grader": "review", "Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"X-Grader": "review", "Content-Type": "multipart/form-data; boundary=x"}, 415),
    ({"X-Grader": "review", "Content-Type": "text/plain; application/json"}, 415),
    ({"X-Grader": "review"}, 415),
    ({"Content-Type": "application/json"}, 403),
    ({"Content-Type": "application/json", "X-Grader": ""}, 403),
    ({"Content-Type": "application/json", "X-Grader": "no"}, 403),
    ({"Content-Type": "text/plain"}, 403),
])  # fmt: skip
def test_what_a_form_of_another_page_can_send_changes_nothing(
    ana: Reviewer, headers: dict[str, str], status: int
) -> None:
    before = ana.session()
    body = json.dumps(act(ana)).encode()
    refused(ana.ask("POST", "api/act", body, headers), status)
    refused(ana.ask("POST", "api/dispute", body, headers), status)
    assert ana.session() == before


@pytest.mark.parametrize("path", [
    "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc/passwd", "..\\..\\etc\\passwd",
    "..%5c..%5cetc%5cpasswd", "report/..%2f..%2f..%2fetc%2fpasswd", "report/%2e%2e/material.json", "report/../lock",
    "report//etc/passwd", "api/item/%00", "api/item/..", "report/x%00.html", "api//session", "api/session/",
    "API/session", "report/....//....//etc/passwd", "%252e%252e/etc/passwd", "api/item/" + "a" * 3000, "api/%73ession",
])  # fmt: skip
def test_no_path_leads_out_of_the_app(ana: Reviewer, path: str) -> None:
    got = ana.get(path)
    refused(got, 404)
    assert b"root:" not in got.body


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_are_refused_and_no_other_page_is_told_otherwise(ana: Reviewer, method: str) -> None:
    got = ana.ask(method, "api/session", headers={"Origin": f"http://127.0.0.1:{ana.port}"})
    assert got.status == 405
    assert "GET" in got.headers["allow"]
    headed(got)


def test_reading_is_no_way_to_write_and_writing_none_to_read(ana: Reviewer) -> None:
    refused(ana.get("api/act"), 405)
    refused(ana.post("api/session", {}), 405)


@pytest.mark.parametrize("more", [1, 10 * MAX_BODY])
def test_a_body_that_is_too_long_is_refused_by_what_it_says_and_by_what_it_is(ana: Reviewer, more: int) -> None:
    head = (
        f"POST {ana.path}api/act HTTP/1.1\r\nHost: 127.0.0.1:{ana.port}\r\nX-Grader: review\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n"
    )
    said = raw(ana.port, f"{head}Content-Length: {MAX_BODY + more}\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 413")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    n_chunks = 4 + more // 65536 + 1
    sent = raw(
        ana.port, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * min(n_chunks, 30) + b"0\r\n\r\n"
    )
    assert sent.startswith(b"HTTP/1.1 413")
    assert ana.get("api/session").status == 200


@pytest.mark.parametrize(("n", "headers", "status"), [
    (5_000_000, JSON, 413), (8_000_000, JSON, 413), (5_000_000, {"Content-Type": "application/json"}, 403),
])  # fmt: skip
def test_who_sends_far_too_much_is_told_so_instead_of_being_cut_off(
    ana: Reviewer, n: int, headers: dict[str, str], status: int
) -> None:
    for _ in range(5):
        refused(ana.ask("POST", "api/act", b"x" * n, headers), status)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"3", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"{}",
    b'{"id": NaN}', b'{"kind": "answer", "id": "a", "item": {"x": 1}}', b'{"kind": ["answer"]}',
    b'{"id": ' + b"9" * 5000 + b"}", b'{"kind": "submit", "id": "a", "item": 7}',
])  # fmt: skip
def test_what_is_no_act_is_refused_and_harms_nothing(ana: Reviewer, body: bytes) -> None:
    refused(ana.ask("POST", "api/act", body, JSON), 400)
    assert ana.get("api/session").status == 200


def test_an_item_of_another_reviewer_is_not_there_and_neither_is_a_question_that_is_not_asked(running: Running) -> None:
    ana, ben, cleo = running["ana"], running["ben"], running["cleo"]
    theirs = ben.session()["items"][0]["id"]
    refused(ana.get(f"api/item/{theirs}"), 404)
    refused(cleo.get(f"api/item/{theirs}"), 404)
    refused(ana.post("api/act", {"id": "b", "item": theirs, "kind": "defer"}), 404)
    mine = ana.session()["items"][0]["id"]
    body = {"id": "c", "item": mine, "kind": "answer", "question": "accuracy.nothing", "answer": "present"}
    refused(ana.post("api/act", body), 400)
    body |= {"question": "accuracy.invented_deadline", "answer": "perhaps"}
    refused(ana.post("api/act", body), 400)
    body |= {"answer": "present", "message": 99}
    refused(ana.post("api/act", body), 400)
    assert ana.item(mine)["answers"] == {}


def test_half_a_request_keeps_nobody_else_waiting(ana: Reviewer) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", ana.port), timeout=5) as stalled:
        stalled.sendall(f"POST {ana.path}api/act HTTP/1.1\r\nHost: 127.0.0.1:{ana.port}\r\nX-Gra".encode())
        began = time.monotonic()
        assert ana.get("api/session").status == 200
        assert time.monotonic() - began < 2


def test_it_listens_on_the_loopback_address_alone(ana: Reviewer) -> None:
    import socket

    found = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in found - {"127.0.0.1"}:
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex((str(address), ana.port)) != 0
    with pytest.raises(OSError), socket.create_connection(("::1", ana.port), timeout=2):
        pass


def test_no_token_gets_into_what_the_program_prints(tmp_path: Path) -> None:
    with review(shop(tmp_path / "w", 12, size=6, overlap=2, duplicates=0)) as found:
        ana = found["ana"]
        for path in ("", "api/session", "api/nothing", "%ff"):
            ana.get(path)
        raw(ana.port, f"GARBAGE {ana.path}\r\n\r\n".encode())
        raw(ana.port, f"GET {ana.path} HTTP/9\r\n\r\n".encode())
        code, out, err = found.stop()
        assert code == 0
        assert ana.token not in out + err
        assert "Traceback" not in err
