"""WhatsApp's `.txt` exports: the headers of many phones, which number is the day, what a message is."""

from __future__ import annotations

import json
import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_taken import SAMPLES as ALL_SAMPLES
from ingest_taken import Taken
from ingest_taken import taken as read_by

from grader.errors import InputError
from grader.ingest.source import Source
from grader.ingest.sources import whatsapp_txt
from grader.ingest.sources.whatsapp_txt import recognises_text
from grader.model import Message

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


def said(folder: Path, text: str, header: str = "[31.12.23, 23:59:59] Ana: ") -> Message:
    """The message that a text is; a second one keeps the conversation from being empty."""
    found = of(folder, f"{header}{text}\n[31.12.23, 23:59:59] Bo: ok\n")
    assert not found.rejected
    return found.messages[0]


# ── headers ──


@pytest.mark.parametrize(("line", "at"), [
    ("12/31/23, 11:59 PM - Ana: hi", "2023-12-31 23:59"),
    (f"12/31/23, 11:59{NNBSP}PM - Ana: hi", "2023-12-31 23:59"),
    ("12/31/23, 12:05 AM - Ana: hi", "2023-12-31 00:05"),
    ("12/31/23, 12:05 pm - Ana: hi", "2023-12-31 12:05"),
    ("[31.12.23, 23:59:59] Ana: hi", "2023-12-31 23:59:59"),
    ("31.12.23, 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("31/12/2023, 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("31/12/2023 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("31-12-2023 23.59 - Ana: hi", "2023-12-31 23:59"),
    ("23/06/2018, 01:55 a.m. - Ana: hi", "2018-06-23 01:55"),
    (f"23/6/2018 8:28 p.{NBSP}m. - Ana: hi", "2018-06-23 20:28"),
    ("[23/6/18 1:55:00 p. m.] Ana: hi", "2018-06-23 13:55"),
    (f"{LRM}[23/6/18, 1:55:00{NNBSP}PM] Ana: hi", "2018-06-23 13:55"),
    ("13.06.18 21.25.15: Ana: hi", "2018-06-13 21:25:15"),
    ("[06.13.18 21:25:15] Ana: hi", "2018-06-13 21:25:15"),
    ("13.6.2018 klo 21.25.15 - Ana: hi", "2018-06-13 21:25:15"),
    ("13. 6. 2018. 21:25:15 Ana: hi", "2018-06-13 21:25:15"),
    ("[2018/06/13, 21:25:15] Ana: hi", "2018-06-13 21:25:15"),
    ("[06/2018/13, 21:25:15] Ana: hi", "2018-06-13 21:25:15"),
    ("2023-12-05, 5:46 p.m. - Ana: hi", "2023-12-05 17:46"),
    ("2023-12-31 21 h 05 - Ana: hi", "2023-12-31 21:05"),
    ("2023/12/31 下午11:59 - Ana: hi", "2023-12-31 23:59"),
    ("2023/12/31 上午9:05 - Ana: hi", "2023-12-31 09:05"),
    ("[2023. 12. 31. 오후 11:59:59] Ana: hi", "2023-12-31 23:59:59"),
    ("2023. 12. 31. 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("2023年12月31日 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("31.12.2023 г., 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("31/12/2023, 11:59 μ.μ. - Ana: hi", "2023-12-31 23:59"),
    ("31/12/23, 11:59 du. - Ana: hi", "2023-12-31 23:59"),
    ("31/12/2566 23:59 - Ana: hi", "2023-12-31 23:59"),
    ("\u200f٣١\u200f/١٢\u200f/٢٠٢٣، ١١:٥٩ م - Ana: hi", "2023-12-31 23:59"),
    ("31/12/2023, 13:05 PM - Ana: hi", "2023-12-31 13:05"),
    ("\ufeff31/12/2023, 13:05 - Ana: hi", "2023-12-31 13:05"),
])  # fmt: skip
def test_the_header_of_every_phone_is_read(tmp_path: Path, line: str, at: str) -> None:
    found = of(tmp_path, line + "\n")
    assert not found.rejected
    (message,) = found.messages
    assert message.at is not None
    assert (message.at.isoformat(sep=" ")[: len(at)], message.text) == (at, "hi")
    assert message.attributes["sender"] == "Ana"
    assert recognises_text((line + "\n").encode(), "chat.txt")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_message_goes_on_in_the_lines_below_it(tmp_path: Path, line_end: str) -> None:
    lines = [
        "[31.12.23, 10:00:00] Ana: one",
        "",
        "  two: 3",
        "12.10. at 10:30: dentist",
        "[31.12.23, 10:00:01] Bo: ok",
        "",
    ]
    found = of(tmp_path, line_end.join(lines))
    assert [m.text for m in found.messages] == ["one\n\n  two: 3\n12.10. at 10:30: dentist", "ok"]
    assert (found.kept, found.conversations[0].messages[1].at.second) == (2, 1)  # type: ignore[union-attr]


def test_a_quoted_line_of_another_phone_stays_in_its_message(tmp_path: Path) -> None:
    lines = [f"31/12/2023, 10:{minute:02} - Ana: {minute}" for minute in range(9)]
    lines[4] += "\n[31.12.23, 10:00:00] Bo: that is what he wrote\n2023-12-31 10:00:00 ERROR: a log"
    found = of(tmp_path, "\n".join(lines))
    assert found.kept == 9
    assert found.messages[4].text.count("\n") == 2
    assert "another phone's message" in found.notes


def test_a_word_beside_the_time_that_is_not_known_is_asked_for(tmp_path: Path) -> None:
    content = "31/12/2023, 9:05 zork - Ana: hi\n31/12/2023, 9:06 zork - Ana: you\n"
    with pytest.raises(InputError, match="'zork' beside the time is before or after noon") as caught:
        of(tmp_path, content)
    assert "--option pm_words=zork" in str(caught.value)
    found = of(tmp_path, content, pm_words="zork")
    assert [m.at.hour for m in found.messages if m.at] == [21, 21]
    typed = of(tmp_path, "31/12/2023, 21:05 - Ana: hi\n31/12/2023, 9:06 maybe - then: not sure\n")
    assert typed.messages[0].text == "hi\n31/12/2023, 9:06 maybe - then: not sure"


# ── which number is the day ──


def test_dates_that_can_be_read_in_two_ways_refuse_the_file_and_name_the_option(tmp_path: Path) -> None:
    content = "03/05/24, 10:00 - Ana: hi\n04/05/24, 10:00 - Ana: you\n"
    with pytest.raises(InputError) as caught:
        of(tmp_path, content)
    assert caught.value.field == "date_order"
    assert "'03/05/24' on line 1" in str(caught.value)
    assert "--option date_order=dmy" in str(caught.value)
    assert "mdy" in str(caught.value)
    assert [m.at.month for m in of(tmp_path, content, date_order="dmy").messages if m.at] == [5, 5]
    assert [m.at.month for m in of(tmp_path, content, date_order="mdy").messages if m.at] == [3, 4]


@pytest.mark.parametrize(("dates", "months"), [
    (["03/05/24", "13/05/24"], [5, 5]),
    (["03/05/24", "03/25/24"], [3, 3]),
    (["30/04/24", "01/05/24"], [4, 5]),
    (["09/04/24", "10/04/24", "05/05/24"], [4, 4, 5]),  # month first would go back from October to May
    (["04/09/24", "04/10/24", "05/05/24"], [4, 4, 5]),  # day first would go back from October to May
    (["05/05/24", "05/05/24"], [5, 5]),  # either way the same day
    (["2024-03-05", "2024-03-06"], [3, 3]),  # a year in front is ISO's order
    (["2024/13/05", "2024/14/05"], [5, 5]),
    (["24-03-05", "24-03-06", "24-04-01"], [3, 3, 4]),
    (["28.12.23", "29.12.23"], [12, 12]),
])  # fmt: skip
def test_the_whole_file_decides_which_number_is_the_day(tmp_path: Path, dates: list[str], months: list[int]) -> None:
    found = of(tmp_path, "".join(f"{date}, 10:00 - Ana: hi\n" for date in dates))
    assert [m.at.month for m in found.messages if m.at] == months


def test_dates_that_contradict_each_other_refuse_the_file_and_the_option_settles_it(tmp_path: Path) -> None:
    content = "13/05/24, 10:00 - Ana: a\n05/20/24, 10:00 - Ana: b\n21/05/24, 10:00 - Ana: c\n"
    with pytest.raises(InputError, match=r"'13/05/24' on line 1, '05/20/24' on line 2") as caught:
        of(tmp_path, content)
    assert caught.value.field == "date_order"
    found = of(tmp_path, content, date_order="dmy")
    assert [m.text for m in found.messages] == ["c"]
    assert [row.line for row in found.rejected] == [1, 2]  # a session with a hole would be judged wrongly
    assert "line 2" in found.rejected[0].problem.reason  # type: ignore[union-attr]


def test_what_the_user_says_gives_way_where_it_is_impossible_and_that_is_noted(tmp_path: Path) -> None:
    found = of(tmp_path, "05/20/24, 10:00 - Ana: b\n05/01/24, 10:00 - Ana: c\n", date_order="dmy")
    assert [m.at.month for m in found.messages if m.at] == [5, 5]
    assert "date_order is dmy, but a date such as '05/20/24' (line 1) can only be" in found.notes


# ── what a message is ──


@pytest.mark.parametrize(("text", "kind", "media"), [
    ("<Media omitted>", "file", "media"),
    ("<Arquivo de mídia oculto>", "file", "media"),
    ("<Mídia oculta>", "file", "media"),
    ("<Medien ausgeschlossen>", "file", "media"),
    ("<Multimedia omitido>", "file", "media"),
    ("<Médias omis>", "file", "media"),
    ("<Без медиафайлов>", "file", "media"),
    (f"{LRM}image omitted", "image", "image"),
    (f"{LRM}Image omitted", "image", "image"),
    (f"{LRM}imagem ocultada", "image", "image"),
    (f"{LRM}Bild weggelassen", "image", "image"),
    (f"{LRM}sticker omitted", "image", "sticker"),
    (f"{LRM}GIF omitted", "image", "gif"),
    (f"{LRM}audio omitted", "voice", "voice"),
    (f"{LRM}áudio ocultado", "voice", "voice"),
    (f"{LRM}Audio weggelassen", "voice", "voice"),
    (f"{LRM}video omitted", "file", "video"),
    (f"{LRM}vídeo omitido", "file", "video"),
    (f"{LRM}Contact card omitted", "file", "contact"),
    (f"{LRM}<attached: 00000012-PHOTO-2025-03-04-14-06-11.jpg>", "image", "image"),
    (f"{LRM}<anexado: 00000013-AUDIO-2025-03-04-14-06-11.opus>", "voice", "voice"),
    (f"{LRM}<zork: 00000013-VIDEO-2025-03-04-14-06-11.mp4>", "file", "document"),
    ("IMG-20250304-WA0003.jpg (file attached)", "image", "image"),
    ("PTT-20250328-WA0014.opus (archivo adjunto)", "voice", "voice"),
    ("Rechnung 12.pdf (Datei angehängt)", "file", "document"),
    ("Ana.vcf (arquivo anexado)", "file", "document"),
])  # fmt: skip
def test_what_was_sent_and_is_not_in_the_file_has_its_kind_and_no_words(
    tmp_path: Path, text: str, kind: str, media: str
) -> None:
    message = said(tmp_path, text)
    assert (message.kind.value, message.attributes["media"], message.text) == (kind, media, "")


@pytest.mark.parametrize(("text", "kind", "words", "file_name"), [
    ("<Media omitted>\nlook at this", "file", "look at this", None),
    ("IMG-20250304-WA0003.jpg (file attached)\nlook\nhere", "image", "look\nhere", "IMG-20250304-WA0003.jpg"),
    (f"look {LRM}<attached: {PHOTO}>", "image", "look", PHOTO),
    (f"{LRM}Bill 7.pdf • {LRM}3 pages {LRM}document omitted", "file", "", "Bill 7.pdf"),
])  # fmt: skip
def test_a_caption_is_the_text_and_a_files_name_is_kept(
    tmp_path: Path, text: str, kind: str, words: str, file_name: str | None
) -> None:
    message = said(tmp_path, text)
    assert (message.kind.value, message.text, message.attributes.get("file")) == (kind, words, file_name)


@pytest.mark.parametrize(("text", "kind", "words", "mark"), [
    ("This message was deleted", "event", "This message was deleted", "deleted"),
    (f"{LRM}Esta mensagem foi apagada.", "event", "Esta mensagem foi apagada.", "deleted"),
    ("Du hast diese Nachricht gelöscht.", "event", "Du hast diese Nachricht gelöscht.", "deleted"),
    ("at 3pm <This message was edited>", "text", "at 3pm", "edited"),
    (f"um 3 {LRM}<Diese Nachricht wurde bearbeitet.>", "text", "um 3", "edited"),
    ("às 3 <Mensagem editada>", "text", "às 3", "edited"),
    (f"{LRM}Missed voice call, {LRM}Tap to call back", "event", f"Missed voice call, {LRM}Tap to call back", "type"),
    ("POLL:\nWhen?\nOPTION: now (2 votes)", "text", "POLL:\nWhen?\nOPTION: now (2 votes)", "type"),
    ("Location: https://maps.google.com/?q=1,2", "text", "Location: https://maps.google.com/?q=1,2", "type"),
    ("1 < 2 > 0", "text", "1 < 2 > 0", None),
    ("I deleted it: this message was deleted", "text", "I deleted it: this message was deleted", None),
    ("image omitted from the order, why?", "text", "image omitted from the order, why?", None),
    ("a.pdf (see below)", "text", "a.pdf (see below)", None),
])  # fmt: skip
def test_deleted_and_edited_messages_calls_polls_and_places_are_told(
    tmp_path: Path, text: str, kind: str, words: str, mark: str | None
) -> None:
    message = said(tmp_path, text)
    assert (message.kind.value, message.text) == (kind, words)
    assert {*message.attributes} == {"sender", *([mark] if mark else [])}


def test_a_placeholder_that_is_not_known_stays_text_and_is_noted(tmp_path: Path) -> None:
    found = of(tmp_path, "[31.12.23, 10:00:00] Ana: <zork blargh>\n[31.12.23, 10:00:00] Ana: \u200ezork blargh\n")
    assert [(m.kind.value, m.text) for m in found.messages] == [("text", "<zork blargh>"), ("text", "zork blargh")]
    assert "nothing but '<zork blargh>'" in found.notes
    assert "U+200E" in found.notes


@pytest.mark.parametrize("line", [
    "31/12/23, 10:00 - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.",
    "31/12/23, 10:00 - As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta.",
    '31/12/23, 10:00 - You created group "Shop: orders"',
    "31/12/23, 10:00 - Ana changed the subject from “A: B” to “C: D”",
    "31/12/23, 10:00 - +55 11 99123-4567 joined using this group's invite link",
    "31/12/23, 10:00 - Shop: Messages and calls are end-to-end encrypted. No one outside of this chat can read them.",
    f"31/12/23, 10:00 - Bo: {LRM}Bo created group “Shop”",
    f"31/12/23, 10:00 - Ana: {LRM}You added Ana",
    f"31/12/23, 10:00 - Ana: {LRM}Ana adicionou Bo",
])  # fmt: skip
def test_a_notice_of_whatsapps_is_an_event_of_the_system(tmp_path: Path, line: str) -> None:
    found = of(tmp_path, f"{line}\n31/12/23, 10:01 - Ana: hi\n", roles={"Ana": "customer", "Shop": "ai"})
    assert [(m.role.value, m.kind.value) for m in found.messages] == [("system", "event"), ("customer", "text")]
    assert found.kept == 2


# ── recognising ──


@pytest.mark.parametrize(("content", "name"), [
    ('{"messages": [{"role": "user", "content": "12/31/23, 11:59 PM - Ana: hi"}]}', "a.jsonl"),
    ("[12, 31, 23]\n", "a.txt"),
    ("id,text\n1,hello\n", "a.txt"),
    ("12/31/23, 11:59 PM - Ana: hi\n", "a.csv"),
    ("# Policy\n12/31/23: open\n", "policy.txt"),
    ("2023-12-31 23:59:59 INFO: started\n2023-12-31 23:59:59 INFO: up\n", "server.txt"),
    ("45/45/45, 11:59 - Ana: hi\n", "a.txt"),
    ("", "a.txt"),
])  # fmt: skip
def test_other_files_are_not_taken_for_an_export(content: str, name: str) -> None:
    assert recognises_text(content.encode(), name) is None


def headers(text: str) -> int:
    """How many lines begin with three numbers and a time: counted without the reader."""
    return len(re.findall(r"(?m)^\W*\d{1,4}\W{1,2}\d{1,4}\W{1,2}\d{1,4}[^\d\n]{1,8}\d{1,2}[.:]\d\d", text))


@pytest.mark.realdata
@REAL
@pytest.mark.parametrize(("name", "rows", "given"), [
    ("ptbr_android.txt", 6, {"date_order": "dmy"}),
    ("whatstk_lorem_first300.txt", 300, {}),
    ("whatstk_pokemon.txt", 20, {}),
    ("chat_parser_format_lines.txt", 14, {"date_order": "dmy"}),
])  # fmt: skip
def test_the_rows_of_real_files_are_all_there(name: str, rows: int, given: dict[str, Any]) -> None:
    found = taken(SAMPLES / name, **given)
    assert headers((SAMPLES / name).read_text(encoding="utf-8")) == rows
    assert (found.kept, len(found.messages), found.rejected) == (rows, rows, [])
    assert recognises_text(Source(SAMPLES / name).head, name)


@pytest.mark.realdata
@REAL
def test_a_real_file_of_one_day_is_asked_about() -> None:
    with pytest.raises(InputError, match="date_order"):
        taken(SAMPLES / "ptbr_android.txt")
    found = taken(SAMPLES / "ptbr_android.txt", date_order="dmy", roles={"Bruna Next Home": "human"})
    assert [(m.role.value, m.kind.value) for m in found.messages] == [
        ("system", "event"), ("customer", "text"), ("customer", "text"), ("human", "text"), ("human", "file"),
        ("customer", "text"),
    ]  # fmt: skip


@pytest.mark.realdata
@REAL
@pytest.mark.parametrize("days", [1, 40, 400])
def test_every_header_format_that_others_know_is_read_to_the_second(tmp_path: Path, days: int) -> None:
    for entry in json.loads((SAMPLES / "whatstk_header_format_support.json").read_text(encoding="utf-8")):
        for year in ("%y", "%Y"):
            form = entry["format"].replace("%name:", "Ana B:").replace("%y", year)
            at, lines, wanted = datetime(2023, 11, 20, 9, 5, 7), [], []  # noqa: DTZ001 - the phone's clock
            for number in range(30):
                lines.append(f"{at.strftime(form)} {number}")
                wanted.append(at if "%S" in form else at.replace(second=0))
                at += timedelta(seconds=random.Random(number).randrange(days * 4320))
            found = of(tmp_path, "\n".join(lines))
            assert [m.at.replace(tzinfo=None) for m in found.messages if m.at] == wanted, form


@pytest.mark.realdata
@REAL
def test_files_of_other_formats_are_not_taken_for_an_export() -> None:
    for path in SAMPLES.parent.rglob("*"):
        if path.is_file() and path.parent != SAMPLES:
            assert recognises_text(path.read_bytes()[:4096], path.name) is None, path
