"""Faults at the wire, through `grader grade`: all conversations end judged, and as they would have been without faults.

10 % 429 (half with Retry-After in seconds, some with a date, some without), 5 % 500, 2 % truncated JSON, 1 % wrong
schema, resets, cut bodies, and two requests that are never answered. Two workspaces with the same conversations: one
graded without faults, one with; every stored verdict and quote is compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from workload import RUBRICS, book, command, endpoint, environment, measured, rows, told, workspace

MIX = (
    "429:0.10", "500:0.05", "truncated:0.015", "truncated_length:0.005", "wrong_schema:0.01", "reset:0.01", "cut:0.005",
    "html:0.005", "hang:@30", "hang:@200",
)  # fmt: skip
VERDICTS = """
select j.conversation_id, j.rubric, v.criterion, v.answer, v.support, v.reasoning,
       list([e.message::varchar, e.quote, e.verified::varchar] order by e.position) filter (e.key is not null)
from judgement as j join verdict as v using (key) left join evidence as e using (key, criterion)
group by all order by all
"""


def graded(
    folder: Path, n: int, concurrency: int, *faults: str, seed: int = 0
) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:  # fmt: skip
    """The verdicts of a fresh workspace graded against an endpoint with these faults, and what was seen."""
    workspace(folder, n)
    with endpoint("--seed", str(seed), *(part for fault in faults for part in ("--fault", fault))) as url:
        argv = command("grade", "--workspace", folder, "--concurrency", concurrency, "--json", "--quiet")
        done = measured(argv, environment(base_url=url, model="stand-in", timeout_seconds=5))
        seen = book(url)
    database = folder / "grader.duckdb"
    figures = {
        "exit_code": done.code, "wall_seconds": round(done.wall_seconds, 1), "requests": seen["requests"],
        "max_in_flight": seen["max_in_flight"], "impatient": seen["impatient"], "faults": seen["faults"],
        "judged": rows(database, "select count(*) from judgement")[0][0],
        "failures": rows(database, "select cause, count(*) from failure group by all"),
    }  # fmt: skip
    told(f"  {json.dumps(figures)}")
    return rows(database, VERDICTS), figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=100)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    arguments = parser.parse_args()
    n, concurrency = arguments.conversations, arguments.concurrency
    with tempfile.TemporaryDirectory(prefix="grader-faults-") as name:
        expected, _ = graded(Path(name) / "without", n, concurrency)
        found, figures = graded(Path(name) / "with", n, concurrency, *MIX, seed=arguments.seed)
    differing = {json.dumps(row) for row in found} ^ {json.dumps(row) for row in expected}
    figures |= {"verdicts": len(found), "verdicts_that_differ": len(differing)}
    met = figures["exit_code"] == 0 and figures["judged"] == n * RUBRICS and not differing
    met = met and len(found) == len(expected)
    print(json.dumps(figures, indent=2))
    print("met" if met else "MISSED")
    if arguments.out:
        arguments.out.write_text(json.dumps({"figures": figures, "met": met}, indent=2) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
