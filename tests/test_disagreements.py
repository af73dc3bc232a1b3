"""Where the judge and people differ: every direction counted by hand, and nothing that is not known among them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from disagree_parts import CASES, DEADLINE, accuracy_run, hostile_shop, labelled, named_in, shop_of_cases
from label_parts import drawn, fill, imported, judge_shop
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
    assert direction_named([]) is None
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


def test_a_code_of_which_the_judge_assessed_nothing_is_counted_apart_unless_it_is_asked_for(
    main: Main, shop: Path
) -> None:
    with world(shop) as w:
        for name in ("a", "b"):
            w.talk(name, says("customer", f"case {name}: hi", T0), says("ai", "It arrives now.", T0))
            w.judged(name, "accuracy", {"invented_deadline": "cannot_assess", "contradicts_policy": "absent"})
        accuracy_run(w)
    plan = labelled(main, shop, lambda *_: "present", "-c", DEADLINE, "-c", "contradicts_policy")["plan_id"]
    found = read(shop, plan)
    assert told(found) == {"missed": ["a", "b"]}
    assert [(c.code, c.n_differ, c.n_undecided) for c in found.codes] == [
        (DEADLINE, 0, 2), ("accuracy.contradicts_policy", 2, 0)
    ]  # fmt: skip
    assert found.n_compared == 2
    assert told(read(shop, plan, directions=direction_named(["cannot-assess"]))) == {"cannot-assess": ["a", "b"]}


# ── the command ──


def test_the_terminal_tells_groups_with_their_counts_then_each_with_both_answers(main: Main, shop: Path) -> None:
    shop_of_cases(main, shop, note="Nobody can know that.")
    done = main("disagreements", "--split", "all", "--limit", "2")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[1] == "13 labels held: 3 the same, 10 differ"
    assert lines[2] == "2 labels could not be held: 1 failed: timeout, 1 not judged yet."
    at = lines.index(f"{DEADLINE} (high) · missed: 3 of 13 labels")
    assert lines[at + 1] == "  People see it, the judge does not."
    assert lines[at + 2].startswith("- missed-1 · queue orders · order_status · whatsapp · ")
    assert lines[at + 3 : at + 7] == [
        "    judge: absent. So it is: absent.", "    people: present (single)", "      ana: Nobody can know that.",
        "    grader show missed-1 --run run_1",
    ]  # fmt: skip
    assert "  and 1 more: --limit, or -o reports/disagreements.html" in lines
    proof = next(n for n, line in enumerate(lines) if line.startswith("- unproved ·")) + 2
    assert lines[proof] == (
        "      message 2: “It comes on Monday” (not proved: these words stand nowhere in the conversation)"
    )


def test_the_test_split_stays_closed_unless_it_is_named(main: Main, shop: Path) -> None:
    plan = shop_of_cases(main, shop)["plan_id"]
    assert main("disagreements").code == 0
    assert "opened 0 times" in main("label", "status", plan).out
    assert main("disagreements", "--split", "test").code == 0
    assert "opened 1 time" in main("label", "status", plan).out


def test_the_rows_and_the_document_hold_every_disagreement_once_with_its_transcript(main: Main, shop: Path) -> None:
    shop_of_cases(main, shop)
    done = main("disagreements", "--split", "all", "-o", "reports/d.jsonl")
    assert (done.code, done.out) == (0, "reports/d.jsonl\n")
    rows = [json.loads(line) for line in (shop / "reports" / "d.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len({r["conversation_id"] for r in rows}) == 10
    alarm = next(r for r in rows if r["conversation_id"] == "alarm-1")
    assert alarm["direction"] == "false-alarm"
    assert alarm["judge"]["answer"] == "present"
    assert alarm["judge"]["quotes"] == [{"message": 2, "text": "It arrives", "verified": True, "problem": None}]
    assert alarm["people"]["answer"] == "absent"
    assert [(m["number"], m["role"], m["text"]) for m in alarm["transcript"]] == [
        (1, "customer", "case alarm-1: where is it?"), (2, "ai", "It arrives on Friday.")
    ]  # fmt: skip
    document = json.loads(main("disagreements", "--split", "all", "--json").out)
    assert document["disagreements"] == rows
    assert [(g["direction"], g["n"], g["of"]) for g in document["groups"]][:2] == [
        ("missed", 3, 13), ("false-alarm", 2, 13)
    ]  # fmt: skip
    (code,) = document["codes"]
    assert code["n_labels"] == 15
    assert document["not_judged"] == {"failed: timeout": 1, "pending": 1}


def test_the_page_holds_both_answers_and_folds_what_is_far_from_any_quote(main: Main, shop: Path) -> None:
    with world(shop) as w:
        talk = [says("customer" if n % 2 else "ai", f"line {n}", T0) for n in range(1, 31)]
        w.talk("far", says("customer", "case far: hi", T0), *talk)
        w.judged("far", "accuracy", {"invented_deadline": present("line 19", 20)})
        accuracy_run(w)
    labelled(main, shop, lambda *_: {"answer": "absent", "message": 5, "quote": "line 4", "note": "Said <by> a tool"},
             "-c", DEADLINE)  # fmt: skip
    assert main("disagreements", "--split", "all", "-o", "d.html").code == 0
    page = (shop / "d.html").read_text(encoding="utf-8")
    assert "Invented deadline: false alarm" in page
    assert "Said &lt;by&gt; a tool" in page
    assert '<mark class="c5" title="the judge&#39;s quote">line 19</mark>' in page
    assert '<mark class="c3" title="the reviewers&#39; quote">line 4</mark>' in page
    # Of 31 messages 2 to 7 and 17 to 22 are near a quote; 1 alone is not worth folding.
    assert re.findall(r"<summary>(\d+ messages?) (\w+)", page) == [("9 messages", "between"), ("9 messages", "after")]
    assert all(f'id="i1m{n}"' in page for n in range(1, 32))
    assert "<script" not in page


def test_an_ending_that_says_nothing_and_an_unknown_direction_are_refused(main: Main, shop: Path) -> None:
    assert main("disagreements", "-o", "d.pdf").code == 2
    done = main("disagreements", "--direction", "sideways")
    assert done.code == 2
    assert "one of missed, false-alarm" in done.err
    judge_shop(shop, 6)
    assert "grader label plan" in main("disagreements").err


def test_others_words_neither_steer_the_terminal_nor_break_its_lines(main: Main, shop: Path) -> None:
    hostile_shop(main, shop)
    done = main("disagreements", "--split", "all")
    assert done.code == 0, done.err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.out)
    assert max(map(len, done.out.splitlines())) < 2_500  # an id is told whole, all else is cut
    shown = [line for line in done.out.splitlines() if line.startswith("    grader show")]
    assert len(shown) == 3
    # The command names the very conversation, hostile as its name is.
    name = next(iter(i for i in read(shop, "lp_").items if i.conversation_id != "long")).conversation_id
    word = subprocess.run(["bash", "-c", f"printf %s {shown[0].split(' ', 6)[6].rsplit(' --run', 1)[0]}"],
                          capture_output=True, check=True).stdout  # fmt: skip
    assert word.decode() == name.partition("\0")[0]  # no command line can hold a NUL
