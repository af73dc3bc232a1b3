"""Where the judge and people differ: every direction counted by hand, and nothing that is not known among them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from disagree_parts import CASES, DEADLINE, accuracy_run, labelled, named_in, shop_of_cases
from label_parts import fill, imported
from report_data import RUBRICS, T0, present, says, world

from grader.calibration.disagreements import Disagreements, direction_named, direction_of, disagreements
from grader.errors import ConfigError, InputError
from grader.labelling.given import kept_plan
from grader.labelling.reference import openings
from grader.store import open_store

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALL = ("train", "dev", "test")
RESOLVED = "resolution.resolved"


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def read(
    folder: Path, plan: str, run: str | None = None, splits: Sequence[str] = ALL, **how: Any
) -> Disagreements:  # fmt: skip
    with open_store(folder / "grader.duckdb") as store:
        return disagreements(store, kept_plan(store, plan), run, splits, now=NOW, **how)


def told(found: Disagreements) -> dict[str, list[str]]:
    """direction, or the pair of answers → conversations."""
    return {
        " instead of ".join(g.pair) if g.pair else g.direction.name: [i.conversation_id for i in g.items]
        for g in found.groups
    }


def test_every_direction_is_as_counted_by_hand(main: Main, shop: Path) -> None:
    plan = shop_of_cases(main, shop)
    found = read(shop, plan["plan_id"])
    assert told(found) == {
        "missed": ["missed-1", "missed-2", "missed-na"],
        "false-alarm": ["alarm-1", "alarm-na"],
        "unproved": ["unproved"],
        "unproved-alarm": ["unproved-alarm"],
        "not-applicable": ["na"],
        "applicable": ["applies"],
        "cannot-assess": ["unsure"],
    }
    (code,) = found.codes
    # 16 cases: one that people cannot assess is no label; a failed judgement and a waiting one cannot differ.
    assert (code.code, code.n_labels, code.n_same, code.n_differ) == (DEADLINE, 15, 3, 10)
    assert (code.n_not_judged, code.n_open, code.n_people_cannot) == (2, 0, 1)
    assert code.n_labels == code.n_same + code.n_differ + code.n_not_judged
    assert found.not_judged == {"failed: timeout": 1, "pending": 1}
    assert {g.n_labels for g in found.groups} == {13}  # of those that were judged


def test_groups_come_by_number_and_then_by_severity_and_limits_are_by_name(main: Main, shop: Path) -> None:
    plan = shop_of_cases(main, shop)
    found = read(shop, plan["plan_id"], directions=direction_named(["missed", "unproved"]))
    assert list(told(found)) == ["missed", "unproved"]
    assert found.total("n_differ") == 10  # what is not listed is still counted
    with pytest.raises(ConfigError, match="'gone' is not known"):
        direction_named(["gone"])


@pytest.mark.parametrize(
    ("judge", "people", "proved", "expected"),
    [
        ("present", "absent", True, "false-alarm"),
        ("present", "not_applicable", True, "false-alarm"),
        ("present", "present", True, None),
        ("present", "present", False, "unproved"),
        ("present", "not_applicable", False, "unproved-alarm"),
        ("absent", "present", True, "missed"),
        ("not_applicable", "present", True, "missed"),
        ("absent", "not_applicable", True, "applicable"),
        ("cannot_assess", "absent", True, "cannot-assess"),
    ],
)
def test_a_pair_of_answers_has_one_direction(judge: str, people: str, proved: bool, expected: str | None) -> None:
    found = direction_of(judge, people, proved=proved, choice=False)
    assert (found and found.name) == expected


def test_an_item_has_both_answers_both_reasons_and_its_quotes_with_what_became_of_them(main: Main, shop: Path) -> None:
    plan = shop_of_cases(main, shop, note="Nobody can know that.")
    items = {i.conversation_id: i for i in read(shop, plan["plan_id"]).items}
    alarm = items["alarm-1"]
    assert (alarm.judge_answer, alarm.people_answer, alarm.how) == ("present", "absent", "single")
    assert alarm.reasoning == "No tool says Friday."
    assert [(q.message, q.text, q.verified) for q in alarm.quotes] == [(2, "It arrives", True)]
    assert [(s.reviewer, s.role, s.answer, s.note) for s in alarm.said] == [
        ("ana", "reviewer", "absent", "Nobody can know that.")
    ]
    assert (alarm.queue, alarm.reason, alarm.channel) == ("orders", "order_status", "whatsapp")
    (quote,) = items["unproved"].quotes
    assert (quote.verified, quote.problem) == (False, "not_found")


def test_what_reviewers_differ_about_waits_until_a_third_decides_and_the_third_speaks_first(
    main: Main, shop: Path
) -> None:
    with world(shop) as w:
        for name, verdict in (("a", present("It arrives")), ("b", "absent")):
            w.talk(name, says("customer", f"case {name}: hi", T0), says("ai", "It arrives now.", T0))
            w.judged(name, "accuracy", {"invented_deadline": verdict})
        accuracy_run(w)
    plan = labelled(main, shop, lambda *_: "absent", "-c", DEADLINE, "--overlap", "2", reviewers="ana,ben")["plan_id"]
    form = main("label", "export", plan, "--reviewer", "ben", "-o", shop / "again.jsonl")
    assert form.code == 0
    imported(main, fill(shop / "again.jsonl", lambda text, _: "present" if "case a" in text else "absent", "I see it"),
             "--reviewer", "ben")  # fmt: skip
    found = read(shop, plan)
    assert found.groups == ()
    assert (found.codes[0].n_open, found.codes[0].n_labels) == (1, 1)

    assert main("label", "adjudicate", plan, "-o", shop / "third.jsonl").code == 0
    imported(main, fill(shop / "third.jsonl", lambda *_: "absent", "Said by the tool."), "--reviewer", "cleo")
    (item,) = read(shop, plan).items
    assert (item.direction.name, item.how) == ("false-alarm", "adjudicated")
    assert [(s.reviewer, s.answer) for s in item.said] == [("cleo", "absent"), ("ana", "absent"), ("ben", "present")]
    assert item.noted is not None
    assert item.noted.note == "Said by the tool."


def test_of_a_choice_each_pair_of_answers_is_a_group(main: Main, shop: Path) -> None:
    judge = {"a": "resolved", "b": "resolved", "c": "partly", "d": "not"}
    people = {"a": "partly", "b": "partly", "c": "resolved", "d": "not"}
    with world(shop) as w:
        for name, answer in judge.items():
            w.talk(name, says("customer", f"case {name}: hi", T0))
            w.judged(name, "resolution", {"resolved": answer})
        w.finish(rubrics=[{"name": "resolution", "version": RUBRICS["resolution"].version}])
    plan = labelled(main, shop, lambda case, _: people[case], "-c", RESOLVED)
    found = read(shop, plan["plan_id"])
    assert told(found) == {"resolved instead of partly": ["a", "b"], "partly instead of resolved": ["c"]}
    assert found.groups[0].told == "resolved instead of partly"


def test_only_the_splits_that_are_asked_are_read_and_the_test_split_is_noted(main: Main, shop: Path) -> None:
    names = {wanted: named_in(wanted, "talk") for wanted in ALL}
    with world(shop) as w:
        for name in names.values():
            w.talk(name, says("customer", f"case {name}: hi", T0), says("ai", "It arrives now.", T0))
            w.judged(name, "accuracy", {"invented_deadline": "absent"})
        accuracy_run(w)
    plan = labelled(main, shop, lambda *_: "present", "-c", DEADLINE)["plan_id"]
    assert told(read(shop, plan, splits=("train", "dev"))) == {"missed": sorted([names["train"], names["dev"]])}
    with open_store(shop / "grader.duckdb") as store:
        assert openings(store, kept_plan(store, plan)) == []
    (item,) = read(shop, plan, splits=("test",)).items
    assert (item.conversation_id, item.split) == (names["test"], "test")
    with open_store(shop / "grader.duckdb") as store:
        ((why, _),) = openings(store, kept_plan(store, plan))
    assert why.startswith("disagreements: judge-1@accuracy 1.0.0 ")


def test_another_run_is_held_against_the_same_labels_in_its_own_version(
    main: Main, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = shop_of_cases(main, shop)["plan_id"]
    newer = RUBRICS["accuracy"].model_copy(update={"version": "1.1.0"})
    monkeypatch.setitem(RUBRICS, "accuracy", newer)
    with world(shop) as w:
        w._hashes = dict(w.store.rows("select conversation_id, content_hash from conversation"))
        w._repeats = {(name, "accuracy"): 0 for name in CASES}
        for name in ("missed-1", "same-absent", "alarm-1"):  # far fewer than the plan's frame
            w.judged(name, "accuracy", {"invented_deadline": present("It arrives")})
        accuracy_run(w, "run_2", at=T0.replace(year=2027))
    found = read(shop, plan, "run_2")
    assert told(found) == {"false-alarm": ["alarm-1", "same-absent"]}
    assert found.items[0].rubric_version == "1.1.0"
    assert found.not_judged == {"absent": 12}
    assert found.instruments["accuracy"].rubric_version == "1.1.0"
    assert told(read(shop, plan, "run_1"))["missed"] == ["missed-1", "missed-2", "missed-na"]


def test_a_run_that_does_not_ask_the_question_is_refused_and_a_code_that_it_leaves_out_is_named(
    main: Main, shop: Path
) -> None:
    plan = shop_of_cases(main, shop)["plan_id"]
    with world(shop) as w:
        w._hashes = dict(w.store.rows("select conversation_id, content_hash from conversation"))
        w.judged("alarm-1", "behavior")
        w.finish("run_2", rubrics=[{"name": "behavior", "version": RUBRICS["behavior"].version}])
    with pytest.raises(InputError, match=r"asks none of accuracy\.invented_deadline"):
        read(shop, plan, "run_2")
    with pytest.raises(ConfigError, match="'nonsense' is none of plan"):
        read(shop, plan, codes=["nonsense"])


def test_a_text_that_changed_since_it_was_labelled_counts_as_changed(main: Main, shop: Path) -> None:
    plan = shop_of_cases(main, shop)["plan_id"]
    with world(shop) as w:
        w.talk("missed-1", says("customer", "something else", T0))
        w.save()
    found = read(shop, plan)
    assert "missed-1" not in told(found)["missed"]
    assert found.not_judged["changed"] == 1


def test_without_any_label_the_next_command_is_told(main: Main, shop: Path) -> None:
    from label_parts import drawn, judge_shop

    judge_shop(shop, 6)
    plan = drawn(main, "-n", "6")["plan_id"]
    with pytest.raises(InputError, match="has no label yet") as refused:
        read(shop, plan)
    assert "grader label export" in str(refused.value)


def test_a_second_look_at_a_copy_is_no_second_opinion(main: Main, shop: Path) -> None:
    with world(shop) as w:
        for n in range(9):
            w.talk(f"t{n}", says("customer", f"case t{n}: hi", T0), says("ai", "It arrives now.", T0))
            w.judged(f"t{n}", "accuracy", {"invented_deadline": "absent"})
        accuracy_run(w)
    plan = labelled(main, shop, lambda *_: "present", "-c", DEADLINE, "--duplicates", "3")
    assert sum(i["copy"] for i in plan["items"]) == 3
    assert all(len(item.said) == 1 for item in read(shop, plan["plan_id"]).items)
