"""What the benchmarks share: conversations out of the sample, workspaces, the endpoint's process, measured programs.

Everything runs as a user runs it: `python -m grader …` in a process of its own, against HTTP on loopback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
DATASETS = ROOT / "datasets"
FOREIGN = ("GRADER_", "OPENAI_", "AZURE_OPENAI_")
RUBRICS = 4


@dataclass(frozen=True)
class Measured:
    """A finished process: its exit code, wall clock, CPU (user and system) and peak memory.

    `began` is in seconds of the clock that the endpoint's book uses too.
    """

    code: int
    began: float
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    stdout: str
    stderr: str


def conversations(path: Path, n: int) -> None:
    """`n` conversations: the sample over and over, with other ids and other words in each round."""
    lines = (DATASETS / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    with path.open("w", encoding="utf-8") as file:
        for number in range(n):
            record = json.loads(lines[number % len(lines)])
            turn = number // len(lines)
            if turn:
                record["conversation_id"] += f"-{turn}"
                for identity in record.get("contact", {}).get("identities", ()):
                    identity["value"] += f"-{turn}"
                for message in record["messages"]:
                    if message.get("kind", "text") == "text" and message.get("text"):
                        message["text"] += f" ({turn})"
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def workspace(folder: Path, n: int) -> Path:
    """A workspace with `n` conversations and the sample's policies."""
    program("init", folder)
    source = folder / "datasets" / "conversations.jsonl"
    conversations(source, n)
    for path in (source, *sorted((DATASETS / "policies").glob("*.md"))):
        program("ingest", path, "--workspace", folder)
    return folder


def environment(**settings: object) -> dict[str, str]:
    """Ours without anybody's settings, and these: `timeout_seconds=3` becomes GRADER_TIMEOUT_SECONDS."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return inherited | {f"GRADER_{name.upper()}": str(value) for name, value in settings.items()}


def command(*args: object) -> list[str]:
    """`grader ARGS`."""
    return [sys.executable, "-m", "grader", *map(str, args)]


def program(*args: object, **settings: object) -> Measured:
    """`grader ARGS`, to its end. Raises where it fails."""
    done = measured(command(*args), environment(**settings))
    if done.code:
        raise RuntimeError(f"grader {' '.join(map(str, args))} ended with {done.code}:\n{done.stderr[-2000:]}")
    return done


def measured(argv: Sequence[str], env: Mapping[str, str], *, kill_after: float | None = None) -> Measured:
    """Runs a program to its end, or kills it (SIGKILL) after so many seconds; then only its code is of interest."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(argv, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        cpu = peak = 0.0
        try:
            if kill_after is not None:
                process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.returncode is None:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        wall = time.monotonic() - began
        texts = []
        for file in (stdout, stderr):
            file.seek(0)
            texts.append(file.read().decode())
    return Measured(process.returncode, began, wall, cpu, peak, *texts)


@contextmanager
def endpoint(*arguments: str) -> Iterator[str]:
    """The stand-in endpoint in a process of its own; yields its URL."""
    argv = [sys.executable, str(ROOT / "tests" / "endpoint.py"), *arguments]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def book(url: str) -> dict[str, Any]:
    """What the endpoint has seen so far."""
    with urlopen(url.removesuffix("/v1") + "/_stats") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """A query over a workspace's database."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def told(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
