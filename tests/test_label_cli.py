"""`grader label` as its owner and its reviewers run it: real forms, a real database, every answer accounted for."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from label_parts import drawn, exported, fill, imported, judge_shop, rows, save_csv, table

from grader.engine.rebuild import rebuild
from grader.labelling.given import keep_again, kept_plan
from grader.labelling.reference import answered, openings, reference, second_looks
from grader.store import open_store

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DEADLINE = "accuracy.invented_deadline"


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """60 judged conversations: 10 with invented_deadline, 3 with status_without_lookup, 47 clean."""
    judge_shop(workspace)
    monkeypatch.chdir(workspace)
    return workspace


def of_day(text: str) -> int:
    return int(text.partition("arrives on day ")[2].partition(".")[0])


def truth(text: str, question: str) -> str:
    return "present" if question == DEADLINE and of_day(text) % 5 == 0 else "absent"


# ── plan ──


def test_a_plan_draws_from_the_rarest_flagged_code_first_and_tells_every_chance(main: Main, shop: Path) -> None:
    done = main("label", "plan", "-n", "30", "--seed", "1", "--reviewers", "ana,ben", "--overlap", "10")
    assert done.code == 0, done.err
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    # A quarter of 30 is 7.5 for both codes; the smaller one has 3, all are taken.
    assert "flagged: accuracy.status_without_lookup 3 3 1" in lines
    assert "30 of 60 judged conversations, 6 criteria each, 10 by two reviewers, seed 1" in lines
    told = drawn(main, "-n", "30", "--seed", "1", "--reviewers", "ana,ben", "--overlap", "10")
    chance = {s["stratum"]: s["n_drawn"] / s["n_population"] for s in told["strata"]}
    assert sum(s["n_population"] for s in told["strata"]) == told["n_frame"] == 60
    assert all(d["inclusion_probability"] == chance[d["stratum"]] for d in told["drawn"])
    # What a label stands for, summed, is what was judged.
    assert sum(1 / d["inclusion_probability"] for d in told["drawn"]) == pytest.approx(60)


def test_the_cells_of_a_plan_hold_every_judged_conversation_once_a_criterion(main: Main, shop: Path) -> None:
    told = drawn(main, "-n", "30")
    per_code: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for cell in told["cells"]:
        per_code[cell["criterion"]][0] += cell["n_population"]
        per_code[cell["criterion"]][1] += cell["n_drawn"]
    assert dict(per_code) == {q["criterion"]: [60, 30] for q in told["questions"]}
    flagged = [c for c in told["cells"] if c["criterion"] == "invented_deadline" and c["verdict"] == "present"]
    assert [(c["stratum"], c["n_population"]) for c in flagged] == [("flagged: accuracy.invented_deadline", 10)]


def test_the_same_command_is_the_same_plan_kept_once_and_a_changed_file_is_refused(main: Main, shop: Path) -> None:
    first, second = drawn(main, "-n", "30"), drawn(main, "-n", "30")
    assert first == second  # the time of the first draw, too
    assert drawn(main, "-n", "30", "--seed", "2")["plan_id"] != first["plan_id"]
    assert rows(shop, "select count(*) from label_plan") == [(2,)]
    assert rows(shop, "select count(*) from label_draw") == [(60,)]
    plan = Path(first["plan"])
    bad = shop / "bad.json"
    for old, new in (('"seed": 0', '"seed": 1'), ('"split": "dev"', '"split": "test"'), ('"copy": 1', '"copy": 0')):
        assert old in plan.read_text()
        bad.write_text(plan.read_text().replace(old, new))
        done = main("label", "status", bad)
        assert done.code == 2
        assert "changed by hand" in done.err
    assert main("label", "status", plan).code == 0


def test_overlap_copies_and_splits_are_as_asked(main: Main, shop: Path) -> None:
    told = drawn(main, "-n", "60", "--reviewers", "ana,ben", "--overlap", "20", "--duplicates", "4")
    by = Counter((i["reviewer"], i["copy"]) for i in told["items"])
    assert by == {("ana", 0): 40, ("ben", 0): 40, ("ana", 1): 4, ("ben", 1): 4}
    both = Counter(i["conversation_id"] for i in told["items"] if not i["copy"])
    assert Counter(both.values()) == {1: 40, 2: 20}
    places = {(i["reviewer"], i["conversation_id"], i["copy"]): i["position"] for i in told["items"]}
    for (reviewer, conversation, copy), position in places.items():
        assert not copy or position - places[reviewer, conversation, 0] > 44 / 2 - 40 / 3 - 1
    assert len({i["item_id"] for i in told["items"]}) == 88
    # talk-000 and talk-001 are of one contact, and so on: one contact stands in one split.
    split = {d["conversation_id"]: d["split"] for d in told["drawn"]}
    assert all(split[f"talk-{i:03}"] == split[f"talk-{i + 1:03}"] for i in range(0, 60, 2))


@pytest.mark.parametrize(
    ("args", "message", "cure"),
    [
        (("-c", "no_such_code"), "is none of run", "accuracy.invented_deadline"),
        (("-r", "manners"), "is none of run", "accuracy"),
        (("-n", "2"), "too few for 3 strata", "-n"),
        (("--positives", "1"), "leaves out", "0.2 to 0.3"),
        (("--reviewers", "ana,ana"), "twice", "ana,ben"),
        (("--run", "nowhere"), "there is no run", "take one"),
        (("--select", "queue:none"), "judged no conversation that is selected", "loosen"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_cure(
    main: Main, shop: Path, args: tuple[str, ...], message: str, cure: str
) -> None:
    done = main("label", "plan", *args)
    assert (done.code, message in done.err, cure in done.err) == (2, True, True), done.err
    assert not (shop / ".grader" / "labels").exists()


# ── export ──


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_export_is_never_written_over_a_file_that_may_hold_labels(main: Main, shop: Path, suffix: str) -> None:
    plan = drawn(main, "-n", "30")["plan_id"]
    path = exported(main, plan, "reviewer", shop / f"form.{suffix}")
    before = path.read_bytes()
    done = main("label", "export", plan, "--reviewer", "reviewer", "-o", path)
    assert done.code == 2
    assert "may hold labels" in done.err
    assert path.read_bytes() == before
    assert "is not in this plan" in main("label", "export", plan, "--reviewer", "eve", "-o", shop / "e.csv").err


def test_no_cell_of_the_spreadsheet_is_a_formula_and_a_message_cannot_pose_as_another(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30")["plan_id"]
    cells = table(exported(main, plan, "reviewer", shop / "form.csv"))
    assert all(not cell.lstrip().startswith(tuple("=+-@\t\r|")) for row in cells for cell in row)
    (text,) = {row[3] for row in cells[4:] if "order 7?" in row[3]} or {cells[4][3]}
    # The customer wrote a second line that looks like a message of the AI's: it is indented.
    assert "\n[2] 14:01 ai: It arrives" in text
    assert "\n      [2] 14:00 ai: it is lost" in text


# ── import ──


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_filled_form_comes_back_whole_and_a_second_time_changes_nothing(main: Main, shop: Path, suffix: str) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana", "--duplicates", "3")
    form = fill(exported(main, plan["plan_id"], "ana", shop / f"a.{suffix}"), truth, note="=1+1")
    told = imported(main, form, "--reviewer", "ana")
    assert (told["kept"], told["rejected"], told["new"]) == (33 * 6, 0, 33 * 6)
    whole = "select * exclude (imported_at, labelled_at) from label_record order by all"
    kept = rows(shop, whole)
    again = imported(main, form, "--reviewer", "ana")
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 33 * 6)
    assert rows(shop, whole) == kept
    chance = {d["conversation_id"]: d["inclusion_probability"] for d in plan["drawn"]}
    assert set(rows(shop, "select conversation_id, inclusion_probability from label_record")) == set(chance.items())
    assert rows(shop, "select distinct note, role, number, rubric_version from label_record") == [
        ("=1+1", "reviewer", 1, "1.0.0")
    ]
    assert rows(shop, "select count(*) from label") == [(30 * 6,)]  # a copy is no second opinion
    for day, answer in rows(
        shop, "select conversation_id, answer from label where criterion = 'invented_deadline'"
    ):  # fmt: skip
        assert (answer == "present") == (int(day[-3:]) % 5 == 0)


def test_a_changed_answer_is_a_second_record_and_the_first_stays(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana", "-c", "invented_deadline", "--duplicates", "0")
    form = exported(main, plan["plan_id"], "ana", shop / "a.jsonl")
    imported(main, fill(form, truth), "--reviewer", "ana")
    day = of_day(json.loads(form.read_text().splitlines()[1])["text"])
    fill(form, lambda text, q: "not_applicable" if of_day(text) == day else truth(text, q))
    told = imported(main, form, "--reviewer", "ana")
    assert (told["new"], told["changed"], told["unchanged"]) == (0, 1, 29)
    name = f"talk-{day:03}"
    history = rows(shop, f"select number, answer from label_record where conversation_id = '{name}' order by number")
    assert [n for n, _ in history] == [1, 2]
    assert history[1][1] == "not_applicable"
    assert rows(shop, f"select answer from label where conversation_id = '{name}'") == [("not_applicable",)]
    with open_store(shop / "grader.duckdb") as store:
        said = {a.conversation_id: a.answer for a in answered(store, kept_plan(store, plan["plan_id"]))}
    assert said[name] == "not_applicable"
    assert len(said) == 30
    status = json.loads(main("label", "status", plan["plan_id"], "--json").out)
    assert (status["reviewers"][0]["n_answers"], status["reviewers"][0]["n_changed"]) == (30, 1)


def test_a_blind_label_that_was_there_with_the_same_answer_keeps_what_else_it_says(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "60", "--reviewers", "ana", "-c", "invented_deadline")
    form = fill(exported(main, plan["plan_id"], "ana", shop / "a.csv"), truth)
    old = {
        "type": "label", "rubric": "accuracy", "rubric_version": "1.0.0", "criterion": "invented_deadline",
        "reviewer": "ana", "verdict_visible": False, "near_miss": True, "answer": "absent",
    }  # fmt: skip
    lines = [json.dumps({**old, "conversation_id": f"talk-{i:03}"}) for i in (1, 5)]
    (shop / "old.jsonl").write_text("\n".join(lines))
    assert main("ingest", shop / "old.jsonl").code == 0
    imported(main, form, "--reviewer", "ana")
    found = "select answer, near_miss from label where conversation_id = 'talk-{:03}'"
    assert rows(shop, found.format(1)) == [("absent", True)]
    assert rows(shop, found.format(5)) == [("present", False)]


def test_a_form_that_is_filled_in_part_is_taken_in_part(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana", "--duplicates", "0")
    form = exported(main, plan["plan_id"], "ana", shop / "a.csv")
    fill(form, lambda text, q: truth(text, q) if of_day(text) % 2 and q == DEADLINE else None)
    told = imported(main, form, "--reviewer", "ana")
    assert 0 < told["kept"] < 30
    fill(form, truth)
    rest = imported(main, form, "--reviewer", "ana")
    assert (rest["new"], rest["unchanged"]) == (30 * 6 - told["kept"], told["kept"])


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8")])
def test_what_spreadsheets_make_of_a_csv_is_read(main: Main, shop: Path, delimiter: str, encoding: str) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana")
    form = fill(exported(main, plan["plan_id"], "ana", shop / "a.csv"), lambda t, q: f" {truth(t, q).title()} ")
    save_csv(form, table(form), delimiter)
    form.write_bytes(form.read_bytes().decode("utf-8-sig").replace("\n", "\r\n").encode(encoding))
    assert imported(main, form, "--reviewer", "ana")["rejected"] == 0


def test_every_answer_that_does_not_fit_is_rejected_with_line_field_reason_and_cure(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana,ben", "--overlap", "0", "-c", "invented_deadline")
    form = fill(exported(main, plan["plan_id"], "ana", shop / "a.csv"), truth)
    ben = table(exported(main, plan["plan_id"], "ben", shop / "b.csv"))
    cells = table(form)
    column = {name: n for n, name in enumerate(cells[0])}
    cells[4][column[DEADLINE]] = "maybe"
    cells[5][column["item"]] = "it_000000000000"
    cells[6] = [*ben[4][:-2], "absent", ""]
    cells[7][column["text_hash"]] = cells[8][column["text_hash"]]
    cells[9][column["text"]] = cells[10][column["text"]]
    cells[11][column["form"]] = "lf_other"
    cells.append([*cells[12][:-2], "cannot_assess", ""])
    cells[0].append("accuracy.mood")
    cells[13] = [*cells[13], "fine"]
    save_csv(form, cells)
    told = imported(main, form, "--reviewer", "ana")
    found = {(r["line"], r["field"]): (r["reason"], r["cure"]) for r in told["rejections"]}
    line = line_numbers(form)
    for row, field, reason, cure in (
        (4, DEADLINE, "'maybe' is no answer", "one of present, absent"),
        (5, DEADLINE, "no item of this form", "column item"),
        (6, DEADLINE, "is an item of ben", "--reviewer ben"),
        (7, DEADLINE, "text_hash is not that", "rows whole"),
        (9, DEADLINE, "the text beside it", "rows whole"),
        (11, DEADLINE, "is not that of the file", "by itself"),
        (13, "accuracy.mood", "no question of this plan", "accuracy.invented_deadline"),
        (len(cells) - 1, DEADLINE, "answers the same with", "keep one"),
    ):
        said = found.pop((line[row], field))
        assert (reason in said[0], cure in said[1]) == (True, True), said
    assert found == {}
    assert told["rows_in"] == told["kept"] + 8
    shown = main("label", "import", form, "--reviewer", "ana")
    assert f"{form}:{line[4]}: {DEADLINE}: 'maybe' is no answer to it\n  → one of present, absent" in shown.err
    assert rows(shop, "select count(*) from rejection") == [(16,)]


def line_numbers(path: Path) -> list[int]:
    """On which line of the file each row of the table begins."""
    import csv
    import io

    reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
    found, before = [], 0
    for _ in reader:
        found.append(before + 1)
        before = reader.line_num
    return found


def test_answers_to_another_version_or_to_a_text_that_changed_since_are_rejected(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana", "-c", "invented_deadline", "--duplicates", "0")
    form = fill(exported(main, plan["plan_id"], "ana", shop / "a.jsonl"), truth)
    whole = form.read_text()
    form.write_text(whole.replace("accuracy@1.0.0 ", "accuracy@1.1.0 "))
    told = imported(main, form, "--reviewer", "ana", code=2)
    assert (told["kept"], told["rejected"]) == (0, 30)
    assert "answers accuracy@1.1.0" in told["rejections"][0]["reason"]
    with open_store(shop / "grader.duckdb") as store:
        name = plan["drawn"][0]["conversation_id"]
        store.rows("update conversation set content_hash = 'cv_new' where conversation_id = ?", [name])
    form.write_text(whole)
    told = imported(main, form, "--reviewer", "ana")
    assert [r["reason"] for r in told["rejections"]] == [
        "the conversation is gone, or changed since the plan was drawn"
    ]
    done = main("label", "export", plan["plan_id"], "--reviewer", "ana", "-o", shop / "b.csv")
    assert "changed since it was drawn" in done.err


def test_lines_that_are_no_items_and_values_that_are_no_text_are_rejected(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana", "-c", "invented_deadline", "--duplicates", "0")
    form = exported(main, plan["plan_id"], "ana", shop / "a.jsonl")
    lines = [json.loads(line) for line in form.read_text().splitlines()]
    more: list[dict[str, Any]] = [
        {"answers": {DEADLINE: 1}}, {"answers": {DEADLINE: "absent"}, "note": 5},
        {"answers": {DEADLINE: {"answer": "present", "message": 0}}},
        {"answers": {DEADLINE: "absent"}, "labelled_at": "yesterday"},
        {"answers": {DEADLINE: {"answer": "present", "message": 2, "quote": "It arrives", "note": "half \ud800"}},
         "labelled_at": "2026-10-02T09:00:00+02:00"},
    ]  # fmt: skip
    for line, change in zip(lines[1:], more, strict=False):
        line.update(change)
    form.write_text("\n".join([*map(json.dumps, lines), "{oops", '{"type": "conversation"}', ""]))
    told = imported(main, form, "--reviewer", "ana")
    assert [r["line"] for r in told["rejections"]] == [32, 33, 2, 3, 4, 5]
    assert (told["kept"], told["rejected"]) == (1, 6)
    assert rows(shop, "select message, quote, note, labelled_at::varchar from label_record") == [
        (2, "It arrives", "half ?", "2026-10-02 07:00:00")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "no column item"), (b"PK\x03\x04", "a workbook"), (b"caf\xe9,item", "no UTF-8"),
        (b"", "no form"),
        (b"{}\n", "is no form"), (b'{"type": "form", "format": "grader.labels", "format_version": 9}', "knows"),
        (b"item,form,text_hash,text,a.b,a.b\n", "two columns"), (b"item,form,text_hash\nx,lf_no,y\n", "of no plan"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_form_is_refused(main: Main, shop: Path, content: bytes, message: str) -> None:
    drawn(main, "-n", "30")
    path = shop / "some.csv"
    path.write_bytes(content)
    done = main("label", "import", path, "--reviewer", "reviewer")
    assert (done.code, message in done.err) == (2, True), done.err
    assert "→" in done.err


# ── two reviewers and a third ──


def disagreeing(main: Main, shop: Path) -> dict[str, Any]:
    """Ana says the truth, Ben finds no deadline anywhere: they differ where there is one."""
    plan = drawn(main, "-n", "60", "--reviewers", "ana,ben", "--overlap", "60", "--duplicates", "2")
    imported(main, fill(exported(main, plan["plan_id"], "ana", shop / "ana.csv"), truth), "--reviewer", "ana")
    form = fill(exported(main, plan["plan_id"], "ben", shop / "ben.jsonl"), lambda _t, _q: "absent")
    imported(main, form, "--reviewer", "ben")
    return plan


def test_disagreements_go_to_a_third_whose_answer_is_the_reference(main: Main, shop: Path) -> None:
    plan = disagreeing(main, shop)
    status = json.loads(main("label", "status", plan["plan_id"], "--json").out)
    counts = {c["question"]: (c["n_twice"], c["n_agreed"], c["n_adjudicated"], c["n_open"]) for c in status["criteria"]}
    assert counts[DEADLINE] == (60, 48, 0, 12)  # days 0, 5 … 55
    assert counts["accuracy.contradicts_policy"] == (60, 60, 0, 0)
    path = shop / "third.csv"
    handed_out = main("label", "adjudicate", plan["plan_id"], "-o", path)
    assert "12 items, 12 answers asked" in handed_out.out
    assert f"next: fill it in, then grader label import {path} --reviewer NAME" in handed_out.err
    assert "ana" not in path.read_text(encoding="utf-8-sig").split("\n", 1)[0]
    for name in ("ana", "ben"):
        done = main("label", "import", fill(path, truth), "--reviewer", name)
        assert "one of those who disagree" in done.err
    path = shop / "third.jsonl"
    assert main("label", "adjudicate", plan["plan_id"], "-o", path).code == 0
    fill(path, lambda text, _q: "present" if of_day(text) < 30 else "absent")
    assert imported(main, path, "--reviewer", "cleo")["new"] == 12
    assert imported(main, path, "--reviewer", "cleo")["unchanged"] == 12
    with open_store(shop / "grader.duckdb") as store:
        found = {a.conversation_id: a for a in answered(store, kept_plan(store, plan["plan_id"])) if a.name == DEADLINE}
    assert Counter(a.how for a in found.values()) == {"agreed": 48, "adjudicated": 12}
    assert found["talk-010"].answer == "present"
    assert found["talk-050"].answer == "absent"
    assert (found["talk-010"].reviewers, found["talk-010"].answers) == (("ana", "ben"), ("present", "absent"))
    assert found["talk-010"].adjudicator == "cleo"
    status = json.loads(main("label", "status", plan["plan_id"], "--json").out)
    assert status["open"] == 0


def test_a_conversation_that_changed_does_not_keep_the_others_from_being_decided(main: Main, shop: Path) -> None:
    plan = disagreeing(main, shop)["plan_id"]
    with open_store(shop / "grader.duckdb") as store:
        store.rows("update conversation set content_hash = 'cv_new' where conversation_id = 'talk-010'")
    done = main("label", "adjudicate", plan, "-o", "third.jsonl")
    assert (done.code, done.out) == (0, "third.jsonl: 11 items, 11 answers asked\n")
    assert "left out, gone or changed since they were labelled: 1" in done.err
    assert imported(main, fill(shop / "third.jsonl", truth), "--reviewer", "cleo")["new"] == 11
    assert "changed since it was drawn: talk-010" in main("label", "adjudicate", plan, "-o", "again.csv").err


def test_a_second_look_is_held_beside_the_first_and_counts_for_nothing_else(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "60", "--reviewers", "ana", "-c", "invented_deadline", "--duplicates", "5")
    form = exported(main, plan["plan_id"], "ana", shop / "a.jsonl")
    copies = {i["item_id"]: i["conversation_id"] for i in plan["items"] if i["copy"]}
    lines = [json.loads(line) for line in form.read_text().splitlines()]
    for line in lines[1:]:
        line["answers"] = {DEADLINE: "cannot_assess" if line["item"] in copies else "absent"}
    form.write_text("\n".join(map(json.dumps, lines)))
    imported(main, form, "--reviewer", "ana")
    with open_store(shop / "grader.duckdb") as store:
        kept = kept_plan(store, plan["plan_id"])
        looks = second_looks(store, kept)
        assert {a.answer for a in answered(store, kept)} == {"absent"}
    assert sorted(look.conversation_id for look in looks) == sorted(copies.values())
    assert {(look.reviewer, look.name, look.first_answer, look.second_answer) for look in looks} == {
        ("ana", DEADLINE, "absent", "cannot_assess")
    }


def test_reading_the_test_split_is_noted_with_its_purpose_and_counted(main: Main, shop: Path) -> None:
    plan_id = disagreeing(main, shop)["plan_id"]
    with open_store(shop / "grader.duckdb") as store:
        plan = kept_plan(store, plan_id)
        dev = reference(store, plan, ("train", "dev"), purpose="draft examples", now=NOW)
        assert openings(store, plan) == []
        test = reference(store, plan, ("test",), purpose="promote accuracy@1.1.0", now=NOW)
        assert {a.conversation_id for a in dev}.isdisjoint({a.conversation_id for a in test})
        assert len(dev) + len(test) == 360
        assert openings(store, plan) == [("promote accuracy@1.1.0", NOW.replace(tzinfo=None))]
    assert "the test split was opened 1 time" in main("label", "status", plan_id).out


# ── from elsewhere ──


def test_labels_from_elsewhere_are_kept_apart_and_are_in_no_reference(main: Main, shop: Path) -> None:
    plan = drawn(main, "-n", "30", "--reviewers", "ana")
    label = {
        "type": "label", "conversation_id": "talk-001", "rubric": "accuracy", "rubric_version": "1.0.0",
        "criterion": "invented_deadline", "reviewer": "old-team", "answer": "present",
    }  # fmt: skip
    path = shop / "old.jsonl"
    talk = {"type": "conversation", "conversation_id": "x", "messages": [{"role": "customer", "text": "hi"}]}
    path.write_text("\n".join(map(json.dumps, [label, {**label, "answer": None, "conversation_id": "z"}, talk])))
    told = imported(main, path, "--origin", "helpdesk")
    assert (told["kept"], told["rejected"], told["new"]) == (1, 2, 1)
    assert imported(main, path, "--origin", "helpdesk")["unchanged"] == 1
    assert imported(main, path, "--origin", "other")["new"] == 1
    kept = rows(
        shop, "select origin, role, inclusion_probability, verdict_visible, plan_id from label_record order by 1"
    )
    assert kept == [("helpdesk", "elsewhere", None, None, None), ("other", "elsewhere", None, None, None)]
    assert rows(shop, "select count(*) from label") == [(0,)]
    from grader.labelling.reference import from_elsewhere

    with open_store(shop / "grader.duckdb") as store:
        assert answered(store, kept_plan(store, plan["plan_id"])) == []
        assert from_elsewhere(store, "accuracy", "1.0.0")[0] == (
            "helpdesk", "talk-001", "invented_deadline", "old-team", "present",
        )  # fmt: skip
    for args in ((), ("--origin", "a", "--reviewer", "b")):
        assert "give one of them" in main("label", "import", path, *args).err


def test_plans_whose_run_lost_conversations_or_whose_texts_changed_say_so(main: Main, shop: Path) -> None:
    with open_store(shop / "grader.duckdb") as store:
        store.rows("delete from conversation where conversation_id in ('talk-000', 'talk-002')")
        store.rows("update conversation set content_hash = 'cv_new' where conversation_id in ('talk-003', 'talk-006')")
    done = main("label", "plan", "-n", "30")
    assert "2 conversations of the run are gone from the database, and in no stratum" in done.err
    told = drawn(main, "-n", "30")
    assert (told["n_frame"], told["n_gone"]) == (58, 2)
    assert {s["stratum"]: s["n_population"] for s in told["strata"]}["unjudged"] == 2
    assert sum(c["n_population"] for c in told["cells"] if c["verdict"] is None) == 2 * 6


def test_db_rebuild_brings_plans_back_from_their_files(main: Main, shop: Path) -> None:
    plan_id = drawn(main, "-n", "30")["plan_id"]
    with open_store(shop / "grader.duckdb") as store:
        for table in ("label_plan", "label_stratum", "label_cell", "label_draw", "label_item"):
            store.rows(f"delete from {table}")
    assert "no label plan that is kept here" in main("label", "status", plan_id).err
    assert main("db", "rebuild", "--yes").code == 0
    assert main("label", "status", plan_id).code == 0


def test_plans_and_answers_survive_a_rebuild_of_the_database(main: Main, shop: Path) -> None:
    plan_id = disagreeing(main, shop)["plan_id"]
    tables = ("label_plan", "label_stratum", "label_cell", "label_draw", "label_item", "label_record")
    asked = [f"select * from {t} order by all" for t in tables]
    before = [rows(shop, sql) for sql in asked]
    state = shop / ".grader"
    rebuild(shop / "grader.duckdb", state / "journal", shop / "old")
    assert [rows(shop, sql) for sql in asked] == before
    (shop / "grader.duckdb").write_bytes(b"nothing is left of it")
    rebuild(shop / "grader.duckdb", state / "journal", shop / "older")
    with open_store(shop / "grader.duckdb") as store:
        keep_again(store, state / "labels")
        assert kept_plan(store, plan_id).plan_id == plan_id
    assert [rows(shop, sql) for sql in asked[:5]] == before[:5]
