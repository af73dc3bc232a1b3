"""The doctor against a real server on loopback: what it sees of an endpoint, a workspace, a database, a clock."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, Main

from grader.config import load
from grader.doctor import Check, examine, examine_judge
from grader.store import open_store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = "sk-do-not-show-77"


def reply(content: str | None, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if arguments is not None:
        call = {"id": "c", "type": "function", "function": {"name": "answer", "arguments": arguments}}
        message["tool_calls"] = [call]
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    } | more


def good(body: Mapping[str, Any]) -> tuple[int, Any]:
    if "tools" in body:
        return 200, reply(None, '{"solved": true}')
    return 200, reply('{"solved": true}')


@dataclass
class Endpoint:
    """An OpenAI-compatible server; `answer` turns a request's body into a status and a JSON body."""

    url: str
    answer: Callable[[Mapping[str, Any]], tuple[int, Any]] = good
    models: list[str] | None = field(default_factory=lambda: ["m", "n"])
    date: str | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def date_time_string(self, timestamp: float | None = None) -> str:
            return served.date or super().date_time_string(timestamp)

        def _send(self, status: int, body: Any) -> None:
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            if served.models is None:
                self._send(404, {"error": {"message": "no such path"}})
            else:
                self._send(200, {"object": "list", "data": [{"id": name} for name in served.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.bodies.append(body)
            self._send(*served.answer(body))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Endpoint(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def checks(workspace: Path, now: datetime = NOW, **environ: str) -> dict[str, Check]:
    return {check.name: check for check in examine(load(start=workspace, environ=environ), now=now)}


def judged(workspace: Path, endpoint: Endpoint, **environ: str) -> dict[str, Check]:
    """What is found about this endpoint."""
    environ = {"GRADER_BASE_URL": endpoint.url, "GRADER_MODEL": "m", "OPENAI_API_KEY": KEY, **environ}
    found = list(examine_judge(load(start=workspace, environ=environ)))
    assert KEY not in repr(found)
    return {check.name: check for check in found}


def test_a_good_endpoint_is_ok_in_every_check(workspace: Path, endpoint: Endpoint) -> None:
    found = judged(workspace, endpoint, GRADER_PRICES='{"m": {"input": 0, "output": 0}}')
    assert {c.status for c in found.values()} == {"ok"}
    assert "one of 2" in found["model"].detail
    assert "json_schema is used" in found["structured"].detail
    assert "0 USD" in found["price"].detail
    assert len(endpoint.bodies) == 4  # one plain, one per mode
    assert {(b["model"], b["max_tokens"], b["temperature"]) for b in endpoint.bodies} == {("m", 256, 0.0)}
    assert all("customer" not in json.dumps(b) or "thanks, that worked" in json.dumps(b) for b in endpoint.bodies)


def test_the_mode_that_works_is_found(workspace: Path, endpoint: Endpoint) -> None:
    def no_schema(body: Mapping[str, Any]) -> tuple[int, Any]:
        if body.get("response_format", {}).get("type") == "json_schema":
            return 400, {"error": {"message": "response_format json_schema is not supported"}}
        if body.get("response_format"):
            return 200, reply("Sure! Here you go")
        return good(body)

    endpoint.answer = no_schema
    found = judged(workspace, endpoint)["structured"]
    assert found.status == "ok"
    assert "tools is used: json_schema no (response_format json_schema is not supported); tools works" in found.detail
    assert "json no (the reply is no JSON)" in found.detail


def test_no_mode_at_all_is_a_failure_and_so_is_the_one_that_was_asked_for(workspace: Path, endpoint: Endpoint) -> None:
    endpoint.answer = lambda body: (200, reply("yes" if "tools" not in body else None))
    assert judged(workspace, endpoint)["structured"].status == "fail"
    endpoint.answer = lambda body: good(body) if "tools" in body else (200, reply('{"other": 1}'))
    assert judged(workspace, endpoint, GRADER_MODE="json")["structured"].status == "fail"
    assert judged(workspace, endpoint, GRADER_MODE="tools")["structured"].status == "ok"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": {"message": "Incorrect API key provided"}}, "renew it"),
        (404, {"error": {"message": "model not found"}}, "/v1"),
        (429, {"error": {"message": "quota", "code": "insufficient_quota"}}, "account"),
        (400, {"error": {"message": "temperature is not supported"}}, 'temperature = "none"'),
        (500, "boom", "server's own log"),
        (200, "<html>hello</html>", "server's own log"),
        (200, {"choices": []}, "server's own log"),
        (200, [1], "server's own log"),
        (200, "[" * 200_000, "server's own log"),
    ],
)
def test_a_call_that_fails_says_why_and_what_to_do(
    workspace: Path, endpoint: Endpoint, status: int, body: Any, words: str
) -> None:
    endpoint.answer = lambda _: (status, body)
    found = judged(workspace, endpoint)
    assert found["call"].status == "fail"
    assert words in (found["call"].cure or "")
    assert "structured" not in found
    assert len(endpoint.bodies) == 1  # no retries: the first answer tells


def test_a_model_that_is_not_listed_is_a_warning_and_no_list_is_none(workspace: Path, endpoint: Endpoint) -> None:
    assert judged(workspace, endpoint, GRADER_MODEL="other")["model"].status == "warn"
    endpoint.models = None
    found = judged(workspace, endpoint)
    assert "model" not in found
    assert found["call"].status == "ok"


def test_an_endpoint_without_token_counts_is_a_warning(workspace: Path, endpoint: Endpoint) -> None:
    def quiet(body: Mapping[str, Any]) -> tuple[int, Any]:
        status, answer = good(body)
        del answer["usage"]
        return status, answer

    endpoint.answer = quiet
    assert judged(workspace, endpoint)["call"].status == "warn"


def test_a_clock_that_is_off_is_seen_by_the_endpoint_s_date(workspace: Path, endpoint: Endpoint) -> None:
    endpoint.date = "Tue, 01 Jan 2019 00:00:00 GMT"
    assert judged(workspace, endpoint)["clock"].status == "warn"
    assert checks(workspace, now=datetime(1970, 1, 1, tzinfo=UTC))["clock"].status == "fail"
    assert "09:00" in checks(workspace, GRADER_TIMEZONE="America/Sao_Paulo")["clock"].detail


def test_a_server_that_is_not_there_is_told_from_a_name_that_is_not(workspace: Path, endpoint: Endpoint) -> None:
    gone = judged(workspace, endpoint, GRADER_BASE_URL="http://127.0.0.1:9/v1")
    assert "takes no connection" in gone["network"].detail
    unknown = judged(workspace, endpoint, GRADER_BASE_URL="http://no-such-host.invalid/v1")
    assert "no known host" in unknown["network"].detail
    assert unknown["encryption"].status == "warn"
    assert "call" not in gone
    assert "call" not in unknown


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"GRADER_JUDGE": "llm"}, "api.openai.com needs a key"),
        ({"GRADER_BASE_URL": "http://127.0.0.1:9/v1", "GRADER_API_KEY_ENV": "TEAM_KEY"}, "TEAM_KEY, which is not set"),
        ({"GRADER_PROVIDER": "azure", "GRADER_AZURE_ENDPOINT": "http://127.0.0.1:9"}, "Azure needs a key"),
    ],
)
def test_a_missing_key_is_named(workspace: Path, environ: dict[str, str], words: str) -> None:
    found = next(
        c for c in examine(load(start=workspace, environ=environ), now=NOW, ask_endpoint=False) if c.name == "key"
    )
    assert (found.status, words in found.detail) == ("fail", True)
    assert "export" in (found.cure or "")


def test_azure_without_its_address_is_told_and_nobody_else_is_asked(workspace: Path) -> None:
    environ = {"GRADER_PROVIDER": "azure", "AZURE_OPENAI_API_KEY": "k"}
    found = {c.name: c for c in examine(load(start=workspace, environ=environ), now=NOW)}
    assert (found["endpoint"].status, "GRADER_AZURE_ENDPOINT" in (found["endpoint"].cure or "")) == ("fail", True)
    assert not {"network", "call", "price"} & found.keys()


def test_a_header_without_its_variable_is_a_finding(workspace: Path, endpoint: Endpoint) -> None:
    found = judged(workspace, endpoint, GRADER_HEADERS='{"X-Gate": "${GATE}"}')
    assert "GATE is not set" in found["endpoint"].detail


def test_without_an_endpoint_the_ways_to_set_one_are_told(workspace: Path) -> None:
    found = checks(workspace)
    for word in ("OpenAI", "Azure", "Ollama", "vLLM", "llama.cpp", "LiteLLM"):
        assert word in (found["judge"].cure or "")
    assert checks(workspace, GRADER_JUDGE="signals")["judge"].cure is None


def test_what_is_broken_in_a_workspace_is_named(workspace: Path, tmp_path: Path) -> None:
    rubric = next((workspace / "rubrics" / "accuracy").iterdir())
    rubric.write_text(rubric.read_text().replace("name: accuracy", "name: accuracy\nnmae: x", 1))
    template = next((workspace / "prompts").glob("*.j2"))
    template.write_text("{{ nothing_of_that_name }}")
    (workspace / "grader.duckdb").write_text("no database")
    found = checks(workspace)
    assert {name for name, check in found.items() if check.status == "fail"} == {"rubrics", "prompts", "database"}
    for check in found.values():
        assert check.status == "ok" or check.cure


def test_an_empty_folder_is_no_workspace(tmp_path: Path) -> None:
    settings = load(start=tmp_path, environ={})
    if settings.file is not None:
        pytest.skip("a folder above the temporary one is a workspace")
    found = {c.name: c.status for c in examine(settings, now=NOW)}
    assert found["workspace"] == found["rubrics"] == "fail"


def test_a_database_that_is_held_names_who_holds_it(workspace: Path) -> None:
    database = workspace / "grader.duckdb"
    with open_store(database):
        pass
    assert "0 conversations" in checks(workspace)["database"].detail
    for read_only in (False, True):
        code = (
            f"import duckdb, sys\ncon = duckdb.connect({str(database)!r}, read_only={read_only})\n"
            "print('held', flush=True)\nsys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            found = checks(workspace)["database"]
            holder.terminate()
        assert found.status == ("ok" if read_only else "fail")  # readers do not disturb each other
        assert (f"PID {holder.pid}" in found.detail) is not read_only


def test_a_database_that_is_gone_while_journals_are_there_is_a_failure(workspace: Path) -> None:
    journal = workspace / ".grader" / "journal" / "20261122T000000-abcdef.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    assert checks(workspace)["database"].status == "fail"
    with open_store(workspace / "grader.duckdb"):
        pass
    assert checks(workspace)["journals"].status == "warn"


def test_the_doctor_changes_nothing(workspace: Path) -> None:
    with open_store(workspace / "grader.duckdb"):
        pass
    before = {p: p.stat().st_mtime_ns for p in workspace.rglob("*")}
    checks(workspace)
    assert {p: p.stat().st_mtime_ns for p in workspace.rglob("*")} == before


def test_the_command_ends_with_0_or_2_and_prints_json(
    main: Main, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = main("doctor", "--json", "-w", workspace)
    assert fine.code == 0
    shown = json.loads(fine.out)
    assert shown["ok"] is True
    assert {"name", "status", "detail", "cure"} == set(shown["checks"][0])
    monkeypatch.setenv("GRADER_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("GRADER_MODLE", "x")
    wrong = main("doctor", "-w", workspace)
    assert wrong.code == 2
    assert "fail network" in wrong.out
    assert "warn environment" in wrong.out
    assert "GRADER_MODLE" not in wrong.err


def test_the_doctor_imports_no_client_where_there_is_no_endpoint(workspace: Path) -> None:
    code = (
        "import sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\nfrom grader.config import load\n"
        "from grader.doctor import examine\n"
        f"list(examine(load(start=Path({str(workspace)!r}), environ={{}}), now=datetime.now(UTC)))\n"
        "sys.exit('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
