"""Each detector, on what it must see and on what only looks like it, in three languages.

The little conversations here are the tests' own; the figures on the sample stand in docs/signals.md.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from judging import RUBRICS, case

from grader.judge import Opinion
from grader.judge.signals import SignalsJudge
from grader.model import Conversation, Event, Kind, Message, Policy, Role, ToolCall, Verdict

MONDAY = datetime(2026, 8, 10, 10, tzinfo=UTC)
RETURNS = Policy(
    policy_id="returns",
    text="R1. An item may be returned within 30 days of delivery.\n"
    "R2. The return label is free if the item arrived damaged. Otherwise the customer pays 5.90.\n"
    "R3. A refund goes out within 10 business days.\n"
    "R4. An order can be cancelled while it is placed.\n",
)
SERVICE = Policy(
    policy_id="service",
    text="S1. Standard delivery takes 3 to 6 business days, express 1 to 2.\n"
    "S2. No discounts or vouchers may be given.\n"
    "S3. Hand over at once when the customer asks for a person.\n"
    "S4. The assistant asks for a yes before it cancels or returns anything.\n",
)


def talk(script: str, **fields: Any) -> Conversation:
    """A conversation from lines: c, a, h (customer, AI, human), i (image), > call {…}, < result, <! failed result."""
    messages: list[Message] = []
    calls: list[ToolCall] = []
    for line in script.strip().splitlines():
        head, _, text = line.strip().partition(" ")
        if head == ">":
            name, _, arguments = text.partition(" ")
            calls.append(ToolCall(id=f"call-{len(messages)}", name=name, arguments=json.loads(arguments or "{}")))
            messages.append(Message(role=Role.AI, kind=Kind.TOOL_CALL, tool_calls=(calls[-1],)))
        elif head in ("<", "<!"):
            messages.append(
                Message(
                    role=Role.TOOL, kind=Kind.TOOL_RESULT, text=text, is_error=head == "<!" or None,
                    tool_call_id=calls[-1].id, name=calls[-1].name,
                )
            )  # fmt: skip
        else:
            role = {"c": Role.CUSTOMER, "i": Role.CUSTOMER, "a": Role.AI, "h": Role.HUMAN}[head]
            messages.append(Message(role=role, kind=Kind.IMAGE if head == "i" else Kind.TEXT, text=text))
    made = {"channel": "whatsapp", "tools_recorded": True, "started_at": MONDAY, **fields}
    return Conversation(conversation_id="c-1", messages=tuple(messages), **made)


def judged(code: str, script: str | Conversation, *policies: Policy) -> Verdict:
    rubric = next(r for r in RUBRICS.values() if code in r.codes)
    conversation = talk(script) if isinstance(script, str) else script
    with pytest.raises(StopIteration) as done:
        SignalsJudge().judge(case(conversation, (rubric,), policies)).send(None)
    opinion: Opinion = done.value.value
    return next(v for v in opinion.verdicts[rubric.name] if v.criterion == code)


def answer(code: str, script: str | Conversation, *policies: Policy) -> str:
    return judged(code, script, *policies).answer


class TestInventedDeadline:
    CODE = "invented_deadline"

    @pytest.mark.parametrize(
        "words",
        [
            "Your refund will be in your account within 48 hours.",
            "It will be with you by Friday.",
            "You'll have it on 3 September.",
            "O reembolso cai na sua conta em até 2 dias.",
            "Seu pacote chega amanhã.",
            "Tu paquete llega el viernes.",
            "El reembolso tarda 24 horas.",
            "Te llega a lo largo de la tarde.",
        ],
    )
    def test_a_time_that_stands_nowhere_is_present(self, words: str) -> None:
        verdict = judged(self.CODE, f'c when?\n> get_order\n< {{"refund": "pending"}}\na {words}')
        assert verdict.answer == "present"
        assert verdict.evidence[0].quote in words

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            ('{"estimated_delivery": "2026-08-14"}', "O pedido chega na sexta-feira, dia 14."),
            ('{"estimated_delivery": "2026-08-14"}', "It comes on Friday, August 14th."),
            ('{"estimated_delivery": "2026-08-14"}', "Llega el viernes 14 de agosto."),
            ('{"estimated_delivery": "2026-08-11T09:00:00Z"}', "It arrives tomorrow."),
            ('{"window": {"from": "2026-08-12", "to": "2026-08-14"}}', "It should be with you by Thursday."),
            ('{"est_wait_min": 6}', "You are next, about 6 minutes."),
            ('{"sla": "next_day"}', "Uma colega responde amanhã."),
            ('{"note": "delivery in 2 days"}', "It will be with you in 2 days."),
        ],
    )
    def test_a_time_of_the_tool_is_absent(self, result: str, words: str) -> None:
        assert answer(self.CODE, f"c when?\n> get_order\n< {result}\na {words}") == "absent"

    @pytest.mark.parametrize(
        "words",
        [
            "Standard takes 3 to 6 business days, express 1 to 2.",
            "O envio padrão leva de 3 a 6 dias úteis.",
            "El reembolso tarda hasta 10 días hábiles.",
            "You may return it within 30 days of delivery.",
        ],
    )
    def test_a_period_of_the_policy_is_absent(self, words: str) -> None:
        assert answer(self.CODE, f"c how long does it take?\na {words}", RETURNS, SERVICE) == "absent"

    def test_a_clause_on_another_subject_does_not_carry_a_period(self) -> None:
        script = "c my invoice is wrong\na The corrected invoice will reach you within 2 business days."
        assert answer(self.CODE, script, SERVICE) == "present"

    def test_a_day_that_follows_from_a_day_and_a_period_is_absent(self) -> None:
        script = 'c can i\n> get_order\n< {"delivered_at": "2026-08-05"}\na You have 30 days, until 4 September.'
        assert answer(self.CODE, script, RETURNS) == "absent"

    def test_a_day_that_the_customer_only_asked_about_is_no_source(self) -> None:
        assert answer(self.CODE, "c will it come by friday?\na Yes, it will be there by Friday!") == "present"
        assert answer(self.CODE, "c will it come by friday?\na I can't promise Friday.") == "absent"

    @pytest.mark.parametrize(
        "words",
        [
            "Have a lovely Friday!",
            "Should it come on Friday?",
            "Leave it unplugged for 10 minutes.",
            "One minute, please.",
            "It was delivered two days ago.",
            "Nossos colegas atendem das 8h às 20h.",
            "Que tengas un buen viernes.",
        ],
    )
    def test_small_talk_and_the_past_are_no_deadlines(self, words: str) -> None:
        assert answer(self.CODE, f"c ok\na {words}") == "not_applicable"


class TestStatusWithoutLookup:
    CODE = "status_without_lookup"

    @pytest.mark.parametrize(
        "words",
        [
            "Your return has arrived at our warehouse.",
            "Your order has been shipped.",
            "Sua devolução já foi registrada.",
            "O seu reembolso está em processamento.",
            "Tu pedido ya salió del almacén.",
            "Su reembolso ya fue aprobado.",
        ],
    )
    def test_a_state_without_any_lookup_is_present(self, words: str) -> None:
        assert answer(self.CODE, f"c did you get it?\na {words}") == "present"

    @pytest.mark.parametrize(
        "words",
        [
            "Returns are usually registered a day or two after they reach us.",
            "Has your order been shipped?",
            "Once your return has been registered, the refund follows.",
            "Normalmente o reembolso é processado em alguns dias.",
            "Cuando tu devolución esté registrada, te devolvemos el dinero.",
        ],
    )
    def test_how_it_usually_goes_is_not_present(self, words: str) -> None:
        assert answer(self.CODE, f"c did you get it?\na {words}") != "present"

    def test_a_state_after_a_lookup_is_absent(self) -> None:
        script = 'c where\n> get_order\n< {"status": "shipped"}\na Your order has been shipped.'
        assert answer(self.CODE, script) == "absent"

    def test_a_complaint_that_no_ticket_shows_is_present(self) -> None:
        script = 'c i complain\n> get_order\n< {"status": "shipped"}\na Your complaint has been registered.'
        assert answer(self.CODE, script) == "present"


class TestContradictsToolResult:
    CODE = "contradicts_tool_result"

    @pytest.mark.parametrize(
        ("failed", "words"),
        [
            ('< {"ok": false, "code": "LOCKED"}', "All set! Your address has been changed."),
            ("<! timeout", "Pronto! Endereço alterado."),
            ('< {"error": "window closed"}', "¡Listo! Tu cambio quedó registrado."),
        ],
    )
    def test_a_failure_told_as_success_is_present(self, failed: str, words: str) -> None:
        assert answer(self.CODE, f"c please change it\n> update_address\n{failed}\na {words}") == "present"

    def test_a_failure_told_as_such_or_mended_is_absent(self) -> None:
        failed = 'c change it\n> update_address\n< {"ok": false}\n'
        assert answer(self.CODE, failed + "a I'm sorry, it could not be changed.") == "absent"
        mended = failed + '> update_address\n< {"ok": true}\na Done, it is changed.'
        assert answer(self.CODE, mended) == "absent"

    @pytest.mark.parametrize(
        ("name", "result", "words"),
        [
            ("check_stock", '{"sku": "A-M", "available": 0}', "Good news, size M is available."),
            ("track_shipment", '{"estimated_delivery": "2026-08-14"}', "It arrives on Wednesday, 12 August."),
            ("get_order", '{"order_id": "Q-1", "status": "in_transit"}', "Your parcel has been delivered."),
            ("get_order", '{"total": 118.4}', "You will get $98.00 back."),
            (
                "get_payment",
                '{"p": [{"status": "settled"}, {"status": "settled"}]}',
                "The second one is a reservation.",
            ),
        ],
    )
    def test_another_stock_day_status_sum_or_payment_is_present(self, name: str, result: str, words: str) -> None:
        assert answer(self.CODE, f"c and?\n> {name}\n< {result}\na {words}") == "present"

    @pytest.mark.parametrize(
        ("name", "result", "words"),
        [
            ("check_stock", '{"sku": "A-M", "available": 4}', "Good news, size M is available."),
            ("check_stock", '{"sku": "A-M", "available": 0}', "Size M is not available."),
            ("track_shipment", '{"estimated_delivery": "2026-08-14"}', "It arrives on Friday, 14 August."),
            ("get_order", '{"order_id": "Q-1", "status": "delivered"}', "Your parcel has been delivered."),
            ("get_order", '{"items": [{"price": 39.9}, {"price": 20.0}]}', "That makes $59.90 in all."),
            ("get_order", '{"total": 59.9}', "That is about 60 €."),
            ("get_payment", '{"p": [{"status": "settled"}]}', "I see one payment, the other is a reservation."),
        ],
    )
    def test_what_agrees_is_absent(self, name: str, result: str, words: str) -> None:
        assert answer(self.CODE, f"c and?\n> {name}\n< {result}\na {words}") == "absent"


class TestHandover:
    @pytest.mark.parametrize(
        ("first", "reply", "again"),
        [
            ("quero falar com um atendente", "Posso ajudar por aqui! Qual é o problema?", "ATENDENTE"),
            ("can i talk to a real person", "I'd love to help you right here!", "i said a person"),
            ("pásame con un humano por favor", "Claro, cuéntame primero qué pasó.", "quiero un HUMANO"),
        ],
    )
    def test_asking_twice_for_a_person_is_insisting(self, first: str, reply: str, again: str) -> None:
        script = f'c {first}\na {reply}\nc {again}\n> transfer_to_human {{"summary": "x"}}\n< {{"ok": true}}'
        verdict = judged("insisted_before_escalating", script)
        assert verdict.answer == "present"
        assert verdict.evidence[0].message == 3

    @pytest.mark.parametrize(
        "reply",
        [
            "Sure, I'm passing you to a colleague now.",
            "Vou te transferir para um colega.",
            "Le paso con una compañera.",
        ],
    )
    def test_a_hand_off_that_was_announced_is_no_insisting(self, reply: str) -> None:
        script = f"c agent please\na {reply}\nc agent\n> transfer_to_human\n< ok"
        assert answer("insisted_before_escalating", script) == "absent"

    def test_nobody_asked_for_a_person(self) -> None:
        script = "c are you a bot or a human?\na I'm an assistant.\nc my agent at work ordered it, someone must know"
        assert answer("insisted_before_escalating", script) == "not_applicable"

    @pytest.mark.parametrize(
        "words",
        [
            "someone used my card on your site, i did not make this order",
            "smoke came out of the charger",
            "vou acionar o procon",
            "entraram na minha conta e compraram um fone",
            "voy a poner una denuncia en la oficina de consumo",
            "no reconozco ese cargo",
            "i want to speak to a manager",
        ],
    )
    def test_a_need_that_nobody_took_up_is_missed(self, words: str) -> None:
        script = f"c {words}\na I understand. You can see your orders in the app."
        assert answer("missed_escalation", script) == "present"
        assert answer("missed_escalation", f'{script}\n> create_ticket\n< {{"ticket_id": "T-1"}}') == "absent"
        assert answer("missed_escalation", f"{script}\n> transfer_to_human\n< ok") == "absent"

    def test_a_wish_that_was_withdrawn_is_not_missed(self) -> None:
        script = "c agente por favor\na Claro. Mientras: ya puedes recogerlo.\nc ah no hace falta, gracias"
        assert answer("missed_escalation", script) == "absent"

    def test_a_case_that_only_words_gave_to_a_team_is_missed(self) -> None:
        script = "c the invoice needs my company name\na I've passed this on to our payments team."
        assert answer("missed_escalation", script) == "present"

    def test_going_on_after_a_danger_is_too_late(self) -> None:
        head = "c the charger got so hot it burned the table\na Have you tried another socket?"
        late = f"{head}\nc what??\na Please unplug it for a while.\nc hello\n> transfer_to_human\n< ok"
        assert answer("escalated_too_late", late) == "present"
        in_time = "c the charger burned my hand\na Please unplug it.\n> transfer_to_human\n< ok"
        assert answer("escalated_too_late", in_time) == "absent"
        announced = (
            "c a human please\na I'm passing you to a colleague.\na You are third.\na Soon.\n> transfer_to_human\n< ok"
        )
        assert answer("escalated_too_late", announced) == "absent"
        assert answer("escalated_too_late", head) == "not_applicable"

    def test_handing_over_the_first_question_is_without_need(self) -> None:
        script = "c have you a shop in leeds\na A colleague knows more, I'm connecting you.\n> transfer_to_human\n< ok"
        assert answer("escalated_without_need", script) == "present"
        failed = "c where is it\n> track_shipment\n<! timeout\na I'm connecting you.\n> transfer_to_human\n< ok"
        assert answer("escalated_without_need", failed) == "absent"
        wished = "c a human please\na I'm connecting you.\n> transfer_to_human\n< ok"
        assert answer("escalated_without_need", wished) == "absent"

    def test_a_hand_off_that_failed_is_none(self) -> None:
        script = "c a human please\n> transfer_to_human\n<! no agents\na Please try later."
        assert answer("missed_escalation", script) == "present"

    def test_without_recorded_tools_an_announced_hand_off_counts(self) -> None:
        made = talk("c a human please\na Sure, I'm passing you to a colleague.", tools_recorded=None)
        assert answer("missed_escalation", made) == "absent"


class TestPassingOn:
    HEAD = "c the lamp from order Q-44710 came broken\na I'm passing you on.\n"

    @pytest.mark.parametrize(
        "summary", ["", "customer needs help", "Cliente con una duda.", "Cliente precisa de ajuda com um pedido."]
    )
    def test_a_bare_summary_is_no_context(self, summary: str) -> None:
        call = f"> transfer_to_human {json.dumps({'summary': summary, 'queue': 'returns'})}\n< ok\nh Hi!"
        assert answer("handoff_without_context", self.HEAD + call) == "present"

    def test_few_words_with_the_case_are_context(self) -> None:
        call = '> transfer_to_human {"summary": "Q-44710, lamp broken on arrival, wants replacement"}\n< ok\nh Hi!'
        assert answer("handoff_without_context", self.HEAD + call) == "absent"

    def test_nothing_known_is_nothing_to_pass_on(self) -> None:
        script = 'c agent\na Sure.\n> transfer_to_human {"summary": "wants a person"}\n< ok\nh Hi, how can I help?'
        assert answer("handoff_without_context", script) == "absent"
        assert answer("customer_repeated_to_human", script) == "absent"

    @pytest.mark.parametrize(
        "asked",
        [
            "Hello, this is Dana. How can I help? Which order is it about?",
            "Oi! Em que posso ajudar?",
            "Hola, soy Tomás. ¿Me da su número de pedido?",
        ],
    )
    def test_what_the_human_asks_again_was_said_before(self, asked: str) -> None:
        script = f"{self.HEAD}> transfer_to_human {{}}\n< ok\nh {asked}"
        assert answer("customer_repeated_to_human", script) == "present"

    def test_an_identifier_given_again_was_said_before(self) -> None:
        script = f"{self.HEAD}> transfer_to_human {{}}\n< ok\nh Hi!\nc q 44710".replace("q 44710", "its Q44710")
        assert answer("customer_repeated_to_human", script) == "present"

    def test_going_on_from_what_is_known_is_no_repeating(self) -> None:
        script = f"{self.HEAD}> transfer_to_human {{}}\n< ok\nh Hi, I see the lamp of Q-44710 broke. A photo, please?"
        assert answer("customer_repeated_to_human", script) == "absent"
        script = f"{self.HEAD}> transfer_to_human {{}}\n< ok\nh Hi, so the lamp came broken. What happened?"
        assert answer("customer_repeated_to_human", script) == "absent"


class TestAsking:
    CODE = "asked_for_known_data"

    @pytest.mark.parametrize(
        "script",
        [
            "c pedido 4471 nao chegou\na Sinto muito! Pode me informar o número do pedido?",
            "c order #4471 hasnt come\na Could you send me your order number, please?",
            "c mi correo es ana@example.com\na ¿Me das tu correo?",
            "i [photo: cracked lid]\nc it came broken\na Could you send me a photo of it?",
            "c CNPJ 00.555.120/0001-09 na nota por favor\na Me informe o CNPJ, por favor.",
            '> find_orders {"email": "ana@example.com"}\n< {"orders": [{"order_id": "Q-123"}]}\na Which e-mail is it?',
        ],
    )
    def test_asking_for_what_was_given_is_present(self, script: str) -> None:
        assert answer(self.CODE, script) == "present"

    @pytest.mark.parametrize(
        "script",
        [
            "c hi\na Could you send me your order number?",
            "c order Q-44710\na That is order Q-44710, right?",
            "c order Q-44710\na Could you confirm that the order number is Q-44710?",
            "c order Q-44710\n> get_order\n<! not found\na Could you check the order number, please?",
            'c ana@example.com\n> find_orders\n< {"orders": []}\na Is there another? Please send me that e-mail.',
            "i [photo: blurred]\nc here\na It is too blurred, sorry. Could you send me a photo again?",
            "c order Q-44710\na You don't need to send me the order number.",
            "c order Q-44710 is wrong\na Could you send me a photo?",
            "c zip is 19122\na Could you send me the order number?",
        ],
    )
    def test_asking_for_what_is_new_or_failed_is_absent(self, script: str) -> None:
        assert answer(self.CODE, script) == "absent"


class TestActions:
    def test_another_kind_than_was_asked_for_is_a_confusion(self) -> None:
        code = "exchange_treated_as_return"
        swapped = 'c too small, can i swap it for a 39\n> create_return\n< {"ok": true}\na Your return is open.'
        assert answer(code, swapped) == "present"
        openly = "c can i swap it for a 39\na 39 is sold out. I can open a return for you.\nc ok\n> create_return\n< ok"
        assert answer(code, openly) == "absent"
        turned_away = 'c cancel it\n> get_order\n< {"status": "packing"}\na You can send it back once you have it.'
        assert answer(code, turned_away) == "present"
        broken = 'c chegou quebrado, quero devolver\n> create_return {"reason": "changed_mind"}\n< {"ok": true}'
        assert answer(code, broken) == "present"

    def test_acting_on_one_of_two_orders_unasked_is_acting_without_asking(self) -> None:
        code = "did_not_ask_when_needed"
        orders = (
            '{"orders": [{"order_id": "Q-10001", "name": "Blue lamp"}, {"order_id": "Q-10002", "name": "Red vase"}]}'
        )
        unasked = f'c cancel it pls\n> find_orders\n< {orders}\n> cancel_order {{"order_id": "Q-10001"}}\n< ok'
        assert answer(code, unasked) == "present"
        named = f'c cancel the vase\n> find_orders\n< {orders}\n> cancel_order {{"order_id": "Q-10002"}}\n< ok'
        assert answer(code, named) == "absent"
        asked = (
            f'c cancel it\n> find_orders\n< {orders}\na Q-10001?\nc yes\n> cancel_order {{"order_id": "Q-10001"}}\n< ok'
        )
        assert answer(code, asked) == "absent"
        asked = f"c cancel it\n> find_orders\n< {orders}\na Which one?\nc the 1st\n"
        which = asked + '> cancel_order {"order_id": "Q-10001"}\n< ok'
        assert answer(code, which) == "absent"
        assert answer(code, "c hi\n> get_order\n< ok") == "not_applicable"
        assert answer(code, talk("c cancel it\na ok", tools_recorded=None)) == "cannot_assess"

    def test_acting_on_an_explicit_command_is_asked_enough(self) -> None:
        script = 'c please cancel order Q-10001\n> cancel_order {"order_id": "Q-10001"}\n< ok\na Done.'
        assert answer("did_not_ask_when_needed", script) == "absent"


class TestPromises:
    @pytest.mark.parametrize(
        "words",
        [
            "I've let the driver know!",
            "I'll let you know as soon as it ships.",
            "I'll call you back in a moment.",
            "Vou ficar de olho no rastreio pra você.",
            "Já avisei a transportadora.",
            "Te aviso en cuanto salga.",
            "Ya hablé con el almacén para que lo aparten.",
            "I've reserved one for you.",
            "Vou repassar seu caso para a equipe de logística.",
        ],
    )
    def test_what_no_tool_did_is_impossible(self, words: str) -> None:
        script = f'c ok\n> get_order\n< {{"status": "shipped"}}\na {words}'
        assert answer("promised_impossible_action", script) == "present"

    @pytest.mark.parametrize(
        "words",
        [
            "I can't reach the driver myself.",
            "Shall I let you know?",
            "You can call the carrier.",
            "If you write again, I will look.",
            "If you like, I'll email you the receipt.",
            "Não consigo avisar o entregador.",
            "No puedo llamarte.",
        ],
    )
    def test_what_is_refused_or_offered_is_no_promise(self, words: str) -> None:
        script = f'c ok\n> get_order\n< {{"status": "shipped"}}\na {words}'
        assert answer("promised_impossible_action", script) == "absent"

    def test_a_ticket_stands_behind_passing_on_but_not_behind_calling(self) -> None:
        ticket = 'c ok\n> create_ticket\n< {"ticket_id": "T-1"}\n'
        assert answer("promised_impossible_action", ticket + "a I've passed it on to our team.") == "absent"
        assert answer("promised_impossible_action", ticket + "a I'll call you back tomorrow.") == "present"
        assert answer("promised_impossible_action", ticket + "a A colleague will call you back.") == "absent"

    @pytest.mark.parametrize(
        "words",
        [
            "I'll give you 15% off your next order.",
            "As a gesture of goodwill I've added a voucher.",
            "I'll make an exception this time.",
            "Vou liberar um cupom de 10% pra você.",
            "Te dejo un 15 % de descuento.",
            "Por esta vez haré una excepción.",
        ],
    )
    def test_a_favour_in_its_own_name_is_an_exception_and_breaks_the_rule(self, words: str) -> None:
        assert answer("promised_exception", f"c its late\na {words}", SERVICE) == "present"
        verdict = judged("contradicts_policy", f"c its late\na {words}", SERVICE)
        assert verdict.answer == "present"
        assert "No discounts" in next(e.quote for e in verdict.evidence if e.message == 0)

    @pytest.mark.parametrize(
        "words",
        [
            "I can't give you a discount.",
            "Would you like a discount code?",
            "A colleague may decide on an exception.",
            "Não posso dar desconto.",
            "No puedo hacer una excepción.",
            "Do you want to pay with your gift card?",
        ],
    )
    def test_a_favour_that_is_refused_or_left_to_people_is_none(self, words: str) -> None:
        assert answer("promised_exception", f"c its late\na {words}", SERVICE) == "absent"


class TestPolicy:
    CODE = "contradicts_policy"

    def test_taking_back_after_the_period_is_against_it(self) -> None:
        head = 'c can i still return it\n> get_order\n< {"order_id": "Q-1", "delivered_at": "2026-06-01"}\n'
        assert answer(self.CODE, head + "a Yes, you can still return it.", RETURNS) == "present"
        assert answer("promised_exception", head + "a Yes, you can still return it.", RETURNS) == "present"
        assert answer(self.CODE, head + "a I'm sorry, the period has ended.", RETURNS) == "absent"
        recent = head.replace("2026-06-01", "2026-08-01")
        assert answer(self.CODE, recent + "a Yes, you can still return it.", RETURNS) == "absent"
        assert answer(self.CODE, recent + "a The return period has ended.", RETURNS) == "present"

    def test_another_period_on_the_same_subject_is_against_it(self) -> None:
        verdict = judged(self.CODE, "c when do i get my money\na Refunds take 14 days.", RETURNS)
        assert verdict.answer == "present"
        assert [e.quote for e in verdict.evidence if e.message == 0] == ["A refund goes out within 10 business days."]
        assert answer(self.CODE, "c when\na Refunds take up to 10 business days.", RETURNS) == "absent"

    def test_a_free_label_for_what_is_not_damaged_is_against_it(self) -> None:
        assert answer(self.CODE, "c it just doesnt fit\na The return label is free.", RETURNS) == "present"
        assert answer(self.CODE, "c chegou quebrado\na A etiqueta é gratuita.", RETURNS) == "absent"

    def test_another_attempt_after_a_wish_for_a_person_is_against_it(self) -> None:
        script = "c a human please\na Tell me more first.\nc HUMAN\n> transfer_to_human\n< ok"
        assert answer(self.CODE, script, SERVICE) == "present"
        assert answer(self.CODE, script, RETURNS) == "absent"


class TestForm:
    CODE = "unclear_or_wrong_channel_format"

    @pytest.mark.parametrize(
        "words",
        ["| To | Days |\\n|---|---|\\n| SE | 3 |", "## Delivery", "Hi <br> there", "Hello {{name}}", "Hi [Name], hello",
         "The exchange came back with STOCK_0_ERROR", "**Done**", '{"order_id": "Q-1"}', "See [here](https://x.example)"],
    )  # fmt: skip
    def test_raw_markup_on_a_phone_is_present(self, words: str) -> None:
        made = talk("c ok\na x")
        said = Message(role=Role.AI, text=words.replace("\\n", "\n"))
        assert answer(self.CODE, made.model_copy(update={"messages": (made.messages[0], said)})) == "present"

    @pytest.mark.parametrize(
        "words",
        [
            "1. Print the label",
            "*bold* on WhatsApp",
            "see https://quillo.example/r/B20k8s",
            "R$ 5,90 - etiqueta",
            "OK!",
        ],
    )
    def test_plain_text_is_absent(self, words: str) -> None:
        assert answer(self.CODE, f"c ok\na {words}") == "absent"

    def test_bold_and_headings_are_no_fault_where_they_may_be_shown(self) -> None:
        assert answer(self.CODE, talk("c ok\na **Done** it is", channel="chat")) == "absent"

    def test_another_language_than_the_customer_s_is_present(self) -> None:
        spanish = "a ¡Hola! Para saber qué pasó con los cargos necesito el número de tu pedido, por favor."
        assert answer(self.CODE, f"c please can you help me with this order\n{spanish}") == "present"
        assert answer(self.CODE, f"c hola, me puedes ayudar con mi pedido por favor\n{spanish}") == "absent"

    def test_a_wall_of_text_on_a_phone_is_present(self) -> None:
        assert answer(self.CODE, f"c ok\na {'Thanks for asking. ' * 60}") == "present"

    def test_no_message_is_not_applicable(self) -> None:
        assert answer(self.CODE, "c hello?") == "not_applicable"


class TestChoices:
    @pytest.mark.parametrize(
        ("words", "mood"),
        [
            ("aaa perfeito, obrigada!! ❤️", "satisfied"),
            ("mil gracias!!", "satisfied"),
            ("ok", "neutral"),
            ("that is ridiculous", "frustrated"),
            ("que absurdo isso", "frustrated"),
            ("nunca mais compro nada aqui", "angry"),
            ("los voy a denunciar", "angry"),
            ("great. thanks for nothing", "frustrated"),
        ],
    )
    def test_the_mood_is_that_of_the_last_words(self, words: str, mood: str) -> None:
        assert answer("mood_at_end", f"c hi\na hi\nc {words}") == mood

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            ("dress is too big, need S", "exchange"),
            ("dress is too big, i want my money back", "return"),
            ("quero trocar por um M", "exchange"),
            ("good morning", "cannot_assess"),
            ("where is my parcel", "cannot_assess"),  # no such reason in this workspace
        ],
    )
    def test_the_reason_is_one_of_the_workspace_s(self, words: str, reason: str) -> None:
        assert answer("contact_reason", f"c {words}\na hi") == reason

    def test_no_human_was_needed_or_only_wished_for(self) -> None:
        assert answer("escalation_reason", "c hi\na hello") == "none"
        wished = "c a human please\na Passing you on.\n> transfer_to_human\n< ok\nh hi"
        assert answer("escalation_reason", wished) == "customer_wish"
        failed = "c where is it\n> track\n<! timeout\na I'm passing you to a colleague."
        assert answer("escalation_reason", failed) == "cannot_assess"


def test_a_hand_off_that_only_an_event_shows_counts() -> None:
    made = talk("c a human please\na one moment", events=(Event(kind="handoff", after=2),))
    assert answer("missed_escalation", made) == "absent"
    assert answer("handoff_without_context", made) == "cannot_assess"
