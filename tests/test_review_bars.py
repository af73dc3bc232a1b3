"""Bars of issue 5: two people label through their browsers while server and browsers die, and no answer is lost; nine
keys an item. The same as `benchmarks/review.py`, smaller.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
import uuid
from pathlib import Path

import pytest
from conftest import REPOSITORY
from review_parts import review
from review_screen import plan, shop

sys.path.insert(0, str(REPOSITORY / "benchmarks"))


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.sample
def test_two_people_label_while_server_and_browsers_die_and_every_answer_is_stored_once(
    chromium: str, tmp_path: Path
) -> None:
    from review import met, session

    figures = session(tmp_path, chromium, 16, overlap=6)
    print(json.dumps(figures))
    assert met(figures), figures


def test_an_act_is_answered_at_once_on_a_connection_that_stays(tmp_path: Path) -> None:
    root = shop(tmp_path, 2)
    plan(root, 2, "ana")
    with review(root) as app:
        ana = app["ana"]
        one = ana.session()["items"][0]
        connection = http.client.HTTPConnection(ana.host, ana.port, timeout=20)
        took = []
        for n in range(21):
            act = {"id": str(uuid.uuid4()), "item": one["id"], "kind": "answer", "question": one["asked"][n % 7]}
            began = time.perf_counter()
            connection.request(
                "POST", f"{ana.path}api/act", json.dumps({**act, "at": "2026-11-30T10:00:00Z", "answer": "absent"}),
                {"Content-Type": "application/json", "X-Grader": "review"},
            )  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            assert answer.status == 200
        connection.close()
        app.kill()
    assert statistics.median(took) < 0.03  # 1 ms; a delayed acknowledgement is 40
