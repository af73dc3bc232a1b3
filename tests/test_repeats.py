"""A conversation judged several times in one run: each repeat is a call of its own, each conversation counts once, and
how often the judge contradicts itself is counted by hand.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import Main
from engine_parts import ALPHA, BETA, SmallJudge, Workplace, counts, failure, opinion, rubric, stats, workplace

from grader import engine, outcomes
from grader.calibration import against_labels
from grader.calibration.instrument import Instrument, of_run
from grader.calibration.repeats import flips
from grader.engine.rebuild import rebuild
from grader.judge import Case, Opinion
from grader.model import Evidence, Label, Policy, Support, Verdict
from grader.outcomes.episodes import opened
from grader.outcomes.quality import judged
from grader.statistics.paired import NO_REPEATS

QUALITY = rubric("quality", "late", "rude")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path) as made:
        yield made


def by_repeat(place: Workplace) -> dict[int, int]:
    return dict(place.rows("select repeat, count(*) from judgement group by 1 order by 1"))


# One run


def test_each_conversation_is_judged_under_every_number_in_one_run(place: Workplace) -> None:
    summary = place.run(repeats=3)
    assert counts(summary) == ("complete", 24, 0)
    assert by_repeat(place) == {0: 8, 1: 8, 2: 8}
    assert (len(place.plan.drawn), place.plan.n_population, place.plan.n_items, place.plan.n_calls) == (4, 4, 24, 24)
    assert place.rows("select count(*), count(distinct key), count(distinct run_id) from run_item") == [(24, 24, 1)]
    assert place.rows("select count(*), count(distinct call_id) from judgement") == [(24, 24)]


def test_numbers_begin_where_they_are_told_to(place: Workplace) -> None:
    place.run(repeat=5, repeats=2)
    assert by_repeat(place) == {5: 8, 6: 8}


def test_rubrics_that_share_a_call_share_it_in_each_repeat(place: Workplace) -> None:
    place.run(repeats=3, group_all=True)
    assert place.plan.n_calls == 12
    assert Counter(place.judge.asked) == {(f"c00{n}", "alpha", "beta"): 3 for n in range(4)}
    assert place.rows("select count(distinct repeat) from judgement group by call_id") == [(1,)] * 12


def test_what_is_there_is_reused_and_only_new_numbers_are_judged(place: Workplace) -> None:
    place.run()
    assert counts(place.run(repeats=3)) == ("complete", 16, 0)
    assert place.plan.n_reused == 8
    assert counts(place.run(repeats=3)) == ("complete", 0, 0)
    assert counts(place.run(repeat=2, repeats=2)) == ("complete", 8, 0)
    assert by_repeat(place) == {0: 8, 1: 8, 2: 8, 3: 8}


def test_a_run_that_is_cut_short_has_judged_every_conversation_once_before_any_twice(place: Workplace) -> None:
    short = place.run(SmallJudge(lambda case: opinion(case, stats=stats(1.0))), budget=10.0, reserve=1.0, repeats=3)
    assert (short.state, short.progress.n_judged) == ("budget", 10)
    assert by_repeat(place) == {0: 8, 1: 2}
    assert counts(place.run(repeats=3)) == ("complete", 14, 0)
    assert by_repeat(place) == {0: 8, 1: 8, 2: 8}


def test_a_repeat_that_fails_is_tried_again_alone(place: Workplace) -> None:
    times: Counter[str] = Counter()

    def say(case: Case) -> Opinion:
        name = case.conversation.conversation_id
        times[name] += 1
        return failure() if name == "c002" and times[name] == 2 else opinion(case)

    assert counts(place.run(SmallJudge(say), (BETA,), repeats=2)) == ("incomplete", 7, 1)
    assert counts(place.run(SmallJudge(), (BETA,), repeats=2)) == ("complete", 1, 0)
    assert place.judge.asked == [("c002", "beta")]


def test_repeats_come_back_from_the_journals(place: Workplace) -> None:
    place.run(repeats=2)
    before = place.results()
    place.close()
    rebuild(place.database, place.journals, place.folder / "old")
    assert place.results() == before
    place.close()
    (place.folder / "old").unlink()
    place.database.rename(place.folder / "gone")  # nothing but journals
    rebuild(place.database, place.journals, place.folder / "old")
    assert by_repeat(place) == {0: 8, 1: 8}
    assert place.rows("select count(*) from run_item") == [(16,)]


def test_what_a_killed_run_left_is_taken_in_with_its_numbers(place: Workplace) -> None:
    place.run(repeats=2)
    for table in ("judgement", "verdict", "evidence", "failure", "call", "journal"):
        place.rows(f"delete from {table}")
    assert place.absorb() == engine.Absorbed(1, 16)
    assert by_repeat(place) == {0: 8, 1: 8}


# Figures


def wavering(said: Mapping[str, str], code: str = "late") -> SmallJudge:
    """Says, the nth time that it is asked of a conversation, the nth sign: present, unproved, absent, - for failed."""
    times: Counter[str] = Counter()

    def say(case: Case) -> Opinion:
        name = case.conversation.conversation_id
        times[name] += 1
        sign = said[name][times[name] - 1]
        if sign == "-":
            return failure()
        quote = Evidence(message=1, quote="order", verified=True)
        verdict = {
            "P": Verdict(criterion=code, answer="present", evidence=(quote,), support=Support.VERIFIED),
            "U": Verdict(criterion=code, answer="present", support=Support.UNSUPPORTED),
            "A": Verdict(criterion=code, answer="absent"),
        }[sign]
        others = [Verdict(criterion=c, answer="absent") for c in case.questions[0].rubric.codes if c != code]
        return opinion(case, verdicts={case.questions[0].rubric.name: (verdict, *others)})

    return SmallJudge(say)


def cases(place: Workplace) -> tuple[outcomes.Case, ...]:
    ids = [i for (i,) in place.rows("select conversation_id from conversation")]
    return outcomes.cases(place.store, None, ids)


SAID = {"c000": "PPP", "c001": "PAP", "c002": "PU-", "c003": "A--"}


def test_figures_count_a_conversation_once_by_its_first_answer(place: Workplace) -> None:
    place.run(wavering({**SAID, "c003": "APP"}), (QUALITY,), repeats=3)
    found = outcomes.figures(place.store)
    assert (found.headline.n_conversations, found.headline.n_judged_conversations) == (4, 4)
    assert (found.headline.n_flagged, found.headline.n_assessed) == (3, 4)
    (late,) = (d for d in found.defects if d.code == "late" and d.slice == "all")
    assert (late.n_conversations, late.n_flagged, late.n_absent) == (4, 3, 1)
    assert len(cases(place)) == 4
    assert all(len(case.verdicts) == 2 for case in cases(place))


def test_a_repeat_that_is_missing_leaves_no_conversation_judged_in_part(place: Workplace) -> None:
    place.run(wavering(SAID), (QUALITY,), repeats=3)
    headline = outcomes.figures(place.store).headline
    assert (headline.n_failed, headline.n_partly_judged) == (3, 0)
    assert all(case.missing == () for case in cases(place))
    with opened(place.store) as episodes, judged(place.store, episodes) as verdicts:
        (whole,) = verdicts.slices()
        assert (whole.n_conversations, whole.n_in_part) == (4, 0)


def test_a_conversation_without_any_of_its_repeats_is_missing_once(place: Workplace) -> None:
    place.run(wavering({**SAID, "c003": "---"}), (QUALITY,), repeats=3)
    (case,) = (c for c in cases(place) if c.conversation.conversation_id == "c003")
    assert [(m.rubric, m.state) for m in case.missing] == [("quality", "failed")]


def test_a_run_whose_first_repeat_is_whole_has_come_to_its_end_for_figures(place: Workplace) -> None:
    place.run(SmallJudge(lambda case: opinion(case, stats=stats(1.0))), budget=10.0, reserve=1.0, repeats=3)
    with opened(place.store) as episodes, judged(place.store, episodes) as verdicts:
        assert verdicts.waiting == {}
        assert verdicts.slices()[0].n_in_part == 0


def test_labels_are_held_against_the_first_answer_once(place: Workplace) -> None:
    run = place.run(wavering({**SAID, "c000": "APP"}), (QUALITY,), repeats=3).run_id
    said = {"rubric": "quality", "rubric_version": "1.0.0", "criterion": "late", "answer": "present", "reviewer": "ana"}
    place.store.add([(Label(conversation_id=c, **said), None, None) for c in SAID])
    (late,) = against_labels(place.store, run, "ana")
    assert (late.n_labels, late.n_flagged, late.n_true) == (4, 2, 2)


# Flips


def instrument(place: Workplace) -> Instrument:
    ((run_id,),) = place.rows("select max(run_id) from run")
    return of_run(place.store, run_id)["quality"]


def test_how_often_a_judge_contradicts_itself_is_as_counted_by_hand(place: Workplace) -> None:
    place.run(wavering(SAID), (QUALITY,), repeats=3)
    found = flips(place.store, instrument(place))
    assert set(found) == {"late", "rude"}
    # c000: none of its pairs differs; c001: 2 of 3 do; c002: flagged, then unproved, then failed: 1 of 1; c003: once.
    late = found["late"]
    assert late.rate.point == pytest.approx((0 + 2 / 3 + 1) / 3)
    assert (late.rate.n, late.rate.of, late.n_once) == (2, 3, 1)
    assert (found["rude"].rate.point, found["rude"].rate.n, found["rude"].rate.of) == (0.0, 0, 3)


def test_only_the_codes_that_are_asked_are_told_even_without_an_answer(place: Workplace) -> None:
    place.run(wavering(SAID), (QUALITY,), repeats=3)
    found = flips(place.store, instrument(place), ["late", "no_such_code"])
    assert set(found) == {"late", "no_such_code"}
    assert (found["no_such_code"].rate.point, found["no_such_code"].rate.reason) == (None, NO_REPEATS)


def test_repeats_of_other_runs_count_and_those_of_other_instruments_do_not(place: Workplace) -> None:
    place.run(wavering(dict.fromkeys(SAID, "P")), (QUALITY,))
    mine = instrument(place)
    place.run(wavering(dict.fromkeys(SAID, "A")), (QUALITY,), repeat=7)
    assert flips(place.store, mine)["late"].rate.point == 1.0
    other = wavering(dict.fromkeys(SAID, "A"))
    other.model = "m2"
    place.run(other, (QUALITY,), repeat=1)
    place.run(
        wavering(dict.fromkeys(SAID, "A")), (rubric("quality", "late", "rude", "slow", version="2.0.0"),), repeat=2
    )
    third = wavering(dict.fromkeys(SAID, "A"))
    third.parameters = {"temperature": 1}
    place.run(third, (QUALITY,), repeat=3)
    assert flips(place.store, mine)["late"].rate.of == 4
    assert flips(place.store, mine)["late"].rate.point == 1.0


def test_a_rubric_alone_and_one_that_shares_its_call_are_two_instruments(place: Workplace) -> None:
    place.run(SmallJudge(), (ALPHA, BETA))
    ((first,),) = place.rows("select run_id from run")
    alone = of_run(place.store, first)["alpha"]
    place.run(SmallJudge(), (ALPHA, BETA), group_all=True, repeat=1)
    place.rows("update run set selection = json_merge_patch(selection, '{\"group\": \"all\"}') where run_id <> "
               f"'{first}'")  # fmt: skip
    ((second,),) = place.rows(f"select run_id from run where run_id <> '{first}'")
    grouped = of_run(place.store, second)["alpha"]
    assert grouped.together == f"{ALPHA.meaning_hash},{BETA.meaning_hash}"
    assert [flips(place.store, i)["late"].n_once for i in (alone, grouped)] == [4, 4]


def test_the_same_words_under_other_policies_are_another_conversation(place: Workplace) -> None:
    place.run(wavering(dict.fromkeys(SAID, "P")), (QUALITY,))
    place.store.add([(Policy(policy_id="p", text="No refunds."), None, None)])
    place.run(wavering(dict.fromkeys(SAID, "A")), (QUALITY,), repeat=1)
    late = flips(place.store, instrument(place))["late"]
    assert (late.rate.of, late.n_once) == (0, 8)


def test_a_version_that_changed_its_name_alone_is_the_same_instrument(place: Workplace) -> None:
    place.run(wavering(dict.fromkeys(SAID, "P")), (QUALITY,))
    place.run(wavering(dict.fromkeys(SAID, "A")), (rubric("quality", "late", "rude", version="1.0.1"),), repeat=1)
    assert flips(place.store, instrument(place))["late"].rate.point == 1.0


# The command


@pytest.fixture
def shop(tmp_path: Path, workspace: Path) -> Path:
    from grader.workspace import shipped

    shutil.copy(shipped("datasets") / "conversations.jsonl", tmp_path)
    return workspace


def test_the_command_judges_repeats_with_signals_which_never_contradict_themselves(main: Main, shop: Path) -> None:
    main("ingest", shop.parent / "conversations.jsonl", "-w", shop)
    args = ("grade", "-w", shop, "--judge", "signals", "--rubric", "accuracy", "--sample", "20", "--repeats", "3")
    planned = main(*args, "--dry-run")
    assert "20 of 128 conversations × accuracy@" in planned.err
    assert "each judged 3 times" in planned.err
    assert "60 judgements: 0 reused, 60 to judge" in planned.err
    done = json.loads(main(*args, "--json").out)
    assert (done["conversations"], done["judged"], done["repeats"]) == (20, 60, [0, 1, 2])
    place = Workplace(shop)
    accuracy = of_run(place.store, done["run_id"])["accuracy"]
    found = flips(place.store, accuracy)
    place.close()
    assert {(f.rate.point, f.rate.of) for f in found.values()} == {(0.0, 20)}
    assert json.loads(main(*args, "--json").out)["reused"] == 60


@pytest.mark.parametrize("args", [["--repeats", "0"], ["--repeat", "2147483647", "--repeats", "2"]])
def test_numbers_that_cannot_be_are_refused(main: Main, shop: Path, args: list[str]) -> None:
    done = main("grade", "-w", shop, "--judge", "signals", *args)
    assert done.code == 2
    assert "--repeats" in done.err
