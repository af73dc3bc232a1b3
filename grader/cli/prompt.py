"""`grader prompt show`: exactly what a judge is sent about one conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from grader.cli import console

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.model import Conversation, Policy
    from grader.prompt import Prompt

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _prompt() -> None:
    """Print exactly what a judge is sent.

    Example:
      grader prompt show CONVERSATION --rubric accuracy
    """


@app.command("show")
def show(
    conversation: Annotated[str, typer.Argument(metavar="CONVERSATION", help="Its id.", show_default=False)],
    rubrics: Annotated[
        list[str] | None,
        typer.Option(
            "--rubric", "-r", metavar="RUBRIC", help="Name, name@version or path; repeat for more. All by default."
        ),
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="rubric|all", help="One prompt per rubric, or one with all.")
    ] = None,
    workspace: console.WorkspaceOption = None,
    as_json: console.JsonOption = False,
    quiet: console.QuietOption = False,
) -> None:
    """The messages about one conversation, word for word, as `grader grade` sends them. Nothing is called.

    With --json also the schema of the reply, the codes that are answered without asking, and the prompt's hash.

    Example:
      grader prompt show wa-1042 --rubric accuracy
    """
    from grader.errors import ConfigError, InputError
    from grader.store import open_store

    del quiet
    settings = console.settings(workspace)
    group = group or settings.judge.group
    if group not in ("rubric", "all"):
        raise ConfigError(f"--group {group} is not known", cure="one of rubric, all")
    with open_store(settings.workspace.database, read_only=True) as store:
        found = store.conversation(conversation)
        policies = store.policies()
    if found is None:
        raise InputError(
            f"there is no conversation {conversation!r} in {settings.workspace.database}",
            cure="grader db list shows which there are",
        )
    shown = _prompts(found, policies, rubrics or [], settings, together=group == "all")
    if as_json:
        console.out_json([_as_json(item) for item in shown])
        return
    for index, (names, prompt, ruled, _) in enumerate(shown):
        if index:
            console.out()
        _print(names, prompt, ruled)


_Shown = tuple[list[str], "Prompt | None", dict[str, str], dict[str, Any]]


def _prompts(
    conversation: Conversation, policies: list[Policy], names: list[str], settings: Settings, *, together: bool
) -> list[_Shown]:
    """Per prompt: its rubrics, the prompt (None: nothing is left to ask), the answers without asking, and facts."""
    from grader.prompt import Templates, render
    from grader.rubric import applicable, find, newest, reply_model

    folder = settings.workspace.rubrics
    lists = {"contact_reasons": settings.workspace.contact_reasons}
    found = [find(folder, name) for name in names] if names else newest(folder)
    rubrics = [rubric.with_options(lists) for rubric in found]
    templates = Templates.load(settings.workspace.prompts, language=settings.workspace.language)
    day = conversation.happened_at.date() if conversation.happened_at else None
    in_force = [policy for policy in policies if policy.in_force(conversation.queue, day)]
    shown: list[_Shown] = []
    for part in [rubrics] if together else [[rubric] for rubric in rubrics]:
        asked, ruled = [], {}
        for rubric in part:
            codes, answers = applicable(
                rubric.criteria, has_tools=conversation.has_tools, has_policy=bool(in_force),
                has_human=conversation.has_human, has_handoff=conversation.has_handoff,
            )  # fmt: skip
            ruled.update({f"{rubric.name}.{code}": answer for code, answer in answers.items()})
            if codes:
                asked.append((rubric, codes))
        prompt = None
        facts: dict[str, Any] = {"prompt_hash": templates.prompt_hash, "schema": None}
        if asked:
            prompt = render(conversation, asked, in_force, templates, max_chars=settings.judge.context_chars)
            facts["schema"] = reply_model(asked, grouped=prompt.grouped).model_json_schema()
        shown.append(([rubric.reference for rubric in part], prompt, ruled, facts))
    return shown


def _print(names: list[str], prompt: Prompt | None, ruled: dict[str, str]) -> None:
    """Each message under a line with its role; what is no part of the prompt goes to stderr."""
    console.note(f"── {', '.join(names)}: {prompt.n_chars if prompt else 0:,} characters")
    for code, answer in ruled.items():
        console.note(f"   {code} is {answer} without asking: what it needs is not in this conversation")
    if prompt is None:
        console.note("   nothing is left to ask, so nothing is sent")
        return
    if prompt.truncated:
        console.note("   truncated: longer than judge.context_chars")
    for message in prompt.messages:
        console.out(f"[{message['role']}]")
        console.out(message["content"])


def _as_json(item: _Shown) -> dict[str, Any]:
    names, prompt, ruled, facts = item
    return {
        "rubrics": names,
        "messages": list(prompt.messages) if prompt else [],
        "truncated": bool(prompt and prompt.truncated),
        "n_chars": prompt.n_chars if prompt else 0,
        "ruled": ruled,
        **facts,
    }
