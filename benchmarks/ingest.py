"""How fast a million conversations (ten million messages) are taken in, and in how much memory.

The file is invented and streamed to disk: each person writes about three times, mostly under a phone, some under an
e-mail address or a customer id too; one number in ten thousand is the shop's own. `grader ingest` runs on it in a
process of its own, beside DuckDB's bare `create table … as select * from read_json(…)` of the same file. Smaller files
first, so that it is seen whether the rate falls, or the memory grows, with the size.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from workload import Measured, environment, measured, program, told

MESSAGES = 10
MAX_PEAK_MB = 600.0  # at the largest size
MAX_GROWTH = 1.5  # peak at the largest size over the peak at the smallest
WORDS = (
    "where is my order it should be here by now please look again the parcel was left with a neighbour refund money",
    "size blue wrong shoes exchange thanks tomorrow address invoice card declined label return box opened number",
)
BARE = """
import sys, duckdb
con = duckdb.connect(sys.argv[2])
con.execute("create table rows as select * from read_json(?, format = 'newline_delimited')", [sys.argv[1]])
con.close()
"""


def write(path: Path, n: int, seed: int = 1) -> None:
    """`n` conversations of ten messages, as Grader's JSON Lines."""
    rng = random.Random(seed)
    words = " ".join(WORDS).split()
    talk = [" ".join(rng.choices(words, k=rng.randint(4, 24))) for _ in range(5_000)]
    roles = ["customer", "ai"] * (MESSAGES // 2)
    with path.open("w", encoding="utf-8") as file:
        for number in range(n):
            person = rng.randrange(max(1, n // 3))
            identities = [{"kind": "phone", "value": f"+5511{900_000_000 + person}"}]
            if person % 3 == 0:
                identities.append({"kind": "email", "value": f"buyer{person}@mail.example"})
            if person % 5 == 0 and rng.random() < 0.5:
                identities = [{"kind": "customer_id", "value": f"K-{person}"}, *identities[1:]]
            if number % 10_000 == 0:
                identities.append({"kind": "phone", "value": "+551133334444"})
            day, minute = 1 + number % 28, number % 1_440
            at = f"2026-{1 + number // 28 % 12:02d}-{day:02d}T{minute // 60:02d}:{minute % 60:02d}"
            messages = [
                {"role": role, "text": f"{rng.choice(talk)} {number}", "at": f"{at}:{5 * k:02d}Z"}
                for k, role in enumerate(roles)
            ]
            record = {
                "conversation_id": f"{rng.getrandbits(64):016x}-{number}", "channel": "whatsapp",
                "queue": ("orders", "returns", "payments", "general")[number % 4], "language": "en",
                "contact": {"identities": identities}, "started_at": f"{at}:00Z", "state": "closed",
                "messages": messages,
            }  # fmt: skip
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def one(folder: Path, n: int) -> tuple[Measured, Measured, float, float]:
    """Grader's and DuckDB's own way with `n` conversations, the size of Grader's database and of the file, MB."""
    source = folder / "conversations.jsonl"
    write(source, n)
    space = folder / "workspace"
    program("init", space)
    ours = program("ingest", source, "--workspace", space, "--json")
    told_counts = json.loads(ours.stdout)
    assert told_counts["new"] == n, told_counts
    bare = measured([sys.executable, "-c", BARE, str(source), str(folder / "bare.duckdb")], environment())
    return ours, bare, (space / "grader.duckdb").stat().st_size / 1e6, source.stat().st_size / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    arguments = parser.parse_args()
    peaks: list[tuple[int, float]] = []
    print(f"{'':>23}{'Grader':>9}{'':>35}{'DuckDB':>9}\n"
          f"{'conversations':>14}{'file MB':>9}{'seconds':>9}{'CPU s':>7}{'per CPU s':>10}{'peak MB':>9}{'file MB':>9}"
          f"{'seconds':>9}{'CPU s':>7}{'peak MB':>9}")  # fmt: skip
    for n in arguments.sizes:
        told(f"  {n:,} conversations …")
        with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
            ours, bare, database_mb, file_mb = one(Path(folder), n)
        peaks.append((n, ours.peak_mb))
        print(f"{n:>14,}{file_mb:>9.0f}{ours.wall_seconds:>9.1f}{ours.cpu_seconds:>7.0f}{n / ours.cpu_seconds:>10,.0f}"
              f"{ours.peak_mb:>9.0f}{database_mb:>9.0f}{bare.wall_seconds:>9.1f}{bare.cpu_seconds:>7.1f}"
              f"{bare.peak_mb:>9.0f}", flush=True)  # fmt: skip
    peak, growth = peaks[-1][1], peaks[-1][1] / peaks[0][1]
    met = peak <= MAX_PEAK_MB and growth <= MAX_GROWTH
    told_growth = f"{growth:.2f} times that at {peaks[0][0]:,} (≤ {MAX_GROWTH:g})"
    print(f"{'met' if met else 'MISSED'} peak {peak:.0f} MB at {peaks[-1][0]:,} (≤ {MAX_PEAK_MB:g}), {told_growth}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
