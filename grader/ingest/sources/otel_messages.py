"""What a span says: the messages of a model call, the run of a tool, what a turn took in and gave out.

The conventions that are read: GenAI's own, new (`gen_ai.input.messages`) and old (`gen_ai.prompt.0.content`, events);
OpenInference, OpenLLMetry, the Vercel AI SDK, Langfuse's attributes and any-agent's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.ingest.rows import Ledger
from grader.ingest.sources.genai_messages import Row, as_text, messages_of, read_json, short
from grader.ingest.sources.genai_turns import Call, ToolRun
from grader.ingest.sources.logged import kept
from grader.ingest.sources.otel_spans import time_at
from grader.model import JsonValue

# Attributes with the messages of a call; a name ending in a dot is that of numbered ones.
_INPUTS = (
    "gen_ai.input.messages", "gen_ai.prompt.", "llm.input_messages", "llm.input_messages.", "gen_ai.prompt",
    "llm.prompts.", "ai.prompt.messages", "ai.prompt", "langfuse.observation.input", "gcp.vertex.agent.llm_request",
)  # fmt: skip
_OUTPUTS = (
    "gen_ai.output.messages", "gen_ai.output", "gen_ai.completion.", "llm.output_messages", "llm.output_messages.",
    "gen_ai.completion", "llm.completions.", "langfuse.observation.output", "gcp.vertex.agent.llm_response",
)  # fmt: skip
_WHOLE = (
    ("input.value", "output.value"), ("traceloop.entity.input", "traceloop.entity.output"),
    ("langfuse.trace.input", "langfuse.trace.output"), ("mlflow.spanInputs", "mlflow.spanOutputs"),
)  # fmt: skip
_KINDS = ("openinference.span.kind", "traceloop.span.kind", "gen_ai.span.kind", "langfuse.observation.type")
_ASIDE = {"evaluator", "guardrail", "embedding", "embeddings", "reranker", "retriever"}  # no part of the talk
_TOOL_NAMES = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name", "mcp.tool.name")
_TOOL_GIVEN = (
    "gen_ai.tool.call.arguments", "gen_ai.tool.args", "ai.toolCall.args", "traceloop.entity.input", "input.value",
    "langfuse.observation.input", "gcp.vertex.agent.tool_call_args",
)  # fmt: skip
_TOOL_GAVE = (
    "gen_ai.tool.call.result", "gen_ai.output", "ai.toolCall.result", "traceloop.entity.output", "output.value",
    "langfuse.observation.output", "gcp.vertex.agent.tool_response",
)  # fmt: skip
_TOOL_IDS = ("gen_ai.tool.call.id", "tool_call.id", "ai.toolCall.id", "tool.id")
_MODELS = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.model.id")
_ASKED = ("input", "question", "query", "user_message", "user_input", "message", "text", "prompt", "content", "request")
_ANSWERED = ("output", "answer", "response", "reply", "result", "message", "text", "content", "completion")
_MOST = 10_000  # messages of one call that are numbered in attributes
_EVENTS = {
    "gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}  # fmt: skip


def _kind(span: Row) -> str:
    attributes = span["attributes"]
    return next((str(attributes[key]).lower() for key in _KINDS if attributes.get(key)), "")


def tool_of(span: Row, ledger: Ledger) -> ToolRun | None:
    """The run of a tool that a span is, None if it is none."""
    attributes = span["attributes"]
    operation = attributes.get("gen_ai.operation.name")
    if operation != "execute_tool" and _kind(span) != "tool" and "ai.toolCall.name" not in attributes:
        return None
    named = next((one for key in _TOOL_NAMES if (one := short(attributes.get(key)))), None)
    name = named or (short(span["name"]) or "tool").removeprefix("execute_tool ")
    result = next((attributes[key] for key in _TOOL_GAVE if attributes.get(key) is not None), None)
    if result is None:
        told = [row for event in span["events"] for row in _of_event(event, ledger)[1]]
        result = told[-1].get("text") if told else span["error"]
    return ToolRun(
        time_at(span["start"]),
        time_at(span["end"]),
        name,
        read_json(next((attributes[key] for key in _TOOL_GIVEN if attributes.get(key) is not None), None)),
        result,
        next((one for key in _TOOL_IDS if (one := short(attributes.get(key)))), None),
        bool(span["error"]),
        {"span": span["id"]} if span["id"] else {},
    )


def call_of(span: Row, ledger: Ledger) -> Call | None:
    """The call of a model that a span is, None where it holds no messages."""
    if _kind(span) in _ASIDE:
        return None
    attributes = dict(span["attributes"])
    given: list[Row] = []
    told: list[Row] = []
    for event in span["events"]:
        if event["name"] == "gen_ai.client.inference.operation.details":
            attributes = {**event["attributes"], **attributes}
            continue
        asked, answered = _of_event(event, ledger)
        given += asked
        told += answered
    inputs = _first_found(attributes, _INPUTS, "user", ledger) or given
    outputs = _first_found(attributes, _OUTPUTS, "assistant", ledger) or told or _of_vercel(attributes, ledger)
    if not inputs and not outputs:
        return None
    prompts = messages_of(attributes.get("gen_ai.system_instructions"), "system", ledger)
    about = {key: one for key, one in (("model", _model(attributes)), ("span", span["id"])) if one}
    return Call(time_at(span["start"]), time_at(span["end"]), [*prompts, *inputs], outputs, about)


def said_by(span: Row, ledger: Ledger, *, in_any_form: bool = False) -> Call | None:
    """What a turn took in and gave out, as the span around it says; of a span alone, the same. `in_any_form`: what is
    not known to be messages is kept too, as said by unknown.
    """
    if _kind(span) in _ASIDE or tool_of(span, ledger):
        return None
    found = call_of(span, ledger)
    if found:
        return found
    attributes = span["attributes"]
    for asked, answered in _WHOLE:
        inputs = whole_messages(attributes.get(asked), "customer", ledger)
        outputs = whole_messages(attributes.get(answered), "ai", ledger)
        if in_any_form:
            inputs = inputs or unknown_form(attributes.get(asked), ledger)
            outputs = outputs or unknown_form(attributes.get(answered), ledger)
        if inputs or outputs:
            return Call(time_at(span["start"]), time_at(span["end"]), inputs, outputs)
    return None


def whole_messages(value: JsonValue, role: str, ledger: Ledger) -> list[Row]:
    """The messages of a turn's input or output: messages, words, or an object with one field that holds either."""
    value = read_json(value)
    for _ in range(4):
        found = messages_of(value, "user" if role == "customer" else "assistant", ledger)
        if found or not isinstance(value, dict):
            return found
        keys = _ASKED if role == "customer" else _ANSWERED
        inner = next((value[key] for key in keys if value.get(key)), None)
        if inner is None:  # what Python's decorators record of a function
            inner = value.get("kwargs") or value.get("args")
            inner = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
        value = read_json(inner)
    return []


def unknown_form(value: JsonValue, ledger: Ledger) -> list[Row]:
    """What a turn took in or gave out, where it is not known to hold messages: as said by unknown."""
    value = read_json(value)
    if value in (None, "", [], {}):
        return []
    ledger.note("what a turn took in or gave out is of a form that is not known, it is kept as said by unknown")
    return [{"role": "unknown", "text": as_text(kept(value, ledger))}]


def _first_found(attributes: Row, names: tuple[str, ...], role: str, ledger: Ledger) -> list[Row]:
    for name in names:
        value = numbered(attributes, name) if name.endswith(".") else attributes.get(name)
        if value in (None, "", [], {}):
            continue
        found = messages_of(value, role, ledger)
        if not found and isinstance(value, str):
            found = [{"role": "ai" if role == "assistant" else "customer", "text": value}]  # an answer that is JSON
        if found:
            return found
    return []


def numbered(attributes: Mapping[str, JsonValue], prefix: str) -> list[JsonValue]:
    """`a.0.b.c` and the like, put back into a list of objects."""
    tree: Row = {}
    for key, value in attributes.items():
        if not key.startswith(prefix) or not key[len(prefix) :][:1].isdigit():
            continue
        path, at = key[len(prefix) :].split("."), tree
        for step in path[:-1][:12]:
            inner = at.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = at[step] = {"content": inner}
            at = inner
        at[path[-1]] = value
    listed = _lists(tree)
    return listed if isinstance(listed, list) else []


def _lists(tree: JsonValue) -> JsonValue:
    if not isinstance(tree, dict):
        return tree
    if tree and all(re.fullmatch(r"[0-9]{1,6}", key) for key in tree):
        return [_lists(tree[key]) for key in sorted(tree, key=int)[:_MOST]]
    return {key: _lists(value) for key, value in tree.items()}


def _of_event(event: Row, ledger: Ledger) -> tuple[list[Row], list[Row]]:
    """(what was given, what was answered) of one of the old conventions' events."""
    name = str(event["name"])
    attributes = event["attributes"]
    body = read_json(event.get("body"))
    told = read_json(attributes.get("gen_ai.event.content"))
    said: Row = {**attributes, **(told if isinstance(told, dict) else {}), **(body if isinstance(body, dict) else {})}
    if name in _EVENTS:
        role = said.get("role") or _EVENTS[name]
        row = {"role": role, "content": read_if_parts(said.get("content", told if isinstance(told, str) else None))}
        row |= {
            "tool_calls": read_json(said.get("tool_calls")),
            "tool_call_id": said.get("id"),
            "name": said.get("name"),
        }
        return messages_of([row], str(role), ledger), []
    if name == "gen_ai.choice":
        inner = read_json(said.get("message", said.get("content")))
        if isinstance(inner, dict):
            inner = {"role": "assistant", **inner}
        elif said.get("tool_calls"):
            inner = {"role": "assistant", "content": inner, "tool_calls": read_json(said["tool_calls"])}
        found = messages_of([inner] if isinstance(inner, dict) else inner, "assistant", ledger)
        if not found and isinstance(said.get("message"), str):
            found = [{"role": "ai", "text": said["message"]}]
        return [], found
    if name == "gen_ai.content.prompt":
        return _first_found(said, ("gen_ai.prompt",), "user", ledger), []
    if name == "gen_ai.content.completion":
        return [], _first_found(said, ("gen_ai.completion",), "assistant", ledger)
    return [], []


def read_if_parts(value: JsonValue) -> JsonValue:
    """A text that is a list of parts as JSON, read; a text that is other JSON stays the text that was said."""
    read = read_json(value)
    return read if isinstance(read, list) and read and all(isinstance(one, dict) for one in read) else value


def _of_vercel(attributes: Row, ledger: Ledger) -> list[Row]:
    text = attributes.get("ai.response.text")
    calls = read_json(attributes.get("ai.response.toolCalls"))
    if not text and not calls:
        return []
    return messages_of([{"role": "assistant", "content": text, "tool_calls": calls}], "assistant", ledger)


def _model(attributes: Row) -> str | None:
    return next((one for key in _MODELS if (one := short(attributes.get(key)))), None)
