"""What the tests of golden sets share: a shop whose defects can be read off its words, models that miss some of them,
and a workspace that was judged, labelled and frozen.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import endpoint_replies as replies
from conftest import FOREIGN, REPOSITORY
from endpoint import MODEL, Endpoint
from engine_parts import talk
from label_parts import fill

from grader.store import open_store

N = 180
RUBRIC = """\
name: {name}
version: {version}
criteria:
  - code: late
    question: Did the AI answer late?
    present: It took long.
    absent: It did not.
    not_applicable: Nothing was asked.
{more}"""
RUDE = """\
  - code: rude
    question: Was the AI rude?
    present: It was.
    absent: It was not.
    not_applicable: It said nothing.
"""
TRUE = {"late": "LATE", "rude": "RUDE"}
# By model: in which conversations it misses what is there, and in which it sees what is not there.
MISSES: dict[str, tuple[Callable[[int], bool], Callable[[int], bool]]] = {
    MODEL: (lambda n: n % 10 == 9, lambda _: False),
    "alike": (lambda n: n % 10 == 9 or n == 0, lambda _: False),
    "worse": (lambda n: n % 2 == 1, lambda _: False),
    "eager": (lambda n: n % 10 == 9, lambda n: n % 3 == 0),
}


def numbered(text: str) -> int:
    found = re.search(r"order (\d+)", text)
    assert found
    return int(found[1])


def says(body: Mapping[str, Any]) -> str:
    """The reply of the model that the request names."""
    asked = replies.read(body)
    text = " ".join(line.text for line in asked.lines)
    n = numbered(text)
    misses, invents = MISSES.get(str(body["model"]), MISSES[MODEL])
    forced = {}
    for code in ("late", "rude", "lost"):
        there = TRUE.get(code, "LOST") in text
        forced[code] = "present" if (there and not misses(n)) or (not there and invents(n)) else "absent"
    return json.dumps(replies.reply(asked, forced))


def truth(text: str, question: str) -> str:
    """What people say of a form's text."""
    return "present" if TRUE[question.rpartition(".")[2]] in text else "absent"


def word(n: int) -> str:
    return ("LATE", "RUDE", "fine")[n % 3]


def grader(folder: Path, *args: str | Path, kill_when: Callable[[], bool] | None = None) -> str:
    """The program in a process of its own; killed as soon as `kill_when` says so."""
    import time

    inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    running = subprocess.Popen(
        [sys.executable, "-m", "grader", *map(str, args)], cwd=folder, env=inherited | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    end = time.monotonic() + 60
    while kill_when is not None and running.poll() is None and time.monotonic() < end:
        if kill_when():
            running.kill()
            break
        time.sleep(0.01)
    out, err = running.communicate(timeout=120)
    assert kill_when is not None or running.returncode == 0, err
    return out


def built(folder: Path, endpoint: Endpoint) -> Path:
    """N conversations, a third late, a third rude; judged by the good model, labelled by ana, frozen as `first`."""
    from grader.workspace import shipped

    (folder / "rubrics" / "alpha").mkdir(parents=True)
    (folder / "rubrics" / "alpha" / "1.0.0.yaml").write_text(RUBRIC.format(name="alpha", version="1.0.0", more=RUDE))
    (folder / "prompts").symlink_to(shipped("prompts"))
    (folder / "grader.toml").write_text(
        f'[judge]\nmodel = "{MODEL}"\nbase_url = "{endpoint.url}"\nmax_attempts = 1\nmax_backoff_seconds = 0.05\n'
        '[prices."stand-in"]\ninput = 1000\noutput = 0\n[prices."worse"]\ninput = 1000\noutput = 0\n'
    )
    with open_store(folder / "grader.duckdb") as store:
        store.add([(talk(f"c{n:03}", f"order {n} is {word(n)}", f"It comes on day {n}."), None, None)
                   for n in range(N)])  # fmt: skip
    grader(folder, "grade", "-q")
    told = json.loads(grader(
        folder, "label", "plan", "-n", str(N), "--reviewers", "ana", "--overlap", "0", "--duplicates", "0", "--json"
    ))  # fmt: skip
    grader(folder, "label", "export", told["plan_id"], "--reviewer", "ana", "-o", "ana.jsonl")
    grader(folder, "label", "import", fill(folder / "ana.jsonl", truth), "--reviewer", "ana")
    grader(folder, "golden", "freeze", "first", "--plan", told["plan_id"])
    return folder
