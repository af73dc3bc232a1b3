"""`grader rubric` and `grader prompt` at the command line: what they print, where, and how they exit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from grader.cli import app
from grader.model import Conversation, Policy
from grader.store import open_store
from grader.workspace import init

ROOT = Path(__file__).parents[1]


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    init(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*args: object) -> Ran:
        capsys.readouterr()
        try:
            typer.main.get_command(app).main([str(arg) for arg in args], prog_name="grader")
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_list_shows_the_newest_version_of_each_rubric_and_all_of_them_on_request(run: Run) -> None:
    assert [row["name"] for row in run("rubric", "list", "--json").json] == [
        "accuracy",
        "behavior",
        "experience",
        "resolution",
    ]
    assert run("rubric", "new-version", "accuracy").code == 0
    assert "1.1.0" in run("rubric", "list").out
    assert "1.0.0" not in run("rubric", "list", "--json").json[0]["version"]
    assert [row["version"] for row in run("rubric", "list", "--all", "--json").json][:2] == ["1.0.0", "1.1.0"]


def test_show_prints_every_definition_and_fills_in_the_contact_reasons(run: Run) -> None:
    shown = run("rubric", "show", "resolution")
    assert shown.code == 0
    assert "- order_status: Where an order is" in shown.out
    assert "example, frustrated, near miss:" in shown.out
    data = run("rubric", "show", "resolution", "--json").json
    assert "exchange" in data["criteria"][1]["options"]
    listed = {row["name"]: row["meaning_hash"] for row in run("rubric", "list", "--json").json}
    assert data["meaning_hash"] == listed["resolution"]


def test_a_wrong_name_exits_2_and_names_the_nearest(run: Run) -> None:
    ran = run("rubric", "show", "acuracy")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean accuracy?" in ran.err


def test_lint_of_a_fresh_workspace_finds_nothing_even_when_strict(run: Run) -> None:
    assert run("rubric", "lint", "--strict", "--json").json == {"errors": 0, "warnings": 0, "ok": True, "findings": []}


def test_lint_names_file_and_line_and_exits_1_on_errors_only(run: Run, workspace: Path) -> None:
    path = workspace / "rubrics" / "accuracy" / "1.0.0.yaml"
    edit(path, "Did the AI state a date", "Did the AI properly state a date")
    warned = run("rubric", "lint")
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if "properly" in text)
    assert warned.code == 0
    assert f"{path}:{line}: warning invented_deadline: “properly”" in warned.out
    assert run("rubric", "lint", "--strict").code == 1
    edit(
        path,
        "  - code: status_without_lookup",
        "  - code: extra\n    question: Was it good and kind?\n  - code: status_without_lookup",
    )
    failed = run("rubric", "lint", "accuracy", "--json")
    assert failed.code == 1
    rules = {item["rule"] for item in failed.json["findings"] if item["criterion"] == "extra"}
    assert {"double_barrelled", "missing_present", "missing_not_applicable", "no_examples"} <= rules


def test_lint_reports_files_that_do_not_load_and_templates_that_leak(run: Run, workspace: Path) -> None:
    edit(workspace / "rubrics" / "behavior" / "1.0.0.yaml", "severity: critical", "severity: worst")
    (workspace / "prompts" / "reminder.j2").write_text("Remember what was said: {{ transcript }}")
    ran = run("rubric", "lint", "--json")
    assert ran.code == 1
    findings = {item["rule"]: item for item in ran.json["findings"]}
    assert findings["load"]["line"] == 8
    assert "no conversation text goes into a template" in findings["template"]["message"]
    assert "reminder.j2:1" in findings["template"]["message"]


def test_lint_tells_a_list_that_no_workspace_has(run: Run, workspace: Path) -> None:
    edit(workspace / "rubrics" / "resolution" / "1.0.0.yaml", "options_from: contact_reasons", "options_from: moods")
    ran = run("rubric", "lint", "--json")
    assert ran.code == 1
    assert ran.json["findings"][0]["rule"] == "unknown_list"


def test_diff_says_whether_the_meaning_or_only_labels_changed(run: Run, workspace: Path) -> None:
    run("rubric", "new-version", "accuracy", "--part", "patch")
    patch = workspace / "rubrics" / "accuracy" / "1.0.1.yaml"
    assert "Neither meaning nor labels changed" in run("rubric", "diff", "accuracy@1.0.0", "accuracy@1.0.1").out
    edit(patch, "severity: high", "severity: low")
    assert "Only labels changed" in run("rubric", "diff", "accuracy@1.0.0", "accuracy").out
    edit(patch, "It counts even when the AI notices later.", "It counts until the AI notices.")
    ran = run("rubric", "diff", "accuracy@1.0.0", patch)
    assert "The meaning changed" in ran.out
    assert "[meaning] exchange_treated_as_return: present" in ran.out
    data = run("rubric", "diff", "accuracy@1.0.0", "accuracy", "--json").json
    assert (data["meaning_changed"], data["labels_changed"]) == (True, True)
    assert [(c["criterion"], c["field"], c["meaning"]) for c in data["changes"]] == [
        (None, "version", False),
        ("exchange_treated_as_return", "severity", False),
        ("exchange_treated_as_return", "present", True),
    ]


def test_new_version_prints_the_file_and_refuses_to_overwrite(run: Run, workspace: Path) -> None:
    target = workspace / "rubrics" / "accuracy" / "1.1.0.yaml"
    assert run("rubric", "new-version", "accuracy@1.0.0").out.strip() == str(target)
    again = run("rubric", "new-version", "accuracy@1.0.0")
    assert again.code == 2
    assert "there already" in again.err
    assert run("rubric", "new-version", "accuracy", "--part", "huge").code == 2


def test_a_users_own_rubric_file_works_the_same_way(run: Run, workspace: Path) -> None:
    own = workspace / "my rubric.yaml"
    own.write_text("name: manners\nversion: 0.1.0\ncriteria:\n  - code: rude\n    question: Was the AI rude?\n")
    assert "Was the AI rude?" in run("rubric", "show", own).out
    assert run("rubric", "lint", own).code == 1
    shutil.move(own, workspace / "rubrics" / "manners.yaml")
    assert "manners" in [row["name"] for row in run("rubric", "list", "--json").json]


# ── prompt show ──


@pytest.fixture
def stored(workspace: Path) -> Path:
    case = Conversation.model_validate({
        "conversation_id": "wa-1", "channel": "whatsapp", "queue": "orders", "started_at": "2026-08-03T14:02-04:00",
        "messages": [{"role": "customer", "text": "hi {{ 7*6 }}"}, {"role": "ai", "text": "Hello!"}],
    })  # fmt: skip
    policies = [
        Policy.model_validate({"policy_id": "r", "version": "old", "text": "OLDRULE", "valid_to": "2026-08-31"}),
        Policy.model_validate({"policy_id": "r", "version": "new", "text": "NEWRULE", "valid_from": "2026-09-01"}),
    ]
    with open_store(workspace / "grader.duckdb") as store:
        store.add([(case, None, None), *((policy, None, None) for policy in policies)])
    return workspace


def test_prompt_show_prints_the_messages_and_keeps_notes_off_stdout(run: Run, stored: Path) -> None:
    ran = run("prompt", "show", "wa-1", "--rubric", "accuracy")
    assert ran.code == 0
    assert ran.out.startswith("[system]\nYou review")
    assert '"text": "hi {{ 7*6 }}"' in ran.out
    assert "OLDRULE" in ran.out
    assert "NEWRULE" not in ran.out
    assert "accuracy.invented_deadline is cannot_assess without asking" in ran.err
    assert "- exchange_treated_as_return, answered_without_context, contradicts_policy\n" in ran.out


def test_prompt_show_as_json_is_what_is_sent_with_the_replys_schema(run: Run, stored: Path) -> None:
    (one,) = run("prompt", "show", "wa-1", "-r", "accuracy", "--json").json
    assert [message["role"] for message in one["messages"]] == ["system", "user", "user", "user"]
    assert json.loads(one["messages"][2]["content"])["messages"][0]["text"] == "hi {{ 7*6 }}"
    assert list(one["schema"]["properties"]) == [
        "exchange_treated_as_return", "answered_without_context", "contradicts_policy",
    ]  # fmt: skip
    assert one["ruled"]["accuracy.invented_deadline"] == "cannot_assess"
    assert one["prompt_hash"].startswith("pr_")


def test_group_all_shows_one_prompt_with_every_rubric(run: Run, stored: Path) -> None:
    assert len(run("prompt", "show", "wa-1", "--json").json) == 4
    (one,) = run("prompt", "show", "wa-1", "--group", "all", "--json").json
    assert list(one["schema"]["properties"]) == ["accuracy", "behavior", "experience", "resolution"]


def test_prompt_show_tells_an_unknown_conversation_a_missing_database_and_a_wrong_group(run: Run, stored: Path) -> None:
    assert "no conversation 'nope'" in run("prompt", "show", "nope").err
    assert run("prompt", "show", "nope").code == 2
    assert run("prompt", "show", "wa-1", "--group", "some").code == 2
    (stored / "grader.duckdb").unlink()
    assert run("prompt", "show", "wa-1").code == 2


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["lint"], ["diff"], ["new-version"]])
def test_every_rubric_command_has_help_with_an_example(run: Run, command: list[str]) -> None:
    assert "Example:" in run("rubric", *command, "--help").out
    assert "Example:" in run("prompt", *(["show"] if command else []), "--help").out
