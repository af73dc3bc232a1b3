"""Settings: where each value comes from, what is refused and how that is said, and that no key is ever shown."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import math
import pickle
import re
import tomllib
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config import BY_KEY, SETTINGS, Price, Secret, Settings, find, load
from grader.errors import ConfigError
from grader.workspace import template

KEY = "sk-do-not-show-4242424242"


def write(folder: Path, text: str, name: str = "grader.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path, text: str = "", **environ: str) -> str:
    """The message, with its cure, that this file and environment are refused with."""
    with pytest.raises(ConfigError) as caught:
        load(start=write(folder, text), environ=environ)
    return str(caught.value)


# Precedence and origins


def test_flags_come_before_the_environment_before_the_file_before_the_default(tmp_path: Path) -> None:
    write(tmp_path, '[judge]\nmodel = "file"\n')
    env = {"GRADER_MODEL": "environment"}
    flags = {"judge.model": "flag"}
    seen = [
        load(flags, tmp_path, env),
        load({"judge.model": None}, tmp_path, env),
        load({}, tmp_path, {}),
        load({}, write(tmp_path / "other", ""), {}),
    ]
    assert [(s.judge.model, s.origin("judge.model")) for s in seen] == [
        ("flag", "--model"),
        ("environment", "environment GRADER_MODEL"),
        ("file", "grader.toml:2"),
        ("gpt-4.1-mini", "default"),
    ]


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    settings = load(
        start=write(tmp_path, '[judge]\nmodel = "file"'), environ={"GRADER_MODEL": "", "OPENAI_API_KEY": " "}
    )
    assert (settings.judge.model, settings.judge.api_key) == ("file", None)


def test_our_own_variable_comes_before_the_one_of_openai(tmp_path: Path) -> None:
    both = {"GRADER_BASE_URL": "http://ours/v1", "OPENAI_BASE_URL": "http://theirs/v1"}
    assert load(start=tmp_path, environ=both).judge.base_url == "http://ours/v1"
    theirs = load(start=tmp_path, environ={"OPENAI_BASE_URL": "http://theirs/v1/"})
    assert (theirs.judge.base_url, theirs.origin("judge.base_url")) == (
        "http://theirs/v1",
        "environment OPENAI_BASE_URL",
    )


def test_every_setting_can_be_set_in_the_environment(tmp_path: Path) -> None:
    values = {
        "workspace.timezone": "UTC",
        "workspace.language": "pt-BR",
        "report.language": "pt",
        "workspace.contact_reasons": '{"a": "one", "b": "two"}',
        "people.phone_region": "br",
        "judge.base_url": "http://x/v1",
        "judge.azure_endpoint": "https://x.example",
        "judge.extra_body": '{"k": 1}',
        "judge.headers": '{"X-Team": "cx"}',
        "judge.api_key_env": "MY_KEY",
        "judge.kind": "signals",
        "judge.provider": "azure",
        "judge.mode": "tools",
        "judge.group": "all",
        "engine.concurrency": "64",
        "prices": '{"m": {"input": 1, "output": 2}}',
        "queues": '{"returns": {"owner": "Ana"}}',
        "figures.fail_if": "a > 1",
        **dict.fromkeys((i.key for i in SETTINGS if i.key.startswith("gate.") and isinstance(i.default, float)), "0.5"),
        "gate.floors": '{"accuracy.invented_deadline": 0.8}',
        "judge.temperature": "1",
        "judge.context_chars": "5000",
    }
    for item in SETTINGS:
        text = values.get(item.key, "7")
        for name in item.env:
            settings = load(start=tmp_path, environ={name: text})
            assert settings.origin(item.key) == f"environment {name}"


def test_the_line_of_each_origin_is_the_line_of_its_key(tmp_path: Path) -> None:
    text = '''# comment
judge.model = "m"  # dotted
[judge . headers]
X-Note = """
timeout_seconds = 1
"""
[engine]

  "concurrency" = 3
  budget_usd=2.5
[prices."gpt-4.1"]
input = 1
output = 2
'''
    # a text of several lines is no header, but the lines inside it must not be taken for keys
    text = text.replace('"""\ntimeout_seconds = 1\n"""', "'x'\n\n")
    settings = load(start=write(tmp_path, text), environ={})
    assert settings.origin("judge.model") == "grader.toml:2"
    assert settings.origin("judge.headers") == "grader.toml:3"
    assert settings.origin("engine.concurrency") == "grader.toml:9"
    assert settings.origin("engine.budget_usd") == "grader.toml:10"
    assert settings.origin("prices") == "grader.toml:11"
    assert settings.origin("judge.seed") == "default"
    with pytest.raises(KeyError):
        settings.origin("judge.nothing")


def test_a_key_inside_a_text_of_several_lines_is_not_taken_for_the_setting(tmp_path: Path) -> None:
    text = '[workspace.contact_reasons]\na = """\n[judge]\nmodel = 1"""\nb = "x"\n[judge]\nmodel = "m"\n'
    assert load(start=write(tmp_path, text), environ={}).origin("judge.model") == "grader.toml:7"


def test_a_flag_that_is_no_setting_is_a_fault_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"judge\.modle"):
        load({"judge.modle": "x"}, tmp_path, {})


# Finding the workspace


def test_the_nearest_folder_upward_with_a_file_is_the_workspace(tmp_path: Path) -> None:
    write(tmp_path, "")
    inner = write(tmp_path / "a" / "b", "")
    below = inner / "c" / "d"
    below.mkdir(parents=True)
    assert find(below) == inner / "grader.toml"
    settings = load(start=below, environ={})
    assert (settings.root, settings.workspace.database) == (inner, inner / "grader.duckdb")
    assert settings.require_workspace() == inner


def test_pyproject_is_a_workspace_only_with_its_table(tmp_path: Path) -> None:
    write(tmp_path, '[project]\nname = "x"\n[tool.grader]\n[tool.grader.judge]\nmodel = "outer"', "pyproject.toml")
    inner = write(tmp_path / "inner", '[project]\nname = "tool.grader"\n', "pyproject.toml")
    settings = load(start=inner, environ={})
    assert (settings.root, settings.judge.model, settings.origin("judge.model")) == (
        tmp_path, "outer", "pyproject.toml:5",
    )  # fmt: skip
    write(inner, "[judge]\nmodel = 'inner'")
    assert load(start=inner, environ={}).judge.model == "inner"


def test_a_broken_pyproject_of_somebody_else_does_not_stop_grader(tmp_path: Path) -> None:
    write(tmp_path, "[[[ not toml", "pyproject.toml")
    assert find(tmp_path) != tmp_path / "pyproject.toml"


def test_without_a_workspace_there_are_defaults_and_a_way_to_make_one(tmp_path: Path) -> None:
    settings = load(start=tmp_path, environ={})
    if settings.file is not None:
        pytest.skip("a folder above the temporary one is a workspace")
    with pytest.raises(ConfigError, match=r"(?s)grader\.toml.*grader init"):
        settings.require_workspace()


def test_a_start_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    for odd in (tmp_path / "missing", write(tmp_path, "") / "grader.toml", tmp_path / "nul\0byte"):
        with pytest.raises(ConfigError):
            load(start=odd, environ={})


def test_paths_are_relative_to_the_workspace_but_those_of_flags_to_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "w", '[workspace]\ndatabase = "data/../x.duckdb"\nreports = "/abs/olute"\n')
    monkeypatch.chdir(root.parent)
    settings = load({"workspace.rubrics": "mine"}, root, {"GRADER_PROMPTS": "p"})
    assert settings.workspace.database == root / "x.duckdb"
    assert settings.workspace.reports == Path("/abs/olute")
    assert settings.workspace.prompts == root / "p"
    assert settings.workspace.rubrics == tmp_path / "mine"


# What is refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[judge]\nmodle = 1", "'judge.modle' is not a setting|did you mean judge.mode or judge.model?"),
        ("[juge]\nmodel = 1", "'juge' is not a setting|did you mean judge?"),
        ("model = 'm'", "did you mean judge.model?"),
        ("[engine]\nmodel = 'm'", "did you mean judge.model?"),
        ("[zzz]", "grader config show"),
        ("judge = 3", "judge is the number, expected a table|[judge]"),
        ("[engine]\nconcurrency = '8'", "grader.toml:2: engine.concurrency is the text '8', expected a whole number"),
        ("[engine]\nconcurrency = true", "truth value"),
        ("[engine]\nconcurrency = 0", "from 1 to 10000"),
        ("[engine]\nconcurrency = 2.0", "whole number"),
        ("[engine]\nbudget_usd = 1" + "0" * 4000, "with too many digits"),
        ("[engine]\nbudget_usd = 1" + "0" * 5000, "not TOML"),
        ("[engine]\nconcurrency = 0x" + "f" * 9000, "with too many digits"),
        ("[engine]\nbudget_usd = inf", "a number of at least 0"),
        ("[engine]\nbudget_usd = nan", "a number of at least 0"),
        ("[engine]\nbudget_usd = -1", "a number of at least 0"),
        ("[engine]\nstart_concurrency = 20", "more than engine.concurrency 16"),
        ("[judge]\nkind = 'gpt'", "one of auto, llm, signals"),
        ("[judge]\nkind = ['llm']", "one of auto, llm, signals"),
        ("[judge]\nmodel = ''", "a text"),
        ("[judge]\nmodel = 'a\\nb'\n".replace("'", '"'), "a text"),
        ("[judge]\nbase_url = 'localhost:11434/v1'", "http://localhost:11434/v1"),
        ("[judge]\nbase_url = 'http://h/v1/chat/completions'", "no /chat/completions"),
        ("[judge]\nbase_url = 'http://'", "an address"),
        ("[judge]\nprovider = 'azure'\nkind = 'llm'", "azure_endpoint"),
        ("[judge]\nheaders = { 'X Y' = 'z' }", "header names"),
        ("[judge]\nheaders = { Authorization = 'Bearer " + KEY + "' }", "no secret in Authorization"),
        ("[judge]\nheaders = { X-Team = 'a\\nb' }".replace("'", '"'), "one line"),
        ("[judge]\nextra_body = { when = 2026-01-01 }", "texts, numbers"),
        ("[judge]\ntemperature = 3", "from 0 to 2"),
        ("[judge]\ntemperature = 'hot'", 'or "none"'),
        ("[workspace]\ntimezone = 'Mars/Olympus'", "America/Sao_Paulo"),
        ("[workspace]\ntimezone = '../../etc/passwd'", "IANA"),
        ("[workspace]\nlanguage = 'Brazilian Portuguese'", "language code"),
        ("[workspace]\ndatabase = ''", "a path"),
        ("[workspace]\ncontact_reasons = {}", "at least two"),
        ("[workspace.contact_reasons]\na = 'x'\n'B b' = 'y'", "a-z, 0-9"),
        ("[workspace.contact_reasons]\na = 'x'\ncannot_assess = 'y'", "not cannot_assess"),
        ("[workspace.contact_reasons]\na = 'x'\nb = ''", "a meaning"),
        ("[prices.m]\ninput = 1", "input and output for 'm'"),
        ("[prices.m]\ninput = 1\noutput = 'x'", "output of 'm'"),
        ("[prices.m]\ninput = 1\noutput = 1\ncached = 1", "not 'cached'"),
        ("[prices]\nm = 3", "input and output for 'm'"),
        ("[judge", "not TOML"),
        ("[judge]\nmodel = 'a'\nmodel = 'b'", "not TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "grader.toml"),
    ],
)
def test_what_cannot_be_used_is_refused_with_place_and_cure(tmp_path: Path, text: str, words: str) -> None:
    message = refused(tmp_path, text)
    assert "grader.toml" in message
    for word in words.split("|"):
        assert word in message
    assert KEY not in message


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GRADER_CONCURRENCY", "many", "environment GRADER_CONCURRENCY: engine.concurrency is the text 'many'"),
        ("GRADER_BUDGET_USD", "1e999", "a number"),
        ("GRADER_CONCURRENCY", "9" * 5000, "a whole number"),
        ("GRADER_EXTRA_BODY", "{", "JSON object"),
        ("GRADER_EXTRA_BODY", "[1]", "a table"),
        ("GRADER_PRICES", '{"m": 1}', "input and output"),
        ("OPENAI_BASE_URL", "api", "environment OPENAI_BASE_URL"),
        ("GRADER_TIMEZONE", "Nowhere", "environment GRADER_TIMEZONE"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    assert words in refused(tmp_path, "", **{name: value})


def test_bytes_that_are_no_utf8_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_bytes(b"\xff\xfe[\0j")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(start=tmp_path, environ={})
    (tmp_path / "grader.toml").write_bytes(b"\xef\xbb\xbf[judge]\r\nmodel = 'm'\r\n")
    assert load(start=tmp_path, environ={}).origin("judge.model") == "grader.toml:2"


def test_a_misspelt_variable_is_pointed_out(tmp_path: Path) -> None:
    (warning,) = load(
        start=tmp_path, environ={"GRADER_MODLE": "x", "GRADER_CI_STAMP_X": "y", "GRADER_API_KEY": KEY}
    ).warnings
    assert "GRADER_MODLE" in warning
    assert "GRADER_MODE" in warning


@given(
    st.dictionaries(
        st.sampled_from([i.key for i in SETTINGS]),
        st.one_of(
            st.integers(),
            st.floats(),
            st.text(),
            st.booleans(),
            st.lists(st.integers()),
            st.dictionaries(st.text(), st.text()),
        ),
    )
)
def test_any_flag_value_is_taken_or_refused_in_our_own_words(flags: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        load(flags, Path("/"), {})


@given(st.text(max_size=60))
def test_any_text_of_a_variable_is_taken_or_refused_in_our_own_words(text: str) -> None:
    for item in SETTINGS:
        with contextlib.suppress(ConfigError):
            assert load(None, Path("/"), {item.env[0]: text}).origin(item.key) in (
                f"environment {item.env[0]}",
                "default",
            )


# What a value becomes


def test_none_takes_an_optional_value_away(tmp_path: Path) -> None:
    settings = load(
        start=write(tmp_path, '[judge]\ntemperature = "none"\nseed = 3\n[engine]\nbudget_usd = 5'),
        environ={"GRADER_MODEL_SEED": "none", "GRADER_BUDGET_USD": "none"},
    )
    assert (settings.judge.temperature, settings.judge.seed, settings.engine.budget_usd) == (None, None, None)


def test_auto_is_a_model_as_soon_as_a_key_or_an_endpoint_is_set(tmp_path: Path) -> None:
    def kind(**environ: str) -> str:
        return load(start=tmp_path, environ=environ).judge.resolved_kind

    assert kind() == "signals"
    assert kind(OPENAI_API_KEY="x") == kind(GRADER_API_KEY="x") == kind(OPENAI_BASE_URL="http://localhost/v1") == "llm"
    assert kind(OPENAI_API_KEY="x", GRADER_JUDGE="signals") == "signals"
    assert kind(GRADER_JUDGE="LLM") == "llm"


def test_prices_and_reasons_are_records(tmp_path: Path) -> None:
    text = '[prices."vendor/m:1"]\ninput = 1\noutput = 2.5\n[workspace.contact_reasons]\nx = "One "\ny = "Two"'
    settings = load(start=write(tmp_path, text), environ={})
    assert settings.prices == {"vendor/m:1": Price(1.0, 2.5, None)}
    assert list(settings.workspace.contact_reasons.items()) == [("x", "One"), ("y", "Two")]


def test_the_zone_is_utc_unless_said_otherwise(tmp_path: Path) -> None:
    assert load(start=tmp_path, environ={}).workspace.tz is UTC
    assert (
        str(load(start=tmp_path, environ={"GRADER_TIMEZONE": "America/Sao_Paulo"}).workspace.tz) == "America/Sao_Paulo"
    )


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(start=tmp_path, environ={"GRADER_EXTRA_BODY": '{"a": 1}'})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.judge.model = "x"  # type: ignore[misc]
    for table in (
        settings.judge.extra_body,
        settings.workspace.contact_reasons,
        load(start=tmp_path, environ={}).judge.headers,
    ):
        with pytest.raises(TypeError):
            table["x"] = 1  # type: ignore[index]


# Keys


@pytest.mark.parametrize(
    ("environ", "provider", "name"),
    [
        ({"OPENAI_API_KEY": KEY}, "openai", "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "other", "GRADER_API_KEY": KEY}, "openai", "GRADER_API_KEY"),
        ({"OPENAI_API_KEY": "other", "AZURE_OPENAI_API_KEY": KEY}, "azure", "AZURE_OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "other", "TEAM_KEY": KEY, "GRADER_API_KEY_ENV": "TEAM_KEY"}, "openai", "TEAM_KEY"),
    ],
)
def test_the_key_is_read_from_the_right_variable(
    tmp_path: Path, environ: dict[str, str], provider: str, name: str
) -> None:
    settings = load({"judge.provider": provider}, tmp_path, environ)
    assert settings.judge.api_key is not None
    assert settings.judge.api_key.reveal() == KEY
    assert settings.origin("judge.api_key") == f"environment {name}"


def test_a_named_variable_that_is_not_set_does_not_fall_back_to_another_key(tmp_path: Path) -> None:
    settings = load(start=tmp_path, environ={"OPENAI_API_KEY": KEY, "GRADER_API_KEY_ENV": "TEAM_KEY"})
    assert settings.judge.api_key is None
    assert "TEAM_KEY (not set)" in settings.origin("judge.api_key")


@pytest.mark.parametrize("line", [
    f'[judge]\napi_key = "{KEY}"', f'[judge]\napikey = "{KEY}"', f'[judge]\nAPI-Key = "{KEY}"', f'api_key = "{KEY}"',
    f'[judge]\nopenai_api_key = "{KEY}"', f'OPENAI_API_KEY = "{KEY}"', f'[judge]\ntoken = "{KEY}"',
    f'[api_key]\nx = "{KEY}"',
    f'[judge]\napi_key_env = "{KEY}"', f'[judge]\nbase_url = "{KEY}"', f'[judge]\nbase_url = "http://u:{KEY}@h :1/"',
    f'[judge]\nmodel = ["{KEY}"]', f'[judge]\nheaders = ["{KEY}"]', f'[judge]\nheaders = {{ api-key = "{KEY}" }}',
])  # fmt: skip
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    assert KEY not in refused(tmp_path, line)


def test_a_key_in_the_file_is_refused_with_the_way_that_is_right(tmp_path: Path) -> None:
    assert "export OPENAI_API_KEY" in refused(tmp_path, f'[judge]\napi_key = "{KEY}"')


def test_no_way_of_showing_settings_shows_a_secret(tmp_path: Path) -> None:
    text = f"""[judge]
base_url = "https://user:{KEY}@gateway.example:8443/v1?subscription={KEY}"
extra_body = {{ api_key = "{KEY}", nested = {{ user_token = "{KEY}" }}, max_tokens = 5 }}
headers = {{ Authorization = "Bearer ${{GATE}}", X-Team = "cx" }}
"""
    settings = load(start=write(tmp_path, text), environ={"OPENAI_API_KEY": KEY, "GATE": KEY})
    shown = settings.shown()
    judge = settings.judge
    for seen in (
        repr(settings),
        str(settings),
        f"{judge} {judge.api_key}",
        json.dumps(shown),
        repr([judge.api_key]),
        str(judge.headers),
    ):
        assert KEY not in seen
    assert settings.judge.headers["Authorization"].reveal() == f"Bearer {KEY}"
    assert shown["judge.headers"] == {"Authorization": "Bearer ${GATE}", "X-Team": "cx"}
    assert shown["judge.base_url"] == "https://***@gateway.example:8443/v1?***"
    assert shown["judge.extra_body"] == {"api_key": "***", "nested": {"user_token": "***"}, "max_tokens": 5}
    assert shown["judge.api_key"] == "***"
    assert settings.judge.base_url is not None
    assert KEY in settings.judge.base_url


def test_a_secret_is_not_stored_nor_written_as_json() -> None:
    secret = Secret(KEY)
    for attempt in (lambda: pickle.dumps(secret), lambda: json.dumps(secret)):
        with pytest.raises(TypeError):
            attempt()
    assert copy.deepcopy(secret) == secret == Secret(KEY)
    assert secret != Secret("x")
    assert secret != KEY


def test_a_header_whose_variable_is_not_set_is_told_when_it_is_needed(tmp_path: Path) -> None:
    settings = load(start=write(tmp_path, '[judge]\nheaders = { X-Key = "${GATE}" }'), environ={})
    with pytest.raises(ConfigError, match=r"(?s)GATE is not set.*export GATE"):
        settings.judge.headers["X-Key"].reveal()


# The list of settings


def uncommented() -> str:
    return re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", template())


def test_the_template_of_grader_toml_says_nothing_and_uncommented_says_the_defaults(tmp_path: Path) -> None:
    assert tomllib.loads(template()) == {
        "workspace": {}, "people": {}, "judge": {}, "engine": {}, "report": {}, "figures": {},
        "gate": {},
    }  # fmt: skip
    defaults = load(start=write(tmp_path / "a", template()), environ={})
    explicit = load(start=write(tmp_path / "b", uncommented()), environ={})
    said = {item.key for item in SETTINGS if explicit.origin(item.key) != "default"}
    assert said == set(BY_KEY) - {"prices", "queues", "gate.floors"}
    for item in SETTINGS:
        one, other = defaults.value(item.key), explicit.value(item.key)
        assert str(one).replace("/a/", "/b/") == str(other).replace("/a/", "/b/"), item.key


def test_defaults_are_values_that_would_be_accepted() -> None:
    for item in SETTINGS:
        if item.key not in ("prices", "queues"):
            assert item.kind.read(item.default) == item.default, item.key


def test_the_defaults_of_a_number_are_finite() -> None:
    for item in SETTINGS:
        if isinstance(item.default, float):
            assert math.isfinite(item.default)


def test_settings_can_be_made_without_any_file() -> None:
    assert Settings(root=Path("/x")).judge.model == "gpt-4.1-mini"
