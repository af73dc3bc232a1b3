"""Nothing prints a figure of verdicts without its calibration status: every command and page is walked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Ended, Main
from report_data import RUBRICS, T0, World, handoff, present, says
from trust_parts import CODE, NOON, calibrated, golden, labelled, shop

from grader.calibration.carried import counted
from grader.calibration.kept import kept
from grader.cli import COMMANDS
from grader.outcomes.quality import QUALITY
from grader.statistics.figure import percent
from grader.store import open_store

SAYS_SO = re.compile(r"(?<!not )\bcalibrated\b")
# Commands that print no figure made of verdicts: each with why.
SILENT = {
    "init", "config", "doctor", "schema", "ingest", "contacts", "db", "rubric", "prompt", "sample",  # judge nothing
    "failures",  # tells of what was not judged
    "metrics",  # is told without a judge
    "label", "calibrate", "golden", "compare", "promote", "disagreements",  # say what labels and judges are worth
    "review",  # asks people; it tells no figure of verdicts
}  # fmt: skip
WEEK = ("--week", "2026-W32", "--weeks", "1", "--against", "1")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A judged week: every figure of `grader quality` has something to count, some of them are zero."""
    with open_store(tmp_path / "grader.duckdb") as store:
        w = World(store)
        for n in range(24):
            at = T0 + timedelta(hours=n)
            said = [says("customer", f"{n}: my refund?", at), says("ai", "It arrives.", at)]
            human = n % 3 == 0
            if human:
                said.append(says("human", "Dana here.", at))
            name = w.talk(
                f"t{n:02}", *said, contact=f"+5511999{n:06}", start=at, queue="returns", reason="refund",
                events=(handoff(2, at),) if human else (),
            )  # fmt: skip
            flaw = {CODE: present("It arrives.")} if n % 4 == 0 else {}
            unsolved = {"resolved": "not", "non_resolution_cause": "integration"} if n % 2 else {}
            cause = {"escalation_reason": "missing_integration"} if human else {}
            w.judged_by_all(name, {**flaw, **unsolved, **cause})
        w.talk("end", contact="+5511888888888", start=T0 + timedelta(days=60))
        w.finish()
    (tmp_path / "grader.toml").touch()
    return tmp_path


def brief(main: Main, place: Path, form: str) -> Ended:
    done = main("brief", "-w", place, *WEEK, "--format", form, "--out", "-")
    return Ended(done.code, re.sub(r"<style\b.*?</style>", "", done.out, flags=re.DOTALL), done.err)


def page(main: Main, place: Path) -> Ended:
    done = main("report", "-w", place, "-o", "-")
    return Ended(done.code, re.sub(r"<(style|script)\b.*?</\1>", "", done.out, flags=re.DOTALL), done.err)


# What prints figures of verdicts, and how often at least it has to say that they are not calibrated.
PRINTED: dict[str, tuple[Callable[[Main, Path], Ended], int]] = {
    "report": (page, 40),
    "report --format json": (lambda m, p: m("report", "-w", p, "--format", "json", "-o", "-"), 20),
    "brief --format md": (lambda m, p: brief(m, p, "md"), 12),
    "brief --format html": (lambda m, p: brief(m, p, "html"), 12),
    "quality": (lambda m, p: m("quality", "-w", p), len(QUALITY) + 4),
    "quality --by week": (lambda m, p: m("quality", "-w", p, "--by", "week"), 4),
    "quality --json": (lambda m, p: m("quality", "-w", p, "--json"), len(QUALITY) + 4),
    "ledger": (lambda m, p: m("ledger", "-w", p), 2),
    "ledger --csv": (lambda m, p: m("ledger", "-w", p, "--csv"), 2),
    "ledger --json": (lambda m, p: m("ledger", "-w", p, "--json"), 4),
    "associations": (lambda m, p: m("associations", "-w", p), 4),
    "associations --json": (lambda m, p: m("associations", "-w", p, "--json"), 5),
    "show": (lambda m, p: m("show", "t00", "-w", p), 1),
    **{
        f"trace {figure}": (lambda m, p, figure=figure: m("trace", figure, "-w", p), 1)  # type: ignore[misc]
        for figure in (*QUALITY, "ai_resolution_judged")
    },
    "trace escalation_cause": (
        lambda m, p: m("trace", "escalation_cause", "--cause", "missing_integration", "-w", p), 1,
    ),
    **{
        f"check {figure}": (
            lambda m, p, figure=figure: m("check", "-w", p, "--fail-if", f"{figure}_rate.n > 1000"), 1,  # type: ignore[misc]
        )
        for figure in QUALITY
    },
}  # fmt: skip


@pytest.mark.parametrize("command", list(PRINTED))
def test_every_command_that_prints_a_figure_of_verdicts_says_that_it_is_not_calibrated(
    main: Main, place: Path, command: str
) -> None:
    run, least = PRINTED[command]
    done = run(main, place)
    assert done.code == 0, done.err
    assert done.out.count("ot calibrated") >= least
    assert not SAYS_SO.search(re.sub(r"n_not_calibrated|Not calibrated|\"(n_)?calibrated(_at)?\"", "", done.out))


def test_every_command_is_walked_or_says_why_not() -> None:
    walked = {name.split()[0] for name in PRINTED} | {"grade", "demo"}  # these two have their own tests
    assert walked | SILENT == set(COMMANDS)
    assert not walked & SILENT


def test_zero_is_never_printed_without_what_it_excludes(main: Main, place: Path) -> None:
    nothing = "nobody read conversations judged clean: nothing is excluded"
    assert f"Escalated too late, where nothing was flagged: {nothing}" in main("quality", "-w", place).out
    assert nothing in main("quality", "-w", place, "--by", "queue").out
    assert nothing in main("trace", "escalated_too_late", "-w", place).out.splitlines()[-1]
    assert nothing in main("check", "-w", place, "--fail-if", "escalated_too_late_rate > 0.5", "--json").out
    # what counts is what was not flagged: nothing was
    assert nothing in main("trace", "context_passed", "-w", place).out.splitlines()[-1]
    told = brief(main, place, "md").out
    zeros = [line for line in told.splitlines() if re.search(r"(?<![\d.])0 %", line) and "calibrated" in line]
    assert len(zeros) > 2
    for line in zeros:
        assert "excluded" in line, line


def test_a_calibrated_figure_says_when_and_what_people_would_find(main: Main, tmp_path: Path) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        (one,) = kept(store, overall=True)
        w = World(store)
        for n in range(40):  # the week after
            at = T0 + timedelta(days=7, minutes=n)
            w.talk(f"next-{n}", says("customer", f"{n}?", at), says("ai", "It arrives.", at), start=at)
            w.judged(f"next-{n}", "accuracy", {CODE: present("It arrives.")} if n % 2 else {})
        w.talk("end", start=T0 + timedelta(days=60))
        w.finish("run_2", rubrics=[{"name": "accuracy", "version": RUBRICS["accuracy"].version}])
    date = f"{one.calibrated_at:%Y-%m-%d}"
    # A report: the corrected rate itself, and the one that is carried over
    assert counted(one, one.figures["raw"].n, one.figures["raw"].of) == one.figures["corrected"]
    assert counted(one, 20, 40) != one.figures["corrected"]
    later = json.loads(main("report", "-w", tmp_path, "--run", "run_2", "--format", "json", "-o", "-").out)
    (mine,) = (d["calibration"] for d in later["defects"] if d["code"] == CODE and d["slice"] == "all")
    assert mine["corrected"]["point"] == counted(one, 20, 40).point
    out = main("quality", "-w", tmp_path, "--week", "2026-W33").out
    assert f"accuracy: 1 of 6 codes calibrated, {date} with 90 blind labels" in out
    assert "not calibrated: 5 of 6 codes are not" in out  # any defect
    report = main("report", "-w", tmp_path, "--run", "run_1", "-o", "-").out
    assert f"{percent(one.figures['corrected'].point)}</b>" in report


def test_the_brief_tells_what_reviewers_would_find_and_warns_of_a_golden_set_that_failed(
    main: Main, tmp_path: Path
) -> None:
    shop(tmp_path)
    labelled(main, tmp_path)
    calibrated(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        golden(store, "failed", at=NOON)
    told = brief(main, tmp_path, "md").out
    assert "- accuracy: not calibrated: golden set deadlines failed 2030-01-01, after the calibration" in told
    assert "> accuracy: golden set deadlines failed 2030-01-01 under this judge. It failed." in told
    assert "Not calibrated: nothing corrects what the judge found" in told


def test_grade_and_demo_say_in_the_end_whether_their_judge_is_calibrated(main: Main, tmp_path: Path) -> None:
    done = main("demo", tmp_path / "demo", "--judge", "signals", "--sample", "12", "--quiet")
    assert done.code == 0, done.err
    for rubric in RUBRICS:
        assert f"{rubric}: not calibrated: no label plan was answered for this judge" in done.out
    again = main("grade", "-w", tmp_path / "demo", "--judge", "signals", "--sample", "12")
    assert again.code == 0, again.err
    assert "accuracy: not calibrated: no label plan was answered for this judge" in again.err
    assert not SAYS_SO.search(done.out + again.err)


def test_the_brief_tells_the_corrected_rate_of_one_calibrated_code_and_of_no_composite(
    main: Main, tmp_path: Path
) -> None:
    with open_store(tmp_path / "grader.duckdb") as store:
        w = World(store)
        for n in range(60):
            at = T0 + timedelta(hours=n)
            said = [says("customer", f"{n}: my refund?", at), says("ai", f"It arrives on day {n}.", at)]
            w.judged_by_all(
                w.talk(f"t{n:02}", *said, contact=f"+5511999{n:06}", start=at),
                {"resolved": "resolved" if n % 2 else "not"},
            )
        w.talk("end", contact="+5511888888888", start=T0 + timedelta(days=60))
        w.finish()
    (tmp_path / "grader.toml").touch()
    day = re.compile(r"on day (\d+)")

    def truth(text: str) -> str:
        n = int(day.findall(text)[-1])
        return "resolved" if n % 2 and n != 7 else "not"

    labelled(main, tmp_path, truth, n=60, codes=("resolution.resolved",))
    calibrated(main, tmp_path)
    with open_store(tmp_path / "grader.duckdb") as store:
        one = next(k for k in kept(store, overall=True) if k.option == "resolved")
    told = brief(main, tmp_path, "md").out
    row = next(line for line in told.splitlines() if line.startswith("| Judged resolved"))
    f = one.figures["corrected"]
    assert f"by people {percent(f.point)} ({percent(f.low)} to {percent(f.high)})" in row
    assert f"calibrated {one.calibrated_at:%Y-%m-%d}" in row
    composite = next(line for line in told.splitlines() if line.startswith("| With a proved critical"))
    assert "not calibrated: " in composite
    assert "by people" not in composite


def test_what_was_not_asked_is_not_called_undecided(main: Main, tmp_path: Path) -> None:
    with open_store(tmp_path / "grader.duckdb") as store:
        w = World(store)
        for n in range(12):
            w.talk(f"t{n:02}", says("customer", "hi", T0), says("ai", "hello", T0 + timedelta(minutes=1)))
            w.judged(f"t{n:02}", "accuracy", {"invented_deadline": "absent"})
        w.finish("run_1", rubrics=[{"name": "accuracy", "version": RUBRICS["accuracy"].version}])
    (tmp_path / "grader.toml").touch()
    told = brief(main, tmp_path, "md").out
    assert "The run that counts asked only accuracy: defects are of these alone" in told
    assert "its rubric was not asked" in told
    assert "not decided by this judge" not in told
    assert "irritated after the AI alone" in told
