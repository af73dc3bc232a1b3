"""WhatsApp's `.txt` exports: who speaks, sessions, rows that are none, and files of any kind."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_taken import SAMPLES as ALL_SAMPLES
from ingest_taken import Taken
from ingest_taken import taken as read_by

from grader.errors import InputError
from grader.ingest.sources import whatsapp_txt
from grader.ingest.sources.whatsapp_txt import Options, options

SAMPLES = ALL_SAMPLES / "whatsapp"
REAL = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data is not there")
PHOTO = "00000012-PHOTO-2025-03-04-14-06-11.jpg"
LRM, NNBSP, NBSP = "\u200e", "\u202f", "\u00a0"


def file(folder: Path, content: str | bytes, name: str = "chat.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def taken(path: Path, zone: str = "UTC", **given: Any) -> Taken:
    return read_by(whatsapp_txt, path, zone, **given)


def of(folder: Path, content: str, **given: Any) -> Taken:
    return taken(file(folder, content), **given)


# ── who speaks ──


def test_a_name_without_a_role_is_unknown_and_never_the_ai(tmp_path: Path) -> None:
    content = "31/12/23, 10:00 - Ana: hi\n31/12/23, 10:01 - Shop bot: Hello! I am the AI\n31/12/23, 10:02 - Bo: ok\n"
    found = of(tmp_path, content)
    assert {m.role.value for m in found.messages} == {"unknown"}
    assert "'Shop bot' has no role" in found.notes
    assert found.conversations[0].initiated_by is None
    some = of(tmp_path, content, roles={"shop BOT": "ai"})
    assert [m.role.value for m in some.messages] == ["unknown", "ai", "unknown"]  # three speak: nobody is guessed
    every = of(tmp_path, content, roles="Shop bot=ai,Ana=customer,Bo=human")
    assert [m.role.value for m in every.messages] == ["customer", "ai", "human"]


def test_the_other_side_of_the_business_is_the_customer(tmp_path: Path) -> None:
    content = "31/12/23, 10:00 - Shop: Hi!\n31/12/23, 10:01 - +55 11 99123-4567: oi\n"
    found = of(tmp_path, content, roles={"Shop": "ai"})
    assert [m.role.value for m in found.messages] == ["ai", "customer"]
    (conversation,) = found.conversations
    assert [(i.kind, i.value) for i in conversation.contact.identities] == [("phone", "+5511991234567")]
    assert conversation.contact.name is None
    assert conversation.initiated_by == "business"
    assert "is taken for the customer" in found.notes
    alone = of(tmp_path, content.splitlines()[1], roles={"Shop": "ai"})
    assert [m.role.value for m in alone.messages] == ["unknown"]


@pytest.mark.parametrize("name", [
    "WhatsApp Chat with Ana.txt", "Conversa do WhatsApp com Ana.txt", "Chat de WhatsApp con Ana (2).txt",
    "WhatsApp Chat mit Ana.txt", "WhatsApp_Chat_with_Ana.txt",
])  # fmt: skip
def test_the_files_name_tells_the_customer_of_a_chat_of_three(tmp_path: Path, name: str) -> None:
    content = "31/12/23, 10:00 - Ana: hi\n31/12/23, 10:01 - Shop: Hi!\n31/12/23, 10:02 - Bo: ok\n"
    found = taken(file(tmp_path, content, name), roles={"Shop": "ai"})
    assert [m.role.value for m in found.messages] == ["customer", "ai", "unknown"]
    assert found.conversations[0].contact.name == "Ana"


def test_names_are_compared_without_marks_tildes_and_ways_of_writing(tmp_path: Path) -> None:
    content = f"31/12/23, 10:00 - ~{NNBSP}Ana: hi\n31/12/23, 10:01 - {LRM}Loja: Suporte: Olá: tudo bem?\n"
    found = of(tmp_path, content, roles={"Ana": "customer", "Loja: Suporte": "ai", "+5511991234567": "human"})
    assert [(m.role.value, m.text) for m in found.messages] == [("customer", "hi"), ("ai", "Olá: tudo bem?")]
    phone = of(tmp_path, "31/12/23, 10:00 - +55 11 99123-4567: oi\n", roles={"+5511991234567": "customer"})
    assert [m.role.value for m in phone.messages] == ["customer"]


@pytest.mark.parametrize(("given", "message"), [
    ({"rolls": {}}, "no option 'rolls'"),
    ({"roles": {"Ana": "agent"}}, "'Ana' cannot be 'agent'"),
    ({"roles": ["Ana"]}, "table of words"),
    ({"date_order": "mmdd"}, "dmy, mdy, ymd, ydm"),
    ({"idle_minutes": 0}, "from 1 to"),
    ({"idle_minutes": "soon"}, "from 1 to"),
    ({"chat": " "}, "must be a text"),
])  # fmt: skip
def test_an_option_that_cannot_be_is_refused_with_its_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        options(given)
    assert options({}) == Options()


# ── sessions ──


def test_a_silence_ends_a_session(tmp_path: Path) -> None:
    content = "31/12/23, 10:00 - Ana: a\n31/12/23, 10:30 - Shop: b\n31/12/23, 11:31 - Ana: c\n"
    first, last = of(tmp_path, content, idle_minutes=60).conversations
    assert (len(first.messages), len(last.messages)) == (2, 1)
    assert (first.state, last.state) == ("closed", None)  # whether the last one is over, the file does not tell
    assert [len(c.messages) for c in of(tmp_path, content, idle_minutes="61").conversations] == [3]


def test_a_notice_neither_begins_nor_prolongs_a_session(tmp_path: Path) -> None:
    content = (
        "01/12/23, 09:00 - You blocked this contact\n"
        "31/12/23, 10:00 - Ana: a\n31/12/23, 20:00 - Your security code with Ana changed.\n"
        "31/12/23, 23:30 - Ana: b\n31/12/23, 23:59 - You blocked this contact\n"
    )
    first, second = of(tmp_path, content, idle_minutes=720).conversations
    assert [m.text[:3] for m in first.messages] == ["You", "a", "You"]
    assert [m.text[:3] for m in second.messages] == ["b", "You"]
    assert first.started_at == first.ended_at == first.messages[1].at
    assert second.started_at == second.ended_at == second.messages[0].at


def test_ids_stay_when_the_file_grows_a_text_changes_or_the_zone_is_another(tmp_path: Path) -> None:
    def ids(content: str, zone: str = "UTC", name: str = "chat.txt") -> list[str]:
        found = taken(file(tmp_path, content, name), zone, roles={"Shop": "ai", "Ana": "customer", "Eva": "customer"})
        return [c.conversation_id for c in found.conversations]

    old = "01/12/23, 10:00 - Ana: a\n03/12/23, 10:00 - Shop: b\n31/12/23, 10:00 - Ana: c\n"
    assert len(set(ids(old))) == 3
    assert ids(old + "31/12/23, 10:05 - Shop: d\n01/02/24, 10:05 - Ana: e\n")[:3] == ids(old)
    assert ids(old.replace(": a", ": This message was deleted")) == ids(old)
    assert ids(old, "America/Sao_Paulo") == ids(old)
    assert ids(old[25:]) == ids(old)[1:]  # an export that no longer reaches back as far
    assert not set(ids(old.replace("Ana", "Eva"))) & set(ids(old))  # the same broadcast to somebody else
    assert ids(old, name="WhatsApp Chat with Ana.txt") == ids(old)
    assert not set(ids(old, name="WhatsApp Chat with Team.txt")) & set(ids(old))


def test_the_hour_that_autumn_has_twice_keeps_its_order(tmp_path: Path) -> None:
    clock = (("02:50", "first"), ("02:05", "second"), ("02:40", "third"), ("03:00", "4"))
    content = "".join(f"29/10/23, {at} - Ana: {text}\n" for at, text in clock)
    found = taken(file(tmp_path, content), "Europe/Berlin")
    assert [m.text for m in found.messages] == ["first", "second", "third", "4"]
    offsets = [m.at.utcoffset() / timedelta(hours=1) for m in found.messages if m.at]  # type: ignore[operator]
    assert offsets == [2, 1, 1, 1]
    assert "out of the order" not in found.notes


def test_messages_that_stood_out_of_order_are_put_into_it_and_noted(tmp_path: Path) -> None:
    found = of(tmp_path, "31/12/23, 10:05 - Ana: b\n31/12/23, 10:00 - Bo: a\n31/12/23, 10:05 - Ana: c\n")
    assert [m.text for m in found.messages] == ["a", "b", "c"]
    assert "order of time" in found.notes


# ── rows that are no messages ──


@pytest.mark.parametrize(("bad", "field"), [
    (b"31/12/23, 25:61 - Ana: b", "time"),
    (b"31/12/23, 13:05 AM - Ana: b", "time"),
    (b"31/02/23, 10:00 - Ana: b", "date"),
    (b"31/12/1987, 10:00 - Ana: b", "date"),
    (b"31/12/23, 10:00 - Ana: caf\xe9", None),
    (b"31/12/23, 10:00 - Ana: b\ncaf\xe9", None),
])  # fmt: skip
def test_a_bad_row_takes_its_session_with_it_and_says_so(tmp_path: Path, bad: bytes, field: str | None) -> None:
    lines = [b"29/12/23, 10:00 - Ana: x", b"31/12/23, 10:00 - Ana: a", bad, b"31/12/23, 10:01 - Ana: c"]
    found = taken(file(tmp_path, b"\n".join(lines) + b"\n"), date_order="dmy")
    assert (found.kept, len(found.rejected)) == (1, 3)
    problems = [row.problem for row in found.rejected if row.problem]
    assert problems[1].field == field
    assert "line 3" in problems[0].reason
    assert "line 3" in problems[2].reason


def test_what_stands_before_the_first_message_is_a_row_that_is_rejected(tmp_path: Path) -> None:
    found = of(tmp_path, "\n\nsome words\nmore\n31/12/23, 10:00 - Ana: a\n02/01/24, 10:00 - Ana: b\n")
    assert (found.kept, len(found.rejected)) == (1, 2)
    assert found.rejected[0].line == 3
    assert "before the first message" in found.rejected[0].problem.reason  # type: ignore[union-attr]
    nothing = of(tmp_path, "just a text\nof two lines\n")
    assert (nothing.kept, len(nothing.rejected)) == (0, 1)
    assert of(tmp_path, "").parsed == []


def test_notices_alone_are_no_conversation(tmp_path: Path) -> None:
    found = of(tmp_path, "31/12/23, 10:00 - You created group “x”\n31/12/23, 10:01 - You left\n")
    assert (found.kept, len(found.rejected)) == (0, 2)


def test_old_line_ends_are_refused_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="carriage return") as caught:
        of(tmp_path, "31/12/23, 10:00 - Ana: a\r31/12/23, 10:01 - Ana: b\r")
    assert "tr " in str(caught.value)


def test_a_session_without_end_is_rejected_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.ingest.sources.whatsapp_txt_sessions.MAX_GROUP", 10)
    lines = [f"31/12/23, 10:{minute:02} - Ana: x" for minute in range(25)] + ["02/01/24, 10:00 - Ana: y"]
    found = of(tmp_path, "\n".join(lines))
    assert (found.kept, len(found.rejected)) == (1, 25)


# ── anything ──

SEED = (
    "\u200e[30.12.23, 23:58:01] Loja: \u200eMessages and calls are end-to-end encrypted.\r\n"
    "[30.12.23, 23:58:01] Ana: Olá, cadê meu pedido?\nsegunda linha\r\n"
    "[30.12.23, 23:59:59] Loja: \u200e<attached: 00000012-PHOTO-2025-03-04-14-06-11.jpg>\r\n"
    "[31.12.23, 12:00:00] Ana: <Media omitted>\r\n[31.12.23, 12:00:01] Loja: às 3 \u200e<Mensagem editada>\r\n"
    "[02.01.24, 08:00:00] ~\u202fEva: \u200eimage omitted\r\n[02.01.24, 08:00:09] Ana: This message was deleted\r\n"
).encode()
SCRAPS = [
    b"\n", b"\r", b"\xff\xfe", b"\xe2\x80\x8e", b"[", b"] ", b": ", b" - ", b"31.12.23, 10:00 - ", b"12/31/23", b"\x00",
    b"99.99.99", "下午".encode(), b"<", b">", b"\xc3", b"PM", b"\xef\xbb\xbf", b"\n\n\n", b"{}", b"0" * 40,
    b"[31.12.23, 23:59:59] ",
]  # fmt: skip


def mutated(seed: int) -> bytes:
    dice = random.Random(seed)
    content = bytearray(SEED)
    for _ in range(dice.randrange(1, 8)):
        at = dice.randrange(len(content) + 1)
        match dice.randrange(6):
            case 0:
                del content[at : at + dice.randrange(1, 60)]
            case 1:
                content[at:at] = dice.choice(SCRAPS)
            case 2:
                content[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 5)))
            case 3:
                lines = bytes(content).split(b"\n")
                dice.shuffle(lines)
                content = bytearray(b"\n".join(lines))
            case 4:
                content = content[:at]
            case _:
                content = bytearray(
                    bytes(content).decode("utf-8", "replace").encode(dice.choice(["cp1252", "utf-8"]), "replace")
                )
    return bytes(content)


def test_no_file_however_broken_raises_or_loses_a_row(tmp_path: Path) -> None:
    n_refused = 0
    for seed in range(500):
        path = file(tmp_path, mutated(seed))
        try:
            found, again = taken(path), taken(path)
        except InputError:  # binary, UTF-16, or dates that contradict each other
            n_refused += 1
            continue
        assert found.parsed == again.parsed
        lines = [line for row in found.parsed for line in ([row.line] if row.problem else [row.line] * row.rows)]
        assert len(lines) == found.kept + len(found.rejected)
        assert len(lines) == len(found.messages) + len(found.rejected)
        assert lines == sorted(lines)
        texts = "".join(m.text + "".join(map(str, m.attributes.values())) for m in found.messages)
        for word in ("pedido", "segunda"):
            if word in path.read_text(encoding="utf-8", errors="replace") and not found.rejected:
                assert word in texts
    assert n_refused < 100


@settings(max_examples=150)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=6))
def test_any_text_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    plain = [re.sub(r"[\r\n\u200e<>\x00]|^\s+|\s+$", "", text) for text in texts]
    content = "".join(f"[31.12.23, 10:00:{second:02}] Ana: .{text}\n" for second, text in enumerate(plain))
    found = of(tmp_path_factory.mktemp("any"), content)
    assert [m.text for m in found.messages] == [f".{text}" for text in plain]
