"""OpenTelemetry traces of an AI agent: spans → sessions → conversations.

A row is a span, or a log record. Spans of one conversation id or session belong together, wherever in the file they
stand; without one, those of a trace do. What a span says of messages is read by `otel_messages`, put together by
`genai_turns`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from grader.errors import InputError
from grader.ingest import canonical
from grader.ingest.jsontext import decode, parse
from grader.ingest.rows import Incoming, Ledger, Parsed, Problem, UnfitError
from grader.ingest.source import Source, json_layout
from grader.ingest.sources.gathered import Item, gathered
from grader.ingest.sources.genai_messages import Row, short
from grader.ingest.sources.genai_turns import Call, Step, Transcript
from grader.ingest.sources.logged import kept
from grader.ingest.sources.option_values import OptionValues
from grader.ingest.sources.otel_messages import call_of, said_by, tool_of
from grader.ingest.sources.otel_spans import is_trace_file, spans_in, time_at
from grader.model import JsonValue, digest

# What names a conversation, the surest first.
SESSIONS = (
    ("gen_ai.conversation.id",),
    ("session.id", "langfuse.session.id", "mlflow.trace.session", "gcp.vertex.agent.session_id"),
    ("traceloop.association.properties.session_id", "traceloop.association.properties.conversation_id",
     "traceloop.association.properties.thread_id", "traceloop.association.properties.chat_id",
     "ai.telemetry.metadata.sessionId", "ai.telemetry.metadata.threadId", "ai.telemetry.metadata.chatId",
     "metadata.thread_id", "metadata.session_id"),
)  # fmt: skip
_USERS = (
    "user.id", "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id",
    "ai.telemetry.metadata.userId", "metadata.user_id",
)  # fmt: skip
_VERSIONS = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.model_name",
    "ai.model.id",
    "gen_ai.request.model_name",
)
_KEPT = ("metadata.", "traceloop.association.properties.", "langfuse.trace.", "ai.telemetry.metadata.", "tag.")
_FIELDS = ("queue", "reason", "channel", "language", "ai_version", "customer_id")
_MAX_KEPT = 50  # attributes, errors and traces that a conversation keeps
_NO_WORDS = "no message is recorded in {}: the words were not captured"
_CAPTURE = (
    "switch it on where the spans are made: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true, or SPAN_ONLY"
)


@dataclass(frozen=True)
class Options:
    """What the spans cannot say. `session`: attributes that name the conversation, before those that are known.
    `spans`: names (with *) of the spans whose model calls are the conversation; none: all. `fields`: a field of ours =
    the attribute that holds it (queue, reason, channel, language, ai_version, customer_id).
    """

    session: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options as they were given. Raises InputError for a name or a value that is none."""
    given = OptionValues(values, tuple(Options.__dataclass_fields__), "otel_genai")
    return Options(names_of(values, given, "session"), names_of(values, given, "spans"), fields_of(given))


def names_of(values: Mapping[str, JsonValue], given: OptionValues, name: str) -> tuple[str, ...]:
    """Names as they are written: attributes and spans tell capital letters apart."""
    given.words(name)
    value = values.get(name) or ()
    listed = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(one).strip() for one in listed if str(one).strip())


def fields_of(given: OptionValues) -> dict[str, str]:
    """The option `fields`. Raises InputError for a field that cannot be set so."""
    found = given.pairs("fields")
    for name in found:
        if name not in _FIELDS:
            cure = f"fields can be {', '.join(_FIELDS)}"
            raise InputError(f"{name[:60]!r} cannot be taken from an attribute", field="option fields", cure=cure)
    return found


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are traces, None if nothing says so."""
    for value in rows:
        for row in value[:20] if isinstance(value, list) else [value]:
            if is_trace_file(row):
                return "rows hold spans, with their trace and attributes"
    return None


def read(source: Source, ledger: Ledger, options: Options | None = None) -> Iterator[Parsed]:
    """The conversations of the file: every span in one of them, or with its problem."""
    reader = _Reader(ledger, options or Options())
    return gathered(reader.items(source), reader.joined)


@dataclass
class _Session:
    """The spans of one conversation, in the file's order."""

    key: str
    items: list[Item] = field(default_factory=list)


class _Reader:
    def __init__(self, ledger: Ledger, chosen: Options) -> None:
        self._ledger, self._chosen = ledger, chosen
        self._levels = ((chosen.session,) if chosen.session else ()) + SESSIONS

    def items(self, source: Source) -> Iterator[Item | Parsed]:
        """Every span as a row to be gathered by its trace and session; what is none, with its problem."""
        layout = "array" if source.head.lstrip()[:1] == b"[" else json_layout(source.head)
        for raw in source.rows(layout):
            begin, problem = raw.raw[:1024], raw.problem
            found: list[Row | None] = []
            if problem is None:
                try:
                    found = list(spans_in(parse(decode(raw.raw, self._ledger), self._ledger)))
                    if not found:
                        problem = Problem(None, "no span stands in it", "leave it out; is it an export of traces?")
                except UnfitError as error:
                    problem = Problem(None, error.reason, error.cure)
            self._ledger.settle()
            if problem:
                yield Parsed(raw.line, begin, problem=problem)
                continue
            for number, span in enumerate(found):
                if span is None:
                    reason = f"entry {number + 1} of its spans is no span: it names no trace, or has no attributes"
                    yield Parsed(raw.line, begin, problem=Problem(None, reason, "export the trace again"))
                    continue
                names = [f"trace {span['trace']}"] if span["trace"] else []
                names += [f"{level} {one}" for level, one in enumerate(self._sessions(span)) if one]
                about = str(span.get("name"))[:200].encode("utf-8", "replace")
                names = names or [f"row {raw.line} {number}"]
                yield Item(tuple(names), raw.line, about or begin, len(raw.raw) // len(found), span)

    def _sessions(self, span: Row) -> list[str | None]:
        """What the span calls its conversation, by level."""
        attributes = span["attributes"]
        return [next((one for key in keys if (one := short(attributes.get(key)))), None) for keys in self._levels]

    def joined(self, items: list[Item]) -> Iterator[Parsed]:
        """The conversations of spans that share a trace or a session: sessions are never merged."""
        for session in self._told_apart(items):
            record = self._record(session)
            problem = self._ledger.settle(len(session.items))
            if record is None or problem:
                yield from (Parsed(item.line, item.begin, problem=problem) for item in session.items)
                continue
            first = session.items[0]
            size = sum(item.size for item in session.items)
            yield Parsed(first.line, first.begin, (record,), rows=len(session.items), size=size)

    def _told_apart(self, items: list[Item]) -> list[_Session]:
        """By session; in a trace that serves several, a span without one is of the one above it."""
        traces: dict[str, list[Item]] = {}
        for item in items:
            traces.setdefault(item.value["trace"] or digest("otel", item.value), []).append(item)
        places = {id(item): place for place, item in enumerate(items)}
        sessions: dict[str, _Session] = {}
        for trace, its in traces.items():
            named = {id(item): self._sessions(item.value) for item in its}
            level = next((n for n in range(len(self._levels)) if any(one[n] for one in named.values())), None)
            ids = {} if level is None else {id(item): one for item in its if (one := named[id(item)][level])}
            only = next(iter(ids.values())) if len({*ids.values()}) == 1 else None
            by_id = {item.value["id"]: item for item in its if item.value["id"]}
            for item in its:
                own = only or (_above(item, by_id, ids) if ids else None)
                if own is None and ids and not said_by(item.value, self._ledger):
                    own = next(iter(ids.values()))  # a frame around several, without words of its own
                key = f"{level} {own}" if own else f"trace {trace}"
                found = sessions.setdefault(key, _Session(own or trace))
                found.items.append(item)
        return sorted(sessions.values(), key=lambda session: places[id(session.items[0])])

    # ── one conversation ──

    def _record(self, session: _Session) -> Incoming | None:
        transcript = Transcript(self._ledger)
        spans = [item.value for item in session.items]
        for steps, whole in self._turns(spans):
            transcript.turn(steps, whole)
        if not transcript.messages:
            what = "these spans" if len(spans) > 1 else "this span"
            self._ledger.problem(None, _NO_WORDS.format(what), _CAPTURE)
            return None
        models = Counter(
            str(row["attributes"]["model"])
            for row in transcript.messages
            if isinstance(row.get("attributes"), dict) and row["attributes"].get("model")
        )
        models = models or Counter(one for span in spans if (one := _said(span, _VERSIONS)))
        tools = any(row.get("tool_calls") or row.get("role") == "tool" for row in transcript.messages)
        row: Row = {
            "conversation_id": session.key,
            "ai_version": models.most_common(1)[0][0] if models else None,
            "tools_recorded": True if tools or any(_has_tools(span) for span in spans) else None,
            "customer_id": next((one for span in spans if (one := _said(span, _USERS))), None),
            "messages": transcript.messages,
            "attributes": self._attributes(spans, list(models)),
        }
        for name, attribute in self._chosen.fields.items():
            found = next((one for span in spans if (one := _said(span, (attribute,)))), None)
            if found is not None:
                row[name] = found.lower() if name in ("queue", "reason", "channel", "language") else found
        return canonical.record(row, self._ledger)

    def _turns(self, spans: list[Row]) -> Iterator[tuple[list[Step], Call | None]]:
        """The traces in the order of time, each as its model calls and tool runs."""
        traces: dict[str, list[Row]] = {}
        for number, span in enumerate(spans):
            traces.setdefault(span["trace"] or f"{number}", []).append(span)
        starts = {trace: [at for span in its if (at := time_at(span["start"]))] for trace, its in traces.items()}
        order = list(traces)
        if all(starts.values()):
            order.sort(key=lambda trace: min(starts[trace]))
        for trace in order:
            its = _with_events(traces[trace])
            by_id = {span["id"]: span for span in its if span["id"]}
            tools = {span["id"] for span in its if span["id"] and tool_of(span, self._ledger)}
            roots = [span for span in its if span["parent"] not in by_id]
            around = roots[0] if len(roots) == 1 and len(its) > 1 and self._is_chosen(roots[0]) else None
            whole = said_by(around, self._ledger) if around else None
            steps: list[Step] = []
            for span in its:
                if whole is not None and span is around:
                    continue
                if _is_below(span, by_id, tools):
                    self._ledger.note("what a tool did inside itself (model calls, further tools) was left out")
                    continue
                run = tool_of(span, self._ledger)
                made = run or call_of(span, self._ledger)
                if isinstance(made, Call) and not self._is_chosen(span):
                    self._ledger.note("model calls of spans that the option spans does not name were left out")
                elif made is not None:
                    steps.append(made)
            if whole is None and not any(isinstance(step, Call) for step in steps):
                whole = next((one for span in roots if (one := said_by(span, self._ledger, in_any_form=True))), None)
            if steps or whole is not None:
                yield steps, whole

    def _is_chosen(self, span: Row) -> bool:
        names = self._chosen.spans
        return not names or any(fnmatchcase(str(span["name"]), name) for name in names)

    def _attributes(self, spans: list[Row], models: list[str]) -> Row:
        found: Row = {}
        for span in spans:
            for key, value in span["attributes"].items():
                if key.startswith(_KEPT) and len(found) < _MAX_KEPT:
                    found.setdefault(key, kept(value, self._ledger))
            for key, value in span.get("beside", {}).items():
                found.setdefault(key, kept(value, self._ledger))
        errors = [f"{span['name']}: {span['error']}"[:300] for span in spans if span["error"]]
        services = dict.fromkeys(one for span in spans if (one := short(span["resource"].get("service.name"))))
        agents = dict.fromkeys(one for span in spans if (one := _said(span, ("gen_ai.agent.name", "agent.name"))))
        traces = dict.fromkeys(span["trace"] for span in spans if span["trace"])
        for name, values in (
            ("models", models), ("services", services), ("agents", agents), ("errors", errors), ("traces", traces),
        ):  # fmt: skip
            if values:
                found[name] = list(values)[:_MAX_KEPT]
        return found


def _above(item: Item, by_id: Mapping[str, Item], ids: Mapping[int, str]) -> str | None:
    """The session of a span, or of the nearest one above it that names one."""
    at: Item | None = item
    for _ in range(len(by_id) + 1):
        if at is None or id(at) in ids:
            return ids[id(at)] if at else None
        at = by_id.get(at.value["parent"])
    return None


def _is_below(span: Row, by_id: Mapping[str, Row], tools: set[str]) -> bool:
    at = by_id.get(span["parent"])
    for _ in range(len(by_id)):
        if at is None:
            return False
        if at["id"] in tools:
            return True
        at = by_id.get(at["parent"])
    return False


def _with_events(spans: list[Row]) -> list[Row]:
    """The spans, each with the log records that name it; records of spans that are not there make one of their own."""
    found: dict[str, Row] = {}
    plain: list[Row] = []
    for span in spans:
        if "body" not in span:
            found.setdefault(str(span["id"]), span)
            plain.append(span)
    for record in spans:
        if "body" in record:
            event = {"name": record["name"], "attributes": record["attributes"], "body": record["body"]}
            holder = found.get(str(record["id"]))
            if holder is None:
                holder = {**record, "events": [], "parent": None}
                del holder["body"]
                found[str(record["id"])] = holder
                plain.append(holder)
            holder["events"].append(event)
    return plain


def _said(span: Row, keys: tuple[str, ...]) -> str | None:
    return next((one for key in keys if (one := short(span["attributes"].get(key)))), None)


def _has_tools(span: Row) -> bool:
    names = (
        "gen_ai.tool.definitions",
        "llm.tools",
        "gen_ai.request.functions",
        "ai.prompt.tools",
        "llm.request.functions",
    )
    return any(key in names or key.startswith(tuple(f"{name}." for name in names)) for key in span["attributes"])
