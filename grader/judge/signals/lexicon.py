"""The phrase lists, read from the files beside this module: which concepts exist, and what is read for which of them.

A file has definitions (`name = words`, used as {name}), then a [concept] and its phrases, a line each.
"""

from __future__ import annotations

from pathlib import Path

from grader.judge.signals.words import Phrases

_FOLDER = Path(__file__).parent / "phrases"


def _lines(name: str) -> list[str]:
    """The file's lines without comments, continued ones joined."""
    found: list[str] = []
    for line in (_FOLDER / name).read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] == " ":
            joint = "" if found[-1].endswith("|") else " "
            found[-1] += joint + line.strip()
        else:
            found.append(line.strip())
    return found


def _read(name: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The definitions, and each concept's phrases."""
    words: dict[str, str] = {}
    concepts: dict[str, list[str]] = {}
    phrases: list[str] = []
    for line in _lines(name):
        if line.startswith("["):
            phrases = concepts.setdefault(line.strip("[]"), [])
        elif " = " in line and not concepts:
            key, _, value = line.partition(" = ")
            words[key] = value.format(**words)
        else:
            phrases.append(line.format(**words))
    return words, concepts


_WORDS, _CUSTOMER = _read("customer.txt")
_REASONS = _read("reasons.txt")[1]
_AGENT = _read("agent.txt")[1]
_ASKING = _read("asking.txt")[1]
_FAVOURS = _read("favours.txt")[1]
_RULES = _read("rules.txt")[1]
_TOPICS = _read("topics.txt")[1]
_SUBJECTS = _read("subjects.txt")[1]

# Concepts that others go through one by one, in the order of their files.
REASONS = tuple(_REASONS)
TOPICS = tuple(_TOPICS)
SUBJECTS = tuple(_SUBJECTS)

# By who speaks: a customer, an assistant or a colleague, a policy.
CUSTOMER = Phrases({**_CUSTOMER, **_REASONS, **_TOPICS, **{name: _FAVOURS[name] for name in ("is_late", "sends_back")}})
AGENT = Phrases({**_AGENT, **_ASKING, **_FAVOURS, **_TOPICS, **_SUBJECTS})
POLICY = Phrases({**_RULES, **_TOPICS, **_SUBJECTS})

# Every single word for a person who could take over.
PERSON = frozenset("|".join(_WORDS[f"someone_{language}"] for language in ("en", "pt", "es")).split("|"))
