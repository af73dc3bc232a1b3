"""What is cut for length is cut where it is said, numbers stay, and the fingerprint stands for what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model import Conversation, Event, Kind, Message, Policy, Role, ToolCall, digest
from grader.prompt import Prompt, Templates, render
from grader.prompt.templates import FORMAT
from grader.rubric import Rubric, find

ACCURACY = find(Path(__file__).parents[1] / "rubrics", "accuracy")
TEMPLATES = Templates.load()
POLICY = Policy(policy_id="returns", version="2026-05", title="Returns", text="R1. Window. 30 days.\nR2. Unused.")
PLENTY = 1_000_000


def prompt_of(case: Conversation, *, max_chars: int = PLENTY) -> Prompt:
    return render(case, [(ACCURACY, ACCURACY.codes)], (), TEMPLATES, max_chars=max_chars)


def shown(prompt: Prompt) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(prompt.transcript)["messages"]
    return found


def cut_conversation(sizes: list[int], tool_sizes: list[int]) -> Conversation:
    messages = []
    for index, size in enumerate(sizes):
        messages.append(Message(role=Role.CUSTOMER, text=f"m{index} " + 'a"\\\n' * (size // 4)))
        if index < len(tool_sizes):
            call = ToolCall(name="t", arguments={"k": "v" * tool_sizes[index]})
            messages.append(Message(role=Role.AI, kind=Kind.TOOL_CALL, tool_calls=(call,) * (1 + index % 3)))
            messages.append(Message(role=Role.TOOL, kind=Kind.TOOL_RESULT, text="{" + "é" * tool_sizes[index]))
    events = tuple(Event(kind="e", after=index, note="n" * (index % 50)) for index in range(len(messages)))
    return Conversation(
        conversation_id="c", messages=tuple(messages), events=events, channel="x" * (sizes[0] if sizes else 0)
    )


@settings(max_examples=120, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9_000), max_size=40),
    tool_sizes=st.lists(st.integers(0, 20_000), max_size=15),
    max_chars=st.integers(1_500, 60_000),
)
def test_a_cut_transcript_fits_keeps_its_numbers_and_names_every_message_that_is_missing(
    sizes: list[int], tool_sizes: list[int], max_chars: int
) -> None:
    case = cut_conversation(sizes, tool_sizes)
    prompt = prompt_of(case, max_chars=max_chars)
    whole = prompt_of(case)
    assert not whole.truncated
    assert len(prompt.messages[1]["content"]) + len(prompt.transcript) <= max_chars
    items = shown(prompt)
    numbers = [item["n"] for item in items if "n" in item]
    omitted: list[int] = []
    for item in items:
        if "omitted" in item and "message" in item["omitted"]:
            first, _, last = item["omitted"].split(",")[0].split(" ")[1].partition("-")
            omitted += range(int(first), int(last or first) + 1)
    assert sorted(numbers + omitted) == list(range(1, len(case.messages) + 1))
    assert numbers == sorted(numbers)
    if case.messages:
        assert numbers[0] == 1
        assert numbers[-1] == len(case.messages)
    by_number = {item["n"]: item for item in shown(whole) if "n" in item}
    complete = not omitted and prompt.transcript == whole.transcript
    assert prompt.truncated is not complete
    for item in items:
        if "n" in item and item != by_number[item["n"]]:
            assert "left out …]" in json.dumps(item, ensure_ascii=False)


def test_long_tool_results_go_before_any_word_of_a_customer() -> None:
    case = cut_conversation([400] * 10, [8_000] * 10)
    prompt = prompt_of(case, max_chars=40_000)
    by_number = {item["n"]: item for item in shown(prompt_of(case)) if "n" in item}
    items = [item for item in shown(prompt) if "n" in item]
    assert prompt.truncated
    assert len(items) == len(case.messages)
    assert all(item == by_number[item["n"]] for item in items if item["role"] == "customer")


def test_the_reminder_says_that_something_is_missing() -> None:
    case = cut_conversation([500] * 60, [])
    assert "left out" in prompt_of(case, max_chars=5_000).messages[3]["content"]
    assert "left out" not in prompt_of(case).messages[3]["content"]


def test_a_change_of_what_is_sent_for_the_same_templates_must_raise_the_format() -> None:
    """If this fails, the package sends other words than before: raise FORMAT, then put the new digest here."""
    rubric = Rubric.model_validate({
        "name": "any", "version": "1.0.0", "criteria": [
            {"code": "a", "question": "Is it?", "present": "Yes.", "not_applicable": "Never.", "cites_policy": True,
             "examples": [{"answer": "present", "transcript": "ai: x", "why": "y"}]},
            {"code": "b", "question": "Which?", "options": {"one": "1", "two": ""}, "proof": ["human"]},
        ],
    })  # fmt: skip
    folder = Path(__file__).parent / "prompt_format"
    case = cut_conversation([3_000] * 8, [3_000] * 2)
    sent = [
        render(case, [(rubric, rubric.codes)], [POLICY], Templates.load(folder), max_chars=size).messages
        for size in (6_000, PLENTY)
    ]
    assert (FORMAT, digest("x", sent)) == (1, "x_640397318ad06a112331e700f399b3e9")
