"""Langfuse: traces, observations and scores → sessions → conversations.

A row is a trace, an observation or a score, wherever it stands. A session is a conversation, its traces are the turns;
a trace without a session is a conversation by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice

from grader.errors import InputError
from grader.ingest import canonical
from grader.ingest.jsontext import decode, parse
from grader.ingest.rows import Incoming, Ledger, Parsed, Problem, UnfitError
from grader.ingest.source import Source, json_layout
from grader.ingest.sources.gathered import Item, gathered
from grader.ingest.sources.genai_messages import Row, messages_of, read_json, short
from grader.ingest.sources.genai_turns import Call, Step, ToolRun, Transcript
from grader.ingest.sources.langfuse_rows import holds, is_csv, rows_in, table
from grader.ingest.sources.logged import kept
from grader.ingest.sources.option_values import OptionValues
from grader.ingest.sources.otel_genai import fields_of, names_of
from grader.ingest.sources.otel_messages import unknown_form, whole_messages
from grader.ingest.sources.otel_spans import time_at
from grader.model import JsonValue

_TALK = ("generation",)
_MAX_KEPT = 50  # scores, errors and traces that a conversation keeps
_CAPTURE = "is the input and output of traces and generations sent to Langfuse, and exported?"


@dataclass(frozen=True)
class Options:
    """What the export cannot say. `csat_score`: the name of the score that is the CSAT; `csat_scale`: its worst and
    best value, where these are not 1 and 5. `spans`: names (with *) of the generations that are the conversation; none:
    all. `fields`: a field of ours = the key of the traces' metadata that holds it.
    """

    csat_score: str = "csat"
    csat_scale: tuple[float, float] = (1.0, 5.0)
    spans: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options as they were given. Raises InputError for a name or a value that is none."""
    given = OptionValues(values, tuple(Options.__dataclass_fields__), "langfuse")
    scale = [short(one) or str(one) for one in names_of(values, given, "csat_scale")] or ["1", "5"]
    try:
        worst, best = (float(one) for one in scale)
        if worst == best or abs(worst) + abs(best) > 1e9:
            raise ValueError
    except ValueError:
        cure = "write the worst and the best value: csat_scale=0,1"
        raise InputError("must be two different numbers", field="option csat_scale", cure=cure) from None
    name = given.word("csat_score", Options.csat_score) or Options.csat_score
    return Options(name, (worst, best), names_of(values, given, "spans"), fields_of(given))


def recognises(rows: list[JsonValue]) -> str | None:
    """Why these first rows are Langfuse's, None if nothing says so."""
    for value in rows:
        for row in value[:20] if isinstance(value, list) else [value]:
            if holds(row):
                return "rows are Langfuse's traces, observations or scores"
    return None


def recognises_table(source: Source) -> str | None:
    """Why this CSV is one of Langfuse's tables, None if its first rows do not say so."""
    first = [row.value for row in islice(table(source), 20) if row.value is not None]
    return "its columns are those of Langfuse's tables" if recognises(list(first)) else None


def read(source: Source, ledger: Ledger, options: Options | None = None) -> Iterator[Parsed]:
    """The conversations of the file: every trace, observation and score in one of them, or with its problem."""
    reader = _Reader(ledger, options or Options())
    return gathered(reader.items(source), reader.joined)


class _Reader:
    def __init__(self, ledger: Ledger, chosen: Options) -> None:
        self._ledger, self._chosen = ledger, chosen

    def items(self, source: Source) -> Iterator[Item | Parsed]:
        """Every object as a row to be gathered by its trace and session; what is none, with its problem."""
        for line, begin, size, value, problem in self._values(source):
            found: list[Row | None] = [] if problem else list(rows_in(value))
            if not problem and not found:
                reason = "it is no trace, no observation and no score of Langfuse's"
                problem = Problem(None, reason, "leave it out")
            self._ledger.settle()
            if problem:
                yield Parsed(line, begin, problem=problem)
                continue
            for number, row in enumerate(found):
                if row is None:
                    reason = f"entry {number + 1} of a list in it is no trace, no observation and no score"
                    yield Parsed(line, begin, problem=Problem(None, reason, "export it again"))
                    continue
                trace = short(row["id"] if row["is"] == "trace" else row.get("trace_id"))
                session = short(row.get("session_id"))
                if not trace and not session:
                    yield Parsed(line, begin, problem=Problem("id", "it names no trace", "export it again"))
                    continue
                row |= {"trace_id": trace, "session_id": session, "id": short(row.get("id"))}
                row["parent_observation_id"] = short(row.get("parent_observation_id"))
                names = [f"trace {trace}"] * bool(trace) + [f"session {session}"] * bool(session)
                yield Item(tuple(names), line, begin, size // len(found), row)

    def _values(self, source: Source) -> Iterator[tuple[int, bytes, int, JsonValue, Problem | None]]:
        """(line, beginning, bytes, value, what is wrong with it) of every value of JSON, or row of a table."""
        if is_csv(source):
            for row in table(source):
                begin = row.begin if isinstance(row.begin, bytes) else row.begin.encode("utf-8", "replace")
                yield row.line, begin, row.size, row.value, row.problem
            return
        layout = "array" if source.head.lstrip()[:1] == b"[" else json_layout(source.head)
        for raw in source.rows(layout):
            value, problem = None, raw.problem
            if problem is None:
                try:
                    value = parse(decode(raw.raw, self._ledger), self._ledger)
                except UnfitError as error:
                    problem = Problem(None, error.reason, error.cure)
            yield raw.line, raw.raw[:1024], len(raw.raw), value, problem

    def joined(self, items: list[Item]) -> Iterator[Parsed]:
        """The conversations of rows that share a trace or a session: sessions are never merged."""
        for key, its in _told_apart(items).items():
            rows = [item.value for item in its]
            records = self._records(key, rows)
            problem = self._ledger.settle(len(its))
            if problem or not records:
                yield from (Parsed(item.line, item.begin, problem=problem) for item in its)
                continue
            size = sum(item.size for item in its)
            yield Parsed(its[0].line, its[0].begin, records, rows=len(its), size=size)

    def _records(self, key: str, rows: list[Row]) -> tuple[Incoming, ...]:
        scores = [row for row in rows if row["is"] == "score"]
        talk = [row for row in rows if row["is"] != "score"]
        found: list[Incoming] = []
        if talk:
            record = canonical.record(self._conversation(key, talk, scores), self._ledger)
            found += [record] if record else []
        outcome = self._outcome(key, scores)
        if outcome and not self._ledger.problems:
            made = canonical.record(outcome, self._ledger)
            found += [made] if made else []
        elif not talk and not outcome:
            cure = "hand in the traces with their scores; --option csat_score=NAME says which score is the CSAT"
            self._ledger.problem(None, "a score without its trace in the file, and no CSAT", cure)
        return () if self._ledger.problems else tuple(found)

    def _conversation(self, key: str, talk: list[Row], scores: list[Row]) -> Row:
        transcript = Transcript(self._ledger)
        traces: dict[str, list[Row]] = {}
        for row in talk:
            traces.setdefault(str(row["trace_id"]), []).append(row)
        begun = {trace: [at for row in its if (at := _begins(row))] for trace, its in traces.items()}
        order = sorted(traces, key=lambda trace: min(begun[trace])) if all(begun.values()) else list(traces)
        for trace in order:
            steps, whole = self._turn(traces[trace])
            transcript.turn(steps, whole)
        if not transcript.messages:
            self._ledger.problem(None, "nothing in it was said: no input and no output is there", _CAPTURE)
        heads = [row for row in talk if row["is"] == "trace"]
        models = Counter(one for row in talk if (one := _model(row)))
        versions = [one for name in ("version", "release") for row in heads or talk if (one := short(row.get(name)))]
        tools = any(row.get("tool_calls") or row.get("role") == "tool" for row in transcript.messages)
        tools = tools or any(row.get("tool_definitions") for row in talk)
        made: Row = {
            "conversation_id": key,
            "ai_version": versions[0] if versions else models.most_common(1)[0][0] if models else None,
            "tools_recorded": True if tools else None,
            "customer_id": next((one for row in talk if (one := short(row.get("user_id")))), None),
            "messages": transcript.messages,
            "attributes": self._attributes(talk, heads, scores, list(models)),
        }
        for name, path in self._chosen.fields.items():
            found = next((one for row in talk if (one := short(_metadata(row).get(path)))), None)
            if found is not None:
                made[name] = found.lower() if name in ("queue", "reason", "channel", "language") else found
        return made

    def _turn(self, its: list[Row]) -> tuple[list[Step], Call | None]:
        """The generations and tools of one trace, and what the trace as a whole took in and gave out."""
        heads = [row for row in its if row["is"] == "trace"]
        observations = [row for row in its if row["is"] == "observation"]
        by_id = {row["id"]: row for row in observations if row.get("id")}
        roots = [row for row in observations if row.get("parent_observation_id") not in by_id]
        around = (
            heads[0] if heads else roots[0] if len(roots) == 1 and _type(roots[0]) not in (*_TALK, "tool") else None
        )
        whole = self._whole(around, observations) if around else None
        steps: list[Step] = []
        for row in observations:
            kind = _type(row)
            if kind not in (*_TALK, "tool") or _is_inside_tool(row, by_id):
                continue
            if kind == "tool":
                steps.append(_run(row))
            elif self._is_chosen(row):
                made = self._call(row)
                steps += [made] if made.inputs or made.outputs else []
            else:
                self._ledger.note("generations that the option spans does not name were left out")
        return steps, whole

    def _whole(self, around: Row, observations: list[Row]) -> Call | None:
        inputs = whole_messages(around.get("input"), "customer", self._ledger)
        outputs = whole_messages(around.get("output"), "ai", self._ledger)
        if not any(_type(row) in _TALK for row in observations):
            inputs = inputs or unknown_form(around.get("input"), self._ledger)
            outputs = outputs or unknown_form(around.get("output"), self._ledger)
        begun = _begins(around)
        times = [at for row in (around, *observations) if (at := time_at(row.get("end_time")) or _begins(row))]
        return Call(begun, max(times, default=None), inputs, outputs) if inputs or outputs else None

    def _call(self, row: Row) -> Call:
        inputs = whole_messages(row.get("input"), "customer", self._ledger)
        outputs = whole_messages(row.get("output"), "ai", self._ledger)
        if not outputs and isinstance(row.get("output"), str) and row["output"].strip():
            outputs = [{"role": "ai", "text": row["output"]}]  # an answer that is JSON
        listed = row.get("tool_calls")
        if not any(one.get("tool_calls") for one in outputs) and isinstance(listed, list):
            calls = [read_json(one) for one in listed]
            outputs += (
                messages_of([{"role": "assistant", "tool_calls": calls}], "assistant", self._ledger) if calls else []
            )
        about = {name: one for name, one in (("model", _model(row)), ("span", short(row.get("id")))) if one}
        return Call(_begins(row), time_at(row.get("end_time")) or _begins(row), inputs, outputs, about)

    def _is_chosen(self, row: Row) -> bool:
        return not self._chosen.spans or any(fnmatchcase(str(row.get("name")), one) for one in self._chosen.spans)

    def _outcome(self, key: str, scores: list[Row]) -> Row | None:
        """The CSAT, if a score is one: the latest."""
        wanted = self._chosen.csat_score.casefold()
        rated = [row for row in scores if str(row.get("name")).strip().casefold() == wanted]
        rated = [
            row for row in rated if isinstance(row.get("value"), (int, float)) and not isinstance(row["value"], bool)
        ]
        if not rated:
            return None
        latest = max(rated, key=lambda row: str(time_at(row.get("timestamp")) or ""))
        worst, best = self._chosen.csat_scale
        csat = 1 + 4 * (latest["value"] - worst) / (best - worst)
        if not 1 <= csat <= 5:
            self._ledger.note("a CSAT lies outside its scale and was left out; --option csat_scale says which it is")
            return None
        comment, at = latest.get("comment"), time_at(latest.get("timestamp"))
        return {
            "type": "outcome", "conversation_id": key, "csat": csat, "observed_at": at,
            "csat_comment": comment if isinstance(comment, str) else None,
        }  # fmt: skip

    def _attributes(self, talk: list[Row], heads: list[Row], scores: list[Row], models: list[str]) -> Row:
        found: Row = {}
        for row in heads:
            for name, value in _metadata(row).items():
                if len(found) < _MAX_KEPT:
                    found.setdefault(name, kept(value, self._ledger))
        tags = [tag for row in talk for tag in (row["tags"] if isinstance(row.get("tags"), list) else [])]
        errors = [
            f"{row.get('name')}: {row.get('status_message')}"[:300] for row in talk if row.get("level") == "ERROR"
        ]
        told = ("name", "value", "string_value", "comment", "source", "timestamp", "observation_id")
        rated = [{name: kept(row[name], self._ledger) for name in told if row.get(name) is not None} for row in scores]
        traces = dict.fromkeys(row["trace_id"] for row in talk if row["trace_id"])
        names = dict.fromkeys(one for row in heads if (one := short(row.get("name"))))
        tags = list(dict.fromkeys(one for tag in tags if (one := short(tag))))
        lists = (
            ("models", models),
            ("names", names),
            ("tags", tags),
            ("errors", errors),
            ("scores", rated),
            ("traces", traces),
        )
        return found | {name: list(values)[:_MAX_KEPT] for name, values in lists if values}


def _told_apart(items: list[Item]) -> dict[str, list[Item]]:
    """By session, else by trace."""
    sessions: dict[str | None, dict[str, None]] = {}
    for item in items:
        if item.value["session_id"]:
            sessions.setdefault(item.value["trace_id"], {})[item.value["session_id"]] = None
    found: dict[str, list[Item]] = {}
    for item in items:
        row = item.value
        own = row["session_id"] or next(iter(sessions.get(row["trace_id"], {})), None)
        found.setdefault(str(own or row["trace_id"]), []).append(item)
    return found


def _begins(row: Row) -> datetime | None:
    return time_at(row.get("start_time") if row["is"] == "observation" else row.get("timestamp"))


def _type(row: Row) -> str:
    return str(row.get("type") or "span").lower()


def _model(row: Row) -> str | None:
    return short(row.get("provided_model_name") or row.get("model"))


def _metadata(row: Row) -> Row:
    found = read_json(row.get("metadata"))
    return found if isinstance(found, dict) else {}


def _run(row: Row) -> ToolRun:
    return ToolRun(
        _begins(row), time_at(row.get("end_time")) or _begins(row), short(row.get("name")) or "tool",
        read_json(row.get("input")), read_json(row.get("output")), None, row.get("level") == "ERROR",
        {"span": short(row.get("id"))} if short(row.get("id")) else {},
    )  # fmt: skip


def _is_inside_tool(row: Row, by_id: Mapping[str, Row]) -> bool:
    at = by_id.get(str(row.get("parent_observation_id")))
    for _ in range(len(by_id)):
        if at is None:
            return False
        if _type(at) == "tool":
            return True
        at = by_id.get(str(at.get("parent_observation_id")))
    return False
