"""Rubric + policies + conversation → the messages that a judge is sent.

System message first and byte-identical for the same rubrics, then the policies, then the transcript alone as JSON, then
a reminder that names the codes. Nothing here calls an endpoint or knows the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.model import Conversation, Policy
from grader.prompt import transcript
from grader.prompt.templates import AskedText, PolicyText, RubricText, Templates, shipped
from grader.rubric import Asked, Rubric, wording
from grader.text import neutralise

__all__ = ["CHARS_PER_TOKEN", "Prompt", "Templates", "budget_chars", "render", "shipped"]

# Three characters a token is on the safe side for English, Portuguese and Spanish (3.5 to 4.5 as measured by their
# tokenizers) and for the JSON around them; scripts with one token a character need a smaller `max_chars`.
CHARS_PER_TOKEN = 3
_CUT_NOTE = 80  # characters that a statement of what was cut takes
_TRANSCRIPTS_KEPT = 4
_POLICY_SHARE = 1 / 3  # at most; the transcript has the rest, and what short policies leave


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: system, policies, transcript, reminder. `truncated`: words were left out, as is said in place."""

    messages: tuple[dict[str, str], ...]
    truncated: bool
    n_chars: int
    grouped: bool

    @property
    def transcript(self) -> str:
        """The JSON that stands alone in its message."""
        return self.messages[2]["content"]


def budget_chars(context_tokens: int, reply_tokens: int, instruction_chars: int) -> int:
    """`max_chars` for a model with this context, when the reply and the system message have their room."""
    return max((context_tokens - reply_tokens) * CHARS_PER_TOKEN - instruction_chars, 0)


def render(
    conversation: Conversation,
    rubrics: Asked,
    policies: Sequence[Policy],
    templates: Templates,
    *,
    max_chars: int,
    grouped: bool | None = None,
) -> Prompt:
    """The messages for one conversation. `rubrics`: each with the codes to ask; all its criteria are shown, so that the
    system message stays the same, and the reminder names those that are asked.

    `grouped` (default: more than one rubric) is how the reply is shaped, as in `reply_model`. `max_chars` is for the
    policies and the transcript together; what is longer is cut, and says so. The instructions (about 4,000 characters
    and the rubric) come on top. Raises PromptError where a template does not render.
    """
    if grouped is None:
        grouped = len(rubrics) > 1
    system = _system(tuple(rubric for rubric, _ in rubrics), templates, grouped)
    asked = tuple(
        (rubric.name, tuple(code for code in rubric.codes if code in codes)) for rubric, codes in rubrics if codes
    )
    if not asked:
        raise ValueError("nothing is asked")
    policy, policy_cut = _policies(tuple(policies), templates, int(max_chars * _POLICY_SHARE))
    written = _transcript(conversation, templates, max_chars - len(policy))
    truncated = policy_cut or written.truncated or conversation.truncated
    reminder = _reminder(asked, templates, grouped, truncated=truncated)
    contents = (system, policy, _encodable(written.text), reminder)
    messages = tuple(
        {"role": role, "content": content}
        for role, content in zip(("system", "user", "user", "user"), contents, strict=True)
    )
    return Prompt(messages, truncated, sum(map(len, contents)), grouped)


def _system(rubrics: tuple[Rubric, ...], templates: Templates, grouped: bool) -> str:
    key = ("system", tuple(rubric.meaning_hash for rubric in rubrics), grouped)
    if key not in templates.cache:
        texts = tuple(RubricText(rubric.name, tuple(map(wording, rubric.criteria))) for rubric in rubrics)
        templates.cache[key] = _encodable(templates.render("system.j2", {"rubrics": texts, "grouped": grouped}))
    text: str = templates.cache[key]
    return text


def _policies(policies: tuple[Policy, ...], templates: Templates, max_chars: int) -> tuple[str, bool]:
    """The policy message and whether it was cut. Long policies are shortened to a common length, short ones stay."""
    key = ("policy", policies)
    if key not in templates.cache:
        templates.cache[key] = _policy_message(policies, templates, None)
    whole: str = templates.cache[key]
    if len(whole) <= max_chars:
        return whole, False
    key_cut = ("policy", policies, max_chars)
    if key_cut not in templates.cache:
        templates.cache[key_cut] = _cut_policies(policies, templates, len(whole), max_chars)
    cut: str = templates.cache[key_cut]
    return cut, True


def _cut_policies(policies: tuple[Policy, ...], templates: Templates, whole: int, max_chars: int) -> str:
    lengths = [len(policy.text) for policy in policies]
    room = max_chars - (whole - sum(lengths))
    limit = max(lengths)
    while limit > 0 and sum(length if length <= limit else limit + _CUT_NOTE for length in lengths) > room:
        limit = limit * 15 // 16
    message = _policy_message(policies, templates, limit)
    if len(message) > max_chars:  # hundreds of policies, whose names alone are too long
        note = f"\n[… {len(message) - max_chars + _CUT_NOTE:,} characters of policies left out for length …]\n"
        message = message[: max_chars - _CUT_NOTE] + note
    return message


def _policy_message(policies: tuple[Policy, ...], templates: Templates, limit: int | None) -> str:
    texts = tuple(_policy_text(policy, limit) for policy in policies)
    return _encodable(templates.render("policy.j2", {"policies": texts}))


def _policy_text(policy: Policy, limit: int | None) -> PolicyText:
    text = neutralise(policy.text)
    cut = limit is not None and len(text) > limit
    if cut:
        text = f"{text[:limit]}\n[… {len(text) - (limit or 0):,} characters left out for length …]"
    title = neutralise(policy.title) if policy.title else None
    return PolicyText(neutralise(policy.policy_id), neutralise(policy.version), title, text, cut)


def _transcript(conversation: Conversation, templates: Templates, max_chars: int) -> transcript.Written:
    """Those of the last few conversations are kept: each rubric asks for the same one, right after another."""
    kept: list[tuple[Conversation, int, transcript.Written]] = templates.cache.setdefault("transcripts", [])
    for known, room, text in kept:
        if known is conversation and room == max_chars:
            return text
    text = transcript.write(conversation, max_chars)
    kept.append((conversation, max_chars, text))
    del kept[:-_TRANSCRIPTS_KEPT]
    return text


def _reminder(
    asked: tuple[tuple[str, tuple[str, ...]], ...], templates: Templates, grouped: bool, *, truncated: bool
) -> str:
    key = ("reminder", asked, grouped, truncated)
    if key not in templates.cache:
        texts = tuple(AskedText(name, codes) for name, codes in asked)
        values: dict[str, Any] = {"asked": texts, "grouped": grouped, "truncated": truncated}
        templates.cache[key] = _encodable(templates.render("reminder.j2", values))
    text: str = templates.cache[key]
    return text


def _encodable(text: str) -> str:
    """Half a surrogate pair, which JSON can smuggle in, has no UTF-8 and would break the request."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
