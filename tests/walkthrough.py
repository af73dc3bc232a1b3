"""The commands of docs/walkthrough.md, run one after the other as a reader would, and what they print.

A block is one command and its output; a line that is `…` alone stands for any number of lines. Comments between blocks:
`<!-- fill FILE NAME -->` answers a form with the labels of the sample's authors, as NAME would; `<!-- edit FILE | FROM
| TO -->` replaces a text; `<!-- keep 5, 3 -->` says how many lines of the next block are shown, of its beginning and of
its end. Run as a program it writes the outputs into the document.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "walkthrough.md"
_STEP = re.compile(
    r"```console\n\$ (?P<command>.*?)\n(?P<output>.*?)```|<!-- (?P<deed>fill|edit) (?P<what>.*?) -->", re.S
)
_CHANGES = (  # from one run to the next
    (re.compile(r"\d{8}T\d{6}-[0-9a-f]{7}"), "RUN"),
    (re.compile(r"\b(lp|ca|la|lf|gs|pm|it)_[0-9a-f]{4,}"), r"\1_ID"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "TIME"),
    (re.compile(r"20\d\d-\d\d-\d\d"), "DAY"),
    (re.compile(r"[^\s]*/(?=\.grader/|reports/|rubrics/|shop)"), ""),
    (re.compile(r"─+"), "─"),
    (re.compile(r" +"), " "),
)
KEY = "the key of the walkthrough, so that contacts are split alike each time"
DIFFERS = 25  # ben says the opposite once in so many answers


def scrubbed(text: str) -> list[str]:
    """The lines of an output without what changes from run to run, nor how columns are set."""
    for pattern, instead in _CHANGES:
        text = pattern.sub(instead, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def same(expected: str, printed: str) -> bool:
    """Every line of the document's block was printed, in its order; only `…` skips any."""
    want, have = scrubbed(expected), scrubbed(printed)
    at, free = 0, False
    for line in want:
        if line == "…":
            free = True
            continue
        found = next((i for i in range(at, len(have)) if have[i] == line), None) if free else at
        if found is None or found >= len(have) or have[found] != line:
            return False
        at, free = found + 1, False
    return free or at == len(have)


def steps(text: str) -> Iterator[re.Match[str]]:
    """Blocks and deeds in their order."""
    return _STEP.finditer(text)


def run(command: str, folder: Path) -> str:
    """What a command prints, both streams as they come."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GRADER_", "OPENAI_", "AZURE_OPENAI_"))}
    done = subprocess.run(
        ["bash", "-c", command.replace("grader ", f"{sys.executable} -m grader ", 1)], cwd=folder, check=False,
        env=inherited | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "GRADER_IDENTITY_KEY": KEY},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", timeout=300,
    )  # fmt: skip
    return done.stdout


def do(deed: str, what: str, folder: Path) -> None:
    """A thing that a person does between commands."""
    if deed == "keep":
        return
    if deed == "edit":
        name, before, after = (part.strip() for part in what.split(" | "))
        path = folder / name
        text = path.read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise ValueError(f"{name} has {before!r} {text.count(before)} times")
        path.write_text(text.replace(before, after), encoding="utf-8")
        return
    name, reviewer = what.split()
    fill(folder, folder / name, reviewer)


def fill(folder: Path, form: Path, reviewer: str) -> None:
    """The authors' labels in the places of a form; where ben fills it in, one in DIFFERS is the opposite."""
    from grader.labelling.given import places, plan_of_form
    from grader.store import open_store

    labels = {}
    for line in (ROOT / "datasets" / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        labels[row["conversation_id"], f"{row['rubric']}.{row['criterion']}"] = row["answer"]
    rows = list(csv.reader(io.StringIO(form.read_bytes().decode("utf-8-sig"), newline="")))
    head = rows[0]
    with open_store(folder / "grader.duckdb", read_only=True) as store:
        plan, adjudication = plan_of_form(store, rows[4][head.index("form")], str(form))
        at = places(store, plan, adjudication=adjudication)
    opposite = {"present": "absent", "absent": "present"}
    n = 0
    for row in rows[4:]:
        place = at[row[head.index("item")]]
        for column, name in enumerate(head):
            if name in {q.name for q in plan.questions} and row[column] == "":
                answer = labels[place.conversation_id, name]
                n += answer in opposite
                turned = reviewer == "ben" and answer in opposite and n % DIFFERS == 0
                row[column] = opposite[answer] if turned else answer
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    form.write_text(out.getvalue(), encoding="utf-8-sig")


def main() -> None:
    """Write what the commands print into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        plan, keep = "", None
        where = Path(folder)
        made, last = "", 0
        for step in steps(text):
            made += text[last : step.start()]
            last = step.end()
            if step["deed"]:
                do(step["deed"], step["what"], where)
                keep = [int(n) for n in step["what"].split(",")] if step["deed"] == "keep" else keep
                made += step[0]
                continue
            command = step["command"]
            printed = run(re.sub(r"lp_[0-9a-f]{8}", plan or "lp_", command), where)
            if found := re.search(r"^plan (lp_[0-9a-f]{8})", printed, re.M):
                plan = found[1]
            if command.startswith("grader demo"):
                where = where / "shop"
            shown = re.sub(r"lp_[0-9a-f]{8}", plan or "lp_", command)
            lines = printed.rstrip().splitlines()
            if keep and len(lines) > sum(keep):
                lines = [*lines[: keep[0]], "…", *lines[len(lines) - keep[1] :]]
            made, keep = made + "\n".join(["```console", f"$ {shown}", *lines, "```"]), None
            print(shown, file=sys.stderr)
        made += text[last:]
    made = re.sub(r"(?m) +$", "", made.replace(f"{folder}/", ""))
    DOCUMENT.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
