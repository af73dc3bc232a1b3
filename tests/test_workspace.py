"""Making a workspace: everything is copied, nothing is overwritten, and what cannot be written is said."""

from __future__ import annotations

import filecmp
import os
from pathlib import Path

import pytest
from conftest import REPOSITORY, Main

from grader.config import load
from grader.errors import ConfigError, GraderError, InputError
from grader.workspace import init, shipped, template


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


def test_a_new_workspace_has_the_rubrics_and_prompts_that_ship(tmp_path: Path) -> None:
    made = init(tmp_path / "deep" / "er")
    assert made.kept == ()
    assert set(made.written) == files(made.root)
    for folder in ("rubrics", "prompts"):
        sources = {f"{folder}/{name}" for name in files(REPOSITORY / folder)}
        assert sources
        assert {name for name in made.written if name.startswith(folder)} == sources
        for name in sources:
            assert filecmp.cmp(REPOSITORY / name, made.root / name, shallow=False)
    assert (made.root / "datasets").is_dir()
    assert (made.root / "reports").is_dir()


def test_a_new_workspace_loads_with_its_own_folders(tmp_path: Path) -> None:
    root = init(tmp_path).root
    settings = load(start=root, environ={})
    assert settings.require_workspace() == root
    assert settings.workspace.rubrics == root / "rubrics"


def test_what_exists_is_kept_byte_for_byte(tmp_path: Path) -> None:
    first = init(tmp_path)
    changed = tmp_path / "rubrics" / "accuracy" / "1.0.0.yaml"
    changed.write_text("mine\n")
    (tmp_path / "grader.toml").write_text("[judge]\nmodel = 'mine'\n")
    gone = tmp_path / "rubrics" / "behavior" / "1.0.0.yaml"
    gone.unlink()
    again = init(tmp_path)
    assert again.written == ("rubrics/behavior/1.0.0.yaml",)
    assert set(again.kept) == set(first.written) - set(again.written)
    assert changed.read_text() == "mine\n"
    assert load(start=tmp_path, environ={}).judge.model == "mine"


def test_settings_in_pyproject_are_not_hidden_by_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.grader.judge]\nmodel = 'mine'\n")
    made = init(tmp_path)
    assert "pyproject.toml" in made.kept
    assert not (tmp_path / "grader.toml").exists()
    assert load(start=tmp_path, environ={}).judge.model == "mine"


def test_a_workspace_inside_another_is_one_of_its_own(tmp_path: Path) -> None:
    init(tmp_path)
    inner = init(tmp_path / "inner").root
    assert load(start=inner, environ={}).root == inner


def test_a_dangling_link_counts_as_something_that_exists(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").symlink_to(tmp_path / "nowhere.toml")
    assert "grader.toml" in init(tmp_path).kept
    assert not (tmp_path / "nowhere.toml").exists()


def test_a_file_where_a_folder_is_wanted_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="file"):
            init(target)
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "rubrics").write_text("x")
    with pytest.raises(InputError, match="rubrics"):
        init(tmp_path / "w")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        init(tmp_path / "w")


def test_only_what_ships_can_be_asked_for() -> None:
    assert shipped("rubrics") == REPOSITORY / "rubrics"
    for name in ("secrets", "../tests", ""):
        with pytest.raises(GraderError, match="has no"):
            shipped(name)


def test_the_settings_file_of_this_repository_is_the_one_that_init_writes() -> None:
    assert (REPOSITORY / "grader.toml").read_text(encoding="utf-8") == template()


def test_init_tells_what_it_wrote_and_what_it_kept(main: Main, tmp_path: Path) -> None:
    first = main("init", tmp_path / "shop")
    assert (first.code, first.out.count("\n")) == (0, 1)
    assert "0 kept" in first.out
    assert "+ rubrics/accuracy/1.0.0.yaml" in first.err
    second = main("init", tmp_path / "shop", "--quiet")
    assert "0 written" in second.out
    assert second.err == ""


@pytest.mark.parametrize("argv", [("-w", "DIR", "init"), ("init", "-w", "DIR"), ("init", "DIR")])
def test_the_folder_to_make_may_be_named_in_either_way(main: Main, tmp_path: Path, argv: tuple[str, ...]) -> None:
    code, _, _ = main(*(str(tmp_path / "new") if part == "DIR" else part for part in argv))
    assert code == 0
    assert (tmp_path / "new" / "grader.toml").is_file()


def test_two_folders_to_make_are_one_too_many(main: Main, tmp_path: Path) -> None:
    code, _, err = main("init", str(tmp_path / "a"), "-w", str(tmp_path / "b"))
    assert code == 2
    assert "name one folder" in err
    assert not (tmp_path / "a").exists()


def test_the_demo_keeps_out_of_a_workspace_that_it_did_not_make(main: Main, tmp_path: Path) -> None:
    main("init", str(tmp_path))
    before = files(tmp_path)
    code, _, err = main("demo", str(tmp_path), "--judge", "signals")
    assert code == 2
    assert "the synthetic sample would be mixed into it" in err
    assert files(tmp_path) == before


def test_a_name_that_is_taken_ends_with_exit_code_2(main: Main, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    done = main("init", tmp_path / "taken")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert "→" in done.err


def test_naming_a_folder_that_is_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    from grader.cli.console import settings

    init(tmp_path)
    (tmp_path / "inside").mkdir()
    with pytest.raises(ConfigError, match=r"(?s)inside has no grader\.toml.*grader init"):
        settings(tmp_path / "inside")
    assert settings(tmp_path).root == tmp_path
