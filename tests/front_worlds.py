"""A shop over ten weeks whose front page can be counted by hand; two judges, so that the line of weeks breaks."""

from __future__ import annotations

from datetime import timedelta

from report_data import CHOICES, T0, World, present, says

WEEKS, A_WEEK, JUDGED = 10, 40, 30  # of A_WEEK conversations the first JUDGED are judged; BACK more are returns
BACK = (1, 2, 3, 4, 6, 7)
CHANGED = 6  # the first week of the second judge, and of the run that is shown
QUEUES = ("orders", "refunds", "delivery")
# Of each week: 46 episodes, 8 with a human (every fifth), 38 by the AI alone, of which 6 came back, same issue.


def weekly(w: World, *, closed: bool = True) -> str:
    """Filled; the run that is shown, run_2 by judge-2, has the weeks from CHANGED on. `closed`: all windows over."""
    for week in range(WEEKS):
        for k in range(A_WEEK):
            at = T0 + timedelta(days=7 * week, hours=2 * k)
            contact, name, queue = f"+55119{week:02}4{k:05}", f"w{week}-{k}", QUEUES[k % 3]
            human = k % 5 == 0
            said = [says("customer", f"{name}: my refund?", at), says("ai", "It arrives tomorrow.", at)]
            if human:
                said.append(says("human", "Dana here.", at))
            w.talk(name, *said, contact=contact, start=at, queue=queue, reason="refund" if k % 2 else "invoice")
            if k % 4 == 0:
                w.rated(name, 2 + k % 3 if human else 3 + k % 3)
            if k in BACK:
                again = at + timedelta(hours=20)
                back = (says("customer", f"{name}: still nothing", again), says("ai", "Soon.", again))
                w.talk(f"{name}-again", *back, contact=contact, start=again, queue=queue,
                       reason="refund" if k % 2 else "invoice")  # fmt: skip
    if closed:
        w.talk("end", contact="+5511988887777", start=T0 + timedelta(days=7 * WEEKS + 20))
    _judge(w, range(CHANGED), "judge-1")
    w.finish("run_1", at=T0 + timedelta(days=80), model="judge-1")
    later = World(w.store)
    later._hashes = w._hashes
    _judge(later, range(CHANGED, WEEKS), "judge-2")
    return later.finish("run_2", at=T0 + timedelta(days=90), model="judge-2")


def _judge(w: World, weeks: range, model: str) -> None:
    for week in weeks:
        for k in range(JUDGED):
            answers = dict[str, object](CHOICES)
            if k in (1, 2, 3, 11):
                answers["invented_deadline"] = present("It arrives tomorrow.")
            if k == 9:
                answers["contradicts_policy"] = present("It arrives tomorrow.")
            if k % 5 == 0:
                answers["escalation_reason"] = "missing_integration"
            if k == 0:
                answers["handoff_without_context"] = present("Dana here.", 3)
            if k in (1, 2, 3, 4):
                answers |= {"resolved": "not", "non_resolution_cause": "wrong_answer"}
            w.judged_by_all(f"w{week}-{k}", answers, model=model)  # type: ignore[arg-type]
