"""The page of a calibration: what it says of figures counted by hand, and of every figure that is not there."""

from __future__ import annotations

import html as markup
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from calibration_worlds import AGREED, APART, COUNTED, Cell, code, found, held
from conftest import Main
from label_parts import drawn, exported, fill, imported, judge_shop

from grader.calibration.calibrate import Calibrated
from grader.cli import progress
from grader.report.calibration import Page, Todo, also_good, html, page
from grader.report.forest import (
    WHOLE,
    Row,
    Told,
    coefficient,
    coefficient_scale,
    mark,
    parted,
    rate_scale,
    told,
)
from grader.statistics.figure import Figure, undefined

LATE = "accuracy.late"


def made(one: Calibrated, **how: object) -> Page:
    return page(one, **{"later": {}, "zone": UTC, **how})  # type: ignore[arg-type]


def words(shown: Page) -> str:
    """What a reader sees, without markup and styles, in one line."""
    text = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", html(shown))
    return re.sub(r"\s+", " ", markup.unescape(text))


def values(row: Row) -> dict[str, str]:
    return {lane.name: lane.told.text for lane in (*row.lanes, *row.aside)}


@pytest.fixture(scope="module")
def counted() -> Page:
    return made(found(held({LATE: COUNTED}, agreement={LATE: AGREED})))


def test_rates_are_as_counted_by_hand(counted: Page) -> None:
    (group,) = counted.rates.groups
    (row,) = group.rows
    # (40 * 15/20 + 360 * 4/200) / 400 = (30 + 7.2) / 400 = 9.3 %; raw 40 of 400
    assert [lane.told.value for lane in row.lanes] == ["9.3 %", "10.0 %"]
    assert [lane.told.count for lane in row.lanes] == ["19 of 220 applicable labels have it", "40 of 400 judged"]
    assert [lane.mark and lane.mark.hollow for lane in row.lanes] == [True, False]  # 20 labelled flags: not calibrated
    assert "Labels were drawn by verdict" in dict(counted.rates.untold)["people only"]


def test_errors_and_reliability_are_as_counted_by_hand(counted: Page) -> None:
    (errors,), (relied,) = (plot.groups[0].rows for plot in (counted.errors, counted.reliability))
    # Se = 30 / 37.2, Sp = 352.8 / (352.8 + 10)
    assert [lane.told.value for lane in errors.lanes] == ["80.6 %", "97.2 %"]
    assert [(lane.told.value, lane.told.count) for lane in relied.lanes] == [
        ("75.0 %", "15 of 20 labelled flags"), ("2.0 %", "4 of 200 labelled clean"),
    ]  # fmt: skip
    assert [(b.lane, b.x) for b in relied.bounds] == [(0, 100.0), (1, 0.0)]
    low, high = (lane.told.interval.split(" to ") for lane in relied.lanes)
    assert float(low[0]) < 75 < float(low[1])
    assert float(high[0]) <= 2 < float(high[1])


def test_disagreements_are_counted_and_their_shares_weighted(counted: Page) -> None:
    ((apart,),) = (group.rows for group in counted.apart)
    assert (apart.n_missed, apart.n_false, apart.n_labels) == (4, 5, 220)
    assert (apart.missed.value, apart.false.value) == ("19.4 %", "25.0 %")  # 7.2 / 37.2, 5 / 20
    assert apart.right > apart.left > 0
    assert apart.command == "grader disagreements --code accuracy.late"


def test_the_audit_says_what_can_be_excluded() -> None:
    cells: Sequence[Cell] = (("present", "present", 20), ("absent", "absent", 120), ("absent", None, 880))
    (audited,) = made(found(held({LATE: cells}, agreement={LATE: AGREED}))).audit
    assert audited.said == "0 of 120 judged clean → at most 2.5 %"  # 1 - .05^(1/120)
    assert (audited.n_clean, audited.high) == ("1,000", "3.0 %")


def test_an_audit_of_nothing_excludes_nothing() -> None:
    cells: Sequence[Cell] = (("present", "present", 20), ("absent", None, 880))
    (audited,) = made(found(held({LATE: cells}, agreement={LATE: AGREED}))).audit
    assert audited.said == "nobody reviewed any: how many were missed is not known"
    assert (audited.at_most, audited.high) == ("–", "–")


def test_a_plan_of_an_audit_tells_no_rate() -> None:
    cells: Sequence[Cell] = (("absent", "absent", 120), ("absent", None, 880))
    shown = made(found(held({LATE: cells}, agreement={LATE: AGREED}, audit=True)))
    assert shown.belief.startswith("This is a recall audit: only conversations that the judge called clean")
    text = words(shown)
    assert "0 of 120 judged clean → at most 2.5 %" in text
    assert "corrected" not in text.partition("How to read this page")[0]
    assert shown.slices == ()


def test_a_frame_of_unequal_chances_is_called_one() -> None:
    (said,) = made(found(held({LATE: COUNTED}, agreement={LATE: AGREED}, even=False))).loud
    assert said.startswith(
        "Run run_1 was drawn with unequal chances: rates are of the 400 conversations that it judged"
    )


EDGES = {
    "no positives": (
        (("present", "absent", 20), ("absent", "absent", 200)), {}, "No human-positive labels: nobody found the code",
    ),
    "all not applicable": (
        (("present", "not_applicable", 20), ("absent", "not_applicable", 200)), {}, "0 applicable: every labelled",
    ),
    "one reviewer": (COUNTED, {"reviewers": ("ana",)}, "Single-reviewer gold: all labels are by ana alone."),
    "one category": (
        (("absent", "absent", 200),), {"agreement": {LATE: (("absent", "absent"),) * 60}},
        "Every answer is the same, so agreement beyond chance cannot be measured.",
    ),
    "one category of the judge": (
        (("absent", "absent", 200),), {}, "Every answer of the judge or of the reviewers is the same",
    ),
    "few labels": (
        (("present", "present", 3), ("absent", "absent", 5), ("absent", None, 90)), {},
        "8 labels in all: with fewer than 10 nothing can be decided.",
    ),
    "the judge never fires": (
        (("absent", "present", 16), ("absent", "absent", 200)), {},
        "The judge flagged nothing, so there is no flag to be right or wrong: label conversations judged clean.",
    ),
    "no verdicts": (
        (("cannot_assess", "present", 20), ("cannot_assess", "absent", 200)), {},
        "This judge never answers it with yes or no; people's labels alone tell of it.",
    ),
    "no overlap": (COUNTED, {}, "No item was answered by two reviewers"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_every_edge_case_shows_its_sentence_and_no_figure_is_without_a_reason(name: str) -> None:
    cells, how, sentence = EDGES[name]
    shown = made(found(held({LATE: cells}, **how)))  # type: ignore[arg-type]
    text = words(shown)
    assert sentence in text
    assert not re.search(r"\b(nan|inf)\b|\bNone\b(?! of)", text)
    plots = [p for p in (shown.rates, shown.reliability, shown.errors, shown.reviewers) if p]
    for _, figure, one in (cell for plot in plots for cell in plot.cells):
        assert one.known or one.reason, figure
        assert one.known or one.value == "–", figure
    assert all(row.lanes[0].mark or not row.lanes[0].told.known for p in plots for g in p.groups for row in g.rows)


def test_people_alone_stand_beside_the_judge_where_all_had_the_same_chance() -> None:
    shown = made(found(held({LATE: COUNTED}, simple_random=True)))
    (row,) = shown.rates.groups[0].rows
    assert [(lane.name, lane.told.value) for lane in row.lanes][-1] == ("people only", "8.6 %")  # 19 of 220
    assert shown.rates.legend[-1] == ("square", False, "people only")
    assert shown.rates.untold == ()


def test_a_rate_of_no_label_is_no_rate_and_not_0_or_100_percent() -> None:
    shown = made(found(held({LATE: EDGES["all not applicable"][0]})))
    (row,) = shown.rates.groups[0].rows
    assert row.lanes[0].told.value == "–"
    assert row.lanes[0].mark is None


def test_the_first_sentence_says_what_can_be_believed() -> None:
    nothing = made(found(held({LATE: COUNTED}, agreement={LATE: AGREED})))
    assert nothing.belief.startswith("The one code is not calibrated: no rate on this page is to be quoted")
    assert not nothing.believed
    assert nothing.lines == ()
    enough: Sequence[Cell] = (
        ("present", "present", 30), ("present", "absent", 5), ("absent", "present", 4), ("absent", "absent", 196),
    )  # fmt: skip
    good = made(found(held({LATE: enough}, agreement={LATE: AGREED})))
    assert good.belief.startswith("The one code is calibrated: for these 235 conversations, and for this judge alone")
    assert good.lines[0].startswith("accuracy.late 14.5 % [")
    scant: Sequence[Cell] = (
        ("present", "present", 10),
        ("present", None, 25),
        ("absent", "absent", 30),
        ("absent", None, 170),
    )
    both = {LATE: enough, "accuracy.rude": scant}
    mixed = made(found(held(both, agreement=dict.fromkeys(both, AGREED))))
    assert mixed.belief.startswith("1 of 2 codes are calibrated")
    assert mixed.belief.endswith("the other rates are not to be quoted.")
    assert [t.rate and t.rate.value for t in mixed.good] == ["14.5 %"]


def test_what_people_do_not_agree_about_comes_first_and_critical_codes_before_others() -> None:
    names = ["a.low", "a.critical", "a.apart"]
    codes = [code("a.low", "low"), code("a.critical", "critical"), code("a.apart", "medium")]
    agreed = {"a.low": AGREED, "a.critical": AGREED, "a.apart": APART}
    shown = made(found(held(dict.fromkeys(names, COUNTED), codes=codes, agreement=agreed)))
    assert [t.code for t in shown.work] == ["a.apart", "a.critical", "a.low"]
    assert shown.work[0].word == "unreliable rubric"
    assert shown.unagreed == ("a.apart",)
    assert [(word, n) for _, word, _, n in shown.counts] == [
        ("unreliable rubric", 1), ("insufficient", 0), ("not calibrated", 2), ("calibrated", 0),
    ]  # fmt: skip


def test_answers_of_a_choice_stand_under_their_question_and_fold_when_many() -> None:
    options = [f"option {n}" for n in range(8)]
    cells: Sequence[Cell] = [(option, option, 30) for option in options]
    codes = [code("a.why", "", option, "Why?") for option in options]
    shown = made(found(held({"a.why": cells, LATE: COUNTED}, codes=[*codes, code(LATE)])))
    question = next(g for g in shown.rates.groups if g.title == "a.why")
    assert (question.about, len(question.rows), question.folded) == ("Why?", 8, True)
    assert not next(g for g in shown.rates.groups if g.title == "accuracy 1.0.0").folded
    (todo,) = (t for t in (*shown.work, *shown.good) if t.code == "a.why")
    assert [t.title for t in todo.inside] == options
    assert [a.command for group in shown.apart if group.folded for a in group.rows].count("") == 7


def test_slices_with_too_few_labels_say_so() -> None:
    cells: Sequence[Cell] = (("present", "present", 30), ("absent", "absent", 190), ("absent", None, 5))
    queues = ["orders"] * 24 + ["tiny"]
    shown = made(found(held({LATE: cells}, agreement={LATE: AGREED}, queues=queues), by=["queue"]))
    ((_, _, (card,), _),) = shown.slices[0].parts
    assert [(s.name, s.word) for s in card.rows][-1] == ("tiny", "insufficient")
    assert '<div class="slice insufficient">' in html(shown)
    assert "insufficient, 8" in words(shown)


def test_a_later_run_says_what_it_assumes() -> None:
    later = {"run_2": [(LATE, Figure(0.11, 0.06, 0.2, 19, 220, "carried over")), ("a.gone", undefined("No.", "m"))]}
    text = words(made(found(held({LATE: COUNTED})), later=later))
    assert "Assumed: sensitivity and specificity are as they were in the labelled frame." in text
    assert "accuracy.late 9.3 % 11.0 % 6.0 to 20.0" in text


def test_a_floor_is_marked_where_it_is_known() -> None:
    one = found(held({LATE: COUNTED}))
    assert made(one).errors.groups[0].rows[0].bounds == ()
    shown = made(one, floors={LATE: 0.7})
    (bound,) = shown.errors.groups[0].rows[0].bounds
    assert (bound.kind, bound.lane, bound.x) == ("floor", 0, 70.0)


def test_labels_are_told_by_split_and_what_is_held_back() -> None:
    facts = dict(made(found(held({LATE: COUNTED}, splits=("train", "dev"), n_held_back=70), n_openings=2)).facts)
    assert facts["Labelled"].endswith("147 conversations, blind: 73 train, 74 dev; 70 of test held back")
    assert facts["Test split"] == "not read for this page; opened for 2 judges"
    worn = made(found(held({LATE: COUNTED}), n_openings=4))
    assert any("opened for 4 judges; after 3 it is worn out" in text for text in worn.loud)


def test_an_interval_that_goes_on_ends_in_an_arrow_and_does_not_press_the_others() -> None:
    known = [Figure(0.04, 0.02, 0.08, 4, 100, "m"), Figure(0.06, 0.03, 0.1, 6, 100, "m")]
    unsure = Figure(0.05, 0.0, 0.9, 1, 3, "m")
    scale = rate_scale([*known, unsure])
    assert scale.high == 0.15
    drawn = mark(unsure, scale, "diamond")
    assert drawn
    assert (drawn.high, drawn.beyond_high, drawn.beyond_low) == (100.0, True, False)
    assert mark(undefined("Not there.", "m"), scale, "diamond") is None
    assert [t.label for t in WHOLE.ticks] == ["0", "20", "40", "60", "80", "100 %"]


def test_coefficients_below_zero_have_a_place_of_their_own() -> None:
    figure = Figure(-0.03, -0.14, 0.17, 3, 120, "alpha")
    scale = coefficient_scale([figure])
    assert (scale.low, [t.label for t in scale.ticks][:2]) == (-0.2, ["−0.2", "0.0"])
    drawn = mark(figure, scale, "diamond")
    assert drawn
    assert 0 < drawn.low < drawn.x < scale.at(0)
    assert coefficient_scale([]).low == 0
    assert (coefficient(0.999), coefficient(1.0), coefficient(-0.001)) == (">0.99", "1.00", ">−0.01")


def test_rounding_makes_nothing_0_or_100_percent() -> None:
    nearly = told(Figure(0.9999, 0.9991, 1.0, 9_999, 10_000, "m"))
    assert (nearly.value, nearly.interval) == (">99.9 %", "99.9 to 100")
    assert told(Figure(0.0002, 0.0, 0.001, 2, 10_000, "m")).value == "<0.1 %"


def test_a_long_text_is_parted_at_a_sentence_and_loses_nothing() -> None:
    text = "Label 2 more of them. " * 20
    head, rest = parted(text)
    assert head.endswith(".")
    assert f"{head} {rest}" == text
    head, rest = parted("x" * 300)
    assert (head, rest) == ("x" * 180 + " …", "… " + "x" * 120)
    assert parted("short") == ("short", "")


def test_names_of_others_are_text_and_never_markup() -> None:
    evil = "</style><script>alert(1)</script><b onclick=x>{{ 7 * 7 }}\u202e"
    one = held(
        {LATE: COUNTED}, reviewers=(evil, "ben"), queues=(evil, "orders"), model=evil,
        codes=[code(LATE, title=evil)], agreement={LATE: APART},
    )  # fmt: skip
    text = html(made(found(one, by=["queue"]), later={evil: [(LATE, undefined(evil, evil))]}))
    assert "<script" not in text
    assert "onclick=x>" not in text.replace("onclick=x&gt;", "")
    assert text.count("</style>") == 1
    assert "\u202e" not in text
    assert "[U+202E]" in text
    assert "{{ 7 * 7 }}" in text


# The command


@pytest.fixture
def labelled(main: Main, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty conversations, all labelled by ana and ben as the judge has it."""
    monkeypatch.chdir(workspace)
    judge_shop(workspace)
    plan = drawn(main, "-c", "invented_deadline", "-c", "status_without_lookup", "-n", "60", "--reviewers", "ana,ben",
                 "--overlap", "60")["plan_id"]  # fmt: skip
    for name in ("ana", "ben"):
        form = exported(main, plan, name, workspace / f"{name}.jsonl")
        imported(main, fill(form, truth), "--reviewer", name)
    return workspace


def truth(text: str, question: str) -> str:
    day = int(re.findall(r"on day (\d+)", text)[0])
    wanted = {"accuracy.invented_deadline": day % 6 == 0, "accuracy.status_without_lookup": day % 20 == 1}
    return "present" if wanted[question] else "absent"


def test_the_page_is_written_where_it_is_asked_for_and_nowhere_else(main: Main, labelled: Path) -> None:
    plain = main("calibrate", "--split", "all")
    assert plain.code == 0, plain.err
    assert list((labelled / "reports").glob("*")) == []
    there = labelled / "page.html"
    done = main("calibrate", "--split", "all", "-o", there, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["page"] == str(there)
    assert "Invented deadline" in there.read_text(encoding="utf-8")
    folder = main("calibrate", "-o", labelled, "--json", "--dry-run")
    name = json.loads(folder.out)["page"]
    assert re.fullmatch(r"calibration-ca_\w{8}\.html", Path(name).name)
    shown = main("calibrate", "-o", "-")
    assert shown.out.startswith("<!doctype html>")
    assert shown.out.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "-", "--json"), "--out - is for the page on stdout alone"),
        (("-o", "-", "--open"), "--out - is for the page on stdout alone"),
        (("--later", "run_1", "--dry-run"), "--later reads what is kept"),
        (("-o", "gone/page.html/"), "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused_with_a_cure(main: Main, labelled: Path, options: tuple[str, ...], said: str) -> None:
    (labelled / "gone").write_text("no folder", encoding="utf-8")
    done = main("calibrate", *options)
    assert done.code == 2
    assert said in done.err
    assert "→" in done.err


def test_the_terminal_tells_short_names_and_leaves_out_columns_in_which_nothing_is(main: Main, labelled: Path) -> None:
    out = main("calibrate", "--split", "all", "--by", "queue").out
    head = next(line for line in out.splitlines() if "corrected" in line)
    assert head.split() == ["code", "labels", "corrected", "raw", "judge", "of", "standing"]
    assert "flips" not in out  # nothing was judged twice
    assert re.search(r"(?m)^invented_deadline +60 ", out)
    assert re.search(r"(?m)^by queue$", out)
    assert max(len(line) for line in out.split("what to do")[0].splitlines()) <= 100
    todo = out.split("what to do")[1]
    assert todo.index("accuracy.status_without_lookup: ") > 0


def test_long_reckonings_say_how_far_they_are_and_short_ones_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.steps("codes", quiet=False) as tell:
        tell(10, 20)
    assert capfd.readouterr().err == ""
    monkeypatch.setattr(progress, "LINE_EVERY_SECONDS", 0.0)
    with progress.steps("codes", quiet=False) as tell:
        tell(2, 20)
        tell(10, 20)
    assert capfd.readouterr().err.splitlines() == ["2 of 20 codes", "10 of 20 codes, 0 s left"]
    with progress.steps("codes", quiet=True) as tell:
        tell(10, 20)
    assert capfd.readouterr().err == ""


def test_calibrated_answers_of_a_choice_are_named_though_the_choice_is_not_calibrated(counted: Page) -> None:
    rate = Told("45.3 %", "36.5 to 54.2", "", "", "", known=True)
    good = Todo("satisfied", "resolution.mood = satisfied", "", "calibrated", "calibrated", "✓", "", rate)
    poor = Todo("angry", "resolution.mood = angry", "", "insufficient", "insufficient", "…", "")
    choice = Todo("Mood", "resolution.mood", "", "insufficient", "insufficient", "…", "1 of 2", inside=(good, poor))
    assert also_good([choice]) == "Mood satisfied 45.3 %"
    assert "Answers of choices: Mood satisfied 45.3 %;" in html(replace(counted, also_good=also_good([choice])))
