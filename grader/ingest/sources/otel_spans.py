"""Spans out of the files that OpenTelemetry's exporters and the tools around it write, in one form.

OTLP as JSON (one export request per line, or a file), log records that carry GenAI events, what the SDKs' console
exporters print, Jaeger's and Tempo's answers, Phoenix' nested attributes, and any-agent's traces. What a span says is
not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from grader.ingest.fields import read_time
from grader.ingest.rows import Ledger, UnfitError
from grader.model import JsonValue

Row = dict[str, JsonValue]

_TRACE_IDS = ("traceId", "trace_id", "traceID", "context.trace_id", "trace.id")
_SPAN_IDS = ("spanId", "span_id", "spanID", "context.span_id", "id")
_PARENTS = ("parentSpanId", "parent_span_id", "parentSpanID", "parent_id", "parentId")
_STARTS = ("startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "timestamp", "timeUnixNano")
_ENDS = ("endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time")
_LISTS = ("resourceSpans", "resource_spans", "batches", "resourceLogs", "resource_logs")
_SCOPES = (
    "scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans", "scopeLogs",
    "scope_logs",
)  # fmt: skip
_RECORDS = ("spans", "logRecords", "log_records")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 8  # nested objects inside an attribute


def is_trace_file(value: JsonValue) -> bool:
    """A value that holds spans, or is one."""
    if not isinstance(value, dict):
        return False
    if any(isinstance(value.get(key), list) for key in _LISTS):
        return True
    listed = value.get("spans")
    if isinstance(listed, list) and any(is_span(span) for span in listed[:20]):
        return True
    inner = value.get("data")  # Jaeger's answers
    if isinstance(inner, list) and inner and isinstance(inner[0], dict) and "spans" in inner[0]:
        return is_trace_file(inner[0])
    return is_span(value)


def is_span(value: JsonValue) -> bool:
    """One span: it names its trace, and has attributes."""
    if not isinstance(value, dict):
        return False
    attributes = value.get("attributes", value.get("tags"))
    return _first(_flat(value), _TRACE_IDS) is not None and isinstance(attributes, (dict, list))


def spans_in(value: JsonValue) -> Iterator[Row | None]:
    """Every span and log record that a value holds, each as {trace, id, parent, name, start, end, attributes, events,
    error, resource}; None for each entry of such a list that is none. The first span of a file of any-agent's also has
    what stands beside its spans.
    """
    if isinstance(value, list):
        for item in value:
            yield from spans_in(item)
        return
    if not isinstance(value, dict):
        return
    for key in _LISTS:
        for holder in value[key] if isinstance(value.get(key), list) else []:
            yield from _of_resource(holder)
    if isinstance(value.get("spans"), list):
        yield from _of_list(value)
    elif is_span(value):
        yield _span(value, {})
    for key in ("trace", "data"):
        if isinstance(value.get(key), (dict, list)) and not is_span(value):
            yield from spans_in(value[key])


def _of_list(value: Row) -> Iterator[Row | None]:
    """any-agent's traces, and Jaeger's, whose services stand beside the spans."""
    services = value.get("processes")
    processes: Row = services if isinstance(services, dict) else {}
    besides = {key: value[key] for key in value if key not in ("spans", "processes", *_TRACE_IDS)}
    for span in value["spans"]:
        if not is_span(span):
            yield None
            continue
        process = processes.get(str(span.get("processID")))
        resource = {"service.name": process.get("serviceName")} if isinstance(process, dict) else {}
        yield _span(span, resource) | ({"beside": besides} if besides else {})
        besides = {}


def _of_resource(holder: JsonValue) -> Iterator[Row | None]:
    resource = holder.get("resource") if isinstance(holder, dict) else None
    about = _attributes(resource.get("attributes")) if isinstance(resource, dict) else {}
    scopes = [holder[key] for key in _SCOPES if holder.get(key) is not None] if isinstance(holder, dict) else [None]
    for listed in scopes:
        for scope in listed if isinstance(listed, list) else [None]:
            found = (
                [scope[key] for key in _RECORDS if scope.get(key) is not None] if isinstance(scope, dict) else [None]
            )
            for records in found:
                for record in records if isinstance(records, list) else [None]:
                    yield _span(record, about) if isinstance(record, dict) else None


def _span(raw: Row, resource: Row) -> Row:
    flat = _flat(raw)
    parent = _first(flat, _PARENTS)
    inner = raw.get("parent")
    if parent is None and isinstance(inner, dict):
        parent = _first(inner, ("span_id", "spanId"))
    for reference in raw["references"] if isinstance(raw.get("references"), list) else []:
        if isinstance(reference, dict) and parent is None:
            parent = reference.get("spanID")
    start, end = _first(flat, _STARTS), _first(flat, _ENDS)
    if end is None and isinstance(start, (int, float)) and isinstance(raw.get("duration"), (int, float)):
        end = start + raw["duration"]  # Jaeger: both in microseconds
    attributes = _attributes(raw.get("attributes", raw.get("tags")))
    own = raw.get("resource")
    about = {**resource, **(_attributes(own.get("attributes")) if isinstance(own, dict) else {})}
    made: Row = {
        "trace": _id(_first(flat, _TRACE_IDS), 32),
        "id": _id(_first(flat, _SPAN_IDS), 16),
        "parent": _id(parent, 16),
        "name": raw.get("name") or raw.get("operationName") or raw.get("eventName") or attributes.get("event.name"),
        "start": start,
        "end": end,
        "attributes": attributes,
        "events": [event for raw_event in _events(raw) if (event := _event(raw_event))],
        "error": _error(raw, attributes),
        "resource": {key: about[key] for key in ("service.name", "service.version") if about.get(key)},
    }
    if "body" in raw:
        made["body"] = _any(raw["body"])
    return made


def _events(raw: Row) -> list[JsonValue]:
    found = raw.get("events", raw.get("logs"))
    return found if isinstance(found, list) else []


def _event(raw: JsonValue) -> Row | None:
    if not isinstance(raw, dict):
        return None
    attributes = _attributes(raw.get("attributes", raw.get("fields")))
    return {
        "name": raw.get("name") or attributes.get("event.name") or attributes.get("event"),
        "attributes": attributes,
    }


def _error(raw: Row, attributes: Row) -> str | None:
    status = raw.get("status")
    code = _first(status, ("code", "status_code", "statusCode")) if isinstance(status, dict) else raw.get("status_code")
    failed = code == 2 or (isinstance(code, str) and code.upper().rpartition(".")[2] in ("ERROR", "STATUS_CODE_ERROR"))
    if not failed and attributes.get("error") is not True:
        return None
    said = _first(status, ("message", "description")) if isinstance(status, dict) else raw.get("status_message")
    return said if isinstance(said, str) and said else str(attributes.get("error.type") or "error")


def _flat(raw: Mapping[str, JsonValue]) -> Row:
    """The fields of a span, with those of its context."""
    context = raw.get("context")
    inner = context if isinstance(context, dict) else raw.get("spanContext")
    return {**raw, **{f"context.{key}": one for key, one in inner.items()}} if isinstance(inner, dict) else dict(raw)


def _first(raw: Mapping[str, JsonValue], keys: tuple[str, ...]) -> JsonValue:
    return next((raw[key] for key in keys if raw.get(key) not in (None, "")), None)


def _id(value: JsonValue, digits: int) -> str | None:
    """An id in the form that most tools show: hexadecimal, without 0x. All zeros are none."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 16**digits:
        value = f"{value:0{digits}x}"
    if not isinstance(value, str):
        return None
    text = value.strip().removeprefix("0x")
    return text[:200] if text.strip("0") else None


def _attributes(raw: JsonValue) -> Row:
    """Attributes as a flat object: OTLP's and Jaeger's lists of keys and values, nested objects by dotted keys."""
    if isinstance(raw, list):
        pairs = [(one.get("key"), one.get("value")) for one in raw if isinstance(one, dict)]
        found = {key: _any(value) for key, value in pairs if isinstance(key, str)}
    else:
        found = dict(raw) if isinstance(raw, dict) else {}
    for _ in range(_DEEPEST):
        nested = [key for key, value in found.items() if isinstance(value, dict) and value and _is_path(key, value)]
        if not nested:
            break
        for key in nested:
            inner = found.pop(key)
            found |= {f"{key}.{name}": value for name, value in inner.items() if f"{key}.{name}" not in found}
    return found


_NAMESPACES = (
    "gen_ai",
    "llm",
    "openinference",
    "session",
    "user",
    "input",
    "output",
    "tool",
    "traceloop",
    "langfuse",
    "ai",
)


def _is_path(key: str, value: Mapping[str, JsonValue]) -> bool:
    """A nested object that stands for a dotted name, not one that is a value."""
    return key.partition(".")[0] in _NAMESPACES and "role" not in value


def _any(value: JsonValue, depth: int = 0) -> JsonValue:
    """OTLP's AnyValue as the value that it is."""
    if not isinstance(value, dict) or len(value) != 1 or depth > 50:
        return value
    (kind, inner), *_ = value.items()
    if kind in ("stringValue", "boolValue", "doubleValue", "string_value", "bool_value", "double_value"):
        return inner
    if kind in ("intValue", "int_value"):
        return int(inner) if isinstance(inner, str) and inner.lstrip("-").isdigit() and len(inner) < 30 else inner
    if kind in ("arrayValue", "array_value") and isinstance(inner, dict):
        listed = inner.get("values")
        return [_any(one, depth + 1) for one in listed] if isinstance(listed, list) else []
    if kind in ("kvlistValue", "kvlist_value") and isinstance(inner, dict):
        pairs = inner.get("values")
        return {
            str(one.get("key")): _any(one.get("value"), depth + 1)
            for one in (pairs if isinstance(pairs, list) else [])
            if isinstance(one, dict)
        }
    return value


def time_at(value: JsonValue) -> datetime | None:
    """A span's time: nano-, micro-, milliseconds or seconds since 1970, or ISO 8601, in UTC where it says no offset.
    None where it is none of these.
    """
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, (int, float)) for one in value):
        value = value[0] * 1_000_000_000 + value[1]  # JavaScript's [seconds, nanoseconds]
    if isinstance(value, str) and value.strip().isdigit() and len(value.strip()) < 25:
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for unit in (1_000_000_000, 1_000_000, 1_000, 1):
            seconds = value // unit if isinstance(value, int) else value / unit
            if 946_684_800 <= seconds < 4_102_444_800:  # the years 2000 to 2099
                return _EPOCH + timedelta(microseconds=value * 1_000_000 // unit)
        return None
    try:
        return read_time(value, Ledger()).astimezone(UTC) if isinstance(value, str) else None
    except (UnfitError, OverflowError):
        return None
