"""One review session: whose turn it is at what, what each may see, and what an act comes to.

All rules of blindness stand here: what the judge said of an item is told to nobody before that person has submitted it.
Knows nothing of HTTP; every answer is plain JSON values.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from grader.errors import ConfigError, GraderError, HeldError, RefusedError
from grader.labelling.form import text_hash
from grader.labelling.given import adjudication_item
from grader.language import _
from grader.model import JsonValue
from grader.review import shown
from grader.review.acts import Act, ItemState, Settled, parsed
from grader.review.covers import held_back
from grader.review.journal import Journal, all_of, noted_taken, opened
from grader.review.material import Labelled, Material
from grader.review.quoted import own_words
from grader.review.taking import Waiting
from grader.text import fold_text

Role = Literal["reviewer", "adjudicator", "owner"]
SECONDS_OF = 50  # the pace is the median of so many of the latest items
PACE_FROM, FEW = 5, 3  # items before a pace is told: one alone says nothing; fewer where the plan has no more
_GONE = "gone"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Person:
    """Somebody with an address of their own. `taken_at`: up to when their journal is in the database."""

    name: str
    role: Role
    journal: Journal
    served: bool = True
    states: dict[str, ItemState] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # act → what it means
    n_refused: int = 0
    taken_to: int = 0  # acts of the journal that were taken in

    @property
    def has_read_report(self) -> bool:
        """Whether what the judge said of the whole run was shown."""
        return any(act.kind in ("report", "dispute") for act in self.journal.acts)


@dataclass(frozen=True, slots=True)
class Task:
    """An item with its conversation and what is asked of it."""

    item: str
    conversation_id: str
    asked: tuple[str, ...]


class Session:
    """The people of one plan and what they have done. Not for several threads at once."""

    def __init__(
        self, material: Material, folder: Path, people: Sequence[tuple[str, Role]], *, reveal: bool, language: str
    ) -> None:
        self.material, self.plan, self.folder = material, material.plan, folder
        self.reveal, self.language = reveal, language
        self.held: GraderError | None = None  # why the database cannot be had
        self._searched: dict[str, str] = {}  # conversation → its words, folded at the first search
        every = tuple(q.name for q in material.asked)
        self._questions = {q.name: q for q in material.asked}
        self._tasks: dict[str, dict[str, Task]] = {name: {} for name in self.plan.reviewers}
        self._copies: dict[tuple[str, str], list[str]] = {}
        for i in sorted(self.plan.items, key=lambda i: i.position):
            self._tasks[i.reviewer][i.item_id] = Task(i.item_id, i.conversation_id, every)
            self._copies.setdefault((i.reviewer, i.conversation_id), []).append(i.item_id)
        self._first = {i.item_id for i in self.plan.items if not i.copy}
        self._held_back = held_back(self.plan)
        self.people = self._gathered(people)

    # Who is there

    def _gathered(self, people: Sequence[tuple[str, Role]]) -> list[Person]:
        """Those who are served, and all others whose answers count: the plan's reviewers and whoever has a journal."""
        wanted: dict[tuple[str, str], bool] = {(role, name): True for name, role in people}
        wanted |= {("reviewer", name): ("reviewer", name) in wanted for name in self.plan.reviewers}
        for journal in all_of(self.folder):
            wanted.setdefault((journal.role, journal.name), False)
        for row in self.material.labelled:
            wanted.setdefault((row.role, row.reviewer), False)
        found = [self._person(name, role, served=served) for (role, name), served in wanted.items()]
        readers = {p.name for p in found if p.role == "owner" and p.has_read_report}
        if both := [p.name for p in found if p.served and p.role == "adjudicator" and p.name in readers]:
            raise ConfigError(
                f"--adjudicator {both[0]!r} has read the report of this plan's run", cure="somebody else decides"
            )
        return found

    def _person(self, name: str, role: str, *, served: bool) -> Person:
        journal = opened(self.folder, self.plan.plan_id, role, name)
        person = Person(name, role, journal, served)  # type: ignore[arg-type]
        rows = [r for r in self.material.labelled if (r.role, r.reviewer) == (role, name)]
        made = {(s.item, s.question, s.at) for s in _settled(_folded(journal.acts).values())}
        others = [r for r in rows if (r.item, r.question, r.at) not in made]
        imported = [_imported(r, n) for n, r in enumerate(others) if not r.seen]
        person.states = _folded(sorted([*journal.acts, *imported], key=lambda act: act.at))
        for r in others:
            if r.seen and r.item in person.states:
                person.states[r.item].revealed.add(r.question)
        for act in journal.acts:
            person.known[act.id] = act.meaning
        last = max((r.at for r in rows if r.at), default=None)
        journal.after = last  # what is older than a label that is there would not be taken in
        if last is not None:
            person.taken_to = sum(act.at <= last for act in journal.acts)
        if not self.material.fresh:
            noted = noted_taken(self.folder).get(journal.path.name, 0)
            person.taken_to = min(max(person.taken_to, noted), len(journal.acts))
        return person

    def served(self) -> list[Person]:
        """Those who have an address."""
        return [p for p in self.people if p.served]

    # What each has to do

    def tasks(self, person: Person) -> dict[str, Task]:
        """The person's items in order, those whose conversation is gone too."""
        if person.role == "reviewer":
            return self._tasks.get(person.name, {})
        return self._open_tasks(person) if person.role == "adjudicator" else {}

    def _open_tasks(self, person: Person) -> dict[str, Task]:
        """What is to be decided, and what this person has decided."""
        found: dict[str, tuple[str, set[str]]] = {}
        for conversation_id, question in [] if person.has_read_report else self.disagreements():
            item = adjudication_item(self.plan, conversation_id)
            found.setdefault(item, (conversation_id, set()))[1].add(question)
        items = {adjudication_item(self.plan, d.conversation_id): d.conversation_id for d in self.plan.drawn}
        for item, state in person.states.items():
            if state.standing and item in items:
                found.setdefault(item, (items[item], set()))[1].update(state.standing)
        return {
            item: Task(item, c, tuple(q.name for q in self.plan.questions if q.name in names))
            for item, (c, names) in sorted(found.items())
            if c in self.material.conversations
        }

    def _by_reviewers(self) -> dict[tuple[str, str], dict[str, str]]:
        """(conversation, question) → reviewer → the answer that stands, of first looks."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for person in self.people:
            if person.role != "reviewer":
                continue
            for item, task in self._tasks.get(person.name, {}).items():
                if item in self._first and (state := person.states.get(item)):
                    for question, said in state.standing.items():
                        found.setdefault((task.conversation_id, question), {})[person.name] = said.answer
        return found

    def disagreements(self) -> list[tuple[str, str]]:
        """(conversation, question) that the reviewers answered differently and nobody has decided."""
        decided = {
            (item, question)
            for person in self.people
            if person.role == "adjudicator"
            for item, state in person.states.items()
            for question in state.standing
        }
        return [
            (c, q)
            for (c, q), answers in self._by_reviewers().items()
            if len(set(answers.values())) > 1 and (adjudication_item(self.plan, c), q) not in decided
        ]

    # What each is told

    def told(self, person: Person) -> dict[str, JsonValue]:
        """The session as this person's page needs it."""
        tasks = self.tasks(person)
        return {
            "reviewer": person.name, "role": person.role, "plan": self.plan.plan_id[:11], "reveal": self.reveal,
            "shortcuts": True, "report": self.may_see_report(person),
            "questions": [shown.question(q) for q in self.material.asked],
            "items": [self._row(person, task) for task in tasks.values()],
            "progress": self.progress(person, tasks),
        }  # fmt: skip

    def _row(self, person: Person, task: Task) -> dict[str, JsonValue]:
        state = person.states.get(task.item)
        there = task.conversation_id in self.material.conversations
        now = state.state(task.asked) if state else "new"
        n = sum(q in state.look().answers for q in task.asked) if state else 0
        return {"id": task.item, "asked": list(task.asked), "state": now if there else _GONE, "n_answered": n}

    def progress(self, person: Person, tasks: Mapping[str, Task] | None = None) -> dict[str, JsonValue]:
        """How far this person is. Counts alone."""
        tasks = self.tasks(person) if tasks is None else tasks
        there = [t for t in tasks.values() if t.conversation_id in self.material.conversations]
        states = [(s.state(t.asked), s.seconds) for t in there if (s := person.states.get(t.item))]
        paces = [seconds for state, seconds in states if state == "submitted" and seconds > 0][-SECONDS_OF:]
        enough = PACE_FROM if len(there) > PACE_FROM else FEW
        found: dict[str, JsonValue] = {
            "n_items": len(there),
            "n_submitted": sum(state == "submitted" for state, _seconds in states),
            "n_deferred": sum(state == "deferred" for state, _seconds in states),
            "n_gone": len(tasks) - len(there),
            "seconds_per_item": round(statistics.median(paces), 1) if len(paces) >= enough else None,
            "saved": {
                "n_waiting": sum(n_waiting(p) for p in self.people), "n_refused": sum(p.n_refused for p in self.people),
                "held_by": self.held_by(),
            },
        }  # fmt: skip
        if person.role == "adjudicator":
            found["n_open_disagreements"] = len(self.disagreements())
            found["reviewers"] = self._how_far()
        return found

    def _how_far(self) -> dict[str, JsonValue]:
        """How far the plan's reviewers are together."""
        told = [self.progress(p) for p in self.people if p.role == "reviewer"]
        return {name: sum(one[name] for one in told) for name in ("n_items", "n_submitted")}

    def held_by(self) -> str | None:
        """Why the database cannot be had now, in a sentence; None where it can."""
        if isinstance(self.held, HeldError):
            if self.held.pid is None:
                return _("another program has the database open")
            return _("another program has the database open (process {number})", number=self.held.pid)
        return self.held.message if self.held else None

    def item(self, person: Person, item: str) -> dict[str, JsonValue]:
        """One item to read and to answer. Raises RefusedError (404) for one that is not this person's, and (409) where
        its conversation is gone.
        """
        task = self._task(person, item)
        state = person.states.get(item) or ItemState(item)
        told = self._reveal(person, task)
        conversation = self.material.conversations[task.conversation_id]
        now = state.look()
        return {
            "id": item, "asked": list(task.asked), "conversation": shown.case(conversation),
            "policies": [shown.policy(p) for p in self.material.in_force(conversation)],
            "answers": {q: shown.said(s) for q, s in now.answers.items()},
            "changed": {q: shown.said(s) for q, s in now.changed.items()},
            "note": now.note, "state": state.state(task.asked), "reveal": told,
        }  # fmt: skip

    def search(self, person: Person, words: str) -> list[str]:
        """The items in whose texts all these words are, however they are typed; what cannot be seen does not count. Of
        one that comes twice, the next look alone while there is one: a sentence of it would lead to the other.
        """
        if not self._searched:
            self._searched = {c: fold_text(text).casefold() for c, text in self.material.texts.items()}
        wanted = fold_text(words).casefold().split()
        found: list[str] = []
        for t in self.tasks(person).values() if wanted else ():
            text = self._searched.get(t.conversation_id)
            if text is None or not all(word in text for word in wanted):
                continue
            twins = self._copies.get((person.name, t.conversation_id), [t.item])
            left = [twin for twin in twins if not self._is_submitted(person, twin, t.asked)]
            if not left or person.role != "reviewer" or t.item == left[0]:
                found.append(t.item)
        return found

    def _is_submitted(self, person: Person, item: str, asked: Sequence[str]) -> bool:
        state = person.states.get(item)
        return state is not None and state.state(asked) == "submitted"

    def _task(self, person: Person, item: str) -> Task:
        task = self.tasks(person).get(item)
        if task is None:
            raise RefusedError(404, _("there is no such item here"), cure=_("reload the page"))
        if task.conversation_id not in self.material.conversations:
            raise RefusedError(
                409,
                _("this conversation is gone, or changed since the plan was drawn"),
                cure=_("go on with the next one"),
            )
        return task

    # What is done

    def act(self, person: Person, body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Do what a page sent, once however often it is sent. It is in the journal when this returns.

        Raises RefusedError where it cannot be done, StoreError where it cannot be kept.
        """
        act = parsed(body, person.journal.now())
        task = self._task(person, act.item)
        act = self._in_own_words(task, act)
        known = person.known.get(act.id)
        if known is not None and known != act.meaning:
            raise RefusedError(409, _("another act has this id"), cure=_("reload the page"))
        if known is None:
            self._do(person, task, act)
        state = person.states.get(task.item) or ItemState(task.item)
        tasks = self.tasks(person)
        asked = tasks[task.item].asked if task.item in tasks else task.asked
        return {
            "ok": True, "state": state.state(asked), "n_answered": sum(q in state.look().answers for q in asked),
            "progress": self.progress(person, tasks), "reveal": self._reveal(person, replace(task, asked=asked)),
        }  # fmt: skip

    def _do(self, person: Person, task: Task, act: Act) -> None:
        if act.question is not None and act.kind in ("answer", "evidence", "change"):
            question = self._questions.get(act.question)
            if question is None or act.question not in task.asked:
                raise RefusedError(400, _("this question is not asked here: {question}", question=act.question))
            allowed = [answer for answer, _meaning in question.answers]
            if act.answer is not None and act.answer not in allowed:
                raise RefusedError(
                    400, _("this is no answer to it: {answer}", answer=act.answer),
                    cure=_("one of {answers}", answers=", ".join(allowed)),
                )  # fmt: skip
        state = person.states.get(task.item) or ItemState(task.item)
        state.check(act, task.asked)
        if act.kind in ("submit", "change", "undo"):
            text = self.material.texts[task.conversation_id]
            act = replace(act, text_hash=text_hash(task.item, text))
        if act.kind == "submit":
            act = replace(act, questions=task.asked)
        self._keep(person, state, act)

    def _in_own_words(self, task: Task, act: Act) -> Act:
        """The act with its quote as the message has it. Raises RefusedError where it stands in no such message."""
        messages = self.material.conversations[task.conversation_id].messages
        if act.message is not None and act.message > len(messages):
            raise RefusedError(400, _("there is no message {number}", number=act.message))
        if act.quote is None:
            return act
        found = own_words(messages[act.message - 1], act.quote) if act.message is not None else None
        if found is None:
            raise RefusedError(
                409, _("these words do not stand in that message"), cure=_("select them in the message itself")
            )
        return replace(act, quote=found)

    def _keep(self, person: Person, state: ItemState, act: Act) -> None:
        person.journal.append(act)
        person.known[act.id] = act.meaning
        person.states[state.item] = state
        state.do(act)

    # What is revealed

    def _reveal(self, person: Person, task: Task) -> JsonValue:
        """What the judge said, once it may be known; that it was told is in the journal before it is told."""
        state = person.states.get(task.item)
        if not self.reveal or state is None or state.state(task.asked) != "submitted":
            return None
        if person.role == "reviewer":
            mine = self._tasks[person.name]
            for other in self._held_back.get(task.item, ()):
                there = mine[other].conversation_id in self.material.conversations
                if there and not self._is_submitted(person, other, task.asked):
                    return None
            for twin in self._copies[person.name, task.conversation_id]:  # what is shown of one is shown of the other
                self._mark(person, person.states[twin], task.asked)
        self._mark(person, state, task.asked)
        others = self._by_reviewers() if person.role == "adjudicator" else {}
        judged = self.material.verdicts.get(task.conversation_id, {})
        now = state.look()
        rows = []
        for q in task.asked:
            said, later = now.answers[q], now.changed.get(q)
            rows.append(shown.revealed(
                q, said.answer, later.answer if later else None, judged.get(q),
                others.get((task.conversation_id, q), {}),
            ))  # fmt: skip
        return {"questions": rows}

    def _mark(self, person: Person, state: ItemState, questions: Iterable[str]) -> None:
        fresh = tuple(q for q in questions if q not in state.revealed)
        if fresh:
            at = person.journal.now()
            self._keep(person, state, Act(f"revealed {at.isoformat()}", state.item, "revealed", at, questions=fresh))

    # Beyond the plan

    def may_see_report(self, person: Person) -> bool:
        """Whoever has nothing left to answer blind; an adjudicator gets more while a reviewer has something left."""
        if person.role == "owner":
            return True
        if person.role == "adjudicator":
            everybody = all(self._done(p) for p in self.people if p.role == "reviewer")
            return everybody and self._done(person)
        return self._done(person)

    def _done(self, person: Person) -> bool:
        tasks = [t for t in self.tasks(person).values() if t.conversation_id in self.material.conversations]
        return all((s := person.states.get(t.item)) is not None and s.state(t.asked) == "submitted" for t in tasks)

    def check_report(self, person: Person) -> None:
        """Raises RefusedError (404) where this person is to stay blind. What it shows counts as revealed afterwards."""
        if not self.may_see_report(person):
            raise RefusedError(
                404, _("the report is not open yet"), cure=_("the report is open when all items are submitted")
            )
        if any(act.kind == "report" for act in person.journal.acts):
            return
        at = person.journal.now()
        acts = [  # of what is gone too: it may come back
            Act(f"revealed {task.item}", task.item, "revealed", at, questions=task.asked)
            for task in self.tasks(person).values()
        ]
        person.journal.append(Act(f"report {at.isoformat()}", "report", "report", at), *acts)
        for act in acts:
            person.states.setdefault(act.item, ItemState(act.item)).do(act)

    def dispute(self, person: Person, body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Keep what this person says against a finding."""
        self.check_report(person)
        act = parsed({**body, "kind": "answer", "item": body.get("conversation_id")}, person.journal.now())
        version, allowed = self.material.codes.get(act.question or "", ("", ()))
        if body.get("run_id") not in (None, self.plan.run_id) or act.item not in self.material.of_run or not version:
            raise RefusedError(404, _("this finding is not of the run that is reviewed"))
        if act.answer not in allowed:
            raise RefusedError(
                400, _("this is no answer to it: {answer}", answer=str(act.answer)),
                cure=_("one of {answers}", answers=", ".join(allowed)),
            )  # fmt: skip
        act = replace(act, kind="dispute", version=version)
        if act.id not in person.known:
            person.journal.append(act)
            person.known[act.id] = act.meaning
        return {"ok": True, "progress": self.progress(person)}

    def disputes(self, person: Person) -> list[dict[str, JsonValue]]:
        """What was said against findings, the latest first; what waits in a journal and what the database has."""
        if not self.may_see_report(person):
            raise RefusedError(
                404, _("there is no such page"), cure=_("the report is open when all items are submitted")
            )
        found: dict[tuple[str, ...], dict[str, JsonValue]] = {}
        rows = [dict(row) for row in self.material.disputes]
        for one in self.people:
            rows += [
                {"conversation_id": a.item, "question": a.question, "answer": a.answer, "note": a.note,
                 "reviewer": one.name, "at": a.at.isoformat()}
                for a in one.journal.acts if a.kind == "dispute"
            ]  # fmt: skip
        for row in sorted(rows, key=lambda r: str(r["at"])):
            key = (str(row["conversation_id"]), str(row["question"]), str(row["reviewer"]))
            judged = self.material.verdicts.get(key[0], {}).get(key[1])
            found[key] = {**row, "judge": shown.judge(judged) if judged else None}
        return sorted(found.values(), key=lambda r: str(r["at"]), reverse=True)


def waiting_until(person: Person, n: int) -> Waiting:
    """What the first n acts of the journal settled and what is not in the database yet, in order."""
    acts = person.journal.acts
    since = acts[person.taken_to - 1].at if person.taken_to else _LONG_AGO
    until = acts[n - 1].at if n else _LONG_AGO
    settled = [s for s in _settled(list(person.states.values())) if since < s.at <= until]
    disputed = tuple(a for a in acts[person.taken_to : n] if a.kind == "dispute")
    return Waiting(person.name, person.role, tuple(sorted(settled, key=lambda s: s.at)), disputed)


def n_waiting(person: Person) -> int:
    """Answers that are in the journal and not yet in the database."""
    return len(waiting_until(person, len(person.journal.acts)))


def _settled(states: Iterable[ItemState]) -> list[Settled]:
    return [one for state in states for one in state.settled]


def _imported(row: Labelled, n: int) -> Act:
    return Act(
        f"imported {n}", row.item, "imported", row.at or _LONG_AGO, row.question, row.answer, row.message, row.quote,
        row.note,
    )  # fmt: skip


def _folded(acts: Iterable[Act]) -> dict[str, ItemState]:
    states: dict[str, ItemState] = {}
    for act in acts:
        if act.kind not in ("dispute", "report"):
            states.setdefault(act.item, ItemState(act.item)).do(act)
    return states
