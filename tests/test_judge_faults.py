"""Faults at the wire, all kinds at once: every case ends judged, and as it would have been without them."""

from __future__ import annotations

import asyncio

from endpoint import Endpoint, Fault
from judging import RUBRICS, a_talk, case, judging, truth

from grader.judge import Opinion
from grader.model import Support

CONVERSATIONS = 25
MIX = [
    Fault("429", rate=0.10, retry_after="mixed"), Fault("500", rate=0.05), Fault("truncated", rate=0.02),
    Fault("wrong_schema", rate=0.01), Fault("reset", rate=0.01), Fault("cut", rate=0.01), Fault("html", rate=0.01),
    Fault("hang", at=40),
]  # fmt: skip


async def opinions(endpoint: Endpoint, concurrency: int) -> dict[tuple[str, str], Opinion]:
    found: dict[tuple[str, str], Opinion] = {}

    async with judging(endpoint, concurrency=concurrency, timeout_seconds=1.5) as judge:

        async def one(name: str, rubric: str) -> None:
            conversation = a_talk(name, f"the kettle {name}")
            found[name, rubric] = await judge.judge(case(conversation, (RUBRICS[rubric],)))

        await asyncio.gather(*(one(f"c-{n}", rubric) for n in range(CONVERSATIONS) for rubric in RUBRICS))
    return found


async def test_all_end_judged_and_no_verdict_is_made_out_of_a_fault() -> None:
    with Endpoint() as plain:
        expected = await opinions(plain, 16)
        truths = {}
        for body in plain.bodies:
            truths[body["messages"][2]["content"], body["messages"][3]["content"]] = truth(body)
    with Endpoint(faults=[Fault(**vars(fault)) for fault in MIX], seed=1) as endpoint:
        found = await opinions(endpoint, 16)
        struck = dict(endpoint.book.faults)
    assert {"429", "500"} <= set(struck)
    assert sum(struck.values()) > 10
    assert [key for key, opinion in found.items() if opinion.failure] == []
    for key, opinion in found.items():
        assert opinion.verdicts == expected[key].verdicts
    verdicts = [v for opinion in found.values() for some in opinion.verdicts.values() for v in some]
    assert sum(v.flagged for v in verdicts) > 50
    assert not any(v.support is Support.UNSUPPORTED for v in verdicts)
    answers = [answer for answers in truths.values() for answer in answers.values()]
    assert sum(v.answer == "present" for v in verdicts) == answers.count("present")
    assert endpoint.book.max_in_flight <= 16
