"""The brief: what it says, what it will not say, and that every number of it can be traced."""

from __future__ import annotations

import csv
import html as unescape
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Main
from report_data import T0, World, present, sample, says, world
from report_packed import Packed

from grader.outcomes.brief import Brief, brief
from grader.outcomes.episodes import opened
from grader.outcomes.period import Period
from grader.outcomes.quality import judged
from grader.report.brief import markdown_text, page
from grader.report.brief_page import Page

HOSTILE = "a|b`$(id)``<script>alert(1)</script> [x](http://e.example) *'\n\n# head"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def gathered(w: World, period: Period, **how: Any) -> Brief:
    from datetime import UTC

    with opened(w.store) as episodes, judged(w.store, episodes) as verdicts:
        assert episodes.data_end is not None
        return brief(
            episodes, verdicts, period, data_end=episodes.data_end, n_synthetic=episodes.n_synthetic, zone=UTC, **how
        )


def worded(found: Brief) -> Page:
    from datetime import UTC

    return page(found, zone=UTC, owners={}, failing=(), hour_cost=None, currency="USD")


def busy(w: World, weeks: dict[int, float], n: int = 60, **fields: Any) -> None:
    """Per week (after T0's) `n` contacts about a refund, of whom such a share comes back within two days about it."""
    for week, share in weeks.items():
        for k in range(n):
            contact, at = f"+55119{week:02}4{k:05}", T0 + timedelta(days=7 * week, hours=k % 90)
            name = f"w{week}-{k}"
            said = (says("customer", f"{name}: my refund?", at), says("ai", f"Soon, {name}.", at))
            w.talk(name, *said, contact=contact, start=at, reason="refund", **fields)
            if k < share * n:
                again = at + timedelta(days=1)
                back = (says("customer", f"{name}: still no refund", again), says("human", f"Dana, {name}.", again))
                w.talk(f"{name}-again", *back, contact=contact, start=again, reason="refund", **fields)
    w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=7 * max(weeks) + 20))


def test_more_returns_than_noise_are_a_warning_and_a_change(empty: World) -> None:
    busy(empty, {0: 0.1, 1: 0.1, 2: 0.1, 3: 0.1, 4: 0.6}, queue="refunds")
    empty.save()
    found = gathered(empty, Period(date(2026, 8, 31)))
    told = worded(found)
    assert found.known == found.period
    recontact = next(t for t in found.headlines if t.figure == "recontact")
    assert recontact.worse
    sign = next(s for s in told.signs if "come back" in s.title)
    assert sign.state == "on"
    assert "rose from 9.1 % (24 of 264) to 37.5 % (36 of 96)" in sign.text
    assert any("False containment" in sentence for _, sentence, _ in told.changed)
    assert next(s for s in told.signs if "Ratings" in s.title).state == "unknown"  # nobody rated
    calm = worded(gathered(empty, Period(date(2026, 8, 24))))
    assert all(s.state != "on" for s in calm.signs)
    assert calm.changed == ()


def test_figures_that_wait_for_returns_are_of_the_last_weeks_whose_windows_are_over(empty: World) -> None:
    busy(empty, {0: 0.1, 1: 0.1, 2: 0.1})
    empty._incoming.pop()  # the data end in the third week
    empty.save()
    found = gathered(empty, Period(date(2026, 8, 17)))
    assert found.known == Period(date(2026, 8, 3))
    weeks = {t.figure: t.period.name for t in found.headlines}
    assert (weeks["recontact"], weeks["containment"]) == ("2026-W32", "2026-W34")
    told = worded(found)
    assert any("week 2026-W32 (3 to 9 August 2026), the last whose windows are over" in line for line in told.lead)
    assert next(x for x in told.lines if x.title.startswith("Came back")).about == "within 7 days, to 2026-W32"
    assert told.capacity.startswith("Capacity freed (week 2026-W32)")
    late = [p.reading for p in found.trends["recontact"][-2:]]
    assert late == [None, None]


def test_nothing_is_compared_across_a_change_of_the_judge(empty: World) -> None:
    w = empty
    busy(w, {0: 0, 1: 0}, n=30)
    for k in range(30):
        w.judged(f"w0-{k}", "accuracy")
    w.finish("run_1")
    later = World(w.store)
    later._hashes = w._hashes
    for k in range(30):
        flaw = {"invented_deadline": present("Soon, w1", 2)}
        later.judged(f"w1-{k}", "accuracy", flaw, model="judge-2")
    later.finish("run_2", at=T0 + timedelta(days=95))
    found = gathered(w, Period(date(2026, 8, 10)))
    told = {t.figure: t for t in found.headlines}
    assert told["critical_defect"].broken
    assert told["critical_defect"].change is None
    assert [p.broken for p in found.trends["critical_defect"]][-2:] == [False, True]
    line = next(x for x in worded(found).lines if x.title == "With a proved critical defect")
    assert (line.verdict, line.before) == ("the judge changed: not compared", "–")
    assert line.trend is not None
    assert len(line.trend.breaks) == 1
    assert line.trend.paths == ()  # one dot on either side, and no line across
    assert [d.told[:10] for d in line.trend.dots] == ["2026-W32: ", "2026-W33: "]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The shipped sample, judged as its authors labelled it."""
    with world(tmp_path) as w:
        sample(w, 128)
        w.finish()
    (tmp_path / "grader.toml").write_text(
        "[figures]\nhuman_hour_cost = 14\ncurrency = 'EUR'\n[queues.returns]\nowner = 'Ana'\n"
        "fail_if = ['escalation_rate > 0.2', 'csat_ai < 1']\n",
        encoding="utf-8",
    )
    return tmp_path


FLAGS = ("--week", "2026-W41", "--weeks", "6", "--against", "6")


def test_every_number_is_what_the_command_beside_it_counts(main: Main, shop: Path) -> None:
    text = main("brief", "-w", shop, *FLAGS, "--out", "-").out
    commands = {int(n): list(re.findall(r"`` (grader .*?) ``", rest))
                for n, rest in re.findall(r"(?m)^(\d+)\. (.*)$", text)}  # fmt: skip
    ended = {}
    for number, both in commands.items():
        for side, command in enumerate(both):
            done = main(*shlex.split(command)[1:], "-w", shop)
            assert done.code == 0, command
            ended[number, side] = done.out.rstrip().splitlines()[-1]
    rows = re.findall(
        r"(?m)^\| ([^|(]+?)(?: \([^|]*)? \| \*\*(.+?)\*\* \| [^|]* \| ([^|]+?) \| .*\| \[(\d+)\] \|$", text
    )
    assert len(rows) == 9 + 7 + 7
    for title, now, count, number in rows:
        of = f"{count.split()[0]} rated" if "rated" in count else count
        assert ended[int(number), 0].startswith(title), title
        assert re.search(re.escape(f": {now} ({of})") + r"(; (not )?calibrated.*)?$", ended[int(number), 0]), title
    before = re.findall(
        r"(?m)^\| .*? \| \*\*.*\*\* \|[^|]*\|[^|]*\| ([\d.]+ %) \(([^|]+)\) \| .*\| \[(\d+)\] \|$", text
    )
    assert len(before) > 10
    for value, count, number in before:
        assert re.search(re.escape(f": {value} ({count})") + r"(; (not )?calibrated.*)?$", ended[int(number), 1])
    causes = re.findall(
        r"(?m)^\d+\. \*\*.*volume (\d+), came back (\d+ of \d+), human hours ([\d.]+).* \[(\d+)\]$", text
    )
    places = re.findall(r"(?m)^   - .*: (\d+), (\d+ of \d+) came back, ([\d.]+) h \[(\d+)\]; look at", text)
    assert len(causes) == 6
    assert len(places) > 12
    for volume, back, hours, number in (*causes, *places):
        assert f": volume {volume}, {hours} hours" in ended[int(number), 0]
        assert ended[int(number), 0].endswith(f"came back {back}; not calibrated")
    ((freed, number),) = re.findall(r"Capacity freed: (\d+ min) \(.*\[(\d+)\]", text)
    assert ended[int(number), 0].startswith(f"capacity freed: {freed} (")
    ((said, number),) = re.findall(r"Of 27 AI-resolved that the judge read, it found (.*) \[(\d+)\]", text)
    assert sum(map(int, re.findall(r"\d+", said))) == 27
    assert ended[int(number), 0].startswith("AI-resolved and judged: 27")
    ((n, number),) = re.findall(r"(\d+) conversations that a customer began \[(\d+)\]", text)
    assert ended[int(number), 0] == f"episodes: {n} conversations"
    assert sorted(commands) == list(range(1, len(commands) + 1))
    named = {int(n) for n in re.findall(r"\[(\d+)\]", text)}
    assert named == set(commands)  # no number without a command, no command without a number


def test_the_page_says_what_it_is_made_of_and_who_answers(main: Main, shop: Path) -> None:
    done = main("brief", "-w", shop, *FLAGS, "--json")
    assert done.code == 0
    markdown, html = (Path(p).read_text(encoding="utf-8") for p in json.loads(done.out)["paths"])
    for text in (markdown, html):
        assert "Synthetic data: 128" in text
        assert "Not calibrated" in text
        assert "Ana" in text
        assert "EUR" in text
    assert "Queue returns (Ana): escalation\\_rate \\> 0.2 (it is 33.3 %, 7 of 21)" in markdown
    assert "csat\\_ai \\< 1" not in markdown  # it does not hold
    assert "<script" not in html
    assert "default-src &#39;none&#39;" in html
    again = main("brief", "-w", shop, *FLAGS, "--json")
    assert Path(json.loads(again.out)["paths"][1]).read_text(encoding="utf-8") == html


def test_conversations_are_links_where_a_report_that_has_them_lies_beside_the_page(main: Main, shop: Path) -> None:
    without = Path(json.loads(main("brief", "-w", shop, *FLAGS, "--json").out)["paths"][1]).read_text(encoding="utf-8")
    assert "#c=" not in without
    assert main("report", "-w", shop).code == 0
    html = Path(json.loads(main("brief", "-w", shop, *FLAGS, "--json").out)["paths"][1]).read_text(encoding="utf-8")
    linked = re.findall(r'<a href="(run_1\.html)#c=([^"]+)">([^<]+)</a>', html)
    assert len(linked) > 10
    report = Packed((shop / "reports" / "run_1.html").read_text(encoding="utf-8"))
    for name, address, shown in linked:
        assert (name, address) == ("run_1.html", shown)
        assert shown in report.index["id"]
    assert "#c=" not in main("brief", "-w", shop, *FLAGS, "--out", "-").out


def test_where_it_is_written_and_what_is_refused(main: Main, shop: Path) -> None:
    one = main("brief", "-w", shop, *FLAGS, "--out", shop / "x.html")
    assert (one.out.split(), (shop / "x.html").exists()) == ([str(shop / "x.html")], True)
    (shop / "there").mkdir()
    both = main("brief", "-w", shop, *FLAGS, "--out", shop / "there").out.split()
    assert [Path(p).name for p in both] == ["brief-2026-W41-6w.md", "brief-2026-W41-6w.html"]
    assert main("brief", "-w", shop).code == 0  # the last whole week
    for wrong, words in (
        (["--week", "2020-W01"], "no conversation that a customer began in week 2020-W01"),
        (["--format", "pdf"], "md or html"), (["--week", "soon"], "no week"),
        (["--out", "-", "--json"], "stdout alone"), (["--window", "2d"], "one of 24h"),
        (["--week", "2026-W41", "--out", shop / "x.html" / "y.md"], "cannot be written"),
    ):  # fmt: skip
        refused = main("brief", "-w", shop, *wrong)
        assert refused.code == 2, wrong
        assert words in refused.err
    (shop / "grader.toml").write_text("[queues.returns]\nfail_if = ['nonsense']\n", encoding="utf-8")
    assert "queues.returns.fail_if" in main("brief", "-w", shop, *FLAGS).err


def test_a_name_that_somebody_else_chose_is_never_markup_or_a_command(main: Main, tmp_path: Path) -> None:
    with world(tmp_path) as w:
        busy(w, {0: 0.1, 1: 0.5}, n=40, queue=HOSTILE)
        w.save()
    (tmp_path / "grader.toml").touch()
    done = main("brief", "-w", tmp_path, "--week", "2026-W33", "--against", "1", "--json")
    markdown, html = (Path(p).read_text(encoding="utf-8") for p in json.loads(done.out)["paths"])
    assert "<script" not in html
    assert "alert(1)&lt;/script&gt;" in html
    assert markdown_text(HOSTILE) in markdown
    outside = re.sub(r"(`{2,}) .*? \1", "", markdown)
    assert not re.search(r"(?<!\\)\]\(http", outside)
    assert not re.search(r"(?<!\\)<script", outside)
    command = next(c for c in re.findall(r"<code>(.*?)</code>", html) if "--queue" in c)
    arguments = subprocess.run(
        ["bash", "-c", f"grader() {{ printf '%s\\0' \"$@\"; }}; {unescape.unescape(command)}"],
        capture_output=True, text=True, check=True, env={"LC_ALL": "C.UTF-8"},
    ).stdout.split("\0")[:-1]  # fmt: skip
    assert arguments[-1] == HOSTILE
    assert main(*arguments, "-w", tmp_path).code == 0


def test_trace_lists_what_counts_and_refuses_what_there_is_not(main: Main, shop: Path) -> None:
    done = main("trace", "false_containment", "-w", shop, "--queue", "payments", "--json")
    told = json.loads(done.out)
    counts = [row["counts"] for row in told["rows"]]
    assert told["told"].endswith(f"({counts.count('yes')} of {len(counts)})")
    only = json.loads(
        main("trace", "false_containment", "-w", shop, "--queue", "payments", "--only", "yes", "--json").out
    )
    assert {row["counts"] for row in only["rows"]} == {"yes"}
    back = list(only["rows"])
    assert back
    assert all(row["came_back_in"] for row in back)
    listed = main("trace", "returns", "-w", shop, "--csv").out.splitlines()
    returns = list(csv.DictReader(listed))
    assert len(returns) == 128
    assert {r["status"] for r in returns} == {"recontacted", "no_recontact", "open_window"}
    assert {r["matched_by"] for r in returns} == {"", "reason"}
    assert (
        main("trace", "returns", "-w", shop).out.rstrip().endswith(", no_recontact 92, open_window 7, recontacted 29")
    )
    assert main("trace", "handle_minutes", "-w", shop).code == 0
    for wrong, words in (
        (["false_containmnt"], "did you mean false_containment?"), (["escalation_cause"], "grader ledger"),
        (["recontact", "--cause", "x"], "grader ledger"), (["recontact", "--only", "some"], "yes, no or unknown"),
        (["recontact", "--week", "x"], "no week"), (["recontact", "--weeks", "3"], "--weeks needs --week"),
    ):  # fmt: skip
        refused = main("trace", *wrong, "-w", shop)
        assert refused.code == 2
        assert words in refused.err
