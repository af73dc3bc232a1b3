"""The report within a review session: who may read it, and how a finding is disputed there."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from label_parts import rows
from review_parts import Reviewer, command, review, shop

DEADLINE = "accuracy.invented_deadline"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return shop(tmp_path / "w")


def items(someone: Reviewer) -> list[str]:
    return [i["id"] for i in someone.session()["items"]]


def app_conversations(root: Path) -> list[str]:
    return [c for (c,) in rows(root, "select conversation_id from run_item order by all")]


def finding(root: Path) -> dict[str, Any]:
    run, c = rows(root, "select run_id, conversation_id from run_item order by all limit 1")[0]
    return {"id": str(uuid.uuid4()), "run_id": run, "conversation_id": c, "question": DEADLINE, "answer": "absent",
            "note": "No deadline at all."}  # fmt: skip


def test_the_owner_reads_the_report_and_disputes_a_finding_which_is_no_blind_label(root: Path) -> None:
    with review(root, "--owner", "dana", "--reviewers", "ana") as app:
        dana, ana = app["dana"], app["ana"]
        assert set(app.people) == {"ana", "dana"}
        report = dana.get("report/")
        assert report.status == 200
        assert b'id="review"' in report.body
        assert b"Content-Security-Policy" not in report.body  # it stands in the header, with what the app needs
        assert "connect-src 'self'" in report.headers["content-security-policy"]
        assert "script-src 'sha256-" in report.headers["content-security-policy"]
        assert report.headers["content-security-policy"].count("'sha256-") == 3  # two scripts, one style
        body = finding(root)
        assert dana.post("api/dispute", body).status == 200
        assert dana.post("api/dispute", body).status == 200
        assert dana.post("api/dispute", {**body, "id": "2", "answer": "perhaps"}).status == 400
        assert dana.post("api/dispute", {**body, "id": "3", "question": "accuracy.no"}).status == 404
        assert dana.post("api/dispute", {**body, "id": "4", "conversation_id": "talk-none"}).status == 404
        assert dana.post("api/dispute", {**body, "id": "5", "run_id": "run_2"}).status == 404
        (told,) = dana.get("api/disputes").json["disputes"]
        assert (told["reviewer"], told["answer"], told["note"]) == ("dana", "absent", "No deadline at all.")
        for path in ("report/", "api/disputes"):
            assert ana.get(path).status == 404  # who labels stays blind
        where = f"api/finding?conversation={body['conversation_id']}&question="
        assert ana.get(where + DEADLINE).status == 404
        assert dana.get(where + "accuracy.no").status == 404
        assert dana.get(f"api/finding?conversation=talk-none&question={DEADLINE}").status == 404
        for conversation in app_conversations(root):  # of the plan or not, all of the run's
            shown = dana.get(f"api/finding?conversation={conversation}&question={DEADLINE}").json
            assert shown["conversation"]["lines"]
            assert shown["judge"]["answer"] in ("present", "absent")
            assert len(shown["disputes"]) == (conversation == body["conversation_id"])
        assert ana.post("api/dispute", body).status == 404
        dana.saved()
        app.stop()
    kept = rows(
        root, "select origin, plan_id, item_id, verdict_visible, answer, note, rubric_version from label_record"
    )
    assert kept == [("dispute", None, None, True, "absent", "No deadline at all.", "1.0.0")]
    assert rows(root, "select * from label") == []
    assert command(root, "label", "status", "lp_").returncode == 0
    with review(root, "--owner", "dana") as app:
        assert len(app["dana"].get("api/disputes").json["disputes"]) == 1


def test_a_reviewer_who_has_submitted_everything_may_read_the_report_and_answers_nothing_blind_after_it(
    tmp_path: Path,
) -> None:
    root = shop(tmp_path / "w", 12, size=6, overlap=2, duplicates=0)
    with review(root, "--reveal", "never", "--adjudicator", "cleo") as app:
        ana = app["ana"]
        mine = items(ana)
        for item in mine:
            ana.label(item)
        assert ana.session()["report"] is True
        assert app["cleo"].get("report/").status == 404  # ben may still make work for cleo
        ana.act(mine[0], "undo")
        assert ana.get("report/").status == 404
        assert ana.get(f"api/finding?conversation={finding(root)['conversation_id']}&question={DEADLINE}").status == 404
        ana.act(mine[0], "submit")
        assert ana.get("report/").status == 200
        assert ana.act(mine[0], "undo", status=409)["error"] == "the verdict was shown"
