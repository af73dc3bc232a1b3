"""Finds the workspace, reads its file, the environment and the flags, and checks every value where it came from.

Nothing is written. A message names the origin, the setting and what was expected; it never repeats a secret.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from grader.config.queues import Queues
from grader.config.settings import BY_KEY, SECTIONS, SETTINGS, Setting, Settings
from grader.config.values import SECRET_NAME, Headers, PathKind, Prices, Secret, Url
from grader.errors import ConfigError

FILE = "grader.toml"
KEY_VARIABLES = {
    "openai": ("GRADER_API_KEY", "OPENAI_API_KEY"),
    "azure": ("GRADER_API_KEY", "AZURE_OPENAI_API_KEY", "OPENAI_API_KEY"),
}
IDENTITY_KEY = "GRADER_IDENTITY_KEY"
ABOUT_GRADER_ITSELF = {"GRADER_API_KEY", IDENTITY_KEY, "GRADER_WORKSPACE"}


def find(start: Path) -> Path | None:
    """The nearest `grader.toml`, or `pyproject.toml` with `[tool.grader]`, in `start` or a folder above it."""
    for folder in (start, *start.parents):
        try:
            if (folder / FILE).is_file():
                return folder / FILE
            pyproject = folder / "pyproject.toml"
            if pyproject.is_file() and re.search(r"^\s*\[+\s*tool\s*\.\s*grader\b", _text(pyproject), re.MULTILINE):
                return pyproject
        except PermissionError:
            continue
    return None


def load(
    flags: Mapping[str, object] | None = None, start: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settings for the workspace that `start` (default: the current directory) is in.

    `flags` maps `section.name` to a value; None means not given. Without a workspace the settings are the defaults
    for `start` itself, `file` is None and `require_workspace()` raises. Raises ConfigError.
    """
    environ = os.environ if environ is None else environ
    start = _folder(start)
    file = find(start)
    root = file.parent if file else start
    lines = _lines(file) if file else {}
    given = _flatten(_tables(file), file, lines) if file else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for item in SETTINGS:
        raw, origin, cwd = _raw(item, flags or {}, environ, given, file, lines)
        if origin == "default":
            values[item.key] = _path(root, item.default) if isinstance(item.kind, PathKind) else item.default
            continue
        value = _read(item, raw, origin)
        values[item.key] = _path(cwd or root, value) if isinstance(item.kind, PathKind) else value
        origins[item.key] = origin
    for key in (flags or {}).keys() - BY_KEY.keys():
        raise KeyError(key)
    values["judge.headers"] = Headers().fill(values["judge.headers"], environ)
    secret, origins["judge.api_key"] = _api_key(values["judge.api_key_env"], values["judge.provider"], environ)
    secrets = {"judge": {"api_key": secret}, "people": {}}
    if text := environ.get(IDENTITY_KEY, "").strip():
        secrets["people"] = {"identity_key": Secret(text)}
        origins["people.identity_key"] = f"environment {IDENTITY_KEY}"
    settings = Settings(
        root=root,
        file=file,
        **{
            section: record(
                **{k.partition(".")[2]: v for k, v in values.items() if k.startswith(section + ".")},
                **secrets.get(section, {}),
            )
            for section, record in SECTIONS.items()
        },
        prices=values["prices"],
        queues=values["queues"],
        origins=origins,
        warnings=tuple(_misspelt(environ)),
    )
    _check(settings)
    return settings


def _folder(start: Path | None) -> Path:
    try:
        start = (start or Path()).expanduser().absolute()
        folder = start.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        what = "the current directory is gone" if start is None else f"{start} cannot be used: {error}"
        raise ConfigError(what, cure="cd into a workspace, or name one with --workspace DIR") from error
    if not folder:
        raise ConfigError(f"{start} is no folder", cure="name the folder of a workspace; grader init DIR makes one")
    return start


def _path(root: Path, value: Path) -> Path:
    return Path(os.path.normpath(root / value))


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 (byte {error.start})", cure="save the file as UTF-8") from error
    except PermissionError:
        raise
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error


def _tables(file: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(_text(file))
    except ValueError as error:  # TOMLDecodeError is one, and so is a number of 5,000 digits
        twice = "twice" in str(error) or "overwrite" in str(error)
        cure = "put a table's settings under one [head]" if twice else "texts stand in quotes, tables in [brackets]"
        raise ConfigError(f"{file}: not TOML: {error}", cure=cure) from error
    except RecursionError as error:
        raise ConfigError(f"{file}: nested too deeply") from error
    except PermissionError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    if file.name == FILE:
        return tables
    table = tables["tool"].get("grader", {}) if isinstance(tables.get("tool"), dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.grader is no table", cure="write [tool.grader]")
    return table


def _flatten(tables: Mapping[str, Any], file: Path, lines: Mapping[str, int]) -> dict[str, object]:
    found: dict[str, object] = {}
    for section, table in tables.items():
        if section in BY_KEY:
            found[section] = table
            continue
        if section not in SECTIONS:
            raise _unknown(file, section, lines, [*SECTIONS, *(k for k in BY_KEY if "." not in k)])
        if not isinstance(table, dict):
            raise ConfigError(f"{file}: {section} is {_kind(table)}, expected a table", cure=f"write [{section}]")
        for name, value in table.items():
            if f"{section}.{name}" not in BY_KEY:
                raise _unknown(file, f"{section}.{name}", lines, BY_KEY)
            found[f"{section}.{name}"] = value
    return found


def _unknown(file: Path, key: str, lines: Mapping[str, int], known: Iterable[str]) -> ConfigError:
    where = f"{file}:{lines[key]}" if key in lines else str(file)
    name = key.rpartition(".")[2].lower().replace("-", "_")
    if re.fullmatch(r"(openai_|azure_|azure_openai_|grader_)?(api_?)?(key|token)", name):
        return ConfigError(
            f"{where}: {key}: a key does not belong in a file",
            cure="remove it (and renew the key if the file was shared), then export OPENAI_API_KEY=… "
            "or name another variable with judge.api_key_env",
        )
    elsewhere = [k for k in BY_KEY if k.rpartition(".")[2] == name]
    near = elsewhere or get_close_matches(key, list(known), 2, 0.6)
    cure = f"did you mean {' or '.join(near)}?" if near else "grader config show lists every setting"
    return ConfigError(f"{where}: {key!r} is not a setting", cure=cure)


def _raw(
    item: Setting,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    given: Mapping[str, object],
    file: Path | None,
    lines: Mapping[str, int],
) -> tuple[object, str, Path | None]:
    """The value that wins, its origin, and the folder that a relative path is relative to (None: the workspace)."""
    if flags.get(item.key) is not None:
        return flags[item.key], item.flag, Path.cwd()
    for name in item.env:
        if environ.get(name, "").strip():
            origin = f"environment {name}"
            try:
                return item.kind.parse(environ[name]), origin, None
            except ValueError as error:
                raise _wrong(item, environ[name], origin, str(error)) from None
    if item.key in given and file is not None:
        line = lines.get(item.key)
        return given[item.key], f"{file.name}:{line}" if line else file.name, None
    return None, "default", None


def _read(item: Setting, raw: object, origin: str) -> Any:
    try:
        return item.kind.read(raw)
    except ValueError as error:
        raise _wrong(item, raw, origin, str(error)) from None


def _wrong(item: Setting, raw: object, origin: str, expected: str) -> ConfigError:
    # Where a key could have been pasted, the value is not repeated.
    quiet = (
        SECRET_NAME.search(item.key) or isinstance(raw, (dict, list)) or isinstance(item.kind, (Url, Prices, Queues))
    )
    long = isinstance(raw, int) and raw.bit_length() > 256  # Python refuses to write very long numbers
    if quiet:
        return ConfigError(f"{origin}: {item.key}: expected {expected}")
    value = " with too many digits" if long else f" {raw!r:.80}"
    return ConfigError(f"{origin}: {item.key} is {_kind(raw)}{value}, expected {expected}")


def _kind(raw: object) -> str:
    names = {bool: "the truth value", int: "the number", float: "the number", str: "the text", dict: "a table"}
    return names.get(type(raw), "a list" if isinstance(raw, list) else f"a {type(raw).__name__}")


def _api_key(variable: str | None, provider: str, environ: Mapping[str, str]) -> tuple[Secret | None, str]:
    for name in (variable,) if variable else KEY_VARIABLES[provider]:
        if value := environ.get(name, "").strip():
            return Secret(value), f"environment {name}"
    return None, f"environment {variable} (not set)" if variable else "default"


def _misspelt(environ: Mapping[str, str]) -> Iterable[str]:
    known = {name for item in SETTINGS for name in item.env} | ABOUT_GRADER_ITSELF
    for name in sorted(environ):
        if name.startswith("GRADER_") and name not in known and (near := get_close_matches(name, known, 2, 0.8)):
            yield f"the environment variable {name} is no setting; did you mean {' or '.join(sorted(near))}?"


def _check(settings: Settings) -> None:
    workspace, judge, engine = settings.workspace, settings.judge, settings.engine
    try:
        _ = workspace.tz
    except (ValueError, OSError, KeyError) as error:  # an unknown zone is a KeyError
        raise ConfigError(
            f"{settings.origin('workspace.timezone')}: workspace.timezone {workspace.timezone!r} is not known here",
            cure="use an IANA name such as America/Sao_Paulo, or UTC; `pip install tzdata` adds the zones where "
            "the system has none",
        ) from error
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", workspace.language):
        raise ConfigError(
            f"{settings.origin('workspace.language')}: workspace.language is {workspace.language!r:.80}, "
            "expected a language code such as en, pt-BR or es"
        )
    if judge.kind == "llm" and judge.provider == "azure" and not (judge.azure_endpoint or judge.base_url):
        raise ConfigError(
            f"{settings.origin('judge.provider')}: judge.provider is azure, but judge.azure_endpoint is not set",
            cure='azure_endpoint = "https://NAME.openai.azure.com" in [judge], or AZURE_OPENAI_ENDPOINT',
        )
    if engine.start_concurrency > engine.concurrency and settings.origin("engine.start_concurrency") != "default":
        raise ConfigError(
            f"{settings.origin('engine.start_concurrency')}: engine.start_concurrency {engine.start_concurrency} "
            f"is more than engine.concurrency {engine.concurrency}"
        )


def _lines(file: Path) -> dict[str, int]:
    """Line of each setting, found by reading the file's lines; a key inside a text of several lines is not one."""
    found: dict[str, int] = {}
    table, quote = "", ""
    prefix = "tool.grader." if file.name != FILE else ""
    for number, line in enumerate(_text(file).split("\n"), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$", line):
            table = _plain(header[1]) + "."
            found.setdefault(table.removeprefix(prefix).rstrip("."), number)
        elif pair := re.match(
            r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)""", line
        ):
            key = (table + _plain(pair[1])).removeprefix(prefix)
            while key:  # a.b.c = … also sets a.b
                found.setdefault(key, number)
                key = key.rpartition(".")[0]
            quote = next((q for q in ('"""', "'''") if pair[2].count(q) == 1), "")
    for table in ("prices", "queues"):
        if lines := [number for key, number in found.items() if key.startswith(f"{table}.")]:
            found[table] = min(*lines, found.get(table, lines[0]))
    return found


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
