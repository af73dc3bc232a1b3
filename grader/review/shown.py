"""What a page is given, as plain JSON values: a conversation as it was, a question as the judge was asked it.

A case is made of conversation and policies alone, as a form is (`labelling/form.py`): verdicts, strata, outcomes and
what the conversation is called do not reach these functions, but for those that say "revealed" or "judge".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from grader.language import _
from grader.model import Conversation, JsonValue, Policy
from grader.report.case_view import _UNVERIFIED as UNVERIFIED
from grader.report.case_view import PROBLEMS
from grader.report.transcript import day_of, language_tag, lines, visible, zone_of
from grader.review.acts import Said
from grader.review.material import Asked


def question(asked: Asked) -> dict[str, JsonValue]:
    """A question with its answers and what each of them means."""
    return {
        "name": asked.name, "title": asked.title, "rubric": asked.rubric, "version": asked.version,
        "question": asked.question, "answers": [list(pair) for pair in asked.answers],
        "needs_quote": list(asked.needs_quote),
    }  # fmt: skip


def case(conversation: Conversation) -> dict[str, JsonValue]:
    """The conversation as the report's script draws it (`case.js`), without anything that was found."""
    happened = conversation.happened_at
    return {
        "queue": conversation.queue, "channel": conversation.channel, "language": conversation.language,
        "lang": language_tag(conversation.language),
        "when": f"{day_of(happened)}, {happened:%H:%M}" if happened else "",
        "zone": zone_of(happened) if happened else "",
        "has_tools": conversation.has_tools, "truncated": bool(conversation.truncated),
        "findings": [], "lines": [asdict(line) for line in lines(conversation)],
    }  # fmt: skip


def policy(one: Policy) -> dict[str, JsonValue]:
    """A policy that was in force."""
    return {"title": visible(one.title or one.policy_id), "text": visible(one.text)}


def said(one: Said) -> dict[str, JsonValue]:
    """An answer as the page sent it, its quote as the page shows the message."""
    return {
        "answer": one.answer,
        "message": one.message,
        "quote": visible(one.quote) if one.quote else None,
        "note": one.note,
    }


def judge(verdict: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What the judge answered, why, and which words it offers as proof."""
    quotes: Sequence[Mapping[str, JsonValue]] = verdict["quotes"]
    return {
        "answer": verdict["answer"], "support": verdict["support"], "reasoning": visible(str(verdict["reasoning"])),
        "quotes": [
            {"message": q["message"], "text": visible(str(q["text"])),
             "problem": _(PROBLEMS.get(str(q["problem"]), UNVERIFIED)) if q["problem"] else ""}
            for q in quotes
        ],
        "model": verdict["model"], "unsupported": verdict["unsupported"],
    }  # fmt: skip


def revealed(
    name: str, mine: str, changed: str | None, verdict: Mapping[str, JsonValue] | None, others: Mapping[str, str]
) -> dict[str, JsonValue]:
    """A question of a submitted item: what this person said, what the judge said, and the others."""
    return {
        "question": name, "mine": mine, "changed": changed, "judge": judge(verdict) if verdict else None,
        "others": [{"reviewer": reviewer, "answer": answer} for reviewer, answer in sorted(others.items())],
        "same": verdict is not None and verdict["answer"] == mine,
    }  # fmt: skip
