"""The LLM judge: one call per case to any OpenAI-compatible endpoint, through openai and instructor.

Owners: `wire` retries transport, instructor re-asks when a reply does not fit the schema, and this module re-asks once
when a quote does not hold. Whatever a model says, a present defect counts only with a quote that code has found.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import instructor
import tenacity
from instructor.core import IncompleteOutputException, InstructorRetryException
from openai.types.chat import ChatCompletion
from pydantic import BaseModel, ValidationError

from grader.config import Judge as Endpoint
from grader.evidence import Transcript
from grader.judge import Case, Opinion, Question
from grader.judge.pace import Pace
from grader.judge.prices import PriceList
from grader.judge.wire import TALLY, Tally, UnsupportedMode, Wire, as_failure
from grader.model import Answer, CallStats, Evidence, Failure, JsonValue, Support, Verdict
from grader.prompt import Prompt, Templates, render
from grader.rubric import Answered, Criterion, Rubric, read_reply, reply_model

# A model gone wrong may return thousands of quotes; what is kept of one answer is bounded.
MAX_QUOTES = 20
MAX_TEXT = 4_000

_FALLBACK = {"json_schema": "tools", "tools": "json"}

Messages = Sequence[Mapping[str, JsonValue]]
Asked = Sequence[tuple[Rubric, Sequence[str]]]


class Reply(instructor.OpenAISchema):
    """Base of all replies: instructor takes the class as it is, and its schema is built once."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The cached schema; a copy, since callers write into it."""
        return dict(_schema(cls)) if not args and not kwargs else super().model_json_schema(*args, **kwargs)


@functools.lru_cache(maxsize=256)
def _schema(model: type[Reply]) -> dict[str, Any]:
    return super(Reply, model).model_json_schema()


@dataclass(frozen=True)
class _Checked:
    """One criterion's answer with its evidence checked."""

    criterion: Criterion
    said: Answered
    evidence: tuple[Evidence, ...]

    @property
    def support(self) -> Support:
        """Verified needs a quote of a role that can prove it and, where a rule is broken, the clause."""
        if self.criterion.scale != "defect" or self.said.answer != Answer.PRESENT:
            return Support.NOT_NEEDED
        quoted = any(e.verified for e in self.evidence if e.message > 0)
        cited = not self.criterion.cites_policy or any(e.verified for e in self.evidence if e.message == 0)
        return Support.VERIFIED if quoted and cited else Support.UNSUPPORTED

    def verdict(self) -> Verdict:
        """As it is stored."""
        return Verdict(
            criterion=self.criterion.code,
            answer=self.said.answer,
            reasoning=_bounded(self.said.reasoning) or None,
            evidence=self.evidence,
            support=self.support,
        )


class LlmJudge:
    """Asks a model. Made once per run: it holds the connections, the pace and what it learned of the endpoint."""

    name = "llm"

    def __init__(self, endpoint: Endpoint, templates: Templates, prices: PriceList, pace: Pace) -> None:
        self._endpoint = endpoint
        self._templates = templates
        self._prices = prices
        self._wire = Wire(endpoint, pace)
        self._mode: str = "json_schema" if endpoint.mode == "auto" else endpoint.mode
        in_content = instructor.patch(create=self._send, mode=instructor.Mode.JSON_SCHEMA)
        in_tool = instructor.patch(create=self._send, mode=instructor.Mode.TOOLS)
        # instructor types its patched function as the synchronous one.
        self._create: dict[str, Any] = {"json_schema": in_content, "json": in_content, "tools": in_tool}

    @property
    def model(self) -> str:
        """The model's name at the endpoint."""
        return self._endpoint.model

    @property
    def mode(self) -> str:
        """The structured mode in use: what was set, or what the endpoint was found to support."""
        return self._mode

    @property
    def prompt_hash(self) -> str:
        """Identity of the templates."""
        return self._templates.prompt_hash

    @property
    def parameters(self) -> Mapping[str, object]:
        """What changes the answers besides model, rubric and wording. How the endpoint is reached does not."""
        e = self._endpoint
        return {
            "temperature": e.temperature, "seed": e.seed, "max_output_tokens": e.max_output_tokens,
            "reasoning_effort": e.reasoning_effort, "extra_body": dict(e.extra_body), "context_chars": e.context_chars,
        }  # fmt: skip

    async def close(self) -> None:
        """Give the connections back."""
        await self._wire.close()

    async def judge(self, case: Case) -> Opinion:
        """One call, with its re-asks; see the module's docstring for who retries what."""
        ruled = {q.rubric.name: _ruled(q) for q in case.questions}
        asked: Asked = [(q.rubric, q.ask) for q in case.questions if q.ask]
        if not asked:
            return Opinion(verdicts=ruled)
        prompt = render(
            case.conversation, asked, case.policies, self._templates,
            max_chars=self._endpoint.context_chars,
        )  # fmt: skip
        tally = Tally()
        token = TALLY.set(tally)
        reasks = 0
        try:
            said = await self._ask(prompt.messages, asked)
            checked, reasks = await self._prove(case, prompt, asked, said)
        except (InstructorRetryException, IncompleteOutputException) as error:
            return Opinion(failure=_failure(error), stats=self._stats(tally, reasks), truncated=prompt.truncated)
        finally:
            TALLY.reset(token)
        verdicts = {name: tuple(c.verdict() for c in found) + ruled[name] for name, found in checked.items()}
        return Opinion(verdicts={**ruled, **verdicts}, stats=self._stats(tally, reasks), truncated=prompt.truncated)

    async def _prove(
        self, case: Case, prompt: Prompt, asked: Asked, said: _Said
    ) -> tuple[dict[str, list[_Checked]], int]:
        """Check every quote; ask once more, naming them, about present defects whose proof does not hold."""
        transcript = Transcript(case.conversation.messages, case.policies)
        checked = {
            rubric.name: [_check(transcript, rubric.criterion(code), said.answers[rubric.name][code]) for code in codes]
            for rubric, codes in asked
        }
        doubted = {name: [c for c in found if c.support is Support.UNSUPPORTED] for name, found in checked.items()}
        again = [(r, tuple(c.criterion.code for c in doubted[r.name])) for r, _ in asked if doubted[r.name]]
        if not again:
            return checked, 0
        complaint = _complaint([c for found in doubted.values() for c in found], transcript)
        messages = [
            *prompt.messages,
            {"role": "assistant", "content": said.text},
            {"role": "user", "content": complaint},
        ]
        try:
            second = await self._ask(messages, again, grouped=len(asked) > 1)
        except (InstructorRetryException, IncompleteOutputException) as error:
            _failure(error)  # raises what no run can go on from; otherwise the first answers stand, unsupported
            return checked, 1
        for rubric, codes in again:
            newer = {
                code: _check(transcript, rubric.criterion(code), second.answers[rubric.name][code]) for code in codes
            }
            checked[rubric.name] = [newer.get(c.criterion.code, c) for c in checked[rubric.name]]
        return checked, 1

    async def _ask(self, messages: Messages, asked: Asked, *, grouped: bool | None = None) -> _Said:
        grouped = len(asked) > 1 if grouped is None else grouped
        shape = reply_model(asked, base=Reply, grouped=grouped)
        while True:
            mode = self._mode
            try:
                reply: BaseModel = await self._create[mode](
                    response_model=shape,
                    strict=False,  # "3" for 3 is no reason to pay for another call
                    # A fresh one per call: its state is on the object, and calls run side by side.
                    max_retries=tenacity.AsyncRetrying(
                        stop=tenacity.stop_after_attempt(1 + self._endpoint.max_reasks),
                        retry=tenacity.retry_if_exception_type(
                            (ValidationError, json.JSONDecodeError, instructor.core.ResponseParsingError,
                             IncompleteOutputException)
                        ),
                        reraise=True,
                    ),
                    messages=[dict(m) for m in messages],
                    **self._request(),
                )  # fmt: skip
            except InstructorRetryException as error:
                if not (isinstance(error.__cause__, UnsupportedMode) and self._next_mode(mode)):
                    raise
            else:
                return _Said(read_reply(reply, asked, grouped=grouped), reply.model_dump_json(by_alias=True))

    def _next_mode(self, tried: str) -> bool:
        """Step to the next way of asking, unless another call has done so already; False when there is none."""
        if self._endpoint.mode != "auto":
            return False
        if self._mode == tried:
            if tried not in _FALLBACK:
                return False
            self._mode = _FALLBACK[tried]
        return True

    def _request(self) -> dict[str, Any]:
        e = self._endpoint
        wanted: dict[str, Any] = {
            "model": e.model, "temperature": e.temperature, "seed": e.seed, "reasoning_effort": e.reasoning_effort,
            # OpenAI's newer models know only the first name, most other servers only the second.
            ("max_completion_tokens" if e.provider == "azure" or e.base_url is None else "max_tokens"):
                e.max_output_tokens,
        }  # fmt: skip
        return {name: value for name, value in wanted.items() if value is not None} | dict(e.extra_body)

    async def _send(self, **body: Any) -> ChatCompletion:
        """What instructor calls in place of openai's `create`: the same request, by the short way."""
        shape = body.get("response_format")
        if shape and self._mode == "json":
            body["response_format"] = {"type": "json_object"}
        elif shape:
            shape["json_schema"]["strict"] = True  # instructor never says it
        completion = await self._wire.post(body)
        message = completion.choices[0].message
        if message.content and not message.tool_calls:
            message.content = _bare(message.content)
        return completion

    def _stats(self, tally: Tally, reasks: int) -> CallStats:
        costs = [self._prices.cost(self._endpoint.model, *usage) for usage in tally.usages]
        known = [c for c in costs if c is not None]
        return CallStats(
            model=self._endpoint.model, mode=self._mode, attempts=tally.attempts, reasks=reasks,
            prompt_tokens=tally.prompt_tokens, cached_tokens=tally.cached_tokens,
            completion_tokens=tally.completion_tokens,
            cost_usd=sum(known) if costs and len(known) == len(costs) else None,
            latency_ms=tally.latency_ms, waited_ms=tally.waited_ms, request_id=tally.request_id,
            finish_reason=tally.finish_reason,
        )  # fmt: skip


@dataclass(frozen=True)
class _Said:
    """A reply: rubric name → code → answer, and the text as it goes back into a re-ask."""

    answers: Mapping[str, Mapping[str, Answered]]
    text: str


def _ruled(question: Question) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(criterion=code, answer=answer, support=Support.RULED) for code, answer in question.ruled.items()
    )


def _check(transcript: Transcript, criterion: Criterion, said: Answered) -> _Checked:
    proof = [role.value for role in criterion.proof]
    found = [transcript.check(number, _bounded(quote), proof) for number, quote in said.evidence[:MAX_QUOTES]]
    if criterion.cites_policy and said.clause:
        found.append(transcript.check_clause(_bounded(said.clause)))
    return _Checked(criterion, said, tuple(found))


_PROBLEMS = {
    "no_such_message": "there is no message with that number",
    "not_found": "these words do not stand there",
    "wrong_role": "that speaker cannot prove this criterion",
    "too_short": "it is too short to prove anything",
}


def _complaint(doubted: Sequence[_Checked], transcript: Transcript) -> str:
    """The one re-ask: names every quote that does not hold, and why."""
    lines = ["Your proof for these codes does not hold. A program compared every quote with the transcript:"]
    for c in doubted:
        roles = "|".join(role.value for role in c.criterion.proof)
        for e in c.evidence:
            if e.problem == "wrong_message":
                why = f"it stands in message {transcript.found_in(e.quote)}"
            else:
                why = _PROBLEMS.get(e.problem or "", "")
            place = f"message {e.message}" if e.message else "the policy"
            if why:
                lines.append(f"- {c.criterion.code}: {json.dumps(e.quote, ensure_ascii=False)} ({place}): {why}.")
        if not any(e.verified for e in c.evidence if e.message):
            lines.append(f"- {c.criterion.code}: no quote by {roles} that holds.")
        if c.criterion.cites_policy and not any(e.verified for e in c.evidence if not e.message):
            lines.append(f"- {c.criterion.code}: `clause` must be copied word for word from the policy.")
    lines.append(
        "Answer these codes again, and only these. Copy each quote character by character from the message with that "
        "number. If no such quote exists, the defect is not proved: answer absent."
    )
    return "\n".join(lines)


def _failure(error: Exception) -> Failure:
    """The failure that ended a call. Raises what is no property of this case: JudgeError, and our own mistakes."""
    if isinstance(error, IncompleteOutputException):
        return Failure(cause="truncated_reply", detail="the reply ended at the token limit", retryable=True)
    cause = error.__cause__ or error
    if isinstance(cause, IncompleteOutputException):
        return Failure(cause="truncated_reply", detail="the reply ended at the token limit", retryable=True)
    if isinstance(cause, ValidationError):
        problems = [
            f"{'.'.join(str(part) for part in item['loc']) or 'reply'}: {item['msg']}"
            for item in cause.errors(include_url=False, include_input=False, include_context=False)
        ]
        return Failure(cause="bad_reply", detail=_bounded("; ".join(problems[:5]), 500), retryable=True)
    if isinstance(cause, (instructor.core.ResponseParsingError, json.JSONDecodeError)):
        return Failure(cause="bad_reply", detail="the reply holds no answer in the schema", retryable=True)
    failure = as_failure(cause)
    if failure is None:
        raise cause
    return failure


def _bounded(text: str, longest: int = MAX_TEXT) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _bare(content: str) -> str:
    """The JSON object in a reply, without the fence or the thoughts that some models put around it."""
    text = content.strip()
    if text.startswith("{"):
        return text
    text = text.rpartition("</think>")[2]
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else content
