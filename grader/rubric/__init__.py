"""Rubrics: load, find, fingerprint, word, lint, compare. The idea: a rubric file is the contract with the judge.

Knows YAML and the records; knows no conversation, no store and no endpoint.
"""

from grader.rubric.load import files, find, lines, load, load_all, locate, newest, read
from grader.rubric.record import NEEDS, SEVERITIES, Criterion, Example, Need, Rubric, Severity, version_key
from grader.rubric.wording import (
    Answered,
    Asked,
    Wording,
    answers,
    applicable,
    read_reply,
    reply_model,
    reply_schema,
    wording,
)

__all__ = [
    "NEEDS",
    "SEVERITIES",
    "Answered",
    "Asked",
    "Criterion",
    "Example",
    "Need",
    "Rubric",
    "Severity",
    "Wording",
    "answers",
    "applicable",
    "files",
    "find",
    "lines",
    "load",
    "load_all",
    "locate",
    "newest",
    "read",
    "read_reply",
    "reply_model",
    "reply_schema",
    "version_key",
    "wording",
]
