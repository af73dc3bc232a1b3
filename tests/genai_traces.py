"""The same talk as the tools of many makers record it: what the tests of OpenTelemetry and Langfuse share."""

from __future__ import annotations

import json
from typing import Any

Json = Any
MINUTE = 60_000_000_000
START = 1_790_000_000_000_000_000  # nanoseconds: 2026-09-21

SYSTEM: Json = {"role": "system", "content": "Be kind."}
U1: Json = {"role": "user", "content": "Where is order Q-1?"}
CALL: Json = {"id": "c1", "name": "get_order", "arguments": {"id": "Q-1"}}
RESULT = '{"status": "sent"}'
A1: Json = {"role": "assistant", "content": "It was sent."}
U2: Json = {"role": "user", "content": "Thanks! When?"}
A2: Json = {"role": "assistant", "content": "Yesterday."}
_FUNCTION: Json = {"name": "get_order", "arguments": json.dumps(CALL["arguments"])}
ASKS: Json = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": _FUNCTION}],
}
ANSWER: Json = {"role": "tool", "tool_call_id": "c1", "name": "get_order", "content": RESULT}

# Three calls of the model in two turns; each repeats all that was said before it.
CALLS: list[tuple[list[Json], Json]] = [
    ([SYSTEM, U1], ASKS),
    ([SYSTEM, U1, ASKS, ANSWER], A1),
    ([SYSTEM, U1, ASKS, ANSWER, A1, U2], A2),
]
SAID = [
    ("system", "Be kind."), ("customer", "Where is order Q-1?"), ("ai", ""), ("tool", RESULT), ("ai", "It was sent."),
    ("customer", "Thanks! When?"), ("ai", "Yesterday."),
]  # fmt: skip


def any_value(value: Json) -> Json:
    """OTLP's AnyValue."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(one) for one in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": any_value(one)} for key, one in value.items()]}}
    return {"stringValue": value}


def keys(attributes: Json) -> Json:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def span(trace: str, number: int, attributes: Json, *, parent: str = "", events: Json = (), **more: Json) -> Json:
    """A span as OTLP writes it; the `number` orders it in time."""
    at = START + number * MINUTE
    return {
        "traceId": trace.ljust(32, "0"), "spanId": f"{trace}{number}".ljust(16, "0"), "parentSpanId": parent,
        "name": "chat gpt-x", "kind": 3, "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + MINUTE // 2),
        "attributes": keys(attributes), "status": {},
        "events": [{"timeUnixNano": str(at), "name": name, "attributes": keys(its)} for name, its in events], **more,
    }  # fmt: skip


def request(*spans: Json) -> Json:
    """An export request."""
    resource = {"attributes": keys({"service.name": "shop-agent"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": list(spans)}]}]}


def parts(message: Json) -> Json:
    """A message in OpenTelemetry's form."""
    if message["role"] == "tool":
        inner = [{"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}]
        return {"role": "tool", "parts": inner}
    inner = [{"type": "text", "content": message["content"]}] if message["content"] else []
    inner += [{"type": "tool_call", **CALL} for _ in message.get("tool_calls", [])]
    return {"role": message["role"], "parts": inner}


def numbered(prefix: str, message: Json) -> Json:
    """A message in OpenLLMetry's numbered attributes."""
    found = {f"{prefix}.role": message["role"], f"{prefix}.content": message["content"] or ""}
    for number, call in enumerate(message.get("tool_calls", [])):
        found |= {f"{prefix}.tool_calls.{number}.{key}": value for key, value in call["function"].items()}
        found[f"{prefix}.tool_calls.{number}.id"] = call["id"]
    return found | ({f"{prefix}.tool_call_id": message["tool_call_id"]} if "tool_call_id" in message else {})


def inference(prefix: str, message: Json) -> Json:
    """A message in OpenInference's flattened attributes."""
    at = f"{prefix}.message"
    found = {f"{at}.role": message["role"], f"{at}.content": message["content"] or ""}
    for number, call in enumerate(message.get("tool_calls", [])):
        inner = f"{at}.tool_calls.{number}.tool_call"
        found |= {f"{inner}.id": call["id"], f"{inner}.function.name": call["function"]["name"]}
        found[f"{inner}.function.arguments"] = call["function"]["arguments"]
    return found | ({f"{at}.tool_call_id": message["tool_call_id"]} if "tool_call_id" in message else {})


def vercel(message: Json) -> Json:
    """A message of the Vercel AI SDK."""
    if message["role"] == "tool":
        inner = {"type": "tool-result", "toolCallId": "c1", "toolName": "get_order", "output": message["content"]}
        return {"role": "tool", "content": [inner]}
    if "tool_calls" in message:
        call = {"type": "tool-call", "toolCallId": "c1", "toolName": "get_order", "input": CALL["arguments"]}
        return {"role": "assistant", "content": [call]}
    return {"role": message["role"], "content": [{"type": "text", "text": message["content"]}]}


def event_of(message: Json) -> Json:
    """A message as one of the old events."""
    attributes = {"content": message["content"] or ""} | (
        {"tool_calls": json.dumps(message["tool_calls"])} if "tool_calls" in message else {}
    )
    attributes |= {"id": message["tool_call_id"]} if "tool_call_id" in message else {}
    return (f"gen_ai.{message['role']}.message", attributes)


def conventions() -> dict[str, Any]:
    """Name → (the attributes, the events) of one call, by each convention."""

    def new(inputs: Json, output: Json) -> Json:
        rest = [parts(one) for one in inputs if one is not SYSTEM]
        prompt = json.dumps([{"type": "text", "content": SYSTEM["content"]}])
        return {"gen_ai.operation.name": "chat", "gen_ai.system_instructions": prompt, "gen_ai.input.messages":
                json.dumps(rest), "gen_ai.output.messages": json.dumps([parts(output)])}, []  # fmt: skip

    def structured(inputs: Json, output: Json) -> Json:
        return {"gen_ai.input.messages": [parts(one) for one in inputs], "gen_ai.output.messages": [parts(output)]}, []

    def flat(inputs: Json, output: Json) -> Json:
        found = {"llm.request.type": "chat"} | numbered("gen_ai.completion.0", output)
        for number, one in enumerate(inputs):
            found |= numbered(f"gen_ai.prompt.{number}", one)
        return found, []

    def openinference(inputs: Json, output: Json) -> Json:
        found = {"openinference.span.kind": "LLM", "input.value": json.dumps({"messages": inputs})}
        found |= inference("llm.output_messages.0", output)
        for number, one in enumerate(inputs):
            found |= inference(f"llm.input_messages.{number}", one)
        return found, []

    def events(inputs: Json, output: Json) -> Json:
        choice = {"index": 0, "finish_reason": "stop", "message": json.dumps(output)}
        return {"gen_ai.system": "openai"}, [*map(event_of, inputs), ("gen_ai.choice", choice)]

    def details(inputs: Json, output: Json) -> Json:
        attributes, _ = new(inputs, output)
        return {"gen_ai.system": "x"}, [("gen_ai.client.inference.operation.details", attributes)]

    def ai_sdk(inputs: Json, output: Json) -> Json:
        found: Json = {"ai.prompt.messages": json.dumps([vercel(one) for one in inputs]), "ai.model.id": "gpt-x"}
        calls = [{"toolCallId": "c1", "toolName": "get_order", "input": CALL["arguments"]}]
        return found | ({"ai.response.toolCalls": json.dumps(calls)} if "tool_calls" in output else
                        {"ai.response.text": output["content"]}), []  # fmt: skip

    def langfuse(inputs: Json, output: Json) -> Json:
        return {"langfuse.observation.type": "generation", "langfuse.observation.input": json.dumps(inputs),
                "langfuse.observation.output": json.dumps(output)}, []  # fmt: skip

    def google(inputs: Json, output: Json) -> Json:
        def content(one: Json) -> Json:
            inner = [{"text": one["content"]}] if one["content"] else []
            if one["role"] == "tool":
                inner = [{"function_response": {"id": "c1", "name": "get_order", "response": RESULT}}]
            if "tool_calls" in one:
                inner.append({"function_call": {"id": "c1", "name": "get_order", "args": CALL["arguments"]}})
            return {"role": "model" if one["role"] == "assistant" else one["role"], "parts": inner}

        asked = {"model": "gemini-x", "contents": [content(one) for one in inputs]}
        return {"gcp.vertex.agent.llm_request": json.dumps(asked), "gcp.vertex.agent.llm_response":
                json.dumps({"content": content(output), "finish_reason": "STOP"})}, []  # fmt: skip

    return {
        "google": google, "parts": new, "structured": structured, "numbered": flat, "openinference": openinference,
        "events": events, "details": details, "vercel": ai_sdk, "langfuse": langfuse,
    }  # fmt: skip


def chat(inputs: list[Json], output: Json, **more: Json) -> Json:
    """The attributes of a call of the model."""
    told = {"gen_ai.output.messages": json.dumps([parts(output)])} if output else {}
    return {"gen_ai.input.messages": json.dumps([parts(one) for one in inputs])} | told | more


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def answer(text: str) -> Json:
    return {"role": "assistant", "content": text}


def tool(number: int, result: Json, *, call_id: str | None = "c1", parent: str = "", **more: Json) -> Json:
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_order",
        "gen_ai.tool.call.arguments": json.dumps(CALL["arguments"]),
        "gen_ai.tool.call.result": result,
    }
    return span("aa", number, attributes | ({"gen_ai.tool.call.id": call_id} if call_id else {}), parent=parent, **more)
