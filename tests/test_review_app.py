"""The review app as people use it: a real process, real requests, a real database. What was answered is never lost."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest
from label_parts import rows
from review_parts import Reviewer, command, draw, labels, review, shop

from grader.review.covers import held_back

DEADLINE = "accuracy.invented_deadline"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop") / "w")


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A shop of one's own, with a plan for ana and ben."""
    return Path(shutil.copytree(made, tmp_path / "w"))


def items(someone: Reviewer, state: str | None = None) -> list[str]:
    return [i["id"] for i in someone.session()["items"] if state is None or i["state"] == state]


def copies(root: Path) -> dict[str, list[str]]:
    """Of conversations that a reviewer gets twice, both items, the first look first."""
    found: dict[str, list[str]] = {}
    for conversation_id, reviewer, item in rows(
        root, "select conversation_id, reviewer, item_id from label_item order by copy, item_id"
    ):
        found.setdefault(f"{reviewer} {conversation_id}", []).append(item)
    return {name: two for name, two in found.items() if len(two) == 2}


def alone(root: Path, someone: Reviewer) -> str:
    """An item that has no second copy, and whose comparison is not held back to cover one that has."""
    from grader.labelling.given import kept_plan
    from grader.store import open_store

    with open_store(root / "grader.duckdb") as store:
        waits = held_back(kept_plan(store, "lp_"))
    return next(i for i in items(someone) if i not in waits)


def journals(root: Path) -> list[Path]:
    return sorted(root.glob(".grader/review/lp_*/rj_*.jsonl"))


def test_an_item_that_is_submitted_is_a_blind_label_in_the_database_moments_later(root: Path) -> None:
    with review(root) as app:
        ana = app["ana"]
        item = alone(root, ana)
        ana.act(item, "answer", question=DEADLINE, answer="present", note="why")
        ana.act(item, "evidence", question=DEADLINE, message=2, quote="It arrives")
        ana.act(item, "note", text="of the whole")
        ana.act(item, "time", seconds=12.5)
        for q in ana.item(item)["asked"]:
            if q != DEADLINE:
                ana.act(item, "answer", question=q, answer="absent")
        assert labels(root) == []
        told = ana.act(item, "submit")
        assert told["state"] == "submitted"
        assert told["progress"]["n_submitted"] == 1
        assert told["progress"]["seconds_per_item"] is None  # one item says nothing of the pace
        assert ana.saved()["n_waiting"] == 0
        assert app.stop()[0] == 0
    kept = labels(root)
    assert len(kept) == 6
    assert {row[:3] for row in kept} == {("ana", "reviewer", item)}
    (one,) = [row[3:] for row in kept if row[3] == DEADLINE]
    assert one == (DEADLINE, 1, "present", False, "why", 2, "It arrives")
    assert {row[7] for row in kept if row[3] != DEADLINE} == {"of the whole"}
    assert len(rows(root, "select * from label where not verdict_visible")) == 6


def test_the_pace_is_told_from_the_fifth_item_on(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        ana, paces = app["ana"], []
        for item in items(app["ana"])[:5]:
            ana.act(item, "time", seconds=12.5)
            paces.append(ana.label(item)["progress"]["seconds_per_item"])
    assert paces == [None] * 4 + [12.5]


def test_the_process_is_killed_half_way_and_nothing_that_was_answered_is_lost(root: Path) -> None:
    said: dict[tuple[str, str, str], str] = {}
    for turn in range(3):
        with review(root) as app:
            for name in ("ana", "ben"):
                someone = app[name]
                left = [i for i in items(someone) if someone.item(i)["state"] != "submitted"]
                for number, item in enumerate(left[: 3 if turn < 2 else None]):
                    for n, question in enumerate(someone.item(item)["asked"]):
                        answer = ("present", "absent", "not_applicable")[(n + number) % 3]
                        someone.act(item, "answer", question=question, answer=answer)
                        said[name, item, question] = answer
                    if number != 2 or turn == 2:
                        someone.act(item, "submit")
            if turn < 2:
                app.kill()  # the third item of each is answered, and not submitted
            else:
                assert app.stop()[0] == 0
        with review(root) as app:
            for name in ("ana", "ben"):
                for item in {i for who, i, _ in said if who == name}:
                    there = {q: a["answer"] for q, a in app[name].item(item)["answers"].items()}
                    assert there == {q: a for (who, i, q), a in said.items() if (who, i) == (name, item)}
            app.kill()
    done = command(root, "label", "status", "lp_", "--json")
    assert done.returncode == 0, done.stderr
    assert {(who, item, q): answer for who, _, item, q, _, answer, *_ in labels(root)} == said
    assert all(r["n_complete"] == r["n_items"] for r in json.loads(done.stdout)["reviewers"])
    assert all(r["n_changed"] == 0 for r in json.loads(done.stdout)["reviewers"])


def test_a_line_that_a_kill_tore_is_left_out_and_told_and_the_next_act_stands_whole(root: Path) -> None:
    with review(root) as app:
        item = items(app["ana"])[0]
        app["ana"].act(item, "answer", question=DEADLINE, answer="present")
        app.kill()
    (path,) = [p for p in journals(root) if b'"ana"' in p.read_bytes()]
    whole = path.read_bytes()
    path.write_bytes(
        whole + b'{"id": "torn", "item": "' + item.encode() + b'", "kind": "note", "note": "' + bytes(2000)
    )
    with review(root) as app:
        ana = app["ana"]
        assert ana.item(item)["answers"][DEADLINE]["answer"] == "present"
        ana.act(item, "note", text="after it")
        app.kill()
    lines = path.read_bytes().splitlines()
    assert path.read_bytes().startswith(whole)
    assert json.loads(lines[-1])["note"] == "after it"
    with review(root) as app:
        assert app["ana"].item(item)["note"] == "after it"


def test_an_act_that_is_sent_twice_is_done_once(root: Path) -> None:
    with review(root) as app:
        ana = app["ana"]
        item = items(ana)[0]
        body = {"id": "same", "item": item, "kind": "answer", "question": DEADLINE, "answer": "present"}
        first, again = ana.post("api/act", body), ana.post("api/act", body)
        assert (first.status, first.json) == (again.status, again.json)
        other = ana.post("api/act", {**body, "answer": "absent"})
        assert other.status == 409
        assert len(json.loads(json.dumps(ana.item(item)["answers"]))) == 1
        ana.act(item, "undo")
        assert ana.post("api/act", body).status == 200  # a late copy of what was undone does not do it again
        assert ana.item(item)["answers"] == {}


def test_two_people_at_once_and_one_of_them_twice_lose_nothing(root: Path) -> None:
    with review(root) as app:
        wanted: Counter[str] = Counter()
        failed: list[Exception] = []

        def work(someone: Reviewer, mine: list[str]) -> None:
            try:
                for item in mine:
                    someone.label(item)
            except (AssertionError, OSError) as error:  # told below
                failed.append(error)

        threads = []
        for name in ("ana", "ben"):
            all_ = items(app[name])
            wanted[name] = len(all_)
            for half in (all_[::2], all_[1::2]):
                threads.append(threading.Thread(target=work, args=(app[name], half)))
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert failed == []
        assert app["ana"].saved()["n_waiting"] == 0
        assert app.stop()[0] == 0
    assert Counter(row[0] for row in labels(root)) == {name: 6 * n for name, n in wanted.items()}


def test_a_second_server_on_one_plan_is_refused_and_a_lock_that_a_kill_left_is_none(root: Path) -> None:
    with review(root) as app:
        second = command(root, "review", "--port", "0")
        assert second.returncode == 2
        assert f"being reviewed already (PID {app.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        app.kill()
    with review(root) as app:
        assert app["ana"].session()["reviewer"] == "ana"


def test_what_the_judge_said_is_revealed_after_submit_and_a_changed_mind_is_a_second_record(root: Path) -> None:
    with review(root) as app:
        ana = app["ana"]
        item = alone(root, ana)
        told = ana.label(item, "absent")["reveal"]["questions"]
        assert [q["question"] for q in told] == ana.item(item)["asked"]
        assert all(q["mine"] == "absent" and q["others"] == [] for q in told)
        assert all(q["judge"]["model"] == "judge-1" for q in told)
        assert all(q["same"] == (q["judge"]["answer"] == "absent") for q in told)
        assert ana.act(item, "undo", status=409)["error"] == "the verdict was shown"
        ana.act(item, "answer", question=DEADLINE, answer="present", status=409)
        ana.act(item, "change", question=DEADLINE, answer="present", note="convinced")
        assert ana.item(item)["changed"][DEADLINE]["answer"] == "present"
        assert ana.item(item)["answers"][DEADLINE]["answer"] == "absent"
        ana.saved()
        assert app.stop()[0] == 0
    about = [row[4:8] for row in labels(root) if row[3] == DEADLINE]
    assert about == [(1, "absent", False, None), (2, "present", True, "convinced")]
    assert rows(root, f"select answer from label where criterion = '{DEADLINE[9:]}'") == [("absent",)]
    from grader.labelling.given import kept_plan
    from grader.labelling.reference import answered
    from grader.store import open_store

    with open_store(root / "grader.duckdb", read_only=True) as store:
        stands = [a.answer for a in answered(store, kept_plan(store, "lp_")) if a.name == DEADLINE]
    assert stands == ["absent"]
    status = json.loads(command(root, "label", "status", "lp_", "--json").stdout)["reviewers"][0]
    assert (status["n_answers"], status["n_changed"], status["n_changed_later"]) == (6, 0, 1)
    assert "after the reveal" in command(root, "label", "status", "lp_").stdout


def test_that_a_verdict_was_shown_outlives_the_session(root: Path) -> None:
    with review(root) as app:
        item = alone(root, app["ana"])
        app["ana"].label(item)
        app.kill()
    with review(root, "--reveal", "never") as app:
        assert app["ana"].item(item)["reveal"] is None
        assert app["ana"].act(item, "undo", status=409)["error"] == "the verdict was shown"


def test_without_reveal_a_submitted_item_can_be_reopened_and_answered_again_blind(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = alone(root, ana)
        assert ana.label(item)["reveal"] is None
        ana.saved()
        ana.act(item, "undo")
        ana.act(item, "answer", question=DEADLINE, answer="present")
        ana.act(item, "submit")
        ana.saved()
        app.stop()
    assert [row[4:7] for row in labels(root) if row[3] == DEADLINE] == [(1, "absent", False), (2, "present", False)]


def test_nothing_is_revealed_of_a_conversation_whose_second_copy_is_still_to_be_labelled(root: Path) -> None:
    two = next(pair for name, pair in copies(root).items() if name.startswith("ana "))
    with review(root) as app:
        ana = app["ana"]
        assert ana.label(two[0])["reveal"] is None
        assert ana.item(two[0])["reveal"] is None
        assert ana.label(two[1])["reveal"] is not None
        assert ana.item(two[0])["reveal"] is not None
        ana.saved()
        app.stop()
    (copy,) = rows(root, "select copy from label_item where item_id = '" + two[1] + "'")
    assert copy == (1,)
    assert len(labels(root)) == 12
    assert len(rows(root, "select * from label")) == 6  # a second look is none of the reviewer's answers


def test_whoever_adjudicates_gets_what_reviewers_differ_in_as_soon_as_they_do_and_decides_blind(root: Path) -> None:
    shared = Counter(c for (c,) in rows(root, "select conversation_id from label_item where copy = 0"))
    both = [c for c, n in shared.items() if n == 2]
    of = {(c, who): i for c, who, i in rows(
        root, "select conversation_id, reviewer, item_id from label_item where copy = 0"
    )}  # fmt: skip
    with review(root, "--adjudicator", "cleo") as app:
        ana, ben, cleo = app["ana"], app["ben"], app["cleo"]
        assert cleo.session()["items"] == []
        for c in both[:2]:
            ana.label(of[c, "ana"], "absent")
            ben.label(of[c, "ben"], "absent", invented_deadline="present")
        told = cleo.session()
        assert [i["asked"] for i in told["items"]] == [[DEADLINE]] * 2
        assert told["progress"]["n_open_disagreements"] == 2
        item = told["items"][0]["id"]
        assert item not in of.values()
        shown = json.dumps(cleo.item(item))
        assert "ana" not in shown
        assert "ben" not in shown
        cleo.act(item, "answer", question=DEADLINE, answer="present")
        done = cleo.act(item, "submit")
        assert done["progress"]["n_open_disagreements"] == 1
        assert done["reveal"]["questions"][0]["others"] == [
            {"reviewer": "ana", "answer": "absent"}, {"reviewer": "ben", "answer": "present"},
        ]  # fmt: skip
        cleo.saved()
        app.stop()
    status = json.loads(command(root, "label", "status", "lp_", "--json").stdout)
    (about,) = [c for c in status["criteria"] if c["question"] == DEADLINE]
    assert (about["n_adjudicated"], about["n_open"]) == (1, 1)
    with review(root, "--adjudicator", "cleo") as app:
        assert [i["state"] for i in app["cleo"].session()["items"]].count("submitted") == 1


def test_an_adjudicator_is_none_of_the_reviewers_and_nobody_unknown_gets_an_address(root: Path) -> None:
    for args, wanted in (
        (("--adjudicator", "ana"), "is one of the plan's reviewers"),
        (("--owner", "ben"), "is one of the plan's reviewers"),
        (("--reviewers", "zoe"), "is not in this plan"),
        (("--adjudicator", "x", "--owner", "x"), "cannot decide blind"),
        (("--reveal", "later"), "is not known"), (("lp_nothing",), "is no label plan"), (("--reviewers", ""), "nobody"),
    ):  # fmt: skip
        done = command(root, "review", *args, "--port", "0")
        assert done.returncode == 2
        assert wanted in done.stderr
        assert "Traceback" not in done.stderr


def test_a_conversation_that_changed_or_is_gone_is_shown_as_such_and_skipped(root: Path) -> None:
    first = rows(root, "select conversation_id, item_id from label_item where reviewer = 'ana' order by position")[0]
    from grader.store import open_store

    with open_store(root / "grader.duckdb") as store:
        store._con.rows("update conversation set content_hash = 'cv_other' where conversation_id = ?", [first[0]])
    with review(root) as app:
        ana = app["ana"]
        told = ana.session()
        gone = [i["id"] for i in told["items"] if i["state"] == "gone"]
        assert first[1] in gone
        assert told["progress"]["n_gone"] == len(gone)
        assert told["progress"]["n_items"] == len(told["items"]) - len(gone)
        got = ana.get(f"api/item/{first[1]}")
        assert got.status == 409
        assert "gone, or changed" in got.json["error"]
        ana.act(first[1], "defer", status=409)
        ana.label(next(i["id"] for i in told["items"] if i["state"] == "new"))


def test_a_conversation_that_changes_after_it_was_answered_gives_no_label_and_is_told(root: Path) -> None:
    from grader.store import open_store

    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = alone(root, ana)
        ((c,),) = rows(root, f"select conversation_id from label_item where item_id = '{item}'")
        with open_store(root / "grader.duckdb") as store:
            store._con.rows("update conversation set content_hash = 'cv_other' where conversation_id = ?", [c])
        ana.label(item)
        assert ana.saved()["n_refused"] == 6
        code, _out, err = app.stop()
        assert code == 0
        assert "gone, or changed since the plan was drawn" in err
    assert labels(root) == []


def test_answers_that_came_by_file_stand_in_the_app_and_the_other_way_round(root: Path) -> None:
    assert command(root, "label", "export", "lp_", "--reviewer", "ana", "-o", "a.jsonl").returncode == 0
    lines = [json.loads(line) for line in (root / "a.jsonl").read_text().splitlines()]
    for line in lines[1:6]:
        line["answers"] = dict.fromkeys(line["answers"], "absent")
    (root / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert command(root, "label", "import", "a.jsonl", "--reviewer", "ana").returncode == 0
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        assert ana.session()["progress"]["n_submitted"] == 5
        item = lines[1]["item"]
        ana.act(item, "undo")
        ana.act(item, "answer", question=DEADLINE, answer="present")
        ana.act(item, "submit")
        ana.saved()
        app.stop()
    assert [r[4:6] for r in labels(root, f"item_id = '{item}'") if r[3] == DEADLINE] == [(1, "absent"), (2, "present")]
    again = json.loads(command(root, "label", "import", "a.jsonl", "--reviewer", "ana", "--json").stdout)
    assert (again["new"], again["changed"]) == (0, 1)  # the file still says what it said before
    with review(root) as app:
        assert app["ana"].item(item)["answers"][DEADLINE]["answer"] == "absent"


def test_a_file_that_is_imported_again_after_a_change_of_mind_changes_nothing(root: Path) -> None:
    with review(root) as app:
        ana = app["ana"]
        item = alone(root, ana)
        ana.label(item)
        ana.act(item, "change", question=DEADLINE, answer="present")
        ana.saved()
        app.stop()
    assert command(root, "label", "export", "lp_", "--reviewer", "ana", "-o", "a.jsonl").returncode == 0
    lines = [json.loads(line) for line in (root / "a.jsonl").read_text().splitlines()]
    for line in lines[1:]:
        if line["item"] == item:
            line["answers"] = dict.fromkeys(line["answers"], "absent")
    (root / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = json.loads(command(root, "label", "import", "a.jsonl", "--reviewer", "ana", "--json").stdout)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 6)


def test_search_finds_words_in_the_persons_own_items_alone(root: Path) -> None:
    with review(root) as app:
        ana = app["ana"]
        mine = items(ana)
        later = {two[1] for name, two in copies(root).items() if name.startswith("ana ")}
        assert set(ana.get("api/search?q=IT%20arrives").json["items"]) == set(mine) - later
        assert ana.get("api/search?q=arrives%20nothing").json["items"] == []
        assert ana.get("api/search?q=").json["items"] == []
        for item in mine[:3]:
            day = ana.item(item)["conversation"]["lines"][1]["pieces"][0]["segments"][0]["text"].split()[-1]
            assert item in ana.get(f"api/search?q=day%20{day}").json["items"]


def test_defer_and_undefer_are_kept_and_counted(root: Path) -> None:
    with review(root) as app:
        ana = app["ana"]
        item = items(ana)[0]
        assert ana.act(item, "defer")["progress"]["n_deferred"] == 1
        assert items(ana, "deferred") == [item]
        assert ana.act(item, "undefer")["state"] == "begun"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_quietly_with_everything_in_the_database(root: Path, how: int) -> None:
    with review(root, "--owner", "dana") as app:
        item = items(app["ana"])[0]
        app["ana"].label(item)
        code, _out, err = app.stop(how)
    assert code == 0
    assert "dana" not in err  # an owner has no items
    assert "ana: 1 of 16 items submitted" in err
    assert "Traceback" not in err
    assert len(labels(root)) == 6


def test_errors_are_told_in_the_language_of_the_session_or_of_the_page(root: Path) -> None:
    with review(root, "--language", "pt") as app:
        ana = app["ana"]
        assert ana.session()["language"] == "pt"
        item = items(ana)[0]
        assert "desfazer" in ana.act(item, "undo", status=409)["error"]
        body = {"id": "x", "item": item, "kind": "undo"}
        told = ana.post("api/act", body, **{"X-Grader-Language": "en"})
        assert told.json["error"] == "there is nothing to undo"
        assert b'<html lang="pt-BR">' in ana.get("").body
        assert b'<html lang="en">' in ana.get("?lang=en").body


def test_without_a_plan_it_says_how_to_draw_one(tmp_path: Path) -> None:
    from label_parts import judge_shop

    from grader.workspace import init

    root = init(tmp_path / "w").root
    judge_shop(root, 6)
    done = command(root, "review", "--port", "0")
    assert done.returncode == 2
    assert "grader label plan" in done.stderr


def test_of_several_plans_the_latest_is_taken(root: Path) -> None:
    draw(root, size=10, overlap=2, duplicates=0, reviewers="eva,fay")
    with review(root) as app:
        assert set(app.people) == {"eva", "fay"}
