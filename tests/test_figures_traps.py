"""What a sceptic tried: names that mean something else, returns that are another's, runs that look larger than they
are.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import Main
from report_data import RUBRICS, T0, World, present, says, world

from grader.errors import InputError
from grader.model import Outcome
from grader.outcomes.brief import brief
from grader.outcomes.episodes import opened
from grader.outcomes.metrics import metrics
from grader.outcomes.period import Period, monday
from grader.outcomes.quality import comparable, judged
from grader.outcomes.thresholds import condition
from grader.report.reading import rounded


@contextmanager
def made(folder: Path) -> Iterator[World]:
    """A workspace whose database is closed again, for the command line."""
    (folder / "grader.toml").touch()
    with world(folder) as w:
        yield w


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with made(tmp_path) as w:
        yield w


def day(n: float) -> Any:
    return T0 + timedelta(days=n)


def after(w: World) -> World:
    """Another run over conversations that are there, with keys of its own."""
    other = World(w.store)
    other._hashes = w._hashes
    other._repeats = {(c, r): 100 for c in w._hashes for r in RUBRICS}
    return other


def test_a_row_names_the_return_that_counts_and_its_time(main: Main, tmp_path: Path) -> None:
    with made(tmp_path) as w:
        for contact, first, second, apart in (
            ("+5511988880001", "tax", "refund", 3),
            ("+5511988880002", "tax", "tax", 20),
        ):
            name = f"{contact[-1]}"
            w.talk(f"{name}-a", contact=contact, reason="refund" if second == "refund" else "tax")
            w.talk(f"{name}-b", contact=contact, reason=first if second == "refund" else "other", start=day(1))
            w.talk(f"{name}-c", contact=contact, reason=second, start=day(apart))
        w.talk("end", contact="+5511988880009", start=day(90))
        w.save()
    rows = json.loads(main("trace", "recontact", "-w", tmp_path, "--json").out)["rows"]
    told = {r["conversation_id"]: (r["came_back_in"], r["next_at"] and r["next_at"][:10], r["counts"]) for r in rows}
    assert told["1-a"] == ("1-c", "2026-08-06", "yes")  # about the same issue, two days after another return
    assert told["2-a"] == ("2-b", "2026-08-04", "no")  # the same issue came 20 days later: outside the window
    assert told["2-b"] == (None, None, "no")
    wide = json.loads(main("trace", "recontact", "-w", tmp_path, "--window", "30d", "--json").out)["rows"]
    assert next(r for r in wide if r["conversation_id"] == "2-a")["came_back_in"] == "2-c"


def test_of_a_week_the_run_counts_that_judged_more_conversations_not_more_rubrics(empty: World) -> None:
    w = empty
    for n in range(6):
        w.talk(f"c{n}", contact=f"+55119888800{n:02}")
    for n in range(2):
        w.judged_by_all(f"c{n}")
    w.finish("run_few")
    other = after(w)
    for n in range(6):
        other.judged(f"c{n}", "accuracy")
    other.finish("run_many", at=day(89))
    with opened(w.store) as episodes, judged(w.store, episodes) as found:
        assert found.runs == ("run_many",)


def test_the_latest_conversation_s_rating_counts_where_no_time_is_given(empty: World) -> None:
    w = empty
    for n in range(40):
        for part, minutes in (("a", 0), ("b", 20)):
            start = T0 + timedelta(minutes=minutes)
            w.talk(f"{n}{part}", contact=f"+55119888800{n:02}", start=start)
            w._incoming.append((Outcome(conversation_id=f"{n}{part}", csat=1 if part == "a" else 5), None, None))
    w.save()
    (found,) = metrics(w.store)
    assert (found.n_episodes, found.csat_ai.n, found.csat_ai.value) == (40, 40, 5.0)


def test_a_rate_over_several_rubrics_is_not_compared_with_one_over_fewer(empty: World) -> None:
    assert all(c.scale != "defect" for c in RUBRICS["resolution"].criteria)
    three = dict.fromkeys(("accuracy", "behavior", "resolution"), ("a",))
    assert not comparable("defect", three, {"accuracy": ("a",), "resolution": ("a",)})
    assert comparable("resolved", three, {"accuracy": ("a",), "resolution": ("a",)})
    assert not comparable("critical_defect", three, three | {"house_rules": ("a",)})
    assert comparable("defect", three, {"accuracy": ("a",), "behavior": ("a",)})
    assert comparable("defect", three, {"resolution": ("a",)})  # nothing there to be compared with
    w = empty
    for week in (0, 1):
        for n in range(30):
            name = f"w{week}-{n}"
            at = day(7 * week)
            said = (says("customer", f"{name}?", at), says("ai", f"Soon, {name}.", at))
            w.talk(name, *said, contact=f"+55119{week}8880{n:03}", start=at)
            w.judged(name, "accuracy", {"invented_deadline": present("Soon")} if n < 20 else {})
            if week == 0:
                w.judged(name, "behavior")
    w.talk("end", contact="+5511988887777", start=day(60))
    w.finish()
    with opened(w.store) as episodes, judged(w.store, episodes) as verdicts:
        assert episodes.data_end is not None
        found = brief(
            episodes, verdicts, Period(date(2026, 8, 10)), data_end=episodes.data_end, n_synthetic=0, zone=UTC
        )
    told = {t.figure: t for t in found.headlines}
    assert told["critical_defect"].broken


@pytest.mark.parametrize("name", ["(none)", "\\(none)", "--help", "all", "$HOME", " "])
def test_the_command_of_a_queue_finds_it_whatever_it_is_called(main: Main, tmp_path: Path, name: str) -> None:
    with made(tmp_path) as w:
        for n in range(3):
            w.talk(f"a{n}", contact=f"+55119888800{n:02}", queue=name)
        w.talk("b", contact="+5511988880055", queue=None)
        w.save()
    text = main("brief", "-w", tmp_path, "--week", "2026-W32", "--out", "-").out
    counts = {}
    for title, command in re.findall(r"(?m)^\d+\. Conversations, queue ?(.*?): `{2,} (grader trace .*?) `{2,}", text):
        counts[title] = main(*shlex.split(command)[1:], "-w", tmp_path).out.rstrip().splitlines()[-1]
    assert sorted(counts.values()) == ["episodes: 1 conversation", "episodes: 3 conversations"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recontact_rate > 20", "write 20 %, or 0.2"),
        ("resolved.low < 1.5", "a rate is never above 1"),
        ("recontact_rate > 120 %", "a rate is never above 1"),
        ("csat_ai < 80 %", "write 80"),
        ("first_answer_p90_seconds > 50%", "write 50"),
        ("recontact_rate.n > 5 %", "write 5"),
    ],
)
def test_a_threshold_that_can_never_be_what_is_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        condition(text)
    assert words in f"{caught.value.message} {caught.value.cure}"


def test_a_share_of_all_and_counts_above_one_are_thresholds() -> None:
    texts = ("coverage < 1", "coverage < 100 %", "recontact_rate.of < 30", "csat_ai < 3.5")
    assert [condition(text).value for text in texts] == [1.0, 1.0, 30.0, 3.5]


def test_no_week_of_the_calendar_s_ends_breaks_a_command(main: Main, tmp_path: Path) -> None:
    with made(tmp_path) as w:
        w.talk("a", contact="+5511988880001")
        w.talk("for ever", contact="+5511988880002", minutes=(date(9999, 12, 31) - T0.date()).days * 1440.0)
        w.save()
    for week in ("9999-W52", "9999-12-31", "0001-W01"):
        for command in (["brief", "--out", "-"], ["trace", "episodes", "--weeks", "500"], ["quality"]):
            done = main(*command, "--week", week, "-w", tmp_path)
            assert done.code == 2, (week, command)
            assert "is no week" in done.err
    assert monday("2020-W53") == date(2020, 12, 28)
    done = main("brief", "--week", "2026-W32", "--window", "30d", "-w", tmp_path, "--out", "-")
    assert (done.code, done.err) == (0, "")
    assert main("brief", "-w", tmp_path, "--out", "-").code in (0, 2)


def test_a_queue_s_name_cannot_break_the_junit_file_or_steer_a_terminal(main: Main, tmp_path: Path) -> None:
    name = "q\ufffe\uffff\x1b[31m"
    with made(tmp_path) as w:
        for n in range(12):
            w.talk(f"=c{n}", contact=f"+55119888800{n:02}", queue=name)
            w.judged(f"=c{n}", "resolution", {"resolved": "not", "non_resolution_cause": "rule"})
        w.finish()
    file = tmp_path / "j.xml"
    main("check", "-w", tmp_path, "--fail-if", "containment_rate > 0", "--by", "queue", "--junit", file)
    (case,) = ElementTree.parse(file).getroot()
    assert case.get("classname") == "q\\ufffe\\uffff\\x1b[31m"
    for command in (["ledger", "--csv"], ["metrics", "--by", "queue", "--csv"], ["trace", "episodes", "--csv"]):
        assert "\x1b" not in main(*command, "-w", tmp_path).out, command


def test_an_amount_is_rounded_the_same_in_whatever_order_it_was_summed() -> None:
    one, other = 0.15 + 0.3 + 0.6, 1.05
    assert one < other
    assert rounded(one, 1) == rounded(other, 1) == "1.1"
    assert (rounded(1234.6), rounded(0.0499999999999, 1)) == ("1,235", "0.1")


def test_what_was_drawn_and_not_judged_is_not_called_judged(main: Main, tmp_path: Path) -> None:
    with made(tmp_path) as w:
        for n in range(6):
            w.talk(f"c{n}", contact=f"+55119888800{n:02}")
            if n < 2:
                w.judged_by_all(f"c{n}")
            elif n < 4:
                w.pending(f"c{n}", "resolution")
            else:
                w.failed(f"c{n}", "resolution")
        w.talk("end", contact="+5511988880077", start=day(30))
        w.finish()
    assert " 2 judged. " in main("brief", "-w", tmp_path, "--week", "2026-W32", "--out", "-").out
    (one,) = json.loads(main("quality", "-w", tmp_path, "--json").out)["slices"]
    assert (one["n_conversations"], one["volume"]) == (2, 2.0)
    audited = main("trace", "ai_resolution_judged", "-w", tmp_path).out.rstrip().splitlines()[-1]
    assert audited == "AI-resolved and judged: 2: 2 resolved; not calibrated"


def drawn(w: World, selection: dict[str, Any]) -> None:
    """Risky: 20 of 40 drawn, all in queue orders and solved; the rest: 20 of 2,000, none of which is in orders."""
    for n in range(40):
        risky = n < 20
        w.talk(f"c{n}", contact=f"+55119888801{n:02}", queue="orders" if risky else "returns")
        w.judged(f"c{n}", "resolution", probability=0.5 if risky else 0.01, stratum="risky" if risky else "rest")
    w.finish(selection=selection)


@pytest.mark.parametrize(("by", "least"), [([], 0.5), (["queue"], 0.8)])
def test_a_stratum_that_may_hold_some_of_a_slice_widens_its_interval(empty: World, by: list[str], least: float) -> None:
    drawn(empty, {"plan": "sa_1", "design": "risk", "by": by, "select": [], "frame": None})
    with opened(empty.store) as episodes, judged(empty.store, episodes) as found:
        orders = {s.slice: s.figures["resolved"] for s in found.slices("queue")}["orders"]
        (alone,) = (s.figures["resolved"] for s in found.slices(None, {"queue": "orders"}))
    assert orders is not None
    assert (orders.low > least) == bool(by)  # one in twenty of the 2,000 may be in orders, unless that made the strata
    assert orders == alone


def test_the_page_says_what_alone_could_be_drawn(main: Main, tmp_path: Path) -> None:
    with made(tmp_path) as w:
        drawn(w, {"plan": "sa_1", "design": "top", "frame": "the queue <b>*orders*</b>", "select": []})
    text = main("brief", "-w", tmp_path, "--week", "2026-W32", "--out", "-").out
    assert "are about the queue \\<b\\>\\*orders\\*\\</b\\> only: nothing else could be drawn" in text
    html = main("brief", "-w", tmp_path, "--week", "2026-W32", "--out", "-", "--format", "html").out
    assert "are about the queue &lt;b&gt;*orders*&lt;/b&gt; only" in html
    done = main("quality", "-w", tmp_path)
    assert "about the queue <b>*orders*</b> only" in done.err
    assert json.loads(main("quality", "-w", tmp_path, "--json").out)["scopes"] == ["the queue <b>*orders*</b>"]
    with made(tmp_path) as w:
        w.store.rows("""update run set selection = '{"select": [["since", "2026-08-01"], ["queue", "orders"]]}'""")
    assert "about queue:orders only" in main("quality", "-w", tmp_path).err


def test_the_minutes_of_one_episode_are_counted_once_in_the_ledger(main: Main, tmp_path: Path) -> None:
    with made(tmp_path) as w:
        for n, (queue, minutes) in enumerate((("bot", 0), ("desk", 12))):
            start = T0 + timedelta(minutes=minutes)
            w.talk(f"c{n}", contact="+5511988880001", start=start, queue=queue, human=n == 1)
            w.judged(f"c{n}", "resolution", {"resolved": "not", "non_resolution_cause": "integration"})
        w._incoming.append((Outcome(conversation_id="c1", handle_minutes=60), None, None))
        w.talk("end", contact="+5511988880009", start=day(40))
        w.finish()
    causes = json.loads(main("ledger", "-w", tmp_path, "--json").out)["causes"]
    assert {c["queue"]: c["hours"] for c in causes} == {"bot": 0.5, "desk": 0.5}
    command = ["trace", "non_resolution_cause", "--cause", "integration", "-w", tmp_path]
    assert "volume 2, 1.0 hours" in main(*command).out
    assert "volume 1, 0.5 hours" in main(*command, "--queue", "bot").out
