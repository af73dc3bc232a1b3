"""Figures with known answers: small worlds whose counts are made by hand, and every rate without a denominator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from report_data import T0, World, handoff, present, priced, says, unproved, world

from grader import outcomes
from grader.errors import ConfigError, GraderError
from grader.model import Support, Verdict
from grader.outcomes import Choice, Defect, Share

ANA = "+5511999990001"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def defect(w: World, code: str, queue: str | None = "*") -> Defect:
    slice_ = "all" if queue == "*" else "queue"
    found = [
        d for d in outcomes.figures(w.store).defects if d.code == code and d.slice == slice_ and queue in {"*", d.queue}
    ]
    assert len(found) == 1
    return found[0]


# ── which run ──


def test_without_a_run_the_cure_is_to_grade(empty: World) -> None:
    with pytest.raises(GraderError, match="no run") as error:
        outcomes.figures(empty.store)
    assert "grader grade" in str(error.value.cure)


def test_the_latest_run_is_meant_unless_one_is_named(empty: World) -> None:
    empty.talk("a")
    empty.judged("a")
    empty.finish("run_old", at=T0)
    for run_id, day in (("run_new", 2), ("run_mid", 1)):
        World(empty.store).finish(run_id, at=T0 + timedelta(days=day))
    assert outcomes.find_run(empty.store) == "run_new"
    assert outcomes.find_run(empty.store, "run_o") == "run_old"
    assert outcomes.figures(empty.store, "run_old").about.run_id == "run_old"
    with pytest.raises(ConfigError, match="ambiguous"):
        outcomes.find_run(empty.store, "run_")
    for unknown in ("run_x", "", "'; drop table run; --"):
        with pytest.raises(ConfigError, match="no run") as error:
            outcomes.find_run(empty.store, unknown)
        assert "run_new" in str(error.value.cure)


# ── headline ──


def test_the_headline_counts_what_a_hand_counts(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged_by_all("a", {"invented_deadline": present("arrives tomorrow"), "resolved": "not"})
    w.talk("b", queue="returns")
    w.judged_by_all("b", {"contradicts_policy": present("tomorrow"), "topic_dropped": present("my order", 1)})
    w.talk("c", human=True)
    w.judged_by_all("c", {"invented_deadline": unproved("x"), "resolved": "unclear"})
    w.talk("d")
    w.judged_by_all("d", {"resolved": "partly"})
    w.talk("e", events=(handoff(1),))
    w.judged_by_all("e", {"resolved": "cannot_assess"})
    w.talk("f")
    w.judged("f", "resolution")
    w.failed("f", "accuracy")
    w.pending("f", "behavior")
    w.rated("a", 2)
    w.rated("d", 5)
    w.finish(n_population=40)

    h = outcomes.figures(w.store).headline
    assert (h.n_conversations, h.n_judged_conversations) == (6, 6)
    # 5 conversations × 4 rubrics + 3 of f
    assert (h.n_judgements, h.n_judged, h.n_failed, h.n_pending) == (23, 21, 1, 1)
    assert h.resolved == Share(2, 5)  # b, f of a b c d f; e cannot be assessed
    assert (h.n_resolution_cannot_assess, h.n_resolution_missing) == (1, 0)
    assert h.contained == Share(4, 6)  # c had a colleague, e a hand-off event
    assert h.contained_not_resolved == Share(2, 4)  # a (not) and d (partly), of a b d f
    # f has no defect verdict at all: it is neither flagged nor clean
    assert h.flagged == Share(2, 5)
    assert h.critical == Share(1, 5)  # b: contradicts_policy
    assert h.n_findings == 3
    assert h.n_unsupported_only == 1  # c
    assert h.csat_mean == pytest.approx(3.5)  # (2 + 5) / 2
    assert h.csat_answered == Share(2, 6)


def test_queues_add_up_to_the_whole_also_those_without_a_queue(empty: World) -> None:
    w = empty
    for n, queue in enumerate(["orders", "returns", None, "orders", None, ""]):
        w.talk(f"c{n}", queue=queue)
        w.judged_by_all(f"c{n}", {"invented_deadline": present("tomorrow")} if n % 2 else {"resolved": "not"})
    w.finish()
    found = outcomes.figures(w.store)
    whole, *parts = found.headlines
    assert whole.overall
    assert [p.queue for p in parts].count(None) == 1
    names = [n for n in whole.__dataclass_fields__ if n.startswith("n_")]
    for name in names:
        assert getattr(whole, name) == sum(getattr(p, name) for p in parts), name
    for code in {d.code for d in found.defects}:
        by_slice = {
            s: sum(d.n_flagged for d in found.defects if d.code == code and d.slice == s)
            for s in ("all", "queue", "channel_language")
        }
        assert len(set(by_slice.values())) == 1, code


def test_a_run_about_nothing_has_no_rates_and_raises_nothing(empty: World) -> None:
    empty.finish(state="refused")
    found = outcomes.figures(empty.store)
    h = found.headline
    shares = [h.resolved, h.contained, h.contained_not_resolved, h.flagged, h.critical, h.csat_answered]
    assert [s.rate for s in shares] == [None] * 6
    assert h.csat_mean is None
    assert found.spend.usd_per_conversation is None
    assert found.defects == ()
    assert all(r.came_back.rate is None and r.same_issue.rate is None for r in found.recontacts)
    assert outcomes.ranking(empty.store) == ()


def test_codes_that_nobody_could_assess_are_not_counted_as_clean(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged("a", "accuracy", dict.fromkeys(("contradicts_policy", "contradicts_tool_result"), "cannot_assess"))
    w.talk("b")
    w.judged("b", "accuracy", dict.fromkeys(_codes("accuracy"), "cannot_assess"))
    w.finish()
    h = outcomes.figures(w.store).headline
    assert h.flagged == Share(0, 1)
    # both critical codes of accuracy were out of reach: "0 %" would be a lie
    assert h.critical == Share(0, 0)
    assert h.critical.rate is None


def _codes(rubric: str) -> tuple[str, ...]:
    from report_data import RUBRICS

    return RUBRICS[rubric].codes


def test_a_repeated_judgement_counts_its_conversation_once(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged("a", "accuracy")
    w.judged("a", "accuracy", {"invented_deadline": present("tomorrow")})
    w.finish()
    found = outcomes.figures(w.store)
    assert found.headline.n_judged == 2
    assert defect(w, "invented_deadline").n_conversations == 1
    assert defect(w, "invented_deadline").n_flagged == 0  # the first answer counts


def test_a_conversation_that_left_the_database_is_still_counted(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged("a", "accuracy", {"invented_deadline": present("tomorrow")})
    w.finish()
    w.store.rows("delete from conversation where conversation_id = 'a'")
    h = outcomes.figures(w.store).headline
    assert h.n_conversations == 1
    assert h.flagged == Share(1, 1)
    assert h.contained == Share(0, 0)  # nobody knows any more
    assert outcomes.cases(w.store, None, ["a"]) == ()


def test_synthetic_conversations_are_known_as_such(empty: World) -> None:
    w = empty
    for name, attributes in (("a", {"synthetic": True}), ("b", {"synthetic": False}), ("c", {}),
                             ("d", {"synthetic": "certainly"})):  # fmt: skip
        w.talk(name, attributes=attributes)
        w.judged(name)
    w.finish()
    assert outcomes.figures(w.store).headline.n_synthetic == 1


# ── defects ──


def test_each_answer_to_a_code_has_its_own_count(empty: World) -> None:
    w = empty
    told: list[str | Verdict] = [
        present("tomorrow"),
        present("tomorrow"),
        unproved("x"),
        *["absent"] * 3,
        "not_applicable",
        "cannot_assess",
    ]
    for n, answer in enumerate(told):
        w.talk(f"c{n}", queue="orders" if n < 4 else "returns")
        w.judged(f"c{n}", "accuracy", {"invented_deadline": answer})
    w.talk("failed")
    w.failed("failed")
    w.talk("pending")
    w.pending("pending")
    w.talk("silent")
    w.judged("silent", leave_out=["invented_deadline"])
    w.finish()

    d = defect(w, "invented_deadline")
    assert (d.n_flagged, d.n_unsupported, d.n_absent) == (2, 1, 3)
    assert (d.n_not_applicable, d.n_cannot_assess) == (1, 1)
    # `silent` was judged but not asked: that is no "absent"
    assert (d.n_failed, d.n_pending) == (2, 1)
    assert d.n_conversations == 2 + 1 + 3 + 1 + 1 + 2 + 1
    assert d.flagged == Share(2, 6)
    orders = defect(w, "invented_deadline", "orders")
    assert (orders.flagged, orders.n_failed, orders.n_pending) == (Share(2, 4), 2, 1)
    assert defect(w, "invented_deadline", "returns").flagged == Share(0, 2)


def test_an_unsupported_finding_never_counts_as_flagged(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged("a", "accuracy", {code: unproved("x") for code in _codes("accuracy")})
    w.finish()
    found = outcomes.figures(w.store)
    assert found.headline.flagged == Share(0, 1)
    assert {d.n_flagged for d in found.defects} == {0}
    assert outcomes.ranking(w.store)[0].n_flagged == 0


def test_a_rubric_whose_every_judgement_failed_still_lists_its_codes(empty: World) -> None:
    w = empty
    w.talk("a")
    w.failed("a", "behavior")
    w.finish()
    found = defect(w, "promised_exception")
    assert (found.n_failed, found.flagged.rate) == (1, None)
    [unjudged] = outcomes.figures(w.store).unjudged
    assert (unjudged.cause, unjudged.n_judgements, unjudged.rubrics) == ("timeout", 1, ("behavior",))


def test_the_latest_failure_is_told_without_the_status_of_an_older_one(empty: World) -> None:
    w = empty
    w.talk("a")
    w.failed("a", cause="server_error", http_status=500)
    w.finish()
    w.store.rows(
        "insert into failure select * replace ('connection' as cause, null as http_status, "
        "failed_at + interval 1 hour as failed_at) from failure"
    )
    [unjudged] = outcomes.figures(w.store).unjudged
    assert (unjudged.cause, unjudged.http_status, unjudged.n_judgements) == ("connection", None, 1)


def test_a_failure_that_was_mended_later_is_no_failure(empty: World) -> None:
    w = empty
    w.talk("a")
    w.failed("a")
    w.judged("a", in_run=False)
    w.finish()
    # the second try has its own key here; give it the failed one's, as a retry does
    w.store.rows("update judgement set key = 'vk_a_accuracy_0'")
    w.store.rows("update verdict set key = 'vk_a_accuracy_0'")
    h = outcomes.figures(w.store).headline
    assert (h.n_judged, h.n_failed) == (1, 0)


# ── ledger, spend, reading order ──


def test_the_ledger_counts_causes_and_names_unsolved_examples_first(empty: World) -> None:
    w = empty
    for n in range(5):
        w.talk(f"c{n}", start=T0 + timedelta(days=n))
        w.judged_by_all(
            f"c{n}",
            {
                "escalation_reason": "missing_integration" if n < 4 else "none",
                "resolved": "not" if n == 1 else "resolved",
                "contact_reason": "refund" if n in (1, 2, 3) else "payment",
            },
        )
    w.finish()
    found: dict[str, Choice] = {
        c.option: c for c in outcomes.figures(w.store).choices if c.overall and c.code == "escalation_reason"
    }
    cause = found["missing_integration"]
    assert (cause.n, cause.n_unsolved) == (4, 1)
    assert cause.examples == ("c1", "c3", "c2")  # the unsolved one, then the latest
    assert cause.reasons == (("refund", 3), ("payment", 1))
    assert (cause.n_unsolved, cause.n_resolution_judged) == (1, 4)
    assert found["none"].n == 1


def test_what_is_not_known_to_be_unsolved_is_neither_solved_nor_unsolved(empty: World) -> None:
    w = empty
    for n, resolved in enumerate(["not", "partly", "unclear", "cannot_assess", "resolved"]):
        w.talk(f"c{n}", start=T0 + timedelta(days=n))
        w.judged_by_all(f"c{n}", {"escalation_reason": "missing_rule", "resolved": resolved})
    w.finish()
    [cause] = [c for c in outcomes.figures(w.store).choices if c.overall and c.code == "escalation_reason"]
    assert (cause.n, cause.n_unsolved, cause.n_resolution_judged) == (5, 2, 4)


def test_an_unknown_price_makes_the_sum_unknown_and_never_0(empty: World) -> None:
    w = empty
    w.talk("a")
    w.talk("b")
    w.judged("a", call=priced(0.002))
    w.judged("b", call=priced(None, prompt_tokens=None))
    w.finish()
    spend = outcomes.figures(w.store).spend
    assert (spend.n_calls, spend.n_unpriced, spend.n_uncounted) == (2, 1, 1)
    assert spend.known_usd == pytest.approx(0.002)
    assert (spend.paid_usd, spend.judging_usd, spend.usd_per_conversation) == (None, None, None)
    assert (spend.prompt_tokens, spend.completion_tokens) == (1000, 200)


def test_reused_judgements_cost_the_run_nothing_but_judging_had_its_price(empty: World) -> None:
    w = empty
    for name in ("a", "b"):
        w.talk(name)
        w.judged(name, call=priced(0.004), reused=name == "a")
    w.finish()
    found = outcomes.figures(w.store)
    assert found.spend.paid_usd == pytest.approx(0.004)
    assert found.spend.judging_usd == pytest.approx(0.008)
    assert found.spend.paid_by_others_usd == pytest.approx(0.004)
    assert found.spend.usd_per_conversation == pytest.approx(0.004)  # 0.008 / 2
    assert found.headline.n_reused == 1


def test_a_run_without_calls_cost_exactly_nothing(empty: World) -> None:
    empty.talk("a")
    empty.judged("a", judge="signals", model="signals-1")
    empty.finish(judge="signals")
    spend = outcomes.figures(empty.store).spend
    assert (spend.n_calls, spend.paid_usd, spend.usd_per_conversation) == (0, 0.0, 0.0)


def test_uneven_chances_to_be_drawn_are_known(empty: World) -> None:
    for name, probability in (("a", 0.1), ("b", 0.5)):
        empty.talk(name)
        empty.judged(name, probability=probability)
    empty.finish()
    assert not outcomes.figures(empty.store).about.even


def test_codes_are_decided_when_any_answer_is_more_than_cannot_assess(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged("a", "accuracy", {c: "cannot_assess" for c in _codes("accuracy") if c != "invented_deadline"})
    w.judged("a", "behavior", dict.fromkeys(_codes("behavior"), "cannot_assess"))
    w.failed("a", "experience")
    w.finish()
    accuracy, behavior = outcomes.figures(w.store).decided  # of experience nothing is there to tell by
    assert (accuracy.rubric, accuracy.n_decided, accuracy.n_codes) == ("accuracy", 1, 6)
    assert "Invented deadline" not in accuracy.undecided
    assert len(accuracy.undecided) == 5
    assert (behavior.rubric, behavior.n_decided, len(behavior.undecided)) == ("behavior", 0, behavior.n_codes)


def test_what_a_rule_answered_without_asking_was_not_decided_by_the_judge(empty: World) -> None:
    w = empty
    w.talk("a")
    ruled = Verdict(criterion="-", answer="not_applicable", support=Support.RULED)
    w.judged("a", "accuracy", {**dict.fromkeys(_codes("accuracy"), "cannot_assess"), "invented_deadline": ruled})
    w.finish()
    [accuracy] = outcomes.figures(w.store).decided
    assert accuracy.n_decided == 0


def test_what_a_run_was_selected_by_and_from_how_many_is_known(empty: World) -> None:
    w = empty
    for name in ("a", "b", "c"):
        w.talk(name)
    w.judged("a")
    w.finish(n_population=2, selection={"select": [["queue", "orders"], ["since", "2026-08-01"]], "sample": 1})
    about = outcomes.figures(w.store).about
    assert about.selected_by == ("queue:orders", "since:2026-08-01")
    assert (about.n_population, about.n_stored) == (2, 3)
    World(w.store).finish("run_all", at=T0 + timedelta(days=91), selection={"select": [], "sample": None})
    assert outcomes.figures(w.store, "run_all").about.selected_by == ()


def test_reading_starts_with_the_critical_then_the_many(empty: World) -> None:
    w = empty
    high: dict[str, str | Verdict] = {"invented_deadline": present("tomorrow")}
    critical: dict[str, str | Verdict] = {"contradicts_policy": present("tomorrow")}
    told: dict[str, dict[str, str | Verdict]] = {
        "clean": {}, "unproved": {"invented_deadline": unproved("x")}, "one_high": high,
        "three_high": {c: present("x") for c in ("invented_deadline", "status_without_lookup",
                                                 "exchange_treated_as_return")},
        "one_critical": critical,
    }  # fmt: skip
    for name, answers in told.items():
        w.talk(name)
        w.judged(name, "accuracy", answers)
    w.finish()
    assert [r.conversation_id for r in outcomes.ranking(w.store)] == [
        "one_critical", "three_high", "one_high", "unproved", "clean"]  # fmt: skip


def test_a_case_carries_its_quotes_and_what_happened_afterwards(empty: World) -> None:
    w = empty
    w.talk("a", contact=ANA)
    w.talk("b", contact=ANA, start=T0 + timedelta(days=2))
    w.judged("a", "accuracy", {"contradicts_policy": present("tomorrow", clause="Standard 3 to 6 business days")})
    w.failed("a", "behavior", cause="rate_limited")
    w.rated("a", 1, "awful")
    w.finish()
    [case] = outcomes.cases(w.store, None, ["a", "no such conversation"])
    found = next(v for v in case.verdicts if v.flagged)
    assert [(e.message, e.quote) for e in found.evidence] == [(2, "tomorrow"), (0, "Standard 3 to 6 business days")]
    assert [(m.rubric, m.cause) for m in case.missing] == [("behavior", "rate_limited")]
    assert (case.followup.next_id, case.followup.csat, case.followup.csat_comment) == ("b", 1.0, "awful")
    assert case.followup.next_at == (T0 + timedelta(days=2)).astimezone(UTC).replace(tzinfo=None)
    assert not case.changed


def test_a_conversation_whose_text_changed_after_judging_is_marked(empty: World) -> None:
    w = empty
    w.talk("a")
    w.judged("a")
    w.finish()
    w.talk("a", says("customer", "something else", T0))
    w.save()
    [case] = outcomes.cases(w.store, None, ["a"])
    assert case.changed
