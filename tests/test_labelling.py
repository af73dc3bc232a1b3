"""The parts of labelling by themselves: chances, splits, orders, texts; nothing here reads a file or a database."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_data import RUBRICS, T0, handoff, says

from grader.errors import ConfigError
from grader.labelling.design import Asked, Member, assign, draw, split, strata
from grader.labelling.form import Form, FormItem, FormQuestion, text_hash, text_of
from grader.labelling.sheet import CELL_CHARS, csv_text, guarded, unguarded
from grader.model import Conversation, Policy

LATE, RUDE = Asked("quality.late", is_choice=False), Asked("quality.rude", is_choice=False)
SOLVED = Asked("result.solved", is_choice=True)


def member(name: str, *verdicts: str | None) -> Member:
    return Member(name, f"cv_{name}", None, verdicts)


def test_a_conversation_stands_in_the_stratum_of_the_rarest_code_that_is_flagged_in_it() -> None:
    members = [
        member("a", "present", "present"), member("b", "present", "absent"), member("c", "absent", None),
        member("d", "absent", "cannot_assess"), member("e", "unsupported", "absent"), member("f", "present", None),
    ]  # fmt: skip
    assert strata(members, [LATE, RUDE]) == {
        "a": "flagged: quality.rude", "b": "flagged: quality.late", "c": "unjudged", "d": "rest", "e": "rest",
        "f": "flagged: quality.late",
    }  # fmt: skip


def test_of_a_choice_what_is_not_its_commonest_answer_counts_as_flagged() -> None:
    answers = ["yes", "yes", "no", "partly", "cannot_assess", None]
    found = strata([member(str(i), a) for i, a in enumerate(answers)], [SOLVED])
    assert list(found.values()) == ["rest", "rest", *2 * ["flagged: result.solved"], "rest", "unjudged"]
    assert strata([member("a", None)], [SOLVED]) == {"a": "unjudged"}


def places(sizes: dict[str, int], n: int, positives: float = 0.25) -> dict[str | None, int]:
    whole = {f"{name}{i}": name for name, size in sizes.items() for i in range(size)}
    return {layer.name: layer.n_drawn for layer in draw(whole, n, 1, positives).layers}


def test_a_quarter_goes_to_what_is_flagged_evenly_by_code() -> None:
    sizes = {"flagged: a": 300, "flagged: b": 60, "rest": 4000, "unjudged": 640}
    # 50 of 200 for two codes; 150 for 4,640 others, of which 640 are 20.7.
    assert places(sizes, 200) == {"flagged: a": 25, "flagged: b": 25, "rest": 129, "unjudged": 21}
    assert places({**sizes, "flagged: b": 4}, 200)["flagged: b"] == 4


def test_where_more_than_that_share_is_flagged_it_gets_what_it_makes_up() -> None:
    assert places({"flagged: a": 600, "rest": 400}, 100) == {"flagged: a": 60, "rest": 40}


def test_many_rare_codes_do_not_take_the_places_of_the_rest() -> None:
    sizes = {f"flagged: {i:02}": 40 for i in range(12)} | {"rest": 4520}
    found = places(sizes, 100)
    assert found["rest"] >= 60
    assert min(found.values()) == 3  # 40 of 100 for 12 codes
    with pytest.raises(ConfigError, match="too few for 13 strata"):
        places(sizes, 12)


def test_over_many_seeds_each_conversation_is_drawn_as_often_as_its_chance_says() -> None:
    whole = {f"f{i}": "flagged: a" for i in range(12)} | {f"r{i}": "rest" for i in range(60)}
    seen: Counter[str] = Counter()
    for seed in range(2000):
        drawn = draw(whole, 24, seed, 0.25)
        seen.update(d.conversation_id for d in drawn.draws)
    chance = {layer.name: layer.inclusion_probability for layer in drawn.layers}
    for name, stratum in whole.items():
        p = chance[stratum]
        assert abs(seen[name] / 2000 - p) < 4.5 * (p * (1 - p) / 2000) ** 0.5


def test_splits_are_15_35_and_50_percent_of_contacts_and_a_contact_is_in_one() -> None:
    counted = Counter(split(f"c{i}", f"co_{i}") for i in range(20_000))
    for name, share in (("train", 0.15), ("dev", 0.35), ("test", 0.5)):
        assert abs(counted[name] / 20_000 - share) < 4 * (share * (1 - share) / 20_000) ** 0.5
    assert {split(f"c{i}", "co_1") for i in range(50)} == {split("x", "co_1")}
    assert len({split(f"c{i}", None) for i in range(50)}) == 3


@given(
    n=st.integers(1, 60), overlap=st.integers(0, 80), duplicates=st.integers(0, 20), seed=st.integers(),
    reviewers=st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True),
)  # fmt: skip
def test_everybody_gets_a_fair_part_and_everything_is_labelled(
    n: int, overlap: int, duplicates: int, seed: int, reviewers: list[str]
) -> None:
    ids = [f"c{i}" for i in range(n)]
    found = assign(ids, reviewers, seed, overlap=overlap, duplicates=duplicates)
    first = Counter(a.conversation_id for a in found if not a.copy)
    assert set(first) == set(ids)
    expected = min(overlap, n) if len(reviewers) > 1 else 0
    assert sum(count == 2 for count in first.values()) == expected
    load = [sum(a.reviewer == r and not a.copy for a in found) for r in reviewers]
    assert max(load) - min(load) <= 2
    for reviewer, mine in zip(reviewers, load, strict=True):
        theirs = [a for a in found if a.reviewer == reviewer]
        assert [a.position for a in theirs] == list(range(1, len(theirs) + 1))
        assert sum(a.copy for a in theirs) == min(duplicates, mine // 3)
    assert len({a.item_id for a in found}) == len(found)
    assert assign(ids[::-1], reviewers, seed, overlap=overlap, duplicates=duplicates) == found


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert not guarded(text).lstrip(" \xa0").startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert unguarded(guarded(text)) == text


def test_a_long_text_is_cut_into_cells_that_spreadsheets_take_and_means_the_same() -> None:
    import csv
    import io

    text = "\n".join(f"[{i}] customer: {'word ' * 40}" for i in range(500)) + "x" * 70_000
    question = FormQuestion("quality.late", "quality@1.0.0 ru_1", "Late?", (("present", ""), ("absent", "")))
    written = csv_text(Form("lf_1", "ana", (question,), (FormItem("it_1", text, ("quality.late",)),)))
    head, *_, row = csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline=""))
    cells = [cell for name, cell in zip(head, row, strict=True) if name.startswith("text") and name != "text_hash"]
    assert len(cells) > 5
    assert max(map(len, cells)) <= CELL_CHARS + 1  # the apostrophe
    assert text_hash("it_1", "".join(map(unguarded, cells))) == row[head.index("text_hash")]


def test_a_reviewer_reads_what_was_said_what_the_agent_had_and_nothing_beside() -> None:
    talk = Conversation(
        conversation_id="secret-name", channel="chat", queue="returns", started_at=T0, truncated=True,
        messages=(
            says("customer", "hi\u202e\nthere"), says("human", "Dana here", T0), says("customer", "", kind="image"),
        ),
        events=(handoff(1),), attributes={"judge": "hidden"},
    )  # fmt: skip
    policies = [
        Policy(policy_id="p1", title="Returns", text="Thirty days.\nFree.", queues=("returns",)),
        Policy(policy_id="p2", text="Other.", queues=("orders",)),
        Policy(policy_id="p3", text="Later.", valid_from=date(2027, 1, 1)),
    ]
    assert text_of(talk, policies) == (
        "chat · queue returns · Mon 2026-08-03 14:00\n(no tool calls are recorded)\n(the source has cut messages off)\n"
        "[1] customer: hi\n      there\n-- handoff (ai to human)\n[2] 14:00 human: Dana here\n[3] customer, image:\n\n"
        "Policy in force: Returns\n      Thirty days.\n      Free."
    )


def test_every_shipped_question_is_put_with_all_its_answers() -> None:
    from grader.labelling.form import put
    from grader.labelling.plan import Question

    for rubric in RUBRICS.values():
        filled = rubric.with_options({"contact_reasons": {"return": "Money back."}})
        asked = [Question(rubric.name, rubric.version, filled.meaning_hash, c) for c in filled.codes]
        for q, criterion in zip(put(asked, {rubric.name: filled}), filled.criteria, strict=True):
            assert tuple(answer for answer, _ in q.answers) == criterion.answers
            assert q.question == criterion.question


def test_which_code_is_rarer_is_as_it_was_when_the_plan_was_drawn() -> None:
    both = Member("c1", "cv", None, ("present", "present"))
    now = [both, *(Member(f"a{n}", "cv", None, ("present", "absent")) for n in range(3))]
    asked = [Asked("a", False), Asked("b", False)]
    assert strata(now, asked)["c1"] == "flagged: b"
    then: list[Counter[str | None]] = [
        Counter({"present": 2, "absent": 3}), Counter({"present": 4, "absent": 1})
    ]  # fmt: skip
    assert strata(now, asked, then)["c1"] == "flagged: a"
