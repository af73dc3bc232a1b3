"""Each detector, on what it must see and on what only looks like it, in three languages: what was said and asked.

The little conversations here are the tests' own; the figures on the sample stand in docs/signals.md.
"""

from __future__ import annotations

import pytest
from signals_talk import RETURNS, SERVICE, answer, judged, talk

from grader.model import Message, Role


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
