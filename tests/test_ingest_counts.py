"""Every file of the sample exports: the messages that come in against a count that only knows the file's structure.

`pytest -rP tests/test_ingest_counts.py` shows the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.ingest import Kept, read
from grader.model import Conversation

pytestmark = pytest.mark.realdata
Counts = tuple[int, int]  # rows, messages


def intercom(text: str) -> Counts:
    value = json.loads(text)
    rows = value.get("conversations") or value.get("tickets") or [value]
    return len(rows), sum(_in_intercom(row) for row in rows if row.get("type") in ("conversation", "ticket"))


def _in_intercom(row: dict[str, Any]) -> int:
    """What has words, and what opened it."""
    holder = row.get("conversation_parts") or row.get("ticket_parts") or {}
    parts = holder.get("conversation_parts") or holder.get("ticket_parts") or []
    spoken = [p for p in parts if p.get("body") or p["part_type"] in ("comment", "note", "quick_reply")]
    opening = (row.get("source") or {}).get("body") or (row.get("ticket_attributes") or {}).get("_default_description_")
    return len(spoken) + bool(opening)


def zendesk(text: str) -> Counts:
    value = json.loads(text)
    if "audits" in value:
        comments = [event for row in value["audits"] for event in row["events"] if event["type"] == "Comment"]
        return len(value["audits"]), len(comments)
    rows = value.get("tickets") or value["agent_engagement_data"]
    return len(rows), sum(1 for row in rows if row.get("description"))


def chatwoot(text: str) -> Counts:
    """Objects with a message_type, each id once; a webhook of no conversation has none."""
    value = json.loads(text)
    found: set[Any] = set()

    def walk(one: Any) -> None:
        if isinstance(one, dict) and "message_type" in one and "id" in one:
            found.add(one["id"])
        for inner in one.values() if isinstance(one, dict) else one if isinstance(one, list) else ():
            walk(inner)

    walk(value)
    return 1, len(found)


def whatsapp(text: str) -> Counts:
    """Lines that begin with three numbers and a time."""
    n = len(re.findall(r"(?m)^\W*\d{1,4}\W{1,2}\d{1,4}\W{1,2}\d{1,4}[^\d\n]{1,8}\d{1,2}[.:]\d\d", text))
    return n, n


def otel_genai(text: str) -> Counts:
    """What the first call was given, and one answer of each call of a model or a tool."""
    spans = json.loads(text)["spans"]
    given = [span["attributes"] for span in spans]
    asked = sum(len(json.loads(a["gen_ai.input.messages"])) for a in given if "gen_ai.input.messages" in a)
    return len(spans), asked + sum(a["gen_ai.operation.name"] in ("call_llm", "execute_tool") for a in given)


def openai_chat(text: str) -> Counts:
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return len(rows), sum(len(row["traj"]) for row in rows)


COUNTERS: dict[str, Callable[[str], Counts]] = {
    "intercom": intercom, "zendesk": zendesk, "chatwoot": chatwoot, "whatsapp": whatsapp, "otel_genai": otel_genai,
    "openai_chat": openai_chat,
}  # fmt: skip
NO_EXPORT = {"whatstk_header_format_support.json"}  # a list of headers, not a chat
AMBIGUOUS = {"chat_parser_format_lines.txt", "ptbr_android.txt"}  # days that may be months: the user is asked


def test_every_sample_file_holds_the_messages_that_an_independent_count_finds(real_data: Path) -> None:
    folders = sorted(path for path in (real_data / "raw_formats").iterdir() if path.is_dir())
    assert {folder.name for folder in folders} == COUNTERS.keys()
    totals = [0, 0, 0, 0]
    print(f"{'file':<88} {'rows':>5} {'kept':>5} {'rej.':>5} {'msgs':>5} {'count':>5}")
    for path in (path for folder in folders for path in sorted(folder.iterdir()) if path.name not in NO_EXPORT):
        rows = list(read(path, options={"date_order": "dmy"} if path.name in AMBIGUOUS else None))
        kept = sum(row.rows for row in rows if isinstance(row, Kept))
        rejected = sum(not isinstance(row, Kept) for row in rows)
        talks = [row.record for row in rows if isinstance(row, Kept) and isinstance(row.record, Conversation)]
        n = sum(len(talk.messages) for talk in talks)
        n_rows, n_messages = COUNTERS[path.parent.name](path.read_text(encoding="utf-8"))
        print(f"{path.parent.name}/{path.name[:76]:<{87 - len(path.parent.name)}} "
              f"{n_rows:>5} {kept:>5} {rejected:>5} {n:>5} {n_messages:>5}")  # fmt: skip
        assert kept + rejected == n_rows, path
        assert n == n_messages, path
        totals = [total + one for total, one in zip(totals, (n_rows, kept, rejected, n), strict=True)]
    print(f"{'all':<88} {totals[0]:>5} {totals[1]:>5} {totals[2]:>5} {totals[3]:>5} {totals[3]:>5}")
    assert totals[0] > 300
