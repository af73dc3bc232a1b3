"""A finding of the judge as the app shows it to somebody who disputes it: what was said, what the judge answered to
which question and why, and what people said against it. For those alone who may read the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grader.errors import RefusedError
from grader.language import _
from grader.model import Conversation, JsonValue
from grader.review import shown
from grader.review.material import Material, judged
from grader.review.session import Person, Session
from grader.store import Store

Judged = tuple[Conversation, Mapping[str, Mapping[str, JsonValue]]]


def may_be_shown(session: Session, person: Person, conversation_id: str, question: str) -> None:
    """Raises RefusedError (404) where this person is to stay blind, or where it is no finding of this run. What is
    shown counts as the report does.
    """
    session.check_report(person)
    material = session.material
    if conversation_id not in material.of_run or question not in material.every:
        raise RefusedError(404, _("this finding is not of the run that is reviewed"))


def kept(material: Material, conversation_id: str, question: str) -> Judged | None:
    """The conversation and its verdicts, where the session has both; it has what the plan has."""
    conversation = material.conversations.get(conversation_id)
    verdicts = material.verdicts.get(conversation_id, {})
    return (conversation, verdicts) if conversation is not None and question in verdicts else None


def reading(material: Material, conversation_id: str) -> Callable[[Store], Judged | None]:
    """Reads the same of any other conversation of the run."""
    versions = {name: asked.version for name, asked in material.every.items()}
    return lambda store: judged(store, material.plan.run_id, versions, conversation_id)


def told(session: Session, person: Person, question: str, found: Judged | None) -> dict[str, JsonValue]:
    """The finding. Raises RefusedError (409) where the conversation is gone."""
    if found is None:
        raise RefusedError(409, _("this conversation is gone"), cure=_("go on with the next one"))
    conversation, verdicts = found
    material, verdict = session.material, verdicts.get(question)
    return {
        "conversation_id": conversation.conversation_id, "run_id": material.plan.run_id,
        "question": shown.question(material.every[question]), "conversation": shown.case(conversation),
        "policies": [shown.policy(p) for p in material.in_force(conversation)],
        "judge": shown.judge(verdict) if verdict else None,
        "disputes": [
            d for d in session.disputes(person)
            if (d["conversation_id"], d["question"]) == (conversation.conversation_id, question)
        ],
    }  # fmt: skip
