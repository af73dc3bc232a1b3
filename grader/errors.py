"""The error tree. A message says what is wrong, where, and how to mend it; the exit code stands with the class.

    GraderError                 2
    ├── ConfigError             2   grader.toml, environment, flags
    ├── InputError              2   a file that was handed in: names file, line, field
    │   └── RubricError         2   a rubric file, or a rubric changed under an unchanged version
    ├── PromptError             2   a template that does not load or render
    ├── StoreError              2   the database: locked, newer than this program, damaged
    │   ├── OldSchemaError      2   the database is of an older Grader or a killed one, and was opened for reading
    │   └── HeldError           2   another program has the database open; it may be free in a moment
    ├── RefusedError            2   what a page of the review app asked for, and what it cannot be given
    ├── JudgeError              2   the endpoint refuses everything (key, model, quota)
    ├── ThresholdError          1   a bar that the user set was not met
    ├── IncompleteError         3   some judgements are missing; run again to resume
    └── BudgetError             4   the budget is reached; run again with more to resume

A judgement that could not be had is no exception but a value: `grader.model.Failure`.
"""

from __future__ import annotations


class GraderError(Exception):
    """Anything that Grader itself reports. `cure` is the one thing to do next, shown on its own line."""

    exit_code = 2

    def __init__(self, message: str, *, cure: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.cure}" if self.cure else self.message


class ConfigError(GraderError):
    """A setting that cannot be used; the message names it and where it came from."""


class InputError(GraderError):
    """A file that cannot be used. `file`, `line` (1-based) and `field` are None where they do not apply."""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        cure: str | None = None,
    ) -> None:
        where = ":".join(str(part) for part in (file, line) if part is not None)
        what = f"{field}: {message}" if field else message
        super().__init__(f"{where}: {what}" if where else what, cure=cure)
        self.file, self.line, self.field = file, line, field
        self.reason = message


class RubricError(InputError):
    """A rubric file that does not load, or whose meaning changed under an unchanged version."""


class PromptError(GraderError):
    """A prompt template that is missing, does not parse, or uses a name that does not exist."""


class StoreError(GraderError):
    """The database cannot be opened, is held by another process, or is from a newer Grader."""


class OldSchemaError(StoreError):
    """The database is of an older Grader, or was left by a killed one, and was opened for reading only."""


class HeldError(StoreError):
    """Another program has the database open; `pid` is its number, where the system tells it."""

    def __init__(self, message: str, *, cure: str | None = None, pid: int | None = None) -> None:
        super().__init__(message, cure=cure)
        self.pid = pid


class RefusedError(GraderError):
    """A request to the review app that is not answered; `status` is HTTP's word for why."""

    def __init__(self, status: int, message: str, *, cure: str | None = None) -> None:
        super().__init__(message, cure=cure)
        self.status = status


class JudgeError(GraderError):
    """The endpoint refuses every call for a reason that no retry mends (key, model name, quota)."""


class ThresholdError(GraderError):
    """A bar that the user set was not met."""

    exit_code = 1


class IncompleteError(GraderError):
    """Some judgements are missing; running the same command again resumes."""

    exit_code = 3


class BudgetError(GraderError):
    """The budget is reached; what was judged is stored."""

    exit_code = 4
