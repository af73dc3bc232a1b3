"""Which findings go with a return: worlds in which it is known whether they do, and the command that tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zlib import crc32

import pytest
from conftest import Main
from report_data import T0, World, present, world

from grader.errors import InputError
from grader.model import Label
from grader.outcomes.association import Association, associations
from grader.statistics.association import JudgeError, Table, mantel_haenszel
from grader.statistics.weighted_ratio import Tables, weighted_ratio

CODE = "invented_deadline"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def plant(
    w: World, reason: str, n: int, flagged: int, back_flagged: int, back_clean: int, *, human: bool = False
) -> None:
    """`n` contacts about this reason, the first `flagged` with a finding; so many of each kind come back."""
    for i in range(n):
        name = f"{reason}{int(human)}-{i:03}"
        contact = f"+55119{crc32(f'{reason}{human}'.encode()) % 1000:03}{i:05}"
        w.talk(name, contact=contact, reason=reason, human=human)
        finding = i < flagged
        w.judged(name, "accuracy", {CODE: present("tomorrow") if finding else "absent"})
        if i < back_flagged or flagged <= i < flagged + back_clean:
            w.talk(f"{name}-back", contact=contact, reason=reason, start=T0 + timedelta(days=2))


def told(w: World, **how: object) -> Association:
    w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=40))
    w.finish()
    return next(a for a in associations(w.store, **how) if a.code == CODE)  # type: ignore[arg-type]


def test_a_finding_that_goes_with_returns_is_told_with_its_ratio_and_interval(empty: World) -> None:
    plant(empty, "refund", 60, flagged=30, back_flagged=18, back_clean=6)
    found = told(empty)
    assert found.table == Table(18, 30, 6, 30)
    assert found.enough
    assert found.pooled is not None
    assert found.pooled.ratio.point == pytest.approx(3)
    assert found.pooled.ratio.low > 1
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.01
    assert found.attributable == pytest.approx(12)


def test_blind_labels_correct_the_ratio_and_labels_that_saw_the_verdict_do_not(empty: World) -> None:
    """Of 30 findings 27 are right, of 30 clean ones 2 have the defect: V = .9, F = 2/30. R = 3 means
    r = (28/30 · 3 - .1) / (.9 - 2/30 · 3) = 3.86.
    """
    plant(empty, "refund", 60, flagged=30, back_flagged=18, back_clean=6)
    for i in range(60):
        says = "present" if i < 27 or i in (30, 31) else "absent"
        empty._incoming.append((Label(
            conversation_id=f"refund0-{i:03}", rubric="accuracy", rubric_version="1.0.0", criterion=CODE, answer=says,
            reviewer="ana", verdict_visible=False,
        ), None, None))  # type: ignore[arg-type]  # fmt: skip
        empty._incoming.append((Label(
            conversation_id=f"refund0-{i:03}", rubric="accuracy", rubric_version="1.0.0", criterion=CODE,
            answer="absent", reviewer="who saw it", verdict_visible=True,
        ), None, None))  # type: ignore[arg-type]  # fmt: skip
    found = told(empty)
    assert found.error == JudgeError(27, 30, 2, 30)
    assert found.pooled is not None
    assert found.corrected is not None
    assert found.corrected.point == pytest.approx(3.86, abs=0.25)
    assert found.corrected.low < found.pooled.ratio.point < found.corrected.high


def test_a_reason_with_many_of_both_is_no_association(empty: World) -> None:
    plant(empty, "refund", 40, flagged=32, back_flagged=24, back_clean=6)  # three in four come back, finding or not
    plant(empty, "invoice", 40, flagged=8, back_flagged=2, back_clean=8)  # one in four
    found = told(empty)
    assert found.crude is not None
    assert found.crude.low > 1
    assert found.pooled is not None
    assert found.pooled.ratio.point == pytest.approx(1)
    assert found.pooled.ratio.low < 1 < found.pooled.ratio.high


def test_few_events_say_nothing_and_hand_overs_stand_apart(empty: World) -> None:
    plant(empty, "refund", 30, flagged=15, back_flagged=9, back_clean=1)
    plant(empty, "refund", 20, flagged=10, back_flagged=10, back_clean=0, human=True)
    found = told(empty)
    assert found.table == Table(9, 15, 1, 15)
    assert (found.enough, found.p_adjusted, found.n_handed_over) == (False, None, 20)


def test_a_bad_rating_is_an_outcome_and_no_rating_is_not_known(empty: World) -> None:
    plant(empty, "refund", 40, flagged=20, back_flagged=0, back_clean=0)
    for i in range(0, 40, 2):
        empty.rated(f"refund0-{i:03}", 1 if i < 30 else 5)
    found = told(empty, outcome="low_csat")
    assert (found.table, found.n_not_known) == (Table(10, 10, 5, 10), 20)
    with pytest.raises(InputError, match="no outcome"):
        associations(empty.store, outcome="mood")


def test_the_command_says_associated_and_never_because(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        plant(w, "refund", 60, flagged=30, back_flagged=18, back_clean=6)
        w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=40))
        w.finish()
    (tmp_path / "grader.toml").touch()
    done = main("associations", "-w", tmp_path)
    assert done.code == 0
    assert "3.00 (1.38 to 6.50)" in done.out
    assert "60.0 % (18 of 30)" in done.out
    assert "associated with recontact" in done.err
    codes = json.loads(main("associations", "-w", tmp_path, "--json", "--outcome", "same_issue").out)["codes"]
    assert codes[0]["code"] == CODE
    assert codes[0]["table"] == {"cases": 18, "n": 30, "control_cases": 6, "n_control": 30}
    assert main("associations", "-w", tmp_path, "--outcome", "x").code == 2
    assert main("associations", "-w", tmp_path, "--window", "x").code == 2


def plant_by_outcome(w: World) -> None:
    """Refunds: of 40 who came back all are drawn, 24 of them flagged; of 400 who did not, 100, 25 of them flagged."""
    for i in range(40):
        contact = f"+551191{i:06}"
        w.talk(f"back{i}", contact=contact, reason="refund")
        found = {CODE: present("tomorrow") if i < 24 else "absent"}
        w.judged(f"back{i}", "accuracy", found, probability=1.0, stratum="recontacted")
        w.talk(f"back{i}-again", contact=contact, reason="refund", start=T0 + timedelta(days=2))
    for i in range(100):
        w.talk(f"rest{i}", contact=f"+551192{i:06}", reason="refund")
        found = {CODE: present("tomorrow") if i < 25 else "absent"}
        w.judged(f"rest{i}", "accuracy", found, probability=0.25, stratum="rest")


def test_a_sample_drawn_by_the_outcome_is_weighted_before_anything_is_said(empty: World) -> None:
    plant_by_outcome(empty)
    found = told(empty)
    # Of 124 flagged 24 came back, of 316 clean ones 16: 3.82. As counted it would be (24/49) / (16/91) = 2.79.
    assert found.table == Table(24, 49, 16, 91)
    assert found.risk.point == pytest.approx(24 / 124)
    assert found.control_risk.point == pytest.approx(16 / 316)
    assert found.pooled is not None
    assert found.crude is not None
    for ratio in (found.pooled.ratio, found.crude):
        assert ratio.point == pytest.approx((24 / 124) / (16 / 316))
        assert ratio.low < 3.82 < ratio.high
        assert "weighted" in ratio.method
    assert found.difference is not None
    assert found.difference.low < found.difference.point < found.difference.high
    assert found.attributable == pytest.approx((24 / 124 - 16 / 316) * 124)
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.01


def test_the_command_says_that_it_weights(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        plant_by_outcome(w)
        w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=40))
        w.finish(selection={"plan": "sa_1", "design": "risk", "frame": "the queue orders", "by": []})
    (tmp_path / "grader.toml").touch()
    done = main("associations", "-w", tmp_path)
    assert done.code == 0
    assert "19.4 % weighted (24 of 49)" in done.out
    assert "3.82" in done.out
    assert "weighted: the run's conversations were drawn with unequal chances" in done.err
    assert "about the queue orders only" in done.err
    [code] = [c for c in json.loads(main("associations", "-w", tmp_path, "--json").out)["codes"] if c["code"] == CODE]
    assert code["risk"]["method"].startswith("weighted")
    assert code["n_flagged"] == pytest.approx(124)


def test_a_weighted_ratio_is_mantel_haenszels_where_every_weight_is_one() -> None:
    a, b = Table(12, 40, 6, 60), Table(9, 20, 10, 45)
    one, plain = weighted_ratio([Tables(165, 165, {"a": a, "b": b})]), mantel_haenszel([a, b])
    assert one is not None
    assert plain is not None
    assert one.ratio.point == pytest.approx(plain.ratio.point)
    # The linearised error of the logarithm is Greenland and Robins' but for what they condition on.
    assert (one.ratio.low, one.ratio.high) == pytest.approx((plain.ratio.low, plain.ratio.high), rel=0.06)
    assert one.p_none == pytest.approx(plain.p_none, abs=0.01)
    for cases in (Table(0, 40, 6, 60), Table(3, 40, 0, 60), Table(3, 40, 0, 0)):
        assert weighted_ratio([Tables(1000, 110, {"a": cases})]) is None
    assert weighted_ratio([]) is None
    with pytest.raises(ValueError, match="no stratum"):
        Tables(1000, 50, {"a": a})
