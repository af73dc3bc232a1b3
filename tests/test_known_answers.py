"""Calibration against answers that others computed: the entries of the reference file, and real ratings of people."""

from __future__ import annotations

import gzip
import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import REPOSITORY

from grader.statistics.agreement import (
    Level,
    ac1_standard_error,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    raw_agreement,
)
from grader.statistics.corrected import carried_over, corrected_rate, rate_draws
from grader.statistics.figure import Z95, Figure, proportion
from grader.statistics.frame import Part
from grader.statistics.kappa import cohen_kappa, kappa_of_table, standard_error
from grader.statistics.paired import mcnemar

DATA = REPOSITORY.parent / "shared" / "data"
pytestmark = pytest.mark.realdata
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")


@pytest.fixture(scope="module")
def known() -> Any:
    path = DATA / "statistics_reference.json"
    if not path.exists():
        pytest.skip("../shared/data is absent")
    return json.loads(path.read_text(encoding="utf-8"))


def items_of(case: Any) -> list[tuple[Any, ...]]:
    if "raters_by_items" in case:
        return list(zip(*case["raters_by_items"], strict=True))
    return [(i, j) for i, row in enumerate(case["table"]) for j, n in enumerate(row) for _ in range(n)]


def test_every_kappa_is_the_known_one(known: Any) -> None:
    import numpy as np

    for case in known["cohen_kappa"]:
        found = kappa_of_table(case["table"])
        first, second = zip(*items_of(case), strict=True)
        assert cohen_kappa(first, second) == found
        if case["kappa"] is None:
            assert found.point is None
            assert "the same" in found.reason
            continue
        assert found.point == pytest.approx(case["kappa"], abs=case["tol"]), case["name"]
        assert (found.low, found.high) == pytest.approx(tuple(case["ci95_wald"]), abs=case["tol"])
        assert standard_error(np.array(case["table"], dtype=float)) == pytest.approx(case["se"], abs=case["tol"])


def test_every_alpha_is_the_known_one(known: Any) -> None:
    for case in known["krippendorff_alpha"]:
        for level in LEVELS:
            if level not in case:
                continue
            found = krippendorff_alpha(items_of(case), seed=1, level=level)
            if case[level] is None:
                assert found.point is None
                assert len(found.reason) > 30
            else:
                assert found.point == pytest.approx(case[level], abs=case["tol"]), (case["name"], level)


def test_every_ac1_is_the_known_one(known: Any) -> None:
    for case in known["gwet_ac1"]:
        found = gwet_ac1(items_of(case))
        assert found.point == pytest.approx(case["ac1"], abs=case["tol"])
        assert ac1_standard_error(items_of(case)) == pytest.approx(case["se"], abs=case["se_tol"])
        if "ci95" in case:
            assert (found.low, found.high) == pytest.approx(tuple(case["ci95"]), abs=case["se_tol"])
        if "cohen_kappa" in case:
            assert kappa_of_table(case["table"]).point == pytest.approx(case["cohen_kappa"], abs=case["tol"])


def test_every_exact_mcnemar_is_the_known_one(known: Any) -> None:
    for case in known["mcnemar"]:
        assert mcnemar(case["b"], case["c"]) == pytest.approx(case["p_exact"], abs=case["tol"])


def test_every_wilson_interval_is_the_known_one(known: Any) -> None:
    for case in known["wilson"]:
        found = proportion(case["k"], case["n"], "nothing")
        assert (found.low, found.high) == pytest.approx(tuple(case["ci95"]), abs=case.get("tol", 1e-9))
        assert found.point == (case["k"] / case["n"] if case["n"] else None)


def parts_of_case(case: Any) -> list[Part]:
    n = case["labelled"]
    return [
        Part("fires", case["judge_fire_total"], n["fire_judgefire"], n["clean_judgefire"]),
        Part("clean", case["judge_clean_total"], n["fire_judgeclean"], n["clean_judgeclean"]),
    ]


def test_every_post_stratified_rate_is_the_known_one(known: Any) -> None:
    import numpy as np

    for case in known["post_stratified"]:
        parts = parts_of_case(case)
        found = corrected_rate(parts, seed=1)
        assert found.point == pytest.approx(case["point"], abs=case["tol"]), case["name"]
        assert (found.low, found.high) == pytest.approx(tuple(case["mover_jeffreys_ci95"]), abs=case["tol"])
        drawn = np.quantile(rate_draws(parts, seed=1, draws=2_000_000), [0.025, 0.975])
        assert drawn == pytest.approx(np.array(case["bayes_jeffreys_ci95"]), abs=case["bayes_tol"])


def test_every_rogan_gladen_point_is_the_known_one(known: Any) -> None:
    """Carrying over uses labels in strata by verdict; for the points of studies that fixed the numbers of positives and
    negatives the strata are filled so that sensitivity and specificity come out as there.
    """
    for case in known["rogan_gladen"]["cases"]:
        misses, alarms = case["positives"] - case["tp"], case["negatives"] - case["tn"]
        old = [
            Part("fires", case["tp"] + alarms, case["tp"], alarms),
            Part("clean", misses + case["tn"], misses, case["tn"]),
        ]
        later = [
            Part("fires", round(100 * case["judge_positive"]), 0, 0),
            Part("clean", round(100 * (case["judged"] - case["judge_positive"])), 0, 0),
        ]
        found = carried_over(old, later, seed=1)
        assert found.point == pytest.approx(case["point"], abs=case["tol"]), case["name"]
    for edge in known["rogan_gladen"]["edge"]:
        n = 1000
        tp, tn = round(edge["se"] * n), round(edge["sp"] * n)
        old = [Part("fires", tp + n - tn, tp, n - tn), Part("clean", n - tp + tn, n - tp, tn)]
        later = [Part("fires", round(edge["q"] * n), 0, 0), Part("clean", n - round(edge["q"] * n), 0, 0)]
        found = carried_over(old, later, seed=1)
        assert found.point == (None if edge["point"] is None else pytest.approx(edge["point"], abs=1e-9)), edge["note"]
        if edge["se"] == edge["sp"] == 1:
            alone = proportion(round(edge["q"] * n), n, "").width
            assert found.width is not None
            assert alone is not None
            assert found.width > 0.99 * alone


def ratings(name: str) -> Iterator[tuple[str, list[int]]]:
    with gzip.open(DATA / "ratings" / f"uss_{name.lower()}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            talk = json.loads(line)
            yield from (("turn_level", m["satisfaction"]) for m in talk["messages"] if m.get("satisfaction"))
            yield "dialogue_level", talk["human_labels"]["satisfaction_overall"]


def test_real_ratings_of_three_to_seven_people_have_the_known_agreement() -> None:
    path = DATA / "ratings" / "reference_stats.json"
    if not path.exists():
        pytest.skip("../shared/data is absent")
    wanted = json.loads(path.read_text(encoding="utf-8"))["sets"]
    units = {name: list(ratings(name)) for name in wanted}
    began = time.perf_counter()
    told = 0
    for name, by_level in wanted.items():
        for level in ("turn_level", "dialogue_level"):
            items = [answers for kind, answers in units[name] if kind == level]
            told += len(items)
            check_ratings(items, by_level[level])
    assert told == 11_553 + 1_000 + 6_360 + 500
    assert time.perf_counter() - began < 5


def check_ratings(items: list[list[int]], wanted: Any) -> None:
    assert len(items) == wanted["units"]
    kinds = LEVELS[:3]
    alphas = {kind: krippendorff_alpha(items, seed=1, level=kind, resamples=500) for kind in kinds}
    for kind in kinds:
        assert alphas[kind].point == pytest.approx(wanted[f"krippendorff_alpha_{kind}"], abs=5e-5)
        assert narrow(alphas[kind])
    low = [[r <= 2 for r in item] for item in items]
    two = krippendorff_alpha(low, seed=1)
    assert two.point == pytest.approx(wanted["krippendorff_alpha_nominal_dissatisfied_le2"], abs=5e-5)
    assert fleiss_kappa([item[:3] for item in items]) == pytest.approx(wanted["fleiss_kappa_first3"], abs=5e-5)
    for pair, by_pair in wanted["cohen_by_position"].items():
        i, j = (int(x) - 1 for x in pair.split("-"))
        a, b = [item[i] for item in items], [item[j] for item in items]
        assert cohen_kappa(a, b).point == pytest.approx(by_pair["kappa"], abs=5e-5)
        assert cohen_kappa(a, b, distance="linear").point == pytest.approx(by_pair["kappa_linear"], abs=5e-5)
        assert cohen_kappa(a, b, distance="quadratic").point == pytest.approx(by_pair["kappa_quadratic"], abs=5e-5)
        both = cohen_kappa([r <= 2 for r in a], [r <= 2 for r in b])
        assert both.point == pytest.approx(by_pair["kappa_dissatisfied_le2"], abs=5e-5)
        agreed = raw_agreement(list(zip(a, b, strict=True)), seed=1)
        assert agreed.point == pytest.approx(by_pair["agree"], abs=5e-5)


def narrow(found: Figure) -> bool:
    assert found.low is not None
    assert found.high is not None
    assert found.point is not None
    return found.low < found.point < found.high and found.high - found.low < 0.2 and math.isfinite(Z95)
