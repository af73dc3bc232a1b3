"""What the tests of the review app share: the app as a real process, and somebody who speaks HTTP to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from conftest import FOREIGN, REPOSITORY


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reviewer:
    """Somebody at their address."""

    def __init__(self, url: str, name: str, role: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self.url, self.name, self.role = url, name, role
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path

    @property
    def token(self) -> str:
        return self.path.split("/")[2]

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with just these headers; `path` is put on the wire as it is, behind the person's own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            whole = path if path.startswith("/") else self.path + path
            connection.putrequest(method, whole, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            got = connection.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", "X-Grader": "review", **headers}
        return self.ask("POST", path, json.dumps(body).encode(), sent)

    def act(self, item: str, kind: str, status: int = 200, **more: Any) -> Any:
        body = {"id": str(uuid.uuid4()), "item": item, "at": "2026-11-30T10:00:00Z", "kind": kind, **more}
        got = self.post("api/act", body)
        assert got.status == status, (got.status, got.body)
        return got.json

    def session(self) -> Any:
        got = self.get("api/session")
        assert got.status == 200, got.body
        return got.json

    def item(self, item: str) -> Any:
        got = self.get(f"api/item/{item}")
        assert got.status == 200, got.body
        return got.json

    def label(self, item: str, answer: str = "absent", **others: str) -> Any:
        """All questions of an item answered, and submitted."""
        for question in next(i["asked"] for i in self.session()["items"] if i["id"] == item):
            self.act(item, "answer", question=question, answer=others.get(question.partition(".")[2], answer))
        return self.act(item, "submit")

    def saved(self, seconds: float = 15) -> Any:
        """Wait until the database has everything."""
        until = time.monotonic() + seconds
        while True:
            saved = self.session()["progress"]["saved"]
            if not saved["n_waiting"] or time.monotonic() > until:
                return saved
            time.sleep(0.05)


class Running:
    """The app as a process."""

    def __init__(self, process: subprocess.Popen[str], people: Mapping[str, Reviewer]) -> None:
        self.process, self.people = process, people

    def __getitem__(self, name: str) -> Reviewer:
        return self.people[name]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self, how: int = signal.SIGINT) -> tuple[int, str, str]:
        """End it in order: its exit code, and what it printed."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)} | {"PYTHONPATH": str(REPOSITORY)}


@contextmanager
def review(folder: Path, *args: str, port: int | None = 0) -> Iterator[Running]:
    """`grader review ARGS` in this workspace, answering at this port (0: any that is free, None: what it chooses);
    killed at the end if it is still there.
    """
    command = [sys.executable, "-m", "grader", "review", *args, "--json"]
    command += ["--port", str(port)] if port is not None else []
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            _out, err = process.communicate(timeout=10)
            raise AssertionError(err)
        told = json.loads(line)
        yield Running(process, {p["name"]: Reviewer(p["url"], p["name"], p["role"]) for p in told["people"]})
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def raw(port: int, data: bytes) -> bytes:
    """What the server says to these very bytes, until it closes or says no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        connection.settimeout(2)
        got = b""
        try:
            while part := connection.recv(65536):
                got += part
        except TimeoutError:
            pass
        return got


def shop(folder: Path, n: int = 30, **plan: Any) -> Path:
    """A workspace with judged conversations and a plan for ana and ben."""
    from label_parts import judge_shop

    from grader.workspace import init

    root = init(folder).root
    judge_shop(root, n, why=WHY)
    draw(root, **plan)
    return root


WHY = "Reasoning-of-the-judge-0815"


def draw(root: Path, *, size: int = 20, overlap: int = 8, duplicates: int = 2, reviewers: str = "ana,ben") -> Any:
    done = command(
        root, "label", "plan", "-n", str(size), "--seed", "1", "--reviewers", reviewers, "--overlap", str(overlap),
        "--duplicates", str(duplicates), "--rubric", "accuracy", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def command(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`grader ARGS` in this workspace."""
    return subprocess.run(
        [sys.executable, "-m", "grader", *args], cwd=root, env=environment(), capture_output=True, encoding="utf-8",
        timeout=120, check=False,
    )  # fmt: skip


def labels(root: Path, where: str = "true") -> list[tuple[Any, ...]]:
    """What the database has of answers."""
    from label_parts import rows

    return rows(
        root,
        "select reviewer, role, item_id, rubric || '.' || criterion, number, answer, verdict_visible, note, message, "
        f"quote from label_record where {where} order by labelled_at, reviewer, item_id, criterion",
    )


@contextmanager
def held(root: Path) -> Iterator[int]:
    """Another process writes to the database; its number."""
    code = (
        "import sys; from pathlib import Path; from grader.store import open_store\n"
        "with open_store(Path('grader.duckdb')):\n    print('open', flush=True)\n    sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, env=environment()
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        yield holder.pid
    finally:
        holder.communicate(b"\n", timeout=30)
