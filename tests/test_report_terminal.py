"""The figures in a terminal: each row names what it counts, and no rate stands without what it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from report_data import T0, World, priced, says, world

from grader import outcomes
from grader.calibration.trust import Trusted
from grader.cli import figures as shown


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def rows(w: World, capsys: pytest.CaptureFixture[str]) -> list[str]:
    shown.headline(outcomes.figures(w.store), Trusted(()))
    return [re.sub(r"\s{2,}", " | ", line.strip()) for line in capsys.readouterr().out.splitlines()]


def back(w: World, people: int, returns: int, judged: int) -> None:
    """So many people, of whom some came back, and of some of those it is known that it was about another issue."""
    for n in range(people):
        contact = f"+551199999{n:04d}"
        w.talk(f"a{n}", says("customer", f"{n}", T0), contact=contact)
        w.judged(f"a{n}", "resolution", {"contact_reason": "exchange"}, call=priced())
        if n < returns:
            w.talk(f"b{n}", says("customer", f"again {n}", T0), contact=contact, start=T0 + timedelta(days=2))
        if n < judged:
            reason = "refund" if n else "exchange"
            w.judged(f"b{n}", "resolution", {"contact_reason": reason}, in_run=False)
    w.rated("a0", 4)
    w.talk("end", start=T0 + timedelta(days=40))
    w.finish()


def test_both_rows_of_recontact_say_about_what_and_the_same_issue_comes_first(
    empty: World, capsys: pytest.CaptureFixture[str]
) -> None:
    back(empty, 10, 4, 3)
    found = [row for row in rows(empty, capsys) if row.startswith("came back")]
    closed = "windows closed; 0 not yet known; identity known for 10 of 10"
    unknown = "issue not known: 1 of the 4 that came back"
    assert found == [
        f"came back within 7 days, same issue | 10.0 % to 20.0 % | 1 to 2 of 10 | {closed}; {unknown}",
        f"came back within 7 days, about anything | 40.0 % | 4 of 10 | {closed}",
    ]


def test_where_most_issues_are_not_known_both_ends_are_shown(empty: World, capsys: pytest.CaptureFixture[str]) -> None:
    back(empty, 10, 4, 0)
    [same, _] = [row for row in rows(empty, capsys) if row.startswith("came back")]
    assert " | 0 % to 40.0 % | 0 to 4 of 10 | " in same


def test_every_row_has_its_counts_and_the_cost_says_whose_it_is(
    empty: World, capsys: pytest.CaptureFixture[str]
) -> None:
    back(empty, 10, 4, 3)
    found = rows(empty, capsys)
    table = [row.split(" | ") for row in found if " | " in row][1:]
    assert len(table) == 9
    for row in table:
        assert re.fullmatch(r"\d+(?: to \d+)? of \d+", row[2]), row
    assert "CSAT (mean of 1 to 5) | 4.00 | 1 of 10 | conversations with an answer" in found
    assert "this run made 10 calls, 10 requests, 11,000 tokens, 0.02 USD" in found
