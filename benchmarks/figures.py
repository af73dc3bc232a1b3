"""How long recontact and all figures take over millions of conversations, and in how much memory.

The database is filled by SQL, since only reading is measured: two messages a conversation, a third as many contacts
as conversations, a year, durations and waits spread over hours. All figures are those of `grader metrics`, over
everything and by each dimension, for every window over everything, with the capacity freed. Each size runs in a
process of its own; prints a table and whether the bars are met.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workload import ROOT, told

MAX_SECONDS = 60.0  # at the largest size
MAX_PEAK_MB = 4_000.0

FILL = """ insert into conversation by name select 'c' || i as conversation_id, 'cv_' || i as content_hash, 'cr_' || i
as record_hash, ['whatsapp', 'chat', 'email'][1 + i % 3] as channel, ['orders', 'returns', 'payments', 'general'][1 +
i % 4] as queue, ['en', 'pt', 'es'][1 + i % 3] as language, case when i % 5 < 3 then ['refund', 'exchange',
'order_status', 'invoice'][1 + (hash(i) % 4)::integer] end as reason, case when i % 20 > 0 then 'ct_' || hash(i) %
{contacts} end as contact_id, timestamp '2026-01-01' + to_seconds((hash(i * 7) % 31536000)::bigint) as started_at, 0
as started_offset_minutes, started_at + to_seconds((hash(i * 3) % 10800)::bigint) as ended_at, 2 as n_messages, 60 as
n_chars, false as has_tools, i % 3 = 0 as has_human, i % 3 = 0 as has_handoff, 'customer' as initiated_by, true as
has_ai, started_at as asked_at, started_at + to_seconds((hash(i * 5) % 900)::bigint) as answered_at,
'{{"contact":{{"identities":[]}},"started_at":null,"ended_at":null}}' as as_given from range({n}) as r(i); insert into
message by name select conversation_id, k as number, ['customer', 'ai'][k] as role, 'text' as kind, ['where is my
order number ' || n_chars || ' please tell me today', 'it arrives tomorrow'][k] as text, started_at + to_minutes(k) as
sent_at, 0 as sent_offset_minutes from conversation, (values (1), (2)) as v(k); insert into outcome by name select
conversation_id, case when hash(conversation_id) % 7 = 0 then 1 + (hash(conversation_id) % 5)::integer end as csat,
case when has_human then 3 + hash(conversation_id) % 600 / 20 end as handle_minutes from conversation where
hash(conversation_id) % 7 = 0 or has_human;
"""


def one(path: Path, n: int) -> None:
    """In a process of its own: fill, then time."""
    from grader.cli.metrics import DATABASE_MEMORY
    from grader.outcomes.capacity import freed
    from grader.outcomes.episodes import DIMENSIONS, WINDOWS, opened
    from grader.outcomes.metrics import of_episodes
    from grader.store import open_store

    if n:
        with open_store(path) as store:
            for statement in FILL.format(n=n, contacts=max(1, n // 3)).split(";\n"):
                if statement.strip():
                    store.rows(statement)
        return
    started = time.perf_counter()
    with open_store(path, read_only=True, memory=DATABASE_MEMORY) as store, opened(store) as episodes:
        for by in (None, *DIMENSIONS):
            of_episodes(episodes, by)
            freed(episodes, by)
        for hours in WINDOWS.values():
            of_episodes(episodes, window_hours=hours)
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500_000, 1_000_000, 2_000_000, 5_000_000])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(Path(arguments.one[0]), int(arguments.one[1]))
        return 0
    rows = []
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        for n in arguments.sizes:
            path = Path(folder) / f"{n}.duckdb"
            call = [sys.executable, __file__, "--one", str(path)]
            subprocess.run([*call, str(n)], check=True, cwd=ROOT)
            done = subprocess.run([*call, "0"], check=True, cwd=ROOT, capture_output=True, text=True)
            seconds, peak = map(float, done.stdout.split())
            rows.append((n, seconds, peak, path.stat().st_size / 1e6))
            told(f"  {n:,} conversations: {seconds:.1f} s, peak {peak:.0f} MB")
            path.unlink()
    print(f"{'conversations':>14}{'seconds':>10}{'peak MB':>10}{'file MB':>10}")
    for n, seconds, peak, size in rows:
        print(f"{n:>14,}{seconds:>10.1f}{peak:>10.0f}{size:>10.0f}")
    met = rows[-1][1] <= MAX_SECONDS and rows[-1][2] <= MAX_PEAK_MB
    bar = f"≤ {MAX_SECONDS:g} s, ≤ {MAX_PEAK_MB:g} MB"
    print(f"{'met' if met else 'MISSED'} all figures by every dimension, {rows[-1][0]:,} conversations: {bar}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
