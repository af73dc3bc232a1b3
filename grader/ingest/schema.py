"""The canonical format as JSON Schema (draft 2020-12), made from the same shapes that the reader reads by.

Five things that a schema cannot say hold besides: no key stands twice in an object, one message at least says
something, an event's `after` is at most the number of messages, a policy does not end before it begins, and an id
stands for one row only in a file.
"""

from __future__ import annotations

from grader.ingest.canonical import SHAPES, TYPES
from grader.ingest.fields import FieldType, Schema, Shape

_ABOUT = {
    "conversation": "One contact, as its messages in order.",
    "policy": "A text that the agent had to follow, with its queues and the days on which it was in force.",
    "outcome": "What happened after a conversation, as another system knows it.",
    "label": "A human's answer to one criterion of a rubric.",
}


_NULL: Schema = {"type": "null"}
_BLANK: Schema = {"type": "string", "pattern": r"^\s*$"}


def json_schema(kind: str | None = None) -> Schema:
    """The schema of one kind of record, or of a row that may be any of them."""
    head: Schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if kind is not None:
        return {**head, "title": f"Grader {kind}", "description": _ABOUT[kind], **_of_shape(SHAPES[kind])}
    said = [name for name in TYPES if name != "conversation"]
    return {
        **head,
        "title": "A row of Grader's JSON Lines",
        "description": "`type` says which record a row is; without it, a conversation.",
        "type": "object",
        "properties": {"type": {"enum": [*TYPES, None]}},
        "allOf": [
            *({"if": _says(name), "then": {"$ref": f"#/$defs/{name}"}} for name in said),
            {"if": {"not": {"anyOf": [_says(name) for name in said]}}, "then": {"$ref": "#/$defs/conversation"}},
        ],
        "$defs": {name: {"description": _ABOUT[name], **_of_shape(SHAPES[name])} for name in TYPES},
    }


def _says(name: str) -> Schema:
    return {"type": "object", "properties": {"type": {"const": name}}, "required": ["type"]}


def _of_shape(shape: Shape) -> Schema:
    properties = {name: _described(shape, name, kind) for name, kind in shape.fields.items()}
    schema: Schema = {"type": "object", "properties": properties}
    rules: list[Schema] = []
    required = []
    for name in shape.required:
        given = _given(name, _without_null(properties[name]))
        others = [_given(alias, _of_type(shape.fields[name])) for alias in shape.aliases.get(name, ())]
        if others:
            rules.append({"anyOf": [given, *others]})
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
        else:
            properties[name] = _without_null(properties[name])
            required.append(name)
    for name, aliases in shape.aliases.items():
        nothing: Schema = {"anyOf": [_NULL, _BLANK]} if _may_be_blank(shape, name) else _NULL
        for position, alias in enumerate(aliases):
            absent = dict.fromkeys((name, *aliases[:position]), nothing)
            takes = {"anyOf": [_of_type(shape.fields[name]), nothing]}
            rules.append({"if": {"properties": absent}, "then": {"properties": {alias: takes}}})
            properties.setdefault(alias, {"description": f"Stands for {name} where that is missing."})
    if shape.closed:
        schema["additionalProperties"] = False
    if required:
        schema["required"] = required
    if rules:
        schema["allOf"] = rules
    return schema


def _given(name: str, kind: Schema) -> Schema:
    return {"required": [name], "properties": {name: kind}}


def _without_null(kind: Schema) -> Schema:
    """The type of a field that must be given: null is the same as missing."""
    narrowed = dict(kind)
    if "enum" in kind:
        narrowed["enum"] = [value for value in kind["enum"] if value is not None]
    if isinstance(kind.get("type"), list):
        narrowed["type"] = [name for name in kind["type"] if name != "null"]
    return narrowed


def _may_be_blank(shape: Shape, name: str) -> bool:
    return shape.fields[name].blank and name not in shape.required


def _described(shape: Shape, name: str, kind: FieldType) -> Schema:
    text = shape.descriptions.get(name)
    of_type: Schema = {"anyOf": [_of_type(kind), _BLANK]} if _may_be_blank(shape, name) else _of_type(kind)
    return {"description": text, **of_type} if text else of_type


def _of_type(kind: FieldType) -> Schema:
    if kind.shape is None:
        return kind.schema
    inner = _of_shape(kind.shape)
    types = kind.schema["type"]
    if "array" in (types if isinstance(types, list) else [types]):
        return {**kind.schema, "items": inner}
    return {**inner, **kind.schema}
