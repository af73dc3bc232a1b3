"""`grader contacts` tells who is known, what was merged and what joins nobody, and never who that is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from conftest import Main

PHONE, OTHER, SHOPS_OWN = "+55 11 98765-4321", "+55 11 97654-3210", "+55 11 3333-4444"


def take_in(main: Main, workspace: Path, shown: Mapping[str, Sequence[tuple[str, str]]], name: str = "a.jsonl") -> None:
    rows = [
        {"conversation_id": key, "channel": "whatsapp" if key < "m" else "chat",
         "messages": [{"role": "user", "text": "hi"}],
         "contact": {"identities": [{"kind": kind, "value": value} for kind, value in identities]}}
        for key, identities in shown.items()
    ]  # fmt: skip
    path = workspace / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main("ingest", path, "-w", workspace).code == 0


def asked(main: Main, workspace: Path, *args: str) -> tuple[str, object]:
    """What is printed for a person, and as JSON."""
    text = main("contacts", *args, "-w", workspace)
    assert text.code == 0, text.err
    for secret in ("98765", "97654", "3333", "@mail", "Dana"):
        assert secret not in text.out
    return text.out, json.loads(main("contacts", *args, "--json", "-w", workspace).out)


def test_coverage_counts_every_conversation_once(workspace: Path, main: Main) -> None:
    take_in(main, workspace, {
        "a": [("phone", PHONE)], "b": [("whatsapp_id", "551187654321"), ("name", "Dana")], "c": [("email", "n/a")],
        "d": [], "z": [("email", "dana@mail.example")],
    })  # fmt: skip
    text, found = asked(main, workspace)
    assert isinstance(found, dict)
    assert "3 of 5 conversations have a contact: 2 show none that identifies" in text
    assert (found["contacts"], found["recurring_contacts"]) == (2, 1)
    assert found["channels"] == [
        {"channel": "whatsapp", "conversations": 4, "with_contact": 2},
        {"channel": "chat", "conversations": 1, "with_contact": 1},
    ]
    kinds = {kind["kind"]: (kind["identities"], kind["conversations"], kind["says_nothing"]) for kind in found["kinds"]}
    assert kinds == {"phone": (1, 2, 0), "email": (1, 1, 1), "name": (0, 0, 1)}


def test_a_number_that_many_share_is_listed_with_examples_and_joins_nobody(workspace: Path, main: Main) -> None:
    shown = {f"c{n}": [("phone", SHOPS_OWN), ("customer_id", f"K{n}")] for n in range(6)} | {
        "c9": [("phone", SHOPS_OWN)]
    }
    take_in(main, workspace, shown)
    text, found = asked(main, workspace)
    assert isinstance(found, dict)
    assert (found["with_contact"], found["only_barred"], found["contacts"]) == (6, 1, 6)
    assert "1 identity is shared by more than 5 contacts and joins nobody" in text
    text, listed = asked(main, workspace, "--barred")
    assert isinstance(listed, list)
    (one,) = listed
    assert (one["kind"], one["contacts"], one["conversations"], one["examples"]) == ("phone", 6, 7, ["c0", "c1", "c2"])
    assert one["hash"].startswith("id_")
    assert len(one["hash"]) == 12


@pytest.mark.parametrize("key", ["a" * 32, "b" * 32, "c" * 32, "d" * 32, "e" * 32])
def test_the_setting_says_how_many_may_share_and_is_asked_again_by_the_next_ingest(
    workspace: Path, main: Main, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("GRADER_IDENTITY_KEY", key)
    shown = {f"c{n}": [("phone", SHOPS_OWN), ("customer_id", f"K{n}")] for n in range(3)}
    take_in(main, workspace, shown)
    (workspace / "grader.toml").write_text("[people]\nbarred_above = 2\n")
    before = asked(main, workspace)[1]
    take_in(main, workspace, shown)
    after = asked(main, workspace)[1]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert [(f["contacts"], f["barred_above"]) for f in (before, after)] == [(1, 5), (3, 2)]
    # One of the three keeps the contact's name, unless that was made of the identity that is barred now.
    assert after["changes"] in ({"split": 2}, {"split": 3})


def test_merges_are_listed_with_what_made_them(workspace: Path, main: Main) -> None:
    take_in(main, workspace, {"a": [("phone", PHONE)], "b": [("phone", OTHER)]})
    assert asked(main, workspace, "--merges")[1] == []
    take_in(main, workspace, {"c": [("phone", PHONE), ("phone", OTHER)]}, "b.jsonl")
    text, found = asked(main, workspace, "--merges")
    assert isinstance(found, list)
    (one,) = found
    assert (one["change"], one["kind"], one["conversation"]) == ("merged", "phone", "c")
    assert one["contact"] > one["new_contact"]  # the smaller name stays
    assert "merged" in text
    take_in(main, workspace, {"c": [("phone", PHONE)]}, "c.jsonl")  # a corrected file
    found = asked(main, workspace, "--merges")[1]
    assert isinstance(found, list)
    assert [one["change"] for one in found] == ["split", "merged"]


def test_two_lists_at_once_are_refused(workspace: Path, main: Main) -> None:
    ended = main("contacts", "--merges", "--barred", "-w", workspace)
    assert (ended.code, "two lists" in ended.err) == (2, True)
