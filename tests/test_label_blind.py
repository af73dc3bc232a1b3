"""Bar: nothing that a labeller can get tells what the judge said, why, how sure, or how a conversation was drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Main
from label_parts import drawn, exported, fill, imported, judge_shop, rows

WHY = "Reasoning-of-the-judge-0815"


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def everything(main: Main, folder: Path, plan: str) -> dict[str, bytes]:
    """Every file and every page that somebody who labels can get: forms of both kinds and both reviewers, what the
    commands print on the way, the form for disagreements, the progress.
    """
    got: dict[str, bytes] = {}
    printed = []
    for reviewer in ("ana", "ben"):
        for suffix in ("csv", "jsonl"):
            path = folder / f"{reviewer}.{suffix}"
            done = main("label", "export", plan, "--reviewer", reviewer, "-o", path)
            printed.append((done.out + done.err).replace(str(folder), ""))
            got[path.name] = path.read_bytes()
    for reviewer, said in (("ana", "present"), ("ben", "absent")):
        filled = fill(folder / f"{reviewer}.csv", lambda _text, _question, said=said: said)  # type: ignore[misc]
        done = main("label", "import", filled, "--reviewer", reviewer, "--plan", plan)
        assert done.code == 0, done.err
        printed.append((done.out + done.err).replace(str(folder), ""))
    for suffix in ("csv", "jsonl"):
        path = folder / f"third.{suffix}"
        done = main("label", "adjudicate", plan, "-o", path)
        printed.append((done.out + done.err).replace(str(folder), ""))
        got[path.name] = path.read_bytes()
    for args in ((), ("--json",)):
        done = main("label", "status", plan, *args)
        printed.append(re.sub(r"lp_\w+", "lp_", done.out + done.err))
    got["printed"] = "\n".join(printed).encode()
    return got


def test_nothing_that_a_labeller_can_get_holds_a_trace_of_the_verdict(main: Main, shop: Path) -> None:
    judge_shop(shop, 60, why=WHY)
    plan = drawn(main, "-n", "60", "--reviewers", "ana,ben", "--overlap", "60", "--duplicates", "5")
    got = everything(main, shop, plan["plan_id"])
    assert len(got["third.csv"]) > 1000
    run_id = plan["run_id"]
    secrets = {
        WHY, run_id, "flagged", "stratum", "rest\"", "unjudged", "probability", "verified", "unsupported", "support",
        "evidence", "reasoning", "judge-1", "verdict", plan["frame_hash"], "inclusion", "weight", "split\"", "dev\"",
    }  # fmt: skip
    secrets |= {key for (key,) in rows(shop, "select key from judgement")}
    secrets |= {d["conversation_id"] for d in plan["drawn"]}  # with which the verdict could be looked up
    assert len(secrets) > 100
    for name, content in got.items():
        text = content.decode("utf-8-sig").lower()
        if name == "printed":
            text = text.replace('"splits"', "").replace('"dev"', "")  # how many there are of each, in status
        found = sorted(secret for secret in secrets if secret.lower() in text)
        assert found == [], f"{name} tells {found}"
    # A verdict's quote is a part of the transcript, which everybody reads; nothing marks it there.
    body = got["ana.jsonl"].decode()
    assert body.count("It arrives") == sum(i["reviewer"] == "ana" for i in plan["items"])


def test_two_runs_with_opposite_verdicts_give_byte_identical_files_for_the_same_items(main: Main, shop: Path) -> None:
    judge_shop(shop, 40, lambda i: "invented_deadline" if i % 4 == 0 else None, run_id="run_a")
    judge_shop(shop, 40, lambda i: None if i % 4 == 0 else "status_without_lookup", run_id="run_b", again=True)
    chosen = ("-n", "40", "--seed", "7", "--reviewers", "ana,ben", "--overlap", "20", "--duplicates", "4")
    one, other = (drawn(main, "--run", run, *chosen) for run in ("run_a", "run_b"))
    assert one["plan_id"] != other["plan_id"]
    strata = [{d["conversation_id"]: d["stratum"] for d in p["drawn"]} for p in (one, other)]
    assert {d for d in strata[0] if strata[0][d].startswith("flagged")} == {
        d for d in strata[1] if not strata[1][d].startswith("flagged")
    }  # fmt: skip
    got = []
    for plan in (one, other):
        folder = shop / plan["plan_id"]
        folder.mkdir()
        got.append(everything(main, folder, plan["plan_id"]))
    assert got[0].keys() == got[1].keys()
    for name in got[0]:
        assert got[0][name] == got[1][name], name


def test_where_a_conversation_stands_in_a_form_says_nothing_of_its_verdict(main: Main, shop: Path) -> None:
    judge_shop(shop, 200, lambda i: "invented_deadline" if i % 2 else None)
    plan = drawn(main, "-n", "200", "--positives", "0.5", "--reviewers", "ana", "--duplicates", "0")
    flagged = {d["conversation_id"] for d in plan["drawn"] if d["stratum"].startswith("flagged")}
    places = [i["position"] for i in plan["items"] if i["conversation_id"] in flagged]
    # The mean of 100 of the places 1 to 200 without replacement: 100.5, standard deviation 4.1; four of these.
    assert len(places) == 100
    assert abs(sum(places) / 100 - 100.5) < 16.4


def test_a_name_of_an_item_is_made_without_the_run(main: Main, shop: Path) -> None:
    judge_shop(shop, 30)
    plan = drawn(main, "-n", "30", "--seed", "3", "--reviewers", "ana", "--duplicates", "2")
    from grader.labelling.design import item_id

    for i in plan["items"]:
        assert i["item_id"] == item_id(3, "ana", i["conversation_id"], i["copy"])


def test_labels_are_kept_as_given_without_sight_of_the_verdict(main: Main, shop: Path) -> None:
    judge_shop(shop, 30)
    plan = drawn(main, "-n", "30", "--reviewers", "ana")
    form = fill(exported(main, plan["plan_id"], "ana", shop / "a.jsonl"), lambda _t, _q: "absent")
    imported(main, form, "--reviewer", "ana")
    assert rows(shop, "select distinct verdict_visible from label_record") == [(False,)]
    assert rows(shop, "select distinct verdict_visible from label") == [(False,)]
