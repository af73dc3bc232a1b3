"""What `--redact` and `--anonymous-agents` write: nothing personal is left in any format, and quotes still hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from report_data import T0, World, calls, present, says, tells, world
from sample_names import COLLEAGUES, LEFT, pairs
from talk_parts import CPF, MAIL, PHONE, everything
from test_report import embedded, settings

from grader import outcomes, report
from grader.model import Contact, Conversation, Message
from grader.outcomes.front import front
from grader.report.case_view import case_view
from grader.report.masks import Masker, Masks

PERSONAL = (MAIL, PHONE, "98765-4321", "5511987654321", CPF, "52998224725", "Lia", "Souza", "who=lia", "lia.souza")
AGENTS = ("Carla", "Dias")
DATASETS = Path(__file__).parent.parent / "datasets"
BOTH = Masks(redact=True, anonymous_agents=True)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("shop")) as w:
        everything(w)
        yield w


def written(w: World, form: report.Format, masks: Masks, folder: Path) -> str:
    return "".join(report.text(w.store, settings(folder), form=form, every=True, masks=masks))


@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_no_personal_string_is_left_in_any_format(full: World, form: report.Format, tmp_path: Path) -> None:
    plain, masked = written(full, form, Masks(), tmp_path), written(full, form, BOTH, tmp_path)
    everything_in = json.dumps(embedded(masked), ensure_ascii=False) + masked if form == "html" else masked
    assert "Lia" in plain
    assert [s for s in (*PERSONAL, *AGENTS) if s in everything_in] == []
    assert "Q-22034" in everything_in or form != "html"  # an order stays: it is what the case is about
    if form == "html":
        assert "Masked" in masked


# Everybody who is named in the sample that ships, but for those of whom only somebody else speaks and no rule tells
# (a doctor, a garage, a wife, a daughter's account, who signed for a parcel) and the firm of one.
SAMPLE_AGENTS = ("Rafa", "Ximena", "Tomás", "Dana", "Bea")
SAMPLE_CUSTOMERS = (
    "Agnieszka", "Agustina", "Ainsworth", "Amparo", "Aoife", "Arjun", "Arturo", "Beto", "Braithwaite", "Brianna",
    "Bruno", "Callum", "Camila", "Couto", "Declan", "Denise", "Dhomhnaill", "Edinaldo", "Evaristo", "Ezenwa",
    "Folake", "Foy", "Francisca", "Gabriel", "Genivaldo", "Gethin", "Gilmar", "Giulia", "Gloria Inés", "Gordon",
    "Hollis", "Iñaki", "Jade", "Jhennifer", "Jhon Fredy", "Joaquín", "Josué", "Julieta", "Katja", "Kelly Anne",
    "Kowalczyk", "Lakshmi", "Leidy", "Letícia", "Lucía", "Marcus", "Marli", "Mitch", "Mitchell", "Naiara",
    "Nicolás", "Nilton", "Nuno", "Okonjo", "Osvaldo", "Patrícia", "Pickens", "Raman", "Rafael", "Reid", "Riquelme",
    "Ritika", "Rocío", "Rogelio", "Sheila", "Socorro", "Tanvi", "Tate", "Thiago", "Thomas", "Tremblay", "Valdir",
    "Walter", "Wanderson", "Wrona", "Yamashiro", "Yuliana",
)  # fmt: skip


def sample() -> list[Conversation]:
    lines = (DATASETS / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    return [Conversation.model_validate({k: v for k, v in json.loads(x).items() if k != "type"}) for x in lines]


def words(conversation: Conversation) -> str:
    return "\n".join(
        f"{m.text} {json.dumps([c.arguments for c in m.tool_calls], ensure_ascii=False)}" for m in conversation.messages
    )


@pytest.mark.parametrize(
    ("masks", "names", "allowed"), [(Masks(redact=True), (*SAMPLE_AGENTS, *SAMPLE_CUSTOMERS), 1),
                                    (Masks(anonymous_agents=True), SAMPLE_AGENTS, 0)],
)  # fmt: skip
def test_nobody_of_the_sample_is_left_by_name(masks: Masks, names: tuple[str, ...], allowed: int) -> None:
    masker, left, n = Masker(masks), [], 0
    for conversation in sample():
        plain, masked = words(conversation), words(masker._talk(conversation).conversation)
        for name in names:
            there = re.compile(rf"\b{name}\b")
            n += bool(there.search(plain))
            if there.search(masked):
                left.append((conversation.conversation_id, name))
    assert n >= (120 if masks.redact else 40)
    assert len(left) <= allowed, left  # a summary that calls somebody by a longer name than anybody else does


def of_sample(folder: Path, masks: Masks) -> tuple[str, dict[str, str], str]:
    """The sample as a decoded report: all but its conversations, these by their ids, JSON and CSV."""
    with world(folder) as w:
        for conversation in sample():
            w.add(conversation)
            said = next(n for n, m in enumerate(conversation.messages, 1) if m.role == "ai")
            quote = conversation.messages[said - 1].text or "x"
            w.judged(conversation.conversation_id, "accuracy", {"invented_deadline": present(quote, said)})
        w.finish()
        html = written(w, "html", masks, folder)
        held = embedded(html)
        cases = {case["id"]: json.dumps(case, ensure_ascii=False) for case in held["cases"]}
        rest = json.dumps({k: v for k, v in held.items() if k != "cases"}, ensure_ascii=False)
        tables = "".join(written(w, form, masks, folder) for form in ("json", "csv"))
    return rest, cases, tables


@pytest.mark.parametrize("masks", [Masks(redact=True), Masks(anonymous_agents=True)])
def test_a_decoded_report_of_the_sample_names_nobody_but_six(masks: Masks, tmp_path: Path) -> None:
    rest, cases, tables = of_sample(tmp_path, masks)
    names = [(i, name) for i, name in pairs() if masks.redact or name in COLLEAGUES]
    assert len(names) >= (210 if masks.redact else 50)
    there = {name: re.compile(rf"(?<!\w){name}(?!\w)") for _, name in names}
    left = {(i, name) for i, name in names if there[name].search(cases[i])}
    assert left == (LEFT if masks.redact else set())
    allowed = {name for _, name in LEFT}
    assert {name for name in there if there[name].search(rest + tables)} <= allowed
    assert ("GB000123456" in str(cases)) != masks.redact


def test_without_the_options_nothing_changes(full: World) -> None:
    for case in outcomes.cases(full.store, None, full.told):
        assert Masker(Masks()).case(case) is case


def test_quotes_still_hold_in_the_masked_text(full: World) -> None:
    case = next(iter(outcomes.cases(full.store, None, ["talk-1"])))
    view, plain = (case_view(c, outcomes.policies(full.store)) for c in (Masker(BOTH).case(case), case))

    def marked(v: object) -> set[tuple[int | None, int]]:
        return {(line.number, n) for line in v.lines for p in line.pieces for s in p.segments for n in s.findings}  # type: ignore[attr-defined]

    assert marked(view) == marked(plain) != set()
    assert [f.clauses for f in view.findings] == [f.clauses for f in plain.findings]


def test_a_quote_that_begins_in_a_masked_word_is_the_whole_mark(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.talk("a", says("customer", "mail me at lia.souza@mail.example today", T0), says("ai", "Ok.", T0))
        w.judged("a", "accuracy", {"invented_deadline": present("souza@mail.example today", 1)})
        w.finish()
        [case] = outcomes.cases(w.store, None, ["a"])
        [verdict] = [v for v in Masker(Masks(redact=True)).case(case).verdicts if v.flagged]
        assert verdict.evidence[0].quote == "[email 1] today"


def test_agents_are_numbered_as_they_appear_and_customers_stay(full: World) -> None:
    case = next(iter(outcomes.cases(full.store, None, ["talk-1"])))
    talk = Masker(Masks(anonymous_agents=True)).case(case).conversation
    assert {m.name for m in talk.messages if m.role == "human"} == {"Agent 1"}
    assert talk.messages[11].text == "Oi Lia, aqui é a Agent 1. Vou verificar com a transportadora."
    assert talk.events[0].note == "Agent 1"
    assert MAIL in talk.messages[1].text


def test_tool_data_stays_json_and_numbers_in_it_are_masked() -> None:
    conversation = Conversation(conversation_id="a", messages=(
        calls("get", {"phone": 5511987654321, "note": "x"}),
        tells("get", '{"phone": 5511987654321, "name": "Widget", "customer": {"name": "Lia Souza"}, "total": 10.50}'),
    ))  # fmt: skip
    masked = Masker(Masks(redact=True))._talk(conversation).conversation
    assert masked.messages[0].tool_calls[0].arguments == {"phone": "[phone 1]", "note": "x"}
    assert masked.messages[1].text == (
        '{"phone": "[phone 1]", "name": "Widget", "customer": {"name": "[name 1]"}, "total": 10.50}'
    )


def test_a_mark_that_goes_over_the_end_of_a_text_leaves_the_arguments_what_they_are() -> None:
    link = 'see https://shop.example/?who="lia" \\ ok'
    conversation = Conversation(conversation_id="a", messages=(calls("get", {"url": link, "n": [1, None, True]}),))
    masked = Masker(Masks(redact=True))._talk(conversation).conversation.messages[0].tool_calls[0].arguments
    assert masked["n"] == [1, None, True]
    assert "who=" not in masked["url"]


def test_an_id_that_tells_who_it_is_is_replaced_the_same_everywhere(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        for name in ("wa_5511987654321", "chat Lia Souza", "qa-1"):
            said = (says("customer", "where is it?", T0), says("ai", "It arrives tomorrow.", T0))
            w.add(Conversation(conversation_id=name, contact=Contact(name="Lia Souza"), started_at=T0, messages=said))
            w.judged(name, "accuracy", {"invented_deadline": present("tomorrow")})
            w.judged(name, "resolution", {"resolved": "not", "non_resolution_cause": "missing_rule"})
        w.finish()
        for form in ("html", "json", "csv"):
            text = written(w, form, Masks(redact=True), tmp_path)
            if form == "html":
                text += json.dumps(embedded(text), ensure_ascii=False)
            for name in w.told:  # these stores name judgements after their conversation, real ones by a hash
                text = text.replace(f"vk_{name}_", "vk_")
            assert "5511987654321" not in text
            assert "Lia" not in text
            assert "qa-1" in text
            assert "conversation-1" in text


def test_examples_of_the_front_page_are_called_as_their_conversations_are(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        named = w.talk(f"talk-{PHONE}", start=T0)
        w.judged_by_all(named, {"resolved": "not", "non_resolution_cause": "wrong_answer"})
        w.finish()
        found = front(w.store, zone=UTC)
        assert found.examples == (named,)
        masked = Masker(BOTH).front(w.store, found)
    assert masked.examples == ("conversation-1",)


def test_what_the_ai_is_called_stays_but_not_where_it_is_called_as_a_person_is() -> None:
    def talk(*messages: Message) -> Conversation:
        return Conversation(conversation_id="a", contact=Contact(name="Lia Souza"), messages=messages)

    said = talk(
        says("ai", "Oi Lia, sou a Luna.", name="Luna"), says("human", "Aqui é a Carla.", name="Carla"),
        says("customer", "obrigada Luna, obrigada Carla!"), says("ai", "De nada.", name="Lia"),
        says("ai", "Até mais.", name="Carla"),
    )  # fmt: skip
    masked = Masker(BOTH)._talk(said).conversation
    assert [m.name for m in masked.messages] == ["Luna", "Agent 1", None, "[name 1]", "Agent 1"]
    assert [m.text for m in masked.messages[:3]] == [
        "Oi [name 1], sou a Luna.", "Aqui é a Agent 1.", "obrigada Luna, obrigada Agent 1!",
    ]  # fmt: skip
