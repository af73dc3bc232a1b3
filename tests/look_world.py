"""A workspace to look at: the shipped synthetic sample six times over, other days and people, as two judges saw it
that err like judges, and the labels of two reviewers. Everything in it is made up.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from label_parts import fill
from report_data import DATASETS, RUBRICS, World, present, priced, world
from review_parts import environment

from grader.config.settings import CONTACT_REASONS
from grader.model import Conversation, Evidence, Outcome, Policy, Verdict
from grader.store import open_store
from grader.workspace import init

SPAN = timedelta(days=98)
CHANGED = datetime.fromisoformat("2026-09-07T00:00:00+00:00")  # the second judge, and the run that is shown
CODES = (
    "contradicts_policy", "contradicts_tool_result", "missed_escalation", "promised_exception",
    "status_without_lookup", "invented_deadline", "promised_impossible_action", "ignored_question",
    "handoff_without_context", "customer_repeated_to_human",
)  # fmt: skip
WORDS = "It goes through all that was said before, and comes back to the beginning. " * 60  # taller than any screen
Said = dict[str, dict[str, Any]]


def _records(name: str) -> Iterator[dict[str, Any]]:
    for line in (DATASETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _authors() -> dict[str, Said]:
    found: dict[str, Said] = {}
    for label in _records("labels"):
        found.setdefault(label["conversation_id"], {})[label["criterion"]] = label
    return found


def _moved(data: dict[str, Any], by: timedelta, first: datetime) -> timedelta:
    """By how much everything of a conversation is moved, so that it stays within the weeks there are."""
    at = datetime.fromisoformat(data["started_at"])
    return by if at + by < first + SPAN else by - SPAN


def _later(data: dict[str, Any], copy: int) -> timedelta:
    """Some days, the same for all that a person wrote, so that who came back still does."""
    who = str(data.get("contact", {}).get("identities") or data["conversation_id"])
    return timedelta(days=random.Random(f"{who} {copy}").randrange(SPAN.days) if copy else 0)


def _shifted(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        times = ("at", "started_at", "ended_at", "observed_at")
        return {
            k: (datetime.fromisoformat(v) + by).isoformat() if k in times and v else _shifted(v, by)
            for k, v in value.items()
        }
    return [_shifted(v, by) for v in value] if isinstance(value, list) else value


def _named(identity: str, copy: int) -> str:
    return f"{identity[:2]}-{copy + 1}{identity[3:]}"


def _answers(said: Said, chance: random.Random) -> dict[str, str | Verdict]:
    """As a judge answers: mostly as the authors do; it overlooks some."""
    found: dict[str, str | Verdict] = {}
    for code, label in said.items():
        if label["answer"] != "present":
            found[code] = label["answer"]
        elif chance.random() < 0.12:
            found[code] = "absent"
        else:
            clause = label.get("clause")
            found[code] = present(label["quote"], label["message"], clause=clause, why=label.get("note", ""))
    return found


def _cries_wolf(data: dict[str, Any], answers: dict[str, str | Verdict], chance: random.Random, wordy: bool) -> None:
    """Now and then it sees a defect where there is none. `wordy`: at length, and with a quote that nobody said."""
    for number, message in enumerate(data["messages"], 1):
        if message["role"] == "ai" and message.get("text") and chance.random() < 0.012:
            code = chance.choice([c for c in CODES if answers.get(c) == "absent"] or list(CODES[:1]))
            sentence = message["text"].split(". ")[0][:120]
            found = present(sentence, number, why=WORDS if wordy else "The agent had nothing that says so.")
            if wordy:
                other = Evidence(message=number, quote="It was the customer.", problem="wrong_role")
                found = found.model_copy(update={"evidence": (*found.evidence, other)})
            answers[code] = found


def filled(root: Path, copies: int = 6, seed: int = 7, *, wordy: bool = False) -> str:
    """The sample `copies` times over, with outcomes, and two runs of it. Returns the second's id, the one to show."""
    chance, authors = random.Random(seed), _authors()
    talks = list(_records("conversations"))
    first = min(datetime.fromisoformat(t["started_at"]) for t in talks)
    moves: dict[tuple[str, int], timedelta] = {}
    told: list[tuple[str, datetime, dict[str, str | Verdict]]] = []
    with world(root) as w:
        for copy in range(copies):
            for data in talks:
                by = moves[data["conversation_id"], copy] = _moved(data, _later(data, copy), first)
                one = _shifted({k: v for k, v in data.items() if k != "type"}, by)
                one["conversation_id"] = _named(data["conversation_id"], copy)
                for identity in one.get("contact", {}).get("identities", []):
                    identity["value"] = identity["value"][:-1] + str((int(identity["value"][-1:] or 0) + copy) % 10) \
                        if identity["value"][-1:].isdigit() else f"{copy}{identity['value']}"  # fmt: skip
                w.add(Conversation.model_validate(one))
                answers = _answers(authors[data["conversation_id"]], chance)
                _cries_wolf(data, answers, chance, wordy)
                told.append((one["conversation_id"], datetime.fromisoformat(one["started_at"]), answers))
        for data in _records("outcomes"):
            for copy in range(copies):
                if (data["conversation_id"], copy) not in moves:
                    continue
                one = _shifted(data, moves[data["conversation_id"], copy])
                one["conversation_id"] = _named(data["conversation_id"], copy)
                fields = {k: v for k, v in one.items() if k in Outcome.model_fields}
                w._incoming.append((Outcome.model_validate(fields), None, None))
        for file in sorted((DATASETS / "policies").glob("*.md")):
            _, head, text = file.read_text(encoding="utf-8").split("---\n", 2)
            w.policy(Policy(**yaml.load(head, Loader=yaml.BaseLoader), text=text))
        early, late = World(w.store), World(w.store)
        early._hashes = late._hashes = w._hashes
        w.save()
        for name, at, answers in told:
            one_of = late if at >= CHANGED else early
            model = "judge-2" if at >= CHANGED else "judge-1"
            if one_of is late and chance.random() < 0.02:
                late.failed(name, "behavior", "rate_limited", http_status=429)
            for rubric in RUBRICS:
                one_of.judged(name, rubric, answers, model=model, call=priced(model=model))
        early.finish("20260907-0000-1a2b", at=CHANGED, model="judge-1", n_population=len(told))
        return late.finish("20261022-1235-3c4d", at=first + SPAN, model="judge-2", n_population=len(told))


def grader(root: Path, *args: str | Path) -> str:
    """The program in this workspace, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", *map(str, args)], cwd=root, env=environment(), encoding="utf-8",
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def labelled(root: Path, n: int = 300, seed: int = 3, *, wordy: bool = False) -> None:
    """Two reviewers label what the second run judged, mostly as the authors; then it is calibrated."""
    authors, chance = _authors(), random.Random(seed)
    asked = [part for code in CODES for part in ("-c", code)]
    told = json.loads(grader(root, "label", "plan", "--json", *asked, "-n", str(n), "--reviewers", "ana,ben"))
    with open_store(root / "grader.duckdb", read_only=True) as store:
        talk: dict[str, str] = dict(store.rows("select item_id, conversation_id from label_item"))
        twice = {r[0] for r in store.rows("select conversation_id from label_item group by 1 having count(*) > 1")}
    for name in ("ana", "ben"):
        form = root / f"{name}.jsonl"
        grader(root, "label", "export", told["plan_id"], "--reviewer", name, "-o", form)
        by_text = {}
        for line in form.read_text(encoding="utf-8").splitlines()[1:]:
            row = json.loads(line)
            identity = next(talk[v] for v in row.values() if isinstance(v, str) and v in talk)
            by_text[row["text"]] = f"{identity[:2]}-{identity[4:]}", identity in twice

        def answer(text: str, question: str, by_text: dict[str, tuple[str, bool]] = by_text) -> str:
            one, is_double = by_text[text]
            right = authors[one][question.partition(".")[2]]["answer"]
            return "absent" if right == "present" and not is_double and chance.random() < 0.06 else str(right)

        fill(form, answer, WORDS if wordy else None)
        grader(root, "label", "import", form, "--reviewer", name)
        form.unlink()
    grader(root, "calibrate", "--split", "all", "--by", "queue", "-o", root / "reports" / "calibration.html")


def made(folder: Path, copies: int = 6, n_labelled: int = 300, *, wordy: bool = False) -> Path:
    """A workspace of all of it, in about ten seconds. `wordy`: with long reasons and notes, and unproved quotes."""
    root = init(folder / "little-shop").root
    as_shipped = dict(RUBRICS)
    RUBRICS.update({name: r.with_options({"contact_reasons": CONTACT_REASONS}) for name, r in as_shipped.items()})
    try:
        filled(root, copies, wordy=wordy)
    finally:
        RUBRICS.update(as_shipped)
    labelled(root, n_labelled, wordy=wordy)
    return root
