"""What the tests share: an environment without anybody's settings, a workspace, the program as a subprocess."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, expect, sync_playwright

# A shared machine is slow now and then; what an example may take is no claim of any test.
hypothesis_settings.register_profile("grader", deadline=None)
hypothesis_settings.load_profile("grader")
expect.set_options(timeout=20_000)  # nor how long a page takes to get there

REPOSITORY = Path(__file__).parent.parent
FOREIGN = ("GRADER_", "OPENAI_", "AZURE_OPENAI_")  # settings of whoever runs the tests; none may reach them

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip


class Ended(NamedTuple):
    """How a run of the program ended: its exit code, and what it wrote."""

    code: object
    out: str
    err: str


Main = Callable[..., Ended]
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A fresh workspace, as `grader init` makes it."""
    from grader.workspace import init

    return init(tmp_path / "workspace").root


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Main:
    """The entry point with these arguments, in this process: what it printed, and the code it ended with."""

    from grader.cli import main as entry_point

    def run(*args: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, args)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as ended:
            entry_point()
        return Ended(ended.value.code, *capfd.readouterr())

    return run


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Runs `python -m grader ARGS` in a subprocess, as a user does, in `cwd` (default: an empty folder)."""
    empty = tmp_path / "elsewhere"

    def run(
        *args: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        empty.mkdir(exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        inherited["PYTHONPATH"] = str(REPOSITORY)
        command = [sys.executable, "-m", "grader", *map(str, args)]
        return subprocess.run(
            command, cwd=cwd or empty, env=inherited | dict(env or {}), input=stdin, capture_output=True,
            encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; the test is skipped, saying so, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium for the tests of a file, not for all: Playwright keeps an event loop, and other tests have theirs."""
    home = str(tmp_path_factory.mktemp("home"))  # Chromium writes crash folders and settings into one
    environ = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")} | {"HOME": home}
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, env=dict(environ))
        yield found
        found.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data beside the repository; the test is skipped, saying so, where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder
