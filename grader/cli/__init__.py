"""The command line: a table of commands, each imported when it is used, and one place where errors become exit codes.

Nothing here knows what a command does. `grader --help` reads the table and imports no command at all.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from importlib import import_module
from types import TracebackType
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

import grader
from grader.cli import console
from grader.errors import GraderError


class Entry(NamedTuple):
    """One command: where its help stands, what it is, and the module's attribute (a function, or a Typer)."""

    section: str
    help: str
    module: str
    attribute: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry("Start", "Grade the bundled sample and write its report.", "grader.cli.demo", "demo"),
    "init": Entry("Start", "Make a workspace: rubrics, prompts, grader.toml.", "grader.cli.workspace", "init"),
    "doctor": Entry("Start", "Check workspace, endpoint, database and clock.", "grader.cli.doctor", "doctor"),
    "config": Entry("Start", "Show every setting and where its value came from.", "grader.cli.workspace", "config"),
    "ingest": Entry("Grade", "Take in conversations, policies, outcomes, labels.", "grader.cli.ingest", "ingest"),
    "schema": Entry("Grade", "Print the JSON Schema of a record that ingest takes.", "grader.cli.ingest", "schema"),
    "rubric": Entry("Grade", "List, show, lint, compare and renew rubrics.", "grader.cli.rubric", "app"),
    "prompt": Entry("Grade", "Print exactly what a judge is sent.", "grader.cli.prompt", "app"),
    "sample": Entry("Grade", "Draw conversations by a design, with their chances.", "grader.cli.sample", "sample"),
    "grade": Entry("Grade", "Judge conversations; the same command resumes.", "grader.cli.grade", "grade"),
    "failures": Entry("Grade", "List what could not be judged, and why.", "grader.cli.grade", "failures"),
    "label": Entry("Grade", "Blind labels by people: plan, export, import, decide.", "grader.cli.label", "app"),
    "review": Entry("Grade", "Label a plan in the browser, blind, by keyboard.", "grader.cli.review", "review"),
    "calibrate": Entry(
        "Trust", "A judge against blind labels: errors, corrected rates.", "grader.cli.calibrate", "calibrate"
    ),
    "disagreements": Entry(
        "Trust", "Where the judge and people differ, with both reasons.", "grader.cli.disagreements", "disagreements"
    ),
    "golden": Entry("Trust", "Known answers: is a changed judge still as good?", "grader.cli.golden", "app"),
    "compare": Entry(
        "Trust", "Two rubric versions, prompts or models on the same labels.", "grader.cli.compare", "compare"
    ),
    "promote": Entry("Trust", "May a new version take the old one's place?", "grader.cli.promote", "promote"),
    "report": Entry("Read", "Write the HTML report, or its figures as JSON or CSV.", "grader.cli.report", "report"),
    "metrics": Entry("Read", "Containment, AI resolution, returns, ratings, times.", "grader.cli.metrics", "metrics"),
    "associations": Entry(
        "Read", "Which findings go with a return or a bad rating.", "grader.cli.associations", "associations"
    ),
    "quality": Entry(
        "Read", "What the judge found: solved, defects, hand-offs, mood.", "grader.cli.quality", "quality"
    ),
    "ledger": Entry("Read", "The backlog: causes, volume, returns, hours, examples.", "grader.cli.quality", "ledger"),
    "trace": Entry("Read", "The conversations behind a figure.", "grader.cli.trace", "trace"),
    "show": Entry("Read", "One conversation, its findings, what happened afterwards.", "grader.cli.show", "show"),
    "brief": Entry("Read", "One page of a week: what changed, warnings, what to fix.", "grader.cli.brief", "brief"),
    "check": Entry("Read", "Exit 1 where a figure is past its threshold.", "grader.cli.check", "check"),
    "contacts": Entry("Read", "Who the customers are, and how that is known.", "grader.cli.contacts", "contacts"),
    "db": Entry("Read", "Inspect, list, verify and rebuild the database.", "grader.cli.db", "app"),
}
EPILOG = """\
\b
Example:
  grader init my-shop && cd my-shop
  grader ingest conversations/*.jsonl
  grader grade --sample 200 --seed 1
  grader report

\b
Exit codes: 0 ok, 1 a threshold failed, 2 usage, configuration or input,
3 incomplete (the same command resumes), 4 budget reached, 130 interrupted.
"""
BUG = 70  # the exit code of a fault in Grader itself, as in sysexits.h: 1 would read as a failed threshold
PIPE_CLOSED = 141  # what a shell shows for a program that ends because its reader has gone


class Commands(TyperGroup):
    """A group whose commands are named in the table above and imported on use."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        """The command, its module imported now."""
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            self.commands[cmd_name] = _command(cmd_name)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click does it, with the nearest names of the table where there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(f"No such command '{console.clean(args[0])}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - click's signature
        """The table, by section, without importing what it names."""
        width = max(map(len, COMMANDS))
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            rows = [(f"{n:{width}}", e.help) for n, e in COMMANDS.items() if e.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """As click does it; a reader that has gone away ends the program quietly, with a code of its own."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            console.drop_output()
            raise typer.Exit(PIPE_CLOSED) from None
        return result

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command line. A GraderError is printed and becomes its exit code."""
        try:
            return super().main(*args, **kwargs)
        except GraderError as error:
            console.error(error)
            sys.exit(error.exit_code)
        except OSError as error:
            # An OSError that belongs to a file was mapped where the file was opened; this one is of our own output.
            console.drop_output()
            console.error(GraderError(f"{error.filename or 'output'}: {error.strerror or error}"))
            sys.exit(GraderError.exit_code)


def _command(name: str) -> Any:
    entry = COMMANDS[name]
    found = getattr(import_module(entry.module), entry.attribute)
    if isinstance(found, typer.Typer):
        found.rich_markup_mode = None
        group = typer.main.get_group(found)
        group.name = name
        for command in group.commands.values():
            command.help = _keep_lines(command.help)
        return _with_help(group)
    one = typer.Typer(rich_markup_mode=None, add_completion=False)
    one.command(name)(found)
    return _with_help(typer.main.get_command(one))


def _with_help(command: Any) -> Any:
    command.help = _keep_lines(command.help)
    return command


def _keep_lines(text: str | None) -> str | None:
    # \b is click's mark for a paragraph whose lines stay as they are
    return re.sub(r"(?m)^(?<!\x08\n)(?=Examples?:)", "\b\n", text) if text else text


app = typer.Typer(
    cls=Commands,
    name="grader",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        console.out(f"grader {grader.__version__}")
        raise typer.Exit


@app.callback()
def root(
    workspace: console.WorkspaceOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Measure what an AI support agent really did: was the problem solved, with what quality, at what cost.

    Grader takes in conversations, has them judged against versioned rubrics, checks every quote that the judge
    offers, and reports with denominators. --workspace DIR may stand here or after the command; -h tells the rest.
    """
    del version
    console.remember_workspace(workspace)


def program() -> NoReturn:
    """The entry point `grader`: `main`, and then the process ends at once.

    Everything is written and closed when a command returns. Taking the interpreter apart piece by piece would add a
    quarter of a second to every command that has loaded much.
    """
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    if not isinstance(code, int) and code is not None:
        print(code, file=sys.stderr)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader is gone, which `main` has dealt with
            stream.flush()
    os._exit(code or 0)


def main() -> NoReturn:
    """The command line. Ends with SystemExit."""
    console.make_streams_safe()
    sys.excepthook = _bug
    typer.main.get_command(app).main(prog_name="grader")  # app() would put typer's own excepthook in the way
    sys.exit(0)


def _bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    if issubclass(kind, Exception):
        console.note(
            "\nThis is a fault in Grader itself. Please report it with the lines above, which may hold words of a "
            f"customer, and: grader {grader.__version__}, Python {sys.version.split()[0]}, {sys.platform}"
        )
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(BUG)  # everything was closed on the way here; an orderly end would only add DuckDB's own complaints
