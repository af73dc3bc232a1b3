"""What a siege of the review app brought down once: blindness by a twin, words that nobody wrote, files taken away."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from label_parts import rows
from review_parts import Reviewer, command, labels, review, shop

from grader.cli.review import _people
from grader.errors import ConfigError, RefusedError
from grader.model import Kind, Message, Role, ToolCall
from grader.review import journal as journals
from grader.review.acts import Act, ItemState
from grader.review.covers import COVERS, held_back
from grader.review.quoted import own_words

DEADLINE = "accuracy.invented_deadline"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("siege") / "w")


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "w"))


def items(someone: Reviewer) -> list[str]:
    return [i["id"] for i in someone.session()["items"]]


def twins(root: Path, name: str) -> list[list[str]]:
    """Of each conversation that this reviewer gets twice, both items in order."""
    found: dict[str, list[str]] = {}
    for c, item in rows(
        root, f"select conversation_id, item_id from label_item where reviewer = '{name}' order by position"
    ):
        found.setdefault(c, []).append(item)
    return [two for two in found.values() if len(two) == 2]


def plan_of(root: Path) -> Any:
    from grader.labelling.given import kept_plan
    from grader.store import open_store

    with open_store(root / "grader.duckdb") as store:
        return kept_plan(store, "lp_")


# Blindness


def test_what_is_shown_of_the_second_look_cannot_be_followed_by_a_new_blind_answer_to_the_first(root: Path) -> None:
    first, second = twins(root, "ana")[0]
    with review(root) as app:
        ana = app["ana"]
        assert ana.label(first)["reveal"] is None
        assert ana.label(second)["reveal"] is not None  # the same conversation, the same verdicts
        assert ana.act(first, "undo", status=409)["error"] == "the verdict was shown"
        ana.act(first, "answer", status=409, question=DEADLINE, answer="present")


def test_an_item_without_a_comparison_is_not_known_by_it_to_come_again(root: Path) -> None:
    pairs = twins(root, "ana")
    waits = held_back(plan_of(root))
    twice = {item for two in pairs for item in two}
    covers = {i: w for i, w in waits.items() if i not in twice and any(two[1] in w for two in pairs)}
    assert len(covers) == COVERS * len(pairs)
    with review(root) as app:
        ana = app["ana"]
        order = items(ana)
        assert all(order.index(cover) < order.index(copy) for cover, w in covers.items() for copy in w)
        silent = [item for item in order if item not in {two[1] for two in pairs} and ana.label(item)["reveal"] is None]
        assert set(silent) == {two[0] for two in pairs} | set(covers)
        first, second = pairs[0]
        mine = [cover for cover, w in covers.items() if second in w]
        assert ana.item(mine[0])["reveal"] is None
        ana.label(second)
        for item in (first, *mine):  # both kinds come open at the same moment
            assert ana.item(item)["reveal"] is not None


def test_a_search_never_leads_from_one_look_at_a_conversation_to_the_other(root: Path) -> None:
    first, second = twins(root, "ana")[0]
    with review(root) as app:
        ana = app["ana"]

        def found() -> list[str]:
            return [i for i in ana.get("api/search?q=it").json["items"] if i in (first, second)]

        assert found() == [first]
        ana.label(first)
        assert found() == [second]
        ana.label(second)
        assert found() == [first, second]


def test_whoever_read_the_report_decides_nothing_blind_afterwards(root: Path) -> None:
    with review(root, "--owner", "dana", "--reviewers", "ana") as app:
        assert app["dana"].get("report/").status == 200
        app.stop()
    done = command(root, "review", "--adjudicator", "dana", "--port", "0")
    assert done.returncode == 2
    assert "has read the report" in done.stderr


def test_an_adjudicator_who_read_the_report_gets_nothing_new_to_decide(tmp_path: Path) -> None:
    root = shop(tmp_path / "w", 12, size=4, overlap=4, duplicates=0)
    with review(root, "--reveal", "never", "--adjudicator", "cleo") as app:
        ana, ben, cleo = app["ana"], app["ben"], app["cleo"]
        for someone in (ana, ben):
            for item in items(someone):
                someone.label(item)
        assert cleo.get("report/").status == 200
        item = items(ana)[0]
        ana.act(item, "undo")
        ana.label(item, "present")
        assert cleo.session()["progress"]["n_open_disagreements"] > 0
        assert items(cleo) == []


# Words


def message(text: str, role: Role = Role.CUSTOMER, **more: Any) -> Message:
    return Message(role=role, text=text, **more)


@pytest.mark.parametrize(("one", "shown", "own"), [
    (message("It arrives\x07 soon"), "arrives\u2407 soon", "arrives\x07 soon"),
    (message("a\x80b c"), "a\ufffdb", "a\x80b"),
    (message("two\nlines  here"), "two lines here", "two\nlines  here"),
    (message("It arrives soon"), "It came soon", None),
    (message("It arrives"), "Itarrives", None),
    (message('{"a":[1,2],"b":"x y"}', Role.TOOL, kind=Kind.TOOL_RESULT), '"a": [\n    1,\n    2', '"a":[1,2'),
    (message("", Role.AI, tool_calls=[ToolCall(name="find", arguments='{"id":7}')]), '{\n  "id": 7\n}', '{"id":7}'),
    (message("\u2407 is a picture"), "\u2407 is", "\u2407 is"),
])  # fmt: skip
def test_a_quote_is_kept_as_the_message_has_it(one: Message, shown: str, own: str | None) -> None:
    assert own_words(one, shown) == own


def test_words_that_stand_in_no_such_message_are_refused_and_kept_nowhere(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = items(ana)[0]
        for given in (
            {"message": 2, "quote": "I never said this"}, {"message": 1, "quote": "It arrives"},
            {"quote": "It arrives"},
            {"message": 2, "quote": " \n"},
        ):  # fmt: skip
            for kind, answer in (("answer", "present"), ("evidence", None)):
                told = ana.act(item, kind, status=409, question=DEADLINE, answer=answer, **given)
                assert "do not stand" in told["error"]
        body = {"id": str(uuid.uuid4()), "item": item, "kind": "evidence", "question": DEADLINE, "message": 2}
        assert ana.post("api/act", {**body, "quote": "It  arrives"}).status == 200
        assert ana.post("api/act", {**body, "quote": "It  arrives"}).status == 200  # sent twice, done once
        assert ana.item(item)["answers"] == {}
        ana.label(item, "present")
        ana.saved()
        app.stop()
    ((quote,),) = rows(root, "select quote from label_record where quote is not null")
    assert quote == "It arrives"


# Loss


def test_a_journal_that_is_removed_while_the_app_runs_is_written_again_whole(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = items(ana)[0]
        ana.act(item, "answer", question=DEADLINE, answer="present")
        (journal,) = root.glob(".grader/review/lp_*/rj_*.jsonl")
        journal.unlink()
        ana.act(item, "note", text="after")
        app.kill()
    with review(root) as app:
        told = app["ana"].item(item)
    assert (told["answers"][DEADLINE]["answer"], told["note"]) == ("present", "after")


def test_a_journal_that_is_edited_while_the_app_runs_is_not_written_over(root: Path) -> None:
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = items(ana)[0]
        ana.act(item, "answer", question=DEADLINE, answer="present")
        (journal,) = root.glob(".grader/review/lp_*/rj_*.jsonl")
        edited = journal.read_bytes().replace(b'"present"', b'"absent"')
        journal.write_bytes(edited)
        got = ana.post("api/act", {"id": "n", "item": item, "kind": "note", "text": "after"})
        assert got.status == 507
        assert "start it again" in got.json["cure"]
        assert journal.read_bytes() == edited
        app.stop()
    with review(root) as app:
        assert app["ana"].item(item)["answers"][DEADLINE]["answer"] == "absent"


def test_an_answer_after_a_label_from_a_clock_that_was_ahead_still_becomes_a_label(root: Path) -> None:
    from grader.store import open_store

    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        item = items(ana)[0]
        ana.label(item, "absent")
        ana.saved()
        app.stop()
    with open_store(root / "grader.duckdb") as store:
        store._con.rows("update label_record set labelled_at = labelled_at + interval 3 hours")
    with review(root, "--reveal", "never") as app:
        ana = app["ana"]
        ana.act(item, "undo")
        ana.label(item, "present")
        assert ana.saved()["n_waiting"] == 0
        app.stop()
    assert {row[5] for row in labels(root, "number = 2")} == {"present"}


def test_the_next_act_is_later_than_everything_before_it(tmp_path: Path) -> None:
    one = journals.opened(tmp_path, "lp_1", "reviewer", "ana")
    ahead = one.after = datetime.now(UTC) + timedelta(days=3)
    assert one.now() > ahead


def test_undo_of_what_came_by_file_is_not_itself_undone() -> None:
    state = ItemState("it_1")
    state.do(Act("1", "it_1", "imported", datetime.now(UTC), DEADLINE, "absent"))
    undo = Act("2", "it_1", "undo", datetime.now(UTC))
    state.check(undo, [DEADLINE])
    state.do(undo)
    with pytest.raises(RefusedError, match="nothing to undo"):
        state.check(undo, [DEADLINE])
    assert state.state([DEADLINE]) == "begun"


# The port, and connections


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def test_a_plan_keeps_its_port_and_says_so_when_it_cannot_have_it(root: Path) -> None:
    port = free()
    with review(root, port=port) as app:
        app.stop()
    with review(root, port=None) as app:
        assert app["ana"].port == port
        assert "reviewed last" not in app.stop()[2]
    with socket.create_server(("127.0.0.1", port)), review(root, port=None) as app:
        assert app["ana"].port != port
        err = app.stop()[2]
    assert f"port {port}, where this plan was reviewed last, is taken" in err
    assert f"--port {port}" in err


def test_a_port_that_the_system_chose_is_the_one_that_is_remembered(root: Path) -> None:
    with review(root, port=free()) as app:
        app.stop()
    with review(root, port=0) as app:
        chosen = app["ana"].port
        app.stop()
    with review(root, port=None) as app:
        assert app["ana"].port == chosen


def test_connections_without_number_use_up_nothing(root: Path) -> None:
    with review(root, "--reveal", "never") as app, ExitStack() as many:
        ana = app["ana"]
        resource.prlimit(app.process.pid, resource.RLIMIT_NOFILE, (256, 256))
        for n in range(400):
            one = many.enter_context(socket.create_connection(("127.0.0.1", ana.port), timeout=5))
            if n % 2:
                one.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        ana.act(items(ana)[0], "note", text="through")
        code, _out, err = app.stop()
    assert code == 0
    assert "Traceback" not in err


def test_an_option_that_names_nobody_is_refused() -> None:
    plan: Any = SimpleNamespace(reviewers=("ana",))
    for given in ({"adjudicator": " , ", "owner": None}, {"adjudicator": None, "owner": ""}):
        with pytest.raises(ConfigError, match="names nobody"):
            _people(plan, None, **given)


def test_what_was_clicked_is_what_status_counts(tmp_path: Path) -> None:
    root = shop(tmp_path / "w", 16, size=6, overlap=6, duplicates=1)
    said: dict[tuple[str, str], str] = {}
    with review(root, "--reveal", "never", "--adjudicator", "cleo") as app:
        for name in ("ana", "ben"):
            for n, item in enumerate(items(app[name])):
                answer = "present" if (n + len(name)) % 3 == 0 or (name == "ben" and n % 2) else "absent"
                app[name].act(item, "defer")
                app[name].label(item, "absent", invented_deadline=answer)
                said[name, item] = answer
        first = items(app["ana"])[0]  # taken back, and answered otherwise
        other = "absent" if said["ana", first] == "present" else "present"
        app["ana"].act(first, "undo")
        app["ana"].label(first, "absent", invented_deadline=other)
        said["ana", first] = other
        of = {i: (c, copy) for i, c, copy in rows(root, "select item_id, conversation_id, copy from label_item")}
        by: dict[str, set[str]] = {}
        for (_name, item), answer in said.items():
            if not of[item][1]:
                by.setdefault(of[item][0], set()).add(answer)
        differ = [c for c, answers in by.items() if len(answers) > 1]
        queue = items(app["cleo"])
        assert len(queue) == len(differ) > 1
        app["cleo"].label(queue[0], "present")
        app["ana"].saved()
        app.stop()
    status = json.loads(command(root, "label", "status", "lp_", "--json").stdout)
    (about,) = [c for c in status["criteria"] if c["question"] == DEADLINE]
    assert about["n_open"] == len(differ) - 1
    assert about["n_adjudicated"] == 1
    kept = {(r, i): a for r, i, a in rows(
        root, f"select reviewer, item_id, arg_max(answer, number) from label_record where role = 'reviewer' and "
        f"rubric || '.' || criterion = '{DEADLINE}' group by all"
    )}  # fmt: skip
    assert kept == said
