"""How long a calibration takes: 20,000 judged conversations, 30 codes, 500 labelled ones, through a real database.

Conversations and verdicts are filled in by SQL, since only the calibration is measured; the plan is drawn and labelled
as people would. Prints the seconds of `grader calibrate`, over all and with a slice, and whether the bar is met.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from workload import ROOT

sys.path.insert(0, str(ROOT))

from grader.engine.absorb import described
from grader.labelling.frame import make_plan, questions
from grader.labelling.plan import document
from grader.rubric import Rubric
from grader.store import LabelRecord, Store, open_store

N, N_CODES, N_LABELS = 20_000, 30, 500
MAX_SECONDS = 10.0
NOW = datetime(2026, 11, 30, tzinfo=UTC)
RUN = "20261101T000000-000bench"


def rubric(n_codes: int) -> Rubric:
    """One rubric with so many codes of defects."""
    return Rubric.model_validate({
        "name": "bench", "version": "1.0.0", "title": "Bench", "description": "Bench.",
        "criteria": [
            {"code": f"code_{n:02}", "question": "Is it so?", "present": "It is.", "absent": "It is not.",
             "severity": "critical" if n < 3 else "medium"}
            for n in range(n_codes)
        ],
    })  # fmt: skip


# Code number k is flagged in 1 % to 20 %; one in fourteen of the others is not applicable.
FILL = """
insert into conversation by name
select 'c' || i as conversation_id, 'cv_' || i as content_hash, 'cr_' || i as record_hash, 'chat' as channel,
       ['orders', 'returns', 'payments', 'general'][1 + i % 4] as queue, 'en' as language,
       'ct_' || hash(i) % {contacts} as contact_id, timestamp '2026-10-01' + to_minutes(i) as started_at,
       2 as n_messages, 60 as n_chars, false as has_tools, false as has_human, false as has_handoff,
       'customer' as initiated_by, true as has_ai,
       '{{"contact":{{"identities":[]}},"started_at":null,"ended_at":null}}' as as_given
from range({n}) as r(i);
insert into run_item
select '{run}', conversation_id, 'bench', 'vk_' || conversation_id, false, 1.0, null from conversation;
insert into judgement by name
select 'vk_' || conversation_id as key, '{run}' as run_id, conversation_id, content_hash, 'bench' as rubric,
       '1.0.0' as rubric_version, '{meaning}' as rubric_hash, 'pr_1' as prompt_hash, 'llm' as judge, 'm' as model,
       'pa_1' as parameters_hash, 0 as repeat, false as truncated, timestamp '2026-11-01' as judged_at
from conversation;
insert into verdict by name
select 'vk_' || conversation_id as key, 'code_' || lpad(k::varchar, 2, '0') as criterion,
       case when hash(conversation_id, k) % 1000 < 10 + 6 * k then 'present'
            when hash(k, conversation_id) % 14 = 0 then 'not_applicable' else 'absent' end as answer,
       case when answer = 'present' then 'verified' else 'not_needed' end as support
from conversation, range({codes}) as r(k);
"""


def fill(store: Store, n: int, n_codes: int, n_labels: int) -> str:
    """A judged frame, a plan, and its labels: right in nine of ten. Returns the plan."""
    used = rubric(n_codes)
    told = described(used, NOW)
    store.add_rubric(
        used.name, used.version, (used.meaning_hash, used.label_hash), used.title, told["body"], told["criteria"], NOW
    )
    store.start_run({
        "run_id": RUN, "started_at": "2026-11-01 00:00:00", "finished_at": None, "state": "complete", "judge": "llm",
        "model": "m", "parameters": {},
        "rubrics": [{"name": used.name, "version": used.version, "meaning_hash": used.meaning_hash}],
        "selection": {}, "seed": 1, "n_population": n, "n_planned": n, "n_reused": 0, "n_judged": n, "n_failed": 0,
        "cost_usd": None, "grader_version": "bench", "command": None,
    })  # fmt: skip
    statements = FILL.format(n=n, contacts=max(1, n // 2), run=RUN, meaning=used.meaning_hash, codes=n_codes)
    for statement in statements.split(";\n"):
        if statement.strip():
            store.rows(statement)
    plan = make_plan(
        store, RUN, questions(store, RUN, (), ()), n=n_labels, seed=1, positives=0.25, reviewers=("ana", "ben"),
        overlap=60, duplicates=10, select=(), zone=UTC, grader_version="bench", now=NOW,
    )  # fmt: skip
    store.add_label_plan(document(plan))
    rng = random.Random(1)
    verdicts = {(c, k): a for c, k, a in store.rows("select substr(key, 4), criterion, answer from verdict", [])}
    chosen = plan.chosen()
    truth = {
        (c, q.criterion): answer if (answer := verdicts[c, q.criterion]) == "not_applicable" or rng.random() < 0.9
        else ("absent" if answer == "present" else "present" if rng.random() < 0.2 else "absent")
        for c in chosen for q in plan.questions
    }  # fmt: skip
    records = [
        LabelRecord(
            plan.plan_id, item.item_id, None, item.conversation_id, q.rubric, q.rubric_version, q.criterion,
            item.reviewer, "reviewer", truth[item.conversation_id, q.criterion], None, None, None, False,
            chosen[item.conversation_id].inclusion_probability, NOW,
        )
        for item in plan.items for q in plan.questions
    ]  # fmt: skip
    store.add_label_records(records, NOW)
    return plan.plan_id


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--conversations", type=int, default=N)
    asked.add_argument("--codes", type=int, default=N_CODES)
    asked.add_argument("--labels", type=int, default=N_LABELS)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "grader.toml").write_text("", encoding="utf-8")
        started = time.perf_counter()
        with open_store(Path(folder) / "grader.duckdb") as store:
            fill(store, given.conversations, given.codes, given.labels)
        print(f"filled in {time.perf_counter() - started:.1f} s")
        slow = False
        for extra in ([], ["--by", "queue"]):
            started = time.perf_counter()
            done = subprocess.run(
                [
                    sys.executable, "-m", "grader", "calibrate", "--split", "all", "--json", "--workspace", folder,
                    *extra,
                ],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            seconds = time.perf_counter() - started
            if done.returncode:
                print(done.stderr)
                return 1
            slow |= not extra and seconds > MAX_SECONDS
            print(
                f"{given.conversations:,} conversations x {given.codes} codes x {given.labels} labels"
                f"{' by queue' if extra else ''}: {seconds:.1f} s by the clock"
            )
    print(f"bar: {MAX_SECONDS:.0f} s over all: {'missed' if slow else 'met'}")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
