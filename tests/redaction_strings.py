"""More strings for masking: with names, by another hand than the rules, and with none where names could stand."""

from __future__ import annotations

# By another hand than most rules for names, before those for people of whom somebody else speaks: 35 of 41 found.
PERSONAL_SECOND = """
Good afternoon, ⟦Priscilla⟧. Your refund is on its way.
Hi ⟦Marlon⟧! The blue one is back in stock.
Dear ⟦Ms Whitcombe⟧, we have received your parcel.
Thanks, ⟦Imogen⟧! That helps a lot.
Cheers ⟦Duncan⟧, all sorted now
Hello, you're through to ⟦Yasmin⟧ in returns.
My name is ⟦Oluwaseun Bakare⟧ and my order is late
it's ⟦Fergus⟧ again, still no parcel
⟦Nadia⟧ here from payments, sorry for the delay.
The invoice was made out to ⟦Gareth Pugh⟧.
The order is in the name of ⟦Saoirse Lynch⟧
Please deliver it. Kind regards,\\n⟦Beatrix Holloway⟧
my husband ⟦Dmitri⟧ will pick it up
The parcel was signed for by ⟦Leopold⟧ yesterday
I understand, ⟦Winston⟧. Let me check that.
{"bill_to": {"name": "⟦Harriet Vane⟧"}, "total": 20.5}
{"order": {"shipping_address": {"first_name": "⟦Kofi⟧", "last_name": "⟦Mensah⟧"}}}
Buenas tardes, ⟦Remedios⟧. Lamento la demora.
¡Hola ⟦Facundo⟧! Tu pedido ya salió.
Muchas gracias, ⟦Ignacio⟧.
Le atiende ⟦Macarena⟧, del equipo de pagos.
Hola, te habla ⟦Anselmo⟧ de envíos
soy ⟦Montserrat⟧ y compré una lámpara
me llamo ⟦Teodoro Quiroga⟧, pedido Q-10022
La factura salió a nombre de ⟦Ramiro Ibáñez⟧
lo recibió ⟦Fermín⟧, el portero
mi hermana ⟦Azucena⟧ lo compró
Entiendo tu molestia, ⟦Leandro⟧. Lo reviso.
Saludos,\\n⟦Herminia Palacios⟧
Don ⟦Baltasar⟧, ya quedó su reembolso.
Bom dia, ⟦Anderson⟧! Já verifiquei.
Boa tarde ⟦Jussara⟧, tudo certo com a troca.
Obrigado, ⟦Everton⟧!
Oi, aqui é a ⟦Marilene⟧, do pós-venda
⟦Cleiton⟧ falando, em que posso ajudar?
Você está falando com ⟦Rosimeire⟧.
o pedido está em nome de ⟦Adalberto Menezes⟧
Att,\\n⟦Ivone Peçanha⟧
minha vizinha, a ⟦Dulcineia⟧, recebeu o pacote
Sinto muito pelo atraso, ⟦Raimundo⟧. Vou resolver.
""".strip().splitlines()

# People of whom somebody else speaks, written after the rules for them: 14 of 21 were found at first.
PERSONAL_THIRD = """
It was left with my neighbour ⟦Agatha⟧
the courier handed it to ⟦Clifford⟧ next door
my colleague ⟦Shirin⟧ will call you back
I already told ⟦Brendan⟧ about this
Signed for by: ⟦Ottoline⟧
my son's name is ⟦Rafferty⟧
please ask for ⟦Delphine⟧ at reception
Your case is with ⟦Rosalind⟧ now
you will be transferred to ⟦Hamish⟧
invoice addressed to ⟦Cordelia Flyte⟧
recibido por ⟦Gumersindo⟧
mi compañera ⟦Itziar⟧ lo revisa hoy
hablé con ⟦Saturnino⟧ ayer
te comunico con ⟦Paloma⟧ de envíos
mi nieto ⟦Lisandro⟧ hizo el pedido
el doctor ⟦Zubizarreta⟧ lo necesita
falei com a ⟦Jandira⟧ na semana passada
recebido por ⟦Ubirajara⟧ na portaria
minha gerente, a ⟦Solange⟧, autorizou
vou passar para o ⟦Heitor⟧ da logística
a encomenda é para a ⟦Eponina⟧
""".strip().splitlines()

CLEAN_SECOND = """
Buenos días. Siento mucho la demora
Hola, Buenas
Gracias, Perfecto
Olá, Tudo bem?
Hi There
Thanks, Great!
Bom dia, Tudo certo?
Hello, Quick question about returns
Obrigada, Perfeito!
Hola, Buenas tardes. Una consulta
Gracias, Saludos
Hi, Yes please.
Dear Sir or Madam,
Dear Customer,
Estimado cliente, su pedido salió
Hola, Necesito ayuda.
Oi, Preciso de ajuda.
Hi, Any news?
Thanks, Monday works.
Good morning, Friday is fine.
the Cove sandals, Black. Please
soy de Córdoba y compré una lámpara
aquí es la tienda de Madrid?
I'm in London, where is the parcel?
this is Awful
It's here again, the wrong one
I spoke to Support yesterday
Obrigado, Correios.
a entrega é de São Paulo, SP
{"carrier": {"name": "Rota Norte"}, "service": {"name": "Express Plus"}}
{"store": {"name": "Quillo Recife"}, "city": "Recife"}
Kind regards,
It will be received by Friday
I told Support about this
signed by Dock 2
recibió Correos el paquete
un tal Pedido Q-10001
made out to Comercial Los Boldos SpA
falei com o Suporte ontem
hablé con Soporte ayer
Kind regards, Customer Service
Saludos, Equipo Quillo
Regards, The Team
my manager said no
El supervisor no autorizó nada. Gracias
Cheers, Lovely
connecting you to Payments
te paso con Pagos
""".strip().splitlines()
