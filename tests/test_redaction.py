"""What is masked in texts and what is not: a labelled list, measured, and what must hold for all of it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redaction_strings import CLEAN_SECOND, PERSONAL_SECOND, PERSONAL_THIRD

from grader.redaction import (
    Redaction,
    colleagues,
    hailed,
    introduced,
    longer,
    masked,
    moved,
    spoken_of,
    tax_numbers,
    told_in,
)

# Each line with what must not be left of it, between ⟦ and ⟧.
PERSONAL = """
meu email é ⟦lia.souza@mail.example⟧ ok?
write to ⟦John.O+shop@sub.example.co.uk⟧.
⟦LIA_S@EXAMPLE.COM⟧
cadastro em ⟦joao-silva@empresa.com.br⟧, pode ver
meu numero é ⟦(11) 98765-4321⟧
me liga no ⟦11 98765 4321⟧
⟦+55 11 98765-4321⟧
whats ⟦5511987654321⟧
zap: ⟦11987654321⟧
fone ⟦3333-4444⟧
telefone fixo ⟦(21) 2555-1234⟧
liga pro ⟦98765-4321⟧ por favor
ligue ⟦0800 123 4567⟧
my number is ⟦+1 415 555 2671⟧
call me on ⟦(415) 555-2671⟧
cell ⟦415-555-2671⟧
reach me at ⟦07700 900123⟧
phone: ⟦0412 345 678⟧
⟦+44 7700 900123⟧ is mine
⟦+61 491 570 110⟧
mobile ⟦06 12 34 56 78⟧
call ⟦0049 30 1234567⟧
móvil ⟦612 345 678⟧
⟦+34 612 345 678⟧
o fone é ⟦+55(21)99876.5432⟧
{"phone": ⟦5511987654321⟧}
{"phone": "⟦+61491570110⟧"}
CPF ⟦529.982.247-25⟧
cpf: ⟦52998224725⟧
meu cpf ⟦529982247-25⟧
CNPJ ⟦11.222.333/0001-81⟧
⟦11222333000181⟧ é da empresa
RG ⟦12.345.678-9⟧
SSN ⟦078-05-1120⟧
cartão ⟦4111 1111 1111 1111⟧
card ⟦4111111111111111⟧ exp 12/27
paid with ⟦5500-0000-0000-0004⟧
amex ⟦3782 822463 10005⟧
IBAN ⟦DE89 3704 0044 0532 0130 00⟧
⟦GB82WEST12345698765432⟧
iban: ⟦ES9121000418450200051332⟧
CEP ⟦01310-100⟧
cep ⟦01310100⟧
moro na ⟦Rua das Flores, 123⟧
entrega na ⟦Av. Paulista, 1578 apto 42⟧
endereço: ⟦Rua Augusta 900, bloco B⟧
⟦Travessa do Comércio nº 12⟧
⟦Alameda Santos, 45 casa 2⟧
⟦Praça da Sé, 100⟧
send it to ⟦12 Main Street⟧
I live at ⟦221B Baker Street⟧
⟦45 Collins St⟧ please
⟦1600 Pennsylvania Avenue⟧
⟦7 Old Mill Lane, Flat 3⟧
postcode ⟦3056⟧
my postcode is ⟦SW1A 1AA⟧
Austin, TX ⟦78701⟧
zip code ⟦94105⟧
vivo en ⟦Calle Mayor 15⟧
nasci em ⟦02/03/1990⟧
data de nascimento: ⟦1990-03-02⟧
nascida em ⟦2 de março de 1990⟧
I was born ⟦March 2, 1990⟧
DOB ⟦03/02/1990⟧
my IP is ⟦203.0.113.42⟧
ip ⟦2001:db8:85a3:0:0:8a2e:370:7334⟧
segue @ ⟦@lia_souza⟧ no insta
veja https://shop.example/p?⟦token=a8f3&email=lia⟧
https://⟦lia:secret⟧@shop.example/x
me chamo ⟦Lia Souza⟧
meu nome é ⟦joão da silva⟧
oi meu nome e ⟦Maria Clara⟧ e quero trocar
my name is ⟦Mitchell Barr⟧
my name's ⟦ana⟧
hi I'm ⟦Priya Natarajan⟧, where is it
This is ⟦Tom⟧
aqui é a ⟦Carla⟧
aqui é o ⟦pedro⟧
⟦Dana⟧ here, checking
sou o ⟦Rafael Lima⟧
me llamo ⟦José Ortega⟧
soy ⟦Lucía⟧
nome completo: ⟦Ana Beatriz Costa⟧
o pedido está em nome de ⟦Marcos Vinícius⟧
order in the name of ⟦Sarah O'Neill⟧
Olá, ⟦Fernanda⟧! Tudo bem?
Hi ⟦Mitch⟧, yep, those are tan.
Prezada Sra. ⟦Oliveira⟧,
Thanks, ⟦Owen⟧.
Bom dia, ⟦Antônio⟧!
{"customer": {"name": "⟦Mitchell Barr⟧", "tier": "gold"}}
{"recipient": "⟦Lia Souza⟧"}
{"shipping": {"street": "⟦Rua A⟧", "city": "Recife"}}
{"cpf": "⟦52998224725⟧"}
{"birth_date": "⟦1990-03-02⟧"}
{"received_by": "⟦J. Pires⟧"}
pode mandar pro email ⟦renata_gomes88@uol.com.br⟧ msm
contato ⟦21 99876-1122⟧ (whats)
o numero da minha irmã é ⟦71 3344-5566⟧
you can text ⟦+1-202-555-0147⟧
my cell's ⟦202.555.0147⟧
tel. ⟦(0xx11) 4002-8922⟧
ring me on ⟦020 7946 0958⟧
mi teléfono ⟦55 1234 5678⟧
llámame al ⟦+52 55 1234 5678⟧
cel ⟦9 8765-4321⟧
segue meu cpf ⟦111.444.777-35⟧ pra nota
cpf ⟦111 444 777 35⟧
numero do cartao ⟦5105 1051 0510 5100⟧ val 10/28
cartão final ok, numero ⟦4242424242424242⟧
minha conta iban ⟦PT50000201231234567890154⟧
moro na ⟦rua são joão 45⟧ em campinas
entregar: ⟦Rua XV de Novembro, 1200, sala 3⟧
⟦R. Dr. Arnaldo, 251⟧ perto do metro
ship to ⟦350 Fifth Avenue⟧, NYC
⟦19 Rosewood Close⟧, Leeds ⟦LS8 2AB⟧
Portland, OR ⟦97205⟧
⟦Av. Insurgentes Sur 1602⟧, CDMX
cep eh ⟦30140-071⟧
nasc. ⟦15/11/85⟧
minha data de nascimento é ⟦7 de julho de 1979⟧
date of birth: ⟦11 Feb 1988⟧
sou a ⟦Juliana⟧, comprei ontem
boa tarde, meu nome é ⟦Wesley dos Santos⟧
eu me chamo ⟦thaís⟧
it's ⟦Karen⟧ again
this is ⟦Deepak Rao⟧ from last week
name: ⟦Zoë Müller⟧
Att, ⟦Roberto Nunes⟧
Obrigada, ⟦Patrícia⟧!
Dear Mr. ⟦Henderson⟧,
Oi ⟦Gabi⟧, tudo certo com a troca?
Hello ⟦Sofía⟧! I can help.
{"customer_name": "⟦Ivo Prado⟧", "status": "paid"}
{"contact": {"first_name": "⟦Ana⟧", "email": "⟦ana@x.example⟧"}}
{"delivery": {"addressee": "⟦Paulo Reis⟧"}}
the account is under ⟦Megan Fox⟧
""".strip().splitlines()

# Written after the rules for them, so that what is found of these tells more than what is found of the list above.
PERSONAL_LATER = """
Buen día, ⟦Facundo⟧, ya reviso su caso.
Good afternoon ⟦Shreya⟧, your parcel left today.
Oi ⟦Lurdes⟧, tudo bem por aí?
Boa noite, ⟦Heitor⟧. Já abri o chamado.
Qué tal ⟦Ramiro⟧, ya tengo su respuesta.
Hey ⟦Oluwaseun⟧! Great news.
me llamo ⟦Itziar Mendizabal⟧ y compré ayer
soy ⟦Anselmo⟧, el de ayer
my name is ⟦Kwame⟧
This is ⟦Bronwyn Pugh⟧, I called before
meu nome é ⟦Cauã Figueira⟧
aqui é o ⟦Otávio⟧, tudo certo?
le habla ⟦Consuelo⟧ de Medellín
hi its ⟦Farah⟧ again
⟦Piotr⟧ here from yesterday
Dear Ms ⟦Vasquez⟧, we received it.
Gracias, ⟦Leandro⟧.
Obrigado, ⟦Ivone⟧!
Thanks ⟦Yusuf⟧, all done.
doña ⟦Mercedes⟧, ya sale su pedido
Don ⟦Evelio⟧, buenas tardes.
{"bill_to": {"name": "⟦Greta Lindqvist⟧"}}
{"ship_to": {"name": "⟦Abel Montoya⟧", "city": "Cali"}}
{"order": {"customer_name": "⟦Noémie Caron⟧"}}
{"payer": {"first_name": "⟦Otis⟧", "last_name": "⟦Grayson⟧"}}
{"order_id": "Q-1", "name": "⟦Imani Okafor⟧", "items": [{"name": "Mug", "price": 9}]}
it was delivered to my neighbour ⟦Gareth⟧
mi hija ⟦Paloma⟧ lo recibió
minha vizinha ⟦Dalva⟧ assinou
my wife ⟦Ingrid⟧ ordered it
Entiendo su molestia, ⟦Braulio⟧.
Sorry about the wait, ⟦Chidi⟧!
the order is in the name of ⟦Petra Novak⟧
el pedido está a nombre de ⟦Ximo Ferrer⟧
está em nome de ⟦Zilda Rocha⟧
⟦Renato Paes⟧ is the name on the card
VAT ⟦DE123456789⟧ please put it on the invoice
{"vat_id": "⟦ESB12345678⟧"}
Firmado: ⟦Nicanor⟧
pregunte por ⟦Benigna⟧ en recepción
""".strip().splitlines()

CLEAN = """
meu pedido Q-22034 não chegou
order #1042, placed yesterday
pedido 11987654321 atrasado
protocolo 20260803123456
tracking BR123456789BR
código de rastreio: 9405511899223197428490
order number 4155552671 is late
chega até 14/08/2026 às 18h
arrives 2026-08-14, between 10:00 and 12:30
{"estimated_delivery": "2026-08-14T16:10:00-03:00", "amount": 279.90}
{"sku": "SD-COVE-BLK-44", "title": "Cove sandals, black, 44", "qty": 1}
{"name": "Cove sandals", "order_id": 22034}
{"product": {"name": "Linen Shirt"}, "price": 1299.9}
R$ 1.299,90 no pix, 3x de R$ 433,30
1,299.90 EUR and 85.00 AUD back
1.234.567,89 de faturamento
sizes 36 37 38 39 40 41
30x40x5 cm, 1920x1080
within 48 hours, 10-15 business days
rule R3, step S7.
COVID-19 delays
nota fiscal 000123456
boleto 23793381286000782713695000063305975520000370000
version 1.2.3.4 of the app
https://shop.example/returns
www.correios.example/rastreio
I'm not happy, I'm still waiting
sou cliente há 10 anos
This is the third time
Hi there, where is my order?
Olá, tudo bem?
Obrigada, Boa noite
aqui é a loja?
uma blusa rosa e um vestido branco
desconto de 10% até 31/12
o prazo é de 7 dias, art. 49
3 de 4 itens entregues
created at 1754229600
timestamp 1754229600000
EX-8233 created, label RL-4821
call me back, please
meu nome está errado na nota
Saturday 2026-08-15
a Rua está interditada
ISBN 978-3-16-148410-0 is what I ordered
faixa de 100 a 200 reais, 2 por 150
a NF 4567 veio com valor 1.299,00
rastreio LB123456789CN
pedido nº 100045678 parado desde 01/08
my order 700123456789 hasn't moved
o prazo era 05/08/2026, hoje é 12/08
entre 9h e 18h, seg a sex
custa 49,90 ou 3 x 16,63
item 12345678 esgotado
size 10 1/2, width 4E
order Q-30188 and Q-30190
I am very upset with this
Oi, bom dia
call centre closed at 6pm
Thanks, Team
cupom BEMVINDO10
modelo SM-A546E 128GB
peso 2,350 kg
código 4512 9987 1234
Hi, I'm looking for a dress
este é o terceiro contato
Buenos días. Siento mucho lo ocurrido
Hola, Buenas
Gracias, Perfecto
Olá, Tudo bem?
Hi There
Boa tarde, Gostaria de saber do pedido
Buenas tardes, Quiero cambiar una talla
Good morning. Parcelway says it left
Hola, Zapatillas en 44 hay?
Thanks, Great!
Gracias, Igualmente.
Perfecto, Listo.
it's Monday already
its Black or navy?
Oi, Sandália 38 tem?
Hi, Black Friday price please
mi pedido de Guadalajara, México.
entrega em Recife, Pernambuco.
from Leeds, England.
my order from the Nike store
la talla M, Gracias!
quiero el vestido, Azul!
Olá, Pedido Q-22034
Habla Español?
minha filha quer o rosa
my wife wants the blue one
su esposa pidió dos
customer service is slow
Cliente pediu reembolso
Customer wants a refund.
{"name": "Linen Shirt", "sku": "X", "price": 10}
{"items": [{"name": "Cove sandals", "qty": 1}], "order_id": "Q-1"}
{"product": {"name": "Travel mug", "material": "steel"}}
{"shipping_method": {"name": "Express"}}
{"store": {"name": "Quillo Centro"}}
{"carrier": {"name": "Rota Norte"}}
Sorry, Wrong number.
Entendo, Obrigada.
Oh, Really?
Muchas gracias, Saludos.
""".strip().splitlines()


def cleaned(line: str) -> tuple[str, list[str]]:
    """The masked line, by all that a conversation of it alone would tell, and what must not be left."""
    secrets = [part.split("⟧")[0] for part in line.split("⟦")[1:]]
    text = line.replace("⟦", "").replace("⟧", "")
    redaction = Redaction()
    for kind, value in told_in(text):
        redaction.know(kind, value)
    for name in (*introduced(text), *hailed(text), *spoken_of(text), *colleagues(text)):
        redaction.know("name", name)
    return redaction(text), secrets


def found(lines: list[str]) -> tuple[int, list[tuple[str, str]]]:
    """How many secrets there are, and which are left."""
    n, left = 0, []
    for line in lines:
        text, secrets = cleaned(line)
        n += len(secrets)
        left += [(line, text) for secret in secrets if secret in text]
    return n, left


def test_recall_on_the_labelled_list_is_at_least_98_percent() -> None:
    n, left = found(PERSONAL)
    assert n >= 90
    assert len(left) / n <= 0.02, left


def test_recall_on_strings_that_were_written_after_the_rules_is_at_least_95_percent() -> None:
    n, left = found(PERSONAL_LATER)
    assert n >= 40
    assert len(left) / n <= 0.05, left  # a signature behind a colon, somebody to ask for at a desk


def test_recall_on_names_that_another_hand_wrote() -> None:
    n, left = found([line.replace(r"\n", "\n") for line in PERSONAL_SECOND])
    assert (n, left) == (41, [])
    n, left = found(PERSONAL_THIRD)
    assert n == 21
    assert len(left) <= 2, left


def test_what_stands_where_names_stand_and_is_none_stays() -> None:
    assert len(CLEAN_SECOND) >= 46
    assert [(line, text) for line in CLEAN_SECOND if (text := cleaned(line)[0]) != line] == []


def test_a_surname_that_is_known_already_leaves_the_first_name_masked() -> None:
    redaction = Redaction()
    redaction.know("name", "Thomas Hallett")
    redaction.know("name", "Tom")
    assert redaction("Tom Hallett. Q-33102.") == "[name 1] [name 2]. Q-33102."


def test_accents_make_no_difference_to_a_name() -> None:
    redaction = Redaction()
    redaction.know("name", "Tomas")
    assert redaction("gracias Tomás, TOMÁS y tomas") == "gracias [name 1], [name 1] y [name 1]"


def test_a_longer_form_of_a_name_is_found_where_a_text_begins_with_it() -> None:
    assert list(longer(["Mitchell, wants to buy", "Mitten, wants", "Black, please"], ["mitch"])) == ["Mitchell"]


def test_tax_numbers_count_where_one_speaks_of_them() -> None:
    assert list(tax_numbers(["your VAT number?", "Hallett Joinery Ltd. GB000123456"])) == ["GB000123456"]
    assert list(tax_numbers(["parcel GB000123456"])) == []


def test_nothing_is_masked_where_there_is_nothing_personal() -> None:
    wrong = [(line, text) for line in CLEAN if (text := cleaned(line)[0]) != line]
    assert len(CLEAN) >= 100
    assert wrong == []


def test_the_same_value_has_the_same_mark_and_another_one_another() -> None:
    redaction = Redaction()
    redaction.know("name", "Lia Souza")
    redaction.know("name", "Rosa Lima")
    text = "Lia, LIA SOUZA e Rosa: a@b.co, A@B.CO, c@d.co; +55 11 98765-4321 ou 98765-4321; blusa rosa"
    assert redaction(text) == (
        "[name 1], [name 1] e [name 2]: [email 1], [email 1], [email 2]; [phone 1] ou [phone 1]; blusa rosa"
    )


def test_people_who_work_there_are_agents_also_where_personal_data_stays() -> None:
    redaction = Redaction(personal=False)
    redaction.know("agent", "Carla Dias")
    redaction.know("agent", "Rui")
    assert (
        redaction("Oi, aqui é a Carla (a@b.co), o rui e CARLA DIAS")
        == "Oi, aqui é a Agent 1 (a@b.co), o Agent 2 e Agent 1"
    )


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), max_size=5), st.data())
def test_a_stretch_of_a_text_moves_to_where_it_stands_in_the_masked_one(
    text: str, cuts: list[tuple[int, int]], data: st.DataObject
) -> None:
    spans, at = [], 0
    for start, length in sorted(cuts):
        if at <= start and start + length <= len(text):
            spans.append((start, start + length, "[name 1]"))
            at = start + length
    a = data.draw(st.integers(0, len(text)))
    b = data.draw(st.integers(a, len(text)))
    start, end = moved((a, b), spans)
    shown = masked(text, spans)[start:end]
    touched = [(s, e, m) for s, e, m in spans if s < b and a < e] if a < b else []
    whole = (min([a, *(s for s, _, _ in touched)]), max([b, *(e for _, e, _ in touched)]))
    if a < b:
        assert shown == masked(text[whole[0] : whole[1]], [(s - whole[0], e - whole[0], m) for s, e, m in touched])


@pytest.mark.parametrize("text", ["A" * 60_000, "\n" * 60_000, "\nA" * 30_000, "Ana " * 15_000, "oi " + "A" * 60_000])
def test_names_are_looked_for_in_a_long_text_in_time_that_grows_with_it(text: str) -> None:
    # Were it the square of the length, the first of these would take minutes.
    looked = (
        "import sys; from grader.redaction import hailed, introduced, signed, thanked; text = sys.stdin.read()\n"
        "for find in (hailed, introduced, signed, thanked): list(find(text))"
    )
    subprocess.run([sys.executable, "-c", looked], input=text, text=True, check=True, timeout=20)
