"""The front page: six figures that can be counted by hand, weeks and their breaks, what it says of the unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from front_worlds import CHANGED, WEEKS, weekly
from report_data import T0, World, present, says, world

from grader import language, outcomes
from grader.calibration.composite import ANY_CRITICAL
from grader.calibration.status import Trust
from grader.calibration.trust import Trusted
from grader.outcomes.front import Front, front
from grader.report import text
from grader.report.front import FrontPage, front_page
from grader.report.front_charts import _p, matrix
from grader.statistics.figure import Figure, wilson

SETTINGS: Any = SimpleNamespace(
    root=Path("shop"), workspace=SimpleNamespace(reports=Path("reports"), tz=UTC),
    report=SimpleNamespace(max_conversations=300),
)  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("shop")) as made:
        weekly(made)
        yield made


@pytest.fixture(scope="module")
def counted(shop: World) -> Front:
    return front(shop.store, "run_2", zone=UTC)


@pytest.fixture(scope="module")
def figures(shop: World) -> outcomes.Figures:
    return outcomes.figures(shop.store, "run_2")


@pytest.fixture(scope="module")
def page(counted: Front, figures: outcomes.Figures) -> FrontPage:
    return front_page(counted, figures)


def told(w: World, run: str | None = None, **how: Any) -> FrontPage:
    return front_page(front(w.store, run, zone=UTC), outcomes.figures(w.store, run), **how)


def card(page: FrontPage, key: str) -> Any:
    return next(c for c in page.cards if c.key == key)


def together(critical: Trust) -> Trusted:
    """What is known of codes taken together, and of nothing else."""
    return Trusted((), {ANY_CRITICAL: critical})


def percents(n: int, of: int) -> str:
    low, high = wilson(n, of)
    return f"{100 * low:.1f} % to {100 * high:.1f} %"


def test_the_six_figures_are_those_that_the_weeks_of_the_run_give(page: FrontPage) -> None:
    # 4 weeks of 46 episodes: 38 by the AI alone, of which 6 came back. 24 hand-offs judged, 4 without context.
    assert [c.key for c in page.cards] == [
        "ai_resolution", "false_containment", "recontact", "csat", "handoff_resolved", "critical_defect",
    ]  # fmt: skip
    wanted = {
        "ai_resolution": ("69.6 %", 4 * 32, 4 * 46), "false_containment": ("15.8 %", 4 * 6, 4 * 38),
        "recontact": ("13.0 %", 4 * 6, 4 * 46), "handoff_resolved": ("83.3 %", 20, 24),
        "critical_defect": ("3.3 %", 4, 120),
    }  # fmt: skip
    for key, (value, n, of) in wanted.items():
        [shown] = card(page, key).values
        assert (shown.value, shown.interval, shown.count) == (value, percents(n, of), f"{n} of {of}"), key
    alone, human = card(page, "csat").values
    # Every fourth rated: of a week's 10 two with a human (k 0 and 20: 2 and 4), eight with the AI alone.
    assert (alone.value, alone.count) == ("3.88", "32 rated of 152")
    assert (human.value, human.interval, human.count) == ("3.00", "too few for an interval", "8 rated of 32")
    assert card(page, "csat").notes == ("Too few ratings on one side to tell them apart.",)
    assert "All of them began in the weeks 2026-W38 to 2026-W41" in page.lead[1]
    assert "all 184 conversations" in page.lead[2]


def test_a_figure_without_a_judge_says_so_and_one_of_verdicts_that_it_is_not_calibrated(page: FrontPage) -> None:
    assert {c.key: c.believed.mark for c in page.cards} == {
        "ai_resolution": "■", "false_containment": "■", "recontact": "■", "csat": "■", "handoff_resolved": "○",
        "critical_defect": "○",
    }  # fmt: skip
    assert "Not corrected: the judge's own errors are in it." in card(page, "critical_defect").notes


def test_the_rate_of_critical_defects_is_the_corrected_one_where_labels_do_for_it(
    counted: Front, figures: outcomes.Figures
) -> None:
    figure = Figure(0.051, 0.02, 0.094, 4, 120, "corrected")
    calibrated = Trust("calibrated", "calibrated 2026-11-30 with 240 blind labels", corrected=figure)
    page = front_page(counted, figures, together(calibrated))
    found = card(page, "critical_defect")
    assert (found.values[0].value, found.values[0].interval) == ("5.1 %", "2.0 % to 9.4 %")
    assert (found.believed.mark, found.values[0].count) == ("●", "120")
    assert "The judge itself flagged 3.3 %: 4 of 120. Weeks show its own rate." in found.notes
    doubtful = Trust("not_calibrated", "not calibrated: 12 labels", corrected=figure)
    found = card(front_page(counted, figures, together(doubtful)), "critical_defect")
    assert found.values[0].value == "3.3 %"
    assert (found.believed.mark, found.believed.short) == ("○", "not calibrated")


def test_the_line_of_weeks_breaks_where_the_judge_changed_and_only_for_verdicts(counted: Front) -> None:
    for name, line in counted.trends.items():
        assert len(line) == WEEKS  # nothing is known of the two weeks before, which are left out
        broken = [n for n, week in enumerate(line) if week.broken]
        assert broken == ([CHANGED] if name in ("handoff_resolved", "critical_defect") else []), name
    assert [w.reading.n if w.reading else None for w in counted.trends["critical_defect"]] == [1] * WEEKS


def test_the_picture_of_weeks_and_its_table_say_the_same(page: FrontPage) -> None:
    for chart in page.trends:
        for n, series in enumerate(chart.series):
            in_table = [f"{row.week}: {row.cells[n][0]} ({row.cells[n][1]})" for row in chart.rows if row.cells[n][1]]
            assert [p.told for p in series.points] == in_table
            assert all(chart.top <= p.high <= p.y <= p.low <= chart.bottom for p in series.points)
    critical = next(c for c in page.trends if c.key == "critical_defect")
    assert [row.week for row in critical.rows if row.broken] == ["2026-W38"]
    assert len(critical.breaks) == 1
    assert [len(line) for line in critical.series[0].lines] == [CHANGED, WEEKS - CHANGED]


def test_what_to_fix_names_the_step_the_cost_and_conversations_of_the_run(counted: Front, page: FrontPage) -> None:
    assert [fix.step for fix in page.fixes] == ["Build or repair the integration", "Mend prompt, text or knowledge"]
    facts = dict(page.fixes[1].facts)
    assert facts["conversations"] == "16"  # four a week, four weeks
    assert facts["came back, same issue, at least"] == "16 of 16"
    assert dict(page.fixes[0].facts)["hours of humans"] == "not known"
    chosen = {name for fix in page.fixes for place in fix.places for name in place.examples}
    assert chosen
    assert all(int(name[1:].split("-")[0]) >= CHANGED for name in chosen)
    assert chosen == set(counted.examples)  # so that every one of them is on the page
    assert set(counted.examples) <= {f"w{week}-{k}" for week in range(CHANGED, WEEKS) for k in range(30)}


def test_findings_that_go_with_a_return_are_drawn_on_a_scale_of_ratios(page: FrontPage) -> None:
    # Flagged: k 1, 2, 3 (came back) and 11; not flagged and by the AI alone: 20 more, of whom 4, 6 and 7 came back.
    found = page.ratios
    assert found is not None
    [row] = found.drawn
    assert (row.code, row.ratio, row.beyond) == ("invented_deadline", "×5.00", True)
    assert (row.with_it, row.without) == ("75.0 % of 16", "15.0 % of 80")
    assert row.mark is not None
    assert row.mark.low < row.mark.x < row.mark.high
    assert found.one < row.mark.low
    silent = [r for r in found.rows if r.mark is None]
    assert all(r.verdict.startswith("too few: ") for r in silent)
    assert len(silent) == len(found.rows) - 1


def test_the_picture_by_queue_shows_a_share_and_its_lower_end_as_areas(page: FrontPage) -> None:
    found = page.matrix
    assert found is not None
    assert found.queues == ("delivery", "orders", "refunds")  # 40 each
    row = next(r for r in found.drawn if r.code == "invented_deadline")
    assert (row.code, [s.n for s in row.spots]) == ("invented_deadline", [8, 4, 4])
    assert row.spots[0].told == "20.0 % (10.5–34.8 %), 8 of 40"
    big, small = row.spots[:2]
    assert (big.ring / small.ring) ** 2 == pytest.approx(2, rel=0.03)
    assert all(s.disc < s.ring for s in row.spots)
    # the most severe first, whatever is more frequent
    assert [(r.code, r.severity) for r in found.drawn] == [
        ("contradicts_policy", "critical"), ("invented_deadline", "high"), ("handoff_without_context", "high"),
    ]  # fmt: skip
    assert len({r.code for r in found.rows}) > len(found.drawn)


def test_a_queue_of_which_nothing_could_be_assessed_is_not_a_zero(empty: World) -> None:
    for n in range(6):
        empty.talk(f"a-{n}", queue="orders")
        empty.judged(f"a-{n}", answers={"invented_deadline": present("It arrives tomorrow.")})
        empty.talk(f"b-{n}", queue="returns")
        empty.judged(f"b-{n}", answers={"invented_deadline": "cannot_assess"})
    empty.finish()
    figures = outcomes.figures(empty.store)
    found = matrix(figures.defects, [h.queue for h in figures.headlines[1:]], lambda q: q or "-")
    assert found is not None
    row = next(r for r in found.drawn if r.code == "invented_deadline")
    assert [(s.queue, s.text, s.known) for s in row.spots] == [("orders", "6", True), ("returns", "–", False)]


def test_of_a_weighted_sample_the_figures_of_verdicts_are_weighted_and_none_is_corrected(empty: World) -> None:
    for n in range(40):
        often = n % 4 == 0  # one in ten of the many, every one of the few
        empty.talk(f"c-{n}", human=True, start=T0 + timedelta(hours=n))
        wrong = {"contradicts_policy": present("It arrives tomorrow.")} if often else {}
        empty.judged_by_all(f"c-{n}", wrong, probability=1.0 if often else 0.1, stratum="few" if often else "many")
    empty.finish()
    figure = Figure(0.2, 0.1, 0.3, 10, 40, "corrected")
    page = told(empty, trusted=together(Trust("calibrated", "calibrated", corrected=figure)))
    [shown] = card(page, "critical_defect").values
    assert (shown.value, shown.count) == ("3.2 %", "10 of 40, weighted")  # 10 of 10 + 300
    assert card(page, "handoff_resolved").values[0].count == "40 of 40, weighted"


# ── where nothing is known ──


def test_a_run_without_times_knows_nothing_of_what_happened_and_says_why(empty: World) -> None:
    for n in range(3):
        empty.talk(f"c-{n}", start=None)
        empty.judged_by_all(f"c-{n}")
    empty.finish()
    page = told(empty)
    for key in ("ai_resolution", "false_containment", "recontact", "csat"):
        assert card(page, key).why == "Not known: no conversation of this run has a time."
        assert all(v.value == "–" for v in card(page, key).values)
    assert card(page, "critical_defect").values[0].count == "0 of 3"
    assert any(note.startswith("0 is not none: ") for note in card(page, "critical_defect").notes)
    assert (page.trends, page.fixes) == ((), ())
    assert page.no_trends.startswith("No conversation of this run has a time")


def test_a_run_of_nothing_has_a_front_page(empty: World) -> None:
    empty.finish(state="refused")
    page = told(empty)
    assert page.lead == ("This run judged 0 conversations.", "No conversation is part of it.")
    assert all(c.why for c in page.cards)
    assert (page.matrix, page.ratios) == (None, None)


def test_windows_that_are_not_over_are_not_yet_known_and_never_a_zero(empty: World) -> None:
    at = T0
    for n in range(4):
        empty.talk(f"c-{n}", contact=f"+55119004{n:05}", start=at + timedelta(hours=n))
        empty.judged_by_all(f"c-{n}")
    empty.finish()
    page = told(empty)
    assert card(page, "recontact").why == "Not yet known: the 7 days of 4 conversations are not over."
    assert card(page, "csat").why == "No ratings in these weeks."
    assert card(page, "handoff_resolved").why.startswith("Not known: no hand-off")
    recontact = next(c for c in page.trends if c.key == "recontact")
    assert recontact.empty
    assert "Returns are known up to" in page.trends_about


def test_contacts_that_nobody_knows_make_returns_unknown(empty: World) -> None:
    for n in range(4):
        empty.talk(f"c-{n}", start=T0 + timedelta(hours=n))
        empty.judged_by_all(f"c-{n}")
    empty.talk("end", start=T0 + timedelta(days=30))
    empty.finish()
    why = card(told(empty), "recontact").why
    assert why == "Not known: who the customers are, or when they wrote, is not in the data."


def test_a_run_that_did_not_ask_the_rubrics_of_hand_offs_says_that(empty: World) -> None:
    from grader.calibration.trust import of_run

    empty.talk("c", human=True)
    empty.judged("c")
    empty.finish(rubrics=[{"name": "accuracy", "version": "1.0.0"}])
    why = card(told(empty, trusted=of_run(empty.store, "run_1")), "handoff_resolved").why
    assert why == "Not known: the run did not ask the rubrics that it rests on (experience, resolution)."


def test_a_few_conversations_far_off_do_not_stretch_the_weeks_of_a_run(empty: World) -> None:
    empty.talk("old", start=T0 - timedelta(days=700))
    for n in range(60):
        empty.talk(f"c-{n}", start=T0 + timedelta(hours=n))
    for name in empty.told:
        empty.judged(name)
    empty.finish()
    found = front(empty.store, zone=UTC)
    assert found.weeks is not None
    assert (found.weeks.period.name, found.weeks.period.n_weeks) == ("2026-W32", 1)
    assert (found.weeks.n, found.weeks.n_inside) == (61, 60)
    assert "60 of 61 began in the weeks 2026-W32" in told(empty).lead[1]


def test_weeks_are_those_of_the_workspace(empty: World) -> None:
    empty.talk("late", start=T0 - timedelta(hours=15))  # Sunday 23:00 UTC
    empty.judged("late")
    empty.finish()
    weeks = [front(empty.store, zone=zone).weeks for zone in (UTC, ZoneInfo("Asia/Tokyo"))]
    assert [w and w.period.name for w in weeks] == ["2026-W31", "2026-W32"]


def test_of_an_earlier_run_nothing_later_is_shown(shop: World) -> None:
    found = front(shop.store, "run_1", zone=UTC)
    assert found.weeks is not None
    assert found.weeks.period.name == "2026-W37"
    assert found.trends["recontact"][-1].week == "2026-09-07"
    assert not any(week.broken for line in found.trends.values() for week in line)


def test_no_difference_of_ratings_is_claimed_that_its_interval_does_not_say(empty: World) -> None:
    def rate(kind: str, human: bool, ratings: list[int]) -> None:
        for n, stars in enumerate(ratings):
            empty.talk(f"{kind}-{n}", human=human)
            empty.rated(f"{kind}-{n}", stars)
            empty.judged(f"{kind}-{n}")

    rate("ai", False, [5, 4] * 10)
    rate("human", True, [4, 5, 4] * 7)
    rate("later", True, [])
    empty.finish()
    assert card(told(empty), "csat").notes[0].startswith("No difference is shown: ")
    rate("worse", True, [1, 2] * 30)
    empty.finish("run_3")
    assert card(told(empty, "run_3"), "csat").notes[0].startswith("The AI alone is rated higher, by ")


def test_the_front_page_speaks_portuguese(counted: Front, figures: outcomes.Figures) -> None:
    with language.use("pt"):
        page = front_page(counted, figures)
    assert [c.title for c in page.cards][:2] == ["Resolução pela IA", "Contenção falsa"]
    found = card(page, "ai_resolution")
    assert (found.values[0].value, found.values[0].interval) == ("69,6 %", "62,6 % a 75,8 %")
    assert found.values[0].count == "128 de 184"
    assert page.fixes[0].step == "Criar ou consertar a integração"
    assert page.ratios is not None
    assert page.ratios.drawn[0].verdict == "mais vezes, além do acaso"


def test_what_waits_beside_false_containment_is_what_the_ai_alone_closed(empty: World) -> None:
    for n in range(20):
        empty.talk(f"c-{n}", contact=f"+55119911{n:05}", human=n < 6, start=T0 + timedelta(days=12 * (n % 2)))
        empty.judged(f"c-{n}")
    empty.talk("end", contact="+5511988887777", start=T0 + timedelta(days=14))
    empty.finish()
    page = told(empty)
    assert card(page, "recontact").notes[0] == "10 more are still within their 7 days."
    assert card(page, "false_containment").notes[0] == "7 more are still within their 7 days."
    assert card(page, "false_containment").values[0].count == "0 of 7"


def test_a_few_conversations_far_off_do_not_stand_for_weeks_that_another_run_judged(empty: World) -> None:
    """A re-judged old case is in the run; the week that it is of is told by the run that judged it."""
    for week in range(8):
        for n in range(50 if week == 7 else 20):
            empty.talk(f"w{week}-{n}", start=T0 + timedelta(days=7 * week, hours=n))
            if week < 7:
                empty.judged(f"w{week}-{n}", answers={"contradicts_policy": present("Soon.")} if n else {})
    empty.finish("run_1", at=T0 + timedelta(days=80))
    later = World(empty.store)
    later._hashes, later._repeats = empty._hashes, empty._repeats
    for name in ("w1-0", *(f"w7-{n}" for n in range(50))):
        later.judged(name)
    later.finish("run_2", at=T0 + timedelta(days=90))
    found = front(empty.store, "run_2", zone=UTC)
    assert found.weeks is not None
    assert (found.weeks.period.n_weeks, found.weeks.n_inside, found.weeks.n) == (1, 50, 51)
    counts = [(w.reading.n, w.reading.of) for w in found.trends["critical_defect"] if w.reading]
    assert counts == [(19, 20)] * 7 + [(0, 50)]


def test_programs_are_told_the_same_as_the_page(shop: World, counted: Front, page: FrontPage) -> None:
    found = json.loads("".join(text(shop.store, SETTINGS, run_id="run_2", form="json")))["front"]
    assert found["weeks"]["first"] == counted.weeks.period.first.isoformat() if counted.weeks else ""
    read = {name: figure["reading"] for name, figure in found["figures"].items()}
    assert (read["false_containment"]["n"], read["false_containment"]["of"]) == (24, 152)
    assert card(page, "false_containment").values[0].count == "24 of 152"
    ends = counted.readings["critical_defect"]
    assert ends is not None
    assert read["critical_defect"]["lowest"] == {
        "value": ends.lowest.value, "low": ends.lowest.low, "high": ends.lowest.high,
    }  # fmt: skip
    assert found["figures"]["critical_defect"]["by_people"] is None
    assert [w["week"] for w in found["trends"]["critical_defect"] if w["broken"]] == ["2026-09-14"]
    assert found["fixes"][0]["fix"] == counted.fixes[0].fix
    told_of = [a for a in found["associations"] if a["ratio"]]
    assert [a["code"] for a in told_of] == [a.code for a in counted.associations if a.enough]


def test_a_mean_without_an_interval_has_none_for_programs(empty: World) -> None:
    empty.talk("c", contact="+5511999887766")
    empty.rated("c", 4)
    empty.judged("c")
    empty.finish()
    found = json.loads("".join(text(empty.store, SETTINGS, form="json")))["front"]["figures"]
    assert found["csat_ai"]["reading"]["lowest"] == {"value": 4.0, "low": None, "high": None}
    assert found["csat_human"]["reading"] is None


def test_a_ring_that_is_cut_says_or_more_and_a_queue_without_a_name_is_found_by_its_key(empty: World) -> None:
    for n in range(14):
        empty.talk(f"c{n}", queue="orders" if n < 12 else None)
        bad = n < 3 or n >= 12
        empty.judged(f"c{n}", answers={"contradicts_policy": present("It arrives tomorrow.")} if bad else {})
    empty.finish()
    with language.use("pt"):
        found = told(empty).matrix
    assert found is not None
    assert (found.queues, found.top, found.beyond) == (("orders", "sem fila"), "25,0 %", True)
    orders, nameless = found.rows[0].spots
    assert (orders.ring, nameless.ring, nameless.share, nameless.key) == (11.0, 11.0, "100 %", "no queue")


def test_ratings_that_are_all_the_same_are_not_called_few(empty: World) -> None:
    for n in range(30):
        empty.talk(f"c{n}", human=n % 2 == 0, contact=f"+55119911{n:05}")
        empty.rated(f"c{n}", 5 if n % 2 else 1 + n % 5)
        empty.judged(f"c{n}")
    empty.finish()
    found = card(told(empty), "csat")
    assert found.values[0].interval == "all the same: no interval"
    assert found.notes == ("The ratings of one side are all the same: nothing can be told of the difference.",)
    line = found.values[0].spark
    assert line is not None
    assert [(d.low, d.high) for d in line.dots] == [(d.y, d.y) for d in line.dots]  # no bar that nobody counted


def test_a_tiny_p_is_not_written_as_none(page: FrontPage) -> None:
    assert page.ratios is not None
    assert [row.p for row in page.ratios.drawn if row.beyond][:1] != ["0.000"]
    assert _p(0.0002) == "<0.001"
    assert _p(0.0412) == "0.041"


def test_a_figure_that_the_judges_reasons_move_is_not_called_counted_without_one(empty: World) -> None:
    for n in range(6):
        contact = f"+55119999905{n:02}"
        empty.talk(f"a-{n}", says("customer", f"first {n}", T0), says("ai", "It arrives.", T0), contact=contact)
        empty.judged(f"a-{n}", "resolution", {"contact_reason": "exchange"})
        if n < 3:
            later = T0 + timedelta(days=2)
            empty.talk(f"b-{n}", says("customer", f"again {n}", later), contact=contact, start=later)
    for n, reason in enumerate(("exchange", "order_status")):  # of the third return nobody judged what it was about
        empty.judged(f"b-{n}", "resolution", {"contact_reason": reason})
    empty.talk("end", start=T0 + timedelta(days=40))
    empty.finish()
    found = told(empty)
    came = card(found, "recontact")
    assert (came.values[0].count, came.believed.kind, came.believed.mark) == ("1 to 2 of 9", "part", "◐")
    assert came.believed.short == "counted; of 2 of 3 returns the judge tells the issue"
    assert "the reasons are the judge's (not calibrated)" in came.believed.text


def test_where_no_judge_tells_what_a_return_was_about_the_figure_says_so(empty: World) -> None:
    empty.talk("a", says("customer", "first", T0), says("ai", "It arrives.", T0), contact="+5511999990500")
    empty.judged("a", "resolution", {"contact_reason": "exchange"})
    later = T0 + timedelta(days=2)
    empty.talk("b", says("customer", "again", later), contact="+5511999990500", start=later)
    empty.talk("end", start=T0 + timedelta(days=40))
    empty.finish()
    came = card(told(empty), "recontact")
    assert (came.believed.kind, came.believed.short) == ("counted", "counted, no judge in it")


def test_where_no_cause_is_known_what_was_flagged_stands_in_its_place_the_most_severe_first(empty: World) -> None:
    for n in range(5):
        empty.talk(f"c-{n}", queue="orders" if n else "returns")
        wrong = {"invented_deadline": present("It arrives tomorrow.")}
        if n == 4:
            wrong["contradicts_policy"] = present("It arrives tomorrow.")
        empty.judged(f"c-{n}", answers=wrong)
    empty.finish()
    found = told(empty)
    assert [(f.code, f.severity, f.n) for f in found.findings] == [
        ("contradicts_policy", "critical", 1), ("invented_deadline", "high", 5),
    ]  # fmt: skip
    assert [(s.key, s.n) for s in found.findings[1].spots] == [("orders", 4), ("returns", 1)]
    assert found.findings[1].told == "5 of 5, 100 %"


def test_parts_of_a_hand_off_are_told_where_the_whole_is_not_known(empty: World) -> None:
    for n in range(4):
        empty.talk(f"h-{n}", human=True)
        empty.judged(f"h-{n}", "experience", {
            "handoff_without_context": present("It arrives tomorrow.") if n == 0 else "absent",
            "customer_repeated_to_human": "absent",
        })  # fmt: skip
    empty.finish()
    quality = card(told(empty), "handoff_resolved")
    assert quality.why
    assert quality.notes[0] == "Hand-off: context passed on: 75.0 %, 3 of 4."
    assert quality.notes[1] == "Hand-off: customer did not have to repeat: 100 %, 4 of 4."


def test_critical_codes_that_could_nowhere_be_assessed_are_named(empty: World) -> None:
    for n in range(3):
        empty.talk(f"c-{n}")
        empty.judged(f"c-{n}", answers={"contradicts_policy": "cannot_assess", "contradicts_tool_result": "absent"})
    empty.finish()
    notes = card(told(empty), "critical_defect").notes
    assert notes[-1] == "Not in it, since it could not be assessed anywhere: Contradicts the policy in force."
