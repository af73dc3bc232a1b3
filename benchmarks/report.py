"""How large a report of ten thousand flagged conversations is, how fast a browser opens it, and what writing it takes.

The conversations are made up: about 15 messages and 2 to 3 KB of text, 25 verdicts with their reasoning. No text stands
twice: the words follow each other as in the sample that ships (conversations in three languages, reviewers' notes),
with every twentieth one another, and numbers and names new, so that gzip finds in them no more than in what people
wrote; the share that it leaves is printed beside that of the sample. The database is filled by SQL; the report is
written by `grader report` in a process of its own, and opened in chromium from the file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workload import DATASETS, ROOT, command, environment, measured, program, told

sys.path.insert(0, str(ROOT / "tests"))

BARS = {"MB": 20.0, "usable s": 1.0, "heap MB": 60.0, "open s": 0.3, "search s": 5.0}
OPENS = 10
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
NAMES = 400  # different names, and as many places and things, put into what is said


class Words:
    """What people and judges say: the next word follows the two before it as somewhere in the sample, so that
    sentences sound like it and none is like another; every twentieth word is another one of the same language, and
    numbers and names are new ones.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        read = [
            json.loads(line) for line in (DATASETS / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        notes = [
            json.loads(line).get("note", "")
            for line in (DATASETS / "labels.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        texts = {"judge": [note for note in notes if note]}
        for record in read:
            for message in record["messages"]:
                if message.get("text") and message["role"] in ("customer", "ai", "human"):
                    texts.setdefault(f"{record['language']} {message['role']}", []).append(message["text"])
        self.follows: dict[str, dict[tuple[str, str], list[str]]] = {}
        self.words: dict[str, list[str]] = {}
        for kind, said in texts.items():
            chain = self.follows[kind] = {}
            for text in said:
                words = ["", "", *text.split(), ""]
                for one, two, three in zip(words, words[1:], words[2:], strict=False):
                    chain.setdefault((one, two), []).append(three)
            self.words[kind] = [word for text in said for word in text.split()]
        syllables = [w[:3].lower() for w in self.words["pt customer"] if len(w) > 4 and w.isalpha()]
        self.names = ["".join(self.random.choices(syllables, k=2)).title() for _ in range(NAMES)]

    def text(self, kind: str, n_chars: int) -> str:
        out, before, length = [], ("", ""), 0
        while length < n_chars:
            word = self.random.choice(self.follows[kind].get(before) or self.words[kind])
            if word and self.random.random() < 1 / 20:
                word = self.random.choice(self.words[kind])
            if any(c.isdigit() for c in word):
                word = "".join(str(self.random.randrange(10)) if c.isdigit() else c for c in word)
            elif self.random.random() < 0.02:
                word = self.random.choice(self.names)
            before = (before[1], word) if word else ("", "")
            if word:
                out.append(word)
                length += len(word) + 1
        return " ".join(out)


def rows(n: int, seed: int) -> Any:
    """(conversation, messages, verdicts, quotes) of each conversation."""
    from report_data import RUBRICS

    words = Words(seed)
    draw = words.random
    criteria = [
        (r.name, c.code, c.scale, list(c.options or ()) or ["none", "order_status", "exchange", "refund"])
        for r in RUBRICS.values()
        for c in r.criteria
    ]
    defects = [(r, c) for r, c, scale, _ in criteria if scale == "defect"]
    for number in range(n):
        identity = f"c-{draw.getrandbits(48):012x}"
        roles = ["customer", "ai"] * 9
        language = draw.choice(("pt", "en", "es"))
        lengths = draw.choices((30, 70, 110, 160, 220, 330), k=12 + draw.randrange(7))
        messages = [
            (k, roles[k - 1], words.text(f"{language} {roles[k - 1]}", size)) for k, size in enumerate(lengths, 1)
        ]
        flagged = set(draw.sample(defects, draw.choice((1, 1, 1, 2, 2, 3, 4))))
        verdicts, quotes = [], []
        for rubric, code, scale, options in criteria:
            answer = "present" if (rubric, code) in flagged else "absent" if scale == "defect" else draw.choice(options)
            support = "verified" if answer == "present" else "not_needed"
            reasoning = words.text("judge", 130 if answer == "present" else draw.choice((40, 60, 80, 110)))
            verdicts.append((rubric, code, answer, support, reasoning))
            if answer == "present":
                k, _, text = draw.choice([m for m in messages if m[1] == "ai"])
                start = draw.randrange(max(1, len(text) - 60))
                quotes.append((rubric, code, k, text[start : start + 60].strip()))
        yield number, identity, language, draw, messages, verdicts, quotes


FILL = """
insert into conversation by name select conversation_id, 'cv_' || conversation_id as content_hash, 'cr_' ||
conversation_id as record_hash, channel, queue, language, contact_id, started_at::timestamp as started_at, 0 as
started_offset_minutes, started_at::timestamp + interval 30 minute as ended_at, n_messages, n_chars, false as
has_tools, has_human, has_human as has_handoff, 'customer' as initiated_by, true as has_ai,
'{"contact":{"identities":[]},"started_at":"' || started_at || 'Z","ended_at":null}' as as_given from
read_json('{folder}/c.jsonl', format='newline_delimited');
insert into message by name select conversation_id, number, role, 'text' as kind, text, sent_at::timestamp as
sent_at, 0 as sent_offset_minutes from read_json('{folder}/m.jsonl', format='newline_delimited');
insert into judgement by name select 'k' || conversation_id || rubric as key, 'bench' as run_id, conversation_id,
'cv_' || conversation_id as content_hash, rubric, version as rubric_version, 'rh' as rubric_hash, 'pr_bench' as
prompt_hash, 'llm' as judge, 'judge-1' as model, 'pa' as parameters_hash, 0 as repeat, false as truncated, timestamp
'2026-11-01' as judged_at from conversation, (select name as rubric, version from rubric);
insert into run_item by name select 'bench' as run_id, conversation_id, rubric, key, false as reused, 1.0 as
inclusion_probability from judgement;
insert into verdict by name select 'k' || conversation_id || rubric as key, criterion, answer, support, reasoning
from read_json('{folder}/v.jsonl', format='newline_delimited');
insert into evidence by name select 'k' || conversation_id || rubric as key, criterion, 0 as position, message,
quote, true as verified from read_json('{folder}/e.jsonl', format='newline_delimited');
insert into outcome by name select conversation_id, 1 + (hash(conversation_id) % 5)::integer as csat from
conversation where hash(conversation_id) % 4 = 0
"""


def fill(folder: Path, n: int) -> tuple[float, float]:
    """A workspace with a run of n flagged conversations. Returns KB of text of each, and what gzip leaves of it."""
    from report_data import RUBRICS

    from grader.store import open_store

    program("init", folder)
    size = squeezed = 0
    files = {name: (folder / f"{name}.jsonl").open("w", encoding="utf-8") for name in "cmve"}
    batch: list[str] = []

    def put(name: str, **row: object) -> None:
        files[name].write(json.dumps(row, ensure_ascii=False) + "\n")

    for number, identity, language, draw, messages, verdicts, quotes in rows(n, 5):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1_785_000_000 + draw.randrange(80 * 86400)))
        put(
            "c", conversation_id=identity, channel=draw.choice(("whatsapp", "chat", "email")), language=language,
            contact_id=f"ct_{draw.randrange(max(1, n // 2))}", started_at=at, n_messages=len(messages),
            queue=draw.choice(("orders", "returns", "payments", "general")), n_chars=sum(len(m[2]) for m in messages),
            has_human=draw.random() < 0.3,
        )  # fmt: skip
        for k, role, text in messages:
            put("m", conversation_id=identity, number=k, role=role, text=text, sent_at=at[:14] + f"{k:02}:00")
        for rubric, code, answer, support, reasoning in verdicts:
            put(
                "v",
                conversation_id=identity,
                rubric=rubric,
                criterion=code,
                answer=answer,
                support=support,
                reasoning=reasoning,
            )
        for rubric, code, k, quote in quotes:
            put("e", conversation_id=identity, rubric=rubric, criterion=code, message=k, quote=quote)
        if number < 640:
            batch.append("\n".join(m[2] for m in messages))
            size += len(batch[-1].encode())
            if len(batch) == 64:
                squeezed += len(gzip.compress("\n".join(batch).encode(), 9))
                batch = []
    for file in files.values():
        file.close()
    with open_store(folder / "grader.duckdb") as store:
        for r in RUBRICS.values():
            criteria = [
                {"code": c.code, "position": k, "title": c.title, "severity": c.severity, "scale": c.scale}
                for k, c in enumerate(r.criteria)
            ]
            store.add_rubric(
                r.name,
                r.version,
                (r.meaning_hash, r.label_hash),
                r.title,
                r.model_dump(mode="json"),
                criteria,
                datetime(2026, 11, 1, tzinfo=UTC),
            )
        store.start_run({
            "run_id": "bench", "started_at": "2026-11-01 00:00:00", "finished_at": None, "state": "complete",
            "judge": "llm", "model": "judge-1", "parameters": {},
            "rubrics": [{"name": r.name, "version": r.version} for r in RUBRICS.values()],
            "selection": {}, "seed": 1, "n_population": n, "n_planned": n, "n_reused": 0, "n_judged": n, "n_failed": 0,
            "cost_usd": None, "grader_version": "0.1.0", "command": "grader grade",
        })  # fmt: skip
        for statement in FILL.replace("{folder}", str(folder)).split(";\n"):
            store.rows(statement)
    seen = min(n, 640) // 64 * 64
    return size / max(1, seen) / 1000, squeezed / max(1, size)


def shipped() -> float:
    """What gzip leaves of the sample's texts, 64 conversations at a time."""
    lines = (DATASETS / "conversations.jsonl").read_text(encoding="utf-8").splitlines()[:128]
    texts = [
        "\n".join(m["text"] for m in json.loads(line)["messages"] if m["role"] in ("customer", "ai", "human"))
        for line in lines
    ]
    chunks = ["\n".join(texts[k : k + 64]).encode() for k in range(0, len(texts), 64)]
    return sum(len(gzip.compress(c, 9)) for c in chunks) / sum(map(len, chunks))


USABLE = """() => new Promise((done) => {
  const there = (what) => document.querySelector(what) !== null;
  const look = () => (there('html[data-ready]') && there('#list a') && there('#detail h2')
    ? done(performance.now()) : setTimeout(look, 5));
  look();
})"""
OPEN = """(n) => new Promise((done) => {
  const began = performance.now(), id = INDEX.id[n];
  location.hash = '#v=conversations&c=' + encodeURIComponent(id);
  const told = () => document.querySelector('#detail h2').textContent;
  const look = () => (told() === id ? done(performance.now() - began) : setTimeout(look, 2));
  look();
})"""
SEARCH = """(words) => new Promise((done) => {
  const began = performance.now();
  let longest = 0, last = began;
  const beat = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 10);
  location.hash = '#v=conversations&q=' + encodeURIComponent(words);
  const look = () => {
    if (!(searching.query && searching.done)) { setTimeout(look, 5); return; }
    clearInterval(beat);
    done([performance.now() - began, longest, document.getElementById('shown').textContent]);
  };
  setTimeout(look, 20);
})"""


def opened(path: Path, n: int) -> dict[str, float]:
    """The figures of one file in a browser."""
    from playwright.sync_api import sync_playwright

    usable = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for _ in range(OPENS):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(path.as_uri() + "#v=conversations", wait_until="commit")
            usable.append(page.evaluate(USABLE) / 1000)
            context.close()
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(path.as_uri() + "#v=conversations")
        page.evaluate(USABLE)
        session = context.new_cdp_session(page)

        def heap() -> float:
            session.send("HeapProfiler.collectGarbage")
            return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

        ready = heap()
        cold = [page.evaluate(OPEN, (k * n) // 21) / 1000 for k in range(1, 21)]
        rare = page.evaluate(SEARCH, "zzqxj")
        common = page.evaluate(SEARCH, "pedido")
        after = heap()
        told(
            f"  search for a common word: {common[0] / 1000:.2f} s, {common[2]}; "
            f"longest wait of the page {max(rare[1], common[1]):.0f} ms"
        )
        browser.close()
    usable.sort()
    cold.sort()
    return {
        "MB": path.stat().st_size / 1e6, "usable s": usable[-1], "median s": statistics.median(usable),
        "heap MB": max(ready, after),
        "open s": cold[-1], "search s": max(rare[0], common[0]) / 1000,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--keep", type=Path, help="Make the workspaces in here, and leave them.")
    arguments = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as temporary:
        for n in arguments.sizes:
            folder = (arguments.keep or Path(temporary)) / str(n)
            if not (folder / "grader.duckdb").exists():
                folder.mkdir(parents=True)
                kb, share = fill(folder, n)
                told(
                    f"  {n:,} conversations of {kb:.1f} KB; "
                    f"gzip leaves {share:.0%} of it, of the sample {shipped():.0%}"
                )
            done = measured(command("report", "-w", folder), environment())
            if done.code:
                raise RuntimeError(done.stderr[-2000:])
            path = Path(done.stdout.strip())
            told(f"  written in {done.wall_seconds:.0f} s, {done.cpu_seconds:.0f} of CPU, peak {done.peak_mb:.0f} MB")
            parts = sorted(path.with_name(f"{path.stem}-parts").glob("part-*.html"))
            print(
                f"{n:,} conversations: written in {done.wall_seconds:.0f} s, {done.cpu_seconds:.0f} of CPU "
                f"({1000 * done.cpu_seconds / n:.1f} ms each), peak {done.peak_mb:.0f} MB"
            )
            if parts:
                sizes = ", ".join(f"{p.stat().st_size / 1e6:.1f}" for p in parts)
                print(f"  front {path.stat().st_size / 1e6:.1f} MB, parts of {sizes} MB")
                print(f"  said: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'nothing'}")
            file = parts[0] if parts else path
            found = opened(file, n // max(1, len(parts)))
            for name, value in found.items():
                bar = BARS.get(name) if not parts else None
                verdict = "" if bar is None else f"  {'met' if value < bar else 'MISSED'} < {bar:g}"
                print(f"  {name:<10}{value:>9.2f}{verdict}")
                missed += [name] if bar is not None and value >= bar else []
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
