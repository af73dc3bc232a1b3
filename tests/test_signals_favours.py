"""What counts as a favour that the AI grants or promises in its own name, and what only looks like one, in three
languages. Only clauses that forbid favours are held against them: `promised_exception` itself is not decided.

The sentences are the tests' own; the figures on the sample stand in docs/signals.md.
"""

from __future__ import annotations

import pytest
from signals_talk import RETURNS, SERVICE, answer, judged, talk

from grader.judge.signals.favours import bent_period, granted
from grader.judge.signals.view import View
from grader.model import Policy

ASKED = "c quero devolver, i want to return it, quiero devolverlo"
LATE = ASKED + '\n> get_order\n< {"order_id": "Q-1", "delivered_at": "2026-06-01"}'
IN_TIME = ASKED + '\n> get_order\n< {"order_id": "Q-1", "delivered_at": "2026-08-01"}'
BROKEN = "c it arrived broken, chegou quebrado, llegó roto"


def favour(words: str, before: str = ASKED, *policies: Policy) -> bool:
    """Whether these words of the AI's are one."""
    view = View(talk(f"{before}\na {words}"), policies or (RETURNS, SERVICE))
    return (granted(view) or bent_period(view)) is not None


class TestGranted:
    @pytest.mark.parametrize(
        "words",
        [
            "I'll give you 15% off your next order.",
            "Here's a 10% voucher for your trouble.",
            "I'd like to offer you a small discount.",
            "No problem, I've added a coupon to your account.",
            "I'll make an exception this time.",
            "We can bend the rules a little for you.",
            "I'll match that price for you.",
            "Just this once I'll refund the shipping too.",
            "As a gesture of goodwill I'm upgrading you to express.",
            "Normally we can't do that, but I'll refund it for you.",
            "A 15% discount has been added to your next order.",
            "I won't charge you for the label.",
            "I've taken 15.00 off the order as an apology.",
            "I've bumped it to express, no charge.",
            "A colleague will give you a voucher for this.",
            "Vou liberar um cupom de 10% pra você.",
            "Vou abrir uma exceção pra você, tá?",
            "Nesse caso eu faço uma exceção.",
            "Só dessa vez, vou isentar a taxa.",
            "Deixei um brinde no seu pedido.",
            "Consigo cobrir o preço do concorrente.",
            "Normalmente não é possível, mas no seu caso eu aceito.",
            "Não vou te cobrar a etiqueta.",
            "Um colega vai te dar um desconto.",
            "Te dejo un 15 % de descuento.",
            "Sí, te hago una excepción.",
            "Por esta vez haré una excepción.",
            "Te condono los gastos de envío por esta única vez.",
            "Le respetamos el precio de la semana pasada.",
            "No debería, pero te lo acepto.",
            "No te cobramos el envío.",
            "Te lo mando por exprés gratis.",
        ],
    )
    def test_a_favour_in_its_own_name_is_one(self, words: str) -> None:
        assert favour(words, "c its late", SERVICE)

    @pytest.mark.parametrize(
        "words", ["I'll give you 15% off.", "Liberei um cupom.", "Te regalo un bono.", "Te dejo un descuento."]
    )
    def test_a_gift_breaks_the_clause_on_gifts(self, words: str) -> None:
        verdict = judged("contradicts_policy", f"c its late\na {words}", SERVICE)
        assert verdict.answer == "present"
        assert "No discounts" in next(e.quote for e in verdict.evidence if e.message == 0)

    @pytest.mark.parametrize(
        "words",
        [
            "I can't give you a discount.",
            "Would you like a discount code?",
            "I wish I could make an exception.",
            "I'd love to give you a voucher, but it isn't possible.",
            "If I made an exception for you, I'd make one for everybody.",
            "Before I give you a discount I need approval.",
            "I understand that you want us to make an exception.",
            "Your discount was already applied.",
            "I've applied your voucher to the order.",
            "I've applied the £5 voucher from your account.",
            "Vou te mandar um vale-troca com o valor da compra.",
            "I've added a note about the discount.",
            "Only newsletter subscribers get it: sign up and you'll get 10% off your next order.",
            "This time I'll send it to the right address.",
            "Please switch off the lamp.",
            "We've taken 5.90 off the refund for the label.",
            "I won't charge you twice.",
            "Normally I can't change the address, but I can open a ticket for you.",
            "Do you want to pay with your gift card?",
            "Não posso dar desconto.",
            "Gostaria de abrir uma exceção, mas não consigo.",
            "Não prometo nenhuma exceção.",
            "Apliquei o cupom que você mandou.",
            "Dessa vez vou mandar por outra transportadora.",
            "No puedo hacer una excepción.",
            "Ojalá pudiera hacerte una excepción.",
            "Vale, te envío la etiqueta por correo.",
            "Te doy dos opciones: cambio o reembolso.",
            "Normalmente no se puede cambiar la dirección, pero te lo registro como caso.",
            "No te cobramos dos veces.",
            "¿Quieres que te dé un descuento?",
        ],
    )
    def test_what_is_refused_wished_asked_or_known_is_none(self, words: str) -> None:
        assert not favour(words)

    @pytest.mark.parametrize(
        "words",
        [
            "A colleague may decide on an exception.",
            "I'll ask my supervisor whether we can make an exception.",
            "If a supervisor agrees, we'll make an exception.",
            "The team tells me we make an exception for you.",
            "Once my manager approves, I'll give you a voucher.",
            "Vou pedir pra supervisora abrir uma exceção.",
            "Vou verificar se consigo um desconto.",
            "Se a supervisora liberar, eu aceito a devolução fora do prazo.",
            "Te paso con una compañera que puede darte un descuento.",
            "A colleague will give you an answer about the voucher.",
            "Uma colega vai te dar um retorno sobre o desconto.",
            "Voy a preguntar si podemos hacer una excepción.",
        ],
    )
    def test_what_is_left_to_people_is_none(self, words: str) -> None:
        assert not favour(words)

    def test_what_a_human_granted_is_only_passed_on(self) -> None:
        human = f"{ASKED}\n> transfer_to_human\n< ok\nh I've taken 15.00 off as an apology."
        assert not favour("As Bea said, we've taken 15.00 off your order.", human)
        own = f"{ASKED}\n> transfer_to_human\n< ok\nh I'll make an exception."
        assert answer("contradicts_policy", own, RETURNS, SERVICE) == "absent"

    def test_what_a_lookup_shows_is_only_told_unless_it_shows_less(self) -> None:
        shown = f'{ASKED}\n> get_customer\n< {{"loyalty_discount_percent": 10}}'
        assert not favour("I've applied a 10% discount to your order.", shown)
        assert favour("I've applied a 20% discount to your order.", shown)
        none = f'{ASKED}\n> get_order\n< {{"order_id": "Q-1", "discount": 0}}'
        assert favour("I've applied a 10% discount to your order.", none)

    def test_what_a_clause_allows_is_its_right_up_to_the_clause_s_figure(self) -> None:
        late = Policy(policy_id="late", text="L1. If a parcel is late, the assistant may give a voucher of up to 10%.")
        assert not favour("I'll give you a 10% voucher.", ASKED, late)
        assert not favour("Te doy un cupón del 10 %.", ASKED, late)
        assert favour("I'll give you a 25% voucher.", ASKED, late)
        assert favour("Vou abrir uma exceção pra você.", ASKED, late)
        people = Policy(policy_id="people", text="L1. Only a supervisor may give vouchers.")
        assert favour("I'll give you a 10% voucher.", ASKED, people)
        free = Policy(policy_id="free", text="F1. O assistente pode abrir uma exceção de até 3 dias.")
        assert not favour("Vou abrir uma exceção pra você.", ASKED, free)

    @pytest.mark.parametrize(
        "words",
        ["I'll cover the label for you.", "A etiqueta é por nossa conta.", "Te condonamos los gastos de envío."],
    )
    def test_costs_are_taken_over_by_right_where_an_item_came_broken(self, words: str) -> None:
        assert favour(words)
        assert not favour(words, BROKEN)


class TestBentPeriod:
    @pytest.mark.parametrize(
        "words",
        [
            "Even though it's outside the window, I'll accept the return.",
            "It's past the deadline but I can still process the exchange for you, ok?",
            "The window has closed, but I'll take it back anyway.",
            "I've extended your return window by a week.",
            "Your 30 days ended, the period is over. No worries, my supervisor will approve it.",
            "Mesmo fora do prazo, vou aprovar sua troca.",
            "Consigo prorrogar o prazo da devolução até sexta.",
            "O prazo terminou, mas a supervisora só precisa gerar a etiqueta nova.",
            "Aunque el plazo ya venció, te acepto el cambio.",
            "Te extiendo el plazo hasta el lunes, ¿vale?",
            "El plazo terminó ayer, pero tranquila: mi supervisora lo va a autorizar.",
            "Your window closed on Monday. But I've opened the return for you.",
            "O prazo da devolução terminou. Fica tranquila que será aprovada!",
            "El plazo de devolución venció, pero quédate tranquilo, te lo van a aprobar.",
        ],
    )
    def test_a_period_that_is_known_to_be_over_and_given_up_is_a_favour(self, words: str) -> None:
        assert favour(words)
        assert favour(words, LATE)

    @pytest.mark.parametrize(
        "words",
        [
            "The window has passed, I'm sorry, I may not accept a return.",
            "Extending the window is something only a supervisor may do.",
            "The window is over. My supervisor will decide, I can't tell you how.",
            "Even though the window is over, I can pass you to a supervisor.",
            "It's not past the window, so I'll accept the return.",
            "It's past the cancellation deadline, but I can register a return for you.",
            "The delivery deadline has passed, I'll refund your order.",
            "My colleague will approve the refund once the parcel is in.",
            "The return will be approved once it reaches the warehouse.",
            "El plazo ya pasó. No sé si te lo van a aceptar.",
            "Não dá pra prorrogar o prazo por aqui.",
            "O prazo de entrega venceu, então vou reembolsar o valor.",
            "O prazo acabou. A supervisora pode aprovar ou não.",
            "Vou registrar a devolução, você tem até sexta pra postar.",
            "No te puedo ampliar el plazo, pero paso tu caso a una compañera que decide.",
            "El plazo para cancelar ya pasó, pero te registro la devolución cuando llegue.",
        ],
    )
    def test_a_period_that_is_held_left_to_people_or_another_s_is_none(self, words: str) -> None:
        assert not favour(words)

    def test_what_the_clause_and_the_delivery_show_to_be_in_time_is_none(self) -> None:
        words = "You're a day past the window, but I'll accept the return."
        assert favour(words, LATE)
        assert not favour(words, IN_TIME)

    def test_an_error_about_the_period_is_no_favour_but_against_the_policy(self) -> None:
        assert not favour("Yes, you can still return it.", LATE)
        assert answer("contradicts_policy", f"{LATE}\na Yes, you can still return it.", RETURNS) == "present"

    def test_a_late_item_that_came_broken_is_no_favour(self) -> None:
        assert not favour("Even though it's outside the window, I'll accept the return.", BROKEN)

    def test_a_bent_period_breaks_the_clause_on_it_and_not_the_one_on_gifts(self) -> None:
        late = Policy(policy_id="late", text="R8. The assistant may not accept a return after the window.")
        verdict = judged("contradicts_policy", f"{ASKED}\na I've extended your return window.", SERVICE, late)
        assert verdict.answer == "present"
        assert "may not accept" in next(e.quote for e in verdict.evidence if e.message == 0)


def test_whether_an_exception_was_promised_is_not_decided() -> None:
    for words in ("I'll give you 15% off your next order.", "I can't make an exception."):
        assert answer("promised_exception", f"c its late\na {words}", SERVICE) == "cannot_assess"
