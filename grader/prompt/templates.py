"""The prompt's Jinja2 files: loaded once, checked before any conversation is rendered, fingerprinted.

Templates see rubrics, policies and the list of codes; no name leads to a conversation, so that no customer's text can
ever be read as a template or stand among the instructions. What goes wrong is a PromptError with file and line.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

import grader
from grader.errors import PromptError
from grader.model import digest
from grader.rubric import Wording
from grader.rubric.wording import ExampleWording

# Counts in the prompt's fingerprint: raise it when this package changes what is sent for the same templates.
FORMAT = 1

NAMES: dict[str, frozenset[str]] = {
    "system.j2": frozenset({"rubrics", "grouped", "language"}),
    "policy.j2": frozenset({"policies", "language"}),
    "reminder.j2": frozenset({"asked", "grouped", "truncated", "language"}),
}
_LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "id": "Indonesian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese",
    "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_OF_CONVERSATION = frozenset({
    "conversation", "transcript", "messages", "message", "text", "customer", "contact", "events", "quote", "turns",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class RubricText:
    """A rubric as `system.j2` sees it: its name and the wording of its criteria."""

    name: str
    criteria: tuple[Wording, ...]


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy as `policy.j2` sees it, neutralised; `cut`: its text was shortened."""

    policy_id: str
    version: str
    title: str | None
    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class AskedText:
    """The codes that this conversation is asked of one rubric."""

    name: str
    codes: tuple[str, ...]


class Templates:
    """The three templates of one folder, in one language. Use `Templates.load`."""

    def __init__(
        self, folder: Path, sources: Mapping[str, str], language: str, environment: jinja2.Environment
    ) -> None:
        self.folder = folder
        self.sources = dict(sources)
        self.language = language
        self._environment = environment
        self._templates = {name: self._compiled(name) for name in NAMES}
        self.prompt_hash = digest("pr", {"format": FORMAT, "language": language, "templates": self.sources})
        self.cache: dict[Any, Any] = {}  # rendered text that many prompts share; see `grader.prompt`

    @classmethod
    def load(cls, folder: str | os.PathLike[str] | None = None, *, language: str = "en") -> Templates:
        """The templates of this folder (None: the shipped ones), tried once with sample values. `language`: of the
        judge's reasoning, as a code (`en`, `pt-BR`) or a name.

        Raises PromptError where a file is missing, does not parse, uses a name that is not given, or does not render.
        """
        root = Path(folder) if folder is not None else shipped()
        sources = {name: _source(root, name) for name in NAMES}
        environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True,
            loader=jinja2.FunctionLoader(lambda name: _included(root, name)), auto_reload=False,
        )  # fmt: skip
        environment.globals.pop("lipsum", None)  # the same conversation gives the same prompt: nothing random
        environment.filters.pop("random", None)
        for name in NAMES:
            _collect(environment, root, name, sources)
        templates = cls(root, sources, _language(language), environment)
        templates.check()
        return templates

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """One template with these values. Raises PromptError with file and line."""
        try:
            return self._templates[name].render(values, language=self.language)
        except jinja2.TemplateNotFound as error:
            raise self._error(name, error, f"includes {error.name!r}, which is not there") from error
        except jinja2.UndefinedError as error:
            raise self._error(name, error, f"uses a name that is not given: {error.message}") from error
        except jinja2.exceptions.SecurityError as error:
            raise self._error(name, error, f"does what a template may not: {error.message}") from error
        except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
            raise self._error(name, error, f"does not render: {error}") from error
        except RecursionError as error:
            raise self._error(name, error, "includes or calls itself without end") from error

    def check(self) -> None:
        """Raises the first PromptError that sample values or the names used would bring."""
        for name in self.sources:
            _check_names(self._environment, self.folder, name, self.sources[name])
        for values in _samples():
            for name, allowed in NAMES.items():
                self.render(name, {key: values[key] for key in allowed if key in values})

    def _compiled(self, name: str) -> jinja2.Template:
        try:
            return self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise _syntax(self.folder, error, name) from error

    def _error(self, name: str, error: BaseException, what: str) -> PromptError:
        path, line = _place(error, self.folder / name)
        where = f"{path}:{line}" if line else str(path)
        names = ", ".join(sorted(NAMES[name]))
        return PromptError(f"{where}: the template {what}", cure=f"names that {name} may use: {names}")


def shipped() -> Path:
    """Where the shipped templates stand: inside the installed package, or beside it in a source tree."""
    package = Path(grader.__file__).parent
    inside = package / "shipped" / "prompts"
    return inside if inside.is_dir() else package.parent / "prompts"


def _language(code: str) -> str:
    """The name that a model understands better than a code: `Portuguese (pt-BR)`."""
    code = " ".join(code.split())
    if not code:
        raise PromptError("the language of the reasoning is empty", cure='set it, as in language = "en"')
    name = _LANGUAGES.get(code.replace("_", "-").partition("-")[0].lower())
    if name is None:
        return code
    return name if len(code) == 2 else f"{name} ({code})"


def _source(root: Path, name: str) -> str:
    path = root / name
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        cure = "`grader init` writes the shipped templates; a workspace needs " + ", ".join(NAMES)
        raise PromptError(f"{path}: this template is missing", cure=cure) from error
    except (OSError, ValueError) as error:
        raise PromptError(f"{path}: cannot be read: {error}", cure="save it as UTF-8 text") from error
    return text.replace("\r\n", "\n")


def _included(root: Path, name: str) -> tuple[str, str, None] | None:
    """What Jinja loads: files of the folder itself, never of another one."""
    path = root / name
    if Path(name).name != name or name.startswith(".") or not path.is_file():
        return None
    return _source(root, name), str(path), None


def _collect(environment: jinja2.Environment, root: Path, name: str, sources: dict[str, str]) -> None:
    """Adds what this template includes to `sources`: an included file is part of the prompt and of its fingerprint."""
    try:
        tree = environment.parse(sources[name], name, str(root / name))
    except jinja2.TemplateSyntaxError as error:
        raise _syntax(root, error, name) from error
    for other in meta.find_referenced_templates(tree):
        if other is None or _included(root, other) is None:
            what = (
                "includes a file whose name is computed" if other is None else f"includes {other!r}, which is not there"
            )
            raise PromptError(f"{root / name}: the template {what}", cure="include files of the same folder, by name")
        if other not in sources:
            sources[other] = _source(root, other)
            _collect(environment, root, other, sources)


def _syntax(root: Path, error: jinja2.TemplateSyntaxError, name: str) -> PromptError:
    place = f"{root / (error.name or name)}:{error.lineno}"
    return PromptError(f"{place}: this is no Jinja2 template: {error.message}", cure="mend the marked line")


def _check_names(environment: jinja2.Environment, root: Path, name: str, source: str) -> None:
    allowed = NAMES.get(name, frozenset().union(*NAMES.values()))
    tree = environment.parse(source, name, str(root / name))
    for unknown in sorted(meta.find_undeclared_variables(tree) - allowed):
        uses = (node.lineno for node in tree.find_all(nodes.Name) if node.name == unknown)
        place = f"{root / name}:{min(uses, default=1)}"
        if unknown in _OF_CONVERSATION:
            raise PromptError(
                f"{place}: the template asks for `{unknown}`, but no conversation text goes into a template",
                cure="the transcript has a message of its own, as JSON; remove this",
            )
        near = difflib.get_close_matches(unknown, allowed, n=1)
        cure = f"did you mean {near[0]}?" if near else f"names that {name} may use: {', '.join(sorted(allowed))}"
        raise PromptError(f"{place}: the template uses `{unknown}`, which is not given", cure=cure)


def _place(error: BaseException, default: Path) -> tuple[Path, int | None]:
    """The innermost line of a template in the error's traceback: Jinja writes the template's own lines into it."""
    found: tuple[Path, int | None] = (default, None)
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if file.endswith(".j2") or file == str(default) or Path(file).parent == default.parent:
            found = (Path(file), step.tb_lineno)
        step = step.tb_next
    return found


def _samples() -> list[dict[str, Any]]:
    example = ExampleWording("present", "customer: hi\nai: hello", "why")
    wording = Wording("code", "defect", "Is it?", (("present", "x"), ("absent", "")), ("ai",), True, (example,), "{}")
    bare = Wording("code", "choice", "Which?", (("a", ""),), ("ai",), False, (), "{}")
    rubrics = (RubricText("one", (wording, bare)), RubricText("two", (wording,)))
    policy = PolicyText("id", "1", None, "text", cut=False)
    titled = PolicyText("id", "1", "title", "text", cut=True)
    asked = tuple(AskedText(rubric.name, ("code",)) for rubric in rubrics)
    return [
        {"rubrics": rubrics, "grouped": True, "policies": (policy, titled), "asked": asked, "truncated": True},
        {"rubrics": rubrics[:1], "grouped": False, "policies": (), "asked": asked[:1], "truncated": False},
    ]
