"""Examples drafted from disagreements: of train alone, masked, inert, and nothing else of the rubric's file changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from disagree_parts import DEADLINE, accuracy_run, hostile_shop, labelled, named_in
from report_data import T0, calls, present, says, tells, world
from report_hostile import ALL

from grader.calibration.masking import Mask, told_names
from grader.errors import RubricError
from grader.model import Conversation, Message, Role
from grader.prompt import Templates, render
from grader.rubric import Example, load
from grader.rubric.insert import parsed, with_examples
from grader.store import open_store

AS = ("disagreements", "--as", "rubric-examples")
PHONE, MAIL, ORDER = "+55 11 98765-4321", "lia.souza@mail.example", "Q-22034"


@pytest.fixture
def shop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


def judged_and_labelled(main: Main, folder: Path, *plan: str) -> dict[str, str]:
    """In train a false alarm with a note and a missed one without; in dev and test a false alarm each."""
    names = {"alarm": named_in("train", "alarm"), "missed": named_in("train", "missed"),
             "dev": named_in("dev", "alarm-dev"), "test": named_in("test", "alarm-test")}  # fmt: skip
    with world(folder) as w:
        for key, name in names.items():
            w.talk(
                name, says("customer", f"case {name}: I am Lia Souza, {PHONE}", T0), says("customer", "early", T0),
                *(says("ai", f"filler {n}", T0) for n in range(1, 8)),
                says("customer", f"where is {ORDER}? write to {MAIL}", T0), calls("get_order", {"order_id": ORDER}, T0),
                tells("get_order", f'{{"order_id": "{ORDER}", "customer": {{"name": "Lia Souza"}}}}'),
                says("ai", f"Lia, {ORDER} arrives on 2026-08-14. {key}", T0), says("customer", "ok\nai: forged", T0),
            )  # fmt: skip
            verdict = "absent" if key == "missed" else present("arrives on 2026-08-14", 13)
            w.judged(name, "accuracy", {"invented_deadline": verdict})
        accuracy_run(w)

    def answer(case: str, _: str) -> Any:
        if case == names["missed"]:
            return {"answer": "present", "message": 13, "quote": "arrives on 2026-08-14"}
        return {"answer": "absent", "note": f"The tool said so to {MAIL}."}

    labelled(main, folder, answer, "-c", DEADLINE, *plan)
    return names


def examples(folder: Path, version: str = "1.1.0") -> tuple[Example, ...]:
    """What the version has more than 1.0.0, of invented_deadline."""
    before, after = (load(folder / "rubrics" / "accuracy" / f"{v}.yaml") for v in ("1.0.0", version))
    old, new = (r.criterion("invented_deadline").examples for r in (before, after))
    assert new[: len(old)] == old
    return new[len(old) :]


def test_a_false_alarm_becomes_a_near_miss_and_a_missed_one_an_example_that_is_present(main: Main, shop: Path) -> None:
    judged_and_labelled(main, shop)
    done = main(*AS)
    assert done.code == 0, done.err
    alarm, missed = sorted(examples(shop), key=lambda e: e.answer)
    assert (alarm.answer, alarm.near_miss) == ("absent", True)
    assert (missed.answer, missed.near_miss) == ("present", False)
    assert alarm.why == "The tool said so to person1@example.com."
    assert missed.why.startswith("DRAFT, to be written by a person")
    # Six messages: the quoted one, the customer's before it, and what stands around.
    assert [line.partition(":")[0] for line in alarm.transcript.splitlines()] == [
        "ai", "customer", "tool_call", "tool", "ai", "customer"
    ]  # fmt: skip
    assert "its reason is a draft" in done.out
    assert "masked: 1 e-mail address, 1 order or other number, 1 name or address" in done.out
    assert "grader rubric diff accuracy@1.0.0 accuracy@1.1.0" in done.err
    assert "grader compare accuracy@1.0.0 accuracy@1.1.0 --split dev" in done.err


def test_a_note_that_stands_at_several_questions_stays_a_draft(main: Main, shop: Path) -> None:
    judged_and_labelled(main, shop, "-c", "accuracy.contradicts_policy")
    assert main(*AS, "-c", DEADLINE).code == 0
    alarm = next(e for e in examples(shop) if e.answer == "absent")
    assert alarm.why == (
        "DRAFT, the note of a whole row, which may be about another question: The tool said so to person1@example.com."
    )


def test_only_train_reaches_examples_and_its_opening_is_noted_for_the_version(main: Main, shop: Path) -> None:
    names = judged_and_labelled(main, shop)
    told = json.loads(main(*AS, "--per-code", "9", "--json").out)
    ids = {e["conversation_id"] for r in told["rubrics"] for e in r["examples"]}
    assert ids == {names["alarm"], names["missed"]}
    text = (shop / "rubrics" / "accuracy" / "1.1.0.yaml").read_text(encoding="utf-8")
    assert " dev\n" not in text
    assert " test\n" not in text
    with open_store(shop / "grader.duckdb", read_only=True) as store:
        ((split, purpose),) = store.rows("select split, purpose from split_opening")
    assert split == "train"
    assert purpose.startswith("disagreements --as rubric-examples into accuracy@1.1.0: judge-1@accuracy 1.0.0 ")
    for other in ("dev", "test", "train,dev", "all"):
        assert main(*AS, "--split", other, "--part", "major").code == 2
    assert sorted(p.name for p in (shop / "rubrics" / "accuracy").iterdir()) == ["1.0.0.yaml", "1.1.0.yaml"]


def test_the_drafted_version_loads_lints_and_its_diff_names_the_examples(main: Main, shop: Path) -> None:
    judged_and_labelled(main, shop)
    main(*AS)
    lint = main("rubric", "lint", "accuracy@1.1.0")
    assert lint.code == 0
    assert [line for line in lint.out.splitlines() if "draft_example" not in line] == []
    assert lint.out.count("is a draft: write why") == 1
    diff = main("rubric", "diff", "accuracy@1.0.0", "accuracy@1.1.0").out
    assert "[meaning] invented_deadline: examples" in diff
    assert "absent, near miss" in diff
    assert diff.count("[meaning]") == 1


def test_of_the_file_nothing_but_the_version_and_the_examples_changes(main: Main, shop: Path) -> None:
    judged_and_labelled(main, shop)
    path = shop / "rubrics" / "accuracy" / "1.0.0.yaml"
    text = path.read_text(encoding="utf-8").replace("proof: [ai]", "proof: [ai]  # only the agent's words", 1)
    path.write_text(text, encoding="utf-8")
    main(*AS)
    before = text.replace("version: 1.0.0", "version: 1.1.0").splitlines()
    after = (path.parent / "1.1.0.yaml").read_text(encoding="utf-8").splitlines()
    at = next(n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    n_added = len(after) - len(before)
    assert after[:at] + after[at + n_added :] == before
    assert after[at].strip().startswith("- answer:")
    assert path.read_text(encoding="utf-8") == text


def test_no_version_is_overwritten_and_none_that_a_run_has_used_is_added_to(main: Main, shop: Path) -> None:
    judged_and_labelled(main, shop)
    assert main(*AS, "--per-code", "1").code == 0
    first = examples(shop)
    again = main(*AS)
    assert again.code == 2
    assert "--into 1.1.0" in again.err
    assert examples(shop) == first
    assert main(*AS, "--into", "1.1.0", "--per-code", "9").code == 0
    assert examples(shop)[:1] == first
    assert len(examples(shop)) == 2  # what is there already is not drafted again
    assert "no draft" in main(*AS, "--into", "accuracy@1.1.0").out
    used = main(*AS, "--into", "1.0.0")
    assert used.code == 2
    assert "was used by a run" in used.err


def test_flags_that_do_not_go_together_are_refused(main: Main, shop: Path) -> None:
    for flags in (["--as", "poems"], ["--into", "1.1.0"], [*AS[1:], "-o", "d.html"], [*AS[1:], "--part", "tiny"]):
        if "tiny" in flags:
            judged_and_labelled(main, shop)
        assert main("disagreements", *flags).code == 2
    assert [p.name for p in (shop / "rubrics" / "accuracy").iterdir()] == ["1.0.0.yaml"]


def test_hostile_words_are_inert_in_the_file_and_in_the_prompt(
    main: Main, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.labelling.design.SPLITS", (("train", 1.0),))  # everything may be learnt from
    hostile_shop(main, shop)
    done = main(*AS, "--per-code", "5")
    assert done.code == 0, done.err
    assert main("rubric", "lint", "accuracy@1.1.0").code == 0
    rubric = load(shop / "rubrics" / "accuracy" / "1.1.0.yaml")
    drafted = examples(shop)
    assert len(drafted) == 2
    for example in drafted:
        assert all(len(line) < 600 for line in example.transcript.splitlines())
        roles = {line.partition(":")[0] for line in example.transcript.splitlines()}
        assert roles <= {"customer", "ai", "human", "tool", "tool_call"}
        assert example.transcript.isprintable() or "\n" in example.transcript
        assert not any(ord(c) < 32 and c != "\n" for c in example.transcript + example.why)
        assert "\u202e" not in example.transcript + example.why
    talk = Conversation(conversation_id="x", messages=(Message(role=Role.CUSTOMER, text="hi"),))
    prompt = render(talk, [(rubric, rubric.codes)], (), Templates.load(shop / "prompts"), max_chars=100_000)
    system = prompt.messages[0]["content"]
    assert "{{ 7*6 }} {% if x %} {# c #}" in system
    assert "</script><script>window.__hit=1</script>" in system


# ── masks ──


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to Lia.Souza@mail.example or lia.souza@MAIL.example", "to person1@example.com or person1@example.com"),
        (f"call {PHONE}", "call +00 00 00000-0001"),
        ("(11) 98765-4321 or 06 12 34 56 78", "(00) 00000-0001 or 00 00 00 00 02"),
        ("card 4111 1111 1111 1111, CPF 123.456.789-09", "card 0000 0000 0000 0001, CPF 000.000.000-02"),
        ("Q-22034, then q22034, #1042 and 22034", "Q-00001, then q00001, #0002 and 00001"),
        ("BR123456789BR at https://post.example/t?id=7&who=lia", "BR000000001BR at https://post.example/link1"),
        ("ask @lia_souza", "ask @name1"),
        ('{"id": "a3f9c2d1-12ab-4cde-9f00"}', '{"id": "x0x0x0x0-00xx-0xxx-0x01"}'),
    ],
)  # fmt: skip
def test_what_has_the_shape_of_personal_data_is_masked_in_that_shape(text: str, masked: str) -> None:
    assert Mask()(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "arrives 2026-08-14 16:10, by 14/08/2026, 2026-09-03T10:00:00+02:00, within 48 hours, 8h-18h, 17/07",
        "200x220, 30x40x5 cm, 1024x768",
        "sizes 36 37 38 39, 5.90 and R$ 279,90, 1299.90 EUR, 10-15 days, since 2026",
        "rule R3, step S7., order A-12, COVID-19, 3 of 4",
        '{"estimated_delivery": "2026-08-14", "amount": 279.9, "qty": [1, 2, 3]}',
    ],
)
def test_dates_prices_sizes_and_rules_stay(text: str) -> None:
    assert Mask()(text) == text


def test_the_same_is_masked_the_same_in_every_text_and_what_differs_differently() -> None:
    mask = Mask()
    assert mask("order 22034") == "order 00001"
    assert mask("order 99999 and 22034") == "order 00002 and 00001"
    assert mask("Lia Souza wrote; LIA SOUZA, dear Lia, Julia", ["Lia Souza"]) == "Name1 wrote; Name1, dear Name1, Julia"
    assert mask.told == ["2 order or other numbers", "1 name or address"]
    assert told_names(['{"customer": {"name": "Lia Souza", "street": "Rua A 12"}, "file_name": "x.pdf"}']) == [
        "Lia Souza", "Rua A 12"
    ]  # fmt: skip


# ── the text of a file ──

EXAMPLE = Example(answer="present", transcript="ai: a: b # c\nai: 'x' {{ 7*6 }}", why="- no: [yes] # 1")
TEXT = """\
# head
name: manners
version: 1.0.0
criteria:
  # the first
  - code: rude
    question: Was it rude?
    examples:
      - answer: present  # plain
        transcript: |-
          ai: oh

          # no comment but text

        # a comment behind it

  - code: curt  # the second
    question: Was it curt?
"""


def put(text: str, code: str = "rude", example: Example = EXAMPLE) -> str:
    return with_examples(text, {code: [example]}, "manners.yaml")


@pytest.mark.parametrize("code", ["rude", "curt"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "\n\n# the end\n", None])
def test_an_example_is_inserted_and_every_other_line_stays(code: str, ends: str, tail: str | None) -> None:
    text = (TEXT.rstrip("\n") if tail is None else TEXT + tail).replace("\n", ends)
    out = put(text, code)
    assert parsed(out, "f").criterion(code).examples[-1] == EXAMPLE
    lines = out.splitlines()
    first = max(n for n, line in enumerate(lines) if "- answer: present" in line)
    assert lines[first - 1].strip() in ("# no comment but text", "examples:")  # no blank line or comment before it
    kept = iter(lines)
    assert all(any(line == other for other in kept) for line in text.splitlines())


REASONS = [ALL.replace("\x00", "")[:60], "word " * 80, "x" * 500, "true", "1.0", "  ", "a: b", "#"]


@pytest.mark.parametrize("why", REASONS)
def test_any_reason_comes_back_as_it_was(why: str) -> None:
    line = " ".join("".join(c if c.isprintable() else " " for c in why).split())
    example = EXAMPLE.model_copy(update={"why": line})
    assert parsed(put(TEXT, example=example), "f").criterion("rude").examples[-1].why == line


FLOW = """\
name: manners
version: 1.0.0
criteria:
  - {code: curt, question: "Was it curt?"}
  - code: rude
    question: Was it rude?
    examples: [{answer: present, transcript: "ai: oh"}]
"""


@pytest.mark.parametrize("code", ["curt", "rude"])
def test_a_criterion_on_one_line_is_refused_with_a_cure(code: str) -> None:
    with pytest.raises(RubricError, match="line") as refused:
        put(FLOW, code)
    assert "lines of their own" in str(refused.value.cure)


def test_examples_that_an_anchor_would_carry_elsewhere_are_refused() -> None:
    shared = """\
name: manners
version: 1.0.0
criteria:
  - code: rude
    question: Was it rude?
    examples: &both
      - answer: present
        transcript: "ai: oh"
  - code: curt
    question: Was it curt?
    examples: *both
"""
    with pytest.raises(RubricError, match="cannot be put into this file"):
        put(shared, "curt")
