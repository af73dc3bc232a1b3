"""Rates corrected for the judge's errors: hand-made counts, the edges, and how often the intervals hold the truth."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.statistics.accuracy import calibrate
from grader.statistics.corrected import (
    Frame,
    carried_over,
    corrected_rate,
    difference,
    judge_adds_nothing,
    mover,
    people_only,
)
from grader.statistics.figure import Figure, jeffreys
from grader.statistics.frame import PREVALENCE, TRUTHS, Labelled, Model, Part, Verdict, parts_of, shortage

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

from coverage_calibration import LEAST, SETTINGS, Setting, rates, without_share_term

TYPICAL = (Part("fires", 400, 38, 62), Part("clean", 4_800, 2, 98))


def ends(found: Figure) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def test_a_rate_is_made_of_what_labels_say_of_each_verdict() -> None:
    # 400/5,200 · 38/100 + 4,800/5,200 · 2/100
    found = corrected_rate(TYPICAL, seed=1)
    assert found.point == pytest.approx((400 * 0.38 + 4_800 * 0.02) / 5_200)
    assert (found.n, found.of, found.method) == (40, 200, "post-stratified, MOVER-Jeffreys")
    low, high = ends(found)
    assert (low, high) == pytest.approx((0.0313, 0.0878), abs=5e-5)


@st.composite
def frames(draw: st.DrawFn) -> list[Part]:
    found = []
    kinds: tuple[Verdict, ...] = ("fires", "clean", "missing", "not_applicable")
    for verdict in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4, unique=True)):
        fires, clean, other = draw(st.integers(0, 40)), draw(st.integers(0, 40)), draw(st.sampled_from((0, 0, 3)))
        found.append(Part(verdict, fires + clean + other + draw(st.integers(1, 900)), fires, clean, other))
    return found


@settings(max_examples=80, deadline=None)
@given(frames(), st.booleans())
def test_every_figure_of_a_code_holds_its_point_or_says_why_not(parts: list[Part], simple_random: bool) -> None:
    found = calibrate(parts, simple_random=simple_random, seed=1, draws=500)
    a = found.accuracy
    for figure in (found.corrected, found.people, found.raw, a.sensitivity, a.specificity, a.positive_value,
                   a.negative_value, a.youden, a.kappa):  # fmt: skip
        if figure.point is None:
            assert len(figure.reason) > 20
            continue
        low, high = ends(figure)
        assert low <= figure.point <= high
        assert high > low, figure
    for figure in (found.corrected, a.sensitivity, a.specificity, a.positive_value, a.negative_value):
        if figure.point is not None and 0 < figure.n < figure.of:
            low, high = ends(figure)
            assert low > 0
            assert high < 1


def test_the_order_of_strata_does_not_matter_to_the_closed_form() -> None:
    one, other = corrected_rate(TYPICAL, seed=1), corrected_rate(TYPICAL[::-1], seed=2)
    assert (other.point, *ends(other)) == pytest.approx((one.point, *ends(one)))


# ── the edges of the specification ──


def test_zero_positives_are_zero_with_a_finite_upper_end() -> None:
    found = calibrate([Part("fires", 0, 0, 0), Part("clean", 5_000, 0, 100)], simple_random=True, seed=1)
    assert (found.corrected.point, found.corrected.low) == (0, 0)
    assert found.corrected.high == pytest.approx(0.025, abs=5e-4)
    se = found.accuracy.sensitivity
    assert se.point is se.low is None
    assert se.reason.startswith("No human-positive labels")


def test_all_not_applicable_is_no_rate() -> None:
    parts = [Part("fires", 50, 0, 0, 10), Part("not_applicable", 950, 0, 0, 40)]
    for found in (corrected_rate(parts, seed=1), people_only(parts, simple_random=True)):
        assert found.point is None
        assert found.reason.startswith("0 applicable")


def test_fewer_than_ten_labels_or_five_in_a_stratum_are_insufficient() -> None:
    said = shortage([Part("fires", 300, 1, 2), Part("clean", 700, 0, 5)])
    assert "8 labels in all" in said[0]
    assert said[1] == "3 labels of 300 conversations judged to have it: label 2 more of them."
    assert len(said) == 2
    assert shortage(TYPICAL) == ()
    assert shortage([Part("fires", 3, 2, 1), Part("clean", 4_800, 2, 98)]) == ()  # all three of three
    assert shortage([Part("clean", 700, 5, 5, name="refunds"), Part("clean", 80, 1, 0, name="orders")]) == (
        "1 label of 80 conversations judged clean (orders): label 4 more of them.",
    )
    tiny = calibrate([Part("fires", 300, 1, 2), Part("clean", 700, 0, 5)], simple_random=False, seed=1)
    assert not tiny.sufficient
    assert tiny.corrected.width is not None
    assert tiny.corrected.width > 0.35


def test_a_perfect_judge_has_no_perfect_interval() -> None:
    found = calibrate([Part("fires", 500, 50, 0), Part("clean", 4_500, 0, 150)], simple_random=False, seed=1)
    assert found.corrected.point == pytest.approx(0.1)
    for figure in (found.corrected, found.accuracy.sensitivity, found.accuracy.kappa, found.accuracy.youden):
        assert figure.width is not None
        assert figure.width > 0.015
    assert found.accuracy.sensitivity.point == found.accuracy.sensitivity.high == 1


def test_a_judge_no_better_than_chance_leaves_the_rate_valid_and_is_not_carried_over() -> None:
    parts = [Part("fires", 1_000, 10, 40), Part("clean", 4_000, 40, 110)]
    found = calibrate(parts, simple_random=False, seed=1)
    assert found.corrected.point == pytest.approx(0.2 * 0.2 + 0.8 * 40 / 150)
    assert any("little better than chance" in note for note in found.notes)
    later = carried_over(parts, [Part("fires", 900, 0, 0), Part("clean", 100, 0, 0)], seed=1)
    assert later.point is None
    assert "does not tell the two kinds apart" in later.reason


def test_a_judge_that_never_fires_is_a_stratum_less() -> None:
    found = calibrate([Part("clean", 5_000, 20, 180)], simple_random=True, seed=1)
    assert found.corrected.point == pytest.approx(0.1)
    se, ppv = found.accuracy.sensitivity, found.accuracy.positive_value
    assert (se.point, se.low) == (0, 0)
    assert se.high is not None
    assert 0 < se.high < 0.1
    assert ppv.reason.startswith("The judge flagged nothing")
    assert ppv.reason in found.notes
    assert found.accuracy.kappa.point is None
    assert "same" in found.accuracy.kappa.reason


def test_missing_verdicts_are_a_stratum_of_their_own() -> None:
    parts = [*TYPICAL, Part("missing", 300, 15, 15)]
    found = calibrate(parts, simple_random=False, seed=1)
    assert found.corrected.point == pytest.approx((400 * 0.38 + 4_800 * 0.02 + 300 * 0.5) / 5_500)
    assert found.n_missing == 300
    assert any("300 conversations have no verdict" in note for note in found.notes)
    assert found.accuracy == calibrate(TYPICAL, simple_random=False, seed=1).accuracy  # errors are of what it answered
    nobody = corrected_rate([*TYPICAL, Part("missing", 300, 0, 0)], seed=1)
    assert nobody.reason == "Nobody labelled a conversation without a verdict: there it may be none or all."
    low, high = ends(nobody)
    assert low < (400 * 0.38 + 4_800 * 0.02) / 5_500  # the point if none of them has it
    assert high > (400 * 0.38 + 4_800 * 0.02 + 300) / 5_500


def test_an_unlabelled_verdict_leaves_no_error_rate() -> None:
    found = calibrate([Part("fires", 400, 30, 20), Part("clean", 4_800, 0, 0)], simple_random=False, seed=1)
    for figure in (found.accuracy.sensitivity, found.accuracy.specificity, found.accuracy.kappa):
        assert figure.point is None
        assert figure.reason == "Nobody labelled a conversation judged clean: label some of the 4,800."
    assert found.accuracy.positive_value.point == pytest.approx(0.6)
    assert found.corrected.width is not None
    assert found.corrected.width > 0.9
    none = calibrate([Part("fires", 400, 0, 0), Part("clean", 4_800, 0, 0)], simple_random=True, seed=1)
    assert none.corrected.reason == "No conversation of this frame was labelled."
    assert ends(none.corrected) == (0, 1)


def test_few_human_positives_are_said() -> None:
    found = calibrate([Part("fires", 100, 8, 12), Part("clean", 900, 2, 98)], simple_random=False, seed=1)
    assert any(note.startswith("10 human-positive labels") for note in found.notes)


# ── people alone, a later frame, two frames ──


def test_people_alone_have_a_rate_only_if_drawn_with_one_chance() -> None:
    assert people_only(TYPICAL, simple_random=False).reason.startswith("Labels were drawn by verdict")
    srs = [Part("fires", 370, 8, 6), Part("clean", 4_830, 2, 184)]
    alone = people_only(srs, simple_random=True)
    assert alone.point == pytest.approx(0.05)
    assert not judge_adds_nothing(corrected_rate(srs, seed=1), alone)
    coin = calibrate([Part("fires", 2_500, 10, 90), Part("clean", 2_500, 10, 90)], simple_random=True, seed=1)
    assert any(note.startswith("The judge adds nothing") for note in coin.notes)


def test_a_later_frame_is_read_with_the_errors_of_the_old_one() -> None:
    later = [Part("fires", 900, 0, 0), Part("clean", 4_300, 0, 0), Part("missing", 50, 0, 0)]
    found = carried_over(TYPICAL, later, seed=1)
    fires, clean = 400 * 0.38, 4_800 * 0.02
    se, sp = fires / (fires + clean), 4_800 * 0.98 / (4_800 * 0.98 + 400 * 0.62)
    assert found.point == pytest.approx((900 / 5_200 + sp - 1) / (se + sp - 1))
    low, high = ends(found)
    assert 0.1 < low < 0.2 < high
    assert carried_over(TYPICAL, [Part("fires", 230, 0, 0), Part("clean", 4_970, 0, 0)], seed=1).point == 0  # clipped
    assert "no conversation with a verdict" in carried_over(TYPICAL, later[2:], seed=1).reason
    nobody = [Part("fires", 400, 0, 50), Part("clean", 4_800, 0, 99)]
    assert carried_over(nobody, later, seed=1).reason.startswith("No human-positive labels")


def test_cells_without_a_case_do_not_lift_the_lower_end_of_what_is_carried_over() -> None:
    """The judge misses nothing: the rate is what it flags rightly, whatever ten cells without a case could hold."""
    fires = Part("fires", 100, 20, 20)
    cells = [Part("clean", 490, 0, 8, name=str(i)) for i in range(10)]
    low, high = ends(carried_over([fires, *cells], [Part("fires", 100, 0, 0), Part("clean", 4_900, 0, 0)], seed=1))
    assert 0.003 < low < 0.007  # half of 2 % is the point; the ½ of a label in each cell would make it 6 %
    assert high > 0.03


def test_what_is_not_applicable_is_carried_over_as_a_third_kind() -> None:
    old = [Part("fires", 500, 80, 15, 5), Part("clean", 3_500, 2, 145, 3), Part("not_applicable", 1_000, 1, 4, 95)]
    same = carried_over(old, old, seed=1)
    assert same.point == pytest.approx(corrected_rate(old, seed=1).point)  # the same verdicts, the same rate
    blind = [Part("fires", 500, 80, 15, 5), Part("clean", 4_500, 2, 145, 33)]
    assert "does not tell" in carried_over(blind, blind, seed=1).reason  # a judge that never says it


def test_a_difference_of_rubric_versions_is_one_of_rates_not_of_their_errors() -> None:
    strict = [Part("fires", 900, 50, 50), Part("clean", 4_100, 1, 149)]
    mild = [Part("fires", 500, 85, 15), Part("clean", 4_500, 2, 148)]
    found = difference(Frame(strict), Frame(mild), seed=1)
    low, high = ends(found)
    assert low < 0 < high
    assert found.point == pytest.approx(
        (corrected_rate(mild, seed=1).point or 0) - (corrected_rate(strict, seed=1).point or 0)
    )
    later = Frame(strict, later=[Part("fires", 2_500, 0, 0), Part("clean", 2_500, 0, 0)])
    low, _ = ends(difference(Frame(strict), later, seed=1))
    assert low > 0.2
    nothing = difference(Frame(strict), Frame([Part("clean", 10, 0, 0)]), seed=1)
    assert nothing.point is None
    assert nothing.reason == "No conversation of this frame was labelled."


def test_figures_are_the_same_for_the_same_seed() -> None:
    first = calibrate(TYPICAL, simple_random=False, seed=1)
    assert calibrate(TYPICAL, simple_random=False, seed=1) == first
    assert calibrate(TYPICAL, simple_random=False, seed=2) != first


def test_two_frames_are_drawn_apart() -> None:
    alone, found = corrected_rate(TYPICAL, seed=1), difference(Frame(TYPICAL), Frame(TYPICAL), seed=1)
    assert found.point == 0
    assert found.width is not None
    assert alone.width is not None
    assert found.width > 1.2 * alone.width  # √2, were they normal


def test_many_strata_without_a_case_do_not_lift_the_lower_end() -> None:
    few = [Part("fires", 60, 10, 15), Part("clean", 4_000, 0, 60, 2), Part("not_applicable", 940, 0, 3, 9)]
    low, _ = ends(corrected_rate(few, seed=1))
    applicable = 60 + 4_000 * 60 / 62 + 940 * 3 / 12
    assert low == pytest.approx(60 * jeffreys(10, 25)[0] / applicable, rel=0.1)


# ── contacts ──


def test_shares_of_verdicts_go_together_too_where_contacts_are_alike() -> None:
    """A judge who never errs leaves nothing unknown within a verdict; what is left is how frequent it is."""
    labels = [
        Labelled(("fires", "") if i < 30 else ("clean", ""), "fires" if i < 30 else "clean", str(i))
        for i in range(100) for _ in range(3)
    ]  # fmt: skip
    parts = parts_of({("fires", ""): 1_500, ("clean", ""): 3_500}, labels)
    assert Model(parts).design_effect(PREVALENCE, labels) == pytest.approx(3, abs=0.1)


def contacts(n: int, per: int, alike: bool) -> tuple[tuple[Part, ...], list[Labelled]]:
    rng = np.random.default_rng(3)
    labels = []
    for contact in range(n):
        first = rng.random() < 0.3
        for _ in range(per):
            y = first if alike else rng.random() < 0.3
            labels.append(Labelled(("clean", ""), TRUTHS[0 if y else 1], str(contact)))
    return parts_of({("clean", ""): 20 * n * per}, labels), labels


def test_contacts_whose_conversations_are_alike_count_once() -> None:
    parts, labels = contacts(100, 3, alike=True)
    assert Model(parts).design_effect(PREVALENCE, labels) == pytest.approx(3, abs=0.1)
    plain, wider = corrected_rate(parts, seed=1), corrected_rate(parts, labels, seed=1)
    assert wider.width is not None
    assert plain.width is not None
    assert wider.width / plain.width == pytest.approx(3**0.5, abs=0.05)
    parts, labels = contacts(100, 3, alike=False)
    assert Model(parts).design_effect(PREVALENCE, labels) < 1.4


def test_each_a_contact_of_its_own_changes_nothing_and_one_contact_is_told() -> None:
    parts, labels = contacts(100, 1, alike=True)
    assert corrected_rate(parts, labels, seed=1) == corrected_rate(parts, seed=1)
    alone = [Labelled(x.stratum, x.truth, None) for x in labels]
    assert corrected_rate(parts, alone, seed=1) == corrected_rate(parts, seed=1)
    one = [Labelled(x.stratum, x.truth, "the one") for x in labels]
    assert any("of one contact" in note for note in calibrate(parts, one, simple_random=True, seed=1).notes)
    with pytest.raises(ValueError, match="does not have"):
        parts_of({}, labels)


@pytest.mark.parametrize("counts", [(-1, 2, 0), (5, 6, 0), (3, 3, 5)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no stratum"):
        Part("fires", 10, *counts)
    with pytest.raises(ValueError, match="without conversations"):
        Model([])


# ── coverage; all 27 settings are in benchmarks/coverage_calibration.py ──

# 150 repetitions of a true .945 fall below .90 in one of 100 tries; the seed is fixed.
REPEATS, LEAST_HERE = 150, 0.90
SOME = (SETTINGS[10], SETTINGS[22])


@pytest.mark.parametrize("design", ["simple random", "30 % judge-positive", "clustered", "not applicable", "transport"])
def test_intervals_hold_the_truth(design: str) -> None:
    found = [rates(design, s, REPEATS, 400, seed=1).coverage for s in SOME]
    assert min(found) >= LEAST_HERE, found


def test_without_the_share_term_the_check_fails() -> None:
    with_it, without = without_share_term(Setting(0.2, 0.9, 0.98, 400), 1_000, seed=1)
    assert with_it >= LEAST
    assert without < 0.9
    model = Model(TYPICAL)
    assert mover(model, with_shares=False) < mover(model)


def test_a_later_frame_that_the_errors_do_not_allow_is_cut_off_says_so_and_keeps_what_flags_alone_allow() -> None:
    """Se .81 and Sp .90: one in ten conversations would be flagged with nothing there, 5 % cannot be."""
    old = [Part("fires", 260, 90, 40), Part("clean", 740, 10, 160)]
    for flagged, point in ((50, 0), (990, 1)):
        found = carried_over(old, [Part("fires", flagged, 0, 0), Part("clean", 1_000 - flagged, 0, 0)], seed=1)
        assert found.point == point
        assert found.low is not None
        assert found.high is not None
        if point == 0:  # 6.5 % of flags at most, of 50 in 1,000, and a sensitivity of .70 at least
            assert found.low == 0
            assert 0.08 < found.high < 0.10
        else:  # 1.8 % not flagged at most, and a specificity of .85 at least
            assert 0.97 < found.low < 0.99
            assert found.high == 1
        assert "not what they were" in found.reason
    cut = carried_over(old, [Part("fires", 100, 0, 0), Part("clean", 900, 0, 0)], seed=1)
    assert cut.point == 0
    assert cut.high
    assert "cut off" in cut.reason
