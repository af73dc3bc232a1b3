"""`grader show`: one conversation, what was found in it, and what happened afterwards."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console
from grader.errors import InputError

if TYPE_CHECKING:
    from grader.calibration.trust import Trusted
    from grader.outcomes import Case

LONGEST = 2_000  # characters of a message


def show(
    conversation: Annotated[str, typer.Argument(help="Its id, as `grader trace` and the ledger name it.")],
    run: Annotated[str | None, typer.Option(help="What this run found; by default the latest that has it.")] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """Print a conversation with its findings and their quotes, its ratings, and whether the customer came back.

    Example:
      grader show qd-026
    """
    from grader import outcomes
    from grader.calibration.trust import of_runs
    from grader.ingest.preview import lines_of
    from grader.store import open_store

    del quiet
    settings = console.settings(workspace)
    with open_store(settings.workspace.database, read_only=True) as store:
        record = store.conversation(conversation)
        if record is None:
            near = store.rows(
                "select conversation_id from conversation order by levenshtein(conversation_id, $1), 1 limit 3",
                [conversation],
            )
            meant = ", ".join(name for (name,) in near)
            raise InputError(
                f"there is no conversation {conversation!r}",
                cure=f"the nearest: {meant}" if meant else "grader ingest PATH…",
            )
        latest = store.rows(
            "select r.run_id from run_item i join run r using (run_id) where i.conversation_id = $1 "
            "and (r.selection ->> '$.golden') is null order by r.started_at desc limit 1",
            [conversation],
        )
        wanted = outcomes.find_run(store, run) if run else latest[0][0] if latest else None
        cases = outcomes.cases(store, wanted, [conversation]) if wanted else ()
        trusted = of_runs(store, [wanted]) if wanted else None
    case = next(iter(cases), None)
    if as_json:
        console.out_json({"conversation": record, "run": wanted, **({} if case is None else _document(case))})
        return
    for line in lines_of(record, LONGEST):
        console.out(console.clean(line))
    if case is not None:
        console.out()
        _findings(case, wanted, trusted)


def _findings(case: Case, run: str | None, trusted: Trusted | None) -> None:
    from grader.report.case_view import case_view

    view = case_view(case, ())
    console.out(view.afterwards)
    if case.followup.csat is not None:
        console.out(
            f"CSAT: {case.followup.csat:g}" + (f" ({case.followup.csat_comment})" if case.followup.csat_comment else "")
        )
    found = [v for v in case.verdicts if v.flagged or v.unsupported]
    console.out(
        f"\nrun {run}: {len(found)} findings in {len(case.verdicts)} verdicts, {len(case.missing)} could not be had"
    )
    for verdict in found:
        proof = "" if verdict.flagged else " (unproved: does not count)"
        trust = f"; {trusted.of(verdict.rubric, verdict.code).short}" if trusted is not None else ""
        console.out(f"- {verdict.rubric}.{verdict.code} ({verdict.severity}{trust}){proof}: {verdict.reasoning or ''}")
        for quote in verdict.evidence:
            where = f"message {quote.message}" if quote.message else "policy"
            console.out(f"    {where}: “{quote.quote}”" + ("" if quote.verified else f" ({quote.problem})"))
    for verdict in case.verdicts:
        if verdict.scale == "choice":
            console.out(
                f"- {verdict.code}: {verdict.answer}" + (f" ({verdict.reasoning})" if verdict.reasoning else "")
            )
    for absent in case.missing:
        console.out(f"- {absent.rubric}: {absent.state}, {absent.cause}")


def _document(case: Case) -> dict[str, Any]:
    return {
        "verdicts": [asdict(v) | {"evidence": [e.model_dump(mode="json") for e in v.evidence]} for v in case.verdicts],
        "missing": [asdict(m) for m in case.missing], "followup": asdict(case.followup), "changed": case.changed,
    }  # fmt: skip
