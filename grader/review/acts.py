"""What a person does, and what an item comes to by it. Pure: the same acts give the same state, whenever they are read.

An item's acts stand on a stack, so that the latest can be taken back. Submitting settles answers: what is settled is a
label, and what is settled again and differently is another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from grader.errors import RefusedError
from grader.language import _
from grader.model import JsonValue, digest

STACKED = frozenset({"answer", "evidence", "note", "defer", "undefer", "submit", "change"})
KINDS = STACKED | {"undo", "time"}
MAX_NOTE, MAX_QUOTE, MAX_ID = 10_000, 20_000, 100
MAX_NAME = 200  # of a question: rubric and code have 64 characters each
MAX_ITEM = 10_000  # what is disputed is named as its source names it
MAX_SECONDS = 4 * 3600.0  # of one item; a tab that was left open is no work


@dataclass(frozen=True, slots=True)
class Said:
    """An answer with the words that prove it, and a note."""

    answer: str
    message: int | None = None
    quote: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did to an item. `at` is the server's time, later than that of any act before it.

    `given`: which of message, quote and note the act tells; what it does not tell stays as it was. `text_hash`: of the
    text that was read, where the act settles answers; `questions`: those that were asked, or shown.
    """

    id: str
    item: str
    kind: str
    at: datetime
    question: str | None = None
    answer: str | None = None
    message: int | None = None
    quote: str | None = None
    note: str | None = None
    given: frozenset[str] = frozenset()
    seconds: float = 0.0
    questions: tuple[str, ...] = ()
    text_hash: str = ""
    version: str = ""  # of the rubric, in a dispute

    @property
    def meaning(self) -> str:
        """The same for two sendings of one act."""
        return digest("ac", [
            self.item, self.kind, self.question, self.answer, self.message, self.quote, self.note, sorted(self.given),
            self.seconds,
        ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settled:
    """An answer that is a label now. `seen`: given after the verdict was."""

    item: str
    question: str
    said: Said
    at: datetime
    text_hash: str
    seen: bool = False


def parsed(body: Mapping[str, Any], at: datetime) -> Act:
    """What a page sent as an act. Raises RefusedError (400) where it is none."""
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise RefusedError(400, _("this is no kind of act: {kind}", kind=str(kind)[:40]))
    given = frozenset(name for name in ("message", "quote", "note") if name in body)
    note = text_of(body, "text" if kind == "note" else "note", MAX_NOTE)
    message = body.get("message")
    if message is not None and (isinstance(message, bool) or not isinstance(message, int) or message < 1):
        raise RefusedError(400, _("{name} is not what it should be", name="message"))
    seconds = body.get("seconds", 0.0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        raise RefusedError(400, _("{name} is not what it should be", name="seconds"))
    question = text_of(body, "question", MAX_NAME)
    if kind in ("answer", "evidence", "change") and not question:
        raise RefusedError(400, _("{name} is not what it should be", name="question"))
    answer = text_of(body, "answer", MAX_ID)
    if kind == "change" and answer is None:
        raise RefusedError(400, _("{name} is not what it should be", name="answer"))
    return Act(
        needed(body, "id"), needed(body, "item", MAX_ITEM), kind, at, question, answer, message,
        text_of(body, "quote", MAX_QUOTE) or None, note or None, given, min(float(seconds), MAX_SECONDS),
    )  # fmt: skip


def needed(body: Mapping[str, Any], name: str, most: int = MAX_ID) -> str:
    """A text that must be there, and not longer than that. Raises RefusedError (400)."""
    found = text_of(body, name, most)
    if not found:
        raise RefusedError(400, _("{name} is not what it should be", name=name))
    return found


def text_of(body: Mapping[str, Any], name: str, most: int) -> str | None:
    """A text of so many characters at most, None where there is none; without what no database keeps (half a
    surrogate pair, NUL). Raises RefusedError (400).
    """
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or len(found) > most:
        raise RefusedError(400, _("{name} is not what it should be", name=name))
    return found.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def written(act: Act) -> dict[str, JsonValue]:
    """The act as a line of a journal."""
    told: dict[str, JsonValue] = {
        "id": act.id, "item": act.item, "kind": act.kind, "at": act.at.isoformat(), "question": act.question,
        "answer": act.answer, "message": act.message, "quote": act.quote, "note": act.note,
        "given": sorted(act.given), "seconds": act.seconds, "questions": list(act.questions),
        "text_hash": act.text_hash, "version": act.version,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value not in (None, "", [], 0.0)}


def read(row: Mapping[str, Any]) -> Act:
    """A line of a journal. Raises KeyError, TypeError or ValueError where it is none."""
    at = datetime.fromisoformat(row["at"])
    return Act(
        str(row["id"]), str(row["item"]), str(row["kind"]), at.astimezone(UTC), row.get("question"), row.get("answer"),
        row.get("message"), row.get("quote"), row.get("note"), frozenset(row.get("given", ())),
        float(row.get("seconds", 0.0)), tuple(row.get("questions", ())), str(row.get("text_hash", "")),
        str(row.get("version", "")),
    )  # fmt: skip


def _said(act: Act) -> Said:
    return Said(act.answer or "", act.message, act.quote, act.note)


@dataclass(frozen=True, slots=True)
class Look:
    """An item as its acts left it. `answers` blind, `changed` after the reveal."""

    answers: Mapping[str, Said]
    changed: Mapping[str, Said]
    note: str
    deferred: bool
    submitted: bool


@dataclass(slots=True)
class ItemState:
    """One item of one person. An answer that came by file, so that only the database has it, is an act of the kind
    `imported`: it is submitted as it comes.
    """

    item: str
    stack: list[Act] = field(default_factory=list)
    revealed: set[str] = field(default_factory=set)
    seconds: float = 0.0
    standing: dict[str, Said] = field(default_factory=dict)  # the label of each question, as given blind
    later: dict[str, Said] = field(default_factory=dict)  # and what is said of it since the reveal
    settled: list[Settled] = field(default_factory=list)
    _seen: Look | None = field(default=None, compare=False, repr=False)

    def look(self) -> Look:
        """The item now."""
        if self._seen is None:
            self._seen = self._looked()
        return self._seen

    def _looked(self) -> Look:
        answers: dict[str, Said] = {}
        changed: dict[str, Said] = {}
        proofs: dict[str, tuple[int | None, str | None]] = {}
        note, deferred, submitted = "", False, False
        for act in self.stack:
            q = act.question or ""
            if act.kind == "answer":
                before = answers.get(q)
                if act.answer is None:
                    answers.pop(q, None)
                    proofs.pop(q, None)
                    continue
                if before is not None and before.answer != act.answer:
                    proofs.pop(q, None)  # words that prove one answer prove no other
                if act.given & {"message", "quote"}:
                    proofs[q] = (act.message, act.quote)
                kept = act.note if "note" in act.given else before.note if before else None
                answers[q] = Said(act.answer, *proofs.get(q, (None, None)), kept)
            elif act.kind == "evidence":
                proofs[q] = (act.message, act.quote)
                if q in answers:
                    answers[q] = replace(answers[q], message=act.message, quote=act.quote)
            elif act.kind == "imported":
                answers[q] = _said(act)
                proofs[q] = (act.message, act.quote)
                submitted, deferred = True, False
            elif act.kind == "change" and act.answer is not None:
                changed[q] = _said(act)
            elif act.kind == "note":
                note = act.note or ""
            elif act.kind in ("defer", "undefer"):
                deferred = act.kind == "defer"
            elif act.kind == "submit":
                submitted, deferred = True, False
            elif act.kind == "undo":
                submitted = False  # reopens what was imported
        return Look(answers, changed, note, deferred, submitted)

    def open(self, asked: Sequence[str], look: Look | None = None) -> list[str]:
        """The questions that have no answer yet."""
        answers = (look or self.look()).answers
        return [q for q in asked if q not in answers]

    def is_submitted(self, asked: Sequence[str], look: Look | None = None) -> bool:
        """Whether all that is asked was submitted; a question that was asked since was not."""
        return (look or self.look()).submitted and all(q in self.standing for q in asked)

    def state(self, asked: Sequence[str]) -> str:
        """new, begun, deferred or submitted."""
        now = self.look()
        if self.is_submitted(asked, now):
            return "submitted"
        return "deferred" if now.deferred else "begun" if now.answers or now.note or self.stack else "new"

    def check(self, act: Act, asked: Sequence[str]) -> None:
        """Raises RefusedError (409) where the act cannot be done to the item as it is."""
        now = self.look()
        submitted = self.is_submitted(asked, now)
        if act.kind in ("answer", "evidence"):
            if act.question in self.revealed:
                raise RefusedError(
                    409, _("the verdict was shown"), cure=_("a change of mind is kept beside the answer")
                )
            if submitted:
                raise RefusedError(409, _("this item is submitted"), cure=_("undo reopens it"))
        elif act.kind == "change":
            if act.question not in self.revealed:
                raise RefusedError(409, _("the verdict was not shown yet"), cure=_("change the answer itself"))
        elif act.kind == "submit":
            if submitted:
                raise RefusedError(409, _("this item is submitted"), cure=_("undo reopens it"))
            if left := self.open(asked, now):
                raise RefusedError(409, _("not answered yet: {questions}", questions=", ".join(left)))
        elif act.kind in ("defer", "undefer") and submitted:
            raise RefusedError(409, _("this item is submitted"), cure=_("undo reopens it"))
        elif act.kind == "undo":
            self._check_undo()

    def _check_undo(self) -> None:
        if not self.stack:
            raise RefusedError(409, _("there is nothing to undo"))
        last = self.stack[-1]
        if last.kind == "undo":  # what was imported is reopened already
            raise RefusedError(409, _("there is nothing to undo"))
        blind = last.kind in ("submit", "imported", "undo") or last.question in self.revealed
        if self.revealed and blind and last.kind != "change":
            raise RefusedError(409, _("the verdict was shown"), cure=_("a change of mind is kept beside the answer"))

    def do(self, act: Act) -> None:
        """Take the act in. What is settled by it is added to `settled`."""
        self._seen = None
        if act.kind == "time":
            self.seconds = min(self.seconds + act.seconds, MAX_SECONDS)
        elif act.kind == "revealed":
            self.revealed |= set(act.questions)
        elif act.kind == "undo":
            if not self.stack or self.stack[-1].kind == "imported":
                self.stack.append(act)
            elif (undone := self.stack.pop()).kind == "change":
                self._settle_changes(undone.question, act)
        elif act.kind == "imported":
            self.stack.append(act)
            self.standing[act.question or ""] = _said(act)
        elif act.kind in STACKED:
            self.stack.append(act)
            if act.kind == "submit":
                self._settle(act)
            elif act.kind == "change":
                self._settle_changes(act.question, act)

    def _settle(self, act: Act) -> None:
        now = self.look()
        for q in act.questions:
            said = now.answers.get(q)
            if said is None or q in self.revealed:
                continue
            said = replace(said, note=said.note or now.note or None)
            if said != self.standing.get(q):
                self.standing[q] = said
                self.settled.append(Settled(self.item, q, said, act.at, act.text_hash))

    def _settle_changes(self, question: str | None, act: Act) -> None:
        q = question or ""
        before = self.later.get(q) or self.standing.get(q)
        said = self.look().changed.get(q) or self.standing.get(q)
        if said is not None and said != before:
            self.later[q] = said
            self.settled.append(Settled(self.item, q, said, act.at, act.text_hash, seen=True))
