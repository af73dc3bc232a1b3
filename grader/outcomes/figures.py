"""What one run found, as counts: headline, recontact, defects, choices, failures, spend.

SQL counts (see `sql/`), the records here only divide. A verdict counts as flagged when it is present *and* proved; an
unsupported one never does. A judgement that could not be had is counted as that, and a recontact window that is still
open when the data end is "not yet known". A `Share` is of the conversations of the run; where these were drawn with
unequal chances, records have `parts`, and `weighting.rate` tells the rate of the population.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from grader.errors import ConfigError, GraderError
from grader.outcomes import chain
from grader.outcomes.about import About
from grader.outcomes.reader import Reader
from grader.outcomes.recontact import WINDOWS_HOURS, Recontact
from grader.outcomes.share import Share
from grader.outcomes.weighting import Layer, Part, mean, with_parts
from grader.statistics.stratified import Mean


@dataclass(frozen=True, slots=True)
class Decided:
    """How many codes of a rubric the judge decided: answered at least once with more than `cannot_assess`, where it
    was asked. `undecided`: the titles of the others.
    """

    rubric: str
    rubric_version: str
    n_codes: int
    n_decided: int
    undecided: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The counts behind the headline figures, for one queue or for all (`overall`)."""

    overall: bool
    queue: str | None
    n_conversations: int
    n_judged_conversations: int
    n_judgements: int
    n_judged: int
    n_failed: int
    n_pending: int
    n_reused: int
    n_resolved: int
    n_partly: int
    n_not_resolved: int
    n_unclear: int
    n_resolution_cannot_assess: int
    n_resolution_missing: int
    n_contained: int
    n_handed_off: int
    n_contained_resolved: int
    n_contained_partly: int
    n_contained_not_resolved: int
    n_contained_unclear: int
    n_assessed: int  # at least one defect code was answered
    n_flagged: int
    n_critical_assessed: int  # at least one critical code was answered
    n_critical: int
    n_unsupported_only: int
    n_partly_judged: int  # assessed, but some of its judgements failed or are pending
    n_findings: int
    n_csat: int
    csat_sum: float
    csat_squares: float
    n_synthetic: int
    parts: tuple[Part[Headline], ...] = ()

    @property
    def resolved(self) -> Share:
        """Judged resolved, of those judged resolved, partly, not or unclear."""
        return Share(self.n_resolved, self.n_resolved + self.n_partly + self.n_not_resolved + self.n_unclear)

    @property
    def contained(self) -> Share:
        """No hand-off to a human, of those where this is known."""
        return Share(self.n_contained, self.n_contained + self.n_handed_off)

    @property
    def contained_not_resolved(self) -> Share:
        """Judged `not` or `partly`, of the contained ones whose resolution was judged (unclear ones included)."""
        n = self.n_contained_partly + self.n_contained_not_resolved
        return Share(n, n + self.n_contained_resolved + self.n_contained_unclear)

    @property
    def flagged(self) -> Share:
        """At least one proved defect, of those where any defect code could be answered."""
        return Share(self.n_flagged, self.n_assessed)

    @property
    def critical(self) -> Share:
        """At least one proved critical defect, of those where any critical code could be answered."""
        return Share(self.n_critical, self.n_critical_assessed)

    @property
    def csat_answered(self) -> Share:
        """Conversations with a CSAT answer."""
        return Share(self.n_csat, self.n_conversations)

    @property
    def csat_mean(self) -> float | None:
        """Mean CSAT, 1 to 5, of the answers as they are; None without any."""
        return self.csat_sum / self.n_csat if self.n_csat else None

    @property
    def csat_weighted(self) -> Mean | None:
        """Mean CSAT of the population; None where nothing is weighted, or too few answered."""
        return mean(self, lambda h: (h.n_csat, h.csat_sum, h.csat_squares), lowest=1, highest=5)


@dataclass(frozen=True, slots=True)
class Defect:
    """One code in one slice: `all`, a `queue`, or a `channel_language`. The counts add up to `n_conversations`."""

    rubric: str
    rubric_version: str
    code: str
    title: str
    severity: str
    slice: str
    queue: str | None
    channel: str | None
    language: str | None
    n_conversations: int
    n_flagged: int
    n_unsupported: int
    n_absent: int
    n_not_applicable: int
    n_cannot_assess: int
    n_failed: int
    n_pending: int
    parts: tuple[Part[Defect], ...] = ()

    @property
    def n_assessable(self) -> int:
        """Conversations in which the defect could have been and the judge gave an answer."""
        return self.n_flagged + self.n_unsupported + self.n_absent

    @property
    def flagged(self) -> Share:
        """Proved present, of the assessable. Unsupported ones stay in the denominator and never in the numerator."""
        return Share(self.n_flagged, self.n_assessable)


@dataclass(frozen=True, slots=True)
class Choice:
    """How often one option of a choice was taken. `reasons`: contact reasons among them, most frequent first.
    `n_assessed`: all that took any option but `cannot_assess`.
    """

    overall: bool
    queue: str | None
    rubric: str
    rubric_version: str
    code: str
    title: str
    option: str
    n: int
    n_unsolved: int  # judged `not` or `partly` resolved
    n_resolution_judged: int  # of these, those judged resolved, partly, not or unclear
    examples: tuple[str, ...]
    reasons: tuple[tuple[str, int], ...]
    n_assessed: int
    parts: tuple[Part[Choice], ...] = ()

    @property
    def taken(self) -> Share:
        """Of those that could be assessed; `cannot_assess` itself, of all."""
        return Share(self.n, self.n_assessed + (self.n if self.option == "cannot_assess" else 0))

    @property
    def unsolved(self) -> Share:
        """Judged `not` or `partly` resolved, of those that took the option and were judged on it."""
        return Share(self.n_unsolved, self.n_resolution_judged)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Judgements that could not be had, by cause. `state` is failed or pending."""

    cause: str
    state: str
    retryable: bool
    http_status: int | None
    n_judgements: int
    n_conversations: int
    rubrics: tuple[str, ...]
    detail: str | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spend:
    """Calls, tokens and money. `known_usd` sums the priced calls; the totals are None when any is unpriced."""

    n_calls: int
    n_unpriced: int
    known_usd: float
    n_requests: int
    n_uncounted: int  # calls whose tokens are not known
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    n_judging_calls: int
    n_judging_unpriced: int
    judging_known_usd: float
    paid_by_others_usd: float  # of `judging_known_usd`, what other runs paid
    n_judged_conversations: int

    @property
    def paid_usd(self) -> float | None:
        """What this run paid; None when a call has no price."""
        return None if self.n_unpriced else self.known_usd

    @property
    def judging_usd(self) -> float | None:
        """What the judgements of this run cost, whichever run paid; None when a call has no price."""
        return None if self.n_judging_unpriced else self.judging_known_usd

    @property
    def usd_per_conversation(self) -> float | None:
        """`judging_usd` by judged conversation; None when unknown or none was judged."""
        if self.judging_usd is None or not self.n_judged_conversations:
            return None
        return self.judging_usd / self.n_judged_conversations


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is counted about one run. `headlines[0]` and the first recontacts are over all queues. `layers`:
    the strata of a sample that was drawn with unequal chances; empty where figures need no weights.
    """

    about: About
    layers: tuple[Layer, ...]
    decided: tuple[Decided, ...]
    headlines: tuple[Headline, ...]
    recontacts: tuple[Recontact, ...]
    defects: tuple[Defect, ...]
    choices: tuple[Choice, ...]
    unjudged: tuple[Unjudged, ...]
    spend: Spend

    @property
    def headline(self) -> Headline:
        """Over all queues."""
        return self.headlines[0]


def query(name: str, *parts: str) -> str:
    """The text of `sql/<name>.sql`, after all of `sql/run` and its parts; `returns` is all of `sql/chain`."""
    return "\n".join(
        [chain.of_run(), *(chain.as_ctes() if part == "returns" else body(part) for part in (*parts, name))]
    )


def body(name: str) -> str:
    """The text of `sql/<name>.sql` alone."""
    return (files("grader.outcomes") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def find_run(reader: Reader, run_id: str | None = None) -> str:
    """The id of the run that is meant: the latest one, or the one that begins with `run_id`. One that judged a golden
    set again is no ordinary one, and is only meant where its id is given.

    Raises GraderError when there is no run, ConfigError when none or several match.
    """
    rows = reader.rows(
        "select run_id, (selection ->> '$.golden') is null from run order by started_at desc, run_id desc", []
    )
    known = [name for name, is_ordinary in rows if is_ordinary or run_id is not None]
    if not known:
        raise GraderError(
            "there is no run in this workspace yet", cure="grade something first: `grader grade` (or try `grader demo`)"
        )
    if run_id is None:
        return str(known[0])
    if run_id in known:
        return run_id
    found = [known_id for known_id in known if run_id and known_id.startswith(run_id)]
    if len(found) == 1:
        return str(found[0])
    some = ", ".join((found or known)[:5])
    if found:
        raise ConfigError(f"run {run_id!r} is ambiguous: {some}", cure="give more of the id")
    raise ConfigError(
        f"there is no run {run_id!r}", cure=f"take one of the {len(known)} there are, latest first: {some}"
    )


def about(reader: Reader, run_id: str | None = None) -> About:
    """What a run is (the latest when `run_id` is None). Raises as `find_run`."""
    [row] = reader.records(query("about"), [find_run(reader, run_id)])
    found: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    return About(**found)


def figures(reader: Reader, run_id: str | None = None) -> Figures:
    """All figures of one run (the latest when `run_id` is None). Raises as `find_run`."""
    run_id = find_run(reader, run_id)

    def records(name: str, *parts: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
        found = reader.records(query(name, *parts), [run_id, *params])
        return [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in found]

    run = about(reader, run_id)
    [spend] = records("spend")
    windows = [list(WINDOWS_HOURS)]
    layers = tuple(Layer(**row) for row in records("layer"))

    def of_queue(row: dict[str, Any]) -> bool:
        return "queue" in run.strata_by and not row["overall"]

    def of_slice(row: dict[str, Any]) -> bool:
        fields = {"queue": {"queue"}, "channel_language": {"channel", "language"}}.get(row["slice"])
        return fields is not None and fields <= set(run.strata_by)

    return Figures(
        about=run,
        layers=layers,
        decided=tuple(Decided(**row) for row in records("decided")),
        headlines=tuple(
            with_parts(records("headline"), Headline, lambda row: (row["overall"], row["queue"]), layers, of_queue)
        ),
        recontacts=tuple(
            with_parts(
                records("recontact", "returns", params=windows),
                Recontact,
                lambda row: (row["overall"], row["queue"], row["window_hours"]),
                layers,
                of_queue,
            )
        ),
        defects=tuple(with_parts(records("defect"), Defect, _defect_key, layers, of_slice)),
        choices=_choices(records("choice"), layers, of_queue),
        unjudged=tuple(Unjudged(**row) for row in records("failure")),
        spend=Spend(**spend),
    )


def _defect_key(row: dict[str, Any]) -> object:
    return tuple(row[name] for name in ("slice", "queue", "channel", "language", "rubric", "rubric_version", "code"))


def _choices(
    rows: list[dict[str, Any]], layers: Sequence[Layer], nested: Callable[[dict[str, Any]], bool]
) -> tuple[Choice, ...]:
    assessed: dict[object, int] = {}
    for row in rows:
        entries = [(entry["key"], entry["value"]) for entry in row["reasons"] or ()]
        row["reasons"] = tuple(sorted(entries, key=lambda entry: (-entry[1], entry[0])))
        if row["option"] != "cannot_assess":
            asked = (*_choice_key(row), row["layer"])
            assessed[asked] = assessed.get(asked, 0) + row["n"]
    for row in rows:
        row["n_assessed"] = assessed.get((*_choice_key(row), row["layer"]), 0)
    found = with_parts(rows, Choice, lambda row: (*_choice_key(row), row["option"]), layers, nested)
    if not layers:
        return tuple(found)
    return tuple(_untaken(choice, assessed, layers) for choice in found)


def _choice_key(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("overall", "queue", "rubric", "rubric_version", "code"))


def _untaken(choice: Choice, assessed: Mapping[object, int], layers: Sequence[Layer]) -> Choice:
    """With its layers in which others were asked and nobody took this option: these have no row of their own."""
    key = (choice.overall, choice.queue, choice.rubric, choice.rubric_version, choice.code)
    none = replace(choice, n=0, n_unsolved=0, n_resolution_judged=0, examples=(), reasons=(), parts=())
    have = {part.layer.number: part for part in choice.parts}
    parts = []
    for layer in layers:
        part = have.get(layer.number)
        if (part is None or part.counts is None) and (key_of := (*key, layer.number)) in assessed:
            part = Part(layer, replace(none, n_assessed=assessed[key_of]))
        if part is not None:
            parts.append(part)
    return replace(choice, parts=tuple(parts))
