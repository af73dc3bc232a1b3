"""Bar: nothing that the app answers before an item is submitted tells what the judge said, or how it was drawn."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from label_parts import rows
from review_parts import WHY, Answer, Reviewer, review, shop

DEADLINE = "accuracy.invented_deadline"
WORDS = {
    "flagged", "stratum", 'rest"', "unjudged", "probability", "verified", "unsupported", "support", "evidence",
    "reasoning", "judge-1", "inclusion", "weight", 'split"', 'dev"', "csat", "outcome", "run_1", "contact",
    "severity", "afterwards",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("blind") / "w", 40, size=30, overlap=20, duplicates=4)


def secrets(root: Path) -> set[str]:
    found = {WHY, *WORDS, *(f'"{other}"' for other in ("judge-1", "llm"))}
    for sql in (
        "select key from judgement", "select distinct conversation_id from conversation",
        "select distinct content_hash from conversation", "select frame_hash from label_plan",
        "select plan_id from label_plan", "select form_id from label_plan", "select run_id from run",
        "select distinct contact_id from conversation where contact_id is not null",
    ):  # fmt: skip
        found |= {value for (value,) in rows(root, sql)}
    assert len(found) > 100
    return found


def traces(answer: Answer, wanted: set[str]) -> list[str]:
    told = answer.json
    if isinstance(told, dict):
        told.pop("languages", None)  # what the page's script says in each language, the same for everybody
        told.pop("unseen", None)
    text = json.dumps(told, ensure_ascii=False).lower()
    return sorted(s for s in wanted if s.lower() in text)


def every_get(someone: Reviewer) -> list[Answer]:
    items = [i["id"] for i in someone.session()["items"]]
    paths = ["api/session", "api/search?q=it", "api/search?q=present", "api/search?q=" + WHY, "api/disputes",
             "api/nothing", "report/", "report/run_1.html", *(f"api/item/{i}" for i in items)]  # fmt: skip
    return [someone.get(path) for path in paths]


def act(someone: Reviewer, item: str, kind: str, **more: Any) -> Answer:
    return someone.post("api/act", {"id": str(uuid.uuid4()), "item": item, "kind": kind, **more})


def test_no_answer_before_submit_holds_a_trace_of_a_verdict_a_stratum_or_a_name(root: Path) -> None:
    wanted = secrets(root)
    shared = [c for (c,) in rows(
        root, "select conversation_id from label_item where copy = 0 group by all having count(*) = 2"
    )]  # fmt: skip
    of = {(c, who): i for c, who, i in rows(
        root, "select conversation_id, reviewer, item_id from label_item where copy = 0"
    )}  # fmt: skip
    with review(root, "--adjudicator", "cleo") as app:
        answers = []
        for name in ("ana", "ben", "cleo"):
            answers += every_get(app[name])
        for name, said in (("ana", "absent"), ("ben", "present")):
            someone = app[name]
            for item in [i["id"] for i in someone.session()["items"]]:
                answers.append(act(someone, item, "answer", question=DEADLINE, answer=said, message=2, quote="It"))
                answers.append(act(someone, item, "answer", question=DEADLINE, answer="maybe"))
                answers.append(act(someone, item, "submit"))
                answers.append(act(someone, item, "change", question=DEADLINE, answer=said))
                answers.append(someone.get(f"api/item/{item}"))
        for c in shared[:3]:
            app["ana"].label(of[c, "ana"], "absent")
            app["ben"].label(of[c, "ben"], "present")
        theirs = app["cleo"].session()["items"]
        assert len(theirs) == 3
        answers += every_get(app["cleo"])
        for i in theirs:
            answers.append(act(app["cleo"], i["id"], "answer", question=DEADLINE, answer="present"))
        assert len(answers) > 150
        for answer in answers:
            assert traces(answer, wanted) == [], answer.body[:300]
        names = {"ana", "ben"}
        for i in theirs:
            assert not names & set(json.dumps(app["cleo"].item(i["id"])).replace('"', " ").split())
        page = app["ana"].get("").body.decode()
        hidden = {s for s in wanted - WORDS if not s.startswith('"')}
        assert [s for s in hidden if s in page] == []
        revealed = app["cleo"].label(theirs[0]["id"], "present")["reveal"]
        assert WHY in json.dumps(revealed) or "So it is" in json.dumps(revealed)  # the search would have found it


def test_what_an_item_tells_beside_its_messages_is_the_same_whatever_the_judge_said(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        seen = set()
        for item in [i["id"] for i in app["ana"].session()["items"] if i["state"] != "submitted"]:
            told = app["ana"].item(item)
            told["conversation"]["lines"] = []
            told.pop("id")
            seen.add(json.dumps(told["conversation"]))
        assert len(seen) == 1  # of this shop's conversations, flagged or not


def test_a_reveal_never_comes_with_never(root: Path, tmp_path: Path) -> None:
    other = shop(tmp_path / "w", 12, size=6, overlap=2, duplicates=1)
    with review(other, "--reveal", "never") as app:
        ana = app["ana"]
        assert ana.session()["reveal"] is False
        for i in ana.session()["items"]:
            assert ana.label(i["id"])["reveal"] is None
            assert ana.item(i["id"])["reveal"] is None
