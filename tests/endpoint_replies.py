"""What the stand-in model says: it reads a prompt and answers it, the same way for the same conversation and code.

`answer` is the truth of that model, which tests compare verdicts with; `reply` is what it sends for a whole request,
`spoiled` makes the mistakes that models make. Nothing here knows HTTP.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

REASONING = "Message {n} speaks for it, nothing after it speaks against it. Weighed against the definition above."
_SECTION = re.compile(r"^## (\S+)\n(.*?)^Quotes from: (.*?)$", re.M | re.S)
_SHAPE = re.compile(r'^"(\S+)": \{"reasoning".*?("clause".*)?"answer": (".*")\},?$', re.M)
_ASKED = re.compile(r"^- (?:[\w-]+: )?(\w+(?:, \w+)*)$", re.M)
_RUBRIC = re.compile(r"^- ([\w-]+): (\w+(?:, \w+)*)$", re.M)
_POLICY = re.compile(r"<policy [^>]*>\n(.*?)\n</policy>", re.S)
_THREE_LETTERS = re.compile(r"[^\W_](?:.*?[^\W_]){2}", re.S)


class Criterion(NamedTuple):
    """What a request asks: where the answer goes in the reply, and what may be answered."""

    path: tuple[str, ...]  # (code,) or (rubric, code)
    answers: tuple[str, ...]
    with_clause: bool

    @property
    def code(self) -> str:
        return self.path[-1]


class Line(NamedTuple):
    """A passage that can be quoted: message number, the roles as which it counts, the text."""

    number: int
    roles: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Asked:
    """A request, read."""

    criteria: tuple[Criterion, ...]
    roles: Mapping[str, tuple[str, ...]]
    lines: tuple[Line, ...]
    clauses: tuple[str, ...]
    seed: str  # the transcript's hash
    again: bool  # an earlier reply stands in it: a re-ask


def read(body: Mapping[str, Any]) -> Asked:
    """What this request asks, by its schema where it has one, else by its prompt."""
    messages = [m for m in body["messages"] if m["content"] != "Noted."]
    system, policy, transcript, reminder = (_text(m["content"]) for m in messages[:4])
    schema = _schema(body)
    criteria = tuple(_walk(schema, schema, ())) if schema else tuple(_from_prompt(system, reminder))
    policies = (text.split("\n")[1:] for text in _POLICY.findall(policy))  # the first line may be its title
    clauses = tuple(line.strip() for lines in policies for line in lines if len(line) > 20)
    seed, lines = _heard(transcript)
    return Asked(criteria, _roles(system), lines, clauses, seed, len(messages) > 4)


def answer(asked: Asked, criterion: Criterion, forced: str | None = None) -> dict[str, Any]:
    """What the model truly thinks of one criterion: set by the transcript and the code, or `forced`."""
    draw = int.from_bytes(hashlib.sha256(f"{criterion.code}\n{asked.seed}".encode()).digest()[:8])
    roles = frozenset(asked.roles.get(criterion.code, ()))
    lines = [line for line in asked.lines if not roles or not roles.isdisjoint(line.roles)]
    chosen = forced or _chosen(criterion.answers, draw)
    if chosen == "present" and (not lines or (criterion.with_clause and not asked.clauses)) and not forced:
        chosen = "absent"
    quoting = lines and (chosen == "present" or (chosen != "cannot_assess" and "present" not in criterion.answers))
    evidence = []
    if quoting:
        line = lines[draw // 7 % len(lines)]
        evidence = [{"message": line.number, "quote": _piece(line.text, draw // 11)}]
    said: dict[str, Any] = {
        "reasoning": REASONING.format(n=evidence[0]["message"] if evidence else 1), "evidence": evidence,
    }  # fmt: skip
    if criterion.with_clause:
        clauses = asked.clauses if chosen == "present" else ()
        said["clause"] = clauses[draw // 13 % len(clauses)] if clauses else ""
    said["answer"] = chosen
    return said


def reply(asked: Asked, forced: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole reply, in the order and shape that was asked for."""
    whole: dict[str, Any] = {}
    for criterion in asked.criteria:
        part = whole
        for name in criterion.path[:-1]:
            part = part.setdefault(name, {})
        part[criterion.code] = answer(asked, criterion, (forced or {}).get(criterion.code))
    return whole


def spoiled(kind: str, asked: Asked, whole: dict[str, Any]) -> str:
    """The reply as text with one mistake in it. Mistakes about quotes touch every quote of the reply."""
    answers = [_at(whole, c.path) for c in asked.criteria]
    quotes = [quote for said in answers for quote in said["evidence"]]
    match kind:
        case "truncated" | "truncated_length":
            text = json.dumps(whole, ensure_ascii=False)
            return text[: len(text) * 2 // 3]
        case "wrong_schema":
            for said in answers:
                said["answer"] = "yes"
        case "missing_field":
            del answers[0]["answer"]
        case "missing_code":
            del whole[asked.criteria[0].path[0]]
        case "wrong_quote":
            for quote in quotes:
                quote["quote"] = "the agent swore on its honour " + quote["quote"][::-1]
        case "wrong_number":
            for quote in quotes:
                quote["message"] = 1 if quote["message"] != 1 else 2
        case "no_such_number":
            for quote in quotes:
                quote["message"] = 9_999
        case "wrong_role":
            for said, criterion in zip(answers, asked.criteria, strict=True):
                _misattribute(said, asked, asked.roles.get(criterion.code, ()))
        case "wrong_clause":
            for said in answers:
                if said.get("clause"):
                    said["clause"] = "Customers may always have whatever they want."
        case "no_quote":
            for said in answers:
                said["evidence"] = []
        case "prose":
            return "I am sorry, I would rather not fill in forms today."
        case "fenced":
            return f"Here is my answer:\n```json\n{json.dumps(whole, ensure_ascii=False)}\n```"
        case "thinking":
            return f"<think>Let me see {{what}} they said.</think>\n{json.dumps(whole, ensure_ascii=False)}"
        case _:
            raise ValueError(f"no such mistake: {kind}")
    return json.dumps(whole, ensure_ascii=False)


def is_prompt(body: Mapping[str, Any]) -> bool:
    """Whether this is a prompt of Grader's, and not a greeting or a probe."""
    messages = body["messages"]
    return len(messages) > 3 and "# Your reply" in _text(messages[0]["content"])


def minimal(body: Mapping[str, Any]) -> str:
    """To another request: a small value of the schema that it asks for, the example that it shows, else a word."""
    if schema := _schema(body):
        return json.dumps(_smallest(schema, schema))
    shown = re.search(r'\{"[^{}]*\}', _text(body["messages"][0]["content"]))
    return shown.group() if shown else "ok"


def _smallest(node: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    if "enum" in node:
        return node["enum"][0]
    values = {"array": [], "integer": 1, "number": 1, "boolean": True}
    if node.get("type") == "object":
        return {name: _smallest(inner, root) for name, inner in node.get("properties", {}).items()}
    return values.get(node.get("type", ""), "ok")


MISTAKES = frozenset({
    "truncated", "truncated_length", "wrong_schema", "missing_field", "missing_code", "wrong_quote", "wrong_number",
    "no_such_number", "wrong_role", "wrong_clause", "no_quote", "prose", "fenced", "thinking",
})  # fmt: skip


def _at(whole: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for name in path:
        whole = whole[name]
    return whole


def _misattribute(said: dict[str, Any], asked: Asked, roles: Sequence[str]) -> None:
    others = [line for line in asked.lines if not set(line.roles) & set(roles)]
    if said["evidence"] and others:
        said["evidence"] = [{"message": others[0].number, "quote": others[0].text}]


def _chosen(answers: Sequence[str], draw: int) -> str:
    if "present" not in answers:
        return answers[draw % len(answers)]
    share = draw % 20
    return "present" if share < 6 else "absent" if share < 15 else "not_applicable" if share < 19 else "cannot_assess"


def _piece(text: str, draw: int) -> str:
    """A verbatim piece of the text, of 12 to 60 characters, with three letters at least."""
    length = 12 + draw % 49
    start = draw // 49 % max(1, len(text) - length)
    piece = text[start : start + length].strip()
    return piece if _THREE_LETTERS.search(piece) else text


@lru_cache(maxsize=16)
def _heard(transcript: str) -> tuple[str, tuple[Line, ...]]:
    """A conversation is asked once per rubric, one after another."""
    return hashlib.sha256(transcript.encode("utf-8", "replace")).hexdigest(), tuple(_lines(transcript))


def _lines(transcript: str) -> list[Line]:
    found = []
    for entry in json.loads(transcript)["messages"]:
        if "n" not in entry:
            continue
        text = entry.get("text", "")
        if "characters left out" not in text and _THREE_LETTERS.search(text):
            found.append(Line(entry["n"], (entry["role"],), text))
        found.extend(Line(entry["n"], ("ai", "tool"), call) for call in entry.get("calls", ()) if "[…" not in call)
    return found


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


@lru_cache(maxsize=64)
def _roles(system: str) -> dict[str, tuple[str, ...]]:
    return {code: tuple(roles.split(", ")) for code, _, roles in _SECTION.findall(system)}


@lru_cache(maxsize=64)
def _shapes(system: str) -> dict[str, tuple[tuple[str, ...], bool]]:
    form = system.rpartition("# Your reply")[2]
    return {c: (tuple(json.loads(answers).split(" | ")), bool(clause)) for c, clause, answers in _SHAPE.findall(form)}


def _from_prompt(system: str, reminder: str) -> list[Criterion]:
    shapes = _shapes(system)
    grouped = _RUBRIC.findall(reminder)
    named = [(r, c) for r, codes in grouped for c in codes.split(", ")] if grouped else []
    paths: list[tuple[str, ...]] = [*named] or [(c,) for codes in _ASKED.findall(reminder) for c in codes.split(", ")]
    return [Criterion(path, *shapes[path[-1]]) for path in paths]


def _schema(body: Mapping[str, Any]) -> dict[str, Any] | None:
    shape = body.get("response_format") or {}
    if shape.get("type") == "json_schema":
        schema: dict[str, Any] = shape["json_schema"]["schema"]
        return schema
    if body.get("tools"):
        parameters: dict[str, Any] = body["tools"][0]["function"]["parameters"]
        return parameters
    return None


def _walk(node: Mapping[str, Any], root: Mapping[str, Any], path: tuple[str, ...]) -> list[Criterion]:
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    properties: Mapping[str, Any] = node.get("properties", {})
    allowed = properties.get("answer", {}).get("enum")
    if allowed:
        return [Criterion(path, tuple(allowed), "clause" in properties)]
    return [found for name, inner in properties.items() for found in _walk(inner, root, (*path, name))]
