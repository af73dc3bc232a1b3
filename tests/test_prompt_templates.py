"""The templates: checked before a conversation is rendered, kept in a sandbox, fingerprinted with all they include."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.errors import PromptError
from grader.prompt import Templates, shipped
from grader.prompt.templates import NAMES

PROMPTS = Path(__file__).parents[1] / "prompts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))


def refused(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(PromptError) as caught:
        Templates.load(folder)
    assert caught.value.cure
    return str(caught.value)


def test_the_shipped_templates_are_those_of_the_repository_here() -> None:
    assert shipped() == PROMPTS
    assert Templates.load().prompt_hash == Templates.load(PROMPTS).prompt_hash


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("reminder.j2", "fine\n{{ ''.__class__ }}", 2, "does what a template may not"),
        ("reminder.j2", "\n\n{{ asked.__class__.__mro__ }}", 3, "does what a template may not"),
        ("reminder.j2", "{{ ''['__class__'] }}", 1, "does what a template may not"),
        ("reminder.j2", "{{ (''|attr('__class__')) }}", 1, "does what a template may not"),
        ("reminder.j2", "{{ asked.append(1) }}", 1, "reminder.j2"),
        ("policy.j2", "{% for p in policies %}\n{{ p.txet }}\n{% endfor %}", 2, "not given"),
        ("policy.j2", "{{ polices }}", 1, "did you mean policies?"),
        ("system.j2", "a\n{{ conversation.messages }}", 2, "no conversation text goes into a template"),
        ("system.j2", "{{ transcript }}", 1, "no conversation text goes into a template"),
        ("system.j2", "{{ asked }}", 1, "not given"),
        ("system.j2", "a\n{% if %}", 2, "no Jinja2 template"),
        ("system.j2", "{{ rubrics", 1, "no Jinja2 template"),
        ("system.j2", "{{ 1 / 0 }}", 1, "does not render"),
        ("system.j2", "\n{{ rubrics + 1 }}", 2, "does not render"),
        ("system.j2", "{{ rubrics | nofilter }}", 1, "nofilter"),
        ("system.j2", "{{ [1, 2] | random }}", 1, "random"),
        ("system.j2", "{{ range(999999999) }}", 1, "does not render"),
        ("system.j2", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", 1, "without end"),
        ("system.j2", "{% include '../secret.j2' %}", None, "is not there"),
        ("system.j2", "{% include '/etc/passwd' %}", None, "is not there"),
        ("system.j2", "{% include language ~ '.j2' %}", None, "name is computed"),
        ("system.j2", "{% include 'system.j2' %}", 1, "without end"),
    ],
)
def test_a_template_that_errs_is_refused_at_load_with_its_file_and_line(
    folder: Path, name: str, text: str, line: int | None, words: str
) -> None:
    (folder.parent / "secret.j2").write_text("secret")
    message = refused(folder, name, text)
    assert words in message
    assert str(folder / name) in message
    if line is not None:
        assert f"{folder / name}:{line}:" in message


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_missing_template_tells_how_to_get_it_back(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(PromptError, match="grader init"):
        Templates.load(folder)


def test_a_folder_that_is_not_there_and_bytes_that_are_no_text_are_prompt_errors(folder: Path) -> None:
    with pytest.raises(PromptError, match="missing"):
        Templates.load(folder / "none")
    (folder / "policy.j2").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(PromptError, match="UTF-8"):
        Templates.load(folder)


def test_the_hash_changes_with_every_template_and_the_language_and_not_with_line_ends(folder: Path) -> None:
    start = Templates.load(folder).prompt_hash
    seen = {start, Templates.load(folder, language="pt").prompt_hash}
    for name in sorted(NAMES):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        path.write_text(text + "One word more.\n", encoding="utf-8")
        seen.add(Templates.load(folder).prompt_hash)
        path.write_bytes(text.replace("\n", "\r\n").encode())
        assert Templates.load(folder).prompt_hash == start
    assert len(seen) == 2 + len(NAMES)
    (folder / "notes.j2").write_text("unused")
    assert Templates.load(folder).prompt_hash == start


def test_an_included_file_works_and_is_part_of_the_hash(folder: Path) -> None:
    (folder / "reminder.j2").write_text("{% include 'tail.j2' %}")
    (folder / "tail.j2").write_text("{% for r in asked %}{{ r.codes }}{% endfor %}")
    before = Templates.load(folder)
    assert "tail.j2" in before.sources
    (folder / "tail.j2").write_text("{% for r in asked %}{{ r.codes }}!{% endfor %}")
    assert Templates.load(folder).prompt_hash != before.prompt_hash
    assert "no conversation text" in refused(folder, "tail.j2", "{{ messages }}")


@pytest.mark.parametrize(
    ("code", "name"), [("en", "English"), ("pt-BR", "Portuguese (pt-BR)"), ("es", "Spanish"), ("Klingon", "Klingon")]
)
def test_the_language_of_the_reasoning_is_told_by_name(code: str, name: str) -> None:
    templates = Templates.load(language=code)
    assert templates.language == name
    assert f"Reasoning in {name}." in templates.render(
        "reminder.j2", {"asked": (), "grouped": False, "truncated": False}
    )


def test_an_empty_language_is_refused() -> None:
    with pytest.raises(PromptError, match="language"):
        Templates.load(language=" ")
