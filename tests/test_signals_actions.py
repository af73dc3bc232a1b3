"""Each detector, on what it must see and on what only looks like it, in three languages: hand-offs, actions, promises.

The little conversations here are the tests' own; the figures on the sample stand in docs/signals.md.
"""

from __future__ import annotations

import json

import pytest
from signals_talk import RETURNS, SERVICE, answer, judged, talk

from grader.model import Event


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


class TestPolicy:
    CODE = "contradicts_policy"

    def test_taking_back_after_the_period_is_against_it(self) -> None:
        head = 'c can i still return it\n> get_order\n< {"order_id": "Q-1", "delivered_at": "2026-06-01"}\n'
        assert answer(self.CODE, head + "a Yes, you can still return it.", RETURNS) == "present"
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


def test_a_hand_off_that_only_an_event_shows_counts() -> None:
    made = talk("c a human please\na one moment", events=(Event(kind="handoff", after=2),))
    assert answer("missed_escalation", made) == "absent"
    assert answer("handoff_without_context", made) == "cannot_assess"
