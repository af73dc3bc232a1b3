"""`kill -9` at random points of a run, then the same command again: nothing lost, nothing twice, little paid again.

Paid calls are counted at the endpoint, which knows each call by the hash of its messages.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from workload import RUBRICS, book, command, endpoint, environment, measured, program, rows, told, workspace

STARTS_IN = (1.5, 4.5)  # seconds; a process takes about two until its first call


def journaled(folder: Path) -> list[str]:
    """The key of every judgement in a whole line of a journal; failures are none."""
    keys = []
    for path in sorted((folder / ".grader" / "journal").glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            entries = json.loads(line).get("judgements", ())
            keys += [entry["key"] for entry in entries if not entry.get("failure")]
    return keys


def killed(folder: Path, url: str, kills: int, concurrency: int, chance: random.Random) -> list[dict[str, Any]]:
    """Runs and kills, then runs to the end. Each kill with what was paid and journaled by then."""
    argv = command("grade", "--workspace", folder, "--concurrency", concurrency, "--quiet")
    env = environment(base_url=url, model="stand-in", timeout_seconds=30)
    found: list[dict[str, Any]] = []
    while True:
        after = chance.uniform(*STARTS_IN) if len(found) < kills else None
        done = measured(argv, env, kill_after=after)
        seen = book(url)
        found.append({
            "seconds": after, "code": done.code, "paid": seen["n_paid"], "paid_again": seen["paid_again"],
            "journaled": len(journaled(folder)),
        })  # fmt: skip
        told(f"  {len(found)}: {json.dumps(found[-1])}")
        if done.code not in (0, -9):
            raise RuntimeError(f"grader grade ended with {done.code}:\n{done.stderr[-2000:]}")
        if done.code == 0:
            return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency-ms", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    arguments = parser.parse_args()
    n, concurrency = arguments.conversations, arguments.concurrency
    with tempfile.TemporaryDirectory(prefix="grader-kill-") as name:
        folder = workspace(Path(name) / "w", n)
        with endpoint("--latency-ms", str(arguments.latency_ms)) as url:
            runs = killed(folder, url, arguments.kills, concurrency, random.Random(arguments.seed))
        database = folder / "grader.duckdb"
        keys = journaled(folder)
        stored = [key for (key,) in rows(database, "select key from judgement")]
        twice = rows(
            database, "select count(*) from (select key, criterion from verdict group by all having count(*) > 1)"
        )
        verified = program("db", "verify", "--workspace", folder)
        kills = sum(run["code"] == -9 for run in runs)
        # What a run pays again was in flight at one of the kills before it.
        worst = max((runs[i]["paid_again"] - concurrency * i for i in range(len(runs))), default=0)
        figures = {
            "kills": kills, "judgements": n * RUBRICS, "stored": len(stored), "journaled": len(keys),
            "lost": len(set(keys) - set(stored)), "stored_twice": len(stored) - len(set(stored)) + twice[0][0],
            "paid": runs[-1]["paid"], "paid_again": runs[-1]["paid_again"], "allowed_again": kills * concurrency,
            "verify": verified.code,
        }  # fmt: skip
    met = (
        figures["stored"] == figures["judgements"] and figures["lost"] == figures["stored_twice"] == 0
        and figures["verify"] == 0 and worst <= 0 and kills == arguments.kills
    )  # fmt: skip
    print(json.dumps(figures, indent=2))
    print("met" if met else "MISSED")
    if arguments.out:
        arguments.out.write_text(json.dumps({"figures": figures, "met": met, "runs": runs}, indent=2) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
