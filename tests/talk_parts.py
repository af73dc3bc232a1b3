"""One conversation with everything that a chat can have in it, and the ones before and after it."""

from __future__ import annotations

from datetime import timedelta

from report_data import T0, World, calls, present, priced, says, tells

from grader.model import Contact, Conversation, Event, Identity, Outcome, Policy, Reference, Role

MIN = timedelta(minutes=1)
PHONE, MAIL, CPF = "+55 11 98765-4321", "lia.souza@mail.example", "529.982.247-25"
ARABIC = "مرحبا، أين طلبي رقم Q-22034؟"
HEBREW = "שלום, ההזמנה \u202eQ-22034\u202c לא הגיעה"
URL = "https://track.example/p?id=7&who=lia"
LONG_URL = "https://track.example/" + "a1b2c3d4e5/" * 14


def everything(w: World) -> None:
    """`talk-1` comes back twice and is itself a return of `talk-0`."""
    w.policy(Policy(
        policy_id="returns", version="3", title="Returns and refunds", text="R1. Refunds go to the card that paid.\n"
        "R2. No delivery date is promised before the parcel has been scanned. Ask the carrier.\nR3. Be kind.",
        valid_from=T0.date() - timedelta(days=60), valid_to=T0.date() + timedelta(days=200),
    ))  # fmt: skip
    at = T0
    messages = (
        says("customer", "oi", at),
        says("customer", f"me chamo Lia Souza, meu email é {MAIL} e o fone {PHONE}", at),
        says("customer", "meu pedido Q-22034 não chegou!! 😡 CPF " + CPF, at + MIN),
        says("customer", "[áudio] eu já liguei três vezes e ninguém resolve, quero falar com uma pessoa", at + 2 * MIN,
             kind="voice", attributes={"duration": 42}),
        calls("get_order", {"order_id": "Q-22034", "email": MAIL}, at + 3 * MIN),
        tells("get_order", '{"order_id":"Q-22034","status":"in_transit","customer":{"name":"Lia Souza","phone":'
              '5511987654321},"carrier":{"scans":[]}}', at + 3 * MIN + timedelta(seconds=4)),
        says("ai", f"Oi Lia! Seu pedido chega amanhã até as 18h, com certeza. Acompanhe em {URL}.", at + 3 * MIN),
        says("customer", "foto do rastreio", at + 5 * MIN, kind="image"),
        calls("refund", {"order_id": "Q-22034", "reason": "late"}, at + 6 * MIN),
        tells("refund", '{"error":{"code":"NOT_ALLOWED","message":"in transit"}}', at + 6 * MIN, is_error=True),
        says("ai", "Vou transferir para um atendente.", at + 7 * MIN),
        says("human", "Oi Lia, aqui é a Carla. Vou verificar com a transportadora.", at + 67 * MIN, name="Carla Dias"),
        says("human", f"O comprovante está em {LONG_URL}", at + 68 * MIN, name="Carla Dias"),
        says("human", "Cliente já ligou 3 vezes, ver com o Rui.", at + 69 * MIN, kind="note", name="Carla Dias"),
        says("customer", ARABIC, at + 26 * 60 * MIN),
        says("customer", HEBREW, at + 26 * 60 * MIN),
        says("ai", "O pedido chega amanhã, garanto.", at + 26 * 60 * MIN + MIN),
        says("system", "Conversation closed by automation.", at + 27 * 60 * MIN),
    )  # fmt: skip
    lia = Contact(identities=(Identity(kind="phone", value="+5511987654321"),), name="Lia Souza")
    order, other = (Reference(kind="order", value="Q-22034"),), (Reference(kind="order", value="Q-99"),)
    handed = (
        Event(kind="handoff", after=11, at=at + 8 * MIN, from_role=Role.AI, to_role=Role.HUMAN, note="Carla Dias"),
        Event(kind="closed", after=18, at=at + 27 * 60 * MIN),
    )
    asked = (says("customer", "where is my order?"), says("ai", "It arrives tomorrow."))
    for name, start, minutes, about, said, events in (
        ("talk-0", T0 - timedelta(days=3), 5, order, asked, ()),
        ("talk-1", T0, 27 * 60, order, messages, handed),
        ("talk-2", T0 + timedelta(days=3, hours=4), 5, order, asked, ()),
        ("talk-3", T0 + timedelta(days=9), 5, other, asked, ()),
    ):
        w.add(Conversation(
            conversation_id=name, queue="orders", channel="whatsapp", language="pt_BR", contact=lia, started_at=start,
            ended_at=start + minutes * MIN, references=about, messages=said, events=events,
        ))  # fmt: skip
        w.judged(name, "resolution", {"resolved": "not"} if name == "talk-1" else None, call=priced())
        if name != "talk-1":
            w.judged(name, "accuracy", {"invented_deadline": present("tomorrow")})
    w._incoming.append((Outcome(
        conversation_id="talk-1", csat=2, csat_comment="Lia aqui: ninguém liga de volta", handled_by="both",
        resolution_minutes=1620, handle_minutes=25,
    ), None, None))  # fmt: skip
    w.judged("talk-1", "accuracy", {
        "invented_deadline": present(
            "chega amanhã até as 18h", 7, why="Promises tomorrow 18h to Lia; the tool result has no scan.",
            clause="No delivery date is promised before the parcel has been scanned",
        ),
        "contradicts_tool_result": present('"scans":[]', 6, why="No scan stands in the result."),
    }, call=priced(0.0012))  # fmt: skip
    w.judged("talk-1", "behavior", {
        "missed_escalation": present("quero falar com uma pessoa", 4, why="Lia Souza asks for a person."),
    })  # fmt: skip
    w.finish()
