"""Rules that no single test of a module would notice being broken: who imports whom, what is documented, what ships."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from typer.main import get_command

from grader import errors
from grader.cli import COMMANDS, app
from grader.config import SETTINGS
from grader.config.settings import SECRETS

PACKAGE = REPOSITORY / "grader"
EVERYTHING = None

# The outermost edge of a worker, which must record what happened and go on: the one place for `except Exception`.
WORKERS_EDGES = {PACKAGE / "engine" / "run.py"}
# Who may import a package of others; one that is not named here needs a line, and a reason in docs/decisions.
OWNERS: dict[str, set[str]] = {
    "openai": {"judge"},
    "instructor": {"judge"},
    "tenacity": {"judge"},
    "httpx2": {"judge"},
    "aiohttp": {"judge"},
    "genai_prices": {"judge"},
    "duckdb": {"store"},
    "jinja2": {"prompt", "report"},
    "markupsafe": {"report"},
    "yaml": {"rubric", "ingest"},
    "pydantic_core": {"rubric"},
    "pydantic": {"model", "rubric", "judge", "engine", "ingest"},
    "typer": {"cli"},
    "rich": {"cli"},
    "scipy": {"statistics"},
    "numpy": {"statistics"},
    "phonenumbers": {"people"},
    "babel": {"language"},
    "starlette": {"review"},
    "uvicorn": {"review"},
}


def import_table() -> dict[str, set[str] | None]:
    """What each part of the package may import of the others: the table in docs/architecture.md."""
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `(\w+)/?` \| [^|]+ \| ([^|]+) \|", text)
    table = {part: EVERYTHING if may == "everything" else set(re.findall(r"\w+", may)) for part, may in rows}
    return table | {"__main__": {"cli"}}


MAY_IMPORT = import_table()


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(p for p in (REPOSITORY / folder).rglob("*.py") if "__pycache__" not in p.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def part_of(path: Path) -> str:
    """The row of the table that a file of the package belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, nodes: Iterator[ast.AST] | None = None) -> Iterator[str]:
    """Every module, by its full dotted name, that a file imports anywhere in it."""
    for node in nodes or ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            assert node.module
            for alias in node.names:
                submodule = PACKAGE.parent.joinpath(*node.module.split("."), alias.name)
                is_module = submodule.with_suffix(".py").exists() or submodule.is_dir()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def test_every_part_of_the_package_stands_in_the_import_table() -> None:
    parts = {part_of(path) for path in sources("grader")} - {"__init__"}
    assert parts == set(MAY_IMPORT)
    for part, allowed in MAY_IMPORT.items():
        assert allowed is EVERYTHING or allowed <= parts, f"{part} may import what is not there"


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_a_part_imports_only_what_the_table_allows(part: str) -> None:
    allowed = MAY_IMPORT[part]
    if allowed is EVERYTHING:
        return
    for path in sources("grader"):
        if part_of(path) == part:
            ours = {name.split(".")[1] for name in imported(path) if name.startswith("grader.")}
            assert ours <= allowed | {part}, f"{path.name} imports {sorted(ours - allowed - {part})}"


def test_no_module_imports_itself_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in sources("grader"):
        at_load = (n for n in tree(path).body if isinstance(n, (ast.Import, ast.ImportFrom)))
        graph[module_of(path)] = {n for n in imported(path, at_load) if n.startswith("grader.")} - {module_of(path)}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_parts_of_the_package_form_no_circle_even_inside_functions() -> None:
    graph: dict[str, set[str]] = {}
    for path in sources("grader"):
        ours = {name.split(".")[1] for name in imported(path) if name.startswith("grader.")}
        graph.setdefault(part_of(path), set()).update(ours - {part_of(path)})
    tuple(TopologicalSorter(graph).static_order())


def test_a_package_of_others_has_the_owners_that_are_named() -> None:
    import sys

    for path in sources("grader"):
        for name in imported(path):
            top = name.partition(".")[0]
            if top != "grader" and top not in sys.stdlib_module_names:
                assert top in OWNERS, f"{path.name} imports {top}, which nobody owns"
                assert part_of(path) in OWNERS[top], f"{path.name} imports {top}, owned by {sorted(OWNERS[top])}"


def test_every_package_that_is_imported_is_declared_and_the_other_way_round() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[<>=~! ]", line)[0].lower() for line in project["dependencies"]}
    module = {"pyyaml": "yaml", "genai-prices": "genai_prices", "phonenumberslite": "phonenumbers"}
    used = {name.partition(".")[0] for path in sources("grader") for name in imported(path)} & set(OWNERS)
    through_others = {
        "httpx2",
        "aiohttp",
        "markupsafe",
        "pydantic_core",
        "numpy",
    }  # openai[aiohttp], jinja2, pydantic and scipy are made of them
    assert {module.get(name, name) for name in declared} == used - through_others
    for line in project["dependencies"]:
        assert ">=" in line, f"{line}: no lower bound"
        assert "<" in line, f"{line}: no upper bound"


@pytest.mark.parametrize(
    "path", list(sources("grader", "tests", "benchmarks")), ids=lambda p: str(p.relative_to(REPOSITORY))
)
def test_a_source_file_keeps_the_house_rules(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 500, f"{lines} lines: find a seam"
    assert path.stem not in {"utils", "helpers", "common", "manager", "base", "misc"}
    assert ast.get_docstring(tree(path)) or not lines, "a module says its idea and its boundary"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            names = set(re.findall(r"\w+", caught))
            assert caught, f"line {node.lineno}: except without a type"
            cleans_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            broad = names & {"Exception", "BaseException"} and not cleans_up
            assert not broad or path in WORKERS_EDGES, f"line {node.lineno}: except {caught}"
        if isinstance(node, ast.Attribute):
            assert node.attr != "execute" + "many", f"line {node.lineno}: thousands of times slower than one statement"


def texts() -> Iterator[Path]:
    """Every text file that is committed, as far as the folders tell."""
    for name in ("grader", "tests", "benchmarks", "docs", "rubrics", "prompts", "datasets", ".ci"):
        yield from (
            p for p in sorted((REPOSITORY / name).rglob("*")) if p.is_file() and p.suffix not in {".pyc", ".png"}
        )
    yield from (p for p in sorted(REPOSITORY.iterdir()) if p.is_file() and p.name not in {"LICENSE", ".git"})


def test_nothing_names_a_machine_a_registry_or_work_left_over() -> None:
    # Written in pieces, so that this file itself passes.
    bad = re.compile(
        r"(?<![\w.~:-])/(?:"
        "wo"
        r"rk|tm"
        r"p|ro"
        r"ot)/|/ho"
        r"me/(?!user\b|me\b)|/Us"
        r"ers/|pypi"
        r"\.org|python"
        r"hosted"
        r"|\bTO" + r"DO\b|\bFIX" + r"ME\b|\bX" + r"XX\b|\bHA" + r"CK\b"
    )
    found = []
    for path in texts():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(REPOSITORY)}: {m.group()}" for m in bad.finditer(text)]
    assert found == []


# Documents


def test_every_error_stands_in_the_drawn_tree_with_its_parent_and_exit_code() -> None:
    drawn: dict[str, tuple[str, int]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"^([ │├└─]+)(\w+Error) +(\d+)\b", line):
            depth = len(match[1])
            above = [(d, n) for d, n in above if d < depth]
            drawn[match[2]] = (above[-1][1] if above else "Exception", int(match[3]))
            above.append((depth, match[2]))
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.GraderError)]
    assert drawn == {c.__name__: (c.__mro__[1].__name__, c.exit_code) for c in classes}


def test_no_error_is_defined_elsewhere() -> None:
    names = {name for name, value in vars(errors).items() if isinstance(value, type)}
    for path in sources("grader"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and path.name != "errors.py":
                parents = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                assert not parents & names, f"{path.name}: {node.name} belongs into errors.py"


def setting_row(key: str) -> str:
    item = next(item for item in SETTINGS if item.key == key)
    if isinstance(item.default, dict) or hasattr(item.default, "keys"):
        default = "see below" if item.default else "empty"
    elif item.default == ():
        default = "empty"
    else:
        default = "none" if item.default is None else f"`{item.default}`"
    variables = ", ".join(f"`{name}`" for name in item.env)
    return f"| `{item.key}` | {default} | {variables} | {item.doc} |"


@pytest.mark.parametrize("key", [item.key for item in SETTINGS])
def test_every_setting_is_documented_as_it_is(key: str) -> None:
    text = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert setting_row(key) in text.splitlines()


def test_no_document_names_a_setting_that_is_gone() -> None:
    known = {item.key for item in SETTINGS} | set(SECRETS)
    text = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:workspace|people|judge|engine|report|figures)\.[a-z_]+)`", text))
    assert named <= known, sorted(named - known)


def test_every_setting_is_used() -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in sources("grader") if part_of(p) != "config")
    unused = [i.key for i in SETTINGS if not re.search(rf"\.{i.key.rpartition('.')[2]}\b|\"{i.key}\"", code)]
    assert unused == []


def commands(name: str) -> Iterator[tuple[str, Any]]:
    """A command and its own commands, each with its full name."""
    root: Any = get_command(app)
    command: Any = root.get_command(None, name)
    yield name, command
    for sub, inner in getattr(command, "commands", {}).items():
        yield f"{name} {sub}", inner


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    for full, command in commands(name):
        text = command.help or ""
        assert len(text.partition("\n")[0]) > 10, f"{full}: what does it do?"
        assert re.search(r"\nExamples?:\n", text), f"{full}: no Example:"
        assert f"grader {full}" in text, f"{full}: its example does not call it"
        for option in command.params:
            assert getattr(option, "help", None), f"{full}: {option.name} has no help"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_prints_json_on_request(name: str) -> None:
    for full, command in commands(name):
        if not hasattr(command, "commands") and full not in {
            "schema",
            "prompt show",
        }:  # both print JSON or what is sent
            options = {option for parameter in command.params for option in parameter.opts}
            assert options & {"--json", "--format"}, f"{full} has no --json"


def test_every_command_stands_in_the_readme() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    missing = [name for name in COMMANDS if not re.search(rf"(grader |make |`){name}\b", text)]
    assert missing == []


# Packaging


def locked(name: str) -> dict[str, str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^ \\;]+)", text))


def test_the_locks_hold_versions_within_the_bounds_with_hashes_and_no_host() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert runtime.items() <= dev.items()
    groups = project["dependency-groups"]
    for lines, versions in (
        (project["project"]["dependencies"] + groups["build"], runtime),
        ([line for line in groups["dev"] if isinstance(line, str)], dev),
    ):
        for line in lines:
            wanted = Requirement(line)
            name = wanted.name.lower()
            assert name in versions, f"{name} is not locked: make lock"
            assert wanted.specifier.contains(versions[name]), f"{name} {versions[name]} is outside {wanted.specifier}"
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


def test_the_makefile_explains_each_of_its_targets() -> None:
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*##", text, re.MULTILINE), target


def test_the_wheel_holds_the_package_and_what_init_and_demo_copy(tmp_path: Path) -> None:
    import shutil
    import subprocess
    import sys
    import zipfile

    keep = ("grader", "rubrics", "prompts", "datasets", "pyproject.toml", "README.md", "LICENSE")
    for name in keep:  # a copy: the builder must not find, or leave, anything in the checkout
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / "copy" / name)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=tmp_path / "copy", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("rubrics", "prompts", "datasets"):
        for path in (REPOSITORY / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"grader/shipped/{path.relative_to(REPOSITORY).as_posix()}" in names
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(REPOSITORY).as_posix() in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
