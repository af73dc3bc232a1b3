"""Every format that ships is recognised by itself, takes its options, and is in the command's help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, Main
from ingest_reading import GOOD, put

from grader.cli import ingest as command
from grader.errors import InputError
from grader.ingest import FORMATS, NAMES, Kept, Rejected, read
from grader.ingest.mapping_file import load_options

SAMPLES = REPOSITORY.parent / "shared" / "data" / "raw_formats"
EXPECTED = {"intercom": "intercom", "zendesk": "zendesk", "chatwoot": "chatwoot", "otel_genai": "otel_genai",
            "openai_chat": "openai_chat"}  # fmt: skip


@pytest.mark.realdata
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data is absent")
@pytest.mark.parametrize("folder", sorted(EXPECTED))
def test_every_sample_file_is_recognised_and_accounted_for(folder: str) -> None:
    paths = sorted((SAMPLES / folder).iterdir())
    assert paths
    for path in paths:
        reading = read(path)
        assert reading.format == EXPECTED[folder], path.name
        rows = list(reading)
        assert rows, path.name
        assert all(isinstance(row, Kept) or (row.reason and row.cure) for row in rows), path.name


def test_the_help_names_every_format_and_every_format_with_options_has_a_page() -> None:
    assert set(command.FORMATS) == {"auto", *NAMES}
    for known in FORMATS:
        if known.options:
            page = REPOSITORY / "docs" / "sources" / f"{known.name}.md"
            assert f"--format {known.name}" in page.read_text(encoding="utf-8") or known.name in page.stem


def test_an_option_that_a_format_does_not_have_is_refused_with_those_that_it_has(tmp_path: Path) -> None:
    ticket = {"ticket": {"id": 7, "description": "hi", "requester_id": 1, "created_at": "2026-09-01T10:00:00Z"}}
    path = put(tmp_path, [ticket])
    for known in FORMATS:
        if known.options:
            with pytest.raises(InputError, match="has no option 'colour'"):
                read(path, format=known.name, options={"colour": "red"})
    with pytest.raises(InputError, match="canonical has no options"):
        read(put(tmp_path, [GOOD], "good.jsonl"), options={"bot_ids": "1"})


def test_options_come_from_the_command_line_and_from_a_table(main: Main, tmp_path: Path) -> None:
    row = {
        "type": "conversation", "id": "9", "created_at": 1_780_000_000, "state": "closed",
        "source": {"type": "conversation", "body": "<p>hi</p>", "author": {"type": "user", "id": "u", "name": "A"}},
        "conversation_parts": {"type": "conversation_part.list", "total_count": 1, "conversation_parts": [
            {"type": "conversation_part", "id": "1", "part_type": "comment", "body": "<p>hello</p>",
             "created_at": 1_780_000_060, "author": {"type": "bot", "id": "b7", "name": "Router"}}]},
    }  # fmt: skip
    path = put(tmp_path, [row], "intercom.jsonl")

    def roles(*args: object) -> list[str]:
        shown: Any = json.loads(main("ingest", path, "--preview", "--json", *args).out)
        (found,) = shown[0]["rows"]
        return [message["role"] for message in found["record"]["messages"]]

    assert roles() == ["customer", "unknown"]
    assert roles("--option", "ai_ids=b7,b8") == ["customer", "ai"]
    assert roles("--option", "ai_ids=b1", "--option", "ai_ids=b7") == ["customer", "ai"]
    table = tmp_path / "options.toml"
    table.write_text('[options]\nai_ids = ["b7"]\n')
    assert roles("--map", table) == ["customer", "ai"]
    assert load_options(table) == ({"ai_ids": ["b7"]}, False)
    assert main("ingest", path, "--preview", "--option", "ai_ids").code == 2


def test_a_foreign_row_among_grader_s_own_is_rejected_and_not_guessed_at(tmp_path: Path) -> None:
    rows = list(read(put(tmp_path, [GOOD, {"type": "conversation_part", "id": "1"}])))
    assert [type(row) for row in rows] == [Kept, Rejected]


def test_a_preview_goes_on_after_a_file_that_cannot_be_read_and_ends_with_its_code(main: Main, tmp_path: Path) -> None:
    (tmp_path / "grader.toml").touch()
    bad, good, rejected = tmp_path / "a.csv", tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    bad.write_text("x,y\n1,2\n", encoding="utf-8")
    good.write_text('{"conversation_id": "c1", "messages": [{"role": "customer", "text": "hi"}]}\n', encoding="utf-8")
    rejected.write_text('{"conversation_id": "", "messages": []}\n', encoding="utf-8")
    done = main("ingest", "-w", tmp_path, bad, good, "--preview")
    assert done.code == 2
    assert "needs a mapping" in done.err
    assert "conversation c1" in done.out
    assert main("ingest", "-w", tmp_path, good, "--preview").code == 0
    assert main("ingest", "-w", tmp_path, rejected, "--preview").code == 2
    mapping = tmp_path / "m.toml"
    mapping.write_text(main("schema", "mapping").out, encoding="utf-8")
    refused = main("ingest", "-w", tmp_path, bad, "--map", mapping, "--option", "foo=1")
    assert refused.code == 2
    assert "a mapped file has no options" in refused.err
